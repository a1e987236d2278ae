"""Replies restricted to a few answers, by the probability of each whole answer.

The probability of an answer is the product of the probabilities of its tokens and, if the answer is
the beginning of another one, of a token that ends the reply. Some models write a space before an
answer; both spellings count for it.
"""

from __future__ import annotations

import copy
import math
import time
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from itertools import takewhile
from typing import Any

import torch
from torch import Tensor

from ....discussion import ChatMessage
from ....discussion.chance import draw
from ...base import Chunk, EngineError, Finished, Generation, GenerationResult, Started
from ..memory import release_memory
from ..transformers_api import UnsupportedModel
from ..transformers_api.caches import new_cache
from ..transformers_api.forward import ForwardCall, device_of, plain_logits
from .decoder import Decoder, InputProcessor, as_engine_error
from .reply import Reply

GPU_TOKENS = 16_384
"""Tokens that are read together on a GPU."""
MIN_SHARED = 32
"""Tokens that prompts must have in common, so that it pays to read them once."""
MAX_PREFIXES = 4


@dataclass
class AnswerTree:
    """A prefix tree of answers, by token id."""

    answer: str | None = None
    """The answer that ends here."""
    children: dict[int, AnswerTree] = field(default_factory=dict)

    def add(self, ids: Sequence[int], answer: str) -> None:
        """Add an answer with the token ids ``ids``, unless another answer has the same ids."""
        node = self
        for token in ids:
            node = node.children.setdefault(token, AnswerTree())
        node.answer = node.answer or answer

    @property
    def is_leaf(self) -> bool:
        """Whether no longer answer begins with these tokens."""
        return not self.children

    @property
    def is_flat(self) -> bool:
        """Whether every answer is one further token."""
        return all(child.is_leaf for child in self.children.values())


class AnswerProbabilities:
    """Computes the probabilities of answers under ``model``.

    Args:
        model: A decoder-only model of transformers.
        eos: Ids of tokens that end a reply.
    """

    def __init__(self, model: Any, eos: Collection[int]) -> None:
        self._model = model
        self._device = device_of(model)
        self._eos = sorted(eos)
        try:
            self._call: ForwardCall | None = ForwardCall(model)
        except UnsupportedModel:  # then every step reads the whole prompt
            self._call = None
        self._prefixes: dict[tuple[int, ...], Any] = {}
        """Caches of the beginnings of prompts, those used last at the end."""

    @property
    def reads_together(self) -> bool:
        """Whether reading several prompts at once pays: not on a CPU, where results are exact."""
        return self._call is not None and self._device.type != "cpu"

    @torch.inference_mode()
    def of(self, prompt: list[int], tree: AnswerTree, shared: int = 0) -> dict[str, float]:
        """The log-probability of each answer after ``prompt``.

        Args:
            prompt: Token ids.
            tree: The answers.
            shared: Number of leading tokens that other prompts share; they are read only once.
        """
        log_probabilities: dict[str, float] = {}
        if self._call is None:
            self._walk(tree, prompt, len(prompt), None, 0.0, log_probabilities)
        elif shared < MIN_SHARED:
            self._walk(tree, prompt, len(prompt), new_cache(self._model), 0.0, log_probabilities)
        else:
            cache = copy.deepcopy(self._prefix(tuple(prompt[:shared])))
            self._walk(tree, prompt, len(prompt) - shared, cache, 0.0, log_probabilities)
        return log_probabilities

    def _prefix(self, ids: tuple[int, ...]) -> Any:
        """The KV cache after ``ids``; callers must not change it."""
        cache = self._prefixes.pop(ids, None)
        if cache is None:
            cache = new_cache(self._model)
            self._logits(list(ids), len(ids), cache)
            while len(self._prefixes) >= MAX_PREFIXES:
                del self._prefixes[next(iter(self._prefixes))]
        self._prefixes[ids] = cache
        return cache

    @torch.inference_mode()
    def of_several(
        self, prompts: Sequence[list[int]], trees: Sequence[AnswerTree]
    ) -> list[dict[str, float]]:
        """The log-probabilities of answers of one token each, after each of several prompts."""
        assert self._call
        longest = max(map(len, prompts))
        ids = torch.tensor([[0] * (longest - len(each)) + each for each in prompts])
        padding = torch.tensor([longest - len(each) for each in prompts])[:, None]
        columns = torch.arange(longest)[None]
        mask = (columns >= padding).long()
        positions = (columns - padding).clamp(min=0)
        logits = self._call(
            ids.to(self._device),
            mask.to(self._device),
            positions.to(self._device),
            new_cache(self._model),
        )
        logged = torch.log_softmax(logits.float(), -1)
        results = []
        for row, tree in zip(logged, trees, strict=True):
            log_probabilities: dict[str, float] = {}
            tokens = list(tree.children)
            for token, value in zip(tokens, row[tokens].tolist(), strict=True):
                _add(log_probabilities, tree.children[token].answer, value)
            results.append(log_probabilities)
        return results

    def _walk(
        self,
        node: AnswerTree,
        ids: list[int],
        new: int,
        cache: Any,
        so_far: float,
        log_probabilities: dict[str, float],
    ) -> None:
        """Add the log-probabilities of all answers below ``node``.

        Args:
            node: The node that ``ids`` lead to.
            ids: The prompt and the beginning of the answers.
            new: Number of ``ids``, at the end, that are not in the cache yet.
            cache: KV cache of the other ``ids``.
            so_far: The log-probability of the beginning.
            log_probabilities: Log-probabilities by answer, which are added to.
        """
        logged = torch.log_softmax(self._logits(ids, new, cache).float(), -1)
        if node.answer is not None and self._eos:
            end = float(torch.logsumexp(logged[self._eos], 0))
            _add(log_probabilities, node.answer, so_far + end)
        tokens = list(node.children)
        for token, value in zip(tokens, logged[tokens].tolist(), strict=True):
            child = node.children[token]
            if child.is_leaf:
                _add(log_probabilities, child.answer, so_far + value)
            else:
                own_cache = copy.deepcopy(cache)
                self._walk(child, [*ids, token], 1, own_cache, so_far + value, log_probabilities)

    def _logits(self, ids: list[int], new: int, cache: Any) -> Tensor:
        """Logits after ``ids``, shape ``[vocabulary]``."""
        if self._call is None:
            return plain_logits(self._model, torch.tensor(ids, device=self._device))[-1]
        tokens = torch.tensor([ids[-new:]], device=self._device)
        positions = torch.arange(len(ids) - new, len(ids), device=self._device)[None]
        mask = torch.ones(1, len(ids), dtype=torch.int64, device=self._device)
        return self._call(tokens, mask, positions, cache)[0]


