"""ROUGE-L and diversity, against the textbook's table of dynamic programming."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndisco_tui.analysis import rouge
from syndisco_tui.analysis.rouge import Diversity, words


def rouge_l(a: str, b: str) -> float:
    """The ROUGE-L F-measure of two texts, 0 to 1; 0 where either has no word."""
    pair = Diversity()
    pair.add(a)
    pair.add(b)
    return pair.total if pair.pairs else 0.0


def longest_common(a: list[str], b: list[str]) -> int:
    """The length of the longest common subsequence, cell by cell."""
    row = [0] * (len(b) + 1)
    for word in a:
        new = [0]
        for j, other in enumerate(b):
            new.append(row[j] + 1 if word == other else max(row[j + 1], new[j]))
        row = new
    return row[-1]


texts = st.lists(st.sampled_from("abcde"), max_size=40).map(" ".join)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("the cat sat", "the cat sat", 1.0),
        ("The cat, sat!", "the cat sat", 1.0),
        ("police killed the gunman", "police kill the gunman", 2 * 3 / 8),
        ("police killed the gunman", "the gunman kill police", 2 * 2 / 8),
        ("one two three four", "one", 2 * 1 / 5),
        ("Ναι, η ΓΑΤΑ", "η γάτα", 2 * 1 / 5),
        ("one", "two", 0.0),
        ("one", "", 0.0),
    ],
)
def test_rouge_l_of_a_pair(a: str, b: str, expected: float) -> None:
    assert rouge_l(a, b) == pytest.approx(expected)


@given(st.lists(texts, max_size=6))
def test_diversity_is_one_less_the_mean_over_all_pairs(comments: list[str]) -> None:
    diversity = Diversity()
    for comment in comments:
        diversity.add(comment)
    said = [words(comment) for comment in comments if comment]
    pairs = [
        2 * longest_common(a, b) / (len(a) + len(b)) for i, a in enumerate(said) for b in said[:i]
    ]
    assert diversity.pairs == len(pairs)
    if pairs:
        assert diversity.value == pytest.approx(1 - sum(pairs) / len(pairs))
        assert len(diversity.course) == len(said) - 1
        assert diversity.course[-1] == diversity.value
    else:
        assert diversity.value is None


def test_the_same_again_and_again_has_no_diversity() -> None:
    diversity = Diversity()
    for _ in range(5):
        diversity.add("I agree with you.")
    assert diversity.value == pytest.approx(0)


def test_silences_are_no_comments() -> None:
    diversity = Diversity()
    for comment in ("one two", "", "  ", "…", "three"):
        diversity.add(comment)
    assert diversity.comments == 2


def test_there_is_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rouge, "MAX_COMMENTS", 3)
    diversity = Diversity()
    for comment in ("a", "b", "c", "a", "b"):
        diversity.add(comment)
    assert diversity.is_full
    assert (diversity.comments, diversity.pairs) == (3, 3)


@given(st.lists(texts, max_size=6))
def test_a_distance_is_one_less_the_mean_likeness_with_the_others(several: list[str]) -> None:
    expected: list[float | None] = []
    for number, text in enumerate(several):
        others = [other for n, other in enumerate(several) if n != number and words(other)]
        likeness = [rouge_l(text, other) for other in others]
        can_be_told = bool(words(text)) and bool(others)
        expected.append(1 - sum(likeness) / len(likeness) if can_be_told else None)
    assert rouge.distances(several) == [
        pytest.approx(value) if value is not None else None for value in expected
    ]


def test_distances_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rouge, "MAX_DISCUSSIONS", 2)
    monkeypatch.setattr(rouge, "MAX_DISCUSSION_WORDS", 3)
    assert rouge.distances(["a b c d", "a b c e", "x"]) == [0.0, 0.0, None]
