"""A pseudo terminal of the test's own, which can stop reading or be closed at any moment."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import termios
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Any


class PseudoTerminal:
    """Runs a command as the leader of its own session, and reads all that it writes.

    ``log`` takes its standard error, if it is not for the terminal too.
    """

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], log: Any = None
    ) -> None:
        self.master, self.slave = pty.openpty()
        self.resize(80, 24)
        self.before = termios.tcgetattr(self.slave)
        self._pieces: list[bytes] = []
        self._reads = threading.Event()
        self._reads.set()
        self._closed = False
        slave = self.slave
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave if log is None else log,
            env=dict(environment),
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(slave, termios.TIOCSCTTY, 0),
            pass_fds=(slave,),
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def resize(self, width: int, height: int) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", height, width, 0, 0))

    @property
    def received(self) -> bytes:
        return b"".join(self._pieces)

    def wait(self, wanted: bytes, seconds: float = 60) -> None:
        """Until the command has written ``wanted``."""
        deadline = time.monotonic() + seconds
        while wanted not in self.received:
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise AssertionError(f"no {wanted!r} in {self.received[-2000:]!r}")
            time.sleep(0.02)

    def type(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def stop_reading(self) -> None:
        """From now on nobody takes what is written; keys go on coming until it is full."""
        self._reads.clear()
        for turn in range(200):  # each makes the screen draw all of itself
            self.resize(80 + turn % 2, 24)
            time.sleep(0.02)
            if self._is_full():
                return

    def _is_full(self) -> bool:
        return not select.select([], [self.slave], [], 0)[1]

    def read_again(self) -> None:
        self._reads.set()

    def close(self) -> None:
        """The line drops: the kernel sends HUP."""
        self._closed = True
        self._reader.join(5)
        os.close(self.slave)
        os.close(self.master)

    def end(self) -> None:
        """Clean up, whatever happened."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
        if not self._closed:
            self.close()

    def _read(self) -> None:
        while not self._closed:
            if not self._reads.wait(0.05) or not select.select([self.master], [], [], 0.05)[0]:
                continue
            try:
                self._pieces.append(os.read(self.master, 1 << 16))
            except OSError:
                return
