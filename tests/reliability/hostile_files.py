"""Ten thousand broken files of every kind: each is read or refused with one sentence.

``python -m tests.reliability.hostile_files [COUNT]`` prints the figures; it fails where anything
but a sentence comes out, where a sentence does not name the file, or where reading takes long.
"""

from __future__ import annotations

import base64
import json
import random
import sys
import tempfile
import time
import tomllib
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli_w

from syndisco_tui.discussion import Discussion, DiscussionRecord, DiscussionSetup, Message
from syndisco_tui.store.discussion_format import from_json, to_bytes
from syndisco_tui.store.discussions import read_discussion
from syndisco_tui.store.foreign.cards import card_v2
from syndisco_tui.store.foreign.content import read_content
from syndisco_tui.store.inputs import InputError
from syndisco_tui.store.personas import read_personas
from syndisco_tui.store.setups import read_setup, setup_to_toml
from syndisco_tui.tui.laboratory.empty_transcript import empty_transcript
from syndisco_tui.tui.laboratory.session_view import SessionView
from syndisco_tui.tui.shell.keymap import Keymap
from syndisco_tui.tui.shell.themes import read_theme
from syndisco_tui.tui.transcript.transcript import block_of
from syndisco_tui.workspace.settings import load_settings
from tests.support.foreign_files import png

COUNT = 10_000
LONGEST_SENTENCE = 400
"""Characters, the path not counted."""
SLOWEST = 2.0
"""Seconds for one small file: it would be a hang."""

PERSONAS = """[
  {"username": "Ann", "age": 38, "sex": "female", "personality_characteristics": ["calm"]},
  {"username": "Bob", "age": "Under 18", "education_level": "", "hobby": {"since": [1, 2.5]}}
]
"""
SETUP = """title = "Tea or coffee?"
context = \"\"\"An online
discussion.\"\"\"
conv_len = 4
p_respond = 0.5
history_context_len = "all"
turn_manager = "RandomWeighted"
seed_opinions = ["Tea."]
seed_opinion_usernames = ["Ann"]

[moderator]
username = "Mod"

[[personas]]
username = "Ann"
age = 38

[[personas]]
username = "Bob"
"""
SETTINGS = """theme = "daylight"
model = "starter"
device = "cpu"
threads = 2
"""
THEME = """name = "dusk"
primary = "#e0a458"
background = "#101010"
dark = true
luminosity_spread = 0.15

[variables]
footer-key-foreground = "#ffffff"
"""


def discussion_text() -> str:
    """A saved discussion, with everything in it that one can have."""
    setup = DiscussionSetup.model_validate(
        {"personas": [{"username": "Ann", "age": 3}, {"username": "Bob"}], "conv_len": 9}
    )
    record = DiscussionRecord(
        id="1",
        started_at="2026-03-04T12:00:00+00:00",
        setup=setup,
        entries=(
            Message("Ann", "Tea.", "seed"),
            Message("Ann", "Hello.", "user", 1, "m", "{}", "Ann: Hello.", "stop", 3, 4, 0.5, 6),
            Message("Bob", "", "user", 2, finish_reason="length"),
        ),
        status="paused",
        engine={"model": "m", "versions": {"torch": "2"}},
    )
    return to_bytes(record).decode()


def _live_with_setup(setup: DiscussionSetup) -> None:
    if setup.turn_takers:
        discussion = Discussion(setup)
        discussion.next_request()
        discussion.odds()
    setup_to_toml(setup)


def _discussion(path: Path) -> None:
    record = read_discussion(path)
    again = to_bytes(record)
    from_json(json.loads(again), path)
    for entry in record.entries:
        block_of(entry).wrap(80)
    empty_transcript(record.setup, SessionView(), record, Keymap())
    if record.setup.turn_takers:
        discussion = Discussion(record.setup, record.entries, record.earlier_setups)
        discussion.next_request()
        discussion.odds()


def _personas(path: Path) -> None:
    for persona in read_personas(path):
        json.dumps(persona.attributes())


