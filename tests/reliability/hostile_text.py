"""Hostile text in every place of the screen, at several sizes: the tests' campaigns, timed.

``python -m tests.reliability.hostile_text [-k WORDS]`` prints the slowest layout or drawing of
each screen in each test, in milliseconds of computing, and fails where one took more than
``SLOWEST``, three times.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

SLOWEST = 0.1
"""Seconds."""
TESTS = Path(__file__).parents[1]


def main() -> int:
    files = (TESTS / "tui" / "test_hostile_text.py", TESTS / "unit" / "test_hostile_output.py")
    in_this_process = ["-q", "-n0", "-m", ""]
    status = pytest.main([*in_this_process, "--durations=5", *map(str, files), *sys.argv[1:]])
    from tests.support.frames import MEASURED

    for _ in range(2):
        slow = {test.partition("[")[0] for (test, _), taken in MEASURED.items() if taken > SLOWEST}
        if slow:
            again = [*in_this_process, str(files[0]), "-k", " or ".join(slow)]
            status = status or pytest.main(again)
    by_time = sorted(MEASURED.items(), key=lambda item: -item[1])
    for (test, where), seconds in by_time[:20]:
        print(f"{1000 * seconds:6.0f} ms  {where:36}  {test}")
    return int(status) or int(any(seconds > SLOWEST for seconds in MEASURED.values()))


if __name__ == "__main__":
    sys.exit(main())
