"""One reply while it is made: token ids in, events out, and how it ends."""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Any

from ...base import (
    Chunk,
    EngineError,
    Failed,
    Finished,
    FinishReason,
    Generation,
    GenerationResult,
    Started,
)
from ..tokenization.detokenizer import StopStrings, TextStream


class Reply:
    """Turns the tokens of one reply into the events of its ``generation``.

    Args:
        generation: The caller's handle, through which events are emitted.
        prompt: Token ids.
        tokenizer: Decodes the reply.
        eos: Ids of tokens that end the reply.
        context_length: How many tokens the prompt and the reply may have together.
    """

    def __init__(
        self,
        generation: Generation,
        prompt: list[int],
        tokenizer: Any,
        eos: Collection[int],
        context_length: int,
    ) -> None:
        self.generation = generation
        self.prompt = prompt
        self.cached_tokens = 0
        self.token_ids: list[int] = []
        self.started = False
        self._eos = eos
        self._context_length = context_length
        self._stream = TextStream(tokenizer)
        self._stop = StopStrings(generation.request.stop)
        self._text: list[str] = []
        self._created_at = time.perf_counter()
        self._first_token_at = self._created_at

    @property
    def max_length(self) -> int:
        """How many tokens the prompt and the whole reply can have."""
        longest = len(self.prompt) + self.generation.request.max_out_tokens
        return min(longest, self._context_length)

    def start(self) -> None:
        """Emit that the prompt has been read."""
        self.started = True
        self.generation.emit(Started(self.generation, len(self.prompt)))

    def push(self, token_id: int) -> bool:
        """Take the next token. True if it ended the reply, whose result is then emitted."""
        if not self.token_ids:
            self._first_token_at = time.perf_counter()
        if token_id in self._eos:
            self.finish("stop")
            return True
        self.token_ids.append(token_id)
        self._emit_text(self._stop.push(self._stream.push(token_id)))
        if self._stop.has_matched:
            self.finish("stop")
        elif len(self.prompt) + len(self.token_ids) >= self.max_length:
            self.finish("length")
        return self.generation.is_done

    def finish(self, reason: FinishReason) -> None:
        """End the reply: emit the text still held back, then the result."""
        self._emit_text(self._stop.push(self._stream.flush()) + self._stop.flush())
        ended_at = time.perf_counter()
        first_token_at = self._first_token_at if self.token_ids else ended_at
        result = GenerationResult(
            text="".join(self._text),
            finish_reason="stop" if self._stop.has_matched else reason,
            prompt_tokens=len(self.prompt),
            completion_tokens=len(self.token_ids),
            cached_tokens=self.cached_tokens,
            seconds=ended_at - self._created_at,
            time_to_first_token=first_token_at - self._created_at,
            token_ids=tuple(self.token_ids),
        )
        self.generation.emit(Finished(self.generation, result))

    def fail(self, error: EngineError) -> None:
        """End the reply without a result."""
        self.generation.emit(Failed(self.generation, error))

    def abort(self, error: EngineError | None) -> None:
        """End the reply early: failed with ``error``, or cancelled if there is none."""
        if error:
            self.fail(error)
        else:
            self.finish("cancelled")

    def _emit_text(self, text: str) -> None:
        if text:
            self._text.append(text)
            self.generation.emit(Chunk(self.generation, text, len(self.token_ids)))
