"""The user's settings. Option before environment before file before default."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import tomli_w
from pydantic import BaseModel, ConfigDict, Field, field_validator

from ..store.atomic import write_atomic
from ..store.inputs import InputError, read_text, read_toml, unknown_key, validated, validated_value

ENVIRONMENT_PREFIX = "SYNDISCO_TUI_"

_AT_ONCE = {"applies": "at once"}
_VALUE = r"""[ \t]*("[^"\n]*"|'[^'\n]*'|[^\s#]+)[ \t]*(?P<remark>#[^\n]*)?(?P<end>\n|\Z)"""
"""A value on one line of TOML, and what stands behind it."""


DEFAULT_KEY_VARIABLE = "OPENAI_API_KEY"
"""Holds the key of servers for which settings name no other variable."""
_TRUSTED_HOSTS = ("api.openai.com", "localhost", "127.0.0.1", "::1")


class ServerSetting(BaseModel):
    """A server that setups can call by a name, and the variable that holds its key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: Annotated[str, Field(pattern=r"^https?://[^@\s]+$")]
    key_env: Annotated[str, Field(min_length=1)] = DEFAULT_KEY_VARIABLE


class Price(BaseModel):
    """The price of a million tokens that a model reads, and of a million that it writes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    input: Annotated[float, Field(ge=0)]
    output: Annotated[float, Field(ge=0)]


class Settings(BaseModel):
    """Each can be given in ``settings.toml`` or, tables aside, as ``SYNDISCO_TUI_<NAME>``.

    The settings screen is drawn from this: a row a field, with its title, choices and limits.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    theme: Annotated[
        str,
        Field(min_length=1, title="Theme", description="Colours", json_schema_extra=_AT_ONCE),
    ] = "lamplight"
    keymap: Annotated[
        Literal["standard", "vim"],
        Field(title="Keymap", description="The set of keys", json_schema_extra=_AT_ONCE),
    ] = "standard"
    model: Annotated[
        str,
        Field(
            min_length=1,
            title="Model",
            description="Model of new setups: auto, starter, hub id or folder",
        ),
    ] = "auto"
    device: Annotated[
        str, Field(min_length=1, title="Device", description="auto, cpu, cuda or cuda:N")
    ] = "auto"
    dtype: Annotated[
        Literal["auto", "float32", "bfloat16", "float16"],
        Field(title="Precision", description="Precision of new setups"),
    ] = "auto"
    quantization: Annotated[
        Literal["auto", "none", "4bit", "8bit"],
        Field(title="Quantization", description="Quantization of new setups"),
    ] = "auto"
    threads: Annotated[
        int,
        Field(
            ge=0, title="Threads", description="Threads that torch may use; 0: all cores but one"
        ),
    ] = 0
    load_at_start: Annotated[
        bool,
        Field(
            title="Load at start",
            description="Load the last model when the app opens, if the setup asks for it",
        ),
    ] = True
    annotator: Annotated[
        str,
        Field(
            max_length=60,
            title="Annotator",
            description="What you are called in your annotations; empty: asked when you begin",
            json_schema_extra=_AT_ONCE,
        ),
    ] = ""
    servers: Annotated[
        dict[str, ServerSetting],
        Field(title="Servers", description="Servers that setups can name"),
    ] = {}
    prices: Annotated[
        dict[str, Price],
        Field(title="Prices", description="Of a million tokens, by model or server"),
    ] = {}
    keys: Annotated[
        dict[str, Any],
        Field(title="Keys", description="Your own keys for actions", json_schema_extra=_AT_ONCE),
    ] = {}

    @field_validator("keys")
    @classmethod
    def _flat(cls, keys: dict[str, Any]) -> dict[str, Any]:
        """``transcript.follow = …`` means the same with and without quotation marks."""
        flat: dict[str, Any] = {}
        for key, value in keys.items():
            if isinstance(value, dict):
                flat |= {f"{key}.{inner}": each for inner, each in value.items()}
            else:
                flat[key] = value
        return flat

    @property
    def for_auto(self) -> dict[str, Any]:
        """The values for a setup's fields that are “auto”."""
        return {"model": self.model, "dtype": self.dtype, "quantization": self.quantization}


def resolve_server(
    settings: Settings,
    server: str,
    trusted: Collection[str] = (),
    environment: Mapping[str, str] = os.environ,
) -> tuple[str, str]:
    """The URL and the key (empty: none) of ``server``, a URL or a name in ``settings``.

    A setup may come from a stranger: the default key goes to no URL that only a setup names,
    but for OpenAI's own and this machine's.

    Args:
        settings: Where servers have names.
        server: As the setup names it.
        trusted: URLs that the user gave on the command line.
        environment: Where keys are.

    Raises:
        InputError: Settings have no server of that name.
    """
    known = settings.servers.get(server)
    if known is None and "://" not in server:
        names = ", ".join(settings.servers) or "none"
        raise InputError(
            f"There is no server “{server}” in settings (there: {names}). Give its URL, or add "
            f"[servers] {server} = {{url = …}} to settings.toml."
        )
    if known is None:
        same = (each for each in settings.servers.values() if each.url == server)
        known = next(same, None)
    if known is not None:
        return known.url, environment.get(known.key_env, "")
    host = urlsplit(server).hostname or ""
    is_trusted = server in trusted or host in _TRUSTED_HOSTS
    return server, environment.get(DEFAULT_KEY_VARIABLE, "") if is_trusted else ""


