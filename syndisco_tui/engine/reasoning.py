"""Tells what a model says from what it thinks first, while the reply streams in.

Reasoning models wrap their thoughts in tags. Each family has its own, a chat template may already
have opened one, and a tag may arrive in several pieces. Pure: text in, text out.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from string import ascii_lowercase, ascii_uppercase


class _Tag(Enum):
    OPENS = auto()
    CLOSES = auto()
    ANSWER = auto()
    """Around the answer: dropped where the reply has thoughts."""
    HEADER = auto()
    """Begins the header of a channel."""
    BODY = auto()
    """Ends the header of a channel; what follows is its text."""
    IGNORED = auto()
    FINAL = auto()


_TAGS = {
    "<think>": _Tag.OPENS,  # DeepSeek R1, Qwen 3, GLM, Hunyuan, MiniMax
    "</think>": _Tag.CLOSES,
    "<thinking>": _Tag.OPENS,
    "</thinking>": _Tag.CLOSES,
    "<thought>": _Tag.OPENS,  # EXAONE Deep
    "</thought>": _Tag.CLOSES,
    "<reasoning>": _Tag.OPENS,
    "</reasoning>": _Tag.CLOSES,
    "<seed:think>": _Tag.OPENS,  # Seed-OSS
    "</seed:think>": _Tag.CLOSES,
    "[think]": _Tag.OPENS,  # Mistral
    "[/think]": _Tag.CLOSES,
    "◁think▷": _Tag.OPENS,  # Kimi
    "◁/think▷": _Tag.CLOSES,
    "<|begin_of_thought|>": _Tag.OPENS,
    "<|end_of_thought|>": _Tag.CLOSES,
    "<|start_thinking|>": _Tag.OPENS,  # Cohere Command A
    "<|end_thinking|>": _Tag.CLOSES,
    "<answer>": _Tag.ANSWER,
    "</answer>": _Tag.ANSWER,
    "<|begin_of_solution|>": _Tag.ANSWER,
    "<|end_of_solution|>": _Tag.ANSWER,
    "<|start_response|>": _Tag.ANSWER,
    "<|end_response|>": _Tag.ANSWER,
    "<|channel|>": _Tag.HEADER,  # gpt-oss: <|channel|>analysis<|message|>…<|end|>
    "<|start|>": _Tag.HEADER,
    "<|message|>": _Tag.BODY,
    "<|end|>": _Tag.IGNORED,
    "<|return|>": _Tag.IGNORED,
}
_BARE_ANALYSIS, _BARE_FINAL = "analysis", "assistantfinal"
"""What is left of gpt-oss's channels where a server has removed the special tokens."""
_BARE_TAGS = {**_TAGS, _BARE_FINAL: _Tag.FINAL}
_OPENING = tuple(tag for tag, kind in _TAGS.items() if kind is _Tag.OPENS)
_MAY_BEGIN_TAG = frozenset(tag[0] for tag in _TAGS)
_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)


def opens_reasoning(prompt: str) -> bool:
    """Whether a rendered prompt ends inside an opened reasoning tag."""
    return prompt[-64:].translate(_LOWER).rstrip().endswith(_OPENING)


@dataclass(frozen=True)
class Split:
    """A further piece of a reply, told apart.

    ``retracted``: the speech of all earlier pieces has turned out to be reasoning.
    """

    speech: str = ""
    reasoning: str = ""
    retracted: bool = False


