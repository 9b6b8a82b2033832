"""Samples of the solvers and factorizations in the `torch` namespace and of `torch.linalg`."""

from __future__ import annotations

import numpy as np

from samples import Sample, operator


def square(make, n=3, *batch):
    """A matrix that is far from singular."""
    return make(*batch, n, n, low=-1, high=1) + 3 * np.eye(n)


def positive(make, n=3, *batch):
    """A symmetric positive definite matrix."""
    a = make(*batch, n, n, low=-1, high=1)
    return a @ np.swapaxes(a, -1, -2) + 2 * np.eye(n)


def of(name, matrix, *parameters, **properties):
    """A function of one matrix, alone and in a batch."""

    def generate(make):
        yield (matrix(make), *parameters)
        yield (matrix(make, 2, 3), *parameters)

    operator(name, **properties)(generate)


for _name in ("det", "slogdet", "inverse", "pinverse", "matrix_exp", "linalg.det", "linalg.inv", "linalg.pinv"):
    of(_name, square)
of("logdet", positive)
of("matrix_power", square, 3)
of("matrix_power:inverse", square, -2, function=lambda package: package.matrix_power)
# A matrix must stay symmetric under finite differences, so these take a general one and make it so.
for _name in ("cholesky", "linalg.cholesky", "linalg.eigvalsh"):

    def _symmetric(package, name=_name):
        function = package
        for part in name.split("."):
            function = getattr(function, part)
        return lambda x: function((x + x.mT) / 2)

    of(f"{_name}:symmetric", positive, function=_symmetric)
of("cholesky", positive, differentiable=False)
of("qr", square)
of("svd", square, differentiable=False)
of("geqrf", square, differentiable=False)
of("lu", square)
of("linalg.svdvals", square)
of("nuclear_norm", square)
of("frobenius_norm", square, [-2, -1])


@operator("cholesky_inverse", differentiable=False)
def _cholesky_inverse(make):
    yield (np.linalg.cholesky(positive(make)),)
    yield np.linalg.cholesky(positive(make)).T.copy(), True


@operator("cholesky_solve", differentiable=False)
def _cholesky_solve(make):
    yield make(3, 2), np.linalg.cholesky(positive(make))


@operator("triangular_solve", second=False)
def _triangular_solve(make):
    yield make(3, 2), np.triu(square(make))
    yield Sample(make(3, 2), np.tril(square(make)), upper=False)


@operator("linalg.solve")
def _solve(make):
    yield square(make), make(3, 2)
    yield square(make, 3, 2), make(2, 3, 1)


@operator("cross")
def _cross(make):
    yield make(2, 3), make(2, 3), 1
    yield make(3, 2), make(3, 2), 0


@operator("linalg.norm")
def _norm(make):
    yield (make(3, 4),)
    yield make(3, 4), 1
    yield make(3), 3


PIVOTS = np.array([3, 2, 3], np.int32)


@operator("lu_solve", differentiable=False)
def _lu_solve(make):
    yield make(3, 2), square(make), PIVOTS


@operator("lu_unpack", second=False)
def _lu_unpack(make):
    yield square(make), PIVOTS


@operator("orgqr", differentiable=False)
def _orgqr(make):
    yield make(4, 3), make(3, low=0.5, high=1.0)


@operator("ormqr", differentiable=False)
def _ormqr(make):
    yield make(4, 3), make(3, low=0.5, high=1.0), make(4, 2)


for _name in ("svd_lowrank", "pca_lowrank"):

    @operator(_name, random=True, differentiable=False)
    def _lowrank(make):
        yield make(5, 4), 2


@operator("nonzero_static", differentiable=False)
def _nonzero_static(make):
    yield Sample(make.integers(3, 4, low=0, high=2), size=5)
