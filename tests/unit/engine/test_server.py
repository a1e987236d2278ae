"""The server engine against servers that behave, and against those that do not."""

from __future__ import annotations

import json
import time
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest

from syndisco_tui.discussion import ChatMessage
from syndisco_tui.engine.base import (
    Cancelled,
    Chunk,
    EngineError,
    GenerationRequest,
    Loaded,
    LoadFailed,
    Retracted,
    Sampling,
    Waiting,
)
from syndisco_tui.engine.model import ModelSpec
from tests.support.opened_servers import CHAT, KEY, Opened, always, first, request
from tests.support.scripted_server import Answer, Refused

TOO_LARGE_VLLM = (
    "'max_tokens' or 'max_completion_tokens' is too large: 1000. This model's maximum context "
    "length is 1000 tokens and your request has 203 input tokens (1000 > 1000 - 203)."
)
TOO_LARGE_OPENAI = (
    "This model's maximum context length is 1000 tokens. However, you requested 1203 tokens "
    "(203 in the messages, 1000 in the completion)."
)
TOO_LARGE_PROMPT = (
    "This model's maximum context length is 1000 tokens. However, your prompt contains 203 input "
    "tokens."
)


class TestReplies:
    def test_a_reply_streams_with_its_figures(self, serve: Any) -> None:
        usage = {"prompt_tokens": 20, "completion_tokens": 2, "total_tokens": 22}
        at = serve(always(Answer(("No", " way."), usage=usage)))
        info = at.open()
        assert (info.model, info.exact, info.path) == ("tiny", False, "server")
        assert info.server == at.servers[0].url
        at.reply()  # the first one shows what the model's template does
        result = at.reply(seed=7, stop=("\nUser",), sampling=Sampling(0.5, 0.9, 40, 1.2))
        assert (result.text, result.finish_reason, result.prompt_tokens) == ("No way.", "stop", 20)
        assert at.told == "No way."
        sent = at.servers[0].requests[-1]
        assert sent["messages"][0] == {"role": "system", "content": "You are Emma35."}
        assert (sent["seed"], sent["temperature"], sent["top_p"]) == (7, 0.5, 0.9)
        assert (sent["top_k"], sent["repetition_penalty"], sent["stop"]) == (40, 1.2, ["\nUser"])
        assert sent["max_tokens"] == 100
        assert at.servers[0].headers[-1]["authorization"].casefold() == f"bearer {KEY}"

    def test_cancelled_within_a_chunk(self, serve: Any) -> None:
        at = serve(always(Answer([f"word{n} " for n in range(1000)], delay=0.02)))
        at.open()
        generation = at.ask()
        while not at.servers[0].in_flight:
            time.sleep(0.01)
        time.sleep(0.2)
        generation.cancel()
        started = time.monotonic()
        result = generation.result(timeout=5)
        assert time.monotonic() - started < 0.3
        assert result.finish_reason == "cancelled"
        assert "word0" in result.text
        until = time.monotonic() + 5
        while at.servers[0].in_flight and time.monotonic() < until:
            time.sleep(0.02)
        assert not at.servers[0].in_flight, "the server is left alone at once"

    def test_many_at_once_on_one_thread_and_no_more_than_allowed(self, serve: Any) -> None:
        import threading

        at = serve(always(Answer(("a", "b"), delay=0.02)), max_concurrent=8)
        at.open()
        before = threading.active_count()
        generations = [at.engine.submit(request(seed=n), lambda event: None) for n in range(64)]
        assert threading.active_count() == before
        assert {each.result(timeout=20).text for each in generations} == {"ab"}
        assert at.servers[0].most_in_flight == 8

    def test_closing_ends_replies_with_a_sentence(self, serve: Any) -> None:
        at = serve(always(Answer(["a"] * 500, delay=0.05)))
        at.open()
        generation = at.ask()
        time.sleep(0.2)
        at.engine.close()
        with pytest.raises(EngineError, match="closed before"):
            generation.result(timeout=1)


