"""`torch.masked`: reductions and normalizations of the elements where a mask holds.

Each fills the other elements with what does not change the result (zero for a sum, one for a product...), then calls
the plain operator. https://docs.pytorch.org/docs/stable/masked.html

>>> import rushlight as torch
>>> x, mask = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([[True, False], [True, True]])
>>> torch.masked.sum(x, 1, mask=mask)
tensor([1., 7.])
"""

from __future__ import annotations

import builtins
import math
from typing import Any

import numpy as np

from . import dtypes
from .autograd.tensor import Tensor, wrap_dim
from .errors import unsupported
from .ops import FUNCTIONS
from .ops.reduction import vector_norm

__all__ = [
    "sum", "prod", "cumsum", "cumprod", "amax", "amin", "argmax", "argmin", "mean", "median", "logsumexp", "logaddexp", "norm",
    "var", "std", "softmax", "log_softmax", "softmin", "normalize", "is_masked_tensor", "masked_tensor", "as_masked_tensor",
]  # fmt: skip


def _mask_like(x: Any, mask: Any) -> Any:
    """The mask as booleans in the shape of x."""
    if mask.dim() > x.dim():
        raise IndexError("_input_mask expected broadcastable mask (got mask dimensionality higher than of the input)")
    if mask.shape != x.shape:
        mask = mask.broadcast_to(x.shape)
    return mask.to(dtypes.bool)


def _filled(x: Any, mask: Any, value: Any) -> Any:
    return x if mask is None else x.masked_fill(~_mask_like(x, mask), value)


def _dims(x: Any, dim: Any) -> tuple[int, ...]:
    if dim is None or dim == ():
        return tuple(range(x.dim()))
    dims = (dim,) if isinstance(dim, int) else tuple(dim)
    found: list[int] = []
    for d in dims:
        d = wrap_dim(d, x.dim())
        if d in found:
            raise RuntimeError(f"dim={d} appears multiple times in the list of dims")
        if d >= x.dim() and x.dim():
            raise RuntimeError(f"the size of the specified dimension exceeds tensor dimensionality: {d} >= {x.dim()}")
        found.append(d)
    return tuple(found)


def _sum_dtype(x: Any, dtype: Any) -> Any:
    return dtype or (dtypes.int64 if x.dtype.category < dtypes.FLOAT else x.dtype)


def _extreme_of(d: Any, largest: bool) -> Any:
    """The largest (or smallest) number of a type."""
    if d.category >= dtypes.FLOAT:
        return math.inf if largest else -math.inf
    if d.category == dtypes.BOOL:
        return largest
    info = np.iinfo(d.np)
    return info.max if largest else info.min


def sum(input: Any, dim: Any = None, *, keepdim: Any = False, dtype: Any = None, mask: Any = None) -> Any:
    """The sum of the elements where the mask holds."""
    x = input.to(_sum_dtype(input, dtype))
    dims = _dims(x, dim)
    y = _filled(x, mask, 0)
    return y.sum(dims, keepdim) if dims else y.clone()


def prod(input: Any, dim: Any = None, *, keepdim: Any = False, dtype: Any = None, mask: Any = None) -> Any:
    """The product of the elements where the mask holds."""
    y = _filled(input.to(_sum_dtype(input, dtype)), mask, 1)
    for d in sorted(_dims(y, dim), reverse=True):
        y = y.prod(d, bool(keepdim)) if y.dim() else y
    return y


def cumsum(input: Any, dim: int, *, dtype: Any = None, mask: Any = None) -> Any:
    """Running sums of the elements where the mask holds."""
    (d,) = _dims(input, dim)[:1] or (0,)
    return _filled(input.to(_sum_dtype(input, dtype)), mask, 0).cumsum(d)


def cumprod(input: Any, dim: int, *, dtype: Any = None, mask: Any = None) -> Any:
    """Running products of the elements where the mask holds."""
    (d,) = _dims(input, dim)[:1] or (0,)
    return _filled(input.to(_sum_dtype(input, dtype)), mask, 1).cumprod(d)


def amax(input: Any, dim: Any = None, *, keepdim: Any = False, dtype: Any = None, mask: Any = None) -> Any:
    """The largest element where the mask holds."""
    x = input if dtype is None else input.to(dtype)
    return _filled(x, mask, _extreme_of(x.dtype, False)).amax(_dims(x, dim), bool(keepdim))


def amin(input: Any, dim: Any = None, *, keepdim: Any = False, dtype: Any = None, mask: Any = None) -> Any:
    """The smallest element where the mask holds."""
    x = input if dtype is None else input.to(dtype)
    return _filled(x, mask, _extreme_of(x.dtype, True)).amin(_dims(x, dim), bool(keepdim))


