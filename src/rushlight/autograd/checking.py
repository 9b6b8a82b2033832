"""gradcheck: compare the gradients of a function with finite differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..settings import warn
from .api import grad
from .tensor import Tensor, wrap


class GradcheckError(RuntimeError):
    """The analytical gradient differs from the numerical one."""


def _tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (tuple, list)) else (value,)


def _differentiable(value: Any) -> list[Any]:
    return [y for y in _tuple(value) if isinstance(y, Tensor) and y.requires_grad]


def gradcheck(
    func: Callable[..., Any], inputs: Any, *, eps: float = 1e-6, atol: float = 1e-5, rtol: float = 1e-3,
    raise_exception: bool = True, nondet_tol: float = 0.0, check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False, **ignored: Any,
) -> bool:  # fmt: skip
    """Whether the gradients of `func(*inputs)` agree with central differences, for inputs that require grad.

    Use float64 inputs. Raises GradcheckError (a RuntimeError) where they differ, unless `raise_exception` is False.
    https://docs.pytorch.org/docs/stable/generated/torch.autograd.gradcheck.gradcheck.html

    >>> import rushlight as torch
    >>> torch.autograd.gradcheck(torch.sin, torch.ones(2, dtype=torch.float64, requires_grad=True))
    True
    """
    xs = _tuple(inputs)
    try:
        _check(func, xs, eps, atol, rtol, nondet_tol)
    except GradcheckError:
        if raise_exception:
            raise
        return False
    return True


def _check(func: Any, xs: tuple[Any, ...], eps: float, atol: float, rtol: float, nondet_tol: float) -> None:
    leaves = [(i, x) for i, x in enumerate(xs) if isinstance(x, Tensor) and x.requires_grad]
    for i, x in leaves:
        if x._array.dtype.name not in ("float64", "complex128"):
            warn(
                f"Input #{i} requires gradient and is not a double precision floating point or complex. This check will "
                "likely fail if all the inputs are not of double precision floating point or complex. "
            )
        if x.numel() and any(s == 0 and n > 1 for s, n in zip(x._array.strides, x._array.shape, strict=True)):
            raise RuntimeError(
                f"The {i}th input has a dimension with stride 0. gradcheck only supports inputs that are non-overlapping to "
                "be able to compute the numerical gradients correctly. You should call .contiguous on the input before "
                "passing it to gradcheck."
            )
    if not leaves:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of them have requires_grad=True."
        )
    outputs = _differentiable(func(*xs))
    if not outputs:
        _check_constant(func, xs, [position for position, _ in leaves], eps)
    again = _differentiable(func(*xs))
    for number, y in enumerate(outputs):
        if not np.allclose(y._array, again[number]._array, rtol=0, atol=nondet_tol, equal_nan=True):
            raise GradcheckError("Function is not deterministic: two calls gave different outputs.")
        for position, x in leaves:
            numerical = _numerical(func, xs, position, number, eps)
            analytical = _analytical(y, x)
            if not np.allclose(analytical, numerical, rtol=rtol, atol=atol, equal_nan=True):
                raise GradcheckError(
                    f"Jacobian mismatch for output {number} with respect to input {position},\n"
                    f"numerical:{_shown(numerical, x)}\nanalytical:{_shown(analytical, x)}\n"
                )


def _check_constant(func: Any, xs: tuple[Any, ...], positions: list[int], eps: float) -> None:
    """Outputs without a graph must not depend on the inputs."""

    def detached(*args: Any) -> Any:
        return tuple(y.detach().requires_grad_() for y in _tuple(func(*args)) if y.dtype.category > 1)

    for position in positions:
        for number in range(len(detached(*xs))):
            if _numerical(detached, xs, position, number, eps).any():
                raise GradcheckError("Numerical gradient for function expected to be zero")


def _shown(jacobian: Any, x: Any) -> Any:
    """A Jacobian as PyTorch prints it: rows for the input's elements, columns for the output's."""
    parts = jacobian.astype(x._array.real.dtype)
    return wrap(parts[..., 0] if parts.shape[-1] == 1 else parts[..., 0] + 1j * parts[..., 1])


def _analytical(y: Any, x: Any) -> Any:
    """The Jacobian from backward: rows are elements of the input, columns of the output; real directions only."""
    complex_out = y._array.dtype.kind == "c"
    rows = []
    if not y.numel():
        return np.zeros((x.numel() * (1 + (x._array.dtype.kind == "c")), 0, 1 + complex_out))
    for k in range(y.numel()):
        parts = []
        for unit in (1, 1j) if complex_out else (1,):
            v = np.zeros(y._array.shape, y._array.dtype)
            v.reshape(-1)[k] = unit
            (g,) = grad(y, x, wrap(v), retain_graph=True, allow_unused=True)
            parts.append(np.zeros(x.numel(), x._array.dtype) if g is None else g._array.reshape(-1))
        rows.append(parts)
    found = np.array(rows)  # (outputs, 1 or 2, inputs)
    if x._array.dtype.kind == "c":  # dy/d(re x) and dy/d(im x)
        found = np.stack([found.real, found.imag], -1).reshape(*found.shape[:2], -1)
    return found.transpose(2, 0, 1)


def _numerical(func: Any, xs: tuple[Any, ...], position: int, number: int, eps: float) -> Any:
    x = xs[position]
    columns = []
    for k in range(x.numel()):
        for unit in (1, 1j) if x._array.dtype.kind == "c" else (1,):

            def value(step: Any, k: int = k) -> Any:
                a = x._array.copy()
                a.reshape(-1)[k] += step
                moved = wrap(a)
                moved.requires_grad_(True)
                args = (*xs[:position], moved, *xs[position + 1 :])
                return _differentiable(func(*args))[number]._array.reshape(-1).copy()

            slope = (value(eps * unit) - value(-eps * unit)) / (2 * eps)
            columns.append(np.stack([slope.real, slope.imag], -1) if slope.dtype.kind == "c" else slope[:, None])
    return np.array(columns)


def gradgradcheck(
    func: Callable[..., Any], inputs: Any, grad_outputs: Any = None, *, eps: float = 1e-6, atol: float = 1e-5,
    rtol: float = 1e-3, gen_non_contig_grad_outputs: bool = False, raise_exception: bool = True,
    nondet_tol: float = 0.0, **ignored: Any,
) -> bool:  # fmt: skip
    """`gradcheck` of the gradients themselves: whether second derivatives are right."""
    xs = _tuple(inputs)
    outputs = _differentiable(func(*xs))
    if grad_outputs is None:
        rng = np.random.default_rng(0)
        cotangents = []
        for y in outputs:
            v = rng.standard_normal(y._array.shape)
            if y._array.dtype.kind == "c":
                v = v + 1j * rng.standard_normal(y._array.shape)
            cotangents.append(wrap(np.asarray(v, y._array.dtype)).requires_grad_(True))
    else:
        cotangents = list(_tuple(grad_outputs))
    leaves = [i for i, x in enumerate(xs) if isinstance(x, Tensor) and x.requires_grad]
    n = len(cotangents)

    def first(*args: Any) -> Any:
        inner = args[n:]
        ys = _differentiable(func(*inner))
        found = grad(ys, [inner[i] for i in leaves], list(args[:n]), create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None)

    if not _differentiable(first(*cotangents, *xs)):
        return True
    return gradcheck(
        first, (*cotangents, *xs), eps=eps, atol=atol, rtol=rtol, raise_exception=raise_exception, nondet_tol=nondet_tol
    )
