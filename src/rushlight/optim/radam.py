"""RAdam."""

from __future__ import annotations

from typing import Any

from .. import ops
from .optimizer import scalar
from .rule import Rule, Value, check_betas, check_lr, check_not_negative, lerp, zeros_like

__all__ = ["RAdam"]


class RAdam(Rule):
    """Adam that goes by plain momentum until its estimate of the variance can be trusted.

    Liu et al. 2020, https://arxiv.org/abs/1908.03265.
    https://docs.pytorch.org/docs/stable/generated/torch.optim.RAdam.html
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        decoupled_weight_decay: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
    ) -> None:
        check_lr(lr)
        check_not_negative(epsilon=eps)
        check_betas(betas)
        check_not_negative(weight_decay=weight_decay)
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "maximize": maximize,
            "foreach": foreach, "capturable": capturable, "decoupled_weight_decay": decoupled_weight_decay,
            "differentiable": differentiable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def begin(self, p: Any, group: dict[str, Any]) -> dict[str, Any]:
        return {"step": scalar(0.0), "exp_avg": zeros_like(p), "exp_avg_sq": zeros_like(p)}

    def update(self, p: Value, g: Value, state: dict[str, Any], group: dict[str, Any], step: float) -> Value:
        beta1, beta2 = group["betas"]
        mean = state["exp_avg"] = lerp(state["exp_avg"], g, 1 - beta1)
        square = state["exp_avg_sq"] = beta2 * state["exp_avg_sq"] + (1 - beta2) * g * g
        unbiased = mean / (1 - beta1**step)
        # The length of the average that the running mean square amounts to, now and in the end.
        end = 2 / (1 - beta2) - 1
        length = end - 2 * step * beta2**step / (1 - beta2**step)
        if length <= 5:
            return p - unbiased * group["lr"]
        rectified = ((length - 4) * (length - 2) * end / ((end - 4) * (end - 2) * length)) ** 0.5
        adaptive = (1 - beta2**step) ** 0.5 / (ops.sqrt(square) + group["eps"])
        return p - unbiased * group["lr"] * adaptive * rectified
