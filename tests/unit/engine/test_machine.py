"""The machine's load: never an error, whatever NVML does."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from syndisco_tui.engine.machine import (
    GpuLoad,
    MachineLoad,
    MachineMeter,
    processor_name,
    usable_cores,
)


class Nvml:
    """What NVML tells of two cards; the second is shared out and does not tell its load."""

    def __init__(self) -> None:
        self.is_shut_down = False

    def nvmlInit(self) -> None:  # noqa: N802
        pass

    def nvmlShutdown(self) -> None:  # noqa: N802
        self.is_shut_down = True

    def nvmlDeviceGetCount(self) -> int:  # noqa: N802
        return 2

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:  # noqa: N802
        return index

    def nvmlDeviceGetName(self, device: int) -> str | bytes:  # noqa: N802
        return b"Card 0" if device == 0 else "Card 1"

    def nvmlDeviceGetUtilizationRates(self, device: int) -> Any:  # noqa: N802
        if device == 1:
            raise RuntimeError("Not Supported")
        return SimpleNamespace(gpu=87)

    def nvmlDeviceGetMemoryInfo(self, device: int) -> Any:  # noqa: N802
        return SimpleNamespace(used=5 * 10**9, total=16 * 10**9)


def sample(meter: MachineMeter) -> MachineLoad:
    meter.start()
    for _ in range(1000):
        if meter.latest:
            meter.stop()
            return meter.latest
        time.sleep(0.01)
    raise AssertionError("no sample came")


def test_gpus_are_told_as_far_as_their_driver_tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", Nvml())
    assert sample(MachineMeter(0.01)).gpus == (
        GpuLoad("Card 0", 0.87, 5 * 10**9, 16 * 10**9),
        GpuLoad("Card 1", None, 5 * 10**9, 16 * 10**9),
    )


@pytest.mark.parametrize("broken", [None, SimpleNamespace(), SimpleNamespace(nvmlInit=lambda: 0)])
def test_without_nvml_there_are_no_gpus(monkeypatch: pytest.MonkeyPatch, broken: object) -> None:
    monkeypatch.setitem(sys.modules, "pynvml", broken)
    load = sample(MachineMeter(0.01))
    assert load.gpus == ()
    assert load.cores >= 0
    assert load.memory_bytes > 1_000_000


def test_a_stopped_meter_lets_the_driver_go(monkeypatch: pytest.MonkeyPatch) -> None:
    nvml = Nvml()
    monkeypatch.setitem(sys.modules, "pynvml", nvml)
    sample(MachineMeter(0.01))
    for _ in range(1000):
        if nvml.is_shut_down:
            return
        time.sleep(0.01)
    raise AssertionError("it was not shut down")


def test_memory_grows_with_what_is_held() -> None:
    # in a process of its own: nothing else is let go meanwhile
    program = """
from syndisco_tui.engine.machine import resident_bytes
before = resident_bytes()
held = b"x" * 50_000_000
print(resident_bytes() - before, len(held))
"""
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    grown, held = map(int, printed.stdout.split())
    assert 40_000_000 < grown < 2 * held


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("processor : 0\nmodel name\t: A Processor @ 2 GHz\n", "A Processor @ 2 GHz"),
        ("CPU implementer : 0x41\nmodel name :\n", platform.processor() or platform.machine()),
    ],
)
def test_the_processors_name(monkeypatch: pytest.MonkeyPatch, told: str, name: str) -> None:
    monkeypatch.setattr(Path, "read_text", lambda path, **how: told)
    assert processor_name() == name


def test_cores_that_belong_to_others_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {1, 3}, raising=False)
    assert usable_cores() == 2
