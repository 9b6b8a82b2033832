"""MNIST and the sets made in its image: IDX files, gzipped on the servers, unpacked on disk."""

from __future__ import annotations

import gzip
import struct
import zlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np

from rushlight import from_numpy

from ..pillow import pillow
from .base import VisionDataset
from .download import Corrupted, check_md5, fetch, mirrors, write_atomically


class Resource(NamedTuple):
    """One file: its name once unpacked, and the MD5 of its content or, where only that is published, of its .gz."""

    name: str
    content_md5: str | None = None
    archive_md5: str | None = None


class MNIST(VisionDataset):
    """70,000 pictures of handwritten digits, 28x28 grey levels: 60,000 to train on, 10,000 to test on.

    Items are (Pillow image of mode "L", label). `data` is the uint8 tensor of all pictures (n, 28, 28), `targets` their
    labels. The files lie in `root/MNIST/raw`; with `download=True` the missing ones are fetched, from
    `RUSHLIGHT_MIRROR_MNIST` where that is set, and their content is checked. `RuntimeError` where they are absent.

    Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document recognition", 1998.
    """

    mirrors: ClassVar[list[str]] = [
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
        "http://yann.lecun.com/exdb/mnist/",
    ]
    resources: ClassVar[list[Resource]] = [
        Resource("train-images-idx3-ubyte", "6bbc9ace898e44ae57da46a324031adb"),
        Resource("train-labels-idx1-ubyte", "a25bea736e30d166cdddb491f175f624"),
        Resource("t10k-images-idx3-ubyte", "2646ac647ad5339dbf082846283269ea"),
        Resource("t10k-labels-idx1-ubyte", "27ae3e4e09519cfbb04c329615203637"),
    ]
    classes: ClassVar[list[str]] = [
        "0 - zero",
        "1 - one",
        "2 - two",
        "3 - three",
        "4 - four",
        "5 - five",
        "6 - six",
        "7 - seven",
        "8 - eight",
        "9 - nine",
    ]

    def __init__(
        self,
        root: str | Path,
        train: bool = True,
        transform: Callable[[Any], Any] | None = None,
        target_transform: Callable[[Any], Any] | None = None,
        download: bool = False,
    ) -> None:
        super().__init__(root, transform=transform, target_transform=target_transform)
        self.train = train
        if download:
            self.download()
        if not self._check_exists():
            raise RuntimeError("Dataset not found. You can use download=True to download it")
        part = "train" if train else "t10k"
        self.data = from_numpy(read_idx(self._raw / f"{part}-images-idx3-ubyte"))
        self.targets = from_numpy(read_idx(self._raw / f"{part}-labels-idx1-ubyte").astype(np.int64))

    @property
    def raw_folder(self) -> str:
        """Where the unpacked files lie."""
        return str(self._raw)

    @property
    def _raw(self) -> Path:
        return Path(self.root or ".") / type(self).__name__ / "raw"

    @property
    def class_to_idx(self) -> dict[str, int]:
        """The label of each class's name."""
        return {name: label for label, name in enumerate(self.classes)}

    def _check_exists(self) -> bool:
        return all((self._raw / resource.name).is_file() for resource in self.resources)

    def download(self) -> None:
        """Fetch the files that are not there yet."""
        for resource in self.resources:
            path = self._raw / resource.name
            if not path.is_file():
                addresses = [f"{base}/{resource.name}.gz" for base in mirrors(type(self).__name__, self.mirrors)]
                fetch(addresses, partial(_unpack, resource, path))

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        image = pillow().fromarray(self.data[index].numpy())
        return self._transformed(image, int(self.targets[index]))

    def extra_repr(self) -> str:
        return f"Split: {'Train' if self.train else 'Test'}"


class FashionMNIST(MNIST):
    """70,000 pictures of clothes by Zalando, in MNIST's sizes and layout; mirror: `RUSHLIGHT_MIRROR_FASHIONMNIST`.

    H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a Novel Image Dataset", arXiv:1708.07747.
    """

    mirrors: ClassVar[list[str]] = ["http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/"]
    resources: ClassVar[list[Resource]] = [
        Resource("train-images-idx3-ubyte", archive_md5="8d4fb7e6c68d591d4c3dfef9ec88bf0d"),
        Resource("train-labels-idx1-ubyte", archive_md5="25c81989df183df01b3e8a0aad5dffbe"),
        Resource("t10k-images-idx3-ubyte", archive_md5="bef4ecab320f06d8554ea6380940ec79"),
        Resource("t10k-labels-idx1-ubyte", archive_md5="bb300cfdad3c16e7a12a480ee83cd310"),
    ]
    classes: ClassVar[list[str]] = [
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ]


def read_idx(path: str | Path) -> np.ndarray[Any, Any]:
    """Read an IDX file of bytes: magic 00 00 08 and the number of dimensions, their sizes (big-endian), the bytes."""
    content = Path(path).read_bytes()
    if len(content) < 4 or content[:3] != b"\0\0\x08":
        raise ValueError(f"{path} is not an IDX file of bytes: it starts with {content[:4]!r}")
    dims = content[3]
    shape = struct.unpack_from(f">{dims}I", content, 4)
    # A writable copy: the tensor made of it may be changed in place.
    return np.frombuffer(content, np.uint8, offset=4 + 4 * dims).reshape(shape).copy()


def read_image_file(path: str | Path) -> Any:
    """Read an IDX file of pictures into a uint8 tensor (n, height, width)."""
    return from_numpy(read_idx(path))


def read_label_file(path: str | Path) -> Any:
    """Read an IDX file of labels into an int64 tensor (n,)."""
    return from_numpy(read_idx(path).astype(np.int64))


def _unpack(resource: Resource, path: Path, archive: Path) -> None:
    packed = archive.read_bytes()
    check_md5(packed, resource.archive_md5, f"{resource.name}.gz")
    try:
        content = gzip.decompress(packed)
    except (OSError, EOFError, zlib.error) as error:
        raise Corrupted(f"File not found or corrupted.\n{resource.name}.gz: {error}") from error
    check_md5(content, resource.content_md5, resource.name)
    write_atomically(path, content)
