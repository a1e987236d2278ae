"""What the machine is, and how busy: the GPUs through NVML where there are any, and this process.

NVML comes with ``nvidia-ml-py`` (the extra ``gpu``); without it, or without a driver, there are
simply no GPUs. It is imported and asked on a thread of its own and never raises.
"""

from __future__ import annotations

import os
import platform
import resource
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MOST_GPUS = 8


@dataclass(frozen=True)
class GpuLoad:
    """One GPU. ``busy`` is a share of time, 0 to 1; None is what the driver does not tell."""

    name: str
    busy: float | None
    used_bytes: int | None
    total_bytes: int | None


@dataclass(frozen=True)
class MachineLoad:
    """``cores``: how many this process kept busy since the sample before. ``memory_bytes``: its
    resident memory."""

    cores: float
    memory_bytes: int
    gpus: tuple[GpuLoad, ...] = ()


class MachineMeter:
    """Takes a sample every ``interval`` seconds from ``start`` to ``stop``; see ``latest``."""

    def __init__(self, interval: float = 1.0) -> None:
        self.interval = interval
        self.latest: MachineLoad | None = None
        self._stopped = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._watch, name="meter", daemon=True).start()

    def stop(self) -> None:
        self._stopped.set()

    def _watch(self) -> None:
        nvml = _nvml()
        cpu, then = time.process_time(), time.monotonic()
        while not self._stopped.wait(self.interval):
            cpu_now, now = time.process_time(), time.monotonic()
            cores = (cpu_now - cpu) / max(now - then, 1e-6)
            cpu, then = cpu_now, now
            self.latest = MachineLoad(cores, resident_bytes(), _gpus(nvml) if nvml else ())
        if nvml:
            with suppress(Exception):
                nvml.nvmlShutdown()


def usable_cores() -> int:
    """How many cores this process may use; where the system does not tell, how many there are."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor_name() -> str:
    """What the processor calls itself; where it does not say, its kind."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name" and value.strip():
                return value.strip()
    return platform.processor() or platform.machine()


def resident_bytes() -> int:
    """The memory of this process; where the system does not tell, the most it ever had."""
    with suppress(OSError, ValueError, IndexError):
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _nvml() -> Any:
    """The module, ready to be asked, or None."""
    try:
        import pynvml

        pynvml.nvmlInit()
    except Exception:  # not installed, no driver, a driver of another time
        return None
    return pynvml


def _gpus(nvml: Any) -> tuple[GpuLoad, ...]:
    gpus = []
    with suppress(Exception):
        for index in range(min(MOST_GPUS, nvml.nvmlDeviceGetCount())):
            gpus.append(_gpu(nvml, nvml.nvmlDeviceGetHandleByIndex(index)))
    return tuple(gpus)


def _gpu(nvml: Any, device: Any) -> GpuLoad:
    """One GPU; a card may tell its memory and not its load (MIG), or the other way round."""
    name, busy, used, total = "GPU", None, None, None
    with suppress(Exception):
        told = nvml.nvmlDeviceGetName(device)
        name = told.decode(errors="replace") if isinstance(told, bytes) else str(told)
    with suppress(Exception):
        busy = nvml.nvmlDeviceGetUtilizationRates(device).gpu / 100
    with suppress(Exception):
        memory = nvml.nvmlDeviceGetMemoryInfo(device)
        used, total = int(memory.used), int(memory.total)
    return GpuLoad(name, busy, used, total)
