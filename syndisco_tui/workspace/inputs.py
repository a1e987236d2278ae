"""Errors in what a user gave, and the readers of small files that front ends have of their own."""

from __future__ import annotations

from ..store.inputs import (
    InputError,
    describe,
    near_one,
    parse_json,
    read_text,
    read_toml,
    unknown_key,
    validated,
    validated_value,
)

__all__ = [
    "InputError",
    "describe",
    "near_one",
    "parse_json",
    "read_text",
    "read_toml",
    "unknown_key",
    "validated",
    "validated_value",
]
