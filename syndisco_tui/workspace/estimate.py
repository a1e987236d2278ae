"""Estimates the tokens, time and money of an experiment as ranges, and measures them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path

from ..discussion import DiscussionRecord, DiscussionSetup
from ..session.batch_run import BatchRun
from ..store.discussions import discussion_files, read_discussion
from ..store.inputs import InputError
from ..text import duration
from .settings import Price

SHORTEST_REPLY = 10
"""A reply has at least this part of ``max_out_tokens`` on average: a tenth."""
CHARACTERS_A_TOKEN = 4
RECENT_DISCUSSIONS = 40
"""Saved discussions that are looked at for a model's speed."""


@dataclass(frozen=True)
class Range:
    """From ``low`` to ``high``."""

    low: float = 0.0
    high: float = 0.0

    def __add__(self, other: Range) -> Range:
        return Range(self.low + other.low, self.high + other.high)

    def times(self, low: float, high: float) -> Range:
        """Multiply each end by its own factor."""
        return Range(self.low * low, self.high * high)


@dataclass(frozen=True)
class Tokens:
    """Tokens that models read and write."""

    read: Range = Range()
    written: Range = Range()

    def __add__(self, other: Tokens) -> Tokens:
        return Tokens(self.read + other.read, self.written + other.written)


@dataclass(frozen=True)
class Speed:
    """Tokens per second of all discussions together; ``source`` says where it was measured."""

    tokens_per_second: float
    source: str


@dataclass(frozen=True)
class Estimate:
    """An estimate of what remains to be done. ``seconds`` is None if no speed is known.

    ``cost`` is in the currency of the prices, None without any; ``unpriced`` are models on servers
    without a price.
    """

    discussions: int
    turns: int
    replies: int
    tokens: Tokens
    seconds: Range | None
    speed: Speed | None
    cost: Range | None
    unpriced: tuple[str, ...] = ()


@dataclass(frozen=True)
class Measured:
    """What finished discussions took, and their estimate."""

    discussions: int
    read: int
    written: int
    estimated: Tokens


def estimate(
    setups: Iterable[DiscussionSetup], speed: Speed | None, prices: Mapping[str, Price]
) -> Estimate:
    """Estimate discussions of ``setups``.

    A reply is assumed to write between a tenth and all of ``max_out_tokens`` (and of the tokens for
    reasoning, if it is on). It reads its system prompt, at four characters per token, and as many
    replies of that length as the history holds: on average at least half of it.
    """
    count = turns = replies = 0
    tokens, cost = Tokens(), Range()
    priced, unpriced = False, dict[str, None]()
    for setup in setups:
        count += 1
        turns += setup.conv_len
        for name, expected in _replies_by_name(setup).items():
            replies += round(expected)
            used = _tokens(setup, name, expected)
            tokens += used
            own = setup.with_model_of(name)
            price = price_of(own, prices)
            if price is not None:
                priced = True
                cost += used.read.times(price.input / 1e6, price.input / 1e6)
                cost += used.written.times(price.output / 1e6, price.output / 1e6)
            elif own.server:
                unpriced[own.model] = None
    seconds = None
    if speed and speed.tokens_per_second:
        factor = 1 / speed.tokens_per_second
        seconds = tokens.written.times(factor, factor)
    return Estimate(
        count, turns, replies, tokens, seconds, speed, cost if priced else None, tuple(unpriced)
    )


def _replies_by_name(setup: DiscussionSetup) -> dict[str, float]:
    """The maximum number of replies of each participant; users share the turns evenly."""
    takers = setup.turn_takers
    replies = {name: setup.conv_len / len(takers) for name in takers}
    if setup.moderator and not setup.moderator_takes_turns:
        replies[setup.moderator.name] = setup.conv_len
    return replies


