"""The cast: every persona at hand, who of them takes part, who moderates. With undo."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from ...discussion import DiscussionSetup, Persona, name_key
from ...discussion.sampling_personas import free_name
from ...workspace.personas import named_apart


@dataclass(frozen=True)
class PersonaSelection:
    """A value; every change gives a new one. Names are compared as ``name_key`` does."""

    personas: tuple[Persona, ...] = ()
    users: frozenset[str] = frozenset()
    moderator: str | None = None

    @classmethod
    def of(cls, setup: DiscussionSetup, at_hand: tuple[Persona, ...]) -> PersonaSelection:
        """The personas at hand with those of ``setup`` among them, as the setup has them.

        Those of the setup that are not at hand stand first.
        """
        theirs = {name_key(persona.name): persona for persona in setup.everybody}
        personas = [theirs.pop(name_key(persona.name), persona) for persona in at_hand]
        return cls(
            personas=(*theirs.values(), *personas),
            users=frozenset(name_key(persona.name) for persona in setup.personas),
            moderator=name_key(setup.moderator.name) if setup.moderator else None,
        )

    def fill(self, setup: DiscussionSetup) -> DiscussionSetup:
        """``setup`` with this cast in it. Raises pydantic's ValidationError."""
        taking_part = [p for p in self.personas if self.takes_part(p)]
        moderating = next((p for p in self.personas if self.moderates(p)), None)
        values = {**setup.model_dump(), "personas": taking_part, "moderator": moderating}
        return DiscussionSetup.model_validate(values)

    def takes_part(self, persona: Persona) -> bool:
        return name_key(persona.name) in self.users

    def moderates(self, persona: Persona) -> bool:
        return name_key(persona.name) == self.moderator

    def with_part_turned(self, index: int) -> PersonaSelection:
        """The persona at ``index`` takes part, or no longer."""
        key = name_key(self.personas[index].name)
        moderator = None if key == self.moderator else self.moderator
        return replace(self, users=self.users ^ {key}, moderator=moderator)

    def with_parts(self, indices: Sequence[int]) -> PersonaSelection:
        """These take part; if all of them do already, none of them any longer.

        The moderator is no user and stays as they are.
        """
        keys = {name_key(self.personas[index].name) for index in indices} - {self.moderator}
        users = self.users - keys if keys <= self.users else self.users | keys
        return replace(self, users=users)

    def with_moderator_turned(self, index: int) -> PersonaSelection:
        """The persona at ``index`` moderates (and is no user), or no longer."""
        key = name_key(self.personas[index].name)
        moderator = None if key == self.moderator else key
        return replace(self, users=self.users - {key}, moderator=moderator)

    def with_persona(self, index: int, persona: Persona) -> PersonaSelection:
        """The persona at ``index`` replaced; a new name keeps its part."""
        old, new = name_key(self.personas[index].name), name_key(persona.name)
        personas = (*self.personas[:index], persona, *self.personas[index + 1 :])
        users = frozenset(new if key == old else key for key in self.users)
        return PersonaSelection(personas, users, new if self.moderator == old else self.moderator)

    def with_new(self, index: int, persona: Persona) -> PersonaSelection:
        """``persona`` put in at ``index``; it does not take part yet."""
        return replace(self, personas=(*self.personas[:index], persona, *self.personas[index:]))

    def without(self, index: int) -> PersonaSelection:
        """The cast without the persona at ``index``."""
        key = name_key(self.personas[index].name)
        return PersonaSelection(
            (*self.personas[:index], *self.personas[index + 1 :]),
            self.users - {key},
            None if self.moderator == key else self.moderator,
        )

    def without_all(self, indices: Sequence[int]) -> PersonaSelection:
        """The cast without the personas at ``indices``."""
        selection = self
        for index in sorted(indices, reverse=True):
            selection = selection.without(index)
        return selection

    def moved(self, index: int, by: int) -> PersonaSelection:
        """The persona at ``index`` moved ``by`` places down, as far as there is room."""
        personas = list(self.personas)
        persona = personas.pop(index)
        personas.insert(max(0, min(index + by, len(personas))), persona)
        return replace(self, personas=tuple(personas))

    def with_all(self, changed: Mapping[int, Persona]) -> PersonaSelection:
        """Those at the indices of ``changed`` replaced; their names are as before."""
        personas = tuple(changed.get(at, each) for at, each in enumerate(self.personas))
        return replace(self, personas=personas)

    def with_list(self, personas: Iterable[Persona]) -> PersonaSelection:
        """Another list altogether. Who is in both, or was renamed in place, keeps their part."""
        personas = tuple(personas)
        new = {name_key(old): name_key(name) for old, name in renamed(self.personas, personas)}
        users = frozenset(new.get(key, key) for key in self.users)
        moderator = new.get(self.moderator or "", self.moderator)
        return PersonaSelection(self.personas, users, moderator).with_these(personas)

    def with_everybody(self) -> PersonaSelection:
        """All take part but the moderator."""
        keys = frozenset(name_key(persona.name) for persona in self.personas)
        return replace(self, users=keys - {self.moderator})

    def with_these(self, personas: Iterable[Persona]) -> PersonaSelection:
        """The list replaced by ``personas``; who is in both keeps their part."""
        personas = tuple(personas)
        there = {name_key(persona.name) for persona in personas}
        return PersonaSelection(
            personas, self.users & there, self.moderator if self.moderator in there else None
        )

    def with_new_ones(self, index: int, personas: Iterable[Persona]) -> PersonaSelection:
        """``personas`` put in at ``index``; who has a name that is there gets a number."""
        taken = {name_key(persona.name) for persona in self.personas}
        new = named_apart(personas, taken)
        return replace(self, personas=(*self.personas[:index], *new, *self.personas[index:]))

    def with_added(self, index: int, personas: Iterable[Persona]) -> PersonaSelection:
        """The same without those that are there already, to the letter."""
        there = set(map(_identity, self.personas))
        new = (persona for persona in personas if _identity(persona) not in there)
        return self.with_new_ones(index, new)

    def free_name(self, like: str) -> str:
        """``like``, or with the first number behind it that nobody in the cast has."""
        return free_name(like, {name_key(persona.name) for persona in self.personas})


