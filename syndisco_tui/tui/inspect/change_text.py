"""Changes during a discussion in words, with the labels that setup and personas use."""

from __future__ import annotations

from ...analysis.compare import ABSENT
from ...analysis.recorded_changes import RecordedChange
from ...text import one_line, safe
from ..personas.fields import LABELS
from ..setup.fields import FIELDS

PART, BEFORE = 120, 20
"""Characters of a changed text that are shown, and of what stands before the change."""
_SETUP_LABELS = {each.key: each.label for each in FIELDS}
_ROLES = ("user", "moderator")


def field_label(field: str) -> str:
    """A difference's field as the setup and the personas call it."""
    owner, colon, own = field.rpartition(": ")
    if colon:
        return f"{owner}: {LABELS.get(own, own).lower()}"
    return _SETUP_LABELS.get(field, field)


def describe_change(change: RecordedChange) -> str:
    """A change as a line of text: its first turn, its kind, and both values."""
    old, new = differing_parts(safe(change.old), safe(change.new))
    name = one_line(change.subject, 40)
    turn = f"turn {change.turn}" if change.turn else "before turn 1"
    match change.kind:
        case "setup":
            return f"from {turn}: {_setup_change(change, old, new)}"
        case "injected":
            return f"{turn}: you posted as {name}: “{new}”"
        case "edited":
            return f"{turn}: {name} edited: “{old}” → “{new}”"
        case "regenerated":
            return f"{turn}: {name} regenerated: “{old}” → “{new}”"
        case "chosen":
            return f"{turn}: another reply of {name} chosen: “{old}” → “{new}”"
        case "deleted" if change.count == 1:
            return f"{turn}: a message of {name} deleted: “{old}”"
        case "deleted":
            return f"{turn}: {change.count} messages deleted, from {name}: “{old}”"
        case "next speaker":
            return f"{turn}: {name} chosen to speak"


def _setup_change(change: RecordedChange, old: str, new: str) -> str:
    name = one_line(change.subject, 60)
    if change.old == ABSENT and change.new in _ROLES:
        return f"{name} joins as {new}"
    if change.new == ABSENT and change.old in _ROLES:
        return f"{name} leaves"
    return f"{one_line(field_label(change.subject), 60)}: {old} → {new}"


def differing_parts(old: str, new: str, limit: int = PART) -> tuple[str, str]:
    """Both texts on one line each, cut to where they differ."""
    old, new = " ".join(old.split()), " ".join(new.split())
    if max(len(old), len(new)) <= limit:
        return old, new
    pairs = enumerate(zip(old, new, strict=False))
    same = next((index for index, (one, other) in pairs if one != other), min(len(old), len(new)))
    start = old.rfind(" ", 0, max(0, same - BEFORE)) + 1 if same > BEFORE else 0
    lead = "…" if start else ""
    return lead + one_line(old[start:], limit), lead + one_line(new[start:], limit)
