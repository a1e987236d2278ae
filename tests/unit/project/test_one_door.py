"""One door for foreign text: what a widget is given has passed it, and is never read as markup.

Read from the source. A call that shows text gets a literal, a ``Content``, or text that passed
``text.py`` together with ``markup=False``; else it is named in ``ALLOWED``, with the reason.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import syndisco_tui

UI = Path(syndisco_tui.__file__).parent / "tui"
DOORS = {"safe", "one_line", "shown_name", "editable"}
SHOWING = {"Static", "Label", "Button", "Option", "Tab", "TabPane", "notify", "update"}
"""They read a string as markup, unless they are told not to."""
PLAIN = {"Content", "Text"}
"""They take a string as it is. (What is styled or assembled is looked at on the screen.)"""
EVERY = {"add_row", "add_option", "add_options", "OptionList", "update_cell"}
"""All that they are given is shown."""
CONTENT = {"Content", "styled", "assemble", "join", "bar", "truncate", "wrap", "Option"}
"""What they return is content; what goes into it is looked at where they are called."""
NUMBERS = {"len", "int", "round", "float"}

NUMBERED = {
    "seed",
    "turn",
    "turns",
    "tokens",
    "tokens_so_far",
    "number",
    "count",
    "finished",
    "planned",
    "shown_number",
    "runs",
    "_most",
    "share",
}
"""Attributes that hold numbers wherever they are shown."""

_CONTENT = "content, made where it can be seen"
_COLUMN = "names a column of the table, which is not shown"
ALLOWED: dict[tuple[str, str], str] = {
    ("inspect/compare.py", "choice"): _CONTENT,
    ("library/screen.py", "line"): _CONTENT,
    ("library/screen.py", "preview"): _CONTENT,
    ("personas/warnings.py", "*map(self._option, self._warnings)"): _CONTENT,
    ("experiments/batch_screen.py", "cell"): _CONTENT,
    ("experiments/batch_screen.py", "column.name"): _COLUMN,
    ("experiments/batch_screen.py", "label"): "a column's own label, a literal",
}


def called(node: ast.Call) -> str:
    match node.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


class Source:
    """One module: what its functions return and its names are bound to, as far as one can see."""

    def __init__(self, text: str) -> None:
        self.tree = ast.parse(text)
        self.parents = {
            child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)
        }
        self.returns: dict[str, str] = {}
        self._inspector: list[str] = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns:
                self.returns[node.name] = ast.unparse(node.returns)

    def scope(self, node: ast.AST) -> ast.AST:
        while node in self.parents:
            node = self.parents[node]
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
                return node
        return node

    def bound(self, name: ast.Name) -> list[ast.expr] | None:
        """All that a local name is bound to; None where that cannot be told."""
        scope, found = self.scope(name), list[ast.expr]()
        for node in ast.walk(scope):
            match node:
                case ast.Assign(targets=targets, value=value):
                    for target in targets:
                        if isinstance(target, ast.Name) and target.id == name.id:
                            found.append(value)
                        elif isinstance(target, ast.Tuple):
                            names = [ast.unparse(each) for each in target.elts]
                            if name.id in names and isinstance(value, ast.Tuple):
                                found.append(value.elts[names.index(name.id)])
                            elif name.id in names:
                                return None
                case ast.AugAssign(target=ast.Name(id=id), value=value) if id == name.id:
                    found.append(value)
                case ast.NamedExpr(target=ast.Name(id=id), value=value) if id == name.id:
                    found.append(value)
                case ast.For(target=target) | ast.comprehension(target=target):
                    if name.id in {n.id for n in ast.walk(target) if isinstance(n, ast.Name)}:
                        return None
                case ast.arg(arg=id, annotation=kind) if id == name.id:
                    if kind is None or ast.unparse(kind) not in ("Content", "int", "float"):
                        return None
                    found.append(ast.Constant(0))
        return found or None

    def is_content(self, node: ast.expr) -> bool:
        return self._is(node, strings=False)

    def is_clean(self, node: ast.expr) -> bool:
        """Whether it has passed the door: a string or content that nothing foreign is left in."""
        return self._is(node, strings=True)

    def _is(self, node: ast.expr, *, strings: bool) -> bool:
        match node:
            case ast.Constant():
                return True
            case ast.Call() if called(node) in CONTENT:
                return True
            case ast.Call() if called(node) in DOORS | NUMBERS:
                return strings
            case ast.Call() if self.returns.get(called(node), "") in (
                "Content",
                "Option",
                "list[Content]",
                "Text",
                "int",
            ):
                return True
            case ast.Call(func=ast.Name(id="str"), args=[ast.Attribute(attr=name)]):
                return strings and name in NUMBERED
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=table), attr="get"), args=[_, other]
            ):
                return strings and table.strip("_").isupper() and self._is(other, strings=True)
            case ast.Subscript(value=ast.Name(id=table)) if table.strip("_").isupper():
                return True  # one of the program's own tables
            case ast.BinOp(left=ast.Constant(), op=ast.Mult()):
                return strings
            case ast.JoinedStr(values=values):
                return strings and all(self._is(each, strings=True) for each in values)
            case ast.FormattedValue(value=value, format_spec=spec):
                is_number = spec is not None and ast.unparse(spec).rstrip("'\"")[-1:] in "f%,d"
                is_number |= isinstance(value, ast.Attribute) and value.attr in NUMBERED
                return is_number or self._is(value, strings=True)
            case ast.IfExp(body=one, orelse=other):
                return self._is(one, strings=strings) and self._is(other, strings=strings)
            case ast.BoolOp(values=values):
                return all(self._is(each, strings=strings) for each in values)
            case ast.BinOp(left=one, right=other):
                return self._is(one, strings=strings) and self._is(other, strings=strings)
            case ast.Starred(value=value) | ast.Await(value=value):
                return self._is(value, strings=strings)
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                return all(self._is(each, strings=strings) for each in elements)
            case ast.GeneratorExp(elt=element) | ast.ListComp(elt=element):
                return self._is(element, strings=strings)
            case ast.Name(id=id) if id.strip("_").isupper():
                return True
            case ast.Name():
                if node.id in self._inspector:  # bound to itself and more
                    return True
                bound = self.bound(node)
                if bound is None:
                    return False
                self._inspector.append(node.id)
                try:
                    return all(self._is(one, strings=strings) for one in bound)
                finally:
                    self._inspector.pop()
        return False

    def faults(self) -> Iterator[tuple[int, str]]:
        """Lines, and what is shown there that has not passed the door."""
        for node in ast.walk(self.tree):
            if not isinstance(node, ast.Call):
                continue
            name = called(node)
            unparsed = any(
                option.arg == "markup"
                and isinstance(option.value, ast.Constant)
                and option.value.value is False
                for option in node.keywords
            )
            shown = node.args if name in EVERY else node.args[:1]
            for argument in shown:
                if name in SHOWING and not unparsed:
                    is_well = self.is_content(argument)
                elif name in SHOWING | PLAIN | EVERY:
                    is_well = self.is_clean(argument)
                else:
                    continue
                if not is_well:
                    yield argument.lineno, ast.unparse(argument)


def test_nothing_is_shown_that_has_not_passed_the_door() -> None:
    faults, used = [], set()
    for path in sorted(UI.rglob("*.py")):
        name = str(path.relative_to(UI))
        for line, what in Source(path.read_text()).faults():
            used.add((name, what))
            if (name, what) not in ALLOWED:
                faults.append(f"{name}:{line}: {what}")
    assert not faults, "\n".join(faults)
    assert not set(ALLOWED) - used, "no longer needed"


@pytest.mark.parametrize(
    "call",
    [
        "self.notify(text)",
        "self.notify(text, markup=False)",
        "self.notify(safe(text))",
        "self.notify(f'{error}', markup=False)",
        "note.update(sentence)",
        "note.update(f'turn {turn}: {name}')",
        "Static(self.title, markup=False)",
        "Option(name)",
        "Content(message.text)",
        "table.add_row(Content('x'), run.name)",
    ],
)
def test_raw_text_is_found(call: str) -> None:
    assert list(Source(f"def show(self, text, name, error):\n    {call}").faults())


@pytest.mark.parametrize(
    "call",
    [
        "self.notify('Nothing to undo.')",
        "self.notify(safe(text), markup=False)",
        "note.update(Content(safe(text)))",
        "Static(f'turn {turn:.0f}', markup=False)",
        "Option(Content.assemble(one_line(name, 20), ' '))",
    ],
)
def test_text_that_passed_is_left_alone(call: str) -> None:
    assert not list(Source(f"def show(self, text, name, error):\n    {call}").faults())
