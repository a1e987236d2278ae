"""The model that was loaded last: whether it ran as fast as this software can run a model."""

from __future__ import annotations

from collections.abc import Iterator

from ...session.last_model import LastModel, LastModelFile
from ...session.model_path import short_name, slower_path_then
from ...workspace.folders import Folders
from ...workspace.inputs import InputError
from ...workspace.settings import load_settings
from .check import Check, CheckFunction

_FASTEST = {"slots": "ran on the fastest path (shared batches, cached prefixes)"}


def last_model() -> Iterator[Check]:
    """Which path its tokens took, and why it was no faster one."""
    last = LastModelFile(Folders.from_environment().last_model_file).read()
    preferred = _model_of_the_settings()
    if preferred == "auto" and last is None:
        yield Check("model", "none loaded yet")
    elif last is None or preferred not in ("auto", last.spec.model, last.info.model):
        yield Check("model", f"{short_name(preferred)} (settings), not the one loaded last")
    if last:
        yield _model_check(last)


def _model_check(last: LastModel) -> Check:
    info = last.info
    name = info.name or info.model
    if slower := slower_path_then(name, info.path, info.path_reason):
        advice = "It works; another model or other library versions may be faster."
        return Check("model", slower, "could be better", advice)
    return Check("model", f"{short_name(name)} {_FASTEST.get(info.path, 'ran well')}")


def _model_of_the_settings() -> str:
    try:
        return load_settings(Folders.from_environment().settings_file, {}).model
    except InputError:  # which is told elsewhere
        return "auto"


CHECKS: tuple[CheckFunction, ...] = (last_model,)
