"""Tells what a model says from what it thinks first, while the reply streams in.

Reasoning models wrap their thoughts in tags. Each family has its own, a chat template may already
have opened one, and a tag may arrive in several pieces. Pure: text in, text out.
"""

from __future__ import annotations

import re
from collections.abc import Container
from enum import Enum, auto
from string import ascii_lowercase, ascii_uppercase
from typing import NamedTuple


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


_PAIRS = {
    "<think>": "</think>",  # DeepSeek R1, Qwen 3, GLM, Hunyuan, MiniMax
    "<thinking>": "</thinking>",
    "<thought>": "</thought>",  # EXAONE Deep
    "<reasoning>": "</reasoning>",
    "<seed:think>": "</seed:think>",  # Seed-OSS
    "[think]": "[/think]",  # Mistral
    "◁think▷": "◁/think▷",  # Kimi
    "<|begin_of_thought|>": "<|end_of_thought|>",
    "<|start_thinking|>": "<|end_thinking|>",  # Cohere Command A
    "<|inner_prefix|>": "<|inner_suffix|>",  # Apertus
    "<|channel>thought": "<channel|>",  # Gemma 4
}
"""Opening and closing tags, lower case."""
_CHANNEL, _MESSAGE, ENDS_CHANNEL = "<|channel|>", "<|message|>", "<|end|>"
_TAGS = {
    **dict.fromkeys(_PAIRS, _Tag.OPENS),
    **dict.fromkeys(_PAIRS.values(), _Tag.CLOSES),
    "<answer>": _Tag.ANSWER,
    "</answer>": _Tag.ANSWER,
    "<response>": _Tag.ANSWER,  # Granite 3.3
    "</response>": _Tag.ANSWER,
    "<|begin_of_solution|>": _Tag.ANSWER,
    "<|end_of_solution|>": _Tag.ANSWER,
    "<|start_response|>": _Tag.ANSWER,
    "<|end_response|>": _Tag.ANSWER,
    _CHANNEL: _Tag.HEADER,  # gpt-oss: <|channel|>analysis<|message|>…<|end|>
    "<|start|>": _Tag.HEADER,
    _MESSAGE: _Tag.BODY,
    ENDS_CHANNEL: _Tag.IGNORED,
    "<|return|>": _Tag.IGNORED,
}
_BARE_ANALYSIS, _BARE_FINAL = "analysis", "assistantfinal"
"""What is left of gpt-oss's channels where a server has removed the special tokens."""
_BARE_TAGS = {**_TAGS, _BARE_FINAL: _Tag.FINAL}
_SPOKEN_OPENINGS = ("Here is my thought process:", "Here's my thought process:")  # Granite 3.2
_SPOKEN_CLOSING = "\n\nHere is my response:\n\n"
_SPOKEN_TAGS = {
    **_TAGS,
    "here is my response:": _Tag.FINAL,
    "here's my response:": _Tag.FINAL,
}
_AFTER_END = f"<|start|>assistant{_CHANNEL}final{_MESSAGE}"
_FOLLOWED_BY = {"<|end_thinking|>": "<|START_RESPONSE|>"}
"""What comes between a closing tag and speech."""
_OPENING = tuple(_PAIRS)
_FIRST_CHARACTER = re.compile("[" + re.escape("".join({tag[0] for tag in _TAGS})) + "]")
_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)


def opened_tag(prompt: str) -> str:
    """The opening reasoning tag, as spelled, inside which a rendered prompt ends; or empty."""
    end = prompt[-64:].rstrip()
    tag = next(filter(end.translate(_LOWER).endswith, _OPENING), "")
    return end[len(end) - len(tag) :]


def closing_text(opening: str) -> str:
    """The text that closes the reasoning tag ``opening``, up to where the answer begins."""
    tag = _PAIRS[opening.translate(_LOWER)]
    following = _FOLLOWED_BY.get(tag, "")
    closing = (tag.upper() if opening.isupper() else tag) + following
    return f"\n{closing}\n\n" if tag.startswith("</") else closing


def is_tag_token(text: str, vocabulary: Container[str]) -> bool:
    """Whether a tokenizer's special token is a reasoning tag.

    Args:
        text: The token's text.
        vocabulary: The texts of all special tokens. Those of channels count all together only:
            other families end a message with one of them.
    """
    lowered = text.translate(_LOWER)
    if _TAGS.get(lowered) in (_Tag.HEADER, _Tag.BODY, _Tag.IGNORED):
        return _CHANNEL in vocabulary and _MESSAGE in vocabulary
    return len(lowered) > 2 and any(tag.startswith(lowered) for tag in _TAGS)


