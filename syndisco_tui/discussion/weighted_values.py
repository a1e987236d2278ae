"""The values from which a persona's field is sampled: single ones or ranges, with weights.

Written as ``female:2 | male:1 | "left:right"`` or ``18-30 | 65-90:0.5``: parts separated
by bars, each with an optional weight after a colon. Quotation marks make anything a text.
Commas may replace bars if every part has a weight or is a range.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, overload

from .chance import draw

BAR = " | "
_WEIGHT = re.compile(r"(?P<value>.*\S)\s*:\s*(?P<weight>-?\d{1,9}(?:\.\d{1,9})?)", re.DOTALL)
_RANGE = re.compile(r"(?P<first>\d{1,15})\s*[-–]\s*(?P<last>\d{1,15})")
_QUOTED = re.compile(r'"(?P<text>[^"]*)"')


@dataclass(frozen=True)
class WeightedValues:
    """Values that are equally likely; ``weight`` is that of all of them together."""

    values: Sequence[Any]
    weight: Fraction = Fraction(1)


class _Numbers(Sequence[Any]):
    """The values of a range, each converted when it is needed."""

    def __init__(self, numbers: range, read: Callable[[str], Any]) -> None:
        self._numbers = numbers
        self._read = read

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, index: int) -> Any: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Any]: ...
    def __getitem__(self, index: int | slice) -> Any:
        numbers = self._numbers[index]
        return (
            self._read(str(numbers)) if isinstance(numbers, int) else _Numbers(numbers, self._read)
        )


def parse_values(text: str, read: Callable[[str], Any]) -> list[WeightedValues]:
    """The parts of ``text``; ``read`` converts single values.

    Raises:
        ValueError: a range runs backwards, or a weight is not above 0.
    """
    if not text.strip():
        return []
    parts = [part.strip() for part in _split(text)]
    if len(parts) == 1 and '"' not in text:
        pieces = [piece.strip() for piece in text.split(",")]
        if all(_WEIGHT.fullmatch(piece) or _RANGE.fullmatch(piece) for piece in pieces):
            parts = pieces
    return [_parse_part(part, read) for part in parts]


def _split(text: str) -> list[str]:
    """``text`` split at bars outside quotation marks; parts may be empty."""
    parts = [""]
    for piece in re.split(r'("[^"]*"|\|)', text):
        if piece == "|":
            parts.append("")
        else:
            parts[-1] += piece
    return parts


def _parse_part(text: str, read: Callable[[str], Any]) -> WeightedValues:
    weight = Fraction(1)
    if match := _WEIGHT.fullmatch(text):
        text, weight = match["value"], Fraction(match["weight"])
        if weight <= 0:
            raise ValueError(f"“{text}” has the weight {match['weight']}: it must be above 0")
    if match := _QUOTED.fullmatch(text):
        return WeightedValues((read(match["text"]),), weight)
    if match := _RANGE.fullmatch(text):
        first, last = int(match["first"]), int(match["last"])
        if last < first:
            raise ValueError(
                f'{text} runs backwards: write {last}-{first}, or “"{text}"” for the text'
            )
        return WeightedValues(_Numbers(range(first, last + 1), read), weight)
    return WeightedValues((read(text),), weight)


def format_values(texts: Iterable[str]) -> str:
    """Equally likely values as text for :func:`parse_values`."""
    return BAR.join(map(_quoted, texts))


def _quoted(text: str) -> str:
    is_more = "|" in text or any(each.fullmatch(text) for each in (_WEIGHT, _RANGE, _QUOTED))
    return f'"{text}"' if is_more and '"' not in text else text


def sample_column(
    seed: int, field: str, parts: Sequence[WeightedValues], count: int, *, balanced: bool
) -> list[Any]:
    """``count`` values of ``field``, determined by ``seed``.

    ``balanced``: every part as often as its weight says, give or take one, evenly spread over a
    range, in random order. Otherwise every draw is independent.
    """
    if not balanced:
        return [_pick(seed, field, parts, number) for number in range(count)]
    numbers = shuffled(
        seed, f"values {field}", range(len(parts))
    )  # chance decides who gets one more
    rows = [
        _spread(seed, f"range {field} {number}", parts[number].values, share)
        for number, share in zip(numbers, _shares([parts[n] for n in numbers], count), strict=True)
    ]
    most = max(map(len, rows), default=0)
    in_turn = [row[turn] for turn in range(most) for row in rows if turn < len(row)]
    return shuffled(seed, f"places {field}", in_turn)


def _pick(seed: int, field: str, parts: Sequence[WeightedValues], number: int) -> Any:
    point = draw(seed, f"draw {field}", number) * float(sum(part.weight for part in parts))
    for part in parts:
        if point < part.weight:
            break
        point -= float(part.weight)
    within = draw(seed, f"range {field}", number) if len(part.values) > 1 else 0.0
    return part.values[int(within * len(part.values))]


def _shares(parts: Sequence[WeightedValues], count: int) -> list[int]:
    """How many of ``count`` each part gets: its exact share, rounded so that they add up."""
    total = sum(part.weight for part in parts)
    exact = [count * part.weight / total for part in parts]
    shares = [int(share) for share in exact]
    by_rest = sorted(range(len(parts)), key=lambda n: shares[n] - exact[n])
    for number in by_rest[: count - sum(shares)]:
        shares[number] += 1
    return shares


def _spread(seed: int, purpose: str, values: Sequence[Any], count: int) -> list[Any]:
    """``count`` of ``values``, one from each of as many equal stretches."""
    if len(values) == 1:
        return [values[0]] * count
    stretch = len(values) / max(1, count)
    points = (stretch * (number + draw(seed, purpose, number)) for number in range(count))
    return [values[min(int(point), len(values) - 1)] for point in points]


def shuffled(seed: int, purpose: str, values: Sequence[Any]) -> list[Any]:
    """``values`` in a random order given by ``seed`` and ``purpose``."""
    order = sorted(range(len(values)), key=lambda index: draw(seed, purpose, index))
    return [values[index] for index in order]
