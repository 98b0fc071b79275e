"""The kernels that the package ships are all that a first command needs."""

from pathlib import Path

import pytest
from commands import environment, process

from dedup import jit, precompile


@pytest.mark.parametrize(
    "command",
    [
        ("cluster",),
        ("filter", "--index", "seen.db"),
        ("explain", "harbour-fire-1", "harbour-fire-3"),
        ("plan",),
        ("report", "-o", "report.html"),
    ],
    ids=lambda command: command[0],
)
def test_a_first_command_compiles_nothing(command: tuple[str, ...], newsroom: Path, tmp_path: Path) -> None:
    if not jit.SHIPPED_LEVEL:
        pytest.skip("the kernels of this checkout are not compiled: python -m dedup.precompile")
    shipped = jit.SHIPPED_KERNELS / jit.name_kernel_folder(jit.SHIPPED_LEVEL)
    first_run = environment(XDG_CACHE_HOME=str(tmp_path / "cache"))

    answer = process(command[0], newsroom, *command[1:], cwd=tmp_path, env=first_run)

    (cache,) = (tmp_path / "cache" / "dedup").iterdir()
    assert answer.returncode == 0, answer.stderr
    assert sorted({path.name for path in cache.iterdir()} - {path.name for path in shipped.iterdir()}) == []


def test_all_levels_of_a_cpu_are_compiled_one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled: list[str | None] = []
    monkeypatch.setattr(precompile, "find_cpu_levels", lambda: ["x86-64-v3", "x86-64-v2"])
    monkeypatch.setattr(precompile, "compile_kernels", lambda level=None: compiled.append(level))

    precompile.compile_requested_kernels("all")
    precompile.compile_requested_kernels("x86-64-v2")
    precompile.compile_requested_kernels()

    assert compiled == ["x86-64-v3", "x86-64-v2", "x86-64-v2", None]
