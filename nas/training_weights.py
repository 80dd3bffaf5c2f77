"""Weights as the optimiser keeps them, in fp32, and as the arithmetic takes them, in bf16 on a GPU."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call


class Weights:
    """The parameters of a module, and a copy of them that takes part in the arithmetic.

    Casting once a step, all weights in one kernel, replaces what `torch.autocast` casts one by one.

    Attributes:
        kept: in fp32, the module's own; their gradients are set by `backward`.
    """

    def __init__(self, module: nn.Module) -> None:
        named: dict[str, Tensor] = dict(module.named_parameters())
        self._module = module
        self._computing = named
        self._gradients: list[Tensor] = []  # of those kept, where others compute
        self.kept = list(named.values())
        if self.kept[0].is_cuda:
            self._computing = {
                name: kept.detach().to(torch.bfloat16).requires_grad_() for name, kept in named.items()
            }
            self._gradients = [torch.zeros_like(kept) for kept in self.kept]
            for kept, gradient in zip(self.kept, self._gradients, strict=True):
                kept.grad = gradient

    def compute(self, clip: Tensor) -> Any:
        """What the module returns for an input, cast to the dtype of the arithmetic."""
        dtype = next(iter(self._computing.values())).dtype
        return functional_call(self._module, self._computing, (clip.to(dtype),))

    def backward(self, loss: Tensor) -> None:
        """Computes the gradients of the kept weights."""
        for weight in self._computing.values():
            weight.grad = None
        loss.backward()
        if self._gradients:
            computed = [weight.grad for weight in self._computing.values() if weight.grad is not None]
            torch._foreach_copy_(self._gradients, computed)

    @torch.no_grad()
    def refresh(self) -> None:
        """Copies the kept weights after they changed."""
        if self._gradients:
            torch._foreach_copy_(list(self._computing.values()), self.kept)
