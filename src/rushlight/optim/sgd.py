"""Stochastic gradient descent, with momentum."""

from __future__ import annotations

from typing import Any

from ..autograd.tensor import Tensor, wrap
from ..backend import kernels as K
from .rule import Rule, Value, check_fused, check_lr, real_view

__all__ = ["SGD"]


class SGD(Rule):
    """p <- p - lr * g, where momentum replaces the gradient g by a running sum of gradients.

    `nesterov` looks one step ahead (Sutskever et al. 2013, http://proceedings.mlr.press/v28/sutskever13.html) and
    needs momentum and no dampening.

    >>> import rushlight as torch
    >>> w = torch.nn.Parameter(torch.tensor([1.0]))
    >>> w.grad = torch.tensor([2.0])
    >>> torch.optim.SGD([w], lr=0.25, momentum=0.9).step()
    >>> w.item()
    0.5

    https://docs.pytorch.org/docs/stable/generated/torch.optim.SGD.html
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        momentum: float = 0,
        dampening: float = 0,
        weight_decay: Any = 0,
        nesterov: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_lr(lr)
        if momentum < 0.0:
            raise ValueError(f"Invalid momentum value: {momentum}")
        if weight_decay < 0.0:
            raise ValueError(f"Invalid weight_decay value: {weight_decay}")
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("Nesterov momentum requires a momentum and zero dampening")
        defaults = {
            "lr": lr, "momentum": momentum, "dampening": dampening, "weight_decay": weight_decay, "nesterov": nesterov,
            "maximize": maximize, "foreach": foreach, "differentiable": differentiable, "fused": fused,
        }  # fmt: skip
        super().__init__(params, defaults)
        check_fused(fused, foreach, differentiable)
        if fused:
            self._step_supports_amp_scaling = True

    def _step_arrays(self, group: dict[str, Any]) -> None:
        params = [p for p in group["params"] if p._grad is not None]
        momentum = group["momentum"]
        states = [self.state[p] for p in params] if momentum else []
        buffers = [_array_of(state.get("momentum_buffer")) for state in states] or [None] * len(params)
        fresh = [i for i, buffer in enumerate(buffers) if buffer is None] if momentum else []
        K.sgd_(
            [real_view(p._array) for p in params],
            [real_view(p._grad._array) for p in params],
            buffers,
            lr=group["lr"],
            momentum=momentum,
            dampening=group["dampening"],
            weight_decay=group["weight_decay"],
            nesterov=group["nesterov"],
            maximize=group["maximize"],
        )
        for p in params:
            p._counter[0] += 1
        for i in fresh:
            buffer = buffers[i]
            a = params[i]._array
            states[i]["momentum_buffer"] = wrap(buffer.view(a.dtype)[..., 0] if a.dtype.kind == "c" else buffer)

    def begin(self, p: Any, group: dict[str, Any]) -> dict[str, Any]:
        return {}

    def _step_tensors(self, group: dict[str, Any]) -> None:
        for p in group["params"]:
            if p._grad is None:
                continue
            values = dict(self.state[p]) if group["momentum"] else {}
            p.copy_(self._apply(p, p._grad, values, group, 0))
            if group["momentum"]:
                self.state[p].update(values)

    def update(self, p: Value, g: Value, state: dict[str, Any], group: dict[str, Any], step: float) -> Value:
        momentum, buffer = group["momentum"], state.get("momentum_buffer")
        if momentum:
            buffer = g.clone().detach() if buffer is None else buffer * momentum + (1 - group["dampening"]) * g
            state["momentum_buffer"] = buffer
            g = g + momentum * buffer if group["nesterov"] else buffer
        return p - group["lr"] * g


def _array_of(x: Tensor | None) -> Any:
    return None if x is None else real_view(x._array)
