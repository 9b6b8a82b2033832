"""Pools against PyTorch: values, indices, gradients; nan, -inf and ties."""

import numpy as np
import pytest

from rushlight.backend import kernels as K
from rushlight.backend.numpy import pool as reference

torch = pytest.importorskip("torch")
F = torch.nn.functional
BOTH = pytest.mark.parametrize("kernels", [reference, K], ids=["reference", "kernels"])
ND = pytest.mark.parametrize("nd", [1, 2, 3])
rng = np.random.default_rng(0)


def awkward(shape, dtype=np.float64):
    """Ties, two nans in one channel, a channel of -inf."""
    a = np.round(rng.normal(size=shape), 1).astype(dtype)
    a[0, 0].flat[3] = a[0, 0].flat[5] = np.nan
    a[1, 1] = -np.inf
    return a


@BOTH
@ND
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    ("k", "s", "p", "d", "ceil"),
    [
        (2, 2, 0, 1, False),
        (3, 2, 1, 1, True),
        (3, 1, 1, 2, False),
        (2, 3, 1, 1, True),
        (3, 3, 0, 1, True),
        (2, 2, 0, 1, True),
    ],
)
def test_max_pool(kernels, nd, dtype, k, s, p, d, ceil):
    a = awkward((2, 3, *(7, 40, 8)[3 - nd :][:nd]), dtype)
    x = torch.from_numpy(a).requires_grad_()
    y, where = getattr(F, f"max_pool{nd}d")(x, k, s, p, d, ceil, True)
    out, indices = kernels.max_pool_forward(a, (k,) * nd, (s,) * nd, (p,) * nd, (d,) * nd, ceil)
    np.testing.assert_array_equal(out, y.detach().numpy())
    np.testing.assert_array_equal(indices, where.numpy())
    assert out.dtype == dtype
    assert indices.dtype == np.int64
    g = rng.normal(size=y.shape).astype(dtype)
    y.backward(torch.from_numpy(g))
    np.testing.assert_allclose(kernels.max_pool_backward(g, indices, a.shape), x.grad.numpy(), rtol=1e-5, atol=1e-6)


@BOTH
def test_max_pool_of_integers_and_strided_input(kernels):
    a = rng.integers(-9, 9, (2, 3, 6, 6))
    exact = F.max_pool2d(torch.from_numpy(a), 2).numpy()
    np.testing.assert_array_equal(kernels.max_pool_forward(a, (2, 2), (2, 2), (0, 0), (1, 1))[0], exact)
    b = rng.normal(size=(6, 6, 3, 2)).astype(np.float32).transpose(3, 2, 1, 0)
    exact = F.max_pool2d(torch.from_numpy(b), 2).numpy()
    np.testing.assert_array_equal(kernels.max_pool_forward(b, (2, 2), (2, 2), (0, 0), (1, 1))[0], exact)


@BOTH
def test_max_unpool(kernels):
    a = rng.normal(size=(2, 3, 6, 6))
    out, indices = kernels.max_pool_forward(a, (2, 2), (2, 2), (0, 0), (1, 1))
    exact = F.max_unpool2d(torch.from_numpy(out), torch.from_numpy(indices), 2).numpy()
    np.testing.assert_array_equal(kernels.max_unpool(out, indices, a.shape), exact)
    with pytest.raises(RuntimeError, match=r"Found an invalid max index: 36 \(output volumes are of size 6x6\)"):
        kernels.max_unpool(out, np.full_like(indices, 36), a.shape)


@BOTH
@ND
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("include", [True, False])
@pytest.mark.parametrize(
    ("k", "s", "p", "ceil"), [(2, 2, 0, False), (3, 2, 1, True), (2, 3, 1, True), (3, 1, 1, False)]
)
def test_avg_pool(kernels, nd, dtype, include, k, s, p, ceil):
    a = rng.normal(size=(2, 3, *(7, 9, 8)[:nd])).astype(dtype)
    for divisor in (None, 5) if nd > 1 else (None,):
        x = torch.from_numpy(a).requires_grad_()
        y = getattr(F, f"avg_pool{nd}d")(x, k, s, p, ceil, include, *((divisor,) if nd > 1 else ()))
        window = ((k,) * nd, (s,) * nd, (p,) * nd)
        out = kernels.avg_pool_forward(a, *window, ceil, include, divisor)
        np.testing.assert_allclose(out, y.detach().numpy(), rtol=1e-5, atol=1e-6)
        g = rng.normal(size=y.shape).astype(dtype)
        y.backward(torch.from_numpy(g))
        ga = kernels.avg_pool_backward(g, a.shape, *window, include, divisor)
        np.testing.assert_allclose(ga, x.grad.numpy(), rtol=1e-5, atol=1e-6)


@BOTH
def test_avg_pool_of_integers_rounds_towards_zero(kernels):
    a = np.array([[[[-1, -2], [0, 0]]]])
    np.testing.assert_array_equal(
        kernels.avg_pool_forward(a, (2, 2), (2, 2), (0, 0)), F.avg_pool2d(torch.from_numpy(a), 2)
    )


@BOTH
@ND
@pytest.mark.parametrize("size", [1, 3, 7, 10])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_adaptive_pools(kernels, nd, size, dtype):
    a = rng.normal(size=(2, 3, *(7, 39, 8)[:nd])).astype(dtype)
    tolerance = 1e-6 if dtype == np.float32 else 1e-12
    x = torch.from_numpy(a).requires_grad_()
    y = getattr(F, f"adaptive_avg_pool{nd}d")(x, size)
    np.testing.assert_allclose(kernels.adaptive_avg_pool_forward(a, (size,) * nd), y.detach().numpy(), atol=tolerance)
    g = rng.normal(size=y.shape).astype(dtype)
    y.backward(torch.from_numpy(g))
    np.testing.assert_allclose(kernels.adaptive_avg_pool_backward(g, a.shape), x.grad.numpy(), atol=tolerance)
    a = awkward(a.shape)
    y, where = getattr(F, f"adaptive_max_pool{nd}d")(torch.from_numpy(a), size, return_indices=True)
    out, indices = kernels.adaptive_max_pool_forward(a, (size,) * nd)
    np.testing.assert_array_equal(out, y.numpy())
    np.testing.assert_array_equal(indices, where.numpy())


def test_indices_outside_the_plane_are_an_error():
    g, indices = np.ones((1, 1, 2, 2), np.float32), np.full((1, 1, 2, 2), 16)
    with pytest.raises(IndexError):
        K.max_pool_backward(g, indices, (1, 1, 4, 4))