def argmax(input: Any, dim: Any = None, *, keepdim: Any = False, dtype: Any = None, mask: Any = None) -> Any:
    """The index of the largest element where the mask holds, in the type of `input`, as PyTorch has it."""
    kind = dtype or input.dtype
    x = input.to(kind)
    return _filled(x, mask, _extreme_of(kind, False)).argmax(dim, bool(keepdim)).to(kind)


def argmin(input: Any, dim: Any = None, *, keepdim: Any = False, dtype: Any = None, mask: Any = None) -> Any:
    """The index of the smallest element where the mask holds, in the type of `input`, as PyTorch has it."""
    kind = dtype or input.dtype
    x = input.to(kind)
    return _filled(x, mask, _extreme_of(kind, True)).argmin(dim, bool(keepdim)).to(kind)


def _count(x: Any, dim: Any, mask: Any) -> Any:
    """How many elements a reduction joins, with the dimensions kept."""
    ones = x.new_ones(x.shape, dtype=dtypes.int64)
    return sum(ones, dim, keepdim=True, mask=mask)


def mean(input: Any, dim: Any = None, *, keepdim: Any = False, dtype: Any = None, mask: Any = None) -> Any:
    """The mean of the elements where the mask holds; nan where there are none."""
    kind = dtype or input.dtype
    if kind.category < dtypes.FLOAT:
        raise ValueError(
            "mean(): Could not infer output dtype. Input dtype must be either a floating point or complex dtype. Got: "
            f"{kind}"
        )
    dims = _dims(input, dim)
    if mask is None:
        return input.to(kind).mean(dims, bool(keepdim)) if dims else input.to(kind).clone()
    found = sum(input, dim, keepdim=True, dtype=kind, mask=mask) / _count(input, dim, mask)
    return found if keepdim else _squeezed(found, dims)


def _squeezed(x: Any, dims: tuple[int, ...]) -> Any:
    return x.reshape([n for d, n in enumerate(x.shape) if d not in dims])


def median(input: Any, dim: int = -1, *, keepdim: bool = False, dtype: Any = None, mask: Any = None) -> Any:
    """The lower median of the elements where the mask holds."""
    kind = dtype or input.dtype
    x = input.to(kind)
    (d,) = _dims(x, dim)[:1] or (0,)
    if mask is None:
        return x.median(d, keepdim)[0]
    if kind.category < dtypes.FLOAT:
        if not bool(_mask_like(x, mask).any(d).all()):
            raise ValueError("masked median expects no fully masked out rows if dtype is not floating point")
        x = x.to(dtypes.get_default_dtype())
    return _filled(x, mask, math.nan).nanmedian(d, keepdim)[0].to(kind)


def logsumexp(input: Any, dim: Any = None, *, keepdim: bool = False, dtype: Any = None, mask: Any = None) -> Any:
    """The logarithm of the sum of exponentials where the mask holds."""
    kind = dtype or input.dtype
    x = input.to(kind)
    return _filled(x, mask, _extreme_of(kind, False)).logsumexp(_dims(x, dim), keepdim).to(kind)


def logaddexp(input: Any, other: Any, *, dtype: Any = None, input_mask: Any = None, other_mask: Any = None) -> Any:
    """The logarithm of the sum of two exponentials, each taken where its mask holds."""
    kind = dtype or input.dtype
    x, y = _filled(input.to(kind), input_mask, -math.inf), _filled(other.to(kind), other_mask, -math.inf)
    return FUNCTIONS["logaddexp"](x, y).to(kind)


def norm(
    input: Any,
    ord: Any = 2.0,
    dim: Any = None,
    *,
    keepdim: Any = False,
    dtype: Any = None,
    mask: Any = None,
) -> Any:
    """The p-norm of the elements where the mask holds."""
    x = input if dtype is None else input.to(dtype)
    return vector_norm(_filled(x, mask, _norm_fill(ord)), ord, _dims(x, dim), bool(keepdim))


def _norm_fill(order: float) -> float:
    if order >= 0:
        return 0
    if order == -math.inf:
        return math.inf
    raise RuntimeError(f"norm with ord={order}: no element leaves a norm of negative order unchanged")


