"""The discussion that a session has open: its state, its record and its file, kept together."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from ..discussion import (
    IMPORTED_FROM,
    BatchMembership,
    Discussion,
    DiscussionRecord,
    DiscussionSetup,
    Parent,
    Status,
)
from ..engine.base import EngineInfo
from ..store.discussions import DiscussionFile, read_discussion
from ..store.inputs import InputError


@dataclass
class OpenDiscussion:
    """Held for writing until ``file`` is closed."""

    discussion: Discussion
    file: DiscussionFile
    record: DiscussionRecord

    @classmethod
    def new(
        cls,
        setup: DiscussionSetup,
        folder: Path,
        now: datetime,
        info: EngineInfo | None,
        batch: BatchMembership | None = None,
    ) -> OpenDiscussion:
        """A discussion that begins ``now`` (UTC), saved at once. Raises OSError."""
        discussion = Discussion(setup)
        record = DiscussionRecord(
            id=str(uuid.uuid4()),
            started_at=now.isoformat(timespec="seconds"),
            setup=setup,
            title=setup.title,
            engine=info.as_dict() if info else {},
            batch=batch,
        )
        return cls._created(discussion, discussion.to_record(record), folder, now)

    @classmethod
    def _created(
        cls, discussion: Discussion, record: DiscussionRecord, folder: Path, now: datetime
    ) -> OpenDiscussion:
        file = DiscussionFile.create(folder, now)
        try:
            file.write(record)
        except OSError:
            file.close()
            raise
        return cls(discussion, file, record)

    @classmethod
    def saved(cls, path: Path) -> OpenDiscussion:
        """A saved discussion, at the turn where it was left. Raises InputError."""
        try:
            file = DiscussionFile(path)
        except OSError as error:
            raise InputError(f"{path}: cannot be opened to go on: {error.strerror}") from None
        try:
            record = read_discussion(path)
            _refuse_foreign(record, path)
            refuse_without_users(record.setup)
        except InputError:
            file.close()
            raise
        return cls(Discussion.from_record(record), file, record)

    @classmethod
    def forked(
        cls,
        parent: DiscussionRecord,
        position: int,
        setup: DiscussionSetup,
        folder: Path,
        now: datetime,
    ) -> OpenDiscussion:
        """One with the first ``position`` entries of ``parent``, that goes on with ``setup``.

        It is paused and saved at once, in a new file. Raises OSError.
        """
        named = parent.setup.model_copy(update={"title": setup.title})  # a name changes nothing
        discussion = Discussion.from_record(replace(parent, setup=named)).fork(position)
        discussion.change_setup(setup)
        record = DiscussionRecord(
            id=str(uuid.uuid4()),
            started_at=now.isoformat(timespec="seconds"),
            setup=setup,
            status="finished" if discussion.is_finished else "paused",
            title=setup.title,
            parent=Parent(parent.id, discussion.turns_taken),
            engine={key: parent.engine[key] for key in parent.engine if key != IMPORTED_FROM},
        )
        return cls._created(discussion, discussion.to_record(record), folder, now)

    def as_of_now(self, status: Status, info: EngineInfo | None) -> DiscussionRecord:
        """The record of the discussion as it is now."""
        return replace(
            self.discussion.to_record(self.record),
            status=status,
            engine=info.as_dict() if info else self.record.engine,
        )

    def save(self, status: Status, info: EngineInfo | None) -> None:
        """Write the discussion as it is now. Raises OSError; the old file is then still there."""
        record = self.as_of_now(status, info)
        self.file.write(record)
        self.record = record


def refuse_without_users(setup: DiscussionSetup) -> None:
    """Raises InputError where nobody would take a turn."""
    if not setup.turn_takers:
        raise InputError("Nobody takes part: choose at least one persona.")


def _refuse_foreign(record: DiscussionRecord, path: Path) -> None:
    """What SynDisco wrote is its user's: it is read, never rewritten."""
    if record.is_foreign:
        raise InputError(f"{path}: this is SynDisco's own file; it is finished and stays as it is")
