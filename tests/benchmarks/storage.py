"""How long a discussion takes to open and to save, and the library to list: what is promised.

``python -m tests.benchmarks.storage [--messages 10000] [--discussions 10000]`` prints the figures
and fails where one is above its limit.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from syndisco_tui.discussion import (
    Discussion,
    DiscussionRecord,
    DiscussionSetup,
    Message,
    Persona,
    Reply,
)
from syndisco_tui.store.discussion_format import to_bytes
from syndisco_tui.store.discussions import DiscussionFile, read_discussion
from syndisco_tui.store.library import Library

OPEN_SECONDS, SAVE_SECONDS = 0.3, 0.04
"""Limits for a discussion of 10,000 messages."""
WORDS = "A reply of some length, as small models write them, with a few sentences. " * 5


def long_discussion(messages: int) -> DiscussionRecord:
    """A paused discussion of eight users."""
    people = tuple(Persona(username=f"Person {number}", age=20 + number) for number in range(8))
    setup = DiscussionSetup(personas=people, conv_len=min(100_000, 2 * messages))
    entries = tuple(
        Message(
            name=people[number % 8].name,
            text=f"{number}. {WORDS}",
            turn=number + 1,
            model="org/model",
            prompt=setup.actor(people[number % 8].name).system_prompt(),
            finish_reason="stop",
            prompt_tokens=500,
            completion_tokens=100,
            seconds=2.345,
            seed=number,
            created_at="2026-01-31T09:30:00+00:00",
        )
        for number in range(messages)
    )
    return DiscussionRecord("id", "2026-01-31T09:30:00+00:00", setup, entries, "paused")


def seconds(do: Callable[[], object], tries: int = 5) -> float:
    """The shortest of some tries."""
    times = []
    for _ in range(tries):
        started = time.perf_counter()
        do()
        times.append(time.perf_counter() - started)
    return min(times)


def discussion_figures(folder: Path, messages: int) -> dict[str, float]:
    """Seconds to open and to save a discussion, and to go on by one turn."""
    record = long_discussion(messages)
    file = DiscussionFile(folder / "long.json")
    save = seconds(lambda: file.write(record))
    file.close()
    open_ = seconds(lambda: Discussion.from_record(read_discussion(file.path)))
    discussion = Discussion.from_record(record)

    def take_a_turn() -> None:
        request = discussion.next_request()
        assert request is not None
        discussion.post(request, Reply("Yes."))

    return {"open": open_, "save": save, "turn": seconds(take_a_turn)}


def library_figures(folder: Path, discussions: int) -> dict[str, float]:
    """Seconds to list new and known discussions, and to search them."""
    saved = folder / "discussions"
    saved.mkdir()
    record = long_discussion(40)
    for number in range(discussions):
        path = saved / f"20260131T0930{number:08}Z-{number:08x}.json"
        path.write_bytes(to_bytes(replace(record, id=str(number))))
    cache = folder / "library.sqlite"
    figures = {}
    for kind in ("first listing", "next start"):
        library = Library(saved, cache)
        figures[kind] = seconds(lambda: list(library.entries()), tries=1)  # noqa: B023
        figures["listed again"] = seconds(lambda: list(library.entries()))  # noqa: B023
        figures["search"] = seconds(lambda: library.matching("sentences models"))  # noqa: B023
        library.close()
    return figures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--discussions", type=int, default=10_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        figures = discussion_figures(Path(name), options.messages)
        listed = library_figures(Path(name), options.discussions)
    for key, value in (figures | listed).items():
        print(f"{key:14} {value * 1000:8.1f} ms")
    is_kept = figures["open"] <= OPEN_SECONDS and figures["save"] <= SAVE_SECONDS
    return 0 if is_kept else 1


if __name__ == "__main__":
    sys.exit(main())
