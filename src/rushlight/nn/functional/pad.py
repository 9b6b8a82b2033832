"""Padding: with a constant, or with what is inside (reflected, replicated, wrapped around)."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ... import ops
from ...autograd.function import Function
from ...backend import placing
from ...errors import unsupported
from ...ops.shape import as_picture
from ...size import check_bytes


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
        raise RuntimeError(f'Padding mode "{mode}" doesn\'t take in value argument')
    if mode not in _INDICES:
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    n = len(pads) // 2
    if n not in (1, 2, 3) or input.dim() not in (n + 1, n + 2):
        raise NotImplementedError(
            f"Padding size {len(pads)} is not supported for {input.dim()}D input tensor.\n"
            "Supported combinations for non-constant padding:\n"
            "  - 2D or 3D input: padding size = 2 (pads last dimension)\n"
            "  - 3D or 4D input: padding size = 4 (pads last 2 dimensions)\n"
            "  - 4D or 5D input: padding size = 6 (pads last 3 dimensions)"
        )
    sizes = [input.size(-1 - i) for i in range(n)]
    for i, size in enumerate(sizes):
        _check(input, mode, i, size, pads[2 * i], pads[2 * i + 1])
    check_bytes([size + sum(pads[2 * i : 2 * i + 2]) for i, size in enumerate(sizes)], input.itemsize)
    last = mode != "circular" and input.dim() == n + 2 and n > 1 and placing.channels_last(input._array)
    for i, size in enumerate(sizes):
        if size + sum(pads[2 * i : 2 * i + 2]) >= 2**31:
            raise unsupported("padding that makes a dimension of 2**31 elements or more")
        where = _INDICES[mode](size, pads[2 * i], pads[2 * i + 1])
        if not np.array_equal(where, np.arange(size)):
            input = input.index_select(-1 - i, ops.tensor(np.asarray(where, np.int64)))
    return as_picture(input, last)


def _check(input: Any, mode: str, i: int, size: int, before: int, after: int) -> None:
    if mode == "circular":
        if before > size or after > size:
            raise RuntimeError("Padding value causes wrapping around more than once.")
        if before + after + size < 0:
            raise RuntimeError("Negative padding value is resulting in an empty dimension")
        return
    if 0 in input.shape[1:]:
        raise RuntimeError(
            "Expected 2D or 3D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for input, "
            f"but got: {list(input.shape)}"
        )
    if mode == "reflect" and (before >= size or after >= size):
        raise RuntimeError(
            f"Argument #{2 * i + 4}: Padding size should be less than the corresponding input dimension, but got: "
            f"padding ({before}, {after}) at dimension {input.dim() - 1 - i} of input {list(input.shape)}"
        )
    if size + before + after < 1:
        name = "WHD"[i]
        raise RuntimeError(f"input ({name}: {size}) is too small. Calculated output {name}: {size + before + after}")


def _reflected(n: int, before: int, after: int) -> list[int]:
    inside = (abs(k) for k in range(-before, n + after))
    return [k if k < n else 2 * (n - 1) - k for k in inside]


def _replicated(n: int, before: int, after: int) -> Any:
    return np.clip(np.arange(-before, n + after), 0, n - 1)


def _circular(n: int, before: int, after: int) -> list[int]:
    # What is cropped is not there to be wrapped around.
    kept = range(max(0, -before), n + min(0, after))
    before, after = max(0, before), max(0, after)
    return [kept[k % len(kept)] for k in range(-before, len(kept) + after)]


# For each mode the elements that make the padded dimension.
_INDICES = {"reflect": _reflected, "replicate": _replicated, "circular": _circular}


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
                raise RuntimeError("narrow(): length must be non-negative.")
            inner[dim] = slice(max(0, -before), size - max(0, -after))
            outer[dim] = slice(max(0, before), shape[dim] - max(0, after))
        out = x.new_full(shape, value)
        if math.prod(shape):
            out[tuple(outer)] = x[tuple(inner)]
        return (
            out
            if x._array.flags.c_contiguous
            else as_picture(out, x.dim() in (4, 5) and placing.channels_last(x._array))
        )

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        return constant(g, tuple(-n for n in ctx.pads), 0), None, None


def constant(x: Any, pads: tuple[int, ...], value: float) -> Any:
    """`pad` in constant mode, without the checks."""
    return ConstantPadNd.apply(x, pads, value) if any(pads) else x.clone()
