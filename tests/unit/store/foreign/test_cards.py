"""Character cards: personas out of them, and cards out of personas."""

from __future__ import annotations

import base64
import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndisco_tui.discussion import Persona
from syndisco_tui.discussion.persona import CHARACTER_CARD
from syndisco_tui.store.foreign.card_files import MAX_CARD_BYTES
from syndisco_tui.store.foreign.cards import card_v2, first_message_of, scenario_of
from syndisco_tui.store.foreign.content import read_content
from syndisco_tui.store.inputs import InputError
from tests.support.foreign_files import file_with, png, refusal, zipped

DATA: dict[str, Any] = {
    "name": "Mira",
    "description": "{{char}} is a miller. {{user}} know her.",
    "personality": "calm, <bot> says little",
    "scenario": "{{char}} meets {{user}} at the mill.",
    "first_mes": "Hello, {{user}}.",
    "mes_example": "<START>\n{{char}}: Flour?",
    "creator_notes": "SECRET notes",
    "system_prompt": "{{original}}\nStay in role as {{char}}.",
    "post_history_instructions": "Be brief.",
    "alternate_greetings": ["Hi."],
    "tags": ["mill"],
    "creator": "me",
    "character_version": "1.1",
    "extensions": {"depth_prompt": {"depth": 4}},
    "character_book": {
        "entries": [
            {"keys": ["b"], "content": "Second.", "enabled": True, "insertion_order": 2},
            {"keys": ["a"], "content": "@@depth 4\nFirst of {{char}}.", "insertion_order": 1},
            {"keys": ["c"], "content": "Off.", "enabled": False, "insertion_order": 0},
        ]
    },
}
V2 = {"spec": "chara_card_v2", "spec_version": "2.0", "data": DATA}
V3 = {"spec": "chara_card_v3", "spec_version": "3.0", "data": {**DATA, "nickname": "Mi"}}


def encoded(card: object) -> bytes:
    return base64.b64encode(json.dumps(card).encode())


def persona_in(path: Path) -> Persona:
    (persona,) = read_content(path).personas
    return persona


class TestFields:
    def test_every_text_goes_where_it_belongs(self, tmp_path: Path) -> None:
        mira = persona_in(file_with(tmp_path, "x.json", V2))
        assert mira.name == "Mira"
        assert mira.special_instructions == "Stay in role as Mira.\n\nBe brief."
        assert mira.model_extra is not None
        assert mira.model_extra["description"] == "Mira is a miller. the others know her."
        assert mira.model_extra["personality"] == "calm, Mira says little"
        assert mira.model_extra["example_messages"] == "<START>\nMira: Flour?"
        assert mira.model_extra["lore"] == ["First of Mira.", "Second."]
        assert scenario_of(mira) == "Mira meets the others at the mill."
        assert first_message_of(mira) == "Hello, the others."

    def test_what_is_not_for_prompts_is_in_none(self, tmp_path: Path) -> None:
        mira = persona_in(file_with(tmp_path, "x.json", V2))
        prompted = json.dumps(mira.attributes())
        for secret in ("SECRET", "depth_prompt", "character_version", "Hi.", CHARACTER_CARD):
            assert secret not in prompted
        assert json.dumps(mira.as_dict()).count("SECRET") == 1

    def test_a_card_of_version_1_and_a_nickname(self, tmp_path: Path) -> None:
        flat = {key: DATA[key] for key in ("name", "description", "personality", "scenario")}
        assert persona_in(file_with(tmp_path, "x.json", flat)).name == "Mira"
        assert persona_in(file_with(tmp_path, "y.json", V3)).name == "Mi"

    def test_without_a_name_the_file_gives_it(self, tmp_path: Path) -> None:
        content = read_content(
            file_with(tmp_path, "Old Tom.json", {**V2, "data": {**DATA, "name": " "}})
        )
        assert content.personas[0].name == "Old Tom"
        assert content.notes == ("the card gives no name; it is called Old Tom after its file",)

    def test_a_higher_version_is_read_with_a_note(self, tmp_path: Path) -> None:
        card = {**V3, "spec": "chara_card_v4", "spec_version": "4.0"}
        content = read_content(file_with(tmp_path, "x.json", card))
        assert content.notes == ("the card is of version 4.0, read as 3.0",)

    def test_embedded_pictures_are_left_out_and_said(self, tmp_path: Path) -> None:
        assets = [
            {"type": "icon", "uri": "data:" + "x" * 20_000},
            {"type": "icon", "uri": "ccdefault:"},
        ]
        card = {**V3, "data": {**DATA, "assets": assets}}
        content = read_content(file_with(tmp_path, "x.json", card))
        assert content.notes == ("pictures embedded in the card are left out",)
        assert len(json.dumps(content.personas[0].as_dict())) < 10_000

    def test_several_in_a_list(self, tmp_path: Path) -> None:
        other = {**V2, "data": {**DATA, "name": "Tom"}}
        content = read_content(file_with(tmp_path, "x.json", [V2, other]))
        assert [persona.name for persona in content.personas] == ["Mira", "Tom"]

    @pytest.mark.parametrize("data", [None, [], "x"])
    def test_a_card_without_fields_is_refused(self, tmp_path: Path, data: Any) -> None:
        path = file_with(tmp_path, "x.json", {**V2, "data": data})
        assert refusal(read_content, path).startswith(f"{path}: the card has no fields")


