"""Writing so that a valid file exists at every instant. The only place that knows how."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

TEMPORARY_SUFFIX = ".part"
BUFFER_BYTES = 1 << 20
MOST_NAME_BYTES = 230
"""Of the name in a temporary file's: with what is put around it, disks take it."""


def write_atomic(path: Path, content: bytes | Iterable[bytes]) -> None:
    """Replace ``path`` by ``content``, durably: file and folder have reached the disk on return.

    Of a link, what it points to is replaced. ``content`` may come in pieces. Mode 0600 whatever
    the umask. Raises OSError that names ``path``, and then the old file is untouched.
    """
    target = Path(os.path.realpath(path))
    try:
        _replace(target, [content] if isinstance(content, bytes) else content)
        _sync_folder(target.parent)
    except OSError as error:
        # A full disk names no file, and the temporary one is nobody's concern.
        error.filename, error.filename2 = str(path), None
        raise


def _replace(path: Path, parts: Iterable[bytes]) -> None:
    begin = os.fsencode(path.name)[:MOST_NAME_BYTES].decode(errors="ignore")
    descriptor, name = tempfile.mkstemp(
        dir=path.parent, prefix=f".{begin}.", suffix=TEMPORARY_SUFFIX
    )
    try:
        with os.fdopen(descriptor, "wb", buffering=BUFFER_BYTES) as file:
            os.fchmod(file.fileno(), 0o600)
            file.writelines(parts)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):  # what went wrong first is what counts
            os.unlink(name)
        raise


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
