"""Adam and AdamW."""

from __future__ import annotations

from typing import Any

from .. import ops
from ..autograd.tensor import Tensor
from ..backend import kernels as K
from .optimizer import scalar
from .rule import (
    Rule,
    Value,
    check_betas,
    check_fused,
    check_lr,
    check_not_negative,
    count,
    lerp,
    real_view,
    zeros_like,
)

__all__ = ["Adam", "AdamW"]


class Adam(Rule):
    """Steps along the running mean of gradients, divided by the root of their running mean square.

    Kingma and Ba 2015, https://arxiv.org/abs/1412.6980; `amsgrad` divides by the largest mean square so far (Reddi et
    al. 2018, https://openreview.net/forum?id=ryQu7f-RZ); `decoupled_weight_decay` makes it AdamW.

    >>> import rushlight as torch
    >>> w = torch.nn.Parameter(torch.zeros(2))
    >>> w.grad = torch.tensor([3.0, -0.5])
    >>> torch.optim.Adam([w], lr=0.1).step()
    >>> w.detach()
    tensor([-0.1000,  0.1000])

    https://docs.pytorch.org/docs/stable/generated/torch.optim.Adam.html
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: tuple[Any, Any] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0,
        amsgrad: bool = False,
        *,
        foreach: bool | None = None,
        maximize: bool = False,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
        decoupled_weight_decay: bool = False,
    ) -> None:
        _check_tensors(lr, betas, foreach, capturable)
        check_lr(lr)
        check_not_negative(epsilon=eps)
        check_betas(betas)
        check_not_negative(weight_decay=weight_decay)
        defaults = {
            "lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay, "amsgrad": amsgrad,
            "maximize": maximize, "foreach": foreach, "capturable": capturable, "differentiable": differentiable,
            "fused": fused, "decoupled_weight_decay": decoupled_weight_decay,
        }  # fmt: skip
        super().__init__(params, defaults)
        check_fused(fused, foreach, differentiable)
        if fused:
            self._step_supports_amp_scaling = True

    def begin(self, p: Any, group: dict[str, Any]) -> dict[str, Any]:
        state = {"step": scalar(0.0), "exp_avg": zeros_like(p), "exp_avg_sq": zeros_like(p)}
        if group["amsgrad"]:
            state["max_exp_avg_sq"] = zeros_like(p)
        return state

    def _step_arrays(self, group: dict[str, Any]) -> None:
        params, grads, means, squares, largest, steps = [], [], [], [], [], []
        amsgrad = group["amsgrad"]
        for p, g, state in self._pairs(group):
            params.append(real_view(p._array))
            grads.append(real_view(g._array))
            means.append(real_view(state["exp_avg"]._array))
            squares.append(real_view(state["exp_avg_sq"]._array))
            if amsgrad:
                largest.append(real_view(state["max_exp_avg_sq"]._array))
            steps.append(count(state))
            p._counter[0] += 1
        beta1, beta2 = group["betas"]
        K.adam_(
            params, grads, means, squares, largest, steps, lr=group["lr"], beta1=beta1, beta2=beta2, eps=group["eps"],
            weight_decay=group["weight_decay"], amsgrad=amsgrad, maximize=group["maximize"],
            decoupled=group["decoupled_weight_decay"],
        )  # fmt: skip

    def update(self, p: Value, g: Value, state: dict[str, Any], group: dict[str, Any], step: float) -> Value:
        beta1, beta2 = group["betas"]
        mean = state["exp_avg"] = lerp(state["exp_avg"], g, 1 - beta1)
        square = state["exp_avg_sq"] = beta2 * state["exp_avg_sq"] + (1 - beta2) * g * g
        if group["amsgrad"]:
            square = state["max_exp_avg_sq"] = ops.maximum(state["max_exp_avg_sq"], square)
        root = ops.sqrt(square) / (1 - beta2**step) ** 0.5 + group["eps"]
        return p - group["lr"] / (1 - beta1**step) * mean / root


class AdamW(Adam):
    """Adam whose weight decay shrinks the parameters themselves, not by way of the gradient.

    Loshchilov and Hutter 2019, https://arxiv.org/abs/1711.05101.
    https://docs.pytorch.org/docs/stable/generated/torch.optim.AdamW.html
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: tuple[Any, Any] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        foreach: bool | None = None,
        capturable: bool = False,
        differentiable: bool = False,
        fused: bool | None = None,
    ) -> None:
        super().__init__(
            params, lr, betas, eps, weight_decay, amsgrad, foreach=foreach, maximize=maximize, capturable=capturable,
            differentiable=differentiable, fused=fused, decoupled_weight_decay=True,
        )  # fmt: skip


def _check_tensors(lr: Any, betas: tuple[Any, Any], foreach: bool | None, capturable: bool) -> None:
    several = foreach and not capturable
    if isinstance(lr, Tensor):
        if several:
            raise ValueError("lr as a Tensor is not supported for capturable=False and foreach=True")
        if lr.numel() != 1:
            raise ValueError("Tensor lr must be 1-element")
    if isinstance(betas[0], Tensor) != isinstance(betas[1], Tensor):
        raise ValueError("betas must be either both floats or both Tensors")
    for index, beta in enumerate(betas):
        if isinstance(beta, Tensor) and several:
            raise ValueError(f"betas[{index}] as a Tensor is not supported for capturable=False and foreach=True")
