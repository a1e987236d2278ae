"""Themes: the shipped ones, the user's own, and the choice that is kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from textual.theme import BUILTIN_THEMES, Theme

from syndisco_tui.store.inputs import InputError
from syndisco_tui.tui.shell.theme_choice import can_show, offered_themes
from syndisco_tui.tui.shell.theme_watch import ThemeWatch
from syndisco_tui.tui.shell.themes import read_theme, read_themes
from syndisco_tui.tui.widgets.value_list_dialog import ValueListDialog
from syndisco_tui.workspace.folders import SHIPPED_THEMES
from syndisco_tui.workspace.settings import load_settings
from tests.support.bench import Bench, OpenBench


def test_a_dark_a_light_and_a_high_contrast_theme_are_shipped() -> None:
    themes, faults = read_themes(SHIPPED_THEMES)
    assert not faults
    assert {theme.name: theme.dark for theme in themes} == {
        "lamplight": True,
        "daylight": False,
        "high-contrast": True,
    }


def test_a_user_s_theme_is_found_and_takes_the_place_of_one_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "lamplight.toml").write_text('primary = "red"\n')
    themes, faults = read_themes(SHIPPED_THEMES, tmp_path)
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
    themes, faults = read_themes(SHIPPED_THEMES, tmp_path)
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
        folders = (SHIPPED_THEMES, folder)
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


class TestOffered:
    def test_ours_and_the_users_come_first(self, tmp_path: Path) -> None:
        (tmp_path / "mine.toml").write_text('primary = "red"\n')
        (tmp_path / "nord.toml").write_text('primary = "red"\n')
        own, _ = read_themes(SHIPPED_THEMES, tmp_path)
        themes = {theme.name: theme for theme in (*BUILTIN_THEMES.values(), *own)}
        offered, note = offered_themes(themes.values(), "lamplight", "truecolor")
        names = list(offered)
        assert names[:5] == ["lamplight", "daylight", "high-contrast", "mine", "nord"]
        assert len(names) == len(themes)
        assert names[5:] == sorted(names[5:])
        assert not note

    def test_sixteen_colours_are_offered_what_they_can_show(self) -> None:
        own, _ = read_themes(SHIPPED_THEMES)
        themes = (*BUILTIN_THEMES.values(), *own)
        offered, note = offered_themes(themes, "lamplight", "standard")
        assert {"lamplight", "daylight", "high-contrast", "ansi-dark"} <= set(offered)
        assert not {"nord", "solarized-light", "atom-one-dark"} & set(offered)
        left_out = len(themes) - len(offered)
        assert note == f"{left_out} more themes need 256 colours."
        assert "nord" in offered_themes(themes, "nord", "standard")[0], "the one in force stays"

    def test_what_can_be_read_is_told_by_its_contrast(self) -> None:
        plain = Theme("plain", primary="#ffff00", foreground="#ffffff", background="#000000")
        assert can_show(plain, "standard")
        dim = Theme("dim", primary="#202020", foreground="#303030", background="#000000")
        assert not can_show(dim, "standard")
        assert can_show(dim, "truecolor"), "as its author wanted it"

    async def test_the_palettes_list_and_the_settings_are_the_same(
        self, bench: OpenBench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("COLORTERM", "")
        monkeypatch.setenv("TERM", "linux")
        async with bench((80, 24)) as at:
            at.app.search_themes()
            await at.until(lambda: isinstance(at.app.screen, ValueListDialog))
            listed = at.text()
            assert listed.index("daylight") < listed.index("ansi-dark")
            assert "atom-one" not in listed
            assert "more themes need 256 colours." in listed
            assert "esc cancel" in listed, "all of it has room"
            await at.press("down", "enter")
            assert at.app.theme == "daylight"
            await at.press("comma", "enter")
            assert "more themes need 256 colours." in at.text()
            await at.press("home", "enter")
            await at.until(lambda: at.app.theme == "lamplight")


async def test_a_theme_of_the_terminals_own_colours_shows_the_cursor_by_form(
    bench: OpenBench,
) -> None:
    async with bench() as at:
        assert not at.app.has_class("-few-colours")
        at.app.theme = "ansi-dark"
        await at.until(lambda: at.app.has_class("-few-colours"))
