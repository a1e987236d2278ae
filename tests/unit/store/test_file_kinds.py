"""A file that is not read is called by its name, with what is read; ours are sent to their door."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from syndisco_tui.store.discussions import read_discussion
from syndisco_tui.store.foreign.content import IMPORTABLE, read_content
from syndisco_tui.store.personas import read_personas
from syndisco_tui.store.setups import read_setup
from tests.support.foreign_files import file_with, lines, png, refusal, zipped

CARD = {
    "name": "Mira",
    "description": "A miller.",
    "personality": "calm",
    "scenario": "",
    "first_mes": "Hello.",
    "mes_example": "",
}
SHEETS = {"[Content_Types].xml": "", "xl/workbook.xml": ""}


IMPORTED: list[tuple[str, Any, str]] = [
    ("card.json", CARD, "a character card (V1)"),
    ("card.json", [CARD], "a character card (V1)"),
    ("card.json", {"spec": "chara_card_v2", "data": CARD}, "a character card (V2)"),
    ("card.json", {"spec": "chara_card_v3", "data": CARD}, "a character card (V3)"),
    ("card.json", {"spec": "chara_card_v4", "data": CARD}, "a character card (V3)"),
    (
        "card.png",
        png((b"Software", b"x"), (b"Chara", base64.b64encode(b"{}"))),
        "a PNG picture with",
    ),
    ("card.png", png((b"ccv3", b"e30")), "a PNG picture with a character card in it"),
    ("card.charx", zipped({"card.json": "{}"}), "a character card (CharX)"),
    (
        "ann.agent.json",
        {"type": "TinyPerson", "persona": {"name": "Ann"}},
        "an agent of TinyTroupe",
    ),
    ("x.fragment.json", {"type": "Fragment", "persona": {}}, "a fragment of TinyTroupe"),
    ("hub.jsonl", lines({"persona": "A miller."}, {"persona": "A nurse."}), "Persona Hub's list"),
    ("hub.json", lines({"persona": "A miller."}), "Persona Hub's list"),
    (
        "chat.jsonl",
        lines({"chat_metadata": {}}, {"name": "A", "mes": "Hi"}),
        "a chat of SillyTavern",
    ),
    ("chat.jsonl", lines({"name": "A", "mes": "Hi"}, {"name": "B", "mes": "?"}), "SillyTavern"),
    ("utterances.jsonl", lines(*[{"conversation_id": "1", "text": "x"}] * 2), "ConvoKit"),
]
FOREIGN: list[tuple[str, Any, str]] = [
    ("dog.png", png((b"Software", b"x")), "a PNG picture, which"),
    ("card.png", b"\xff\xd8\xff\xe0\x00\x10JFIF", "a JPEG picture"),
    ("tune.jsonl", lines({"messages": []}, {"messages": []}), "a chat in OpenAI's format"),
    ("sharegpt.json", [{"conversations": []}], "a chat in ShareGPT's format"),
    ("log.json", {"version": 2, "eval": {}, "samples": []}, "an evaluation log of Inspect"),
    ("notes.json", {"logs": [], "annotator_model": "m"}, "SynDisco's annotations"),
    (
        "people.jsonl",
        lines({"username": "Ann"}, {"username": "Bob"}),
        "JSONL, a JSON value on every",
    ),
    ("people.xlsx", zipped(SHEETS), "an Excel workbook"),
    ("people.csv", zipped(SHEETS), "an Excel workbook"),
    ("people.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "an old Excel workbook"),
    ("people.pdf", b"%PDF-1.7\n", "a PDF document"),
    ("people.parquet", b"PAR1\x15\x04", "a Parquet table"),
    ("people.json.gz", b"\x1f\x8b\x08\x00", "a gzip archive"),
    ("people.zip", zipped({"people.json": "[]"}), "a zip archive"),
]


@pytest.mark.parametrize(
    ("name", "content", "kind"), FOREIGN, ids=[f"{name}: {kind}" for name, _, kind in FOREIGN]
)
def test_what_is_not_read_is_called_by_its_name(
    tmp_path: Path, name: str, content: Any, kind: str
) -> None:
    path = file_with(tmp_path, name, content)
    for read in (read_content, read_personas, read_discussion):
        sentence = refusal(read, path)
        assert sentence.startswith(f"{path}: this is ")
        assert kind in sentence
        assert "which syndisco-tui does not read; " in sentence


@pytest.mark.parametrize(
    ("name", "content", "kind"), IMPORTED, ids=[f"{name}: {kind}" for name, _, kind in IMPORTED]
)
def test_what_can_only_be_imported_is_called_by_its_name_elsewhere(
    tmp_path: Path, name: str, content: Any, kind: str
) -> None:
    path = file_with(tmp_path, name, content)
    for read in (read_personas, read_discussion):
        sentence = refusal(read, path)
        assert sentence.startswith(f"{path}: this is ")
        assert kind in sentence
        assert "; import it " in sentence


def test_what_is_read_is_said(tmp_path: Path) -> None:
    assert refusal(read_content, file_with(tmp_path, "tune.json", {"messages": []})) == (
        f"{tmp_path}/tune.json: this is a chat in OpenAI's format, which syndisco-tui does not "
        f"read; give {IMPORTABLE}"
    )
    assert refusal(read_content, file_with(tmp_path, "a.xlsx", zipped(SHEETS))).endswith(
        "; save the sheet as CSV and give that"
    )


@pytest.mark.parametrize(
    ("read", "name", "content", "sentence"),
    [
        (read_personas, "a.json", {"logs": []}, "this is a discussion of SynDisco's, not personas"),
        (read_personas, "s.toml", b"conv_len = 3\n", "a setup, not personas"),
        (
            read_content,
            "s.toml",
            b"[[personas]]\nusername = 'A'\n",
            "start it with syndisco-tui run",
        ),
        (read_discussion, "p.json", [{"username": "A"}], "a list of personas, not a discussion"),
        (read_discussion, "p.csv", b"username\nA\n", "a table of personas, not a discussion"),
        (read_setup, "p.json", [{"username": "A"}], "personas, not a setup (TOML); import it, or"),
        (read_setup, "p.csv", b"age,username\n3,A\n", "a table of personas, not a setup"),
        (read_setup, "d.json", {"logs": [], "syndisco_tui": {}}, "a saved discussion, not a setup"),
    ],
)
def test_a_file_at_the_wrong_door_is_sent_to_the_right_one(
    tmp_path: Path, read: Any, name: str, content: Any, sentence: str
) -> None:
    path = file_with(tmp_path, name, content)
    assert sentence in refusal(read, path)


def test_a_picture_of_many_megabytes_is_called_by_its_name(tmp_path: Path) -> None:
    path = file_with(tmp_path, "big.png", png() + bytes(6_000_000))
    assert "this is a PNG picture" in refusal(read_personas, path)


def test_a_persona_may_have_fields_that_others_have_too(tmp_path: Path) -> None:
    persona = {"username": "Ann", **CARD, "persona": "A nurse.", "messages": [], "logs": "none"}
    path = file_with(tmp_path, "p.json", [persona])
    assert read_personas(path)[0].name == "Ann"
    assert read_content(path).personas[0].name == "Ann"
