"""The backward pass: a heap of nodes by creation number.

A node is always younger than those its edges point to, so the youngest waiting node has received every
part of its gradient. That is the whole scheduling: no recursion and no counting of dependencies.

In an ordinary backward gradients are raw arrays. With `create_graph` they are Tensors, the same formulas run on
them, and so the backward pass records a graph of its own.
"""

from __future__ import annotations

import os
import sys
import threading
from heapq import heappop, heappush
from typing import Any

import numpy as np

from ..backend import kernels as K
from ..backend import placing
from ..settings import warn
from . import modes
from .node import AccumulateGrad, Edge, Node
from .tensor import Tensor, wrap

_accumulate_lock = threading.Lock()
ndarray = np.ndarray


def run(
    roots: list[tuple[Edge, Any]], *, retain_graph: bool, create_graph: bool, inputs: list[Edge] | None = None
) -> list[Any]:
    """Send the gradients of `roots` back through the graph.

    Without `inputs`, leaves accumulate into their `.grad`. With them, the gradients that arrive at those edges are
    returned (arrays, or Tensors with `create_graph`; None where nothing arrived) and nothing else is touched.
    """
    mode = modes.GRAD if create_graph else modes.NO_GRAD
    token = modes._variable.set(mode)
    try:
        with np.errstate(all="ignore"):
            return _run(roots, retain_graph, create_graph, inputs)
    finally:
        modes._variable.reset(token)


def _run(roots: list[tuple[Edge, Any]], retain: bool, graph: bool, inputs: list[Edge] | None) -> list[Any]:
    wanted: dict[Node, dict[int, list[int]]] = {}
    needed: set[Node] | None = None
    results: list[Any] = []
    if inputs is not None:
        results = [None] * len(inputs)
        for position, (node, number) in enumerate(inputs):
            wanted.setdefault(node, {}).setdefault(number, []).append(position)
        needed = _reaching(set(wanted), [edge[0] for edge, _ in roots])
    waiting: dict[Node, Any] = {}
    heap: list[tuple[int, Node]] = []
    for (node, number), g in roots:
        _deposit(waiting, heap, node, number, g)
    while heap:
        node = heappop(heap)[1]
        g = waiting.pop(node)
        if needed is not None and node in wanted and node in needed:  # as PyTorch: before the node's hooks
            _collect(results, wanted[node], node, g)
        if node.pre_hooks is not None:
            g = _run_pre_hooks(node, g, graph)
        if node.retain is not None:
            _keep(node, g, graph)
        if needed is not None and node not in needed:
            if node in wanted:
                _collect(results, wanted[node], node, g)
            continue
        if node.__class__ is AccumulateGrad:
            if needed is None:
                accumulate(node, g, graph)
            continue
        try:
            if node.wants_tensors and not graph:
                grads = _apply_tensors(node, g)
            else:
                grads = node.apply(g, graph)
        except Exception:
            if node.trace:
                anomaly.report(node)
            raise
        if node.post_hooks is not None:
            grads = _run_post_hooks(node, g, grads, graph)
        if anomaly.enabled:
            anomaly.check(node, grads)
        if not retain:
            node.release()
        g = None
        for edge, part in zip(node.edges, grads):  # noqa: B905
            if edge is not None and part is not None:
                target = edge[0]
                if needed is not None and target not in needed and target not in wanted:
                    continue
                if target.n_outputs == 1 and target not in waiting:
                    waiting[target] = part
                    heappush(heap, (-target.seq, target))
                else:
                    _deposit(waiting, heap, target, edge[1], part)
        part = grads = None
    return results


def _collect(results: list[Any], places: dict[int, list[int]], node: Node, g: Any) -> None:
    for number, positions in places.items():
        for position in positions:
            results[position] = g[number] if node.n_outputs > 1 else g


def _deposit(waiting: dict[Node, Any], heap: list[tuple[int, Node]], node: Node, number: int, g: Any) -> None:
    if node not in waiting:
        heappush(heap, (-node.seq, node))
        if node.n_outputs == 1:
            waiting[node] = g
            return
        waiting[node] = [None] * node.n_outputs
    if node.n_outputs == 1:
        waiting[node] = _add(waiting[node], g)
    else:
        slots = waiting[node]
        slots[number] = g if slots[number] is None else _add(slots[number], g)


