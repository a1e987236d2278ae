"""What servers in the wild really send, as their users report it, and what becomes of it."""

from __future__ import annotations

import json
import time
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from syndisco_tui.engine.base import EngineError, Generation, ModelUnavailable, Waiting
from syndisco_tui.engine.server.event_reader import EventReader
from syndisco_tui.engine.server.reply import StreamedReply
from tests.support.opened_servers import Opened, always, first, request
from tests.support.scripted_server import Answer, Raw, Refused


def chunk(delta: Any, finish: Any = None, **more: Any) -> dict[str, Any]:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    return {"id": "1", "object": "chat.completion.chunk", "choices": [choice], **more}


NO, WAY = chunk({"content": "No"}), chunk({"content": " way."})
STOP, DONE = chunk({}, "stop"), b"data: [DONE]\n\n"
USAGE = {"prompt_tokens": 20, "completion_tokens": 2, "total_tokens": 22}
BODY = {
    "object": "chat.completion",
    "choices": [{"message": {"role": "assistant", "content": "No way."}, "finish_reason": "stop"}],
    "usage": USAGE,
}


def data(event: Any) -> bytes:
    return b"data: " + json.dumps(event).encode()


SPEAK = {
    "a first chunk with nothing but the role": (chunk({"role": "assistant"}), NO, WAY, STOP, DONE),
    "role and content null": (chunk({"role": None, "content": None}), NO, WAY, STOP, DONE),
    "choices null": ({"choices": None}, NO, {"choices": None, "usage": None}, WAY, STOP, DONE),
    "a first chunk about the filter, without choices": (
        {"choices": [], "prompt_filter_results": [{}]}, NO, WAY, STOP, DONE,
    ),
    "no [DONE]": (NO, WAY, STOP),
    "a finish reason of \"\" in every chunk": (
        chunk({"content": "No"}, ""), chunk({"content": " way."}, ""), STOP, DONE,
    ),
    "a finish reason in every chunk": (
        chunk({"content": "No"}, "stop"), chunk({"content": " way."}, "stop"), DONE,
    ),
    "no finish reason but usage": (NO, WAY, {"choices": [], "usage": USAGE}, DONE),
    "the last chunk twice": (NO, chunk({"content": " way."}, "stop"),
                             chunk({"content": " way."}, "stop"), DONE),
    "the last chunk holds all of the reply once more": (
        NO, WAY, STOP, chunk({"content": "No way."}, "stop"), DONE,
    ),
    "the last chunk has the whole message instead of a delta": (
        NO, WAY, {"choices": [{"message": {"content": "No way."}, "finish_reason": "stop"}]}, DONE,
    ),
    "ids, model and time change on the way": (
        {**NO, "id": "a", "model": "x"}, {**WAY, "id": "b", "model": None, "created": -1}, STOP,
    ),
    "usage in every chunk": ({**NO, "usage": USAGE}, {**WAY, "usage": USAGE}, STOP, DONE),
    "comments to keep the line open": (
        b": OPENROUTER PROCESSING\n\n", NO, b":\n\n", WAY, b"event: ping\n\n", STOP, DONE,
    ),
    "empty events": (b"data:\n\n", NO, b"data: \n\n", WAY, STOP, DONE),
    "lines ended by CR and LF": (
        b"\r\n".join([data(NO), b"", data(WAY), b"", data(STOP), b"", b"data: [DONE]", b"", b""]),
    ),
    "no empty lines between events": (b"\n".join([*map(data, (NO, WAY, STOP)), b"data: [DONE]"]),),
    "no space after data:": (b"data:" + json.dumps(NO).encode() + b"\n\n", WAY, STOP, DONE),
    "objects without data:": (b"\n".join(json.dumps(each).encode() for each in (NO, WAY, STOP)),),
    "one object over several lines of an event": (
        b'data: {"choices": [{"index": 0,\ndata: "delta": {"content": "No"}}]}\n\n', WAY, STOP,
    ),
    "an event cut within a letter": (
        data(chunk({"content": "No"})) + b"\n\ndata: " + b'{"choices": [{"delta": {"content": " w',
        b'ay."}}]}\n\n', STOP, DONE,
    ),
    "more after [DONE]": (NO, WAY, STOP, DONE, chunk({"content": "!!"})),
    "a second choice": (
        NO, {"choices": [{"index": 1, "delta": {"content": "Yes"}}]}, WAY, STOP, DONE,
    ),
    "a list of parts": (
        chunk({"content": [{"type": "text", "text": "No"}]}),
        chunk({"content": [{"type": "reference"}, {"type": "text", "text": " way."}]}),
        STOP,
    ),
    "a log line among the events": (NO, b"INFO: 127.0.0.1 POST\n\n", WAY, STOP, DONE),
    "the whole body in one event": (BODY, DONE),
    "logprobs and other fields of all types": (
        chunk({"content": "No", "role": 7, "annotations": "x"}, None, service_tier=3), WAY, STOP,
    ),
    "an end at the limit called max_tokens": (NO, WAY, chunk({}, "max_tokens"), DONE),
}  # fmt: skip


