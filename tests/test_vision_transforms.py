"""Transforms: against Pillow where both kinds of picture work, and against values that torchvision 0.28 gave."""

from __future__ import annotations

import random
import zlib
from typing import Any

import numpy as np
import pytest

import rushlight
from rushlight.vision import transforms as T
from rushlight.vision.transforms import functional as F
from rushlight.vision.transforms import on_tensor

Image = pytest.importorskip("PIL.Image")
IM = T.InterpolationMode

y, x = np.mgrid[0:32, 0:40]
PIXELS = np.stack([x * 6, y * 7, (x * y * 3) % 256], -1).astype(np.uint8)
# Smooth, so that interpolating does not magnify the rounding of weights.
SMOOTH = np.stack([x * 6, y * 7, 120 + 100 * np.sin(x / 9) * np.cos(y / 7)], -1).astype(np.uint8)


def image(a: np.ndarray[Any, Any] = PIXELS) -> Any:
    return Image.fromarray(a)


def tensor(a: np.ndarray[Any, Any] = PIXELS) -> rushlight.Tensor:
    return rushlight.from_numpy(np.ascontiguousarray(a.transpose(2, 0, 1)))


def crc(picture: Any) -> int:
    a = picture.numpy() if isinstance(picture, rushlight.Tensor) else np.asarray(picture)
    return zlib.crc32(np.ascontiguousarray(a).tobytes())


def seeded(function: Any, *args: Any) -> Any:
    rushlight.manual_seed(5)
    return function(*args)


def test_random_parameters_are_torchvisions() -> None:
    picture = image()
    assert seeded(T.RandomCrop.get_params, picture, (16, 20)) == (13, 12, 16, 20)
    resized = T.RandomResizedCrop.get_params
    assert seeded(resized, picture, (0.08, 1.0), (3 / 4, 4 / 3)) == (0, 1, 31, 38)
    assert seeded(resized, picture, (2.0, 3.0), (5.0, 6.0)) == (12, 0, 8, 40)
    assert seeded(T.RandomRotation.get_params, [-30.0, 30.0]) == 19.815113067626953
    order, *factors = seeded(T.ColorJitter.get_params, (0.5, 1.5), (0.5, 1.5), (0.5, 1.5), (-0.1, 0.1))
    assert order.tolist() == [3, 1, 0, 2]
    assert factors == [1.3199269771575928, 1.4201034307479858, 0.6166452169418335, -0.06712169945240021]
    assert seeded(
        T.RandomAffine.get_params, [-20.0, 20.0], (0.2, 0.3), (0.5, 1.5), [-10.0, 10.0, -5.0, 5.0], [40, 32]
    ) == (13.210075378417969, (-6, 8), 1.3199269771575928, (8.402069091796875, -3.833547830581665))
    assert seeded(T.RandomPerspective.get_params, 40, 32, 0.5)[1] == [[9, 3], [29, 3], [37, 30], [0, 25]]
    top, left, height, width, noise = seeded(
        T.RandomErasing.get_params, tensor().float(), (0.02, 0.33), (0.3, 3.3), None
    )
    assert (top, left, height, width) == (6, 4, 12, 30)
    assert noise.flatten()[:3].tolist() == [-1.7119213342666626, -1.7013792991638184, 2.0194194316864014]


def test_random_decisions_are_torchvisions() -> None:
    flip = T.RandomHorizontalFlip()
    kept = seeded(lambda: [crc(flip(image())) == crc(image()) for _ in range(12)])
    assert kept == [bool(bit) for bit in (1, 0, 1, 1, 1, 0, 0, 1, 0, 1, 1, 1)]
    apply = T.RandomApply([T.Lambda(lambda _: 1)], p=0.3)
    assert seeded(lambda: [apply(0) for _ in range(12)]) == [0, 1, 0, 0, 0, 1, 1, 0, 1, 0, 0, 0]


@pytest.mark.parametrize(
    ("transform", "expected"),
    [
        (T.RandomCrop(24, padding=4), 2184014468),
        (T.RandomRotation(25), 697382938),
        (T.RandomErasing(p=1.0, value=0), 2570763978),
        (T.RandomSolarize(128, p=1), 4124129602),
        (T.Grayscale(), 1516992898),
        (T.Pad((1, 2, 3, 4), padding_mode="reflect"), 260184387),
    ],
    ids=lambda value: type(value).__name__ if not isinstance(value, int) else "",
)
def test_pixels_are_torchvisions(transform: Any, expected: int) -> None:
    assert seeded(lambda: crc(transform(tensor()))) == expected


