"""The simplest way to generate a reply: one forward pass a token, no batch, slots or streaming.

The engine must give the same tokens.
"""

from __future__ import annotations

import inspect
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from transformers import DynamicCache

from syndisco_tui.discussion import ChatMessage
from syndisco_tui.engine.base import FinishReason, GenerationRequest, Sampling
from syndisco_tui.engine.local.sampling.sampler import SamplingTensors, plan_batch, sample
from syndisco_tui.engine.local.tokenization.chat_tokenizer import ChatTokenizer

WORDS = re.split(
    " ",
    "cars cities ban noise park school rent train vote tax health dog rain music people never "
    "always should because think maybe listen Athens café naïve 北京 😀 emoji 12 3.5 (sic) \n",
)


@dataclass(frozen=True)
class ReferenceReply:
    token_ids: tuple[int, ...]
    text: str
    finish_reason: FinishReason


@torch.inference_mode()
def reference_reply(
    model: Any, tokenizer: Any, request: GenerationRequest, eos: Sequence[int] = (2,)
) -> ReferenceReply:
    ids = ChatTokenizer(tokenizer).ids(request.chat)
    parameters = SamplingTensors.empty(1, "cpu")
    parameters.set_row(0, request.sampling, request.seed)
    cache = DynamicCache(config=model.config)
    takes = inspect.signature(model.forward).parameters
    name = "cache" if "cache" in takes else "past_key_values"
    batch = plan_batch([request.sampling], model.config.vocab_size)
    token_ids: list[int] = []
    feed, text = ids, ""
    while len(token_ids) < request.max_out_tokens:
        logits = model(torch.tensor([feed]), use_cache=True, **{name: cache}).logits[:, -1]
        seen = torch.tensor([ids + token_ids])
        token = int(sample(logits, parameters, seen, torch.tensor([len(token_ids)]), batch))
        if token in eos:
            return ReferenceReply(tuple(token_ids), text.rstrip("\ufffd"), "stop")
        token_ids.append(token)
        feed = [token]
        text = tokenizer.decode(token_ids, skip_special_tokens=True)
        starts = [at for stop in request.stop if (at := text.find(stop)) >= 0]
        if starts:
            return ReferenceReply(tuple(token_ids), text[: min(starts)], "stop")
    return ReferenceReply(tuple(token_ids), text.rstrip("\ufffd"), "length")


def random_request(rng: random.Random, longest_reply: int) -> GenerationRequest:
    """A request as the app makes them: few system prompts, growing histories, any sampling."""
    system = f"You are {rng.choice(['Emma35', 'Giannis'])}. " + "Be yourself. " * rng.randint(1, 4)
    history = random.Random(rng.randint(0, 5))
    text_before = " ".join(history.choice(WORDS) for _ in range(rng.randint(1, 60)))
    greedy = rng.random() < 0.3
    return GenerationRequest(
        chat=(
            ChatMessage("system", system),
            ChatMessage("user", f"User Emma35 posted:\n{text_before}"),
        ),
        max_out_tokens=rng.randint(1, longest_reply),
        sampling=Sampling(
            temperature=0.0 if greedy else rng.choice([0.3, 0.8, 1.5]),
            top_p=rng.choice([1.0, 0.95, 0.5]),
            top_k=rng.choice([0, 1, 5, 50, 2000]),
            repetition_penalty=rng.choice([1.0, 1.1, 1.5]),
        ),
        seed=rng.randrange(1 << 53),
        stop=rng.choice([(), (), ("e",), ("\n", " the "), ("\nUser Giannis posted:",)]),
    )
