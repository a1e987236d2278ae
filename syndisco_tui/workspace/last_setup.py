"""The setup as the screen was left with it, so that it is there again next time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..discussion import DiscussionSetup
from ..store.setups import read_setup, write_setup

_DRAFT = "A draft: no discussion has had this setup yet."


class LastSetup:
    """One file. ``settings`` are the values that a setup's “auto” stands for, by key.

    What comes from the settings is saved as “auto”: a setting that is changed later applies.
    """

    def __init__(self, path: Path, settings: Mapping[str, str]) -> None:
        self._path = path
        self._settings = dict(settings)
        self._loaded_as_auto = ""
        self._saved: tuple[DiscussionSetup, bool] | None = None

    def read(self) -> DiscussionSetup | None:
        """The saved setup, or None where there is none. Raises InputError."""
        return read_setup(self._path) if self._path.exists() else None

    @property
    def is_draft(self) -> bool:
        """Whether no discussion has had the saved setup; False where that is not known."""
        try:
            with self._path.open(encoding="utf-8", errors="replace") as file:
                return file.readline().strip() == f"# {_DRAFT}"
        except OSError:
            return False

    def auto_is(self, model: str) -> None:
        """The model “auto” turned out to be ``model``."""
        self._loaded_as_auto = model

    def save(self, setup: DiscussionSetup, *, is_draft: bool = False) -> None:
        """Save ``setup``, if it is another one than before. Raises OSError.

        ``is_draft``: it was edited, and no discussion has had it since.
        """
        settings = {key: value for key, value in self._settings.items() if value != "auto"}
        from_settings = {key for key, value in settings.items() if getattr(setup, key) == value}
        if setup.model == self._loaded_as_auto:
            from_settings.add("model")
        setup = setup.model_copy(update=dict.fromkeys(from_settings, "auto"))
        if (setup, is_draft) != self._saved:
            write_setup(self._path, setup, comment=_DRAFT if is_draft else "")
            self._saved = setup, is_draft
