"""Token ids → text as it grows, cut at stop strings. Knows tokenizers, nothing of models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

UNFINISHED = "\ufffd"  # what decoders put where the bytes of a character are still missing


class TextStream:
    """Text of one reply, O(1) per token. Special tokens give no text."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._ids: list[int] = []
        self._backend: Any = None
        if getattr(tokenizer, "is_fast", False):
            from tokenizers.decoders import DecodeStream

            self._backend = tokenizer.backend_tokenizer
            self._stream = DecodeStream(skip_special_tokens=True)
        self._window = self._read = 0  # tokens of the last piece of text: ids[window:read]

    def push(self, token_id: int) -> str:
        """The text that ``token_id`` completes; empty while a character is unfinished."""
        self._ids.append(token_id)
        if self._backend is None:
            return self._fresh(self._undecoded())
        try:
            return self._fresh(self._stream.step(self._backend, token_id) or "")
        except Exception:  # "Invalid prefix encountered": some byte-fallback vocabularies
            self._backend = None
            return self._fresh(self._undecoded())

    def flush(self) -> str:
        """Text still held back at the end, without a character that never got complete."""
        return self._undecoded(at_end=True)

    def _fresh(self, text: str) -> str:
        if text:
            self._window, self._read = self._read, len(self._ids)
        return text

    def _undecoded(self, at_end: bool = False) -> str:
        # The tokens of the last piece of text are decoded again with the new ones, because
        # spaces and bytes of a token can depend on the one before it.
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
    """Lets text through up to the first stop string.

    What may be the beginning of a stop string is held back until it is known.
    """

    def __init__(self, stop: Sequence[str]) -> None:
        self._stop = tuple(text for text in stop if text)
        self._held = ""
        self.found = False

    def push(self, text: str) -> str:
        """The part of the text so far that can be shown. Sets ``found`` at a stop string."""
        if self.found or not text:
            return ""
        text = self._held + text
        starts = [at for stop in self._stop if (at := text.find(stop)) >= 0]
        if starts:
            self.found, self._held = True, ""
            return text[: min(starts)]
        keep = max((_overlap(text, stop) for stop in self._stop), default=0)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def flush(self) -> str:
        """What is held back when no more text comes."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, stop: str) -> int:
    """The length of the longest end of ``text`` that begins ``stop``."""
    for length in range(min(len(stop) - 1, len(text)), 0, -1):
        if text.endswith(stop[:length]):
            return length
    return 0
