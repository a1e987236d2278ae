"""The pictures of the documentation, from the real app: ``python -m tests.pictures [--moving]``.

Without an option it makes the still pictures in this folder; with ``--moving`` the moving one in
``docs/pictures``.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import tempfile
import time
from pathlib import Path

from tests.pictures import demonstration, stills


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.pictures")
    parser.add_argument(
        "--moving", action="store_true", help="make docs/pictures/demonstration.svg"
    )
    parser.add_argument("--frames", type=Path, help="folder for single frames of it")
    options = parser.parse_args()
    os.environ |= {"TZ": "UTC", "COLORTERM": "truecolor"}
    os.environ.pop("NO_COLOR", None)
    time.tzset()
    with tempfile.TemporaryDirectory() as scratch:
        if options.moving:
            asyncio.run(demonstration.record(Path(scratch), options.frames))
        else:
            asyncio.run(stills.take_all(Path(scratch)))


if __name__ == "__main__":
    main()
