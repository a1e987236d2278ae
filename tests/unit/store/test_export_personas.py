"""Personas as a list, a table and cards: nothing is lost on the way out and back in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndisco_tui.discussion import Persona
from syndisco_tui.store.discussion_format import to_bytes
from syndisco_tui.store.export.personas import PERSONA_FORMATS, as_table
from syndisco_tui.store.foreign.content import read_content
from syndisco_tui.workspace.exporting import export_personas_to_folder, personas_in
from tests.support.command_line import call
from tests.support.foreign_files import file_with
from tests.support.saved_discussions import FULL

ANN = Persona(username="Ann", age=40, personality_characteristics=["calm", "kind"], pets={"dog": 1})
BOB = Persona(username="B/ob", age="Under 18", hobby="=1+1")


def test_a_list_comes_back(tmp_path: Path) -> None:
    path = export_personas_to_folder(tmp_path, [ANN, BOB], "personas")
    assert list(read_content(path).personas) == [ANN, BOB]


def test_cards_have_a_file_each(tmp_path: Path) -> None:
    folder = export_personas_to_folder(tmp_path, [ANN, BOB], "cards")
    assert sorted(path.name for path in folder.iterdir()) == ["Ann.card.json", "B ob.card.json"]
    back = [read_content(path).personas[0] for path in sorted(folder.iterdir())]
    assert back == [ANN, BOB]


def test_a_table_comes_back_as_text(tmp_path: Path) -> None:
    path = export_personas_to_folder(tmp_path, [ANN, BOB], "personas-csv")
    ann, bob = read_content(path).personas
    assert ann.attributes() == ANN.attributes()
    assert bob.attributes() == {"username": "B/ob", "age": "Under 18", "hobby": "'=1+1"}


WORDS = st.from_regex(r"[a-z]([a-z ,\"]{0,12}[a-z])?", fullmatch=True)
EXTRA = st.dictionaries(
    st.sampled_from(["town", "pets", "views"]),
    WORDS | st.dictionaries(WORDS, st.integers(), min_size=1) | st.lists(WORDS, min_size=1),
)


@given(
    st.lists(WORDS, min_size=1, max_size=4, unique_by=str.strip),
    st.lists(WORDS, max_size=3),
    EXTRA,
)
def test_nothing_that_is_not_empty_is_lost_in_a_table(
    tmp_path_factory: pytest.TempPathFactory,
    names: list[str],
    characteristics: list[str],
    extra: dict[str, Any],
) -> None:
    people = [
        Persona(username=name, age=3, personality_characteristics=characteristics, **extra)
        for name in names
    ]
    path = tmp_path_factory.mktemp("table") / "people.csv"
    path.write_text(as_table(people), encoding="utf-8")
    for before, after in zip(people, read_content(path).personas, strict=True):
        for field, value in before.attributes().items():
            shown = "; ".join(value) if isinstance(value, list) else value
            assert after.attributes()[field] in (value, shown)


def test_participants_of_a_discussion(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(to_bytes(FULL))
    assert [persona.name for persona in personas_in(path)] == ["Ann", "Bob", "Guest", "Mod"]


class TestCommand:
    @pytest.mark.parametrize("to", list(PERSONA_FORMATS))
    def test_to_a_file_or_folder(self, tmp_path: Path, to: str) -> None:
        source = file_with(tmp_path, "p.json", [ANN.as_dict(), BOB.as_dict()])
        result = call("export", source, "--to", to, "--output", tmp_path / "out")
        assert result.returncode == 0, result.stderr
        assert result.stderr == f"2 personas exported to {tmp_path / 'out'}\n"
        again = call("export", source, "--to", to, "--output", tmp_path / "out")
        assert again.returncode == 2
        assert "use --overwrite to replace it" in again.stderr

    def test_to_standard_output(self, tmp_path: Path) -> None:
        source = file_with(tmp_path, "p.json", [ANN.as_dict()])
        broken = file_with(tmp_path, "q.json", {"logs": 3})
        result = call("export", source, broken, "--to", "personas")
        assert json.loads(result.stdout) == [ANN.as_dict()]
        assert result.returncode == 2
        assert str(broken) in result.stderr
