"""The transforms as plain functions of a picture: a Pillow image or a tensor (…, channels, height, width)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import rushlight
from rushlight.autograd.tensor import Tensor
from rushlight.dtypes import get_default_dtype

from ..pillow import is_pil_image, pillow
from . import on_pil, on_tensor
from .interpolation import InterpolationMode, as_mode, pillow_number

__all__ = [
    "InterpolationMode",
    "adjust_brightness",
    "adjust_contrast",
    "adjust_gamma",
    "adjust_hue",
    "adjust_saturation",
    "adjust_sharpness",
    "affine",
    "autocontrast",
    "center_crop",
    "convert_image_dtype",
    "crop",
    "equalize",
    "erase",
    "five_crop",
    "gaussian_blur",
    "get_dimensions",
    "get_image_num_channels",
    "get_image_size",
    "hflip",
    "invert",
    "normalize",
    "pad",
    "perspective",
    "pil_modes_mapping",
    "pil_to_tensor",
    "posterize",
    "resize",
    "resized_crop",
    "rgb_to_grayscale",
    "rotate",
    "solarize",
    "ten_crop",
    "to_grayscale",
    "to_pil_image",
    "to_tensor",
    "vflip",
]

Fill = float | Sequence[float] | None
NEAREST = InterpolationMode.NEAREST
BILINEAR = InterpolationMode.BILINEAR

pil_modes_mapping = {mode: pillow_number(mode) for mode in InterpolationMode}


def _backend(image: Any) -> Any:
    """Return the module that works on this kind of picture."""
    if isinstance(image, Tensor):
        return on_tensor
    if is_pil_image(image):
        return on_pil
    raise TypeError(f"img should be PIL Image. Got {type(image)}")


def get_dimensions(img: Any) -> list[int]:
    """Return [channels, height, width]."""
    if not (isinstance(img, Tensor) or is_pil_image(img)):
        raise TypeError(f"Unexpected type {type(img)}")
    sizes: list[int] = _backend(img).dimensions(img)
    return sizes


def get_image_size(img: Any) -> list[int]:
    """Return [width, height]."""
    _, height, width = get_dimensions(img)
    return [width, height]


def get_image_num_channels(img: Any) -> int:
    """Return the number of channels."""
    return get_dimensions(img)[0]


# --- between Pillow images, arrays and tensors ---


def to_tensor(pic: Any) -> Any:
    """Return a picture, a Pillow image or an array (height, width[, channels]), as a tensor (channels, height, width).

    Bytes become floats of 0 to 1; other dtypes keep their values.

    >>> import numpy as np
    >>> to_tensor(np.array([[0, 51, 255]], dtype=np.uint8))
    tensor([[[0.0000, 0.2000, 1.0000]]])
    """
    if isinstance(pic, np.ndarray):
        if pic.ndim not in (2, 3):
            raise ValueError(f"pic should be 2/3 dimensional. Got {pic.ndim} dimensions.")
        a = pic
    elif is_pil_image(pic):
        a = _pixels(pic)
    else:
        raise TypeError(f"pic should be PIL Image or ndarray. Got {type(pic)}")
    planes = a.reshape(*a.shape[:2], -1).transpose(2, 0, 1)
    if planes.dtype != np.uint8:
        # A copy: the tensor must not share memory that the picture may only lend.
        return rushlight.from_numpy(np.array(planes, order="C"))
    if get_default_dtype() == rushlight.float32:
        return rushlight.from_numpy(np.divide(planes, np.float32(255), order="C", dtype=np.float32))
    return rushlight.from_numpy(np.array(planes, order="C")).to(get_default_dtype()).div(255)


def _pixels(image: Any) -> np.ndarray[Any, Any]:
    """Return a Pillow image as an array of a dtype that tensors have."""
    if image.mode == "1":
        return np.asarray(image, dtype=np.uint8) * np.uint8(255)
    return np.asarray(image, dtype={"I": np.int32, "I;16": np.int16, "F": np.float32}.get(image.mode))


def pil_to_tensor(pic: Any) -> Any:
    """Return a Pillow image as a tensor (channels, height, width) of its own values, bytes as uint8."""
    if not is_pil_image(pic):
        raise TypeError(f"pic should be PIL Image. Got {type(pic)}")
    a = np.array(pic, copy=True)
    if a.dtype.byteorder == ">":
        a = a.astype(a.dtype.newbyteorder("="))
    planes = a.reshape(*a.shape[:2], -1).transpose(2, 0, 1)
    # A view, as torchvision's: its memory keeps the picture's order of channels last.
    return rushlight.from_numpy(planes)


_NATURAL_MODES = {
    (1, "uint8"): "L",
    (1, "int16"): "I;16",
    (1, "uint16"): "I;16",
    (1, "int32"): "I",
    (1, "float32"): "F",
    (2, "uint8"): "LA",
    (3, "uint8"): "RGB",
    (4, "uint8"): "RGBA",
}
_PERMITTED_MODES = {2: ["LA"], 3: ["RGB", "YCbCr", "HSV"], 4: ["RGBA", "CMYK", "RGBX"]}


def to_pil_image(pic: Any, mode: str | None = None) -> Any:
    """Return a tensor ([channels,] height, width) or array (height, width[, channels]) as a Pillow image.

    Floats are taken to lie between 0 and 1, unless `mode` is "F". `mode` defaults by channels and dtype.
    """
    if isinstance(pic, Tensor):
        if pic.ndim not in (2, 3):
            raise ValueError(f"pic should be 2/3 dimensional. Got {pic.ndim} dimensions.")
        channels = 1 if pic.ndim == 2 else pic.shape[0]
        if channels > 4:
            raise ValueError(f"pic should not have > 4 channels. Got {channels} channels.")
        if pic.is_floating_point() and mode != "F":
            pic = pic.mul(255).to(rushlight.uint8)
        a = pic.detach().numpy()
        a = a if a.ndim == 2 else a.transpose(1, 2, 0)
    elif isinstance(pic, np.ndarray):
        if pic.ndim not in (2, 3):
            raise ValueError(f"pic should be 2/3 dimensional. Got {pic.ndim} dimensions.")
        a = pic
        if np.issubdtype(a.dtype, np.floating) and mode != "F":
            a = (a * 255).astype(np.uint8)
    else:
        raise TypeError(f"pic should be Tensor or ndarray. Got {type(pic)}.")
    height, width = a.shape[:2]
    channels = 1 if a.ndim == 2 else a.shape[2]
    if channels > 4:
        raise ValueError(f"pic should not have > 4 channels. Got {channels} channels.")
    natural = _NATURAL_MODES.get((channels, a.dtype.name))
    if channels == 1 and natural and mode not in (None, natural):
        raise ValueError(f"Incorrect mode ({mode}) supplied for input type {a.dtype}. Should be {natural}")
    if channels > 1 and mode not in (None, *_PERMITTED_MODES[channels]):
        raise ValueError(f"Only modes {_PERMITTED_MODES[channels]} are supported for {channels}D inputs")
    if natural is None:
        raise TypeError(f"Input type {a.dtype} is not supported")
    return pillow().frombytes(mode or natural, (width, height), np.ascontiguousarray(a).tobytes())


def convert_image_dtype(image: Tensor, dtype: Any = None) -> Any:
    """Return the picture in another dtype (the default: float32), its values scaled from range to range."""
    if not isinstance(image, Tensor):
        raise TypeError("Input img should be Tensor Image")
    dtype = rushlight.float32 if dtype is None else dtype
    if image.dtype == dtype:
        return image
    white = on_tensor.max_value(dtype)
    if image.is_floating_point():
        if dtype.is_floating_point:
            return image.to(dtype)
        single = image.dtype == rushlight.float32 and dtype in (rushlight.int32, rushlight.int64)
        if single or (image.dtype == rushlight.float64 and dtype == rushlight.int64):
            raise RuntimeError(f"The cast from {image.dtype} to {dtype} cannot be performed safely.")
        # Each whole number gets an equal share of 0 to 1, and 1.0 itself must not overflow.
        return image.mul(white + 1.0 - 1e-3).to(dtype)
    source = on_tensor.max_value(image.dtype)
    if dtype.is_floating_point:
        return image.to(dtype) / source
    if source > white:
        return rushlight.div(image, (source + 1) // (white + 1), rounding_mode="floor").to(dtype)
    return image.to(dtype) * ((white + 1) // (source + 1))


def normalize(tensor: Tensor, mean: Sequence[float], std: Sequence[float], inplace: bool = False) -> Any:
    """Return `(tensor - mean) / std` for each channel of a tensor of floats (…, channels, height, width)."""
    if not isinstance(tensor, Tensor):
        raise TypeError(f"img should be Tensor Image. Got {type(tensor)}")
    if not tensor.is_floating_point():
        raise TypeError(f"Input tensor should be a float tensor. Got {tensor.dtype}.")
    if tensor.ndim < 3:
        raise ValueError(
            f"Expected tensor to be a tensor image of size (..., C, H, W). Got tensor.size() = {tensor.size()}"
        )
    center = rushlight.as_tensor(mean, dtype=tensor.dtype)
    scale = rushlight.as_tensor(std, dtype=tensor.dtype)
    if bool((scale == 0).any()):
        raise ValueError(f"std evaluated to zero after conversion to {tensor.dtype}, leading to division by zero.")
    center = center.view(-1, 1, 1) if center.ndim == 1 else center
    scale = scale.view(-1, 1, 1) if scale.ndim == 1 else scale
    return (tensor if inplace else tensor.clone()).sub_(center).div_(scale)


# --- geometry ---


def _output_size(size: int | Sequence[int], height: int, width: int, max_size: int | None) -> tuple[int, int]:
    """Return the height and width that `resize` makes of these."""
    if not isinstance(size, int) and len(size) == 2:
        return size[0], size[1]
    short, long = sorted((height, width))
    new_short = size if isinstance(size, int) else size[0]
    new_long = int(new_short * long / short)
    if max_size is not None:
        if max_size <= new_short:
            raise ValueError(
                f"max_size = {max_size} must be strictly greater than the requested "
                f"size for the smaller edge size = {[new_short]}"
            )
        if new_long > max_size:
            new_short, new_long = int(max_size * new_short / new_long), max_size
    return (new_short, new_long) if height <= width else (new_long, new_short)


def resize(
    img: Any,
    size: int | Sequence[int],
    interpolation: InterpolationMode | int = BILINEAR,
    max_size: int | None = None,
    antialias: bool | None = True,
) -> Any:
    """Return the picture at `size`: (height, width), or one number for its shorter edge, at most `max_size` long.

    `antialias` is for tensors: Pillow always filters, except for NEAREST.
    """
    mode = as_mode(interpolation)
    if not isinstance(size, int) and len(size) == 2 and max_size is not None:
        raise ValueError(
            "max_size should only be passed if size specifies the length of the smaller edge, "
            "i.e. size should be an int or a sequence of length 1 in torchscript mode."
        )
    _, height, width = get_dimensions(img)
    new_height, new_width = _output_size(size, height, width, max_size)
    if (new_height, new_width) == (height, width):
        return img
    return _backend(img).resize(img, new_height, new_width, mode, bool(antialias))


def pad(img: Any, padding: int | Sequence[int], fill: Fill = 0, padding_mode: str = "constant") -> Any:
    """Return the picture with a border: one width, (left and right, top and bottom), or (left, top, right, bottom).

    `padding_mode` is "constant" (with `fill`), "edge" (the last pixel), "reflect" or "symmetric" (mirrored without and
    with the last pixel).
    """
    if not isinstance(padding, (int, tuple, list)):
        raise TypeError("Got inappropriate padding arg")
    if padding_mode not in ("constant", "edge", "reflect", "symmetric"):
        raise ValueError("Padding mode should be either constant, edge, reflect or symmetric")
    sides = [padding] if isinstance(padding, int) else list(padding)
    if len(sides) not in (1, 2, 4):
        raise ValueError(f"Padding must be an int or a 1, 2, or 4 element tuple, not a {len(sides)} element tuple")
    left, top, right, bottom = (sides * 4)[:4]
    return _backend(img).pad(img, left, top, right, bottom, fill, padding_mode)


def crop(img: Any, top: int, left: int, height: int, width: int) -> Any:
    """Return a rectangle of the picture, black where it reaches outside."""
    return _backend(img).crop(img, top, left, height, width)


def center_crop(img: Any, output_size: int | Sequence[int]) -> Any:
    """Return the middle of the picture, with a black border where it is smaller than `output_size`."""
    wanted = [output_size] if isinstance(output_size, int) else list(output_size)
    new_height, new_width = (wanted * 2)[:2]
    _, height, width = get_dimensions(img)
    if new_width > width or new_height > height:
        wide, high = max(new_width - width, 0), max(new_height - height, 0)
        img = pad(img, [wide // 2, high // 2, (wide + 1) // 2, (high + 1) // 2])
        _, height, width = get_dimensions(img)
        if (height, width) == (new_height, new_width):
            return img
    return crop(img, round((height - new_height) / 2.0), round((width - new_width) / 2.0), new_height, new_width)


def resized_crop(
    img: Any,
    top: int,
    left: int,
    height: int,
    width: int,
    size: int | Sequence[int],
    interpolation: InterpolationMode | int = BILINEAR,
    antialias: bool | None = True,
) -> Any:
    """Return a rectangle of the picture, resized."""
    return resize(crop(img, top, left, height, width), size, interpolation, antialias=antialias)


def five_crop(img: Any, size: int | Sequence[int]) -> tuple[Any, Any, Any, Any, Any]:
    """Return the four corners (top left, top right, bottom left, bottom right) and the middle."""
    wanted = [size] if isinstance(size, int) else list(size)
    high, wide = (wanted * 2)[:2]
    _, height, width = get_dimensions(img)
    if wide > width or high > height:
        raise ValueError(f"Requested crop size {(high, wide)} is bigger than input size {(height, width)}")
    corners = [(0, 0), (0, width - wide), (height - high, 0), (height - high, width - wide)]
    a, b, c, d = (crop(img, top, left, high, wide) for top, left in corners)
    return a, b, c, d, center_crop(img, [high, wide])


def ten_crop(img: Any, size: int | Sequence[int], vertical_flip: bool = False) -> tuple[Any, ...]:
    """Return the five crops of the picture and of its mirror image."""
    return five_crop(img, size) + five_crop(vflip(img) if vertical_flip else hflip(img), size)


def hflip(img: Any) -> Any:
    """Return the picture with left and right swapped."""
    return _backend(img).hflip(img)


def vflip(img: Any) -> Any:
    """Return the picture with top and bottom swapped."""
    return _backend(img).vflip(img)


def inverse_affine_matrix(
    center: Sequence[float], angle: float, translate: Sequence[float], scale: float, shear: Sequence[float]
) -> list[float]:
    """Return the first two rows of (T C R S H C⁻¹)⁻¹: from a place in the new picture to that in the old one.

    T translates, C moves the origin to `center`, R turns by `angle` degrees, S scales, H shears along x then y.
    """
    turn, shear_x, shear_y = (math.radians(degrees) for degrees in (angle, shear[0], shear[1]))
    a = math.cos(turn - shear_y) / math.cos(shear_y)
    b = -math.cos(turn - shear_y) * math.tan(shear_x) / math.cos(shear_y) - math.sin(turn)
    c = math.sin(turn - shear_y) / math.cos(shear_y)
    d = -math.sin(turn - shear_y) * math.tan(shear_x) / math.cos(shear_y) + math.cos(turn)
    # The determinant of [[a, b], [c, d]] is one, so its inverse is its adjugate.
    inverse = [[d / scale, -b / scale], [-c / scale, a / scale]]
    shift = [-center[0] - translate[0], -center[1] - translate[1]]
    rows = []
    for (p, q), origin in zip(inverse, center, strict=True):
        rows += [p, q, p * shift[0] + q * shift[1] + origin]
    return rows


def rotate(
    img: Any,
    angle: float,
    interpolation: InterpolationMode | int = NEAREST,
    expand: bool = False,
    center: Sequence[float] | None = None,
    fill: Fill = None,
) -> Any:
    """Return the picture turned counter-clockwise by `angle` degrees about `center` (x, y; default the middle).

    With `expand` the result is as large as the turned picture needs; `fill` colours what was outside.
    """
    mode = as_mode(interpolation)
    if not isinstance(img, Tensor):
        return _backend(img).rotate(img, angle, mode, expand, center, fill)
    _, height, width = get_dimensions(img)
    origin = [0.0, 0.0] if center is None else [center[0] - width * 0.5, center[1] - height * 0.5]
    # Pillow's angles run against those of the matrix, whose y points down.
    matrix = inverse_affine_matrix(origin, -angle, [0.0, 0.0], 1.0, [0.0, 0.0])
    return on_tensor.rotate(img, matrix, mode, expand, fill)


def affine(
    img: Any,
    angle: float,
    translate: Sequence[float],
    scale: float,
    shear: float | Sequence[float],
    interpolation: InterpolationMode | int = NEAREST,
    fill: Fill = None,
    center: Sequence[float] | None = None,
) -> Any:
    """Return the picture turned clockwise, moved, scaled and sheared about `center`; its size stays."""
    mode = as_mode(interpolation)
    if scale <= 0.0:
        raise ValueError("Argument scale should be positive")
    slants = [float(shear), 0.0] if isinstance(shear, (int, float)) else [*shear, 0.0][:2]
    _, height, width = get_dimensions(img)
    if isinstance(img, Tensor):
        origin = [0.0, 0.0] if center is None else [center[0] - width * 0.5, center[1] - height * 0.5]
        return on_tensor.rotate(img, inverse_affine_matrix(origin, angle, translate, scale, slants), mode, False, fill)
    origin = [width * 0.5, height * 0.5] if center is None else list(center)
    return _backend(img).affine(img, inverse_affine_matrix(origin, angle, translate, scale, slants), mode, fill)


def perspective(
    img: Any,
    startpoints: Sequence[Sequence[int]],
    endpoints: Sequence[Sequence[int]],
    interpolation: InterpolationMode | int = BILINEAR,
    fill: Fill = None,
) -> Any:
    """Return the picture seen so that its four `startpoints` (x, y) come to lie at the `endpoints`."""
    rows = []
    for (x, y), (u, v) in zip(endpoints, startpoints, strict=True):
        rows.append([x, y, 1, 0, 0, 0, -u * x, -u * y])
        rows.append([0, 0, 0, x, y, 1, -v * x, -v * y])
    places = np.asarray(startpoints, dtype=np.float64).reshape(8)
    coefficients = np.linalg.lstsq(np.array(rows, dtype=np.float64), places, rcond=None)[0].astype(np.float32).tolist()
    return _backend(img).perspective(img, coefficients, as_mode(interpolation), fill)


# --- colour ---


def rgb_to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """Return the picture in grey: its luma (ITU-R BT.601), in one channel or three equal ones."""
    return _backend(img).rgb_to_grayscale(img, num_output_channels)


def to_grayscale(img: Any, num_output_channels: int = 1) -> Any:
    """Return a Pillow image in grey, in one channel or three equal ones."""
    if not is_pil_image(img):
        raise TypeError("Input should be PIL Image")
    return on_pil.rgb_to_grayscale(img, num_output_channels)


def adjust_brightness(img: Any, brightness_factor: float) -> Any:
    """Return the picture brighter (factor above 1) or darker; 0 gives black."""
    return _backend(img).adjust_brightness(img, brightness_factor)


def adjust_contrast(img: Any, contrast_factor: float) -> Any:
    """Return the picture with more contrast (factor above 1) or less; 0 gives its mean grey."""
    return _backend(img).adjust_contrast(img, contrast_factor)


def adjust_saturation(img: Any, saturation_factor: float) -> Any:
    """Return the picture with stronger colours (factor above 1) or weaker; 0 gives it in grey."""
    return _backend(img).adjust_saturation(img, saturation_factor)


def adjust_hue(img: Any, hue_factor: float) -> Any:
    """Return the picture with its colours turned on the hue circle, by -0.5 to 0.5 of a turn."""
    if not -0.5 <= hue_factor <= 0.5:
        raise ValueError(f"hue_factor ({hue_factor}) is not in [-0.5, 0.5].")
    if isinstance(img, Tensor):
        return on_tensor.adjust_hue(img, hue_factor, convert_image_dtype)
    return _backend(img).adjust_hue(img, hue_factor)


def adjust_gamma(img: Any, gamma: float, gain: float = 1) -> Any:
    """Return the picture with each value v of 0 to 1 replaced by `gain * v ** gamma`."""
    if gamma < 0:
        raise ValueError("Gamma should be a non-negative real number")
    if isinstance(img, Tensor):
        return on_tensor.adjust_gamma(img, gamma, gain, convert_image_dtype)
    return _backend(img).adjust_gamma(img, gamma, gain)


def adjust_sharpness(img: Any, sharpness_factor: float) -> Any:
    """Return the picture sharper (factor above 1) or blurred."""
    return _backend(img).adjust_sharpness(img, sharpness_factor)


def invert(img: Any) -> Any:
    """Return the negative."""
    return _backend(img).invert(img)


def posterize(img: Any, bits: int) -> Any:
    """Return the picture with only the highest `bits` bits of each byte."""
    if not 0 <= bits <= 8:
        raise ValueError(f"The number if bits should be between 0 and 8. Got {bits}")
    return _backend(img).posterize(img, bits)


def solarize(img: Any, threshold: float) -> Any:
    """Return the picture with the values from `threshold` on inverted."""
    return _backend(img).solarize(img, threshold)


def autocontrast(img: Any) -> Any:
    """Return the picture with each channel stretched to the whole range."""
    return _backend(img).autocontrast(img)


def equalize(img: Any) -> Any:
    """Return the picture with each channel's histogram made flat."""
    return _backend(img).equalize(img)


