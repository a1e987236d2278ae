"""The user's own list of personas, in a file that an import or a second window writes too."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ...discussion import Persona, name_key
from ...store.inputs import InputError
from ...store.personas import read_personas, write_personas
from .selection import named_apart

People = tuple[Persona, ...]


class OwnPersonas:
    """The list as it is here, ``personas`` at first, kept in ``file``."""

    def __init__(self, file: Path, personas: People) -> None:
        self.personas = personas
        self._file = file
        self._known = self._content()

    def keep(self, personas: People) -> People:
        """Write ``personas``; gives back whom others put into the file meanwhile. They stay in it.

        Raises InputError where it cannot be written, or others have left what cannot be read.
        """
        before, self.personas = self.personas, personas  # what cannot be written is with the next
        mine, added = joined(personas, before, self._made_elsewhere())
        try:
            write_personas(self._file, (*mine, *added))
        except OSError as error:
            sentence = f"{self._file}: the personas cannot be saved: {error.strerror}"
            raise InputError(sentence) from None
        self.personas, self._known = (*mine, *added), self._content()
        return added

    def _made_elsewhere(self) -> list[Persona]:
        if self._content() in (None, self._known):
            return []
        try:
            return read_personas(self._file)
        except InputError as error:
            sentence = f"The personas are not saved; mend their file first: {error}"
            raise InputError(sentence) from None

    def _content(self) -> bytes | None:
        try:
            return self._file.read_bytes()
        except OSError:
            return None


def joined(mine: People, before: People, theirs: Iterable[Persona]) -> tuple[People, People]:
    """What was made here of the list ``before``, with what others made of it; and whom they added.

    Who was changed by them alone is as they want it. Who was changed on both sides is mine, and
    theirs is added with a number.
    """
    was = {name_key(persona.name): persona for persona in before}
    news = {
        name_key(persona.name): persona
        for persona in theirs
        if persona not in mine and persona != was.get(name_key(persona.name))
    }
    own = []
    for persona in mine:
        key = name_key(persona.name)
        own.append(news.pop(key, persona) if persona == was.get(key) else persona)
    return tuple(own), named_apart(news.values(), (name_key(persona.name) for persona in own))
