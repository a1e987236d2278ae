"""Experiments in folders: a design, and one discussion a file. The folder is the ledger.

What is finished is known by its file alone, so the same command again does only what is missing,
and several processes can work on one folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

from ..discussion import (
    BatchMembership,
    DiscussionRecord,
    ExperimentMembership,
    Persona,
    name_key,
)
from ..discussion.design import ExperimentDesign, PlannedDiscussion, plan
from ..discussion.participant_models import ParticipantModel
from ..session.batch_run import BatchRun
from ..store.atomic import write_atomic
from ..store.discussions import discussion_files, read_discussion
from ..store.distinct_names import with_distinct_names
from ..store.inputs import InputError, read_toml, validated
from ..store.lock import has_writer
from ..store.personas import read_personas
from ..store.setups import ALL_MESSAGES, refuse_code
from .given_setup import check_models_for

DESIGN_FILE = "experiment.toml"
"""The design that a folder's discussions follow, as it was when they were first run."""


def read_design(path: Path) -> ExperimentDesign:
    """The design in a TOML file. Paths in it are relative to it.

    Raises:
        InputError: What is wrong, with the file and the key.
    """
    values = read_toml(path, expected="an experiment's design (TOML)")
    setup = values.get("setup", {})
    if isinstance(setup, str):
        base = path.parent / setup
        values["setup"] = _setup_fields(read_toml(base, expected="a setup (TOML)"), base)
    elif isinstance(setup, dict):
        values["setup"] = _setup_fields(setup, path)
    factors = values.get("factors")
    if isinstance(factors, dict):
        values["factors"] = {
            name: {level: _setup_fields(fields, path) for level, fields in levels.items()}
            if isinstance(levels, dict)
            else levels
            for name, levels in factors.items()
        }
    users = values.get("users")
    if isinstance(users, dict) and isinstance(users.get("from"), str):
        listed = with_distinct_names(read_personas(path.parent / users["from"])).personas
        rest = {key: value for key, value in users.items() if key != "from"}
        values["users"] = {**rest, "personas": [each.as_dict() for each in listed]}
    return validated(ExperimentDesign, values, path)


def _setup_fields(fields: Any, path: Path) -> Any:
    """Fields as a setup file has them, with its personas read and its moderator by name."""
    if not isinstance(fields, dict):
        return fields
    refuse_code(fields, path)
    fields = dict(fields)
    if isinstance(file := fields.pop("persona_file", None), str):
        people: Sequence[Persona] = with_distinct_names(read_personas(path.parent / file)).personas
        fields["personas"] = [each.as_dict() for each in people]
    if fields.get("history_context_len") == ALL_MESSAGES:
        fields["history_context_len"] = None
    return fields


@dataclass(frozen=True)
class LedgerEntry:
    """A planned discussion, and what its file says. ``record`` None: it has not begun."""

    planned: PlannedDiscussion
    number: int
    path: Path
    record: DiscussionRecord | None
    error: str = ""
    """Why it stopped, or why its file cannot be read."""
    is_elsewhere: bool = False
    """Another process is running it."""

    @property
    def is_finished(self) -> bool:
        """Whether nothing remains to be done."""
        return self.record is not None and self.record.status == "finished"


