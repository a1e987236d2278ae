"""Annotations on disk: one JSON file for each discussion, question and annotator.

They are in a separate folder next to the discussions, so that a program that reads all discussions
in a folder does not find them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from glob import escape
from pathlib import Path
from typing import Any

import orjson
from pydantic import TypeAdapter, ValidationError

from ..discussion.annotation import Annotation, AnnotationSet, AnnotationTask
from ..version import __version__
from .atomic import write_atomic
from .discussions import ANNOTATIONS_SUFFIX as SUFFIX
from .distinct_names import with_distinct_names
from .file_kinds import ANNOTATIONS, json_kind, refusal_of
from .inputs import MAX_DISCUSSION_BYTES, InputError, read_json, read_toml, unknown_key, validated
from .personas import read_personas
from .setups import ALL_MESSAGES

FORMAT = 1
FOLDER = "annotations"
"""The folder of annotations, in that of the discussions."""
A_TASK = "an annotation task (TOML)"
_A_SET = "annotations (JSON)"


def read_task(path: Path) -> AnnotationTask:
    """The task in a TOML file.

    Its ``persona_file`` is the path, relative to the task, of a list or table of personas, each of
    which is an annotator. A task without a name gets that of its file.

    Raises:
        InputError: The task is invalid; the message names file and key.
    """
    values = read_toml(path, expected=A_TASK)
    known = [*AnnotationTask.model_fields, "persona_file"]
    for key in values:
        if key not in known:
            raise InputError(f"{path}: {unknown_key(key, known)}")
    if (file := values.pop("persona_file", None)) is not None:
        if "annotators" in values:
            raise InputError(f"{path}: give either persona_file or [[annotators]], not both")
        if not isinstance(file, str):
            raise InputError(f"{path}: persona_file: must be the path of a file")
        listed = with_distinct_names(read_personas(path.parent / file)).personas
        values["annotators"] = [{"persona": each} for each in listed]
    if values.get("history_context_len") == ALL_MESSAGES:
        values["history_context_len"] = None
    values.setdefault("name", path.stem[:100])
    return validated(AnnotationTask, values, path)


def annotation_path(discussion: Path, annotations: AnnotationSet, folder: Path | None) -> Path:
    """The path of the file for ``annotations`` of the discussion in the file ``discussion``.

    Args:
        discussion: The discussion's file.
        annotations: The annotation set; its answers do not matter.
        folder: The folder of all annotations; None: next to the discussion.
    """
    slug = re.sub(r"[^A-Za-z0-9]+", "-", annotations.question.name).strip("-").lower()[:40]
    stem = discussion.stem.encode()[:120].decode(errors="ignore")
    name = ".".join(filter(None, (stem, slug, annotations.key)))
    return (folder or discussion.parent / FOLDER) / f"{name}{SUFFIX}"


def annotation_files(discussion: Path, folder: Path | None = None) -> list[Path]:
    """The files that hold annotations of the discussion in the file ``discussion``, by name.

    The discussion is read from the content, since other discussions' files may have similar names.
    """
    stem = discussion.stem.encode()[:120].decode(errors="ignore")
    return sorted((folder or discussion.parent / FOLDER).glob(f"{escape(stem)}.*{SUFFIX}"))


def is_annotation_file(path: Path) -> bool:
    """Whether a file's name is one of a file of annotations."""
    return path.name.endswith(SUFFIX)


def read_annotations(path: Path) -> AnnotationSet:
    """Read a file of annotations. Raises InputError."""
    value = read_json(path, max_bytes=MAX_DISCUSSION_BYTES, expected=_A_SET)
    if json_kind(value) is not ANNOTATIONS:
        kind = json_kind(value)
        raise InputError(
            refusal_of(path, kind, _A_SET) if kind else f"{path}: holds no annotations"
        )
    if value["syndisco_tui_annotations"] != FORMAT:
        raise InputError(f"{path}: was written by a newer syndisco-tui; install the newest")
    try:
        return _sets().validate_python(value)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ", ".join(str(part) for part in first["loc"])
        raise InputError(f"{path}: {where}: {first['msg']}") from None


def annotations_of(
    discussion: Path, discussion_id: str, folder: Path | None = None
) -> Iterator[AnnotationSet]:
    """All annotations of the discussion in the file ``discussion``. Raises InputError."""
    for path in annotation_files(discussion, folder):
        annotations = read_annotations(path)
        if annotations.discussion == discussion_id:
            yield annotations


def write_annotations(path: Path, annotations: AnnotationSet) -> None:
    """Replace the content of ``path``, durably. Raises OSError."""
    write_atomic(path, to_bytes(annotations))


def to_bytes(annotations: AnnotationSet) -> bytes:
    """The content of a file of annotations."""
    value = to_json(annotations)
    try:
        return orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # a lone surrogate, or an integer of more than 64 bits
        text = json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False)
        return (text + "\n").encode("utf-8", errors="replace")


def to_json(annotations: AnnotationSet) -> dict[str, Any]:
    """The JSON object of a file of annotations."""
    value = _sets().dump_python(annotations, mode="json", by_alias=True)
    value["annotator"] = {k: v for k, v in value["annotator"].items() if v not in (None, "", {})}
    value["annotations"] = [_annotation_json(each) for each in annotations.annotations]
    return {
        "syndisco_tui_annotations": FORMAT,
        "version": __version__,
        "task_hash": annotations.question.digest,
        **value,
    }


def _annotation_json(annotation: Annotation) -> dict[str, Any]:
    """An annotation as a JSON object, without fields at their default that readers do not need."""
    value: dict[str, Any] = _annotation().dump_python(
        annotation, mode="json", exclude_defaults=True
    )
    return {
        "position": annotation.position,
        "message": annotation.message,
        "speaker": annotation.speaker,
        "repeat": annotation.repeat,
        "value": annotation.value,
        "valid": annotation.is_valid,
        "text": annotation.text,
        **{key: each for key, each in value.items() if key not in ("value", "text", "repeat")},
    }


@cache
def _sets() -> TypeAdapter[AnnotationSet]:
    return TypeAdapter(AnnotationSet)


@cache
def _annotation() -> TypeAdapter[Annotation]:
    return TypeAdapter(Annotation)
