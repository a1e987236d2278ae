"""$EDITOR on the personas in a real terminal: the screen steps aside and comes back."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.support.terminal import OpenTerminal

APP = ("-m", "tests.support.scripted_app")

EDITOR = """\
#!/bin/sh
# Shows that it has the terminal, waits for a key, and does what the next script in line says.
stat -c %a "$1" >> {log}
echo "$1" >> {log}
printf 'THE EDITOR HAS THE TERMINAL, line '
read answer
[ -t 0 ] && [ -t 1 ] && echo "terminal $answer" >> {log}
next=$(ls {scripts}/*.py | head -1)
python3 "$next" "$1"
status=$?
rm "$next"
exit $status
"""


@pytest.fixture
def edits(tmp_path: Path, home: dict[str, str]) -> Any:
    """Sets an editor that makes the edits given, one after the other."""
    scripts = tmp_path / "scripts"
    scripts.mkdir()
    log = tmp_path / "editor.log"
    editor = tmp_path / "an editor"
    editor.write_text(EDITOR.format(log=log, scripts=scripts))
    editor.chmod(0o755)
    home["VISUAL"] = f"'{editor}'"
    home["TMPDIR"] = str(tmp_path)

    def prepared(*bodies: str) -> Path:
        for number, body in enumerate(bodies):
            text = f"import sys, json; path = sys.argv[1]; text = open(path).read()\n{body}\n"
            (scripts / f"{number}.py").write_text(text)
        return log

    return prepared


def own(home: dict[str, str]) -> list[dict[str, Any]]:
    """The personas as they are saved."""
    file = Path(home["XDG_DATA_HOME"]) / "syndisco-tui" / "personas.json"
    return json.loads(file.read_text()) if file.exists() else []


def edit(window: Any, which: str) -> None:
    window.press("E")
    window.wait("Edit as JSON in")
    window.press(which)
    window.wait("THE EDITOR HAS THE TERMINAL")
    window.press("Enter")


def left_over(tmp_path: Path) -> list[Path]:
    return list(tmp_path.glob("syndisco-*"))


def test_one_persona_then_all(
    terminal: OpenTerminal, home: dict[str, str], edits: Any, tmp_path: Path
) -> None:
    log = edits(
        "open(path, 'w').write(text.replace('\"age\": 38', '\"age\": 39'))",
        "people = json.loads(text); people.reverse(); open(path, 'w').write(json.dumps(people))",
    )
    window = terminal(*APP)
    window.wait("Emma35     38")
    edit(window, "e")
    window.wait("Emma35     39")
    assert own(home)[0]["age"] == 39
    mode, name, has_terminal = log.read_text().splitlines()
    assert mode == "600"
    assert name.endswith(".json")
    assert has_terminal.startswith("terminal")
    assert not left_over(tmp_path)
    edit(window, "a")
    window.wait(lambda text: "nico_nico" in text and text.index("nico_nico") < text.index("Emma35"))
    window.press("u")
    window.wait(lambda text: text.index("Emma35") < text.index("nico_nico"))
    window.press("q")
    assert window.exit_status() == 0
    assert not left_over(tmp_path)


def test_a_faulty_edit_says_the_line_and_can_be_edited_again(
    terminal: OpenTerminal, home: dict[str, str], edits: Any, tmp_path: Path
) -> None:
    edits(
        "open(path, 'w').write(text.replace('\"age\": 38', '\"age\": 3.5'))",
        "assert '3.5' in text; open(path, 'w').write(text.replace('3.5', '40,,'))",
        "assert '40,,' in text; open(path, 'w').write(text.replace('40,,', '40'))",
    )
    window = terminal(*APP)
    window.wait("Emma35     38")
    edit(window, "e")
    window.wait("line 3: age: must be a whole number or text, not 3.5")
    window.press("e")
    window.wait("THE EDITOR HAS")
    window.press("Enter")
    window.wait("line 3, column")
    (file,) = left_over(tmp_path)
    assert "40,," in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    window.press("e")
    window.wait("THE EDITOR HAS")
    window.press("Enter")
    window.wait("Emma35     40")
    assert own(home)[0]["age"] == 40
    assert not left_over(tmp_path)


def test_a_faulty_edit_is_kept_or_thrown_away_as_one_likes(
    terminal: OpenTerminal, home: dict[str, str], edits: Any, tmp_path: Path
) -> None:
    edits(*["open(path, 'w').write('[')"] * 2)
    window = terminal(*APP)
    window.wait("Emma35     38")
    edit(window, "e")
    window.wait("not valid JSON")
    window.press("Escape")
    window.wait("Your edit is saved in")
    assert len(left_over(tmp_path)) == 1
    edit(window, "e")
    window.wait("not valid JSON")
    window.press("d")
    window.wait("Emma35     38")
    assert len(left_over(tmp_path)) == 1
    assert own(home) == []


def test_two_of_one_name_are_not_taken_over(
    terminal: OpenTerminal, edits: Any, tmp_path: Path
) -> None:
    edits("open(path, 'w').write(text.replace('Emma35', 'giannis'))")
    window = terminal(*APP)
    window.wait("Emma35     38")
    edit(window, "e")
    window.wait("are called “giannis”")


def test_an_editor_that_fails_or_is_not_there_leaves_the_screen_as_it_was(
    terminal: OpenTerminal, home: dict[str, str], edits: Any, tmp_path: Path
) -> None:
    edits("raise SystemExit(3)")
    window = terminal(*APP)
    window.wait("Emma35     38")
    edit(window, "e")
    window.wait("ended with status 3.")
    window.press("q")
    assert window.exit_status() == 0
    home["VISUAL"] = "no-such-editor-anywhere"
    window = terminal(*APP)
    window.wait("Emma35     38")
    window.press("E")
    window.wait("Edit as JSON in")
    window.press("Enter")
    window.wait("no-such-editor-anywhere")
    window.press("Down", "f")
    window.wait("‹ Age ›")
    assert not left_over(tmp_path)


def test_ctrl_c_in_the_editor_ends_the_editor_alone(
    terminal: OpenTerminal, edits: Any, tmp_path: Path
) -> None:
    edits()
    window = terminal(*APP)
    window.wait("Emma35     38")
    window.press("E")
    window.wait("Edit as JSON in")
    window.press("e")
    window.wait("THE EDITOR HAS THE TERMINAL")
    window.press("C-c")
    window.wait("ended with status")
    window.press("f")
    window.wait("‹ Age ›")
    assert not left_over(tmp_path)
