"""Who takes part in these tests."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from syndisco_tui.discussion import (
    Discussion,
    DiscussionRecord,
    DiscussionSetup,
    Message,
    Persona,
    Reply,
    TurnRequest,
)

MODERATOR = Persona(username="Moderator")


def people(*names: str) -> tuple[Persona, ...]:
    return tuple(Persona(username=name) for name in names)


def setup(*names: str, moderated: bool = False, **fields: Any) -> DiscussionSetup:
    """A setup of ``names`` (Ann and Bob, if none are given)."""
    return DiscussionSetup(
        personas=people(*(names or ("Ann", "Bob"))),
        moderator=MODERATOR if moderated else None,
        **{"prompt_style": "syndisco-2.0", **fields},
    )


def asked(discussion: Discussion) -> TurnRequest:
    """The request the discussion has; it must have one."""
    request = discussion.next_request()
    assert request is not None
    return request


def say(discussion: Discussion, *texts: str) -> Message:
    """Post ``texts`` in whosever names they are asked for; the last message."""
    for text in texts:
        message = discussion.post(asked(discussion), Reply(text))
    return message


def names(entries: Iterable[Message]) -> list[str]:
    return [entry.name for entry in entries]


def texts(entries: Iterable[Message]) -> list[str]:
    return [entry.text for entry in entries]


def record_of(discussion: Discussion) -> DiscussionRecord:
    """The discussion as its file would have it."""
    return discussion.to_record(
        DiscussionRecord("id", "2026-01-31T09:30:00+00:00", discussion.setup)
    )
