"""Reading files that somebody else wrote: JSON and TOML in, plain values or one clear sentence."""

from __future__ import annotations

import difflib
import json
import math
import os
import stat
import tomllib
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from .error_line import deep_line, long_key_line, number_line, second_key_line
from .file_kinds import SETUP, Kind, binary_kind, json_text_kind, refusal_of, text_kind

MAX_BYTES = 5_000_000
MAX_DISCUSSION_BYTES = 500_000_000

_BEGINNING = 1 << 16

MAX_LEVELS = 100
MAX_INTEGER = 10**300  # beyond that it is no float any more

_HUGE_INTEGER = "holds a whole number of hundreds of digits; no field needs one"
_TOO_DEEP = "nested too deeply to be read"

Model = TypeVar("Model", bound=BaseModel)


class InputError(Exception):
    """Something in a file or an option that its author can mend: one sentence, what and where."""


def read_text(path: Path, *, max_bytes: int = MAX_BYTES, expected: str = "a text") -> str:
    """The file's text: UTF-8, or UTF-16 with a byte order mark, as Excel and Notepad write it.

    Raises InputError where it is missing, too large, or no such text; ``expected`` says in that
    sentence which file was asked for.
    """
    content = read_bytes(path, max_bytes=max_bytes, expected=expected)
    if kind := binary_kind(content):
        raise InputError(refusal_of(path, kind, expected))
    return decoded(content, path)


def read_bytes(path: Path, *, max_bytes: int = MAX_BYTES, expected: str = "a file") -> bytes:
    """The content of a regular file. Raises InputError if it is missing or too large."""
    try:
        return _content(path, max_bytes, expected)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror or error}") from None
    except ValueError:
        raise InputError(f"{str(path)!r}: this cannot be the name of a file") from None


def decoded(content: bytes, path: Path) -> str:
    """The text of a file's content, UTF-8 or UTF-16. Raises InputError, which names the line."""
    is_utf_16 = content.startswith((b"\xff\xfe", b"\xfe\xff"))
    try:
        text = content.decode("utf-16" if is_utf_16 else "utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        encoding = "UTF-16" if is_utf_16 else "UTF-8"
        raise InputError(
            f"{path}: line {line} is not {encoding} text; save the file as UTF-8"
        ) from None
    return text.lstrip("\ufeff")


def _content(path: Path, max_bytes: int, expected: str) -> bytes:
    """All of a regular file, but nothing of a pipe, a device or one that is too large."""
    # Opened without waiting: a pipe that nobody writes to would hold us here.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            raise InputError(f"{path}: is a folder; name a file in it")
        if not stat.S_ISREG(status.st_mode):
            raise InputError(f"{path}: is a pipe or a device; give a file")
        is_too_large = status.st_size > max_bytes
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            # It may grow while it is read; of one that is too large the beginning tells its kind.
            content = file.read(_BEGINNING if is_too_large else max_bytes + 1)
    finally:
        os.close(descriptor)
    if is_too_large or len(content) > max_bytes:
        if kind := binary_kind(content[:_BEGINNING]):
            raise InputError(refusal_of(path, kind, expected))
        raise InputError(f"{path}: is too large; {max_bytes / 1e6:.0f} MB is the limit")
    return content


def parse_json(text: str, where: object) -> Any:
    """The value of strict JSON: no duplicate keys, no NaN, no nesting without an end.

    Raises InputError.
    """

    def no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) < len(pairs):
            twice, _ = Counter(key for key, _ in pairs).most_common(1)[0]
            line = second_key_line(text)
            raise InputError(f"{where}: {line}the key {_quoted(twice)} appears twice in one object")
        return value

    def no_constant(name: str) -> NoReturn:
        line = number_line(text, name)
        raise InputError(f"{where}: {line}{_short(name)} is not a finite number; give one or null")

    def finite(number: str) -> float:
        value = float(number)
        if not math.isfinite(value):
            no_constant(number)
        return value

    if not text.strip():
        raise InputError(f"{where}: is empty")
    try:
        value = json.loads(
            text,
            object_pairs_hook=no_duplicates,
            parse_constant=no_constant,
            parse_float=finite,
        )
    except json.JSONDecodeError as error:
        raise InputError(
            f"{where}: line {error.lineno}, column {error.colno}: not valid JSON ({error.msg})"
        ) from None
    except RecursionError:
        raise InputError(f"{where}: {deep_line(text, MAX_LEVELS)}{_TOO_DEEP}") from None
    except ValueError:
        raise InputError(f"{where}: {_HUGE_INTEGER}") from None
    if _is_too_deep(value, where):
        raise InputError(f"{where}: {deep_line(text, MAX_LEVELS)}{_TOO_DEEP}")
    return value


def read_json(path: Path, *, max_bytes: int = MAX_BYTES, expected: str = "JSON") -> Any:
    """The JSON value in a file. Raises InputError, which names another kind of file."""
    return parse_json_file(read_text(path, max_bytes=max_bytes, expected=expected), path, expected)


