"""The tests' own rule: what two of them share lies in ``tests/support``."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.support.project import ROOT

FILES = sorted((ROOT / "tests").rglob("*.py"))


def imported(file: Path) -> Iterator[str]:
    """The modules that ``file`` imports, and what it imports from them, by their full names."""
    package = file.relative_to(ROOT).parent.parts
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else ()
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{module}.{each.name}" for each in node.names)


def not_shared(name: str) -> bool:
    """Whether this is a test module, or a conftest, or lies in one."""
    parts = name.split(".")
    return parts[0] == "tests" and any(
        part.startswith("test_") or part == "conftest" for part in parts
    )


def test_nothing_is_imported_from_another_test() -> None:
    against_the_rule = [
        f"{file.relative_to(ROOT)}: {name}"
        for file in FILES
        for name in imported(file)
        if not_shared(name)
    ]
    assert against_the_rule == []


def test_relative_and_absolute_imports_are_seen() -> None:
    file = ROOT / "tests" / "unit" / "project" / "test_own_imports.py"
    assert "tests.support.project.ROOT" in set(imported(file))
    assert not_shared("tests.unit.session.test_session.SETUP")
    assert not_shared("tests.conftest.load")
    assert not not_shared("tests.support.engines.load")
