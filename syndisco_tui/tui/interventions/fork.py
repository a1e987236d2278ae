"""A new discussion that begins like this one: its title, who takes part, and what is changed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from pydantic import ValidationError
from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from ...discussion import DiscussionRecord, DiscussionSetup, Persona, name_key
from ...text import one_line, safe
from ...workspace.inputs import describe
from ..personas.participant_list import ParticipantList
from ..personas.selection import PersonaSelection
from ..setup.fields import FIELDS, as_text, persona_rows
from ..setup.pane import SetupPane
from ..widgets.forms import Form, Typed
from ..widgets.key_line import KeyLine
from ..widgets.safe_input import SafeInput

_FIELDS = tuple(field for field in FIELDS if field.key != "title")
"""A fork's title has a row of its own."""


class ForkScreen(Form[DiscussionSetup | None]):
    """The result is the setup that the fork goes on with, or None.

    ``count`` messages of ``record`` are taken over; ``setup`` is what it would go on with, and
    ``at_hand`` are personas that could take part, too.
    """

    CSS_PATH = "../laboratory/laboratory.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
    HELP = """Fork
    A new discussion that shares the messages up to this one. Change who takes part or moderates,
    a field of the setup or of a persona, and see what comes of it. The original stays unchanged;
    the fork's file says what was changed from which turn on."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "fork", "fork", key_display="^s"),
        Binding("tab", "app.focus_next", "next part", key_display="tab", priority=True),
        Binding("shift+tab", "app.focus_previous", show=False, priority=True),
        Binding("down", "app.focus_next", show=False),
        Binding("escape", "cancel", "cancel", key_display="esc"),
    ]

    def __init__(
        self,
        record: DiscussionRecord,
        setup: DiscussionSetup,
        count: int,
        *,
        at_hand: Sequence[Persona] = (),
    ) -> None:
        super().__init__()
        self._before = self._setup = setup
        self._selection = participants_first(setup, at_hand)
        self._title = _fork_of(record.title or setup.heading)
        self._count = count
        self._total = len(record.entries)

    def compose(self) -> ComposeResult:
        with Vertical(id="fork", classes="dialog"):
            yield Static("Fork", classes="dialog-title", markup=False)
            yield Static(safe(self._taken_over()), markup=False)
            with Horizontal(classes="form-row"):
                yield Static("Title", classes="form-label", markup=False)
                yield SafeInput(self._title, compact=True, id="fork-title")
            with VerticalScroll(id="fork-parts", can_focus=False):
                yield ParticipantList(self._selection, id="fork-personas")
                yield self._fields_pane()
            yield Static("", id="fork-changed")
            yield KeyLine()

    def _fields_pane(self) -> SetupPane:
        return SetupPane(self._setup, fields=(*_FIELDS, *persona_rows(self._setup)))

    def _taken_over(self) -> str:
        if self._count == self._total:
            return "Begins with all messages so far."
        if self._count == 1:
            return f"The first of {self._total} messages is kept."
        return f"The first {self._count} of {self._total} messages are kept."

    def on_mount(self) -> None:
        self._show_changed()
        self.query_one("#fork-title", Input).focus()

    def typed(self) -> Typed:
        return (self.query_one("#fork-title", Input).value, self._setup)

    def fill(self, typed: Typed) -> None:
        title, setup = typed
        assert isinstance(setup, DiscussionSetup)
        self.query_one("#fork-title", Input).value = str(title)
        self._setup = setup
        self._selection = participants_first(setup, self._selection.personas, keep_order=True)
        self.call_later(self._show_parts)

    @on(SetupPane.Changed)
    def _changed(self, event: SetupPane.Changed) -> None:
        event.stop()
        self._setup = event.setup
        self._selection = participants_first(event.setup, self._selection.personas, keep_order=True)
        self._show_changed()

    @on(ParticipantList.UserToggled)
    async def _toggle_user(self, event: ParticipantList.UserToggled) -> None:
        await self._select(self._selection.toggle_user(event.index))

    @on(ParticipantList.ModeratorToggled)
    async def _toggle_moderator(self, event: ParticipantList.ModeratorToggled) -> None:
        await self._select(self._selection.toggle_moderator(event.index))

    async def _select(self, selection: PersonaSelection) -> None:
        try:
            setup = selection.fill(_without_leavers(self._setup, selection))
        except ValidationError as error:
            sentence = safe(describe(error, DiscussionSetup))
            self.notify(sentence, severity="error", markup=False, timeout=8)
            return
        self._selection, self._setup = selection, setup
        await self._show_parts()

    async def _show_parts(self) -> None:
        """Show who takes part, and the fields of those who do."""
        self.query_one(ParticipantList).show(self._selection)
        await self.query_one(SetupPane).remove()
        await self.query_one("#fork-parts").mount(self._fields_pane())
        self._show_changed()

    def _show_changed(self) -> None:
        note = self.query_one("#fork-changed", Static)
        if not self._setup.turn_takers:
            note.update(Content.styled("Nobody takes part: choose at least one user.", "$error"))
            return
        changed = [*_parts_changed(self._before, self._setup), *self._fields_changed()]
        text = f"Changed: {', '.join(changed)}" if changed else "Nothing is changed yet."
        note.update(Content.styled(text, "" if changed else "$quiet"))

    def _fields_changed(self) -> list[str]:
        both = {name_key(name) for name in self._before.names}
        return [
            one_line(f"{field.owner} {field.label}".strip(), 40)
            for field in (*_FIELDS, *persona_rows(self._setup))
            if not field.owner or name_key(field.owner) in both
            if as_text(field, self._setup) != as_text(field, self._before)
        ]

    @on(Input.Submitted, "#fork-title")
    def action_fork(self) -> None:
        if self._setup.turn_takers:
            title = self.query_one("#fork-title", Input).value.strip()
            self.dismiss(self._setup.model_copy(update={"title": title}))
        else:
            self.query_one(ParticipantList).focus()


def participants_first(
    setup: DiscussionSetup, at_hand: Sequence[Persona], *, keep_order: bool = False
) -> PersonaSelection:
    """The cast of ``setup`` in its own order, then whoever else is at hand.

    With ``keep_order`` in the order of ``at_hand``, which holds them all.
    """
    theirs = {name_key(persona.name): persona for persona in setup.everybody}
    if keep_order:
        personas = [theirs.get(name_key(persona.name), persona) for persona in at_hand]
    else:
        others = [persona for persona in at_hand if name_key(persona.name) not in theirs]
        personas = [*theirs.values(), *others]
    return PersonaSelection(
        tuple(personas),
        frozenset(name_key(persona.name) for persona in setup.personas),
        name_key(setup.moderator.name) if setup.moderator else None,
    )


def _without_leavers(setup: DiscussionSetup, selection: PersonaSelection) -> DiscussionSetup:
    """``setup`` without the instructions of users who no longer take part."""
    own = {
        name: text
        for name, text in setup.own_instructions.items()
        if name_key(name) in selection.users
    }
    return setup.model_copy(update={"own_instructions": own})


def _parts_changed(before: DiscussionSetup, after: DiscussionSetup) -> list[str]:
    """Who joins, who leaves, and who moderates, in a few words each."""
    old = {name_key(persona.name): persona.name for persona in before.personas}
    new = {name_key(persona.name): persona.name for persona in after.personas}
    changes = [f"{one_line(name, 24)} joins" for key, name in new.items() if key not in old]
    changes += [f"{one_line(name, 24)} leaves" for key, name in old.items() if key not in new]
    was = before.moderator.name if before.moderator else ""
    moderates = after.moderator.name if after.moderator else ""
    if name_key(was) != name_key(moderates):
        changes.append(f"{one_line(moderates, 24)} moderates" if moderates else "no moderator")
    return changes


def _fork_of(title: str) -> str:
    """The title of a fork; a fork's fork has a number."""
    match = re.fullmatch(r"(.*) \(fork(?: (\d{1,4}))?\)", title, re.DOTALL)
    if match is None:
        return f"{title} (fork)"
    return f"{match[1]} (fork {int(match[2] or 1) + 1})"
