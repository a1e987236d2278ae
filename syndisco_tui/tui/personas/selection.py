"""Every persona in the list, who of them takes part, and who moderates: a value."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ...discussion import DiscussionSetup, Persona, name_key
from ...discussion.participant_models import ParticipantModel
from ...discussion.sampling_personas import free_name
from ...workspace.personas import named_apart


@dataclass(frozen=True)
class PersonaSelection:
    """Personas in order, and the parts they take. Every change gives a new selection.

    ``users`` and ``moderator`` are names as ``name_key`` gives them.
    """

    personas: tuple[Persona, ...] = ()
    users: frozenset[str] = frozenset()
    moderator: str | None = None
    models: Mapping[str, ParticipantModel] = field(default_factory=dict)
    """By name, of those who have a model of their own."""

    @classmethod
    def of(cls, setup: DiscussionSetup, personas: tuple[Persona, ...]) -> PersonaSelection:
        """``personas`` with the parts they have in ``setup``, and in the version of the setup.

        Those of the setup that are not among ``personas`` come first.
        """
        in_setup = {name_key(persona.name): persona for persona in setup.everybody}
        versions = [in_setup.pop(name_key(persona.name), persona) for persona in personas]
        return cls(
            personas=(*in_setup.values(), *versions),
            users=frozenset(name_key(persona.name) for persona in setup.personas),
            moderator=name_key(setup.moderator.name) if setup.moderator else None,
            models=setup.models,
        )

    def fill(self, setup: DiscussionSetup) -> DiscussionSetup:
        """``setup`` with the users and the moderator. Raises pydantic's ValidationError."""
        users = [persona for persona in self.personas if self.takes_part(persona)]
        moderator = next((each for each in self.personas if self.moderates(each)), None)
        parts = {"personas": users, "moderator": moderator, "models": dict(self.models)}
        return DiscussionSetup.model_validate({**dict(setup), **parts})

    # Parts -------------------------------------------------------------------------------------

    def takes_part(self, persona: Persona) -> bool:
        """Whether ``persona`` is a user."""
        return name_key(persona.name) in self.users

    def moderates(self, persona: Persona) -> bool:
        """Whether ``persona`` is the moderator."""
        return name_key(persona.name) == self.moderator

    def is_present(self, persona: Persona) -> bool:
        """Whether ``persona`` is a user or the moderator."""
        return self.takes_part(persona) or self.moderates(persona)

    def sign(self, persona: Persona) -> str:
        """The part of ``persona`` as a sign."""
        return "◆" if self.moderates(persona) else "●" if self.takes_part(persona) else "·"

    def toggle_user(self, index: int) -> PersonaSelection:
        """Make the persona at ``index`` a user, or take them out of the discussion."""
        key = self._key(index)
        moderator = None if key == self.moderator else self.moderator
        return replace(self, users=self.users ^ {key}, moderator=moderator)

    def toggle_users(self, indices: Iterable[int]) -> PersonaSelection:
        """Make these personas users, or take them out if all are; the moderator stays."""
        keys = {self._key(index) for index in indices} - {self.moderator}
        users = self.users - keys if keys <= self.users else self.users | keys
        return replace(self, users=users)

    def toggle_moderator(self, index: int) -> PersonaSelection:
        """Make the persona at ``index`` the moderator, who is no user, or unmake them."""
        key = self._key(index)
        moderator = None if key == self.moderator else key
        return replace(self, users=self.users - {key}, moderator=moderator)

    def with_all_users(self) -> PersonaSelection:
        """All take part but the moderator."""
        keys = frozenset(name_key(persona.name) for persona in self.personas)
        return replace(self, users=keys - {self.moderator})

    # Models ------------------------------------------------------------------------------------

    def model_of(self, index: int) -> ParticipantModel | None:
        """The persona's own model, if any."""
        key = self._key(index)
        return next((each for name, each in self.models.items() if name_key(name) == key), None)

    def with_model(
        self, indices: Iterable[int], model: ParticipantModel | None
    ) -> PersonaSelection:
        """Give these personas a model of their own; None: the setup's."""
        names = {self._key(index): self.personas[index].name for index in indices}
        models = {name: each for name, each in self.models.items() if name_key(name) not in names}
        if model is not None:
            models |= dict.fromkeys(names.values(), model)
        return replace(self, models=models)

    # The list ----------------------------------------------------------------------------------

    def replace_one(self, index: int, persona: Persona) -> PersonaSelection:
        """Replace the persona at ``index``; under a new name they keep their part."""
        old, new = self._key(index), name_key(persona.name)
        personas = (*self.personas[:index], persona, *self.personas[index + 1 :])
        users = frozenset(new if key == old else key for key in self.users)
        moderator = new if self.moderator == old else self.moderator
        return replace(
            self._renamed(((self.personas[index].name, persona.name),)),
            personas=personas,
            users=users,
            moderator=moderator,
        )

    def _renamed(self, names: Iterable[tuple[str, str]]) -> PersonaSelection:
        """The models, with renamed participants' entries moved to the new names."""
        new = {name_key(old): name for old, name in names}
        return replace(
            self,
            models={new.get(name_key(name), name): each for name, each in self.models.items()},
        )

    def replace_many(self, changed: Mapping[int, Persona]) -> PersonaSelection:
        """Replace the personas at the indices of ``changed``, whose names are unchanged."""
        personas = tuple(changed.get(index, each) for index, each in enumerate(self.personas))
        return replace(self, personas=personas)

    def replace_all(self, personas: Iterable[Persona]) -> PersonaSelection:
        """Another list. Who is in both, or was renamed in place, keeps their part."""
        personas = tuple(personas)
        names = renamed(self.personas, personas)
        new = {name_key(old): name_key(name) for old, name in names}
        users = frozenset(new.get(key, key) for key in self.users)
        moderator = new.get(self.moderator or "", self.moderator)
        selection = replace(self._renamed(names), users=users, moderator=moderator)
        return selection.with_list(personas)

    def with_list(self, personas: Iterable[Persona]) -> PersonaSelection:
        """Another list; who has a name that is in both keeps their part."""
        personas = tuple(personas)
        keys = {name_key(persona.name) for persona in personas}
        moderator = self.moderator if self.moderator in keys else None
        return replace(self, personas=personas, users=self.users & keys, moderator=moderator)

    def insert(self, index: int, personas: Iterable[Persona]) -> PersonaSelection:
        """Put new personas in at ``index``; who has a name that is taken gets a number."""
        new = named_apart(personas, (name_key(each.name) for each in self.personas))
        return replace(self, personas=(*self.personas[:index], *new, *self.personas[index:]))

    def insert_missing(self, index: int, personas: Iterable[Persona]) -> PersonaSelection:
        """Put those of ``personas`` in at ``index`` that have no equal in the list."""
        present = set(map(_identity, self.personas))
        return self.insert(index, (each for each in personas if _identity(each) not in present))

    def remove(self, indices: Collection[int]) -> PersonaSelection:
        """The selection without the personas at ``indices``."""
        removed = set(indices)
        return self.with_list(
            persona for index, persona in enumerate(self.personas) if index not in removed
        )

    def move(self, index: int, rows: int) -> PersonaSelection:
        """Move the persona at ``index`` down by ``rows``, as far as there is room."""
        personas = list(self.personas)
        persona = personas.pop(index)
        personas.insert(max(0, min(index + rows, len(personas))), persona)
        return replace(self, personas=tuple(personas))

    def free_name(self, like: str) -> str:
        """``like``, or with the first number behind it that nobody has."""
        return free_name(like, {name_key(persona.name) for persona in self.personas})

    def _key(self, index: int) -> str:
        return name_key(self.personas[index].name)


def renamed(before: Sequence[Persona], after: Sequence[Persona]) -> tuple[tuple[str, str], ...]:
    """Old and new names, for positions of the list at which the name is another."""
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
    """``setup`` with the version that the user's own list has of each persona."""
    own_versions = {name_key(persona.name): persona for persona in own}

    def version(persona: Persona) -> Persona:
        return own_versions.get(name_key(persona.name), persona)

    moderator = version(setup.moderator) if setup.moderator else None
    personas = tuple(version(persona) for persona in setup.personas)
    return setup.model_copy(update={"personas": personas, "moderator": moderator})


def renamed_author(setup: DiscussionSetup, old: str, new: str) -> DiscussionSetup:
    """``setup`` in which the seed opinions and own instructions of ``old`` belong to ``new``."""
    authors = tuple(
        new if name_key(name) == name_key(old) else name for name in setup.seed_opinion_usernames
    )
    own = {
        new if name_key(name) == name_key(old) else name: instructions
        for name, instructions in setup.own_instructions.items()
    }
    update = {"seed_opinion_usernames": authors, "own_instructions": own}
    return setup.model_copy(update=update)
