"""The whole way through the laboratory: tmux, 256 colours, nothing but keys."""

from __future__ import annotations

import json
from pathlib import Path

from syndisco_tui.discussion import DiscussionRecord
from syndisco_tui.store.discussions import discussion_files, read_discussion
from tests.support.terminal import OpenTerminal, Terminal

MINE = "Is anyone here on the night shift?"
PATIENCE = 60.0
"""Seconds; a busy machine is slow."""


def records(discussions: Path) -> list[DiscussionRecord]:
    """What is on disk, newest first. Every file there is valid JSON at any time."""
    paths = discussion_files(discussions) if discussions.exists() else []
    for path in paths:
        json.loads(path.read_text(encoding="utf-8"))
    return [read_discussion(path) for path in paths]


def open_with(window: Terminal, key: str, shows: str) -> str:
    """Press ``key`` and wait for what it opens: what is typed before goes elsewhere."""
    window.press(key)
    return window.wait(shows, PATIENCE)


def close(window: Terminal, shows: str) -> None:
    """Press esc and wait until it is gone: what follows at once would be one key with it."""
    window.press("Escape")
    window.wait(lambda text: shows not in text, PATIENCE)


def change_a_persona_while_a_reply_is_made(window: Terminal) -> None:
    """Emma is 39 from the next turn on."""
    open_with(window, "1", "m moderator")
    open_with(window, "f", "‹ Age ›")
    window.type("39")  # over what is there, which is selected
    window.press("Enter")
    window.wait("Emma35     39", PATIENCE)
    window.wait("from turn 2", PATIENCE)


def say(window: Terminal, text: str) -> None:
    """Say it as the first who takes part, Emma; it follows the reply in the making."""
    open_with(window, "i", "Post a message as")
    window.wait("‹ Emma35 ›", PATIENCE)
    window.press("Tab")
    window.type(text)
    window.wait(text, PATIENCE)
    window.press("C-s")
    window.wait("1 waits for this reply", PATIENCE)


def fork_at_the_message_found(window: Terminal, words: str) -> None:
    """Search the words, and fork there with one thing changed: another seed."""
    find(window, words)
    window.wait("Emma35  human", PATIENCE)
    open_with(window, "f", "messages are kept.")
    window.wait("Nothing is changed yet.", PATIENCE)
    window.press("Tab", "Tab", *["Down"] * 9, "Right")
    window.wait("Changed: Seed", PATIENCE)
    window.press("C-s")
    window.wait(lambda text: "Changed: Seed" not in text, PATIENCE)
    window.wait("(fork)", PATIENCE)


def find(window: Terminal, words: str) -> None:
    window.press("3")
    open_with(window, "/", "esc leave")
    window.type(words)
    window.wait("1 of 1", PATIENCE)
    window.press("Enter")
    window.wait("n N next, before", PATIENCE)


def test_run_change_say_fork_compare_find_copy_export_open_quit(
    terminal: OpenTerminal, home: dict[str, str], discussions: Path, tmp_path: Path
) -> None:
    home.pop("COLORTERM")
    breath = tmp_path / "breath"
    breath.touch()
    home |= {"TERM": "screen-256color", "HOLDS_ITS_BREATH_WHILE": str(breath)}
    window = terminal("-m", "tests.support.scripted_app")
    window.wait("Registered Nur", PATIENCE)

    open_with(window, "r", "p pause")
    change_a_persona_while_a_reply_is_made(window)
    say(window, MINE)
    breath.unlink()
    window.wait("finished", PATIENCE)
    (parent,) = records(discussions)
    mine = next(at for at, entry in enumerate(parent.entries) if entry.role == "human")
    assert (parent.entries[mine].name, parent.entries[mine].text) == ("Emma35", MINE)
    assert [setup.setup.personas[0].age for setup in parent.earlier_setups] == [38]
    assert parent.setup.personas[0].age == 39
    assert [change.kind for change in parent.changes] == ["injected"]

    fork_at_the_message_found(window, "night shift")
    window.press("r")
    window.wait("finished", PATIENCE)
    fork, parent_now = records(discussions)
    assert parent_now == parent
    assert fork.parent is not None
    shared = max(entry.turn for entry in parent.entries[: mine + 1])
    assert (fork.parent.id, fork.parent.turn) == (parent.id, shared)
    assert fork.entries[: mine + 1] == parent.entries[: mine + 1]
    assert fork.setup.seed == parent.setup.seed + 1
    assert (fork.status, fork.turns_taken) == ("finished", parent.turns_taken)

    open_with(window, "c", "this one forks it")
    window.press("Enter")
    compared = window.wait("first difference", PATIENCE)
    different = [line.split() for line in compared.splitlines() if line.split()[:1] == ["Seed"]]
    assert different == [["Seed", "1", "0"]], compared
    close(window, "first difference")

    open_with(window, "n", "1 of 1")  # the search is still on, and finds it in the fork too
    window.press("y")
    window.wait("Message copied to tmux's buffer", PATIENCE)
    assert window._tmux("show-buffer") == MINE

    open_with(window, "o", "2 discussions")
    open_with(window, "e", "jsonl")
    window.press("Enter")
    window.wait("Exported:", PATIENCE)
    (exported,) = (discussions.parent / "exports").iterdir()
    assert MINE in json.dumps(json.loads(exported.read_text(encoding="utf-8")))

    window.press("Down")
    window.wait("del delete", PATIENCE)  # not the one that is open here
    window.press("Enter")
    window.wait(lambda text: "3 Transcript" in text and "(fork)" not in text, PATIENCE)
    window.press("q")
    assert window.exit_status(PATIENCE) == 0
    assert records(discussions) == [fork, parent]
