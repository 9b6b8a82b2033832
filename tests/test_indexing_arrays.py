"""Indexing arrays: PyTorch's shapes, values, views and errors for random and for chosen indices."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest

from rushlight.backend import indexing

SHAPES = [(), (3,), (1,), (0,), (2, 3), (3, 0), (2, 3, 4), (3, 1, 2), (2, 3, 2, 3)]


def random_item(rng: np.random.Generator, shape: tuple[int, ...], axis: int) -> tuple[Any, int]:
    """An item of an index, most often a valid one, and the number of dimensions that it uses up."""
    size = shape[axis] if axis < len(shape) else 2
    position = lambda *n: rng.integers(-size, max(size, 1 - size), n) if size else np.zeros(n, np.int64)
    match rng.integers(12):
        case 0:
            return int(rng.integers(-size - (rng.random() < 0.1), size + (rng.random() < 0.1) + (size == 0))), 1
        case 1 | 2:
            ends = [None, *range(-3, 4)]
            return slice(rng.choice(ends), rng.choice(ends), rng.choice([None, 1, 2, 3])), 1
        case 3:
            return None, 0
        case 4:
            return ..., 0
        case 5:
            return bool(rng.random() < 0.8), 0
        case 6:
            return rng.random((size,)) < 0.6, 1
        case 7:
            return np.asarray(rng.random(shape[axis : axis + 2]) < 0.6), len(shape[axis : axis + 2])
        case 8:
            return position(int(rng.choice([1, 2, 2, 3]))).tolist(), 1
        case 9:
            return position(2, int(rng.choice([1, 2]))), 1
        case 10:
            return np.asarray(position()), 1
        case _:
            wild = position(2) + (rng.random() < 0.1) * 2
            return wild.astype(rng.choice([np.int32, np.int64])), 1


def random_index(rng: np.random.Generator, shape: tuple[int, ...]) -> Any:
    items: list[Any] = []
    axis = 0
    for _ in range(rng.integers(1, len(shape) + 3)):
        item, used = random_item(rng, shape, axis)
        if item is ... and any(other is ... for other in items):
            continue
        items.append(item)
        axis += used
    return items[0] if len(items) == 1 else tuple(items)


def as_torch(index: Any) -> Any:
    import torch

    if isinstance(index, tuple):
        return tuple(map(as_torch, index))
    if isinstance(index, list):
        return [torch.from_numpy(item) if isinstance(item, np.ndarray) else item for item in index]
    return torch.from_numpy(index) if isinstance(index, np.ndarray) else index


def outcome(call: Any) -> Any:
    """What a call returns, or its exception's type and first line."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return call()
        except Exception as error:
            return type(error), str(error).split("\n")[0]


def compare_read(shape: tuple[int, ...], index: Any) -> None:
    import torch

    a = np.arange(np.prod(shape, dtype=int), dtype=np.float32).reshape(shape)
    x = torch.from_numpy(a.copy())
    expected = outcome(lambda: x[as_torch(index)])
    got = outcome(lambda: indexing.getitem(a, index))
    if isinstance(expected, tuple) or isinstance(got[0], type):
        assert isinstance(got[0], type), (shape, index, expected)
        assert got == expected, (shape, index)
        return
    assert isinstance(got[0], np.ndarray), (shape, index, got)
    assert got[0].shape == expected.shape, (shape, index)
    np.testing.assert_array_equal(got[0], expected.numpy(), err_msg=str((shape, index)))
    assert got[1] == expected._is_view(), (shape, index)
    if got[0].size:
        assert np.shares_memory(got[0], a) == got[1], (shape, index)


def compare_write(rng: np.random.Generator, shape: tuple[int, ...], index: Any, accumulate: bool) -> None:
    import torch

    a = np.arange(np.prod(shape, dtype=int), dtype=np.float32).reshape(shape)
    x = torch.from_numpy(a.copy())
    found = outcome(lambda: indexing.getitem(a.copy(), index)[0])
    result_shape = found.shape if isinstance(found, np.ndarray) else (2,)
    # Equal values everywhere but in the first dimension of unique indices: which duplicate wins is free.
    value_shape = tuple(n if rng.random() < 0.7 else 1 for n in result_shape)[rng.integers(len(result_shape) + 1) :]
    value_shape = (1,) * int(rng.integers(2)) + value_shape + ((5,) if rng.random() < 0.05 else ())
    value = np.full(value_shape, 7.0, np.float32)
    if accumulate:
        value += rng.integers(0, 9, value_shape).astype(np.float32)
        y = torch.zeros(x.shape, requires_grad=True)
        read = outcome(lambda: y[as_torch(index)])
        if isinstance(read, tuple):
            return
        grad = rng.integers(0, 9, tuple(read.shape)).astype(np.float32)
        read.backward(torch.from_numpy(grad))
        total = np.zeros(shape, np.float32)
        indexing.accumulate_(total, index, grad)
        np.testing.assert_array_equal(total, y.grad.numpy(), err_msg=str((shape, index)))
        return
    scalar = rng.random() < 0.2
    expected = outcome(lambda: x.__setitem__(as_torch(index), 5 if scalar else torch.from_numpy(value)))
    got = outcome(lambda: indexing.setitem_(a, index, 5 if scalar else value))
    assert got == expected, (shape, index, value_shape)
    if expected is None:
        np.testing.assert_array_equal(a, x.numpy(), err_msg=str((shape, index, value_shape)))


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_random_indices(shape: tuple[int, ...]) -> None:
    pytest.importorskip("torch")
    rng = np.random.default_rng(len(shape) + sum(shape))
    for _ in range(250):
        index = random_index(rng, shape)
        compare_read(shape, index)
        compare_write(rng, shape, index, accumulate=False)
        compare_write(rng, shape, index, accumulate=True)


