"""The X-ray of a message: the prompt that its model got, and what is known of the reply."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.message import Message as Event
from textual.widgets import Static

from ...discussion import (
    ChatMessage,
    DiscussionRecord,
    DiscussionSetup,
    Message,
    NotReproducible,
    RebuiltRequest,
    TurnRequest,
    rebuild_request,
)
from ...engine.base import EngineError, RenderedPrompt
from ...text import one_line, safe
from ..shell.screen import AppScreen
from ..widgets.charts import wrapped
from ..widgets.key_line import KeyLine
from ..widgets.page import Page
from . import xray_pages as pages


class Source(Protocol):
    """A session: it has the record, and renders a prompt as its model reads it."""

    @property
    def record(self) -> DiscussionRecord | None: ...
    def render(
        self,
        request: TurnRequest,
        setup: DiscussionSetup,
        listener: Callable[[RenderedPrompt | EngineError], object],
    ) -> None: ...


class XRay(AppScreen[None]):
    """Shows entry ``index`` of ``source``'s record, and its neighbours with the arrows."""

    HELP = """X-ray
    The exact prompt behind a message, rebuilt from the file. As chat it shows the system prompt
    by its fields; raw it is what the model read, with its control tokens in colour. Beside it: how
    the reply was sampled, what the guard removed, and which messages the prompt quoted.
    """
    CSS_PATH = "inspect.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("v", "switch", "chat or raw"),
        Binding("left", "go(-1)", "before", key_display="←", priority=True),
        Binding("right", "go(1)", "after", key_display="→", priority=True),
        Binding("escape,q,enter", "dismiss(None)", "back", key_display="esc"),
    ]

    @dataclass
    class Rendered(Event):
        """The prompt of entry ``index`` as the engine tokenizes it, or why there is none."""

        index: int
        answer: RenderedPrompt | EngineError

    def __init__(
        self, source: Source, record: DiscussionRecord, index: int, colours: dict[str, str]
    ) -> None:
        super().__init__()
        self._source = source
        self._record = record
        self._index = index
        self._colours = {one_line(name, 40): colour for name, colour in colours.items()}
        self._request: RebuiltRequest | None = None
        self._missing_reason = ""
        self._shows_raw = False
        self._rendered: RenderedPrompt | EngineError | None = None

    def compose(self) -> ComposeResult:
        yield Static("", classes="instrument-title", markup=False)
        with Horizontal(id="xray"):
            with VerticalScroll(id="xray-prompt"):
                yield Page(id="xray-flow")
                yield Page(id="prompt")
                yield Page(id="below")
            with VerticalScroll(id="xray-side"):
                yield Page(id="side")
        yield KeyLine(classes="instrument-keys")

    def on_mount(self) -> None:
        self.query_one("#xray-prompt").focus()
        self._show_entry()

    @property
    def _message(self) -> Message:
        return self._record.entries[self._index]

    @property
    def _engine(self) -> Mapping[str, Any]:
        """The file's facts about the engine that made the message."""
        engine = self._record.engine
        participants = engine.get("participants")
        own = participants.get(self._message.name) if isinstance(participants, dict) else None
        return own if isinstance(own, dict) else engine

    def _show_entry(self) -> None:
        self._rendered = None
        try:
            self._request, self._missing_reason = rebuild_request(self._record, self._index), ""
        except NotReproducible as error:
            self._request, self._missing_reason = None, str(error)
        if self._request:
            index = self._index
            self._source.render(
                self._request.request,
                self._request.setup,
                lambda answer: self.post_message(self.Rendered(index, answer)),
            )
        self.query_one("#xray-prompt").scroll_home(animate=False)
        self._show()
        self.refresh_bindings()

    @on(Rendered)
    def _show_rendered(self, event: Rendered) -> None:
        if event.index == self._index:
            self._rendered = event.answer
            self._show()

    def _show(self) -> None:
        message, request = self._message, self._request
        pairs = pages.figures(message, request.setup if request else None)
        self._show_title()
        self.query_one("#xray-flow", Page).show(lambda width: pages.figure_flow(pairs, width))
        self.query_one("#prompt", Page).show(self._prompt_lines)
        self.query_one("#below", Page).show(self._details)
        self.query_one("#side", Page).show(
            lambda width: [*pages.figure_lines(pairs, width), *self._details(width)]
        )

    def _show_title(self) -> None:
        message = self._message
        name = one_line(message.name, 40)
        turn = f"turn {message.turn}, " if message.turn else ""
        position = f"{turn}message {self._index + 1} of {len(self._record.entries)}"
        title = Content.assemble(
            Content.styled("X-ray", "bold $accent"),
            Content.styled(f"   {name}", f"bold {self._colours.get(name, '')}"),
            Content.styled(f"  {message.role}   {position}", "$quiet"),
        )
        self.query_one(".instrument-title", Static).update(title)

    def _prompt_lines(self, width: int) -> list[Content]:
        selected, other = "bold underline $accent", "$quiet"
        tabs = Content.assemble(
            Content.styled("Chat", other if self._shows_raw else selected),
            "    ",
            Content.styled("Raw", selected if self._shows_raw else other),
            Content.styled(f"    {self._count()}", "$quiet"),
        )
        body = self._raw_lines(width) if self._shows_raw else self._chat_lines(width)
        return [tabs, Content(""), *body]

    def _count(self) -> str:
        answer = self._rendered
        return f"{answer.tokens} tokens" if isinstance(answer, RenderedPrompt) else ""

    def _chat_lines(self, width: int) -> list[Content]:
        if self._request:
            return pages.chat_lines(self._request.request.chat, width)
        lines = wrapped(Content.styled(safe(self._missing_reason), "$quiet"), width)
        if self._message.prompt:
            system = (ChatMessage("system", self._message.prompt),)
            lines += [Content(""), *pages.chat_lines(system, width)]
        return lines

    def _raw_lines(self, width: int) -> list[Content]:
        answer = self._rendered
        if isinstance(answer, RenderedPrompt):
            return pages.raw_lines(answer, self._message, width)
        sentence = self._missing_reason or str(answer or "Rendering the prompt …")
        return wrapped(Content.styled(safe(sentence), "$quiet"), width)

    def _details(self, width: int) -> list[Content]:
        lines = [Content(""), *pages.reply_lines(self._message, width)]
        if self._message.is_prompted and (server := pages.server_lines(self._engine, width)):
            lines += [Content(""), *server]
        if self._request:
            lines += [Content(""), *pages.history_lines(self._request, width, self._colours)]
            if stops := pages.stop_lines(self._request, width):
                lines += [Content(""), *stops]
        return lines

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "go":
            return 0 <= self._index + int(str(parameters[0])) < len(self._record.entries)
        return True

    def action_switch(self) -> None:
        self._shows_raw = not self._shows_raw
        self._show()

    def action_go(self, step: int) -> None:
        self._record = self._source.record or self._record
        self._index = min(max(0, self._index + step), len(self._record.entries) - 1)
        self._show_entry()