@pytest.mark.parametrize("pieces", SPEAK.values(), ids=SPEAK)
def test_it_is_read_all_the_same(serve: Any, pieces: Any) -> None:
    at = serve(always(Raw(pieces)))
    at.open()
    result = at.reply()
    assert (result.text, at.told, result.notes) == ("No way.", "No way.", ())
    assert result.completion_tokens in (1, 2)
    assert len(at.servers[0].requests) == 1


def test_a_server_that_does_not_stream(serve: Any) -> None:
    at = serve(always(Raw([json.dumps(BODY).encode()], "application/json")))
    at.open()
    assert (at.reply().text, at.reply().prompt_tokens) == ("No way.", 20)
    at = serve(always(Raw([json.dumps(BODY, indent=2).encode()], "application/json")))
    at.open()
    assert at.reply().text == "No way."


def test_thoughts_in_parts_of_the_content(serve: Any) -> None:
    thought = [{"type": "thinking", "thinking": [{"type": "text", "text": "I should be rude."}]}]
    at = serve(always(Raw([chunk({"content": thought}), NO, WAY, STOP, DONE])))
    at.open()
    result = at.reply()
    assert (result.text, result.reasoning, at.told) == ("No way.", "I should be rude.", "No way.")


def test_an_emoji_cut_into_surrogates(serve: Any) -> None:
    halves = [b'data: {"choices": [{"delta": {"content": "Hi \\ud83d"}}]}\n\n',
              b'data: {"choices": [{"delta": {"content": "\\ude00!"}}]}\n\n']  # fmt: skip
    at = serve(always(Raw([*halves, STOP, DONE])))
    at.open()
    assert (at.reply().text, at.told) == ("Hi \N{GRINNING FACE}!", "Hi \N{GRINNING FACE}!")
    for pieces, text in (([halves[0]], "Hi \ufffd"), ([halves[1]], "\ufffd!")):
        at = serve(always(Raw([*pieces, STOP, DONE])))
        at.open()
        assert (at.reply().text, at.told) == (text, text)


def test_bytes_that_are_not_utf_8(serve: Any) -> None:
    at = serve(always(Raw([b'data: {"choices": [{"delta": {"content": "caf\xe9"}}]}\n\n', STOP])))
    at.open()
    assert at.reply().text == "caf\ufffd"


def test_what_cannot_be_read_is_noted(serve: Any) -> None:
    at = serve(always(Raw([NO, b'data: {"choices": [{"delta": {"cont\n\n', WAY, STOP, DONE])))
    at.open()
    result = at.reply()
    assert result.text == "No way."
    assert result.notes == ("1 pieces of the server's stream could not be read",)


