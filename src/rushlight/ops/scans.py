"""Running sums, products and extremes along a dimension, and differences."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..autograd.tensor import Tensor, wrap_dim
from ..backend import kernels as K
from ..backend import placing
from .declare import primitive
from .joining import cat
from .kinds import REAL, only
from .publishing import public
from .reduction import _as_tensor
from .results import named


def _typed(x: Any, dtype: Any) -> Any:
    if dtype is not None:
        return x.to(dtype)
    return x.to(dtypes.int64) if x._array.dtype.kind in "biu" else x


def _at_least_1d(function: Any) -> Any:
    """`function(a, axis)` on arrays, a 0-d one as a vector of one."""
    return lambda a, axis: function(a.reshape(1), 0).reshape(()) if a.ndim == 0 else placing.in_order(function(a, axis))


_cumsum: Any = primitive(
    "CumsumBackward0", _at_least_1d(lambda a, axis: K.cumsum(a, axis)), tensors=True,
    a=lambda g, axis: g.flip(axis).cumsum(axis).flip(axis) if g.dim() else g,
)  # fmt: skip


@public(out=True, inplace=True)
def cumsum(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """Running sums along a dimension."""
    return _cumsum(_typed(input, dtype), wrap_dim(dim, input._array.ndim))


def _cumprod_backward(g: Any, a: Any, out: Any, axis: int) -> Any:
    """dL/da_k = sum over i >= k of g_i * prod of the others up to i; by division where there is no zero."""
    if not a.dim():
        return g
    n = a.shape[axis]
    if n <= 1:
        return g
    if not bool((a == 0).any()):
        w = (g * out.conj()).flip(axis).cumsum(axis).flip(axis)
        return w / a.conj()
    parts = []
    ones = a.narrow(axis, 0, 1) * 0 + 1
    before = ones
    for k in range(n):
        rest = cat([ones, a.narrow(axis, k + 1, n - k - 1)], axis).cumprod(axis)
        parts.append((g.narrow(axis, k, n - k) * (before * rest).conj()).sum(axis, keepdim=True))
        before = before * a.narrow(axis, k, 1)
    return cat(parts, axis)


_cumprod: Any = primitive(
    "CumprodBackward0", _at_least_1d(lambda a, axis: K.cumprod(a, axis)), tensors=True,
    a=lambda g, a, out, axis: _cumprod_backward(g, a, out, axis),
)  # fmt: skip


@public(out=True, inplace=True)
def cumprod(input: Any, dim: int, *, dtype: Any = None) -> Any:
    """Running products along a dimension."""
    return _cumprod(_typed(input, dtype), wrap_dim(dim, input._array.ndim))


def _running(a: Any, axis: int, largest: bool) -> Any:
    """Running extremes and the index of each: the last of equals; nan, once met, stays."""
    if a.ndim == 0:
        return [np.array(a), np.zeros((), np.int64)], np.zeros((), np.int64)
    b = a if a.dtype.isbuiltin == 1 else a.astype(np.float32)
    values = (np.maximum if largest else np.minimum).accumulate(b, axis)
    hit = b == values
    if b.dtype.kind == "f":
        hit |= np.isnan(b)
    place = np.arange(a.shape[axis]).reshape([-1 if d == axis else 1 for d in range(a.ndim)])
    index = np.maximum.accumulate(np.where(hit, place, 0), axis)
    index = placing.in_order(index)
    return [placing.in_order(values.astype(a.dtype, copy=False)), index], index


def _running_backward(g: Any, index: Any, axis: int) -> Any:
    if not g.dim():
        return g
    return (g * 0).scatter_add(axis, _as_tensor(index), g)


def _running_op(name: str, largest: bool) -> None:
    op = primitive(
        f"{name.capitalize()}Backward0", only(REAL, f"{name}_cpu", lambda a, axis: _running(a, axis, largest)), tensors=True, aux=True,
        non_differentiable=(1,), a=lambda g, axis, aux: _running_backward(g, aux, axis),
    )  # fmt: skip
    result = named(name, "values indices")

    def function(input: Any, dim: int) -> Any:
        return result(op(input, wrap_dim(dim, input._array.ndim)))

    function.__name__ = function.__qualname__ = name
    function.__doc__ = f"The {'largest' if largest else 'smallest'} element so far along a dimension, and its index."
    public(function, name=name, out=True)


_running_op("cummax", True)
_running_op("cummin", False)


def _logcumsumexp_forward(a: Any, axis: int) -> Any:
    with np.errstate(all="ignore"):
        if a.dtype.kind == "c":
            out = np.moveaxis(a.copy(), axis, 0)
            for i in range(1, len(out)):
                swap = out[i].real < out[i - 1].real
                high, low = np.where(swap, out[i - 1], out[i]), np.where(swap, out[i], out[i - 1])
                out[i] = np.log1p(np.exp(low - high)) + high  # the angle is not wrapped
            return np.ascontiguousarray(np.moveaxis(out, 0, axis))
        return np.logaddexp.accumulate(a, axis).astype(a.dtype)


def _logcumsumexp_backward(g: Any, a: Any, out: Any, axis: int) -> Any:
    if not a.dim():
        return g
    if a.dtype.category == dtypes.COMPLEX:
        return (g * (-out).exp().conj()).flip(axis).cumsum(axis).flip(axis) * a.exp().conj()

    def part(weights: Any) -> Any:
        logs = weights.log() - out
        return (logs.flip(axis).logcumsumexp(axis).flip(axis) + a).exp()

    positive, negative = g.clamp(min=0), (-g).clamp(min=0)
    return part(positive) - part(negative)


def _logcumsumexp_graph(g: Any, a: Any, out: Any, axis: int) -> Any:
    """The same, differentiable where parts of the gradient are zero: d out[j] / d a[i] = exp(a[i] - out[j]), i <= j."""
    if not a.dim():
        return g
    a, out, g = (x.movedim(axis, -1) for x in (a, out, g))
    share = (a.unsqueeze(-1) - out.unsqueeze(-2)).triu().exp().triu()
    return (share.conj() * g.unsqueeze(-2)).sum(-1).movedim(-1, axis)


_logcumsumexp: Any = primitive(
    "LogcumsumexpBackward0", only("fcV", "logcumsumexp_out_cpu", _at_least_1d(_logcumsumexp_forward)), tensors=True,
    a=lambda g, a, out, axis: _logcumsumexp_backward(g, a, out, axis),
    graph={"a": lambda g, a, out, axis: _logcumsumexp_graph(g, a, out, axis)},
)  # fmt: skip


@public(out=True)
def logcumsumexp(input: Any, dim: int) -> Any:
    """The logarithm of the running sum of exponentials."""
    return _logcumsumexp(input, wrap_dim(dim, input._array.ndim))


@public(out=True)
def diff(input: Any, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None) -> Any:
    """The n-th differences of neighbours along a dimension."""
    if input._array.ndim == 0:
        raise RuntimeError("diff expects input to be at least one-dimensional")
    if n < 0:
        raise RuntimeError(f"order must be non-negative but got {n}")
    axis = wrap_dim(dim, input._array.ndim)
    if n == 0:
        return input.clone()
    parts = [p for p in (prepend, input, append) if p is not None]
    x = cat(parts, axis) if len(parts) > 1 else input
    for _ in range(min(n, x.shape[axis])):
        size = x.shape[axis]
        later, earlier = x.narrow(axis, 1, max(size - 1, 0)), x.narrow(axis, 0, max(size - 1, 0))
        x = later ^ earlier if x._array.dtype.kind == "b" else later - earlier
    return x


# ---- integrals and gradients on a grid ------------------------------------------------------------------------------------


@public(method=False)
def trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Any:
    """The integral by the trapezoidal rule, for sample points `x` or spacing `dx`."""
    width = _widths(y, x, dx, dim)
    axis = wrap_dim(dim, y.dim())
    n = y.shape[axis]
    if n < 1:
        return y.sum(axis) * 0
    return ((y.narrow(axis, 1, n - 1) + y.narrow(axis, 0, n - 1)) * width / 2).sum(axis)


def _widths(y: Any, x: Any, dx: Any, dim: int) -> Any:
    if x is None:
        return 1 if dx is None else dx
    axis = wrap_dim(dim, y.dim())
    if x.dim() == 1:
        if x.shape[0] != y.shape[axis]:
            raise RuntimeError("trapezoid: There must be one `x` value for each sample point")
        shape = [1] * y.dim()
        shape[axis] = x.shape[0] - 1
        return diff(x).reshape(shape)
    return diff(x, dim=dim if x.dim() >= y.dim() else axis - y.dim() + x.dim())


@public(method=False)
def trapz(y: Any, x: Any = None, *, dx: float = 1.0, dim: int = -1) -> Any:
    """`trapezoid` under its old name."""
    return trapezoid(y, x, dim=dim) if x is not None else trapezoid(y, dx=dx, dim=dim)


@public(method=False)
def cumulative_trapezoid(y: Any, x: Any = None, *, dx: Any = None, dim: int = -1) -> Any:
    """Running integrals by the trapezoidal rule."""
    width = _widths(y, x, dx, dim)
    axis = wrap_dim(dim, y.dim())
    n = y.shape[axis]
    return ((y.narrow(axis, 1, n - 1) + y.narrow(axis, 0, n - 1)) * width / 2).cumsum(axis)


@public(method=False)
def gradient(input: Any, *, spacing: Any = None, dim: Any = None, edge_order: int = 1) -> Any:
    """Estimates of the derivative along dimensions, second order inside and of `edge_order` at the ends."""
    dims = list(range(input.dim())) if dim is None else [dim] if isinstance(dim, int) else list(dim)
    dims = [wrap_dim(d, input.dim()) for d in dims]
    for i, d in enumerate(dims):
        if d in dims[:i]:
            raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
    spacing = 1 if spacing is None else spacing
    steps: Any = spacing
    if isinstance(spacing, (int, float, complex)) or (isinstance(spacing, Tensor) and spacing.dim() == 0):
        steps = [spacing] * len(dims)
    elif isinstance(spacing, Tensor):
        steps = [spacing]
    if len(steps) != len(dims):
        raise RuntimeError(
            f"torch.gradient expected spacing to be unspecified, a scalar, or a list of length equal to 'self.dim() = {input.dim()}', since dim argument was not given, but got a list of length {len(steps)}"
            if dim is None
            else f"torch.gradient expected spacing to be unspecified, a scalar or it's spacing and dim arguments to have the same length, but got a spacing argument of length {len(steps)} and a dim argument of length {len(dims)}."
        )
    if edge_order not in (1, 2):
        raise RuntimeError("torch.gradient only supports edge_order=1 and edge_order=2.")
    return tuple(_derivative(input, h, d, edge_order) for h, d in zip(steps, dims, strict=True))


def _derivative(x: Any, h: Any, d: int, edge: int) -> Any:
    n = x.shape[d]
    if n < edge + 1:
        raise RuntimeError("torch.gradient expected each dimension size to be at least edge_order+1")

    def part(start: int, length: int) -> Any:
        return x.narrow(d, start, length)

    if isinstance(h, Tensor) and h.dim():
        shape = [1] * x.dim()
        shape[d] = n - 1
        w = diff(h).reshape(shape).to(x.dtype)

        def step(i: int) -> Any:
            return w.narrow(d, i % (n - 1), 1)

        a, b = w.narrow(d, 0, n - 2), w.narrow(d, 1, n - 2)
        inside = (
            part(0, n - 2) * (-b / (a * (a + b)))
            + part(1, n - 2) * ((b - a) / (a * b))
            + part(2, n - 2) * (a / (b * (a + b)))
        )
    else:
        inside = (part(2, n - 2) - part(0, n - 2)) / (h * 2)

        def step(i: int) -> Any:
            return h

    if edge == 1:
        first = (part(1, 1) - part(0, 1)) / step(0)
        last = (part(n - 1, 1) - part(n - 2, 1)) / step(-1)
    else:
        p, q = step(0), step(1)
        first = (
            part(0, 1) * (-(2 * p + q) / (p * (p + q)))
            + part(1, 1) * ((p + q) / (p * q))
            + part(2, 1) * (-p / (q * (p + q)))
        )
        p, q = step(-2), step(-1)
        last = (
            part(n - 3, 1) * (q / (p * (p + q)))
            + part(n - 2, 1) * (-(p + q) / (p * q))
            + part(n - 1, 1) * ((p + 2 * q) / (q * (p + q)))
        )
    return cat([first, inside, last], d)
