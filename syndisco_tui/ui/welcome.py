"""What an empty transcript says: what can be done from here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from textual.content import Content

from ..discussion import DiscussionRecord, DiscussionSetup
from ..text import one_line


def welcome(
    setup: DiscussionSetup, resumable: DiscussionRecord | None, key: Callable[[str], str]
) -> list[Content]:
    """Lines for ``setup``, and for a discussion that waits to be resumed.

    ``key`` gives an action's key by its id.
    """
    lines = [Content.styled("Nobody has said anything yet.", "$quiet"), Content("")]
    if setup.personas:
        lines.append(
            _key_line(key("everywhere.run"), f"run the discussion of {_list_of(setup.names)}")
        )
    else:
        lines.append(_key_line(key("personas.take_part"), "choose who takes part, in the personas"))
    if resumable:
        lines.append(_key_line(key("everywhere.resume"), f"resume {_told(resumable)}"))
    lines.append(_key_line(key("app.help"), "see all keys"))
    return lines


def _list_of(names: tuple[str, ...]) -> str:
    shown = [one_line(name, 20) for name in names[:4]]
    if len(names) > 4:
        return f"{', '.join(shown[:3])} and {len(names) - 3} more"
    return f"{', '.join(shown[:-1])} and {shown[-1]}" if len(shown) > 1 else shown[0]


def _told(record: DiscussionRecord) -> str:
    status = "interrupted" if record.status == "running" else record.status
    turn = f"turn {min(record.turns_taken + 1, record.setup.conv_len)} of {record.setup.conv_len}"
    title = one_line(record.title or _list_of(record.setup.names), 40)
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
