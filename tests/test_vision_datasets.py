"""Data sets that need no network: the embedded digits, folders of pictures, noise."""

from __future__ import annotations

import subprocess
import sys
import zlib
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import rushlight
from rushlight.vision import datasets, transforms

Image = pytest.importorskip("PIL.Image")


def test_digits_are_the_published_ones() -> None:
    train, test = datasets.Digits(), datasets.Digits(train=False)
    assert (len(train), len(test)) == (1442, 355)
    counts = Counter(train.targets.tolist()) + Counter(test.targets.tolist())
    # UCI's own table of optdigits.tes.
    assert [counts[digit] for digit in range(10)] == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    # The first picture, a zero, in its 17 levels.
    levels = np.rint(train.data[0].numpy() * (16 / 255)).astype(int)
    assert levels[0].tolist() == [0, 0, 5, 13, 9, 1, 0, 0]
    assert levels[4].tolist() == [0, 5, 8, 0, 0, 9, 8, 0]


def test_every_fifth_picture_of_each_digit_is_a_test_picture() -> None:
    train, test = datasets.Digits(), datasets.Digits(train=False)
    for digit in range(10):
        kept, held = (int((part.targets == digit).sum()) for part in (train, test))
        assert held == (kept + held) // 5
    pictures = {bytes(a) for a in train.data.numpy()}
    assert len(pictures) > 1400
    assert not any(bytes(a) in pictures for a in test.data.numpy())


def test_digits_items_agree() -> None:
    as_images = datasets.Digits(train=False, transform=transforms.ToTensor(), target_transform=lambda label: -label)
    as_tensors = datasets.Digits(train=False, items="tensor")
    for i in range(0, 355, 50):
        (x, negative), (y, label) = as_images[i], as_tensors[i]
        assert negative == -label
        assert x.dtype == y.dtype == rushlight.float32
        np.testing.assert_array_equal(x.numpy(), y.numpy())
    image, _ = datasets.Digits()[0]
    assert (image.mode, image.size) == ("L", (8, 8))
    with pytest.raises(ValueError, match='items must be "pil" or "tensor"'):
        datasets.Digits(items="array")  # type: ignore[arg-type]


def test_without_pillow_tensors_work_and_images_say_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "PIL", None)
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    assert tuple(datasets.Digits(items="tensor")[3][0].shape) == (1, 8, 8)
    with pytest.raises(ImportError, match=r"pip install rushlight\[vision\]"):
        datasets.Digits()[3]


def test_vision_and_pillow_load_on_first_use() -> None:
    program = """
import sys, rushlight
assert not any(name.startswith("rushlight.vision") for name in sys.modules)
rushlight.vision.datasets.Digits(items="tensor")[0]
assert "PIL" not in sys.modules
rushlight.vision.transforms.ToPILImage()(rushlight.zeros(3, 4, 4))
assert "PIL" in sys.modules
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_repr() -> None:
    data = datasets.Digits("data", transform=transforms.Compose([transforms.ToTensor()]))
    assert repr(data).splitlines() == [
        "Dataset Digits",
        "    Number of datapoints: 1442",
        "    Root location: data",
        "    Split: Train",
        "    StandardTransform",
        "Transform: Compose(",
        "               ToTensor()",
        "           )",
    ]


def test_fake_data_is_torchvisions() -> None:
    rushlight.manual_seed(3)
    expected = rushlight.rand(2).tolist()
    rushlight.manual_seed(3)
    data = datasets.FakeData(size=5, image_size=(3, 4, 5), num_classes=7)
    items = [data[i] for i in range(4)]
    # Labels and CRC-32 of the pixels as torchvision 0.28 gives them.
    crcs = [(label, zlib.crc32(np.asarray(image).tobytes())) for image, label in items]
    assert crcs == [(4, 4253924787), (5, 255341619), (4, 2004245332), (0, 2420150628)]
    assert rushlight.rand(2).tolist() == expected
    with pytest.raises(IndexError, match=r"FakeData index out of range"):
        data[5]


def picture(path: Path, red: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (4, 3), (red, 0, 0)).save(path)


def test_image_folder(tmp_path: Path) -> None:
    picture(tmp_path / "dog" / "b.png", 1)
    picture(tmp_path / "dog" / "a" / "c.PNG", 2)
    picture(tmp_path / "cat" / "z.bmp", 3)
    (tmp_path / "cat" / "notes.txt").write_text("not a picture")
    data = datasets.ImageFolder(str(tmp_path), transform=lambda image: image.getpixel((0, 0))[0])
    assert (data.classes, data.class_to_idx) == (["cat", "dog"], {"cat": 0, "dog": 1})
    assert list(data) == [(3, 0), (1, 1), (2, 1)]
    assert data.targets == [0, 1, 1]
    assert data.imgs[0] == (str(tmp_path / "cat" / "z.bmp"), 0)
    chosen = datasets.ImageFolder(str(tmp_path), is_valid_file=lambda path: path.endswith(("txt", "c.PNG")))
    assert [Path(path).name for path, _ in chosen.samples] == ["notes.txt", "c.PNG"]


def test_folders_that_hold_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"^Couldn't find any class folder in"):
        datasets.ImageFolder(tmp_path)
    picture(tmp_path / "full" / "a.png", 0)
    (tmp_path / "empty").mkdir()
    with pytest.raises(
        FileNotFoundError, match=r"^Found no valid file for the classes empty. Supported extensions are: .jpg"
    ):
        datasets.ImageFolder(tmp_path)
    assert datasets.ImageFolder(tmp_path, allow_empty=True).samples == [(str(tmp_path / "full" / "a.png"), 1)]


def test_dataset_folder_reads_any_file(tmp_path: Path) -> None:
    for name in ("x/1.num", "y/2.num"):
        path = tmp_path / name
        path.parent.mkdir()
        path.write_text(path.stem)
    data = datasets.DatasetFolder(tmp_path, lambda path: int(Path(path).read_text()), extensions=(".num",))
    assert list(data) == [(1, 0), (2, 1)]


def test_imagenet_names_its_classes(tmp_path: Path) -> None:
    picture(tmp_path / "val" / "n02" / "a.JPEG", 0)
    picture(tmp_path / "val" / "n01" / "b.JPEG", 0)
    assert datasets.ImageNet(tmp_path, split="val").classes == [("n01",), ("n02",)]
    (tmp_path / "LOC_synset_mapping.txt").write_text("n01 tench, Tinca tinca\nn02 goldfish\n")
    data = datasets.ImageNet(str(tmp_path), split="val")
    assert data.wnids == ["n01", "n02"]
    assert data.classes == [("tench", "Tinca tinca"), ("goldfish",)]
    assert data.class_to_idx == {"tench": 0, "Tinca tinca": 0, "goldfish": 1}
    assert data[1][1] == 1
    with pytest.raises(RuntimeError, match=r"ILSVRC2012_img_train.tar"):
        datasets.ImageNet(tmp_path)
    with pytest.raises(ValueError, match=r"^Unknown value 'test' for argument split"):
        datasets.ImageNet(tmp_path, split="test")


def test_one_transform_of_both_excludes_one_of_each() -> None:
    message = "^Only transforms or transform/target_transform can be passed as argument$"
    with pytest.raises(ValueError, match=message):
        datasets.VisionDataset(transforms=lambda x, y: (x, y), transform=lambda x: x)
