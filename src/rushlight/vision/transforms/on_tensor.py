"""The transforms on tensors (…, channels, height, width); `functional` checks the arguments and calls these.

Resizing and blurring are linear in rows and in columns, so each is two matrix products; padding and rotating pick
pixels by index. All of it is made of differentiable operators.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

import rushlight
from rushlight.autograd.tensor import Tensor

from .interpolation import InterpolationMode

Fill = float | Sequence[float] | None
Array = np.ndarray[Any, Any]


def dimensions(image: Tensor) -> list[int]:
    """Return channels, height, width."""
    check(image)
    channels = 1 if image.ndim == 2 else image.shape[-3]
    return [channels, image.shape[-2], image.shape[-1]]


def check(image: Tensor) -> None:
    """Raise `TypeError` unless the tensor can be a picture."""
    if image.ndim < 2:
        raise TypeError("Tensor is not a torch image.")


def max_value(dtype: Any) -> int:
    """Return the value that means white."""
    whole = {
        rushlight.uint8: 255,
        rushlight.int8: 127,
        rushlight.int16: 32767,
        rushlight.uint16: 65535,
        rushlight.int32: 2147483647,
        rushlight.int64: 9223372036854775807,
    }
    return whole.get(dtype, 1)


def crop(image: Tensor, top: int, left: int, height: int, width: int) -> Any:
    check(image)
    rows, columns = image.shape[-2:]
    right, bottom = left + width, top + height
    inside = image[..., max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    before, above = max(min(right, 0) - left, 0), max(min(bottom, 0) - top, 0)
    after, below = max(right - max(columns, left), 0), max(bottom - max(rows, top), 0)
    return pad(inside, before, above, after, below, 0, "constant") if before + above + after + below else inside


def hflip(image: Tensor) -> Any:
    check(image)
    return image.flip(-1)


def vflip(image: Tensor) -> Any:
    check(image)
    return image.flip(-2)


def pad(image: Tensor, left: int, top: int, right: int, bottom: int, fill: Fill, mode: str) -> Any:
    check(image)
    if min(left, top, right, bottom) < 0:
        rows, columns = image.shape[-2:]
        image = image[..., -min(top, 0) : rows + min(bottom, 0), -min(left, 0) : columns + min(right, 0)]
        left, top, right, bottom = (max(side, 0) for side in (left, top, right, bottom))
    rows, columns = image.shape[-2:]
    if mode == "constant":
        value = fill[0] if isinstance(fill, Sequence) else fill
        out = image.new_full((*image.shape[:-2], top + rows + bottom, left + columns + right), value or 0)
        out[..., top : top + rows, left : left + columns] = image
        return out
    y = np.pad(np.arange(rows), (top, bottom), mode)  # type: ignore[call-overload]
    x = np.pad(np.arange(columns), (left, right), mode)  # type: ignore[call-overload]
    return pick(image, y[:, None], x[None, :])


def pick(image: Tensor, y: Array, x: Array) -> Any:
    """Return the pixels at these rows and columns."""
    return image[..., rushlight.from_numpy(y), rushlight.from_numpy(x)]


def resize(image: Tensor, height: int, width: int, mode: InterpolationMode, antialias: bool) -> Any:
    check(image)
    rows, columns = image.shape[-2:]
    if mode in (InterpolationMode.NEAREST, InterpolationMode.NEAREST_EXACT):
        shift = 0.0 if mode is InterpolationMode.NEAREST else 0.5
        return pick(image, nearest(rows, height, shift)[:, None], nearest(columns, width, shift)[None, :])
    if mode not in (InterpolationMode.BILINEAR, InterpolationMode.BICUBIC):
        raise NotImplementedError(f"resize of a tensor with interpolation {mode.value!r}: use a Pillow image")
    cubic = mode is InterpolationMode.BICUBIC
    return linear(image, weights(rows, height, cubic, antialias), weights(columns, width, cubic, antialias))


def linear(image: Tensor, over_rows: Array, over_columns: Array) -> Any:
    """Return `over_rows @ image @ over_columns.T`, in floats; whole numbers are rounded, and put back.

    A value just between two of them may come to the other one than in PyTorch, whose sums run in another order.
    """
    dtype = image.dtype if image.is_floating_point() else rushlight.float32
    left, right = (rushlight.from_numpy(a).to(dtype) for a in (over_rows, over_columns))
    out = left @ (image.to(dtype) @ right.T)
    if dtype != image.dtype:
        out = out.round().clamp(0, max_value(image.dtype)).to(image.dtype)
    return out


def nearest(size: int, new: int, shift: float) -> Array:
    """Return the index of the pixel nearest to each new one, in float32 as PyTorch's `interpolate`."""
    scale = np.float32(size / new)
    found = np.floor((np.arange(new, dtype=np.float32) + np.float32(shift)) * scale)
    chosen: Array = np.minimum(found.astype(np.int64), size - 1)
    return chosen


