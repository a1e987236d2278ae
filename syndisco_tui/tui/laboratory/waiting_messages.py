"""Under the transcript: messages that are posted once the reply in the making is finished."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

from ...session import DiscussionClosed, Inject, InterventionsQueued, Opened, SessionEvent
from ...text import one_line

LONGEST = 600
"""Characters of a message; the rest is seen once it is posted."""


class WaitingMessages(Static):
    """Dimmed, as they are no part of the discussion yet; without one it takes no room."""

    DEFAULT_CSS = """
    WaitingMessages { display: none; height: auto; max-height: 7; color: $quiet; }
    """

    def handle(self, event: SessionEvent) -> None:
        """Show what an event says of messages that wait."""
        if isinstance(event, InterventionsQueued):
            self._show([step for step in event.interventions if isinstance(step, Inject)])
        elif isinstance(event, Opened | DiscussionClosed):
            self._show([])

    def _show(self, messages: list[Inject]) -> None:
        self.display = bool(messages)
        blocks = [
            Content.assemble(
                Content.styled(f"▎ {one_line(message.name, 40)}", "bold"),
                "  waits for this reply\n",
                Content(f"▎ {one_line(' '.join(message.text.split()), LONGEST)}"),
            )
            for message in messages
        ]
        self.update(Content("\n").join(blocks))
