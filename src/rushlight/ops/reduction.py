"""Sums, means and other ways from many elements to few."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes
from ..autograd.tensor import Tensor, wrap, wrap_dim
from ..backend import kernels as K
from ..settings import warn
from .declare import primitive
from .joining import cat
from .kinds import REAL, only
from .publishing import FUNCTIONS, is_array, public, type_error
from .results import named
from .shape import _expand, reshape, reshape_any, wrap_dims


def axes_of(x: Any, dim: Any) -> tuple[int, ...] | None:
    """`dim` (None, a number or several) as axes; None means all."""
    if dim is None:
        return None
    n = x._array.ndim
    if isinstance(dim, (tuple, list)):
        return wrap_dims(dim, n) or None
    return (wrap_dim(dim, n),)


def kept_shape(shape: tuple[int, ...], axes: tuple[int, ...] | None) -> tuple[int, ...]:
    """The shape after a reduction that keeps dimensions."""
    return tuple(1 if axes is None or i in axes else n for i, n in enumerate(shape))


def spread(g: Any, shape: Any, axes: Any, keep: bool) -> Any:
    """A reduced gradient over the shape that was reduced."""
    if not keep:
        g = reshape_any(g, kept_shape(shape, axes))
    return _expand(g, shape)


_sum: Any = primitive(
    "SumBackward0",
    lambda a, axes, keep: K.sum(a, axes, keep),
    a=lambda g, a_shape, axes, keep: spread(g, a_shape, axes, keep),
    named=lambda a, axes, keep: "SumBackward0" if axes is None else "SumBackward1",
)


def _real_axes(x: Any, axes: Any) -> Any:
    """No axes for a 0-d tensor: NumPy has none there."""
    return () if x._array.ndim == 0 and axes is not None else axes


@public(name="sum", out=True)
def sum_(
    input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, axis: Any = None, keepdims: bool = False
) -> Any:
    """The sum of all elements, or along dimensions; integers and bools sum to int64.

    >>> import rushlight as torch
    >>> torch.ones(2, 3).sum(dim=1)
    tensor([3., 3.])
    """
    if not isinstance(input, Tensor):
        if is_array(input):
            return K.sum(input, dim, keepdim)
        raise type_error("sum", input)
    if axis is not None:
        dim = axis
    x = input
    if dtype is not None:
        x = x.to(dtype)
    elif x._array.dtype.kind in "biu":
        x = x.to(dtypes.int64)
    found = _sum(x, _real_axes(x, axes_of(x, dim)), keepdim or keepdims)
    # The kernel widens integers; sums wrap around as PyTorch's do.
    return found.to(dtype) if dtype is not None and x._array.dtype.kind in "biu" else found


_mean: Any = primitive(
    "MeanBackward0", lambda a, axes, keep: K.mean(a, axes, keep),
    a=lambda g, a_shape, axes, keep: spread(g, a_shape, axes, keep) / count(a_shape, axes),
    named=lambda a, axes, keep: "MeanBackward0" if axes is None else "MeanBackward1",
)  # fmt: skip


def count(shape: tuple[int, ...], axes: Any) -> int:
    """How many elements a reduction joins into one."""
    n = 1
    for i, size in enumerate(shape):
        if axes is None or i in axes:
            n *= size
    return n


@public(out=True)
def mean(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None, axis: Any = None) -> Any:
    """The mean of all elements, or along dimensions."""
    if not isinstance(input, Tensor):
        raise type_error("mean", input)
    x = input if dtype is None else input.to(dtype)
    if x.dtype.category < dtypes.FLOAT:
        what = "Input" if dtype is None else "Optional"
        raise RuntimeError(
            f"mean(): could not infer output dtype. {what} dtype must be either a floating point or complex dtype. Got: "
            f"{x.dtype.scalar_name}"
        )
    axes = axes_of(x, dim if axis is None else axis)
    return _mean(x, _real_axes(x, axes), keepdim)


# ---- products and norms -------------------------------------------------------------------------------------------------


def _prod_others(x: Any, axis: int) -> Any:
    """For each element the product of the others along an axis: products from both ends, so zeros do no harm."""
    n = x.shape[axis]
    ones = x.new_ones([1 if i == axis else m for i, m in enumerate(x.shape)])
    if n == 0:
        return x
    before = cat([ones, x.narrow(axis, 0, n - 1)], axis).cumprod(axis)
    after = cat([ones, x.flip(axis).narrow(axis, 0, n - 1)], axis).cumprod(axis).flip(axis)
    return before * after


def _multiplying(name: str) -> Any:
    return primitive(
        name, lambda a, axis, keep: K.prod(a, (axis,), keep), tensors=True,
        a=lambda g, a, axis, keep: (g if keep else g.unsqueeze(axis)) * _prod_others(a, axis).conj(),
    )  # fmt: skip


_prod, _prod_all = _multiplying("ProdBackward1"), _multiplying("ProdBackward0")


@public(out=True)
def prod(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The product of all elements, or along one dimension; integers and bools to int64."""
    x = input if dtype is None else input.to(dtype)
    if dtype is None and x._array.dtype.kind in "biu":
        x = x.to(dtypes.int64)
    if dim is None:
        found = _prod_all(reshape(x, -1), 0, False)
    else:
        axis = wrap_dim(dim, x._array.ndim)
        found = _prod(x, axis, keepdim) if x._array.ndim else _prod(reshape(x, 1), 0, False)
    return found.to(dtype) if dtype is not None and x._array.dtype.kind in "biu" else found


