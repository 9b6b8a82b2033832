"""`torch.autograd.graph`: the graph's nodes by name, and what can be done with saved tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..errors import unsupported
from .api import GradientEdge, edge_of
from .node import AccumulateGrad, Node

__all__ = [
    "AccumulateGrad",
    "GradientEdge",
    "Node",
    "allow_mutation_on_saved_tensors",
    "get_gradient_edge",
    "increment_version",
    "register_multi_grad_hook",
]


def get_gradient_edge(tensor: Any) -> Any:
    """`(node, output_nr)` of a tensor: where its gradient arrives."""
    edge = edge_of(tensor)
    if edge is None:
        raise RuntimeError("It is not possible to get the gradient edge for a Tensor that does not require gradients")
    return GradientEdge(*edge)


def increment_version(tensor: Any) -> None:
    """Bump the version counter of a tensor (or of each of several), as an in-place write would."""
    for x in [tensor] if not isinstance(tensor, (list, tuple)) else tensor:
        x._counter[0] += 1


def register_multi_grad_hook(tensors: Any, fn: Callable[..., Any], *, mode: str = "all") -> Any:
    """`fn` runs once the gradients of all (or with `mode="any"` of the first) of the tensors are there."""
    if mode not in ("all", "any"):
        raise ValueError(f"Expects mode to be one of ('all', 'any') but got {mode}")
    state: dict[str, Any] = {"got": {}}

    def hook(i: int) -> Callable[[Any], None]:
        def arrived(g: Any) -> None:
            if mode == "any":
                if not state.get("done"):
                    state["done"] = True
                    fn(g)
                return
            state["got"][i] = g
            if len(state["got"]) == len(tensors):
                got, state["got"] = state["got"], {}
                fn([got[k] for k in range(len(tensors))])

        return arrived

    for x in tensors:
        if not x.requires_grad:
            raise AssertionError("Expected gradient function to be set")
    handles = [x.register_hook(hook(i)) for i, x in enumerate(tensors)]

    class Handles:
        def remove(self) -> None:
            for h in handles:
                h.remove()

    return Handles()


def allow_mutation_on_saved_tensors() -> Any:
    """Not supported: saved arrays are not copied when they are written to."""
    raise unsupported("autograd.graph.allow_mutation_on_saved_tensors")
