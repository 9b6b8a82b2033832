"""Views and in-place writes: how writing into memory rewrites the history of every tensor that looks at it.

An in-place operator computes its result out of place, as a node, and then writes it. Written through a view, the
result becomes part of the base's history (`CopySlices`), and each view of that base gets its edge anew
(`AsStridedBackward0`) the next time somebody asks, because its version is behind.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from .. import dtypes
from ..backend.memory import storage_of
from ..backend.placing import is_dense
from . import modes
from .node import AccumulateGrad, Edge, Node, next_seq
from .tensor import Tensor, wrap

INFERENCE_WRITE = (
    "Inplace update to inference tensor outside InferenceMode is not allowed.You can make a clone to get a normal "
    "tensor before doing inplace update.See https://github.com/pytorch/rfcs/pull/17 for more details."
)
WRITTEN, BASE_WRITTEN = "is being", "its base or another view of its base has been"


def view_of(x: Any, a: Any, edge: Edge | None, mode: modes.Mode, kind: str | None = None) -> Any:
    """A tensor around `a`, which is a view of `x`'s array; it shares `x`'s version counter."""
    y = object.__new__(Tensor)
    y._array = a
    y._counter = version = x._counter
    if edge is not None:
        y._edge = edge
    y._base = x if x._base is None else x._base
    if version[0]:
        y._view_version = version[0]
    if kind is not None or not mode.grad:
        y._view_kind = kind or "no_grad"
    elif x._view_kind is not None:
        y._view_kind = x._view_kind
    if mode.inference or x._inference:
        y._inference = True
    return y


def refresh(view: Any) -> None:
    """Give a view whose storage was written to the edge that it has now."""
    base = view._base
    edge = base._edge
    if edge is not None and view._view_kind is not None:
        raise forbidden(view, BASE_WRITTEN)
    view._view_version = view._counter[0]
    if edge is None:
        if view._edge is not None and view._edge[0].__class__ is not AccumulateGrad:
            view._edge = None
        return
    node = AsStridedBackward0(base._array, view._array)
    node.edges = (edge,)
    view._edge = (node, 0)


class Geometry:
    """Where a view's elements lie in its base, as positions in the base's flattened elements."""

    def __init__(self, base: Any, view: Any) -> None:
        if base.dtype != view.dtype:
            raise NotImplementedError(
                f"in-place writing through a view of another dtype ({view.dtype} on {base.dtype}) is not supported"
            )
        self.base_shape, self.view_shape, self.dtype = base.shape, view.shape, base.dtype
        self.offset = (view.ctypes.data - base.ctypes.data) // base.itemsize
        self.strides = tuple(s // base.itemsize for s in view.strides)
        self.contiguous = base.flags.c_contiguous
        self._layout = None if self.contiguous else (base, view)

    def of(self, flat: Any) -> Any:
        """The view's place in a contiguous array of the base's shape (only for a contiguous base)."""
        part = flat.reshape(-1)[self.offset :]
        strides = tuple(s * flat.itemsize for s in self.strides)
        return np.lib.stride_tricks.as_strided(part, self.view_shape, strides)

    def positions(self) -> Any:
        """For each element of the view, its position among the base's elements."""
        count = int(np.prod(self.base_shape))
        if self.contiguous:
            return self.of(np.arange(count).reshape(self.base_shape)).copy()
        base, view = self._layout  # type: ignore[misc]
        root = storage_of(base)
        if not root.flags.c_contiguous:
            root = root.ravel(order="K")
        where = np.full(root.size, -1)

        def place(a: Any) -> Any:
            start = (a.ctypes.data - root.ctypes.data) // a.itemsize
            strides = tuple(s // a.itemsize * where.itemsize for s in a.strides)
            return np.lib.stride_tricks.as_strided(where[start:], a.shape, strides)

        place(base)[...] = np.arange(count).reshape(self.base_shape)
        found = place(view).copy()
        if (found < 0).any():
            raise RuntimeError("a view reaches outside of the tensor that it is a view of")
        return found


class AsStridedBackward0(Node):
    """From the gradient of a view to that of its base."""

    def __init__(self, base: Any, view: Any) -> None:
        self.seq = next_seq()
        self.geometry = Geometry(base, view)

    def apply(self, g: Any, graph: bool) -> tuple[Any, ...]:
        geometry = self.geometry
        count = int(np.prod(geometry.base_shape))
        positions = geometry.positions().reshape(-1)
        if graph:
            return (g.new_zeros(count).index_add(0, wrap(positions), g.reshape(-1)).reshape(geometry.base_shape),)
        out = np.zeros(count, g.dtype)
        np.add.at(out, positions, g.reshape(-1))
        return (out.reshape(geometry.base_shape),)


class CopySlices(Node):
    """The base after a write through a view: the written part's gradient goes to what was written."""

    def name(self) -> str:
        return "torch::autograd::CopySlices"

    def __init__(self, base: Any, view: Any) -> None:
        self.seq = next_seq()
        self.geometry = Geometry(base, view)

    def apply(self, g: Any, graph: bool) -> tuple[Any, ...]:
        geometry = self.geometry
        if graph:
            positions = wrap(geometry.positions().reshape(-1))
            flat = g.reshape(-1)
            rest = flat.index_fill(0, positions, 0).reshape(geometry.base_shape)
            return rest, flat[positions].reshape(geometry.view_shape)
        rest = np.array(g, order="C")
        if geometry.contiguous:
            part = geometry.of(rest)
            written = part.copy()
            part[...] = 0
        else:
            positions = geometry.positions()
            flat = rest.reshape(-1)
            written = flat[positions]
            flat[positions] = 0
        return rest, written


def forbidden(x: Any, what: str) -> RuntimeError:
    """The error for a view that no history can be rewritten for: one of several, or one that no graph knows."""
    if x._view_kind == "no_grad":
        return RuntimeError(
            f"A view was created in no_grad mode and {what} modified inplace with grad mode enabled. Given that this use "
            "case is ambiguous and error-prone, it is forbidden. You can clarify your code by moving both the view and "
            "the inplace either both inside the no_grad block (if you don't want the inplace to be tracked) or both "
            "outside (if you want the inplace to be tracked)."
        )
    node, number = x._edge if x._edge is not None else (None, 0)
    name = "Unbind" if node is None else node.name().removesuffix("0").removesuffix("Backward")
    why = (
        "This view was created inside a custom Function (or because an input was returned as-is) and the autograd logic "
        "to handle view+inplace would override the custom backward associated with the custom Function, leading to "
        "incorrect gradients. This behavior is forbidden. You can fix this by cloning the output of the custom Function."
        if x._view_kind == "custom"
        else "This view is the output of a function that returns multiple views. Such functions do not allow the output "
        "views to be modified inplace. You should replace the inplace operation by an out-of-place one."
    )
    return RuntimeError(f"Output {number} of {name} is a view and {what} modified inplace. {why}")


def check_inplace(x: Any) -> None:
    """Refuse the in-place writes that PyTorch refuses."""
    check_memory(x, x._array)
    if not modes.get_mode().grad:
        return
    if x._base is None:
        if x._edge is not None and x._edge[0].__class__ is AccumulateGrad:
            raise RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.")
        return
    base_edge = x._base._edge
    if base_edge is None and x._edge is None:
        return
    if x._view_kind is not None:
        raise forbidden(x, WRITTEN)
    if base_edge is None or base_edge[0].__class__ is AccumulateGrad:
        raise RuntimeError("a view of a leaf Variable that requires grad is being used in an in-place operation.")


def check_memory(x: Any, part: Any) -> None:
    """Refuse to write into `part` of `x`'s memory where PyTorch or the operating system would."""
    if x._inference and not modes.get_mode().inference:
        raise RuntimeError(INFERENCE_WRITE)
    strides = part.strides
    if 0 in strides and part.size > 1 and any(s == 0 and n > 1 for s, n in zip(strides, part.shape, strict=True)):
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
            "Please clone() the tensor before performing the operation."
        )
    if not part.flags.writeable and part.size:
        raise RuntimeError(
            "the memory of this tensor is read-only (it shares a NumPy array that is not writeable). clone() it first."
        )