_var: Any = primitive(
    "VarBackward0", lambda a, axes, keep, correction: K.var(a, axes, keep, correction), tensors=True,
    a=lambda g, a, a_shape, axes, keep, correction: _var_backward(g, a, a_shape, axes, keep, correction),
)  # fmt: skip


def _var_backward(g: Any, a: Any, shape: Any, axes: Any, keep: bool, correction: float) -> Any:
    n = count(shape, axes)
    spread_g = spread(g, shape, axes, keep)
    dof = n - correction
    scale = 2.0 / dof if dof > 0 else math.inf if dof == 0 and n else math.nan
    return spread_g * ((a - a.mean(axes, True)) * scale)


def _correction(unbiased: Any, correction: Any) -> float:
    if correction is not None:
        return float(correction)
    return 1.0 if unbiased is None or unbiased else 0.0


def _spread_arguments(dim: Any, unbiased: Any) -> tuple[Any, Any]:
    """`x.var(False)` means `unbiased=False`."""
    return (None, dim) if isinstance(dim, bool) else (dim, unbiased)


def _check_float(name: str, x: Any) -> None:
    if x.dtype.category < dtypes.FLOAT:
        raise RuntimeError(f"{name} only support floating point and complex dtypes")


def _spread_of(name: str, op: Any, x: Any, dim: Any, unbiased: Any, keepdim: bool, correction: Any) -> Any:
    """`op` (variance or deviation) over all elements or along dimensions, with PyTorch's word if there are too few."""
    _check_float("std and var", x)
    axes = _real_axes(x, axes_of(x, dim))
    c = _correction(unbiased, correction)
    n = count(x._array.shape, axes)
    if n <= c and not (n == 0 and x._array.size == 0 and axes is not None):
        warn(
            f"{name}(): degrees of freedom is <= 0. Correction should be strictly less than the reduction factor (input "
            "numel divided by output numel)."
        )
    return op(x, axes, keepdim, c)


@public(out=True)
def var(input: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None) -> Any:
    """The variance over all elements, or along dimensions, divided by `n - correction` (1)."""
    dim, unbiased = _spread_arguments(dim, unbiased)
    return _spread_of("var", _var, input, dim, unbiased, keepdim, correction)


_root: Any = primitive(
    "StdBackward0", lambda a, axes, keep, correction: K.sqrt(K.var(a, axes, keep, correction)), tensors=True,
    a=lambda g, a, out, a_shape, axes, keep, correction: _var_backward(
        (g / (2 * out)).masked_fill(out == 0, 0), a, a_shape, axes, keep, correction
    ),
)  # fmt: skip


@public(out=True)
def std(input: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None) -> Any:
    """The standard deviation; see `var`."""
    dim, unbiased = _spread_arguments(dim, unbiased)
    return _spread_of("std", _root, input, dim, unbiased, keepdim, correction)


def _with_mean(name: str, op: Any) -> None:
    def both(
        input: Any, dim: Any = None, unbiased: Any = None, keepdim: bool = False, *, correction: Any = None
    ) -> Any:
        dim, unbiased = _spread_arguments(dim, unbiased)
        spread = _spread_of(f"{name}_mean", op, input, dim, unbiased, keepdim, correction)
        return spread, mean(input, dim, keepdim)

    both.__name__ = both.__qualname__ = f"{name}_mean"
    both.__doc__ = f"`{name}` and `mean` of the same elements."
    public(both, method=False)


_with_mean("var", _var)
_with_mean("std", _root)

