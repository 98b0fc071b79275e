"""Look up fields by dotted names: `_source.body` is the field `body` of the object `_source`, or a field of that name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

__all__ = ["build_nested_schema", "get_field", "iter_field_columns"]


def get_field(record: Mapping[str, Any], name: str) -> Any:
    """Return the value of a field, or None where it is missing.

    >>> (
    ...     get_field({"_source": {"body": "Text"}}, "_source.body"),
    ...     get_field({"a.b": 1}, "a.b"),
    ...     get_field({}, "a.b"),
    ... )
    ('Text', 1, None)
    """
    value = record.get(name)
    if value is not None or "." not in name:
        return value
    inner: Any = record
    for part in name.split("."):
        if not isinstance(inner, Mapping):
            return None
        inner = inner.get(part)
    return inner


def iter_field_columns(batch: pa.RecordBatch, name: str) -> Iterator[pa.Array]:
    """Yield the columns of a field: the column of that name, and the one inside structs."""
    for index in batch.schema.get_all_field_indices(name)[:1]:
        yield batch.column(index)
    if "." not in name:
        return
    root, *path = name.split(".")
    for index in batch.schema.get_all_field_indices(root)[:1]:
        column = batch.column(index)
        for part in path:
            if not pa.types.is_struct(column.type) or column.type.get_field_index(part) < 0:
                return
            column = pc.struct_field(column, part)
        yield column


def build_nested_schema(types: Mapping[str, pa.DataType]) -> pa.Schema | None:
    """Return the columns that hold fields of some names; None where one field would be inside of another.

    >>> build_nested_schema({"id": pa.string(), "s.text": pa.string()}).field("s").type
    StructType(struct<text: string>)
    """
    tree: dict[str, Any] = {}
    for name, kind in types.items():
        # The column of the very name comes first; it is null where the field is nested.
        *parents, leaf = name.split(".")
        branch = tree
        for part in parents:
            branch = branch.setdefault(part, {})
            if not isinstance(branch, dict):
                return None
        if leaf in branch:
            return None
        branch[leaf] = kind
        if parents and tree.setdefault(name, kind) is not kind:
            return None
    return pa.schema([(name, _to_type(branch)) for name, branch in tree.items()])


def _to_type(branch: Any) -> pa.DataType:
    if not isinstance(branch, dict):
        return branch
    return pa.struct([(name, _to_type(inner)) for name, inner in branch.items()])
