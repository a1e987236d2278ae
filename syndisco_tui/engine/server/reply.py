"""One reply from a server: its stream read, its reasoning told apart, its figures kept."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from openai.types.chat import ChatCompletionChunk

from ..base import (
    Chunk,
    Finished,
    FinishReason,
    Generation,
    GenerationResult,
    Retracted,
    Started,
)
from ..reasoning import ReasoningSplitter, Split

READ_SHARE = 0.6
"""A prompt of which a server says that it read less than this share was cut."""
LONG_PROMPT = 400
"""Shorter prompts, in tokens, are not judged: a guess of their length is too far off."""
USUAL_CHARACTERS_PER_TOKEN = 4.0


@dataclass
class StreamedReply:
    """Takes the chunks of one stream and tells the listener of its ``generation``.

    Args:
        generation: Whom it is for.
        in_reasoning: Whether the template opens a thought that the reply closes.
        withheld: Speech is kept back until the end, since the model may yet close a thought that
            its template opened.
    """

    generation: Generation
    in_reasoning: bool
    withheld: bool
    started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.splitter = ReasoningSplitter(in_reasoning=self.in_reasoning)
        self.finish_reason: str | None = None
        self.usage: Any = None
        self.fingerprint = ""
        self.spoke_at_once = False
        """Whether the reply had no thought though the template was believed to open one."""
        self.tokens = 0
        self._reasoning_tokens = 0
        self._separate_reasoning: list[str] = []
        self._first_token = 0.0
        self._told = False

    @property
    def anything_told(self) -> bool:
        """Whether the listener has had text of this reply."""
        return self._told

    @property
    def is_complete(self) -> bool:
        """Whether the server said how the reply ended, or counted it."""
        return self.finish_reason is not None or self.usage is not None

    def take(self, chunk: ChatCompletionChunk) -> None:
        """Take the next chunk of the stream."""
        self.usage = chunk.usage or self.usage
        self.fingerprint = chunk.system_fingerprint or self.fingerprint
        if not chunk.choices:
            return
        choice = chunk.choices[0]
        self.finish_reason = choice.finish_reason or self.finish_reason
        if choice.delta is None:
            return
        extra = choice.delta.model_extra or {}
        thought = extra.get("reasoning_content") or extra.get("reasoning") or ""
        if isinstance(thought, str) and thought:
            self._count(reasoning=True)
            self._separate_reasoning.append(thought)
            self._tell("")
        if choice.delta.content:
            self._count(reasoning=self.splitter.in_reasoning)
            split = self.splitter.feed(choice.delta.content)
            if split.retracted and self._told:
                self.generation.emit(Retracted(self.generation))
            self._tell(split.speech)

    def _count(self, *, reasoning: bool) -> None:
        if not self.tokens:
            self._first_token = time.monotonic()
            self.generation.emit(Started(self.generation, 0))
        self.tokens += 1
        self._reasoning_tokens += reasoning

    def _tell(self, speech: str) -> None:
        if self.withheld:
            speech = ""
        self._told = self._told or bool(speech)
        self.generation.emit(Chunk(self.generation, speech, self.tokens, self._reasoning_tokens))

    def end(self, *, cancelled: bool = False, notes: tuple[str, ...] = ()) -> GenerationResult:
        """The reply's end: tell what was kept back, and the result."""
        split = self.splitter.finish()
        if self.in_reasoning and self.splitter.in_reasoning and self.finish_reason == "stop":
            # The thought was never closed, so nothing had opened one: all of it is speech.
            self.spoke_at_once = True
            self.splitter.speech, self.splitter.reasoning = self.splitter.reasoning.lstrip(), ""
            split = Split(self.splitter.speech)
        if split.retracted and self._told:
            self.generation.emit(Retracted(self.generation))
        rest = self.splitter.speech if self.withheld else split.speech
        if rest:
            self.generation.emit(Chunk(self.generation, rest, self.tokens, self._reasoning_tokens))
        result = self._result(cancelled, notes)
        self.generation.emit(Finished(self.generation, result))
        return result

    def _result(self, cancelled: bool, notes: tuple[str, ...]) -> GenerationResult:
        ended = time.monotonic()
        usage = self.usage
        prompt_details = getattr(usage, "prompt_tokens_details", None)
        details = getattr(usage, "completion_tokens_details", None)
        reason: FinishReason = "length" if self.finish_reason == "length" else "stop"
        return GenerationResult(
            text=self.splitter.speech,
            finish_reason="cancelled" if cancelled else reason,
            prompt_tokens=_count_of(usage, "prompt_tokens"),
            completion_tokens=_count_of(usage, "completion_tokens") or self.tokens,
            cached_tokens=_count_of(prompt_details, "cached_tokens"),
            seconds=ended - self.started,
            time_to_first_token=(self._first_token or ended) - self.started,
            reasoning="".join(self._separate_reasoning) + self.splitter.reasoning,
            reasoning_tokens=_count_of(details, "reasoning_tokens") or self._reasoning_tokens,
            notes=notes,
        )


def _count_of(values: Any, name: str) -> int:
    """A count that a server reports; 0 where it does not, or where it is no count."""
    count = getattr(values, name, 0)
    return count if isinstance(count, int) and count > 0 else 0


def note_on_cut_prompt(characters: int, characters_per_token: float, read: int) -> str:
    """A note where a server has read far fewer tokens than the prompt has; empty otherwise.

    Args:
        characters: The length of the prompt.
        characters_per_token: As measured on this server's replies; 0 where not known.
        read: How many tokens the server says that it read; 0 where it does not say.
    """
    about = round(characters / (characters_per_token or USUAL_CHARACTERS_PER_TOKEN))
    if not read or about < LONG_PROMPT or read >= READ_SHARE * about:
        return ""
    return f"the server read {read:,} of about {about:,} tokens of the prompt"
