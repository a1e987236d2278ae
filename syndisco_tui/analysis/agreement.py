"""How far annotators agree: Krippendorff's α, raw agreement, and nDFU.

α: Krippendorff (2011), *Computing Krippendorff's Alpha-Reliability*, through the ``krippendorff``
package. nDFU: Pavlopoulos and Likas (2024), *Polarized Opinion Detection Improves the Detection of
Toxic Language*.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

Level = Literal["nominal", "ordinal", "interval"]
Unit = Hashable
"""What is annotated: a message of a discussion."""


@dataclass(frozen=True)
class Agreement:
    """Figures of a task. None where there is too little to tell.

    ``alpha`` is 1 for perfect agreement and 0 for chance. ``raw`` is the share of equal answers
    among all pairs of answers about one unit.
    """

    alpha: float | None
    raw: float | None
    units: int
    """Units with two answers or more."""


def agreement(answers: Mapping[str, Mapping[Unit, int | str]], level: Level) -> Agreement:
    """Agreement of annotators.

    Args:
        answers: By annotator, the valid answers by unit.
        level: Of measurement. Words are ``nominal``.
    """
    units = list(dict.fromkeys(unit for given in answers.values() for unit in given))
    by_unit = [[given[unit] for given in answers.values() if unit in given] for unit in units]
    compared = [values for values in by_unit if len(values) > 1]
    pairs = [one == other for values in compared for one, other in combinations(values, 2)]
    return Agreement(
        _alpha(answers, units, level) if compared else None,
        sum(pairs) / len(pairs) if pairs else None,
        len(compared),
    )


def _alpha(
    answers: Mapping[str, Mapping[Unit, int | str]], units: Sequence[Unit], level: Level
) -> float | None:
    domain = sorted({value for given in answers.values() for value in given.values()}, key=str)
    if len(domain) < 2:  # α is not defined where everybody always answers the same
        return None
    import krippendorff
    import numpy as np

    numbers = (
        {value: float(value) for value in domain}
        if level != "nominal"
        else {value: float(index) for index, value in enumerate(domain)}
    )
    data = np.array(
        [
            [numbers[given[unit]] if unit in given else np.nan for unit in units]
            for given in answers.values()
        ]
    )
    return float(krippendorff.alpha(reliability_data=data, level_of_measurement=level))


def ndfu(answers: Sequence[int], low: int, high: int, bins: int = 5) -> float | None:
    """How polarized answers are: 0 for one peak, 1 for two equal ones far apart.

    The normalized distance from unimodality: the largest rise of the histogram away from its
    highest bin, over the height of that bin.

    Args:
        answers: Of all annotators about one unit.
        low: The scale's lowest answer.
        high: The scale's highest answer.
        bins: Of the histogram.
    """
    if not answers:
        return None
    width = (high - low) / bins if high - low + 1 > bins else 1
    counts = Counter(min(bins - 1, int((answer - low) / width)) for answer in answers)
    heights = [counts[index] for index in range(bins)]
    mode = heights.index(max(heights))
    right = [heights[i] - heights[i - 1] for i in range(mode + 1, bins)]
    left = [heights[i] - heights[i + 1] for i in range(mode - 1, -1, -1)]
    return max(0, *right, *left) / heights[mode]