class TestReasoning:
    def test_in_a_field_of_its_own(self, serve: Any) -> None:
        for name in ("reasoning_content", "reasoning"):
            at = serve(always(Answer([{name: "I should "}, {name: "be rude."}, "No way."])))
            at.open()
            result = at.reply()
            assert (result.text, result.reasoning) == ("No way.", "I should be rude.")
            assert result.reasoning_tokens == 2

    def test_in_tags_cut_anywhere(self, serve: Any) -> None:
        at = serve(always(Answer(list("<think>\nrude</think>\n\nNo way."))))
        at.open()
        at.reply()
        result = at.reply()
        assert (result.text, result.reasoning) == ("No way.", "\nrude")
        assert at.told == "No way."

    def test_a_tag_that_the_template_opens_never_shows_a_thought(
        self, serve: Any, tmp_path: Path
    ) -> None:
        known = tmp_path / "servers.json"
        at = serve(
            always(Answer(["I should ", "be rude.", "</think>", "No", " way."], delay=0.02)),
            known=known,
        )
        at.open()
        for _ in range(2):
            result = at.reply()
            assert (result.text, result.reasoning) == ("No way.", "I should be rude.")
            chunks = [event.text for event in at.events if isinstance(event, Chunk)]
            assert "".join(chunks) == "No way."
            assert not any(isinstance(event, Retracted) for event in at.events)
        assert [text for text in chunks if text] == ["No", " way."], "the second one streams"
        assert json.loads(known.read_text())[at.servers[0].url]["tiny"]["opens_reasoning"] is True

    def test_all_tokens_spent_on_thinking(self, serve: Any) -> None:
        zero = {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}
        deltas = [{"content": None, "reasoning": "hm "}] * 5
        at = serve(always(Answer(deltas, finish="length", usage=zero)))
        at.open()
        result = at.reply()
        assert (result.text, result.finish_reason, result.reasoning) == ("", "length", "hm " * 5)
        assert result.completion_tokens == 5

    def test_switched_off_and_on(self, serve: Any) -> None:
        at = serve(always(Answer()))
        at.open()
        at.reply(reasoning="off")
        at.reply(reasoning="on", reasoning_effort="low", max_reasoning_tokens=50)
        off, on = at.servers[0].requests
        assert off["chat_template_kwargs"] == {"enable_thinking": False, "thinking": False}
        assert on["chat_template_kwargs"]["enable_thinking"] is True
        assert (on["reasoning_effort"], on["max_tokens"]) == ("low", 150)


