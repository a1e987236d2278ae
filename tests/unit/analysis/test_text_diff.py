"""What the guard took away, found again from the two texts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndisco_tui.analysis.text_diff import DiffPart, diff
from syndisco_tui.discussion.guard import Guard


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("Hello.", "Hello.", [("same", "Hello.")]),
        ('"Hello."', "Hello.", [("removed", '"'), ("same", "Hello."), ("removed", '"')]),
        ('""', "", [("removed", '""')]),
        ("", "Hello.", [("added", "Hello.")]),
        (
            "User Ann posted:\nAnn\nUser Bob posted:\nAnn",
            "Ann",
            [
                ("removed", "User Ann posted:\n"),
                ("same", "Ann"),
                ("removed", "\nUser Bob posted:\nAnn"),
            ],
        ),
        (
            "I like cats.",
            "I love cats.",
            [("same", "I "), ("removed", "like"), ("added", "love"), ("same", " cats.")],
        ),
    ],
)
def test_changes(before: str, after: str, expected: list[DiffPart]) -> None:
    assert diff(before, after) == expected


@given(st.text(alphabet='ab \n":', max_size=30), st.text(alphabet='ab \n":', max_size=30))
def test_both_texts_can_be_read_off(before: str, after: str) -> None:
    found = diff(before, after)
    assert "".join(text for kind, text in found if kind != "added") == before
    assert "".join(text for kind, text in found if kind != "removed") == after


@given(st.text(alphabet='ab \n":', max_size=30))
def test_the_guard_only_takes_away(said: str) -> None:
    raw = f'User Ann posted:\n"{said}"\nUser Bob posted: no'
    text = Guard("Ann", ["Bob"]).read(raw, complete=True).text
    assert not [part for part in diff(raw, text) if part[0] == "added"]
