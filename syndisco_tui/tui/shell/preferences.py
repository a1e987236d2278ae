"""The user's settings while the screen is up: what holds, where it comes from, how it changes."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from ...store.inputs import InputError, validated
from ...workspace.settings import Settings, keep_setting, load_settings, origins
from .keymap import Keymap, read_keymap


class Preferences:
    """Settings of ``file``, of the environment and of the command line's ``flags``."""

    def __init__(
        self,
        file: Path,
        flags: Mapping[str, object] | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self.file = file
        self._flags = dict(flags or {})
        self._environment = environment

    def settings(self) -> Settings:
        """What holds now. Raises InputError."""
        return load_settings(self.file, self._flags, self._environment)

    def origins(self) -> dict[str, str]:
        """Where each setting comes from: a flag, a variable's name, the file or the default."""
        return origins(self.file, self._flags, self._environment)

    def keymap(self) -> tuple[Keymap, list[str]]:
        """The keys in force and a sentence for each entry that cannot be used.

        Raises InputError where the settings cannot be read.
        """
        settings = self.settings()
        keymap, faults = read_keymap(settings.keymap, settings.keys)
        return keymap, [f"{self.file}: keys: {fault}" for fault in faults]

    def fault(self, key: str, value: object) -> str | None:
        """Why ``key`` cannot have this value, in a few words; None if it can."""
        try:
            validated(Settings, {key: value}, "")
        except InputError as error:
            return str(error).removeprefix(f": {key}: ").split(", not ")[0]
        return None

    def keep(self, key: str, value: object) -> bool:
        """Write a setting into the file; None takes it out. True if comments were lost.

        Raises OSError, and InputError where the value or the file is at fault.
        """
        if value is not None:
            if fault := self.fault(key, value):
                raise InputError(fault)
            value = getattr(validated(Settings, {key: value}, self.file), key)
        return keep_setting(self.file, key, value)

    def choose(self, key: str, value: object) -> bool:
        """Keep a value that was chosen now: the flag that was given at the start gives way."""
        lost = self.keep(key, value)
        self._flags.pop(key, None)
        return lost
