"""Convolution and its gradients against PyTorch in float64, and the native kernels against the NumPy ones."""

import numpy as np
import pytest

from rushlight.backend import kernels as K
from rushlight.backend.numpy import conv as reference

BOTH = pytest.mark.parametrize("kernels", [reference, K], ids=["reference", "kernels"])
rng = np.random.default_rng(0)

# batch, channels in and out, groups, size, kernel, stride, padding, dilation
CASES = [
    (2, 3, 6, 1, 9, 5, 1, 0, 1),
    (3, 4, 8, 2, 9, 3, 2, 1, 1),
    (1, 8, 8, 8, 12, 3, 1, 1, 1),
    (2, 4, 20, 1, 7, 3, 2, 2, 2),
    (5, 6, 4, 2, 8, 2, 3, 1, 2),
    (3, 20, 33, 1, 5, 3, 1, 1, 1),
    (2, 3, 5, 1, 6, 1, 2, 0, 1),
    (3, 8, 40, 1, 7, 1, 1, 0, 1),
    (2, 40, 6, 2, 5, 1, 1, 0, 1),
    (5, 40, 36, 1, 5, 3, 1, 1, 1),
    (2, 80, 64, 2, 6, 3, 2, 1, 1),
    (7, 70, 3, 1, 4, 3, 1, 1, 1),
    (2, 8, 16, 8, 9, 3, 2, 1, 1),
    (2, 3, 4, 1, 6, 2, 4, 0, 1),
    (2, 3, 4, 1, 6, 3, 1, 3, 1),
]


