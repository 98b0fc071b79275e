"""The files that deliver dedup agree: image, compose file, workflows, hooks, recipe and package."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dedup.cli.main import cli

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
YAML_FILES = [
    *WORKFLOWS,
    ROOT / "compose.yaml",
    ROOT / ".pre-commit-config.yaml",
    ROOT / ".pre-commit-hooks.yaml",
    ROOT / "recipe" / "recipe.yaml",
]
CONDA_NAMES = {"hyperscan": "python-hyperscan"}
"""Packages that conda-forge calls by another name."""
REQUIREMENT = re.compile(r"^(?P<name>[\w.-]+)(?:\[[^]]*\])?(?P<version>[^;]*)")


def load_yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def iter_steps() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the steps of all workflows, each with its workflow and job."""
    for path in WORKFLOWS:
        for name, job in load_yaml(path)["jobs"].items():
            for step in job["steps"]:
                yield f"{path.stem}.{name}", step


def list_python_versions() -> list[str]:
    """Return the Python versions that the package names."""
    classifiers = PROJECT["project"]["classifiers"]
    return re.findall(r"Python :: (3\.\d+)", "\n".join(classifiers))


def list_requirements(requirements: list[Any]) -> set[str]:
    """Return the requirements of a recipe, those of some platforms too, as `name version`."""
    plain = (each["then"] if isinstance(each, dict) else each for each in requirements)
    return {each for each in plain if " " in each and not each.startswith("hatchling")}


@pytest.mark.parametrize("path", YAML_FILES, ids=lambda path: path.name)
def test_each_yaml_file_parses(path: Path) -> None:
    assert load_yaml(path)


def test_the_workflows_test_and_build_for_the_python_versions_that_the_package_names() -> None:
    versions = list_python_versions()
    check = load_yaml(ROOT / ".github" / "workflows" / "check.yml")

    assert check["jobs"]["check"]["strategy"]["matrix"]["python"] == versions
    assert PROJECT["tool"]["cibuildwheel"]["build"].split() == [
        f"cp{version.replace('.', '')}-*" for version in versions
    ]
    assert PROJECT["project"]["requires-python"] == f">={versions[0]}"


def test_the_image_is_built_on_a_python_version_that_the_package_names() -> None:
    assert re.findall(r"^ARG PYTHON=(.*)$", DOCKERFILE, re.MULTILINE)[0] in list_python_versions()
    assert re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE) == ["python:${PYTHON}-slim-bookworm"] * 2


def test_the_image_installs_extras_that_the_package_has() -> None:
    (extras,) = re.findall(r"pip install '\.\[([\w,]+)\]'", DOCKERFILE)

    assert set(extras.split(",")) <= set(PROJECT["project"]["optional-dependencies"])


def test_the_image_runs_as_a_user_without_rights() -> None:
    user = re.findall(r"^USER (\d+):(\d+)$", DOCKERFILE, re.MULTILINE)

    assert user == [("10001", "10001")]


def test_the_context_of_the_image_has_all_that_it_copies() -> None:
    allowed = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)

    names = {name for names in copied for name in names.split()}
    assert {f"!{name}" for name in names} == {line for line in allowed if line.startswith("!")}
    assert all((ROOT / name).exists() for name in names)


def test_the_wheel_is_built_from_files_that_the_image_has() -> None:
    needed = {PROJECT["project"]["readme"], *PROJECT["project"]["license-files"], "hatch_build.py"}

    assert needed <= set(re.findall(r"[\w.]+", DOCKERFILE))


def test_the_version_is_the_same_everywhere() -> None:
    version = PROJECT["project"]["version"]

    assert load_yaml(ROOT / "recipe" / "recipe.yaml")["context"]["version"] == version
    assert load_yaml(ROOT / "CITATION.cff")["version"] == version
    assert load_yaml(ROOT / "compose.yaml")["services"]["dedup"]["image"] == f"news-dedup:{version}"
    assert f"news-dedup:{version} " in (WORKFLOWS[0]).read_text(encoding="utf-8")


def test_the_recipe_requires_the_packages_of_the_wheel() -> None:
    wheel = set()
    for requirement in PROJECT["project"]["dependencies"]:
        match = REQUIREMENT.match(requirement)
        assert match
        name = match["name"].lower()
        wheel.add(f"{CONDA_NAMES.get(name, name)} {match['version'].strip()}")

    requirements = load_yaml(ROOT / "recipe" / "recipe.yaml")["requirements"]

    assert list_requirements(requirements["run"]) == wheel
    assert list_requirements(requirements["host"]) == wheel


def test_the_database_of_the_compose_file_is_the_one_that_the_service_uses() -> None:
    services = load_yaml(ROOT / "compose.yaml")["services"]
    database, service = services["database"]["environment"], services["dedup"]["environment"]

    assert (
        service["DEDUP_INDEX"]
        == f"postgresql://{database['POSTGRES_USER']}@database/{database['POSTGRES_DB']}"
    )
    assert service["PGPASSWORD"] == database["POSTGRES_PASSWORD"]


@pytest.mark.parametrize(
    "command",
    [
        *(hook["entry"] for hook in load_yaml(ROOT / ".pre-commit-hooks.yaml")),
        "dedup " + " ".join(load_yaml(ROOT / "compose.yaml")["services"]["dedup"]["command"]),
        "dedup " + " ".join(re.findall(r'"([^"]+)"', DOCKERFILE.rpartition("CMD ")[2])),
    ],
)
def test_commands_and_options_exist(command: str) -> None:
    program, name, *arguments = command.split()

    assert program == "dedup"
    options = {option for parameter in cli.commands[name].params for option in parameter.opts}
    assert {argument for argument in arguments if argument.startswith("--")} <= options


def test_only_the_publishing_job_may_prove_who_it_is() -> None:
    jobs = {
        f"{path.stem}.{name}": job.get("permissions", {})
        for path in WORKFLOWS
        for name, job in load_yaml(path)["jobs"].items()
    }

    assert [name for name, permissions in jobs.items() if permissions] == ["release.publish"]
    assert jobs["release.publish"] == {"id-token": "write"}
    assert all(load_yaml(path)["permissions"] == {"contents": "read"} for path in WORKFLOWS)


def test_no_step_has_a_secret_and_each_action_is_named_by_its_commit() -> None:
    for job, step in iter_steps():
        assert "secrets." not in str(step), job
        assert "uses" not in step or re.search(r"^actions/[\w-]+@[0-9a-f]{40}$", step["uses"]), job
