"""How much memory is free, and releasing it."""

from __future__ import annotations

import contextlib
import errno
import gc
from collections.abc import Iterator

from ..machine import available_memory


def free_memory(device: str) -> int:
    """Free memory of ``device`` (``cpu``, ``cuda``, ``cuda:1``), in bytes."""
    if device.startswith("cuda"):
        import torch

        return int(torch.cuda.mem_get_info(device)[0])
    return available_memory()


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
