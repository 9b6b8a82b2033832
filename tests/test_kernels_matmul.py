"""Matrix products against NumPy in float64: every shape of the packed kernel's edges, any strides, broadcasting."""

import itertools

import ml_dtypes
import numpy as np
import pytest

from rushlight.backend import kernels as K
from rushlight.backend.numpy import matmul as reference

BOTH = pytest.mark.parametrize("kernels", [reference, K], ids=["reference", "kernels"])
rng = np.random.default_rng(0)


def normal(*shape, dtype=np.float32):
    return rng.normal(size=shape).astype(dtype)


def check(out, a, b, exact):
    """Within a few roundings of the sum of absolute products, which bounds the error of any order of summation."""
    size = np.abs(a).astype(np.float64) @ np.abs(b).astype(np.float64)
    assert out.shape == exact.shape
    assert out.dtype == a.dtype
    assert isinstance(out, np.ndarray)
    assert np.all(np.abs(out - exact) <= 8 * np.finfo(a.dtype).eps * size + 1e-300)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("m", [1, 2, 13, 14, 15, 29, 100, 500])
def test_matmul_layouts(m, dtype):
    for n, k in itertools.product([1, 15, 16, 17, 33, 70], [0, 1, 16, 25, 100, 400]):
        a, b = normal(m, k, dtype=dtype), normal(k, n, dtype=dtype)
        exact = a.astype(np.float64) @ b.astype(np.float64)
        for left, right in itertools.product([a, np.asfortranarray(a)], [b, np.asfortranarray(b)]):
            check(K.matmul(left, right), a, b, exact)


@BOTH
@pytest.mark.parametrize(
    ("left", "right"),
    [((3, 1, 4, 5), (2, 5, 6)), ((5,), (5,)), ((4, 5), (5,)), ((5,), (5, 3)), ((30, 40, 50), (50, 6)),
     ((30, 4, 50), (30, 50, 6)), ((5,), (2, 5, 3)), ((2, 3, 5), (5,)), ((0, 3), (3, 4)),
     ((2, 0, 3), (3, 4)), ((3, 0), (0, 4))],
)  # fmt: skip
def test_matmul_broadcasts(kernels, left, right):
    a, b = normal(*left), normal(*right)
    check(kernels.matmul(a, b), a, b, np.asarray(a.astype(np.float64) @ b.astype(np.float64)))


def test_matmul_strides():
    a = normal(600, 900)
    for left, right in [(a[::2, ::-3], a[1::2, ::2]), (a[:, ::-1], a.T), (a[:7, :300], a[:300, 5:]), (a[::-1].T, a)]:
        check(K.matmul(left, right), left, right, left.astype(np.float64) @ right.astype(np.float64))
    # An axis of size 1 may have any stride, in a contiguous array too.
    turned = normal(1, 5, 50).transpose(1, 0, 2)
    check(
        K.linear(turned, a[:50, :33].T.copy()),
        turned,
        a[:50, :33],
        turned.astype(np.float64) @ a[:50, :33].astype(np.float64),
    )
    check(K.matmul(turned, a[:50]), turned, a[:50], turned.astype(np.float64) @ a[:50].astype(np.float64))
    wide = np.broadcast_to(normal(1, 64), (30, 64))
    check(K.matmul(wide, a[:64]), wide, a[:64], wide.astype(np.float64) @ a[:64].astype(np.float64))


def test_matmul_many_columns():
    a, b = normal(40, 700), normal(700, 4200)
    check(K.matmul(a, b), a, b, a.astype(np.float64) @ b.astype(np.float64))


@BOTH
@pytest.mark.parametrize("dtype", [np.int32, np.int64, np.uint8])
def test_matmul_other_dtypes(kernels, dtype):
    a, b = rng.integers(0, 9, (4, 5)).astype(dtype), rng.integers(0, 9, (5, 3)).astype(dtype)
    out = kernels.matmul(a, b)
    assert out.dtype == dtype
    np.testing.assert_array_equal(out, (a.astype(np.float64) @ b.astype(np.float64)).astype(dtype))


@BOTH
def test_matmul_complex(kernels):
    a, b = normal(4, 5, 2) @ np.array([1, 1j]), normal(5, 3, 2) @ np.array([1, 1j])
    np.testing.assert_allclose(kernels.matmul(a, b), np.einsum("ij,jk->ik", a, b), atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float16, ml_dtypes.bfloat16])
def test_half_precision_rounds_once(dtype):
    a, b, bias = (normal(*shape).astype(dtype) for shape in [(4, 300), (3, 300), (3,)])
    exact = (a.astype(np.float32) @ b.astype(np.float32).T + bias.astype(np.float32)).astype(dtype)
    out = K.linear(a, b, bias)
    assert out.dtype == dtype
    np.testing.assert_array_equal(out, exact)


@BOTH
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(50,), (7, 50), (3, 7, 50), (130, 50)])
def test_linear(kernels, shape, dtype):
    a, w, bias = normal(*shape, dtype=dtype), normal(33, 50, dtype=dtype), normal(33, dtype=dtype)
    exact = a.astype(np.float64) @ w.astype(np.float64).T
    check(kernels.linear(a, w, None), a, w.T, exact)
    check(kernels.linear(a, w, bias=bias) - bias, a, w.T, exact)
    check(kernels.linear(np.asfortranarray(a), w), a, w.T, exact)


@BOTH
@pytest.mark.parametrize("shape", [(33,), (7, 33), (7, 1), ()])
@pytest.mark.parametrize(("beta", "alpha"), [(1, 1), (0, 2), (0.5, 3)])
def test_addmm(kernels, shape, beta, alpha):
    a, b, c = normal(7, 50), normal(50, 33), normal(*shape)
    exact = beta * c.astype(np.float64) + alpha * (a.astype(np.float64) @ b.astype(np.float64))
    np.testing.assert_allclose(kernels.addmm(c, a, b, beta=beta, alpha=alpha), exact, rtol=1e-4, atol=1e-4)


@BOTH
def test_addmm_ignores_c_for_beta_zero(kernels):
    c = np.full((2, 3), np.nan, np.float32)
    assert np.isfinite(kernels.addmm(c, normal(2, 4), normal(4, 3), 0, 1)).all()


@BOTH
def test_infinities_and_nans(kernels):
    a = np.array([[np.inf, 1], [np.nan, 1], [0, 1]], np.float32)
    b = np.array([[1, 0, -1], [1, 1, np.inf]], np.float32)
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(kernels.matmul(a, b), a @ b)


def test_threads_do_not_change_the_result():
    a, b = normal(300, 500), normal(500, 130)
    before = K.get_num_threads()
    try:
        outs = []
        for n in (1, 2, 3):
            K.set_num_threads(n)
            outs.append([K.matmul(a, b), K.matmul(a[:64], b), K.linear(a[:64], np.ascontiguousarray(b.T))])
    finally:
        K.set_num_threads(before)
    for other in outs[1:]:
        for x, y in zip(outs[0], other, strict=True):
            np.testing.assert_array_equal(x, y)
