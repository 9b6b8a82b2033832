"""Contact sheets, and picture files to and from tensors."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rushlight
from rushlight.vision import io as files
from rushlight.vision import utils

Image = pytest.importorskip("PIL.Image")

A = np.random.default_rng(0).integers(0, 256, (3, 6, 5)).astype(np.uint8)


def test_grid() -> None:
    a = np.random.default_rng(0).random((5, 1, 4, 3)).astype(np.float32)
    got = utils.make_grid(rushlight.from_numpy(a), nrow=3, padding=1, pad_value=0.5).numpy()
    want = np.full((3, 11, 13), 0.5, np.float32)
    for i in range(5):
        top, left = 1 + 5 * (i // 3), 1 + 4 * (i % 3)
        want[:, top : top + 4, left : left + 3] = a[i]
    np.testing.assert_array_equal(got, want)


def test_grid_normalises_together_or_each() -> None:
    x = rushlight.stack([rushlight.full((3, 2, 2), 1.0), rushlight.arange(12.0).reshape(3, 2, 2)])
    together = utils.make_grid(x, padding=0, normalize=True)
    np.testing.assert_allclose(together[:, :, :2].numpy(), 1 / 11, rtol=1e-6)
    each = utils.make_grid(x, padding=0, normalize=True, scale_each=True, value_range=None)
    assert float(each[:, :, :2].abs().max()) == 0
    assert float(each.max()) == 1
    assert x[0].max() == 1


def test_grid_takes_lists_and_single_pictures() -> None:
    assert tuple(utils.make_grid(rushlight.zeros(4, 5)).shape) == (3, 4, 5)
    assert tuple(utils.make_grid([rushlight.zeros(1, 4, 5)] * 2, padding=0).shape) == (3, 4, 10)
    with pytest.raises(TypeError, match=r"^tensor or list of tensors expected, got <class 'int'>"):
        utils.make_grid(3)  # type: ignore[arg-type]


def test_save_image_rounds() -> None:
    memory = io.BytesIO()
    utils.save_image(rushlight.tensor([[0.0, 0.499, 0.501, 2.0]]), memory, format="png")
    assert np.asarray(Image.open(memory))[0, :, 0].tolist() == [0, 127, 128, 255]


@pytest.mark.parametrize(
    ("mode", "channels"), [("UNCHANGED", 3), ("GRAY", 1), ("GRAY_ALPHA", 2), ("RGB", 3), ("RGB_ALPHA", 4)]
)
def test_read_image(tmp_path: Path, mode: str, channels: int) -> None:
    path = tmp_path / "picture.png"
    Image.fromarray(A.transpose(1, 2, 0)).save(path)
    got = files.read_image(str(path), files.ImageReadMode[mode])
    assert got.dtype == rushlight.uint8
    assert tuple(got.shape) == (channels, 6, 5)
    if channels >= 3:
        np.testing.assert_array_equal(got[:3].numpy(), A)


def test_palettes_become_colours(tmp_path: Path) -> None:
    path = tmp_path / "picture.gif"
    Image.new("P", (3, 2), 0).save(path)
    assert files.read_image(path).shape[0] == 3


def test_png_round_trip(tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    x = rushlight.from_numpy(A)
    files.write_png(x, path)
    np.testing.assert_array_equal(files.read_image(path).numpy(), A)
    np.testing.assert_array_equal(files.decode_image(files.read_file(path)).numpy(), A)
    files.write_png(x[:1], path)
    np.testing.assert_array_equal(files.read_image(path).numpy(), A[:1])


def test_jpeg_is_near(tmp_path: Path) -> None:
    y, x = np.mgrid[0:16, 0:16]
    a: Any = np.stack([x * 9, y * 9, x + y]).astype(np.uint8)
    got = files.decode_jpeg(files.encode_jpeg(rushlight.from_numpy(a), quality=95)).numpy()
    assert np.abs(got.astype(int) - a).mean() < 4


def test_missing_and_wrong(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"^\[Errno 2\] No such file or directory"):
        files.read_image(tmp_path / "none.png")
    with pytest.raises(RuntimeError, match=r"uint8"):
        files.encode_png(rushlight.zeros(3, 2, 2))
