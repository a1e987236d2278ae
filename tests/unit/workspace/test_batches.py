"""Which seeds of a setup are still unused."""

from __future__ import annotations

import pytest

from syndisco_tui.workspace.batches import first_unused_seed


@pytest.mark.parametrize(
    ("seed", "count", "first"),
    [
        (0, 3, 0),
        (0, 8, 10),
        (4, 2, 10),
        (0, 11, 30),  # 10 to 19 are too few
        (10, 10, 10),
        (10, 11, 30),
        (25, 1, 30),
        (30, 100, 30),
    ],
)
def test_the_first_seeds_that_no_batch_has_used(seed: int, count: int, first: int) -> None:
    used = [range(20, 30), range(3, 10)]
    assert first_unused_seed(used, seed, count) == first
