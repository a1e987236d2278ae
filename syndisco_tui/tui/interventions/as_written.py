"""What a person can make of a reply in which the guard found somebody else's words."""

from __future__ import annotations

from ...discussion import Message
from ...session import Edit, Regenerate, Silence
from ...session.intervention import Intervention


def as_written(
    message: Message, index: int, *, is_last: bool
) -> dict[str, tuple[str, Intervention]]:
    """What can be done to ``message``, the entry ``index``, by its key: label and change."""
    choices: dict[str, tuple[str, Intervention]] = {}
    raw = message.model_text.strip()
    if raw != message.text:
        choices["w"] = "post it as the model wrote it", Edit(index, raw)
    guarded = message.original_text
    if guarded and guarded not in (message.text, raw):
        choices["g"] = "post it as the guard left it", Edit(index, guarded)
    if message.text:
        choices["s"] = "take it as a silence", Silence(index)
    if is_last:
        choices["r"] = "regenerate it", Regenerate()
    return choices
