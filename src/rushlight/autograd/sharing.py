"""Tensors in memory that other processes see: anonymous files, which the kernel frees with their last user."""

from __future__ import annotations

import gc
import mmap
import os
import weakref
from collections.abc import Iterable
from typing import Any

import numpy as np

from .. import dtypes
from ..backend.memory import storage_of
from . import tensor as core

Array = np.ndarray[Any, Any]


class SharedMemory(mmap.mmap):
    """A file without a name, mapped; its descriptor lets another process map it as well."""

    fd: int

    @classmethod
    def of(cls, fd: int, size: int) -> SharedMemory:
        """The memory behind a descriptor, which it closes in the end."""
        self = cls(fd, max(size, 1))
        self.fd = fd
        weakref.finalize(self, os.close, fd).atexit = False
        return self


_storages: weakref.WeakValueDictionary[tuple[int, int], Array] = weakref.WeakValueDictionary()  # by device and inode


def _anonymous(size: int) -> int:
    if os.name != "posix":
        raise NotImplementedError("share_memory_ is not supported on this system: it needs POSIX shared memory")
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("rushlight", os.MFD_CLOEXEC)
    else:
        import tempfile

        with tempfile.TemporaryFile() as file:
            fd = os.dup(file.fileno())
    os.ftruncate(fd, max(size, 1))
    return fd


def _storage(fd: int, size: int) -> Array:
    """The bytes behind a descriptor: the same array as long as one is in use."""
    status = os.fstat(fd)
    key = status.st_dev, status.st_ino
    found = _storages.get(key)
    if found is None:
        found = _storages[key] = np.ndarray((size,), np.uint8, SharedMemory.of(fd, size))
    else:
        os.close(fd)
    return found


def shared(a: Array) -> SharedMemory | None:
    """The shared memory that an array lies in."""
    owner = storage_of(a).base
    return owner if isinstance(owner, SharedMemory) else None


def share(tensors: Iterable[Any]) -> None:
    """Move the storages of these tensors, and with them every tensor that looks there."""
    from ..serialization.storage import memory

    moved: dict[int, tuple[Array, Array]] = {}
    for x in tensors:
        a = x._array
        root = storage_of(a)
        if shared(a) is not None or id(root) in moved:
            continue
        found = memory(a)
        if found is None:  # a foreign array with gaps, which no other tensor can be moved with
            x._array = np.array(a, order="C")
            root = x._array
            found = root.reshape(-1).view(np.uint8), 0
        new = _storage(_anonymous(root.nbytes), root.nbytes)
        new[...] = found[0]
        moved[id(root)] = root, new
    # NumPy's arrays do not know their views, so the tensors are asked.
    for x in gc.get_objects() if moved else ():
        if issubclass(type(x), core.Tensor):
            a = x.__dict__.get("_array")
            if a.__class__ is np.ndarray:
                root = storage_of(a)
                if id(root) in moved:
                    start = a.ctypes.data - root.ctypes.data if a.size else 0
                    x._array = np.ndarray(a.shape, a.dtype, moved[id(root)][1], start, a.strides)


def reduce(x: Any) -> Any:
    """How multiprocessing sends a tensor: not the elements, but the descriptor of their memory."""
    from multiprocessing import reduction

    if x.requires_grad and not x.is_leaf:
        raise RuntimeError(
            "Cowardly refusing to serialize non-leaf tensor which requires_grad, since autograd does not support "
            "crossing process boundaries.  If you just want to transfer the data, call detach() on the tensor before "
            "serializing (e.g., putting it on the queue)."
        )
    core.warn_of_hooks(x)
    share([x])
    a = x._array
    root = storage_of(a)
    memory = shared(a)
    assert memory is not None
    start = a.ctypes.data - root.ctypes.data if a.size else 0
    place = x.dtype.name, a.shape, start, a.strides
    descriptor = reduction.DupFd(memory.fd)
    return _rebuild, (x.__class__, descriptor, root.nbytes, *place, x.requires_grad, x._attributes())


def _rebuild(
    cls: type,
    descriptor: Any,
    size: int,
    name: str,
    shape: Any,
    start: int,
    strides: Any,
    requires_grad: bool,
    extra: Any,
) -> Any:
    a = np.ndarray(shape, getattr(dtypes, name).np, _storage(descriptor.detach(), size), start, strides)
    return core._rebuild(cls, a, name, requires_grad, extra)
