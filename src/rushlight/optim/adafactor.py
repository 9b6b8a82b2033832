"""Adafactor."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd.tensor import Tensor, wrap
from ..dtypes import finfo
from .optimizer import scalar
from .rule import Array, Rule, lerp

__all__ = ["Adafactor"]


class Adafactor(Rule):
    """Adam without a mean, and with mean squares kept as one row and one column for each matrix.

    Shazeer and Stern 2018, https://arxiv.org/abs/1804.04235. `d` bounds the root mean square of an update;
    RuntimeError for complex parameters.
    https://docs.pytorch.org/docs/stable/generated/torch.optim.Adafactor.html
    """

    coupled_decay = False

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-2,
        beta2_decay: float = -0.8,
        eps: tuple[float | None, float] = (None, 1e-3),
        d: float = 1.0,
        weight_decay: float = 0.0,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
    ) -> None:
        if isinstance(lr, Tensor) and lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
        for wrong, text in (
            (not lr >= 0.0, f"Learning rate should be >= 0 but is: {lr}"),
            (not beta2_decay <= 0.0, f"beta2_decay should be <= 0 but is: {beta2_decay}"),
            (eps[0] is not None and not eps[0] >= 0.0, f"epsilon1 should be >= 0 but is: {eps[0]}"),
            (not eps[1] >= 0.0, f"epsilon2 should be >= 0 but is: {eps[1]}"),
            (not d >= 1.0, f"Clipping threshold d should be >= 1 but is: {d}"),
            (not weight_decay >= 0.0, f"weight_decay should be >= 0 but is: {weight_decay}"),
        ):
            if wrong:
                raise ValueError(text)
        defaults = {
            "lr": lr, "beta2_decay": beta2_decay, "eps": eps, "d": d, "weight_decay": weight_decay,
            "foreach": foreach, "maximize": maximize,
        }  # fmt: skip
        super().__init__(params, defaults)

    def begin(self, p: Any, group: dict[str, Any]) -> dict[str, Any]:
        if p.is_complex():
            raise RuntimeError("Adafactor does not support complex parameters")
        a = p._array
        if a.ndim > 1:
            row, column = np.zeros((*a.shape[:-1], 1), a.dtype), np.zeros((*a.shape[:-2], 1, a.shape[-1]), a.dtype)
            return {"step": scalar(0.0), "row_var": wrap(row), "col_var": wrap(column)}
        return {"step": scalar(0.0), "variance": wrap(np.zeros_like(a))}

    def update(self, p: Array, g: Array, state: dict[str, Any], group: dict[str, Any], step: float) -> Array:
        eps1, eps2 = group["eps"]
        if eps1 is None:
            eps1 = finfo(_dtype(p)).eps
        fresh = step ** group["beta2_decay"]
        lr = max(eps2, _norm(p) / math.sqrt(p.size)) * min(group["lr"], 1 / step**0.5)
        if group["weight_decay"] != 0:
            p = p * (1 - group["lr"] * group["weight_decay"])
        if p.ndim > 1:
            squares = g * g
            row = state["row_var"] = lerp(state["row_var"], squares.mean(-1, keepdims=True), fresh)
            column = state["col_var"] = lerp(state["col_var"], squares.mean(-2, keepdims=True), fresh)
            # An outer product: written as one, it needs no matmul.
            variance = row * column / np.maximum(row.mean(-2, keepdims=True), eps1)
        else:
            variance = state["variance"] = lerp(state["variance"], g * g, fresh)
        change = g / np.sqrt(np.maximum(variance, eps1 * eps1))
        size = max(1.0, _norm(change) / (math.sqrt(change.size) * group["d"]))
        return p - lr / size * change


def _norm(a: Array) -> float:
    return float(np.linalg.norm(a.astype(np.float64) if a.dtype == np.float64 else a.astype(np.float32)))


def _dtype(a: Array) -> Any:
    from ..dtypes import of_array

    return of_array(a.dtype)
