"""What a discussion's file may hold, field by field; what a field should not be is refused.

A file of ours has all of it. SynDisco's own have less, and no ``syndisco_tui``.
"""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from ..discussion import (
    HARDCODED,
    Change,
    DiscussionSetup,
    EarlierSetup,
    Message,
    Role,
    Shortened,
    Status,
)
from ..discussion.changes import REMOVING_KINDS
from ..discussion.record import ChangeKind


class Shape(BaseModel):
    model_config = ConfigDict(extra="ignore", defer_build=True)  # not before a file is read


class ShortenedShape(Shape):
    history_context_len: Annotated[int, Field(ge=0)]
    max_out_tokens: Annotated[int, Field(ge=1)]


class LogShape(Shape):
    name: str
    text: str
    model: str = HARDCODED
    prompt: str = ""
    turn: int = 0
    role: Role | None = None
    raw_text: str | None = None
    finish_reason: Literal["stop", "length", "cancelled"] | None = None
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    seed: int | None = None
    created_at: str = ""
    attempt: Annotated[int, Field(ge=0)] = 0
    original_text: str | None = None
    speaker_overridden: bool = Field(default=False, alias="floor_given")
    shortened: ShortenedShape | None = None
    speaks_as: str = ""
    went_on_as: str = ""

    def message(self, role: Role = "user") -> Message:
        values = {field: getattr(self, field) for field in LogShape.model_fields}
        shortened = Shortened(**dict(self.shortened)) if self.shortened else None
        values |= {"role": self.role or role, "shortened": shortened}
        for field in ("name", "model", "prompt"):  # the same again and again
            values[field] = sys.intern(values[field])
        return Message(**values)


class SilenceShape(LogShape):
    position: int = 0


class ParentShape(Shape):
    id: str
    turn: int


class EarlierShape(Shape):
    last_turn: int
    length: int = 0
    setup: DiscussionSetup

    def earlier(self) -> EarlierSetup:
        return EarlierSetup(self.last_turn, self.setup, self.length)


class ChangeShape(Shape):
    kind: ChangeKind
    position: Annotated[int, Field(ge=0)]
    length: Annotated[int, Field(ge=0)]
    at: str = ""
    before: list[LogShape] = Field(default_factory=list)
    is_undone: bool = False
    earlier_setups: list[EarlierShape] | None = None
    setup: DiscussionSetup | None = None

    def change(self, earlier: tuple[EarlierSetup, ...]) -> Change:
        """The change; ``earlier`` are the record's own setups."""
        if self.earlier_setups is not None:
            earlier = tuple(each.earlier() for each in self.earlier_setups)
        return Change(
            kind=self.kind,
            position=self.position,
            length=self.length,
            before=tuple(log.message() for log in self.before),
            at=self.at,
            is_undone=self.is_undone,
            earlier_setups=earlier if self.kind in REMOVING_KINDS else (),
            setup=self.setup,
        )


class SpeakerOverrideShape(Shape):
    turn: int
    name: str


class BatchShape(Shape):
    id: str
    number: Annotated[int, Field(ge=1)]
    count: Annotated[int, Field(ge=1)]


class OwnShape(Shape):
    format: int
    version: str = ""
    status: Status
    title: str = ""
    started_at: str
    setup: DiscussionSetup
    silences: list[SilenceShape] = Field(default_factory=list)
    parent: ParentShape | None = None
    engine: dict[str, Any] = Field(default_factory=dict)
    earlier_setups: list[EarlierShape] = Field(default_factory=list)
    changes: list[ChangeShape] = Field(default_factory=list)
    speaker_override: SpeakerOverrideShape | None = Field(default=None, alias="floor")
    batch: BatchShape | None = None

    @field_validator("started_at")
    @classmethod
    def _a_time(cls, started_at: str) -> str:
        try:
            datetime.fromisoformat(started_at)
        except ValueError:
            raise ValueError("must be a time such as 2026-01-31T09:30:00+00:00") from None
        return started_at


class FileShape(Shape):
    id: str = ""
    timestamp: str = ""
    users: list[str] | None = None
    moderator: str | None = None
    user_prompts: list[str | dict[str, Any]] = Field(default_factory=list)
    moderator_prompt: str | dict[str, Any] | None = None
    ctx_length: Annotated[int, Field(ge=0)] | None = None
    logs: list[LogShape]
    syndisco_tui: OwnShape | None = None
