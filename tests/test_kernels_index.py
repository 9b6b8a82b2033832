"""Looking up and adding by index, against PyTorch."""

import ml_dtypes
import numpy as np
import pytest

from rushlight.backend import kernels as K
from rushlight.backend.numpy import index as reference

torch = pytest.importorskip("torch")
BOTH = pytest.mark.parametrize("kernels", [reference, K], ids=["reference", "kernels"])
rng = np.random.default_rng(0)


@BOTH
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("padding", "by_freq"), [(None, False), (2, False), (2, True)])
@pytest.mark.parametrize("shape", [(3, 4), (7,), (), (0,)])
def test_embedding(kernels, dtype, padding, by_freq, shape):
    ids, w = rng.integers(0, 6, shape), rng.normal(size=(6, 70)).astype(dtype)
    ids = np.asarray(ids)
    g = np.asarray(rng.normal(size=(*shape, 70))).astype(dtype)
    weight = torch.from_numpy(w).requires_grad_()
    y = torch.nn.functional.embedding(torch.from_numpy(ids), weight, padding, scale_grad_by_freq=by_freq)
    y.backward(torch.from_numpy(g))
    np.testing.assert_array_equal(kernels.embedding(w, ids), y.detach().numpy())
    gw = kernels.embedding_backward(g, ids, 6, padding_idx=padding, scale_by_freq=by_freq)
    np.testing.assert_allclose(gw, weight.grad.numpy(), rtol=1e-5, atol=1e-6)


@BOTH
@pytest.mark.parametrize("dtype", [np.int64, ml_dtypes.bfloat16, np.complex64])
def test_embedding_of_any_dtype(kernels, dtype):
    w, ids = rng.integers(0, 9, (6, 3)).astype(dtype), rng.integers(0, 6, (2, 4))
    np.testing.assert_array_equal(kernels.embedding(w, ids), w[ids])


@BOTH
@pytest.mark.parametrize("wrong", [6, -1])
def test_embedding_out_of_range(kernels, wrong):
    w, ids = np.zeros((6, 3), np.float32), np.array([0, wrong])
    with pytest.raises(IndexError, match=r"^index out of range in self$"):
        kernels.embedding(w, ids)
    with pytest.raises(IndexError, match=r"^index out of range in self$"):
        kernels.embedding_backward(np.zeros((2, 3), np.float32), ids, 6)
    with pytest.raises(IndexError, match=r"^index out of range in self$"):
        kernels.index_add_(w, 0, ids, np.zeros((2, 3), np.float32))


@BOTH
@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.int64])
@pytest.mark.parametrize("axis", [0, 1, 2, -1])
@pytest.mark.parametrize("alpha", [1, 2])
def test_index_add(kernels, dtype, axis, alpha):
    a = (9 * rng.normal(size=(4, 5, 90))).astype(dtype)
    shape = list(a.shape)
    shape[axis] = 7
    ids, src = rng.integers(0, a.shape[axis], 7), (9 * rng.normal(size=shape)).astype(dtype)
    exact = (
        torch.from_numpy(a.copy()).index_add_(axis, torch.from_numpy(ids), torch.from_numpy(src), alpha=alpha).numpy()
    )
    out = a.copy()
    kernels.index_add_(out, axis, ids, src, alpha)
    np.testing.assert_allclose(out, exact, rtol=1e-5, atol=1e-5)
    turned = a.transpose(2, 0, 1).copy().transpose(1, 2, 0)
    kernels.index_add_(turned, axis, ids, src, alpha)
    np.testing.assert_allclose(turned, exact, rtol=1e-5, atol=1e-5)


@BOTH
def test_index_add_from_itself(kernels):
    a = np.arange(6, dtype=np.float32).reshape(3, 2)
    kernels.index_add_(a, 0, np.array([2, 0, 0]), a[::1])
    assert a[1].tolist() == [2, 3]


@BOTH
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_scatter_add(kernels, axis):
    a, src = rng.normal(size=(4, 5, 3)), rng.normal(size=(4, 7, 3))
    ids = rng.integers(0, a.shape[axis], (3, 4, 2))
    exact = torch.from_numpy(a.copy()).scatter_add_(axis, torch.from_numpy(ids), torch.from_numpy(src)).numpy()
    kernels.scatter_add_(a, axis, ids, src)
    np.testing.assert_allclose(a, exact, rtol=1e-12)


@BOTH
def test_scatter_add_out_of_range(kernels):
    with pytest.raises(RuntimeError, match=r"^index 3 is out of bounds for dimension 0 with size 3$"):
        kernels.scatter_add_(np.zeros((3, 2)), 0, np.array([[3]]), np.ones((1, 2)))


@BOTH
def test_scalars(kernels):
    a = np.zeros(())
    kernels.index_add_(a, 0, np.array([0]), np.ones(()))
    kernels.scatter_add_(a, 0, np.array(0), np.ones(()))
    assert a == 2
