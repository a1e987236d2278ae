"""``transformers serve`` with a model of this machine: a real server that others wrote."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

START_SECONDS = 180.0


class RealServer:
    """A server process. Its model is called as its folder is.

    Args:
        model: The folder of the model.
        home: An empty folder: nothing of the user's is read, no hub is asked.
    """

    def __init__(self, model: Path, home: Path) -> None:
        self.model = str(model)
        self._home = home
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The base URL of its API."""
        return f"http://127.0.0.1:{self._port}/v1"

    def start(self) -> None:
        """Start it, on the port that it had, and wait until it answers."""
        program = Path(sys.executable).with_name("transformers")
        command = [str(program), "serve", self.model, "--host", "127.0.0.1", "--device", "cpu"]
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_HOME": str(self._home)}
        log = self._home / "server.log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [*command, "--port", str(self._port)],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the server did not start:\n{log.read_text()[-3000:]}")
            time.sleep(0.2)

    def _answers(self) -> bool:
        try:
            health = self.url.removesuffix("/v1") + "/health"
            with urllib.request.urlopen(health, timeout=2) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def kill(self) -> None:
        """End it at once, whatever it does."""
        if self._process is not None and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