class Split(NamedTuple):
    """A further piece of a reply, told apart.

    ``retracted``: the speech of all earlier pieces has turned out to be reasoning.
    """

    speech: str = ""
    reasoning: str = ""
    retracted: bool = False


class ReasoningSplitter:
    """Splits one streamed reply into answer and reasoning.

    The result does not depend on how the reply was cut into pieces.

    Args:
        in_reasoning: Whether the prompt has opened a reasoning tag already.
        opened: That tag, if known.
    """

    def __init__(self, *, in_reasoning: bool = False, opened: str = "") -> None:
        in_reasoning = in_reasoning or bool(opened)
        self.speech = ""
        self.reasoning = ""
        self.in_reasoning = in_reasoning
        self.closing = closing_text(opened) if opened else ""
        """What would end the thought that is open, up to where speech begins; empty if none is,
        or if it is not known how it ends."""
        self.closed_unopened = False
        """Whether a thought ended that nothing had opened: the template opens it."""
        self._pending = ""
        self._is_tag = False
        self._header: str | None = None
        self._has_thoughts = in_reasoning
        self._tags: dict[str, _Tag] | None = None

    @property
    def is_speaking(self) -> bool:
        """Whether the next text is part of the answer, not of reasoning or a channel's header."""
        return not self.in_reasoning and self._header is None

    def feed(self, text: str, *, is_tag: bool = False) -> Split:
        """Take the next piece of the reply; ``is_tag``: the model means it as one."""
        if (
            self._tags is _TAGS
            and not self._pending
            and self._header is None
            and (self.speech or self.in_reasoning)
            and not _FIRST_CHARACTER.search(text)
        ):  # quickly: so it is nearly always
            if self.in_reasoning:
                self.reasoning += text
                return Split("", text)
            self.speech += text
            return Split(text)
        self._pending, self._is_tag = self._pending + text, is_tag
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
            if self._apply(*tag):
                retracted, speech_length, reasoning_length = True, 0, 0
        self._take(len(self._pending) if at_end else self._length_without_partial_tag())
        return Split(self.speech[speech_length:], self.reasoning[reasoning_length:], retracted)

    def _choose_tags(self, at_end: bool) -> bool:
        """Check whether the reply starts reasoning in words. False if that is not known yet."""
        start = self._pending.lstrip()
        beginnings = (_BARE_ANALYSIS, *_SPOKEN_OPENINGS)
        if not at_end and any(beginning.startswith(start) for beginning in beginnings):
            return False
        beginning = next(filter(start.startswith, beginnings), "")
        rest = start[len(beginning) :]
        is_bare = beginning == _BARE_ANALYSIS
        if not beginning or (is_bare and not rest[:1].isupper()):
            self._tags = _TAGS
        else:
            self._tags, self._pending = _BARE_TAGS if is_bare else _SPOKEN_TAGS, rest
            self.in_reasoning = self._has_thoughts = True
            self.closing = "" if is_bare else _SPOKEN_CLOSING
        return True

    def _take_to_next_tag(self) -> tuple[_Tag, str] | None:
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
        if kind_of_first is None:
            return None
        self._take(first)
        text, self._pending = self._pending[:length], self._pending[length:]
        return kind_of_first, text

    def _counts(self, kind: _Tag, position: int) -> bool:
        """Whether a tag at ``position`` of the pending text is one, and not spoken of."""
        if kind is _Tag.OPENS and not self._is_tag:
            before = self.reasoning if self.in_reasoning else self.speech.rpartition("\n")[2]
            line = before + self._pending[:position]
            return not (line if self.in_reasoning else line.rpartition("\n")[2]).strip()
        if kind is _Tag.ANSWER:
            return self._has_thoughts and not self.in_reasoning
        return True

    def _apply(self, kind: _Tag, text: str) -> bool:
        """Go on after a tag. True where all speech so far turns out to be reasoning."""
        match kind:
            case _Tag.OPENS:
                self.in_reasoning = self._has_thoughts = True
                self.closing = closing_text(text)
            case _Tag.FINAL:
                self.in_reasoning, self.closing = False, ""
            case _Tag.HEADER:
                self._header, self.closing = "", ""
            case _Tag.BODY if self._header is not None:
                self.in_reasoning = not self._header.lstrip().startswith("final")
                self._has_thoughts, self._header = True, None
                self.closing = ENDS_CHANNEL + _AFTER_END if self.in_reasoning else ""
            case _Tag.IGNORED if self.in_reasoning and self.closing == ENDS_CHANNEL + _AFTER_END:
                self.closing = _AFTER_END
            case _Tag.CLOSES:
                unopened = not self._has_thoughts
                self.in_reasoning, self._has_thoughts, self.closing = False, True, ""
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
