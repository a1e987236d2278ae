"""Files of other tools, as tests write them."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from syndisco_tui.store.inputs import InputError


def lines(*values: object) -> bytes:
    return "".join(f"{json.dumps(value)}\n" for value in values).encode()


def zipped(files: dict[str, str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return content.getvalue()


def png(*texts: tuple[bytes, bytes]) -> bytes:
    """A picture as far as anybody looks at it; check sums are nobody's concern."""
    chunks = [b"\x00\x00\x00\x0dIHDR" + bytes(13 + 4)]
    for keyword, text in texts:
        content = keyword + b"\0" + text
        chunks.append(len(content).to_bytes(4) + b"tEXt" + content + bytes(4))
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def file_with(folder: Path, name: str, content: Any) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return path


def refusal(read: Callable[[Path], object], path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read(path)
    return str(caught.value)
