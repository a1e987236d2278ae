"""The path that a model's tokens take, in words: what a slower one than the fastest means."""

from __future__ import annotations

from ..text import one_line

MOST_NAME = 30
MOST_REASON = 200
"""Characters of a model's name and of a reason that a sentence quotes."""

_CONSEQUENCES: dict[str, tuple[str, str]] = {
    "batch": ("reads every prompt from its beginning", "read every prompt from its beginning"),
    "generate": ("runs one discussion at a time", "ran one discussion at a time"),
}
_OTHER = ("does not run on the fastest path", "did not run on the fastest path")


def short_name(model: str) -> str:
    """A model's name without the organisation or the folders in front of it."""
    return one_line(model.rstrip("/").rsplit("/", 1)[-1], MOST_NAME)


def slower_path(name: str, path: str, reason: str) -> str:
    """A sentence where there is a ``reason`` why a model is not on the fastest path, or nothing.

    It says what the ``path`` of the model ``name`` means for whoever runs discussions, and why.
    """
    if not reason:
        return ""
    present_tense, _ = _CONSEQUENCES.get(path, _OTHER)
    return f"{short_name(name)} {present_tense}: {_within_a_sentence(reason)}."


def slower_path_then(name: str, path: str, reason: str) -> str:
    """What ``slower_path`` says, of a run that is over and as a heading: without a full stop."""
    if not reason:
        return ""
    _, past_tense = _CONSEQUENCES.get(path, _OTHER)
    return f"{short_name(name)} {past_tense} ({_within_a_sentence(reason)})"


def _within_a_sentence(reason: str) -> str:
    return one_line(reason.strip(), MOST_REASON).rstrip(".")
