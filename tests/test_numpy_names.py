"""NumPy's names of arguments are taken beside PyTorch's."""

from __future__ import annotations

import pytest

import rushlight as rl

X = rl.tensor([[1.0, 5.0, 2.0], [4.0, 3.0, 6.0]])
NAMES = (
    "max", "min", "argmax", "argmin", "sum", "mean", "var", "std", "amax", "amin", "prod", "logsumexp", "sort", "argsort",
    "cumsum", "cumprod", "cummax", "median", "mode", "nansum", "all", "any", "softmax", "log_softmax", "diff",
)  # fmt: skip


def same(a, b):
    pairs = zip(a, b, strict=True) if isinstance(a, tuple) else [(a, b)]
    return all(rl.equal(x, y) for x, y in pairs)


@pytest.mark.parametrize("name", NAMES)
def test_axis_is_dim(name):
    assert same(getattr(rl, name)(X, axis=1), getattr(rl, name)(X, dim=1))
    assert same(getattr(X, name)(axis=0), getattr(X, name)(dim=0))


def test_keepdims_is_keepdim():
    assert X.max(axis=1, keepdims=True).values.shape == (2, 1)
    assert rl.linalg.vector_norm(X, axis=1, keepdims=True).shape == (2, 1)
    assert rl.equal(rl.fft.fft(X, axis=0), rl.fft.fft(X, dim=0))


def test_a_name_unknown_to_both_is_refused():
    with pytest.raises(TypeError):
        X.max(axes=1)


def test_sizes_by_name():
    assert rl.equal(X.flip(dims=(0,)), X.flip(0))
    assert rl.equal(X.tile(dims=(2, 1)), X.repeat(repeats=(2, 1)))
