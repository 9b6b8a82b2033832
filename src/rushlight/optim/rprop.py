"""Resilient backpropagation."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import ops
from ..autograd.tensor import Tensor, wrap
from .optimizer import scalar
from .rule import Rule, Value, check_lr, zeros_like

__all__ = ["Rprop"]


class Rprop(Rule):
    """Steps by the gradient's sign; a step's size grows while the sign stays, and shrinks when it turns.

    Riedmiller and Braun 1993, https://doi.org/10.1109/ICNN.1993.298623.
    https://docs.pytorch.org/docs/stable/generated/torch.optim.Rprop.html
    """

    coupled_decay = False

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        etas: tuple[float, float] = (0.5, 1.2),
        step_sizes: tuple[float, float] = (1e-6, 50),
        *,
        capturable: bool = False,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        if not 0.0 < etas[0] < 1.0 < etas[1]:
            raise ValueError(f"Invalid eta values: {etas[0]}, {etas[1]}")
        defaults = {
            "lr": lr, "etas": etas, "step_sizes": step_sizes, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "capturable": capturable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def begin(self, p: Any, group: dict[str, Any]) -> dict[str, Any]:
        lr = float(group["lr"])
        first = complex(lr, lr) if p.is_complex() else lr
        return {"step": scalar(0.0), "prev": zeros_like(p), "step_size": wrap(np.full_like(p._array, first))}

    def update(self, p: Value, g: Value, state: dict[str, Any], group: dict[str, Any], step: float) -> Value:
        shrink, grow = group["etas"]
        turn = g * state["prev"]
        where = ops.where if isinstance(p, Tensor) else np.where
        factor = where(turn > 0, _like(grow, p), where(turn < 0, _like(shrink, p), _like(1.0, p)))
        low, high = group["step_sizes"]
        size = state["step_size"] = (state["step_size"] * factor).clip(low, high)
        g = state["prev"] = where(turn < 0, _like(0.0, p), g)  # after a turn, stand still once
        return p - ops.sign(g) * size


def _like(value: float, p: Value) -> Any:
    if isinstance(p, Tensor):
        return wrap(np.full((), value, p._array.dtype))
    return np.full((), value, p.dtype)
