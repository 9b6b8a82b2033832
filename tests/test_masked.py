"""`torch.masked` where nothing is left, and what it refuses (samples are in samples_namespaces.py)."""

from __future__ import annotations

import math

import numpy as np
import pytest

import rushlight as rl

X = [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]
MASK = [[True, False, True], [False, False, False]]

# The value of a row of which nothing is left, and that of the row [1, 3].
EMPTY = {
    "sum": (4.0, 0.0), "prod": (3.0, 1.0), "amax": (3.0, -math.inf), "amin": (1.0, math.inf), "mean": (2.0, math.nan),
    "median": (1.0, math.nan), "var": (2.0, math.nan), "std": (math.sqrt(2), math.nan), "argmax": (2.0, 0.0),
    "argmin": (0.0, 0.0), "norm": (math.sqrt(10), 0.0),
}  # fmt: skip


@pytest.mark.parametrize("name", EMPTY)
def test_rows_of_which_nothing_is_left(name):
    parameters = (2.0,) if name == "norm" else ()
    found = getattr(rl.masked, name)(rl.tensor(X), *parameters, 1, mask=rl.tensor(MASK))
    np.testing.assert_allclose(found.numpy(), EMPTY[name], rtol=1e-6)


def test_the_masked_elements_get_no_gradient():
    for name in ("sum", "prod", "mean", "var", "amax", "logsumexp"):
        x = rl.tensor(X, requires_grad=True)
        getattr(rl.masked, name)(x, 1, mask=rl.tensor(MASK))[0].backward()
        assert x.grad[0, 1] == 0, name
        assert (x.grad[0] != 0).any(), name


def test_integers():
    x, mask = rl.tensor(X).long(), rl.tensor(MASK)
    assert rl.masked.sum(x, mask=mask).dtype is rl.int64
    assert rl.masked.amax(x, 1, mask=mask).tolist() == [3, -(2**63)]
    with pytest.raises(ValueError, match=r"mean\(\): Could not infer output dtype"):
        rl.masked.mean(x, mask=mask)
    with pytest.raises(ValueError, match="no fully masked out rows"):
        rl.masked.median(x, 1, mask=mask)


def test_a_mask_broadcasts_but_never_the_input():
    assert rl.masked.sum(rl.tensor(X), mask=rl.tensor([True, False, True])).item() == 14
    with pytest.raises(IndexError, match="expected broadcastable mask"):
        rl.masked.sum(rl.ones(3), mask=rl.ones(2, 3).bool())
    with pytest.raises(RuntimeError):
        rl.masked.sum(rl.ones(3), mask=rl.ones(4).bool())


def test_masked_tensors_are_refused_by_name():
    with pytest.raises(NotImplementedError, match="masked_tensor"):
        rl.masked.masked_tensor(rl.ones(2), rl.ones(2).bool())
    assert not rl.masked.is_masked_tensor(rl.ones(2))
