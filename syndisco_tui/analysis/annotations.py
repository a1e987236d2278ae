"""Figures of annotations: what was answered, and how far annotators agree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..discussion import Message
from ..discussion.annotation import Annotation, AnnotationSet, Question
from ..discussion.scales import IntegerScale, TextScale, Value
from .agreement import Agreement, agreement, ndfu
from .statistics import mean

Unit = tuple[str, int]
"""A message: the id of its discussion, and its index among the entries."""


@dataclass(frozen=True)
class MessageAnswers:
    """All valid answers about one message, by annotator and repeat."""

    unit: Unit
    values: Mapping[tuple[str, int], Value]
    ndfu: float | None
    """How polarized the answers are, on a scale of numbers."""


@dataclass(frozen=True)
class AnnotatorSummary:
    """What one annotator answered to one question."""

    name: str
    kind: str
    answers: int
    invalid: int
    mean: float | None
    """Of the numbers; None on other scales."""


@dataclass(frozen=True)
class TaskSummary:
    """All annotations of one question. Every repeat counts as a separate annotator."""

    question: Question
    discussions: int
    annotators: tuple[AnnotatorSummary, ...]
    agreement: Agreement
    messages: tuple[MessageAnswers, ...]
    counts: Mapping[Value, int]
    """How often each valid answer was given; of texts none are counted."""

    @property
    def mean(self) -> float | None:
        """The mean of all numbers; None on other scales."""
        return _mean([value for each in self.messages for value in each.values.values()])

    @property
    def ndfu(self) -> float | None:
        """The mean nDFU over messages with two answers or more."""
        return mean(
            [each.ndfu for each in self.messages if each.ndfu is not None and len(each.values) > 1]
        )


Coded = tuple[AnnotationSet, Sequence[Annotation]]
"""A set, and those of its annotations that count."""


def coded(sets: Iterable[AnnotationSet], entries: Sequence[Message]) -> list[Coded]:
    """The annotations of one discussion, without those of messages that have changed since."""
    return [(each, tuple(each.current(entries))) for each in sets]


def summarize_tasks(all_coded: Iterable[Coded]) -> list[TaskSummary]:
    """Summarize each question, in order of appearance."""
    by_question: dict[str, list[Coded]] = {}
    for each in all_coded:
        by_question.setdefault(each[0].question.digest, []).append(each)
    return [
        _summary(sorted(group, key=lambda each: each[0].annotator.name))
        for group in by_question.values()
    ]


def means_by_task(all_coded: Iterable[Coded]) -> dict[str, float]:
    """The mean answer to each question on a scale of numbers, by the question's name."""
    summaries = summarize_tasks(all_coded)
    return {each.question.name: each.mean for each in summaries if each.mean is not None}


def _summary(group: Sequence[Coded]) -> TaskSummary:
    question = group[0][0].question
    names = _names(group)
    answers: dict[str, dict[Hashable, Value]] = {}
    by_unit: dict[Unit, dict[tuple[str, int], Value]] = {}
    own: dict[str, list[Annotation]] = {}
    for answer_set, current in group:
        name = names[answer_set.annotator.digest]
        own.setdefault(name, []).extend(current)
        for each in current:
            if each.value is None:
                continue
            unit = answer_set.discussion, each.position
            answers.setdefault(f"{name}#{each.repeat}", {})[unit] = each.value
            by_unit.setdefault(unit, {})[name, each.repeat] = each.value
    kinds = {names[each.annotator.digest]: each.annotator.kind for each, _ in group}
    is_text = isinstance(question.scale, TextScale)
    counts = Counter(value for values in by_unit.values() for value in values.values())
    return TaskSummary(
        question,
        len({each.discussion for each, _ in group}),
        tuple(
            AnnotatorSummary(
                name,
                kinds[name],
                len(given),
                sum(not each.is_valid for each in given),
                _mean([each.value for each in given]),
            )
            for name, given in own.items()
        ),
        agreement(answers, question.scale.level),
        tuple(
            MessageAnswers(unit, values, _ndfu(question, list(values.values())))
            for unit, values in sorted(by_unit.items())
        ),
        {} if is_text else dict(sorted(counts.items(), key=lambda item: str(item[0]))),
    )


def _names(group: Sequence[Coded]) -> dict[str, str]:
    """Annotators' names by digest, numbered where two have the same name."""
    names: dict[str, str] = {}
    for answer_set, _ in group:
        profile = answer_set.annotator
        if profile.digest in names:
            continue
        name, number = profile.name, 1
        while name in names.values():
            number += 1
            name = f"{profile.name} ({profile.model or number})"
            if number > 2 and profile.model:
                name = f"{profile.name} ({profile.model}, {number - 1})"
        names[profile.digest] = name
    return names


def _ndfu(question: Question, values: Sequence[Value]) -> float | None:
    if not isinstance(question.scale, IntegerScale):
        return None
    numbers = [value for value in values if isinstance(value, int)]
    return ndfu(numbers, question.scale.low, question.scale.high)


def _mean(values: Sequence[Value | None]) -> float | None:
    return mean([value for value in values if isinstance(value, int)])
