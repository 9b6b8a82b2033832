"""Derivatives of functions: `jacobian`, `hessian` and their products with vectors.

https://docs.pytorch.org/docs/stable/autograd.html#functional-higher-level-api
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import modes
from .api import grad
from .tensor import Tensor

INDEPENDENT = "The output of the user-provided function is independent of input {}. This is not allowed in strict mode."
LINEAR = (
    "While computing the hessian, found that the jacobian of the user-provided function with respect to input {} is "
    "independent of the input. This is not allowed in strict mode. You should ensure that your function is twice "
    "differentiable and that the jacobian depends on the inputs (this would be violated by a linear function for example)."
)


def _as_tuple(value: Any, name: str, function: str) -> tuple[bool, tuple[Any, ...]]:
    single = not isinstance(value, tuple)
    items = (value,) if single else value
    for i, x in enumerate(items):
        if not isinstance(x, Tensor):
            if single:
                raise TypeError(
                    f"The {name} given to {function} must be either a Tensor or a tuple of Tensors but the given {name} has type {type(x)}."
                )
            raise TypeError(
                f"The {name} given to {function} must be either a Tensor or a tuple of Tensors but the value at index {i} has type {type(x)}."
            )
    return single, items


def _inputs(xs: tuple[Any, ...], create_graph: bool) -> tuple[Any, ...]:
    """Inputs to differentiate by: views of those that are part of a graph, else fresh leaves."""
    return tuple(x.view_as(x) if create_graph and x.requires_grad else x.detach().requires_grad_(True) for x in xs)


def _finish(value: Any, create_graph: bool) -> Any:
    if isinstance(value, tuple):
        return tuple(_finish(v, create_graph) for v in value)
    return value if create_graph or not value.requires_grad else value.detach()


def _single(value: tuple[Any, ...], single: bool) -> Any:
    return value[0] if single else value


def _filled(found: Any, xs: Any, strict: bool, what: str) -> tuple[Any, ...]:
    result = []
    for i, (g, x) in enumerate(zip(found, xs, strict=True)):
        if g is None:
            if strict:
                raise RuntimeError(what.format(i))
            g = x.new_zeros(x.shape)
        result.append(g)
    return tuple(result)


def _check_vectors(v: Any, ys: Any, name: str, function: str) -> tuple[Any, ...]:
    if v is None:
        if len(ys) != 1 or ys[0].numel() != 1:
            raise RuntimeError(
                "The vector v can only be None if the user-provided function returns a single Tensor with a single element."
                if function == "vjp"
                else "The vector v can only be None if the input to the user-provided function is a single Tensor with a single element."
            )
        return tuple(y.new_ones(y.shape) for y in ys)
    _, vs = _as_tuple(v, "v", function)
    if len(vs) != len(ys):
        raise RuntimeError(f"v is a tuple of invalid length: should be {len(ys)} but got {len(vs)}.")
    for i, (a, y) in enumerate(zip(vs, ys, strict=True)):
        if a.shape != y.shape:
            prefix = f"Entry {i} in " if len(vs) > 1 else ""
            raise RuntimeError(f"{prefix}v has invalid size: should be {y.shape} but got {a.shape}.")
    return vs


def vjp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """`(func(inputs), v^T J)`: the product of a cotangent with the Jacobian."""
    with modes.enable_grad():
        single, xs = _as_tuple(inputs, "inputs", "vjp")
        xs = _inputs(xs, create_graph)
        single_out, ys = _as_tuple(func(*xs), "outputs of the user-provided function", "vjp")
        vs = _check_vectors(v, ys, "v", "vjp")
        live = [(y, w) for y, w in zip(ys, vs, strict=True) if y.requires_grad]
        if live:
            found = grad([y for y, _ in live], xs, [w for _, w in live], create_graph=create_graph, allow_unused=True)
        else:
            found = (None,) * len(xs)
        result = _filled(found, xs, strict, INDEPENDENT)
    return _single(_finish(ys, create_graph), single_out), _single(_finish(result, create_graph), single)


def jvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """`(func(inputs), J v)`: the directional derivative, by differentiating the vjp (which is linear) once more."""
    with modes.enable_grad():
        _, xs = _as_tuple(inputs, "inputs", "jvp")
        xs = _inputs(xs, create_graph)
        vs = _check_vectors(v, xs, "v", "jvp")
        single_out, ys = _as_tuple(func(*xs), "outputs of the user-provided function", "jvp")
        dummies = tuple(y.new_zeros(y.shape).requires_grad_(True) for y in ys)
        live = [(y, d) for y, d in zip(ys, dummies, strict=True) if y.requires_grad]
        found: tuple[Any, ...] = (None,) * len(ys)
        if live:
            inner = grad([y for y, _ in live], xs, [d for _, d in live], create_graph=True, allow_unused=True)
            pairs = [(g, w) for g, w in zip(inner, vs, strict=True) if g is not None and g.requires_grad]
            if pairs:
                found = grad(
                    [g for g, _ in pairs], dummies, [w for _, w in pairs], create_graph=create_graph, allow_unused=True
                )
        result = _filled(found, ys, strict, INDEPENDENT)
    return _single(_finish(ys, create_graph), single_out), _single(_finish(result, create_graph), single_out)


def jacobian(
    func: Callable[..., Any], inputs: Any, create_graph: bool = False, strict: bool = False, vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:  # fmt: skip
    """The Jacobian of `func`: shape (*output.shape, *input.shape); tuples of them for several inputs or outputs.

    >>> import rushlight as torch
    >>> torch.autograd.functional.jacobian(lambda x: x**2, torch.tensor([1.0, 2.0]))
    tensor([[2., 0.],
            [0., 4.]])
    """
    if strategy not in ("reverse-mode", "forward-mode"):
        raise AssertionError('Expected strategy to be either "forward-mode" or "reverse-mode".')
    with modes.enable_grad():
        single, xs = _as_tuple(inputs, "inputs", "jacobian")
        xs = _inputs(xs, create_graph)
        single_out, ys = _as_tuple(func(*xs), "outputs of the user-provided function", "jacobian")
        rows = tuple(_jacobian_rows(y, xs, create_graph, strict, i) for i, y in enumerate(ys))
    found = tuple(_single(row, single) for row in rows)
    return _single(found, single_out)


def _jacobian_rows(y: Any, xs: tuple[Any, ...], create_graph: bool, strict: bool, i: int) -> tuple[Any, ...]:
    from ..ops import stack

    if not y.requires_grad:
        if strict:
            raise RuntimeError(
                f"Output {i} of the user-provided function does not require gradients. The outputs must be computed in a differentiable manner from the input when running in strict mode."
            )
        return tuple(x.new_zeros(tuple(y.shape) + tuple(x.shape)) for x in xs)
    columns: list[list[Any]] = [[] for _ in xs]
    flat = y.reshape(-1)
    for k in range(y.numel()):
        found = grad(flat[k], xs, retain_graph=True, create_graph=create_graph, allow_unused=True)
        what = f"Output {i} of the user-provided function is independent of input {{}}. This is not allowed in strict mode."
        for column, g in zip(columns, _filled(found, xs, strict, what), strict=True):
            column.append(g)
    return tuple(
        _finish(stack(column).reshape(tuple(y.shape) + tuple(x.shape)), create_graph)
        if column
        else x.new_zeros(tuple(y.shape) + tuple(x.shape))
        for column, x in zip(columns, xs, strict=True)
    )


def _scalar(func: Callable[..., Any], name: str) -> Callable[..., Any]:
    def checked(*xs: Any) -> Any:
        y = func(*xs)
        if not isinstance(y, Tensor):
            raise RuntimeError(
                f"The function given to {name} should return a single Tensor"
                if isinstance(y, tuple)
                else f"The outputs of the user-provided function given to {name} must be a Tensor"
            )
        if y.numel() != 1:
            raise RuntimeError(f"The Tensor returned by the function given to {name} should contain a single element")
        return y.reshape(())

    return checked


def hessian(
    func: Callable[..., Any], inputs: Any, create_graph: bool = False, strict: bool = False, vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:  # fmt: skip
    """The matrix of second derivatives of a scalar function: the Jacobian of its gradient."""
    single, _ = _as_tuple(inputs, "inputs", "hessian")
    checked = _scalar(func, "hessian")

    def gradient(*xs: Any) -> Any:
        found = jacobian(checked, xs if not single else xs[0], create_graph=True)
        return found

    return jacobian(gradient, inputs, create_graph=create_graph, strict=strict)


def vhp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """`(func(inputs), v^T H)` of a scalar function."""
    return _hessian_product("vhp", func, inputs, v, create_graph, strict)


def _hessian_product(
    name: str, func: Callable[..., Any], inputs: Any, v: Any, create_graph: bool, strict: bool
) -> tuple[Any, Any]:
    with modes.enable_grad():
        single, xs = _as_tuple(inputs, "inputs", name)
        xs = _inputs(xs, create_graph)
        y = _scalar(func, name)(*xs)
        vs = _check_vectors(v, xs, "v", name)
        inner = _filled(
            grad(y, xs, create_graph=True, allow_unused=True) if y.requires_grad else (None,) * len(xs), xs, strict,
            INDEPENDENT,
        )  # fmt: skip
        pairs = [(g, w) for g, w in zip(inner, vs, strict=True) if g.requires_grad]
        found: tuple[Any, ...] = (None,) * len(xs)
        if pairs:
            found = grad([g for g, _ in pairs], xs, [w for _, w in pairs], create_graph=create_graph, allow_unused=True)
        result = _filled(found, xs, strict, LINEAR)
    return _finish(y, create_graph), _single(_finish(result, create_graph), single)


def hvp(
    func: Callable[..., Any], inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False
) -> tuple[Any, Any]:
    """`(func(inputs), H v)` of a scalar function; H is symmetric, so this is `vhp` too."""
    return _hessian_product("hvp", func, inputs, v, create_graph, strict)
