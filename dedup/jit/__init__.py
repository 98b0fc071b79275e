"""Kernels: functions of numbers and arrays that run as machine code, without the interpreter lock.

`@jit` makes a kernel of a function. The machine code of all kernels is compiled ahead of time into one library
(`dedup.precompile`), which a process loads when it calls its first kernel (`dedup.jit.kernel_library`). A call that the library
does not cover is compiled by numba in the process itself, so that it works too, only later.

A kernel makes no arrays: its caller provides them. It takes numbers, arrays and tuples of these, and returns a number, a
tuple of numbers, or nothing. It divides as numpy does.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, update_wrapper
from types import FunctionType
from typing import Any

import numpy as np

from dedup.jit.entry_point import EntryPoint
from dedup.jit.kernel_library import load_library

KERNELS: list[Kernel] = []
"""All kernels of the modules that are imported."""


class Kernel:
    """A function that runs as machine code."""

    def __init__(self, function: Callable[..., Any], *, inline: bool) -> None:
        """Make a kernel; with `inline`, it becomes a part of each kernel that calls it."""
        update_wrapper(self, function)
        self.function: Any = function
        self.name = f"{function.__module__}.{function.__qualname__}"
        self.is_called = False
        """Whether Python has called it, not only another kernel."""
        self._inline = inline
        KERNELS.append(self)

    @cached_property
    def entry_points(self) -> tuple[EntryPoint, ...]:
        """The entry points of the library, one for each combination of argument types; empty without a library."""
        library = load_library()
        return library.entry_points.get(self.name, ()) if library else ()

    @cached_property
    def dispatcher(self) -> Any:
        """The same function as numba compiles it, at its first call, for the types of its arguments."""
        import numba

        compile_function: Any = (
            numba.njit
        )  # the option _nrt, which numba uses for functions of its own, is not in its types
        code, names = self.function.__code__, self.function.__globals__
        # numba knows its own dispatchers only, so the function gets those of the kernels that it calls.
        own_names = {
            name: names[name].dispatcher if isinstance(names[name], Kernel) else names[name]
            for name in code.co_names
            if name in names
        }
        own_names["__name__"] = self.function.__module__
        function = FunctionType(code, own_names, code.co_name, self.function.__defaults__)
        inline = "always" if self._inline else "never"
        # Without reference counts: each access to an array in a tuple would count up and down, atomically, and threads that
        # read the same sketches would spend most of their time on it (similar: numba issue 8156).
        return compile_function(nogil=True, error_model="numpy", inline=inline, _nrt=False)(function)

    def __call__(self, *arguments: Any) -> Any:
        """Run the kernel; raise `RuntimeError` if its machine code fails."""
        self.is_called = True
        for entry_point in self.entry_points:
            packed = entry_point.pack_arguments(arguments)
            if packed is not None:
                return entry_point.call(packed)
        return self.dispatcher(*arguments)


def jit(function: Callable[..., Any]) -> Kernel:
    """Return a function as a kernel."""
    return Kernel(function, inline=False)


def jit_inline(function: Callable[..., Any]) -> Kernel:
    """Return a small function as a kernel that becomes a part of each kernel that calls it."""
    return Kernel(function, inline=True)


@jit_inline
def murmur3_fmix32(h):
    """Return the MurmurHash3 finalizer of a uint32, a bijection (numba widens each product, hence the casts)."""
    h = np.uint32(h ^ (h >> np.uint32(16)))
    h = np.uint32(h * np.uint32(0x85EBCA6B))
    h = np.uint32(h ^ (h >> np.uint32(13)))
    h = np.uint32(h * np.uint32(0xC2B2AE35))
    return np.uint32(h ^ (h >> np.uint32(16)))