class TestRefusals:
    @pytest.mark.parametrize(
        ("parameter", "error"),
        [
            ("temperature", {"message": "Unsupported value: 'temperature' does not support 0.8. "
                             "Only the default (1) value is supported.", "param": "temperature"}),
            ("seed", {"message": "seed is not supported", "param": "seed"}),
            ("top_k", {"message": "Unrecognized request argument supplied: top_k"}),
            ("top_k", {"message": "Unknown parameter: 'top_k'.", "code": "unknown_parameter"}),
            ("repetition_penalty", {"message": "property 'repetition_penalty' is unsupported"}),
            ("stream_options", {"message": "Extra inputs are not permitted: stream_options"}),
        ],
    )  # fmt: skip
    def test_a_parameter_that_is_refused_is_left_out_once_and_remembered(
        self, serve: Any, tmp_path: Path, parameter: str, error: dict[str, str]
    ) -> None:
        def script(body: dict[str, Any], number: int) -> Answer | Refused:
            return Refused(400, body={"error": error}) if parameter in body else Answer()

        known = tmp_path / "servers.json"
        at = serve(script, known=known)
        at.open()
        assert at.reply().text == "Hello there."
        assert at.reply().text == "Hello there."
        assert [parameter in each for each in at.servers[0].requests] == [True, False, False]
        assert at.engine.info.left_out == (parameter,)
        again = Opened(at.servers, known)
        try:
            assert again.open().left_out == (parameter,)
            again.reply()
            assert parameter not in at.servers[0].requests[-1]
        finally:
            again.engine.close()

    def test_fastapi_s_way_of_naming_a_field(self, serve: Any) -> None:
        def script(body: dict[str, Any], number: int) -> Answer | Refused:
            detail = [{"type": "extra_forbidden", "loc": ["body", "top_k"],
                       "msg": "Extra inputs are not permitted"}]  # fmt: skip
            return Refused(422, body={"detail": detail}) if "top_k" in body else Answer()

        at = serve(script)
        at.open()
        assert at.reply().text == "Hello there."

    def test_another_name_for_the_limit(self, serve: Any) -> None:
        def script(body: dict[str, Any], number: int) -> Answer | Refused:
            if "max_tokens" not in body:
                return Answer()
            message = ("Unsupported parameter: 'max_tokens' is not supported with this model. "
                       "Use 'max_completion_tokens' instead.")  # fmt: skip
            error = {"message": message, "param": "max_tokens", "code": "unsupported_parameter"}
            return Refused(400, body={"error": error})

        at = serve(script)
        at.open()
        at.reply()
        assert at.servers[0].requests[-1]["max_completion_tokens"] == 100

    @pytest.mark.parametrize(
        "message",
        ["System role not supported", "Only user and assistant roles are supported!",
         "system messages are not allowed for this model"],
    )  # fmt: skip
    @pytest.mark.parametrize("status", [400, 500])
    def test_no_system_role(self, serve: Any, status: int, message: str) -> None:
        def script(body: dict[str, Any], number: int) -> Answer | Refused:
            roles = [each["role"] for each in body["messages"]]
            return Refused(status, message) if "system" in roles else Answer()

        at = serve(script)
        at.open()
        at.reply()
        sent = at.servers[0].requests[-1]["messages"]
        assert sent == [
            {"role": "user", "content": "You are Emma35.\n\nUser Giannis posted:\nHello."}
        ]

    def test_roles_that_must_alternate(self, serve: Any) -> None:
        def script(body: dict[str, Any], number: int) -> Answer | Refused:
            roles = [each["role"] for each in body["messages"] if each["role"] != "system"]
            wanted = ["user", "assistant"] * len(roles)
            if roles != wanted[: len(roles)] or roles[-1] != "user":
                return Refused(400, "Conversation roles must alternate user/assistant/user/…")
            return Answer()

        at = serve(script)
        at.open()
        chat = (*CHAT, ChatMessage("user", "B"), ChatMessage("assistant", "C"))
        generation = at.engine.submit(GenerationRequest(chat, 100))
        assert generation.result(timeout=10).text == "Hello there."
        roles = [each["role"] for each in at.servers[0].requests[-1]["messages"]]
        assert roles == ["system", "user", "assistant", "user"]

    @pytest.mark.parametrize(
        "message",
        [
            TOO_LARGE_VLLM,
            TOO_LARGE_OPENAI,
            TOO_LARGE_PROMPT,
        ],
    )
    def test_a_reply_that_does_not_fit_is_shortened_once(self, serve: Any, message: str) -> None:
        def script(body: dict[str, Any], number: int) -> Answer | Refused:
            return Answer() if body["max_tokens"] <= 797 else Refused(400, message)

        at = serve(script)
        at.open()
        result = at.reply(max_out_tokens=1000)
        assert result.text == "Hello there."
        assert result.notes == ("there was room for 796 tokens only",)
        assert len(at.servers[0].requests) == 2

    def test_a_prompt_that_does_not_fit_is_one_sentence(self, serve: Any) -> None:
        message = "request (1203 tokens) exceeds the available context size (1024 tokens), try"
        at = serve(always(Refused(400, message)))
        at.open()
        with pytest.raises(EngineError, match=r"1,203 tokens .* takes 1,024\. Lower"):
            at.reply()
        assert at.told == ""

    def test_what_teaches_nothing_is_one_sentence(self, serve: Any) -> None:
        at = serve(always(Refused(400, "You are\nout of luck.")))
        at.open()
        with pytest.raises(EngineError, match=r"refused the request \(400\): You are out of luck"):
            at.reply()
        assert len(at.servers[0].requests) == 1


