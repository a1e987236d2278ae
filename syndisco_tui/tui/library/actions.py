"""What can be done with discussions that are chosen in the library."""

from __future__ import annotations

from collections.abc import Sequence

from ...workspace.library import LibraryEntry
from .entry import DiscussionStatus
from .rows import Group


def applies(
    action: str,
    chosen: Sequence[LibraryEntry],
    statuses: Sequence[DiscussionStatus],
    group: Group | None,
) -> bool:
    """Whether an action applies to what is ``chosen``; ``group``: it is a whole batch."""
    readable = all(status.can_be_read for status in statuses)
    is_own = len(chosen) == 1 and not group and readable and chosen[0].summary.own_format
    match action:
        case "go_on" if group:
            running = any(status.is_in_batch for status in statuses)
            return group.finished < group.count and not running
        case "go_on":
            return len(chosen) == 1 and statuses[0].can_go_on
        case "export" | "turn_lab":
            return readable
        case "compare":
            return readable and len(chosen) <= 2
        case "fork":
            return is_own
        case "rename":
            return is_own and not statuses[0].is_elsewhere
        case "discard":
            return not any(each.is_here or each.is_elsewhere for each in statuses)
    return True
