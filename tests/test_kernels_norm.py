"""Norm layers and their gradients against PyTorch in float64."""

import numpy as np
import pytest

from rushlight.backend import kernels as K
from rushlight.backend.numpy import norm as reference

torch = pytest.importorskip("torch")
F = torch.nn.functional
BOTH = pytest.mark.parametrize("kernels", [reference, K], ids=["reference", "kernels"])
rng = np.random.default_rng(0)


@pytest.fixture(params=[np.float32, np.float64])
def dtype(request):
    return request.param


def draw(dtype, *shapes):
    return [rng.normal(size=shape).astype(dtype) for shape in shapes]


def doubles(*arrays):
    return [None if a is None else torch.from_numpy(a.astype(np.float64)).requires_grad_() for a in arrays]


def close(outs, exacts, dtype):
    tolerance = 2e-5 if dtype == np.float32 else 1e-11
    for out, exact in zip(outs, exacts, strict=True):
        if exact is not None:
            assert out.dtype == dtype
            assert out.shape == tuple(exact.shape)
            np.testing.assert_allclose(out, exact.detach().numpy(), rtol=tolerance, atol=tolerance)


def grads(y, g, *leaves):
    y.backward(torch.from_numpy(g.astype(np.float64)))
    return [None if leaf is None else leaf.grad for leaf in leaves]


SHAPES = pytest.mark.parametrize(
    "shape", [(8, 24), (70, 60), (4, 6, 35), (2, 6, 5, 3), (2, 6, 2, 3, 4), (3, 6, 70, 70)]
)
AFFINE = pytest.mark.parametrize("affine", [True, False])


@BOTH
@SHAPES
@AFFINE
def test_batch_norm(kernels, shape, affine, dtype):
    a, g, w, b = draw(dtype, shape, shape, shape[1], shape[1])
    w, b = (w, b) if affine else (None, None)
    x, weight, bias = doubles(a, w, b)
    y = F.batch_norm(x, None, None, weight, bias, True)
    var = np.empty(shape[1], dtype)
    out, mean, invstd = kernels.batch_norm_forward(a, w, b, 1e-5, var_out=var)
    axes = (0, *range(2, len(shape)))
    close((out, mean, var), (y, x.mean(axes), x.var(axes, correction=0)), dtype)
    close(kernels.batch_norm_backward(g, a, w, mean, invstd), grads(y, g, x, weight, bias), dtype)


@BOTH
@SHAPES
def test_batch_norm_with_running_statistics(kernels, shape, dtype):
    a, g, w, b, mean = draw(dtype, shape, shape, shape[1], shape[1], shape[1])
    var = np.abs(mean) + dtype(1)
    x, weight, bias, m, v = doubles(a, w, b, mean, var)
    y = F.batch_norm(x, m.detach(), v.detach(), weight, bias, False)
    invstd = 1 / np.sqrt(var + dtype(1e-5))
    close(kernels.batch_norm_backward(g, a, w, mean, invstd, training=False), grads(y, g, x, weight, bias), dtype)


@BOTH
@pytest.mark.parametrize(
    ("shape", "n_dims"), [((5, 16), 1), ((3, 4, 37), 1), ((2, 3, 4, 5), 2), ((7,), 1), ((130, 500), 1), ((2, 5000), 1)]
)
@AFFINE
def test_layer_norm(kernels, shape, n_dims, affine, dtype):
    inner = shape[-n_dims:]
    a, g, w, b = draw(dtype, shape, shape, inner, inner)
    w, b = (w, b) if affine else (None, None)
    x, weight, bias = doubles(a, w, b)
    y = F.layer_norm(x, inner, weight, bias)
    out, mean, rstd = kernels.layer_norm_forward(a, n_dims, w, b, 1e-5)
    close((out, mean), (y, x.mean(tuple(range(-n_dims, 0)), keepdim=True)), dtype)
    close(kernels.layer_norm_backward(g, a, n_dims, w, mean, rstd), grads(y, g, x, weight, bias), dtype)


@BOTH
@SHAPES
@AFFINE
@pytest.mark.parametrize("groups", [1, 3, 6])
def test_group_norm(kernels, shape, affine, groups, dtype):
    a, g, w, b = draw(dtype, shape, shape, shape[1], shape[1])
    w, b = (w, b) if affine else (None, None)
    x, weight, bias = doubles(a, w, b)
    y = F.group_norm(x, groups, weight, bias)
    out, mean, rstd = kernels.group_norm_forward(a, groups, w, b, 1e-5)
    close((out,), (y,), dtype)
    close(kernels.group_norm_backward(g, a, groups, w, mean, rstd), grads(y, g, x, weight, bias), dtype)


@BOTH
def test_rms_norm(kernels, dtype):
    a, g, w = draw(dtype, (3, 4, 20), (3, 4, 20), 20)
    x, weight = doubles(a, w)
    y = F.rms_norm(x, (20,), weight, 1e-5)
    out, rstd = kernels.rms_norm_forward(a, 1, w, 1e-5)
    close((out,), (y,), dtype)
    close(kernels.rms_norm_backward(g, a, 1, w, rstd), grads(y, g, x, weight), dtype)


@BOTH
def test_large_mean(kernels):
    """The variance is of the differences from the mean, so a mean of 1000 leaves it exact to single precision."""
    a = (rng.normal(size=(4, 2, 3000)) + 1000).astype(np.float32)
    var = np.empty(2, np.float32)
    kernels.batch_norm_forward(a, None, None, 1e-5, var)
    np.testing.assert_allclose(var, a.astype(np.float64).var((0, 2)), rtol=1e-5)


@BOTH
def test_strided_input(kernels):
    a = rng.normal(size=(5, 4, 3, 2)).astype(np.float32).transpose(3, 2, 1, 0)
    same = np.ascontiguousarray(a)
    for f in (
        lambda a: kernels.batch_norm_forward(a, None, None, 1e-5),
        lambda a: kernels.layer_norm_forward(a, 2, None, None, 1e-5),
    ):
        np.testing.assert_allclose(f(a)[0], f(same)[0], atol=1e-6)
