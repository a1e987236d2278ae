"""Checks that the names in a setup are those of its participants."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from .names import name_clash, name_key, near_name
from .setup import DiscussionSetup


def own_instructions_errors(setup: DiscussionSetup) -> tuple[str, ...]:
    """An error for each name in ``own_instructions`` that is not a user's."""
    users = [persona.name for persona in setup.personas]
    known = {name_key(name) for name in users}
    errors = []
    for name in setup.own_instructions:
        if name_key(name) in known:
            continue
        if setup.moderator and name_key(name) == name_key(setup.moderator.name):
            errors.append(
                f"own_instructions: “{name}” is the moderator; write them as moderator_instructions"
            )
        else:
            errors.append(f"own_instructions: no user is called “{name}”{_question(name, users)}")
    if clash := name_clash(setup.own_instructions):
        errors.append(f"own_instructions: “{clash[0]}” and “{clash[1]}” are the same name")
    return tuple(errors)


def models_errors(models: Iterable[str], names: Sequence[str]) -> tuple[str, ...]:
    """An error for each name in ``models`` that is not a participant's."""
    models = tuple(models)
    known = {name_key(name) for name in names}
    errors = [
        f"nobody is called “{name}”{_question(name, tuple(names))}"
        for name in models
        if name_key(name) not in known
    ]
    if clash := name_clash(models):
        errors.append(f"“{clash[0]}” and “{clash[1]}” are the same name")
    return tuple(errors)


def outside_authors(setup: DiscussionSetup) -> tuple[str, ...]:
    """The names of seed opinions' authors who take no part, each once."""
    known = {name_key(name) for name in setup.names}
    names = {name_key(name): name.strip() for name in setup.seed_opinion_usernames}
    return tuple(name for key, name in names.items() if key not in known)


def outside_author_warnings(setup: DiscussionSetup) -> tuple[str, ...]:
    """A warning for each author of a seed opinion whose name is almost a participant's.

    Seed opinions may be by others, but such a name is likely a slip.
    """
    return tuple(
        f"seed_opinion_usernames: “{name}” takes no part in the discussion"
        f"{_question(name, setup.names)}"
        for name in outside_authors(setup)
        if near_name(name, setup.names)
    )


def _question(name: str, names: list[str] | tuple[str, ...]) -> str:
    near = near_name(name, names)
    return f"; did you mean “{near}”?" if near else ""
