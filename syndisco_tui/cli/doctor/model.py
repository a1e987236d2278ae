"""The model that was loaded last: whether it ran as fast as this software can run a model."""

from __future__ import annotations

from collections.abc import Iterator

from ...session.last_model import LastModel, LastModelFile
from ...session.model_path import short_name, slower_path_then
from ...workspace.folders import Folders
from ...workspace.inputs import InputError
from ...workspace.settings import load_settings
from .check import Finding, Look

_FASTEST = {"slots": "ran on the fastest path (shared batches, cached prefixes)"}


def last_model() -> Iterator[Finding]:
    """Which path its tokens took, and why it was no faster one."""
    last = LastModelFile(Folders.from_environment().last_model_file).read()
    preferred = _model_of_the_settings()
    if preferred == "auto" and last is None:
        yield Finding("model", "none loaded yet")
    elif last is None or preferred not in ("auto", last.spec.model, last.info.model):
        yield Finding("model", f"{short_name(preferred)} (settings), not the one loaded last")
    if last:
        yield _finding(last)


def _finding(last: LastModel) -> Finding:
    info = last.info
    name = info.name or info.model
    if slower := slower_path_then(name, info.path, info.path_reason):
        advice = "It works; another model or other library versions may be faster."
        return Finding("model", slower, "could be better", advice)
    return Finding("model", f"{short_name(name)} {_FASTEST.get(info.path, 'ran well')}")


def _model_of_the_settings() -> str:
    try:
        return load_settings(Folders.from_environment().settings_file, {}).model
    except InputError:  # which is told elsewhere
        return "auto"


LOOKS: tuple[Look, ...] = (last_model,)