def _add(a: Any, b: Any) -> Any:
    return K.add(a, b) if isinstance(a, ndarray) and isinstance(b, ndarray) else a + b


def _reaching(targets: set[Node], starts: list[Node]) -> set[Node]:
    """The nodes among the graph of `starts` from which one of `targets` can be reached through at least one edge."""
    order: list[Node] = []
    seen: set[Node] = set()
    stack = list(starts)
    while stack:
        node = stack.pop()
        if node in seen:
            continue
        seen.add(node)
        order.append(node)
        stack.extend(edge[0] for edge in node.edges if edge is not None)
    order.sort(key=lambda node: node.seq)
    needed: set[Node] = set()
    for node in order:  # oldest first, so what an edge points to is decided already
        if any(edge is not None and (edge[0] in targets or edge[0] in needed) for edge in node.edges):
            needed.add(node)
    return needed


def _tensors(g: Any) -> Any:
    if g is None or isinstance(g, Tensor):
        return g
    return [_tensors(part) for part in g] if isinstance(g, (list, tuple)) else wrap(g)


def _arrays(g: Any) -> Any:
    if isinstance(g, (list, tuple)):
        return [_arrays(part) for part in g]
    return g._array if isinstance(g, Tensor) else g


def _apply_tensors(node: Node, g: Any) -> Any:
    return _arrays(node.apply(_tensors(g), False))


def _run_pre_hooks(node: Node, g: Any, graph: bool) -> Any:
    parts = _tensors(g if node.n_outputs > 1 else [g])
    assert node.pre_hooks is not None
    for number, hook in list(node.pre_hooks.values()):
        if number is None:
            changed = hook(tuple(parts))
            if changed is not None:
                _check_hook_results(hook, tuple(parts), changed)
                parts = list(changed)
        elif parts[number] is not None:
            changed = hook(parts[number])
            if changed is not None:
                if not isinstance(changed, Tensor):
                    raise TypeError(f"expected Variable, but hook returned '{type(changed).__name__}'")
                _check_hook_result(hook, parts[number], changed)
                parts[number] = changed
    parts = parts if graph else _arrays(parts)
    return parts if node.n_outputs > 1 else parts[0]


def _check_hook_results(hook: Any, before: tuple[Any, ...], after: Any) -> None:
    """PyTorch's errors for what a node's hook returns in place of several gradients."""
    if not isinstance(after, tuple):
        raise TypeError(f"expected tuple, but hook returned '{type(after).__name__}'")
    if len(after) != len(before):
        name = getattr(hook, "__name__", "<unknown>")
        raise RuntimeError(
            f"hook '{name}' has returned an incorrect number of values (got {len(after)}, but expected {len(before)})"
        )
    for old, new in zip(before, after, strict=True):
        if new is not None and not isinstance(new, Tensor):
            raise TypeError(f"expected Variable, but hook returned '{type(new).__name__}'")
        if old is not None and new is not None:
            _check_hook_result(hook, old, new)


def _check_hook_result(hook: Any, before: Any, after: Any) -> None:
    name = getattr(hook, "__name__", "<unknown>")
    if before._array.shape != after._array.shape:
        raise RuntimeError(f"hook '{name}' has changed the size of value")
    if before._array.dtype != after._array.dtype:
        raise RuntimeError(f"hook '{name}' has changed the type of value (was {before.type()} got {after.type()})")


def _run_post_hooks(node: Node, g: Any, grads: Any, graph: bool) -> Any:
    outputs = tuple(_tensors(g if node.n_outputs > 1 else [g]))
    parts = tuple(_tensors(list(grads)))
    assert node.post_hooks is not None
    for hook in list(node.post_hooks.values()):
        changed = hook(parts, outputs)
        if changed is not None:
            _check_hook_results(hook, parts, changed)
            parts = changed
    return parts if graph else _arrays(parts)


def _keep(node: Node, g: Any, graph: bool) -> None:
    assert node.retain is not None
    for number, keep in node.retain.items():
        part = g[number] if node.n_outputs > 1 else g
        if part is not None:
            keep(part.clone() if isinstance(part, Tensor) else wrap(K.copy(part)))


# `accumulate` may keep an incoming array as `.grad` only when nobody else can see it. This is what `sys.getrefcount`
# says, in `_first_gradient`, of an array that only the engine holds; measured, as it depends on the Python version.
# Whatever else holds the array, and any debugger or tracer that keeps the engine's frames, can only add to it.
_sole_references = sys.maxsize
_MOST_REFERENCES = 4  # of the engine's two variables, the parameter and getrefcount's own


