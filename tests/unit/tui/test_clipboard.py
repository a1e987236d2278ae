"""Copying: which way a text goes from which terminal, and that the user is told the truth."""

from __future__ import annotations

import base64
import re
import shutil
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from syndisco_tui.tui.shell import clipboard

XTERM = {"TERM": "xterm-256color"}


class Terminal:
    """Keeps what was written to it."""

    def __init__(self, *, tmux_works: bool = True) -> None:
        self.written = ""
        self.in_tmux: list[str] = []
        self._tmux_works = tmux_works

    def write(self, text: str) -> None:
        self.written += text

    def tmux(self, text: str) -> bool:
        self.in_tmux.append(text)
        return self._tmux_works

    def copy(self, text: str, environment: dict[str, str], file: Path, *, tty: bool = True) -> str:
        return clipboard.copy(
            text,
            "Message",
            write=self.write if tty else None,
            environment=environment,
            file=file,
            tmux=self.tmux,
        )

    def clipboard(self) -> str:
        """What a terminal would have taken."""
        found = re.fullmatch("\x1b]52;c;([A-Za-z0-9+/=]*)\x07", self.written)
        assert found, repr(self.written)
        return base64.b64decode(found[1]).decode()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "copied.txt"


def test_a_terminal_is_asked_by_osc_52(file: Path) -> None:
    terminal = Terminal()
    sentence = terminal.copy("Grüße, 漢字", XTERM, file)
    assert sentence == "Message copied to the terminal's clipboard."
    assert terminal.clipboard() == "Grüße, 漢字"
    assert not file.exists()
    assert not terminal.in_tmux


def test_nothing_a_terminal_would_obey_is_copied(file: Path) -> None:
    terminal = Terminal()
    terminal.copy("a\x1b]0;owned\x07b\x9b31m\u202ec", XTERM, file)
    assert terminal.clipboard().isprintable()


def test_in_tmux_both_ways(file: Path) -> None:
    terminal = Terminal()
    sentence = terminal.copy("text", {**XTERM, "TMUX": "/tmp/x,1,0"}, file)
    assert sentence == "Message copied to tmux's buffer and the terminal's clipboard."
    assert (terminal.in_tmux, terminal.clipboard()) == (["text"], "text")


def test_where_tmux_fails_a_file_has_it(file: Path) -> None:
    terminal = Terminal(tmux_works=False)
    sentence = terminal.copy("text", {**XTERM, "TMUX": "gone"}, file)
    assert sentence == f"Message copied to {file}: tmux did not take it here."
    assert file.read_text() == "text"
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("term", ["dumb", "linux", ""])
def test_a_terminal_without_a_clipboard_is_not_asked(file: Path, term: str) -> None:
    terminal = Terminal()
    sentence = terminal.copy("text", {"TERM": term}, file)
    assert sentence == f"Message copied to {file}: there is no clipboard here."
    assert terminal.written == ""
    assert file.read_text() == "text"


def test_without_a_terminal_there_is_the_file(file: Path) -> None:
    assert str(file) in Terminal().copy("text", XTERM, file, tty=False)
    assert file.read_text() == "text"


def test_what_is_too_long_is_said_to_be(file: Path) -> None:
    terminal = Terminal()
    sentence = terminal.copy("ä" * 40_000, XTERM, file)
    assert sentence == f"Message copied to {file}: it is too long for the clipboard here."
    assert (terminal.written, len(file.read_text())) == ("", 40_000)
    sentence = terminal.copy("ä" * 40_000, {**XTERM, "TMUX": "x"}, file)
    assert sentence.endswith("tmux's buffer; it is too long for the terminal's clipboard.")
    longest = "x" * clipboard.MOST_BYTES
    assert "the terminal's clipboard" in terminal.copy(longest, XTERM, file)
    assert len(terminal.written) < 100_000 + 10


def test_gnu_screen_is_passed_through_in_pieces(file: Path) -> None:
    terminal = Terminal()
    terminal.copy("word " * 400, {**XTERM, "STY": "1.pts"}, file)
    pieces = re.findall("\x1bP(.*?)\x1b\\\\", terminal.written, re.DOTALL)
    assert len(pieces) > 5
    assert all(len(piece) < 256 for piece in pieces)
    terminal.written = "".join(pieces)
    assert terminal.clipboard() == "word " * 400


@pytest.fixture
def tmux(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A real tmux server; its socket's name."""
    if not shutil.which("tmux"):
        pytest.fail("This test needs tmux: install it and run it again.")
    socket = f"test-{uuid.uuid4().hex[:8]}"
    run = ["tmux", "-L", socket, "-f", "/dev/null"]
    subprocess.run([*run, "new-session", "-d", "sleep", "60"], check=True)
    path = subprocess.run(
        [*run, "display-message", "-p", "#{socket_path},#{pid},0"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    monkeypatch.setenv("TMUX", path.stdout.strip())
    yield socket
    subprocess.run([*run, "kill-server"], check=False)


def test_a_real_tmux_takes_it(tmux: str) -> None:
    assert clipboard.load_tmux_buffer("said in\ntwo lines")
    show = ["tmux", "-L", tmux, "show-buffer"]
    assert subprocess.run(show, capture_output=True, text=True).stdout == "said in\ntwo lines"


def test_a_tmux_that_is_gone_is_a_failure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TMUX", f"{tmp_path}/none,1,0")
    monkeypatch.setenv("TMUX_TMPDIR", str(tmp_path))
    assert not clipboard.load_tmux_buffer("text")
