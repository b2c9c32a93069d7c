"""The rules of the house that no linter holds: budgets of lines, docstrings, and what an import loads."""

from __future__ import annotations

import ast
import json
import pkgutil
import statistics
import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

import pytest

import accelsim

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("accelsim", "scripts", "tests", "benchmarks", "docs")
FILES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))

MAX_FILE_LINES, MAX_FUNCTION_LINES, MAX_MEDIAN_LINES = 500, 80, 150


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def n_lines(path: Path) -> int:
    return path.read_text(encoding="utf-8").count("\n")


def loaded_by(statement: str) -> set[str]:
    """Top-level packages outside the standard library that a statement loads in a fresh interpreter."""
    code = f"import sys, json; {statement}; print(json.dumps([m.partition('.')[0] for m in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    standard = {*sys.stdlib_module_names, "__mp_main__"}  # what multiprocessing calls the main module
    loaded = set(json.loads(done.stdout)) - standard
    return {package for package in loaded if not package.lstrip("_").startswith("cython_")}  # numpy 1's own


@cache
def loaded_at_start() -> frozenset[str]:
    """What the interpreter loads by itself: hooks of editable installs, coverage."""
    return frozenset(loaded_by("pass"))


def modules_of(room: str) -> list[str]:
    return [
        module.name for module in pkgutil.walk_packages([str(ROOT / "accelsim" / room)], f"accelsim.{room}.")
    ]


def test_there_are_files_to_hold_to_the_budget() -> None:
    assert sum(name(path).startswith("accelsim/") for path in FILES) > 50


@pytest.mark.parametrize("path", FILES, ids=name)
def test_no_file_is_longer_than_500_lines(path: Path) -> None:
    assert n_lines(path) <= MAX_FILE_LINES


@pytest.mark.parametrize("path", FILES, ids=name)
def test_no_function_is_longer_than_80_lines(path: Path) -> None:
    functions = [
        node for node in ast.walk(tree(path)) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    lengths = {f.name: (f.end_lineno or f.lineno) - f.lineno + 1 for f in functions}
    assert {f: n for f, n in lengths.items() if n > MAX_FUNCTION_LINES} == {}


def test_the_median_file_of_the_package_is_under_150_lines() -> None:
    lengths = [n for path in (ROOT / "accelsim").rglob("*.py") if (n := n_lines(path)) > 1]
    assert statistics.median(lengths) < MAX_MEDIAN_LINES


@pytest.mark.parametrize("path", [p for p in FILES if n_lines(p)], ids=name)
def test_every_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(tree(path))


def test_importing_accelsim_loads_no_third_party_package_not_even_numpy() -> None:
    assert loaded_by("import accelsim") - loaded_at_start() == {"accelsim"} - loaded_at_start()


@pytest.mark.parametrize("room", ["cost", "mapper"])
def test_cost_and_mapper_load_numpy_and_nothing_else_of_third_parties(room: str) -> None:
    modules = modules_of(room)
    assert len(modules) > 1
    assert loaded_by(f"import {', '.join(modules)}") - loaded_at_start() - {"accelsim"} == {"numpy"}


def test_no_public_function_shares_its_name_with_a_folder_or_module_of_the_package() -> None:
    rooms = {module.name for module in pkgutil.iter_modules([str(ROOT / "accelsim")])}
    public = set(accelsim.__all__)
    assert {"arch", "load", "run"} <= public
    assert public & rooms == set()


def test_every_public_function_has_a_docstring_and_types() -> None:
    for public in accelsim.__all__:
        thing = getattr(accelsim, public)
        if callable(thing):
            assert thing.__doc__, public
            assert thing.__annotations__.get("return"), public


def test_the_version_of_the_package_is_that_of_its_metadata() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == accelsim.__version__


def test_the_wheel_ships_architectures_technologies_networks_and_evidence() -> None:
    """What lies outside the package is listed by hand; what lies inside comes along."""
    hatch = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]
    wheel = hatch["build"]["targets"]["wheel"]
    assert set(wheel["force-include"]) == {"arch_configs", "spaces", "technologies", "workloads"}
    assert wheel["packages"] == ["accelsim"]
    assert len(list((ROOT / "accelsim" / "evidence").glob("*/values.csv"))) >= 15
