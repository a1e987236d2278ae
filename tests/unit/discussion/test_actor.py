"""An actor's system prompt is SynDisco's JSON object."""

from __future__ import annotations

import json

import pytest

from syndisco_tui.discussion import Actor, Persona
from syndisco_tui.discussion.actor import ActorRole

ANN = Persona.model_validate({"username": "Ann", "age": 38, "sex": "", "hobby": "Schach – täglich"})


@pytest.mark.parametrize("role", ["user", "moderator"])
def test_the_system_prompt_is_context_instructions_type_and_persona(role: ActorRole) -> None:
    prompt = Actor(ANN, role, "A forum", "Be brief").system_prompt()
    assert list(json.loads(prompt).items()) == [
        ("context", "A forum"),
        ("instructions", "Be brief"),
        ("type", "1"),
        ("persona", {"username": "Ann", "age": 38, "hobby": "Schach – täglich"}),
    ]


def test_the_model_reads_letters_and_not_escapes() -> None:
    prompt = Actor(ANN, "user", 'say "hi"\n', "").system_prompt()
    assert "Schach – täglich" in prompt
    assert json.loads(prompt)["context"] == 'say "hi"\n'


def test_the_file_keeps_the_same_object() -> None:
    actor = Actor(ANN, "user", "A forum", "Be brief")
    assert actor.prompt_fields() == json.loads(actor.system_prompt())
    assert actor.name == "Ann"
