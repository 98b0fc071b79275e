"""A kernel gives the same result from the library as when numba compiles it in this process."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from threading import Barrier
from time import sleep
from types import CodeType, FunctionType, ModuleType
from typing import NamedTuple

import llvmlite.binding as llvm
import numpy as np
import pytest
from commands import environment, process
from numba.core.errors import NumbaError

from dedup.errors import DedupError
from dedup.jit import KERNELS, Kernel, jit, jit_inline, kernel_library
from dedup.jit.digest import PACKAGE, name_module
from dedup.jit.entry_point import EntryPoint, Parameter
from dedup.jit.kernel_library import KernelLibrary, load_library
from dedup.jit.linker import link_kernels

PACKAGES = ("text", "sketches", "matching", "index", "evaluation", "reports")
"""The packages that call kernels."""


class Pair(NamedTuple):
    numbers: np.ndarray
    factor: float


@pytest.fixture(autouse=True)
def registered_kernels() -> Iterator[None]:
    """Forget the kernels of a test."""
    count = len(KERNELS)
    yield
    del KERNELS[count:]


@jit_inline
def double(x: float) -> float:
    return 2 * x


@jit
def sum_scaled(pair: Pair, offset: float, is_negative: bool) -> tuple[float, int]:
    """Return (sum, count) of scaled numbers, and halve the numbers."""
    total = 0.0
    for i in range(len(pair.numbers)):
        total += double(pair.numbers[i]) * pair.factor + offset
        pair.numbers[i] /= 2
    return -total if is_negative else total, len(pair.numbers)


def load_kernel(kernel: Kernel) -> EntryPoint:
    """Return the only entry point of a kernel, linked into an object file and loaded from it."""
    code, (entry,) = link_kernels([kernel], "generic")
    engine = llvm.create_mcjit_compiler(
        llvm.parse_assembly(""), llvm.Target.from_default_triple().create_target_machine()
    )
    engine.add_object_file(llvm.ObjectFileRef.from_data(code))
    engine.finalize_object()
    parameters = [Parameter(*parameter) for parameter in entry["parameters"]]
    address = engine.get_function_address(entry["symbol"])
    return EntryPoint(address, parameters, entry["results"], is_tuple=entry["is_tuple"], owner=engine)


def test_arrays_numbers_and_tuples_go_in_and_numbers_come_out() -> None:
    numbers = np.array([1.0, 2.0, 3.0])
    expected = sum_scaled(Pair(numbers.copy(), 10.0), 1.0, True)
    entry_point = load_kernel(sum_scaled)

    packed = entry_point.pack_arguments((Pair(numbers, 10.0), 1.0, True))

    assert packed
    assert entry_point.call(packed) == expected == (-123.0, 3)
    assert numbers.tolist() == [0.5, 1.0, 1.5]


@pytest.mark.parametrize(
    "arguments",
    [
        (Pair(np.zeros(3, np.float32), 10.0), 1.0, True),
        (Pair(np.zeros((3, 1)), 10.0), 1.0, True),
        (Pair(np.zeros(6)[::2], 10.0), 1.0, True),
        (([1.0], 10.0), 1.0, True),
        (Pair(np.zeros(3), 10.0), "1", True),
        (np.zeros(3), 1.0, True),
    ],
    ids=["type", "dimensions", "stride", "list", "string", "tuple"],
)
def test_arguments_of_other_types_are_not_taken(arguments: tuple[object, ...]) -> None:
    sum_scaled(Pair(np.zeros(1), 1.0), 1.0, False)
    entry_point = load_kernel(sum_scaled)

    assert entry_point.pack_arguments(arguments) is None


def test_a_kernel_that_makes_an_array_is_refused() -> None:
    @jit
    def make_array(n: int) -> np.ndarray:
        return np.zeros(n)

    with pytest.raises(NumbaError):
        make_array(3)


def test_a_kernel_that_needs_python_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("dedup.jit.linker.C_FUNCTIONS", frozenset())

    @jit
    def compute_log(x: float) -> np.float64:
        return np.log1p(x)

    compute_log(1.0)

    with pytest.raises(DedupError, match="makes an array or needs Python: log1p"):
        load_kernel(compute_log)


def test_a_kernel_of_strided_arrays_is_refused() -> None:
    @jit
    def count(numbers: np.ndarray) -> int:
        return len(numbers)

    count(np.zeros((4, 2))[:, 0])

    with pytest.raises(DedupError, match="not contiguous"):
        load_kernel(count)


def test_a_kernel_with_a_large_result_is_refused() -> None:
    @jit
    def repeat(x: float) -> tuple[float, ...]:
        return x, x, x, x, x, x, x, x, x

    repeat(1.0)

    with pytest.raises(DedupError, match="72 bytes, more than 64"):
        load_kernel(repeat)


def test_a_number_that_is_too_large_for_its_type_is_not_taken() -> None:
    @jit
    def add_one(x: int) -> int:
        return x + 1

    add_one(np.uint32(1))
    entry_point = load_kernel(add_one)

    assert entry_point.pack_arguments((2**32 - 1,))
    assert entry_point.pack_arguments((2**32,)) is None


def test_threads_that_call_at_once_load_one_library(monkeypatch: pytest.MonkeyPatch) -> None:
    loaded: list[Path] = []
    barrier = Barrier(4)

    def read_slowly(folder: Path) -> KernelLibrary:
        loaded.append(folder)
        sleep(0.05)
        return read_library(folder)

    def load(_thread: int) -> KernelLibrary | None:
        barrier.wait()
        return load_library()

    read_library = kernel_library.read_library
    monkeypatch.setattr(kernel_library, "read_library", read_slowly)
    kernel_library.load_once.cache_clear()
    with ThreadPoolExecutor(4) as pool:
        libraries = set(map(id, pool.map(load, range(4))))

    assert len(loaded) == len(libraries) == 1


def test_a_call_that_the_library_does_not_cover_is_compiled_here() -> None:
    @jit
    def add_one(x: int) -> int:
        return x + 1

    assert load_library()
    assert add_one.entry_points == ()
    assert add_one(1) == 2


def list_code(module: ModuleType) -> Iterator[CodeType]:
    """Yield the code of all functions of a module that run in Python, and of the functions inside them."""
    pending = [member for member in vars(module).values() if isinstance(member, FunctionType | type)]
    codes = []
    for member in pending:
        if member.__module__ == module.__name__:
            functions = vars(member).values() if isinstance(member, type) else [member]
            codes += [function.__code__ for function in functions if isinstance(function, FunctionType)]
    while codes:
        code = codes.pop()
        codes += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
        yield code


def test_the_library_has_each_kernel_that_python_calls() -> None:
    loaded = load_library()
    assert loaded

    called = set()
    for file in (path for package in PACKAGES for path in (PACKAGE / package).rglob("*.py")):
        names = vars(module := import_module(name_module(file)))
        for code in list_code(module):
            called |= {names[name].name for name in code.co_names if isinstance(names.get(name), Kernel)}

    assert len(called) > 30
    assert called - loaded.entry_points.keys() == set()


@pytest.mark.parametrize(
    "command",
    [
        ("cluster",),
        ("cluster", "--undated", "together"),
        ("filter", "--index", "seen.db"),
        ("filter", "-q"),
        ("explain", "harbour-fire-1", "harbour-fire-3"),
        ("plan",),
        ("report", "-o", "report.html"),
        ("origins",),
        ("diff", "harbour-fire-1"),
    ],
    ids="-".join,
)
def test_a_command_needs_no_compiler(command: tuple[str, ...], newsroom: Path, tmp_path: Path) -> None:
    """A module named numba that cannot be imported stands in the way."""
    assert kernel_library.find_library(), "compile the kernels first: python -m dedup.precompile"
    (tmp_path / "numba.py").write_text("raise RuntimeError('a command imported numba')")

    answer = process(
        command[0], newsroom, *command[1:], cwd=tmp_path, env=environment(PYTHONPATH=str(tmp_path))
    )

    assert answer.returncode == 0, answer.stderr
