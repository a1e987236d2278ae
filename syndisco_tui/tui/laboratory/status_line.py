"""One line that says what is going on: state, turn, speaker, speed, model."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from textual.content import Content
from textual.widget import Widget

from ...engine.base import EngineInfo, LoadProgress
from ...session import (
    DiscussionClosed,
    ModelReady,
    Phase,
    Posted,
    PreloadFailed,
    ReplyDropped,
    ReplyGrew,
    ReplyStarted,
    SessionEvent,
    SetupApplied,
    StateChanged,
)
from ...text import duration, one_line
from ..shell.keymap import key_of
from ..widgets.charts import sparkline

MOST_SPEEDS = 200
SPARKLINE = 8
"""Cells of the speed's sparkline."""

_WORDS: dict[Phase, str] = {
    "idle": "ready",
    "loading": "loading",
    "running": "speaking",
    "paused": "paused",
    "finished": "finished",
}


@dataclass
class Figures:
    """What the line shows. Speeds in tokens a second."""

    state: Phase = "idle"
    preloading: bool = False
    """A model is being loaded that is not needed yet."""
    preload_failed: bool = False
    pausing: bool = False
    is_step: bool = False
    """One message alone was asked for."""
    dropped: str = ""
    """Whose unfinished reply was dropped when the discussion was stopped."""
    turn: int = 0
    turns: int = 0
    speaker: str = ""
    speed: float = 0.0
    speeds: list[float] = field(default_factory=list)
    """Of the last replies, oldest first."""
    prompt_tokens: int = 0
    reply_tokens: int = 0
    loading: LoadProgress | None = None
    info: EngineInfo | None = None
    loading_since: float = 0.0
    """When loading began, as ``time.monotonic`` tells it."""
    running_since: tuple[float, int] | None = None
    """When the run began, and how many turns had been taken then."""

    @property
    def seconds_left(self) -> float:
        """Until the last turn, at the pace of this run; 0 while that is not known."""
        if self.running_since is None or self.state != "running" or self.pausing:
            return 0.0
        since, first = self.running_since
        taken = self.turn - 1 - first  # the turn in the making is not over
        if taken < 2:
            return 0.0
        return (time.monotonic() - since) / taken * (self.turns - self.turn + 1)

    @property
    def is_loading(self) -> bool:
        """Whether a model is being loaded, needed or not."""
        return self.state == "loading" or self.preloading

    @property
    def context_share(self) -> float:
        """How much of the model's context the last prompt and its reply fill, 0 to 1."""
        length = self.info.context_length if self.info else 0
        return min(1.0, (self.prompt_tokens + self.reply_tokens) / length) if length else 0.0


