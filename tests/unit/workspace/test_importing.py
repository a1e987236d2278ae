"""Taking in: all layouts of SynDisco, persona lists and tables; nothing twice, nothing lost."""

from __future__ import annotations

import contextlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndisco_tui.discussion import ExperimentMembership, Persona
from syndisco_tui.session.performer import continuable_record
from syndisco_tui.store.discussion_format import to_bytes
from syndisco_tui.store.discussions import discussion_files, read_discussion
from syndisco_tui.store.export import exported
from syndisco_tui.store.foreign.content import read_content
from syndisco_tui.store.inputs import InputError
from syndisco_tui.store.personas import read_personas
from syndisco_tui.workspace.conditions import ConditionPattern, observe
from syndisco_tui.workspace.importing import Importer, ImportResult, importable
from tests.support.saved_discussions import FULL
from tests.support.syndisco_files import RUNS, each_export, each_persona_list


def own_names(personas: list[Persona]) -> list[str]:
    return [persona.name for persona in personas]


def incoming(folder: Path, *personas: Persona, known: tuple[str, ...] = ()) -> Importer:
    return Importer(folder, known, personas)


def written(path: Path, content: Any) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def imported(folder: Path, path: Path, *personas: Persona) -> ImportResult:
    return incoming(folder, *personas).import_file(path)


class TestDiscussions:
    @each_export
    def test_every_layout_of_syndisco(self, folder: Path, path: Path) -> None:
        result = imported(folder, path)
        assert result.kind == "discussion", result.message
        assert result.files
        theirs, ours = read_discussion(path), read_discussion(result.files[0])
        assert ours.entries == theirs.entries
        assert ours.started_at == theirs.started_at
        assert ours.title == f"{path.parent.name}/{path.stem}"
        assert ours.setup.names == theirs.setup.names
        assert ours.is_foreign

    @pytest.mark.parametrize("to", ["syndisco-2.0", "syndisco-2.2"])
    def test_what_was_exported_comes_back(self, folder: Path, tmp_path: Path, to: Any) -> None:
        result = imported(folder, written(tmp_path / "run.json", exported(FULL, to)))
        assert result.files
        ours = read_discussion(result.files[0])
        assert [(m.name, m.text) for m in ours.messages] == [
            (m.name, m.text) for m in FULL.messages
        ]

    def test_ours_come_in_whole(self, folder: Path, tmp_path: Path) -> None:
        file = tmp_path / "a.json"
        file.write_bytes(to_bytes(FULL))
        result = imported(folder, file)
        assert result.files
        assert read_discussion(result.files[0]) == FULL

    def test_what_was_imported_cannot_be_gone_on_with(self, folder: Path, tmp_path: Path) -> None:
        result = imported(folder, written(tmp_path / "run.json", exported(FULL, "syndisco-2.0")))
        assert result.files
        with pytest.raises(InputError, match="SynDisco's own"):
            continuable_record(result.files[0])

    def test_nothing_twice(self, folder: Path, tmp_path: Path) -> None:
        file = written(tmp_path / "run.json", exported(FULL, "syndisco-2.0"))
        again = written(tmp_path / "copy.json", exported(FULL, "syndisco-2.0"))
        imports = incoming(folder)
        assert [imports.import_file(path).kind for path in (file, again)] == ["discussion", "known"]
        known = (read_discussion(discussion_files(folder)[0]).id,)
        assert incoming(folder, known=known).import_file(file).kind == "known"
        assert len(discussion_files(folder)) == 1

    def test_without_an_id_the_words_count(self, folder: Path, tmp_path: Path) -> None:
        value = json.loads(exported(FULL, "syndisco-2.2"))
        imports = incoming(folder)
        one = written(tmp_path / "one.json", value)
        value["logs"][0]["text"] = "Something else."
        other = written(tmp_path / "other.json", value)
        assert [imports.import_file(path).kind for path in (one, other, one)] == [
            "discussion",
            "discussion",
            "known",
        ]

    def test_without_a_time_it_is_as_old_as_its_file(self, folder: Path, tmp_path: Path) -> None:
        file = written(tmp_path / "a.json", {"logs": []})
        result = imported(folder, file)
        assert result.files
        assert not read_discussion(result.files[0]).started_at.startswith("1970")

    @pytest.mark.parametrize(
        ("content", "what"),
        [
            ("{", "not valid JSON"),
            ({"entries": []}, "holds neither a discussion nor personas"),
            ({"logs": [{"name": "Ann"}]}, "not a discussion: logs, entry 1, text: is missing"),
            ({"logs": [], "users": ["Ann", "ann"]}, "are the same"),
            ([{"username": ""}], "a persona needs a username"),
            ("3", "holds neither"),
        ],
    )
    def test_a_bad_one_is_named(
        self, folder: Path, tmp_path: Path, content: Any, what: str
    ) -> None:
        file = written(tmp_path / "bad.json", content)
        result = imported(folder, file)
        assert result.kind == "error"
        assert result.message.startswith(f"{file}: ")
        assert what in result.message
        assert list(folder.iterdir()) == []

    def test_a_folder_is_searched_to_its_depths(self, tmp_path: Path) -> None:
        for name in (
            "b.json",
            "a.csv",
            "a.tsv",
            "deep/er/c.JSON",
            ".hidden.json",
            "x.txt",
            "trash/d.json",
        ):
            file = tmp_path / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.touch()
        found = importable([tmp_path, tmp_path / "x.txt"])
        assert [path.name for path in found] == ["a.csv", "a.tsv", "b.json", "c.JSON", "x.txt"]


