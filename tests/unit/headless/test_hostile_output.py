"""Hostile text through standard output and error of every command: nothing that is obeyed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest

from syndisco_tui.discussion import DiscussionRecord, DiscussionSetup, Message
from syndisco_tui.engine.base import LoadProgress
from syndisco_tui.engine.model import EngineInfo
from syndisco_tui.headless.printer import Printer
from syndisco_tui.session import Condition, ErrorRaised, ModelReady, Posted, ReplyGrew, ReplyStarted
from syndisco_tui.store.discussion_format import to_bytes
from tests.support.hostile_text import ATOMS, forbidden, giants, names, payloads
from tests.support.project import ROOT

QUICK_GIANTS = ("5,000 marks", "a thousand brackets", "a deep list")


@pytest.mark.parametrize(
    ("count", "large"),
    [
        pytest.param(len(ATOMS), QUICK_GIANTS, id="each once"),
        pytest.param(1000, tuple(giants()), marks=pytest.mark.campaign, id="a thousand"),
    ],
)
def test_hostile_text_in_every_event(count: int, large: tuple[str, ...]) -> None:
    out, err = StringIO(), StringIO()
    printer = Printer(out, err)
    texts = [*payloads(count), *(giants()[name] for name in large)]
    for turn, text in enumerate(texts, start=1):
        info = EngineInfo(text, name=text, device=text, dtype=text, path=text, context_length=9)
        printer.show(LoadProgress(text, 1, 2))
        printer.show(ModelReady(info))
        printer.show(ReplyStarted(text, "user", turn))
        for part in (text[: len(text) // 2], text):
            printer.show(ReplyGrew(text, part, 1, 1, 1.0))
        printer.show(Posted(Message(text, text, "user", turn), 1.0))
        printer.show(ErrorRaised(text))
        printer.show(Condition("saving", text, text))
    printer.path = Path("x.json")
    printer.end(0)
    for printed in (out.getvalue(), err.getvalue()):
        assert not forbidden(printed, lines=True)
        assert all(f"p{number}q" in printed for number in range(count))


HOSTILE_NAME = "\x1b]0;owned\x07[b]\u202e\x9b2J[@click=app.hostile]"


@pytest.fixture
def hostile_files(tmp_path: Path, home: Path) -> dict[str, str]:
    """Files with hostile names and contents, by what they are."""
    texts = payloads(60, seed=21)
    people = [{"username": name, "age": text} for name, text in zip(names(4), texts, strict=False)]
    setup = DiscussionSetup.model_validate(
        {"personas": people, "title": texts[5], "context": texts[6], "model": texts[7]}
    )
    said = [Message(texts[-n], text, "user", n) for n, text in enumerate(texts[10:30], start=1)]
    record = DiscussionRecord(
        texts[8], "2026-03-04T12:00:00+00:00", setup, tuple(said), "paused", texts[9]
    )
    contents = {
        "discussion.json": to_bytes(record),
        "broken.json": f'{{"logs": "{texts[14]}'.encode(errors="replace"),
        "personas.json": json.dumps(people).encode(),
        "personas.csv": f"username,{texts[20]!r}\nAnn,{texts[21]!r}\n".encode(errors="replace"),
        "wrong.toml": f'"{HOSTILE_NAME[9:]}" = 3\n'.encode(),
    }
    paths = {}
    for name, content in contents.items():
        path = tmp_path / f"{HOSTILE_NAME}{name}"
        path.write_bytes(content)
        paths[name] = str(path)
    config = home / "config" / "syndisco-tui"
    (config / "themes").mkdir(parents=True)
    (config / "settings.toml").write_bytes(b'theme = "\\u001b[31m\\u202e"\n"\\u009b[b]" = 3\n')
    (config / "themes" / f"{HOSTILE_NAME}.toml").write_text("name = ")
    return paths


COMMANDS: dict[str, list[str]] = {
    "run a setup that is not there": ["run", f"{HOSTILE_NAME}.toml"],
    "run a setup that is wrong": ["run", "wrong.toml"],
    "run with personas": ["run", "--persona-file", "personas.json", "--turns", "3"],
    "run a model of that name": ["run", "--model", f"{HOSTILE_NAME}nowhere", "--turns", "1"],
    "an option nobody knows": ["run", f"--{HOSTILE_NAME}"],
    "resume": ["resume", "discussion.json"],
    "resume what is broken": ["resume", "broken.json"],
    "replay": ["replay", "discussion.json"],
    "export": ["export", "discussion.json", "broken.json", "--to", "csv"],
    "export into a folder": ["export", "discussion.json", "broken.json", "--output", "OUT/"],
    "import": ["import", "discussion.json", "broken.json", "personas.json", "personas.csv"],
    "doctor": ["doctor"],
}


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_line_with_hostile_files(
    hostile_files: dict[str, str], tmp_path: Path, command: str
) -> None:
    """A tab or a line feed is the program's own; exported text is for a file, and left as it is."""
    places = {**hostile_files, "OUT/": f"{tmp_path}/{HOSTILE_NAME}/"}
    arguments = [places.get(word, word) for word in COMMANDS[command]]
    done = subprocess.run(
        [sys.executable, "-m", "tests.support.scripted_cli", *arguments],
        cwd=ROOT,
        env={**os.environ, "HF_HUB_OFFLINE": "1", "TERM": "xterm"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
    )
    printed = done.stderr if command == "export" else done.stdout + done.stderr
    text = printed.decode(errors="surrogateescape")
    assert text.strip() or command == "export"
    assert "Traceback" not in text
    assert not forbidden(text, lines=True), text[:2000]
