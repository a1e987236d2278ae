"""What can go wrong with a server, as one sentence each, and whether trying again may help."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from typing import Any

from openai import APIConnectionError, APIError, APIStatusError, APITimeoutError

from ...text import without_credentials
from .capabilities import Refusal

BUSY = (429, 502, 503, 504, 529)
"""Statuses of a server that may take the same request later."""
PASSING = (408, 409, 425)
"""Statuses of a request that may be made again at once."""
UNUSABLE = (401, 402, 403, 404)
"""Statuses of a server that takes no request with this key and model."""
MAX_WAIT = 600.0
"""Seconds that a server is left alone at most, whatever it asks for."""
MAX_MESSAGE = 300
"""A server's own message is cut after so many characters."""


def refusal(error: APIError) -> Refusal:
    """What a server's error says, whatever its layout."""
    body: Any = error.body
    if isinstance(body, list) and len(body) == 1:  # Google's
        body = body[0]
    if isinstance(body, dict) and isinstance(body.get("error"), dict):
        body = body["error"]
    status = error.status_code if isinstance(error, APIStatusError) else _status_in(body)
    message, parameter, code = "", "", ""
    if isinstance(body, dict):
        message = _text(body.get("message") or body.get("error") or body.get("detail"))
        parameter = _text(body.get("param"))
        code = _text(body.get("code"))
        parameter = parameter or _parameter_in_detail(body.get("detail"))
    elif isinstance(body, str):
        message = body
    return Refusal(status, _without_markup(message or error.message), parameter, code)


def _status_in(body: object) -> int:
    """The HTTP status in an error within a stream; 0 without any."""
    if isinstance(body, dict):
        for name in ("code", "status", "status_code"):
            value = str(body.get(name))
            if value.isdecimal() and 400 <= int(value) < 600:
                return int(value)
    return 0


def _without_markup(message: str) -> str:
    """The text of an error, with a gateway's web page reduced to its title."""
    if not re.match(r"\s*<(!doctype|html|head|body)", message, re.IGNORECASE):
        return message
    title = re.search(r"<(title|h1)[^>]*>(.*?)</", message, re.IGNORECASE | re.DOTALL)
    return title[2].strip() if title else "a web page"


def _text(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else str(value)


def _parameter_in_detail(detail: object) -> str:
    """FastAPI's own errors name a field as ``loc: ["body", "top_k"]``."""
    if isinstance(detail, list) and detail and isinstance(detail[0], dict):
        location = detail[0].get("loc")
        if isinstance(location, list) and location:
            return str(location[-1])
    return ""


def seconds_to_wait(error: APIError, attempt: int) -> float:
    """How long the server asks to be left alone; else twice as long after every attempt.

    Args:
        error: What it answered.
        attempt: How often the request has been made, from 1 on.
    """
    headers: Any = error.response.headers if isinstance(error, APIStatusError) else {}
    asked = _number(headers.get("retry-after-ms"))
    if asked is not None:
        return min(MAX_WAIT, max(0.0, asked / 1000))
    value = headers.get("retry-after")
    asked = _number(value)
    if asked is None and value:
        try:
            asked = parsedate_to_datetime(value).timestamp() - time.time()
        except (ValueError, OverflowError):
            asked = None
    if asked is not None:
        return min(MAX_WAIT, max(0.0, asked))
    return float(min(30.0, 0.5 * 2 ** min(attempt, 10)))


def _number(value: str | None) -> float | None:
    try:
        number = None if value is None else float(value)
    except ValueError:
        return None
    return number if number is not None and math.isfinite(number) else None


def sentence(error: APIError, url: str, model: str, secrets: Sequence[str]) -> str:
    """``error`` in one sentence, with the URL and what to do, and without any of ``secrets``."""
    shown = without_credentials(url)
    if isinstance(error, APITimeoutError):
        return f"{shown} did not answer in time. It may be overloaded; press r to try again."
    if isinstance(error, APIConnectionError):
        return f"Could not connect to {shown}. Check that the server is running, or change the URL."
    status = refusal(error).status
    if status == 401:
        return (
            f"{shown} rejected the API key (401). Set the environment variable that "
            "settings name for it (key_env, by default OPENAI_API_KEY)."
        )
    if status == 402:
        return f"{shown} requires payment (402): {_said(error, secrets)}"
    if status == 403:
        return f"{shown} denied access to “{model}” with this key (403): {_said(error, secrets)}"
    if status == 404:
        return f"{shown} has no “{model}” (404): {_said(error, secrets)}"
    if status >= 500:
        return f"{shown} returned an error ({status}): {_said(error, secrets)}"
    if status:
        return f"{shown} refused the request ({status}): {_said(error, secrets)}"
    return f"{shown} ended its reply early: {_said(error, secrets)}"


def _said(error: APIError, secrets: Sequence[str]) -> str:
    """The server's message on one line, cut, without secrets."""
    message = re.sub(r"\s+", " ", refusal(error).message).strip()
    for secret in secrets:
        if len(secret) >= 4:
            message = message.replace(secret, "…")
    return message if len(message) <= MAX_MESSAGE else message[:MAX_MESSAGE] + "…"
