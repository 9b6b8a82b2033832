"""How an operator becomes public: its name in the `torch` namespace, its method, `name_` in place, and `out=`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, overload

import numpy as np

from .. import dtypes
from ..autograd import views
from ..autograd.modes import get_mode
from ..autograd.tensor import Tensor, current_edge, wrap
from ..backend.memory import require_resizable
from ..errors import type_name
from ..settings import warn
from .numpy_names import accepting
from .promotion import NUMBERS, result_dtype

ndarray = np.ndarray
_new = object.__new__
_F32, _F64 = np.dtype(np.float32), np.dtype(np.float64)

FUNCTIONS: dict[str, Any] = {}  # the public operators, by name in the `torch` namespace


def attach(name: str, function: Any) -> None:
    """Make `function` the method `name` of Tensor."""
    setattr(Tensor, name, function if name.startswith("__") else accepting(function))


F = TypeVar("F", bound=Callable[..., Any])


@overload
def public(function: F) -> F: ...


@overload
def public(
    *,
    name: str | None = None,
    method: bool = True,
    inplace: bool = False,
    out: bool | str = False,
    aliases: tuple[str, ...] = (),
    namespace: bool = True,
) -> Callable[[F], F]: ...


@overload
def public(
    function: F,
    *,
    name: str | None = None,
    method: bool = True,
    inplace: bool = False,
    out: bool | str = False,
    aliases: tuple[str, ...] = (),
    namespace: bool = True,
) -> F: ...


def public(
    function: Any = None,
    *,
    name: str | None = None,
    method: bool = True,
    inplace: bool = False,
    out: bool | str = False,
    aliases: tuple[str, ...] = (),
    namespace: bool = True,
) -> Any:
    """Publish an operator: in the `torch` namespace, as a method, in place (`name_`), with `out=`, under aliases.

    `out="apart"`: the target may not share memory with an argument; `"apart exact"`: and must have the result's dtype.
    """
    if function is None:
        return functools.partial(
            public, name=name, method=method, inplace=inplace, out=out, aliases=aliases, namespace=namespace
        )
    plain = function
    name = name or function.__name__.rstrip("_")
    published = with_out(plain, name, out if isinstance(out, str) else "") if out else plain
    in_place = inplace_of(plain, name) if inplace else None
    for each in (name, *aliases):
        if namespace:
            FUNCTIONS[each] = accepting(published)
            if in_place is not None:
                FUNCTIONS[f"{each}_"] = in_place
        if method:
            attach(each, plain)
        if in_place is not None:
            attach(f"{each}_", in_place)
    return published


def with_out(function: Any, name: str, rules: str = "") -> Any:
    """`function`, taking `out=` tensors to write its results into, under the rules named ("apart", "exact")."""

    @functools.wraps(function)
    def wrapper(*args: Any, out: Any = None, **kwargs: Any) -> Any:
        if out is None:
            return function(*args, **kwargs)
        if "apart" in rules:
            _check_apart(out, [*args, *kwargs.values()])
        result = function(*args, **kwargs)
        if "exact" in rules and out.dtype is not result.dtype:
            raise RuntimeError(
                f"Expected out tensor to have dtype {result.dtype.c_name}, but got {out.dtype.c_name} instead"
            )
        return write_out(name, result, out)

    return wrapper


def _check_apart(out: Any, values: list[Any]) -> None:
    for target in out if isinstance(out, (tuple, list)) else (out,):
        for x in values:
            for y in x if isinstance(x, (tuple, list)) else (x,):
                if isinstance(y, Tensor) and (y is target or np.may_share_memory(y._array, target._array)):
                    raise RuntimeError(
                        "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single "
                        "memory location. Please clone() the tensor before performing the operation."
                    )


def write_out(name: str, result: Any, out: Any, quiet: bool = False) -> Any:
    """Write results into the caller's `out` tensor(s), which are resized to fit."""
    if isinstance(result, tuple):
        targets = tuple(out)
        for y, target in zip(result, targets, strict=True):
            write_out(name, y, target)
        return type(result)(targets) if hasattr(result, "_fields") or type(result) is not tuple else targets
    if not isinstance(out, Tensor):
        raise TypeError(f"{name}(): argument 'out' must be Tensor, not {type(out).__name__}")
    if get_mode().grad and (result.requires_grad or out.requires_grad):
        raise RuntimeError(
            f"{name}(): functions with out=... arguments don't support automatic differentiation, but one of the "
            "arguments requires grad."
        )
    a, b = out._array, result._array
    if 0 in a.strides and any(n > 1 and not step for n, step in zip(a.shape, a.strides, strict=True)) and a.size:
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
            "Please clone() the tensor before performing the operation."
        )
    dtypes.check_cast(result.dtype, out.dtype)
    if a.shape != b.shape:
        if a.size and not quiet:
            warn(
                f"An output with one or more elements was resized since it had shape {list(a.shape)}, which does not "
                f"match the required output shape {list(b.shape)}. This behavior is deprecated, and in a future PyTorch "
                "release outputs will not be resized unless they have zero elements. You can explicitly reuse an out "
                "tensor t by resizing it, inplace, to zero elements with t.resize_(0).",
                UserWarning,
            )
        if b.nbytes > a.nbytes:
            require_resizable(a)
        out._array = b.astype(a.dtype)
    elif a is not b:
        with np.errstate(all="ignore"):
            a[...] = b
    out._counter[0] += 1
    return out


