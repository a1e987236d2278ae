"""Hostile text in every place of the screen, at more sizes and with more of it than the tests.

``python -m tests.reliability.hostile_text`` prints the slowest layout or drawing of each test.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]


def main() -> int:
    os.environ["HOSTILE_EVERYTHING"] = "1"
    files = (TESTS / "tui" / "test_hostile_text.py", TESTS / "unit" / "test_hostile_output.py")
    status = pytest.main(["-q", *map(str, files)])
    from tests.tui.watched import MEASURED

    for seconds, where in sorted(MEASURED, reverse=True):
        print(f"{1000 * seconds:6.0f} ms  {where}")
    return int(status)


if __name__ == "__main__":
    sys.exit(main())
