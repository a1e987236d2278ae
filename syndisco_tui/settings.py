"""What a user prefers, run after run. Flag before environment before file before default."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import tomli_w
from pydantic import BaseModel, ConfigDict, Field

from .inputs import InputError, read_toml, unknown_key, validated
from .store.atomic import write_atomic

ENVIRONMENT_PREFIX = "SYNDISCO_TUI_"


class Settings(BaseModel):
    """Each can be given in ``settings.toml`` or as ``SYNDISCO_TUI_<NAME>``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    theme: Annotated[str, Field(min_length=1, description="Colour theme")] = "lamplight"
    model: Annotated[
        str, Field(min_length=1, description="Model of new setups: auto, starter, hub id or folder")
    ] = "auto"
    device: Annotated[str, Field(min_length=1, description="auto, cpu, cuda or cuda:N")] = "auto"
    dtype: Annotated[
        Literal["auto", "float32", "bfloat16", "float16"],
        Field(description="Numbers of new setups"),
    ] = "auto"
    quantization: Annotated[
        Literal["auto", "none", "4bit", "8bit"], Field(description="Quantization of new setups")
    ] = "auto"
    threads: Annotated[
        int, Field(ge=0, description="Threads that torch may use; 0: all cores but one")
    ] = 0


def load_settings(
    file: Path, flags: Mapping[str, object], environment: Mapping[str, str] = os.environ
) -> Settings:
    """The settings in force; ``flags`` that are None were not given.

    Raises InputError that names the file or the variable, and the key.
    """
    values: dict[str, Any] = {}
    if file.exists():
        values = read_toml(file)
        validated(Settings, values, file)
    for name in environment:
        if name.startswith(ENVIRONMENT_PREFIX):
            key = name.removeprefix(ENVIRONMENT_PREFIX).lower()
            if key not in Settings.model_fields:
                if key.startswith("test_"):
                    continue
                raise InputError(f"{name}: {unknown_key(key, Settings.model_fields)}")
            validated(Settings, {key: environment[name]}, name)
            values[key] = environment[name]
    values |= {key: value for key, value in flags.items() if value is not None}
    return validated(Settings, values, "settings")


def keep_setting(file: Path, key: str, value: object) -> None:
    """Write one setting into the file and leave the others as they are. Raises OSError."""
    values = read_toml(file) if file.exists() else {}
    values[key] = value
    write_atomic(file, tomli_w.dumps(values).encode())
