"""Nodes of the autograd graph: what an operator leaves behind so that `backward` can undo it.

A node holds `edges` (one for each input: `(node, output number)` or None), the creation number `seq` by
which the engine orders the work, and what its derivative needs. It never holds a Tensor, only raw
arrays, so the graph has no reference cycle and frees itself.
"""

from __future__ import annotations

import itertools
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import dtypes

Edge = tuple["Node", int]
next_seq = itertools.count().__next__

FREED = (
    "Trying to backward through the graph a second time (or directly access saved tensors after they have already "
    "been freed). Saved intermediate values of the graph are freed when you call .backward() or autograd.grad(). "
    "Specify retain_graph=True if you need to backward through the graph a second time or if you need to access "
    "saved tensors after calling backward."
)


class Handle:
    """What registering a hook returns: `remove()` takes the hook away again."""

    def __init__(self, hooks: dict[int, Any]) -> None:
        self.id = next_seq()
        self._hooks = weakref.ref(hooks) if isinstance(hooks, OrderedDict) else lambda: hooks

    def remove(self) -> None:
        hooks = self._hooks()
        if hooks is not None:
            hooks.pop(self.id, None)

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()


class Node:
    """One recorded operation; `tensor.grad_fn` is one."""

    edges: tuple[Edge | None, ...] = ()
    seq: int = 0
    n_outputs = 1
    wants_tensors = False  # apply() takes and returns Tensors, also in an ordinary backward
    # Rare, so class defaults: hooks by id.
    pre_hooks: dict[int, Any] | None = None  # (output number or None for all, hook)
    post_hooks: dict[int, Any] | None = None
    retain: dict[int, Any] | None = None  # output number -> callback that keeps the gradient
    trace: Any = None  # where the operation was called (anomaly mode)
    _metadata: dict[Any, Any] | None = None

    def apply(self, g: Any, graph: bool) -> tuple[Any, ...]:
        """Gradients for `edges`, from the gradient (or list of gradients) of the output."""
        raise NotImplementedError

    def release(self) -> None:
        """Drop what was saved; a second backward then raises."""

    def name(self) -> str:
        return self.__class__.__name__

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        return tuple((None, 0) if e is None else e for e in self.edges)

    @property
    def metadata(self) -> dict[Any, Any]:
        if self._metadata is None:
            self._metadata = {}
        return self._metadata

    def _sequence_nr(self) -> int:
        return self.seq

    def register_hook(self, hook: Callable[..., Any]) -> Handle:
        """`hook(grad_inputs, grad_outputs)` runs after the node and may return other grad_inputs."""
        if self.post_hooks is None:
            self.post_hooks = OrderedDict()
        handle = Handle(self.post_hooks)
        self.post_hooks[handle.id] = hook
        return handle

    def register_prehook(self, hook: Callable[..., Any]) -> Handle:
        """`hook(grad_outputs)` runs before the node and may return other grad_outputs."""
        return self.add_pre_hook(None, hook)

    def add_pre_hook(self, number: int | None, hook: Callable[..., Any]) -> Handle:
        if self.pre_hooks is None:
            self.pre_hooks = OrderedDict()
        handle = Handle(self.pre_hooks)
        self.pre_hooks[handle.id] = (number, hook)
        return handle

    def __repr__(self) -> str:
        return f"<{self.__class__.__name__} object at {id(self):#x}>"


def check_versions(node: Node, versions: tuple[Any, ...], saved: Any, kinds: Any) -> None:
    """Raise PyTorch's error if a saved array was written to; `versions` alternates counter, expected value, slot."""
    for i in range(0, len(versions), 3):
        counter, expected, slot = versions[i : i + 3]
        if counter[0] != expected:
            what, number = kinds[slot]
            edge = (node, number) if what == "out" else node.edges[number]
            raise RuntimeError(modified(node, saved[slot], edge, counter, expected))


def modified(node: Node, a: Any, edge: Edge | None, counter: list[Any], expected: int) -> str:
    """The message for a saved array that an in-place operation changed; `counter` may know which one that was."""
    origin = ""
    if edge is not None and not isinstance(edge[0], AccumulateGrad):
        name, output = edge[0].name(), edge[1]
        if edge[0] is not node and len(counter) > 1:  # an input goes by the history that it has now
            name, output = counter[1:] if not isinstance(a.base, np.ndarray) else ("AsStridedBackward0", 0)
        origin = f", which is output {output} of {name.removesuffix('0').removesuffix('Backward')},"
    text = (
        "one of the variables needed for gradient computation has been modified by an inplace operation: "
        f"[{type_name(a)} {list(np.shape(a))}]{origin} is at version {counter[0]}; expected version {expected} instead. "
        "Hint: enable anomaly detection to find the operation that failed to compute its gradient, with "
        "torch.autograd.set_detect_anomaly(True, check_nan=False)."
    )
    return text


def type_name(a: np.ndarray[Any, Any]) -> str:
    """`torch.FloatTensor` for a float32 array, and so on."""
    return f"torch.{dtypes.of_array(a.dtype).scalar_name}Tensor"


class AccumulateGrad(Node):
    """The end of the graph at a leaf: adds the gradient into `leaf.grad`."""

    def __init__(self, leaf: Any) -> None:
        self._leaf = weakref.ref(leaf)
        self.seq = next_seq()
        self.shape, self.dtype = leaf._array.shape, leaf._array.dtype

    @property
    def variable(self) -> Any:
        return self._leaf()

    def name(self) -> str:
        return "torch::autograd::AccumulateGrad"
