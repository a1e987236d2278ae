"""A run without a screen: messages out, progress aside, the file's path last."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import re
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from syndisco_tui.discussion import DiscussionSetup, Persona
from syndisco_tui.engine.base import EngineError
from syndisco_tui.headless import run_headless
from syndisco_tui.headless.live import TO_STDOUT
from syndisco_tui.headless.printer import Printer
from syndisco_tui.headless.status_line import StatusLine
from syndisco_tui.session import LiveSession, ReplyGrew, ReplyStarted, Runner, runner
from syndisco_tui.session import stream as session_module
from syndisco_tui.store.discussions import discussion_files, read_discussion
from syndisco_tui.store.inputs import InputError
from syndisco_tui.store.lock import has_writer
from syndisco_tui.text import safe
from tests.support.faulty_disk import FaultyDisk
from tests.support.project import ROOT
from tests.support.scripted_engine import ScriptedEngine

SETUP = DiscussionSetup(
    personas=(Persona(username="Ann"), Persona(username="Bob")), conv_len=2, model="scripted"
)
LONG = "Well, this one goes on for a while, for it is streamed while it is said, word by word."


class Run:
    """A headless run in this process, and what it gave."""

    def __init__(
        self,
        folder: Path,
        replies: Any = None,
        begin: DiscussionSetup | Path = SETUP,
        *,
        delay: float = 0.0,
        **options: Any,
    ) -> None:
        self.folder = folder
        engine = ScriptedEngine(replies, delay=delay)
        out, err = StringIO(), StringIO()
        try:
            self.status = run_headless(
                LiveSession(Runner(engine, folder)), begin, **{"out": out, "err": err, **options}
            )
        finally:
            engine.close()
        self.out, self.err = out.getvalue(), err.getvalue()

    @property
    def path(self) -> Path:
        return discussion_files(self.folder)[0]


class TestMessages:
    def test_messages_are_printed_and_the_path_comes_last(self, folder: Path) -> None:
        run = Run(folder, ["Hello, Bob.", "Hi!"])
        assert run.status == 0
        assert run.out == f"Ann:\nHello, Bob.\n\nBob:\nHi!\n\n{run.path}\n"
        assert read_discussion(run.path).status == "finished"

    def test_seed_opinions_come_first(self, folder: Path) -> None:
        opinions = {"seed_opinions": ("It rains.",), "seed_opinion_usernames": ("Guest",)}
        run = Run(folder, ["Yes."], SETUP.model_copy(update={**opinions, "conv_len": 1}))
        assert run.out.startswith("Guest:\nIt rains.\n\nAnn:\nYes.\n\n")

    def test_silences_and_cut_sentences_are_marked(self, folder: Path) -> None:
        run = Run(folder, ['""', "one two three"], SETUP.model_copy(update={"max_out_tokens": 2}))
        assert "Ann:\n(silent)\n\nBob:\none two […]\n\n" in run.out

    def test_a_reply_is_printed_while_it_is_made(self, folder: Path) -> None:
        seen: list[tuple[float, str]] = []

        class Tape(StringIO):
            def write(self, text: str) -> int:
                seen.append((time.monotonic(), text))
                return super().write(text)

        tape = Tape()
        Run(folder, [LONG], SETUP.model_copy(update={"conv_len": 1}), delay=0.02, out=tape)
        assert tape.getvalue().startswith(f"Ann:\n{LONG}\n\n")
        words = [moment for moment, text in seen if text.strip() and text.strip() in LONG]
        assert len(words) >= 3
        assert words[-1] - words[0] > 0.05

    def test_nothing_a_terminal_obeys_is_printed(self, folder: Path) -> None:
        run = Run(folder, ["\x1b]0;owned\x07\x9b2J", "\u202egnp"])
        assert not set(run.out) & set("\x1b\x07\x9b\u202e")

    @pytest.mark.parametrize(
        ("reply", "printed"),
        [
            (f'"{LONG} {LONG}"', f"{LONG} {LONG}"),
            (f"User Ann posted: {LONG}", LONG),
            (f"Ann: {LONG}\n\n{LONG}\nUser Bob posted: {LONG}", f"{LONG}\n\n{LONG}"),
            (f"{LONG}\nBob: me too", LONG),
            (f'He said "{LONG}" and left.', f'He said "{LONG}" and left.'),
            (f"“{LONG}” — {LONG}", f"{LONG}” — {LONG}"),  # the mark turned out to be said
            (f"{LONG}\n\n{LONG}\n", f"{LONG}\n\n{LONG}"),
            (f"```\n{LONG}\n```", f"```\n{LONG}"),  # the fence turned out to be none
        ],
    )
    def test_a_message_is_printed_whole_but_for_marks_in_front_of_it(
        self, folder: Path, reply: str, printed: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(session_module, "GROWTH_INTERVAL", 0)
        run = Run(folder, [reply], SETUP.model_copy(update={"conv_len": 1}))
        assert run.out == f"Ann:\n{printed}\n\n{run.path}\n"

    pieces = st.sampled_from(
        [LONG, "“", "”", '"', "\n", "User Bob posted:", "User Ann posted:", "Bob:", "well", "```"]
    )

    @settings(deadline=None, max_examples=60)
    @given(reply=st.lists(pieces, max_size=8).map(" ".join))
    def test_whatever_is_said_no_word_is_missing(
        self, reply: str, tmp_path_factory: pytest.TempPathFactory
    ) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(session_module, "GROWTH_INTERVAL", 0)
            folder = tmp_path_factory.mktemp("discussions")
            run = Run(folder, [reply], SETUP.model_copy(update={"conv_len": 1}))
        (message,) = read_discussion(run.path).entries
        text = safe(message.text).lstrip('“”"`\n ') or "(silent)"
        assert f"{text}\n\n{run.path}\n" in run.out


class TestProgress:
    def test_without_a_terminal_it_is_a_line_a_message(self, folder: Path) -> None:
        run = Run(folder)
        assert run.err.splitlines() == [
            "reading weights …",
            "scripted on cpu, float32",
            "turn 1 of 2: Ann, 5 tokens, 40 tok/s",
            "turn 2 of 2: Bob, 5 tokens, 40 tok/s",
        ]
        assert "\r" not in run.err
        assert "\x1b" not in run.err

    def test_on_a_terminal_it_is_a_bar(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("TERM", "xterm-256color")
        shown = self.shown_on_a_terminal(folder, delay=0.03)
        assert "\r\x1b[K━━━━━━━━━━╌╌╌╌╌╌╌╌╌╌ " in shown
        assert re.search(r"Ann  \d+ s left", shown)
        assert "\r\x1b[K━━━━━━━━━━━━━━━━━━━━ " in shown
        assert shown.endswith("\r\x1b[K")
        assert "turn 1 of 2" not in shown

    @pytest.mark.parametrize("name", ["dumb", "unknown"])
    def test_on_one_that_obeys_nothing_it_is_a_line_a_message(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        monkeypatch.setenv("TERM", name)
        shown = self.shown_on_a_terminal(folder)
        assert "\x1b" not in shown
        assert "turn 2 of 2: Bob, 5 tokens, 40 tok/s" in shown

    def test_a_line_that_is_written_over_does_not_wrap(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TERM", "xterm")
        main, worker = os.openpty()
        fcntl.ioctl(worker, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 12, 0, 0))
        with os.fdopen(worker, "w") as terminal:
            StatusLine(terminal).show("ab漢字漢字漢字")
            assert os.read(main, 99).decode() == "\r\x1b[Kab漢字漢字"
        os.close(main)

    def shown_on_a_terminal(self, folder: Path, *, delay: float = 0.0) -> str:
        """What a run writes to standard error, where that is a terminal."""
        main, worker = os.openpty()
        seen: list[bytes] = []

        def look() -> None:
            try:
                while content := os.read(main, 4096):
                    seen.append(content)
            except OSError:
                pass

        looking = threading.Thread(target=look)
        looking.start()
        with os.fdopen(worker, "w") as terminal:
            run = Run(folder, err=terminal, delay=delay)
        looking.join(5)
        os.close(main)
        assert "\r" not in run.out
        return b"".join(seen).decode()


class TestOutput:
    def test_a_file_gets_the_same_json(self, folder: Path, tmp_path: Path) -> None:
        target = tmp_path / "new" / "copy.json"
        run = Run(folder, output=target)
        assert run.status == 0
        assert target.read_bytes() == run.path.read_bytes()
        assert run.out.endswith(f"{run.path}\n")

    def test_a_dash_prints_the_json_alone(self, folder: Path) -> None:
        run = Run(folder, ["Ünïcödé 🙂"], output=TO_STDOUT)
        assert run.status == 0
        assert run.out == run.path.read_text()
        assert json.loads(run.out)["syndisco_tui"]["status"] == "finished"
        assert "turn 1 of 2" in run.err

    def test_a_link_is_followed(self, folder: Path, tmp_path: Path) -> None:
        target, link = tmp_path / "target.json", tmp_path / "link.json"
        target.write_text("old")
        link.symlink_to(target)
        Run(folder, output=link)
        assert link.is_symlink()
        assert json.loads(target.read_text())["logs"]

    def test_a_pipe_is_written_to_and_not_replaced(self, folder: Path, tmp_path: Path) -> None:
        """Nor is a device: run by root, ``--output /dev/null`` must leave the machine one."""
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        received: list[str] = []
        reader = threading.Thread(target=lambda: received.append(pipe.read_text()), daemon=True)
        reader.start()
        run = Run(folder, output=pipe)
        reader.join(5)
        assert received == [run.path.read_text()]
        assert pipe.is_fifo()

    def test_where_it_cannot_be_written_it_is_told_where_the_discussion_is(
        self, folder: Path, tmp_path: Path
    ) -> None:
        with pytest.raises(InputError) as caught:
            Run(folder, output=tmp_path)
        (path,) = discussion_files(folder)
        assert str(caught.value) == (
            f"{tmp_path}: cannot be written: Is a directory; the discussion is in {path}"
        )
        assert read_discussion(path).status == "finished"

    def test_an_unfinished_discussion_is_not_delivered(self, folder: Path, tmp_path: Path) -> None:
        target = tmp_path / "copy.json"
        run = Run(folder, ["Hello.", EngineError("Out of memory.")], output=target)
        assert run.status == 1
        assert not target.exists()


class TestStatus:
    def test_3_when_the_model_cannot_be_had(self, folder: Path) -> None:
        run = Run(folder, begin=SETUP.model_copy(update={"model": "nowhere"}))
        assert run.status == 3
        assert run.out == ""
        assert run.err.splitlines()[-1] == "There is no model “nowhere”; try --model starter."
        assert os.listdir(folder) == []

    def test_2_when_nobody_takes_part(self, folder: Path) -> None:
        run = Run(folder, begin=DiscussionSetup())
        assert run.status == 2
        assert run.err == "Nobody takes part: choose at least one persona.\n"

    def test_1_when_the_engine_fails_with_what_was_said_saved(self, folder: Path) -> None:
        run = Run(folder, ["Hello.", EngineError("Out of memory.")])
        assert run.status == 1
        assert run.out == f"Ann:\nHello.\n\n{run.path}\n"
        assert run.err.splitlines()[-2:] == ["Out of memory.", "Not finished: it can be resumed."]
        assert read_discussion(run.path).status == "paused"
        assert not has_writer(run.path)

    def test_a_saved_discussion_goes_on(self, folder: Path) -> None:
        broken = Run(folder, ["Hello.", EngineError("Out of memory.")])
        run = Run(folder, ["Hi."], broken.path)
        assert run.status == 0
        assert run.out == f"Ann:\nHello.\n\nBob:\nHi.\n\n{broken.path}\n"

    def test_a_finished_discussion_is_printed(self, folder: Path) -> None:
        first = Run(folder)
        assert (Run(folder, [], first.path).status, Run(folder, [], first.path).out) == (
            0,
            first.out,
        )

    def test_signals_are_handled_as_before_when_it_is_over(self, folder: Path) -> None:
        before = [signal.getsignal(number) for number in (1, 2, 15)]
        Run(folder)
        assert [signal.getsignal(number) for number in (1, 2, 15)] == before


COMMAND = [sys.executable, "-m", "tests.support.scripted_cli", "run", "--turns", "6"]


class Process:
    """The command line in a process of its own, its messages coming slowly."""

    def __init__(self, home: Path, **options: Any) -> None:
        self.folder = home / "data" / "syndisco-tui" / "discussions"
        environment = os.environ | {"SCRIPT": json.dumps({"delay": 0.03})}
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen(COMMAND, cwd=ROOT, env=environment, **(pipes | options))

    def end(self) -> tuple[int, str, str]:
        out, err = self.process.communicate(timeout=10)
        return self.process.returncode, out, err


@pytest.fixture
def running(home: Path) -> Iterator[Process]:
    running = Process(home)
    yield running
    running.process.kill()
    running.process.communicate()


def test_the_path_stands_on_a_line_of_its_own_after_half_a_reply(tmp_path: Path) -> None:
    out, err = StringIO(), StringIO()
    printer = Printer(out, err)
    printer.path = tmp_path / "a.json"
    printer.show(ReplyStarted("Ann", "user", 1))
    printer.show(ReplyGrew("Ann", f"{LONG} And", 19, 20, 30.0))
    printer.end(130)
    assert out.getvalue() == f"Ann:\n{LONG} […]\n\n{printer.path}\n"


class TestFullDisk:
    def test_it_says_that_it_waits_for_what_and_how_to_end_it(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(runner, "RETRY_SECONDS", 0.05)
        disk = FaultyDisk(monkeypatch)

        class Err(StringIO):
            def write(self, text: str) -> int:
                if "turn 1" in text:
                    disk.breaks("write", errno.ENOSPC)
                if "retrying" in text:
                    disk.is_mended()
                return super().write(text)

        setup = SETUP.model_copy(update={"conv_len": 3})
        run = Run(folder, err=(err := Err()), begin=setup, delay=0.02)
        assert run.status == 0
        lines = err.getvalue().splitlines()
        place = lines.index(f"Cannot save: no space left on device. ({folder})")
        assert lines[place + 1] == (
            "Saving failed; retrying every 3 s. Ctrl+C and TERM are safe: what "
            "is saved stays, and the discussion can be resumed."
        )
        assert lines[place + 2] == "Saved; the discussion continues."

    def test_term_ends_it_with_what_is_saved(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        disk = FaultyDisk(monkeypatch)

        class Err(StringIO):
            def write(self, text: str) -> int:
                if "turn 1" in text:
                    disk.breaks("write", errno.ENOSPC)
                if "retrying" in text:
                    os.kill(os.getpid(), signal.SIGTERM)
                return super().write(text)

        run = Run(folder, ["One.", "Two.", "Three."], delay=0.1, err=Err())
        assert run.status == 143
        disk.is_mended()
        assert [entry.text for entry in read_discussion(run.path).entries] == ["One."]
        assert Run(folder, ["Two.", "Three."], run.path).status == 0
        assert [entry.text for entry in read_discussion(run.path).entries] == ["One.", "Two."]


class TestSignals:
    @pytest.mark.parametrize(
        ("number", "status"), [(signal.SIGHUP, 129), (signal.SIGINT, 130), (signal.SIGTERM, 143)]
    )
    def test_what_was_said_is_saved(
        self, running: Process, number: signal.Signals, status: int
    ) -> None:
        assert running.process.stderr is not None
        while "turn 1 of 6" not in running.process.stderr.readline():
            assert running.process.poll() is None
        sent = time.monotonic()
        running.process.send_signal(number)
        code, out, err = running.end()
        assert code == status
        assert time.monotonic() - sent < 1.5
        (path,) = discussion_files(running.folder)
        record = read_discussion(path)
        assert record.status == "paused"
        assert len(record.entries) >= 2  # the seed opinion and a message
        assert out.splitlines()[-1] == str(path)
        assert err == "Not finished: it can be resumed.\n" or err.endswith(
            "\nNot finished: it can be resumed.\n"
        )
        assert os.listdir(running.folder) == [path.name]

    def test_kill_minus_9_leaves_a_file_that_can_be_resumed(self, running: Process) -> None:
        assert running.process.stderr is not None
        while "turn 2 of 6" not in running.process.stderr.readline():
            assert running.process.poll() is None
        running.process.kill()
        running.process.communicate()
        (path,) = discussion_files(running.folder)
        record = read_discussion(path)
        assert record.status == "running"
        assert len(record.entries) >= 3
        assert not has_writer(path)


def shell(home: Path, line: str, **environment: str) -> tuple[int, str, str]:
    """Status of the command in ``line`` ($RUN), what came out and what went to standard error."""
    script = f"{line}\nexit ${{PIPESTATUS[0]}}"
    result = subprocess.run(
        ["bash", "-c", script],
        cwd=ROOT,
        env=os.environ | {"RUN": " ".join(COMMAND), "SCRIPT": '{"delay": 0.01}'} | environment,
        capture_output=True,
        text=True,
        timeout=20,
    )
    return result.returncode, result.stdout, result.stderr


class TestStreams:
    @pytest.fixture
    def discussions(self, home: Path) -> Path:
        return home / "data" / "syndisco-tui" / "discussions"

    def test_a_reader_that_goes_away_ends_it_quietly(self, home: Path, discussions: Path) -> None:
        status, out, err = shell(home, "$RUN | head -1")
        assert status == 141
        assert out == "Emma35:\n"
        assert "Traceback" not in err
        (path,) = discussion_files(discussions)
        assert err.endswith(f"Not finished: it can be resumed.\n{path}\n")
        assert read_discussion(path).status == "paused"
        assert os.listdir(discussions) == [path.name]

    def test_nor_does_it_speak_when_nobody_reads_its_errors(
        self, home: Path, discussions: Path
    ) -> None:
        status, out, err = shell(home, "$RUN 2>&1 | head -1")
        assert status == 141
        assert len(out.splitlines()) == 1
        assert err == ""
        (path,) = discussion_files(discussions)
        assert read_discussion(path).status == "paused"

    def test_a_disk_that_is_full_ends_it_with_everything_saved(
        self, home: Path, discussions: Path
    ) -> None:
        status, _, err = shell(home, "$RUN > /dev/full")
        assert status == 1
        assert "Traceback" not in err
        (path,) = discussion_files(discussions)
        assert read_discussion(path).status == "paused"

    def test_closed_streams_do_no_harm(self, home: Path, discussions: Path) -> None:
        status, _, err = shell(home, "$RUN <&- >&-")
        assert (status, "Traceback" in err) == (0, False)
        status, out, _ = shell(home, "$RUN 2>&-")
        assert status == 0
        assert out.endswith(f"{discussion_files(discussions)[0]}\n")

    def test_a_plain_terminal_is_told_what_it_can_show(self, home: Path, discussions: Path) -> None:
        script = json.dumps({"replies": ["Café 🙂"]})
        status, out, err = shell(home, "$RUN", PYTHONIOENCODING="ascii", SCRIPT=script)
        assert (status, "Traceback" in err) == (0, False)
        assert "Caf? ?\n" in out

    def test_json_is_utf_8_on_any_terminal(self, home: Path, discussions: Path) -> None:
        script = json.dumps({"replies": ["Café 🙂"]})
        status, out, _ = shell(home, "$RUN -o -", PYTHONIOENCODING="ascii", SCRIPT=script)
        assert status == 0
        assert out == discussion_files(discussions)[0].read_text()
        assert "Café 🙂" in out

    def test_json_that_nobody_reads_to_its_end(self, home: Path, discussions: Path) -> None:
        script = json.dumps({"replies": ["x" * 100_000]})
        status, _, err = shell(home, "$RUN -o - | head -c 10", SCRIPT=script)
        assert status == 2
        assert "Traceback" not in err
        (path,) = discussion_files(discussions)
        assert f"cannot be written: Broken pipe; the discussion is in {path}" in err

    def test_many_are_finished_though_nobody_reads(self, home: Path, discussions: Path) -> None:
        assert unread(COMMAND, "--repeat", 3) == 0
        statuses = [read_discussion(path).status for path in discussion_files(discussions)]
        assert statuses == ["finished"] * 3

    def test_so_is_an_import(self, discussions: Path, tmp_path: Path) -> None:
        source = tmp_path / "source"
        source.mkdir()
        for number in range(3):
            log = {"name": "Ann", "text": f"Hello {number}.", "model": "m"}
            (source / f"{number}.json").write_text(json.dumps({"logs": [log]}))
        (source / "people.json").write_text(json.dumps([{"username": "Newcomer"}]))
        assert unread([sys.executable, "-m", "syndisco_tui", "import"], source) == 0
        assert len(discussion_files(discussions)) == 3
        assert "Newcomer" in (discussions.parent / "personas.json").read_text()


def unread(command: list[str], *options: object) -> int:
    """The status of a command that writes into a pipe which nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    try:
        environment = os.environ | {"SCRIPT": "{}"}
        line = [*command, *map(str, options)]
        done = subprocess.run(
            line, cwd=ROOT, env=environment, stdout=writer, stderr=subprocess.PIPE, timeout=20
        )
    finally:
        os.close(writer)
    assert b"Traceback" not in done.stderr
    return done.returncode
