"""The nodes that declared operators leave in the graph, and how a broadcast gradient returns to its operand's shape."""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..autograd.node import FREED, Node, check_versions
from ..autograd.tensor import Tensor, wrap
from ..backend import kernels as K

ndarray = np.ndarray
_new = object.__new__
_F32, _F64 = np.dtype(np.float32), np.dtype(np.float64)

NOTHING = (None, None, None)  # what an operator of two operands keeps whose derivatives need neither
_SAVED_NAMES = {"a": "self", "b": "other", "out": "result", "x": "self"}


class Recorded(Node):
    """A node made by a declaration: `saved` holds the slots that its rules pick their arguments from."""

    rules: tuple[Any, ...] = ()  # on arrays, one for each edge (or None)
    graph_rules: tuple[Any, ...] = ()  # on Tensors
    joint: Any = None  # one rule for all edges instead
    graph_joint: Any = None
    kinds: tuple[Any, ...] = ()  # of each slot: ("in", edge number), ("out", output number) or ("value", name)
    names: tuple[str, ...] = ()
    holds = False  # whether there are tensors among the slots: then a second backward is refused
    saved: Any = ()
    versions: tuple[Any, ...] = ()
    fix: Any = None  # for each edge the shape and dtype its gradient must get, where they differ from the result's
    meta: Any = None  # shapes and dtypes of the outputs, when there are several
    single: int | None = None  # of several outputs the only differentiable one

    def apply(self, g: Any, graph: bool) -> tuple[Any, ...]:
        saved = self.saved
        if saved is None:
            raise RuntimeError(FREED)
        versions = self.versions
        if versions:
            for i in range(0, len(versions), 3):
                if versions[i][0] != versions[i + 1]:
                    check_versions(self, versions, saved, self.kinds)
        if self.n_outputs > 1:
            g = self._cotangents(g, graph)
        if graph or self.wants_tensors:
            saved = self.unpack()
            rules, joint = self.graph_rules, self.graph_joint
        else:
            rules, joint = self.rules, self.joint
        if joint is not None:
            grads = joint(g, saved, tuple(edge is not None for edge in self.edges))
        else:
            grads = [
                None if edge is None or rule is None else rule(g, saved)
                for edge, rule in zip(self.edges, rules)  # noqa: B905
            ]
        for v in grads:
            # NumPy's operators turn 0-d arrays into scalars.
            if v.__class__ is not ndarray and isinstance(v, np.generic):
                grads = [np.asarray(u) if isinstance(u, np.generic) else u for u in grads]
                break
        if self.fix is not None:
            grads = [
                v if v is None or fix is None else reduce_to(v, *fix) for v, fix in zip(grads, self.fix, strict=True)
            ]
        return grads  # type: ignore[no-any-return]

    def _cotangents(self, g: Any, graph: bool) -> Any:
        if self.single is not None:
            return g[self.single]
        tensors = graph or self.wants_tensors
        return [
            part if part is not None or meta is None else (wrap(np.zeros(*meta)) if tensors else np.zeros(*meta))
            for part, meta in zip(g, self.meta, strict=True)
        ]

    def unpack(self) -> list[Any]:
        """The saved slots with arrays as Tensors that know where in the graph they come from."""
        found = []
        for value, (kind, number) in zip(self.saved, self.kinds, strict=True):
            if value.__class__ is ndarray:
                value = self._operand(value, number) if kind == "in" else wrap(value)
                if kind == "out":
                    value._edge = (self, number)
            elif kind == "out" and isinstance(value, tuple):
                value = tuple(_with_edge(v, (self, i) if can_require(v.dtype) else None) for i, v in enumerate(value))
            elif kind == "aux" and isinstance(value, tuple):
                value = tuple(wrap(v) if v.__class__ is ndarray else v for v in value)
            elif kind == "in" and isinstance(value, (list, tuple)):
                value = [_with_edge(v, self.edges[i]) for i, v in enumerate(value)]
            found.append(value)
        return found

    def _operand(self, a: Any, number: int) -> Any:
        """A saved operand; where it was promoted, a cast leads back to what it was, so that gradients are cast too."""
        fix = self.fix[number] if self.fix is not None and self.edges[number] is not None else None
        if fix is None or fix[1] == a.dtype:
            return _with_edge(a, self.edges[number])
        from .conversion import cast_array

        return _with_edge(cast_array(a, fix[1]), self.edges[number]).to(dtypes.of_array(a.dtype))

    def release(self) -> None:
        if self.holds and self.saved is not NOTHING:
            self.saved = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_saved_"):
            wanted = name.removeprefix("_saved_")
            for slot, own in enumerate(self.names):
                if wanted in (own, _SAVED_NAMES.get(own)):
                    if self.saved is None:
                        raise RuntimeError(FREED)
                    check_versions(self, self.versions, self.saved, self.kinds)
                    return self.unpack()[slot]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")


def _with_edge(a: Any, edge: Any) -> Any:
    x = wrap(a)
    x._edge = edge
    return x


def node_class_of(name: str, **attributes: Any) -> Any:
    holds = any(kind[0] != "value" for kind in attributes["kinds"])
    return type(name, (Recorded,), {**attributes, "holds": holds})


def reduce_to(g: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """A gradient of a broadcast and promoted operand in the operand's own shape and dtype."""
    if g.__class__ is ndarray:
        if g.shape != shape:
            g = sum_to(g, shape)
        if g.dtype != dtype:
            g = (g.real if g.dtype.kind == "c" and dtype.kind != "c" else g).astype(dtype)
        return g
    if not isinstance(g, Tensor):  # a number: the derivative does not depend on the operands
        return np.full(shape, g, dtype)
    if g._array.shape != shape:
        g = g.sum_to_size(shape)
    if g._array.dtype != dtype:
        if g._array.dtype.kind == "c" and dtype.kind != "c":
            g = g.real
        g = g.to(dtypes.of_array(dtype))
    return g


def sum_to(a: Any, shape: tuple[int, ...]) -> Any:
    """Sum an array over the axes along which `shape` was broadcast."""
    lead = a.ndim - len(shape)
    axes = (*range(lead), *(i + lead for i, n in enumerate(shape) if n == 1 and a.shape[i + lead] != 1))
    if axes:
        a = K.sum(a, axes, True)
    return a.reshape(shape)


def broadcast_error(a: Any, b: Any) -> RuntimeError | None:
    """PyTorch's error for two shapes that do not broadcast, or None when they do."""
    sa, sb = np.shape(a), np.shape(b)
    n = max(len(sa), len(sb))
    for i in range(1, min(len(sa), len(sb)) + 1):
        if sa[-i] != sb[-i] and 1 not in (sa[-i], sb[-i]):
            return RuntimeError(
                f"The size of tensor a ({sa[-i]}) must match the size of tensor b ({sb[-i]}) at non-singleton "
                f"dimension {n - i}"
            )
    return None


def can_require(dtype: Any) -> bool:
    return dtype.kind in "fc" or (dtype.kind == "V" and not dtype.isbuiltin) or dtype.name in ("bfloat16",)
