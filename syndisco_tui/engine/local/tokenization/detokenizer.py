"""Incremental detokenization, and stop strings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

UNFINISHED = "\ufffd"  # what tokenizers decode an incomplete UTF-8 sequence to


class TextStream:
    """Decodes the tokens of one reply as they come, in O(1) a token; special tokens are dropped."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._ids: list[int] = []
        self._backend: Any = None
        if getattr(tokenizer, "is_fast", False):
            from tokenizers.decoders import DecodeStream

            self._backend = tokenizer.backend_tokenizer
            self._stream = DecodeStream(skip_special_tokens=True)
        self._window = self._read = 0  # the last text came from the tokens ids[window:read]

    def push(self, token_id: int) -> str:
        """The text that ``token_id`` adds; empty while a character is incomplete."""
        self._ids.append(token_id)
        if self._backend is None:
            return self._advance(self._undecoded())
        try:
            return self._advance(self._stream.step(self._backend, token_id) or "")
        except Exception:  # "Invalid prefix encountered": some byte-fallback vocabularies
            self._backend = None
            return self._advance(self._undecoded())

    def flush(self) -> str:
        """The text still held back at the end of the reply, without an incomplete character."""
        return self._undecoded(at_end=True)

    def _advance(self, text: str) -> str:
        if text:
            self._window, self._read = self._read, len(self._ids)
        return text

    def _undecoded(self, at_end: bool = False) -> str:
        # Decoded together with the tokens before them, on which spaces and bytes can depend.
        before = self._decode(self._ids[self._window : self._read])
        after = self._decode(self._ids[self._window :])
        if after.endswith(UNFINISHED) and not at_end:
            return ""
        text = after[len(before) :]
        return text.rstrip(UNFINISHED) if at_end else text

    def _decode(self, ids: Sequence[int]) -> str:
        return str(
            self._tokenizer.decode(
                ids, skip_special_tokens=True, clean_up_tokenization_spaces=False
            )
        )


class StopStrings:
    """Passes text on up to the first stop string, holding back what may be the start of one."""

    def __init__(self, stop: Sequence[str]) -> None:
        self._stop = tuple(text for text in stop if text)
        self._held = ""
        self.has_matched = False

    def push(self, text: str) -> str:
        """The part of the text so far that can be shown; sets ``has_matched`` at a stop string."""
        if self.has_matched or not text:
            return ""
        text = self._held + text
        starts = [start for stop in self._stop if (start := text.find(stop)) >= 0]
        if starts:
            self.has_matched, self._held = True, ""
            return text[: min(starts)]
        shown = len(text) - max((_overlap(text, stop) for stop in self._stop), default=0)
        self._held = text[shown:]
        return text[:shown]

    def flush(self) -> str:
        """The text still held back when no more comes."""
        text, self._held = self._held, ""
        return text


def _overlap(text: str, stop: str) -> int:
    """The length of the longest suffix of ``text`` that is a prefix of ``stop``."""
    for length in range(min(len(stop) - 1, len(text)), 0, -1):
        if text.endswith(stop[:length]):
            return length
    return 0