@pytest.mark.parametrize(
    ("function", "tolerance"),
    [
        (lambda p: F.crop(p, 3, 4, 10, 12), 0),
        (lambda p: F.crop(p, -3, 30, 10, 20), 0),
        (lambda p: F.center_crop(p, (50, 11)), 0),
        (F.hflip, 0),
        (F.vflip, 0),
        (lambda p: F.pad(p, (1, 2), fill=9), 0),
        (lambda p: F.pad(p, (1, 2, 3, 4), padding_mode="edge"), 0),
        (lambda p: F.pad(p, (3, 4, 5, 6), padding_mode="symmetric"), 0),
        (lambda p: F.resize(p, 13), 1),
        (lambda p: F.resize(p, (50, 21)), 1),
        (lambda p: F.resize(p, (21, 50), IM.BICUBIC), 1),
        (lambda p: F.resize(p, 16, IM.NEAREST_EXACT), 0),
        (lambda p: F.rotate(p, 90, expand=False, center=(16, 16)), 0),
        (lambda p: F.rgb_to_grayscale(p, 3), 1),
        (lambda p: F.adjust_brightness(p, 1.4), 1),
        (lambda p: F.adjust_contrast(p, 0.6), 1),
        (lambda p: F.adjust_saturation(p, 1.7), 2),
        (lambda p: F.adjust_gamma(p, 0.7), 1),
        (lambda p: F.adjust_sharpness(p, 0.3), 1),
        (F.invert, 0),
        (lambda p: F.posterize(p, 3), 0),
        (lambda p: F.solarize(p, 100), 0),
        (F.autocontrast, 1),
        (F.equalize, 0),
        (lambda p: F.gaussian_blur(p, 5, 1.2), 0),
    ],
)
def test_tensors_and_pillow_images_agree(function: Any, tolerance: int) -> None:
    want = np.asarray(function(image(SMOOTH))).astype(int)
    got = function(tensor(SMOOTH)).permute(1, 2, 0).numpy().astype(int)
    assert got.shape == want.shape
    assert np.abs(got - want).max() <= tolerance


def test_hue_is_that_of_colorsys() -> None:
    import colorsys

    a = np.random.default_rng(0).random((3, 4, 5)).astype(np.float32)
    got = F.adjust_hue(rushlight.from_numpy(a), 0.3).numpy()
    for row in range(4):
        for column in range(5):
            hue, saturation, value = colorsys.rgb_to_hsv(*a[:, row, column].tolist())
            want = colorsys.hsv_to_rgb((hue + 0.3) % 1, saturation, value)
            np.testing.assert_allclose(got[:, row, column], want, atol=2e-6)


def test_resizing_weights_sum_to_one_and_differentiate() -> None:
    for cubic in (False, True):
        for antialias in (False, True):
            for size, new in ((7, 3), (5, 11), (8, 8)):
                rows = on_tensor.weights(size, new, cubic, antialias).sum(axis=1)
                np.testing.assert_allclose(rows, 1, atol=1e-6)
    leaf = rushlight.ones(1, 6, 6, requires_grad=True)
    F.resize(leaf, 3).sum().backward()
    # Nine new pixels of weight one come from 36: each gives a quarter, more or less by the edge.
    assert leaf.grad is not None
    assert abs(float(leaf.grad.sum()) - 9) < 1e-5


def test_resizing_matches_pytorch() -> None:
    torch = pytest.importorskip("torch")
    a = np.random.default_rng(0).random((2, 3, 13, 17)).astype(np.float32)
    for mode in ("bilinear", "bicubic", "nearest", "nearest-exact"):
        for antialias in (False, True) if mode.startswith("bi") else (False,):
            for size in ((7, 9), (20, 31)):
                want = torch.nn.functional.interpolate(torch.from_numpy(a), size, mode=mode, antialias=antialias)
                got = F.resize(rushlight.from_numpy(a), size, IM(mode), antialias=antialias)
                np.testing.assert_allclose(got.numpy(), want.numpy(), atol=3e-6)


def test_turning_matches_pytorchs_grid_sample() -> None:
    torch = pytest.importorskip("torch")
    a = np.random.default_rng(0).random((3, 12, 9)).astype(np.float32)
    turn = np.radians(25.0)
    # In units of half the width and height, as affine_grid wants it.
    matrix = [[np.cos(turn), -np.sin(turn) * 12 / 9, 0], [np.sin(turn) * 9 / 12, np.cos(turn), 0]]
    grid = torch.nn.functional.affine_grid(torch.tensor([matrix], dtype=torch.float32), (1, 3, 12, 9), False)
    for mode in ("nearest", "bilinear"):
        want = torch.nn.functional.grid_sample(torch.from_numpy(a)[None], grid, mode, "zeros", False)[0]
        np.testing.assert_allclose(F.rotate(rushlight.from_numpy(a), 25, IM(mode)).numpy(), want.numpy(), atol=1e-5)


