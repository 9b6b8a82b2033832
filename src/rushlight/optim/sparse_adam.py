"""SparseAdam: its settings; its step needs sparse gradients, which rushlight has not yet."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import unsupported
from .optimizer import Optimizer, evaluate
from .rule import check_betas, check_lr

__all__ = ["SparseAdam"]


class SparseAdam(Optimizer):
    """Adam that touches only the rows which a sparse gradient names; NotImplementedError when there are gradients.

    https://docs.pytorch.org/docs/stable/generated/torch.optim.SparseAdam.html
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        maximize: bool = False,
    ) -> None:
        check_lr(lr)
        if not eps > 0.0:
            raise ValueError(f"Invalid epsilon value: {eps}")
        check_betas(betas)
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "maximize": maximize})
        ours = [p for group in self.param_groups for p in group["params"]]
        complex_ones = [i for i, p in enumerate(ours) if p.is_complex()]
        if complex_ones:
            raise ValueError(
                f"SparseAdam does not support complex parameters: found complex params at indices {complex_ones}"
            )

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        loss = evaluate(closure)
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                if not p.grad.is_sparse:
                    raise RuntimeError("SparseAdam does not support dense gradients, please consider Adam instead")
                raise unsupported("sparse gradients")
        return loss