def parse_json_file(text: str, path: Path, expected: str) -> Any:
    """The JSON value of a file's text. Raises InputError, which names another kind of file."""
    try:
        return parse_json(text, path)
    except InputError:
        _refuse(path, text_kind(text), expected)
        raise


def _refuse(path: Path, kind: Kind | None, expected: str) -> None:
    if kind:
        raise InputError(refusal_of(path, kind, expected)) from None


def read_toml(path: Path, *, expected: str = "TOML") -> dict[str, Any]:
    """The table in a TOML file. Raises InputError, which names another kind of file."""
    text = read_text(path, expected=expected)
    if line := long_key_line(text):
        raise InputError(f"{path}: {line}a key of so many parts is nested too deeply to be read")
    try:
        value = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        kind = text_kind(text) or json_text_kind(text)
        _refuse(path, kind if kind is not SETUP else None, expected)
        last = f"at line {text.rstrip().count(chr(10)) + 1}, the last"
        reason = str(error).replace("at end of document", last)
        raise InputError(f"{path}: not valid TOML: {reason}") from None
    except RecursionError:
        raise InputError(f"{path}: {_TOO_DEEP}") from None
    except ValueError:
        raise InputError(f"{path}: {_HUGE_INTEGER}") from None
    if _is_too_deep(value, path):
        raise InputError(f"{path}: {_TOO_DEEP}")
    return value


def _is_too_deep(value: object, where: object) -> bool:
    """Whether nesting goes on for more levels than all else can live with.

    Raises InputError for a number that nothing else can live with.
    """
    level: list[Any]
    level = [[value]]
    for _ in range(MAX_LEVELS + 1):
        parts = [part for each in level for part in (each.values() if type(each) is dict else each)]
        if any(type(part) is int and abs(part) >= MAX_INTEGER for part in parts):
            raise InputError(f"{where}: {_HUGE_INTEGER}")
        level = [part for part in parts if type(part) in (dict, list)]
        if not level:
            return False
    return True


def validated(model: type[Model], values: object, where: object) -> Model:
    """``values`` as a ``model``. Raises InputError that names the first faulty field."""
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise InputError(f"{where}: {describe(error, model)}") from None


def validated_value(model: type[Model], field: str, value: object, where: object) -> Model:
    """A ``model`` with one field given. Raises InputError that says ``where`` it was given."""
    try:
        return model.model_validate({field: value})
    except ValidationError as error:
        sentence = describe(error, model).removeprefix(f"{field}: ")
        raise InputError(f"{where}: {sentence}") from None


def describe(error: ValidationError, model: type[BaseModel]) -> str:
    """The first fault of a validation error as ``field: what is wrong``."""
    fault, *others = error.errors(include_url=False, include_context=True)
    # A union adds the names of its branches to the path; a person has no use for them.
    places = [part for part in fault["loc"] if part not in ("int", "str", "float")]
    named = [f"entry {part + 1}" if isinstance(part, int) else str(part) for part in places]
    if fault["type"] == "extra_forbidden":
        *outer, key = named
        known = () if outer else model.model_fields
        return ": ".join(filter(None, (", ".join(outer), unknown_key(key, known))))
    is_union = any(other["loc"][:-1] == fault["loc"][:-1] for other in others) and places != list(
        fault["loc"]
    )
    message = "must be a whole number or text" if is_union else _requirement(fault)
    if fault["type"] not in ("missing", "value_error", "string_too_short"):
        message += f", not {_shown(fault['input'])}"
    return f"{', '.join(named)}: {message}" if named else message


_REQUIREMENTS = {
    "missing": "is missing",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "string_type": "must be text",
    "tuple_type": "must be a list",
    "list_type": "must be a list",
    "literal_error": "must be {expected}",
    "dict_type": "must be a table",
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be less than {lt}",
    "string_too_short": "must not be empty",
    "dataclass_type": "must be a table of fields",
    "model_type": "must be a table of fields",
    "model_attributes_type": "must be a table of fields",
}


def _requirement(fault: ErrorDetails) -> str:
    requirement = _REQUIREMENTS.get(fault["type"])
    if requirement is None:
        message = fault["msg"].removeprefix("Value error, ")
        return message[:1].lower() + message[1:]
    limits = fault.get("ctx", {})
    shown = {key: f"{v:g}" if isinstance(v, float) else v for key, v in limits.items()}
    return requirement.format(**shown)


def unknown_key(key: str, known: Iterable[str]) -> str:
    """“There is no key x”, with the near one where there is one."""
    return f"there is no key {_quoted(key)}{near_one(key, known)}"


def near_one(word: str, known: Iterable[str]) -> str:
    """“; did you mean …?” where one of ``known`` is nearly ``word``, else nothing."""
    near = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean “{near[0]}”?" if near else ""


def _quoted(key: str) -> str:
    return f"“{_short(key)}”"


def _short(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}…"


def _shown(value: object) -> str:
    return _short(type(value).__name__ if isinstance(value, (dict, list)) else repr(value))
