"""One line that says what is going on: state, turn, speaker, speed, model."""

from __future__ import annotations

from textual.content import Content
from textual.widget import Widget

from ...engine.base import LoadProgress
from ...session import Phase
from ...text import counted, duration, one_line
from ..shell.keymap import key_of
from ..widgets.charts import bar, in_bytes, sparkline
from .session_view import SessionView

SPARKLINE = 8
"""Cells of the speed's sparkline."""

_WORDS: dict[Phase, str] = {
    "idle": "ready",
    "loading": "loading",
    "running": "speaking",
    "paused": "paused",
    "finished": "finished",
}


class StatusLine(Widget):
    """Draws ``view``, the most important first, as much as there is room for."""

    DEFAULT_CSS = "StatusLine { height: 1; padding: 0 2; }"

    def __init__(self, view: SessionView) -> None:
        super().__init__()
        self._view = view

    def render(self) -> Content:
        left, right = self._left(), self._right()
        width = self.content_size.width
        while right and left.cell_length + sum(len(part) + 3 for part in right) > width:
            right.pop(0 if len(right) > 2 else -1)
        tail = Content.styled("   ".join(right), "$quiet") if right else Content("")
        gap = max(1, width - left.cell_length - tail.cell_length)
        return Content.assemble(left, " " * gap, tail).truncate(max(1, width), ellipsis=True)

    def _left(self) -> Content:
        view = self._view
        if view.is_loading:
            return self._loading(view.loading)
        is_running = view.phase == "running"
        is_stopped = bool(view.dropped_name) and view.phase == "paused" and not view.is_pausing
        word = "stopped" if is_stopped else _WORDS[view.phase]
        if is_running and view.thinking_tokens:
            word = "thinking"
        if view.is_pausing:
            word = "running one turn" if view.is_step else "pausing"
        parts = [
            Content.styled("● " if is_running else "○ ", "$accent" if is_running else "$quiet"),
            Content.styled(word, "bold" if is_running else ""),
        ]
        if view.turns:
            parts += [Content("   "), bar(view.turn, view.turns, 12)]
            parts.append(Content(f" {view.turn}/{view.turns}"))
        if view.preload_failed:
            parts.append(Content.styled("   the last model could not be loaded", "$quiet"))
        if is_running and view.speaking:
            parts.append(Content(f"   {one_line(view.speaking.name, 20)}"))
        if is_running and view.thinking_tokens:
            parts.append(Content.styled(f", {counted(view.thinking_tokens, 'token')}", "$quiet"))
        if is_stopped:
            name, key = one_line(view.dropped_name, 20), key_of(self.app, "everywhere.run")
            note = f"   {name}’s unfinished reply was dropped; {key} continues"
            parts.append(Content.styled(note, "$quiet"))
        elif view.phase == "finished" and view.end:
            parts.append(Content.styled(f"   {one_line(view.end, 80)}", "$quiet"))
        elif seconds := view.seconds_left:
            parts.append(Content.styled(f"   {duration(seconds)} left", "$quiet"))
        return Content.assemble(*parts)

    def _loading(self, progress: LoadProgress | None) -> Content:
        if progress is None:
            return Content.assemble(Content.styled("● ", "$accent"), "loading the model")
        parts = [
            Content.styled("● ", "$accent"),
            Content.styled(one_line(progress.stage, 40), "bold"),
        ]
        if progress.total:
            parts += [Content("   "), bar(progress.done, progress.total, 16)]
            parts.append(Content(f" {100 * progress.done / progress.total:.0f}%"))
        parts.append(Content.styled(loaded_megabytes(progress), "$quiet"))
        return Content.assemble(*parts)

    def _right(self) -> list[str]:
        """From the least important to the most."""
        view = self._view
        parts = []
        if view.context_share:
            parts.append(f"{view.context_share:.0%} of the context")
        if view.prompt_tokens:
            parts.append(f"{view.prompt_tokens} prompt")
        if view.reply_tokens:
            parts.append(counted(view.reply_tokens, "reply token"))
        if info := view.info:
            numbers = info.dtype if info.quantization == "none" else info.quantization
            memory = in_bytes(info.memory_bytes) if info.memory_bytes else ""
            on_device = (info.device, numbers, memory, info.path)
            about = (info.server.partition("://")[2],) if info.server else on_device
            parts.append(one_line(" · ".join(filter(None, about)), 60))
            parts.append(one_line((info.name or info.model).rsplit("/", 1)[-1], 30))
        if view.speed:
            course = sparkline(view.speeds, SPARKLINE)
            parts.append(f"{course} {view.speed:.0f} tok/s".lstrip())
        return parts


def loaded_megabytes(progress: LoadProgress) -> str:
    """How much is loaded, with a gap before it; empty where it is not counted in bytes."""
    if progress.unit != "bytes":
        return ""
    total = f" of {progress.total / 1e6:.0f}" if progress.total else ""
    return f"   {progress.done / 1e6:.0f}{total} MB"
