"""A model's files from the hub into the hub's cache, as a process: ``python fetch.py ID``.

Run by ``hub`` alone, which can end it at any moment. Prints a JSON object a line:
``{"total": bytes}``, ``{"done": bytes}``, then ``{"folder": path}`` or ``{"error": kind, …}``.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
import sys
import time
from pathlib import Path
from typing import Any

WANTED = (".json", ".safetensors", ".jinja", ".txt", ".model", ".tiktoken")


def fetch(model: str) -> None:
    """Download the newest revision's configuration, tokenizer and safetensors."""
    from huggingface_hub import HfApi, constants, snapshot_download

    info = HfApi().model_info(model, files_metadata=True, timeout=20)
    # Sub-folders hold other formats of the same weights (onnx/, original/, …).
    files = [
        file
        for file in info.siblings or []
        if "/" not in file.rfilename
        and file.rfilename.endswith(WANTED)
        and not file.rfilename.startswith("consolidated")
    ]
    if not any(file.rfilename.endswith(".safetensors") for file in files):
        tell(error="weights")
        return
    total = sum(file.size or 0 for file in files)
    tell(total=total)
    cache = constants.HF_HUB_CACHE
    free = shutil.disk_usage(_existing(cache)).free
    if total > free:
        tell(error="disk", needed=total, free=free)
        return
    folder = snapshot_download(
        model,
        allow_patterns=[file.rfilename for file in files],
        tqdm_class=progress_class(),
    )
    checksums = {file.rfilename: file.lfs.sha256 for file in files if file.lfs}
    if damaged := remove_damaged(Path(folder), checksums):
        tell(error="damaged", file=damaged)
        return
    tell(folder=str(folder))


def remove_damaged(folder: Path, checksums: dict[str, str]) -> str:
    """Remove the files of ``folder`` whose SHA-256 is not the expected one; the name of one."""
    damaged = ""
    for name, expected in checksums.items():
        path = folder / name
        with path.open("rb") as file:
            arrived = hashlib.file_digest(file, "sha256").hexdigest()
        if arrived != expected:
            damaged = name
            blob = path.resolve()  # the hub's cache keeps the content apart, and links to it
            path.unlink()
            blob.unlink(missing_ok=True)
    return damaged


def progress_class() -> Any:
    """A progress bar that prints bytes as JSON, and only bytes."""
    from tqdm.auto import tqdm  # type: ignore[import-untyped]

    class Bar(tqdm):  # type: ignore[misc, type-arg, unused-ignore]
        told = 0.0

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self.counts_bytes = kwargs.get("unit") == "B"
            kwargs.pop("name", None)
            super().__init__(*args, **{**kwargs, "disable": True})
            self.n = kwargs.get("initial") or 0

        def update(self, n: float | None = 1) -> None:
            self.n += n or 0
            if self.counts_bytes and time.monotonic() - Bar.told > 0.2:
                Bar.told = time.monotonic()
                tell(done=self.n)

    return Bar


def tell(**fields: Any) -> None:
    """Print one line for whoever started this."""
    print(json.dumps(fields), flush=True)


def kind_of(error: BaseException) -> str:
    """What went wrong, in one word."""
    from huggingface_hub import errors

    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, errors.GatedRepoError):
            return "gated"
        if isinstance(seen, (errors.RepositoryNotFoundError, errors.HFValidationError)):
            return "unknown"
        if getattr(getattr(seen, "response", None), "status_code", 0) == 401:
            return "unknown"
        if isinstance(
            seen, (ConnectionError, TimeoutError, socket.gaierror, errors.OfflineModeIsEnabled)
        ):
            return "offline"
        if type(seen).__module__.startswith(("httpx", "httpcore", "requests", "urllib3")):
            return "offline" if "Status" not in type(seen).__name__ else "server"
        seen = seen.__cause__ or seen.__context__
    return "server"


def _existing(folder: str) -> str:
    path = Path(folder)
    while not path.exists():
        path = path.parent
    return str(path)


if __name__ == "__main__":
    try:
        fetch(sys.argv[1])
    except Exception as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        tell(error=kind_of(error), reason=reason[0])
