"""The lines of a whole transcript. A message is wrapped when it comes near the pane.

Until then its height is estimated. Rows are the messages that are shown: all, or those of one
speaker, and last the reply in the making.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence

from ...discussion import Message
from .blocks import Block, block_of, likely_height, shown_name
from .heights import Heights

MOST_BLOCKS = 400
"""Wrapped messages that are kept."""


class Lines:
    """Messages, their heights at ``width`` cells, and the lines of those that were looked at."""

    def __init__(self) -> None:
        self.width = 80
        self.entries: list[Message] = []
        self.speakers: Counter[str] = Counter()
        """How many entries each name has, in the order in which they first spoke."""
        self.growing: Block | None = None
        self.outside_authors: frozenset[str] = frozenset()
        """Authors of seed opinions who take no part."""
        self.speaker: str | None = None
        """The only one who is shown, or None for all."""
        self._rows: list[int] | None = None
        """The entries of ``speaker``, ascending."""
        self._heights = Heights()
        self._is_exact = bytearray()
        self._blocks: OrderedDict[int, Block] = OrderedDict()

    # What is shown -----------------------------------------------------------------------------

    def show(self, messages: Iterable[Message]) -> None:
        """These messages and nothing else."""
        self.entries = list(messages)
        self.speakers = Counter(shown_name(entry.name) for entry in self.entries)
        self.growing = None
        self._blocks.clear()
        self._arrange()

    def only(self, speaker: str | None) -> None:
        """Only the messages of ``speaker``, or all again."""
        self.speaker = speaker
        self._arrange()

    def set_width(self, width: int) -> None:
        """Wrap at another width."""
        if width != self.width:
            self.width = width
            self._blocks.clear()
            self._arrange()

    def _arrange(self) -> None:
        self._rows = None
        if self.speaker is not None:
            self._rows = [i for i, entry in enumerate(self.entries) if self.is_shown(entry)]
        texts = (self.entries[row].text for row in self.rows)
        self._heights = Heights(likely_height(text, self.width) for text in texts)
        self._is_exact = bytearray(len(self._heights))
        if self.growing is not None and self.is_shown(self.growing):
            self._append_growing(self.growing)

    def is_shown(self, said: Message | Block) -> bool:
        """Whether the speaker is one of those who are shown."""
        return self.speaker is None or shown_name(said.name) == self.speaker

    def begin(self, block: Block) -> None:
        """A reply is in the making."""
        self.drop()
        self.growing = block
        if self.is_shown(block):
            self._append_growing(block)

    def _append_growing(self, block: Block) -> None:
        block.wrap(self.width)
        self._heights.append(block.height)
        self._is_exact.append(1)

    def grow(self, text: str) -> range:
        """The reply in the making, as it is by now. Returns the lines that may have changed."""
        block = self.growing
        if block is None:
            return range(0)
        height = block.height
        first = block.grow(text)
        if not self.shows_growing:
            return range(0)
        row = len(self._heights) - 1
        self._heights[row] = block.height
        start = self._heights.start(row)
        return range(start + first, start + max(height, block.height))

    def drop(self) -> None:
        """The reply in the making will not come."""
        if self.shows_growing:
            self._heights.pop()
            self._is_exact.pop()
        self.growing = None

    def append(self, message: Message) -> None:
        """One more message, in the place of the reply in the making."""
        self.drop()
        self.entries.append(message)
        self.speakers[shown_name(message.name)] += 1
        if self.is_shown(message):
            if self._rows is not None:
                self._rows.append(len(self.entries) - 1)
            self._heights.append(likely_height(message.text, self.width))
            self._is_exact.append(0)

    # Rows --------------------------------------------------------------------------------------

    @property
    def rows(self) -> Sequence[int]:
        """The entry of each row, without the reply in the making."""
        return range(len(self.entries)) if self._rows is None else self._rows

    @property
    def shows_growing(self) -> bool:
        """Whether the last row is a reply in the making."""
        return self.growing is not None and len(self._heights) > len(self.rows)

    @property
    def row_count(self) -> int:
        return len(self._heights)

    def entry_of(self, row: int) -> int:
        """The entry of a row; the reply in the making is the one after the last."""
        return self.rows[row] if row < len(self.rows) else len(self.entries)

    def row_of(self, entry: int) -> int:
        """The row of an entry; of one that is not shown, the row after it."""
        return entry if self._rows is None else bisect_left(self._rows, entry)

    def block(self, row: int) -> Block:
        """What a row shows, wrapped."""
        if row >= len(self.rows):
            assert self.growing is not None
            self.growing.wrap(self.width)
            return self.growing
        entry = self.rows[row]
        block = self._blocks.get(entry)
        if block is None:
            message = self.entries[entry]
            is_stranger = message.role == "seed" and message.name in self.outside_authors
            block = self._blocks[entry] = block_of(message, is_stranger=is_stranger)
            block.wrap(self.width)
            if len(self._blocks) > MOST_BLOCKS:
                self._blocks.popitem(last=False)
        else:
            self._blocks.move_to_end(entry)
        self._heights[row] = block.height
        self._is_exact[row] = 1
        return block

    # Lines -------------------------------------------------------------------------------------

    @property
    def total(self) -> int:
        """All lines; those of messages that were not looked at yet are estimated."""
        return self._heights.total

    def start(self, row: int) -> int:
        """The line at which a row starts."""
        return self._heights.start(row)

    def height(self, row: int) -> int:
        """Lines of a row, with the blank one at its end."""
        return self._heights[row]

    def row_at(self, line: int) -> int:
        return self._heights.row_at(line)

    def settle(self, top: int, height: int, margin: int) -> int:
        """Wrap what is seen from line ``top`` on, ``height`` lines, and ``margin`` around it.

        Returns the line at which the same picture starts now: wrapping what is above moves it.
        """
        if not self._heights:
            return 0
        row = self.row_at(top)
        inside = min(top - self.start(row), self._settled(row) - 1)
        below = self._settle_down(row + 1, height + margin + inside - self._heights[row])
        self._settle_up(row - 1, max(margin, below) - inside)  # at the end more of it is seen
        return self.start(row) + max(0, inside)

    def settle_row(self, row: int, around: int) -> None:
        """Wrap a row and ``around`` lines before and after it."""
        self._settled(row)
        self._settle_down(row + 1, around)
        self._settle_up(row - 1, around)

    def settle_end(self, height: int) -> None:
        """Wrap the last ``height`` lines."""
        self._settle_up(self.row_count - 1, height)

    def _settled(self, row: int) -> int:
        if not self._is_exact[row]:
            self.block(row)
        return self._heights[row]

    def _settle_down(self, row: int, lines: int) -> int:
        """Returns how many of the wanted lines there are not."""
        while lines > 0 and row < self.row_count:
            lines -= self._settled(row)
            row += 1
        return lines

    def _settle_up(self, row: int, lines: int) -> None:
        while lines > 0 and row >= 0:
            lines -= self._settled(row)
            row -= 1