def test_to_tensor() -> None:
    for mode, dtype in (("L", "float32"), ("1", "float32"), ("I", "int32"), ("F", "float32"), ("RGBA", "float32")):
        picture = image().convert(mode)
        got = F.to_tensor(picture)
        a = np.asarray(picture).astype(np.float64)
        a = a if a.ndim == 3 else a[..., None]
        scale = 255 if mode in ("L", "RGBA") else 1
        assert str(got.dtype).endswith(dtype)
        assert got.is_contiguous()
        np.testing.assert_allclose(got.numpy(), a.transpose(2, 0, 1) / scale, rtol=1e-7)
    doubles = PIXELS.astype(np.float64)
    np.testing.assert_array_equal(F.to_tensor(doubles).numpy(), doubles.transpose(2, 0, 1))
    with pytest.raises(TypeError, match=r"^pic should be PIL Image or ndarray. Got <class 'int'>"):
        F.to_tensor(3)
    with pytest.raises(ValueError, match=r"^pic should be 2/3 dimensional. Got 1 dimensions."):
        F.to_tensor(np.zeros(3))


def test_to_tensor_does_not_share_memory() -> None:
    a = np.zeros((2, 2, 1), np.float32)
    got = F.to_tensor(a)
    a[:] = 1
    assert float(got.sum()) == 0


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "LA", "I", "F", "HSV", "CMYK"])
def test_pictures_survive_the_round_trip(mode: str) -> None:
    picture = image().convert(mode)
    back = T.ToPILImage(mode)(T.PILToTensor()(picture))
    assert back.mode == mode
    assert back.tobytes() == picture.tobytes()


def test_to_pil_image() -> None:
    values = rushlight.tensor([[0.0, 0.5, 1.0]])
    assert np.asarray(F.to_pil_image(values)).tolist() == [[0, 127, 255]]
    assert np.asarray(F.to_pil_image(values, "F")).tolist() == [[0.0, 0.5, 1.0]]
    with pytest.raises(ValueError, match=r"^pic should not have > 4 channels. Got 5 channels."):
        F.to_pil_image(rushlight.zeros(5, 2, 2))
    with pytest.raises(ValueError, match=r"^Only modes \['RGB', 'YCbCr', 'HSV'\] are supported for 3D inputs"):
        F.to_pil_image(PIXELS, "L")
    with pytest.raises(TypeError, match=r"^Input type int64 is not supported"):
        F.to_pil_image(rushlight.zeros(1, 2, 2, dtype=rushlight.int64))


def test_convert_image_dtype_scales_to_the_range() -> None:
    bytes_ = rushlight.arange(256, dtype=rushlight.uint8).reshape(1, 16, 16)
    halves = F.convert_image_dtype(bytes_, rushlight.float32)
    np.testing.assert_array_equal(halves.numpy(), (np.arange(256, dtype=np.float32) / 255).reshape(1, 16, 16))
    np.testing.assert_array_equal(F.convert_image_dtype(halves, rushlight.uint8).numpy(), bytes_.numpy())
    wide = F.convert_image_dtype(bytes_, rushlight.int32)
    np.testing.assert_array_equal(wide.numpy(), np.arange(256).reshape(1, 16, 16) * 2**23)
    np.testing.assert_array_equal(F.convert_image_dtype(wide, rushlight.uint8).numpy(), bytes_.numpy())
    with pytest.raises(RuntimeError, match=r"^The cast from torch.float32 to torch.int64 cannot be performed safely."):
        F.convert_image_dtype(halves, rushlight.int64)


def test_normalize() -> None:
    a = np.random.default_rng(0).random((2, 3, 4, 5)).astype(np.float32)
    got = T.Normalize([0.1, 0.2, 0.3], [0.5, 0.25, 2.0])(rushlight.from_numpy(a))
    want = (a - np.array([0.1, 0.2, 0.3])[:, None, None]) / np.array([0.5, 0.25, 2.0])[:, None, None]
    np.testing.assert_allclose(got.numpy(), want, rtol=1e-6, atol=1e-7)
    own = rushlight.ones(1, 2, 2)
    assert T.Normalize([0.5], [0.5], inplace=True)(own) is own
    for bad, error, message in (
        (rushlight.ones(2, 2), ValueError, "^Expected tensor to be a tensor image of size"),
        (tensor(), TypeError, "^Input tensor should be a float tensor. Got torch.uint8."),
        (PIXELS, TypeError, "^img should be Tensor Image. Got <class 'numpy.ndarray'>"),
    ):
        with pytest.raises(error, match=message):
            F.normalize(bad, [0.5], [0.5])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"^std evaluated to zero after conversion to torch.float32"):
        F.normalize(own, [0.5], [0.0])


