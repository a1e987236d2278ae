"""Where each of many rows starts when some change their height: a Fenwick tree.

P. M. Fenwick, "A new data structure for cumulative frequency tables", Software: Practice and
Experience 24 (1994): sums and changes in O(log n).
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable


class Heights:
    """Heights of rows, in lines, and their sums."""

    def __init__(self, heights: Iterable[int] = ()) -> None:
        self._heights = array("q", heights)  # not lists: 50,000 numbers are 50,000 objects
        self._tree = array("q", (0, *self._heights))
        for node in range(1, len(self._tree)):
            parent = node + (node & -node)
            if parent < len(self._tree):
                self._tree[parent] += self._tree[node]
        self.total = sum(self._heights)

    def __len__(self) -> int:
        return len(self._heights)

    def __getitem__(self, row: int) -> int:
        return self._heights[row]

    def __setitem__(self, row: int, height: int) -> None:
        change = height - self._heights[row]
        if not change:
            return
        self._heights[row] = height
        self.total += change
        node = row + 1
        while node < len(self._tree):
            self._tree[node] += change
            node += node & -node

    def append(self, height: int) -> None:
        """One more row at the end."""
        node = len(self._tree)
        covered = node - (node & -node)
        self._tree.append(self.start(node - 1) - self.start(covered) + height)
        self._heights.append(height)
        self.total += height

    def pop(self) -> None:
        """Without the last row."""
        self._tree.pop()
        self.total -= self._heights.pop()

    def start(self, row: int) -> int:
        """The line at which ``row`` starts; ``row`` may be one past the last."""
        lines = 0
        while row:
            lines += self._tree[row]
            row &= row - 1
        return lines

    def row_at(self, line: int) -> int:
        """The row that ``line`` is in; the first or the last one if it is in none."""
        node, step = 0, 1 << len(self._heights).bit_length()
        while step:
            after = node + step
            if after < len(self._tree) and self._tree[after] <= line:
                node = after
                line -= self._tree[after]
            step >>= 1
        return max(0, min(node, len(self._heights) - 1))
