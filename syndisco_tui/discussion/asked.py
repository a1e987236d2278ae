"""What the model was asked for a message that is on record: the request, made again.

The record is enough: the state that a message was asked in is the entries before it and the
setup of its turn.
"""

from __future__ import annotations

from dataclasses import dataclass

from .discussion import Discussion, TurnRequest
from .record import DiscussionRecord, Message
from .setup import DiscussionSetup


class NotOnRecord(ValueError):
    """What the message was asked with cannot be told from the record; says why."""


@dataclass(frozen=True)
class Asked:
    """A message, the request that asked for it, and the setup in force at that moment."""

    message: Message
    request: TurnRequest
    setup: DiscussionSetup

    @property
    def window(self) -> tuple[int, ...]:
        """Indices of the entries that the prompt quotes, oldest first."""
        entries = self.request.entries
        first = self.request.first_in_window
        return tuple(i for i in range(first, len(entries)) if not entries[i].is_silence)


def asked_for(record: DiscussionRecord, index: int) -> Asked:
    """The request that asked for ``record.entries[index]``.

    Raises NotOnRecord where no model was asked, or none of the record's setups asks so.
    """
    message = record.entries[index]
    if message.role == "seed":
        raise NotOnRecord("A seed opinion: it was given with the setup, no model was asked.")
    if not message.is_prompted:
        raise NotOnRecord("A human's words: no model was asked.")
    for setup in _setups_of(record, message):
        if not setup.turn_takers:
            continue
        request = Discussion(setup, record.entries[:index]).next_request(message.attempt)
        if request and request.name == message.name and request.system_prompt == message.prompt:
            return Asked(message, request, setup)
    raise NotOnRecord(
        f"Turn {message.turn} of {message.name} cannot be asked again: "
        "the file does not say with which setup it was."
    )


def _setups_of(record: DiscussionRecord, message: Message) -> list[DiscussionSetup]:
    """The setup in force at the message's turn first, then the later ones.

    A change between a comment and the moderator's answer belongs to the answer already.
    """
    later = [kept.setup for kept in record.earlier_setups if kept.last_turn >= message.turn]
    return [*later, record.setup]