def test_choices_are_pythons() -> None:
    random.seed(2)
    expected = [random.choices("abc", weights=[1, 2, 3])[0] for _ in range(8)]
    random.seed(2)
    choice = T.RandomChoice([T.Lambda(lambda _, letter=letter: letter) for letter in "abc"], p=[1, 2, 3])
    assert [choice(None) for _ in range(8)] == expected
    order = T.RandomOrder([T.Lambda(lambda seen, letter=letter: seen + letter) for letter in "abcd"])
    assert sorted(order("")) == list("abcd")


def test_reprs_are_torchvisions() -> None:
    composed = T.Compose([T.ToTensor(), T.Normalize((0.5,), (0.5,)), T.RandomErasing()])
    assert repr(composed) == (
        "Compose(\n    ToTensor()\n    Normalize(mean=(0.5,), std=(0.5,))\n"
        "    RandomErasing(p=0.5, scale=(0.02, 0.33), ratio=(0.3, 3.3), value=0, inplace=False)\n)"
    )
    assert [repr(t) for t in (T.Resize(256), T.CenterCrop(224), T.Pad(4), T.RandomCrop(32, padding=4))] == [
        "Resize(size=256, interpolation=bilinear, max_size=None, antialias=True)",
        "CenterCrop(size=(224, 224))",
        "Pad(padding=4, fill=0, padding_mode=constant)",
        "RandomCrop(size=(32, 32), padding=4)",
    ]
    assert repr(T.RandomResizedCrop(4)) == (
        "RandomResizedCrop(size=(4, 4), scale=(0.08, 1.0), ratio=(0.75, 1.3333), "
        "interpolation=bilinear, antialias=True)"
    )
    assert repr(T.RandomRotation(10)) == (
        "RandomRotation(degrees=[-10.0, 10.0], interpolation=nearest, expand=False, fill=0)"
    )
    assert repr(T.ColorJitter(0.2, 0.3, 0.4, 0.1)) == (
        "ColorJitter(brightness=(0.8, 1.2), contrast=(0.7, 1.3), saturation=(0.6, 1.4), hue=(-0.1, 0.1))"
    )
    assert repr(T.RandomApply([T.CenterCrop(3)])) == "RandomApply(\n    p=0.5\n    CenterCrop(size=(3, 3))\n)"


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: T.RandomCrop(99)(image()), ValueError, r"^Required crop size \(99, 99\) is larger than input image"),
        (lambda: T.ColorJitter(-1), ValueError, "^If brightness is a single number, it must be non negative."),
        (lambda: T.ColorJitter(hue=0.7), ValueError, r"^hue values should be between \(-0.5, 0.5\)"),
        (lambda: T.RandomRotation(-3), ValueError, "^If degrees is a single number, it must be positive."),
        (lambda: T.Pad((1, 2, 3)), ValueError, "^Padding must be an int or a 1, 2, or 4 element tuple, not a 3"),
        (lambda: T.Lambda(3), TypeError, "^Argument lambd should be callable, got 'int'"),
        (lambda: T.RandomErasing(p=2), ValueError, "^Random erasing probability should be between 0 and 1"),
        (lambda: F.adjust_hue(image(), 0.7), ValueError, r"^hue_factor \(0.7\) is not in \[-0.5, 0.5\]."),
        (lambda: F.crop(PIXELS, 0, 0, 1, 1), TypeError, "^img should be PIL Image. Got <class 'numpy.ndarray'>"),
        (lambda: F.resize(tensor(), 5, IM.LANCZOS), NotImplementedError, "lanczos"),
        (lambda: F.resize(image(), 5, max_size=4), ValueError, "^max_size = 4 must be strictly greater"),
        (lambda: F.rotate(image(), 9, fill=[1, 2]), ValueError, "^The number of elements in 'fill' does not match"),
        (lambda: F.five_crop(image(), 90), ValueError, r"^Requested crop size \(90, 90\) is bigger than input size"),
    ],
)
def test_errors(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()
