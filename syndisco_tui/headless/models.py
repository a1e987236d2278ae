"""``syndisco-tui models``: prints the models that can be chosen, as a table or JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable
from typing import Any

from rich.cells import cell_len, set_cell_size

from ..text import gigabytes, one_line, parameter_count, safe
from ..workspace.models import ListedModel, ModelGroup, ModelSources, listed_models
from .output import forgive_encoding

_HEADINGS = ("model", "from", "type", "size", "precision", "on disk", "memory", "")
_TO_THE_RIGHT = ("size", "on disk", "memory")


def print_models(sources: ModelSources, *, as_json: bool = False) -> int:
    """Print all models of ``sources``. Servers that do not answer go to standard error.

    Returns the exit status.
    """
    forgive_encoding(sys.stdout, sys.stderr)
    groups = listed_models(sources)
    notes = [group.note for group in groups if group.note]
    if as_json:
        rows = [_as_dict(model, group) for group in groups for model in group.models]
        print(json.dumps({"models": rows, "errors": notes}, ensure_ascii=False, indent=2))
        return 0
    print(_table(groups), end="")
    if free := next((each.free for each in _needs(groups)), None):
        print(f"{gigabytes(free.bytes)} of memory free on {free.device}.", file=sys.stderr)
    for note in notes:
        print(safe(note), file=sys.stderr)
    return 0


def _needs(groups: Iterable[ModelGroup]) -> list[Any]:
    files = (model.files for group in groups for model in group.models)
    return [each.memory for each in files if each and each.memory]


def _table(groups: Iterable[ModelGroup]) -> str:
    rows = [_HEADINGS, *(_cells(model, group) for group in groups for model in group.models)]
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = (
            f"{'':{width - cell_len(text)}}{text}"
            if name in _TO_THE_RIGHT
            else set_cell_size(text, width)
            for text, width, name in zip(row, widths, _HEADINGS, strict=True)
        )
        lines.append("  ".join(cells).rstrip())
    return "\n".join(lines) + "\n"


def _cells(model: ListedModel, group: ModelGroup) -> tuple[str, ...]:
    """The cells of a model's row, safe to print."""
    files, about = model.files, model.sentence or model.about
    name, origin = one_line(model.choice.model, 120), one_line(group.origin, 60)
    if files is None or not (files.disk_bytes or files.problem):
        context = f"{model.context_length:,} tokens of context" if model.context_length else ""
        return name, origin, "", "", "", "", "", about or context
    verdict = files.problem
    if files.memory and not verdict:
        verdict = "fits" if files.memory.fits else "too large"
    return (
        name,
        origin,
        one_line(files.family, 20),
        parameter_count(files.parameters),
        one_line(files.stored_as, 20),
        gigabytes(files.disk_bytes) if files.disk_bytes else "",
        gigabytes(files.memory.bytes) if files.memory else "",
        verdict,
    )


def _as_dict(model: ListedModel, group: ModelGroup) -> dict[str, Any]:
    """A model as a JSON object; unknown values are None."""
    files = model.files
    memory = files.memory if files else None
    return {
        "model": model.choice.model,
        "server": list(model.choice.server),
        "from": group.origin,
        "type": files.family or None if files else None,
        "parameters": files.parameters or None if files else None,
        "dtype": files.dtype or None if files else None,
        "quantization": files.quantization if files else None,
        "context_length": model.context_length or None,
        "disk_bytes": files.disk_bytes or None if files else None,
        "memory_bytes": memory.bytes if memory else None,
        "free_bytes": memory.free.bytes if memory else None,
        "device": memory.free.device if memory else None,
        "fits": memory.fits if memory else None,
        "problem": (files.explanation or files.problem or None) if files else None,
    }
