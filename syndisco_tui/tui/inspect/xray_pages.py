"""What the X-ray of a message shows, as lines for a width. All foreign text is made safe here."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from textual.content import Content

from ...analysis.text_diff import diff
from ...discussion import ChatMessage, DiscussionSetup, Message, RebuiltRequest
from ...engine.base import RenderedPrompt
from ...text import one_line, safe
from ..shell.local_time import date_and_time
from ..widgets.charts import heading, rows, wrapped

_ENDINGS = {
    "stop": "stop",
    "length": "length (token limit reached)",
    "cancelled": "cancelled",
    None: "",
}
_STYLES = {"same": "", "removed": "strike $error", "added": "$success"}


def figures(message: Message, setup: DiscussionSetup | None) -> list[tuple[str, str]]:
    """The message in numbers: label and value, without those that the record does not have."""
    pairs = [("model", one_line(message.model, 60))]
    if setup:
        own = setup.with_model_of(message.name)
        pairs.append(("server", one_line(", ".join(own.server), 80)))
        pairs += [
            ("temperature", f"{setup.temperature:g}"),
            ("top-p", f"{setup.top_p:g}"),
            ("top-k", f"{setup.top_k}"),
            ("repetition penalty", f"{setup.repetition_penalty:g}"),
        ]
    pairs.append(("seed", "" if message.seed is None else str(message.seed)))
    if message.is_prompted:
        pairs.append(("attempt", str(message.attempt + 1)))
    pairs.append(("prompt", _tokens(message.prompt_tokens)))
    at_most = f" of {setup.max_out_tokens}" if setup and message.completion_tokens else ""
    pairs.append(("reply", _tokens(message.completion_tokens, at_most)))
    pairs.append(("reasoning", _tokens(message.reasoning_tokens)))
    pairs.append(("finish reason", _ENDINGS[message.finish_reason]))
    if message.seconds:
        speed = message.completion_tokens / message.seconds
        pairs.append(("time", f"{message.seconds:.1f} s, {speed:.0f} tok/s"))
    pairs.append(("finished", date_and_time(message.created_at)))
    return [pair for pair in pairs if pair[1]]


def figure_lines(pairs: list[tuple[str, str]], width: int) -> list[Content]:
    """The figures in a column."""
    return rows(((label, Content(safe(value))) for label, value in pairs), width)


def figure_flow(pairs: list[tuple[str, str]], width: int) -> list[Content]:
    """The figures one after the other, for where there is no room for a column."""
    lines: list[Content] = []
    line = Content("")
    for label, value in pairs:
        part = Content.assemble(Content.styled(f"{label} ", "$quiet"), value)
        if line and line.cell_length + 3 + part.cell_length > width:
            lines.append(line)
            line = Content("")
        line = Content.assemble(line, "   ", part) if line else part
    return [*lines, line]


def chat_lines(chat: tuple[ChatMessage, ...], width: int) -> list[Content]:
    """Every turn of the prompt; the system prompt by its fields."""
    lines: list[Content] = []
    for turn in chat:
        lines.append(heading(turn.role))
        lines += (
            _system(turn.content, width) if turn.role == "system" else _text(turn.content, width)
        )
        lines.append(Content(""))
    return lines[:-1]


def raw_lines(prompt: RenderedPrompt, message: Message, width: int) -> list[Content]:
    """The prompt as the model reads it, control tokens in colour."""
    parts = [
        Content.styled(safe(text), "bold $accent") if is_control else Content(safe(text))
        for text, is_control in prompt.parts
    ]
    lines: list[Content] = []
    if prompt.tokens and message.prompt_tokens and message.prompt_tokens != prompt.tokens:
        note = f"The file says {message.prompt_tokens} tokens: it had another model or template."
        lines = [*wrapped(Content.styled(note, "$warning"), width), Content("")]
    return [*lines, *wrapped(Content.assemble(*parts), width)]


def reply_lines(message: Message, width: int) -> list[Content]:
    """The model's reply, with what the guard removed struck through."""
    if not message.is_prompted:
        return [heading("message"), *_text(message.text, width)]
    posted = message.text if message.original_text is None else message.original_text
    lines = [heading("reply", "posted unchanged"), *_text(posted, width)]
    if message.raw_text is not None:
        note = "the guard removed what is struck through"
        note += "" if posted else "; a silence"
        lines = _changed("reply", note, message.raw_text, posted, width)
    if message.reasoning:
        note = f"{message.reasoning_tokens} tokens, quoted to nobody"
        lines = [heading("reasoning", note), *_text(message.reasoning, width), Content(""), *lines]
    for remark in (*message.mark_labels, *message.notes):
        lines += wrapped(Content.styled(one_line(remark, 120), "$warning"), width)
    if message.is_edited:
        edited = _changed("edited", "by a person", posted, message.text, width)
        lines += [Content(""), *edited]
    return lines


