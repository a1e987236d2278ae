"""The setup that the screen was left with, and setups that were saved under a name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from syndisco_tui.discussion import DiscussionSetup, Persona
from syndisco_tui.store.inputs import InputError
from syndisco_tui.workspace.setups import LastSetup, SavedSetups

SETUP = DiscussionSetup(
    title="Trains", personas=(Persona(username="Ann"), Persona(username="Bob")), conv_len=4
)
AUTO = {"model": "auto", "dtype": "auto", "quantization": "auto"}


class TestLastSetup:
    def test_it_comes_back(self, tmp_path: Path) -> None:
        file = tmp_path / "setup.toml"
        assert LastSetup(file, AUTO).read() is None
        LastSetup(file, AUTO).save(SETUP)
        assert LastSetup(file, AUTO).read() == SETUP

    def test_what_is_the_settings_stays_theirs(self, tmp_path: Path) -> None:
        file = tmp_path / "setup.toml"
        last = LastSetup(file, AUTO | {"dtype": "float32"})
        last.note_model_of_auto("starter")
        last.save(SETUP.model_copy(update={"model": "starter", "dtype": "float32"}))
        assert LastSetup(file, AUTO).read() == SETUP

    def test_what_somebody_chose_is_theirs(self, tmp_path: Path) -> None:
        file = tmp_path / "setup.toml"
        chosen = SETUP.model_copy(update={"model": "gpt", "dtype": "float16"})
        last = LastSetup(file, AUTO | {"dtype": "float32"})
        last.note_model_of_auto("starter")
        last.save(chosen)
        assert LastSetup(file, AUTO).read() == chosen

    def test_it_knows_a_draft_from_what_a_discussion_has_had(self, tmp_path: Path) -> None:
        file = tmp_path / "setup.toml"
        assert not LastSetup(file, AUTO).is_draft
        for is_draft in (True, False):
            LastSetup(file, AUTO).save(SETUP, is_draft=is_draft)
            assert LastSetup(file, AUTO).is_draft is is_draft
            assert LastSetup(file, AUTO).read() == SETUP

    def test_a_broken_file_is_an_error_that_names_it(self, tmp_path: Path) -> None:
        file = tmp_path / "setup.toml"
        file.write_text("conv_len = ")
        with pytest.raises(InputError, match=r"setup\.toml"):
            LastSetup(file, AUTO).read()


class TestSavedSetups:
    def test_they_are_listed_the_last_saved_first(self, tmp_path: Path) -> None:
        setups = SavedSetups(tmp_path / "setups")
        assert setups.listed() == []
        for number, name in enumerate(("First", "Second")):
            path = setups.save(name, SETUP)
            os.utime(path, (number, number))
        assert [each.name for each in setups.listed()] == ["Second", "First"]
        assert setups.listed()[0].setup == SETUP

    def test_the_shipped_ones_come_last(self, tmp_path: Path) -> None:
        SavedSetups(tmp_path / "shipped").save("demonstration", SETUP)
        setups = SavedSetups(tmp_path / "setups", shipped=tmp_path / "shipped")
        setups.save("Mine", SETUP)
        assert [(each.name, each.is_own) for each in setups.listed()] == [
            ("Mine", True),
            ("demonstration", False),
        ]

    def test_one_that_cannot_be_read_says_why(self, tmp_path: Path) -> None:
        (tmp_path / "Broken.toml").write_text("conv_len = 'x'")
        (saved,) = SavedSetups(tmp_path).listed()
        assert saved.setup is None
        assert "conv_len" in saved.error

    @pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "x" * 51])
    def test_a_name_never_becomes_a_path(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(InputError, match="name of a setup"):
            SavedSetups(tmp_path / "setups").save(name, SETUP)
        assert not (tmp_path / "setups").exists()
