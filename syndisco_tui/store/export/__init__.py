"""Exports discussions: SynDisco's two formats, Markdown, tables, chats and corpora.

Pure: records in, the content of a file or folder out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from ...discussion import DiscussionRecord
from ...text import one_line
from ..inputs import InputError
from . import chat, convokit, csv_rows, inspect_log, markdown, parquet, sharegpt, syndisco

PersonaFormat = Literal["personas", "personas-csv", "cards"]
PERSONA_FORMAT_NAMES: tuple[PersonaFormat, ...] = get_args(PersonaFormat)

ExportFormat = Literal[
    "syndisco-2.0",
    "syndisco-2.2",
    "markdown",
    "csv",
    "parquet",
    "jsonl",
    "sharegpt",
    "convokit",
    "inspect",
]
FORMAT_NAMES: tuple[ExportFormat, ...] = get_args(ExportFormat)

Exported: TypeAlias = str | bytes | dict[str, str]
"""The content of a file, as text or bytes, or the texts of a folder's files by name."""


@dataclass(frozen=True)
class Format:
    """An export format. ``write`` makes the content for one discussion, or several if it can.

    ``suffix`` is that of the file's name, empty for a folder.
    """

    suffix: str
    meaning: str
    write: Callable[[Sequence[DiscussionRecord]], Exported]
    holds_several: bool = True
    holds_bytes: bool = False
    name_of: Callable[[Sequence[DiscussionRecord]], str] | None = None
    """The name, without suffix, by which its readers know such files."""

    @property
    def is_folder(self) -> bool:
        """Whether the content is a folder of several files."""
        return not self.suffix


def _alone(suffix: str, meaning: str, write: Callable[[DiscussionRecord], str]) -> Format:
    """Make a format whose files hold one discussion each."""
    return Format(suffix, meaning, lambda records: write(records[0]), holds_several=False)


FORMATS: dict[ExportFormat, Format] = {
    "syndisco-2.0": _alone(".json", "JSON as SynDisco 2.0.1 writes it", syndisco.as_2_0),
    "syndisco-2.2": _alone(".json", "JSON that SynDisco 2.2.1 loads", syndisco.as_2_2),
    "markdown": _alone(".md", "a transcript to publish", markdown.as_markdown),
    "csv": Format(".csv", "one row per message, for a spreadsheet", csv_rows.as_csv),
    "parquet": Format(
        ".parquet", "one row per message, for data frames", parquet.as_parquet, holds_bytes=True
    ),
    "jsonl": Format(".jsonl", "one line per reply, with its prompt", chat.as_jsonl),
    "sharegpt": Format(
        ".sharegpt.jsonl", "one line per speaker's view, for fine-tuning", sharegpt.as_sharegpt
    ),
    "convokit": Format("", "a corpus folder for ConvoKit", convokit.as_convokit),
    "inspect": Format(
        ".json", "a log for inspect view", inspect_log.as_inspect, name_of=inspect_log.log_name
    ),
}


def exported(record: DiscussionRecord, to: ExportFormat) -> Exported:
    """The discussion as the content of a file or folder in that format."""
    return FORMATS[to].write([record])


def format_named(name: str) -> ExportFormat:
    """The format called ``name``. Raises InputError."""
    for known in FORMAT_NAMES:
        if known == name:
            return known
    raise InputError(
        f"--to: must be one of {', '.join(FORMAT_NAMES)}; or, for personas, "
        f"{', '.join(PERSONA_FORMAT_NAMES)}; not “{one_line(name, 40)}”"
    )
