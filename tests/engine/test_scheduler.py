"""Which replies wait, prefill and decode, without a model or torch."""

from __future__ import annotations

import random
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndisco_tui.engine.base import Generation, GenerationRequest
from syndisco_tui.engine.local.cache.slot_table import OutOfSlots, SlotTable
from syndisco_tui.engine.local.decoding.reply import Reply, ReplyTokens
from syndisco_tui.engine.local.decoding.scheduler import (
    PREFILL_TOKENS,
    PREFILL_TOKENS_WHILE_DECODING,
    Scheduler,
)
from syndisco_tui.engine.local.tokenization.chat_tokenizer import Prompt


@dataclass
class Memory:
    """Slot storage that records calls."""

    slots: int = 0
    length: int = 0
    bytes_per_token: int = 1
    copies: list[tuple[int, int, int]] = field(default_factory=list)

    def resize(self, slots: int, length: int) -> None:
        self.slots, self.length = slots, length

    def copy_prefix(self, source: int, target: int, length: int) -> None:
        self.copies.append((source, target, length))


class NoTokenizer:
    """Never called: no token is decoded."""


def reply(prompt: list[int], tokens: int = 10) -> Reply:
    generation = Generation(GenerationRequest((), tokens))
    return Reply(generation, Prompt(prompt), ReplyTokens(NoTokenizer(), eos=()), 1 << 20)


def scheduler(budget: int = 1 << 30, **options: Any) -> Scheduler:
    return Scheduler(SlotTable(Memory(), budget), **options)


def read(one: Scheduler) -> list[tuple[int, int]]:
    """Prefill the next chunks; where they begin and end."""
    chunks = one.schedule_chunks()
    for chunk in chunks:
        one.mark_prefilled(chunk)
    return [(chunk.start, chunk.end) for chunk in chunks]


def test_it_needs_no_torch() -> None:
    code = "import sys, syndisco_tui.engine.local.decoding.scheduler; print('torch' in sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert run.stdout.strip() == "False", run.stderr


def test_a_long_prompt_is_read_in_chunks_and_then_decodes() -> None:
    one = scheduler()
    one.waiting.append(reply(list(range(1200))))
    assert one.admit() == []
    assert read(one) == [(0, PREFILL_TOKENS)]
    assert read(one) == [(PREFILL_TOKENS, 2 * PREFILL_TOKENS)]
    assert not one.decoding
    assert read(one) == [(2 * PREFILL_TOKENS, 1200)]
    assert len(one.decoding) == 1
    assert not one.prefilling


def test_a_short_rest_is_read_in_the_same_step() -> None:
    one = scheduler()
    one.waiting.append(reply(list(range(PREFILL_TOKENS + 100))))
    one.admit()
    assert read(one) == [(0, PREFILL_TOKENS + 100)]


def test_less_is_prefilled_while_a_reply_decodes() -> None:
    one = scheduler()
    one.waiting.append(reply([1, 2, 3]))
    one.admit()
    read(one)
    one.waiting.append(reply(list(range(100, 1000))))
    one.admit()
    assert read(one) == [(0, PREFILL_TOKENS_WHILE_DECODING)]


def test_the_budget_goes_to_the_oldest_prompts() -> None:
    one = scheduler()
    for number in range(4):
        one.waiting.append(reply(list(range(number * 1000, number * 1000 + 300))))
    one.admit()
    assert read(one) == [(0, 300), (0, 212)]
    assert [len(one.waiting), len(one.prefilling), len(one.decoding)] == [2, 1, 1]


def test_a_shared_prefix_is_read_once() -> None:
    one, common = scheduler(), list(range(400))
    for number in range(3):
        one.waiting.append(reply([*common, 1000 + number]))
    one.admit()
    assert len(one.prefilling) == 1  # the others wait for it, and are then copied
    read(one)
    one.admit()
    memory = one.slots.storage
    assert isinstance(memory, Memory)
    assert [length for _, _, length in memory.copies] == [400, 400]
    assert read(one) == [(400, 401), (400, 401)]
    assert [sequence.reply.cached_tokens for sequence in one.decoding] == [0, 400, 400]


