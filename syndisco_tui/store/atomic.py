"""Writing files so that a valid one exists at every instant."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path

TEMPORARY_SUFFIX = ".part"
MAX_NAME_BYTES = 230
"""Of the target's name in that of a temporary file: file systems allow 255 in all."""


def write_atomic(path: Path, content: bytes) -> None:
    """Replace the content of ``path``, durably: it has reached the disk on return.

    Of a link, the target is replaced. The mode is 0600 whatever the umask.

    Raises:
        OSError: names ``path``, and the old file is untouched.
    """
    target = Path(os.path.realpath(path))
    try:
        _replace(target, content)
        _sync_folder(target.parent)
    except OSError as error:
        # A full disk names no file, and the temporary one means nothing to users.
        error.filename, error.filename2 = str(path), None
        raise


def _replace(path: Path, content: bytes) -> None:
    beginning = os.fsencode(path.name)[:MAX_NAME_BYTES].decode(errors="ignore")
    descriptor, name = tempfile.mkstemp(
        dir=path.parent, prefix=f".{beginning}.", suffix=TEMPORARY_SUFFIX
    )
    try:
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):  # the first error is the one that counts
            os.unlink(name)
        raise


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
