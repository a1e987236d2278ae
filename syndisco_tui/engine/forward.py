"""The two forward passes over slots: reading a prompt, and one token for many slots.

Knows models and slots; nothing of requests, sampling or text.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from .slots import Slots


def prefill(model: Any, slots: Slots, slot: int, ids: Tensor, start: int) -> Tensor:
    """Read ``ids`` int64 [tokens] into ``slot`` from position ``start``.

    Gives the logits after the last of them, [vocabulary].
    """
    end = start + len(ids)
    positions = torch.arange(start, end, device=ids.device)
    window = slots.window
    window.rows, window.start, window.positions = slice(slot, slot + 1), start, None
    window.top = end
    mask = torch.arange(end, device=ids.device) <= positions[:, None]
    output = model(
        input_ids=ids[None],
        attention_mask=mask[None, None],
        position_ids=positions[None],
        past_key_values=slots.cache,
        use_cache=True,
        logits_to_keep=1,
    )
    logits: Tensor = output.logits[0, -1]
    return logits


def decode(
    model: Any, slots: Slots, rows: Sequence[int], tokens: Tensor, lengths: Tensor, top: int
) -> Tensor:
    """One token for each of the slots ``rows`` (ascending), at positions ``lengths``.

    Attention reads positions below ``top``. Gives logits [rows, vocabulary].
    """
    window = slots.window
    row_ids = torch.tensor(rows, device=tokens.device)
    neighbours = rows[-1] - rows[0] == len(rows) - 1
    window.rows = slice(rows[0], rows[-1] + 1) if neighbours else row_ids
    window.row_ids, window.positions, window.top = row_ids, lengths, top
    mask = torch.arange(top, device=tokens.device) <= lengths[:, None]
    output = model(
        input_ids=tokens[:, None],
        attention_mask=mask[:, None, None],
        position_ids=lengths[:, None],
        past_key_values=slots.cache,
        use_cache=True,
        logits_to_keep=1,
    )
    logits: Tensor = output.logits[:, -1]
    return logits
