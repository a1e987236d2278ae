"""The tidy table: one typed row per message or silence, for data frames and Parquet."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ...discussion import DiscussionRecord, DiscussionSetup, Message, name_key
from ...discussion.past_requests import setups_in_force

CONDITION = "condition_"
"""Before the name of a factor in the column that holds its level."""

COLUMNS: Mapping[str, type[str | int | float | bool]] = {
    "discussion_id": str,
    "title": str,
    "started_at": str,
    "status": str,
    "repeat": int,
    "position": int,
    "turn": int,
    "role": str,
    "name": str,
    "model": str,
    "text": str,
    "is_silence": bool,
    "reasoning": str,
    "raw_text": str,
    "original_text": str,
    "marks": str,
    "prompt": str,
    "seed": int,
    "finish_reason": str,
    "prompt_tokens": int,
    "completion_tokens": int,
    "reasoning_tokens": int,
    "seconds": float,
    "created_at": str,
    "run_seed": int,
    "moderator": str,
    "turn_manager": str,
    "p_respond": float,
    "conv_len": int,
    "history_context_len": int,
    "prompt_style": str,
    "max_out_tokens": int,
    "temperature": float,
    "top_p": float,
    "top_k": int,
    "repetition_penalty": float,
    "quantization": str,
    "dtype": str,
    "server": str,
    "persona": str,
}
"""Columns and their types. Every value may be None as well, where it is not known."""


def table_columns(records: Sequence[DiscussionRecord]) -> dict[str, type[str | int | float | bool]]:
    """The columns for ``records``: ``COLUMNS``, then one for each factor of experiments."""
    return {**COLUMNS, **{f"{CONDITION}{factor}": str for factor in factors_of(records)}}


def factors_of(records: Sequence[DiscussionRecord]) -> list[str]:
    """The factors of the experiments that ``records`` belong to, in order of appearance."""
    cells = (record.experiment.cell for record in records if record.experiment)
    return list(dict.fromkeys(factor for cell in cells for factor in cell))


def table_rows(records: Sequence[DiscussionRecord]) -> Iterator[dict[str, Any]]:
    """One row per message or silence, with every column of ``table_columns``.

    ``position`` counts messages and silences from 1. ``text`` is the message after any edit and
    ``original_text`` before it. The setup's columns are those under which the message was made;
    a ``history_context_len`` of None is all messages. ``persona`` is a JSON object with the
    speaker's non-empty fields.
    """
    columns = dict.fromkeys(table_columns(records))
    for record in records:
        membership = record.experiment
        levels = membership.cell if membership else {}
        common = {
            "discussion_id": record.id,
            "title": record.heading,
            "started_at": record.started_at,
            "status": record.status,
            "repeat": membership.repeat if membership else None,
            **{f"{CONDITION}{factor}": level for factor, level in levels.items()},
        }
        for index, entry in enumerate(record.entries):
            setups = setups_in_force(record, index)
            persona = json.dumps(speaker_fields(entry, setups), ensure_ascii=False)
            yield {
                **columns,
                **common,
                "position": index + 1,
                **_message(record, entry),
                **_setup(record, setups[0], entry),
                "persona": persona,
            }


def speaker_fields(entry: Message, setups: Sequence[DiscussionSetup]) -> Mapping[str, Any]:
    """The speaker's non-empty fields, from the first of ``setups`` that has that persona."""
    key = name_key(entry.name)
    people = (persona for setup in setups for persona in setup.everybody)
    persona = next((each for each in people if name_key(each.name) == key), None)
    return persona.attributes() if persona else {}


def _message(record: DiscussionRecord, entry: Message) -> dict[str, Any]:
    is_measured = bool(entry.prompt_tokens)
    return {
        "turn": entry.turn or None,
        "role": entry.role,
        "name": entry.name,
        "model": None if entry.role == "human" else entry.model,
        "text": entry.text,
        "is_silence": entry.is_silence,
        "reasoning": entry.reasoning or None,
        "raw_text": entry.raw_text,
        "original_text": entry.original_text,
        "marks": " ".join(mark.kind for mark in entry.marks) or None,
        "prompt": entry.prompt or None,
        "seed": entry.seed,
        "finish_reason": entry.finish_reason,
        "prompt_tokens": entry.prompt_tokens or None,
        "completion_tokens": entry.completion_tokens if is_measured else None,
        "reasoning_tokens": entry.reasoning_tokens or None,
        "seconds": round(entry.seconds, 3) if is_measured else None,
        "created_at": entry.created_at or None,
        "run_seed": None if record.is_foreign else record.setup.seed,
    }


def _setup(record: DiscussionRecord, setup: DiscussionSetup, entry: Message) -> dict[str, Any]:
    """The known values of the setup under which the message was made."""
    own = setup.with_model_of(entry.name) if entry.is_prompted else setup
    limits = entry.shortened or setup
    moderator = setup.moderator.name if setup.moderator else None
    known = {"moderator": moderator, "history_context_len": limits.history_context_len}
    if record.is_foreign:
        return known
    return known | {
        "turn_manager": setup.turn_manager,
        "p_respond": setup.p_respond if setup.turn_manager == "RandomWeighted" else None,
        "conv_len": setup.conv_len,
        "prompt_style": setup.prompt_style,
        "max_out_tokens": limits.max_out_tokens,
        "temperature": setup.temperature,
        "top_p": setup.top_p,
        "top_k": setup.top_k,
        "repetition_penalty": setup.repetition_penalty,
        "quantization": own.quantization,
        "dtype": own.dtype,
        "server": " ".join(own.server) or None,
    }
