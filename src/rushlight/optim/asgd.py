"""Averaged stochastic gradient descent."""

from __future__ import annotations

from typing import Any

from .optimizer import scalar
from .rule import Rule, Value, check_lr, check_not_negative, zeros_like

__all__ = ["ASGD"]


class ASGD(Rule):
    """Gradient descent that also keeps the average of its iterates, from step `t0` on, in `state[p]["ax"]`.

    Polyak and Juditsky 1992, https://doi.org/10.1137/0330046.
    https://docs.pytorch.org/docs/stable/generated/torch.optim.ASGD.html
    """

    captured = "params, mus, etas, and state_steps"

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        lambd: float = 1e-4,
        alpha: float = 0.75,
        t0: float = 1e6,
        weight_decay: float = 0,
        foreach: bool | None = None,
        maximize: bool = False,
        differentiable: bool = False,
        capturable: bool = False,
    ) -> None:
        check_lr(lr)
        check_not_negative(weight_decay=weight_decay)
        defaults = {
            "lr": lr, "lambd": lambd, "alpha": alpha, "t0": t0, "weight_decay": weight_decay, "foreach": foreach,
            "maximize": maximize, "differentiable": differentiable, "capturable": capturable,
        }  # fmt: skip
        super().__init__(params, defaults)

    def begin(self, p: Any, group: dict[str, Any]) -> dict[str, Any]:
        return {"step": scalar(0.0), "eta": scalar(float(group["lr"])), "mu": scalar(1.0), "ax": zeros_like(p)}

    def update(self, p: Value, g: Value, state: dict[str, Any], group: dict[str, Any], step: float) -> Value:
        lambd, lr, eta, mu = group["lambd"], group["lr"], state["eta"].item(), state["mu"].item()
        p = p * (1 - lambd * eta) - eta * g
        state["ax"] = p if mu == 1 else state["ax"] + (p - state["ax"]) * mu
        state["eta"] = float(lr / (1 + lambd * lr * step) ** group["alpha"])
        state["mu"] = 1 / max(1, step - group["t0"])
        return p
