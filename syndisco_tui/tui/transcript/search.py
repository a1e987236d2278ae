"""Search, and jump to a turn: what is typed in the line below a transcript, and where it leads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.widget import Widget

from ..widgets.input_line import InputLine
from .matches import Matches

if TYPE_CHECKING:
    from .transcript import Transcript


class Search:
    """Moves the transcript's current message to what was asked for."""

    def __init__(self, transcript: Transcript) -> None:
        self._transcript = transcript
        self._line: InputLine | None = None
        self._from: int | None = None
        """Where we were when the search began; None is the end, followed."""
        self.matches: Matches | None = None

    # The line ----------------------------------------------------------------------------------

    def open_search(self) -> None:
        """Type what to search for; Escape goes back to where we were, Enter stays."""
        if self.matches is None:
            self._from = None if self._transcript.cursor.follows else self._transcript.current
        if self._line is not None and self._line.sign == "/":
            self._line.take_focus()
        else:
            self._open(InputLine("/", "search the transcript", self._typed, self._give_up))

    def open_jump(self) -> None:
        """Type the number of a turn."""
        self.leave_search()
        self._open(InputLine("#", f"turn 1 to {self._last_turn}", self._turn_typed, self._close))

    def _open(self, line: InputLine) -> None:
        self._close()
        self._line = line
        pane = self._transcript.parent
        assert isinstance(pane, Widget)
        pane.mount(line, after=self._transcript)

    def _close(self) -> None:
        if self._line is not None:
            line, self._line = self._line, None
            self._transcript.focus()
            line.remove()

    @property
    def is_typing(self) -> bool:
        return self._line is not None and self._line.has_focus_within

    # Search ------------------------------------------------------------------------------------

    def _typed(self, query: str, done: bool) -> None:
        if done and query.strip():
            self._transcript.focus()
        elif done:
            self.leave_search()
        else:
            self._search_for(query)

    def _search_for(self, query: str) -> None:
        transcript = self._transcript
        lines = transcript.lines
        self._set_search(Matches(query, lines.entries, lines.rows, wider=self.matches))
        hits = self.matches.hits if self.matches else []
        if not hits:
            self._go_back()
        elif self._from is None:
            transcript.cursor.go_to(hits[-1])  # from the end, the newest
        else:
            transcript.cursor.go_to(next((hit for hit in hits if hit >= self._from), hits[0]))
        self.show_count()

    def _set_search(self, matches: Matches | None) -> None:
        self.matches = matches
        self._transcript.seek(matches.pattern if matches else None)

    def _go_back(self) -> None:
        if self._from is None:
            self._transcript.cursor.follow()
        else:
            self._transcript.cursor.go_to(self._from)

    def _give_up(self) -> None:
        self._go_back()
        self.leave_search()

    def leave_search(self) -> None:
        """No more marks; we stay where we are."""
        self._set_search(None)
        self._close()

    def next(self) -> None:
        """To the next message that has it."""
        if self.matches and (current := self._transcript.current) is not None:
            self._go_to(self.matches.next(current))

    def previous(self) -> None:
        """To the one before."""
        if self.matches and (current := self._transcript.current) is not None:
            self._go_to(self.matches.previous(current))

    def _go_to(self, hit: int | None) -> None:
        if hit is not None:
            self._transcript.cursor.go_to(hit)

    def said(self, entry: int) -> None:
        """One more message is shown."""
        if self.matches:
            self.matches.look_at(entry, self._transcript.lines.entries[entry].text)
            self.show_count()

    def repeat_search(self) -> None:
        """Other messages are shown: the same search in these."""
        if self.matches:
            lines = self._transcript.lines
            self._set_search(Matches(self.matches.query, lines.entries, lines.rows))
            self.show_count()

    def show_count(self) -> None:
        """Where we are among the hits."""
        if self.matches and self._line and self._line.sign == "/":
            self._line.note(self.matches.count(self._transcript.current))

    # Turns -------------------------------------------------------------------------------------

    @property
    def _last_turn(self) -> int:
        return max((entry.turn for entry in self._transcript.lines.entries), default=0)

    def _turn_typed(self, text: str, done: bool) -> None:
        """Go there while the number is typed; Enter closes the line."""
        lines = self._transcript.lines
        turn = int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0
        shown = (row for row in lines.rows if lines.entries[row].role == "user")
        entry = next((e for e in shown if lines.entries[e].turn >= turn), None)
        is_there = 1 <= turn <= self._last_turn and entry is not None
        if self._line:
            wanted = not text or is_there
            self._line.note("" if wanted else f"there are turns 1 to {self._last_turn}")
        if is_there and entry is not None:
            self._transcript.cursor.go_to(entry)
        if done and (is_there or not text):
            self._close()
