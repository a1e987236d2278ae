"""One reply from a server: its stream read, its reasoning told apart, its figures kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

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
MOST_TOKENS = 10_000_000
"""A count of tokens beyond this is no count."""
CUT = ("length", "max_tokens", "model_length")
"""What servers call the end at the limit of tokens."""
BROKEN = ("error", "abort", "insufficient_system_resource")
"""Finish reasons of a reply that the server could not complete."""


@dataclass
class StreamedReply:
    """Turns the chunks of one stream into the events of its ``generation``.

    Args:
        generation: The caller's handle, through which events are emitted.
        in_reasoning: Whether the template opens a thought that the reply closes.
        withheld: Speech is kept back until the end, since the model may yet close a thought that
            its template opened.
        interval: Gives the seconds between two events about growing text.
    """

    generation: Generation
    in_reasoning: bool
    withheld: bool
    interval: Callable[[], float] = lambda: 0.0
    started: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        self.splitter = ReasoningSplitter(in_reasoning=self.in_reasoning)
        self.finish_reason: str | None = None
        self.usage: Mapping[str, Any] = {}
        self.fingerprint = ""
        self.spoke_at_once = False
        """Whether the reply had no thought though the template was believed to open one."""
        self.tokens = 0
        self._reasoning_tokens = 0
        self._separate_reasoning: list[str] = []
        self._thoughts_field = ""
        self._contents: list[str] = []
        self._half_pair = ""
        self._called_tool = False
        self._last_chunk: Mapping[str, Any] | None = None
        """The chunk that ended the reply."""
        self._first_token = 0.0
        self._told = False
        self._due = ""
        """Speech that the listener has not been told of yet."""
        self._tell_at = 0.0

    @property
    def thoughts(self) -> str:
        """Where reasoning arrived: the name of a field, or ``text``; empty without any."""
        return self._thoughts_field or ("text" if self.splitter.reasoning else "")

    @property
    def anything_told(self) -> bool:
        """Whether the listener has had text of this reply."""
        return self._told

    @property
    def is_complete(self) -> bool:
        """Whether the server said how the reply ended, or counted it."""
        return self.finish_reason is not None or bool(self.usage)

    @property
    def is_broken(self) -> bool:
        """Whether the server said that it could not complete the reply."""
        return self.finish_reason in BROKEN

    def take(self, chunk: Mapping[str, Any]) -> None:
        """Take the next chunk of the stream, ignoring malformed parts."""
        if isinstance(usage := chunk.get("usage"), dict):
            self.usage = usage
        if isinstance(fingerprint := chunk.get("system_fingerprint"), str) and fingerprint:
            self.fingerprint = fingerprint
        choices = chunk.get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        if not isinstance(choice, dict) or choice.get("index") not in (0, None):
            return
        delta = choice.get("delta")
        if not isinstance(delta, dict):
            delta = {} if self.tokens else choice.get("message")
        if isinstance(delta, dict) and not self._is_repeated(chunk, delta):
            self._take_delta(delta)
        if isinstance(reason := choice.get("finish_reason"), str) and reason:
            self.finish_reason, self._last_chunk = reason, chunk

    def _is_repeated(self, chunk: Mapping[str, Any], delta: Mapping[str, Any]) -> bool:
        """Whether the reply has ended and ``chunk`` repeats its last chunk or all of it."""
        if self._last_chunk is None or not delta.get("content"):
            return False
        return chunk == self._last_chunk or delta["content"] == "".join(self._contents)

    def _take_delta(self, delta: Mapping[str, Any]) -> None:
        content = delta.get("content")
        names = ("reasoning_content", "reasoning")
        name = next((each for each in names if delta.get(each)), "")
        thought = delta.get(name)
        if delta.get("tool_calls") or delta.get("function_call"):
            self._called_tool = True
        if isinstance(content, list):
            name = name or "content"
            thought = thought or _text_of(content, thinking=True)
            content = _text_of(content, thinking=False)
        if isinstance(thought, str) and thought:
            self._count(reasoning=True)
            self._thoughts_field = name
            self._separate_reasoning.append(self._well_formed(thought))
            self._tell("")
        if isinstance(content, str) and content:
            self._contents.append(content)
            self._count(reasoning=self.splitter.in_reasoning)
            split = self.splitter.feed(self._well_formed(content))
            if split.retracted:
                self._retract()
            self._tell(split.speech)

    def _well_formed(self, text: str) -> str:
        """``text`` without halves of surrogate pairs: one at its end waits for the other half."""
        if not self._half_pair and (text.isascii() or _is_well_formed(text)):
            return text
        text, self._half_pair = self._half_pair + text, ""
        if "\ud800" <= text[-1] <= "\udbff":
            text, self._half_pair = text[:-1], text[-1]
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    def _count(self, *, reasoning: bool) -> None:
        if not self.tokens:
            self._first_token = time.monotonic()
            self.generation.emit(Started(self.generation, 0))
        self.tokens += 1
        self._reasoning_tokens += reasoning

    def _retract(self) -> None:
        self._due = ""
        if self._told:
            self.generation.emit(Retracted(self.generation))

    def _tell(self, speech: str) -> None:
        if not self.withheld:
            self._due += speech
        emitted_at = time.monotonic()
        if emitted_at >= self._tell_at:
            self._tell_at = emitted_at + self.interval()
            self._tell_due()

    def _tell_due(self) -> None:
        speech, self._due = self._due, ""
        self._told = self._told or bool(speech)
        self.generation.emit(Chunk(self.generation, speech, self.tokens, self._reasoning_tokens))

    def end(self, *, cancelled: bool = False, notes: tuple[str, ...] = ()) -> GenerationResult:
        """The reply's end: tell what was kept back, and the result."""
        if self._half_pair:
            self._due += self.splitter.feed("\ufffd").speech
        split = self.splitter.finish()
        if self.in_reasoning and self.splitter.in_reasoning and self.finish_reason == "stop":
            # The thought was never closed, so nothing had opened one: all of it is speech.
            self.spoke_at_once = True
            self.splitter.speech, self.splitter.reasoning = self.splitter.reasoning.lstrip(), ""
            split = Split(self.splitter.speech)
        if split.retracted:
            self._retract()
        self._due = self.splitter.speech if self.withheld else self._due + split.speech
        if self._due:
            self._tell_due()
        result = self._result(cancelled, (*notes, *self._own_notes()))
        self.generation.emit(Finished(self.generation, result))
        return result

    def _own_notes(self) -> tuple[str, ...]:
        notes = []
        if self._called_tool and not self.splitter.speech.strip():
            notes.append("the model called a tool instead of answering")
        if self.finish_reason == "content_filter":
            notes.append("the server's content filter cut the reply")
        return tuple(notes)

    def _result(self, cancelled: bool, notes: tuple[str, ...]) -> GenerationResult:
        ended = time.monotonic()
        reason: FinishReason = "length" if self.finish_reason in CUT else "stop"
        details = self.usage.get("completion_tokens_details")
        return GenerationResult(
            text=self.splitter.speech,
            finish_reason="cancelled" if cancelled else reason,
            prompt_tokens=token_count(self.usage, "prompt_tokens"),
            completion_tokens=token_count(self.usage, "completion_tokens") or self.tokens,
            cached_tokens=token_count(self.usage.get("prompt_tokens_details"), "cached_tokens"),
            seconds=ended - self.started,
            time_to_first_token=(self._first_token or ended) - self.started,
            reasoning="".join(self._separate_reasoning) + self.splitter.reasoning,
            reasoning_tokens=token_count(details, "reasoning_tokens") or self._reasoning_tokens,
            notes=notes,
        )


def token_count(values: object, name: str) -> int:
    """A token count that a server reports; 0 if missing or implausible."""
    count = values.get(name) if isinstance(values, dict) else None
    is_count = isinstance(count, int) and not isinstance(count, bool) and 0 < count < MOST_TOKENS
    return count if is_count else 0  # type: ignore[return-value]


def _text_of(parts: list[Any], *, thinking: bool) -> str:
    """The text of a message in parts: its reasoning or its answer."""
    texts: list[str] = []
    for part in parts:
        if not isinstance(part, dict):
            texts += [part] if isinstance(part, str) and not thinking else []
        elif "thinking" in part or part.get("type") in ("thinking", "reasoning"):
            thought = part.get("thinking") or part.get("text") or ""
            inner = _text_of(thought, thinking=False) if isinstance(thought, list) else thought
            texts += [inner] if thinking and isinstance(inner, str) else []
        elif not thinking and isinstance(part.get("text"), str):
            texts.append(part["text"])
    return "".join(texts)


def _is_well_formed(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


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
