"""Shared memory for batches: a worker writes arrays into anonymous blocks that the parent maps and gives back.

A block is a file that has no name (memfd, or an unlinked temporary file) and whose descriptor goes through the
socket, so the kernel frees it with its last user, however that one dies. The parent returns a block once the arrays
in it are gone, and the worker fills it again: in the steady state no page is touched for the first time.
"""

import io
import mmap
import os
import pickle
import tempfile
import weakref
from collections import deque
from multiprocessing import reduction
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from rushlight.autograd.tensor import Tensor

Array = np.ndarray[Any, Any]
Layout = list[tuple[int, int]]  # offset and size of each buffer in the block

ALIGNMENT = 64
INLINE = 32 * 1024  # below this, a copy through the socket costs less than a block's bookkeeping
MAPPED = 512  # blocks that the parent may hold at a time: each costs it a descriptor, of which it may have 1024
SPARE = 8  # blocks given back at a time; more are given up
DESCRIPTORS = hasattr(os, "memfd_create") or os.name == "posix"


def _anonymous_file(size: int) -> int:
    if hasattr(os, "memfd_create"):
        fd = os.memfd_create("rushlight-batch", os.MFD_CLOEXEC)
    else:
        with tempfile.TemporaryFile() as file:
            fd = os.dup(file.fileno())
    os.ftruncate(fd, size)
    return fd


