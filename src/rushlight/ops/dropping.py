"""Dropout: an element (or a whole channel) is zeroed with probability p, the rest is scaled to keep the mean.

Srivastava et al., "Dropout: a simple way to prevent neural networks from overfitting", JMLR 15, 2014; the `alpha`
kinds keep mean and variance of self-normalising networks: Klambauer et al., https://arxiv.org/abs/1706.02515, there
the dropped elements become the least value of SELU.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes
from ..autograd.tensor import Tensor, wrap
from ..backend import placing, streams
from ..generator import default_generator
from .creation import publish
from .declare import primitive
from .publishing import inplace_of, is_array, type_error
from .random_inplace import check_bernoulli

_LEAST = 1.7580993408473766  # scale * alpha of SELU


def _kept(shape_like: Any, p: float) -> Any:
    """A fresh mask: True with probability 1 - p."""
    mask = placing.empty_like(shape_like, np.bool_)
    streams.fill_bernoulli(default_generator, mask, 1.0 - p)
    return mask


def _check(name: str, x: Any, p: float) -> None:
    if not isinstance(x, Tensor):
        raise type_error(name, x)
    if not 0 <= p <= 1:
        raise RuntimeError(f"dropout probability has to be between 0 and 1, but got {p:g}")


def _dropout(name: str, features: bool, alpha: bool) -> Any:
    def function(input: Any, p: float, train: bool) -> Any:
        _check(name, input, p)
        if p == 0 or not train or input.numel() == 0:
            return input
        if features and input.dim() < 2:
            raise RuntimeError("Feature dropout requires at least 2 dimensions in the input")
        if p == 1:
            return input * wrap(np.zeros((), input._array.dtype))
        check_bernoulli(input.dtype, p)
        if input.dtype.category < dtypes.FLOAT:
            dtypes.check_cast(dtypes.float32, input.dtype)
        a = input._array
        mask = _kept(np.empty(a.shape[:2] + (1,) * (a.ndim - 2), np.bool_) if features else a, p)
        if not alpha:
            return input * wrap(_scaled(mask, 1.0 - p, a.dtype))
        scale = 1.0 / math.sqrt((_LEAST * _LEAST * p + 1) * (1 - p))
        noise = wrap(mask.astype(a.dtype))
        shift = (noise - 1) * (_LEAST * scale) + _LEAST * scale * p
        return input * (noise * scale) + shift

    function.__name__ = function.__qualname__ = name
    function.__doc__ = (
        f"{'`alpha` dropout' if alpha else 'Dropout'} of {'whole channels' if features else 'elements'} with "
        "probability `p` if `train`."
    )
    in_place = inplace_of(function, name)
    in_place.__name__ = in_place.__qualname__ = f"{name}_"
    publish(in_place)
    return publish(function)


def _scaled(mask: Any, keep: float, np_dtype: Any) -> Any:
    """0 and 1 / keep, in the type of the data."""
    wide = np.float32 if np_dtype.itemsize < 4 else np_dtype.type
    return np.multiply(mask, (wide(1) / wide(keep)).astype(np_dtype))


dropout = _dropout("dropout", False, False)
alpha_dropout = _dropout("alpha_dropout", False, True)
feature_dropout = _dropout("feature_dropout", True, False)
feature_alpha_dropout = _dropout("feature_alpha_dropout", True, True)


def _native_forward(a: Any, p: float, train: bool) -> Any:
    mask = _kept(a, p) if train else np.ones_like(a, np.bool_)
    scale = 1.0 if not train else 0.0 if p == 1 else 1.0 / (1.0 - p)
    return (a * mask * a.dtype.type(scale), mask), (mask, scale)


_native: Any = primitive(
    "NativeDropoutBackward0", _native_forward, aux=True, non_differentiable=(1,),
    a=lambda g, aux: (g * aux[0] * g.dtype.type(aux[1])) if is_array(g) else g * aux[0] * aux[1],
)  # fmt: skip


@publish
def native_dropout(input: Any, p: float, train: bool | None = True) -> Any:
    """Dropout and its mask of what was kept."""
    _check("native_dropout", input, p)
    return _native(input, p, train or train is None)