def renamed(before: Sequence[Persona], after: Sequence[Persona]) -> tuple[tuple[str, str], ...]:
    """Old and new names of those who have another one at the same place of the list."""
    if len(before) != len(after):
        return ()
    old = {name_key(persona.name) for persona in before}
    new = {name_key(persona.name) for persona in after}
    return tuple(
        (one.name, other.name)
        for one, other in zip(before, after, strict=True)
        if name_key(one.name) not in new and name_key(other.name) not in old
    )


def _identity(persona: Persona) -> str:
    return json.dumps(persona.as_dict(), sort_keys=True)


def with_own(setup: DiscussionSetup, own: tuple[Persona, ...]) -> DiscussionSetup:
    """``setup`` with the user's own version of everybody whom they have changed."""
    mine = {name_key(persona.name): persona for persona in own}

    def version(persona: Persona) -> Persona:
        return mine.get(name_key(persona.name), persona)

    moderator = version(setup.moderator) if setup.moderator else None
    personas = tuple(version(persona) for persona in setup.personas)
    return setup.model_copy(update={"personas": personas, "moderator": moderator})


def renamed_author(setup: DiscussionSetup, old: str, new: str) -> DiscussionSetup:
    """``setup`` where what ``old`` says and is told in it is that of ``new``."""
    authors = tuple(
        new if name_key(name) == name_key(old) else name for name in setup.seed_opinion_usernames
    )
    own = {
        new if name_key(name) == name_key(old) else name: instructions
        for name, instructions in setup.own_instructions.items()
    }
    update = {"seed_opinion_usernames": authors, "own_instructions": own}
    return setup.model_copy(update=update)
