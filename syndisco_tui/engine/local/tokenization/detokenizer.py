"""Incremental detokenization."""

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
