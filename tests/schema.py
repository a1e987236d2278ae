"""The JSON schema of a discussion's file, generated from the types that read it.

``python -m tests.schema`` writes ``docs/discussion.schema.json``.
"""

from __future__ import annotations

import ast
import inspect
import json
import textwrap
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from syndisco_tui.discussion import Persona, record
from syndisco_tui.discussion.participant_models import ParticipantModel
from syndisco_tui.discussion.setup import DiscussionSetup
from syndisco_tui.store import discussion_format

PATH = Path(__file__).parent.parent / "docs" / "discussion.schema.json"


def schema() -> dict[str, Any]:
    """The schema, with the descriptions that the types have."""
    generated = discussion_format.FileFields.model_json_schema()
    for name, definition in generated["$defs"].items():
        _describe(definition, _type_named(name))
    _describe(generated, discussion_format.FileFields)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A discussion of syndisco-tui",
        **{key: value for key, value in generated.items() if key != "title"},
    }


def text() -> str:
    """The content of ``PATH``."""
    return json.dumps(schema(), ensure_ascii=False, indent=2) + "\n"


def _type_named(name: str) -> type:
    for module in (discussion_format, record):
        if hasattr(module, name):
            kind: type = getattr(module, name)
            return kind
    models: dict[str, type] = {
        "Persona": Persona,
        "DiscussionSetup": DiscussionSetup,
        "ParticipantModel": ParticipantModel,
    }
    return models[name]


def _describe(definition: dict[str, Any], kind: type) -> None:
    definition.pop("title", None)
    definition["description"] = _one_line(inspect.getdoc(kind) or "")
    described = _attribute_docstrings(kind)
    for key, value in definition.get("properties", {}).items():
        value.pop("title", None)
        if key in described:
            value["description"] = described[key]


def _attribute_docstrings(kind: type) -> dict[str, str]:
    """The docstrings below the fields of a class and its parents, by the fields' keys in files."""
    keys = _keys(kind)
    described: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        if base is BaseModel or not (is_dataclass(base) or issubclass(base, BaseModel)):
            continue
        body = ast.parse(textwrap.dedent(inspect.getsource(base))).body[0]
        assert isinstance(body, ast.ClassDef)
        for field, docstring in zip(body.body, body.body[1:], strict=False):
            match field, docstring:
                case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(ast.Constant(str(value))):
                    described[keys.get(name, name)] = _one_line(value)
    return described


def _one_line(docstring: str) -> str:
    return " ".join(docstring.split()).replace("``", "`")


def _keys(kind: type) -> dict[str, str]:
    """The key of each field that has another name in files."""
    if not is_dataclass(kind):
        return {}
    hints = inspect.get_annotations(kind, eval_str=True)
    aliases = {}
    for field in fields(kind):
        for note in getattr(hints.get(field.name), "__metadata__", ()):
            if alias := getattr(note, "alias", None):
                aliases[field.name] = alias
    return aliases


if __name__ == "__main__":
    PATH.write_text(text(), encoding="utf-8")
    print(f"wrote {PATH}")
