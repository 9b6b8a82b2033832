"""The Mersenne Twister MT19937 as PyTorch's CPU generator uses it: a stream of 32-bit words.

Matsumoto and Nishimura, "Mersenne Twister", ACM TOMACS 8(1), 1998. The whole state is one uint32 array of 625:
the 624 words of the recurrence, then the position of the next word (624: the block is used up; 625: freshly seeded,
which PyTorch's saved states tell apart from it).
"""

from __future__ import annotations

from typing import Any

import numpy as np

N, M = 624, 397
FRESH = N + 1
_UPPER, _LOWER, _MATRIX = np.uint32(0x80000000), np.uint32(0x7FFFFFFF), np.uint32(0x9908B0DF)
_LONG = 20_000  # from this many words on, NumPy's own twister pays for the copy of the state there and back
Array = np.ndarray[Any, np.dtype[Any]]


def seed_(mt: Array, seed: int) -> None:
    """Fill the state from the low 32 bits of `seed`, by Knuth's multiplicative recurrence."""
    word = seed & 0xFFFFFFFF
    words = [word]
    for i in range(1, N):
        word = (1812433253 * (word ^ (word >> 30)) + i) & 0xFFFFFFFF
        words.append(word)
    mt[:N] = words
    mt[N] = FRESH


def _twist_(key: Array) -> None:
    """Advance the recurrence by one block; every word depends on the one 397 places later."""
    mixed = _mix(key[:-1], key[1:])
    key[: N - M] = key[M:] ^ mixed[: N - M]
    key[N - M : 2 * (N - M)] = key[: N - M] ^ mixed[N - M : 2 * (N - M)]
    key[2 * (N - M) : N - 1] = key[N - M : M - 1] ^ mixed[2 * (N - M) :]
    key[N - 1 :] = key[M - 1 : M] ^ _mix(key[N - 1 :], key[:1])


def _mix(high: Array, low: Array) -> Array:
    joined = (high & _UPPER) | (low & _LOWER)
    mixed: Array = (joined >> np.uint32(1)) ^ ((joined & np.uint32(1)) * _MATRIX)
    return mixed


def _temper(y: Array) -> Array:
    y = y ^ (y >> np.uint32(11))
    y ^= (y << np.uint32(7)) & np.uint32(0x9D2C5680)
    y ^= (y << np.uint32(15)) & np.uint32(0xEFC60000)
    y ^= y >> np.uint32(18)
    return y


def mt_words(mt: Array, n: int) -> Array:
    """The next `n` words, uint32."""
    if n >= _LONG:
        return _long_run(mt, n)
    out = np.empty(n, np.uint32)
    position, done = int(mt[N]), 0
    while done < n:
        if position >= N:
            _twist_(mt[:N])
            position = 0
        count = min(N - position, n - done)
        out[done : done + count] = mt[position : position + count]
        position, done = position + count, done + count
    mt[N] = position
    return _temper(out)


def _long_run(mt: Array, n: int) -> Array:
    twister = np.random.MT19937(0)
    twister.state = {"bit_generator": "MT19937", "state": {"key": mt[:N], "pos": min(int(mt[N]), N)}}
    out = twister.random_raw(n).astype(np.uint32)
    state = twister.state["state"]
    mt[:N], mt[N] = state["key"], state["pos"]
    return out


def mt_words64(mt: Array, n: int) -> Array:
    """The next `n` 64-bit values, uint64: two words each, the first one is the high half."""
    words = mt_words(mt, 2 * n).astype(np.uint64)
    joined: Array = (words[0::2] << np.uint64(32)) | words[1::2]
    return joined
