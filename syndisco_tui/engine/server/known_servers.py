"""What has been learned of servers, kept in a file from one start to the next."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ...store.atomic import write_atomic
from .capabilities import Capabilities, as_json, from_json

MAX_BYTES = 1_000_000


class KnownServers:
    """The capabilities of servers by URL and model.

    Args:
        path: The JSON file they are kept in; None keeps them in memory only. A file that cannot
            be read counts as empty, since everything in it can be learned again.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._values = _read(path)

    def get(self, url: str, model: str) -> Capabilities:
        """What is known of ``model`` at ``url``; a server that takes everything by default."""
        return from_json(self._values.get(url, {}).get(model))

    def set(self, url: str, model: str, capabilities: Capabilities) -> None:
        """Remember ``capabilities``. A disk that takes no file is no reason to stop."""
        if self.get(url, model) == capabilities and model in self._values.get(url, {}):
            return
        if self._path is not None:  # other processes, and engines of this one, learn too
            self._values = _read(self._path) or self._values
        self._values.setdefault(url, {})[model] = as_json(capabilities)
        if self._path is None:
            return
        text = json.dumps(self._values, indent=1, sort_keys=True)
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(self._path, text.encode())
        except OSError:
            self._path = None

    def all(self) -> dict[tuple[str, str], Capabilities]:
        """Everything that is known, by URL and model."""
        return {
            (url, model): from_json(value)
            for url, models in self._values.items()
            for model, value in models.items()
        }


def _read(path: Path | None) -> dict[str, dict[str, Any]]:
    if path is None:
        return {}
    try:
        if path.stat().st_size > MAX_BYTES:
            return {}
        values = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    if not isinstance(values, dict):
        return {}
    return {url: models for url, models in values.items() if isinstance(models, dict)}