class TestPersonas:
    ANN = Persona(username="Ann", age=40)

    def test_new_ones_are_added_at_the_end(self, folder: Path, tmp_path: Path) -> None:
        imports = incoming(folder, self.ANN)
        file = written(tmp_path / "p.json", [{"username": "Bob"}, {"username": "Cyd"}])
        assert imports.import_file(file).new_personas == 2
        assert own_names(imports.personas) == ["Ann", "Bob", "Cyd"]
        assert imports.new_personas

    def test_the_same_is_not_added_again(self, folder: Path, tmp_path: Path) -> None:
        imports = incoming(folder, self.ANN)
        result = imports.import_file(written(tmp_path / "p.json", [self.ANN.as_dict()]))
        assert (result.kind, result.new_personas) == ("known", 0)
        assert not imports.new_personas

    def test_another_of_that_name_gets_a_number_and_it_is_said(
        self, folder: Path, tmp_path: Path
    ) -> None:
        file = written(
            tmp_path / "p.json", [{"username": "ann", "age": 7}, {"username": "Ann", "age": 8}]
        )
        imports = incoming(folder, self.ANN)
        result = imports.import_file(file)
        assert own_names(imports.personas) == ["Ann", "ann (2)", "Ann (3)"]
        assert result.message == f"{file}: ann is now ann (2), Ann is now Ann (3)"
        assert imports.import_file(file).kind == "known"

    def test_one_alone_need_not_be_in_a_list(self, folder: Path, tmp_path: Path) -> None:
        assert imported(folder, written(tmp_path / "p.json", {"username": "Bob"})).new_personas == 1

    def test_the_longest_name_stays_within_bounds(self, folder: Path, tmp_path: Path) -> None:
        name = "x" * 100
        imports = incoming(folder, Persona(username=name))
        imports.import_file(written(tmp_path / "p.json", [{"username": name, "age": 1}]))
        assert imports.personas[1].name == f"{'x' * 96} (2)"

    def test_nobody_of_one_name_is_dropped(self, folder: Path, tmp_path: Path) -> None:
        """Not even those who are the same in all fields; twice the same file adds nobody."""
        file = written(tmp_path / "p.json", [{"username": "P000", "age": "-1"}] * 13)
        imports = incoming(folder, self.ANN)
        result = imports.import_file(file)
        names = ["P000", *(f"P000 ({number})" for number in range(2, 14))]
        assert own_names(imports.personas) == ["Ann", *names]
        assert result.new_personas == 13
        assert result.message == (
            f"{file}: P000 is now P000 (2), P000 is now P000 (3), P000 is now P000 (4), "
            "P000 is now P000 (5), P000 is now P000 (6) and 7 more"
        )
        assert imports.import_file(file).kind == "known"
        assert len(imports.personas) == 14

    def test_a_name_that_the_file_itself_has_is_given_to_nobody_else(
        self, folder: Path, tmp_path: Path
    ) -> None:
        people = [{"username": name} for name in ("Ann", "ANN", "Ann (2)")]
        imports = incoming(folder)
        imports.import_file(written(tmp_path / "p.json", people))
        assert own_names(imports.personas) == ["Ann", "ANN (3)", "Ann (2)"]

    @pytest.mark.parametrize("text", ["[]", "username,age\n"])
    def test_a_file_of_nobody_is_named(self, folder: Path, tmp_path: Path, text: str) -> None:
        file = written(tmp_path / "p.json", text)
        result = imported(folder, file)
        assert (result.kind, result.message) == ("error", f"{file}: holds no personas")

    @each_persona_list
    def test_syndisco_s_lists(self, folder: Path, path: Path) -> None:
        assert imported(folder, path).new_personas > 0