@pytest.mark.parametrize("number", [-5, 10**15, 1.5, "20", True, None, [3]])
def test_counts_that_are_none(serve: Any, number: Any) -> None:
    details = {"reasoning_tokens": number}
    usage = {"prompt_tokens": number, "completion_tokens": number, "prompt_tokens_details": number}
    usage["completion_tokens_details"] = details
    at = serve(always(Raw([NO, WAY, STOP, {"choices": [], "usage": usage}, DONE])))
    at.open()
    result = at.reply()
    assert (result.prompt_tokens, result.completion_tokens, result.reasoning_tokens) == (0, 2, 0)


def test_a_tool_call_instead_of_words(serve: Any) -> None:
    call = {"tool_calls": [{"index": 0, "function": {"name": "post", "arguments": "{}"}}]}
    at = serve(always(Raw([chunk(call), chunk({}, "tool_calls"), DONE])))
    at.open()
    result = at.reply()
    assert (result.text, result.notes) == ("", ("the model called a tool instead of answering",))


def test_a_filter_that_cuts_is_noted(serve: Any) -> None:
    at = serve(always(Raw([NO, WAY, chunk({}, "content_filter"), DONE])))
    at.open()
    assert at.reply().notes == ("the server's content filter cut the reply",)


ERRORS = {
    "vLLM": {"error": {"message": "CUDA error", "type": "InternalServerError", "code": 500}},
    "a text": {"error": "CUDA error"},
    "vLLM of old": {"object": "error", "message": "CUDA error", "code": 500},
    "FastAPI": {"detail": "CUDA error"},
    "OpenRouter": {**chunk({}, "error"), "error": {"message": "CUDA error", "code": 502}},
}  # fmt: skip


@pytest.mark.parametrize("error", ERRORS.values(), ids=ERRORS)
def test_an_error_in_a_stream_is_no_speech_and_the_reply_is_asked_for_again(
    serve: Any, error: Any
) -> None:
    whole = Raw([NO, WAY, STOP, DONE])
    at = serve(first(whole, Raw([NO, error, DONE]), whole))
    at.open()
    at.reply()
    assert (at.reply().text, at.told) == ("No way.", "No way.")
    assert any(
        "ended its reply early" in each.reason or "failed" in each.reason for each in waits(at)
    )


def waits(at: Opened) -> list[Waiting]:
    return [event for event in at.events if isinstance(event, Waiting)]


@pytest.mark.parametrize("reason", ["error", "abort", "insufficient_system_resource"])
def test_an_end_that_the_server_regrets_is_no_end(serve: Any, reason: str) -> None:
    at = serve(first(Raw([NO, chunk({}, reason), DONE]), Raw([NO, WAY, STOP, DONE])))
    at.open()
    assert (at.reply().text, at.told) == ("No way.", "No way.")


@pytest.mark.parametrize("piece", [b"", b"\n", b": ping\n\n", DONE])
def test_headers_and_then_nothing(serve: Any, piece: bytes) -> None:
    for breaks in (True, False):
        at = serve(first(Raw([piece] if piece else [], breaks=breaks), Raw([NO, WAY, STOP, DONE])))
        at.open()
        assert at.reply().text == "No way."


def test_a_refusal_within_a_stream_teaches_as_well(serve: Any) -> None:
    def script(body: dict[str, Any], number: int) -> Any:
        error = {"message": "top_k is not supported", "code": 400}
        return Raw([{"error": error}, DONE]) if "top_k" in body else Raw([NO, WAY, STOP, DONE])

    at = serve(script)
    at.open()
    assert at.reply().text == "No way."
    assert at.engine.info.left_out == ("top_k",)


