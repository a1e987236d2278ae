"""Every way out of the screen: saved, the terminal as it was, the right exit status."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from syndisco_tui.store.discussions import discussion_files, read_discussion, resumable_discussions
from tests.support.pseudo_terminal import PseudoTerminal
from tests.support.terminal import OpenTerminal

APP = ("-m", "tests.support.scripted_app", "--start")


def process_of(terminal: object, discussions: Path) -> int:
    """The process that writes in ``discussions``."""
    found = subprocess.run(
        ["pgrep", "-f", "^[^ ]*python[^ ]* -m tests.support.scripted_app"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.split()
    for number in map(int, found):
        try:
            environment = Path(f"/proc/{number}/environ").read_bytes().decode(errors="replace")
        except OSError:  # another test's app, which has left meanwhile
            continue
        if str(discussions.parent.parent) in environment:
            return number
    raise AssertionError("the app is not running")


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGHUP,
        pytest.param(signal.SIGINT, marks=pytest.mark.campaign),
        pytest.param(signal.SIGTERM, marks=pytest.mark.campaign),
    ],
)
def test_a_signal_saves_restores_the_terminal_and_ends_with_128_plus_n(
    terminal: OpenTerminal, discussions: Path, number: signal.Signals
) -> None:
    window = terminal(*APP)
    window.wait("Giannis   ")
    window.wait("comment number 2")
    began = time.monotonic()
    os.kill(process_of(window, discussions), number)
    assert window.exit_status() == 128 + number
    assert time.monotonic() - began < 3.5
    screen = window.wait("TERMINAL IS BACK")
    assert " -echo " not in screen
    assert " -icanon" not in screen
    (path,) = discussion_files(discussions)
    record = read_discussion(path)
    assert record.status == "paused"
    assert record.messages[-1].text.startswith("This is comment number")
    assert list(discussions.iterdir()) == [path]


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param("yo", marks=pytest.mark.campaign),
        "yotwic,?",
        pytest.param("ystty -a | grep -o echo", marks=pytest.mark.campaign),
    ],
)
def test_keys_typed_ahead_of_the_end_open_nothing(
    terminal: OpenTerminal, discussions: Path, keys: str
) -> None:
    """They come in one burst, while the screen is being taken down."""
    window = terminal(*APP)
    window.wait("comment number 2")
    window.press("q")
    window.wait("Quit")
    window.type(keys)
    assert window.exit_status() == 0
    (path,) = discussion_files(discussions)
    assert read_discussion(path).status == "paused"


def test_kill_9_loses_nothing_that_was_shown_and_the_next_start_resumes(
    terminal: OpenTerminal, discussions: Path
) -> None:
    window = terminal(*APP)
    screen = window.wait("comment number 4.")
    os.kill(process_of(window, discussions), signal.SIGKILL)
    assert window.exit_status() == 128 + signal.SIGKILL
    (path,) = discussion_files(discussions)
    record = read_discussion(path)
    assert [waiting for waiting, _ in resumable_discussions(discussions)] == [path]
    posted = {entry.text for entry in record.messages}
    assert {f"This is comment number {n}." for n in range(1, 5) if f"number {n}." in screen} <= (
        posted
    )
    again = terminal("-m", "tests.support.scripted_app")
    again.wait("(interrupted 1 min ago)")
    assert list(discussions.iterdir()) == [path]  # what the killed one left is cleaned up
    again.press("R")
    again.wait("finished")
    again.press("q")
    assert again.exit_status() == 0
    resumed = read_discussion(path)
    assert resumed.status == "finished"
    assert resumed.entries[: len(record.entries)] == record.entries


def test_q_leaves_with_0_and_the_terminal_is_back(terminal: OpenTerminal) -> None:
    window = terminal("-m", "tests.support.scripted_app")
    window.wait("Personas")
    window.press("q")
    assert window.exit_status() == 0
    assert "TERMINAL IS BACK" in window.wait("TERMINAL IS BACK")


def test_q_leaves_in_time_although_a_thread_hangs_on_the_disk(
    terminal: OpenTerminal, home: dict[str, str]
) -> None:
    home["HANGING_DISK"] = "1"
    window = terminal("-m", "tests.support.scripted_app")
    window.wait("Personas")
    began = time.monotonic()
    window.press("q")
    assert window.exit_status() == 0
    assert time.monotonic() - began < 3.5
    screen = window.wait("TERMINAL IS BACK")
    assert " -echo " not in screen


def test_a_crash_says_little_and_no_secret_gets_out(
    terminal: OpenTerminal, home: dict[str, str], tmp_path: Path
) -> None:
    canary = "hf_CANARYofTheHub123"
    home |= {"CRASH": "1", "HF_TOKEN": canary}
    window = terminal("-m", "tests.support.scripted_app", "--start")
    window.wait("comment number 1")
    window.press("C-s")
    assert window.exit_status() == 70
    screen = window.wait("TERMINAL IS BACK")
    assert "unexpected RuntimeError" in " ".join(screen.split())
    (log,) = tmp_path.rglob("syndisco-tui.log")
    content = log.read_text()
    assert "something broke" in content
    assert oct(log.stat().st_mode)[-3:] == "600"
    assert canary not in screen
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert not [path for path in files if canary.encode() in path.read_bytes()]


def test_a_closed_terminal_ends_the_process(terminal: OpenTerminal, discussions: Path) -> None:
    window = terminal(*APP)
    window.wait("comment number 1")
    number = process_of(window, discussions)
    window.close()
    deadline = time.monotonic() + 3.5
    while Path(f"/proc/{number}").exists():
        assert time.monotonic() < deadline, "it outlived its terminal"
        time.sleep(0.05)
    assert read_discussion(discussion_files(discussions)[0]).status == "paused"


def test_resizing_while_it_runs(terminal: OpenTerminal) -> None:
    window = terminal(*APP)
    for size in [(1, 1), (3, 2), (200, 60), (20, 5), (120, 40)]:
        window.resize(*size)
        time.sleep(0.2)
    window.wait("comment number 3")
    window.wait("finished")


@pytest.fixture
def beside(home: dict[str, str]) -> Iterator[Callable[..., PseudoTerminal]]:
    """Opens terminals without tmux around them."""
    opened: list[PseudoTerminal] = []

    def open_one(*command: str) -> PseudoTerminal:
        environment = {**home, "TERM": "xterm-256color"}
        opened.append(PseudoTerminal(command, environment))
        return opened[-1]

    yield open_one
    for window in opened:
        window.end()


def test_ctrl_z_and_fg(beside: Callable[..., PseudoTerminal], discussions: Path) -> None:
    shell = beside("bash", "--norc", "-i")
    shell.type(shlex.join([sys.executable, *APP]).encode() + b"\n")
    shell.wait(b"comment")
    shell.type(b"\x1a")
    shell.wait(b"Stopped")
    back = shell.received
    assert back.rfind(b"\x1b[?1049l") > back.rfind(b"\x1b[?1049h")
    assert back.rfind(b"\x1b[?1000l") > back.rfind(b"\x1b[?1000h")
    before = len(back)
    shell.type(b"fg\n")
    deadline = time.monotonic() + 30
    while b"\x1b[?1049h" not in shell.received[before:]:
        assert time.monotonic() < deadline, shell.received[before:][-500:]
        time.sleep(0.05)
    shell.wait(b"finished")
    left = shell.received.count(b"\x1b[?1049l")
    shell.type(b"q")
    while shell.received.count(b"\x1b[?1049l") == left:
        assert time.monotonic() < deadline + 30, shell.received[-500:]
        time.sleep(0.05)
    shell.type(b"echo LEFT WITH $?\n")
    shell.wait(b"LEFT WITH 0")
    assert read_discussion(discussion_files(discussions)[0]).status == "finished"


def test_detached_from_tmux_it_goes_on_and_attached_again_it_is_there(
    terminal: OpenTerminal, beside: Callable[..., PseudoTerminal]
) -> None:
    window = terminal(*APP)
    attach = ("tmux", "-L", window._socket, "attach")
    first = beside(*attach)
    first.wait(b"comment")
    window._tmux("detach-client")
    first.process.wait(timeout=20)
    window.wait("finished")
    second = beside(*attach)
    second.wait(b"finished")
    second.resize(60, 20)
    second.type(b"q")
    assert window.exit_status() == 0
