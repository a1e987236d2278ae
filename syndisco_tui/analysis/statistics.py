"""Statistics of a discussion, as SynDisco's authors define them, and measures made of them.

Rows are what models were asked for: seed opinions and what people wrote are left out. A silence is
a row too, with the words that the model returned: ``""`` counts as one word, as in their table.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from ..discussion import DiscussionRecord, Message
from ..discussion.marks import MarkKind
from ..discussion.out_of_persona import refuses
from .rouge import Diversity
from .turn_taking import turn_taking

MARK_HEADINGS: Mapping[MarkKind, str] = {
    "speaks_as": "as another",
    "left_out": "left out",
    "silence_words": "perhaps silent",
    "assistant": "as assistant",
    "refusal": "refusals",
    "language": "other language",
    "repetition": "repetitive",
}
"""What tables call the numbers of marks of each kind."""
_SAYS_NOTHING = re.compile(r'[\s"]*')


@dataclass(frozen=True)
class DiscussionStatistics:
    """The figures of one discussion. What cannot be told is None."""

    id: str
    user_rows: int
    user_messages: int
    """Rows of users in which something is said."""
    moderator_rows: int
    interventions: int
    """Rows of moderators that are neither blank nor just two quotation marks."""
    silences: int
    words: tuple[int, ...]
    """Words of each row, split at white space."""
    diversity: float | None
    answers: int
    """Turns of whoever spoke before the last speaker (A, B, A)."""
    answerable: int
    """Turns in which somebody could answer so."""
    marks: int
    """Rows that the guard marked."""
    reply_tokens: int
    reasoning_tokens: int = 0
    marks_by_kind: Mapping[MarkKind, int] = field(default_factory=dict)
    """Marks of each kind; those that a person removed do not count."""
    extra: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Further measures, of annotations for example: by name, a sum and a count."""

    @property
    def rows(self) -> int:
        """Rows of users and moderators."""
        return self.user_rows + self.moderator_rows


def discussion_statistics(record: DiscussionRecord) -> DiscussionStatistics:
    """Count one discussion."""
    rows = [entry for entry in record.entries if entry.is_prompted]
    users = [entry for entry in rows if entry.role == "user"]
    moderators = [entry for entry in rows if entry.role == "moderator"]
    diversity = Diversity()
    for entry in rows:
        diversity.add(_returned(entry))
    turns = turn_taking([record])
    return DiscussionStatistics(
        id=record.id,
        user_rows=len(users),
        user_messages=sum(not _SAYS_NOTHING.fullmatch(_returned(entry)) for entry in users),
        moderator_rows=len(moderators),
        interventions=sum(_returned(entry).strip() not in ("", '""') for entry in moderators),
        silences=sum(bool(_SAYS_NOTHING.fullmatch(_returned(entry))) for entry in rows),
        words=tuple(len(_returned(entry).split()) for entry in rows),
        diversity=diversity.value,
        answers=turns.answers,
        answerable=turns.answerable,
        marks=sum(bool(entry.marks) for entry in rows),
        reply_tokens=sum(entry.completion_tokens for entry in rows),
        reasoning_tokens=sum(entry.reasoning_tokens for entry in rows),
        marks_by_kind=_refusals(rows) if record.is_foreign else _marks(rows),
    )


def _marks(rows: Sequence[Message]) -> Counter[MarkKind]:
    return Counter(mark.kind for entry in rows for mark in entry.marks)


def _refusals(rows: Sequence[Message]) -> Counter[MarkKind]:
    """The only marks of what the guard has never seen: how a refusal begins needs no context."""
    return Counter({"refusal": sum(refuses(_returned(entry)) for entry in rows)})


def _returned(entry: Message) -> str:
    """What was posted, or for a silence what the model returned; not what a person made of it."""
    posted = entry.text if entry.original_text is None else entry.original_text
    return posted or entry.model_text


