"""Call machine code from Python: pack the arguments of a kernel into one buffer, and unpack what it returns.

Compiled code takes an array as its size, address, shape and strides, and a tuple as its items. An entry point reads all of
them from a buffer of 8-byte values, so that any kernel has the same two arguments: that buffer, and one for the result.
"""

from __future__ import annotations

import ctypes
import struct
from typing import Any, NamedTuple

import numpy as np

ENTRY_POINT = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_char_p, ctypes.c_char_p)
"""A function in C of the packed arguments and the buffer of the result. It returns 0, and ctypes calls it without the
interpreter lock."""
RESULT_BYTES = 64
VIEW_BUFFER: Any = ctypes.c_char.from_buffer  # its types know no arrays of numpy
NUMBER_FORMATS = {
    "bool": "?7x",
    "int8": "b7x",
    "int16": "h6x",
    "int32": "i4x",
    "int64": "q",
    "uint8": "B7x",
    "uint16": "H6x",
    "uint32": "I4x",
    "uint64": "Q",
    "float32": "f4x",
    "float64": "d",
}
"""How a number is packed into eight bytes, by its type."""
RESULT_FORMATS = {
    "bool": "?",
    "int8": "b",
    "int16": "h",
    "int32": "i",
    "int64": "q",
    "float32": "f",
    "float64": "d",
    "uint8": "B",
    "uint16": "H",
    "uint32": "I",
    "uint64": "Q",
}


class Parameter(NamedTuple):
    """The type of a number or an array that a kernel takes."""

    type: str
    """The name of its numpy type."""
    dimensions: int | None
    """None for a number."""


class EntryPoint:
    """A kernel in machine code, for one combination of argument types."""

    def __init__(
        self, address: int, parameters: list[Parameter], results: list[str], *, is_tuple: bool, owner: object
    ) -> None:
        """Make an entry point for the code at `address`, which exists as long as its owner.

        `results` are the types of the numbers that it returns.
        """
        self._function, self._owner = ENTRY_POINT(address), owner
        self._parameters = [
            (np.dtype(name), dimensions) if dimensions is not None else (name, None)
            for name, dimensions in parameters
        ]
        self._arguments_format = struct.Struct("=" + "".join(map(format_parameter, parameters)))
        self._result_format = make_result_format(results)
        self._is_tuple = is_tuple

    def pack_arguments(self, arguments: tuple[Any, ...]) -> bytes | None:
        """Return the packed arguments; None if they are of other types than those of this entry point."""
        leaves: list[Any] = []
        flatten(arguments, leaves)
        if len(leaves) != len(self._parameters):
            return None
        values: list[Any] = []
        for leaf, (wanted, dimensions) in zip(leaves, self._parameters, strict=True):
            if dimensions is None:
                values.append(bool(leaf) if wanted == "bool" else leaf)
                continue
            if not isinstance(leaf, np.ndarray) or leaf.dtype != wanted or leaf.ndim != dimensions:
                return None
            flags = leaf.flags
            if not (flags.c_contiguous and flags.aligned):
                return None
            values += (0, 0, leaf.size, leaf.itemsize, get_address(leaf), *leaf.shape, *leaf.strides)
        try:
            return self._arguments_format.pack(*values)
        except struct.error:  # an array or a float where a whole number is expected
            return None

    def call(self, packed: bytes) -> Any:
        """Run the code; return its result. Raise `RuntimeError` if it fails."""
        result = ctypes.create_string_buffer(RESULT_BYTES)
        if self._function(packed, result):
            raise RuntimeError("a kernel failed")
        values = self._result_format.unpack_from(result)
        return values if self._is_tuple else values[0] if values else None


def make_result_format(results: list[str]) -> struct.Struct:
    """Return the format of the result of a kernel, given the types of its numbers.

    Raise `ValueError` if it does not fit into `RESULT_BYTES`, or if a type is not that of a number.
    """
    formats = [RESULT_FORMATS.get(name) for name in results]
    if None in formats:
        raise ValueError(f"a kernel returns {', '.join(results)}, not numbers")
    layout = struct.Struct("@" + "".join(filter(None, formats)))
    if layout.size > RESULT_BYTES:
        raise ValueError(f"a kernel returns {layout.size} bytes, more than {RESULT_BYTES}")
    return layout


def format_parameter(parameter: Parameter) -> str:
    """Return the format of a parameter in the packed arguments, as `struct` has it.

    For an array: two addresses for reference counts, which kernels do not use; size, bytes of an item, address; the shape and
    the strides.
    """
    if parameter.dimensions is None:
        return NUMBER_FORMATS[parameter.type]
    return f"{5 + 2 * parameter.dimensions}q"


def get_address(array: np.ndarray) -> int:
    """Return the address of the first item of an array."""
    try:
        return ctypes.addressof(VIEW_BUFFER(array))  # a fifth of the time of the other way
    except (TypeError, ValueError):  # read-only, or empty
        return array.ctypes.data


def flatten(values: tuple[Any, ...], leaves: list[Any]) -> None:
    """Append the items of a tuple to `leaves`, and those of tuples in it."""
    for value in values:
        if isinstance(value, tuple):
            flatten(value, leaves)
        else:
            leaves.append(value)
