"""Models of the Hugging Face hub: from its local cache, or downloaded into it.

Downloads run in a child process, because a hub that does not answer blocks a thread for minutes.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ...base import LoadProgress, ModelUnavailable
from .checkpoint import is_complete
from .child_process import IsCancelled, Report, run_child

OFFER = "or use the starter model (--model starter)"

_ADVICE = {
    "gated": "is gated: accept its terms at https://huggingface.co/{model} and log in with "
    "“hf auth login”",
    "unknown": "is not on the hub (or it is private and you are not logged in): check the name",
    "offline": "cannot be fetched because the hub cannot be reached: check the network",
    "weights": "has no weights as safetensors: choose another",
    "damaged": "arrived damaged ({file} has another checksum than the hub says): try again",
    "disk": "takes {needed} GB on disk and {free} GB are free: make room",
}
"""By the ``error`` that ``fetch.py`` prints."""


def snapshot(model: str, report: Report, is_cancelled: IsCancelled) -> Path:
    """The folder with the files of a model of the hub; downloaded if it is not in the cache.

    Args:
        model: Its id, such as ``Qwen/Qwen3-0.6B``.
        report: Gets the progress.
        is_cancelled: Asked ten times a second.

    Raises:
        Cancelled: ``is_cancelled`` became true.
        ModelUnavailable: One sentence that says why, and offers the starter.
    """
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", model):
        raise ModelUnavailable(f"“{model}” is no folder and no hub id: check the name, {OFFER}.")
    cached = _cached(model)
    return cached or _download(model, report, is_cancelled)


@dataclass(frozen=True)
class CachedModel:
    """A model in the cache of the hub, complete or not. ``files`` has the newest version's."""

    name: str
    """Its id on the hub."""
    repository: Path
    files: Path


def cache_folder() -> Path:
    """The folder in which models of the hub are cached."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def cached_models(folder: Path) -> list[CachedModel]:
    """The models in a cache of the hub, by name. Raises OSError if ``folder`` cannot be read."""
    if not folder.exists():
        return []
    prefix = "models--"
    names = sorted((each for each in os.listdir(folder) if each.startswith(prefix)), key=str.lower)
    return [
        CachedModel(
            name.removeprefix(prefix).replace("--", "/", 1),
            folder / name,
            _newest_version(folder / name),
        )
        for name in names
    ]


def _newest_version(repository: Path) -> Path:
    """The folder of the version that ``main`` points to; it may not exist."""
    try:
        version = (repository / "refs" / "main").read_text(errors="replace").strip()
    except OSError:
        version = "main"
    return repository / "snapshots" / (Path(version).name or "main")


def _cached(model: str) -> Path | None:
    repository = cache_folder() / f"models--{model.replace('/', '--')}"
    reference = repository / "refs" / "main"
    if not reference.is_file():
        return None
    folder = repository / "snapshots" / reference.read_text().strip()
    return folder if is_complete(folder) else None


def _download(model: str, report: Report, is_cancelled: IsCancelled) -> Path:
    reported: dict[str, Any] = {}

    def show_progress(printed: str) -> None:
        for line in printed.splitlines():
            reported.update(_parsed(line))
        total, done = reported.get("total", 0), reported.get("done", 0)
        stage = f"downloading {model}" if total else f"asking the hub for {model}"
        report(LoadProgress(stage, min(done, total), total, "bytes"))

    with tempfile.TemporaryDirectory(prefix="syndisco-tui-") as folder:
        command = [sys.executable, "-P", str(Path(__file__).with_name("fetch.py")), model]
        quiet = {"HF_HUB_DISABLE_TELEMETRY": "1", "PYTHONWARNINGS": "ignore"}
        _, output = run_child(command, Path(folder), show_progress, is_cancelled, quiet)
    for line in output.splitlines():
        reported.update(_parsed(line))
    if "folder" in reported:
        return Path(reported["folder"])
    raise ModelUnavailable(_download_error(model, reported, output))


def _parsed(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except ValueError:  # half a line, or output of a library
        return {}
    return value if isinstance(value, dict) else {}


def _download_error(model: str, reported: dict[str, Any], output: str) -> str:
    """What to tell the user of the last line that the child process printed."""
    reason = reported.get("reason") or (output.strip().splitlines() or ["no reason given"])[-1]
    advice = _ADVICE.get(reported.get("error", ""), "cannot be fetched ({reason}): try again")
    gigabytes = {name: f"{reported.get(name, 0) / 1e9:.1f}" for name in ("needed", "free")}
    details = advice.format(
        model=model, file=reported.get("file"), reason=reason.rstrip("."), **gigabytes
    )
    return f"The model “{model}” {details}, {OFFER}."
