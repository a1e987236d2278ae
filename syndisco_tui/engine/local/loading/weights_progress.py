"""Progress of reading weights, from the progress bars that transformers would draw."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator
from typing import Any

from ...base import LoadProgress
from ..transformers_api.loading import set_progress_bar
from .child_process import IsCancelled, Report, raise_if_cancelled

REPORT_SECONDS = 0.05

_bars = threading.local()


@contextlib.contextmanager
def weights_progress(report: Report, is_cancelled: IsCancelled) -> Iterator[None]:
    """Report how many tensors this thread has read.

    Args:
        report: Called at most every ``REPORT_SECONDS``.
        is_cancelled: Asked for every tensor.

    Raises:
        Cancelled: Out of transformers' code, once ``is_cancelled()``.
    """

    class Bar:
        def __init__(self, items: Any = (), total: int | None = None) -> None:
            self._items, self._done, self._reported_at = items, 0, 0.0
            self._total = total or (len(items) if hasattr(items, "__len__") else 0)

        def __iter__(self) -> Iterator[Any]:
            for item in self._items:
                yield item
                self.update()

        def update(self, n: int = 1) -> None:
            raise_if_cancelled(is_cancelled)
            self._done += n
            is_due = time.monotonic() - self._reported_at > REPORT_SECONDS
            if is_due or self._done == self._total:
                self._reported_at = time.monotonic()
                report(LoadProgress("reading weights", self._done, self._total))

        def __getattr__(self, name: str) -> Any:  # set_description, close, …
            return lambda *args, **kwargs: None

        def __enter__(self) -> Bar:
            return self

        def __exit__(self, *exception: object) -> None:
            return None

    report(LoadProgress("reading weights"))
    set_progress_bar(_bar_of_thread)
    _bars.kind = Bar
    try:
        yield
    finally:
        del _bars.kind


def _bar_of_thread(factory: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A bar of ``weights_progress`` on a thread that is inside it, else transformers' own.

    The hook is shared by all threads, and an abandoned load may still run beside the next one.
    """
    kind = getattr(_bars, "kind", None)
    if kind is None:
        return factory(*args, **kwargs)
    return kind(*args[:1], **{k: v for k, v in kwargs.items() if k == "total"})
