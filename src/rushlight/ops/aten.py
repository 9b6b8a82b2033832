"""`torch.ops.aten`: operators by their C++ names, each overload the same function.

Not PyTorch's dispatcher: what is here are the operators of the `torch` namespace and a few that exist only by this name.
"""

from __future__ import annotations

import importlib
from typing import Any

from ..autograd.tensor import wrap_dim
from .activation import softmax_of
from .linear import silent_zero
from .publishing import FUNCTIONS


class Overloads:
    """An operator; its overloads (`.default`, `.Tensor`) are the operator itself."""

    def __init__(self, name: str, function: Any) -> None:
        self.__name__, self.function = name, function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __repr__(self) -> str:
        return f"aten.{self.__name__}"


def slice_(self: Any, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Any:
    if step <= 0:
        raise RuntimeError("slice step must be positive")
    d = wrap_dim(dim, self.dim())
    return self[(slice(None),) * d + (slice(start, end, step),)]


def safe_softmax_(self: Any, dim: int, dtype: Any = None) -> Any:
    """`softmax`, zero where all elements of a row are minus infinity."""
    x = self if dtype is None else self.to(dtype)
    d = wrap_dim(dim, x.dim())
    empty = (x.detach() == float("-inf")).all(d, keepdim=True) if x.dim() else x.detach() == float("-inf")
    return softmax_of(x.masked_fill(empty, 0), dim, None).masked_fill(empty, 0)


def native_dropout_backward_(grad_output: Any, mask: Any, scale: float) -> Any:
    return grad_output * mask.to(grad_output.dtype) * scale


def softmax_backward_data_(grad_output: Any, output: Any, dim: int, input_dtype: Any) -> Any:
    inner = (grad_output * output).sum(dim, keepdim=True)
    return (output * (grad_output - inner)).to(input_dtype)


def log_softmax_backward_data_(grad_output: Any, output: Any, dim: int, input_dtype: Any) -> Any:
    return (grad_output - output.exp() * grad_output.sum(dim, keepdim=True)).to(input_dtype)


def max_pool2d_backward_(
    grad_output: Any,
    self: Any,
    kernel_size: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    ceil_mode: bool,
    indices: Any,
) -> Any:
    """The gradient put back where each maximum was."""
    lead = tuple(self.shape[:-2])
    flat = silent_zero(self, self.shape).reshape((*lead, self.shape[-2] * self.shape[-1]))
    found = flat.scatter_add(-1, indices.reshape((*lead, -1)), grad_output.reshape((*lead, -1)))
    return found.reshape(self.shape)


def upsample_bilinear2d_aa_(
    input: Any, output_size: Any, align_corners: bool, *scales: Any, scale_factors: Any = None,
    scales_h: Any = None, scales_w: Any = None,
) -> Any:  # fmt: skip
    """Bilinear resizing of (N, C, H, W), with a filter that widens when it shrinks."""
    from ..nn.functional.interpolation import by_matrix, filter_matrix

    if scales:
        scale_factors = scales[0] if isinstance(scales[0], (list, tuple)) else scales
    if scale_factors is not None:
        scales_h, scales_w = scale_factors
    if output_size is None:
        output_size = [int(n * s) for n, s in zip(input.shape[2:], (scales_h, scales_w), strict=True)]
    out = input
    for d, size, scale in ((3, output_size[1], scales_w), (2, output_size[0], scales_h)):
        matrix = filter_matrix(input.shape[d], size, scale, align_corners, "bilinear")
        out = by_matrix(out, d, matrix.astype(input._array.dtype))
    return out


_OWN: dict[str, Any] = {
    "slice": slice_,
    "_safe_softmax": safe_softmax_,
    "native_dropout_backward": native_dropout_backward_,
    "_softmax_backward_data": softmax_backward_data_,
    "_log_softmax_backward_data": log_softmax_backward_data_,
    "max_pool2d_with_indices_backward": max_pool2d_backward_,
    "_upsample_bilinear2d_aa": upsample_bilinear2d_aa_,
}


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    function = _OWN.get(name) or FUNCTIONS.get(name)
    for place, prefix in (("linalg", "linalg_"), ("fft", "fft_"), ("nn.functional", "")):
        if function is None and name.startswith(prefix):
            function = getattr(importlib.import_module(f"rushlight.{place}"), name.removeprefix(prefix), None)
    if function is None:
        raise AttributeError(f"'_OpNamespace' 'aten' object has no attribute '{name}'")
    return Overloads(name, function)