_logsumexp: Any = primitive(
    "LogsumexpBackward0", lambda a, axes, keep: K.logsumexp(a, axes, keep), tensors=True,
    a=lambda g, a, out, a_shape, axes, keep: spread(g, a_shape, axes, keep) * _softmax_like(a, spread(out, a_shape, axes, keep)),
)  # fmt: skip


def _softmax_like(a: Any, total: Any) -> Any:
    return (
        (a - total.masked_fill(total.abs() == math.inf, 0)).exp().conj()
        if a.dtype.category != dtypes.COMPLEX
        else (a - total).exp().conj()
    )


@public(out=True)
def logsumexp(input: Any, dim: Any, keepdim: bool = False) -> Any:
    """`log(sum(exp(input)))` along dimensions, without overflow."""
    x = input.to(dtypes.get_default_dtype()) if input.dtype.category < dtypes.FLOAT else input
    return _logsumexp(x, _real_axes(x, axes_of(x, dim)), keepdim)


# ---- all, any -------------------------------------------------------------------------------------------------------------


def _logical(name: str, kernel: Any) -> None:
    def op(input: Any, dim: Any = None, keepdim: bool = False, *, axis: Any = None) -> Any:
        axes = _real_axes(input, axes_of(input, dim if axis is None else axis))
        found = kernel(input._array, axes, keepdim)
        return wrap(found.astype(np.uint8) if input._array.dtype == np.uint8 else found)

    op.__name__ = op.__qualname__ = name
    op.__doc__ = (
        f"Whether {'every element is' if name == 'all' else 'some element is'} not zero, in all or along dimensions."
    )
    public(op, name=name, out=True)


_logical("all", K.all)
_logical("any", K.any)


# ---- extremes ---------------------------------------------------------------------------------------------------------------


def _no_empty(name: str, x: Any, axes: Any) -> None:
    shape = x._array.shape
    if axes is None:
        if not x._array.size:
            raise RuntimeError(
                f"{name}(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument."
            )
        return
    for i in axes:
        if shape and shape[i] == 0:
            raise IndexError(f"{name}(): Expected reduction dim {i} to have non-zero size.")


def _evenly(g: Any, a: Any, out: Any, shape: Any, axes: Any, keep: bool) -> Any:
    """The gradient of an extreme, in equal parts to all elements that reach it."""
    mask = (a == spread(out, shape, axes, keep)) | (a.isnan() & spread(out, shape, axes, keep).isnan())
    mask = mask.to(g.dtype)
    return spread(g, shape, axes, keep) * mask / mask.sum(axes, True)


def _extreme_over(name: str, kernel: Any, kernel_name: str) -> Any:
    op = primitive(
        f"{name.capitalize()}Backward0", only(REAL, kernel_name, lambda a, axes, keep: kernel(a, axes, keep)), tensors=True,
        a=lambda g, a, out, a_shape, axes, keep: _evenly(g, a, out, a_shape, axes, keep),
    )  # fmt: skip

    def extreme(input: Any, dim: Any = (), keepdim: bool = False) -> Any:
        axes = axes_of(input, dim if dim != () else None)
        _no_empty(name, input, axes)
        return op(input, _real_axes(input, axes), keepdim)

    extreme.__name__ = extreme.__qualname__ = name
    extreme.__doc__ = (
        f"The {'largest' if name == 'amax' else 'smallest'} element along dimensions; ties share the gradient."
    )
    public(extreme, name=name, out=True)
    return op


_amax, _amin = _extreme_over("amax", K.amax, "max_values_cpu"), _extreme_over("amin", K.amin, "min_values_cpu")


@public(out=True)
def aminmax(input: Any, *, dim: Any = None, keepdim: bool = False) -> Any:
    """The smallest and the largest element."""
    axes = axes_of(input, dim)
    if axes is None and not input._array.size:
        raise RuntimeError(
            "aminmax(): cannot compute aminmax over an empty dimension as the operation has no identity."
        )
    if any(input._array.ndim and input._array.shape[i] == 0 for i in axes or ()):
        raise IndexError(f"aminmax: Expected reduction dim {dim} to have non-zero size.")
    only(REAL, "aminmax_cpu", lambda a: a)(input._array)
    axes = _real_axes(input, axes)
    return _AMINMAX((_amin(input, axes, keepdim), _amax(input, axes, keepdim)))


_AMINMAX = named("aminmax", "min max")


def _selected(g: Any, index: Any, shape: Any, axis: int, keep: bool) -> Any:
    """A reduced gradient put back at the one index that was chosen."""
    if not shape:
        return g.reshape(())
    if not keep:
        g, index = g.unsqueeze(axis), index.unsqueeze(axis)
    return g.new_zeros(shape).scatter(axis, index, g)


