"""The processor, this process's use of it and of memory, and the load of NVIDIA GPUs.

GPUs are measured through NVML, from ``nvidia-ml-py`` (the extra ``gpu``). Without it, or without a
driver, no GPUs are listed; errors of NVML are ignored.
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

MAX_GPUS = 8


@dataclass(frozen=True)
class GpuLoad:
    """One GPU; None where the driver gives no value (under MIG, for example)."""

    name: str
    busy: float | None
    """Share of time, 0 to 1."""
    used_bytes: int | None
    total_bytes: int | None


@dataclass(frozen=True)
class MachineLoad:
    """A sample of the load."""

    cores: float
    """How many cores this process kept busy since the last sample."""
    memory_bytes: int
    """Resident memory of this process."""
    gpus: tuple[GpuLoad, ...] = ()


class MachineMeter:
    """Samples the load every ``interval`` seconds on a thread, into ``latest``."""

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
        cpu_before, time_before = time.process_time(), time.monotonic()
        while not self._stopped.wait(self.interval):
            cpu_time, wall_time = time.process_time(), time.monotonic()
            cores = (cpu_time - cpu_before) / max(wall_time - time_before, 1e-6)
            cpu_before, time_before = cpu_time, wall_time
            self.latest = MachineLoad(cores, resident_bytes(), _gpus(nvml) if nvml else ())
        if nvml:
            with suppress(Exception):
                nvml.nvmlShutdown()


def usable_cores() -> int:
    """How many cores this process may use; all, if the system does not say."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def processor_name() -> str:
    """The processor's model name, or its architecture."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name" and value.strip():
                return value.strip()
    return platform.processor() or platform.machine()


def resident_bytes() -> int:
    """Resident memory of this process in bytes; its maximum, if the system does not say."""
    with suppress(OSError, ValueError, IndexError):
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _nvml() -> Any:
    """The initialised module, or None."""
    try:
        import pynvml

        pynvml.nvmlInit()
    except Exception:  # not installed, no driver, an incompatible driver
        return None
    return pynvml


def _gpus(nvml: Any) -> tuple[GpuLoad, ...]:
    gpus = []
    with suppress(Exception):
        for index in range(min(MAX_GPUS, nvml.nvmlDeviceGetCount())):
            gpus.append(_gpu(nvml, nvml.nvmlDeviceGetHandleByIndex(index)))
    return tuple(gpus)


def _gpu(nvml: Any, device: Any) -> GpuLoad:
    name, busy, used, total = "GPU", None, None, None
    with suppress(Exception):
        raw_name = nvml.nvmlDeviceGetName(device)
        name = raw_name.decode(errors="replace") if isinstance(raw_name, bytes) else str(raw_name)
    with suppress(Exception):
        busy = nvml.nvmlDeviceGetUtilizationRates(device).gpu / 100
    with suppress(Exception):
        memory = nvml.nvmlDeviceGetMemoryInfo(device)
        used, total = int(memory.used), int(memory.total)
    return GpuLoad(name, busy, used, total)
