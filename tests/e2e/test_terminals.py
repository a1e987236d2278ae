"""Poor terminals: few colours, none, small, no mouse. What counts differs in form as well."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.support.project import ROOT
from tests.support.terminal import OpenTerminal, Terminal

APP = ("-m", "tests.support.scripted_app")
POOR = {
    "16 colours": {"TERM": "xterm"},
    "screen": {"TERM": "screen"},
    "no colours": {"TERM": "screen-256color", "NO_COLOR": "1"},
}


def in_place_of(home: dict[str, str], environment: dict[str, str]) -> None:
    home.pop("COLORTERM", None)
    home.update(environment)


def styled(window: Terminal) -> str:
    """The screen with its escape sequences, as tmux holds it."""
    return window._tmux("capture-pane", "-p", "-e")


def before(window: Terminal, word: str) -> str:
    """What stands on a line before ``word``, in which its form is said."""
    lines = [line for line in styled(window).splitlines() if word in line]
    return lines[0].split(word)[0] if lines else ""


def leave(window: Terminal, word: str) -> None:
    """Press esc and wait until ``word`` is gone: what follows at once would be one key with it."""
    window.press("Escape")
    window.wait(lambda text: word not in text)


def forms(line: str) -> set[str]:
    """The attributes on a line that are no colours: 1 bold, 4 underlined, 7 reversed."""
    codes = [code for part in line.split("\x1b[")[1:] for code in part.split("m")[0].split(";")]
    shown = set()
    while codes:
        code = codes.pop(0)
        if code in ("38", "48"):
            del codes[: 2 if codes and codes[0] == "5" else 4]
        elif code in ("1", "4", "7"):
            shown.add(code)
    return shown


@pytest.mark.parametrize(
    "environment",
    [
        pytest.param(POOR["16 colours"], id="16 colours", marks=pytest.mark.campaign),
        pytest.param(POOR["screen"], id="screen", marks=pytest.mark.campaign),
        pytest.param(POOR["no colours"], id="no colours"),
    ],
)
def test_pane_row_and_dialog_are_told_by_form(
    terminal: OpenTerminal, home: dict[str, str], environment: dict[str, str]
) -> None:
    in_place_of(home, environment)
    window = terminal(*APP, size=(80, 24))
    window.wait("Registered Nur")
    assert forms(before(window, "1 Personas")) >= {"1", "4"}
    assert "4" in forms(before(window, "Registered Nur"))
    assert "4" not in forms(before(window, "Game Developer"))
    window.press("2", "Down", "Down")
    window.wait(lambda _: "4" in forms(before(window, "Instructions")))
    window.wait(lambda _: before(window, "Context") and "4" not in forms(before(window, "Context")))
    window.press(",")
    window.wait("Quantization     auto")
    assert "╭" in window.text()
    window.wait(lambda _: "4" in forms(before(window, "Theme")))
    leave(window, "Quantization     auto")
    window.press("q")
    assert window.exit_status() == 0


def test_without_colours_only_greys_are_written(
    terminal: OpenTerminal, home: dict[str, str]
) -> None:
    in_place_of(home, POOR["no colours"])
    window = terminal(*APP, "--start", size=(80, 24))
    window.wait("comment number 2")
    colours = {
        int(part.split(";")[2].split("m")[0])
        for part in styled(window).split("\x1b[")
        if part.startswith(("38;5;", "48;5;"))
    }
    assert colours
    greys = {0, 7, 8, 15, 16, 59, 102, 145, 188, 231, *range(232, 256)}
    assert colours <= greys


@pytest.mark.parametrize(
    "size",
    [
        pytest.param((80, 24), id="80x24", marks=pytest.mark.campaign),
        pytest.param((60, 20), id="60x20"),
    ],
)
def test_a_small_screen_terminal_does_everything_by_keys(
    terminal: OpenTerminal, home: dict[str, str], size: tuple[int, int]
) -> None:
    in_place_of(home, {"TERM": "screen-256color"})
    window = terminal(*APP, size=size)
    window.wait("Registered Nur")
    window.press("?")
    window.wait("Everyone who can take part.")
    leave(window, "Everyone who can take part.")
    window.press("C-o")
    window.wait("press a letter")
    leave(window, "press a letter")
    window.press(",")
    window.wait("Applies at once.")
    window.press("Down", "Right")
    window.wait("vim ")
    leave(window, "Applies at once.")
    window.press("j", "Space")
    window.wait("2 of 11 take")
    window.press("2", "j", "j", "l", "r")
    window.wait("finished", seconds=90)
    window.press("q")
    assert window.exit_status() == 0


@pytest.mark.parametrize("name", ["dumb", "unknown"])
def test_a_terminal_that_cannot_draw_is_refused_with_a_sentence(
    terminal: OpenTerminal, home: dict[str, str], name: str
) -> None:
    home["TERM"] = name
    window = terminal("-m", "syndisco_tui")
    text = window.wait("TERMINAL IS BACK")
    assert f"TERM={name} cannot show the app. Use another terminal, or" in text
    assert window.exit_status() == 2


def test_the_doctor_in_tmux_tells_of_it(terminal: OpenTerminal, home: dict[str, str]) -> None:
    home |= {"TERM": "screen-256color", "HF_HUB_OFFLINE": "1"}
    home.pop("COLORTERM")
    window = terminal("-m", "syndisco_tui", "doctor", size=(100, 60))
    text = window.wait("TERMINAL IS BACK")
    assert "screen-256color" in text
    assert "100×60" in text
    assert "set-clipboard external" in text
    assert window.exit_status() == 0


def test_without_a_terminal_the_doctor_still_tells(home: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "syndisco_tui", "doctor"],
        env=os.environ | home | {"HF_HUB_OFFLINE": "1", "TERM": "xterm"},
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0
    assert "output is redirected" in done.stdout
