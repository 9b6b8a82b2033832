"""NAdam."""

from __future__ import annotations

from typing import Any

from .. import ops
from .optimizer import scalar
from .rule import Rule, Value, check_betas, check_lr, check_not_negative, lerp, zeros_like

__all__ = ["NAdam"]


class NAdam(Rule):
    """Adam with Nesterov's look ahead, and a momentum that grows towards beta1.

    Dozat 2016, https://openreview.net/forum?id=OM0jvwB8jIp57ZJjtNEZ.
    https://docs.pytorch.org/docs/stable/generated/torch.optim.NAdam.html
    """

    captured = "params, mu_products and state_steps"

    def __init__(
        self,
        params: Any,
        lr: Any = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        momentum_decay: float = 4e-3,
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
        check_not_negative(weight_decay=weight_decay, momentum_decay=momentum_decay)
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay, "maximize": maximize, "foreach": foreach,
            "capturable": capturable, "differentiable": differentiable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def begin(self, p: Any, group: dict[str, Any]) -> dict[str, Any]:
        return {
            "step": scalar(0.0), "mu_product": scalar(1.0), "exp_avg": zeros_like(p), "exp_avg_sq": zeros_like(p),
        }  # fmt: skip

    def update(self, p: Value, g: Value, state: dict[str, Any], group: dict[str, Any], step: float) -> Value:
        beta1, beta2 = group["betas"]
        mu, mu_next = (beta1 * (1 - 0.5 * 0.96 ** (n * group["momentum_decay"])) for n in (step, step + 1))
        product = (state["mu_product"] * mu).item()  # rounded to the counter's dtype, as the checkpoint keeps it
        state["mu_product"] = product
        mean = state["exp_avg"] = lerp(state["exp_avg"], g, 1 - beta1)
        square = state["exp_avg_sq"] = beta2 * state["exp_avg_sq"] + (1 - beta2) * g * g
        root = ops.sqrt(square / (1 - beta2**step)) + group["eps"]
        lr = group["lr"]
        p = p - lr * (1 - mu) / (1 - product) * g / root
        return p - lr * mu_next / (1 - product * mu_next) * mean / root
