"""read_discussions: typed records and rows, without torch or Textual."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from syndisco_tui import read_discussions
from syndisco_tui.discussion import ExperimentMembership
from syndisco_tui.store.discussion_format import to_bytes
from syndisco_tui.store.export.table import COLUMNS
from syndisco_tui.workspace.notebooks import Discussions
from tests.support.saved_discussions import FULL

SECOND = replace(FULL, id="second", experiment=ExperimentMembership({"turns": "robin"}, 2))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    folder.mkdir()
    (folder / "a.json").write_bytes(to_bytes(FULL))
    (folder / "b.json").write_bytes(to_bytes(SECOND))
    return folder


def test_records_are_what_was_saved(saved: Path) -> None:
    discussions = read_discussions(saved)
    assert list(discussions) == [FULL, SECOND]
    assert [file.name for file in discussions.files] == ["a.json", "b.json"]
    assert repr(discussions) == "<2 discussions>"


def test_every_row_has_every_column(saved: Path) -> None:
    rows = read_discussions(str(saved)).rows()
    assert len(rows) == 2 * len(FULL.entries)
    assert {tuple(row) for row in rows} == {(*COLUMNS, "condition_turns")}
    assert [row["condition_turns"] for row in rows] == [None] * 5 + ["robin"] * 5
    for row, entry in zip(rows, FULL.entries, strict=False):
        assert (row["name"], row["text"], row["role"]) == (entry.name, entry.text, entry.role)
        assert row["is_silence"] is entry.is_silence
    assert json.loads(rows[0]["persona"])["shoe_size"] == 38


def test_values_have_the_type_of_their_column(saved: Path) -> None:
    for row in read_discussions(saved).rows():
        for column, kind in COLUMNS.items():
            assert row[column] is None or type(row[column]) is kind, column


def test_a_slice_has_rows_as_well(saved: Path) -> None:
    second = read_discussions(saved)[1:]
    assert isinstance(second, Discussions)
    assert {row["discussion_id"] for row in second.rows()} == {"second"}


def test_an_unreadable_file_is_named(saved: Path) -> None:
    (saved / "broken.json").write_text("{")
    with pytest.raises(ValueError, match=r"broken\.json"):
        read_discussions(saved)
    discussions = read_discussions(saved, skip_unreadable=True)
    assert len(discussions) == 2
    (sentence,) = discussions.unreadable
    assert "broken.json" in sentence


def test_without_a_path_the_library_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    folder = tmp_path / "syndisco-tui" / "discussions"
    folder.mkdir(parents=True)
    (folder / "a.json").write_bytes(to_bytes(FULL))
    assert list(read_discussions()) == [FULL]


def test_it_imports_neither_torch_nor_textual(saved: Path) -> None:
    code = (
        "import sys; from syndisco_tui import read_discussions as read\n"
        f"rows = read({str(saved)!r}).rows()\n"
        "heavy = {'torch', 'transformers', 'textual', 'openai', 'pyarrow'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy or not rows else 0)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
