"""Preferences: flag before environment before file before default; and where things are kept."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from syndisco_tui.store.inputs import InputError
from syndisco_tui.tui.shell.keymap import KEYMAPS
from syndisco_tui.workspace.folders import DEMONSTRATION, SHIPPED_THEMES, Folders
from syndisco_tui.workspace.settings import Settings, load_settings, save_setting


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "settings.toml"


@pytest.fixture
def no_umask() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


class TestPrecedence:
    def test_each_source_gives_way_to_the_one_before_it(self, file: Path) -> None:
        flags = {"threads": 1}
        environment = {"SYNDISCO_TUI_THREADS": "2"}
        assert load_settings(file, {}, {}).threads == 0
        file.write_text("threads = 3")
        assert load_settings(file, {}, {}).threads == 3
        assert load_settings(file, {}, environment).threads == 2
        assert load_settings(file, flags, environment).threads == 1

    def test_each_setting_is_looked_up_by_itself(self, file: Path) -> None:
        file.write_text('theme = "paper"\nmodel = "starter"\ndevice = "cpu"')
        environment = {"SYNDISCO_TUI_MODEL": "mine", "SYNDISCO_TUI_DEVICE": "cuda"}
        settings = load_settings(file, {"device": "cuda:1"}, environment)
        assert (settings.theme, settings.model, settings.device) == ("paper", "mine", "cuda:1")

    def test_a_flag_that_was_not_given_changes_nothing(self, file: Path) -> None:
        assert load_settings(file, {"model": None}, {"SYNDISCO_TUI_MODEL": "mine"}).model == "mine"

    def test_without_anything_the_defaults_hold(self, file: Path) -> None:
        assert load_settings(file, {}, {"HOME": "/", "SYNDISCO": "x"}) == Settings()


class TestRefusals:
    def test_an_unknown_key_of_the_file_names_the_near_one(self, file: Path) -> None:
        file.write_text('modle = "starter"')
        with pytest.raises(InputError, match="there is no key “modle”; did you mean “model”"):
            load_settings(file, {}, {})

    def test_an_unknown_variable_names_itself_and_the_near_one(self, file: Path) -> None:
        with pytest.raises(InputError, match=r"SYNDISCO_TUI_THEMES: .*did you mean “theme”"):
            load_settings(file, {}, {"SYNDISCO_TUI_THEMES": "x"})

    @pytest.mark.parametrize("value", ["many", "-1", "", "1.5"])
    def test_a_bad_value_names_its_variable(self, file: Path, value: str) -> None:
        with pytest.raises(InputError, match="SYNDISCO_TUI_THREADS: must be"):
            load_settings(file, {}, {"SYNDISCO_TUI_THREADS": value})

    def test_a_bad_value_names_its_file(self, file: Path) -> None:
        file.write_text('dtype = "int8"')
        with pytest.raises(InputError) as caught:
            load_settings(file, {}, {})
        assert str(caught.value).startswith(f"{file}: dtype: must be 'auto', 'float32',")

    def test_a_bad_flag_is_refused(self, file: Path) -> None:
        with pytest.raises(InputError, match="dtype: must be"):
            load_settings(file, {"dtype": "int8"}, {})

    def test_a_bad_value_is_refused_even_where_it_is_overruled(self, file: Path) -> None:
        file.write_text('threads = "x"')
        with pytest.raises(InputError, match="threads"):
            load_settings(file, {"threads": 2}, {})


class TestKeeping:
    def test_one_is_kept_and_the_others_stay(self, file: Path) -> None:
        file.write_text('model = "starter"\ntheme = "paper"\n')
        save_setting(file, "theme", "contrast")
        settings = load_settings(file, {}, {})
        assert (settings.model, settings.theme) == ("starter", "contrast")

    def test_the_first_one_makes_the_file(self, file: Path) -> None:
        save_setting(file, "theme", "paper")
        assert load_settings(file, {}, {}).theme == "paper"

    def test_what_is_kept_is_the_file_s_alone(self, file: Path) -> None:
        save_setting(file, "theme", "paper")
        assert file.read_text() == 'theme = "paper"\n'

    def test_a_file_that_cannot_be_read_is_not_replaced(self, file: Path) -> None:
        file.write_text("theme = ")
        with pytest.raises(InputError):
            save_setting(file, "theme", "paper")
        assert file.read_text() == "theme = "


@pytest.mark.usefixtures("no_umask")
class TestPrivacy:
    def test_every_folder_is_its_owner_s_alone(self, home: Path) -> None:
        Folders.from_environment().create()
        folders = [path for path in home.rglob("*") if path.is_dir()]
        assert len(folders) >= 7
        assert {path: oct(mode(path)) for path in folders} == dict.fromkeys(folders, "0o700")

    def test_every_file_is_its_owner_s_alone(self, home: Path) -> None:
        folders = Folders.from_environment()
        folders.create()
        file = folders.settings_file
        save_setting(file, "theme", "paper")
        assert oct(mode(file)) == "0o600"

    def test_a_folder_that_was_there_keeps_its_mode(self, home: Path) -> None:
        (home / "data").mkdir(mode=0o755)
        Folders.from_environment().create()
        assert oct(mode(home / "data")) == "0o755"


def test_a_folder_that_cannot_be_made_is_named(home: Path) -> None:
    (home / "data").write_text("a file stands where a folder should")
    with pytest.raises(InputError, match="discussions: cannot be created: "):
        Folders.from_environment().create()


def test_what_is_shipped_is_found() -> None:
    assert DEMONSTRATION.is_file()
    assert list(SHIPPED_THEMES.glob("*.toml"))
    assert (KEYMAPS / "vim.toml").is_file()
