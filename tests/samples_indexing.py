"""Samples of gathering, scattering, masking and taking."""

from __future__ import annotations

import numpy as np

from samples import Sample, operator

ROWS = np.array([2, 0, 2])


@operator("gather")
def _gather(make):
    yield make(3, 4), 1, make.integers(3, 2, low=0, high=4)
    yield make(3, 4), 0, make.integers(2, 4, low=0, high=3)


@operator("take_along_dim", layout=False)  # PyTorch refuses some
def _take_along_dim(make):
    yield make(3, 4), make.integers(3, 2, low=0, high=4), 1
    yield make(3, 4), make.integers(5, low=0, high=12)


@operator("take")
def _take(make):
    yield make(3, 4), make.integers(2, 3, low=-12, high=12)


@operator("put")
def _put(make):
    yield make(3, 4), np.array([1, 5, -1]), make(3)
    yield make(3, 4), np.array([1, 5, 1]), make(3), True


@operator("index_select")
def _index_select(make):
    yield make(3, 4), 0, ROWS
    yield make(3, 4), 1, np.array([3, 3])


@operator("index_add")
def _index_add(make):
    yield make(3, 4), 0, ROWS, make(3, 4)
    yield Sample(make(3, 4), 1, np.array([1, 3]), make(3, 2), alpha=-2)


@operator("index_copy")
def _index_copy(make):
    yield make(3, 4), 0, np.array([2, 0]), make(2, 4)


@operator("index_fill")
def _index_fill(make):
    yield make(3, 4), 0, np.array([2, 0]), 7.0
    yield make(3, 4), 1, np.array([2, 0]), make()


@operator("index_put")
def _index_put(make):
    yield make(3, 4), (np.array([0, 2]), np.array([1, 1])), make(2)
    yield make(3, 4), (np.array([0, 0]),), make(4), True
    yield make(3, 4), (make.bools(3, 4),), make()


for _reduce in ("sum", "prod", "mean", "amax", "amin"):

    @operator(f"scatter_reduce:{_reduce}", function=lambda package: package.scatter_reduce)
    def _scatter_reduce(make, kind=_reduce):
        yield make(3, 4), 1, make.integers(3, 4, low=0, high=4), make(3, 4), kind
        yield Sample(make(3, 4), 0, make.integers(2, 4, low=0, high=3), make(2, 4), kind, include_self=False)


for _reduce in ("prod", "mean", "amax", "amin"):

    @operator(f"index_reduce:{_reduce}", function=lambda package: package.index_reduce)
    def _index_reduce(make, kind=_reduce):
        yield make(3, 4), 0, ROWS, make(3, 4), kind
        yield Sample(make(3, 4), 0, ROWS, make(3, 4), kind, include_self=False)


@operator("scatter")
def _scatter(make):
    yield make(3, 4), 1, np.array([[0, 2], [1, 3], [3, 0]]), make(3, 2)
    yield make(3, 4), 0, np.array([[2, 0, 1, 0]]), 5.0


@operator("scatter_add")
def _scatter_add(make):
    yield make(3, 4), 1, make.integers(3, 4, low=0, high=4), make(3, 4)


@operator("masked_fill")
def _masked_fill(make):
    yield make(3, 4), make.bools(3, 4), 2.0
    yield make(3, 4), make.bools(4), make()


@operator("masked_select")
def _masked_select(make):
    yield make(3, 4), make.bools(3, 4)
    yield make(3, 4), make.bools(4)


@operator("masked_scatter")
def _masked_scatter(make):
    yield make(3, 4), make.bools(3, 4), make(12)


for _name in ("nonzero", "argwhere"):

    @operator(_name, differentiable=False)
    def _nonzero(make):
        yield (make.integers(3, 4, low=0, high=2),)
        yield (make.bools(5),)


@operator("embedding")
def _embedding(make):
    yield make(5, 3), make.integers(2, 4, low=0, high=5)


def _indexed(name, index):
    @operator(f"__getitem__:{name}", function=lambda package: lambda x: x[index(package)])
    def _getitem(make):
        yield (make(3, 4, 2),)


_indexed("number", lambda package: 1)
_indexed("slices", lambda package: (slice(None), slice(0, 3, 2)))
_indexed("ellipsis", lambda package: (..., 0, None))
_indexed("tensor", lambda package: package.tensor([2, 0, 2]))
_indexed("tensors", lambda package: (package.tensor([[0], [2]]), package.tensor([1, 3])))
_indexed("separated", lambda package: (package.tensor([0, 2]), slice(None), package.tensor([1, 0])))
_indexed("mask", lambda package: package.tensor([True, False, True]))
_indexed("list", lambda package: [0, 2])


@operator("unravel_index", differentiable=False)
def _unravel_index(make):
    yield make.integers(5, low=0, high=24), (2, 3, 4)
