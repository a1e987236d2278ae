"""What an experiment will take, and what it took."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from syndisco_tui.discussion import DiscussionRecord, DiscussionSetup, Message, Persona
from syndisco_tui.workspace.estimate import (
    Speed,
    compact,
    estimate,
    measured_cost,
    sentence,
    throughput,
)
from syndisco_tui.workspace.settings import Price

PEOPLE = (Persona(username="Ann"), Persona(username="Bob"))
PRICES = {"big": Price(input=1.0, output=10.0), "cluster": Price(input=0.5, output=0.5)}


def setup(**fields: Any) -> DiscussionSetup:
    return DiscussionSetup(personas=PEOPLE, conv_len=10, max_out_tokens=100, **fields)


def test_replies_turns_and_written_tokens() -> None:
    alone = estimate([setup()], None, {})
    assert (alone.discussions, alone.turns, alone.replies) == (1, 10, 10)
    assert (alone.tokens.written.low, alone.tokens.written.high) == (100, 1000)
    moderated = estimate([setup(moderator=Persona(username="Mod"))] * 2, None, {})
    assert (moderated.turns, moderated.replies) == (20, 40)
    assert alone.seconds is None


def test_longer_histories_are_read() -> None:
    short = estimate([setup(history_context_len=1)], None, {}).tokens.read
    everything = estimate([setup(history_context_len=None)], None, {}).tokens.read
    assert everything.high - short.high == 9 * 10 * 100


def test_money_by_model_server_and_participant() -> None:
    by_model = estimate([setup(model="org/big", server="http://there/v1")], None, PRICES)
    assert by_model.cost
    written, read = by_model.tokens.written, by_model.tokens.read
    assert by_model.cost.high == pytest.approx(written.high / 1e5 + read.high / 1e6)
    by_server = estimate([setup(model="x", server="cluster")], None, PRICES)
    assert by_server.cost
    assert by_server.cost.high < by_model.cost.high
    unknown = estimate([setup(model="x", server="elsewhere")], None, PRICES)
    assert (unknown.cost, unknown.unpriced) == (None, ("x",))
    assert estimate([setup(model="starter")], None, PRICES).unpriced == ()
    mixed = estimate([setup(model="starter", models={"Ann": "big"})], None, PRICES)
    assert mixed.cost
    assert mixed.cost.high == pytest.approx(by_model.cost.high / 2)


def test_time_follows_from_the_speed() -> None:
    expected = estimate([setup()], Speed(10, "as measured"), {})
    assert expected.seconds
    assert (expected.seconds.low, expected.seconds.high) == (10, 100)
    assert "10 s to 2 min" in sentence(expected)


def record(start: float, count: int, seconds: float = 1.0) -> DiscussionRecord:
    began = datetime(2026, 1, 1, tzinfo=UTC)
    entries = tuple(
        Message(
            "Ann", "Hi.", "user", number + 1, prompt_tokens=100, completion_tokens=20,
            seconds=seconds,
            created_at=(began + timedelta(seconds=start + (number + 1) * seconds)).isoformat(),
        )
        for number in range(count)
    )  # fmt: skip
    return DiscussionRecord("id", began.isoformat(), setup(model="big"), entries, "finished")


def test_throughput_counts_what_runs_at_the_same_time_once() -> None:
    assert throughput([record(0, 5)]) == pytest.approx(20)
    assert throughput([record(0, 5), record(0, 5)]) == pytest.approx(40), "side by side"
    assert throughput([record(0, 5), record(3600, 5)]) == pytest.approx(20), "with a night between"
    assert throughput([]) == 0


def test_what_it_did_cost() -> None:
    assert measured_cost([record(0, 10)], PRICES) == pytest.approx((1000 + 2000) / 1e6)
    assert measured_cost([record(0, 10)], {}) is None


@pytest.mark.parametrize(
    ("number", "text"),
    [(850, "850"), (9_999, "9,999"), (12_345, "12k"), (99_700, "100k"), (3_400_000, "3.4M")],
)
def test_counts_are_short(number: int, text: str) -> None:
    assert compact(number) == text
