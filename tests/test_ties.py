"""The positions that sort, in either kernel; where equal elements stand is in `tables_ties.py`."""

from __future__ import annotations

import numpy as np
import pytest

import rushlight as torch
from rushlight.backend import kernels as K


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("kind", [np.int64, np.float64])
def test_positions_sort(kind: type, descending: bool) -> None:
    keys = np.random.default_rng(0).integers(0, 9, (7, 60)).astype(kind)
    places = K.argsort(keys, descending)
    expected = np.sort(keys, 1)[:, :: -1 if descending else 1]
    assert (np.sort(places, 1) == np.arange(60)).all()
    assert (np.take_along_axis(keys, places, 1) == expected).all()
    for k in (1, 20, 60):
        best = K.argtop(keys, k, descending, True)
        assert (np.take_along_axis(keys, best, 1) == expected[:, :k]).all()


def test_each_nan_stands_alone_for_the_mode() -> None:
    nan = float("nan")
    assert torch.tensor([nan, nan, 2.0, 1.0, 1.0]).mode()[0] == 1
    assert torch.tensor([3.0, nan, nan]).mode()[0] == 3
    value, place = torch.tensor([nan, nan]).mode()
    assert value.isnan()
    assert place == 0
