"""`torch.autograd`: the graph and the ways to differentiate through it."""

from __future__ import annotations

from typing import Any

from ..settings import warn
from . import modes
from .anomaly import detect_anomaly, set_detect_anomaly
from .api import backward, grad
from .function import Function, FunctionCtx, once_differentiable
from .modes import enable_grad, inference_mode, no_grad, set_grad_enabled
from .node import Node
from .tensor import Tensor


class _VariableMeta(type):
    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor)

    def __call__(cls, data: Any, requires_grad: bool = False, volatile: Any = None) -> Any:
        if volatile is not None:
            warn("volatile was removed and now has no effect. Use `with torch.no_grad():` instead.")
        return data.requires_grad_() if requires_grad else data


class Variable(metaclass=_VariableMeta):
    """The old name of a tensor that can require gradients: `Variable(x)` is `x`."""


__all__ = [
    "Function", "FunctionCtx", "Node", "Variable", "backward", "detect_anomaly", "enable_grad", "forward_ad", "function",
    "functional", "grad", "grad_mode", "gradcheck", "gradgradcheck", "graph", "inference_mode", "no_grad",
    "once_differentiable", "set_detect_anomaly", "set_grad_enabled",
]  # fmt: skip

grad_mode = modes


def __getattr__(name: str) -> Any:
    import importlib

    if name in ("functional", "graph"):
        return importlib.import_module(f".{name}", __name__)
    if name in ("gradcheck", "gradgradcheck", "GradcheckError"):
        return getattr(importlib.import_module(".checking", __name__), name)
    raise AttributeError(f"module 'rushlight.autograd' has no attribute '{name}'")