def _changed(title: str, note: str, before: str, after: str, width: int) -> list[Content]:
    """A changed text: what was removed struck through, what was added in colour."""
    parts = [Content.styled(safe(text), _STYLES[kind]) for kind, text in diff(before, after)]
    remark = wrapped(Content.styled(note, "$quiet"), width)
    return [heading(title), *remark, *wrapped(Content.assemble(*parts), width)]


def history_lines(request: RebuiltRequest, width: int, colours: dict[str, str]) -> list[Content]:
    """The messages that the prompt quotes, a line each."""
    entries, window = request.request.entries, request.window
    length = request.setup.history_context_len
    limit = "no limit" if length is None else f"{length} at most"
    lines = [heading("history", f"{len(window)} of {len(entries)} messages, {limit}")]
    for index in window:
        entry = entries[index]
        name = one_line(entry.name, 40)
        text = Content.assemble(
            Content.styled(f"{index + 1:>4}  ", "$quiet"),
            Content.styled(name, colours.get(name, "")),
            f"  {one_line(entry.text, 200)}",
        )
        lines.append(text.truncate(max(1, width), ellipsis=True))
    return lines


def server_lines(engine: Mapping[str, Any], width: int) -> list[Content]:
    """The known facts about a message's server, from the file's ``engine``."""
    facts = engine.get("server_facts")
    if not isinstance(facts, list) or not facts:
        return []
    lines = [heading("server", one_line(str(engine.get("server", "")), 80))]
    for fact in facts:
        lines += wrapped(Content(one_line(str(fact), 200)), width)
    return lines


def stop_lines(request: RebuiltRequest, width: int) -> list[Content]:
    """The texts that end a reply."""
    stops = Content("   ").join(
        Content.styled(json.dumps(one_line(text.replace("\n", "⏎"), 80), ensure_ascii=False), "")
        for text in request.request.stop
    )
    return [heading("stop sequences"), *wrapped(stops, width)] if request.request.stop else []


def _system(content: str, width: int) -> list[Content]:
    try:
        fields = json.loads(content)
    except (ValueError, RecursionError):
        fields = None
    if not isinstance(fields, dict):
        return _text(content, width)
    pairs: list[tuple[str, Content]] = []
    for key, value in fields.items():
        if isinstance(value, dict):
            pairs += [(one_line(str(key), 60), Content("")), *_pairs(value, "  ")]
        else:
            pairs += _pairs({key: value})
    return rows(pairs, width)


def _pairs(fields: dict[str, Any], indent: str = "") -> Iterator[tuple[str, Content]]:
    for key, value in fields.items():
        yield f"{indent}{one_line(str(key), 60)}", Content(safe(_value(value)))


def _value(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False)


def _text(text: str, width: int) -> list[Content]:
    return wrapped(Content(safe(text)), width)


def _tokens(count: int, more: str = "") -> str:
    return f"{count}{more} tokens" if count else ""