class Two:
    def __index__(self) -> int:
        return 1


M = np.array([[False, True, True], [True, True, True]])
CHOSEN: list[Any] = [
    5, -3, (0, 0, 0, 0), (0, 5), (None, 5), (slice(None), None, slice(None), 9), slice(0, 1, -1),
    slice(None, None, 0), 1.5, (0, 1.5), {0}, "a", (0, "a"), 1j, [1j], 2**70, [2**70], np.bool_(True), np.float32(1),
    object(), Two(), (0, Two()), np.int64(1), (0, np.int32(1)), np.array(True), np.array(1, np.int8),
    np.array(2, np.uint8), np.array([0.0]), np.array([0, 1], np.int8), np.array([0, 1], np.uint8), np.array([5]),
    (0, [5]), ([0, 7], [9, 0]), ([0, 1], [0, 1, 2]), [True, False], [True, 1], [[0, 1], [1, 0]], [[0, 1], None],
    [slice(0, 1)], [0, slice(0, 1)], [...], [None], [[[0, 1]]], [np.array([0, 1]), np.array([1, 0])], [0] * 40,
    [[0]] * 40, range(2), (), (0, (1, 2)), [], [[]], ([], slice(None), []), (M, 0), (M, [0]), (M, None),
    (slice(None), M), (..., M), (M, 0, 0), np.array([True, False, True]), (0, slice(None), [1, 2]),
    ([0], slice(None), [1, 2]), (slice(None), 0, [1, 2]), ([0, 1], None, [0, 1]), ([0, 1], True, [0, 1]),
    (True, [0, 1]), (np.array(False), [0, 1]), (slice(None), slice(None), slice(None), 0), (0, ..., 0, 0, 0), b"ab",
    slice(0, 2.5), slice("a", None), (slice(np.int64(0), np.int64(1)), 0), slice(None, None, np.int64(2)),
]  # fmt: skip


@pytest.mark.parametrize("index", CHOSEN, ids=map(str, range(len(CHOSEN))))
def test_chosen_indices(index: Any) -> None:
    pytest.importorskip("torch")
    compare_read((2, 3, 4), index)


@pytest.mark.parametrize(
    "index", [0, slice(None), (0,), (slice(None),), None, True, [], [0], ..., np.array(True), np.array(0)]
)
def test_chosen_indices_of_a_scalar(index: Any) -> None:
    pytest.importorskip("torch")
    compare_read((), index)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int32", "int64", "float16", "float32", "float64", "bool"])
def test_scalars_that_fit_and_that_do_not(dtype: str) -> None:
    torch = pytest.importorskip("torch")
    inf, nan = float("inf"), float("nan")
    for value in [300, -1, -300, 200, 2.7, -2.7, nan, inf, 1e30, 2**33, 2**70, 1e300, True, 0.5, 1j, 1 + 0j, -129, 128]:
        for index in (0, [0]):
            a, x = np.zeros(2, dtype), torch.zeros(2, dtype=getattr(torch, dtype))
            expected = outcome(lambda x=x, i=index, v=value: x.__setitem__(i, v))
            assert outcome(lambda a=a, i=index, v=value: indexing.setitem_(a, i, v)) == expected, (value, index)
            np.testing.assert_array_equal(a, x.numpy())


def test_dtypes_of_a_written_array() -> None:
    a = np.zeros(3, np.float32)
    indexing.setitem_(a, 0, np.array(2, np.int64))
    assert a[0] == 2
    with pytest.raises(RuntimeError, match="Index put requires the source and destination dtypes match, got Float"):
        indexing.setitem_(a, [0], np.array(2, np.int64))
    with pytest.warns(UserWarning, match="discards the imaginary part"):
        indexing.setitem_(a, 0, np.array(3 + 1j))
    assert a[0] == 3


def test_an_empty_choice_writes_nothing() -> None:
    a = np.zeros(3, np.float32)
    indexing.setitem_(a, np.array([False, False, False]), np.ones(1, np.float32))
    indexing.setitem_(a, False, np.ones(7, np.float32))
    assert not a.any()


def test_accumulate_collects_in_float32_for_half() -> None:
    a = np.zeros(2, np.float16)
    indexing.accumulate_(a, np.zeros(4000, np.int64), np.ones(4000, np.float16))
    assert a.tolist() == [4000, 0]


@pytest.mark.parametrize("dtype", ["int8", "int64", "uint8", "float16", "float64", "complex64", "complex128"])
@pytest.mark.parametrize(
    "index", [([0, 2, 0, -1],), (slice(None), [1, 1, 0]), ([0, 1, 1], slice(1, 3), [1, 1, 0])], ids=str
)
def test_accumulate_every_dtype(dtype: str, index: Any) -> None:
    rng = np.random.default_rng(0)
    for a in (np.ones((3, 4, 2), dtype), np.ones((2, 4, 3), dtype).T):
        view = a[index]
        value = rng.integers(0, 5, view.shape).astype(dtype)
        expected = a.copy()
        np.add.at(expected, index, value)
        indexing.accumulate_(a, index, value)
        np.testing.assert_array_equal(a, expected)
