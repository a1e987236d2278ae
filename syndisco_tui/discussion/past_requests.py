"""What the model was asked for a message that is on record: the request, made again.

The record is enough: the state that a message was asked in is the entries before it, as they
stood then, and the setup of its turn.
"""

from __future__ import annotations

from dataclasses import dataclass

from .changes import entries_as_prompted
from .discussion import Discussion
from .record import DiscussionRecord, Message, SpeakerOverride
from .request import TurnRequest
from .setup import DiscussionSetup


class NotReproducible(ValueError):
    """What the message was asked with cannot be told from the record; says why."""


@dataclass(frozen=True)
class RebuiltRequest:
    """A message, the request that asked for it, and the setup in force at that moment.

    Where memory was full, the setup has the limits that it was asked with in the end.
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
    """The request that asked for ``record.entries[index]``.

    Raises NotOnRecord where no model was asked, or none of the record's setups asks so.
    """
    message = record.entries[index]
    if message.role == "seed":
        raise NotReproducible("A seed opinion: it was given with the setup, no model was asked.")
    if not message.is_prompted:
        raise NotReproducible("A human's words: no model was asked.")
    history = entries_as_prompted(record.entries, record.changes, index)
    speaker_override = (
        SpeakerOverride(message.turn, message.name) if message.speaker_overridden else None
    )
    for setup in setups_in_force(record, index):
        if not setup.turn_takers:
            continue
        discussion, less = (
            Discussion(setup, history, speaker_override=speaker_override),
            message.shortened,
        )
        request = discussion.next_request(message.attempt, less)
        if request and request.name == message.name and request.system_prompt == message.prompt:
            return RebuiltRequest(message, request, less.of(setup) if less else setup)
    raise NotReproducible(
        f"Turn {message.turn} of {message.name} cannot be asked again: "
        "the file does not say with which setup it was."
    )


def setups_in_force(record: DiscussionRecord, index: int) -> list[DiscussionSetup]:
    """The setup in force for ``record.entries[index]`` first, then the later ones.

    Where an older file does not say how far a setup applied, one of the later ones may be it.
    """
    turn = record.entries[index].turn
    return [
        *(
            earlier.setup
            for earlier in record.earlier_setups
            if (earlier.length > index if earlier.length else earlier.last_turn >= turn)
        ),
        record.setup,
    ]
