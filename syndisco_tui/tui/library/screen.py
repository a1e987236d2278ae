"""The library: every saved discussion, to find, open, continue, export, rename and delete.

The list arrives in slices, and follows the files while the library is open.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from ...discussion import Persona
from ...text import one_line, safe
from ...workspace.discussions import Trash
from ...workspace.exporting import FORMATS, ExportFormat
from ...workspace.folders import Folders
from ..shell.keymap import key_of
from ..shell.screen import AppScreen
from ..transcript.read_only import ReadOnlyScreen
from ..transcript.transcript import Transcript
from ..widgets.export_format_dialog import ExportFormatDialog
from ..widgets.forms import bring_back, can_bring_back, forget_discarded, open_form
from ..widgets.key_line import KeyLine
from ..widgets.line_dialog import LineDialog, non_empty
from ..widgets.notices import show_error
from ..widgets.speaker_colours import SpeakerColours
from .discussion_list import DiscussionList, FilterLine
from .import_dialog import ImportDialog
from .open_request import OpenRequest
from .preview import group_preview, path_line, preview_of
from .rows import Group, Row, applies
from .tasks import LibraryTasks
from .watch import LibraryWatch, Listed, Matched


class LibraryScreen(AppScreen[OpenRequest | None]):
    """Lists ``folder``; dismissed with an OpenRequest, or None.

    ``open_path`` gives the file that the laboratory has open, ``batch_paths`` those of the running
    batch. ``rename_open`` renames the open discussion, ``fork`` asks how one is to be forked,
    ``show_batch`` shows a batch's files, and continues it if asked to.
    ``import_personas`` gets the personas of an import. ``show_experiments`` lists experiments.
    """

    HELP = """
    Library

    Every saved discussion, newest first; the discussions of a batch stand below it. / filters
    them as you type, by title, names, model and everything that was said, and shows the message
    that matched; mark:refusal finds those with a mark of the guard. Space selects several, to
    export, delete or look at them together. ✓ is finished, ○ can be continued, ● is open here or in
    another syndisco-tui, · was made by SynDisco. What is deleted stays in the trash until u brings
    it back. Discussions of experiments lie in folders of their own: ctrl+e lists these.
    """
    CSS_PATH = "library.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (100, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (24, "-tall")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "open", key_display="⏎", priority=True),
        Binding("r", "continue", "continue"),
        Binding("f", "fork", "fork"),
        Binding("slash", "filter", "filter", key_display="/"),
        Binding("e", "export", "export"),
        Binding("t", "turn_lab", "turn lab", show=False),
        Binding("T", "statistics", "statistics", show=False),
        Binding("c", "compare", "compare", show=False),
        Binding("n", "rename", "rename", show=False),
        Binding("y", "copy_path", "copy path"),
        Binding("delete,backspace", "discard", "delete", key_display="del"),
        Binding("u", "bring_back", "undo"),
        Binding("i", "import", "import", show=False),
        Binding("ctrl+e", "experiments", "experiments", show=False),
        Binding("escape,q,o", "leave", "back", key_display="esc"),
    ]

    def __init__(
        self,
        folders: Folders,
        colours: SpeakerColours,
        *,
        personas: Callable[[], Sequence[Persona]],
        open_path: Callable[[], Path | None],
        batch_paths: Callable[[], Collection[Path]],
        rename_open: Callable[[str], object],
        fork: Callable[[Path], object],
        show_batch: Callable[[Sequence[Path], bool], object],
        import_personas: Callable[[list[Persona]], object],
        show_experiments: Callable[[], object],
    ) -> None:
        super().__init__()
        self._folders = folders
        self._trash = Trash(folders.discussions)
        self._personas = personas
        self._colours = colours
        self._open_path = open_path
        self._batch_paths = batch_paths
        self._show_batch = show_batch
        self._rename_open = rename_open
        self._fork = fork
        self._import_personas = import_personas
        self._show_experiments = show_experiments
        self._watch = LibraryWatch(folders, self.post_message)
        self._is_loading = True
        self._words_searched = ""
        """The words that a search on the other thread is looking for."""
        self._words_matched = ""
        """The words whose matches are listed."""
        self._row_of_path: Row | None = None
        """The row that was highlighted when a path was shown."""

    def compose(self) -> ComposeResult:
        with Horizontal(classes="library-top"):
            yield Static("Library", classes="library-title", markup=False)
            yield Static("", classes="library-note", markup=False)
        with Horizontal(id="library-filter"):
            yield Static("/", id="library-filter-label", markup=False)
            yield FilterLine(placeholder="title, names, model or words", compact=True)
        yield Static("", id="library-result", markup=False)  # no notice covers it up there
        with Horizontal(id="library-body"):
            yield DiscussionList()
            with VerticalScroll(id="library-preview", can_focus=False):
                yield Static("")
        yield KeyLine()

    def on_mount(self) -> None:
        self._note_open_files()
        self.discussions.focus()
        self.set_interval(1.0, self._note_open_files)
        self.run_worker(self._watch.watch, thread=True, exit_on_error=False)

    def on_unmount(self) -> None:
        self._watch.leave()

    def _note_open_files(self) -> None:
        """Note which files the laboratory and the batch have open."""
        if self.discussions.note_open_files(self._open_path(), self._batch_paths()):
            self._show_preview()

    @property
    def discussions(self) -> DiscussionList:
        return self.query_one(DiscussionList)

    @property
    def filter_line(self) -> Input:
        return self.query_one(Input)

    def on_listed(self, event: Listed) -> None:
        self._is_loading = not event.is_done
        self._note_open_files()
        if event.is_all:
            self.discussions.show(event.entries)
        else:
            self.discussions.add(event.entries)
        if event.is_done and not self.discussions.counts[1]:
            run = f"{key_of(self.app, 'everywhere.run')} in the laboratory runs a discussion"
            self.discussions.set_hint(f"Nothing is saved yet. {run}; i imports files.")
        if event.entries and self.filter_line.value.strip():
            self._match()
        self._show_count()
        self._show_preview()

    def _show_count(self) -> None:
        shown, all_ = self.discussions.counts
        count = f"{shown:,} of {all_:,}" if shown != all_ else f"{all_:,}"
        noun = "discussion" if all_ == 1 else "discussions"
        note = f"{count} {noun}{' …' if self._is_loading else ''}"
        if marked := len(self.discussions.marked):
            note = f"{marked} marked   {note}"
        self.query_one(".library-top .library-note", Static).update(Content(safe(note)))

    # The filter --------------------------------------------------------------------------------

    def action_filter(self) -> None:
        self.filter_line.focus()

    @on(Input.Changed)
    def _match(self) -> None:
        """Look for the words of the filter, one search at a time; the latest words win."""
        words = self.filter_line.value
        if self._watch.has_begun and not self._words_searched:
            self._words_searched = words or " "
            search = partial(self._watch.search, words)
            self.run_worker(search, thread=True, exit_on_error=False)

    def on_matched(self, event: Matched) -> None:
        self._words_searched = ""
        if event.words != self.filter_line.value:
            self._match()
        self.discussions.filter(
            event.names,
            words=event.words,
            lines=event.lines,
            from_top=event.words != self._words_matched,
        )
        self._words_matched = event.words
        self.discussions.set_hint("No match. esc clears the filter.")
        self._show_preview()
        self._show_count()

    def action_into_list(self, pages: int) -> None:
        """Go from the filter into the list, or pages further."""
        self.discussions.focus()
        if pages:
            self.discussions.action_page(pages)

    @on(DiscussionList.AtTop)
    def _above_the_list(self) -> None:
        if self.filter_line.value:
            self.filter_line.focus()

    # What is highlighted -----------------------------------------------------------------------

    @on(DiscussionList.Highlighted)
    def _row_highlighted(self) -> None:
        if self.discussions.row != self._row_of_path:
            self.query_one("#library-result").display = False
        self._show_preview()

    def _show_preview(self) -> None:
        discussions, preview = self.discussions, Content("")
        if group := discussions.group:
            preview = group_preview(group, [discussions.status(each) for each in group.entries])
        elif entry := discussions.highlighted:
            dark = self.app.current_theme.dark
            summary = entry.summary
            names = (*summary.names, summary.moderator, summary.first[0], summary.last[0])
            colours = self._colours.by_name(filter(None, names), dark=dark)
            match = (discussions.matching_line(entry), self._words_matched)
            preview = preview_of(entry, discussions.status(entry), colours, match)
        self.query_one("#library-preview Static", Static).update(preview)
        self._show_count()
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("leave", "into_list"):
            return True
        if not self.is_mounted:
            return False
        chosen = self.discussions.chosen
        if self.focused is self.filter_line:
            return action == "open" and bool(chosen)
        if action in ("filter", "import", "experiments"):
            return True
        if action == "bring_back":
            return not self._trash.is_empty or can_bring_back(self.app)
        if not chosen:
            return False
        statuses = [self.discussions.status(entry) for entry in chosen]
        return applies(action, chosen, statuses, self._chosen_group)

    @property
    def _chosen_group(self) -> Group | None:
        """The batch that an action is about: it is highlighted, and nothing is marked."""
        return None if self.discussions.marked else self.discussions.group

    @property
    def _chosen_paths(self) -> list[Path]:
        return [entry.path for entry in self.discussions.chosen]

    # What can be done --------------------------------------------------------------------------

    def action_leave(self) -> None:
        if self.discussions.marked and self.focused is not self.filter_line:
            self.discussions.unmark()
        elif self.filter_line.value:
            self.filter_line.value = ""
            self.discussions.focus()
        elif self.focused is self.filter_line:
            self.discussions.focus()
        else:
            self.dismiss(None)

    @on(DiscussionList.Selected)
    def action_open(self) -> None:
        entry = self.discussions.highlighted
        if group := self.discussions.group:
            self._show_batch([each.path for each in group.entries], False)
            return
        if entry is None:
            return
        status = self.discussions.status(entry)
        if not status.can_be_read:
            show_error(self.app, f"{entry.path.name}: {entry.summary.error}")
        elif status.is_in_batch:
            self._show_batch([entry.path], False)
        elif status.is_elsewhere or entry.summary.status == "syndisco":
            self.app.push_screen(ReadOnlyScreen(entry.path, self._colours))
        else:
            self.dismiss(OpenRequest(entry.path))

    def action_continue(self) -> None:
        if group := self._chosen_group:
            self._show_batch([each.path for each in group.entries], True)
        elif len(chosen := self._chosen_paths) == 1:
            self.dismiss(OpenRequest(chosen[0], is_continued=True))

    def action_fork(self) -> None:
        self._fork(self._chosen_paths[0])

    def action_turn_lab(self) -> None:
        self._tasks.open_turn_lab(self._chosen_paths)

    def action_statistics(self) -> None:
        self._tasks.open_statistics(self.discussions)

    def action_compare(self) -> None:
        self._tasks.compare(self._chosen_paths)

    @property
    def _tasks(self) -> LibraryTasks:
        return LibraryTasks(self.app, self._folders, self._trash, self._watch, self._colours)

    def action_copy_path(self) -> None:
        group = self._chosen_group
        path = group.newest.path.parent if group else self._chosen_paths[0]
        self._copy_path(path, "Path")

    def _copy_path(self, path: Path, label: str) -> None:
        """Show a path on a line of its own until another row is highlighted, and copy it."""
        result = self.query_one("#library-result", Static)
        result.display = True
        line = path_line(label, path, self.size.width - 4)
        result.update(line)
        self._row_of_path = self.discussions.row
        self.post_message(Transcript.Copied(str(path), label))

    def action_export(self) -> None:
        chosen, sources = self.discussions.chosen, self._chosen_paths
        several = f"{len(chosen)} discussions"

        def exported(path: Path) -> None:
            if self.is_attached:
                self.discussions.unmark()
                self._copy_path(path, "Exported" if len(chosen) == 1 else f"{several} exported")

        def format_chosen(to: ExportFormat | None) -> None:
            if to:
                self._tasks.export(sources, to, exported)

        heading = one_line(chosen[0].summary.heading, 120)
        meanings = {name: form.meaning for name, form in FORMATS.items()}
        subject = heading if len(chosen) == 1 else several
        self.app.push_screen(ExportFormatDialog(subject, meanings), format_chosen)

    def action_rename(self) -> None:
        entry = self.discussions.chosen[0]
        path = entry.path

        def renamed(title: str | None) -> None:
            if not title:
                return
            if path == self._open_path():
                self._rename_open(title)
                self._watch.look_soon()
            else:
                self._tasks.rename(path, title)

        labels = "Rename", "The title of this discussion.", "rename"
        ask = partial(LineDialog, *labels, non_empty, text=entry.summary.heading)
        open_form(self.app, ask, renamed)

    def action_discard(self) -> None:
        paths, heading = self._chosen_paths, self.discussions.chosen[0].summary.heading
        forget_discarded(self.app)
        self._tasks.discard(paths, one_line(heading, 60))

    def action_bring_back(self) -> None:
        if not bring_back(self.app):  # what was typed and discarded
            self._tasks.restore()

    def action_experiments(self) -> None:
        self.dismiss(None)
        self.app.call_later(self._show_experiments)

    def action_import(self) -> None:
        def chosen(source: Path | str | None) -> None:
            if source:
                self._tasks.preview_import(
                    source, list(self._personas()), self._show_progress, self._imported
                )

        open_form(self.app, ImportDialog, chosen)

    def _imported(self, personas: Sequence[Persona]) -> None:
        if personas:
            self._import_personas(list(personas))
        if self.is_current:
            self._show_count()

    def _show_progress(self, note: str) -> None:
        if self.is_current:
            self.query_one(".library-top .library-note", Static).update(Content(safe(note)))
