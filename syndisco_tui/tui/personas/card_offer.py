"""Offers a character card's scenario and first message for the setup."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual.app import App

from ...discussion import DiscussionSetup, Persona
from ...text import one_line
from ...workspace.personas import first_message_of, scenario_of
from ..widgets.dialogs import MultipleChoiceDialog
from ..widgets.notices import tell

LENGTH_SHOWN = 60


def offer_card(
    app: App[Any],
    persona: Persona,
    setup: Callable[[], DiscussionSetup],
    use: Callable[[DiscussionSetup], object],
) -> None:
    """Ask what to use of the card of ``persona``; ``use`` gets the changed setup."""
    scenario, first_message = scenario_of(persona), first_message_of(persona)
    answers = []
    if scenario:
        answers.append(("c", f"scenario as context: “{one_line(scenario, LENGTH_SHOWN)}”"))
    if first_message:
        answers.append(("o", f"seed opinion: “{one_line(first_message, LENGTH_SHOWN)}”"))
    if scenario and first_message:
        answers.append(("b", "both"))
    if not answers:
        tell(app, f"{one_line(persona.name, 40)} has no card with a scenario or a first message.")
        return

    def chosen(answer: str | None) -> None:
        if answer is None:
            return
        changed = setup()
        if answer in ("c", "b"):
            changed = changed.model_copy(update={"context": scenario})
        if answer in ("o", "b"):
            changed = with_seed_opinion(changed, persona.name, first_message)
        use(changed)

    title = f"From the card of {one_line(persona.name, 40)}"
    app.push_screen(MultipleChoiceDialog(title, "", answers, esc="cancel"), chosen)


def with_seed_opinion(setup: DiscussionSetup, name: str, text: str) -> DiscussionSetup:
    """``setup`` with a further seed opinion by ``name``; those without an author get theirs."""
    seeded = [*setup.seeded(), (name, text)]
    return setup.model_copy(
        update={
            "seed_opinions": tuple(opinion for _, opinion in seeded),
            "seed_opinion_usernames": tuple(author for author, _ in seeded),
        }
    )
