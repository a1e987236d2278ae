"""Every action of the app, once: footer, help, palette and keymap are drawn from this list."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from textual.binding import Binding, BindingType

Where = Literal["app", "everywhere", "personas", "setup", "transcript"]
"""``app``: on every screen. ``everywhere``: in every pane of the laboratory."""
PANES: tuple[Where, ...] = ("personas", "setup", "transcript")


@dataclass(frozen=True)
class Action:
    """Something that a key does in one place.

    ``name`` is a method ``action_<name>`` of the place, or with ``screen.`` of its screen.
    ``footer``: it is shown in the key line where there is room; what comes first in the list
    matters most.
    """

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
        return f"{self.where}.{self.name.removeprefix('screen.')}"


ACTIONS = (
    Action("run", "r", "run", "Run or continue"),
    Action("pause", "p", "pause", "Pause after the current reply"),
    Action("step", "s", "step", "Run for one message, then pause"),
    Action("stop", "x", "stop", "Stop now; the unfinished reply is dropped"),
    Action("resume", "R", "resume", "Continue the last unfinished discussion"),
    Action("new_discussion", "ctrl+n", "new", "New discussion with this setup"),
    Action("inject", "i", "post", "Post a message in anybody's name"),
    Action("discard_draft", "D", "discard draft", "Discard the draft of the setup"),
    Action("library", "o", "library", "Find, open, continue, export and import discussions"),
    Action("repeat", "ctrl+r", "batch", "Run many discussions with this setup at the same time"),
    Action("next_speaker", "w", "who is next", "See who speaks next, or choose who does"),
    Action(
        "experiments", "ctrl+e", "experiments", "Start, look at or continue an experiment: a matrix"
    ),
    Action("turn_lab", "t", "turn lab", "Turn lab: participation, lengths, diversity, speed"),
    Action("compare", "c", "compare", "Compare this discussion with another, side by side"),
    Action("save_setup", "ctrl+s", "save setup", "Save the setup as a file that `run` reads"),
    Action("copy_path", "P", "copy path", "Copy the path of the discussion's file"),
    Action("personas", "1", "personas", "Go to the personas", footer=False),
    Action("setup", "2", "setup", "Go to the setup", footer=False),
    Action("transcript", "3", "transcript", "Go to the transcript", footer=False),
    Action("next_pane", "tab", "next pane", "Go to the next pane", footer=False),
    Action("previous_pane", "shift+tab", "previous pane", "Go to the pane before", footer=False),
    Action("settings", "comma", "settings", "Settings", "app"),
    Action("command_palette", "ctrl+p", "palette", "Find any action by a word", "app"),
    Action(
        "jump", "ctrl+o", "jump", "Go to a place by the letter shown on it", "app", footer=False
    ),
    Action("help", "question_mark,f1", "help", "Help for this screen", "app"),
    Action("quit", "q", "quit", "Quit; the discussion is saved and can be resumed"),
    Action("take_part", "space", "takes part", "Add to or remove from the discussion", "personas"),
    Action("moderate", "m", "moderator", "Make or unmake moderator", "personas"),
    Action("edit", "e,enter", "edit", "Edit all fields of the persona", "personas"),
    Action("change_field", "f", "field", "Change one field in place", "personas"),
    Action("new", "n", "new", "Make a new persona", "personas"),
    Action("clear", "escape", "clear", "End the filter, unmark all", "personas"),
    Action("delete", "delete,backspace", "delete", "Delete the persona", "personas"),
    Action("undo", "u", "undo", "Undo the last change to personas", "personas"),
    Action("filter", "slash", "filter", "Filter the personas by typing", "personas"),
    Action("mark", "v", "mark", "Mark or unmark the persona", "personas"),
    Action("duplicate", "d", "copy", "Make another persona like this one", "personas"),
    Action("model", "M", "model", "Give the persona a model of their own", "personas"),
    Action("generate", "G", "generate", "Generate personas from values", "personas"),
    Action("change_many", "F", "field of several", "Change a field of several", "personas"),
    Action("twin", "T", "copy but for", "Copy with one field changed", "personas"),
    Action("save_set", "S", "save set", "Save these personas as a named set", "personas"),
    Action("open_set", "O", "open set", "Open a set of personas", "personas"),
    Action("likely", "L", "likely mistakes", "List likely mistakes", "personas"),
    Action("edit_outside", "E", "in $EDITOR", "Edit as JSON in your editor", "personas"),
    Action("screen.export_personas", "X", "export", "Export for other tools", "personas"),
    Action(
        "screen.card", "C", "from the card", "Use a card's scenario or first message", "personas"
    ),
    Action("mark_all", "V", "mark all", "Mark or unmark all listed", "personas"),
    Action("up", "shift+up", "move up", "Move the persona up", "personas"),
    Action("down", "shift+down", "move down", "Move the persona down", "personas"),
    Action("edit", "enter,e", "edit", "Edit the value in place", "setup"),
    Action("next_value", "right,space", "next value", "The next value", "setup"),
    Action("previous_value", "left", "previous value", "The previous value", "setup"),
    Action("undo", "u", "undo", "Undo the last change to the setup", "setup"),
    Action("screen.open_setup", "O", "open setup", "Open a saved setup", "setup"),
    Action("screen.xray", "enter", "X-ray", "The exact prompt behind this message", "transcript"),
    Action("follow", "end", "follow", "To the end, and follow it", "transcript", shown_key="End"),
    Action("leave_search", "escape", "leave", "End the search", "transcript"),
    Action("next_match", "n", "next, before", "To the next match", "transcript", shown_key="n N"),
    Action("previous_match", "N", "before", "To the match before", "transcript", footer=False),
    Action(
        "regenerate",
        "g",
        "regenerate",
        "Regenerate the last message (new seed)",
        "transcript",
    ),
    Action(
        "candidates",
        "G",
        "alternatives",
        "Choose among several candidates for the last message",
        "transcript",
    ),
    Action("edit", "E", "edit", "Edit the message's text", "transcript"),
    Action("fork", "f", "fork", "New discussion from this message on", "transcript"),
    Action("search", "slash", "search", "Search the transcript", "transcript"),
    Action("read", "z", "read", "Read in the whole window, Markdown rendered", "transcript"),
    Action(
        "as_written",
        "W",
        "guard",
        "Undo a mark of the guard, or what it left out",
        "transcript",
    ),
    Action(
        "delete",
        "delete,backspace",
        "delete",
        "Delete the message, and those after it",
        "transcript",
    ),
    Action("undo", "u", "undo", "Undo the last change to the transcript", "transcript"),
    Action("copy_message", "y", "copy", "Copy the message", "transcript"),
    Action("copy_discussion", "Y", "copy all", "Copy the discussion", "transcript"),
    Action("screen.annotate", "a", "annotate", "Annotate the messages by hand", "transcript"),
    Action(
        "screen.annotations",
        "A",
        "annotations",
        "All annotations of the discussion, and their agreement",
        "transcript",
    ),
    Action("only_speaker", "v", "one speaker", "Only one speaker's messages, or all", "transcript"),
    Action("jump", "number_sign", "turn", "Jump to a turn", "transcript"),
    Action("previous_message", "up,k", "up", "To the message before", "transcript", footer=False),
    Action("next_message", "down,j", "down", "To the message after", "transcript", footer=False),
    Action(
        "scroll_home", "home", "start", "To the start of the transcript", "transcript", footer=False
    ),
)


ACTIONS_BY_ID = {action.id: action for action in ACTIONS}


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
