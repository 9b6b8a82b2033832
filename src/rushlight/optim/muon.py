"""Muon."""

from __future__ import annotations

import math
from typing import Any

import ml_dtypes
import numpy as np

from ..autograd.tensor import Tensor
from ..backend import kernels as K
from ..size import Size
from .rule import Array, Rule, lerp, zeros_like

__all__ = ["Muon"]


class Muon(Rule):
    """Momentum whose matrices are made nearly orthogonal, by a Newton-Schulz iteration in bfloat16.

    For matrices only. Jordan et al. 2024, https://kellerjordan.github.io/posts/muon/; `adjust_lr_fn` is "original" or
    "match_rms_adamw" (Liu et al. 2025, https://arxiv.org/abs/2502.16982).
    https://docs.pytorch.org/docs/stable/generated/torch.optim.Muon.html
    """

    coupled_decay = False

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        weight_decay: float = 0.1,
        momentum: float = 0.95,
        nesterov: bool = True,
        ns_coefficients: tuple[float, float, float] = (3.4445, -4.775, 2.0315),
        eps: float = 1e-7,
        ns_steps: int = 5,
        adjust_lr_fn: str | None = None,
    ) -> None:
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        if not lr >= 0.0:
            raise ValueError(f"Learning rate should be >= 0 but is: {lr}")
        if not momentum >= 0.0:
            raise ValueError(f"momentum should be >= 0 but is: {momentum}")
        if not weight_decay >= 0.0:
            raise ValueError(f"weight decay should be >= 0 but is: {weight_decay}")
        if adjust_lr_fn not in (None, "original", "match_rms_adamw"):
            raise ValueError(f"Adjust learning rate function {adjust_lr_fn} is not supported")
        defaults = {
            "lr": lr, "weight_decay": weight_decay, "momentum": momentum, "nesterov": nesterov,
            "ns_coefficients": ns_coefficients, "eps": eps, "ns_steps": ns_steps, "adjust_lr_fn": adjust_lr_fn,
        }  # fmt: skip
        super().__init__(params, defaults)
        for group in self.param_groups:
            for p in group["params"]:
                if p.dim() != 2:
                    raise ValueError(
                        f"Muon only supports 2D parameters whereas we found a parameter with size: {Size(p.shape)}"
                    )

    def begin(self, p: Any, group: dict[str, Any]) -> dict[str, Any]:
        if p.is_complex():
            raise RuntimeError("Muon does not support complex parameters")
        return {"momentum_buffer": zeros_like(p)}

    def update(self, p: Array, g: Array, state: dict[str, Any], group: dict[str, Any], step: float) -> Array:
        momentum = group["momentum"]
        buffer = state["momentum_buffer"] = lerp(state["momentum_buffer"], g, 1 - momentum)
        direction = lerp(g, buffer, momentum) if group["nesterov"] else buffer
        direction = _orthogonal(direction, group["ns_coefficients"], group["ns_steps"], group["eps"])
        p = p * (1 - group["lr"] * group["weight_decay"])
        return p - group["lr"] * _scale(group["adjust_lr_fn"], p.shape) * direction.astype(p.dtype)


def _scale(rule: str | None, shape: tuple[int, ...]) -> float:
    rows, columns = shape
    if rule == "match_rms_adamw":
        return 0.2 * math.sqrt(max(rows, columns))
    return math.sqrt(max(1, rows / columns))


def _orthogonal(a: Array, coefficients: tuple[float, float, float], steps: int, eps: float) -> Array:
    """Push every singular value of `a` towards 1, by `steps` rounds of an odd polynomial of degree five."""
    if steps >= 100:
        raise ValueError("Number of steps must be less than 100 for computational efficiency")
    if len(coefficients) != 3:
        raise ValueError("Coefficients must be a tuple of exactly 3 values")
    first, third, fifth = coefficients
    x = a.astype(ml_dtypes.bfloat16)
    tall = x.shape[0] > x.shape[1]
    x = x.T if tall else x
    norm = np.linalg.norm(x.astype(np.float32)).astype(ml_dtypes.bfloat16)
    x = x / max(norm, np.asarray(eps, x.dtype))
    for _ in range(steps):
        gram = K.matmul(x, np.ascontiguousarray(x.T))
        weights = K.addmm(gram, gram, gram, third, fifth)
        x = K.addmm(x, weights, x, first, 1.0)
    return x.T if tall else x