def _add(log_probabilities: dict[str, float], answer: str | None, value: float) -> None:
    """Add the log-probability ``value`` of one spelling to that of ``answer``."""
    if answer is not None:
        earlier = log_probabilities.get(answer, -math.inf)
        larger = max(earlier, value)
        if larger > -math.inf:
            value = larger + math.log(math.exp(earlier - larger) + math.exp(value - larger))
        log_probabilities[answer] = value


class AnswerDecoder(Decoder):
    """Chooses one of a request's ``answers``; requests without any go to ``ordinary``.

    Args:
        ordinary: Makes all other replies.
        model: A model of transformers.
        tokenizer: The model's tokenizer.
        inputs: Turns requests into prompts.
    """

    def __init__(
        self, ordinary: Decoder, model: Any, tokenizer: Any, inputs: InputProcessor
    ) -> None:
        super().__init__(inputs)
        self.ordinary = ordinary
        self._model = model
        self._tokenizer = tokenizer
        self._probabilities: AnswerProbabilities | None = None
        self._trees: dict[tuple[str, ...], AnswerTree] = {}
        self._beginnings: dict[str, list[int]] = {}
        """A short prompt for each system message."""
        config = getattr(model, "config", None)
        self._can_choose = not getattr(config, "is_encoder_decoder", False)
        self._asked: deque[tuple[Reply, float]] = deque()

    @property
    def busy(self) -> bool:
        return bool(self._asked) or self.ordinary.busy

    def submit(self, generation: Generation) -> None:
        """Queue a reply. If it begins with reasoning, it is not restricted to the answers."""
        if not (generation.request.answers and self._can_choose):
            self.ordinary.submit(generation)
            return
        reply = self._inputs.process(generation)
        if reply is None:
            return
        if reply.begins_in_thought:
            self.ordinary.submit(generation)
        else:
            self._asked.append((reply, time.perf_counter()))

    def step(self) -> None:
        if self._asked:
            self._choose()
        if self.ordinary.busy:
            self.ordinary.step()

    def abort_all(self, error: EngineError | None) -> None:
        while self._asked:
            self._asked.popleft()[0].abort(error)
        self.ordinary.abort_all(error)

    def _choose(self) -> None:
        """Answer the next request, or the next few together."""
        self._probabilities = self._probabilities or AnswerProbabilities(
            self._model, self._inputs.eos
        )
        batch = self._next_batch(self._probabilities)
        if not batch:
            return
        failure = self._answered(self._probabilities, batch)
        if failure is not None and len(batch) > 1:
            release_memory()
            for each in batch:
                if single := self._answered(self._probabilities, [each]):
                    each[0].fail(single)
        elif failure is not None:
            release_memory()
            batch[0][0].fail(failure)

    def _next_batch(self, probabilities: AnswerProbabilities) -> list[tuple[Reply, float]]:
        batch: list[tuple[Reply, float]] = []
        longest = 0
        while self._asked:
            reply, _ = self._asked[0]
            if reply.generation.is_cancelled:
                self._asked.popleft()[0].finish("cancelled")
                continue
            is_flat = probabilities.reads_together and self._tree(reply).is_flat
            longest = max(longest, len(reply.prompt))
            if batch and (not is_flat or longest * (len(batch) + 1) > GPU_TOKENS):
                break
            batch.append(self._asked.popleft())
            if not is_flat:
                break
        return batch

    def _answered(
        self, probabilities: AnswerProbabilities, batch: list[tuple[Reply, float]]
    ) -> EngineError | None:
        """Answer ``batch``; returns the error if that fails."""
        trees = [self._tree(reply) for reply, _ in batch]
        try:
            if len(batch) > 1:
                logged = probabilities.of_several([reply.prompt for reply, _ in batch], trees)
            else:
                reply, _ = batch[0]
                logged = [probabilities.of(reply.prompt, trees[0], self._shared(reply))]
        except Exception as error:
            return as_engine_error(error)
        for (reply, began_at), each in zip(batch, logged, strict=True):
            _finish(reply, began_at, each)
        return None

    def _shared(self, reply: Reply) -> int:
        """The number of leading tokens shared by all prompts with the same system message.

        It depends on the request alone, so that an answer does not depend on the other requests.
        """
        system, *others = reply.generation.request.chat
        if system.role != "system" or not others:
            return 0
        if system.content not in self._beginnings:
            request = replace(reply.generation.request, chat=(system, ChatMessage("user", "0")))
            probe = self._inputs.process(Generation(request))
            if len(self._beginnings) >= MAX_PREFIXES:
                self._beginnings.clear()
            self._beginnings[system.content] = probe.prompt if probe else []
        pairs = zip(reply.prompt[:-1], self._beginnings[system.content], strict=False)
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))

    def _tree(self, reply: Reply) -> AnswerTree:
        answers = reply.generation.request.answers
        if answers not in self._trees:
            tree = AnswerTree()
            for answer in answers:
                for text in (answer, f" {answer}"):
                    tree.add(self._tokenizer.encode(text, add_special_tokens=False), answer)
            self._trees[answers] = tree
        return self._trees[answers]


