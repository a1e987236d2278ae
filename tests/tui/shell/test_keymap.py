"""Keys can be changed: what is wrong with a change is said, and the rest of it holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from syndisco_tui.store.inputs import read_toml
from syndisco_tui.tui.shell.actions import ACTIONS
from syndisco_tui.tui.shell.keymap import KEYMAPS, Keymap, clashes, read_keymap, shown_key
from tests.support.bench import OpenBench

BY_ID = {action.id: action for action in ACTIONS}


def read(**own: Any) -> tuple[Keymap, list[str]]:
    return read_keymap(own={key.replace("__", "."): value for key, value in own.items()})


def test_every_action_has_an_id_of_its_own() -> None:
    assert len(BY_ID) == len(ACTIONS)
    assert {"transcript.follow", "personas.take_part", "everywhere.run", "setup.next_value"} <= set(
        BY_ID
    )


@pytest.mark.parametrize("name", ["standard", "vim"])
def test_no_shipped_set_puts_two_actions_on_one_key(name: str) -> None:
    keymap, faults = read_keymap(name)
    assert not faults
    assert [(each, clash) for each in BY_ID for clash in clashes(keymap, each)] == []


def test_vim_s_movements_are_on_no_action_and_its_changes_are_of_actions() -> None:
    shipped = read_toml(KEYMAPS / "vim.toml")
    assert set(shipped["keys"]) <= set(BY_ID)
    keymap, _ = read_keymap("vim")
    taken = {
        (action.id, key)
        for action in ACTIONS
        for key in keymap.keys(action)
        if key in keymap.stand_ins and keymap.stand_ins[key] not in keymap.keys(action)
    }
    assert taken == set()


def test_a_change_counts_for_all_keys_of_the_action() -> None:
    keymap, faults = read(transcript__follow="F, ctrl+b")
    assert not faults
    assert keymap.keys(BY_ID["transcript.follow"]) == ("F", "ctrl+b")
    assert keymap.shown(BY_ID["transcript.follow"]) == "F"
    assert keymap.shown(BY_ID["everywhere.run"]) == "r"


@pytest.mark.parametrize(
    ("written", "key", "shown"),
    [
        ("?", "question_mark", "?"),
        ("End", "end", "end"),
        ("Ctrl+D", "ctrl+d", "ctrl+d"),
        ("comma", "comma", ","),
        ("F5", "f5", "f5"),
        ("alt+x", "alt+x", "alt+x"),
        ("é", "é", "é"),
    ],
)
def test_keys_are_written_as_people_write_them(written: str, key: str, shown: str) -> None:
    keymap, faults = read_keymap(own={"app.help": "f2", "transcript.follow": written})
    if written not in ("?", "comma"):
        assert not faults
        assert keymap.keys(BY_ID["transcript.follow"]) == (key,)
    assert shown_key(key) == shown


@pytest.mark.parametrize(
    ("identity", "keys", "sentence"),
    [
        ("transcript.folow", "end", "there is no action “transcript.folow”; did you mean"),
        ("transcript.follow", "emd", "there is no key “emd”; did you mean “end”?"),
        ("transcript.follow", "ctrl+pageupp", "did you mean “ctrl+pageup”?"),
        ("transcript.follow", "end,", "a comma too many"),
        ("transcript.follow", "", "must be the name of a key"),
        ("transcript.follow", 3, "must be the name of a key"),
        ("transcript.follow", "ctrl+i", "the same for ctrl+i and tab"),
        ("transcript.follow", "ctrl+h", "the same for ctrl+h and backspace"),
        ("transcript.follow", "ctrl+m", "the same for ctrl+m and enter"),
        ("transcript.follow", "ctrl+shift+p", "cannot tell “ctrl+shift+p”"),
        ("transcript.follow", "shift+g", "write “shift+g” as “G”"),
        ("transcript.follow", "ctrl+c", "ctrl+c copies"),
        ("transcript.follow", "r", "“r” is on everywhere.run already"),
        ("everywhere.run", "space", "“space” is on personas.take_part already"),
        ("everywhere.run", "ctrl+p", "“ctrl+p” is on app.command_palette already"),
    ],
)
def test_what_cannot_be_is_said_and_the_action_keeps_its_key(
    identity: str, keys: object, sentence: str
) -> None:
    keymap, faults = read_keymap(own={identity: keys, "personas.new": "f9"})
    assert len(faults) == 1
    assert sentence in faults[0]
    assert faults[0].startswith(identity) or identity in faults[0]
    assert dict(keymap.changed) == {"personas.new": "f9"}


def test_two_wanted_on_one_key_are_both_named_and_the_first_has_it() -> None:
    keymap, faults = read(personas__new="f9", personas__duplicate="f9")
    assert len(faults) == 1
    assert "personas.duplicate" in faults[0]
    assert "personas.new" in faults[0]
    assert dict(keymap.changed) == {"personas.new": "f9"}


def test_keys_can_be_exchanged_and_used_again_in_another_pane() -> None:
    keymap, faults = read(everywhere__run="p", everywhere__pause="r", setup__edit="n")
    assert not faults
    assert len(keymap.changed) == 3


def test_half_an_exchange_is_a_clash() -> None:
    keymap, faults = read(everywhere__run="p", everywhere__pause="emd")
    assert len(faults) == 2
    assert not keymap.changed


async def test_changed_keys_work_and_footer_help_and_palette_know_them(bench: OpenBench) -> None:
    settings = '[keys]\n"everywhere.run" = "f5"\neverywhere.help = "x"\nsetup.edit = "f4, f3"\n'
    async with bench((120, 100), settings=settings) as at:
        assert "there is no action “everywhere.help”; did you mean" in at.toasts()
        assert "f5 run" in at.text()
        assert "f5    run the discussion of" in at.text()
        await at.press("r")
        assert at.laboratory.view.phase == "idle"
        await at.press("question_mark")
        assert "f5   Run or continue" in at.text()
        await at.press("escape", "2", "down", "f3")
        assert at.laboratory.setup_pane.is_editing
        await at.press("escape", "f5")
        await at.until_state("finished")


async def test_what_is_wrong_is_said_in_one_notice_that_names_the_file_once(
    bench: OpenBench,
) -> None:
    settings = '[keys]\n"everywhere.rum" = "f5"\n"everywhere.pause" = "s"\n'
    async with bench((60, 20), settings=settings) as at:
        assert at.toasts().count("settings.toml") == 1
        assert "did you mean “everywhere.run”?" in at.toasts()
        assert "“s” is on everywhere.step already" in at.toasts()
        assert "?." not in at.toasts()


async def test_what_is_said_names_the_keys_as_they_are_now(bench: OpenBench) -> None:
    settings = """[keys]
    "transcript.undo" = "f4"
    "everywhere.resume" = "f6"
    """
    async with bench(settings=settings) as at:
        await at.press("s")
        await at.until_state("paused")
        await at.press("3", "i", "tab", "h", "ctrl+s")
        await at.until(lambda: len(at.laboratory.transcript.lines.entries) == 3)
        await at.press("delete")
        await at.until(lambda: "Deleted; f4 undoes it." in at.toasts())
        at.engine.may_speak.clear()
        await at.press("r")
        await at.until_state("running")
        await at.press("q")
        await at.until(lambda: "f6 continues" in at.text())
        at.engine.may_speak.set()


async def test_in_vim_letters_move_except_where_text_is_typed(bench: OpenBench) -> None:
    async with bench((120, 60), settings='keymap = "vim"\n') as at:
        people = at.laboratory.personas_pane.list
        await at.press("j", "j", "k")
        await at.until(lambda: people.highlighted == 1)
        await at.press("G")
        await at.until(lambda: people.highlighted == 10)
        await at.press("g")
        await at.until(lambda: people.highlighted == 0)
        await at.press("2", "j", "j", "enter")
        await at.type("jk")
        await at.press("ctrl+s")
        assert at.laboratory.setup.instructions.endswith("jk")
        await at.press("question_mark")
        assert "Keys that stand for others" in at.text()


async def test_a_keymap_that_was_chosen_holds_at_once(bench: OpenBench, tmp_path: Path) -> None:
    async with bench() as at:
        await at.press("comma", "down", "right")
        assert (tmp_path / "settings.toml").read_text() == 'keymap = "vim"\n'
        await at.press("escape", "j")
        await at.until(lambda: at.laboratory.personas_pane.list.highlighted == 1)