def test_many_that_are_refused_at_once_all_learn(serve: Any) -> None:
    def script(body: dict[str, Any], number: int) -> Any:
        extra = {"top_k", "repetition_penalty"}.intersection(body)
        message = f"Unexpected fields in the request: {extra}"
        return Refused(422, message) if extra else Answer()

    at = serve(script)
    at.open()
    generations = [at.engine.submit(request(seed=n)) for n in range(8)]
    assert {each.result(timeout=20).text for each in generations} == {"Hello there."}
    assert set(at.engine.info.left_out) == {"top_k", "repetition_penalty"}


def test_busy_within_a_stream_is_busy(serve: Any) -> None:
    busy = {"error": {"message": "Rate limit", "code": 429}}
    at = serve(first(Raw([busy, DONE]), Raw([NO, WAY, STOP, DONE])))
    at.open()
    assert at.reply().text == "No way."
    assert "is busy (429)" in waits(at)[0].reason


@pytest.mark.parametrize("status", [408, 409, 425])
def test_what_passes_is_asked_for_again(serve: Any, status: int) -> None:
    at = serve(first(Refused(status, "try again"), Answer()))
    at.open()
    assert at.reply().text == "Hello there."


@pytest.mark.parametrize("status", [502, 503, 504, 529])
def test_a_gateway_s_web_page(serve: Any, status: int) -> None:
    page = f"<html>\n<head><title>{status} Bad Gateway</title></head><body>nginx</body></html>"
    headers = {"content-type": "text/html", "retry-after": "0.1"}
    at = serve(first(Refused(status, body=page, headers=headers), Answer()))
    at.open()
    assert at.reply().text == "Hello there."
    assert f"is busy ({status})" in waits(at)[0].reason
    at = serve(always(Refused(403, body="<!DOCTYPE html><title>Blocked</title><p>x</p>")))
    at.open()
    with pytest.raises(EngineError, match=r"\(403\): Blocked$"):
        at.reply()


def test_a_login_page_is_said_at_once(serve: Any) -> None:
    at = serve(always(Raw([b"<html><title>Sign in</title></html>"], "text/html; charset=utf-8")))
    at.open()
    with pytest.raises(EngineError, match="answered with a web page instead of a reply"):
        at.reply()
    assert len(at.servers[0].requests) == 1


def test_a_time_in_retry_after(serve: Any) -> None:
    at = serve(
        lambda body, number: Answer() if number else
        Refused(429, headers={"retry-after": formatdate(time.time() + 2, usegmt=True)})
    )  # fmt: skip
    at.open()
    started = time.monotonic()
    assert at.reply().text == "Hello there."
    assert 0.5 < time.monotonic() - started < 4


@pytest.mark.parametrize("value", ["soon", "nan", "-3", "Thu, 99 Foo 2026"])
def test_a_retry_after_that_says_nothing(serve: Any, value: str) -> None:
    at = serve(first(Refused(429, headers={"retry-after": value}), Answer()))
    at.open()
    assert at.reply().text == "Hello there."


@pytest.mark.parametrize(
    "body",
    ["", "null", "[]", '"busy"', "{", {"error": None}, {"error": []}, {"message": 5},
     {"error": "x"}, [{"error": {"code": 400, "message": "x", "status": "INVALID_ARGUMENT"}}]],
)  # fmt: skip
def test_errors_of_any_shape(serve: Any, body: Any) -> None:
    at = serve(always(Refused(400, body=body)))
    at.open()
    with pytest.raises(EngineError, match=r"refused the request \(400\): \S"):
        at.reply()


def test_money_that_is_due(serve: Any) -> None:
    at = serve(always(Refused(402, "Insufficient Balance")))
    at.open()
    with pytest.raises(ModelUnavailable, match=r"requires payment \(402\): Insufficient"):
        at.reply()


def test_sglang_s_words_for_a_prompt_that_is_too_long(serve: Any) -> None:
    message = "The input (1203 tokens) is longer than the model's context length (1024 tokens)."
    at = serve(always(Refused(400, message)))
    at.open()
    with pytest.raises(EngineError, match=r"1,203 tokens .* takes 1,024\."):
        at.reply()


