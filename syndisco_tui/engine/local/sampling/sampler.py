"""Choice of the next tokens from logits, with noise keyed by seed and position.

Nothing here waits for the device, so a whole choice can be captured in a CUDA graph.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from torch import Tensor

from ...base import Sampling

SHORTLIST_STEP = 64
SHORTLIST_SPARE = 8  # candidates beyond top_k, so that all logits equal to the last one are seen
SHORTLIST_LIMIT = 1024

_GOLDEN = -7046029254386353131  # 0x9E3779B97F4A7C15 as int64
_MIX_1 = -4658895280553007687  # 0xBF58476D1CE4E5B9
_MIX_2 = -7723592293110705685  # 0x94D049BB133111EB


class SamplingTensors(NamedTuple):
    """Sampling parameters of several sequences, each field of shape [rows]."""

    temperature: Tensor
    """float64; 0 is greedy."""
    top_p: Tensor
    """float64; 1 is off."""
    top_k: Tensor
    """int64; 0 is off."""
    penalty: Tensor
    """float32 repetition penalty; 1 is off."""
    seed: Tensor
    """int64."""

    @staticmethod
    def empty(rows: int, device: torch.device | str) -> SamplingTensors:
        """Parameters of ``rows`` greedy sequences."""
        return SamplingTensors(
            temperature=torch.zeros(rows, dtype=torch.float64, device=device),
            top_p=torch.ones(rows, dtype=torch.float64, device=device),
            top_k=torch.zeros(rows, dtype=torch.int64, device=device),
            penalty=torch.ones(rows, dtype=torch.float32, device=device),
            seed=torch.zeros(rows, dtype=torch.int64, device=device),
        )

    def set_row(self, row: int, sampling: Sampling, seed: int) -> None:
        """Write the parameters of one sequence."""
        self.temperature[row] = sampling.temperature
        self.top_p[row] = sampling.top_p
        self.top_k[row] = sampling.top_k
        self.penalty[row] = sampling.repetition_penalty
        self.seed[row] = _as_int64(seed)

    def select(self, rows: Tensor) -> SamplingTensors:
        """The parameters of the sequences ``rows``, int64 [selected]."""
        return SamplingTensors(*(tensor[rows] for tensor in self))


@dataclass(frozen=True)
class SamplingBatch:
    """What the samplings of one batch require, known on the host before a step."""

    shortlist_size: int
    """How many of the highest logits are sorted; 0 if every row needs the whole vocabulary."""
    full_rows: tuple[int, ...]
    """Rows whose choice looks at the whole vocabulary."""
    has_penalty: bool
    all_greedy: bool
    computes_both: bool = False
    """Every row is computed from the shortlist and from the vocabulary, and takes its own."""

    def for_any_rows(self) -> SamplingBatch:
        """A batch in which sequences may change rows, so that a CUDA graph of it can be reused."""
        if not self.full_rows:
            return self
        size = max(self.shortlist_size, SHORTLIST_STEP)
        return replace(self, full_rows=(), computes_both=True, shortlist_size=size)


def plan_batch(samplings: Sequence[Sampling], vocabulary: int) -> SamplingBatch:
    """What has to be computed for ``samplings``; a row's token does not depend on the others.

    Args:
        samplings: One for each row.
        vocabulary: How many logits a row has.
    """
    full_rows = tuple(row for row, sampling in enumerate(samplings) if _needs_vocabulary(sampling))
    widest = max((s.top_k for s in samplings if not _needs_vocabulary(s)), default=1)
    steps = -(-(max(widest, 1) + SHORTLIST_SPARE) // SHORTLIST_STEP)
    all_full = len(full_rows) == len(samplings)
    return SamplingBatch(
        shortlist_size=0 if all_full else min(steps * SHORTLIST_STEP, vocabulary),
        full_rows=full_rows,
        has_penalty=any(sampling.repetition_penalty != 1 for sampling in samplings),
        all_greedy=all(sampling.temperature <= 0 for sampling in samplings),
    )


def sample(
    logits: Tensor,
    parameters: SamplingTensors,
    seen: Tensor | None,
    position: Tensor,
    batch: SamplingBatch,
) -> Tensor:
    """Choose the next token of each row.

    Args:
        logits: [rows, vocabulary], any float type; may be overwritten.
        parameters: Of each row.
        seen: int64 [rows, n], the ids that the penalty applies to (prompt and reply), in any
            number of copies. May be None unless ``batch.has_penalty``.
        position: int64 [rows], how many tokens the reply has; with the seed it keys the noise.
        batch: What ``plan_batch`` gave for these rows.

    Returns:
        Token ids, int64 [rows].
    """
    logits = logits.float()
    if batch.has_penalty and seen is not None:
        logits = penalise(logits, parameters.penalty, seen)
    if batch.all_greedy:
        return logits.argmax(dim=-1)
    if batch.computes_both:
        return torch.where(
            _rows_needing_vocabulary(parameters),
            _from_vocabulary(logits, parameters, position),
            _from_shortlist(logits, parameters, position, batch.shortlist_size),
        )
    if not batch.shortlist_size:
        return _from_vocabulary(logits, parameters, position)
    tokens = _from_shortlist(logits, parameters, position, batch.shortlist_size)
    if batch.full_rows:
        rows = torch.tensor(batch.full_rows, device=logits.device)
        tokens[rows] = _from_vocabulary(logits[rows], parameters.select(rows), position[rows])
    return tokens


def penalise(logits: Tensor, penalty: Tensor, seen: Tensor) -> Tensor:
    """Divide the logits of ``seen`` tokens by the penalty if positive, else multiply; in place.

    The formula of transformers' RepetitionPenaltyLogitsProcessor (Keskar et al. 2019, CTRL).
    Only the tokens seen are touched: a pass over the vocabulary took longer than all else here.

    Args:
        logits: float32 [rows, vocabulary].
        penalty: float32 [rows].
        seen: int64 [rows, n].
    """
    penalty = penalty[:, None]
    seen_logits = logits.gather(1, seen)
    penalised = torch.where(seen_logits < 0, seen_logits * penalty, seen_logits / penalty)
    return logits.scatter_(1, seen, penalised)


def gumbel(seed: Tensor, position: Tensor, tokens: Tensor) -> Tensor:
    """Standard Gumbel noise, float64 [rows, n], for ``tokens`` [rows, n] or [n].

    A counter-based generator (SplitMix64's finaliser, Steele et al. 2014, applied to seed,
    position and token id in turn): equal arguments give equal noise on any device.
    """
    key = _mix(_mix(seed + _GOLDEN) + position * _GOLDEN)[:, None]
    bits = _mix(key + (tokens + 1) * _GOLDEN)
    uniform = (_shift_right(bits, 11).double() + 0.5) * 2.0**-53
    return -torch.log(-torch.log(uniform))


def _needs_vocabulary(sampling: Sampling) -> bool:
    """Whether top-k is off, or larger than any shortlist."""
    if sampling.temperature <= 0:
        return False
    return not 1 <= sampling.top_k <= SHORTLIST_LIMIT - SHORTLIST_SPARE


def _rows_needing_vocabulary(parameters: SamplingTensors) -> Tensor:
    """bool [rows], ``_needs_vocabulary`` as a tensor."""
    top_k = parameters.top_k
    fits_shortlist = (top_k >= 1) & (top_k <= SHORTLIST_LIMIT - SHORTLIST_SPARE)
    return (parameters.temperature > 0) & ~fits_shortlist


def _from_shortlist(
    logits: Tensor, parameters: SamplingTensors, position: Tensor, size: int
) -> Tensor:
    values, tokens = logits.topk(min(size, logits.shape[-1]), dim=-1)
    # topk orders equal values differently for different sizes; by token id, the order is fixed.
    order = (_sortable(values) << 32) - tokens
    order, columns = order.sort(dim=-1, descending=True)
    values, tokens = values.gather(-1, columns).double(), tokens.gather(-1, columns)

    is_greedy = parameters.temperature <= 0
    top_k = torch.where(is_greedy, 1, parameters.top_k)[:, None]
    temperature = torch.where(is_greedy, 1.0, parameters.temperature)[:, None]
    rank = torch.arange(values.shape[-1], device=values.device)
    values = (values / temperature).masked_fill(rank >= top_k, -torch.inf)
    values = _top_p(values, parameters.top_p)
    noisy = values + gumbel(parameters.seed, position, tokens)
    return tokens.gather(-1, noisy.argmax(dim=-1, keepdim=True))[:, 0]


def _from_vocabulary(logits: Tensor, parameters: SamplingTensors, position: Tensor) -> Tensor:
    vocabulary = logits.shape[-1]
    tokens = torch.arange(vocabulary, device=logits.device)
    values = logits.double() / parameters.temperature[:, None]
    ordered = values.sort(dim=-1, descending=True).values
    top_k = torch.where(parameters.top_k > 0, parameters.top_k, vocabulary)[:, None]
    ordered = ordered.masked_fill(tokens >= top_k, -torch.inf)
    ordered = _top_p(ordered, parameters.top_p)
    # Tokens equal to the last one kept are kept too.
    lowest = ordered.masked_fill(ordered == -torch.inf, torch.inf).amin(dim=-1, keepdim=True)
    values = values.masked_fill(values < lowest, -torch.inf)
    return (values + gumbel(parameters.seed, position, tokens)).argmax(dim=-1)


def _top_p(ordered: Tensor, top_p: Tensor) -> Tensor:
    """Keep the fewest leading values whose probabilities add up to ``top_p`` [rows]."""
    weights = torch.exp(ordered - ordered[:, :1])
    cumulative = weights.cumsum(dim=-1)  # in sequence, so trailing zeros change nothing
    before = cumulative - weights
    # Not normalised: a sum over the row would depend on how many candidates there are.
    is_cut = (before >= top_p[:, None] * cumulative[:, -1:]) & (top_p < 1)[:, None]
    is_cut[:, 0] = False
    return ordered.masked_fill(is_cut, -torch.inf)


def _sortable(values: Tensor) -> Tensor:
    """float32 → int64 of the same order."""
    bits = values.contiguous().view(torch.int32)
    return (bits ^ ((bits >> 31) & 0x7FFFFFFF)).long()


def _mix(x: Tensor) -> Tensor:
    x = (x ^ _shift_right(x, 30)) * _MIX_1
    x = (x ^ _shift_right(x, 27)) * _MIX_2
    return x ^ _shift_right(x, 31)


def _shift_right(x: Tensor, bits: int) -> Tensor:
    """Logical shift (torch's is arithmetic)."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)


def _as_int64(seed: int) -> int:
    seed &= (1 << 64) - 1
    return seed - (1 << 64) if seed >> 63 else seed
