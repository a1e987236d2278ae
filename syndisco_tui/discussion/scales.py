"""Scales: the allowed answers to a question, and how a model's answer is read.

An answer counts only if it is unambiguous. Any other is invalid: it is recorded as the model gave
it, and never rounded, clamped or guessed.
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

Level = Literal["nominal", "ordinal", "interval"]
"""Of measurement: names, names in an order, or numbers with equal distances."""
MAX_ANSWERS = 1001


class IntegerScale(BaseModel):
    """Whole numbers from ``low`` to ``high``, both included."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    type: Literal["integer"] = "integer"
    low: Annotated[int, Field(alias="from")]
    high: Annotated[int, Field(alias="to")]
    level: Level = "ordinal"

    @model_validator(mode="after")
    def _in_order(self) -> IntegerScale:
        if self.low >= self.high:
            raise ValueError(f"from {self.low} to {self.high} is no scale")
        if self.high - self.low >= MAX_ANSWERS:
            raise ValueError(f"a scale has at most {MAX_ANSWERS:,} numbers")
        return self

    @property
    def answers(self) -> tuple[str, ...]:
        """Every allowed answer, as a model writes it."""
        return tuple(map(str, range(self.low, self.high + 1)))

    @property
    def description(self) -> str:
        """What to answer, for a prompt."""
        return f"Answer with a whole number from {self.low} to {self.high} and nothing else."

    def read(self, answer: str) -> int | None:
        """The number in ``answer``; None if it is ambiguous or not on the scale."""
        value = _read_integer(answer, self.high)
        return value if value is not None and self.low <= value <= self.high else None


class ChoiceScale(BaseModel):
    """One of several words."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["choice"] = "choice"
    choices: Annotated[tuple[str, ...], Field(min_length=2)]

    @model_validator(mode="after")
    def _distinct(self) -> ChoiceScale:
        folded = [choice.strip().casefold() for choice in self.choices]
        if "" in folded or len(set(folded)) < len(folded):
            raise ValueError("choices must be distinct words")
        return self

    @property
    def level(self) -> Level:
        """The level of measurement for Krippendorff's α: nominal."""
        return "nominal"

    @property
    def answers(self) -> tuple[str, ...]:
        """Every allowed answer."""
        return self.choices

    @property
    def description(self) -> str:
        """What to answer, for a prompt."""
        return f"Answer with one of these and nothing else: {', '.join(self.choices)}."

    def read(self, answer: str) -> str | None:
        """The choice in ``answer``; None if it is ambiguous."""
        text = _unwrapped(answer)
        if not isinstance(text, str):
            return None
        plain = text.strip().strip("\"'*_`.!“”").strip().casefold()
        for choice in self.choices:
            if plain == choice.strip().casefold():
                return choice
        named = [
            (match.start(), match.end(), choice)
            for choice in self.choices
            for match in re.finditer(
                rf"(?<!\w){re.escape(choice.strip())}(?!\w)", text, re.IGNORECASE
            )
        ]
        # “not toxic” is not “toxic”: what lies within another choice does not count.
        outer = [
            each for each in named
            if not any(o[0] <= each[0] and each[1] <= o[1] and o != each for o in named)
        ]  # fmt: skip
        named_choices = {choice for _, _, choice in outer}
        return named_choices.pop() if len(named_choices) == 1 else None


class TextScale(BaseModel):
    """Any text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: Literal["text"] = "text"

    @property
    def level(self) -> Level:
        """The level of measurement for Krippendorff's α: nominal."""
        return "nominal"

    @property
    def answers(self) -> tuple[str, ...]:
        """Empty: any answer is allowed."""
        return ()

    @property
    def description(self) -> str:
        """What to answer, for a prompt."""
        return "Answer in a few words."

    def read(self, answer: str) -> str | None:
        """The text; None if it is empty."""
        return answer.strip() or None


def _with_type(value: object) -> object:
    """A scale from a task file, with its type inferred from its keys."""
    if not isinstance(value, dict) or "type" in value:
        return value
    if "choices" in value:
        return {"type": "choice", **value}
    if "from" in value or "to" in value:
        return {"type": "integer", **value}
    raise ValueError("must have from and to, choices, or type = “text”")


_AnyScale = Annotated[IntegerScale | ChoiceScale | TextScale, Field(discriminator="type")]
Scale = Annotated[_AnyScale, BeforeValidator(_with_type)]
Value = int | str


_WORDS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
    "eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen",
    "nineteen", "twenty",
)  # fmt: skip
_NUMBER = re.compile(
    rf"(?<![\w.,])(?P<digits>-?\d+)(?![\w]|[.,]\d)|\b(?P<word>{'|'.join(_WORDS)})\b", re.IGNORECASE
)
_OUT_OF = re.compile(r"\s*(?:/|out of|of)\s*(\d+)\b", re.IGNORECASE)
_RANGE = re.compile(r"\b-?\d+\s*(?:-|–|to|through|and)\s*-?\d+\b", re.IGNORECASE)
_FENCED = re.compile(r"```\w*\s*(.*?)\s*```", re.DOTALL)
_LEADING = re.compile(r"[\W_]*(?:[A-Za-z][\w ]{0,40}[:=])?[\W_]*$")
"""What may stand before an answer that comes first: a label and a colon, or nothing."""


def _unwrapped(answer: str) -> Any:
    """The text without a code fence or a JSON object with a single value around it."""
    text = answer.strip()
    if match := _FENCED.search(text):
        text = match[1].strip()
    if text.startswith(("{", "[")):
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            return text
        while isinstance(value, dict) and len(value) == 1:
            value = next(iter(value.values()))
        return value if isinstance(value, int | str) and not isinstance(value, bool) else None
    return text


def _read_integer(answer: str, high: int) -> int | None:
    value = _unwrapped(answer)
    if not isinstance(value, str):
        return value if isinstance(value, int) else None
    numbers: list[tuple[int, int]] = []
    skip_until = -1
    for match in _NUMBER.finditer(value):
        if match.start() < skip_until:
            continue
        scale = _RANGE.match(value, match.start())
        if scale is not None:  # “on a scale from 1 to 5”
            skip_until = scale.end()
            continue
        out_of = _OUT_OF.match(value, match.end())
        if out_of is not None:
            if int(out_of[1]) != high:
                return None
            skip_until = out_of.end()
        number = int(match["digits"]) if match["digits"] else _WORDS.index(match["word"].lower())
        numbers.append((match.start(), number))
    if not numbers:
        return None
    if len({number for _, number in numbers}) == 1 or _LEADING.match(value[: numbers[0][0]]):
        return numbers[0][1]
    return None
