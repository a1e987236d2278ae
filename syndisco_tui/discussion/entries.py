"""What was said, in little memory: a sequence of messages of which the older ones are packed.

A discussion may go on for tens of thousands of messages, and few but the newest are looked at.
Older ones stand in blocks, compressed, and are unpacked when somebody asks for one.
"""

from __future__ import annotations

import pickle
import zlib
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, overload

from .record import Message

BLOCK = 64
"""Messages packed together: the more, the smaller; the fewer, the quicker one of them is had."""
PLAIN = 256
"""So many of the newest, at least, stay as they are."""
BLOCKS_AT_HAND = 8
"""Blocks that stay unpacked for a while, of all discussions together."""


class Entries(Sequence[Message]):
    """Messages, oldest first. A value like a tuple: it never changes, and equals one.

    A longer one shares what it has in common with the shorter one it was made from. What came
    as a whole (from a file) stays as it came; what was added since is packed by and by.
    """

    __slots__ = ("_blocks", "_length", "_recent", "_whole")

    def __init__(self, messages: Iterable[Message] = ()) -> None:
        self._whole = tuple(messages)
        self._blocks: tuple[_Block, ...] = ()
        self._recent: tuple[Message, ...] = ()
        self._length = len(self._whole)

    @classmethod
    def of(cls, messages: Iterable[Message]) -> Entries:
        """``messages`` as such a sequence; itself if it is one."""
        return messages if isinstance(messages, Entries) else cls(messages)

    @classmethod
    def _made_of(
        cls, whole: tuple[Message, ...], blocks: tuple[_Block, ...], recent: tuple[Message, ...]
    ) -> Entries:
        entries = cls()
        entries._whole, entries._blocks, entries._recent = whole, blocks, recent
        entries._length = len(whole) + BLOCK * len(blocks) + len(recent)
        return entries

    # Made from it ------------------------------------------------------------------------------

    def plus(self, *messages: Message) -> Entries:
        """With ``messages`` at the end."""
        blocks, recent = self._blocks, (*self._recent, *messages)
        while len(recent) >= PLAIN + BLOCK:
            blocks, recent = (*blocks, _Block(recent[:BLOCK])), recent[BLOCK:]
        return self._made_of(self._whole, blocks, recent)

    def first(self, count: int) -> Entries:
        """The first ``count``, or all if there are not that many."""
        if count >= self._length:
            return self
        if count <= len(self._whole):
            return Entries(self._whole[: max(0, count)])
        number, rest = divmod(count - len(self._whole), BLOCK)
        if number < len(self._blocks):
            recent = _at_hand(self._blocks[number])[:rest]
        else:
            recent = self._recent[: count - self._length]
        return self._made_of(self._whole, self._blocks[:number], recent)

    def changed(self, position: int, message: Message) -> Entries:
        """With ``message`` in the place of the one at ``position``."""
        if position < len(self._whole):
            whole = (*self._whole[:position], message, *self._whole[position + 1 :])
            return self._made_of(whole, self._blocks, self._recent)
        number, place = divmod(position - len(self._whole), BLOCK)
        if number < len(self._blocks):
            inside = _at_hand(self._blocks[number])
            block = _Block((*inside[:place], message, *inside[place + 1 :]))
            blocks = (*self._blocks[:number], block, *self._blocks[number + 1 :])
            return self._made_of(self._whole, blocks, self._recent)
        place = position - self._length + len(self._recent)
        recent = (*self._recent[:place], message, *self._recent[place + 1 :])
        return self._made_of(self._whole, self._blocks, recent)

    def texts(self, positions: Iterable[int]) -> Iterator[str]:
        """The texts of the entries at ``positions``, quickest if these ascend."""
        at, texts = -1, []
        for position in positions:
            number, place = divmod(position - len(self._whole), BLOCK)
            if not 0 <= number < len(self._blocks):
                yield self[position].text
                continue
            if number != at:
                at, texts = number, self._blocks[number].texts()
            yield texts[place]

    # As a sequence -----------------------------------------------------------------------------

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[Message]:
        return chain(self._whole, self._since(0))

    def _since(self, block: int) -> Iterator[Message]:
        """From a block on."""
        packed = (each.messages() for each in self._blocks[block:])
        return chain(chain.from_iterable(packed), self._recent)

    @overload
    def __getitem__(self, index: int) -> Message: ...

    @overload
    def __getitem__(self, index: slice) -> Sequence[Message]: ...

    def __getitem__(self, index: int | slice) -> Message | Sequence[Message]:
        if isinstance(index, slice):
            return self._slice(index)
        if index < 0:
            index += self._length
        if not 0 <= index < self._length:
            raise IndexError("no such entry")
        if index < len(self._whole):
            return self._whole[index]
        from_end = index - self._length
        if from_end >= -len(self._recent):
            return self._recent[from_end]
        number, place = divmod(index - len(self._whole), BLOCK)
        return _at_hand(self._blocks[number])[place]

    def _slice(self, index: slice) -> Sequence[Message]:
        start, stop, step = index.indices(self._length)
        if start == 0 and step == 1:
            return self.first(stop)
        return tuple(self[each] for each in range(start, stop, step))

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if isinstance(other, tuple):
            return self._length == len(other) and tuple(self) == other
        if not isinstance(other, Entries):
            return NotImplemented
        if self._length != other._length:
            return False
        if self._whole is not other._whole:
            return tuple(self) == tuple(other)
        pairs = enumerate(zip(self._blocks, other._blocks, strict=False))
        most = min(len(self._blocks), len(other._blocks))
        same = next((number for number, (a, b) in pairs if a is not b), most)
        return tuple(self._since(same)) == tuple(other._since(same))

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Entries({tuple(self)!r})"


class _Block:
    """Messages, packed. Their texts stand apart: most who look at all of them want only these."""

    __slots__ = ("_rest", "_texts")

    def __init__(self, messages: tuple[Message, ...]) -> None:
        self._texts = _packed([message.text for message in messages])
        self._rest = _packed([{**vars(message), "text": ""} for message in messages])

    def texts(self) -> list[str]:
        texts: list[str] = _unpacked(self._texts)
        return texts

    def messages(self) -> tuple[Message, ...]:
        messages = []
        for text, rest in zip(self.texts(), _unpacked(self._rest), strict=True):
            message = object.__new__(Message)  # its own way in takes six times as long
            vars(message).update(rest, text=text)
            messages.append(message)
        return tuple(messages)


def _packed(values: Sequence[object]) -> bytes:
    return zlib.compress(pickle.dumps(values, pickle.HIGHEST_PROTOCOL))


def _unpacked(packed: bytes) -> Any:
    # Pickle's danger is foreign bytes: these were made above and have gone nowhere.
    return pickle.loads(zlib.decompress(packed))


@lru_cache(maxsize=BLOCKS_AT_HAND)
def _at_hand(block: _Block) -> tuple[Message, ...]:
    return block.messages()
