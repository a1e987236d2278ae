"""One contestant of the benchmark, as a process: a job as JSON in, rows as JSON out.

Imports nothing of this repository but for our own engine, so that SynDisco can run in an
interpreter that has nothing else. ``generation.py`` starts it.
"""

from __future__ import annotations

import gc
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import torch

Prompt = Sequence[str]
Job = dict[str, Any]

WARM_UP: Prompt = ("You are a gardener.", "Which roses need the least water?")


class Times:
    """When each token of a reply arrived."""

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.tokens: list[tuple[float, int]] = []

    def note(self, tokens: int) -> None:
        """The reply has ``tokens`` tokens by now."""
        self.tokens.append((time.perf_counter(), tokens))

    @property
    def first(self) -> float:
        """Seconds to the first token."""
        return self.tokens[0][0] - self.began

    def gaps(self) -> list[float]:
        """Seconds a token, for every token after the first."""
        spaces: list[float] = []
        for (before, fewer), (after, more) in zip(self.tokens, self.tokens[1:], strict=False):
            spaces += [(after - before) / (more - fewer)] * (more - fewer)
        return spaces


class Streamer:
    """A streamer for ``generate``; its first call brings the prompt."""

    def __init__(self) -> None:
        self.times, self._count = Times(), -1

    def put(self, value: torch.Tensor) -> None:
        self._count += 1
        if self._count:
            self.times.note(self._count)

    def end(self) -> None:
        pass


