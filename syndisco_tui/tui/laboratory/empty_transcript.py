"""What an empty transcript shows: what can be done from here, and how loading a model goes."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from textual.content import Content

from ...discussion import DiscussionRecord, DiscussionSetup
from ...discussion.setup import join_names
from ...engine.base import LoadProgress
from ...text import one_line
from ..shell.keymap import Keymap
from ..widgets.charts import bar
from .session_view import SessionView
from .status_line import loaded_megabytes

BAR_WIDTH = 32


def empty_transcript(
    setup: DiscussionSetup,
    view: SessionView,
    resumable: DiscussionRecord | None,
    keymap: Keymap,
) -> list[Content]:
    """The hint's lines; ``resumable`` is a discussion that can be continued."""
    if not view.is_loading:
        return _welcome(setup, resumable, keymap)
    loading = _loading(setup.model, view.loading, time.monotonic() - view.loading_since)
    if view.phase == "loading":
        return loading
    return [*_welcome(setup, resumable, keymap), Content(""), *loading]


def _welcome(
    setup: DiscussionSetup, resumable: DiscussionRecord | None, keymap: Keymap
) -> list[Content]:
    lines = [Content.styled("Nobody has said anything yet.", "$quiet"), Content("")]
    actions = {"personas.take_part": "choose who takes part, in the personas"}
    if setup.personas:
        who = join_names([one_line(name, 20) for name in setup.names])
        actions = {"everywhere.run": f"run the discussion of {who}"}
    if resumable:
        actions["everywhere.resume"] = f"resume {_position_and_title(resumable)}"
    actions["app.help"] = "see all keys"
    for action, text in actions.items():
        key = Content.styled(f"{keymap.key_of(action):<6}", "bold $accent")
        lines.append(Content.assemble(key, text))
    return lines


def _loading(model: str, progress: LoadProgress | None, seconds: float) -> list[Content]:
    name = "the model" if model == "auto" else one_line(model, 60)
    stage, share, megabytes = "starting", "", ""
    progress_bar = Content.styled("╌" * BAR_WIDTH, "$quiet")
    if progress:
        stage, megabytes = one_line(progress.stage, 40), loaded_megabytes(progress)
        if progress.total:
            share = f"{100 * progress.done / progress.total:.0f} %   "
            progress_bar = bar(progress.done, progress.total, BAR_WIDTH)
    return [
        Content.styled(f"Loading {name}", "bold"),
        Content(""),
        progress_bar,
        Content.styled(f"{share}{stage}{megabytes}   {int(seconds)} s", "$quiet"),
    ]


def _position_and_title(record: DiscussionRecord) -> str:
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
