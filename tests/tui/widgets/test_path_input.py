"""Paths as people type and paste them."""

from __future__ import annotations

from pathlib import Path

import pytest

from syndisco_tui.tui.widgets.path_input import as_path, completions


@pytest.mark.parametrize(
    ("pasted", "path"),
    [
        ("/a/b.json\n", "/a/b.json"),
        ("'/a/b c.json'", "/a/b c.json"),
        ('"/a/b c.json"', "/a/b c.json"),
        ("/a/b\\ c.json", "/a/b c.json"),
        ("file:///a/b%20c.json", "/a/b c.json"),
    ],
)
def test_a_pasted_path_is_freed_of_what_shells_and_browsers_add(pasted: str, path: str) -> None:
    assert as_path(pasted) == path


def test_a_path_is_completed_as_far_as_names_agree(tmp_path: Path) -> None:
    for name in ("run-1.json", "run-2.json", ".run"):
        (tmp_path / name).touch()
    (tmp_path / "cards").mkdir()
    assert completions(f"{tmp_path}/r") == (f"{tmp_path}/run-", ["run-1.json", "run-2.json"])
    assert completions(f"{tmp_path}/c") == (f"{tmp_path}/cards/", ["cards/"])
    assert completions(f"{tmp_path}/.r") == (f"{tmp_path}/.run", [".run"])
    assert completions(f"{tmp_path}/x") == (f"{tmp_path}/x", [])
    assert completions(f"{tmp_path}/nowhere/x") == (f"{tmp_path}/nowhere/x", [])


def test_the_home_folder_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mine.json").touch()
    assert completions("~/m") == ("~/mine.json", ["mine.json"])