class TestWaiting:
    def test_a_busy_server_is_left_alone_for_as_long_as_it_says(self, serve: Any) -> None:
        at = serve(first(*[Refused(429, "slow", headers={"retry-after": "0.3"})] * 2, Answer()))
        at.open()
        started = time.monotonic()
        assert at.reply().text == "Hello there."
        assert time.monotonic() - started >= 0.6
        waits = [event for event in at.events if isinstance(event, Waiting)]
        assert [event.seconds for event in waits] == [0.3, 0.3]
        assert "is busy (429)" in waits[0].reason

    def test_many_do_not_storm_a_busy_server_and_its_limit_grows_back(self, serve: Any) -> None:
        times: list[float] = []

        def script(body: dict[str, Any], number: int) -> Answer | Refused:
            times.append(time.monotonic())
            if number < 16:
                return Refused(429, headers={"retry-after": "0.5"})
            return Answer()

        at = serve(script, max_concurrent=16)
        at.open()
        generations = [at.engine.submit(request(seed=n)) for n in range(32)]
        until = time.monotonic() + 20
        while len(times) < 16 and time.monotonic() < until:
            time.sleep(0.005)
        time.sleep(0.2)
        shrunk = at.engine.limits[at.servers[0].url]
        assert shrunk <= 8
        for each in generations:
            assert each.result(timeout=20).text == "Hello there."
        assert times[16] - times[15] > 0.4
        assert at.engine.limits[at.servers[0].url] > shrunk

    def test_waiting_can_be_cancelled(self, serve: Any) -> None:
        at = serve(always(Refused(503, headers={"retry-after": "100"})))
        at.open()
        generation = at.ask()
        time.sleep(0.3)
        generation.cancel()
        assert generation.result(timeout=1).finish_reason == "cancelled"

    def test_quota_is_not_waited_for(self, serve: Any) -> None:
        body = {"error": {"message": "You exceeded your quota", "code": "insufficient_quota"}}
        at = serve(always(Refused(429, body=body)))
        at.open()
        with pytest.raises(EngineError, match="exceeded your quota"):
            at.reply()

    @pytest.mark.parametrize("status", [401, 403, 404])
    def test_what_waiting_does_not_mend_is_not_retried(self, serve: Any, status: int) -> None:
        at = serve(always(Refused(status, f"The key {KEY} is bad")))
        at.open()
        with pytest.raises(EngineError) as caught:
            at.reply()
        assert str(status) in str(caught.value)
        assert KEY not in str(caught.value)
        assert len(at.servers[0].requests) == 1


class TestBrokenStreams:
    def test_half_a_reply_is_dropped_and_asked_for_again(self, serve: Any) -> None:
        whole = Answer(("No", " way", "."))
        at = serve(first(whole, Answer(("No", " way", "."), breaks_after=2), whole))
        at.open()
        at.reply()
        result = at.reply(seed=5)
        assert (result.text, at.told) == ("No way.", "No way.")
        assert any(isinstance(event, Retracted) for event in at.events)
        assert [each["seed"] for each in at.servers[0].requests] == [0, 5, 5]

    def test_an_error_in_the_stream_never_becomes_speech(self, serve: Any) -> None:
        broken = Answer(("No",), finish=None, usage=None, error={"message": "CUDA error"})
        at = serve(always(broken))
        at.open()
        with pytest.raises(EngineError, match="ended its reply early: CUDA error"):
            at.reply()
        assert at.told == ""

    def test_streams_that_end_without_a_reason_are_learned(self, serve: Any) -> None:
        at = serve(always(Answer(finish=None, usage=None)))
        at.open()
        assert at.reply().text == "Hello there."
        before = len(at.servers[0].requests)
        assert at.reply().text == "Hello there."
        assert len(at.servers[0].requests) == before + 1

    def test_a_prompt_that_was_cut_is_noted(self, serve: Any) -> None:
        usage = {"prompt_tokens": 2050, "completion_tokens": 2, "total_tokens": 2052}
        at = serve(always(Answer(usage=usage)))
        at.open()
        chat = (ChatMessage("system", "word " * 6320), ChatMessage("user", "Hi"))
        result = at.engine.submit(GenerationRequest(chat, 50)).result(timeout=10)
        assert result.notes == ("the server read 2,050 of about 7,900 tokens of the prompt",)


