"""A real terminal for tests: tmux on a socket of its own."""

from __future__ import annotations

import shlex
import subprocess
import time
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path


class Terminal:
    """Runs a command in tmux; keys go in, the screen comes out."""

    def __init__(
        self,
        command: list[str],
        environment: Mapping[str, str],
        *,
        size: tuple[int, int] = (120, 40),
        exit_file: Path,
    ) -> None:
        self._socket = f"test-{uuid.uuid4().hex[:8]}"
        self._exit_file = exit_file
        exit_file.unlink(missing_ok=True)
        settings = [f"{key}={value}" for key, value in environment.items()]
        # pytest's readline leaves its idea of the size in the environment; tmux knows better.
        unset = ["-u", "COLUMNS", "-u", "LINES"]
        line = f"env {shlex.join([*unset, *settings, *command])}"
        line += (
            f"; echo $? > {shlex.quote(str(exit_file))}; stty -a; echo TERMINAL IS BACK; sleep 60"
        )
        size_flags = ["-x", str(size[0]), "-y", str(size[1])]
        self._tmux("-f", "/dev/null", "new-session", "-d", *size_flags, "sh", "-c", line)
        self._tmux("set-option", "-g", "escape-time", "0")

    def _tmux(self, *arguments: str) -> str:
        command = ["tmux", "-L", self._socket, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    def press(self, *keys: str) -> None:
        for key in keys:
            self._tmux("send-keys", key)
            time.sleep(0.15)

    def type(self, text: str) -> None:
        self._tmux("send-keys", "-l", text)
        time.sleep(0.15)

    def resize(self, width: int, height: int) -> None:
        self._tmux("resize-window", "-x", str(width), "-y", str(height))

    def text(self) -> str:
        return self._tmux("capture-pane", "-p")

    def wait(self, wanted: str | Callable[[str], bool], seconds: float = 60) -> str:
        """The screen once it shows what is wanted. Fails with the screen otherwise."""
        shows = (lambda text: wanted in text) if isinstance(wanted, str) else wanted
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            text = self.text()
            if shows(text):
                return text
            time.sleep(0.05)
        raise AssertionError(f"not within {seconds} s: {wanted!r}; the screen:\n{self.text()}")

    def exit_status(self, seconds: float = 10) -> int:
        """The command's exit status, once it has ended."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self._exit_file.exists() and (text := self._exit_file.read_text().strip()):
                return int(text)
            time.sleep(0.02)
        raise AssertionError(f"still running after {seconds} s; the screen:\n{self.text()}")

    def close(self) -> None:
        self._tmux("kill-server")


OpenTerminal = Callable[..., Terminal]
"""Opens a terminal with the project's Python and these arguments; `size` in columns and lines."""
