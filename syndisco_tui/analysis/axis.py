"""Axes of charts: round ends and ticks around the values drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Axis:
    """The ends of an axis and its ticks, ascending."""

    low: float
    high: float
    ticks: tuple[float, ...]

    @classmethod
    def around(cls, values: Sequence[float], *, is_share: bool = False, steps: int = 4) -> Axis:
        """An axis with about ``steps`` steps that has room for all ``values``.

        Args:
            values: Whatever is drawn; without any, the axis goes from 0 to 1.
            is_share: The axis ends at 0 and 1.
            steps: Approximate number of steps.
        """
        least, most = min(values, default=0.0), max(values, default=1.0)
        if most - least < 1e-9:
            least, most = least - 0.5 * abs(least or 1), most + 0.5 * abs(most or 1)
        step = _round_step((most - least) / steps)
        low, high = math.floor(least / step) * step, math.ceil(most / step) * step
        if is_share:
            low, high = max(0.0, low), min(1.0, high)
        ticks = (low + step * number for number in range(round((high - low) / step) + 1))
        return cls(low, high, tuple(tick for tick in ticks if tick <= high + 1e-9))

    def share(self, value: float) -> float:
        """The position of ``value`` on the axis: 0 at the low end, 1 at the high end."""
        return (value - self.low) / (self.high - self.low)

    def text(self, tick: float) -> str:
        """The label of a tick, with as many digits as the step needs."""
        step = self.ticks[1] - self.ticks[0] if len(self.ticks) > 1 else 1.0
        digits = max(0, -math.floor(math.log10(step) + 1e-9))
        digits += round(step, digits) != round(step, 10)
        text = f"{abs(tick):,.{digits}f}"
        return f"−{text}" if tick < -1e-12 else text


def _round_step(step: float) -> float:
    """The next of 1, 2, 2.5 and 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(step))
    return next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= step - 1e-12)