def test_no_more_than_are_allowed_at_once() -> None:
    one = scheduler(max_sequences=2)
    for number in range(3):
        one.waiting.append(reply([number * 10, 1]))
    one.admit()
    read(one)
    assert [len(one.waiting), len(one.decoding)] == [1, 2]
    one.release(one.decoding[0])
    one.admit()
    assert not one.waiting


def test_a_reply_that_never_fits_is_returned_and_others_wait() -> None:
    one = scheduler(budget=640)
    small, other, large = reply([1] * 20, 300), reply([2] * 20, 300), reply([3] * 700)
    one.waiting.extend([small, other, large])
    assert one.admit() == []
    read(one)
    assert list(one.waiting) == [other, large]  # one of them fits
    one.release(one.decoding[0])
    assert one.admit() == []
    read(one)
    assert [sequence.reply for sequence in one.decoding] == [other]
    one.release(one.decoding[0])
    assert one.admit() == [large]
    assert one.is_idle


def test_cancelled_replies_leave_wherever_they_are() -> None:
    one = scheduler(max_sequences=2)
    replies = [reply([1, 2, 3]), reply(list(range(5, 900))), reply([4])]
    one.waiting.extend(replies)
    one.admit()
    read(one)
    assert [len(one.waiting), len(one.prefilling), len(one.decoding)] == [1, 1, 1]
    for each in replies:
        each.generation.cancel()
    assert one.remove_cancelled() == [replies[2], replies[1], replies[0]]
    assert one.is_idle
    assert not any(slot.is_busy for slot in one.slots.slots)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 1 << 32), st.integers(200, 20_000))
def test_no_reply_is_lost_and_no_slot_is_shared(seed: int, budget: int) -> None:
    """With random requests, ends and cancellations, and little memory."""
    one, rng = scheduler(budget=budget, max_sequences=5), random.Random(seed)
    coming = [
        reply(rng.choices(range(3), k=rng.randint(1, 150)), rng.randint(1, 60)) for _ in range(12)
    ]
    submitted, ended = list(coming), []
    for _ in range(2000):
        if coming and rng.random() < 0.3:
            one.waiting.append(coming.pop())
        if rng.random() < 0.03:
            rng.choice(submitted).generation.cancel()
        ended += one.remove_cancelled() + one.admit()
        read(one)
        busy = [*one.prefilling, *one.decoding]
        assert len({sequence.slot.index for sequence in busy}) == len(busy) <= 5
        assert one.slots.storage.slots * one.slots.storage.length <= one.slots.budget
        for sequence in list(one.decoding):
            sequence.reply.token_ids.append(0)
            if sequence.is_last_token(False):
                ended.append(sequence.reply)
                one.release(sequence)
        if one.is_idle and not coming:
            break
    assert sorted(map(id, ended)) == sorted(map(id, submitted))


def test_slots_are_allocated_at_once_for_those_expected() -> None:
    table = SlotTable(Memory(), 1 << 20)
    table.acquire([1, 2], 100, 4, expected=10)
    assert (table.storage.slots, table.storage.length) == (14, 256)


def test_an_idle_slot_is_kept_for_its_prefix_until_others_need_it() -> None:
    table = SlotTable(Memory(), 1 << 20)
    slots = [table.acquire([number] * 10, 60, 3)[0] for number in range(3)]
    for slot, number in zip(slots, range(3), strict=True):
        slot.tokens = [number] * 10
        table.release(slot)
    again, cached = table.acquire([1] * 10, 60, 3)
    assert (again, cached) == (slots[1], 9)
    other, cached = table.acquire([7] * 10, 60, 1)
    assert (other, cached) == (slots[0], 0)  # the least recently used


def test_full_memory_raises() -> None:
    table = SlotTable(Memory(), 128)
    table.acquire([1], 60, 0)
    with pytest.raises(OutOfSlots):
        table.acquire([2], 100, 0)