class _Block:
    def __init__(self, number: int, size: int) -> None:
        self.number = number
        self.fd = _anonymous_file(size)
        self.bytes = np.frombuffer(mmap.mmap(self.fd, size), np.uint8)
        self.start = self.bytes.ctypes.data
        self.used = 0
        self.sent = False

    def __del__(self) -> None:
        if not self.sent:
            os.close(self.fd)

    def take(self, size: int) -> Array | None:
        """The next `size` bytes, or None when the block is too full."""
        begin = -(-self.used // ALIGNMENT) * ALIGNMENT
        if begin + size > len(self.bytes):
            return None
        self.used = begin + size
        return self.bytes[begin : begin + size]

    def offset(self, view: Array) -> int | None:
        """Where in the block `view` lies, if it does."""
        begin = view.ctypes.data - self.start
        return begin if begin >= 0 and begin + view.nbytes <= len(self.bytes) else None


class Sender:
    """The worker's end: pickles a batch, its large buffers in a block."""

    def __init__(self, connection: Connection, limit: int = MAPPED) -> None:
        self.connection = connection
        self.limit = limit
        self.free: dict[int, _Block] = {}
        self.lent: dict[int, _Block] = {}
        self.discarded: list[int] = []  # the parent need not keep these mapped
        self.current: _Block | None = None
        self.count = 0
        self.batch_size = 0

    def begin(self) -> None:
        """Have the last batch's size ready for `empty`, so that collation writes straight into shared memory."""
        ready = self.batch_size and len(self.lent) < self.limit
        self.current = self._block(self.batch_size) if ready else None

    def _block(self, size: int) -> _Block:
        for block in self.free.values():
            if len(block.bytes) >= size:
                return self.free.pop(block.number)
        # All are too small for what batches have become.
        self.discarded += self.free
        self.free.clear()
        self.count += 1
        return _Block(self.count, -(-size // mmap.PAGESIZE) * mmap.PAGESIZE)

    def give_back(self, number: int, reusable: bool) -> None:
        """The parent has no more arrays in this block."""
        block = self.lent.pop(number)
        block.used = 0
        if reusable:
            self.free[number] = block

    def send(self, tag: Any, data: Any) -> None:
        body, buffers = _dumps(data)
        total = sum(b.nbytes + ALIGNMENT for b in buffers)
        if total < INLINE or len(self.lent) >= self.limit or not DESCRIPTORS:
            self.connection.send((tag, body, [b.tobytes() for b in buffers], None, []))
            self._release()
            return
        self.batch_size = max(self.batch_size, total)
        block, layout = self._place(buffers, total)
        fresh = not block.sent
        self.connection.send((tag, body, layout, (block.number, len(block.bytes), fresh), self.discarded))
        self.discarded = []
        if fresh:
            reduction.send_handle(self.connection, block.fd, None)
            os.close(block.fd)
            block.sent = True
        self.lent[block.number] = block

    def _place(self, buffers: list[Array], total: int) -> tuple[_Block, Layout]:
        """The current block with every buffer in it: where collation put it, or copied now."""
        block, self.current = self.current, None
        inside = [None if block is None else block.offset(b) for b in buffers]
        if block is not None:
            copies = sum(b.nbytes + ALIGNMENT for b, at in zip(buffers, inside, strict=True) if at is None)
            if block.used + copies > len(block.bytes):
                self.free[block.number] = block
                block.used, block = 0, None
        if block is None:
            inside = [None] * len(buffers)
            block = self._block(total)
        layout = []
        for b, at in zip(buffers, inside, strict=True):
            if at is None:
                room = block.take(b.nbytes)
                assert room is not None
                room[:] = b
                at = block.offset(room)
                assert at is not None
            layout.append((at, b.nbytes))
        return block, layout

    def _release(self) -> None:
        if self.current is not None:
            self.current.used = 0
            self.free[self.current.number], self.current = self.current, None


_sender: Sender | None = None  # this process's, when it is a worker


def use(sender: Sender) -> None:
    global _sender
    _sender = sender


def empty(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    """`np.empty`, in a worker from the block that the batch will travel in."""
    if _sender is not None and _sender.current is not None:
        size = int(np.prod(shape)) * dtype.itemsize
        room = _sender.current.take(size)
        if room is not None:
            return room.view(dtype).reshape(shape)
    return np.empty(shape, dtype)


_forks = 0  # a fork after delivery means that another process may still read a block


def _count_fork() -> None:
    global _forks
    _forks += 1


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_count_fork)


class Receiver:
    """The parent's end for one worker: maps the blocks it sends, and collects those whose arrays are gone."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.maps: dict[int, mmap.mmap] = {}
        self.returned: deque[tuple[int, bool]] = deque()

    def receive(self) -> tuple[Any, Any]:
        tag, body, buffers, block, discarded = self.connection.recv()
        for number in discarded:
            self.maps.pop(number, None)
        if block is None:
            return tag, pickle.loads(body, buffers=[bytearray(b) for b in buffers])
        number, size, fresh = block
        if fresh:
            fd = reduction.recv_handle(self.connection)
            self.maps[number] = mmap.mmap(fd, size)
            os.close(fd)
        lease = np.frombuffer(self.maps[number], np.uint8)
        weakref.finalize(lease, self._leave, number, _forks).atexit = False
        # By memoryview, so that each array is the whole of its own storage.
        view = memoryview(lease)  # type: ignore[arg-type]
        return tag, pickle.loads(body, buffers=[view[at : at + n] for at, n in buffers])

    def _leave(self, number: int, forks: int) -> None:
        reusable = forks == _forks and len(self.returned) < SPARE
        if not reusable:
            self.maps.pop(number, None)
        self.returned.append((number, reusable))

    def take_returned(self) -> list[tuple[int, bool]]:
        returned = []
        while self.returned:
            returned.append(self.returned.popleft())
        return returned


class _Pickler(reduction.ForkingPickler):
    """Pickles arrays as out-of-band buffers, in the order in which they lie in memory."""

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, Tensor) and type(obj).__reduce_ex__ is Tensor.__reduce_ex__:
            return obj._reduce_elements()
        if type(obj) is not np.ndarray or obj.dtype.hasobject or not obj.dtype.isbuiltin:
            return NotImplemented
        axes = sorted(range(obj.ndim), key=lambda i: -obj.strides[i])
        flat = np.ascontiguousarray(obj.transpose(axes))
        if not flat.flags.writeable:
            flat = flat.copy()
        buffer = pickle.PickleBuffer(flat.reshape(-1).view(np.uint8).data)
        return _rebuild_array, (buffer, obj.dtype.str, [obj.shape[i] for i in axes], np.argsort(axes).tolist())


def _rebuild_array(buffer: Any, dtype: str, shape: list[int], axes: list[int]) -> Array:
    return np.frombuffer(buffer, np.uint8).view(dtype).reshape(shape).transpose(axes)


def _dumps(data: Any) -> tuple[bytes, list[Array]]:
    file, buffers = io.BytesIO(), list[Any]()
    pickler = _Pickler(file, 5, True, buffers.append)
    pickler.dump(data)
    return file.getvalue(), [np.frombuffer(b, np.uint8) for b in buffers]
