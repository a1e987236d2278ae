"""One reply in the making: tokens in, events out, and when it ends. The same for every path.

Knows no tensors; the decoders hand it token ids.
"""

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
    """Follows ``generation`` from its prompt to its result, and tells its listener."""

    def __init__(
        self, generation: Generation, prompt: list[int], tokenizer: Any, eos: Collection[int]
    ) -> None:
        self.generation = generation
        self.prompt = prompt
        self.cached_tokens = 0
        self.token_ids: list[int] = []
        self.started = False
        self._eos = eos
        self._stream = TextStream(tokenizer)
        self._stop = StopStrings(generation.request.stop)
        self._text: list[str] = []
        self._began = time.perf_counter()
        self._first_token_at = self._began

    def start(self) -> None:
        """The prompt has been read."""
        self.started = True
        self.generation.emit(Started(self.generation, len(self.prompt)))

    def push(self, token_id: int) -> bool:
        """Take the next token. True if the reply ended with it (and has been told so)."""
        if not self.token_ids:
            self._first_token_at = time.perf_counter()
        if token_id in self._eos:
            self.finish("stop")
            return True
        self.token_ids.append(token_id)
        self._say(self._stop.push(self._stream.push(token_id)))
        if self._stop.found:
            self.finish("stop")
        elif len(self.token_ids) >= self.generation.request.max_out_tokens:
            self.finish("length")
        return self.generation.is_done

    def finish(self, reason: FinishReason) -> None:
        """End it: tell the text still held back, then the result."""
        self._say(self._stop.push(self._stream.flush()) + self._stop.flush())
        now = time.perf_counter()
        result = GenerationResult(
            text="".join(self._text),
            finish_reason="stop" if self._stop.found else reason,
            prompt_tokens=len(self.prompt),
            completion_tokens=len(self.token_ids),
            cached_tokens=self.cached_tokens,
            seconds=now - self._began,
            time_to_first_token=(self._first_token_at if self.token_ids else now) - self._began,
            token_ids=tuple(self.token_ids),
        )
        self.generation.emit(Finished(self.generation, result))

    def fail(self, error: EngineError) -> None:
        """End it without a result."""
        self.generation.emit(Failed(self.generation, error))

    def abandon(self, error: EngineError | None) -> None:
        """End it before its time: failed with ``error``, or else cancelled."""
        if error:
            self.fail(error)
        else:
            self.finish("cancelled")

    def _say(self, text: str) -> None:
        if text:
            self._text.append(text)
            self.generation.emit(Chunk(self.generation, text, len(self.token_ids)))


def sentence(error: BaseException) -> str:
    """An unexpected exception as one sentence for a person."""
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
    if reason.startswith("CUDA"):  # from then on nothing works on it in this process
        return f"The GPU has failed ({reason}): start syndisco-tui again, and resume."
    return f"The reply could not be made ({reason}): try again."


def too_long(prompt_tokens: int, context_length: int) -> EngineError:
    """What to say of a prompt that leaves the model no room for a reply."""
    return EngineError(
        f"The prompt has {prompt_tokens:,} tokens and the model reads fewer than "
        f"{context_length:,}: shorten the history, the context or the persona."
    )