def _spread(x: Any, dim: Any, unbiased: Any, correction: Any, keepdim: Any, dtype: Any, mask: Any, root: bool) -> Any:
    if unbiased is not None and correction is not None:
        raise RuntimeError("Only one of unbiased and correction may be given")
    less = correction if correction is not None else 1 if unbiased is None or unbiased else 0
    kind = dtype or (x.dtype if x.dtype.category >= dtypes.FLOAT else dtypes.float32)
    x = x.to(kind)
    dims = _dims(x, dim)
    n = _count(x, dim, mask)
    middle = sum(x, dim, keepdim=True, mask=mask) / n
    off = x - middle
    square = off * off.conj() if x.is_complex() else off * off
    total = sum(square, dim, keepdim=bool(keepdim), mask=mask)
    n = n if keepdim else _squeezed(n, dims)
    found = total / (n - less).clamp(min=0).to(total.dtype)
    return found.sqrt() if root else found


def var(
    input: Any,
    dim: Any = None,
    unbiased: Any = None,
    *,
    correction: Any = None,
    keepdim: Any = False,
    dtype: Any = None,
    mask: Any = None,
) -> Any:
    """The variance of the elements where the mask holds."""
    return _spread(input, dim, unbiased, correction, keepdim, dtype, mask, False)


def std(
    input: Any,
    dim: Any = None,
    unbiased: Any = None,
    *,
    correction: Any = None,
    keepdim: Any = False,
    dtype: Any = None,
    mask: Any = None,
) -> Any:
    """The standard deviation of the elements where the mask holds."""
    return _spread(input, dim, unbiased, correction, keepdim, dtype, mask, True)


def softmax(input: Any, dim: int, *, dtype: Any = None, mask: Any = None) -> Any:
    """`softmax` among the elements where the mask holds; zero elsewhere."""
    x = input if dtype is None else input.to(dtype)
    return _filled(x, mask, _extreme_of(x.dtype, False)).softmax(_dims(x, dim)[0] if x.dim() else 0)


def log_softmax(input: Any, dim: int, *, dtype: Any = None, mask: Any = None) -> Any:
    """The logarithm of `softmax`; minus infinity where the mask does not hold."""
    x = input if dtype is None else input.to(dtype)
    return _filled(x, mask, _extreme_of(x.dtype, False)).log_softmax(_dims(x, dim)[0] if x.dim() else 0)


def softmin(input: Any, dim: int, *, dtype: Any = None, mask: Any = None) -> Any:
    """`softmax` of the negatives."""
    x = input if dtype is None else input.to(dtype)
    return (-_filled(x, mask, _extreme_of(x.dtype, True))).softmax(_dims(x, dim)[0] if x.dim() else 0)


def normalize(
    input: Any,
    ord: float,
    dim: int,
    *,
    eps: float = 1e-12,
    dtype: Any = None,
    mask: Any = None,
) -> Any:
    """The elements where the mask holds over their p-norm; zero elsewhere."""
    x = input if dtype is None else input.to(dtype)
    size = norm(x, ord, dim, keepdim=True, mask=mask)
    kept = x if mask is None else FUNCTIONS["where"](_mask_like(x, mask), x, _norm_fill(ord))
    return kept / size.clamp(min=eps)


def is_masked_tensor(obj: Any, /) -> bool:
    """Whether `obj` is a MaskedTensor; rushlight has none."""
    return builtins.type(obj).__name__ == "MaskedTensor" and not isinstance(obj, Tensor)


def masked_tensor(data: Any, mask: Any, requires_grad: bool = False) -> Any:
    """Not supported: use the functions of this module, with `mask=`."""
    raise unsupported("masked_tensor", "Use the functions of torch.masked with mask=.")


def as_masked_tensor(data: Any, mask: Any) -> Any:
    """Not supported: use the functions of this module, with `mask=`."""
    raise unsupported("as_masked_tensor", "Use the functions of torch.masked with mask=.")


# ---- what a result's mask is ----------------------------------------------------------------------------------------------

_REDUCTIONS = (
    "sum", "prod", "amax", "amin", "argmax", "argmin", "mean", "median", "norm", "var", "std", "logsumexp",
)  # fmt: skip


def _input_mask(input: Any, *args: Any, **kwargs: Any) -> Any:
    """The mask of a call, in the shape of the input; all True when there is none."""
    mask = kwargs.get("mask")
    return input.new_ones(input.shape, dtype=dtypes.bool) if mask is None else _mask_like(input, mask)


def _output_mask(op: Any, input: Any, *args: Any, **kwargs: Any) -> Any:
    """Where the result of `op` is the result of at least one element."""
    mask = _input_mask(input, *args, **kwargs)
    name = op.__name__
    if name not in _REDUCTIONS:
        return mask
    place = 1 if name == "norm" else 0
    dim = args[place] if len(args) > place else kwargs.get("dim", -1 if name == "median" else None)
    dims = _dims(input, dim)
    for d in sorted(dims, reverse=True):
        mask = mask.any(d, bool(kwargs.get("keepdim"))) if mask.dim() else mask
    return mask
