"""What a model is asked for: one reply at one turn, and how the answer becomes a message."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field

from .guard import GuardResult
from .prompt import ChatMessage
from .record import Message, Reply, Shortened


class NotTheNextTurn(ValueError):
    """A reply was posted to a request that the discussion no longer waits for."""


@dataclass(frozen=True)
class TurnRequest:
    """Who is to speak, and everything a model needs for it."""

    turn: int
    attempt: int
    name: str
    role: str
    chat: tuple[ChatMessage, ...]
    stop: tuple[str, ...]
    seed: int
    entries: tuple[Message, ...] = field(repr=False)
    """What had been said; a reply fits only as long as that is so."""
    first_in_window: int
    """Index in ``entries`` of the oldest message that the prompt quotes."""
    speaker_overridden: bool = False
    """Whether the turn manager would have drawn another speaker."""
    shortened: Shortened | None = None
    """With less than the setup says, because memory was full."""

    @property
    def position(self) -> int:
        """How many entries the discussion had."""
        return len(self.entries)

    @property
    def system_prompt(self) -> str:
        return self.chat[0].content

    def answered(self, reply: Reply, guarded: GuardResult, *, created_at: str = "") -> Message:
        """The message that ``reply`` makes; ``guarded`` is what the guard has left of it."""
        return Message(
            name=self.name,
            text=guarded.text,
            role="moderator" if self.role == "moderator" else "user",
            turn=self.turn,
            model=reply.model,
            prompt=sys.intern(self.system_prompt),  # one for all that this actor says
            raw_text=reply.text if reply.text != guarded.text else None,
            finish_reason=reply.finish_reason,
            prompt_tokens=reply.prompt_tokens,
            completion_tokens=reply.completion_tokens,
            seconds=reply.seconds,
            seed=self.seed,
            attempt=self.attempt,
            created_at=created_at,
            speaker_overridden=self.speaker_overridden,
            shortened=self.shortened,
            marks=guarded.marks,
            reasoning=reply.reasoning,
            reasoning_tokens=reply.reasoning_tokens,
            notes=reply.notes,
        )