@dataclass(frozen=True)
class Measure:
    """A figure for comparing discussions and conditions: a sum divided by a count.

    A condition's figure is the sum over all its discussions divided by the count over all of them.
    """

    name: str
    label: str
    """What people call it."""
    unit: str
    """What it is a share or a number of, for an axis."""
    parts: Callable[[DiscussionStatistics], tuple[float, float]]
    """Sum and count of one discussion; a count of 0 where it has no data."""
    is_share: bool = False
    """Whether it lies between 0 and 1."""

    def __call__(self, one: DiscussionStatistics) -> float | None:
        """The figure of one discussion; None without data."""
        return self.of_all([one])

    def of_all(self, discussions: Sequence[DiscussionStatistics]) -> float | None:
        """The figure of several discussions together; None without data."""
        parts = [self.parts(one) for one in discussions]
        count = sum(part[1] for part in parts)
        return sum(part[0] for part in parts) / count if count else None


MEASURES: dict[str, Measure] = {
    measure.name: measure
    for measure in (
        Measure(
            "participation", "participation", "share of users’ turns with something said",
            lambda one: (one.user_messages, one.user_rows), is_share=True,
        ),
        Measure(
            "intervention_rate", "interventions",
            "share of the moderator’s turns with something said",
            lambda one: (one.interventions, one.moderator_rows), is_share=True,
        ),
        Measure(
            "silence_share", "silences", "share of all turns that are silences",
            lambda one: (one.silences, one.rows), is_share=True,
        ),
        Measure(
            "words_mean", "words", "words per message", lambda one: (sum(one.words), one.rows)
        ),
        Measure(
            "diversity", "diversity", "1 − mean ROUGE-L of all pairs of messages",
            lambda one: (one.diversity or 0.0, one.diversity is not None), is_share=True,
        ),
        Measure(
            "answer_rate", "A → B → A", "share of turns that return to the speaker before last",
            lambda one: (one.answers, one.answerable), is_share=True,
        ),
        Measure(
            "mark_rate", "marks", "share of messages that the guard marked",
            lambda one: (one.marks, one.rows), is_share=True,
        ),
        Measure(
            "refusal_rate", "refusals", "share of messages in which the model refuses",
            lambda one: (one.marks_by_kind.get("refusal", 0), one.rows), is_share=True,
        ),
        Measure(
            "reply_tokens", "reply tokens", "tokens per reply",
            lambda one: (one.reply_tokens, one.rows),
        ),
        Measure(
            "reasoning_tokens", "reasoning tokens", "reasoning tokens per reply",
            lambda one: (one.reasoning_tokens, one.rows),
        ),
    )
}  # fmt: skip
"""The measures that every discussion may have."""


_ABSENT_AT_ZERO = ("mark_rate", "refusal_rate", "reply_tokens", "reasoning_tokens")


def extra_measure(name: str) -> Measure:
    """The measure whose data is in the ``extra`` of discussions under this name."""
    words = name.removeprefix("annotation_").removeprefix("survey_")
    label = words.removesuffix("_mean").removesuffix("_share").replace("_", " ")
    unit = "share of answers" if name.endswith("_share") else "mean answer"
    return Measure(
        name,
        label,
        f"{unit} of annotators" if name.startswith("annotation_") else unit,
        lambda one: one.extra.get(name, (0.0, 0.0)),
        is_share=name.endswith("_share"),
    )


def measures_of(discussions: Sequence[DiscussionStatistics]) -> list[Measure]:
    """The measures for which ``discussions`` have data.

    A feature that none of them uses, such as marks or reasoning, counts as missing data.
    """
    values = {name: measure.of_all(discussions) for name, measure in MEASURES.items()}
    present = [
        MEASURES[name]
        for name, value in values.items()
        if value or (value is not None and name not in _ABSENT_AT_ZERO)
    ]
    extra = dict.fromkeys(name for one in discussions for name in one.extra)
    return [*present, *map(extra_measure, extra)]


def mean(values: Sequence[float]) -> float | None:
    """The arithmetic mean; None of nothing."""
    return sum(values) / len(values) if values else None


def standard_deviation(values: Sequence[float]) -> float | None:
    """The sample's standard deviation (n − 1); None of fewer than two values."""
    if len(values) < 2:
        return None
    average = sum(values) / len(values)
    return math.sqrt(sum((value - average) ** 2 for value in values) / (len(values) - 1))