def arrays(case, nd, dtype):
    n, c, o, groups, size, k, stride, padding, dilation = case
    spatial = tuple(size + i for i in range(nd))
    a, w, b = (rng.normal(size=shape).astype(dtype) for shape in [(n, c, *spatial), (o, c // groups, *[k] * nd), (o,)])
    return a, w, b, ((stride,) * nd, (padding,) * nd, (dilation,) * nd, groups)


def close(out, exact, terms=1):
    eps = np.finfo(out.dtype).eps
    assert out.shape == exact.shape
    np.testing.assert_allclose(out, exact, rtol=100 * eps, atol=20 * eps * terms)


@BOTH
@pytest.mark.parametrize("nd", [1, 2, 3])
@pytest.mark.parametrize("case", CASES)
def test_against_torch(kernels, case, nd):
    torch = pytest.importorskip("torch")
    a, w, b, geometry = arrays(case, nd, np.float64)
    x, weight = torch.from_numpy(a).requires_grad_(), torch.from_numpy(w).requires_grad_()
    y = getattr(torch.nn.functional, f"conv{nd}d")(x, weight, torch.from_numpy(b), *geometry)
    g = rng.normal(size=y.shape)
    y.backward(torch.from_numpy(g))
    close(kernels.conv_forward(a, w, b, *geometry), y.detach().numpy(), w[0].size)
    close(kernels.conv_grad_input(g, w, a.shape, *geometry), x.grad.numpy(), w[0].size)
    close(kernels.conv_grad_weight(g, a, w.shape, *geometry), weight.grad.numpy(), g.size)


@BOTH
@pytest.mark.parametrize("nd", [1, 2, 3])
def test_transposed_convolution(kernels, nd):
    torch = pytest.importorskip("torch")
    g, w = rng.normal(size=(2, 4, *[5] * nd)), rng.normal(size=(4, 3, *[3] * nd))
    transposed = getattr(torch.nn.functional, f"conv_transpose{nd}d")
    for stride, padding, extra, dilation in [(1, 0, 0, 1), (2, 1, 1, 1), (3, 0, 2, 2)]:
        exact = transposed(torch.from_numpy(g), torch.from_numpy(w), None, stride, padding, extra, 1, dilation).numpy()
        geometry = ((stride,) * nd, (padding,) * nd, (dilation,) * nd, 1)
        close(kernels.conv_grad_input(g, w, exact.shape, *geometry), exact, 4 * 3**nd)


@pytest.mark.parametrize("nd", [1, 2, 3])
@pytest.mark.parametrize("case", CASES)
def test_single_precision_and_strides(case, nd):
    a, w, b, geometry = arrays(case, nd, np.float32)
    wide, weight = a.astype(np.float64), w.astype(np.float64)
    exact = reference.conv_forward(wide, weight, b.astype(np.float64), *geometry)
    g = rng.normal(size=exact.shape).astype(np.float32)
    channels_last = np.moveaxis(np.ascontiguousarray(np.moveaxis(a, 1, -1)), -1, 1)
    for same in (a, channels_last):
        close(K.conv_forward(same, w, b, *geometry), exact, w[0].size)
        close(
            K.conv_grad_weight(np.asfortranarray(g), same, w.shape, *geometry),
            reference.conv_grad_weight(g.astype(np.float64), wide, w.shape, *geometry),
            g.size,
        )
    close(
        K.conv_grad_input(g[..., ::-1], w, a.shape, *geometry),
        reference.conv_grad_input(g[..., ::-1].astype(np.float64), weight, a.shape, *geometry),
        w[0].size,
    )


@BOTH
def test_complex(kernels):
    torch = pytest.importorskip("torch")
    a, w = rng.normal(size=(2, 3, 7, 2)) @ [1, 1j], rng.normal(size=(4, 3, 3, 2)) @ [1, 1j]
    exact = torch.conv1d(torch.from_numpy(a), torch.from_numpy(w)).numpy()
    np.testing.assert_allclose(kernels.conv_forward(a, w, None, (1,), (0,), (1,), 1), exact, atol=1e-12)


def test_half_precision():
    a, w = rng.normal(size=(2, 3, 8, 8)).astype(np.float16), rng.normal(size=(4, 3, 3, 3)).astype(np.float16)
    geometry = ((1, 1), (1, 1), (1, 1), 1)
    exact = reference.conv_forward(a.astype(np.float32), w.astype(np.float32), None, *geometry)
    out = K.conv_forward(a, w, None, *geometry)
    assert out.dtype == np.float16
    np.testing.assert_allclose(out, exact, rtol=1e-3, atol=1e-3)


@BOTH
def test_grad_weight_of_an_infinite_corner(kernels):
    """The corner meets one tap only; the zeros between padded rows must not make it nan elsewhere."""
    a = np.ones((1, 1, 8, 8), np.float32)
    a[0, 0, 0, 7] = np.inf
    gw = kernels.conv_grad_weight(np.ones((1, 1, 6, 6), np.float32), a, (1, 1, 3, 3), (1, 1), (0, 0), (1, 1), 1)
    assert np.isinf(gw[0, 0, 0, 2])
    assert np.isfinite(np.delete(gw.reshape(-1), 2)).all()


@BOTH
def test_nan_stays_in_its_windows(kernels):
    a = np.zeros((1, 1, 8, 8), np.float32)
    a[0, 0, 3, 7] = np.nan
    out = kernels.conv_forward(a, np.ones((1, 1, 3, 3), np.float32), None, (1, 1), (1, 1), (1, 1), 1)
    expected = np.zeros((8, 8), bool)
    expected[2:5, 6:] = True
    np.testing.assert_array_equal(np.isnan(out[0, 0]), expected)


def test_threads_do_not_change_the_result():
    geometry = ((1, 1), (1, 1), (1, 1), 1)
    before = K.get_num_threads()
    outs = []
    try:
        for n in (1, 2, 3):
            K.set_num_threads(n)
            out = []
            for batch in (1, 5):
                local = np.random.default_rng(1)
                a, w = (local.normal(size=s).astype(np.float32) for s in [(batch, 12, 20, 20), (16, 12, 3, 3)])
                y = K.conv_forward(a, w, None, *geometry)
                out += [y, K.conv_grad_input(y, w, a.shape, *geometry), K.conv_grad_weight(y, a, w.shape, *geometry)]
            outs.append(out)
    finally:
        K.set_num_threads(before)
    for other in outs[1:]:
        for x, y in zip(outs[0], other, strict=True):
            np.testing.assert_array_equal(x, y)