def gaussian_blur(img: Any, kernel_size: int | Sequence[int], sigma: float | Sequence[float] | None = None) -> Any:
    """Return the picture blurred by a normal density of `kernel_size` (x, y), odd numbers, and `sigma` (x, y)."""
    kernel = ([kernel_size] * 2) if isinstance(kernel_size, int) else (list(kernel_size) * 2)[:2]
    if any(size % 2 == 0 or size < 0 for size in kernel):
        raise ValueError(f"kernel_size should have odd and positive integers. Got {kernel}")
    if sigma is None:
        widths = [size * 0.15 + 0.35 for size in kernel]
    else:
        widths = [float(sigma)] * 2 if isinstance(sigma, (int, float)) else (list(sigma) * 2)[:2]
    if any(width <= 0.0 for width in widths):
        raise ValueError(f"sigma should have positive values. Got {widths}")
    if isinstance(img, Tensor):
        return on_tensor.gaussian_blur(img, kernel, widths)
    _backend(img)
    return to_pil_image(on_tensor.gaussian_blur(pil_to_tensor(img), kernel, widths), mode=img.mode)


def erase(img: Tensor, i: int, j: int, h: int, w: int, v: Any, inplace: bool = False) -> Tensor:
    """Return the tensor with the rectangle from row `i` and column `j`, `h` high and `w` wide, set to `v`."""
    if not isinstance(img, Tensor):
        raise TypeError(f"img should be Tensor Image. Got {type(img)}")
    out = img if inplace else img.clone()
    out[..., i : i + h, j : j + w] = v
    return out
