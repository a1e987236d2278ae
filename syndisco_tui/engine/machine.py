"""The processor, this process's use of it and of memory, and the load of NVIDIA GPUs.

GPUs are measured through NVML, from ``nvidia-ml-py`` (the extra ``gpu``). Without it, or without a
driver, no GPUs are listed; errors of NVML are ignored.
"""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MAX_GPUS = 8
NVIDIA_SMI_SECONDS = 5.0
_CGROUP = Path("/sys/fs/cgroup")


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


@dataclass(frozen=True)
class FreeMemory:
    """How much memory a device has left, in bytes. ``device`` is ``cpu`` or ``cuda:N``."""

    device: str
    bytes: int


def free_memory_of(device: str = "auto") -> FreeMemory:
    """Free memory of ``device``; ``auto`` is the first GPU, or else main memory.

    Takes up to five seconds on a GPU without NVML. Does not use torch.
    """
    if device == "auto" or device.startswith("cuda"):
        number = int(device[5:]) if device[5:].isdecimal() else 0
        gpus = _visible(_free_on_gpus())
        if number < len(gpus):
            return FreeMemory(f"cuda:{number}", gpus[number])
    return FreeMemory("cpu", available_memory())


def available_memory() -> int:
    """Bytes of main memory that this process can still take, within its container's limit."""
    return min(_system_memory(), _left_in_cgroup())


def _free_on_gpus() -> list[int]:
    """Free bytes of every NVIDIA GPU, in the driver's order."""
    if nvml := _nvml():
        loads = _gpus(nvml)
        with suppress(Exception):
            nvml.nvmlShutdown()
        if all(each.total_bytes for each in loads):
            return [(each.total_bytes or 0) - (each.used_bytes or 0) for each in loads]
    command = ("nvidia-smi", "--query-gpu=memory.free", "--format=csv,noheader,nounits")
    try:
        answer = subprocess.run(
            command, capture_output=True, text=True, timeout=NVIDIA_SMI_SECONDS, check=True
        ).stdout
        return [int(line) << 20 for line in answer.split()]
    except (OSError, subprocess.SubprocessError, ValueError):  # no driver, or one that hangs
        return []


def _visible(gpus: list[int]) -> list[int]:
    """Those of ``gpus`` that CUDA_VISIBLE_DEVICES names by number, in its order; all without it."""
    names = os.environ.get("CUDA_VISIBLE_DEVICES")
    if names is None:
        return gpus
    numbers = [name.strip() for name in names.split(",") if name.strip()]
    if not all(number.isdecimal() for number in numbers):
        return gpus  # named by their UUIDs, or switched off by -1
    return [gpus[int(number)] for number in numbers if int(number) < len(gpus)]


def _system_memory() -> int:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    # No /proc (macOS): assume half of the physical memory.
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def _left_in_cgroup() -> int:
    """Bytes left of a container's limit; very many without one."""
    try:
        limit = (_CGROUP / "memory.max").read_text().strip()
        used = int((_CGROUP / "memory.current").read_text())
        # The page cache counts as used, but can be reclaimed.
        for line in (_CGROUP / "memory.stat").read_text().splitlines():
            if line.startswith("inactive_file "):
                used -= int(line.split()[1])
        return max(int(limit) - used, 0)
    except (OSError, ValueError):
        return 1 << 62


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