class TestOpening:
    def test_nobody_listens(self, serve: Any) -> None:
        at = serve(always(Answer()))
        at.servers[0].stop()
        with pytest.raises(EngineError, match=f"Could not connect to {at.servers[0].url}"):
            at.open()
        at.servers[0].start()
        assert at.open().model == "tiny"

    def test_a_url_without_its_v1(self, serve: Any) -> None:
        at = serve(always(Answer()))
        server = at.servers[0]
        server.prefix = ""
        short = server.url
        server.prefix = "/v1"
        at.servers = [type("Short", (), {"url": short})()]
        assert at.open().server == server.url
        at.servers = [server]

    def test_a_model_that_is_not_served(self, serve: Any) -> None:
        at = serve(always(Answer()), models=("a", "b"))
        with pytest.raises(EngineError, match=r"does not serve “c”\. It serves “a”, “b”"):
            at.open("c")
        with pytest.raises(EngineError, match=r"serves “a”, “b”\. Say which one"):
            at.open()
        assert at.open("b").model == "b"

    def test_a_list_that_cannot_be_had_is_no_reason_to_fail(self, serve: Any) -> None:
        at = serve(always(Answer()), models=Refused(500, "no cache folder"))
        assert at.open("folder/of/model").model == "folder/of/model"
        with pytest.raises(EngineError, match="does not say which models it serves"):
            at.open("auto")

    def test_a_key_that_is_refused(self, serve: Any) -> None:
        at = serve(always(Answer()), models=Refused(401, f"bad key {KEY}"))
        with pytest.raises(EngineError, match="key_env") as caught:
            at.open()
        assert KEY not in str(caught.value)


class TestSeveralServers:
    def test_a_conversation_stays_and_all_are_used(self, serve: Any) -> None:
        at = serve(always(Answer(("a",))), always(Answer(("b",))))
        at.open()
        texts = {}
        for conversation in map(str, range(16)):
            both = {at.reply(conversation=conversation).text for _ in range(2)}
            assert len(both) == 1
            sent = [server.headers[-1]["x-session-id"] for server in at.servers if server.headers]
            assert conversation in sent, "a router keeps it on one as well"
            texts[conversation] = both.pop()
        assert set(texts.values()) == {"a", "b"}

    def test_one_that_dies_is_left_out_and_said(self, serve: Any) -> None:
        at = serve(always(Answer(("a",))), always(Answer(("b",))))
        at.open()
        at.servers[0].stop()
        said = []
        for conversation in map(str, range(16)):
            assert at.reply(conversation=conversation).text == "b"
            said += [event.reason for event in at.events if isinstance(event, Waiting)]
        assert len(said) == 1
        assert "the other servers go on" in said[0]
        at.servers[0].start()


def test_many_sessions_load_at_once(serve: Any) -> None:
    at = serve(always(Answer()))
    events: SimpleQueue[Any] = SimpleQueue()
    spec = ModelSpec("auto", server=(at.servers[0].url,))
    for _ in range(8):
        at.engine.load(spec, lambda event: events.put(event) if isinstance(event, Loaded) else None)
    assert len({id(events.get(timeout=10).info) for _ in range(8)}) == 1


def test_another_load_and_cancel_load_give_up_the_first(serve: Any) -> None:
    at = serve(always(Answer()))
    ended: SimpleQueue[Any] = SimpleQueue()

    def hear(event: Any) -> None:
        if isinstance(event, Loaded | LoadFailed):
            ended.put(event)

    nowhere = ModelSpec("a", server=("http://10.255.255.1:9/v1",))
    at.engine.load(nowhere, hear)
    at.engine.load(ModelSpec("auto", server=(at.servers[0].url,)), hear)
    first, second = ended.get(timeout=5), ended.get(timeout=5)
    assert isinstance(first.error, Cancelled)
    assert isinstance(second, Loaded)
    at.engine.load(nowhere, hear)
    at.engine.cancel_load()
    assert isinstance(ended.get(timeout=1).error, Cancelled)
