"""Personas exported from the pane, and what a character card says about the discussion."""

from __future__ import annotations

import json
from pathlib import Path

from syndisco_tui.discussion import Persona
from syndisco_tui.discussion.persona import CHARACTER_CARD
from syndisco_tui.store.foreign.content import read_content
from tests.support.bench import OpenBench

CARD = {"data": {"name": "Mira", "scenario": "{{char}} meets {{user}}.", "first_mes": "Hello!"}}


async def test_marked_personas_become_cards(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press("v", "v", "X")
        assert "2 personas" in at.text()
        await at.press("end", "enter")
        folder = at.folders.exports / "2 personas"
        await at.until(lambda: len(list(folder.glob("*.card.json"))) == 2)
        assert at.app.clipboard == str(folder)
        assert f"Exported: {folder}" in at.toasts().replace("\n", "")
        shown = at.laboratory.personas_pane.selection.personas
        assert read_content(folder / "Emma35.card.json").personas == (shown[0],)


async def test_one_persona_becomes_a_list(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press("X", "enter")
        file = at.folders.exports / "Emma35.json"
        await at.until(file.exists)
        assert [each["username"] for each in json.loads(file.read_text())] == ["Emma35"]


async def test_a_card_gives_context_and_seed_opinion(bench: OpenBench, tmp_path: Path) -> None:
    mira = Persona.model_validate({"username": "Mira", CHARACTER_CARD: CARD})
    async with bench() as at:
        before = at.laboratory.setup
        at.laboratory.personas_pane.import_personas([mira])
        await at.press("C")
        assert "From the card of Mira" in at.text()
        await at.press("b")
        await at.until(lambda: at.laboratory.setup.context == "Mira meets the others.")
        setup = at.laboratory.setup
        assert setup.seed_opinions[-1] == "Hello!"
        assert setup.seed_opinion_usernames[-1] == "Mira"
        assert setup.seeded()[: len(before.seeded())] == before.seeded()


async def test_without_a_card_it_is_said(bench: OpenBench) -> None:
    async with bench() as at:
        await at.press("C")
        assert "Emma35 has no card" in at.toasts()


async def test_the_card_is_no_field_to_edit(bench: OpenBench) -> None:
    mira = Persona.model_validate({"username": "Mira", CHARACTER_CARD: CARD})
    async with bench() as at:
        at.laboratory.personas_pane.import_personas([mira])
        await at.press("e")
        assert "Mira" in at.text()
        assert "character_card" not in at.text()
        await at.press("ctrl+s")
        assert mira in at.laboratory.personas_pane.selection.personas


async def test_texts_of_several_lines_survive_editing(bench: OpenBench) -> None:
    mira = Persona.model_validate({"username": "Mira", "description": "One.\nTwo: three."})
    async with bench() as at:
        pane = at.laboratory.personas_pane
        pane.import_personas([mira])
        await at.press("e")
        await at.press("tab", "4", "2", "ctrl+s")
        changed = next(each for each in pane.selection.personas if each.name == "Mira")
        assert (changed.age, changed.model_extra) == (42, mira.model_extra)
