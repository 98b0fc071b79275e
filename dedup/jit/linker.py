"""Link the kernels that numba has compiled in this process into one object file.

numba compiles each kernel with all kernels that it calls. Here their modules are joined, so that shared ones are kept once,
and each kernel that Python calls gets an entry point that reads its arguments from a buffer (`dedup.jit.entry_point`).
numba's own wrappers, which need Python, are dropped.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import llvmlite.binding as llvm
from numba import types

from dedup.errors import DedupError
from dedup.jit import Kernel
from dedup.jit.entry_point import make_result_format

C_FUNCTIONS = frozenset(
    ["memcpy", "memmove", "memset"]
    + [
        name + suffix
        for name in ("exp", "log", "log1p", "sqrt", "pow", "fabs", "floor")
        for suffix in ("", "f")
    ]
)
"""The functions that a library may need: those of the C library, not of Python or of numba's own."""


def link_kernels(kernels: Iterable[Kernel], level: str) -> tuple[bytes, list[dict[str, Any]]]:
    """Return the object file of kernels and a list of their entry points, as in the manifest.

    Raise `DedupError` if a kernel needs Python, makes an array, returns more than a few numbers, or was called with an array
    that is not contiguous.
    """
    library: Any = llvm.parse_assembly("")
    entries: list[dict[str, Any]] = []
    for kernel in kernels:
        for signature, compiled in kernel.dispatcher.overloads.items():
            symbol = f"dedup_kernel_{len(entries)}"
            entries.append({"kernel": kernel.name, "symbol": symbol} | describe_types(compiled))
            library.link_in(llvm.parse_assembly(kernel.dispatcher.inspect_llvm(signature)))
            target = library.get_function(compiled.fndesc.llvm_func_name)
            library.link_in(llvm.parse_assembly(write_entry_point(symbol, target)))
    keep_only(library, {entry["symbol"] for entry in entries})
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=level, opt=3, codemodel="jitdefault", jit=True
    )
    return machine.emit_object(library), entries


def describe_types(compiled: Any) -> dict[str, Any]:
    """Return the types of the parameters and results of a compiled kernel, as in the manifest."""
    result = compiled.signature.return_type
    is_tuple = issubclass(type(result), types.BaseTuple)
    items = [] if result == types.none else list(result) if is_tuple else [result]
    results = [name_type(item) for item in items]
    try:
        make_result_format(results)
    except ValueError as error:
        raise DedupError(str(error)) from error
    return {
        "parameters": [
            parameter for argument in compiled.signature.args for parameter in list_leaves(argument)
        ],
        "results": results,
        "is_tuple": is_tuple,
    }


def list_leaves(argument: Any) -> list[tuple[str, int | None]]:
    """Return (type, dimensions) of a number or an array, or of each item of a tuple."""
    kind = type(argument)
    if issubclass(kind, types.BaseTuple):
        return [leaf for item in argument for leaf in list_leaves(item)]
    if issubclass(kind, types.Array):
        if argument.layout != "C":
            raise DedupError(f"a kernel was called with an array that is not contiguous: {argument}")
        return [(name_type(argument.dtype), argument.ndim)]
    return [(name_type(argument), None)]


def name_type(number: Any) -> str:
    """Return the name of the numpy type of a number."""
    return str(number)


def write_entry_point(symbol: str, target: Any) -> str:
    """Return an entry point for a compiled function as LLVM assembly.

    The function takes the address of its result, the address of an error, and its arguments, one after another.
    """
    argument_types = [str(argument.type) for argument in target.arguments][2:]
    loads = "\n".join(
        f"  %address{k} = getelementptr i64, ptr %arguments, i64 {k}\n  %value{k} = load {kind}, ptr %address{k}"
        for k, kind in enumerate(argument_types)
    )
    values = ", ".join(
        ["ptr %result", "ptr %error", *(f"{t} %value{k}" for k, t in enumerate(argument_types))]
    )
    return f"""
declare i32 @"{target.name}"({", ".join(["ptr", "ptr", *argument_types])})
define i32 @{symbol}(ptr %arguments, ptr %result) {{
  %error = alloca ptr
{loads}
  %status = call i32 @"{target.name}"({values})
  ret i32 %status
}}
"""


def keep_only(library: Any, symbols: set[str]) -> None:
    """Remove all functions that those named `symbols` do not need."""
    for function in library.functions:
        if not function.is_declaration and function.name not in symbols:
            function.linkage = llvm.Linkage.internal
    machine = llvm.Target.from_default_triple().create_target_machine()
    passes = llvm.create_new_module_pass_manager()
    passes.add_global_dead_code_eliminate_pass()
    passes.run(library, llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options()))
    needed = {f.name for f in library.functions if f.is_declaration and not f.name.startswith("llvm.")}
    if foreign := sorted(needed - C_FUNCTIONS):
        raise DedupError(f"a kernel makes an array or needs Python: {', '.join(foreign)}")
