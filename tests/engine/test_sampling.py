"""The sampler: its distribution, and that a row does not depend on the others."""

from __future__ import annotations

import random

import pytest
import torch
from transformers import RepetitionPenaltyLogitsProcessor

from syndisco_tui.engine.base import Sampling
from syndisco_tui.engine.local.sampling.sampler import (
    SamplingTensors,
    gumbel,
    penalise,
    plan_batch,
    sample,
)

VOCABULARY = 5000


def draw(logits: torch.Tensor, samplings: list[Sampling], seeds: list[int], position: int) -> list:
    parameters = SamplingTensors.empty(len(samplings), "cpu")
    for row, (sampling, seed) in enumerate(zip(samplings, seeds, strict=True)):
        parameters.set_row(row, sampling, seed)
    seen = torch.arange(0, VOCABULARY, 7).expand(len(samplings), -1)
    positions = torch.full((len(samplings),), position)
    return sample(
        logits.clone(), parameters, seen, positions, plan_batch(samplings, logits.shape[1])
    ).tolist()


def test_a_row_is_the_same_alone_and_among_any_others() -> None:
    rng = random.Random(3)
    torch.manual_seed(3)
    for _ in range(150):
        count = rng.randint(2, 9)
        samplings = [
            Sampling(
                temperature=rng.choice([0.0, 0.5, 1.0, 3.0]),
                top_p=rng.choice([0.1, 0.9, 1.0]),
                top_k=rng.choice([0, 1, 40, 64, 500, 3000]),
                repetition_penalty=rng.choice([1.0, 1.3]),
            )
            for _ in range(count)
        ]
        # Rounded, so that there are many equal logits.
        logits = (torch.randn(count, VOCABULARY) * 4).mul(8).round() / 8
        seeds = [rng.randrange(1 << 53) for _ in range(count)]
        together = draw(logits, samplings, seeds, position=11)
        for row in range(count):
            alone = draw(logits[row : row + 1], [samplings[row]], [seeds[row]], position=11)
            assert alone[0] == together[row], samplings[row]


def test_greedy_is_argmax() -> None:
    logits = torch.randn(4, VOCABULARY)
    rows = [Sampling(temperature=0, repetition_penalty=1)] * 3 + [Sampling(top_k=9)]
    assert draw(logits, rows, [0] * 4, 0)[:3] == logits[:3].argmax(-1).tolist()


@pytest.mark.parametrize(("top_k", "top_p"), [(5, 1.0), (0, 0.6), (5, 0.6), (2000, 1.0), (0, 1.0)])
def test_frequencies_are_the_truncated_softmax(top_k: int, top_p: float) -> None:
    logits = torch.tensor([2.0, 1.0, 0.5, 0.0, -0.5, -1.0, -1.5, -2.0] + [-30.0] * 92)
    temperature, draws = 0.7, 20_000
    expected = torch.softmax(logits.double() / temperature, 0)
    if top_k:
        expected[top_k:] = 0
        expected /= expected.sum()
    if top_p < 1:
        expected[expected.cumsum(0) - expected >= top_p] = 0
        expected /= expected.sum()
    sampling = Sampling(temperature, top_p, top_k, 1.0)
    parameters = SamplingTensors.empty(draws, "cpu")
    parameters.temperature.fill_(temperature)
    parameters.top_p.fill_(top_p)
    parameters.top_k.fill_(top_k)
    position = torch.arange(draws)
    chosen = sample(
        logits.expand(draws, -1), parameters, None, position, plan_batch([sampling] * draws, 100)
    )
    counted = torch.bincount(chosen, minlength=100).double() / draws
    assert (counted - expected).abs().max() < 4 * (0.25 / draws) ** 0.5
    assert counted[expected == 0].sum() == 0


def test_noise_is_gumbel_and_has_no_memory() -> None:
    seeds = torch.arange(1000)[:, None].expand(1000, 1)[:, 0]
    noise = gumbel(seeds, torch.zeros(1000, dtype=torch.int64), torch.arange(1000))
    assert noise.isfinite().all()
    assert abs(noise.mean() - 0.5772) < 0.01  # Euler's constant
    assert abs(noise.var() - 1.6449) < 0.02  # pi squared / 6
    neighbours = torch.corrcoef(torch.stack([noise[:-1].flatten(), noise[1:].flatten()]))
    assert abs(neighbours[0, 1]) < 0.005
    later = gumbel(seeds, torch.ones(1000, dtype=torch.int64), torch.arange(1000))
    assert abs(torch.corrcoef(torch.stack([noise.flatten(), later.flatten()]))[0, 1]) < 0.005


def test_the_penalty_is_transformers() -> None:
    logits, ids = torch.randn(1, 50), torch.tensor([[3, 3, 7, 20]])
    expected = RepetitionPenaltyLogitsProcessor(1.3)(ids, logits.clone())
    assert torch.equal(penalise(logits, torch.tensor([1.3]), ids), expected)