CARD = json.dumps(
    {
        "spec": "chara_card_v3",
        "spec_version": "3.0",
        "data": {
            "name": "Ann",
            "nickname": "An",
            "description": "{{char}} bakes.",
            "system_prompt": "{{original}} Stay {{char}}.",
            "assets": [{"type": "icon", "uri": "x"}],
            "extensions": {"syndisco_tui": {"persona": {"username": "An"}, "has_card": True}},
            "character_book": {"entries": [{"content": "@@x\\nLore.", "insertion_order": 1}]},
        },
    },
    indent=1,
)
AGENT = json.dumps(
    {
        "type": "TinyPerson",
        "persona": {
            "name": "Ann",
            "age": 3,
            "occupation": {"title": "Baker", "organization": "Mill", "description": "x"},
            "personality": {"traits": ["calm"], "big_five": {"openness": "high"}},
        },
    },
    indent=1,
)
CORPUS = """{"id": "1", "conversation_id": "1", "text": "Tea?", "speaker": "a", "timestamp": 5}
{"id": "2", "conversation_id": "1", "text": "No.", "speaker": "b", "meta": {"role": "user"}}
"""
CHAT = """{"user_name": "Me", "chat_metadata": {}}
{"name": "Me", "is_user": true, "mes": "Tea?", "send_date": "July 14, 2017 2:40am"}
{"name": "Ann", "mes": "No.", "extra": {"model": "m", "reasoning": "x"}, "swipes": ["No.", "Yes."]}
"""
HUB = """{"persona": "A baker who rises early."}
{"persona": "A nurse.", "age": 3}
"""


def _content(path: Path) -> None:
    content = read_content(path)
    for persona in content.personas:
        json.dumps(persona.attributes())
        json.dumps(card_v2(persona))
    for record in content.discussions:
        from_json(json.loads(to_bytes(record)), path)
        Discussion(record.setup, record.entries).fork(len(record.entries))


def _card_in_picture(path: Path) -> None:
    path.write_bytes(png((b"Software", b"x"), (b"ccv3", base64.b64encode(path.read_bytes()))))
    _content(path)


def _card_in_archive(path: Path) -> None:
    content = path.read_bytes()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("card.json", content)
        archive.writestr("../../escape.txt", "x")
    _content(path)


KINDS: dict[str, tuple[str, str, Callable[[Path], object]]] = {
    "personas": (".json", PERSONAS, _personas),
    "setup": (".toml", SETUP, lambda path: _live_with_setup(read_setup(path))),
    "settings": (".toml", SETTINGS, lambda path: load_settings(path, {}, {})),
    "theme": (".toml", THEME, read_theme),
    "discussion": (".json", discussion_text(), _discussion),
    "card": (".json", CARD, _content),
    "card in a picture": (".png", CARD, _card_in_picture),
    "card in an archive": (".charx", CARD, _card_in_archive),
    "agent": (".json", AGENT, _content),
    "corpus": (".jsonl", CORPUS, _content),
    "chat": (".jsonl", CHAT, _content),
    "hub": (".jsonl", HUB, _content),
}

