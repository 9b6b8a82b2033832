"""Comparisons, logic and choice: operators whose result is a bool, and `where`."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd.tensor import Tensor, wrap
from ..backend import kernels as K
from ..settings import warn_once
from .declare import binary, primitive
from .promotion import NUMBERS, result_dtype, to_array
from .publishing import attach, is_array, public, type_error
from .recorded import reduce_to

eq: Any = binary("eq", K.eq, needs="first")
ne: Any = binary("ne", K.ne, needs="first", aliases=("not_equal",))
lt: Any = binary("lt", K.lt, needs="first", accepts=("biufV", "lt_cpu"), aliases=("less",))
le: Any = binary("le", K.le, needs="first", accepts=("biufV", "le_cpu"), aliases=("less_equal",))
gt: Any = binary("gt", K.gt, needs="first", accepts=("biufV", "gt_cpu"), aliases=("greater",))
ge: Any = binary("ge", K.ge, needs="first", accepts=("biufV", "ge_cpu"), aliases=("greater_equal",))


def _guarded(op: Any) -> Any:
    def method(self: Any, other: Any) -> Any:
        if not isinstance(other, (Tensor, *NUMBERS)):
            if isinstance(other, np.ndarray) and op in (eq, ne):
                other = wrap(other)
            elif not isinstance(other, np.generic):
                return NotImplemented
        return op(self, other)

    return method


for _name, _op in (("eq", eq), ("ne", ne), ("lt", lt), ("le", le), ("gt", gt), ("ge", ge)):
    attach(f"__{_name}__", _guarded(_op))
attach("__hash__", lambda self: id(self))


def _where_grad(g: Any, condition: Any, which: int, shape: Any) -> Any:
    return reduce_to(where(condition, g, 0) if which == 0 else where(condition, 0, g), shape, _dtype(g))


def _dtype(g: Any) -> Any:
    return g._array.dtype if isinstance(g, Tensor) else g.dtype


_where: Any = primitive(
    "WhereBackward0", lambda condition, a, b: K.where(condition, a, b), inputs=("condition",),
    a=lambda g, condition, a_shape: _where_grad(g, condition, 0, a_shape),
    b=lambda g, condition, b_shape: _where_grad(g, condition, 1, b_shape),
)  # fmt: skip


def where(condition: Any, input: Any = None, other: Any = None) -> Any:
    """Elements of `input` where `condition` holds, else of `other`; with the condition alone, the indices of its True.

    >>> import rushlight as torch
    >>> torch.where(torch.tensor([True, False]), torch.tensor([1, 2]), 0)
    tensor([1, 0])
    """
    if input is None and other is None:
        return condition.nonzero(as_tuple=True)
    if not isinstance(condition, Tensor):
        if is_array(condition):
            return K.where(condition, input, other)
        raise type_error("where", condition, label="condition")
    if condition._array.dtype.kind != "b":
        if condition._array.dtype.name != "uint8":
            raise RuntimeError(
                "where expected condition to be a boolean tensor, but got a tensor with dtype "
                f"{condition.dtype.scalar_name}"
            )
        warn_once(
            "where received a uint8 condition tensor. This behavior is deprecated and will be removed in a future version "
            "of PyTorch. Use a boolean condition instead."
        )
        condition = condition.bool()
    if not isinstance(input, (Tensor, *NUMBERS)):
        raise type_error("where", input, 2)
    if not isinstance(other, (Tensor, *NUMBERS)):
        raise type_error("where", other, 3, "other")
    d = result_dtype(input, other)
    x = _typed(input, d)
    y = _typed(other, d)
    from .recorded import broadcast_error

    try:
        return _where(condition, x, y)
    except ValueError:
        raise (
            broadcast_error(x._array, y._array)
            or broadcast_error(condition._array, x._array)
            or RuntimeError("where(): shapes do not broadcast")
        ) from None


def _typed(x: Any, d: Any) -> Any:
    if isinstance(x, Tensor):
        return x if x.dtype is d else x.to(d)
    import numpy as np

    from ..autograd.tensor import wrap

    return wrap(np.asarray(to_array(x, d), dtype=d.np))


public(where, method=False, out=True)


def _where_method(self: Any, condition: Any, other: Any) -> Any:
    """Elements of `self` where `condition` holds, else of `other`."""
    return where(condition, self, other)


attach("where", _where_method)
