"""A quiet line above the state: what is wrong, for as long as it is wrong."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static

from ...session import Condition, SessionEvent
from ...session.events import Cause
from ...text import one_line
from ...workspace.folders import abbreviate_home
from .keymap import key_of

GRAVEST_FIRST: tuple[Cause, ...] = (
    "engine",
    "saving",
    "server",
    "silence",
    "memory",
    "space",
    "reasoning",
    "speed",
)
_WHAT_NOW: dict[Cause, str] = {
    "engine": "{run} restarts it.",
    "saving": "Continues when the disk works again; {run} retries now.",
}


class Banner(Horizontal):
    """Shows the gravest condition that lasts; without one it takes no room.

    The least grave, a model that is slower than it could be, takes one quiet line.
    """

    DEFAULT_CSS = """
    Banner { display: none; height: auto; max-height: 3; padding: 0 2; margin: 1 0 0 0; }
    .-short Banner { margin: 0; max-height: 2; }
    Banner.-least { margin: 0; max-height: 1; }
    Banner.-least > #mark { color: $quiet; }
    Banner.-least > #condition { color: $quiet; text-wrap: nowrap; text-overflow: ellipsis; }
    Banner > #mark { width: 2; color: $warning; text-style: bold; }
    Banner > #condition { width: 1fr; height: auto; }
    """

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._lasting: dict[Cause, Condition] = {}

    def compose(self) -> ComposeResult:
        yield Static("!", id="mark", markup=False)
        yield Static("", id="condition", markup=False)

    def lasts(self, cause: Cause) -> bool:
        """Whether this condition holds now."""
        return cause in self._lasting

    def handle(self, event: SessionEvent) -> None:
        """Note what an event says, if it is about a condition."""
        if isinstance(event, Condition):
            self._lasting.pop(event.cause, None)
            if event.sentence:
                self._lasting[event.cause] = event
            self._show()

    def _show(self) -> None:
        cause = next((cause for cause in GRAVEST_FIRST if self.lasts(cause)), None)
        self.display = cause is not None
        self.set_class(cause == GRAVEST_FIRST[-1], "-least")
        if cause is not None:
            said = self._lasting[cause]
            what_now = _WHAT_NOW.get(cause, "").format(run=key_of(self.app, "everywhere.run"))
            self.query_one("#condition", Static).update(
                Content.assemble(
                    Content(one_line(said.sentence)),
                    Content(one_line(f" {what_now}" if what_now else "")),
                    Content.styled(f"  {one_line(abbreviate_home(said.where))}", "$quiet"),
                )
            )
