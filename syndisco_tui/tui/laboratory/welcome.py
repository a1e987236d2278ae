"""What an empty transcript says: what can be done from here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from textual.content import Content

from ...discussion import DiscussionRecord, DiscussionSetup
from ...discussion.setup import join_names
from ...text import one_line


def welcome(
    setup: DiscussionSetup, resumable: DiscussionRecord | None, key: Callable[[str], str]
) -> list[Content]:
    """Lines for ``setup``, and for a discussion that waits to be resumed.

    ``key`` gives an action's key by its id.
    """
    lines = [Content.styled("Nobody has said anything yet.", "$quiet"), Content("")]
    if setup.personas:
        who = join_names([one_line(name, 20) for name in setup.names])
        lines.append(_key_line(key("everywhere.run"), f"run the discussion of {who}"))
    else:
        lines.append(_key_line(key("personas.take_part"), "choose who takes part, in the personas"))
    if resumable:
        lines.append(_key_line(key("everywhere.resume"), f"resume {_told(resumable)}"))
    lines.append(_key_line(key("app.help"), "see all keys"))
    return lines


def _told(record: DiscussionRecord) -> str:
    status = "interrupted" if record.status == "running" else record.status
    turn = f"turn {min(record.turns_taken + 1, record.setup.conv_len)} of {record.setup.conv_len}"
    title = one_line(record.heading, 40)
    return f"at {turn} ({status}{_ago(record.started_at)}): {title}"


def _ago(started_at: str) -> str:
    try:
        started = datetime.fromisoformat(started_at)
        minutes = (datetime.now(UTC) - started).total_seconds() / 60
    except (ValueError, TypeError):
        return ""
    if minutes < 60:
        return f" {max(1, round(minutes))} min ago"
    return (
        f", {minutes / 60:.0f} h ago" if minutes < 48 * 60 else f", {minutes / 1440:.0f} days ago"
    )


def _key_line(key: str, text: str) -> Content:
    return Content.assemble(Content.styled(f"{key:<6}", "bold $accent"), text)
