"""``export`` and ``import`` on the command line: what goes where, what is said, which status."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from syndisco_tui.store.discussion_format import to_bytes
from syndisco_tui.store.discussions import discussion_files
from syndisco_tui.store.export import exported
from tests.support.command_line import call, refusal
from tests.support.saved_discussions import FULL


@pytest.fixture
def discussions(home: Path) -> Path:
    return home / "data" / "syndisco-tui" / "discussions"


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "saved"
    folder.mkdir()
    files = [folder / name for name in ("one.json", "two.json")]
    for file in files:
        file.write_bytes(to_bytes(FULL))
    return files


class TestExport:
    def test_one_goes_to_standard_output(self, files: list[Path]) -> None:
        for to in ("syndisco-2.0", "syndisco-2.2", "markdown", "jsonl"):
            result = call("export", files[0], "--to", to)
            assert result.returncode == 0
            assert result.stdout == exported(FULL, to)  # type: ignore[arg-type]
            assert result.stderr == ""

    def test_several_go_into_one_table(self, files: list[Path]) -> None:
        result = call("export", *files, "--to", "csv")
        assert result.stdout.count("discussion,title,") == 1
        assert result.stdout.count("Please be kind.") == 2

    def test_several_need_a_folder(self, files: list[Path], tmp_path: Path) -> None:
        assert "need a folder" in refusal("export", *files, "--to", "markdown")
        result = call("export", files[0].parent, "--to", "markdown", "-o", tmp_path / "out")
        assert result.returncode == 0
        assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["one.md", "two.md"]

    def test_two_of_one_name_do_not_meet(self, files: list[Path], tmp_path: Path) -> None:
        other = tmp_path / "other" / "one.json"
        other.parent.mkdir()
        other.write_bytes(files[0].read_bytes())
        call("export", files[0], other, "--to", "syndisco-2.2", "-o", f"{tmp_path}/out/")
        assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
            "one (2).json",
            "one.json",
        ]

    def test_nothing_is_overwritten_unasked(self, files: list[Path], tmp_path: Path) -> None:
        target = tmp_path / "there.md"
        target.write_text("mine")
        sentence = refusal("export", files[0], "--to", "markdown", "-o", target)
        assert sentence == f"{target}: already exists; use --overwrite to replace it"
        assert target.read_text() == "mine"
        call("export", files[0], "--to", "markdown", "-o", target, "--overwrite")
        assert target.read_text().startswith("# On")

    def test_nor_in_a_folder(self, files: list[Path], tmp_path: Path) -> None:
        (tmp_path / "two.md").write_text("mine")
        sentence = refusal("export", *files, "--to", "markdown", "-o", tmp_path)
        assert "two.md: already exists" in sentence
        assert not (tmp_path / "one.md").exists()

    def test_a_bad_one_is_named_and_the_rest_goes_on(
        self, files: list[Path], tmp_path: Path
    ) -> None:
        bad = tmp_path / "bad.json"
        bad.write_text("{")
        result = call("export", bad, *files, "--to", "jsonl")
        assert result.returncode == 2
        assert result.stderr.startswith(f"{bad}: line 1")
        assert len(result.stdout.splitlines()) == 6

    def test_an_unknown_format(self, files: list[Path]) -> None:
        assert refusal("export", files[0], "--to", "xml") == (
            "--to: must be one of syndisco-2.0, syndisco-2.2, markdown, csv, parquet, jsonl, "
            "sharegpt, convokit, inspect; or, for personas, personas, personas-csv, cards; "
            "not “xml”"
        )


class TestImport:
    def test_discussions_and_personas(
        self, discussions: Path, tmp_path: Path, files: list[Path]
    ) -> None:
        (files[0].parent / "people.json").write_text('[{"username": "Zoe"}]')
        (files[0].parent / "more.csv").write_text("username,age\nYan,30\n")
        result = call("import", files[0].parent)
        assert result.returncode == 0
        assert result.stdout.splitlines() == [str(path) for path in discussion_files(discussions)]
        assert result.stderr.splitlines()[-1] == (
            "Imported 1 discussion and 2 personas; 1 discussion was already imported."
        )
        own = json.loads((discussions.parent / "personas.json").read_text())
        names = [persona["username"] for persona in own]
        assert {"Zoe", "Yan", "Emma35"} <= set(names)  # beside those that are shipped

    def test_not_twice(self, discussions: Path, files: list[Path]) -> None:
        call("import", files[0])
        result = call("import", files[0])
        assert result.returncode == 0
        assert result.stdout == ""
        assert len(discussion_files(discussions)) == 1

    def test_a_bad_one_is_named_and_the_rest_goes_on(
        self, discussions: Path, tmp_path: Path, files: list[Path]
    ) -> None:
        bad = files[0].parent / "a-bad-one.json"
        bad.write_text('{"logs": 3}')
        result = call("import", bad, files[0], tmp_path / "nowhere.json")
        assert result.returncode == 2
        assert len(result.stdout.splitlines()) == 1
        first, second, last = result.stderr.splitlines()
        assert first.startswith(f"{bad}: not a discussion: logs: must be a list")
        assert second == f"{tmp_path / 'nowhere.json'}: there is no such file"
        assert last == "Imported 1 discussion; 2 files could not be imported."

    def test_what_is_left_out_of_a_folder_is_said(self, tmp_path: Path) -> None:
        folder = tmp_path / "mine"
        folder.mkdir()
        result = call("import", folder)
        assert (result.returncode, result.stderr) == (0, "Nothing to import.\n")
        (folder / "a.txt").touch()
        (folder / "b.txt").touch()
        (folder / "people.tsv").write_text("username\nZoe\nZoe\n")
        for summary in ("Imported 2 personas.", "2 personas were already imported."):
            result = call("import", folder)
            assert result.stderr.splitlines()[-2:] == [
                "Skipped 2 files of other types (.txt); name a file to import it anyway.",
                summary,
            ]

    @pytest.mark.parametrize(("text", "fault"), [("[]", "holds no personas"), ("", "is empty")])
    def test_a_file_with_nothing_in_it_is_named(
        self, tmp_path: Path, text: str, fault: str
    ) -> None:
        file = tmp_path / "people.json"
        file.write_text(text)
        result = call("import", file)
        assert result.returncode == 2
        assert result.stderr.splitlines() == [f"{file}: {fault}", "1 file could not be imported."]

    def test_a_list_of_personas_that_cannot_be_read_is_not_replaced(
        self, discussions: Path, tmp_path: Path
    ) -> None:
        own = discussions.parent / "personas.json"
        own.parent.mkdir(parents=True)
        own.write_text("mine")
        people = tmp_path / "people.json"
        people.write_text('[{"username": "Zoe"}]')
        assert refusal("import", people).startswith(f"{own}: ")
        assert own.read_text() == "mine"
