"""How much memory is free, and how it is given back.

Knows the operating system; asks torch only about a CUDA device.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import os
from collections.abc import Iterator
from pathlib import Path

_CGROUP = Path("/sys/fs/cgroup")


def free_memory(device: str) -> int:
    """Bytes that can still be taken on ``device`` (``cpu``, ``cuda``, ``cuda:1``)."""
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.mem_get_info(device)[0])
    return min(_available(), _left_in_cgroup())


def is_out_of_memory(error: BaseException) -> bool:
    """Whether ``error`` says that memory is full (on the CPU torch has no class for it)."""
    import torch

    full = isinstance(error, (torch.OutOfMemoryError, MemoryError))
    full = full or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
    return full or "can't allocate memory" in str(error)


@contextlib.contextmanager
def paused_collector() -> Iterator[None]:
    """Without garbage collection: it would walk all that an import or a load makes, many times.

    Measured with torch, transformers and the starter: 0.7 s of 4.5.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def release_memory() -> None:
    """Give back what nobody holds any more. Call it outside of an ``except`` block."""
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
    # No /proc (macOS): half of what is built in.
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2


def _left_in_cgroup() -> int:
    """What a container's limit leaves; no limit is as good as infinite."""
    try:
        limit = (_CGROUP / "memory.max").read_text().strip()
        used = int((_CGROUP / "memory.current").read_text())
        # The page cache counts as used, but makes room when it must.
        for line in (_CGROUP / "memory.stat").read_text().splitlines():
            if line.startswith("inactive_file "):
                used -= int(line.split()[1])
        return max(int(limit) - used, 0)
    except (OSError, ValueError):
        return 1 << 62
