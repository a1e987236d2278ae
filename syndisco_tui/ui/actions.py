"""Every action of the screen, once: footer, help, palette and keymap are drawn from this list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from textual.binding import Binding, BindingType

Where = Literal["app", "everywhere", "personas", "setup", "transcript"]
"""``app``: on every screen. ``everywhere``: in every pane of the laboratory."""


@dataclass(frozen=True)
class Action:
    """``name`` is the method ``action_<name>`` of whatever ``where`` names."""

    name: str
    key: str
    label: str
    help: str
    where: Where = "everywhere"
    footer: bool = True
    shown_key: str | None = None

    @property
    def id(self) -> str:
        """What the keymap calls it: ``where.name``, as in ``transcript.follow``."""
        name = self.name.rpartition(".")[2]
        name = name if name.isidentifier() else self.label.replace(" ", "_")
        return f"{self.where}.{name}"


ACTIONS = (
    Action("run", "r", "run", "Run the discussion, or go on with it"),
    Action("pause", "p", "pause", "Pause when the reply in the making is finished"),
    Action("step", "s", "step", "Go on for one message, then pause"),
    Action("stop", "x", "stop", "Stop now; the unfinished reply is dropped"),
    Action("resume", "R", "resume", "Resume the last unfinished discussion", shown_key="R"),
    Action(
        "new_run",
        "ctrl+n",
        "new run",
        "Leave this discussion as it is and begin anew",
        footer=False,
    ),
    Action(
        "repeat", "ctrl+r", "repeat", "Run many discussions of this setup at once", footer=False
    ),
    Action("inject", "i", "say", "Say something yourself, in anybody's name"),
    Action(
        "next_speaker", "w", "who is next", "Who speaks next; give somebody the floor", footer=False
    ),
    Action("turn_lab", "t", "turn lab", "Turns, talk, likeness and speed, drawn", footer=False),
    Action("compare", "c", "compare", "This discussion and another side by side", footer=False),
    Action("library", "o", "library", "Find, open, export and import discussions", footer=False),
    Action("pane('personas')", "1", "personas", "Go to the personas", footer=False),
    Action("pane('setup')", "2", "setup", "Go to the setup", footer=False),
    Action("pane('transcript')", "3", "transcript", "Go to the transcript", footer=False),
    Action("next_pane", "tab", "next pane", "Go to the next pane", footer=False),
    Action("previous_pane", "shift+tab", "previous pane", "Go to the pane before", footer=False),
    Action(
        "save_setup",
        "ctrl+s",
        "save setup",
        "Save the setup as a file that `run` reads",
        footer=False,
    ),
    Action("help", "question_mark,f1", "help", "What this is, and all its keys", "app"),
    Action("command_palette", "ctrl+p", "palette", "Find any action by its name", "app", False),
    Action("jump", "ctrl+o", "jump", "Go to a place by the letter shown on it", "app", False),
    Action("settings", "comma", "settings", "What you prefer, run after run", "app", False),
    Action("quit", "q", "quit", "Leave; the discussion is saved and can be resumed"),
    Action("take_part", "space", "takes part", "Add to or remove from the discussion", "personas"),
    Action("moderate", "m", "moderator", "Make or unmake moderator", "personas"),
    Action("edit", "e,enter", "edit", "Edit all fields of the persona", "personas", shown_key="e"),
    Action("change_field", "f", "field", "Change one field in place", "personas"),
    Action("new", "n", "new", "Make a new persona", "personas"),
    Action("duplicate", "d", "copy", "Make another persona like this one", "personas", False),
    Action(
        "delete", "delete,backspace", "delete", "Delete the persona", "personas", shown_key="del"
    ),
    Action("undo", "u", "undo", "Undo the last change to personas", "personas"),
    Action("filter", "slash", "filter", "Filter the personas by typing", "personas", False, "/"),
    Action("mark", "v", "mark", "Mark or unmark the persona", "personas", False),
    Action("mark_all", "V", "mark all", "Mark or unmark all listed", "personas", False, "V"),
    Action("clear", "escape", "clear", "End the filter, unmark all", "personas", shown_key="esc"),
    Action("change_many", "F", "field of several", "Change a field of several", "personas", False),
    Action("twin", "T", "copy but for", "Copy with one field changed", "personas", False),
    Action("up", "shift+up", "move up", "Move the persona up", "personas", False),
    Action("down", "shift+down", "move down", "Move the persona down", "personas", False),
    Action("generate", "G", "generate", "Generate personas from values", "personas", False),
    Action("likely", "L", "likely mistakes", "See what is likely a mistake", "personas", False),
    Action("edit_outside", "E", "in $EDITOR", "Edit as JSON in your editor", "personas", False),
    Action("save_set", "S", "save set", "Save these personas as a named set", "personas", False),
    Action("open_set", "O", "open set", "Open a set of personas", "personas", False),
    Action("edit", "enter,e", "edit", "Edit the value in place", "setup", shown_key="⏎"),
    Action(
        "turn(1)",
        "right,space",
        "next value",
        "The next choice, or a little more",
        "setup",
        shown_key="→",
    ),
    Action(
        "turn(-1)",
        "left",
        "value before",
        "The choice before, or a little less",
        "setup",
        footer=False,
    ),
    Action("undo", "u", "undo", "Undo the last change to the setup", "setup", footer=False),
    Action(
        "steer('regenerate')",
        "g",
        "again",
        "Say the last message again, with another seed",
        "transcript",
        False,
    ),
    Action(
        "steer('candidates')",
        "G",
        "candidates",
        "Choose among several tries at the last message",
        "transcript",
        False,
        "G",
    ),
    Action("steer('edit')", "E", "edit", "Change the message's text", "transcript", False, "E"),
    Action(
        "steer('delete')",
        "delete,backspace",
        "delete",
        "Delete the message, and those after it",
        "transcript",
        False,
        "del",
    ),
    Action(
        "steer('undo')",
        "u",
        "undo",
        "Take your last change of what was said back",
        "transcript",
        False,
    ),
    Action(
        "steer('fork')", "f", "fork", "Go on from here in a new discussion", "transcript", False
    ),
    Action("previous_message", "up,k", "up", "To the message before", "transcript", False),
    Action("next_message", "down,j", "down", "To the message after", "transcript", False),
    Action("scroll_home", "home", "start", "To the start of the transcript", "transcript", False),
    Action("search", "slash", "search", "Search in what was said", "transcript", shown_key="/"),
    Action(
        "next_match", "n", "next, before", "To the next one found", "transcript", shown_key="n N"
    ),
    Action(
        "previous_match",
        "N",
        "before",
        "To the one found before",
        "transcript",
        False,
        shown_key="N",
    ),
    Action(
        "leave_search",
        "escape",
        "leave",
        "End the search: no more marks",
        "transcript",
        shown_key="esc",
    ),
    Action(
        "only_speaker",
        "v",
        "one speaker",
        "Only one speaker's messages, or all",
        "transcript",
        False,
    ),
    Action("jump", "number_sign", "turn", "Jump to a turn", "transcript", False, shown_key="#"),
    Action("read", "z", "read", "Read in the whole window, Markdown rendered", "transcript"),
    Action("copy_message", "y", "copy", "Copy the message", "transcript", False),
    Action("copy_discussion", "Y", "copy all", "Copy the discussion", "transcript", False, "Y"),
    Action("follow", "end", "follow", "To the end, and follow it", "transcript", shown_key="End"),
    Action(
        "screen.xray",
        "enter",
        "X-ray",
        "The very prompt behind the message",
        "transcript",
        shown_key="⏎",
    ),
)


def bindings(where: Where) -> list[BindingType]:
    """The key bindings of one place. Each has its action's id, so that a keymap can change it."""
    return [
        Binding(
            key,
            action.name,
            action.label,
            show=action.footer,
            key_display=action.shown_key if key == action.key.split(",")[0] else None,
            id=action.id,
        )
        for action in ACTIONS
        if action.where == where
        for key in action.key.split(",")
    ]
