"""Download a model from the Hugging Face hub into its cache: ``python fetch.py ID``.

Run by ``hub.py`` as a child process. Prints one JSON object a line: ``{"total": bytes}``,
``{"done": bytes}``, and finally ``{"folder": path}`` or ``{"error": kind, …}``.
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

FILE_TYPES = (".json", ".safetensors", ".jinja", ".txt", ".model", ".tiktoken")


def fetch(model: str) -> None:
    """Download configuration, tokenizer and safetensors of the newest revision of ``model``."""
    from huggingface_hub import HfApi, constants, snapshot_download

    info = HfApi().model_info(model, files_metadata=True, timeout=20)
    # Sub-folders hold the weights in other formats (onnx/, original/, …).
    files = [
        file
        for file in info.siblings or []
        if "/" not in file.rfilename
        and file.rfilename.endswith(FILE_TYPES)
        and not file.rfilename.startswith("consolidated")
    ]
    if not any(file.rfilename.endswith(".safetensors") for file in files):
        print_json(error="weights")
        return
    total = sum(file.size or 0 for file in files)
    print_json(total=total)
    cache = constants.HF_HUB_CACHE
    existing = next(path for path in (Path(cache), *Path(cache).parents) if path.exists())
    free = shutil.disk_usage(existing).free
    if total > free:
        print_json(error="disk", needed=total, free=free)
        return
    folder = snapshot_download(
        model,
        allow_patterns=[file.rfilename for file in files],
        tqdm_class=progress_class(),
    )
    checksums = {file.rfilename: file.lfs.sha256 for file in files if file.lfs}
    if damaged := remove_damaged(Path(folder), checksums):
        print_json(error="damaged", file=damaged)
        return
    print_json(folder=str(folder))


def remove_damaged(folder: Path, checksums: dict[str, str]) -> str:
    """Remove files of ``folder`` whose SHA-256 is not the expected one.

    Returns:
        The name of the last one removed; empty if all are intact.
    """
    damaged = ""
    for name, expected in checksums.items():
        path = folder / name
        with path.open("rb") as file:
            checksum = hashlib.file_digest(file, "sha256").hexdigest()
        if checksum != expected:
            damaged = name
            blob = path.resolve()  # in the hub's cache, the file is a link to its content
            path.unlink()
            blob.unlink(missing_ok=True)
    return damaged


def progress_class() -> Any:
    """A tqdm class that prints the bytes downloaded as JSON."""
    from tqdm.auto import tqdm  # type: ignore[import-untyped]

    class Bar(tqdm):  # type: ignore[misc, type-arg, unused-ignore]
        printed_at = 0.0

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            self.counts_bytes = kwargs.get("unit") == "B"
            kwargs.pop("name", None)
            super().__init__(*args, **{**kwargs, "disable": True})
            self.n = kwargs.get("initial") or 0

        def update(self, n: float | None = 1) -> None:
            self.n += n or 0
            if self.counts_bytes and time.monotonic() - Bar.printed_at > 0.2:
                Bar.printed_at = time.monotonic()
                print_json(done=self.n)

    return Bar


def print_json(**fields: Any) -> None:
    """Print one line for the parent process."""
    print(json.dumps(fields), flush=True)


def error_kind(error: BaseException) -> str:
    """What went wrong: ``gated``, ``unknown``, ``offline`` or ``server``."""
    from huggingface_hub import errors

    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, errors.GatedRepoError):
            return "gated"
        if isinstance(cause, (errors.RepositoryNotFoundError, errors.HFValidationError)):
            return "unknown"
        if getattr(getattr(cause, "response", None), "status_code", 0) == 401:
            return "unknown"
        if isinstance(
            cause, (ConnectionError, TimeoutError, socket.gaierror, errors.OfflineModeIsEnabled)
        ):
            return "offline"
        if type(cause).__module__.startswith(("httpx", "httpcore", "requests", "urllib3")):
            return "offline" if "Status" not in type(cause).__name__ else "server"
        cause = cause.__cause__ or cause.__context__
    return "server"


if __name__ == "__main__":
    try:
        fetch(sys.argv[1])
    except Exception as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        print_json(error=error_kind(error), reason=reason[0])
