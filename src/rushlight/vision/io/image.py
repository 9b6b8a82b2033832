"""Picture files to and from uint8 tensors (channels, height, width), through Pillow."""

from __future__ import annotations

import io
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np

import rushlight
from rushlight.autograd.tensor import Tensor

from ..pillow import pillow
from ..transforms.functional import pil_to_tensor, to_pil_image


class ImageReadMode(Enum):
    """Which channels to read: those of the file, or grey, grey and alpha, RGB, RGB and alpha."""

    UNCHANGED = 0
    GRAY = 1
    GRAY_ALPHA = 2
    RGB = 3
    RGB_ALPHA = 4
    RGBA = 4


_PILLOW_MODES = {
    ImageReadMode.GRAY: "L",
    ImageReadMode.GRAY_ALPHA: "LA",
    ImageReadMode.RGB: "RGB",
    ImageReadMode.RGBA: "RGBA",
}


def _mode(mode: ImageReadMode | str) -> ImageReadMode:
    return ImageReadMode[mode.upper()] if isinstance(mode, str) else mode


def _decode(file: Any, mode: ImageReadMode | str, apply_exif_orientation: bool) -> Any:
    with pillow().open(file) as image:
        image.load()
    if apply_exif_orientation:
        image = pillow("ImageOps").exif_transpose(image)
    wanted = _PILLOW_MODES.get(_mode(mode))
    if wanted is None and image.mode in ("P", "1", "CMYK"):
        # A tensor has no palette, and no pixels of one bit.
        wanted = {"1": "L", "CMYK": "RGB"}.get(image.mode, "RGBA" if "transparency" in image.info else "RGB")
    return pil_to_tensor(image if wanted in (None, image.mode) else image.convert(wanted)).contiguous()


def read_image(
    path: str | Path, mode: ImageReadMode | str = ImageReadMode.UNCHANGED, apply_exif_orientation: bool = False
) -> Any:
    """Read a picture file (any that Pillow reads) into a uint8 tensor (channels, height, width)."""
    if not Path(path).is_file():
        raise RuntimeError(f"[Errno 2] No such file or directory: '{path}'")
    return _decode(path, mode, apply_exif_orientation)


def read_file(path: str | Path) -> Any:
    """Read a file's bytes into a uint8 tensor of one dimension."""
    return rushlight.from_numpy(np.frombuffer(Path(path).read_bytes(), np.uint8).copy())


def write_file(filename: str | Path, data: Tensor) -> None:
    """Write a uint8 tensor of one dimension as a file's bytes."""
    Path(filename).write_bytes(data.numpy().tobytes())


def decode_image(
    input: Tensor | str | Path,
    mode: ImageReadMode | str = ImageReadMode.UNCHANGED,
    apply_exif_orientation: bool = False,
) -> Any:
    """Return the picture in the bytes of a file, given as a uint8 tensor, or in the file at a path."""
    if not isinstance(input, Tensor):
        return read_image(input, mode, apply_exif_orientation)
    return _decode(io.BytesIO(input.numpy().tobytes()), mode, apply_exif_orientation)


decode_png = decode_image
decode_jpeg = decode_image


def _encode(input: Tensor, format: str, **options: Any) -> Any:
    if input.dtype != rushlight.uint8 or input.ndim != 3:
        raise RuntimeError(
            f"Input tensor dtype should be uint8 and its shape (channels, height, width), got {input.dtype}"
        )
    memory = io.BytesIO()
    to_pil_image(input).save(memory, format, **options)
    return rushlight.from_numpy(np.frombuffer(memory.getvalue(), np.uint8).copy())


def encode_png(input: Tensor, compression_level: int = 6) -> Any:
    """Return the bytes of a PNG file as a uint8 tensor."""
    return _encode(input, "PNG", compress_level=compression_level)


def encode_jpeg(input: Tensor, quality: int = 75) -> Any:
    """Return the bytes of a JPEG file as a uint8 tensor; `quality` is 1 to 100."""
    return _encode(input, "JPEG", quality=quality)


def write_png(input: Tensor, filename: str | Path, compression_level: int = 6) -> None:
    """Write a uint8 tensor as a PNG file."""
    write_file(filename, encode_png(input, compression_level))


def write_jpeg(input: Tensor, filename: str | Path, quality: int = 75) -> None:
    """Write a uint8 tensor as a JPEG file."""
    write_file(filename, encode_jpeg(input, quality))
