"""One reply while it is made: token ids in, events out, and how it ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...base import (
    Chunk,
    EngineError,
    Failed,
    Finished,
    FinishReason,
    Generation,
    GenerationResult,
    Retracted,
    Started,
)
from ...reasoning import ENDS_CHANNEL, ReasoningSplitter, Split
from ...stop_strings import StopStrings
from ..tokenization.chat_tokenizer import Prompt
from ..tokenization.detokenizer import TextStream

CLOSING_ROOM = 24
"""Tokens for the end of a thought that has used up ``max_reasoning_tokens``."""


@dataclass(frozen=True)
class ReplyTokens:
    """The special tokens in a model's replies."""

    tokenizer: Any
    """Decodes a reply."""
    eos: Collection[int]
    """Ids of tokens that end a reply."""
    tags: Mapping[int, str] = field(default_factory=dict)
    """Added tokens that tell reasoning from speech: their texts by id."""
    encode: Callable[[str], list[int]] | None = None
    """Text to token ids; None where a model cannot go on from a reply that was begun for it."""

    def ends_reply(self, token_id: int, *, in_reasoning: bool) -> bool:
        """Whether a token ends the reply: in gpt-oss's format one of them also ends a thought."""
        return token_id in self.eos and not (
            in_reasoning and self.tags.get(token_id) == ENDS_CHANNEL
        )


class Reply:
    """Turns the tokens of one reply into the events of its ``generation``.

    Reasoning is separated from the answer; stop strings and ``max_out_tokens`` apply to the answer.
    Reasoning that has used up ``max_reasoning_tokens`` is ended: its closing tokens are added to
    the reply, and ``needs_reading`` is set.

    Args:
        generation: The caller's handle, through which events are emitted.
        prompt: What the model reads first.
        tokens: What the model's tokens mean.
        context_length: How many tokens the prompt and the reply may have together.
    """

    def __init__(
        self, generation: Generation, prompt: Prompt, tokens: ReplyTokens, context_length: int
    ) -> None:
        request = generation.request
        self.generation = generation
        self.prompt = prompt.ids
        """Token ids."""
        self.begins_in_thought = bool(prompt.opened)
        """Whether the prompt has opened a reasoning tag."""
        self.context = self.prompt
        """Token ids to be read before the next token is chosen: the prompt, and what the reply
        has when a thought was ended."""
        self.needs_reading = True
        """Whether ``context`` is to be read."""
        self.cached_tokens = 0
        self.token_ids: list[int] = []
        length = len(self.prompt) + request.max_out_tokens
        if request.max_reasoning_tokens:
            length += request.max_reasoning_tokens + CLOSING_ROOM
        self.max_length = min(length, context_length)
        """How many tokens the prompt and the whole reply can have."""
        self.max_tokens = self.max_length - len(self.prompt)
        """How many tokens the whole reply can have."""
        room = context_length - len(self.prompt) - request.max_out_tokens - CLOSING_ROOM
        self._max_reasoning_tokens = max(0, min(request.max_reasoning_tokens, room))
        self._has_started = False
        self._tokens, self._eos = tokens, tokens.eos
        self._notes = prompt.notes
        self._stream = TextStream(tokens.tokenizer)
        self._splitter = ReasoningSplitter(opened=prompt.opened)
        self._is_speaking = self._splitter.is_speaking
        self._reasoning_tokens = 0
        self._stop = StopStrings(request.stop)
        self._text: list[str] = []
        self._created_at = time.perf_counter()
        self._first_token_at = self._created_at

    def start(self) -> None:
        """Note that ``context`` has been read, and emit ``Started`` the first time."""
        self.needs_reading = False
        if not self._has_started:
            self._has_started = True
            self.generation.emit(Started(self.generation, len(self.prompt)))

    def push(self, token_id: int) -> bool:
        """Take the next token. True if it ended the reply, whose result is then emitted."""
        if not self.token_ids:
            self._first_token_at = time.perf_counter()
        if token_id in self._eos and self._tokens.ends_reply(
            token_id, in_reasoning=self._splitter.in_reasoning
        ):
            self.finish("stop")
            return True
        self._take(token_id)
        if self._stop.has_matched:
            self.finish("stop")
        elif len(self.token_ids) >= self.max_tokens:
            self.finish("length")
        elif self._max_reasoning_tokens:
            self._look_at_limits()
        return self.generation.is_done

    def _look_at_limits(self) -> None:
        """End the reply or its reasoning if the tokens for it are used up."""
        if self._is_speaking:
            speech_tokens = len(self.token_ids) - self._reasoning_tokens
            if speech_tokens >= self.generation.request.max_out_tokens:
                self.finish("length")
        elif self._reasoning_tokens >= self._max_reasoning_tokens:
            self._end_thought()

    def _end_thought(self) -> None:
        """Close the reasoning; if that is impossible, end the reply."""
        closing = self._splitter.closing
        ids = self._tokens.encode(closing) if closing and self._tokens.encode else []
        if ids and len(self.token_ids) + len(ids) < self.max_tokens:
            self._notes += (f"its reasoning was ended after {self._reasoning_tokens:,} tokens",)
            for token_id in ids:
                self._take(token_id)
            self.context = [*self.prompt, *self.token_ids]
            self.needs_reading = True
        elif self._reasoning_tokens >= self._max_reasoning_tokens + CLOSING_ROOM // 2:
            self.finish("length")  # between two channels there is nothing to close for a while

    def _take(self, token_id: int) -> None:
        """Add a token, and emit what it adds to the text."""
        self.token_ids.append(token_id)
        text, tag = self._stream.push(token_id), self._tokens.tags.get(token_id)
        if tag is not None and tag not in text:
            text += tag  # a special token, which streams leave out
        was_speaking = self._is_speaking
        split = self._splitter.feed(text, is_tag=tag is not None)
        self._is_speaking = self._splitter.is_speaking
        is_thinking = not (was_speaking and self._is_speaking)
        self._reasoning_tokens += is_thinking
        if is_thinking or split.speech or split.retracted:
            self._emit(split, is_thinking)

    def finish(self, reason: FinishReason) -> None:
        """End the reply: emit the text still held back, then the result."""
        for split in (self._splitter.feed(self._stream.flush()), self._splitter.finish()):
            self._emit(split)
        self._emit_text(self._stop.flush())
        if self.generation.request.reasoning == "off" and self._splitter.reasoning.strip():
            self._notes += ("it reasoned although reasoning is off",)
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
            reasoning=self._splitter.reasoning,
            reasoning_tokens=self._reasoning_tokens,
            notes=self._notes,
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

    def _emit(self, split: Split, is_thinking: bool = False) -> None:
        """Emit further text of the answer; with ``is_thinking``, emit progress even without any."""
        if split.retracted:
            self._reasoning_tokens = len(self.token_ids)
            self._stop = StopStrings(self.generation.request.stop)
            if self._text:
                self._text.clear()
                self.generation.emit(Retracted(self.generation))
        self._emit_text(self._stop.push(split.speech), is_thinking)

    def _emit_text(self, text: str, is_thinking: bool = False) -> None:
        if text:
            self._text.append(text)
        if text or is_thinking:
            tokens, reasoning_tokens = len(self.token_ids), self._reasoning_tokens
            self.generation.emit(Chunk(self.generation, text, tokens, reasoning_tokens))
