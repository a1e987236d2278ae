"""Turns the pieces of a reply of a Python class into events."""

from __future__ import annotations

import time

from ..base import Chunk, Finished, FinishReason, Generation, GenerationResult, Retracted, Started
from ..reasoning import ReasoningSplitter, Split
from ..stop_strings import StopStrings


class OwnReply:
    """Emits the events of ``generation``. Tokens are not counted."""

    def __init__(self, generation: Generation) -> None:
        self.generation = generation
        self._splitter = ReasoningSplitter()
        self._stop = StopStrings(generation.request.stop)
        self._text: list[str] = []
        self._started_at = time.monotonic()
        self._first_at = 0.0

    def take(self, piece: str) -> bool:
        """Take the next piece. True if it ends the reply, whose result is then emitted."""
        if not self._first_at:
            self._first_at = time.monotonic()
            self.generation.emit(Started(self.generation, 0))
        self._emit(self._splitter.feed(piece))
        if self._stop.has_matched:
            self.finish("stop")
        return self._stop.has_matched

    def finish(self, reason: FinishReason) -> None:
        """End the reply: emit the text that was held back, and the result."""
        if not self._stop.has_matched:
            self._emit(self._splitter.finish())
            self._emit_text(self._stop.flush())
        ended_at = time.monotonic()
        result = GenerationResult(
            text="".join(self._text),
            finish_reason=reason,
            prompt_tokens=0,
            completion_tokens=0,
            cached_tokens=0,
            seconds=ended_at - self._started_at,
            time_to_first_token=(self._first_at or ended_at) - self._started_at,
            reasoning=self._splitter.reasoning,
        )
        self.generation.emit(Finished(self.generation, result))

    def _emit(self, split: Split) -> None:
        if split.retracted:
            self._stop = StopStrings(self.generation.request.stop)
            if self._text:
                self._text.clear()
                self.generation.emit(Retracted(self.generation))
        self._emit_text(self._stop.push(split.speech))

    def _emit_text(self, text: str) -> None:
        if text:
            self._text.append(text)
            self.generation.emit(Chunk(self.generation, text, 0))