class Measure:
    """Measures work, as rows of the table."""

    def __init__(self, job: Job) -> None:
        self._cuda = job["device"].startswith("cuda")
        self._tokens: int = job["tokens"]
        self.rows: list[dict[str, Any]] = []

    def row(self, name: str, history: str, work: Callable[[], list[Times]]) -> None:
        """``work`` makes replies of the job's length and gives their times."""
        gc.collect()
        self._reset_peak()
        began = time.perf_counter()
        replies = work()
        seconds = time.perf_counter() - began
        gaps = sorted(gap for reply in replies for gap in reply.gaps())
        self.rows.append(
            {
                "name": name,
                "history": history,
                "replies": len(replies),
                "seconds": seconds,
                "tokens_per_second": len(replies) * self._tokens / seconds,
                "first_token": statistics.median(reply.first for reply in replies),
                "token_p50": gaps[len(gaps) // 2] if gaps else None,
                "token_p95": gaps[int(len(gaps) * 0.95)] if gaps else None,
                "memory": self._peak(),
            }
        )
        print(f"    {name}, history {history}: {seconds:.1f} s", file=sys.stderr, flush=True)

    def _reset_peak(self) -> None:
        if self._cuda:
            torch.cuda.reset_peak_memory_stats()
        else:
            Path("/proc/self/clear_refs").write_text("5")

    def _peak(self) -> int:
        """Bytes: on the GPU what torch has taken at most, otherwise the whole process."""
        if self._cuda:
            return torch.cuda.max_memory_reserved()
        status = Path("/proc/self/status").read_text()
        return 1024 * int(status.partition("VmHWM:")[2].split()[0])


def syndisco(job: Job) -> dict[str, Any]:
    """SynDisco 2.2.1's own model class, one reply after the other."""
    from syndisco.model import TransformersModel

    model = TransformersModel(
        job["model"],
        "benchmark",
        job["tokens"],
        model_kwargs={"dtype": job["dtype"]},
    )
    model.model.generation_config.eos_token_id = None  # replies of one length for all

    def reply(prompt: Prompt) -> Times:
        model.generation_kwargs["streamer"] = streamer = Streamer()
        model.prompt(*prompt)
        return streamer.times

    reply(WARM_UP)
    measure = Measure(job)
    for history, turns in job["live"].items():
        measure.row("SynDisco", history, lambda turns=turns: [reply(turn) for turn in turns])
    long: dict[str, float] = {}
    for turn, prompts in job["long"].items():
        began = time.perf_counter()
        reply(prompts[-1])
        long[turn] = time.perf_counter() - began
    return {"rows": measure.rows, "long": {"SynDisco": long}}


def warm_up_for(job: Job, work: Callable[[], object]) -> None:
    """On a GPU, do ``work`` once unmeasured: new sizes are compiled or captured there."""
    if job["device"] != "cpu":
        work()


class Transformers:
    """transformers by itself, with the flags that are quickest for it."""

    def __init__(self, job: Job, **options: Any) -> None:
        from transformers import AutoModelForCausalLM, AutoTokenizer

        self.tokens = job["tokens"]
        self.tokenizer = AutoTokenizer.from_pretrained(job["model"])
        self.tokenizer.padding_side = "left"
        self.model = AutoModelForCausalLM.from_pretrained(
            job["model"], dtype=job["dtype"], device_map={"": job["device"]}, **options
        ).eval()
        self.model.generation_config.eos_token_id = None
        # A static cache comes compiled, which pays on a GPU only.
        self._flags = {"cache_implementation": "static"} if job["device"] != "cpu" else {}

    def ids(self, prompt: Prompt) -> list[int]:
        turns = [{"role": r, "content": c} for r, c in zip(("system", "user"), prompt, strict=True)]
        encoded = self.tokenizer.apply_chat_template(turns, add_generation_prompt=True)
        return list(encoded["input_ids"] if hasattr(encoded, "keys") else encoded)

    @torch.inference_mode()
    def generate(self, prompts: Sequence[Prompt], **flags: Any) -> list[Times]:
        """One padded batch; only a single reply can be streamed."""
        batch = self.tokenizer.pad({"input_ids": list(map(self.ids, prompts))}, return_tensors="pt")
        options = {**self._flags, **flags}
        streamer = Streamer()
        follow = _FollowBatch(streamer)
        self.model.generate(
            **batch.to(self.model.device),
            max_new_tokens=self.tokens,
            do_sample=False,
            pad_token_id=2,
            stopping_criteria=[follow],
            **options,
        )
        return [streamer.times] * len(prompts)


class _FollowBatch:
    def __init__(self, streamer: Streamer) -> None:
        self._times, self._count = streamer.times, 0

    def __call__(self, ids: torch.Tensor, scores: Any, **kwargs: Any) -> torch.Tensor:
        self._count += 1
        self._times.note(self._count)
        return torch.zeros(len(ids), dtype=torch.bool, device=ids.device)


def transformers(job: Job) -> dict[str, Any]:
    """``generate`` live and in padded batches that wait for their slowest."""
    contestant, measure = Transformers(job), Measure(job)
    contestant.generate([WARM_UP])
    turns = job["live"]["3"]
    warm_up_for(job, lambda: contestant.generate([max(turns, key=lambda turn: len(turn[1]))]))
    measure.row(
        "transformers generate",
        "3",
        lambda: [t for turn in turns for t in contestant.generate([turn])],
    )
    for size in job["padded"]:
        turn = [discussion[0] for discussion in job["many"][:size]]
        warm_up_for(job, lambda turn=turn: contestant.generate(turn))
        measure.row(
            f"transformers, padded {size}", "3", lambda turn=turn: contestant.generate(turn)
        )
    return {"rows": measure.rows}


def continuous(job: Job) -> dict[str, Any]:
    """transformers' own continuous batching."""
    from transformers import GenerationConfig

    contestant = Transformers(job, attn_implementation="paged|sdpa")
    flags = GenerationConfig(
        max_new_tokens=job["tokens"], do_sample=False, eos_token_id=-1, pad_token_id=2
    )

    def replies(prompts: Sequence[Prompt]) -> list[Times]:
        times = Times()
        outputs = contestant.model.generate_batch(
            [contestant.ids(prompt) for prompt in prompts], flags, record_timestamps=True
        )
        got: list[Times] = []
        for output in outputs.values():
            assert len(output.generated_tokens) == job["tokens"], output.error
            own = Times()
            own.began = times.began
            own.tokens = [(time_, count) for count, time_ in enumerate(output.timestamps or (), 1)]
            got.append(own)
        return got

    replies([WARM_UP])
    measure, size = Measure(job), max(job["padded"])
    turn = [discussion[0] for discussion in job["many"][:size]]
    measure.row(f"transformers, continuous {size}", "3", lambda: replies(turn))
    return {"rows": measure.rows}


class Ours:
    """This repository's engine, as the app uses it: its own thread, its sampler, its events."""

    def __init__(self, job: Job) -> None:
        from syndisco_tui.engine.base import LoadFailed
        from syndisco_tui.engine.local import LocalEngine
        from syndisco_tui.engine.model import ModelSpec

        self._tokens = job["tokens"]
        self.engine = LocalEngine(Path(tempfile.gettempdir()), threads=torch.get_num_threads())
        events: SimpleQueue[Any] = SimpleQueue()
        spec = ModelSpec(job["model"], dtype=job["dtype"], device=job["device"])
        self.engine.load(spec, events.put)
        while self.engine.info is None:
            if isinstance(event := events.get(timeout=600), LoadFailed):
                raise SystemExit(str(event.error))
        self._decoder: Any = self.engine._decoder.ordinary
        self._decoder._inputs.eos = frozenset()  # replies of one length for all

    def forget(self) -> None:
        """Empty the slots, but keep their memory; while nothing runs."""
        while self._decoder.busy:
            time.sleep(0.01)
        for slot in self._decoder._slots.slots:
            slot.tokens = []

    def play(self, discussions: Sequence[Sequence[Prompt]], tokens: int = 0) -> list[Times]:
        """All discussions at once; each takes its next turn when the last one has ended."""
        from syndisco_tui.discussion.prompt import ChatMessage
        from syndisco_tui.engine.base import Chunk, Failed, Finished, GenerationRequest

        events: SimpleQueue[tuple[int, float, Any]] = SimpleQueue()
        ahead = [iter(turns) for turns in discussions]
        running: dict[int, Times] = {}
        done: list[Times] = []

        def take_turn(number: int) -> None:
            if prompt := next(ahead[number], None):
                chat = (ChatMessage("system", prompt[0]), ChatMessage("user", prompt[1]))
                request = GenerationRequest(chat, tokens or self._tokens, seed=number)
                running[number] = Times()
                note = lambda event: events.put((number, time.perf_counter(), event))  # noqa: E731
                self.engine.submit(request, note)

        for number in range(len(discussions)):
            take_turn(number)
        while running:
            number, time_, event = events.get(timeout=300)
            if isinstance(event, Chunk):
                running[number].tokens.append((time_, event.tokens))
            elif isinstance(event, Failed):
                raise SystemExit(str(event.error))
            elif isinstance(event, Finished):
                assert event.result.completion_tokens == (tokens or self._tokens)
                reply = running.pop(number)
                reply.tokens = reply.tokens or [(time_, event.result.completion_tokens)]
                done.append(reply)
                take_turn(number)
        return done


def ours(job: Job) -> dict[str, Any]:
    """Live with and without cached prefixes, then many at once."""
    contestant, measure = Ours(job), Measure(job)
    contestant.play([[WARM_UP]] * 4)

    def live_without(turns: Sequence[Prompt]) -> list[Times]:
        replies: list[Times] = []
        for turn in turns:
            contestant.forget()
            replies += contestant.play([[turn]])
        return replies

    for history, turns in job["live"].items():
        measure.row(
            "ours, live, no cached prefix", history, lambda turns=turns: live_without(turns)
        )
        contestant.forget()
        for earlier in job["before"].get(history, []):  # so that prefixes are cached
            contestant.play([[earlier]], tokens=1)
        measure.row("ours, live", history, lambda turns=turns: contestant.play([turns]))
    for size in job["sizes"]:
        contestant.forget()
        many = job["many"][:size]
        warm_up_for(job, lambda many=many: contestant.play(many))
        contestant.forget()
        measure.row(f"ours, {size} at once", "3", lambda many=many: contestant.play(many))
    if job["many_full"]:
        contestant.forget()
        size = len(job["many_full"])
        warm_up_for(job, lambda: contestant.play(job["many_full"]))
        contestant.forget()
        measure.row(f"ours, {size} at once", "full", lambda: contestant.play(job["many_full"]))
    long: dict[str, float] = {}
    for turn, prompts in job["long"].items():
        contestant.forget()
        for earlier in prompts[:-1]:  # the prompts whose prefixes are reused
            contestant.play([[earlier]], tokens=1)
        began = time.perf_counter()
        contestant.play([prompts[-1:]])
        long[turn] = time.perf_counter() - began
    return {"rows": measure.rows, "long": {"ours": long}, "path": contestant.engine.info.path}


def bandwidth(job: Job) -> dict[str, Any]:
    """How fast the device reads memory, bytes a second: the best sum over 1 GB (CUDA: 4 GB)."""
    on_cuda = job["device"].startswith("cuda")
    many = torch.ones((1 << 30) if on_cuda else (1 << 28), device=job["device"])
    best = float("inf")
    for _ in range(8):
        began = time.perf_counter()
        many.sum().item()
        best = min(best, time.perf_counter() - began)
    return {"bandwidth": many.nbytes / best}


def weights(job: Job) -> dict[str, Any]:
    """Makes a model of ``job["config"]`` with random weights in the folder ``job["model"]``."""
    from transformers import AutoModelForCausalLM, LlamaConfig

    with torch.device(job["device"]):
        config = LlamaConfig(**job["config"], bos_token_id=1, eos_token_id=2, pad_token_id=2)
        model = AutoModelForCausalLM.from_config(config, dtype=getattr(torch, job["dtype"]))
    model.save_pretrained(job["model"])
    return {}


def main() -> None:
    job: Job = json.load(sys.stdin)
    torch.set_num_threads(job["threads"])
    result = {
        "syndisco": syndisco,
        "transformers": transformers,
        "continuous": continuous,
        "ours": ours,
        "bandwidth": bandwidth,
        "weights": weights,
    }[sys.argv[1]](job)
    Path(sys.argv[2]).write_text(json.dumps(result))
    sys.stderr.flush()
    os._exit(0)  # inference threads may still run


if __name__ == "__main__":
    main()