def weights(size: int, new: int, cubic: bool, antialias: bool) -> Array:
    """Return the matrix (new, size) that resamples a line of pixels, linearly or by cubic convolution.

    With `antialias` the filter widens as the picture shrinks, as Pillow's does. R. Keys, "Cubic convolution
    interpolation for digital image processing", 1981; a is -0.5 with the wide filter and -0.75 without, as in PyTorch.
    """
    scale = size / new
    center = (np.arange(new) + 0.5) * scale
    if antialias:
        stretch = max(scale, 1.0)
        distance = np.abs(np.arange(size) + 0.5 - center[:, None]) / stretch
        matrix = keys(distance, -0.5) if cubic else np.maximum(1 - distance, 0)
        normed: Array = matrix / matrix.sum(axis=1, keepdims=True)
        return normed
    # In float32, as PyTorch's `interpolate`: the weights decide which way halves of bytes round.
    place = (np.arange(new, dtype=np.float32) + np.float32(0.5)) * np.float32(scale) - np.float32(0.5)
    if not cubic:
        place = np.maximum(place, 0)
    first = np.floor(place)
    matrix = np.zeros((new, size))
    for step in (-1, 0, 1, 2) if cubic else (0, 1):
        distance = np.abs(place - first - step)
        value = keys(distance, -0.75) if cubic else 1 - distance
        np.add.at(matrix, (np.arange(new), np.clip(first + step, 0, size - 1).astype(int)), value)
    return matrix


def keys(distance: Array, a: float) -> Array:
    """Return Keys's cubic kernel."""
    near = ((a + 2) * distance - (a + 3)) * distance**2 + 1
    far = ((distance - 5) * distance + 8) * distance * a - 4 * a
    return np.where(distance <= 1, near, np.where(distance < 2, far, 0.0))


def gaussian_blur(image: Tensor, kernel: Sequence[int], sigma: Sequence[float]) -> Any:
    """Blur; `kernel` and `sigma` are (x, y). Edges are mirrored."""
    check(image)
    rows, columns = image.shape[-2:]
    return linear(image, bell(rows, kernel[1], sigma[1]), bell(columns, kernel[0], sigma[0]))


def bell(size: int, kernel: int, sigma: float) -> Array:
    """Return the matrix (size, size) that averages each pixel with its neighbours, weighted by a normal density."""
    half = (kernel - 1) // 2
    density = np.exp(-0.5 * (np.arange(-half, half + 1) / sigma) ** 2)
    mirrored = np.pad(np.arange(size), half, "reflect")
    matrix = np.zeros((size, size))
    for step, value in enumerate(density / density.sum()):
        np.add.at(matrix, (np.arange(size), mirrored[step : step + size]), value)
    return matrix


def rotate(image: Tensor, matrix: Sequence[float], mode: InterpolationMode, expand: bool, fill: Fill) -> Any:
    """Sample by the inverse matrix (a, b, c, d, e, f), whose origin is the picture's middle."""
    check(image)
    rows, columns = image.shape[-2:]
    height, width = turned_size(matrix, rows, columns) if expand else (rows, columns)
    y, x = np.meshgrid(middles(height) - height / 2, middles(width) - width / 2, indexing="ij", copy=False)
    across, down = mapped(x, y, matrix, rows, columns)
    return sample(image, down, across, mode, fill)


