"""Generators of random numbers: the state of PyTorch's CPU stream, its seeds, saving and loading it."""

from __future__ import annotations

import os
import struct
import threading
from typing import Any

import numpy as np

from .autograd.tensor import Tensor, wrap
from .backend.numpy.mt19937 import FRESH, N, seed_
from .device import device as _device

__all__ = [
    "Generator", "default_generator", "get_rng_state", "initial_seed", "manual_seed", "seed", "set_rng_state"
]  # fmt: skip

# A saved state, as PyTorch lays it out: the seed, 625 - position, 1, the position (0 when freshly seeded), the words
# widened to 64 bits, and the spare normal with its flag.
_HEAD, _TAIL, _SIZE = struct.Struct("<QiiQ"), struct.Struct("<dddi"), 5056
_FIRST_SEED = 67280421310721


class Generator:
    """A stream of random numbers of its own: the same numbers as PyTorch's for the same seed.

    Operators that draw take one as `generator=`; a lock lets threads share it.

    >>> import rushlight as torch
    >>> torch.rand(2, generator=torch.Generator().manual_seed(0))
    tensor([0.4963, 0.7682])
    """

    __slots__ = ("__weakref__", "_seed", "lock", "mt", "spare")
    __module__ = "rushlight"

    def __init__(self, device: Any = "cpu") -> None:
        kind = _device(device).type
        if kind == "cuda":
            raise RuntimeError("Cannot get CUDA generator without ATen_cuda library. rushlight draws on the CPU only.")
        if kind != "cpu":
            raise RuntimeError(f"{kind.upper()} device type not an accelerator.")
        self.mt = np.empty(N + 1, np.uint32)
        self.spare = np.zeros(2)
        self.lock = threading.Lock()
        self.manual_seed(_FIRST_SEED)

    @property
    def device(self) -> Any:
        return _device("cpu")

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream that belongs to `seed` (of which the low 32 bits count); returns the generator."""
        if type(seed) is not int:
            raise RuntimeError(f"manual_seed expected a long, but got {type(seed).__name__}")
        if not -(2**63) <= seed < 2**64:
            raise ValueError("Overflow when unpacking long long")
        with self.lock:
            self._seed = seed % 2**64
            seed_(self.mt, self._seed)
            self.spare[:] = 0
        return self

    def seed(self) -> int:
        """Start a stream that nobody can foretell; returns its seed."""
        self.manual_seed(int.from_bytes(os.urandom(8), "little"))
        return self._seed

    def initial_seed(self) -> int:
        """The seed that the stream began with."""
        return self._seed

    def get_state(self) -> Any:
        """The whole state as a uint8 tensor of 5056 elements, byte for byte PyTorch's."""
        with self.lock:
            position, fresh = int(self.mt[N]), self.mt[N] == FRESH
            words = self.mt[:N].astype("<u8").tobytes()
            head = _HEAD.pack(self._seed, 1 if fresh else N + 1 - position, 1, 0 if fresh else position)
            tail = _TAIL.pack(0.0, float(self.spare[0]), 0.0, int(self.spare[1]))
        return wrap(np.frombuffer((head + words + tail).ljust(_SIZE, b"\0"), np.uint8).copy())

    def set_state(self, new_state: Any) -> Generator:
        """Go on from a saved state, one saved by PyTorch too."""
        if not isinstance(new_state, Tensor):
            raise TypeError(f"expected a torch.ByteTensor, but got {type(new_state).__name__}")
        a = new_state._array
        if a.dtype != np.uint8:
            raise TypeError("RNG state must be a torch.ByteTensor")
        if a.size != _SIZE:
            raise RuntimeError(
                f"Expected a CPUGeneratorImplState of size {_SIZE} but found the input RNG state size to be {a.size}"
            )
        data = a.tobytes()
        seed, left, seeded, following = _HEAD.unpack_from(data)
        if seeded != 1 or not 0 < left <= N or following > N:
            raise RuntimeError("Invalid mt19937 state")
        _, spare, _, has_spare = _TAIL.unpack_from(data, _HEAD.size + 8 * N)
        with self.lock:
            self._seed = seed
            self.mt[:N] = np.frombuffer(data, "<u8", N, _HEAD.size)
            self.mt[N] = FRESH if left == 1 and following == 0 else N + 1 - left
            self.spare[:] = (spare, 1) if has_spare else (0, 0)
        return self

    def clone_state(self) -> Generator:
        """A new generator that goes on as this one would."""
        return Generator().set_state(self.get_state())

    def graphsafe_get_state(self) -> Any:
        raise NotImplementedError("graphsafe_get_state is not supported in this Generator")

    def graphsafe_set_state(self, state: Any) -> Any:
        raise NotImplementedError("graphsafe_set_state is not supported in this Generator")

    def get_offset(self) -> int:
        raise RuntimeError("CPU Generator does not use offset")

    def set_offset(self, offset: int) -> None:
        raise RuntimeError("CPU Generator does not use offset")

    def __reduce__(self) -> Any:
        return _restore, (self.get_state().numpy().tobytes(),)


def _restore(state: bytes) -> Generator:
    return Generator().set_state(wrap(np.frombuffer(state, np.uint8).copy()))


default_generator = Generator()
default_generator.seed()


def _renew_lock() -> None:
    default_generator.lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    # Another thread may hold the lock at the moment of a fork, and will never let go of it in the child.
    os.register_at_fork(after_in_child=_renew_lock)


def manual_seed(seed: Any) -> Generator:
    """Seed the default generator; returns it."""
    return default_generator.manual_seed(int(seed))


def seed() -> int:
    """Seed the default generator with a number that nobody can foretell; returns it."""
    return default_generator.seed()


def initial_seed() -> int:
    """The seed that the default generator began with."""
    return default_generator.initial_seed()


def get_rng_state() -> Any:
    """The default generator's state, a uint8 tensor."""
    return default_generator.get_state()


def set_rng_state(new_state: Any) -> None:
    """Put a saved state into the default generator."""
    default_generator.set_state(new_state)
