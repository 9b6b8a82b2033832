"""Adamax."""

from __future__ import annotations

from typing import Any

from .. import ops
from .optimizer import scalar
from .rule import Rule, Value, check_betas, check_lr, check_not_negative, lerp, zeros_like

__all__ = ["Adamax"]


class Adamax(Rule):
    """Adam with the largest recent gradient in place of the root of the mean square.

    Kingma and Ba 2015, section 7.1, https://arxiv.org/abs/1412.6980.
    https://docs.pytorch.org/docs/stable/generated/torch.optim.Adamax.html
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        foreach: bool | None = None,
        *,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_lr(lr)
        check_not_negative(epsilon=eps)
        check_betas(betas)
        check_not_negative(weight_decay=weight_decay)
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def begin(self, p: Any, group: dict[str, Any]) -> dict[str, Any]:
        return {"step": scalar(0.0), "exp_avg": zeros_like(p), "exp_inf": zeros_like(p)}

    def update(self, p: Value, g: Value, state: dict[str, Any], group: dict[str, Any], step: float) -> Value:
        beta1, beta2 = group["betas"]
        mean = state["exp_avg"] = lerp(state["exp_avg"], g, 1 - beta1)
        largest = state["exp_inf"] = ops.maximum(state["exp_inf"] * beta2, abs(g) + group["eps"])
        return p - group["lr"] / (1 - beta1**step) * mean / largest
