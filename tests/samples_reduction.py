"""Samples of sums, extremes, scans, sorts and counts."""

from __future__ import annotations

import numpy as np

from samples import Sample, operator

S = (2, 3, 4)
DTYPES = ("float32", "int64", "bool", "bfloat16", "complex128")


def reduce(name, keepdim=True, several=False, full=True, distinct=False, low=-2.0, **properties):
    """A reduction: of everything, along a dimension (several ones), keeping it or not."""

    def generate(make):
        def draw(*shape):
            return make.distinct(*shape) if distinct else make(*shape, low=low)

        if full:
            yield (draw(*S),)
            yield (draw(),)
        yield draw(*S), 1
        yield draw(*S), -1
        if keepdim:
            yield Sample(draw(*S), dim=0, keepdim=True)
        if several:
            yield Sample(draw(*S), dim=(0, 2))

    operator(name, dtypes=DTYPES, **properties)(generate)


reduce("sum", several=True)
reduce("mean", several=True)
reduce("nansum", several=True)
reduce("nanmean", several=True)
reduce("prod", low=0.3)
reduce("logsumexp", several=True, full=False)
reduce("all", differentiable=False)
reduce("any", differentiable=False)
for _name in ("amax", "amin"):
    reduce(_name, several=True, distinct=True)
for _name in ("argmax", "argmin"):
    reduce(_name, distinct=True, differentiable=False)
for _name in ("max", "min", "median", "nanmedian"):
    reduce(_name, distinct=True)
reduce("mode", full=False, distinct=True)
for _name in ("var", "std"):
    reduce(_name, several=True)
for _name in ("var_mean", "std_mean"):
    reduce(_name, several=True)
for _name in ("cumsum", "cumprod", "logcumsumexp"):
    reduce(_name, full=False, keepdim=False, low=0.3)
for _name in ("cummax", "cummin"):
    reduce(_name, full=False, keepdim=False, distinct=True)
reduce("count_nonzero", keepdim=False, several=True, differentiable=False)
for _name in ("sort", "argsort", "msort"):

    @operator(_name, differentiable=_name != "argsort", dtypes=DTYPES)
    def _sort(make, name=_name):
        yield (make.distinct(3, 4),)
        if name != "msort":
            yield make.distinct(3, 4), 0
            yield Sample(make.distinct(3, 4), dim=1, descending=True)
            yield Sample(make.integers(9, low=0, high=3), stable=True)


@operator("topk")
def _topk(make):
    yield make.distinct(3, 5), 2
    yield make.distinct(3, 5), 2, 0
    yield Sample(make.distinct(3, 5), 3, largest=False)


@operator("kthvalue")
def _kthvalue(make):
    yield make.distinct(3, 5), 2
    yield make.distinct(3, 5), 2, 0, True


@operator("aminmax")
def _aminmax(make):
    yield (make.distinct(3, 4),)
    yield Sample(make.distinct(3, 4), dim=1, keepdim=True)


for _name in ("quantile", "nanquantile"):

    @operator(_name)
    def _quantile(make):
        yield make.distinct(3, 5), 0.3
        yield make.distinct(3, 5), np.array([0.1, 0.6, 0.9]), 1
        yield Sample(make.distinct(3, 5), 0.4, dim=0, keepdim=True, interpolation="lower")


@operator("norm")
def _norm(make):
    yield (make(3, 4),)
    yield make(3, 4), 1
    yield make(3, 4), 3, 1
    yield make(3, 4), float("inf"), 0
    yield make(3, 4), "fro"


@operator("renorm")
def _renorm(make):
    yield make(3, 4), 2, 0, 1.0
    yield make(3, 4), 1, 1, 2.0


@operator("dist")
def _dist(make):
    yield make(3, 4), make(3, 4)
    yield make(3, 4), make(4), 1


for _name in ("trapezoid", "trapz", "cumulative_trapezoid"):

    @operator(_name)
    def _trapezoid(make):
        yield (make(3, 4),)
        yield make(3, 4), make(4)
        yield Sample(make(3, 4), dx=0.5, dim=0)


@operator("bincount", differentiable=False)
def _bincount(make):
    yield (make.integers(9, low=0),)
    yield make.integers(9, low=0), make(9)
    yield Sample(make.integers(9, low=0), minlength=12)


@operator("histc", differentiable=False)
def _histc(make):
    yield make(20), 5
    yield make(20), 4, -1.0, 1.0


@operator("histogram", differentiable=False)
def _histogram(make):
    yield make(20), 5
    yield make(20), np.array([-2.0, -1.0, 0.5, 2.0])


@operator("unique", differentiable=False)
def _unique(make):
    yield (make.integers(9, low=0, high=4),)
    yield Sample(make.integers(9, low=0, high=4), return_inverse=True, return_counts=True)
    yield Sample(make.integers(4, 2, low=0, high=2), dim=0, return_inverse=True)


@operator("unique_consecutive", differentiable=False)
def _unique_consecutive(make):
    yield (make.integers(9, low=0, high=2),)
    yield Sample(make.integers(9, low=0, high=2), return_inverse=True, return_counts=True)


for _name in ("searchsorted", "bucketize"):

    @operator(_name, differentiable=False)
    def _searchsorted(make, name=_name):
        edges, values = np.array([-1.0, 0.0, 0.0, 1.0]), np.array([[-2.0, -1.0], [0.0, 5.0]])
        yield (edges, values) if name == "searchsorted" else (values, edges)
        yield Sample(*((edges, values) if name == "searchsorted" else (values, edges)), right=True)


@operator("cov")
def _cov(make):
    yield (make(3, 5),)
    yield Sample(make(3, 5), correction=0)
    yield (make(5),)


@operator("corrcoef")
def _corrcoef(make):
    yield (make(3, 5),)


@operator("cdist", second=False)
def _cdist(make):
    yield make(3, 4), make(2, 4)
    yield make(2, 3, 4), make(2, 2, 4), 1.0
    yield make(3, 4), make(2, 4), 3.0


@operator("histogramdd", differentiable=False)
def _histogramdd(make):
    yield make(20, 2), [3, 4]
