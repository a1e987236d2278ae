"""Randomness without state: every draw is a function of what it is drawn for."""

from __future__ import annotations

import hashlib

SEED_BITS = 53  # every JSON reader keeps an integer of 53 bits exact


def draw(seed: int, purpose: str, turn: int, attempt: int = 0) -> float:
    """A uniform number in [0, 1), the same on every machine for the same four arguments."""
    return draw_seed(seed, purpose, turn, attempt) / (1 << SEED_BITS)


def draw_seed(seed: int, purpose: str, turn: int, attempt: int = 0) -> int:
    """A uniform integer of 53 bits, for a sampler's seed."""
    key = f"{seed}|{purpose}|{turn}|{attempt}".encode()
    digest = hashlib.blake2b(key, digest_size=8).digest()
    return int.from_bytes(digest, "big") >> (64 - SEED_BITS)