def check_overlap(a: Any, b: Any) -> None:
    """Refuse to write into `a` from a `b` that looks at part of the same memory, as far as PyTorch finds out."""
    if a is b or (a.base is None and b.base is None) or storage_of(a) is not storage_of(b) or not (a.size and b.size):
        return
    if not (is_dense(a) and is_dense(b)):
        return
    start, other = a.ctypes.data, b.ctypes.data
    if start == other and a.nbytes == b.nbytes and a.strides == b.strides:
        return
    if start < other + b.nbytes and other < start + a.nbytes:
        raise RuntimeError(
            "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single memory "
            "location. Please clone() the tensor before performing the operation."
        )


def write(x: Any, out: Any) -> None:
    """Copy the array `out` into `x`'s memory, with PyTorch's rules for types and shapes."""
    a = x._array
    if out is a:
        return
    if out.dtype is a.dtype and out.shape == a.shape:
        np.copyto(a, out)
        return
    if out.dtype != a.dtype:
        dtypes.check_cast(dtypes.of_array(out.dtype), x.dtype)
    if out.shape != a.shape:
        raise RuntimeError(f"output with shape {list(a.shape)} doesn't match the broadcast shape {list(out.shape)}")
    with np.errstate(all="ignore"):
        a[...] = out


def rebase(x: Any, edge: Edge | None) -> None:
    """After a write into `x`: bump the version, and make `edge` (that of what was written) `x`'s history."""
    counter = x._counter
    counter[0] += 1
    if not modes.get_mode().grad:
        return
    base = x._base
    if base is None:
        before, x._edge = x._edge, edge
        if edge is not None:
            counter[1:] = edge[0].__class__.__name__, edge[1]
            if x._retains_grad and before is not None and before[0].retain:
                edge[0].retain = {edge[1]: before[0].retain.pop(before[1])}
        return
    base_edge = base._edge
    if edge is None and base_edge is None:
        return
    if edge is not None and x._view_kind is not None:
        raise forbidden(x, WRITTEN)
    if base_edge is not None and base_edge[0].__class__ is AccumulateGrad:
        raise RuntimeError("a view of a leaf Variable that requires grad is being used in an in-place operation.")
    node = CopySlices(base._array, x._array)
    node.edges = (base_edge, edge)
    base._edge = (node, 0)
    counter[1:] = node.name(), 0
