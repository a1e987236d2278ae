"""The requests of past messages, rebuilt from a discussion's record.

The record suffices: a message was requested in the state that its predecessors and the setup of
its turn define.
"""

from __future__ import annotations

from dataclasses import dataclass

from .discussion import Discussion
from .history import entries_as_prompted
from .record import DiscussionRecord, Message, SpeakerOverride
from .request import TurnRequest
from .setup import DiscussionSetup


class NotReproducible(ValueError):
    """A message's request cannot be rebuilt from the record; the message says why."""


@dataclass(frozen=True)
class RebuiltRequest:
    """A message, its request, and the setup in force then.

    If memory was full, the setup has the limits of the final attempt.
    """

    message: Message
    request: TurnRequest
    setup: DiscussionSetup

    @property
    def window(self) -> tuple[int, ...]:
        """Indices of the entries that the prompt quotes, oldest first."""
        entries = self.request.entries
        first = self.request.first_in_window
        return tuple(i for i in range(first, len(entries)) if not entries[i].is_silence)


def rebuild_request(record: DiscussionRecord, index: int) -> RebuiltRequest:
    """The request for ``record.entries[index]``.

    Raises:
        NotReproducible: no model generated that entry, or no setup on record explains its prompt.
    """
    message = record.entries[index]
    if message.role == "seed":
        raise NotReproducible("A seed opinion: it was given with the setup, no model was asked.")
    if not message.is_prompted:
        raise NotReproducible("A human's words: no model was asked.")
    entries = entries_as_prompted(record.entries, record.changes, index)
    override = SpeakerOverride(message.turn, message.name) if message.speaker_overridden else None
    limits = message.shortened
    for setup in setups_in_force(record, index):
        if not setup.turn_takers:
            continue
        discussion = Discussion(setup, entries, speaker_override=override)
        request = discussion.next_request(message.attempt, limits)
        if request and request.name == message.name and request.system_prompt == message.prompt:
            return RebuiltRequest(message, request, limits.of(setup) if limits else setup)
    raise NotReproducible(
        f"Turn {message.turn} of {message.name} cannot be asked again: "
        "the file does not say with which setup it was."
    )


def setups_in_force(record: DiscussionRecord, index: int) -> list[DiscussionSetup]:
    """The setup in force for ``record.entries[index]``, then the later ones."""
    return [
        *(earlier.setup for earlier in record.earlier_setups if earlier.length > index),
        record.setup,
    ]
