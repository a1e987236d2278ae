"""The moments that files tell of, as the clock of whoever reads them has them."""

from __future__ import annotations

from datetime import datetime

from ...text import one_line


def local_time(moment: str) -> datetime | None:
    """``moment`` (ISO 8601) in local time; None where it is none that the calendar has here."""
    try:
        return datetime.fromisoformat(moment).astimezone()
    except (ValueError, OverflowError):
        return None


def date_and_time(moment: str) -> str:
    """``moment`` to the second for people, in local time; as it stands where it is none."""
    local = local_time(moment)
    return f"{local:%Y-%m-%d %H:%M:%S}" if local else one_line(moment, 19)
