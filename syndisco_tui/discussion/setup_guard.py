"""Makes the guard for a setup."""

from __future__ import annotations

from collections.abc import Sequence

from .guard import Guard
from .languages import languages_of
from .record import Message
from .setup import DiscussionSetup


def guard_for(
    setup: DiscussionSetup, speaker: str, others: Sequence[str], entries: Sequence[Message]
) -> Guard:
    """The guard for a reply of ``speaker`` after ``entries``.

    The discussion's languages are those of the setup and of what people have written.
    """
    by_people = (each.text for each in entries if each.role in ("seed", "human"))
    return Guard(
        speaker,
        others,
        is_on=setup.guard == "on",
        silence_words=setup.silence_words,
        languages=languages_of((*setup.texts, *by_people), " ".join(setup.all_instructions)),
    )
