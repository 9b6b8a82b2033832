"""Softmax and the losses that end in it, with their gradients, against PyTorch in float64."""

import numpy as np
import pytest

from rushlight.backend import kernels as K
from rushlight.backend.numpy import softmax as reference

torch = pytest.importorskip("torch")
F = torch.nn.functional
BOTH = pytest.mark.parametrize("kernels", [reference, K], ids=["reference", "kernels"])
DTYPES = pytest.mark.parametrize("dtype", [np.float32, np.float64])
rng = np.random.default_rng(0)


def close(out, exact, dtype):
    tolerance = 2e-6 if dtype == np.float32 else 1e-13
    assert out.dtype == dtype
    assert out.shape == tuple(exact.shape)
    np.testing.assert_allclose(out, exact.detach().numpy(), rtol=5 * tolerance, atol=tolerance)


@BOTH
@DTYPES
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize(
    ("shape", "axis"),
    [((3, 10), 1), ((3, 10), 0), ((4, 5, 33), -1), ((4, 5, 33), 1), ((), 0), ((2, 3000), 1), ((64, 300), 1)],
)
def test_softmax(kernels, name, shape, axis, dtype):
    a, g = (np.asarray(rng.normal(size=shape) * scale).astype(dtype) for scale in (4, 1))
    x = torch.from_numpy(a.astype(np.float64)).requires_grad_()
    y = getattr(F, name)(x, axis)
    y.backward(torch.from_numpy(g.astype(np.float64)))
    out = getattr(kernels, name)(a, axis)
    close(out, y, dtype)
    ga = getattr(kernels, f"{name}_backward")(g, out, axis)
    np.testing.assert_allclose(ga, x.grad.numpy(), rtol=1e-4, atol=1e-5 if dtype == np.float32 else 1e-12)


@BOTH
@DTYPES
@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize(
    "row", [[-np.inf, 1, 2], [np.inf, 1, 2], [-np.inf] * 3, [np.nan, 1, 2], [1e30, -1e30, 0], [88, 89, 1e4]]
)
def test_softmax_of_hard_rows(kernels, name, row, dtype):
    a = np.array([row, [1, 2, 3]], dtype)
    exact = getattr(torch, name)(torch.from_numpy(a), 1)
    close(getattr(kernels, name)(a, 1), exact, dtype)
    close(getattr(kernels, name)(np.ascontiguousarray(a.T), 0).T, exact, dtype)


def case(shape, dtype):
    a = (3 * rng.normal(size=shape)).astype(dtype)
    target = rng.integers(0, shape[1], (shape[0], *shape[2:]))
    target.flat[1] = -100
    return a, target, rng.uniform(0.5, 2, shape[1]).astype(dtype)


@BOTH
@DTYPES
@pytest.mark.parametrize("shape", [(4, 5), (70, 40), (4, 5, 3), (2, 5, 3, 2)])
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy(kernels, shape, weighted, reduction, smoothing, dtype):
    a, target, weight = case(shape, dtype)
    weight = weight if weighted else None
    x = torch.from_numpy(a.astype(np.float64)).requires_grad_()
    w = torch.from_numpy(weight.astype(np.float64)) if weighted else None
    y = F.cross_entropy(x, torch.from_numpy(target), w, reduction=reduction, label_smoothing=smoothing)
    g = np.asarray(rng.normal(size=y.shape)).astype(dtype)
    y.backward(torch.from_numpy(g.astype(np.float64)))
    loss, stats, total = kernels.cross_entropy_forward(a, target, weight, -100, smoothing, reduction)
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    assert loss.shape == tuple(y.shape)
    np.testing.assert_allclose(loss, y.detach().numpy(), rtol=tolerance, atol=tolerance)
    ga = kernels.cross_entropy_backward(
        g, a, target, stats, weight, ignore_index=-100, smoothing=smoothing, reduction=reduction, total=total
    )
    assert ga.dtype == dtype
    np.testing.assert_allclose(ga, x.grad.numpy(), rtol=tolerance, atol=tolerance)


@BOTH
@DTYPES
@pytest.mark.parametrize("shape", [(4, 5), (2, 5, 3, 2)])
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
def test_nll(kernels, shape, reduction, dtype):
    a, target, weight = case(shape, dtype)
    for w in (None, weight):
        x = torch.from_numpy(a.astype(np.float64)).requires_grad_()
        exact_weight = None if w is None else torch.from_numpy(w.astype(np.float64))
        y = F.nll_loss(x, torch.from_numpy(target), exact_weight, reduction=reduction)
        g = np.asarray(rng.normal(size=y.shape)).astype(dtype)
        y.backward(torch.from_numpy(g.astype(np.float64)))
        loss, total = kernels.nll_forward(a, target, w, -100, reduction)
        np.testing.assert_allclose(loss, y.detach().numpy(), rtol=1e-5, atol=1e-6)
        ga = kernels.nll_backward(g, a.shape, target, w, -100, reduction, total)
        np.testing.assert_allclose(ga, x.grad.numpy(), rtol=1e-5, atol=1e-6)


@BOTH
@pytest.mark.parametrize("wrong", [5, 7, -1])
def test_target_out_of_bounds(kernels, wrong):
    a, target = np.zeros((2, 5), np.float32), np.array([1, wrong])
    with pytest.raises(IndexError, match=rf"^Target {wrong} is out of bounds\.$"):
        kernels.cross_entropy_forward(a, target)
    with pytest.raises(IndexError, match=rf"^Target {wrong} is out of bounds\.$"):
        kernels.nll_forward(a, target)


@BOTH
@pytest.mark.parametrize("rows", [0, 2])
def test_mean_over_nothing_is_nan(kernels, rows):
    loss, _, _ = kernels.cross_entropy_forward(np.zeros((rows, 5), np.float32), np.full(rows, -100))
    assert np.isnan(loss)
    assert loss.shape == ()


@BOTH
def test_infinite_logits(kernels):
    a = np.array([[np.inf, 0, 1], [-np.inf, 0, 1], [0, -np.inf, 1]], np.float32)
    target = np.array([1, 0, 0])
    exact = F.cross_entropy(torch.from_numpy(a), torch.from_numpy(target), reduction="none")
    loss, _, _ = kernels.cross_entropy_forward(a, target, reduction="none")
    np.testing.assert_allclose(loss, exact.numpy(), rtol=1e-6)
