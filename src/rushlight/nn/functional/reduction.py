"""The last step of every loss: no reduction, the mean or the sum."""

from __future__ import annotations

from typing import Any

from ...settings import warn


def reduce(loss: Any, reduction: str) -> Any:
    """`loss` itself, its mean or its sum; ValueError for any other `reduction`."""
    if reduction == "mean":
        return loss.mean()
    if reduction == "sum":
        return loss.sum()
    check(reduction)
    return loss


def check(reduction: str) -> None:
    """Raise PyTorch's error for an unknown reduction."""
    if reduction not in ("none", "mean", "sum"):
        raise ValueError(f"{reduction} is not a valid value for reduction")


def legacy(size_average: bool | None, reduce: bool | None, reduction: str) -> str:
    """The reduction that the two old flags ask for, with the warning they deserve."""
    if size_average is None and reduce is None:
        return reduction
    average = True if size_average is None else size_average
    meant = "none" if reduce is not None and not reduce else "mean" if average else "sum"
    warn(f"size_average and reduce args will be deprecated, please use reduction='{meant}' instead.")
    return meant
