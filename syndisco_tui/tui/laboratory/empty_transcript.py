"""What an empty transcript shows: what can be done from here, and how loading a model goes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from textual.content import Content

from ...discussion import DiscussionRecord, DiscussionSetup
from ...discussion.setup import join_names
from ...engine.base import LoadProgress
from ...text import one_line
from ..shell.keymap import Keymap
from ..widgets.charts import bar
from .status_line import loaded_megabytes

BAR_WIDTH = 32


@dataclass(frozen=True)
class Loading:
    """A model that is being loaded. ``is_needed``: a discussion waits for it."""

    progress: LoadProgress | None
    seconds: int
    is_needed: bool


@dataclass(frozen=True)
class EmptyTranscript:
    """What the hint depends on. ``resumable`` is a discussion that can be continued."""

    setup: DiscussionSetup
    resumable: DiscussionRecord | None = field(compare=False)
    resumable_id: str
    loading: Loading | None
    keymap: Keymap

    def lines(self) -> list[Content]:
        """The hint's lines."""
        if self.loading is None:
            return self._welcome()
        if self.loading.is_needed:
            return self._loading(self.loading)
        return [*self._welcome(), Content(""), *self._loading(self.loading)]

    def _welcome(self) -> list[Content]:
        lines = [Content.styled("Nobody has said anything yet.", "$quiet"), Content("")]
        if self.setup.personas:
            who = join_names([one_line(name, 20) for name in self.setup.names])
            lines.append(self._key_line("everywhere.run", f"run the discussion of {who}"))
        else:
            text = "choose who takes part, in the personas"
            lines.append(self._key_line("personas.take_part", text))
        if self.resumable:
            text = f"resume {_position_and_title(self.resumable)}"
            lines.append(self._key_line("everywhere.resume", text))
        lines.append(self._key_line("app.help", "see all keys"))
        return lines

    def _key_line(self, action: str, text: str) -> Content:
        key = self.keymap.key_of(action)
        return Content.assemble(Content.styled(f"{key:<6}", "bold $accent"), text)

    def _loading(self, loading: Loading) -> list[Content]:
        model, progress = self.setup.model, loading.progress
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
            Content.styled(f"{share}{stage}{megabytes}   {loading.seconds} s", "$quiet"),
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
