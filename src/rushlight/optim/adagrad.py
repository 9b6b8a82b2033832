"""Adagrad."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import ops
from ..autograd.tensor import wrap
from .optimizer import scalar
from .rule import Rule, Value, check_fused, check_lr, check_not_negative

__all__ = ["Adagrad"]


class Adagrad(Rule):
    """Divides the gradient by the root of the sum of all its squares so far.

    Duchi, Hazan and Singer 2011, https://jmlr.org/papers/v12/duchi11a.html.
    https://docs.pytorch.org/docs/stable/generated/torch.optim.Adagrad.html
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        lr_decay: float = 0,
        weight_decay: float = 0,
        initial_accumulator_value: float = 0,
        eps: float = 1e-10,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        check_lr(lr)
        check_not_negative(
            lr_decay=lr_decay,
            weight_decay=weight_decay,
            initial_accumulator_value=initial_accumulator_value,
            epsilon=eps,
        )
        defaults = {
            "lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
            "initial_accumulator_value": initial_accumulator_value, "foreach": foreach, "maximize": maximize,
            "differentiable": differentiable, "fused": fused,
        }  # fmt: skip
        super().__init__(params, defaults)
        check_fused(fused, foreach, differentiable)
        if fused:
            self._step_supports_amp_scaling = True
        for group in self.param_groups:
            for p in group["params"]:
                self.state[p].update(self.begin(p, group))

    def begin(self, p: Any, group: dict[str, Any]) -> dict[str, Any]:
        first = group["initial_accumulator_value"]
        first = complex(first, first) if p.is_complex() else first
        return {"step": scalar(0.0), "sum": wrap(np.full_like(p._array, first))}

    def share_memory(self) -> None:
        """Does nothing: the state lives in this process."""

    def update(self, p: Value, g: Value, state: dict[str, Any], group: dict[str, Any], step: float) -> Value:
        lr = group["lr"] / (1 + (step - 1) * group["lr_decay"])
        total = state["sum"] = state["sum"] + g * g
        return p - lr * g / (ops.sqrt(total) + group["eps"])
