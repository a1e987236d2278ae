"""What is wrong for a while is said for as long as it is wrong."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from syndisco_tui.engine.base import GenerationRequest, OutOfMemory
from syndisco_tui.session import Condition, runner
from syndisco_tui.store import atomic
from tests.support.bench import OpenBench


class Disk:
    """A disk that can be full."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.is_full = False
        self._really = os.fsync
        monkeypatch.setattr(atomic.os, "fsync", self._sync)

    def _sync(self, descriptor: int) -> None:
        if self.is_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._really(descriptor)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    return Disk(monkeypatch)


@pytest.mark.parametrize("size", [(120, 40), (80, 24), (60, 20)])
async def test_a_full_disk_is_said_until_it_is_mended_and_the_message_is_kept(
    bench: OpenBench, disk: Disk, monkeypatch: pytest.MonkeyPatch, size: tuple[int, int]
) -> None:
    monkeypatch.setattr(runner, "RETRY_SECONDS", 0.1)
    async with bench(size, delay=0.01) as at:
        await at.press("r")
        await at.until(lambda: "▌" in at.text())
        disk.is_full = True
        await at.until(lambda: "! Cannot save: no space left on device." in at.text())
        await at.until(lambda: "not saved yet" in at.text())
        shown = " ".join(at.text().split())
        assert "r retries now" in shown
        kept = at.engine.requests[-1]
        disk.is_full = False
        await at.until(lambda: "Cannot save" not in at.text())
        await at.until_state("finished")
        assert "not saved yet" not in at.text()
        seeds = [entry.seed for entry in at.records()[0].entries]
        assert len(seeds) == len(set(seeds)) + seeds.count(None) - (None in seeds)
        assert kept.seed in seeds


async def test_r_tries_at_once(
    bench: OpenBench, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runner, "RETRY_SECONDS", 1000)
    async with bench(delay=0.01) as at:
        await at.press("r")
        await at.until(lambda: "▌" in at.text())
        disk.is_full = True
        await at.until(lambda: "Cannot save" in at.text())
        disk.is_full = False
        await at.press("r")
        await at.until_state("finished")
        assert "Cannot save" not in at.text()


async def test_quitting_asks_as_long_as_something_is_not_saved(
    bench: OpenBench, disk: Disk
) -> None:
    async with bench(delay=0.01) as at:
        await at.press("r")
        await at.until(lambda: "▌" in at.text())
        disk.is_full = True
        await at.until_state("paused")
        await at.press("q")
        assert "The last change is not saved. Quit?" in at.text()
        await at.press("n")
        assert at.app.is_running
        disk.is_full = False


async def test_a_discussion_that_cannot_begin_says_why_and_quitting_asks_nothing(
    bench: OpenBench, disk: Disk
) -> None:
    async with bench() as at:
        disk.is_full = True
        await at.press("r")
        await at.until(lambda: "Cannot save" in at.text())
        await at.until_state("idle")
        await at.press("q")
        assert at.app._exit


@pytest.mark.parametrize(
    ("where", "shown"),
    [("/home/al/discussions", "~/discussions"), ("/home/alice/discussions",) * 2],
)
async def test_only_ones_own_home_is_shortened(
    bench: OpenBench, monkeypatch: pytest.MonkeyPatch, where: str, shown: str
) -> None:
    monkeypatch.setenv("HOME", "/home/al")
    async with bench() as at:
        at.laboratory.banner.handle(Condition("saving", "Cannot save.", where))
        await at.until(lambda: f"  {shown}" in at.text())


async def test_a_nearly_full_disk_is_said_at_the_start(
    bench: OpenBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage:
        free = 312_000_000

    def nearly_full(_folder: Path) -> Any:
        return Usage

    monkeypatch.setattr(runner.shutil, "disk_usage", nearly_full)
    async with bench() as at:
        await at.until(lambda: "! Only 312 MB are free where discussions are saved" in at.text())
        await at.press("r")
        await at.until_state("finished")


@pytest.mark.parametrize("size", [(120, 40), (60, 20)])
async def test_full_memory_is_said_while_less_is_asked_for_and_then_it_pauses(
    bench: OpenBench, size: tuple[int, int]
) -> None:
    least = 60

    def remembers(request: GenerationRequest) -> str:
        nonlocal least
        if len(at.engine.requests) == 5:  # now it gets worse
            least = 10
        if request.max_out_tokens > least:
            return OutOfMemory("The memory is full: shorten the reply.")  # type: ignore[return-value]
        return "I am brief."

    async with bench(size) as at:
        at.engine._answer = remembers
        at.engine.may_speak.clear()
        await at.press("r")
        await at.until(lambda: "! Memory was full: " in at.text())
        shown = " ".join(at.text().split())
        assert "with no history and at most 55 tokens." in shown
        assert "speaking" in shown
        at.engine.may_speak.set()
        await at.until_state("paused")
        assert "shorter: memory was full" in at.text()
        assert "The memory is full: shorten the reply." in at.toasts()
        assert "Memory was full" not in at.text().replace("shorter: memory was full", "")
        said = len(at.records()[0].entries)
        assert said >= 2
        least = 1000
        await at.press("r")
        await at.until_state("finished")
        assert len(at.records()[0].entries) > said


async def test_an_engine_that_died_is_said_and_r_starts_it_anew(bench: OpenBench) -> None:
    def dies_once(_request: object) -> str:
        if len(at.engine.requests) == 2:
            raise SystemExit
        return "I am here."

    async with bench() as at:
        at.engine._answer = dies_once
        await at.press("r")
        await at.until(lambda: "! The model's thread has ended. r restarts it." in at.text())
        await at.until_state("paused")
        assert len(at.records()[0].entries) == 2  # the seed opinion and the first reply
        await at.press("r")
        await at.until_state("finished")
        assert "has ended" not in at.text()


async def test_a_model_that_says_nothing_is_said_and_x_then_r_starts_it_anew(
    bench: OpenBench,
) -> None:
    silent, over = True, threading.Event()

    def hangs(_request: object) -> str:
        if silent:
            over.wait(20)
        return "I am here."

    async with bench(silence=0.2) as at:
        at.engine._answer = hangs
        await at.press("r")
        await at.until(lambda: "! No reply for" in at.text())
        assert "speaking" in at.text()
        silent = False
        await at.press("x")
        await at.until_state("paused")
        await at.until(lambda: "No word" not in at.text())
        await at.press("r")
        await at.until_state("finished")
        over.set()
