"""Many requests over sixteen slots: each ends once, and memory does not grow."""

from __future__ import annotations

import gc
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from syndisco_tui.discussion import ChatMessage
from syndisco_tui.engine.base import (
    Failed,
    Finished,
    Generation,
    GenerationEvent,
    GenerationRequest,
    OutOfMemory,
    Sampling,
)
from syndisco_tui.engine.local import LocalEngine
from syndisco_tui.engine.local.decoding.scheduler import IDLE_SLOTS
from tests.support.reference import random_request

AT_ONCE = 16


def resident_bytes() -> int:
    """Bytes of memory this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


@pytest.mark.parametrize("requests", [200, pytest.param(2000, marks=pytest.mark.campaign)])
def test_many_requests(
    engine_for: Callable[[Path], LocalEngine], tiny_folder: Path, requests: int
) -> None:
    """Of random lengths; a fifth is cancelled at random moments."""
    engine, rng = engine_for(tiny_folder), random.Random(5)
    ends: Counter[int] = Counter()
    texts: dict[int, list[str]] = {}

    def listen(event: GenerationEvent) -> None:
        if isinstance(event, (Finished, Failed)):
            ends[event.generation.id] += 1
        elif hasattr(event, "text"):
            texts.setdefault(event.generation.id, []).append(event.text)

    generations: list[Generation] = []
    alive: list[Generation] = []
    cancelled: set[int] = set()
    memory: list[int] = []
    for number in range(requests):
        request = random_request(rng, 16)
        # Sampling from the whole vocabulary takes most of the time, so it is rare here.
        if request.sampling.top_k in (0, 2000) and rng.random() < 0.95:
            request = replace(request, sampling=replace(request.sampling, top_k=40))
        generations.append(engine.submit(request, listen))
        alive.append(generations[-1])
        if rng.random() < 0.2:
            to_cancel = rng.choice(alive)
            to_cancel.cancel()
            cancelled.add(to_cancel.id)
        while len(alive) >= AT_ONCE:
            alive = [generation for generation in alive if not generation.is_done]
            time.sleep(0.0005)
        if number in (requests // 2, requests - 1):
            gc.collect()
            memory.append(resident_bytes())
    results = {generation.id: generation.result(60) for generation in generations}
    assert set(ends) == set(results)
    assert set(ends.values()) == {1}
    for identity, result in results.items():
        assert "".join(texts.get(identity, ())) == result.text
        assert result.finish_reason != "cancelled" or identity in cancelled
    assert sum(result.finish_reason == "cancelled" for result in results.values()) > requests // 100
    assert memory[1] - memory[0] < 30e6  # as many requests later
    decoder: Any = engine._decoder.ordinary
    assert not decoder.busy
    assert not any(slot.is_busy for slot in decoder._slots.slots)
    assert len(decoder._slots.slots) <= AT_ONCE + IDLE_SLOTS + 1


def test_a_request_longer_than_any_slot_can_be(
    engine_for: Callable[[Path], LocalEngine], tiny_folder: Path
) -> None:
    engine = engine_for(tiny_folder)
    decoder: Any = engine._decoder.ordinary
    short = GenerationRequest((ChatMessage("user", "Hm?"),), 4, Sampling())
    engine.submit(short).result(60)
    decoder._slots.forget_idle()
    budget, decoder._slots.budget = decoder._slots.budget, 200_000
    try:
        long = GenerationRequest((ChatMessage("user", "word " * 200),), 200, Sampling())
        with pytest.raises(OutOfMemory, match=r"need 4\d\d tokens, 0 MB of memory, and 0 MB are"):
            engine.submit(long).result(60)
        assert engine.submit(short).result(60).completion_tokens == 4
    finally:
        decoder._slots.budget = budget
