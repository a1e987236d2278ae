"""The settings screen: drawn from the schema, changed in place, kept in the file."""

from __future__ import annotations

from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from textual.widgets import Input

from syndisco_tui.tui.shell.settings import SettingsScreen
from syndisco_tui.workspace.settings import Settings, load_settings
from tests.support.bench import SIZES, OpenBench, at_setting, line_of


async def test_every_field_of_the_schema_has_a_row(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press("comma")
        for field in Settings.model_fields.values():
            assert field.title
            assert "default" in line_of(at, field.title)
        await at.press("escape")
        assert at.app.screen is at.laboratory


async def test_each_row_says_where_its_value_comes_from(bench: OpenBench) -> None:
    async with bench(
        settings='model = "of-the-file"\ndevice = "of-the-file"\ndtype = "float16"\n',
        flags={"model": "of-the-flag", "dtype": None},
        environment={"SYNDISCO_TUI_DEVICE": "cuda"},
    ) as at:
        await at.press("comma")
        assert line_of(at, "Model").split("of-the-flag")[1].split()[0] == "flag"
        assert "SYNDISCO_TUI_DEVICE" in line_of(at, "Device")
        assert "float16" in line_of(at, "Precision")
        assert "file" in line_of(at, "Precision")


async def test_a_value_is_kept_and_the_rest_of_the_file_stays(
    bench: OpenBench, tmp_path: Path
) -> None:
    settings = '# mine\ntheme = "daylight"  # by day\n\n[keys]\n"transcript.follow" = "end"\n'
    async with bench(settings=settings) as at:
        await at.press(*at_setting("model"), "enter", "end", "enter", "ctrl+u")
        await at.type("starter")
        await at.press("enter")
        assert "file" in line_of(at, "Model")
        assert (tmp_path / "settings.toml").read_text() == (
            '# mine\ntheme = "daylight"  # by day\nmodel = "starter"\n'
            '\n[keys]\n"transcript.follow" = "end"\n'
        )


LISTED = {"model": ("end", "enter")}
"""The keys that let a value be typed which the list of a setting does not hold."""


@pytest.mark.parametrize(
    ("key", "typed", "fault"),
    [
        ("threads", "-2", "must be at least 0"),
        ("threads", "many", "must be a whole number"),
        ("model", "", "must not be empty"),
    ],
)
async def test_a_bad_value_is_named_beside_its_field_and_not_kept(
    bench: OpenBench, tmp_path: Path, key: str, typed: str, fault: str
) -> None:
    async with bench() as at:
        await at.press(*at_setting(key), "enter", *LISTED.get(key, ()), "ctrl+u")
        await at.type(typed)
        assert fault in at.text()
        await at.press("enter")
        assert fault in at.text()
        await at.press("escape", "y")
        assert fault not in at.text()
        assert not (tmp_path / "settings.toml").exists()
        assert isinstance(at.app.screen, SettingsScreen)


async def test_choices_turn_and_del_goes_back_to_the_default(
    bench: OpenBench, tmp_path: Path
) -> None:
    file = tmp_path / "settings.toml"
    async with bench() as at:
        await at.press(*at_setting("dtype"), "right", "right")
        assert load_settings(file, {}, {}).dtype == "bfloat16"
        await at.press("left")
        assert load_settings(file, {}, {}).dtype == "float32"
        await at.press("delete")
        assert file.read_text() == ""
        assert "default" in line_of(at, "Precision")


async def test_a_row_that_is_jumped_away_from_can_be_edited_again(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press(*at_setting("threads"), "enter")
        await at.type("xyz")
        await at.press("ctrl+o", "a")
        await at.until(lambda: not at.app.screen.query(Input))
        assert "Threads was discarded: must be a whole number. u brings it back." in at.toasts()
        await at.press("u")
        assert at.app.screen.query_one(Input).value == "xyz"
        await at.press("escape", "y", "home", *at_setting("threads")[1:], "enter")
        assert at.app.screen.query_one(Input).value == str(Settings().threads)


async def test_a_theme_holds_at_once(bench: OpenBench, tmp_path: Path) -> None:
    async with bench() as at:
        before = at.app.theme
        await at.press("comma", "left")
        await at.until(lambda: at.app.theme != before)
        assert load_settings(tmp_path / "settings.toml", {}, {}).theme == at.app.theme
        await at.press("delete")
        await at.until(lambda: at.app.theme == before)
        assert (tmp_path / "settings.toml").read_text() == ""


async def test_what_a_variable_overrules_is_kept_and_said(bench: OpenBench, tmp_path: Path) -> None:
    async with bench(environment={"SYNDISCO_TUI_DTYPE": "float16"}) as at:
        await at.press(*at_setting("dtype"), "left")
        assert "SYNDISCO_TUI_DTYPE overrides it for now" in at.text()
        assert load_settings(tmp_path / "settings.toml", {}, {}).dtype == "bfloat16"


async def test_a_file_that_cannot_be_written_is_said(bench: OpenBench, tmp_path: Path) -> None:
    async with bench() as at:
        await at.press(*at_setting("dtype"))
        (tmp_path / "settings.toml").mkdir()
        await at.press("right")
        assert "settings.toml" in at.text() or "directory" in at.text()


async def test_the_table_of_keys_is_edited_in_the_file(bench: OpenBench) -> None:
    async with bench(settings='[keys]\n"transcript.follow" = "f9"\n') as at:
        await at.press(*at_setting("keys"))
        assert "1 changed" in line_of(at, "Keys")
        await at.press("enter")
        assert "edit these in settings.toml" in at.text()


async def test_a_file_broken_meanwhile_does_not_stop_the_app(
    bench: OpenBench, tmp_path: Path
) -> None:
    async with bench() as at:
        (tmp_path / "settings.toml").write_text("theme = ")
        await at.press("comma")
        assert "not valid TOML" in at.toasts()
        assert at.app.screen is at.laboratory


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
async def test_picture(
    bench: OpenBench, size: tuple[int, int], snapshot: SnapshotAssertion, tmp_path: Path
) -> None:
    async with bench(size, settings='dtype = "float16"\n') as at:
        await at.press(*at_setting("threads"), "enter")
        await at.type("x")
        text = at.text()
        assert "must be a whole number" in text
        kept = [line for line in text.splitlines() if " Settings " not in line]  # its file
        assert "\n".join(kept) == snapshot