class ExperimentFolder:
    """The folder of an experiment.

    Args:
        folder: The folder of its discussions; it need not exist.
        design: The design.
        defaults: Fields of setups that replace “auto” in the design.
        models: Models of participants without one in the design.
    """

    def __init__(
        self,
        folder: Path,
        design: ExperimentDesign,
        defaults: Mapping[str, Any] | None = None,
        models: Mapping[str, ParticipantModel] | None = None,
    ) -> None:
        self.folder = folder
        self.design = design
        try:
            planned = [_with_defaults(each, defaults or {}, models or {}) for each in plan(design)]
            self.plan: tuple[PlannedDiscussion, ...] = tuple(planned)
        except ValueError as error:
            raise InputError(f"The design: {error}") from None
        if models:
            check_models_for(models, {name for each in self.plan for name in each.setup.names})
        self._id = blake2b(design.model_dump_json().encode(), digest_size=8).hexdigest()

    @classmethod
    def open(cls, folder: Path, defaults: Mapping[str, Any] | None = None) -> ExperimentFolder:
        """Open the experiment in ``folder``; ``defaults`` replace “auto”.

        Raises:
            InputError: The folder has no experiment.
        """
        if not (folder / DESIGN_FILE).exists():
            raise InputError(f"{folder}: holds no experiment ({DESIGN_FILE} is not there)")
        return cls(folder, read_design(folder / DESIGN_FILE), defaults)

    def check(self) -> bool:
        """Whether the folder holds this design already, with as many repeats or more.

        Raises:
            InputError: It holds another experiment. More repeats do not make another one.
        """
        design_copy = self.folder / DESIGN_FILE
        if not design_copy.exists():
            return False
        known = read_design(design_copy)
        if known.model_copy(update={"repeats": self.design.repeats}) != self.design:
            raise InputError(
                f"{self.folder}: holds another experiment; choose another folder for this one"
            )
        return known.repeats >= self.design.repeats

    def begin(self, design_file: Path) -> None:
        """Make the folder and save the design in it.

        Raises:
            InputError: The folder holds another experiment.
            OSError: It cannot be written.
        """
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not self.check():
            text = _self_contained(design_file, self.design)
            write_atomic(self.folder / DESIGN_FILE, text.encode())

    def entries(self) -> Iterator[LedgerEntry]:
        """Every planned discussion with the state of its file."""
        present = set(discussion_files(self.folder)) if self.folder.is_dir() else set()
        for number, planned in enumerate(self.plan, start=1):
            path = self.folder / f"{planned.name}.json"
            if path not in present:
                yield LedgerEntry(planned, number, path, None, is_elsewhere=has_writer(path))
                continue
            try:
                record = read_discussion(path)
            except InputError as error:
                yield LedgerEntry(planned, number, path, None, str(error))
            else:
                elsewhere = record.status != "finished" and has_writer(path)
                yield LedgerEntry(planned, number, path, record, record.error, elsewhere)

    def runs(self) -> list[BatchRun]:
        """Every planned discussion, as if none had begun; no file is read."""
        return [
            self.run_of(LedgerEntry(planned, number, self.folder / f"{planned.name}.json", None))
            for number, planned in enumerate(self.plan, start=1)
        ]

    def run_of(self, entry: LedgerEntry) -> BatchRun:
        """What is to be run for a discussion that is not finished."""
        planned = entry.planned
        return BatchRun(
            BatchMembership(self._id, entry.number, len(self.plan)),
            entry.record or planned.setup,
            entry.path if entry.record else None,
            experiment=ExperimentMembership(dict(planned.cell), planned.repeat),
            target=entry.path,
        )


def _with_defaults(
    planned: PlannedDiscussion, defaults: Mapping[str, Any], models: Mapping[str, ParticipantModel]
) -> PlannedDiscussion:
    setup = planned.setup
    present = {name_key(name) for name in setup.names}
    without = {
        name: model
        for name, model in models.items()
        if name_key(name) in present and setup.model_entry(name) is None
    }
    auto = {
        name: value
        for name, value in defaults.items()
        if value and getattr(setup, name) in ("auto", ())
    }
    if without:
        auto["models"] = {**setup.models, **without}
    return replace(planned, setup=setup.model_copy(update=auto)) if auto else planned


def _self_contained(design_file: Path, design: ExperimentDesign) -> str:
    """The design as TOML that needs no other file."""
    import tomli_w

    values = design.model_dump(mode="json", exclude_defaults=True)
    return f"# From {design_file.name}\n\n{tomli_w.dumps(_without_none(values))}"


def _without_none(value: Any, key: str = "") -> Any:
    """TOML has no null: a history without a limit is “all”, other empty fields are left out."""
    if isinstance(value, dict):
        return {
            name: _without_none(part, name)
            for name, part in value.items()
            if part is not None or name == "history_context_len"
        }
    if isinstance(value, list):
        return [_without_none(part) for part in value if part is not None]
    return ALL_MESSAGES if value is None and key == "history_context_len" else value


def shard(entries: Sequence[LedgerEntry], number: int, count: int) -> list[LedgerEntry]:
    """The ``number``-th (from 1) of ``count`` equal parts."""
    return [entry for index, entry in enumerate(entries) if index % count == number - 1]
