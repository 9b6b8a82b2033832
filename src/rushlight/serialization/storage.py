"""Storages in a checkpoint: runs of bytes, numbered, that tensors are views of."""

from typing import Any

import numpy as np

from rushlight import dtypes
from rushlight.autograd.tensor import Tensor, wrap
from rushlight.backend.memory import is_fixed, storage_of
from rushlight.device import device
from rushlight.errors import unsupported

Array = np.ndarray[Any, Any]

TYPES = {
    "FloatStorage": dtypes.float32,
    "DoubleStorage": dtypes.float64,
    "HalfStorage": dtypes.float16,
    "BFloat16Storage": dtypes.bfloat16,
    "LongStorage": dtypes.int64,
    "IntStorage": dtypes.int32,
    "ShortStorage": dtypes.int16,
    "CharStorage": dtypes.int8,
    "ByteStorage": dtypes.uint8,
    "BoolStorage": dtypes.bool,
    "ComplexFloatStorage": dtypes.complex64,
    "ComplexDoubleStorage": dtypes.complex128,
}
NAMES = {d: name for name, d in TYPES.items()}


class StorageType:
    """What a storage holds: elements of one dtype, or (None) bytes."""

    def __init__(self, dtype: dtypes.dtype | None) -> None:
        self.dtype = dtype


class UntypedStorage:
    """The bytes that tensors are views of, as `map_location` functions see them."""

    def __init__(self, array: Array, dtype: dtypes.dtype | None = None) -> None:
        self.array = array
        self.dtype = dtype
        self.device = device("cpu")

    def nbytes(self) -> int:
        return self.array.size

    size = __len__ = nbytes

    def data_ptr(self) -> int:
        return int(self.array.ctypes.data)

    def __getitem__(self, index: Any) -> Any:
        found = self.array[index]
        return UntypedStorage(found) if isinstance(index, slice) else int(found)

    def __setitem__(self, index: Any, value: Any) -> None:
        self.array[index] = value.array if isinstance(value, UntypedStorage) else value

    def tolist(self) -> list[int]:
        """The bytes, as numbers."""
        return self.array.tolist()  # type: ignore[no-any-return]

    def fill_(self, value: int) -> "UntypedStorage":
        """Set every byte."""
        self.array[...] = value
        return self

    def copy_(self, source: "UntypedStorage", non_blocking: bool | None = None) -> "UntypedStorage":
        """Take the bytes of a storage of the same size."""
        self.array[...] = source.array
        return self

    def clone(self) -> "UntypedStorage":
        """A copy of its own."""
        return UntypedStorage(self.array.copy(), self.dtype)

    def resizable(self) -> bool:
        """Whether it may grow: not if the memory is NumPy's or shared."""
        return not (is_fixed(self.array) or self.is_shared())

    def resize_(self, size: int) -> "UntypedStorage":
        raise unsupported("UntypedStorage.resize_", "Tensor.resize_ gives one tensor other memory.")

    filename = None

    def is_shared(self) -> bool:
        """Whether other processes see what is written here."""
        return bool(wrap(self.array).is_shared())

    def share_memory_(self) -> "UntypedStorage":
        """Move this memory, with all tensors that look at it, to where other processes see it."""
        self.array = wrap(self.array).share_memory_()._array
        return self

    def cpu(self) -> "UntypedStorage":
        return self


class TypedStorage:
    """The elements that a tensor and its views share, as PyTorch's deprecated `Tensor.storage()` shows them."""

    def __init__(self, untyped: UntypedStorage, dtype: dtypes.dtype) -> None:
        self._untyped_storage = untyped
        self.dtype = dtype
        self.device = untyped.device
        length = untyped.nbytes() // dtype.itemsize * dtype.itemsize
        self._elements = wrap(untyped.array[:length].view(dtype.np))

    def __len__(self) -> int:
        return int(self._elements.numel())

    size = __len__

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            raise RuntimeError("slices are only supported in UntypedStorage.__getitem__")
        return self._elements[index].item()

    def __setitem__(self, index: Any, value: Any) -> None:
        self._elements[index] = value

    def __iter__(self) -> Any:
        return iter(self.tolist())

    def tolist(self) -> list[Any]:
        """The elements, as numbers."""
        return self._elements.tolist()  # type: ignore[no-any-return]

    def untyped(self) -> UntypedStorage:
        """The same memory, as bytes."""
        return self._untyped_storage

    def nbytes(self) -> int:
        """How many bytes it has."""
        return self._untyped_storage.nbytes()

    def data_ptr(self) -> int:
        """The address of the first byte."""
        return self._untyped_storage.data_ptr()

    def element_size(self) -> int:
        """The bytes of one element."""
        return self.dtype.itemsize

    def fill_(self, value: Any) -> "TypedStorage":
        """Set every element."""
        self._elements.fill_(value)
        return self

    def is_shared(self) -> bool:
        """Whether other processes see what is written here."""
        return self._untyped_storage.is_shared()

    def share_memory_(self) -> "TypedStorage":
        """Move this memory, with all tensors that look at it, to where other processes see it."""
        self._untyped_storage.share_memory_()
        self.__init__(self._untyped_storage, self.dtype)  # type: ignore[misc]
        return self


def memory(a: Array) -> tuple[Array, int] | None:
    """The storage of an array as a flat view in memory order, and where in it the array starts, in bytes.

    None when the owner of the memory has gaps, or the array runs backwards: then it must be copied.
    """
    root = storage_of(a)
    if any(s < 0 for s in a.strides) or not (root.flags.c_contiguous or root.flags.f_contiguous):
        return None
    flat = root.reshape(-1, order="A" if root.flags.c_contiguous else "F").view(np.uint8)
    return flat, a.ctypes.data - root.ctypes.data if a.size else 0


def stored(a: Array) -> tuple[Array, Array, int]:
    """An array, or where its memory has gaps a copy of it, with its storage and its place there, as of `memory`."""
    where = memory(a)
    if where is None:
        a = np.ascontiguousarray(a)
        where = a.reshape(-1).view(np.uint8), 0
    return a, *where


def view(storage: UntypedStorage, dtype: dtypes.dtype, offset: int, size: Any, stride: Any) -> Any:
    """A Tensor that looks at a storage, as `set_` would make it."""
    if not dtype.supported:
        raise unsupported(f"the dtype {dtype}")
    kind, item = dtype.np, dtype.itemsize
    size = tuple(size)
    a = storage.array
    length = len(a) // item
    last = offset + sum((n - 1) * s for n, s in zip(size, stride, strict=True))
    if 0 not in size and (offset < 0 or min(stride, default=0) < 0 or last >= length):
        raise RuntimeError(
            f"setStorage: sizes {list(size)}, strides {list(stride)}, storage offset {offset}, and itemsize {item} "
            f"requiring a storage size of {(last + 1) * item} are out of bounds for storage of size {len(a)}"
        )
    if 0 in size:
        return wrap(np.empty(size, kind))
    return wrap(np.ndarray(size, kind, a, offset * item, tuple([s * item for s in stride])))


def is_tensor(x: Any) -> bool:
    return isinstance(x, Tensor)
