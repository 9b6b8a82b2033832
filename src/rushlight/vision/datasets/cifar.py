"""CIFAR-10 and CIFAR-100: pickled batches of 32x32 colour pictures in one archive."""

from __future__ import annotations

import io
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ..pillow import pillow
from .base import VisionDataset
from .download import Corrupted, check_md5, fetch, has_md5, mirrors, write_atomically


class CIFAR10(VisionDataset):
    """60,000 colour pictures of ten classes, 32x32: 50,000 to train on, 10,000 to test on.

    Items are (Pillow image of mode "RGB", label). `data` is the uint8 array of all pictures (n, 32, 32, 3), `targets`
    the list of their labels. The files lie in `root/cifar-10-batches-py`; with `download=True` they are fetched unless
    they are there with the published content, from `RUSHLIGHT_MIRROR_CIFAR10` where that is set. Without it any files
    of that layout will do (torchvision insists on the published ones), so a sample or an extension of the set works.

    A. Krizhevsky, "Learning Multiple Layers of Features from Tiny Images", 2009.
    """

    mirrors: ClassVar[list[str]] = ["https://www.cs.toronto.edu/~kriz"]
    base_folder: ClassVar[str] = "cifar-10-batches-py"
    filename: ClassVar[str] = "cifar-10-python.tar.gz"
    train_list: ClassVar[list[tuple[str, str]]] = [
        ("data_batch_1", "c99cafc152244af753f735de768cd75f"),
        ("data_batch_2", "d4bba439e000b95fd0a9bffe97cbabec"),
        ("data_batch_3", "54ebc095f3ab1f0389bbae665268c751"),
        ("data_batch_4", "634d18415352ddfa80567beed471001a"),
        ("data_batch_5", "482c414d41f54cd18b22e5b47cb7c3cb"),
    ]
    test_list: ClassVar[list[tuple[str, str]]] = [("test_batch", "40351d587109b95175f43aff81a1287e")]
    meta: ClassVar[tuple[str, str]] = ("batches.meta", "5ff9c542aee3614f3951f8cda6e48888")
    names_key: ClassVar[str] = "label_names"
    labels_key: ClassVar[str] = "labels"

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
        chosen = [name for name, _ in (self.train_list if train else self.test_list)]
        if not all((self._folder / name).is_file() for name in [*chosen, self.meta[0]]):
            raise RuntimeError("Dataset not found or corrupted. You can use download=True to download it")
        batches = [load_batch(self._folder / name) for name in chosen]
        planes = np.concatenate([batch["data"] for batch in batches]).reshape(-1, 3, 32, 32)
        self.data = np.ascontiguousarray(planes.transpose(0, 2, 3, 1))
        self.targets: list[int] = [label for batch in batches for label in batch[self.labels_key]]
        self.classes: list[str] = load_batch(self._folder / self.meta[0])[self.names_key]
        self.class_to_idx = {name: label for label, name in enumerate(self.classes)}

    @property
    def _folder(self) -> Path:
        return Path(self.root or ".") / self.base_folder

    def _files(self) -> list[tuple[str, str]]:
        return [*self.train_list, *self.test_list, self.meta]

    def download(self) -> None:
        """Fetch the archive and unpack it, unless its files are there with the published content."""
        if not all(has_md5(self._folder / name, md5) for name, md5 in self._files()):
            fetch([f"{base}/{self.filename}" for base in mirrors(type(self).__name__, self.mirrors)], self._unpack)

    def _unpack(self, archive: Path) -> None:
        contents = {}
        try:
            with tarfile.open(archive) as tar:
                for name, md5 in self._files():
                    # Read by name: nothing else in the archive is ever written to disk.
                    member = tar.extractfile(f"{self.base_folder}/{name}")
                    content = member.read() if member is not None else b""
                    check_md5(content, md5, name)
                    contents[name] = content
        except (tarfile.TarError, KeyError, EOFError) as error:
            raise Corrupted(f"File not found or corrupted.\n{self.filename}: {error}") from error
        for name, content in contents.items():
            write_atomically(self._folder / name, content)

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        return self._transformed(pillow().fromarray(self.data[index]), self.targets[index])

    def extra_repr(self) -> str:
        return f"Split: {'Train' if self.train else 'Test'}"


class CIFAR100(CIFAR10):
    """CIFAR-10's sister of a hundred classes, 600 pictures each; mirror: `RUSHLIGHT_MIRROR_CIFAR100`."""

    base_folder: ClassVar[str] = "cifar-100-python"
    filename: ClassVar[str] = "cifar-100-python.tar.gz"
    train_list: ClassVar[list[tuple[str, str]]] = [("train", "16019d7e3df5f24257cddd939b257f8d")]
    test_list: ClassVar[list[tuple[str, str]]] = [("test", "f0ef6b0ae62326f3e7ffdfab6717acfc")]
    meta: ClassVar[tuple[str, str]] = ("meta", "7973b15100ade9c7d40fb424638fde48")
    names_key: ClassVar[str] = "fine_label_names"
    labels_key: ClassVar[str] = "fine_labels"


class _ArraysOnly(pickle.Unpickler):
    """Unpickles what a batch holds and nothing else: a pickle could otherwise run any code."""

    def find_class(self, module: str, name: str) -> Any:
        if (module.split(".")[0], name) in {
            ("numpy", "_reconstruct"),
            ("numpy", "ndarray"),
            ("numpy", "dtype"),
            ("numpy", "_frombuffer"),
            ("_codecs", "encode"),
        }:
            return super().find_class(module.replace("numpy.core", "numpy._core"), name)
        raise pickle.UnpicklingError(f"a batch of pictures must not hold {module}.{name}")


def load_batch(path: Path) -> dict[str, Any]:
    """Read one pickled batch: a dict with its pictures, (n, 3072) bytes, and labels."""
    batch = _ArraysOnly(io.BytesIO(path.read_bytes()), encoding="latin1").load()
    # Python 2 wrote the published files, with str for what Python 3, remaking them, may keep as bytes.
    return {
        _text(key): [_text(item) for item in value] if isinstance(value, list) else value
        for key, value in batch.items()
    }


def _text(value: Any) -> Any:
    return value.decode("latin1") if isinstance(value, bytes) else value
