"""Inspect: an evaluation log (version 2) for ``inspect view``, one sample per discussion."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from ...discussion import HARDCODED, DiscussionRecord, Message
from ...version import __version__


def as_inspect(records: Sequence[DiscussionRecord]) -> str:
    """The log's JSON: one sample per discussion, repeats of an experiment as epochs.

    Seed opinions and what people wrote are the user's messages, replies the assistant's, each
    beginning with the speaker's name. A sample's metadata hold the setup and the levels of the
    experiment's factors. Silences and reasoning are in the message's metadata.
    """
    models = list(dict.fromkeys(_models(records)))
    times = sorted(record.started_at for record in records) or ["1970-01-01T00:00:00+00:00"]
    ends = [entry.created_at for record in records for entry in record.entries if entry.created_at]
    samples = [_sample(record) for record in records]
    model = models[0] if len(models) == 1 else ", ".join(models) or "none"
    name = next((record.title for record in records if record.title), "discussions")
    first_id = records[0].id if records else "none"
    log = {
        "version": 2,
        "status": _status(records),
        "eval": {
            "eval_id": first_id,
            "run_id": first_id,
            "created": times[0],
            "task": name,
            "task_id": first_id,
            "task_version": 0,
            "dataset": {
                "name": name,
                "samples": len(samples),
                "sample_ids": list(dict.fromkeys(sample["id"] for sample in samples)),
                "shuffled": False,
            },
            "model": model,
            "config": {"epochs": max((sample["epoch"] for sample in samples), default=1)},
            "packages": {"syndisco_tui": __version__},
        },
        "plan": {"name": "syndisco-tui", "steps": [], "config": {}},
        "results": {
            "total_samples": len(samples),
            "completed_samples": sum(record.status == "finished" for record in records),
            "scores": [],
        },
        "stats": {
            "started_at": times[0],
            "completed_at": max(ends, default=times[-1]),
            "model_usage": _usages(records, models),
        },
        "samples": samples,
    }
    return json.dumps(log, ensure_ascii=False, indent=1) + "\n"


def log_name(records: Sequence[DiscussionRecord]) -> str:
    """A log's file name without suffix; ``inspect view`` requires a time at the beginning."""
    started_at = min((record.started_at for record in records), default="1970-01-01T00:00:00")
    time = datetime.fromisoformat(started_at).strftime("%Y-%m-%dT%H-%M-%S+00-00")
    return f"{time}_discussions_{records[0].id[:8] if records else 'none'}"


def _status(records: Sequence[DiscussionRecord]) -> str:
    statuses = {record.status for record in records}
    if "failed" in statuses:
        return "error"
    return "success" if statuses <= {"finished"} else "cancelled"


def _models(records: Sequence[DiscussionRecord]) -> list[str]:
    return [
        entry.model
        for record in records
        for entry in record.entries
        if entry.is_prompted and entry.model != HARDCODED
    ]


def _usages(
    records: Sequence[DiscussionRecord], models: Sequence[str]
) -> dict[str, dict[str, int]]:
    """Token counts by model, where known."""
    usages = {model: _usage(records, model) for model in models}
    return {model: usage for model, usage in usages.items() if usage["total_tokens"]}


def _usage(records: Sequence[DiscussionRecord], model: str) -> dict[str, int]:
    tokens: dict[str, int] = defaultdict(int)
    for record in records:
        for entry in record.entries:
            if entry.is_prompted and entry.model == model:
                tokens["input_tokens"] += entry.prompt_tokens
                tokens["output_tokens"] += entry.completion_tokens
    total = sum(tokens.values())
    return {"input_tokens": 0, "output_tokens": 0, **tokens, "total_tokens": total}


def _sample(record: DiscussionRecord) -> dict[str, Any]:
    experiment = record.experiment
    metadata: dict[str, Any] = dict(experiment.cell) if experiment else {}
    setup = record.setup.model_dump(mode="json", exclude=record.setup.unused_fields)
    metadata |= {"discussion_id": record.id, "title": record.heading, "setup": setup}
    cell = ",".join(experiment.cell.values()) if experiment else ""
    sample: dict[str, Any] = {
        "id": cell or record.id,
        "epoch": experiment.repeat if experiment else 1,
        "input": record.setup.context,
        "target": "",
        "messages": [_message(entry) for entry in record.entries],
        "output": _output(record),
        "scores": {},
        "metadata": metadata,
    }
    if record.error:
        sample["error"] = {"message": record.error, "traceback": "", "traceback_ansi": ""}
    return sample


def _message(entry: Message) -> dict[str, Any]:
    text = f"{entry.name}: {entry.text}" if entry.text else f"{entry.name} stays silent."
    metadata: dict[str, Any] = {"name": entry.name, "role": entry.role, "turn": entry.turn}
    metadata |= {"is_silence": True} if entry.is_silence else {}
    if not entry.is_prompted:
        return {"role": "user", "content": text, "metadata": metadata}
    metadata |= {"reasoning": entry.reasoning} if entry.reasoning else {}
    return {
        "role": "assistant",
        "content": text,
        "source": "generate",
        "model": entry.model,
        "metadata": metadata,
    }


def _output(record: DiscussionRecord) -> dict[str, Any]:
    """The last reply."""
    replies = [entry for entry in record.messages if entry.is_prompted]
    if not replies:
        return {"model": "none", "choices": []}
    last = replies[-1]
    stop_reason = "max_tokens" if last.finish_reason == "length" else "stop"
    choice = {"message": _message(last), "stop_reason": stop_reason}
    return {"model": last.model, "choices": [choice], "usage": _usage([record], last.model)}
