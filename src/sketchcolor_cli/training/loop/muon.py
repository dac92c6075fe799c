"""Muon for the kernels inside a network, AdamW for the rest, as one optimizer to fastai."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Iterable

_DECAY = 0.02  # of weights, per step and learning rate
_MOMENTUM = 0.95
_QUINTIC = (3.4445, -4.7750, 2.0315)  # Jordan et al. 2024: small singular values grow fastest
_ITERATIONS = 5


class Muon(torch.optim.Optimizer):
    """Muon with Nesterov momentum, its directions computed in a number format of choice.

    ``torch.optim.Muon`` computes them in bfloat16 whatever the machine. On a processor without bfloat16 that
    took nine tenths of a training step.
    """

    def __init__(self, matrices: Iterable[Tensor], lr: float, dtype: torch.dtype) -> None:
        """Take matrices (outputs, all else), the learning rate, and the format of the iterations."""
        super().__init__(matrices, {"lr": lr})
        self._dtype = dtype

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]  # nobody asks for a loss here
        """Take a step; matrices without gradient stay as they are."""
        for group in self.param_groups:
            for matrix in group["params"]:
                if matrix.grad is not None:
                    self._step(matrix, matrix.grad, group["lr"])

    def _step(self, matrix: Tensor, grad: Tensor, lr: float) -> None:
        state = self.state[matrix]
        if not state:
            state["momentum_buffer"] = torch.zeros_like(grad)
        average = state["momentum_buffer"].lerp_(grad, 1 - _MOMENTUM)
        direction = orthogonalized(grad.lerp(average, _MOMENTUM).to(self._dtype))
        matrix.mul_(1 - lr * _DECAY)
        # Steps as large as AdamW's (Liu et al. 2025), so that one learning rate serves both.
        matrix.add_(direction.to(matrix.dtype), alpha=-0.2 * math.sqrt(max(matrix.shape)) * lr)


def orthogonalized(matrix: Tensor) -> Tensor:
    """Return a matrix with the same singular vectors, and all singular values near one (0.7 to 1.2).

    Newton-Schulz iterations of a quintic polynomial (Jordan et al. 2024); each works on the smaller side.
    """
    tall = matrix.shape[0] > matrix.shape[1]
    x = matrix.T if tall else matrix
    x = x / x.norm().clamp(min=1e-7)
    a, b, c = _QUINTIC
    for _ in range(_ITERATIONS):
        gram = x @ x.T
        x = torch.addmm(x, torch.addmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.T if tall else x


class MuonAndAdamW:
    """Muon for the kernels inside the network, AdamW for what is first, last or no matrix.

    Muon (Jordan et al. 2024) takes each step in the directions of the gradient equally far.
    """

    def __init__(
        self, net: nn.Module, lr: float, outer: tuple[str, ...], dtype: torch.dtype = torch.float32
    ) -> None:
        """Sort the parameters of a network.

        Args:
            net: The network.
            lr: The learning rate.
            outer: How the names of its first and last layers begin.
            dtype: The number format of Muon's iterations; bfloat16 where that is fast.
        """
        self.kernels: list[tuple[nn.Parameter, nn.Parameter]] = []
        ends: list[nn.Parameter] = []
        vectors: list[nn.Parameter] = []
        for name, parameter in net.named_parameters():
            if parameter.ndim == 1:
                vectors.append(parameter)
            elif name.startswith(outer):
                ends.append(parameter)
            else:
                self.kernels.append((parameter, _matrix_of(parameter)))
        groups = [{"params": ends, "weight_decay": _DECAY}, {"params": vectors, "weight_decay": 0.0}]
        matrices = [matrix for _, matrix in self.kernels]
        self.parts: list[Any] = [
            Muon(matrices, lr, dtype),
            torch.optim.AdamW(groups, lr=lr, fused=True),
        ]

    def step(self) -> None:
        """Take a step."""
        for parameter, matrix in self.kernels:
            matrix.grad = None if parameter.grad is None else _as_matrix(parameter.grad)
        for part in self.parts:
            part.step()

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter, matrix in self.kernels:
            parameter.grad = matrix.grad = None
        self.parts[1].zero_grad(set_to_none=True)

    def set_hyper(self, name: str, value: Any) -> None:
        """Set the learning rate; one for all, or one for each group, of which the last counts."""
        if name == "lr":
            rate = float(value if isinstance(value, float | int) else value[-1])
            for part in self.parts:
                for group in part.param_groups:
                    group["lr"] = rate

    def set_hypers(self, **given: Any) -> None:
        """Set what fastai sets before fitting; of that, there is the learning rate here."""
        if given.get("lr") is not None:
            self.set_hyper("lr", given["lr"])

    @property
    def hypers(self) -> list[dict[str, float]]:
        """The learning rate, as fastai shows it."""
        return [{"lr": float(self.parts[0].param_groups[0]["lr"])}]

    @property
    def param_groups(self) -> list[dict[str, Any]]:
        """The parameters of the network, whose gradients a scaler takes its factor off before each step."""
        kernels = [parameter for parameter, _ in self.kernels]  # the matrices get their gradients later
        return [{"params": kernels}, *self.parts[1].param_groups]

    def state_dict(self) -> dict[str, Any]:
        """Return the state of both."""
        return {"parts": [part.state_dict() for part in self.parts]}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        for part, kept in zip(self.parts, state["parts"], strict=True):
            part.load_state_dict(kept)


def _matrix_of(kernel: nn.Parameter) -> nn.Parameter:
    """Return a kernel as a matrix of the same memory, so that a step of the one is a step of the other."""
    matrix = _as_matrix(kernel.data)
    if matrix.data_ptr() != kernel.data_ptr():
        kernel.data = kernel.data.contiguous(memory_format=torch.channels_last)
        matrix = _as_matrix(kernel.data)
    return nn.Parameter(matrix)


def _as_matrix(kernel: Tensor) -> Tensor:
    """Return a kernel, or its gradient, as (outputs, all else), of the same memory if channels come last."""
    return kernel.movedim(1, -1).reshape(len(kernel), -1)
