"""Triangular systems, and what all of `torch.linalg` checks of its arguments."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from .. import dtypes
from ..autograd.tensor import Tensor
from ..backend import placing
from ..backend.numpy import lapack
from ..settings import warn_once
from .declare import primitive
from .linear import mt
from .publishing import public, type_error
from .recorded import broadcast_error
from .results import named
from .shape import sum_to_any

linalg = functools.partial(public, method=False, namespace=False, out=True)  # of `torch.linalg` alone

# ---- checks -------------------------------------------------------------------------------------------------------------

LAPACK_KINDS = ("float32", "float64", "complex64", "complex128")


def check_matrix(x: Any, name: str, label: str = "A", function: str = "") -> None:
    """Refuse what is not a Tensor of two or more dimensions."""
    if not isinstance(x, Tensor):
        raise type_error(function or name.replace(".", "_"), x, 1, label)
    if x._array.ndim < 2:
        raise RuntimeError(f"{name}: The input tensor {label} must have at least 2 dimensions.")


def check_square(x: Any, name: str, label: str = "A", function: str = "") -> None:
    """Refuse what is not a batch of square matrices."""
    check_matrix(x, name, label, function)
    m, n = x._array.shape[-2:]
    if m != n:
        raise RuntimeError(f"{name}: {label} must be batches of square matrices, but they are {m} by {n} matrices")


def check_floating(x: Any, name: str, low: bool = True) -> None:
    """Refuse integers, and without `low` the half precisions."""
    if x.dtype.category < dtypes.FLOAT:
        raise RuntimeError(f"{name}: Expected a floating point or complex tensor as input. Got {x.dtype.scalar_name}")
    if not low and x.dtype.name not in LAPACK_KINDS:
        raise RuntimeError(f"{name}: Low precision dtypes not supported. Got {x.dtype.scalar_name}")


def check_lapack(x: Any, kernel: str) -> None:
    """Refuse dtypes that LAPACK lacks, in the name of PyTorch's kernel."""
    if x.dtype.name not in LAPACK_KINDS:
        raise NotImplementedError(f"\"{kernel}\" not implemented for '{x.dtype.scalar_name}'")


def batch_element(info: Any) -> tuple[str, int]:
    """The words for the first matrix that failed, and its info (0: none did)."""
    a = info._array if isinstance(info, Tensor) else info
    bad = np.flatnonzero(a.reshape(-1))
    if not bad.size:
        return "", 0
    return f"(Batch element {bad[0]}): " if a.ndim else "", int(a.reshape(-1)[bad[0]])


def by_columns(x: Any) -> Any:
    """A fresh result that LAPACK would have computed, laid out as it would be."""
    x._array = placing.columns(x._array)
    return x


# ---- triangular systems -------------------------------------------------------------------------------------------------


def _solve_gradients(g: Any, a: Any, b: Any, out: Any, upper: bool, left: bool, unit: bool, needs: Any) -> Any:
    g_b = _solve(mt(a), g, not upper, left, unit)
    g_a = None
    if needs[0]:
        g_a = -(g_b @ mt(out) if left else mt(out) @ g_b)
        offset = int(unit)
        g_a = g_a.triu(offset) if upper else g_a.tril(-offset)
        g_a = sum_to_any(g_a, a.shape)
    return g_a, sum_to_any(g_b, b.shape) if needs[1] else None


_solve = primitive(
    "LinalgSolveTriangularBackward0",
    lambda a, b, upper, left, unit: lapack.solve_triangular(a, b, upper, left, unit),
    inputs=("a", "b"), tensors=True, backward=_solve_gradients,
)  # fmt: skip


def check_batches(x: Any, y: Any) -> None:
    """Refuse leading dimensions that do not broadcast."""
    p, q = x._array.shape[:-2], y._array.shape[:-2]
    error = broadcast_error(np.broadcast_to(0, p), np.broadcast_to(0, q))
    if error is not None:
        raise error


def check_product(name: str, x: Any, y: Any, left: bool) -> None:
    """Refuse sizes that do not fit `A X = B` (or `X A = B`)."""
    if x.shape[-2] != y.shape[-2 if left else -1]:
        raise RuntimeError(
            f"{name}: Incompatible shapes of A and B for the equation {'AX = B' if left else 'XA = B'} "
            f"({x.shape[-2]}x{x.shape[-1]} and {y.shape[-2]}x{y.shape[-1]})"
        )


@linalg
def linalg_solve_triangular(input: Any, B: Any, *, upper: bool, left: bool = True, unitriangular: bool = False) -> Any:
    """The solution X of `A X = B` (or of `X A = B`) for triangular A; only its triangle is read."""
    name = "linalg.solve_triangular"
    check_square(input, name)
    check_matrix(B, name, "B")
    check_floating(input, name)
    check_product(name, input, B, left)
    check_batches(input, B)
    return _solve(input, B, upper, left, unitriangular)


_TRIANGULAR_SOLVE = named("triangular_solve", "solution cloned_coefficient")


@public(out=True)
def triangular_solve(
    input: Any, A: Any, upper: bool = True, transpose: bool = False, unitriangular: bool = False
) -> Any:
    """The old form of `linalg.solve_triangular`: X of `A X = input`, and a copy of A."""
    warn_once(
        "torch.triangular_solve is deprecated in favor of torch.linalg.solve_triangularand will be removed in a future "
        "PyTorch release.\ntorch.linalg.solve_triangular has its arguments reversed and does not return a copy of one of "
        "the inputs.\nX = torch.triangular_solve(B, A).solution\nshould be replaced with\n"
        "X = torch.linalg.solve_triangular(A, B)."
    )
    for label, x in (("b", input), ("A", A)):
        if x._array.ndim < 2:
            raise RuntimeError(
                f"torch.triangular_solve: Expected {label} to have at least 2 dimensions, but it has {x._array.ndim} dimensions instead"
            )
    check_square(A, "triangular_solve")
    check_product("triangular_solve", A, input, True)
    check_batches(A, input)
    x = (
        _solve(A.transpose(-2, -1), input, not upper, True, unitriangular)
        if transpose
        else _solve(A, input, upper, True, unitriangular)
    )
    return _TRIANGULAR_SOLVE((x, by_columns(A.clone())))
