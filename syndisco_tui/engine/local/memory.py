"""How much memory is free, and releasing it."""

from __future__ import annotations

import contextlib
import errno
import gc
import os
from collections.abc import Iterator
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def free_memory(device: str) -> int:
    """Free memory of ``device`` (``cpu``, ``cuda``, ``cuda:1``), in bytes."""
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.mem_get_info(device)[0])
    return min(_available(), _left_in_cgroup())


def is_out_of_memory(error: BaseException) -> bool:
    """Whether ``error`` says that memory is full (torch has no class for it on the CPU)."""
    import torch

    full = isinstance(error, (torch.OutOfMemoryError, MemoryError))
    full = full or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
    return full or "can't allocate memory" in str(error)


@contextlib.contextmanager
def paused_collector() -> Iterator[None]:
    """Pause garbage collection, which would visit all new objects of an import or load many times.

    It takes 0.7 of the 4.5 s that importing torch and transformers and loading the starter take.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def release_memory() -> None:
    """Free unreachable objects. Not in an ``except`` block, which holds on to a traceback."""
    import torch

    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _available() -> int:
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
