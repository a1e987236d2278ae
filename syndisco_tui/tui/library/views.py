"""Looks at saved discussions from the library: several in the turn lab, two side by side."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from textual.app import App

from ...discussion import DiscussionRecord
from ...text import safe
from ...workspace.discussions import read_discussion
from ...workspace.inputs import InputError
from ..inspect.compare import Compare, CompareWith
from ..inspect.turn_lab import TurnLab
from ..widgets.speaker_colours import SpeakerColours


class LibraryViews:
    """Reads files on a thread and shows them over the screen in front."""

    def __init__(self, app: App[int], folder: Path, colours: SpeakerColours) -> None:
        self._app = app
        self._folder = folder
        self._colours = colours

    def turn_lab(self, paths: Sequence[Path]) -> None:
        """All of them in the turn lab."""
        self._read(paths, self._show_turn_lab)

    def compare(self, paths: Sequence[Path]) -> None:
        """Two side by side; with one, ask for the other first."""
        self._read(paths, self._show_compared)

    def _read(
        self, paths: Sequence[Path], show: Callable[[list[DiscussionRecord]], object]
    ) -> None:
        def read() -> None:
            try:
                records = [read_discussion(path) for path in paths]
            except InputError as error:
                notify = partial(self._app.notify, severity="error", markup=False, timeout=12)
                self._app.call_from_thread(notify, safe(str(error)))
            else:
                self._app.call_from_thread(show, records)

        self._app.run_worker(read, thread=True, exit_on_error=False)

    def _show_turn_lab(self, records: list[DiscussionRecord]) -> None:
        self._app.push_screen(TurnLab(lambda: records, None, self._colours_of(records)))

    def _show_compared(self, records: list[DiscussionRecord]) -> None:
        first = records[0]

        def show(second: DiscussionRecord | None) -> None:
            if second:
                colours = self._colours_of([first, second])
                self._app.push_screen(Compare(lambda: first, second, colours))

        if len(records) == 1:
            self._app.push_screen(CompareWith(first, self._folder), show)
        else:
            show(records[1])

    def _colours_of(self, records: Sequence[DiscussionRecord]) -> dict[str, str]:
        names = dict.fromkeys(name for record in records for name in record.setup.names)
        return self._colours.by_name(names, dark=self._app.current_theme.dark)
