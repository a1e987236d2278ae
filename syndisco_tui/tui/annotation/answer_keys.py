"""Assigns a key to each answer, as far as there are keys."""

from __future__ import annotations

from string import ascii_lowercase

from ...discussion.scales import IntegerScale, Scale

MAX_DIGITS = 10


def answer_keys(scale: Scale) -> dict[str, str]:
    """Answers by key; empty if answers have to be typed.

    A number on a scale of digits has its own key, 10 has ``0``; other numbers are counted from
    ``1``. A choice has a letter of its own, its first one if that is free.
    """
    if isinstance(scale, IntegerScale):
        return _digits(scale)
    return _letters(scale.answers)


def _digits(scale: IntegerScale) -> dict[str, str]:
    answers = scale.answers
    if len(answers) > MAX_DIGITS:
        return {}
    if scale.low >= 0 and scale.high <= 9:
        return {answer: answer for answer in answers}
    if scale.low >= 1 and scale.high == 10:
        return {answer[-1]: answer for answer in answers}
    return {str(number % 10): answer for number, answer in enumerate(answers, start=1)}


def _letters(answers: tuple[str, ...]) -> dict[str, str]:
    if not 0 < len(answers) <= len(ascii_lowercase):
        return {}
    keys: dict[str, str] = {}
    for answer in answers:
        own = [letter for letter in answer.casefold() if letter in ascii_lowercase]
        free = (letter for letter in (*own, *ascii_lowercase) if letter not in keys)
        keys[next(free)] = answer
    return keys
