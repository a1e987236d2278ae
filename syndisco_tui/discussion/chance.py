"""Stateless randomness: every draw is a function of its purpose."""

from __future__ import annotations

import hashlib

SEED_BITS = 53  # so that every JSON reader keeps it exact


def draw(seed: int, purpose: str, turn: int, attempt: int = 0) -> float:
    """A uniform number in [0, 1) that depends on nothing but the arguments."""
    return draw_seed(seed, purpose, turn, attempt) / (1 << SEED_BITS)


def draw_seed(seed: int, purpose: str, turn: int, attempt: int = 0) -> int:
    """A uniform integer of 53 bits that depends on nothing but the arguments."""
    key = f"{seed}|{purpose}|{turn}|{attempt}".encode()
    digest = hashlib.blake2b(key, digest_size=8).digest()
    return int.from_bytes(digest, "big") >> (64 - SEED_BITS)