def _pick(a: Any, axis: int, keep: bool, arg: Any) -> Any:
    if a.ndim == 0:
        index = np.zeros((), np.int64)
        return [np.array(a), index], index
    index = arg(a, axis, True)
    values = np.take_along_axis(a, index, axis)
    if not keep:
        values, index = values.squeeze(axis), index.squeeze(axis)
    return [np.ascontiguousarray(values) if values.ndim else values, index], index


def _max_or_min(name: str, arg: Any, everything: Any, pairwise: str) -> None:
    along = primitive(
        f"{name.capitalize()}Backward0", lambda a, axis, keep: _pick(a, axis, keep, arg), tensors=True, aux=True,
        non_differentiable=(1,), a=lambda g, a_shape, axis, keep, aux: _selected(g, _as_tensor(aux), a_shape, axis, keep),
    )  # fmt: skip
    overall = primitive(
        f"{name.capitalize()}Backward1", only(REAL, f"{name}_all", lambda a: everything(a, None, False)), tensors=True,
        a=lambda g, a, out, a_shape: _evenly(g, a, out, a_shape, None, False),
    )  # fmt: skip
    result = named(name, "values indices")

    def op(input: Any, dim: Any = None, keepdim: bool = False, *, other: Any = None, out: Any = None) -> Any:
        if not isinstance(input, Tensor):
            raise type_error(name, input)
        if isinstance(dim, Tensor) or other is not None:
            found = FUNCTIONS[pairwise](input, dim if other is None else other)
        elif dim is None:
            _no_empty(name, input, None)
            found = overall(input)
        else:
            axis = wrap_dim(dim, input._array.ndim)
            _no_empty(name, input, (axis,))
            if input.dtype.category == dtypes.COMPLEX:
                raise RuntimeError(f"{name}(): does not support complex input")
            found = result(along(input, axis, keepdim))
        if out is not None:
            from .publishing import write_out

            return write_out(name, found, out)
        return found

    op.__name__ = op.__qualname__ = name
    op.__doc__ = (
        f"The {'largest' if name == 'max' else 'smallest'} element; along `dim`, `(values, indices)`; with another tensor, "
        "element by element."
    )
    public(op, name=name)


def _as_tensor(v: Any) -> Any:
    return v if isinstance(v, Tensor) else wrap(v)


_max_or_min("max", K.argmax, K.amax, "maximum")
_max_or_min("min", K.argmin, K.amin, "minimum")