def inplace_of(function: Any, name: str) -> Any:
    """The in-place version of an operator: compute, write, and make the result's history that of the target."""

    saves = getattr(function, "saves_input", None)

    def in_place(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(self, Tensor):
            raise TypeError(f"{name}_(): argument 'input' (position 1) must be Tensor, not {type(self).__name__}")
        views.check_inplace(self)
        for x in args:
            if isinstance(x, Tensor):
                views.check_overlap(self._array, x._array)
        source = self
        if get_mode().grad:
            edge = self._edge if self._base is None else current_edge(self)
            others = any(isinstance(x, Tensor) and x.requires_grad for x in args)
            if edge is not None or others:
                keep = True if saves is None else saves(edge is not None, others)
                source = _new(Tensor)
                source._array = self._array.copy(order="K") if keep else self._array
                source._counter = [0]
                source._edge = edge
        try:
            result = function(source, *args, **kwargs)
        except NotImplementedError:
            _refuse_result(self, args)
            raise
        edge = result._edge
        views.write(self, result._array)
        views.rebase(self, edge)
        if edge is not None:
            _patch_saved_output(edge[0], self)
        return self

    in_place.__name__ = f"{name}_"
    in_place.__qualname__ = f"Tensor.{name}_"
    in_place.__doc__ = f"In-place version of `{name}`."
    return in_place


def _refuse_result(x: Any, args: tuple[Any, ...]) -> None:
    """A result that would not fit into the target is refused before a dtype that the kernel lacks, as in PyTorch."""
    if len(args) == 1 and isinstance(args[0], (Tensor, *NUMBERS)):
        shape = np.broadcast_shapes(x._array.shape, np.shape(getattr(args[0], "_array", 0)))
        views.write(wrap(x._array.copy()), np.zeros(shape, result_dtype(x, args[0]).np))


def _patch_saved_output(node: Any, x: Any) -> None:
    """A result that backward needs lies in `x` now, so a later write to `x` must be noticed."""
    kinds = getattr(node, "kinds", None)
    if kinds is None or node.saved is None or not node.versions:
        return
    saved, versions = list(node.saved), list(node.versions)
    for i in range(0, len(versions), 3):
        slot = versions[i + 2]
        if kinds[slot][0] == "out":
            saved[slot] = x._array
            versions[i], versions[i + 1] = x._counter, x._counter[0]
    node.saved, node.versions = tuple(saved), tuple(versions)


def is_array(x: Any) -> bool:
    """Whether a formula is being read on arrays or symbols rather than Tensors."""
    return x.__class__ is ndarray or hasattr(x, "_is_expression") or isinstance(x, np.generic)


def type_error(name: str, value: Any, position: int = 1, label: str = "input") -> TypeError:
    """PyTorch's error for an argument that should have been a Tensor."""
    return TypeError(f"{name}(): argument '{label}' (position {position}) must be Tensor, not {type_name(value)}")


def check_number(name: str, label: str, position: int, value: Any, kind: str = "float") -> None:
    """PyTorch's error for an argument that should have been a number (`kind` float, int or Number)."""
    whole = isinstance(value, (int, np.integer)) and not isinstance(value, bool)
    fits = whole if kind == "int" else whole or isinstance(value, (float, bool, np.floating))
    if not fits and not (isinstance(value, Tensor) and value.dim() == 0):
        raise TypeError(f"{name}(): argument '{label}' (position {position}) must be {kind}, not {type_name(value)}")


def first_no_tensor(name: str, **arguments: Any) -> TypeError:
    """PyTorch's error for the first of several arguments that should have been Tensors (None may stand for later ones)."""
    for position, (label, value) in enumerate(arguments.items(), 1):
        if not isinstance(value, Tensor) and (value is not None or position < 3):
            return type_error(name, value, position, label)
    raise AssertionError(f"{name} got tensors alone")


def require_tensors(name: str, **arguments: Any) -> None:
    """TypeError unless all are Tensors; in the order of the signature."""
    for position, (label, value) in enumerate(arguments.items(), 1):
        if not isinstance(value, Tensor):
            raise type_error(name, value, position, label)


def combination_error(name: str, *values: Any) -> TypeError:
    """PyTorch's error for arguments that fit none of a function's signatures."""
    kinds = ", ".join(type_name(v) for v in values)
    return TypeError(f"{name}() received an invalid combination of arguments - got ({kinds}), but expected one of:")
