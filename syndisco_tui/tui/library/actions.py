"""What can be done with discussions that are chosen in the library."""

from __future__ import annotations

from collections.abc import Sequence

from ...workspace.library import LibraryEntry
from .entry import Standing
from .rows import Group


def applies(
    action: str, chosen: Sequence[LibraryEntry], standings: Sequence[Standing], group: Group | None
) -> bool:
    """Whether an action applies to what is ``chosen``; ``group``: it is a whole batch."""
    readable = all(standing.can_be_read for standing in standings)
    is_own = len(chosen) == 1 and not group and readable and chosen[0].summary.own_format
    match action:
        case "go_on" if group:
            running = any(standing.is_in_batch for standing in standings)
            return group.finished < group.count and not running
        case "go_on":
            return len(chosen) == 1 and standings[0].can_go_on
        case "export" | "turn_lab":
            return readable
        case "compare":
            return readable and len(chosen) <= 2
        case "fork":
            return is_own
        case "rename":
            return is_own and not standings[0].is_elsewhere
        case "discard":
            return not any(each.is_here or each.is_elsewhere for each in standings)
    return True
