"""A discussion in the formats of others: SynDisco's two, Markdown, CSV and JSONL chat.

Pure: a record in, text out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from ...discussion import DiscussionRecord
from ...text import one_line
from ..inputs import InputError
from . import chat, markdown, rows, syndisco

ExportFormat = Literal["syndisco-2.0", "syndisco-2.2", "markdown", "csv", "jsonl"]
FORMAT_NAMES: tuple[ExportFormat, ...] = get_args(ExportFormat)


@dataclass(frozen=True)
class Format:
    """``write`` makes the text of one discussion.

    ``write_many`` makes that of several, where one file can hold them.
    """

    suffix: str
    meaning: str
    write: Callable[[DiscussionRecord], str]
    write_many: Callable[[Sequence[DiscussionRecord]], str] | None = None


FORMATS: dict[ExportFormat, Format] = {
    "syndisco-2.0": Format(".json", "JSON as SynDisco 2.0.1 writes it", syndisco.as_2_0),
    "syndisco-2.2": Format(".json", "JSON that SynDisco 2.2.1 loads", syndisco.as_2_2),
    "markdown": Format(".md", "a transcript to publish", markdown.as_markdown),
    "csv": Format(
        ".csv", "one row per message, for a spreadsheet", lambda r: rows.as_csv([r]), rows.as_csv
    ),
    "jsonl": Format(
        ".jsonl", "one line per reply, with its prompt", lambda r: chat.as_jsonl([r]), chat.as_jsonl
    ),
}


def exported(record: DiscussionRecord, to: ExportFormat) -> str:
    """The discussion as the text of a file in that format."""
    return FORMATS[to].write(record)


def format_named(name: str) -> ExportFormat:
    """The format called ``name``. Raises InputError."""
    for known in FORMAT_NAMES:
        if known == name:
            return known
    raise InputError(f"--to: must be one of {', '.join(FORMAT_NAMES)}, not “{one_line(name, 40)}”")
