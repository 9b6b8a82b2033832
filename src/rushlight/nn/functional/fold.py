"""Sliding blocks: `unfold` lists them as columns, `fold` adds columns up again; and the pixel shuffles."""

from __future__ import annotations

from typing import Any

from ... import ops
from ...backend import placing
from ...ops.shape import as_picture
from .pad import constant


def pair(value: Any) -> tuple[int, int]:
    """`value` for both spatial dimensions."""
    if isinstance(value, (tuple, list)):
        return (int(value[0]), int(value[0])) if len(value) == 1 else (int(value[0]), int(value[1]))
    return int(value), int(value)


def _blocks(sizes: Any, kernel: Any, dilation: Any, stride: Any) -> tuple[Any, tuple[int, int]]:
    """Flat positions (in an H x W picture, padding included) of every element of every block, and the blocks a side."""
    offsets, counts = [], []
    for n, k, d, s in zip(sizes, kernel, dilation, stride, strict=True):
        counts.append((n - d * (k - 1) - 1) // s + 1)
        taps = ops.arange(k).unsqueeze(1) * d
        offsets.append(taps + ops.arange(max(counts[-1], 0)).unsqueeze(0) * s)
    rows, columns = offsets
    flat = rows[:, None, :, None] * sizes[1] + columns[None, :, None, :]
    return flat.reshape(-1), (counts[0], counts[1])


def _check(kernel: Any, dilation: Any, padding: Any, stride: Any) -> None:
    for name, value, least in (("kernel size", kernel, 1), ("stride", stride, 1), ("dilation", dilation, 1)):
        if min(value) < least:
            raise RuntimeError(
                f"{name} should be greater than zero, but got {name.replace(' ', '_')}_height: {value[0]} "
                f"{name.replace(' ', '_')}_width: {value[1]}"
            )
    if min(padding) < 0:
        raise RuntimeError(f"padding should be non-negative, but got pad_height: {padding[0]} pad_width: {padding[1]}")


def unfold(input: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """The sliding blocks of (N, C, H, W) as columns, (N, C * kH * kW, L)."""
    kernel, dilation, padding, stride = pair(kernel_size), pair(dilation), pair(padding), pair(stride)
    _check(kernel, dilation, padding, stride)
    if input.dim() not in (3, 4) or 0 in input.shape[-3:]:
        raise RuntimeError(
            "Expected 3D or 4D (batch mode) tensor with possibly 0 batch size and other non-zero dimensions for "
            f"input, but got: {list(input.shape)}"
        )
    batched = input if input.dim() == 4 else input.unsqueeze(0)
    height, width = batched.size(2) + 2 * padding[0], batched.size(3) + 2 * padding[1]
    where, counts = _blocks((height, width), kernel, dilation, stride)
    if min(counts) < 1:
        raise RuntimeError(
            f"Given input with spatial size ({batched.size(2)}, {batched.size(3)}), kernel_size={_list(kernel)}, "
            f"dilation={_list(dilation)}, padding={_list(padding)}, stride={_list(stride)}, calculated shape of the "
            f"array of sliding blocks as {_list(counts)}, but its components must be at least one."
        )
    if any(padding):
        batched = constant(batched, (padding[1], padding[1], padding[0], padding[0]), 0)
    n, c = batched.size(0), batched.size(1)
    columns = batched.reshape(n, c, height * width).index_select(2, where)
    columns = columns.reshape(n, c * kernel[0] * kernel[1], counts[0] * counts[1])
    return columns if input.dim() == 4 else columns.squeeze(0)


def _list(values: Any) -> str:
    return f"({', '.join(str(v) for v in values)})"


def fold(input: Any, output_size: Any, kernel_size: Any, dilation: Any = 1, padding: Any = 0, stride: Any = 1) -> Any:
    """Add up columns (N, C * kH * kW, L) where their blocks lie in a picture (N, C, H, W): `unfold` transposed."""
    output, kernel, dilation = pair(output_size), pair(kernel_size), pair(dilation)
    padding, stride = pair(padding), pair(stride)
    _check(kernel, dilation, padding, stride)
    if input.dim() not in (2, 3) or 0 in input.shape[-2:]:
        raise RuntimeError(
            "Expected 2D or 3D (batch mode) tensor for input with possibly 0 batch size and non-zero dimensions for "
            f"input, but got: {list(input.shape)}"
        )
    batched = input if input.dim() == 3 else input.unsqueeze(0)
    area = kernel[0] * kernel[1]
    if batched.size(1) % area:
        raise RuntimeError(
            "Expected size of input's dimension 1 to be divisible by the product of kernel_size, but got "
            f"input.size(1)={batched.size(1)} and kernel_size={_list(kernel)}."
        )
    height, width = output[0] + 2 * padding[0], output[1] + 2 * padding[1]
    where, counts = _blocks((height, width), kernel, dilation, stride)
    if batched.size(2) != counts[0] * counts[1] or min(counts) < 1:
        raise RuntimeError(
            f"Given output_size={_list(output)}, kernel_size={_list(kernel)}, dilation={_list(dilation)}, "
            f"padding={_list(padding)}, stride={_list(stride)}, expected size of input's dimension 2 to match the "
            f"calculated number of sliding blocks {counts[0]} * {counts[1]} = {counts[0] * counts[1]}, but got "
            f"input.size(2)={batched.size(2)}."
        )
    n, c = batched.size(0), batched.size(1) // area
    picture = batched.new_zeros((n, c, height * width)).index_add(2, where, batched.reshape(n, c, -1))
    picture = picture.reshape(n, c, height, width)
    if any(padding):
        picture = picture[:, :, padding[0] : height - padding[0], padding[1] : width - padding[1]]
    return picture if input.dim() == 3 else picture.squeeze(0)


def _like_picture(y: Any, x: Any) -> Any:
    return as_picture(y, x.dim() in (4, 5) and placing.channels_last(x._array))


def pixel_shuffle(input: Any, upscale_factor: int) -> Any:
    """Move channels into space: (*, C * r * r, H, W) to (*, C, H * r, W * r)."""
    if input.dim() < 3:
        raise RuntimeError(
            f"pixel_shuffle expects input to have at least 3 dimensions, but got input with {input.dim()} dimension(s)"
        )
    if upscale_factor <= 0:
        raise RuntimeError(f"pixel_shuffle expects a positive upscale_factor, but got {upscale_factor}")
    r = upscale_factor
    *outer, c, h, w = input.shape
    if c % (r * r):
        raise RuntimeError(
            "pixel_shuffle expects its input's 'channel' dimension to be divisible by the square of upscale_factor, "
            f"but input.size(-3)={c} is not divisible by {r * r}"
        )
    n = len(outer)
    x = input.reshape(*outer, c // (r * r), r, r, h, w)
    x = x.permute(*range(n), n, n + 3, n + 1, n + 4, n + 2)
    return _like_picture(x.reshape(*outer, c // (r * r), h * r, w * r), input)


def pixel_unshuffle(input: Any, downscale_factor: int) -> Any:
    """Move space into channels: (*, C, H * r, W * r) to (*, C * r * r, H, W)."""
    if input.dim() < 3:
        raise RuntimeError(
            "pixel_unshuffle expects input to have at least 3 dimensions, but got input with "
            f"{input.dim()} dimension(s)"
        )
    if downscale_factor <= 0:
        raise RuntimeError(f"pixel_unshuffle expects a positive downscale_factor, but got {downscale_factor}")
    r = downscale_factor
    *outer, c, h, w = input.shape
    for name, size, index in (("height", h, -2), ("width", w, -1)):
        if size % r:
            raise RuntimeError(
                f"pixel_unshuffle expects {name} to be divisible by downscale_factor, but input.size({index})={size} "
                f"is not divisible by {r}"
            )
    n = len(outer)
    x = input.reshape(*outer, c, h // r, r, w // r, r)
    x = x.permute(*range(n), n, n + 2, n + 4, n + 1, n + 3)
    return _like_picture(x.reshape(*outer, c * r * r, h // r, w // r), input)


def channel_shuffle(input: Any, groups: int) -> Any:
    """Interleave the channels (dimension 1) of `groups` groups."""
    if input.dim() < 3:
        raise RuntimeError(f"channel_shuffle expects input with > 2 dims, but got input with sizes {list(input.shape)}")
    if groups <= 0:
        raise RuntimeError(f"Number of groups to divide channels in must be positive. Value of groups:{groups}")
    n, c, *space = input.shape
    if c % groups:
        raise RuntimeError(f"Number of channels must be divisible by groups. Got {c} channels and {groups} groups.")
    return _like_picture(input.reshape(n, groups, c // groups, *space).transpose(1, 2).reshape(input.shape), input)


native_channel_shuffle = channel_shuffle
