"""The format of checkpoints before the zip archive (PyTorch 1.5 and older): five pickles, then the storages."""

import struct
import sys
from typing import Any

import numpy as np

from rushlight.serialization.storage import StorageType, UntypedStorage

MAGIC = 0x1950A86A20F9469CFC6C
VERSION = 1001


def load(file: Any, unpickler: Any, place: Any) -> Any:
    """Read the object at the file's position; RuntimeError when it is not such a checkpoint."""
    storages: dict[str, UntypedStorage] = {}
    lengths: dict[str, int] = {}
    at = file.tell()
    room = file.seek(0, 2) - at
    file.seek(at)

    def load_storage(pid: Any) -> UntypedStorage:
        _, kind, key, location, length, part = pid
        if not isinstance(kind, StorageType):
            raise RuntimeError(f"Expected the type of a storage, but got {type(kind)}")
        width = 1 if kind.dtype is None else kind.dtype.itemsize
        if key not in storages:
            if not isinstance(length, int) or not 0 <= length * width <= room:
                raise RuntimeError(f"A storage of {length} elements is larger than the checkpoint file")
            lengths[key] = width
            storages[key] = place(UntypedStorage(np.zeros(length * width, np.uint8), kind.dtype), location)
        if part is None:
            return storages[key]
        _, offset, size = part
        return UntypedStorage(storages[key].array[offset * width : (offset + size) * width], kind.dtype)

    def read() -> Any:
        return unpickler(file, load_storage).load()

    if read() != MAGIC:
        raise RuntimeError("Invalid magic number; corrupt file?")
    version = read()
    if version != VERSION:
        raise RuntimeError(f"Invalid protocol version: {version if isinstance(version, int) else type(version)}")
    swapped = read()["little_endian"] != (sys.byteorder == "little")
    obj = read()
    for key in read():
        if not isinstance(key, str):
            raise RuntimeError(f"Expected the key of a storage, but got {type(key)}")
        if key not in storages:
            raise RuntimeError(f"The checkpoint has a storage {key} that nothing in it uses")
        storage, width = storages[key], lengths[key]
        (length,) = struct.unpack("<q", file.read(8))
        if not 0 <= length * width <= room:
            raise RuntimeError("storage has wrong byte size: the checkpoint file is cut short or damaged")
        data = np.frombuffer(file.read(length * width), np.uint8)
        if len(data) != storage.array.size:
            raise RuntimeError("storage has wrong byte size: the checkpoint file is cut short or damaged")
        if swapped and storage.dtype is not None:
            part = width // (2 if storage.dtype.is_complex else 1)
            data = data.reshape(-1, part)[:, ::-1].reshape(-1)
        storage.array[:] = data
    return obj
