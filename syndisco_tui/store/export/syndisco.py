"""The two layouts that SynDisco itself writes, without anything of ours."""

from __future__ import annotations

import json
from typing import Any

from ...discussion import DiscussionRecord
from ..discussion_format import to_json

_KEYS_OF_2_0 = (
    "id",
    "timestamp",
    "users",
    "moderator",
    "user_prompts",
    "moderator_prompt",
    "ctx_length",
)


def as_2_0(record: DiscussionRecord) -> str:
    """SynDisco 2.0.1's export. Silences are left out, as there."""
    whole = to_json(record)
    logs = [_only(log, "name", "text", "model") for log in whole["logs"]]
    return _text({**_only(whole, *_KEYS_OF_2_0), "logs": logs})


def as_2_2(record: DiscussionRecord) -> str:
    """What SynDisco 2.2.1's ``Logs.export`` writes and its ``Logs.from_file`` reads."""
    whole = to_json(record)
    logs = [_only(log, "name", "text", "model", "prompt") for log in whole["logs"]]
    return _text({**_only(whole, "timestamp"), "logs": logs})


def _only(value: dict[str, Any], *keys: str) -> dict[str, Any]:
    return {key: value[key] for key in keys}


def _text(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, indent=4, allow_nan=False) + "\n"
