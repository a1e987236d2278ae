"""Annotation: answers are read where they are unambiguous, and nowhere else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from syndisco_tui.discussion import Message
from syndisco_tui.discussion.annotation import AnnotationTask, annotation_chat
from syndisco_tui.discussion.scales import ChoiceScale, IntegerScale, TextScale

FIVE = IntegerScale.model_validate({"from": 1, "to": 5})
TOXIC = ChoiceScale(choices=("toxic", "not toxic", "unsure"))


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ("4", 4),
        (" 4.\n", 4),
        ("Toxicity: 4/5 because 3 people are insulted", 4),
        ("4 out of 5", 4),
        ("four", 4),
        ("Four.", 4),
        ("**4**", 4),
        ("I would say 4.", 4),
        ("On a scale from 1 to 5 I would say 2", 2),
        ('```json\n{"toxicity": 4}\n```', 4),
        ('{"toxicity": "4"}', 4),
        ("4 - rather toxic, not a 1", 4),
        ("6", None),
        ("0", None),
        ("-4", None),
        ("4.5", None),
        ("4,5", None),
        ("4/10", None),
        ("between 3 and 4", None),
        ("It is a 3, or maybe a 4", None),
        ('{"toxicity": 4, "rudeness": 2}', None),
        ("true", None),
        ('{"toxicity": true}', None),
        ("", None),
        ("no idea", None),
        ("A4 paper", None),
        ("14", None),
        ("[" * 5000, None),
    ],
)
def test_numbers(answer: str, value: int | None) -> None:
    assert FIVE.read(answer) == value


@pytest.mark.parametrize(
    ("answer", "value"),
    [
        ("toxic", "toxic"),
        ("Not toxic.", "not toxic"),
        ("Label: not toxic, since nobody is insulted", "not toxic"),
        ('{"label": "toxic"}', "toxic"),
        ("**Unsure**", "unsure"),
        ("toxic or unsure", None),
        ("intoxicating", None),
        ("", None),
    ],
)
def test_choices(answer: str, value: str | None) -> None:
    assert TOXIC.read(answer) == value


def test_text() -> None:
    assert TextScale().read("  because \n") == "because"
    assert TextScale().read(" \n") is None


def task(**changes: Any) -> AnnotationTask:
    values = {
        "instructions": "How toxic is the last comment?",
        "scale": {"type": "integer", "from": 1, "to": 5},
        "annotators": [{"persona": {"username": "Coder", "age": 30}}],
        "history_context_len": 1,
    }
    return AnnotationTask.model_validate(values | changes)


def test_what_an_annotator_reads() -> None:
    entries = [
        Message("Ann", "One.", "user", 1),
        Message("Bob", "Two.", "user", 2),
        Message("Ann", "", "user", 3),
        Message("Cem", "Four.", "user", 4),
        Message("Bob", "Later.", "user", 5),
    ]
    system, user = annotation_chat(task(), task().annotators[0].persona, entries, 3)
    fields = json.loads(system.content)
    assert fields["type"] == "2"
    assert fields["persona"] == {"username": "Coder", "age": 30}
    assert fields["instructions"].endswith("a whole number from 1 to 5 and nothing else.")
    assert user.content == (
        'Comments so far:\nComment by user Bob: "\nTwo."\nComment by user Cem: "\nFour."\n'
        "Your annotation:"
    )


@pytest.mark.parametrize(
    "scale",
    [
        {"type": "integer", "from": 5, "to": 1},
        {"type": "choice", "choices": ["a"]},
        {"type": "choice", "choices": ["a", " A"]},
        {"type": "number"},
    ],
)
def test_scales_that_are_none(scale: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        task(scale=scale)
