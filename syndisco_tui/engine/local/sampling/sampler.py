"""The next token of every row, from logits and noise that depends on nothing but the row itself.

Knows tensors only: no model, no cache, no text. Nothing here waits for the device, so a whole
choice can be captured in a CUDA graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ...base import Sampling

SHORTLIST_STEP = 64
SHORTLIST_SPARE = 8  # candidates beyond top_k, so that equal logits at its edge are all seen
SHORTLIST_LIMIT = 1024

_GOLDEN = -7046029254386353131  # 0x9E3779B97F4A7C15 as int64
_MIX_1 = -4658895280553007687  # 0xBF58476D1CE4E5B9
_MIX_2 = -7723592293110705685  # 0x94D049BB133111EB


@dataclass(frozen=True)
class Rows:
    """Sampling parameters of ``rows`` rows, as tensors of shape [rows]."""

    temperature: Tensor
    """float64; 0 is greedy."""
    top_p: Tensor
    """float64."""
    top_k: Tensor
    """int64; 0 is off."""
    penalty: Tensor
    """float32; repetition penalty, 1 is off."""
    seed: Tensor
    """int64."""

    @staticmethod
    def empty(rows: int, device: torch.device | str) -> Rows:
        """Rows that are all greedy."""
        return Rows(
            temperature=torch.zeros(rows, dtype=torch.float64, device=device),
            top_p=torch.ones(rows, dtype=torch.float64, device=device),
            top_k=torch.zeros(rows, dtype=torch.int64, device=device),
            penalty=torch.ones(rows, dtype=torch.float32, device=device),
            seed=torch.zeros(rows, dtype=torch.int64, device=device),
        )

    def set(self, row: int, sampling: Sampling, seed: int) -> None:
        """Write one row."""
        self.temperature[row] = sampling.temperature
        self.top_p[row] = sampling.top_p
        self.top_k[row] = sampling.top_k
        self.penalty[row] = sampling.repetition_penalty
        self.seed[row] = _as_int64(seed)

    def __getitem__(self, rows: slice | Tensor) -> Rows:
        return Rows(
            self.temperature[rows],
            self.top_p[rows],
            self.top_k[rows],
            self.penalty[rows],
            self.seed[rows],
        )


@dataclass(frozen=True)
class SamplingBatch:
    """What a batch needs computed, known on the host before a step (see ``plan``)."""

    shortlist: int
    """How many candidates the shortlisted rows need; 0 if there are no such rows."""
    full: tuple[int, ...]
    """Rows whose choice looks at the whole vocabulary."""
    penalised: bool
    all_greedy: bool
    everyone: bool = False
    """Whether every row is computed both ways and takes the one that is its own."""

    def for_all_rows(self) -> SamplingBatch:
        """A plan that does not say which rows are which: where they sit may change unseen."""
        if not self.full:
            return self
        return replace(self, full=(), everyone=True, shortlist=max(self.shortlist, SHORTLIST_STEP))


def plan(samplings: Sequence[Sampling | None], vocabulary: int) -> SamplingBatch:
    """What has to be computed for these rows (None: nobody is there, any choice will do).

    A row's result does not depend on the plan of the batch it happens to be in.
    """
    present = [sampling for sampling in samplings if sampling]
    full = tuple(row for row, sampling in enumerate(samplings) if sampling and _is_full(sampling))
    widest = max((sampling.top_k for sampling in present if not _is_full(sampling)), default=1)
    steps = -(-(max(widest, 1) + SHORTLIST_SPARE) // SHORTLIST_STEP)
    return SamplingBatch(
        shortlist=0 if len(full) == len(samplings) else min(steps * SHORTLIST_STEP, vocabulary),
        full=full,
        penalised=any(sampling.repetition_penalty != 1 for sampling in present),
        all_greedy=all(sampling.temperature <= 0 for sampling in present),
    )


def choose(
    logits: Tensor, rows: Rows, seen: Tensor | None, position: Tensor, how: SamplingBatch
) -> Tensor:
    """The next token ids, int64 [rows].

    Args:
        logits: [rows, vocabulary], any float type; may be overwritten.
        rows: sampling parameters.
        seen: int64 [rows, n], token ids that the penalty applies to (prompt and reply), each as
            often as one likes; may be None if ``how.penalised`` is false.
        position: int64 [rows], how many tokens the reply has; with the seed it keys the noise.
        how: the plan of these rows.
    """
    logits = logits.float()
    if how.penalised and seen is not None:
        logits = penalise(logits, rows.penalty, seen)
    if how.all_greedy:
        return logits.argmax(dim=-1)
    if how.everyone:
        return torch.where(
            _are_full(rows),
            _from_vocabulary(logits, rows, position),
            _from_shortlist(logits, rows, position, how.shortlist),
        )
    if not how.full:
        return _from_shortlist(logits, rows, position, how.shortlist)
    if not how.shortlist:
        return _from_vocabulary(logits, rows, position)
    tokens = _from_shortlist(logits, rows, position, how.shortlist)
    which = torch.tensor(how.full, device=logits.device)
    tokens[which] = _from_vocabulary(logits[which], rows[which], position[which])
    return tokens


def penalise(logits: Tensor, penalty: Tensor, seen: Tensor) -> Tensor:
    """Divide the logits of ``seen`` tokens by the penalty if positive, else multiply; in place.

    As transformers' RepetitionPenaltyLogitsProcessor (Keskar et al. 2019, CTRL). Only the few
    tokens seen are touched: passes over the whole vocabulary took longer than all the rest here.
    """
    penalty = penalty[:, None]
    found = logits.gather(1, seen)
    return logits.scatter_(1, seen, torch.where(found < 0, found * penalty, found / penalty))


def gumbel(seed: Tensor, position: Tensor, tokens: Tensor) -> Tensor:
    """Standard Gumbel noise, float64 [rows, n], for ``tokens`` [rows, n] or [n].

    A counter-based generator (SplitMix64's finaliser, Steele et al. 2014, applied to seed,
    position and token id in turn): the same three numbers give the same noise everywhere.
    """
    key = _mix(_mix(seed + _GOLDEN) + position * _GOLDEN)[:, None]
    bits = _mix(key + (tokens + 1) * _GOLDEN)
    uniform = (_shift(bits, 11).double() + 0.5) * 2.0**-53
    return -torch.log(-torch.log(uniform))


def _is_full(sampling: Sampling) -> bool:
    """Whether the choice needs every token: a top-k that is off or beyond any shortlist."""
    if sampling.temperature <= 0:
        return False
    return not 1 <= sampling.top_k <= SHORTLIST_LIMIT - SHORTLIST_SPARE


def _are_full(rows: Rows) -> Tensor:
    """The same of many rows."""
    short = (rows.top_k >= 1) & (rows.top_k <= SHORTLIST_LIMIT - SHORTLIST_SPARE)
    return (rows.temperature > 0) & ~short


def _from_shortlist(logits: Tensor, rows: Rows, position: Tensor, size: int) -> Tensor:
    values, tokens = logits.topk(min(size, logits.shape[-1]), dim=-1)
    # Equal values come in an order that depends on ``size``; ordered by token id too, they do not.
    order = (_sortable(values) << 32) - tokens
    order, places = order.sort(dim=-1, descending=True)
    values, tokens = values.gather(-1, places).double(), tokens.gather(-1, places)

    greedy = rows.temperature <= 0
    keep_first = torch.where(greedy, 1, rows.top_k)[:, None]
    temperature = torch.where(greedy, 1.0, rows.temperature)[:, None]
    rank = torch.arange(values.shape[-1], device=values.device)
    values = values / temperature
    values = values.masked_fill(rank >= keep_first, -torch.inf)
    values = _nucleus(values, rows.top_p)
    winner = (values + gumbel(rows.seed, position, tokens)).argmax(dim=-1, keepdim=True)
    return tokens.gather(-1, winner)[:, 0]


def _from_vocabulary(logits: Tensor, rows: Rows, position: Tensor) -> Tensor:
    vocabulary = logits.shape[-1]
    tokens = torch.arange(vocabulary, device=logits.device)
    values = logits.double() / rows.temperature[:, None]
    ordered = values.sort(dim=-1, descending=True).values
    keep_first = torch.where(rows.top_k > 0, rows.top_k, vocabulary)[:, None]
    ordered = ordered.masked_fill(tokens >= keep_first, -torch.inf)
    ordered = _nucleus(ordered, rows.top_p)
    # Tokens as good as the last one kept are kept too.
    last = ordered.masked_fill(ordered == -torch.inf, torch.inf).amin(dim=-1, keepdim=True)
    values = values.masked_fill(values < last, -torch.inf)
    return (values + gumbel(rows.seed, position, tokens)).argmax(dim=-1)


def _nucleus(ordered: Tensor, top_p: Tensor) -> Tensor:
    """Keep the fewest leading ``ordered`` values whose probabilities add up to ``top_p``."""
    weights = torch.exp(ordered - ordered[:, :1])
    reached = weights.cumsum(dim=-1)  # in sequence, so trailing zeros change nothing
    before = reached - weights
    # Divided by nothing: a sum over the row would depend on how many candidates there are.
    enough = (before >= top_p[:, None] * reached[:, -1:]) & (top_p < 1)[:, None]
    enough[:, 0] = False
    return ordered.masked_fill(enough, -torch.inf)


def _sortable(values: Tensor) -> Tensor:
    """float32 → int64 of the same order."""
    bits = values.contiguous().view(torch.int32)
    return (bits ^ ((bits >> 31) & 0x7FFFFFFF)).long()


def _mix(x: Tensor) -> Tensor:
    x = (x ^ _shift(x, 30)) * _MIX_1
    x = (x ^ _shift(x, 27)) * _MIX_2
    return x ^ _shift(x, 31)


def _shift(x: Tensor, bits: int) -> Tensor:
    """Logical shift to the right (torch's is arithmetic)."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)


def _as_int64(seed: int) -> int:
    seed &= (1 << 64) - 1
    return seed - (1 << 64) if seed >> 63 else seed
