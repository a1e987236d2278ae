"""An end for chat templates that have none: a model's template is a program somebody else wrote."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

SECONDS = 1.0
"""Of computing time; a template that is well takes milliseconds."""
_TEMPLATE = "<template>"  # what jinja calls a template that is in no file

_Trace = Callable[[FrameType, str, Any], Any]


class DoesNotEnd(Exception):
    """The template has computed for too long."""


@contextlib.contextmanager
def limited_template() -> Iterator[None]:
    """Templates that this thread renders inside may compute for ``SECONDS``.

    Raises DoesNotEnd out of the template. Counted is the thread's own time, so that a busy
    machine makes no difference; looked at is every line of a template and nothing else.
    """
    deadline = time.thread_time() + SECONDS

    def at_line(_frame: FrameType, _event: str, _argument: Any) -> _Trace:
        if time.thread_time() > deadline:
            raise DoesNotEnd(f"it has not come to an end after {SECONDS:.0f} s")
        return at_line

    def at_call(frame: FrameType, event: str, argument: Any) -> _Trace | None:
        return at_line if frame.f_code.co_filename == _TEMPLATE else None

    before = sys.gettrace()
    sys.settrace(at_call)
    try:
        yield
    finally:
        sys.settrace(before)
