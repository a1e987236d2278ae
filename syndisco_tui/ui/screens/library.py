"""The library: every saved discussion, to be found, opened, gone on with, exported, put in order.

The list comes in slices; the files are watched while it is open.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from ... import paths
from ...discussion import Persona
from ...inputs import InputError
from ...store.export import ExportFormat
from ...text import one_line, safe
from ..keymap import key_of
from ..library_choice import Choice
from ..library_entry import Standing, preview_of
from ..library_watch import LibraryWatch, Listed, Matched
from ..library_work import LibraryWork
from ..own_screen import OwnScreen
from ..speaker_colours import SpeakerColours
from ..widgets.discussion_list import DiscussionList
from ..widgets.key_line import KeyLine
from ..widgets.safe_input import SafeInput
from .library_forms import AskLine, ChooseFormat
from .reader import Reader


class LibraryScreen(OwnScreen[Choice | None]):
    """Lists ``folder``; dismissed with a Choice, or None.

    ``open_here`` tells which file the laboratory has open, ``rename_here`` gives that one another
    title, ``fork`` asks how one is to be forked, and ``take_in`` is handed imported personas.
    """

    HELP = """
    Library

    Every saved discussion, newest first. / filters them as you type, by title, names, model and
    everything that was said. ✓ is finished, ○ can be gone on with, ● is open here or in another
    syndisco-tui, · was made by SynDisco. What is deleted lies in the trash until u brings it back.
    """
    CSS_PATH = "library.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (24, "-tall")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open", key_display="⏎", priority=True),
        Binding("r", "go_on", "go on"),
        Binding("f", "fork", "fork"),
        Binding("slash", "filter", "filter", key_display="/", show=False),
        Binding("e", "export", "export"),
        Binding("t", "rename", "rename", show=False),
        Binding("delete,backspace", "discard", "delete", key_display="del"),
        Binding("u", "bring_back", "undo"),
        Binding("i", "import", "import", show=False),
        Binding("escape,q,o", "leave", "back", key_display="esc"),
        Binding("up", "list('move', -1)", show=False),
        Binding("down", "list('move', 1)", show=False),
        Binding("pageup", "list('page', -1)", show=False),
        Binding("pagedown", "list('page', 1)", show=False),
    ]

    def __init__(
        self,
        library_work: LibraryWork,
        colours: SpeakerColours,
        *,
        open_here: Callable[[], Path | None],
        rename_here: Callable[[str], object],
        fork: Callable[[Path], object],
        take_in: Callable[[list[Persona]], object],
    ) -> None:
        super().__init__()
        self._work = library_work
        self._colours = colours
        self._open_here = open_here
        self._rename_here = rename_here
        self._fork = fork
        self._take_in = take_in
        self._watch = LibraryWatch(library_work.library, self.post_message)
        self._is_loading = True
        self._matching = ""
        """The words being looked for on the other thread."""
        self._matched = ""

    def compose(self) -> ComposeResult:
        with Horizontal(classes="library-top"):
            yield Static("Library", classes="library-title", markup=False)
            yield Static("", classes="library-note", markup=False)
        with Horizontal(id="library-filter"):
            yield Static("/", id="library-filter-label", markup=False)
            yield SafeInput(placeholder="title, names, model or words", compact=True)
        with Horizontal(id="library-body"):
            yield DiscussionList()
            with VerticalScroll(id="library-preview", can_focus=False):
                yield Static("")
        yield KeyLine()

    def on_mount(self) -> None:
        self.discussions.open_here = self._open_here()
        self.discussions.focus()
        self._in_background(self._watch.watch)

    def on_unmount(self) -> None:
        self._watch.leave()

    @property
    def discussions(self) -> DiscussionList:
        return self.query_one(DiscussionList)

    @property
    def filter_line(self) -> Input:
        return self.query_one(Input)

    # The list ----------------------------------------------------------------------------------

    def on_listed(self, event: Listed) -> None:
        self._is_loading = not event.is_done
        self.discussions.open_here = self._open_here()
        if event.is_all:
            self.discussions.show(event.entries)
        else:
            self.discussions.add(event.entries)
        if event.is_done and not self.discussions.counts[1]:
            run = key_of(self.app, "everywhere.run")
            self.discussions.say(
                f"Nothing is saved yet: {run} in the laboratory runs a discussion, i here imports."
            )
        if event.entries and self.filter_line.value.strip():
            self._match()
        self._show_count()
        self._show_preview()

    def _show_count(self) -> None:
        shown, all_ = self.discussions.counts
        count = f"{shown:,} of {all_:,}" if shown != all_ else f"{all_:,}"
        noun = "discussion" if all_ == 1 else "discussions"
        note = f"{count} {noun}{' …' if self._is_loading else ''}"
        self.query_one(".library-top .library-note", Static).update(Content(safe(note)))

    # The filter --------------------------------------------------------------------------------

    def action_filter(self) -> None:
        self.filter_line.focus()

    @on(Input.Changed)
    def _filter_changed(self) -> None:
        self._match()

    def _match(self) -> None:
        """Look for the words of the filter, one search at a time; the latest words win."""
        words = self.filter_line.value
        if self._watch.has_begun and not self._matching:
            self._matching = words or " "
            self._in_background(partial(self._watch.search, words))

    def on_matched(self, event: Matched) -> None:
        self._matching = ""
        if event.words != self.filter_line.value:
            self._match()
        self.discussions.filter(event.names, from_top=event.words != self._matched)
        self._matched = event.words
        self.discussions.say("Nothing has these words in it. esc clears the filter.")
        self._show_count()

    def action_list(self, action: str, by: int) -> None:
        """Move in the list while the filter is typed."""
        (self.discussions.action_move if action == "move" else self.discussions.action_page)(by)

    # What is highlighted -----------------------------------------------------------------------

    @on(DiscussionList.Highlighted)
    def _highlighted(self) -> None:
        self._show_preview()

    def _show_preview(self) -> None:
        entry, preview = self.discussions.highlighted, Content("")
        if entry is not None:
            dark = self.app.current_theme.dark
            summary = entry.summary
            said = (*summary.names, summary.moderator, summary.first[0], summary.last[0])
            colours = self._colours.by_name(filter(None, said), dark=dark)
            preview = preview_of(entry, Standing.of(entry, self._open_here()), colours)
        self.query_one("#library-preview Static", Static).update(preview)
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("leave", "list"):
            return True
        if not self.is_mounted:
            return False
        entry = self.discussions.highlighted
        if self.focused is self.filter_line:
            return action == "open" and entry is not None
        if action in ("filter", "import"):
            return True
        if action == "bring_back":
            return self._work.has_trash()
        if entry is None:
            return False
        standing = Standing.of(entry, self._open_here())
        match action:
            case "go_on":
                return standing.can_go_on
            case "export":
                return standing.can_be_read
            case "fork":
                return entry.summary.own_format and standing.can_be_read
            case "rename":
                own = entry.summary.own_format and standing.can_be_read
                return own and not standing.is_elsewhere
            case "discard":
                return not standing.is_here and not standing.is_elsewhere
        return True

    # What can be done --------------------------------------------------------------------------

    def action_leave(self) -> None:
        if self.filter_line.value:
            self.filter_line.value = ""
            self.discussions.focus()
        elif self.focused is self.filter_line:
            self.discussions.focus()
        else:
            self.dismiss(None)

    @on(DiscussionList.Chosen)
    def action_open(self) -> None:
        entry = self.discussions.highlighted
        if entry is None:
            return
        standing = Standing.of(entry, self._open_here())
        if not standing.can_be_read:
            self._say_fault(f"{entry.path.name}: {entry.summary.fault}")
        elif standing.is_elsewhere or entry.summary.kept == "syndisco":
            self.app.push_screen(Reader(entry.path, self._colours))
        else:
            self.dismiss(Choice(entry.path))

    def action_go_on(self) -> None:
        if entry := self.discussions.highlighted:
            self.dismiss(Choice(entry.path, go_on=True))

    def action_fork(self) -> None:
        if entry := self.discussions.highlighted:
            self._fork(entry.path)

    def action_export(self) -> None:
        if entry := self.discussions.highlighted:
            path = entry.path

            def chosen(to: ExportFormat | None) -> None:
                if to:
                    self._run(lambda: self._work.export(path, to))

            self.app.push_screen(ChooseFormat(one_line(entry.summary.heading, 120)), chosen)

    def action_rename(self) -> None:
        entry = self.discussions.highlighted
        if entry is None:
            return
        path = entry.path

        def renamed(title: str | None) -> None:
            if not title:
                return
            if path == self._open_here():
                self._rename_here(title)
                self._watch.look_now()
            else:
                self._run(lambda: self._work.rename(path, title))

        ask = AskLine("Rename", "The title of this discussion.", "rename", entry.summary.heading)
        self.app.push_screen(ask, renamed)

    def action_discard(self) -> None:
        if entry := self.discussions.highlighted:
            path, heading = entry.path, one_line(entry.summary.heading, 60)
            self._run(lambda: self._work.discard(path, heading))

    def action_bring_back(self) -> None:
        self._run(self._work.bring_back)

    def action_import(self) -> None:
        explanation = (
            "A file or folder: SynDisco's discussions, persona lists (JSON), persona tables (CSV)."
        )

        def chosen(text: str | None) -> None:
            if text:
                self._import(paths.typed(text))

        self.app.push_screen(AskLine("Import", explanation, "import"), chosen)

    @work(thread=True, exit_on_error=False)
    def _run(self, job: Callable[[], str]) -> None:
        """Do something with the files off the screen's thread, and say what came of it."""
        try:
            sentence, say = job(), self._say
        except InputError as error:
            sentence, say = str(error), self._say_fault
        except OSError as error:
            sentence, say = f"{error.filename}: {error.strerror}", self._say_fault
        self._watch.look_now()
        self.app.call_from_thread(say, sentence)

    @work(thread=True, exit_on_error=False)
    def _import(self, path: Path) -> None:
        def told(done: int, of: int) -> bool:
            self.app.call_from_thread(self._show_progress, f"importing {done:,} of {of:,}")
            return not self._watch.is_left

        taken = self._work.import_from(path, told)
        self._watch.look_now()
        self.app.call_from_thread(self._imported, taken.personas, taken.sentence, taken.faults)

    def _imported(self, personas: list[Persona], sentence: str, faults: Sequence[str]) -> None:
        if personas:
            self._take_in(personas)
        if self.is_current:
            self._show_count()
        self._say(sentence)
        if faults:
            self._say_fault("\n".join(faults))

    def _show_progress(self, note: str) -> None:
        if self.is_current:
            self.query_one(".library-top .library-note", Static).update(Content(safe(note)))

    @work(thread=True, exit_on_error=False)
    def _in_background(self, job: Callable[[], object]) -> None:
        job()

    def _say(self, sentence: str) -> None:
        self.app.notify(safe(sentence), markup=False, timeout=6)

    def _say_fault(self, sentence: str) -> None:
        self.app.notify(safe(sentence), severity="error", markup=False, timeout=12)