def perspective(image: Tensor, coefficients: Sequence[float], mode: InterpolationMode, fill: Fill) -> Any:
    """Sample by the eight coefficients of a projective map of the plane, whose origin is the top left corner."""
    check(image)
    rows, columns = image.shape[-2:]
    y, x = np.meshgrid(middles(rows), middles(columns), indexing="ij", copy=False)
    across, down = mapped(x, y, coefficients[:6], rows, columns)
    depth = np.float32(coefficients[6]) * x + np.float32(coefficients[7]) * y + 1
    return sample(image, down / depth - 1, across / depth - 1, mode, fill)


def middles(size: int) -> Array:
    """Return where the middles of the pixels lie, in float32: ties between pixels then break as PyTorch's."""
    return np.arange(size, dtype=np.float32) + np.float32(0.5)


def mapped(x: Array, y: Array, matrix: Sequence[float], rows: int, columns: int) -> tuple[Array, Array]:
    """Return the affine map of these places, in units of half the picture's width and height."""
    half = np.array([[columns / 2], [rows / 2]], np.float32)
    (a, b, c), (d, e, f) = np.array(matrix, np.float32).reshape(2, 3) / half
    return a * x + b * y + c, d * x + e * y + f


def turned_size(matrix: Sequence[float], rows: int, columns: int) -> tuple[int, int]:
    """Return the height and width that hold the whole turned picture."""
    a, b, c, d, e, f = (np.float32(value) for value in matrix)
    x = np.array([-columns / 2, -columns / 2, columns / 2, columns / 2], np.float32)
    y = np.array([-rows / 2, rows / 2, rows / 2, -rows / 2], np.float32)
    sizes = []
    for turned, size in ((d * x + e * y + f, rows), (a * x + b * y + c, columns)):
        ends = np.array([turned.min(), turned.max()]) + np.float32(size / 2)
        # Whole pixels, forgiving the rounding of sines and cosines.
        low, high = np.trunc(ends / np.float32(1e-4)) * np.float32(1e-4)
        sizes.append(int(np.ceil(high) - np.floor(low)))
    return sizes[0], sizes[1]


def sample(image: Tensor, y: Array, x: Array, mode: InterpolationMode, fill: Fill) -> Any:
    """Return the image at these places, -1 to 1 from edge to edge; places outside take `fill`."""
    rows, columns = image.shape[-2:]
    y, x = ((y + 1) * rows - 1) / 2, ((x + 1) * columns - 1) / 2
    if mode is InterpolationMode.NEAREST:
        steps = [(np.rint(y), np.rint(x), np.ones_like(x))]
    elif mode is InterpolationMode.BILINEAR:
        top, left = np.floor(y), np.floor(x)
        down, right = y - top, x - left
        steps = [
            (top, left, (1 - down) * (1 - right)),
            (top, left + 1, (1 - down) * right),
            (top + 1, left, down * (1 - right)),
            (top + 1, left + 1, down * right),
        ]
    else:
        raise NotImplementedError(f"rotation of a tensor with interpolation {mode.value!r}: use a Pillow image")
    dtype = image.dtype if image.is_floating_point() else rushlight.float32
    source = image.to(dtype)
    out: Any = 0
    covered = np.zeros_like(x)
    for sy, sx, weight in steps:
        inside = (sy >= 0) & (sy < rows) & (sx >= 0) & (sx < columns)
        share = np.where(inside, weight, 0.0)
        pixels = pick(source, np.clip(sy, 0, rows - 1).astype(int), np.clip(sx, 0, columns - 1).astype(int))
        out = out + pixels * rushlight.from_numpy(share).to(dtype)
        covered += share
    if fill is not None:
        levels = rushlight.tensor(fill if isinstance(fill, Sequence) else [fill], dtype=dtype).reshape(-1, 1, 1)
        mask = rushlight.from_numpy(covered).to(dtype)
        # At a half-covered edge the picture is dimmed twice, as torchvision does.
        out = out * mask + levels * (1 - mask)
    return out if dtype == image.dtype else out.round().to(image.dtype)


