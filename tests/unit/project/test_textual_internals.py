"""Textual's private parts are used in one module, which is looked at when Textual is updated."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import textwrap
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from syndisco_tui import tui

HOME = Path("shell/textual_internals.py")
TUI = Path(tui.__path__[0])


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(TUI.rglob("*.py")):
        if path.relative_to(TUI) != HOME:
            yield path.relative_to(TUI), ast.parse(path.read_text())


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.startswith("__")


def test_no_other_module_imports_or_reads_private_names_of_others() -> None:
    uses = []
    for path, tree in modules():
        own = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
        for node in ast.walk(tree):
            match node:
                case ast.ImportFrom(module=str(module), level=0) if any(
                    is_private(part)
                    for part in (*module.split("."), *(each.name for each in node.names))
                ):
                    uses.append(f"{path}:{node.lineno}: {module}")
                case ast.Attribute(value=ast.Name(id="self" | "cls" | "os")):
                    pass
                case ast.Attribute(attr=attr) if is_private(attr) and attr not in own:
                    uses.append(f"{path}:{node.lineno}: {ast.unparse(node)}")
    assert not uses, "\n".join(uses)


@cache
def private_names(kind: type) -> set[str]:
    """The private names of a class of Textual: its methods, and what it sets in them."""
    names = set(vars(kind))
    for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(kind)))):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            names.add(node.attr)
    return {name for name in names if is_private(name) and not name.startswith("_abc_")}


def test_no_other_class_uses_or_overrides_a_private_name_of_textual() -> None:
    uses = []
    for info in pkgutil.walk_packages(tui.__path__, f"{tui.__name__}."):
        module = importlib.import_module(info.name)
        path = Path(inspect.getfile(module)).relative_to(TUI)
        for _, kind in inspect.getmembers(module, inspect.isclass):
            if kind.__module__ != info.name or path == HOME:
                continue
            bases = [base for base in kind.__mro__ if base.__module__.startswith("textual.")]
            theirs = set().union(*map(private_names, bases)) if bases else set()
            for node in ast.walk(ast.parse(textwrap.dedent(inspect.getsource(kind)))):
                match node:
                    case ast.Attribute(value=ast.Name(id="self"), attr=name):
                        pass
                    case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                        pass
                    case _:
                        continue
                if name in theirs:
                    uses.append(f"{path}: {kind.__name__}.{name}")
    assert not uses, "\n".join(sorted(set(uses)))