class StatusLine(Widget):
    """Draws the figures, the most important first, as many as there is room for."""

    DEFAULT_CSS = "StatusLine { height: 1; padding: 0 2; }"

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.figures = Figures()

    def handle(self, event: SessionEvent) -> None:
        """Note what an event says, and draw it."""
        figures = self.figures
        match event:
            case StateChanged():
                self._note_times(event)
                figures.state, figures.pausing = event.state, event.pausing
                figures.is_step = event.is_step
                figures.preloading = event.preloading
                if event.state not in ("paused", "idle"):
                    figures.dropped = ""
                if event.preloading or event.state != "idle":
                    figures.preload_failed = False
                if event.turns:
                    figures.turn, figures.turns = event.turn, event.turns
                if not figures.is_loading:
                    figures.loading = None
            case LoadProgress():
                figures.loading = event
            case ModelReady():
                figures.info = event.info
            case PreloadFailed():
                figures.preload_failed = True
            case DiscussionClosed():
                figures.turn = figures.turns = 0
                self._count(0.0, 0, 0)
            case ReplyStarted():
                figures.speaker = event.name
                self._count(0.0, 0, 0)
            case ReplyGrew():
                self._count(event.tokens_per_second, event.prompt_tokens, event.tokens)
            case Posted():
                message = event.message
                if event.tokens_per_second > 0:
                    figures.speeds = [*figures.speeds[1 - MOST_SPEEDS :], event.tokens_per_second]
                self._count(
                    event.tokens_per_second, message.prompt_tokens, message.completion_tokens
                )
            case ReplyDropped():
                figures.dropped = event.name
                self._count(0.0, 0, 0)
            case SetupApplied():
                figures.turns = event.setup.conv_len
        self.refresh()

    def _note_times(self, event: StateChanged) -> None:
        figures = self.figures
        is_loading = event.preloading or event.state == "loading"
        if is_loading and not figures.is_loading:
            figures.loading_since = time.monotonic()
        if event.state != "running":
            figures.running_since = None
        elif figures.running_since is None and event.turn:
            figures.running_since = (time.monotonic(), event.turn - 1)

    def _count(self, speed: float, prompt_tokens: int, reply_tokens: int) -> None:
        figures = self.figures
        figures.speed = speed
        figures.prompt_tokens, figures.reply_tokens = prompt_tokens, reply_tokens

    def render(self) -> Content:
        figures = self.figures
        left = self._left(figures)
        right = self._right(figures)
        width = self.content_size.width
        while right and left.cell_length + sum(len(part) + 3 for part in right) > width:
            right.pop(0 if len(right) > 2 else -1)
        tail = Content.styled("   ".join(right), "$quiet") if right else Content("")
        gap = max(1, width - left.cell_length - tail.cell_length)
        return Content.assemble(left, " " * gap, tail).truncate(max(1, width), ellipsis=True)

    def _left(self, figures: Figures) -> Content:
        if figures.is_loading:
            return self._loading(figures.loading)
        word = _WORDS[figures.state]
        if figures.pausing:
            word = "running one turn" if figures.is_step else "pausing"
        elif figures.dropped and figures.state == "paused":
            word = "stopped"
        active = figures.state == "running"
        parts: list[Content] = [
            Content.styled("● " if active else "○ ", "$accent" if active else "$quiet"),
            Content.styled(word, "bold" if active else ""),
        ]
        if figures.turns:
            parts += [Content("   "), bar(figures.turn, figures.turns, 12)]
            parts.append(Content(f" {figures.turn}/{figures.turns}"))
        if figures.preload_failed:
            parts.append(Content.styled("   the last model could not be loaded", "$quiet"))
        if active and figures.speaker:
            parts.append(Content(f"   {one_line(figures.speaker, 20)}"))
        if word == "stopped":
            name, key = one_line(figures.dropped, 20), key_of(self.app, "everywhere.run")
            note = f"   {name}’s unfinished reply was dropped; {key} continues"
            parts.append(Content.styled(note, "$quiet"))
        elif left := figures.seconds_left:
            parts.append(Content.styled(f"   {duration(left)} left", "$quiet"))
        return Content.assemble(*parts)

    def _loading(self, progress: LoadProgress | None) -> Content:
        if progress is None:
            return Content.assemble(Content.styled("● ", "$accent"), "loading the model")
        parts: list[Content] = [
            Content.styled("● ", "$accent"),
            Content.styled(one_line(progress.stage, 40), "bold"),
        ]
        if progress.total:
            parts += [Content("   "), bar(progress.done, progress.total, 16)]
            parts.append(Content(f" {100 * progress.done / progress.total:.0f}%"))
        if progress.unit == "bytes":
            amount = f"{progress.done / 1e6:.0f}"
            amount += f" of {progress.total / 1e6:.0f} MB" if progress.total else " MB"
            parts.append(Content.styled(f"   {amount}", "$quiet"))
        return Content.assemble(*parts)

    def _right(self, figures: Figures) -> list[str]:
        """From the least important to the most."""
        parts = []
        if figures.context_share:
            parts.append(f"{figures.context_share:.0%} of the context")
        if figures.prompt_tokens:
            parts.append(f"{figures.prompt_tokens} prompt")
        if figures.reply_tokens:
            parts.append(f"{figures.reply_tokens} reply tokens")
        info = figures.info
        if info:
            numbers = info.dtype if info.quantization == "none" else info.quantization
            memory = in_bytes(info.memory_bytes) if info.memory_bytes else ""
            about = (info.device, numbers, memory, info.path)
            parts.append(one_line(" · ".join(filter(None, about)), 60))
            parts.append(one_line((info.name or info.model).rsplit("/", 1)[-1], 30))
        if figures.speed:
            course = sparkline(figures.speeds, SPARKLINE)
            parts.append(f"{course} {figures.speed:.0f} tok/s".lstrip())
        return parts


def bar(done: float, total: float, width: int) -> Content:
    """A progress bar of ``width`` cells."""
    filled = round(width * min(1.0, max(0.0, done / total))) if total else 0
    return Content.assemble(
        Content.styled("━" * filled, "$accent"),
        Content.styled("╌" * (width - filled), "$quiet"),
    )


def in_bytes(count: int) -> str:
    """An amount of memory, as people say it."""
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"