def _arg(name: str, kernel: Any) -> None:
    def op(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
        a = input._array
        if a.dtype.kind in "bc":
            raise RuntimeError(f"{name}(): does not support {'bool' if a.dtype.kind == 'b' else 'complex'} input")
        if dim is None:
            if not a.size:
                raise IndexError(f"{name}(): Expected reduction dim to be specified for input.numel() == 0.")
            found = kernel(a.reshape(-1), 0, False)
            return wrap(found.reshape((1,) * a.ndim) if keepdim else found)
        axis = wrap_dim(dim, a.ndim)
        if a.ndim == 0:
            return wrap(np.zeros((), np.int64))
        _no_empty(name, input, (axis,))
        return wrap(kernel(a, axis, keepdim))

    op.__name__ = op.__qualname__ = name
    op.__doc__ = (
        f"The index of the {'largest' if name == 'argmax' else 'smallest'} element, of all or along a dimension."
    )
    public(op, name=name, out=True)


_arg("argmax", K.argmax)
_arg("argmin", K.argmin)


# ---- sums that skip nan, norms, distances -------------------------------------------------------------------------------------


@public(out=True)
def nansum(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The sum, nan counting as zero."""
    if input.dtype.category == dtypes.COMPLEX:
        raise RuntimeError("nansum on CPU does not support complex inputs")
    x = input.masked_fill(input.isnan(), 0) if input.dtype.category >= dtypes.FLOAT else input
    return FUNCTIONS["sum"](x, dim, keepdim, dtype=dtype)


@public(out=True)
def nanmean(input: Any, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The mean of what is not nan."""
    if input.dtype.category < dtypes.FLOAT:
        raise RuntimeError(
            f"nanmean(): expected input to have floating point or complex dtype but got {input.dtype.scalar_name}"
        )
    n = input.isnan().logical_not().sum(dim, keepdim)
    return nansum(input, dim, keepdim, dtype=dtype) / n


_zero_norm: Any = primitive(
    "LinalgVectorNormBackward0", lambda a, axes, keep: K.sum((a != 0).astype(a.real.dtype), axes, keep), tensors=True,
    a=lambda g, a: a * 0,
)  # fmt: skip


def _vector_norm(x: Any, p: Any, axes: Any, keep: bool) -> Any:
    if p == math.inf:
        return _amax(x.abs(), axes, keep)
    if p == -math.inf:
        return _amin(x.abs(), axes, keep)
    if p == 0:
        return _zero_norm(x, axes, keep)
    if p == 1:
        return x.abs().sum(axes, keep)
    return _p_norm(x, p, axes, keep)


def _p_forward(a: Any, p: float, axes: Any, keep: bool) -> Any:
    if a.dtype.itemsize == 2:  # squares of half precision overflow long before their root does
        return _p_forward(a.astype(np.float32), p, axes, keep).astype(a.dtype)
    with np.errstate(all="ignore"):
        size = a if p == 2 and a.dtype.kind == "f" else np.abs(a)
        if p == 2:
            return np.asarray(K.sqrt(K.sum(K.mul(size, size), axes, keep)))
        return np.asarray(K.pow(K.sum(K.pow(size, p), axes, keep), 1.0 / p)).astype(size.dtype, copy=False)


def _p_backward(g: Any, a: Any, out: Any, shape: Any, p: float, axes: Any, keep: bool) -> Any:
    g, n = spread(g, shape, axes, keep), spread(out, shape, axes, keep)
    if p == 2:
        return (a * (g / n)).masked_fill(n == 0, 0)
    size = a.abs()
    if p < 2:
        slope = (a.sgn() * size.pow(p - 1)).masked_fill(a == 0, 0) * (g / n.pow(p - 1))
    else:
        slope = a * size.pow(p - 2) * (g / n.pow(p - 1))
    return slope.masked_fill(n == 0, 0)


_p_norm: Any = primitive(
    "LinalgVectorNormBackward0", _p_forward, tensors=True,
    a=lambda g, a, out, a_shape, p, axes, keep: _p_backward(g, a, out, a_shape, p, axes, keep),
)  # fmt: skip


def vector_norm(x: Any, ord: Any = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The p-norm of vectors: over all elements, or along dimensions."""
    if x.dtype.category < dtypes.FLOAT:
        raise RuntimeError(
            f"linalg.vector_norm: Expected a floating point or complex tensor as input. Got {x.dtype.scalar_name}"
        )
    if dtype is not None:
        x = x.to(dtype)
    axes = _real_axes(x, axes_of(x, dim))
    order = float(ord)
    if order < 0 or order == math.inf:
        bad = (axes is None and not x._array.size) or (axes is not None and any(x._array.shape[i] == 0 for i in axes))
        if bad:
            raise RuntimeError(
                f"linalg.vector_norm cannot compute the {ord} norm on an empty tensor because the operation does not have an identity"
            )
    return _vector_norm(x, order, axes, keepdim)


@public(out=True)
def norm(input: Any, p: Any = "fro", dim: Any = None, keepdim: bool = False, dtype: Any = None) -> Any:
    """The p-norm of vectors, or a matrix norm by name (`fro`, `nuc`)."""
    if p == "nuc":
        from .spectra import linalg_matrix_norm

        return linalg_matrix_norm(input, "nuc", (-2, -1) if dim is None else dim, keepdim, dtype=dtype)
    if p == "fro" or p is None:
        p = 2
    return vector_norm(input, p, dim, keepdim, dtype=dtype)


@public(out=True)
def dist(input: Any, other: Any, p: float = 2) -> Any:
    """The p-norm of the difference."""
    return vector_norm(input - other, p)


@public(out=True, inplace=True)
def renorm(input: Any, p: float, dim: int, maxnorm: float) -> Any:
    """Slices along `dim` scaled down to p-norm `maxnorm` where theirs is larger."""
    if input._array.ndim < 2:
        raise RuntimeError(f"renorm: input needs at least 2 dimensions, got {input._array.ndim} dimensions")
    if p <= 0:
        raise RuntimeError("renorm: non-positive-norm not supported")
    if maxnorm < 0:
        raise RuntimeError(f"renorm: expected maxnorm to be >= 0 but got {maxnorm:g}")
    axis = wrap_dim(dim, input._array.ndim)
    others = [i for i in range(input._array.ndim) if i != axis]
    norms = vector_norm(input, p, others, True)
    scale = (maxnorm / (norms + 1e-7)).masked_fill(norms <= maxnorm, 1.0)
    return input.contiguous() * scale