class ReasoningSplitter:
    """Splits one streamed reply into speech and reasoning.

    The result does not depend on how the reply was cut into pieces.

    Args:
        in_reasoning: Whether the prompt has opened a reasoning tag already.
    """

    def __init__(self, *, in_reasoning: bool = False) -> None:
        self.speech = ""
        self.reasoning = ""
        self.in_reasoning = in_reasoning
        self.closed_unopened = False
        """Whether a thought ended that nothing had opened: the template opens it."""
        self._pending = ""
        self._header: str | None = None
        self._has_thoughts = in_reasoning
        self._tags: dict[str, _Tag] | None = None

    def feed(self, text: str) -> Split:
        """Take the next piece of the reply."""
        if not self._pending and self._tags is _TAGS and not _MAY_BEGIN_TAG.intersection(text):
            self._pending = text
            speech_length, reasoning_length = len(self.speech), len(self.reasoning)
            self._take(len(text))
            return Split(self.speech[speech_length:], self.reasoning[reasoning_length:])
        self._pending += text
        return self._split(at_end=False)

    def finish(self) -> Split:
        """Take the end of the reply: a tag that was only begun is text."""
        return self._split(at_end=True)

    def _split(self, *, at_end: bool) -> Split:
        speech_length, reasoning_length = len(self.speech), len(self.reasoning)
        retracted = False
        if self._tags is None and not self._choose_tags(at_end):
            return Split()
        while tag := self._take_to_next_tag():
            if self._apply(tag):
                retracted, speech_length, reasoning_length = True, 0, 0
        self._take(len(self._pending) if at_end else self._length_without_partial_tag())
        return Split(self.speech[speech_length:], self.reasoning[reasoning_length:], retracted)

    def _choose_tags(self, at_end: bool) -> bool:
        """Look whether the reply starts with a bare ``analysis``. False where that is not known."""
        start = self._pending.lstrip()
        rest = start.removeprefix(_BARE_ANALYSIS)
        if (not rest and not at_end) or (_BARE_ANALYSIS.startswith(start) and not at_end):
            return False
        if rest is not start and rest != start and rest[:1].isupper():
            self._tags, self._pending = _BARE_TAGS, rest
            self.in_reasoning = self._has_thoughts = True
        else:
            self._tags = _TAGS
        return True

    def _take_to_next_tag(self) -> _Tag | None:
        """Take the text before the first tag that counts, and the tag. None if there is none."""
        assert self._tags is not None
        lowered = self._pending.translate(_LOWER)
        first, length, kind_of_first = len(lowered), 0, None
        for tag, kind in self._tags.items():
            position = lowered.find(tag)
            while 0 <= position < first and not self._counts(kind, position):
                position = lowered.find(tag, position + 1)
            if 0 <= position < first:
                first, length, kind_of_first = position, len(tag), kind
        if kind_of_first is not None:
            self._take(first)
            self._pending = self._pending[length:]
        return kind_of_first

    def _counts(self, kind: _Tag, position: int) -> bool:
        """Whether a tag at ``position`` of the pending text is one, and not spoken of."""
        if kind is _Tag.OPENS:
            before = self.reasoning if self.in_reasoning else self.speech.rpartition("\n")[2]
            line = before + self._pending[:position]
            return not (line if self.in_reasoning else line.rpartition("\n")[2]).strip()
        if kind is _Tag.ANSWER:
            return self._has_thoughts and not self.in_reasoning
        return True

    def _apply(self, kind: _Tag) -> bool:
        """Go on after a tag. True where all speech so far turns out to be reasoning."""
        match kind:
            case _Tag.OPENS:
                self.in_reasoning = self._has_thoughts = True
            case _Tag.FINAL:
                self.in_reasoning = False
            case _Tag.HEADER:
                self._header = ""
            case _Tag.BODY if self._header is not None:
                self.in_reasoning = not self._header.lstrip().startswith("final")
                self._has_thoughts, self._header = True, None
            case _Tag.CLOSES:
                unopened = not self._has_thoughts
                self.in_reasoning, self._has_thoughts = False, True
                if unopened:
                    self.closed_unopened = True
                    self.reasoning, self.speech = self.reasoning + self.speech, ""
                return unopened
            case _:
                pass
        return False

    def _take(self, length: int) -> None:
        """Move the first ``length`` characters of the pending text to where they belong."""
        text, self._pending = self._pending[:length], self._pending[length:]
        if self._header is not None:
            self._header += text
        elif self.in_reasoning:
            self.reasoning += text
        elif self._has_thoughts and not self.speech:
            self.speech = text.lstrip()
        else:
            self.speech += text

    def _length_without_partial_tag(self) -> int:
        """How many of the pending characters cannot be the beginning of a tag."""
        assert self._tags is not None
        lowered = self._pending.translate(_LOWER)
        longest = max(map(len, self._tags))
        for start in range(max(0, len(lowered) - longest), len(lowered)):
            end = lowered[start:]
            if any(tag.startswith(end) for tag in self._tags):
                return start
        return len(lowered)
