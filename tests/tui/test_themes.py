"""Themes: the shipped ones, the user's own, and the choice that is kept."""

from __future__ import annotations

from pathlib import Path

import pytest

from syndisco_tui import paths
from syndisco_tui.inputs import InputError
from syndisco_tui.settings import load_settings
from syndisco_tui.ui.theme_watch import ThemeWatch
from syndisco_tui.ui.themes import read_theme, read_themes
from tests.support.bench import Bench, OpenBench


def test_a_dark_a_light_and_a_high_contrast_theme_are_shipped() -> None:
    themes, faults = read_themes(paths.shipped_themes_folder())
    assert not faults
    assert {theme.name: theme.dark for theme in themes} == {
        "lamplight": True,
        "daylight": False,
        "high-contrast": True,
    }


def test_a_user_s_theme_is_found_and_takes_the_place_of_one_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "lamplight.toml").write_text('primary = "red"\n')
    themes, faults = read_themes(paths.shipped_themes_folder(), tmp_path)
    assert not faults
    (mine,) = [theme for theme in themes if theme.name == "lamplight"]
    assert mine.primary == "red"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('primary = "redd"\n', "primary: 'redd' is no colour"),
        ("dark = true\n", "primary is missing"),
        ('primary = "red"\nprimery = "blue"\n', "did you mean “primary”"),
        ("primary = \n", "not valid TOML"),
        ('primary = "red"\nvariables = 3\n', "variables must be a table"),
    ],
)
def test_a_faulty_theme_is_named_and_the_others_stay(
    tmp_path: Path, text: str, sentence: str
) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(text)
    with pytest.raises(InputError, match=sentence) as caught:
        read_theme(path)
    assert str(path) in str(caught.value)
    themes, faults = read_themes(paths.shipped_themes_folder(), tmp_path)
    assert len(themes) == 3
    assert len(faults) == 1


async def test_a_chosen_theme_is_kept_for_the_next_start(bench: OpenBench, tmp_path: Path) -> None:
    file = tmp_path / "settings.toml"
    async with bench() as at:
        at.app.theme = "daylight"
        await at.until(file.exists)
    assert load_settings(file, {}, {}).theme == "daylight"


def test_everything_wrong_with_a_file_is_said_at_once(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('primery = "red"\nerror = "rot"\ndark = "yes"\n')
    with pytest.raises(InputError) as caught:
        read_theme(path)
    for fault in ("did you mean “primary”", "error: 'rot' is no", "dark: must be", "primary is m"):
        assert fault in str(caught.value)


class TestEditing:
    """A theme's file is shown as it is written, while it is being written."""

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Path:
        folder = tmp_path / "themes"
        folder.mkdir()
        return folder

    def watched(self, at: Bench, folder: Path) -> ThemeWatch:
        folders = (paths.shipped_themes_folder(), folder)
        at.app._theme_watch = watch = ThemeWatch(folders, at.app.post_message, seconds=0.05)
        watch.start()
        return watch

    async def test_the_theme_in_use_changes_at_once(self, bench: OpenBench, folder: Path) -> None:
        async with bench() as at:
            self.watched(at, folder)
            (folder / "lamplight.toml").write_text('primary = "red"\nbackground = "#010203"\n')
            await at.until(lambda: at.app.current_theme.background == "#010203")
            await at.until(lambda: at.app.screen.styles.background.hex == "#010203")
            (folder / "lamplight.toml").unlink()
            await at.until(lambda: at.app.current_theme.background != "#010203")

    async def test_a_new_theme_can_be_chosen(self, bench: OpenBench, folder: Path) -> None:
        async with bench() as at:
            self.watched(at, folder)
            (folder / "mine.toml").write_text('primary = "red"\n')
            await at.until(lambda: "mine" in at.app.available_themes)

    async def test_a_faulty_one_is_named_once_and_the_last_good_one_stays(
        self, bench: OpenBench, folder: Path
    ) -> None:
        path = folder / "mine.toml"
        path.write_text('primary = "red"\nbackground = "#010203"\n')
        async with bench() as at:
            self.watched(at, folder)
            path.write_text('primary = "redd"\nbackgruond = "#040506"\n')
            await at.until(lambda: bool(at.toasts()))
            assert at.toasts().count(str(path)) == 1
            assert "'redd' is no colour" in at.toasts()
            assert "did you mean “background”" in at.toasts()
            assert at.app.theme == "lamplight"
            at.app.clear_notifications()
            (folder / "other.toml").write_text('primary = "blue"\n')
            await at.until(lambda: "other" in at.app.available_themes)
            assert not at.toasts()

    async def test_reading_a_theme_again_is_no_choice(
        self, bench: OpenBench, folder: Path, tmp_path: Path
    ) -> None:
        async with bench() as at:
            self.watched(at, folder)
            (folder / "lamplight.toml").write_text('primary = "red"\n')
            await at.until(lambda: at.app.current_theme.primary == "red")
            assert not (tmp_path / "settings.toml").exists()


async def test_an_unknown_theme_is_said_and_the_default_used(bench: OpenBench) -> None:
    async with bench(theme="no-such-theme") as at:
        assert at.app.theme == "lamplight"
        assert "no-such-theme" in at.toasts()