VALUES: tuple[Any, ...] = (
    *(None, True, -1, 0, 1, 2**63, 10**200, -0.0, 0.5, 1e308, "", " ", "x", "-1", "[/b]"),
    *("\x1b]0;x\x07", "\ud800", "x" * 5000, "é\u0301" * 40, "Ann", [], {}, [[]], [None], "#fff"),
    *("2026-01-01", "all", "auto", "running", ["Ann"], [1, "a", None], {"": ""}),
    *({"username": "Ann"}, {"a": {"b": [[]]}}),
)
SPLINTERS = (
    *rb"""NaN 1e999 -0 1e-400 null true {} [] " ' \ \u0000 \ud800 ''' = [[ ]] [[[[[[[[ {{{{{{{{ : ,
    # 99999999999999999999 0x1F 1979-05-27 inf nan a.b.c.d 2026-13-45T99:99 username status turn
    """.split(),
    *(b'"""', b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\x1b[31m", b"\xed\xa0\x80", b"\r", b"\t"),
)


def refusal(kind: str, path: Path) -> str:
    """Read ``path`` as ``kind`` and live with what it holds; the sentence, if it is refused.

    Everything else that is raised is a crash, and raised.
    """
    try:
        KINDS[kind][2](path)
    except InputError as error:
        return str(error)
    return ""


def misfit(text: str, chance: random.Random) -> bytes:
    """A copy that parses, with a value or a key that does not belong there."""
    is_json = text.lstrip()[:1] in "[{"
    before, after = "", ""
    if is_json and text.startswith("{") and text.count("\n{"):  # JSON lines: one of them
        lines = text.splitlines(keepends=True)
        number = chance.randrange(len(lines))
        before, text, after = "".join(lines[:number]), lines[number], "".join(lines[number + 1 :])
    whole = json.loads(text) if is_json else tomllib.loads(text)
    spot: Any = whole
    while True:
        key = chance.choice(list(spot) if isinstance(spot, dict) else range(len(spot)))
        if not spot[key] or not isinstance(spot[key], (dict, list)) or chance.random() < 0.2:
            break
        spot = spot[key]
    match chance.randrange(4):
        case 0:
            del spot[key]
        case 1 if isinstance(spot, dict):
            spot[chance.choice(("x", "", "username", "\x1b[31m", "[/b]"))] = spot.pop(key)
        case _:
            spot[key] = chance.choice(VALUES)
    try:
        text = f"{before}{json.dumps(whole)}\n{after}" if is_json else tomli_w.dumps(whole)
    except (TypeError, ValueError):  # TOML has no null
        text = f"{text}\n[x]\ny = 1\n"
    return text.encode(errors="replace")


def mutants(text: str, seed: int) -> Iterator[bytes]:
    """Broken copies without an end, the same for the same seed."""
    chance = random.Random(seed)
    whole = text.encode()
    while True:
        if chance.random() < 0.5:
            yield misfit(text, chance)
            continue
        content = bytearray(whole)
        for _ in range(chance.choice((1, 1, 2, 5))):
            place, length = chance.randrange(len(content) + 1), chance.randrange(1, 30)
            match chance.randrange(6):
                case 0:
                    del content[place : place + length]
                case 1:
                    content[place:place] = chance.choice(SPLINTERS) * chance.choice((1, 1, 3, 200))
                case 2:
                    content[place : place + length] = chance.choice(SPLINTERS)
                case 3:
                    content[place:place] = content[place : place + 10 * length]
                case 4 if content:
                    content[min(place, len(content) - 1)] = chance.randrange(256)
                case _:  # a value of another kind in the place of one
                    end = content.find(b"\n", place)
                    start = max(content.rfind(b":", 0, end), content.rfind(b"=", 0, end)) + 1
                    content[start:end] = b" " + chance.choice(SPLINTERS)
        yield bytes(content)


@dataclass
class Figures:
    """What came of the files."""

    read: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    slowest: float = 0.0


def attack(count: int, folder: Path, seed: int = 0) -> Figures:
    """Read ``count`` generated files, the kinds in turn."""
    figures = Figures()
    sources = {kind: mutants(text, seed) for kind, (_, text, _) in KINDS.items()}
    for number in range(count):
        kind = list(KINDS)[number % len(KINDS)]
        path = folder / f"{kind}{KINDS[kind][0]}"
        content = next(sources[kind])
        path.write_bytes(content)
        began = time.monotonic()
        try:
            told = refusal(kind, path)
        except Exception as error:
            figures.faults.append(f"{kind} {number}: {type(error).__name__}: {str(error)[:200]}")
            (folder / f"crash-{number}{KINDS[kind][0]}").write_bytes(content)
            continue
        taken = time.monotonic() - began
        figures.slowest = max(figures.slowest, taken)
        (figures.refused if told else figures.read)[kind] += 1
        if told and (str(path) not in told or len(told) - len(str(path)) > LONGEST_SENTENCE):
            figures.faults.append(f"{kind} {number}: says {told[:300]!r}")
        if taken > SLOWEST:
            figures.faults.append(f"{kind} {number}: took {taken:.1f} s")
    return figures


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    folder = Path(tempfile.mkdtemp(prefix="hostile-"))
    figures = attack(count, folder)
    print(f"{count} generated files, slowest {figures.slowest * 1000:.0f} ms")
    for kind in KINDS:
        print(f"  {kind:18} {figures.refused[kind]} refused, {figures.read[kind]} read")
    print(f"{len(figures.faults)} faults")
    for fault in figures.faults[:20]:
        print(f"  {fault}  ({folder})")
    return 1 if figures.faults else 0


if __name__ == "__main__":
    sys.exit(main())