class TestEngineThatDied:
    """As vLLM's does on a request that its engine cannot stand."""

    def test_it_is_said_once_for_all_and_not_stormed(self, serve: Any) -> None:
        at = serve(always(Refused(500, "EngineCore encountered an issue.")), max_concurrent=64)
        at.open()
        generations = [at.engine.submit(request(seed=n)) for n in range(200)]
        said = set()
        for each in generations:
            with pytest.raises(ModelUnavailable) as caught:
                each.result(timeout=30)
            said.add(str(caught.value))
        assert said == {
            f"{at.servers[0].url} returned an error (500): EngineCore encountered an issue."
        }
        assert len(at.servers[0].requests) < 200

    def test_a_server_that_is_gone_is_waited_for_by_one_request_at_a_time(self, serve: Any) -> None:
        at = serve(always(Answer(delay=0.02)), max_concurrent=32, patience=60)
        at.open()
        at.servers[0].stop()
        events: list[Any] = []
        generations = [at.engine.submit(request(seed=n), events.append) for n in range(64)]
        time.sleep(3)
        reasons = {event.reason for event in events if isinstance(event, Waiting)}
        assert reasons == {f"{at.servers[0].url} does not answer"}
        assert sum(isinstance(event, Waiting) for event in events) < 64
        at.servers[0].start()
        assert {each.result(timeout=20).text for each in generations} == {"Hello there."}
        assert len(at.servers[0].requests) == 64

    def test_patience_ends(self, serve: Any) -> None:
        at = serve(always(Answer()), patience=1.0)
        at.open()
        at.servers[0].stop()
        generations = [at.engine.submit(request(seed=n)) for n in range(8)]
        for each in generations:
            with pytest.raises(ModelUnavailable, match="Could not connect to"):
                each.result(timeout=20)
        at.servers[0].start()
        assert at.reply().text == "Hello there."

    def test_one_of_two_that_only_fails_is_left_out(self, serve: Any) -> None:
        at = serve(always(Refused(401, "no")), always(Answer(("b",))))
        at.open()
        assert {at.reply(conversation=str(n)).text for n in range(8)} == {"b"}
        assert len(at.servers[0].requests) == 1

    def test_one_that_is_dead_when_opened_is_left_out_and_said(self, serve: Any) -> None:
        at = serve(always(Answer(("a",))), always(Answer(("b",))))
        at.servers[0].stop()
        info = at.open()
        assert info.server == at.servers[1].url
        assert at.servers[0].url in info.unusable[0]
        at.servers[0].start()


PIECES = [*map(data, (NO, WAY, STOP)), b"", b"\n", b"\n\n", b"data: [DONE]", b": x", b"data", b"{"]


@given(st.lists(st.sampled_from(PIECES) | st.binary(max_size=12), max_size=12), st.integers(1, 7))
def test_whatever_comes_is_read_the_same_however_it_is_cut(pieces: list[bytes], size: int) -> None:
    sent = b"\n".join(pieces)
    whole, cut = EventReader(), EventReader()
    objects = whole.feed(sent) + whole.finish()
    parts = [sent[start : start + size] for start in range(0, len(sent), size)]
    assert [each for part in parts for each in cut.feed(part)] + cut.finish() == objects
    assert (cut.unreadable, cut.is_done) == (whole.unreadable, whole.is_done)


NAMES = "choices delta content index usage finish_reason message reasoning tool_calls text type"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(NAMES.split()), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(st.lists(st.dictionaries(st.sampled_from(["choices", "usage", "error"]), JSON), max_size=6))
def test_no_object_breaks_a_reply(chunks: list[dict[str, Any]]) -> None:
    reply = StreamedReply(Generation(request(), lambda event: None), False, False)
    for each in chunks:
        reply.take(each)
    result = reply.end()
    result.text.encode()
    assert result.completion_tokens >= 0
