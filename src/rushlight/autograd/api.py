"""`backward` and `grad`: check the arguments, and hand the roots to the engine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ..settings import warn, warn_once
from . import engine
from .node import AccumulateGrad, Edge
from .tensor import Tensor, current_edge, wrap


def edge_of(x: Any) -> Edge | None:
    """The edge of any tensor, views included, or of a `GradientEdge`."""
    if x.__class__ is GradientEdge:
        return x.node, x.output_nr
    return x._edge if x._base is None else current_edge(x)


class GradientEdge(NamedTuple):
    """Where a gradient arrives in the graph; stands for a tensor in `backward` and `grad`."""

    node: Any
    output_nr: int
    ownership_token: Any = None


def _as_tuple(value: Any) -> tuple[Any, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, (Tensor, GradientEdge)) else tuple(value)


def _roots(outputs: tuple[Any, ...], cotangents: tuple[Any, ...], graph: bool) -> list[tuple[Edge, Any]]:
    if len(cotangents) < len(outputs):
        raise RuntimeError(f"got {len(outputs)} tensors and {len(cotangents)} gradients")
    roots: list[tuple[Edge, Any]] = []
    for i, (y, v) in enumerate(zip(outputs, cotangents, strict=False)):
        edge = edge_of(y)
        if y.__class__ is GradientEdge:
            if v is None:
                raise RuntimeError("grad can be implicitly created only for scalar outputs")
            roots.append((edge, v if graph else v._array))  # type: ignore[arg-type]
            continue
        if v is None:
            if edge is None:
                raise RuntimeError(f"element {i} of tensors does not require grad and does not have a grad_fn")
            if y._array.size != 1:
                raise RuntimeError("grad can be implicitly created only for scalar outputs")
            if y._array.dtype.kind == "c":
                raise RuntimeError(
                    "grad can be implicitly created only for real scalar outputs but got " + repr(y.dtype)
                )
            v = wrap(np.ones(y._array.shape, y._array.dtype))
        elif not isinstance(v, Tensor):
            raise TypeError(f"gradients can be either Tensors or None, but got {type(v).__name__}")
        elif v._array.shape != y._array.shape:
            raise RuntimeError(
                f"Mismatch in shape: grad_output[{i}] has a shape of {v.shape} and output[{i}] has a shape of {y.shape}."
            )
        elif (v._array.dtype.kind == "c") != (y._array.dtype.kind == "c"):
            raise RuntimeError(
                "For complex Tensors, both grad_output and output are required to have the same dtype. Mismatch in "
                f"dtype: grad_output[{i}] has a dtype of {v.dtype} and output[{i}] has a dtype of {y.dtype}."
            )
        if edge is None:
            raise RuntimeError(f"element {i} of tensors does not require grad and does not have a grad_fn")
        if v._array.dtype != y._array.dtype:
            v = v.to(y.dtype)
        roots.append((edge, v if graph else v._array))
    return roots


CYCLE = (
    "Using backward() with create_graph=True will create a reference cycle between the parameter and its gradient which can "
    "cause a memory leak. We recommend using autograd.grad when creating the graph to avoid this. If you have to use this "
    "function, make sure to reset the .grad fields of your parameters to None after use to break the cycle and avoid the leak."
)


def backward(
    tensors: Any,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    grad_variables: Any = None,
    inputs: Any = None,
) -> None:
    """Add the gradients of `tensors` into the `.grad` of the graph's leaves (or only of `inputs`).

    https://docs.pytorch.org/docs/stable/generated/torch.autograd.backward.html
    """
    if grad_variables is not None:
        warn("`grad_variables` is deprecated. Use `grad_tensors` instead.", FutureWarning)
        if grad_tensors is not None:
            raise RuntimeError(
                "`grad_tensors` and `grad_variables` (deprecated) arguments both passed to `backward()`. Please only use "
                "`grad_tensors`."
            )
        grad_tensors = grad_variables
    outputs = _as_tuple(tensors)
    cotangents = _as_tuple(grad_tensors) or (None,) * len(outputs)
    if inputs is not None:
        inputs = _as_tuple(inputs)
        if not inputs:
            raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    roots = _roots(outputs, cotangents, create_graph)
    retain = create_graph if retain_graph is None else retain_graph
    if create_graph:
        warn_once(CYCLE)
    if inputs is None:
        engine.run(roots, retain_graph=retain, create_graph=create_graph)
        return
    for x in inputs:
        if isinstance(x, Tensor) and not x.requires_grad:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
    edges = _input_edges(inputs)
    results = engine.run(roots, retain_graph=retain, create_graph=create_graph, inputs=edges)
    for x, edge, g in zip(inputs, edges, results, strict=True):
        if g is None:
            continue
        if edge[0].__class__ is AccumulateGrad:
            engine.accumulate(edge[0], g, create_graph)
        else:
            g = g if create_graph else wrap(g)
            x._grad = g.clone() if x._grad is None else x._grad + g


def _input_edges(inputs: Sequence[Any]) -> list[Edge]:
    edges: list[Edge] = []
    for x in inputs:
        if not isinstance(x, (Tensor, GradientEdge)):
            raise RuntimeError(f"all inputs have to be Tensors or GradientEdges, but got {type(x).__name__}")
        edge = edge_of(x)
        if edge is None:
            raise RuntimeError("One of the differentiated Tensors does not require grad")
        edges.append(edge)
    return edges


def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple[Any, ...]:
    """The gradients of `outputs` by `inputs`, as a tuple; nothing is accumulated.

    https://docs.pytorch.org/docs/stable/generated/torch.autograd.grad.html

    >>> import rushlight as torch
    >>> x = torch.tensor(3.0, requires_grad=True)
    >>> (g,) = torch.autograd.grad(x**2, x, create_graph=True)
    >>> torch.autograd.grad(g, x)
    (tensor(2.),)
    """
    if not only_inputs:
        warn(
            "only_inputs argument is deprecated and is ignored now (defaults to True). To accumulate gradient for other "
            "parts of the graph, please use torch.autograd.backward.",
            FutureWarning,
        )
    if materialize_grads and allow_unused is False:
        raise ValueError(
            "Expected allow_unused to be True or not passed when materialize_grads=True, but got: allow_unused=False."
        )
    allow_unused = materialize_grads if allow_unused is None else allow_unused
    ys, xs = _as_tuple(outputs), _as_tuple(inputs)
    if not xs:
        raise RuntimeError("`inputs` argument to `grad()` cannot be empty.")
    vs = _as_tuple(grad_outputs) or (None,) * len(ys)
    if is_grads_batched:
        return _batched(ys, xs, vs, retain_graph, create_graph, allow_unused, materialize_grads)
    roots = _roots(ys, vs, create_graph)
    retain = create_graph if retain_graph is None else retain_graph
    results = engine.run(roots, retain_graph=retain, create_graph=create_graph, inputs=_input_edges(xs))
    found = []
    for i, (x, g) in enumerate(zip(xs, results, strict=True)):
        if g is None:
            if not allow_unused:
                raise RuntimeError(
                    f"The differentiated Tensor at index {i} appears to not have been used in the graph. Set "
                    "allow_unused=True if this is the desired behavior."
                )
            found.append(x.new_zeros(x.shape) if materialize_grads else None)
        else:
            found.append(g if isinstance(g, Tensor) else wrap(g))
    return tuple(found)


def _batched(ys: Any, xs: Any, vs: Any, retain: Any, create: bool, unused: bool, materialize: bool) -> tuple[Any, ...]:
    """`is_grads_batched`: one backward for each row of the cotangents, and the results stacked."""
    for i, (y, v) in enumerate(zip(ys, vs, strict=False)):
        if v is not None and v.shape[1:] != y.shape:
            raise RuntimeError(
                "If `is_grads_batched=True`, we interpret the first dimension of each grad_output as the batch dimension. "
                "The sizes of the remaining dimensions are expected to match the shape of corresponding output, but a "
                f"mismatch was detected: grad_output[{i}] has a shape of {v.shape} and output[{i}] has a shape of "
                f"{y.shape}. If you only want some tensors in `grad_output` to be considered batched, consider using vmap."
            )
    rows = next(v.shape[0] for v in vs if v is not None)
    parts = [
        grad(ys, xs, [None if v is None else v[i] for v in vs], True, create, True, unused, False, materialize)
        for i in range(rows)
    ]
    from ..ops import stack

    return tuple(None if column[0] is None else stack(list(column)) for column in zip(*parts, strict=True))
