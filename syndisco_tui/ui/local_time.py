"""The moments that files tell of, as the clock of whoever reads them has them."""

from __future__ import annotations

from datetime import datetime


def local_time(moment: str) -> datetime | None:
    """``moment`` (ISO 8601) in local time; None where it is none that the calendar has here."""
    try:
        return datetime.fromisoformat(moment).astimezone()
    except (ValueError, OverflowError):
        return None