def load_settings(
    file: Path, flags: Mapping[str, object], environment: Mapping[str, str] = os.environ
) -> Settings:
    """The settings in force; ``flags`` that are None were not given.

    Raises InputError that names the file and the key, the variable or the option.
    """
    values: dict[str, Any] = {}
    for source, given in _layers(file, flags, environment):
        if source == str(file):
            validated(Settings, given, source)
        else:
            for key, value in given.items():
                validated_value(Settings, key, value, source)
        values |= given
    return validated(Settings, values, "settings")


def origins(
    file: Path, flags: Mapping[str, object], environment: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Where each setting comes from: ``flag``, a variable's name, ``file`` or ``default``."""
    sources = dict.fromkeys(Settings.model_fields, "default")
    for source, given in _layers(file, flags, environment):
        sources |= dict.fromkeys(given, "file" if source == str(file) else source)
    return sources | {key: "flag" for key, value in flags.items() if value is not None}


def _layers(
    file: Path, flags: Mapping[str, object], environment: Mapping[str, str]
) -> Iterator[tuple[str, dict[str, Any]]]:
    """What each source gives and its name, those that count less first."""
    if _is_there(file):
        yield str(file), read_toml(file)
    for name in environment:
        if name.startswith(ENVIRONMENT_PREFIX):
            key = name.removeprefix(ENVIRONMENT_PREFIX).lower()
            if key in Settings.model_fields:
                yield name, {key: environment[name]}
            elif not key.startswith("test_"):
                raise InputError(f"{name}: {unknown_key(key, Settings.model_fields)}")
    for key, value in flags.items():
        if value is not None:
            yield f"--{key.replace('_', '-')}", {key: value}


def _is_there(file: Path) -> bool:
    """Whether there is such a file; one in a folder that cannot be looked into may be there."""
    try:
        return file.exists()
    except OSError:
        return True  # reading it says why not


def save_setting(file: Path, key: str, value: object) -> bool:
    """Write one setting into the file and leave the others as they are; None takes it out.

    Comments stay as well, unless the entry is written in an unusual way: True if some were lost.
    Raises OSError, and InputError where the file cannot be read.
    """
    text = read_text(file) if _is_there(file) else ""
    values = read_toml(file) if _is_there(file) else {}
    if value is None:
        values.pop(key, None)
    else:
        values[key] = value
    edited = _with_line(text, key, value)
    is_right = _parses_to(edited, values)
    write_atomic(file, (edited if is_right else tomli_w.dumps(values)).encode())
    return not is_right and bool(re.search(r"^\s*#", text, re.MULTILINE))


def _with_line(text: str, key: str, value: object) -> str:
    """``text`` with the line of ``key`` changed, taken out, or put before the first table."""
    line = "" if value is None else tomli_w.dumps({key: value}).strip()
    table = re.search(r"^\s*\[", text, re.MULTILINE)
    top, tables = (text[: table.start()], text[table.start() :]) if table else (text, "")
    present = re.compile(rf"^[ \t]*{re.escape(key)}[ \t]*={_VALUE}", re.MULTILINE)
    if found := present.search(top):
        remark = found["remark"] or ""
        line = f"{line}  {remark}" if line and remark else line or remark
        end = found["end"] if line else ""
        return f"{top[: found.start()]}{line}{end}{top[found.end() :]}{tables}"
    if line and top and not top.endswith("\n"):
        top += "\n"
    return f"{top}{line}\n{tables}" if line else text


def _parses_to(text: str, values: dict[str, Any]) -> bool:
    try:
        return tomllib.loads(text) == values
    except tomllib.TOMLDecodeError:
        return False


class UserSettings:
    """The settings of ``file``, of the environment and of the command line's ``flags``.

    They are read again each time, so that a change of the file applies.
    """

    def __init__(
        self,
        file: Path,
        flags: Mapping[str, object] | None = None,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self.file = file
        self._flags = dict(flags or {})
        self._environment = environment

    def read(self) -> Settings:
        """The settings in force. Raises InputError."""
        return load_settings(self.file, self._flags, self._environment)

    def origins(self) -> dict[str, str]:
        """Where each setting comes from: a flag, a variable's name, the file or the default."""
        return origins(self.file, self._flags, self._environment)

    def error_of(self, key: str, value: object) -> str | None:
        """Why ``key`` cannot have this value, in a few words; None if it can."""
        try:
            validated(Settings, {key: value}, "")
        except InputError as error:
            return str(error).removeprefix(f": {key}: ").split(", not ")[0]
        return None

    def save(self, key: str, value: object) -> bool:
        """Write a setting into the file; None removes it. True if comments were lost.

        Raises OSError, and InputError where the value or the file cannot be used.
        """
        if value is not None:
            if error := self.error_of(key, value):
                raise InputError(error)
            value = getattr(validated(Settings, {key: value}, self.file), key)
        return save_setting(self.file, key, value)

    def choose(self, key: str, value: object) -> bool:
        """Save a value that was chosen in the app, and drop the flag given at the start."""
        lost = self.save(key, value)
        self._flags.pop(key, None)
        return lost
