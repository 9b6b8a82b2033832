"""ImageNet 2012 as folders: `train/WNID/*.JPEG` and `val/WNID/*.JPEG`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from .folder import ImageFolder


class ImageNet(ImageFolder):
    """ImageNet's pictures, unpacked by you: `root/train` and `root/val` with one folder a WordNet id (`n01440764`).

    The pictures cannot be downloaded freely, and the archives are not unpacked here. The names of the classes come from
    `root/LOC_synset_mapping.txt` (lines `n01440764 tench, Tinca tinca`, as Kaggle ships it) where that is present; else
    each class is named by its id. `wnids` lists the ids, `classes` a tuple of names for each, `wnid_to_idx` and
    `class_to_idx` the labels.

    O. Russakovsky et al., "ImageNet Large Scale Visual Recognition Challenge", IJCV 2015.
    """

    def __init__(self, root: str | Path, split: str = "train", **kwargs: Any) -> None:
        if split not in ("train", "val"):
            raise ValueError(f"Unknown value '{split}' for argument split. Valid values are {{'train', 'val'}}.")
        folder = Path(root).expanduser()
        if not (folder / split).is_dir():
            raise RuntimeError(
                f"The archive ILSVRC2012_img_{split}.tar is not unpacked: no folder {folder / split}.\n"
                "ImageNet must be downloaded by hand (https://image-net.org) and unpacked into one folder a WordNet id."
            )
        self.split = split
        super().__init__(folder / split, **kwargs)
        self.root = str(root)
        names = _names(folder / "LOC_synset_mapping.txt")
        self.wnids = self.classes
        self.wnid_to_idx = self.class_to_idx
        self.classes = [names.get(wnid, (wnid,)) for wnid in self.wnids]  # type: ignore[misc]
        self.class_to_idx = {name: label for label, group in enumerate(self.classes) for name in group}

    @property
    def split_folder(self) -> str:
        """Where the pictures of this split lie."""
        return str(Path(self.root or ".") / self.split)

    def extra_repr(self) -> str:
        return f"Split: {self.split}"


def _names(path: Path) -> dict[str, tuple[str, ...]]:
    if not path.is_file():
        return {}
    pairs = (line.split(maxsplit=1) for line in path.read_text(encoding="utf-8").splitlines() if line.strip())
    return {wnid: tuple(names.strip().split(", ")) for wnid, names in pairs}
