"""Files made to do harm: each is refused with one sentence that says which file, what and where."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.reliability.hostile_files import KINDS, attack, discussion_text, refusal

DEEP = 100_000
SETTING = 'theme = "daylight"\n'
ANN = '{"username": "Ann"}'
SAVED = discussion_text()
OF_5_MB = ("personas", "setup", "settings", "theme")


def saved(old: str, new: str) -> str:
    assert old in SAVED
    return SAVED.replace(old, new, 1)


def utf16(text: str) -> bytes:
    return text.encode("utf-16")


REFUSED: list[tuple[str, str | bytes, str]] = [
    # What no parser should meet.
    ("personas", b"", "is empty"),
    ("discussion", b"", "is empty"),
    ("personas", b"\0" * 100, "line 1, column 1"),
    ("personas", b"\x80\x04\x95pickle", "line 1 is not UTF-8"),
    ("personas", utf16(f"[{ANN}]")[:-1], "UTF-16"),
    ("setup", utf16('title = "x"')[:-1], "UTF-16"),
    ("discussion", b"\xff\xfe" + SAVED.encode("utf-16-le")[:-1], "UTF-16"),
    ("personas", "[" * DEEP, "line 1: nested too deeply"),
    ("discussion", '{"logs":' * DEEP, "line 1: nested too deeply"),
    ("settings", "theme = " + "[" * DEEP, "nested too deeply"),
    ("setup", f"[{'.'.join(['a'] * DEEP)}]", "line 1: a key of so many parts"),
    ("theme", f"x = {{{'a.' * DEEP}b = 1}}", "line 1: a key of so many parts"),
    ("personas", "9" * DEEP, "whole number of hundreds of digits"),
    ("settings", f"threads = 0x{'f' * DEEP}", "whole number of hundreds of digits"),
    ("discussion", saved('"turn": 1', f'"turn": {"9" * 400}'), "whole number of hundreds"),
    # JSON that is none, or says two things.
    ("personas", f"[{ANN},\n]", "line 2, column 1: not valid JSON"),
    ("personas", '[{"username": "Ann",\n"username": "Bob"}]', "line 2: the key “username”"),
    ("discussion", saved('"text": "Tea."', '"text": "a", "text": "b"'), "the key “text” appears"),
    ("personas", '[{"username": "Ann",\n"age": NaN}]', "line 2: NaN is not a finite number"),
    ("personas", '[{"username": "Ann", "age": -1e999}]', "line 1: -1e999 is not a finite"),
    ("discussion", saved('"seconds": 0.5', '"seconds": Infinity'), "Infinity is not a finite"),
    # The wrong thing in the right place.
    ("personas", "null", "a persona file is a JSON list of objects"),
    ("personas", '"Ann"', "a persona file is a JSON list of objects"),
    ("personas", '["Ann"]', "persona 1: is not an object"),
    ("personas", f'[{ANN}, {{"age": 3}}]', "persona 2: username: is missing"),
    ("personas", '[{"username": 7}]', "persona 1: username: must be text, not 7"),
    ("personas", '[{"username": ""}]', "username: a persona needs a username"),
    ("personas", '[{"username": "a\\u001b[31m"}]', "one line of printable characters"),
    ("personas", '[{"username": "\\ud800"}]', "one line of printable characters"),
    ("personas", f'[{{"username": "{"x" * 101}"}}]', "at most 100 characters"),
    ("personas", f'[{{"username": "A", "x": {"[" * 40}{"]" * 40}}}]', "x: is nested more than 20"),
    ("personas", '[{"username": "A", "personality_characteristics": "calm"}]', "must be a list"),
    ("setup", "conv_len = 0", "conv_len: must be at least 1, not 0"),
    ("setup", "conv_len = 1979-05-27", "conv_len: must be a whole number"),
    ("setup", "conv_lem = 3", "did you mean “conv_len”?"),
    ("setup", "p_respond = nan", "p_respond"),
    ("setup", "seed = 1\nseed = 2", "line 2"),
    ("setup", 'context = "\\ud800"', "line 1"),
    ("setup", 'title = "x', "line 1"),
    ("setup", "[[personas]]\nage = 3", "personas, entry 1: username: is missing"),
    ("setup", '[[personas]]\nusername="Ann"\n[[personas]]\nusername=" ann"', "Ann"),
    ("setup", 'persona_file = "../../../../etc/shadow"', "etc/shadow"),
    ("setup", 'persona_file = "/dev/zero"', "is a pipe or a device"),
    ("setup", "persona_file = 3", "persona_file: must be the path of a file"),
    ("settings", "theme = 3", "theme: must be text, not 3"),
    ("settings", "thme = 3", "did you mean “theme”?"),
    ("settings", "threads = -1", "threads: must be at least 0"),
    ("settings", f"{SETTING}{SETTING}", "line 2"),
    ("theme", 'primary = "nope"', "primary: 'nope' is no colour"),
    ("theme", "primary = 3", "primary: 3 is no colour"),
    ("theme", 'primary = "red"\nname = "[/b]"', "not '[/b]'"),
    ("theme", 'primary = "red"\nname = "../../x"', "not '../../x'"),
    ("theme", 'primary = "red"\n[variables]\nborder = "; } * {"', "variables, border: "),
    ("theme", 'primary = "red"\n[variables]\n"a { }" = "red"', "is no name of a variable"),
    ("theme", 'primary = "red"\n[variables]\nx-style = "blink"', "x-style: 'blink' is none of"),
    ("discussion", "[]", "not a discussion"),
    ("discussion", "{}", "logs: is missing"),
    ("discussion", '{"logs": [{"name": 3}]}', "logs, entry 1, name: must be text"),
    ("discussion", saved('"role": "user"', '"role": "king"'), "logs, entry 2, role"),
    ("discussion", saved('"status": "paused"', '"status": 3'), "syndisco_tui, status"),
    ("discussion", saved("2026-03-04T12", "2026-13-45T12"), "must be a time"),
    ("discussion", saved('"format": 1', '"format": 99'), "upgrade syndisco-tui"),
    ("discussion", saved('"conv_len": 9', '"conv_len": -9'), "conv_len: must be at least 1"),
]


@pytest.mark.parametrize(
    ("kind", "content", "told"), REFUSED, ids=[f"{kind}: {told}" for kind, _, told in REFUSED]
)
def test_a_hostile_file_is_refused_with_a_sentence(
    tmp_path: Path, kind: str, content: str | bytes, told: str
) -> None:
    path = tmp_path / f"hostile{KINDS[kind][0]}"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    began = time.monotonic()
    sentence = refusal(kind, path)
    assert time.monotonic() - began < 2
    assert told in sentence
    assert "hostile" in sentence or "persona_file" in content  # type: ignore[operator]
    assert "\n" not in sentence
    assert len(sentence) < 400 + len(str(path))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.startswith("card in ")])
@pytest.mark.parametrize("what", ["folder", "pipe", "device", "100 MB", "dangling link", "loop"])
def test_what_is_no_file_of_ours_is_refused_at_once(tmp_path: Path, kind: str, what: str) -> None:
    path = tmp_path / f"hostile{KINDS[kind][0]}"
    match what:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "device":
            path.symlink_to("/dev/zero")
        case "dangling link":
            path.symlink_to(tmp_path / "nowhere")
        case "loop":
            path.symlink_to(path)
        case _:
            with path.open("wb") as file:
                file.truncate(100_000_000 if kind in OF_5_MB else 600_000_000)
    takes: list[float] = []
    for _ in range(5):  # the fastest counts: a busy machine makes the others slower
        began = time.perf_counter()
        sentence = refusal(kind, path)
        takes.append(time.perf_counter() - began)
    if kind == "settings" and what in ("dangling link", "loop"):
        assert sentence == ""  # nothing is there: no settings are fine
        return
    assert str(path) in sentence
    assert min(takes) < 0.05, f"{min(takes) * 1000:.0f} ms"


@pytest.mark.parametrize("kind", KINDS)
def test_cut_at_every_byte(tmp_path: Path, kind: str) -> None:
    suffix, text, _ = KINDS[kind]
    path = tmp_path / f"cut{suffix}"
    whole = text.encode()
    refused = 0
    for length in range(0, len(whole), 1 + len(whole) // 600):
        path.write_bytes(whole[:length])
        sentence = refusal(kind, path)
        assert not sentence or str(path) in sentence
        refused += bool(sentence)
    assert refused > 10
    path.write_bytes(whole)
    assert refusal(kind, path) == ""


def test_a_byte_order_mark_is_forgiven(tmp_path: Path) -> None:
    for kind, (suffix, text, _) in KINDS.items():
        path = tmp_path / f"marked{suffix}"
        path.write_bytes(b"\xef\xbb\xbf" + text.encode())
        assert refusal(kind, path) == ""


def test_generated_files(tmp_path: Path) -> None:
    figures = attack(2400, tmp_path, seed=1)
    assert figures.faults == []
    assert all(figures.read[kind] > 20 and figures.refused[kind] > 20 for kind in KINDS)