def _finish(reply: Reply, began_at: float, logged: dict[str, float]) -> None:
    """End ``reply`` with the likeliest answer, or one sampled at the request's temperature."""
    generation, request = reply.generation, reply.generation.request
    temperature = request.sampling.temperature
    probabilities = _normalised(logged, 1.0)
    if temperature:
        answer = _drawn(_normalised(logged, temperature), draw(request.seed, "answer", 0))
    else:
        answer = max(probabilities, key=lambda each: probabilities[each])
    seconds = time.perf_counter() - began_at
    result = GenerationResult(
        text=answer,
        finish_reason="stop",
        prompt_tokens=len(reply.prompt),
        completion_tokens=1,
        cached_tokens=0,
        seconds=seconds,
        time_to_first_token=seconds,
        answer_probabilities={each: probabilities.get(each, 0.0) for each in request.answers},
    )
    generation.emit(Started(generation, len(reply.prompt)))
    generation.emit(Chunk(generation, answer, 1))
    generation.emit(Finished(generation, result))


def _normalised(logged: dict[str, float], temperature: float) -> dict[str, float]:
    """Probabilities that sum to 1."""
    largest = max(logged.values())
    weights = {each: math.exp((value - largest) / temperature) for each, value in logged.items()}
    total = sum(weights.values())
    return {each: weight / total for each, weight in weights.items()}


def _drawn(probabilities: dict[str, float], number: float) -> str:
    """The answer at ``number`` in [0, 1) of the cumulative probabilities."""
    for answer, probability in probabilities.items():
        number -= probability
        if number < 0:
            return answer
    return list(probabilities)[-1]  # of rounding, a little was left
