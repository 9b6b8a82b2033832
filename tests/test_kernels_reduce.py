"""The reductions against float64 NumPy, in every pattern of kept and reduced axes."""

import itertools

import ml_dtypes
import numpy as np
import pytest

from rushlight.backend import kernels as K

SHAPES = [(), (1,), (7,), (3, 5), (4, 1, 6), (2, 3, 4, 5), (70, 33), (3, 2500), (1500, 3), (2, 40, 3, 129)]
TOLERANCE = {np.dtype(np.float32): 1e-6, np.dtype(np.float64): 1e-12}


def every_axis(ndim):
    yield None
    for n in range(1, ndim + 1):
        yield from itertools.combinations(range(ndim), n)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["sum", "mean", "var", "amax", "amin"])
def test_against_float64(name, dtype):
    rng = np.random.default_rng(0)
    for shape in SHAPES:
        a = np.asarray(rng.standard_normal(shape), dtype)
        for axis, keepdims in itertools.product(every_axis(a.ndim), (False, True)):
            b = a.astype(np.float64)
            with np.errstate(all="ignore"):
                if name == "var":
                    n = a.size if axis is None else np.prod([a.shape[d] for d in axis])
                    expected = np.var(b, axis, keepdims=keepdims) * (n / max(n - 1, 0) if n != 1 else np.nan)
                else:
                    expected = getattr(np, name)(b, axis, keepdims=keepdims)
            out = getattr(K, name)(a, axis, keepdims)
            assert out.__class__ is np.ndarray
            assert out.dtype == dtype
            np.testing.assert_allclose(
                out, expected, rtol=TOLERANCE[a.dtype] * 10, atol=TOLERANCE[a.dtype] * a.size**0.5, strict=False
            )
            assert out.shape == np.shape(expected)


@pytest.mark.parametrize("name", ["argmax", "argmin"])
def test_arg_takes_the_first_of_equals_and_nan_before_all(name):
    rng = np.random.default_rng(1)
    for shape in ((1,), (9,), (3, 5), (40, 70), (2, 3, 100), (70000,)):
        a = rng.integers(0, 5, shape).astype(np.float32)
        if a.size > 6:
            a.flat[5] = np.nan
        for axis in (None, *range(a.ndim)):
            out = getattr(K, name)(a, axis)
            np.testing.assert_array_equal(out, getattr(np, name)(a, axis))
            assert out.dtype == np.int64
            assert getattr(K, name)(a, axis, True).shape == getattr(np, name)(a, axis, keepdims=True).shape


@pytest.mark.parametrize("where", [0, 3, 40, 69])
def test_nan_wins(where):
    a = np.arange(70, dtype=np.float32)
    a[where] = np.nan
    for shape in ((70,), (7, 10), (70, 1), (2, 35)):
        b = a.reshape(shape)
        for axis in (None, *((d,) for d in range(b.ndim))):
            np.testing.assert_array_equal(K.amax(b, axis), np.max(b, axis))
            np.testing.assert_array_equal(K.amin(b, axis), np.min(b, axis))


def test_integers_and_booleans_sum_to_int64():
    for dtype in (bool, np.uint8, np.int32, np.int64):
        out = K.sum(np.ones((3, 4), dtype), (1,))
        assert out.dtype == np.int64
        assert out.tolist() == [4, 4, 4]
    assert K.prod(np.array([2, 3], np.int8)).dtype == np.int64


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_half_accumulates_wider(dtype):
    a = np.ones(5000, dtype)
    assert float(K.sum(a)) == float(np.asarray(5000).astype(dtype))
    assert float(K.mean(a)) == 1
    assert float(K.amax(a)) == 1
    assert K.sum(a).dtype == dtype


def test_float32_sum_is_accurate():
    a = np.full((1 << 20, 2), 0.1, np.float32)
    exact = np.float64(np.float32(0.1)) * a.shape[0]
    np.testing.assert_allclose(K.sum(a, (0,)), exact, rtol=1e-7)
    np.testing.assert_allclose(K.sum(a), 2 * exact, rtol=5e-7)


def test_results_do_not_depend_on_threads():
    a = np.random.default_rng(2).standard_normal((3, 300, 700)).astype(np.float32)
    before = K.get_num_threads()
    try:
        results = []
        for n in (1, 2, 3):
            K.set_num_threads(n)
            results.append([K.sum(a, axis) for axis in (None, (0,), (1,), (2,), (0, 2))] + [K.var(a, (2,))])
        for other in results[1:]:
            for x, y in zip(results[0], other, strict=True):
                np.testing.assert_array_equal(x, y)
    finally:
        K.set_num_threads(before)


def test_strided_arrays():
    a = np.random.default_rng(3).standard_normal((20, 30)).astype(np.float32)
    for b in (
        a.T,
        a[::2, 1:],
        a[:, ::-1],
        np.broadcast_to(a[0], a.shape),
        a.reshape(2, 3, 4, 25).transpose(0, 3, 1, 2),
    ):
        for axis in (*every_axis(b.ndim), ()):
            exact = b.astype(float).sum(axis)
            np.testing.assert_allclose(K.sum(b, axis), exact, rtol=1e-5, atol=1e-5, strict=False)
            np.testing.assert_array_equal(K.amax(b, axis), b.max(axis))
        for axis in (None, *range(b.ndim)):
            np.testing.assert_array_equal(K.argmax(b, axis), b.argmax(axis))


def test_empty():
    a = np.empty((0, 3), np.float32)
    assert K.sum(a).tolist() == 0
    assert np.isnan(K.mean(a, (0,))).all()
    assert K.sum(a, (0,)).tolist() == [0, 0, 0]


def test_logsumexp():
    a = np.array([[1000.0, 1000.0], [-np.inf, -np.inf], [np.inf, 0.0]], np.float32)
    np.testing.assert_allclose(K.logsumexp(a, (1,)), [1000 + np.log(2), -np.inf, np.inf], rtol=1e-6)
    assert K.logsumexp(a, (1,), True).shape == (3, 1)
    assert K.logsumexp(a).shape == ()


def test_cumulative():
    a = np.random.default_rng(4).standard_normal((5, 1000)).astype(np.float32)
    np.testing.assert_allclose(K.cumsum(a, 1), np.cumsum(a.astype(float), 1), rtol=1e-6, atol=1e-6)
    assert K.cumsum(np.ones(3, np.int8), 0).dtype == np.int64
    np.testing.assert_allclose(K.cumprod(a[:, :20], (0,)), np.cumprod(a[:, :20].astype(float), 0), rtol=1e-6)