def accumulate(node: AccumulateGrad, g: Any, graph: bool) -> None:
    """Add `g` into the leaf's `.grad`, keeping the leaf's memory layout for a new one."""
    leaf = node._leaf()
    if leaf is None:
        return
    with _accumulate_lock:
        old = leaf._grad
        if old is None:
            leaf._grad = _first_gradient(leaf, g)
        elif graph:
            leaf._grad = old + g
        elif old._array.dtype is g.dtype and old._array.flags.writeable:
            K.accumulate_(old._array, g)
            old._counter[0] += 1
        else:
            leaf._grad = wrap(K.add(old._array, g))
    hooks = leaf._post_accumulate_hooks
    if hooks:
        for hook in list(hooks.values()):
            found = hook(leaf)
            if found is not None:
                if not isinstance(found, Tensor):
                    raise TypeError(f"expected Variable, but hook returned '{type(found).__name__}'")
                raise RuntimeError("Tensor post accumulate grad hooks should return None.")


def _first_gradient(leaf: Any, g: Any) -> Any:
    if isinstance(g, Tensor):
        return wrap(_as_leaf(leaf._array, g._array.dtype)).copy_(g)
    a = leaf._array
    if g.base is None and sys.getrefcount(g) <= _sole_references and g.strides == a.strides and g.flags.writeable:
        return wrap(g)
    if a.flags.c_contiguous:
        return wrap(K.copy(g) if g.flags.c_contiguous else g.copy())
    out = _as_leaf(a, g.dtype)
    out[...] = g
    return wrap(out)


def _as_leaf(a: Any, dtype: Any) -> Any:
    """A gradient lies as its leaf does if that is dense, else in C order."""
    return placing.empty_like(a, dtype) if placing.is_dense(a) else np.empty(a.shape, dtype)


def _calibrate() -> None:
    """Find the reference count, inside `_first_gradient`, of an array that nobody but the engine holds."""
    global _sole_references

    class Probe(Node):
        def apply(self, g: Any, graph: bool) -> tuple[Any, ...]:
            return (np.array([1.0]),)

    counts: list[int] = []
    leaf = wrap(np.zeros(1))
    leaf.requires_grad_(True)
    probe = Probe()
    probe.edges, probe.seq = (leaf._edge,), sys.maxsize

    original = globals()["_first_gradient"]

    def counting(leaf: Any, g: Any) -> Any:
        a = leaf._array
        if g.base is None:
            counts.append(sys.getrefcount(g))
        return wrap(a)

    globals()["_first_gradient"] = counting
    try:
        run([((probe, 0), np.ones(1))], retain_graph=False, create_graph=False)
    finally:
        globals()["_first_gradient"] = original
    # A tracer or profiler may hold references and make the measure too generous: then every array is copied.
    watched = sys.gettrace() is not None or sys.getprofile() is not None
    _sole_references = 0 if watched else min(counts[0], _MOST_REFERENCES)


_PACKAGE = os.path.dirname(os.path.dirname(__file__))


class Anomaly:
    """State of anomaly detection: records where operations were called, and looks for nan in gradients."""

    enabled = False
    check_nan = True

    def remember(self, node: Node) -> None:
        """Note the lines of the program, not of this package, that are about to make `node`."""
        import traceback

        lines = [line for line in traceback.extract_stack() if not line.filename.startswith(_PACKAGE)]
        node.trace = "".join(traceback.format_list(lines[-8:]))

    def check(self, node: Node, grads: Any) -> None:
        if not self.check_nan:
            return
        for i, part in enumerate(grads):
            a = _arrays(part)
            if a is not None and a.dtype.kind in "fc" and bool(np.isnan(a).any()):
                self.report(node)
                raise RuntimeError(f"Function '{node.name()}' returned nan values in its {i}th output.")

    def report(self, node: Node) -> None:
        """Warn with the lines of the forward pass that made a node."""
        text = f"Error detected in {node.name()}. "
        if node.trace:
            text += f"Traceback of forward call that caused the error:\n{node.trace}"
        else:
            text += (
                "No forward pass information available. Enable detect anomaly during forward pass for more information."
            )
        warn(text, UserWarning)


anomaly = Anomaly()

_calibrate()
