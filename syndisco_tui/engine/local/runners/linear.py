"""Linear layers, joined and fused where that is faster."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..transformers_api.llama import is_silu

FEW_ROWS = 2  # up to here torch's float32 product is faster than that of reordered weights


class Projection:
    """One or more linear layers with the same input, computed as one.

    The weights of ``modules`` become views of the joined ones, so nothing is held twice.
    Quantized and other special layers are called one by one instead.
    """

    def __init__(self, modules: Sequence[nn.Module]) -> None:
        self._modules = list(modules)
        self.weight: Tensor | None = None
        """[out of all modules, in]; None if the modules are called one by one."""
        self.bias: Tensor | None = None
        self._reordered: list[tuple[Tensor, Tensor | None]] = []
        self._sizes: list[int] = []
        if all(type(module) is nn.Linear for module in modules):
            self._join([module for module in modules if isinstance(module, nn.Linear)])

    @property
    def nbytes(self) -> int:
        """How much memory ``reorder`` takes."""
        return self.weight.nbytes if self.weight is not None else 0

    def reorder(self, *, separately: bool = False) -> None:
        """Make a copy of the weights in oneDNN's memory layout (CPU), for faster products.

        From three rows on, a row of these float32 products has the same bits however many rows
        there are; MKL's has not. Measured on two cores, all products of a step of 135M weights
        with 8 rows: 52 → 34 ms in float32, 26 → 17 ms in bfloat16.

        Args:
            separately: Keep the modules separate, for ``gated``.
        """
        if self.weight is None or self._reordered:
            return
        sizes = self._sizes if separately else [len(self.weight)]
        biases = torch.split(self.bias, sizes) if self.bias is not None else [None] * len(sizes)
        reorder = torch.ops.mkldnn._reorder_linear_weight
        parts = [reorder(part.contiguous()) for part in torch.split(self.weight, sizes)]
        self._reordered = list(zip(parts, biases, strict=True))

    def __call__(self, x: Tensor) -> Tensor:
        """x [rows, in] → [rows, out of all modules]."""
        if self.weight is None:
            outputs = [module(x) for module in self._modules]
            return outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=-1)
        if not self._is_reordered_for(x):
            return functional.linear(x, self.weight, self.bias)
        product: Any = torch.ops.mkldnn._linear_pointwise
        outputs = [product(x, weight, bias, "none", [], "") for weight, bias in self._reordered]
        return outputs[0] if len(outputs) == 1 else torch.cat(outputs, dim=-1)

    def added_to(self, residual: Tensor, x: Tensor) -> Tensor:
        """residual [rows, out] + the product of x [rows, in]; may overwrite the residual."""
        if self.weight is not None and self._is_reordered_for(x) and len(self._reordered) == 1:
            weight, bias = self._reordered[0]
            sum_: Tensor = torch.ops.mkldnn._linear_pointwise.binary(
                x, residual, weight, bias, "add"
            )
            return sum_
        if self.weight is not None and self.bias is None:
            return residual.addmm_(x, self.weight.t())
        return residual + self(x)

    def gated(self, x: Tensor, activation: nn.Module) -> Tensor:
        """activation(first(x)) · second(x), for two modules; x [rows, in]."""
        if is_silu(activation) and self._is_reordered_for(x) and len(self._reordered) == 2:
            (gate_weight, gate_bias), (weight, bias) = self._reordered
            product: Any = torch.ops.mkldnn._linear_pointwise
            gate = product(x, gate_weight, gate_bias, "swish", [], "")
            gated: Tensor = product.binary(x, gate, weight, bias, "mul")
            return gated
        gate, up = self(x).chunk(2, dim=-1)
        return torch.mul(activation(gate), up)

    def _is_reordered_for(self, x: Tensor) -> bool:
        return bool(self._reordered) and (x.shape[0] > FEW_ROWS or x.dtype != torch.float32)

    def _join(self, modules: Sequence[nn.Linear]) -> None:
        self._sizes = [module.out_features for module in modules]
        if len(modules) == 1:
            self.weight, self.bias = modules[0].weight, modules[0].bias
            return
        self.weight = torch.cat([module.weight.detach() for module in modules])
        self.bias = joined_biases(modules)
        for module, part in zip(modules, torch.split(self.weight, self._sizes), strict=True):
            module.weight = nn.Parameter(part, requires_grad=False)


def joined_biases(modules: Sequence[nn.Linear]) -> Tensor | None:
    """Biases [out of all modules], zero for modules without one; None if no module has any."""
    if all(module.bias is None for module in modules):
        return None
    return torch.cat(
        [
            module.weight.new_zeros(module.out_features) if module.bias is None else module.bias
            for module in modules
        ]
    ).detach()
