"""Help explains what has the focus, on every screen."""

from __future__ import annotations

from syndisco_tui.tui.shell.palette import commands
from tests.support.bench import OpenBench


async def test_it_explains_the_focused_pane_before_all_else(bench: OpenBench) -> None:
    async with bench((120, 100)) as at:
        for key, explanation, own in (
            ("1", "Everyone who can take part.", "Make a new persona"),
            ("2", "Everything else that defines", "Edit the value in place"),
            ("3", "The messages, oldest first", "To the end, and follow it"),
        ):
            await at.press(key, "question_mark")
            text = at.text()
            assert (
                text.index(explanation)
                < text.index(own)
                < text.index("In every pane")
                < text.index("On every screen")
            )
            others = text[text.index("On every screen") :]
            assert own not in others
            await at.press("question_mark")
            assert at.app.screen is at.laboratory


async def test_where_text_is_typed_f1_asks_and_only_keys_that_work_are_told(
    bench: OpenBench,
) -> None:
    async with bench() as at:
        await at.press("e", "question_mark", "f1")
        assert "Every field of the persona" in at.text()
        assert "f1   Help for this screen" in at.text()
        assert "What you prefer" not in at.text()  # a comma is typed
        assert "ctrl+s   Save" in at.text()
        await at.press("escape")
        assert at.app.focused.value.endswith("?")  # type: ignore[union-attr]


async def test_other_screens_explain_themselves(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press("ctrl+r", "f1")
        assert "Type a whole number" in at.text()
        await at.press("escape", "enter")
        await at.until(lambda: "finished" in at.text())
        await at.press("question_mark")
        assert "All discussions of one setup" in at.text()
        assert "Compare" in at.text()
        await at.press("escape", "enter", "question_mark")
        assert "The messages, oldest first" in at.text()


async def test_every_dialog_explains_itself(bench: OpenBench) -> None:
    async with bench() as at:
        for key, title in (
            ("F", "Change a field of several personas"),
            ("G", "Generate personas"),
            ("S", "Save a set"),
        ):
            await at.press(key, "f1")
            text = at.text()
            assert title in text
            assert "Focus" not in text, "what Textual calls its own keys"
            await at.press("escape", "escape")
            assert at.app.screen is at.laboratory


async def test_the_palette_of_another_screen_holds_what_can_be_done_there(
    bench: OpenBench,
) -> None:
    async with bench() as at:

        def titles() -> set[str]:
            return {command.title for command in commands(at.app, at.app.screen)}

        at.engine.may_speak.clear()
        await at.press("ctrl+r", "enter")
        await at.until(lambda: "Read" in titles())
        assert {"Read", "Stop all", "Back", "Theme"} <= titles()
        assert "Run" not in titles()
        at.engine.may_speak.set()
        await at.until(lambda: "Stop all" not in titles())
