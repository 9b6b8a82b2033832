"""RMSprop."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..backend import kernels as K
from .optimizer import scalar
from .rule import Rule, Value, check_lr, check_not_negative, count, lerp, real_view, zeros_like

__all__ = ["RMSprop"]


class RMSprop(Rule):
    """Divides the gradient by the root of its running mean square (`centered`: by its running deviation).

    Tieleman and Hinton 2012, https://www.cs.toronto.edu/~tijmen/csc321/slides/lecture_slides_lec6.pdf; centered as in
    Graves 2013, https://arxiv.org/abs/1308.0850.
    https://docs.pytorch.org/docs/stable/generated/torch.optim.RMSprop.html
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum: float = 0,
        centered: bool = False,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        check_not_negative(epsilon=eps, momentum=momentum, weight_decay=weight_decay, alpha=alpha)
        defaults = {
            "lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered,
            "weight_decay": weight_decay, "capturable": capturable, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def begin(self, p: Any, group: dict[str, Any]) -> dict[str, Any]:
        state = {"step": scalar(0.0), "square_avg": zeros_like(p)}
        if group["momentum"] > 0:
            state["momentum_buffer"] = zeros_like(p)
        if group["centered"]:
            state["grad_avg"] = zeros_like(p)
        return state

    def _step_arrays(self, group: dict[str, Any]) -> None:
        params, grads, squares, means, buffers = [], [], [], [], []
        for p, g, state in self._pairs(group):
            count(state)
            params.append(real_view(p._array))
            grads.append(real_view(g._array))
            squares.append(real_view(state["square_avg"]._array))
            if group["centered"]:
                means.append(real_view(state["grad_avg"]._array))
            if group["momentum"] > 0:
                buffers.append(real_view(state["momentum_buffer"]._array))
            p._counter[0] += 1
        K.rmsprop_(
            params, grads, squares, means, buffers, lr=group["lr"], alpha=group["alpha"], eps=group["eps"],
            weight_decay=group["weight_decay"], momentum=group["momentum"], centered=group["centered"],
            maximize=group["maximize"],
        )  # fmt: skip

    def update(self, p: Value, g: Value, state: dict[str, Any], group: dict[str, Any], step: float) -> Value:
        alpha = group["alpha"]
        square = state["square_avg"] = alpha * state["square_avg"] + (1 - alpha) * g * g
        if group["centered"]:
            mean = state["grad_avg"] = lerp(state["grad_avg"], g, 1 - alpha)
            square = square - mean * mean
        g = g / (ops.sqrt(square) + group["eps"])
        if group["momentum"] > 0:
            g = state["momentum_buffer"] = group["momentum"] * state["momentum_buffer"] + g
        return p - group["lr"] * g
