"""Padding: with a constant, or with what is inside (reflected, replicated, wrapped around)."""

from __future__ import annotations

import math
from typing import Any

from ... import dtypes, ops
from ...autograd.function import Function


def pad(input: Any, pad: Any, mode: str = "constant", value: float | None = None) -> Any:
    """Enlarge the last dimensions by `pad` = (left, right, top, bottom, …), last dimension first; negative crops.

    `mode` is "constant" (any dimensions), "reflect", "replicate" or "circular" (1 to 3 spatial ones).
    """
    pads = tuple(int(n) for n in pad)
    if len(pads) % 2:
        raise RuntimeError("Padding length must be divisible by 2")
    if len(pads) > 2 * input.dim():
        raise RuntimeError(
            "Padding length should be less than or equal to two times the input dimension but got padding length "
            f"{len(pads)} and input of dimension {input.dim()}"
        )
    if mode == "constant":
        return constant(input, pads, 0 if value is None else value)
    if value is not None and value != 0:
        raise ValueError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if mode not in _INDICES:
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    n = len(pads) // 2
    if n not in (1, 2, 3) or input.dim() not in (n + 1, n + 2):
        raise NotImplementedError("Only 2D, 3D, 4D, 5D padding with non-constant padding are supported for now")
    for i in range(n):
        before, after = pads[2 * i], pads[2 * i + 1]
        dim = input.dim() - 1 - i
        size = input.size(dim)
        _check_mode(input, mode, dim, size, before, after)
        if before or after:
            where = [_INDICES[mode](k, size) for k in range(-before, size + after)]
            input = input.index_select(dim, ops.tensor(where, dtype=dtypes.int64))
    return input


def _check_mode(input: Any, mode: str, dim: int, size: int, before: int, after: int) -> None:
    if mode == "reflect" and (before >= size or after >= size):
        raise RuntimeError(
            "Argument #4: Padding size should be less than the corresponding input dimension, but got: padding "
            f"({before}, {after}) at dimension {dim} of input {list(input.shape)}"
        )
    if mode == "circular":
        if before > size or after > size:
            raise RuntimeError("Padding value causes wrapping around more than once.")
        if before + after + size < 0:
            raise RuntimeError("Negative padding value is resulting in an empty dimension")
    if size + before + after < 1:
        raise RuntimeError(
            f"input (size: {size}) is too small. Calculated output size: {size + before + after} at dimension {dim}"
        )


def _reflect(k: int, n: int) -> int:
    k = abs(k)
    return k if k < n else 2 * (n - 1) - k


_INDICES: dict[str, Any] = {
    "reflect": _reflect,
    "replicate": lambda k, n: min(max(k, 0), n - 1),
    "circular": lambda k, n: k % n,
}


class ConstantPadNd(Function):
    """Padding with a constant; its gradient is the part of the cotangent that lies over the input."""

    @staticmethod
    def forward(ctx: Any, x: Any, pads: tuple[int, ...], value: float) -> Any:
        ctx.pads = pads
        shape, inner, outer = list(x.shape), [slice(None)] * x.dim(), [slice(None)] * x.dim()
        for i in range(len(pads) // 2):
            before, after = pads[2 * i], pads[2 * i + 1]
            dim = x.dim() - 1 - i
            size = shape[dim]
            shape[dim] = size + before + after
            if shape[dim] < 0:
                raise RuntimeError(
                    f"The input size {size}, plus negative padding {before} and {after} resulted in a negative output "
                    f"size, which is invalid. Check dimension {dim} of your input."
                )
            inner[dim] = slice(max(0, -before), size - max(0, -after))
            outer[dim] = slice(max(0, before), shape[dim] - max(0, after))
        out = x.new_full(shape, value)
        if math.prod(shape):
            out[tuple(outer)] = x[tuple(inner)]
        return out

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return constant(g, tuple(-n for n in ctx.pads), 0), None, None


def constant(x: Any, pads: tuple[int, ...], value: float) -> Any:
    """`pad` in constant mode, without the checks."""
    return ConstantPadNd.apply(x, pads, value) if any(pads) else x.clone()
