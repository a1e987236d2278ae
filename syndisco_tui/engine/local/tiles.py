"""Matrix products whose weights are held in fewer bits than float32, without a loss.

Knows torch's linear layers and the kernels; nothing of models or requests.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from . import kernels
from .linear import Projection, is_silu, joined_biases

_NOTHING = np.empty(0, np.float32)


def packed_weights(modules: Sequence[nn.Module]) -> np.ndarray | None:
    """What ``kernels.pack`` makes of the weights of ``modules`` together.

    None unless they are ordinary layers in float32 whose numbers all fit into the same form, and
    the processor widens them in no time.
    """
    if platform.machine() in ("x86_64", "AMD64") and not kernels.processor_has("fma"):
        return None
    weights = []
    for module in modules:
        if type(module) is not nn.Linear or module.weight.dtype != torch.float32:
            return None
        weights.append(module.weight.detach().numpy())
    return kernels.pack(weights)


class TileProjection(Projection):
    """One or several linear layers of the same input, as one, on the processor's matrix unit."""

    exact: np.ndarray

    def __call__(self, x: Tensor) -> Tensor:
        """As ``Projection``."""
        return self._multiply(x, x.new_empty(len(x), self._outputs), kernels.STORES)

    def added_to(self, residual: Tensor, x: Tensor) -> Tensor:
        """As ``Projection``."""
        return self._multiply(x, residual, kernels.ADDS)

    def gated(self, x: Tensor, activation: nn.Module) -> Tensor:
        """As ``Projection``."""
        if not is_silu(activation):
            return super().gated(x, activation)
        return self._multiply(x, x.new_empty(len(x), self._outputs // 2), kernels.GATES)

    def _join(self, modules: Sequence[nn.Linear]) -> None:
        self.bias = joined_biases(modules)
        self._outputs = sum(module.out_features for module in modules)

    def _multiply(self, x: Tensor, out: Tensor, ending: int) -> Tensor:
        bias = _NOTHING if self.bias is None else self.bias.numpy()
        threads, x = torch.get_num_threads(), x.contiguous()
        kernels.tile_products(x.numpy(), self.exact, bias, ending, threads, out.numpy())
        return out
