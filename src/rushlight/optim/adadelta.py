"""Adadelta."""

from __future__ import annotations

from typing import Any

from .. import ops
from .optimizer import scalar
from .rule import Rule, Value, check_lr, check_not_negative, zeros_like

__all__ = ["Adadelta"]


class Adadelta(Rule):
    """Steps in the ratio of the running size of earlier steps to that of the gradients.

    Zeiler 2012, https://arxiv.org/abs/1212.5701.
    https://docs.pytorch.org/docs/stable/generated/torch.optim.Adadelta.html
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1.0,
        rho: float = 0.9,
        eps: float = 1e-6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        capturable: bool = False,
        maximize: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        if not 0.0 <= rho <= 1.0:
            raise ValueError(f"Invalid rho value: {rho}")
        check_not_negative(epsilon=eps, weight_decay=weight_decay)
        defaults = {
            "lr": lr, "rho": rho, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
            "capturable": capturable, "foreach": foreach, "differentiable": differentiable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def begin(self, p: Any, group: dict[str, Any]) -> dict[str, Any]:
        return {"step": scalar(0.0), "square_avg": zeros_like(p), "acc_delta": zeros_like(p)}

    def update(self, p: Value, g: Value, state: dict[str, Any], group: dict[str, Any], step: float) -> Value:
        rho, eps = group["rho"], group["eps"]
        square = state["square_avg"] = rho * state["square_avg"] + (1 - rho) * g * g
        delta = ops.sqrt(state["acc_delta"] + eps) / ops.sqrt(square + eps) * g
        state["acc_delta"] = rho * state["acc_delta"] + (1 - rho) * delta * delta
        return p - group["lr"] * delta