class TestTables:
    def test_nine_fields_lists_and_further_ones(self, tmp_path: Path) -> None:
        file = written(
            tmp_path / "p.csv",
            "Username,Age,Personality Characteristics,Shoe size\n"
            'Ann,40,"calm; curious",38\n'
            "\n"
            "Bob,Under 18,,\n",
        )
        ann, bob = read_personas(file)
        assert ann == Persona.model_validate(
            {
                "username": "Ann",
                "age": 40,
                "personality_characteristics": ["calm", "curious"],
                "Shoe size": "38",
            }
        )
        assert (bob.age, bob.personality_characteristics, bob.model_extra) == ("Under 18", (), {})

    @pytest.mark.parametrize("separator", [",", ";", "\t"])
    def test_separators(self, tmp_path: Path, separator: str) -> None:
        rows = [["username", "sex", "age"], ["Ann", "female", "40"]]
        text = "\ufeff" + "\r\n".join(separator.join(row) for row in rows)
        (ann,) = read_content(written(tmp_path / "p.csv", text)).personas
        assert (ann.username, ann.sex, ann.age) == ("Ann", "female", 40)

    @pytest.mark.parametrize(
        ("text", "what"),
        [
            ("", "is empty"),
            (" ,\n\n", "is empty"),
            ("user_name,age\nAnn,1\n", "a column username (is it “user_name”?)"),
            ("username,age,age\nAnn,1,2\n", "there are two columns age"),
            ("username,\nAnn,1\n", "line 2: column 2 has a value but no name in the header"),
            ("username,age\nAnn,1,2\n", "line 2: has 3 cells and the header 2"),
            ("username,age\nAnn,1\n ,2\n", "line 3: username: a persona needs a username"),
            ('username,age\n"Ann,1\n', "line 2: not a valid table"),
            ("sep=;\nusername;age\n;1\n", "line 3: username: a persona needs a username"),
        ],
    )
    def test_what_is_wrong_and_where(self, tmp_path: Path, text: str, what: str) -> None:
        file = written(tmp_path / "p.csv", text)
        with pytest.raises(InputError) as caught:
            read_personas(file)
        assert str(caught.value).startswith(f"{file}: ")
        assert what in str(caught.value)

    @pytest.mark.parametrize("name", ["p.csv", "p.tsv", "p.txt", "p.json", "people"])
    @pytest.mark.parametrize(
        "text",
        [
            "username\tage\nAnn\t40\n",
            "username;age\r\nAnn;40\r\n",
            "sep=;\r\nusername;age\r\nAnn;40\r\n",
            '"sep=|"\nusername|age\nAnn|40\n',
            "username,age,,\nAnn,40,,\n,,,\n",  # as Excel writes columns that were once in use
            "username,,age\nAnn,,40,,\n",
            '\n\n"username","age"\n"Ann","40"\n',
            '{"username": "Ann", "age": 40}',
            '[{"username": "Ann", "age": 40}]',
        ],
    )
    @pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
    def test_content_decides_and_not_the_name(
        self, tmp_path: Path, name: str, text: str, encoding: str
    ) -> None:
        file = tmp_path / name
        file.write_bytes(text.encode(encoding))
        expected = [Persona(username="Ann", age=40)]
        assert read_personas(file) == list(read_content(file).personas) == expected

    def test_a_separator_in_quotation_marks_is_text(self, tmp_path: Path) -> None:
        file = written(tmp_path / "p.csv", 'hobbies;username\n"a,b,c,d";"Ann, the first"\n')
        (ann,) = read_personas(file)
        assert (ann.username, ann.model_extra) == ("Ann, the first", {"hobbies": "a,b,c,d"})

    @given(st.text(max_size=200))
    def test_any_text_is_read_or_refused(self, text: str) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "p.csv")
            file.write_text(f"username,{text}", encoding="utf-8", errors="replace", newline="")
            with contextlib.suppress(InputError):
                assert isinstance(read_personas(file), list)


def test_folders_tell_the_conditions_of_imported_discussions(tmp_path: Path) -> None:
    source = RUNS[0]
    folder = tmp_path / "published" / "llama8b_nomod"
    folder.mkdir(parents=True)
    shutil.copy(source, folder)
    library = tmp_path / "library"
    library.mkdir()
    importer = Importer(library, (), (), conditions=ConditionPattern("{model}_{strategy}"))
    result = importer.import_file(folder / source.name)
    assert result.kind == "discussion", result.message
    member = read_discussion(result.files[0]).experiment
    assert member == ExperimentMembership({"model": "llama8b", "strategy": "nomod"}, 0)
    observed = observe([library]).observed
    assert [each.cell for each in observed] == [{"model": "llama8b", "strategy": "nomod"}]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    shutil.copy(source, elsewhere)
    again = Importer(library, (), (), conditions=ConditionPattern("{model}_{strategy}"))
    refused = again.import_file(elsewhere / source.name)
    assert refused.kind == "error"
    assert "does not match “{model}_{strategy}”" in refused.message