def rgb_to_grayscale(image: Tensor, channels: int) -> Tensor:
    if image.ndim < 3:
        raise TypeError(f"Input image tensor should have at least 3 dimensions, but found {image.ndim}")
    needs_channels(image, (1, 3))
    if channels not in (1, 3):
        raise ValueError("num_output_channels should be either 1 or 3")
    grey = image
    if image.shape[-3] == 3:
        red, green, blue = image.unbind(dim=-3)
        # ITU-R BT.601's luma
        grey = (0.2989 * red + 0.587 * green + 0.114 * blue).to(image.dtype).unsqueeze(dim=-3)
    return grey.expand((*image.shape[:-3], 3, *image.shape[-2:])) if channels == 3 else grey


def needs_channels(image: Tensor, permitted: Sequence[int]) -> None:
    check(image)
    channels = dimensions(image)[0]
    if channels not in permitted:
        raise TypeError(f"Input image tensor permitted channel values are {list(permitted)}, but found {channels}")


def not_negative(factor: float, name: str) -> None:
    if factor < 0:
        raise ValueError(f"{name} ({factor}) is not non-negative.")


def blend(image: Tensor, other: Any, share: float) -> Any:
    """Return `share` of the image and the rest of the other, within the range of the dtype."""
    mixed: Tensor = share * image + (1.0 - share) * other
    return mixed.clamp(0, max_value(image.dtype)).to(image.dtype)


def adjust_brightness(image: Tensor, factor: float) -> Any:
    not_negative(factor, "brightness_factor")
    needs_channels(image, (1, 3))
    return blend(image, rushlight.zeros_like(image), factor)


def adjust_contrast(image: Tensor, factor: float) -> Any:
    not_negative(factor, "contrast_factor")
    needs_channels(image, (1, 3))
    dtype = image.dtype if image.is_floating_point() else rushlight.float32
    grey = rgb_to_grayscale(image, 1) if image.shape[-3] == 3 else image
    return blend(image, grey.to(dtype).mean(dim=(-3, -2, -1), keepdim=True), factor)


def adjust_saturation(image: Tensor, factor: float) -> Tensor:
    not_negative(factor, "saturation_factor")
    needs_channels(image, (1, 3))
    return image if image.shape[-3] == 1 else blend(image, rgb_to_grayscale(image, 1), factor)


def adjust_gamma(image: Tensor, gamma: float, gain: float, convert: Callable[[Tensor, Any], Tensor]) -> Tensor:
    needs_channels(image, (1, 3))
    dtype = image.dtype if image.is_floating_point() else rushlight.float32
    return convert((gain * convert(image, dtype) ** gamma).clamp(0, 1), image.dtype)