def _tokens(setup: DiscussionSetup, name: str, replies: float) -> Tokens:
    own = setup.with_model_of(name)
    most = own.max_out_tokens + (own.max_reasoning_tokens if own.reasoning != "off" else 0)
    least = max(1, own.max_out_tokens // SHORTEST_REPLY)
    messages = sum(_replies_by_name(setup).values())
    window = setup.history_context_len
    history = messages if window is None else min(window, messages)
    system = len(setup.actor(name).system_prompt()) / CHARACTERS_A_TOKEN
    return Tokens(
        Range(
            replies * (system + history / 2 * least),
            replies * (system + history * setup.max_out_tokens),
        ),
        Range(replies * least, replies * most),
    )


def price_of(setup: DiscussionSetup, prices: Mapping[str, Price]) -> Price | None:
    """The price of a setup's model: by its name, or by its server's name or URL."""
    names = (setup.model, setup.model.rpartition("/")[2], *setup.server)
    return next((prices[name] for name in names if name in prices), None)


def measured_cost(records: Iterable[DiscussionRecord], prices: Mapping[str, Price]) -> float | None:
    """The cost of the replies in ``records``; None if no model in them has a price."""
    cost: float | None = None
    for record in records:
        for entry in record.entries:
            if entry.is_prompted and entry.name in record.setup.names:
                price = price_of(record.setup.with_model_of(entry.name), prices)
                if price is not None:
                    cost = (cost or 0.0) + entry.prompt_tokens * price.input / 1e6
                    cost += entry.completion_tokens * price.output / 1e6
    return cost


def measure(runs: Iterable[BatchRun]) -> Measured | None:
    """What the finished ``runs`` took, with their estimate; None while none is finished."""
    records = [run.record for run in runs if run.state == "finished" and run.record]
    if not records:
        return None
    entries = [entry for record in records for entry in record.entries if entry.is_prompted]
    return Measured(
        len(records),
        sum(entry.prompt_tokens for entry in entries),
        sum(entry.completion_tokens for entry in entries),
        estimate((record.setup for record in records), None, {}).tokens,
    )


# How fast models are ---------------------------------------------------------------------------


def speed_of(runs: Sequence[BatchRun], library: Path | None = None) -> Speed | None:
    """The speed of these discussions, or of the newest ones in ``library`` with their model."""
    tokens_per_second = throughput(run.record for run in runs if run.record)
    if tokens_per_second:
        return Speed(tokens_per_second, "as measured in this experiment")
    models = {run.setup.model for run in runs}
    if library is None or not library.is_dir():
        return None
    recent: list[DiscussionRecord] = []
    for path in islice(discussion_files(library), RECENT_DISCUSSIONS):
        try:
            record = read_discussion(path)
        except InputError:  # the library says what is wrong with it
            continue
        if record.setup.model in models or models == {"auto"}:
            recent.append(record)
    speed = throughput(recent)
    if not speed:
        return None
    name = recent[0].setup.model.rpartition("/")[2]
    return Speed(speed, f"as {name} was in the last {len(recent)} discussions of the library")


def throughput(records: Iterable[DiscussionRecord]) -> float:
    """Tokens per second over the time in which at least one reply was being generated."""
    spans: list[tuple[float, float]] = []
    tokens = 0
    for record in records:
        for entry in record.entries:
            if entry.is_prompted and entry.created_at and entry.seconds:
                end = datetime.fromisoformat(entry.created_at).timestamp()
                spans.append((end - entry.seconds, end))
                tokens += entry.completion_tokens
    spans.sort()
    seconds, until = 0.0, float("-inf")
    for start, end in spans:
        seconds += max(0.0, end - max(start, until))
        until = max(until, end)
    return tokens / seconds if seconds else 0.0


# In words --------------------------------------------------------------------------------------


def sentence(expected: Estimate) -> str:
    """An estimate in one line."""
    read, written = expected.tokens.read, expected.tokens.written
    parts = [
        f"{expected.turns:,} turns",
        f"{compact(read.low)} to {compact(read.high)} tokens read",
        f"{compact(written.low)} to {compact(written.high)} written",
    ]
    if expected.seconds:
        parts.append(f"{duration(expected.seconds.low)} to {duration(expected.seconds.high)}")
    if expected.cost:
        parts.append(f"{expected.cost.low:,.2f} to {expected.cost.high:,.2f} of money")
    return " · ".join(parts)


def compact(number: float) -> str:
    """Format a count with about two digits: 850, 12k, 3.4M."""
    for limit, divisor, unit in ((1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k")):
        if number >= limit:
            value = number / divisor
            return f"{value:.1f}{unit}" if value < 10 else f"{value:.0f}{unit}"
    return f"{number:,.0f}"