class TestPictures:
    def test_the_newer_card_of_two_wherever_it_stands(self, tmp_path: Path) -> None:
        chunks = (b"Software", b"x"), (b"Chara", encoded(V2)), (b"ccv3", encoded(V3))
        assert persona_in(file_with(tmp_path, "a.png", png(*chunks))).name == "Mi"
        assert persona_in(file_with(tmp_path, "b.apng", png(*chunks[:2]))).name == "Mira"

    def test_base64_without_padding_and_in_lines(self, tmp_path: Path) -> None:
        text = encoded(V2).rstrip(b"=")
        broken = b"\n".join(text[i : i + 76] for i in range(0, len(text), 76))
        assert persona_in(file_with(tmp_path, "a.png", png((b"chara", broken)))).name == "Mira"

    @pytest.mark.parametrize(
        ("value", "sentence"),
        [
            (b"%%%", "is damaged (not base64)"),
            (base64.b64encode(b"\xff\xfe\xfa"), "is damaged (not base64)"),
            (base64.b64encode(b"{"), "not valid JSON"),
            (base64.b64encode(b"[1]"), "is not an object"),
            (base64.b64encode(b"{}"), "holds neither"),
        ],
    )
    def test_a_damaged_card_is_one_sentence(
        self, tmp_path: Path, value: bytes, sentence: str
    ) -> None:
        path = file_with(tmp_path, "a.png", png((b"chara", value)))
        said = refusal(read_content, path)
        assert said.startswith(f"{path}: ")
        assert sentence in said

    def test_a_chunk_that_claims_gigabytes_is_no_card(self, tmp_path: Path) -> None:
        chunk = (2_000_000_000).to_bytes(4) + b"tEXtchara\0" + encoded(V2)
        path = file_with(tmp_path, "a.png", b"\x89PNG\r\n\x1a\n" + chunk)
        assert refusal(read_content, path) == f"{path}: the picture has no character card in it"


class TestArchives:
    def test_a_charx(self, tmp_path: Path) -> None:
        files = {"assets/../../evil.txt": "x", "/etc/passwd": "x", "card.json": json.dumps(V3)}
        assert persona_in(file_with(tmp_path, "a.charx", zipped(files))).name == "Mi"
        assert [each.name for each in tmp_path.iterdir() if each.is_file()] == ["a.charx"]

    def test_a_bomb_is_refused_in_little_memory(self, tmp_path: Path) -> None:
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("card.json", b" " * (20 * MAX_CARD_BYTES))
        path = file_with(tmp_path, "a.charx", content.getvalue())
        assert refusal(read_content, path) == f"{path}: the card is too large; 10 MB is the limit"

    @pytest.mark.parametrize("end", [40, 80, 200])
    def test_a_cut_archive(self, tmp_path: Path, end: int) -> None:
        path = file_with(tmp_path, "a.charx", zipped({"card.json": json.dumps(V3)})[:end])
        assert refusal(read_content, path).startswith(f"{path}: ")


TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=30)
NAMES = st.from_regex(r"[A-Za-z][A-Za-z {}]{0,20}[a-z]", fullmatch=True)
VALUES = st.one_of(TEXT, st.integers(-5, 5), st.lists(TEXT, max_size=3), st.none())
PERSONAS = st.builds(
    lambda name, fields, extra: Persona(username=name, **fields, **extra),
    NAMES,
    st.fixed_dictionaries({}, optional={"age": TEXT, "sex": TEXT, "special_instructions": TEXT}),
    st.dictionaries(
        st.sampled_from(
            ["description", "personality", "example_messages", "lore", "hobby", "{{char}}"]
        ),
        VALUES,
    ),
)


class TestRoundTrip:
    @given(PERSONAS)
    def test_a_persona_comes_back_from_its_card(
        self, tmp_path_factory: pytest.TempPathFactory, persona: Persona
    ) -> None:
        path = file_with(tmp_path_factory.mktemp("cards"), "x.json", card_v2(persona))
        assert persona_in(path) == persona

    @pytest.mark.parametrize("card", [V2, V3], ids=["V2", "V3"])
    def test_a_card_comes_back_from_its_persona(self, tmp_path: Path, card: Any) -> None:
        persona = persona_in(file_with(tmp_path, "x.json", card))
        exported = card_v2(persona)
        for field in ("scenario", "first_mes", "creator_notes", "tags", "character_book"):
            assert exported["data"][field] == DATA[field]
        for field in ("description", "personality", "mes_example", "system_prompt"):
            assert exported["data"][field] == DATA[field], "macros and all"
        assert exported["data"]["extensions"]["depth_prompt"] == {"depth": 4}
        again = persona_in(file_with(tmp_path, "y.json", exported))
        assert again.attributes() == persona.attributes()

    def test_what_another_tool_changed_counts(self, tmp_path: Path) -> None:
        persona = persona_in(file_with(tmp_path, "x.json", V2))
        exported = card_v2(persona)
        exported["data"]["description"] = "{{char}} retired."
        exported["data"]["name"] = "Miranda"
        again = persona_in(file_with(tmp_path, "y.json", exported))
        assert again.name == "Miranda"
        assert (again.model_extra or {})["description"] == "Miranda retired."

    def test_what_was_edited_here_is_exported(self, tmp_path: Path) -> None:
        persona = persona_in(file_with(tmp_path, "x.json", V2))
        edited = Persona.model_validate({**persona.as_dict(), "description": "Older now."})
        assert card_v2(edited)["data"]["description"] == "Older now."
        assert card_v2(edited)["data"]["personality"] == DATA["personality"]

    def test_a_persona_of_syndisco_gets_a_description(self) -> None:
        card = card_v2(Persona(username="Ann", age=40, sex="female", shoe_size=38))
        assert card["data"]["description"] == "age: 40\nsex: female\nshoe size: 38"


def test_a_thousand_cards_are_one_import(tmp_path: Path) -> None:
    for number in range(1_000):
        file_with(tmp_path, f"{number}.json", {**V2, "data": {**DATA, "name": f"N{number}"}})
    names = {persona_in(path).name for path in tmp_path.glob("*.json")}
    assert len(names) == 1_000


def test_a_jpeg_called_png_is_named(tmp_path: Path) -> None:
    path = file_with(tmp_path, "a.png", b"\xff\xd8\xff\xe0\x00\x10JFIF")
    with pytest.raises(InputError, match="this is a JPEG picture"):
        read_content(path)