def adjust_hue(image: Tensor, factor: float, convert: Callable[[Tensor, Any], Tensor]) -> Tensor:
    """Turn the colours by a share of the hue circle, through hue, chroma and value."""
    needs_channels(image, (1, 3))
    if image.shape[-3] == 1:
        return image
    x = convert(image, rushlight.float32)
    red, green, blue = x.unbind(dim=-3)
    value = x.amax(dim=-3)
    chroma = value - x.amin(dim=-3)
    one = rushlight.ones_like(value)
    # A. R. Smith, "Color gamut transform pairs", 1978, in the steps of Python's colorsys.
    saturation = chroma / rushlight.where(chroma == 0, one, value)
    off_red, off_green, off_blue = ((value - y) / rushlight.where(chroma == 0, one, chroma) for y in (red, green, blue))
    near_red, near_green, near_blue = off_blue - off_green, 2.0 + off_red - off_blue, 4.0 + off_green - off_red
    sixths = rushlight.where(value == red, near_red, rushlight.where(value == green, near_green, near_blue))
    turned = (rushlight.fmod(sixths / 6.0 + 1.0, 1.0) + factor) % 1.0
    sector = rushlight.floor(turned * 6.0)
    rest = turned * 6.0 - sector
    least = (value * (1.0 - saturation)).clamp(0.0, 1.0)
    falling = (value * (1.0 - saturation * rest)).clamp(0.0, 1.0)
    rising = (value * (1.0 - saturation * (1.0 - rest))).clamp(0.0, 1.0)
    sides = [value, falling, least, least, rising, value]
    planes = []
    for shift in (0, 4, 2):
        plane = rushlight.zeros_like(value)
        for number in range(6):
            plane = rushlight.where(sector % 6 == number, sides[(number + shift) % 6], plane)
        planes.append(plane)
    return convert(rushlight.stack(planes, dim=-3), image.dtype)


def adjust_sharpness(image: Tensor, factor: float) -> Any:
    """Blend with a picture whose inner pixels are blurred by 3x3 weights: 5 in the middle, 1 around."""
    not_negative(factor, "sharpness_factor")
    needs_channels(image, (1, 3))
    rows, columns = image.shape[-2:]
    if rows <= 2 or columns <= 2:
        return image
    dtype = image.dtype if image.is_floating_point() else rushlight.float32
    x = image.to(dtype)
    center = x[..., 1:-1, 1:-1]
    total = sum((x[..., i : rows - 2 + i, j : columns - 2 + j] for i in range(3) for j in range(3)), start=4 * center)
    inner = total / 13
    blurred = x.clone()
    blurred[..., 1:-1, 1:-1] = inner if dtype == image.dtype else inner.round()
    return blend(image, blurred, factor)


def autocontrast(image: Tensor) -> Any:
    needs_channels(image, (1, 3))
    white = max_value(image.dtype)
    x = image if image.is_floating_point() else image.to(rushlight.float32)
    low, high = x.amin(dim=(-2, -1), keepdim=True), x.amax(dim=(-2, -1), keepdim=True)
    flat = high == low
    scale = white / rushlight.where(flat, rushlight.full_like(high, white), high - low)
    low = rushlight.where(flat, rushlight.zeros_like(low), low)
    return ((x - low) * scale).clamp(0, white).to(image.dtype)


def equalize(image: Tensor) -> Any:
    needs_channels(image, (1, 3))
    if image.dtype != rushlight.uint8:
        raise TypeError(f"Only torch.uint8 image tensors are supported, but found {image.dtype}")
    a = image.numpy()
    planes = a.reshape(-1, *a.shape[-2:])
    return rushlight.from_numpy(np.stack([equalized(plane) for plane in planes]).reshape(a.shape))


def equalized(plane: Array) -> Array:
    """Return one channel of bytes with its histogram made flat, but for its highest level: Pillow's rule."""
    counts = np.bincount(plane.ravel(), minlength=256)
    step = counts[counts > 0][:-1].sum() // 255
    if step == 0:
        return plane
    table = np.concatenate([[0], (np.cumsum(counts)[:-1] + step // 2) // step]).clip(0, 255).astype(np.uint8)
    flat: Array = table[plane]
    return flat


def invert(image: Tensor) -> Any:
    needs_channels(image, (1, 3))
    return max_value(image.dtype) - image


def posterize(image: Tensor, bits: int) -> Any:
    needs_channels(image, (1, 3))
    if image.dtype != rushlight.uint8:
        raise TypeError(f"Only torch.uint8 image tensors are supported, but found {image.dtype}")
    return image & (255 & ~(2 ** (8 - bits) - 1))


def solarize(image: Tensor, threshold: float) -> Any:
    needs_channels(image, (1, 3))
    if threshold > max_value(image.dtype):
        raise TypeError("Threshold should be less than bound of img.")
    return rushlight.where(image >= threshold, invert(image), image)
