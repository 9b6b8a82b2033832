"""Samples of what only `torch.linalg`, `torch.fft`, `torch.masked` and `torch.signal.windows` have."""

from __future__ import annotations

import numpy as np

from samples import Sample, operator
from samples_linalg import PIVOTS, of, positive, square

# ---- linalg ---------------------------------------------------------------------------------------------------------


def tall(make, *batch):
    """A matrix of full rank with more rows than columns."""
    return make(*batch, 4, 3, low=-1, high=1) + 3 * np.eye(4, 3)


def wide(make, *batch):
    """A matrix of full rank with more columns than rows."""
    return np.swapaxes(tall(make, *batch), -1, -2)


def either(name, *parameters, **properties):
    """A function of one matrix of any shape."""

    def generate(make):
        for matrix in (square, tall, wide):
            yield (matrix(make), *parameters)
        yield tall(make, 2), *parameters

    operator(name, **properties)(generate)


def invariant(name, take, matrix, symmetric=False, **properties):
    """A decomposition with a free sign or phase, read through what does not depend on it."""

    def function(package):
        decompose = getattr(package.linalg, name)
        return lambda x: take(decompose((x + x.mH) / 2 if symmetric else x))

    def generate(make):
        yield (matrix(make),)
        yield (matrix(make, 3, 2) if matrix in (square, positive) else matrix(make, 2),)

    operator(f"linalg.{name}:{matrix.__name__}", function=function, **properties)(generate)


def absolute(found):
    """The sizes of the entries of vectors, and the values."""
    return [x.abs() if x.dim() > 1 else x for x in found]


for _name in ("slogdet", "matrix_exp"):
    of(f"linalg.{_name}", square)
of("linalg.inv_ex", square)
of("linalg.cholesky_ex", positive, differentiable=False)
of("linalg.cond", square)
# PyTorch writes into its own inverse here, and then refuses its gradient.
of("linalg.cond:one", square, 1, differentiable=False, function=lambda package: package.linalg.cond)
of("linalg.matrix_power", square, 3)
of("linalg.ldl_factor", positive, differentiable=False)
of("linalg.ldl_factor_ex", positive, differentiable=False)
of("linalg.matrix_rank", tall, differentiable=False)
of("linalg.diagonal", square)
either("linalg.qr", second=False)
either("linalg.lu", second=False)
either("linalg.lu_factor", second=False)
either("linalg.lu_factor_ex", second=False)
either("linalg.pinv:any", second=False, function=lambda package: package.linalg.pinv)
for _order in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf):
    either(f"linalg.matrix_norm:{_order}", _order, second=False, function=lambda package: package.linalg.matrix_norm)
for _matrix in (square, tall, wide):
    invariant("svd", lambda found: [found[0][..., : found[1].shape[-1]].abs(), found[1]], _matrix, second=False)
invariant("eigh", absolute, positive, symmetric=True, second=False)
invariant("eig", lambda found: [x.abs() for x in found], positive, second=False, tolerance=1e-6)
of(
    "linalg.eigvals:positive",
    positive,
    function=lambda package: lambda x: package.linalg.eigvals(x).abs().sort().values,
)


@operator("linalg.vector_norm")
def _vector_norm(make):
    yield (make(3, 4),)
    yield make(3, 4), 3, 1
    yield Sample(make(3, 4), 1.5, (0, 1), True)
    yield make(3, 4), np.inf, 0
    yield make(3, 4), 0


@operator("linalg.solve_ex")
def _solve_ex(make):
    yield square(make), make(3, 2)


@operator("linalg.solve:right", function=lambda package: package.linalg.solve)
def _solve_right(make):
    yield Sample(square(make), make(2, 3), left=False)
    yield square(make, 3, 2), make(2, 3)


@operator("linalg.solve_triangular", second=False)
def _solve_triangular(make):
    yield Sample(np.triu(square(make)), make(3, 2), upper=True)
    yield Sample(np.tril(square(make)), make(2, 3), upper=False, left=False)
    yield Sample(np.tril(square(make, 3, 2)), make(3, 2), upper=False, unitriangular=True)
    yield Sample(np.triu(square(make, 40)), make(40, 2), upper=True)


@operator("linalg.lu_solve", differentiable=False)
def _lu_solve(make):
    yield square(make), PIVOTS, make(3, 2)
    yield Sample(square(make), PIVOTS, make(2, 3), left=False)
    yield Sample(square(make), PIVOTS, make(3, 2), adjoint=True)


@operator("linalg.ldl_solve", differentiable=False)
def _ldl_solve(make):
    yield np.tril(square(make)), PIVOTS, make(3, 2)


@operator(
    "linalg.lstsq:solution", second=False, function=lambda package: lambda a, b: package.linalg.lstsq(a, b).solution
)
def _lstsq(make):
    yield tall(make), make(4, 2)
    yield wide(make), make(3, 2)
    yield tall(make, 2), make(2, 4, 1)


@operator("linalg.lstsq:values", differentiable=False, function=lambda package: package.linalg.lstsq)
def _lstsq_values(make):
    for driver in ("gels", "gelsy", "gelsd", "gelss"):
        yield Sample(tall(make), make(4, 2), driver=driver)


@operator("linalg.householder_product", second=False)
def _householder_product(make):
    yield make(4, 3), make(3, low=0.5, high=1.0)
    yield make(2, 4, 3), make(2, 2, low=0.5, high=1.0)


@operator("linalg.multi_dot")
def _multi_dot(make):
    yield ([make(3, 4), make(4, 2), make(2, 5)],)
    yield ([make(4), make(4, 2), make(2)],)


@operator("linalg.cross")
def _cross(make):
    yield make(2, 3), make(1, 3)
    yield Sample(make(3, 2), make(3, 2), dim=0)


@operator("linalg.vecdot")
def _vecdot(make):
    yield make(2, 3), make(2, 3)
    yield make.complex(3, 2), make.complex(3, 2)


@operator("linalg.vander")
def _vander(make):
    yield (make(3, low=0.5, high=1.5),)
    yield Sample(make(2, 3, low=0.5, high=1.5), N=4)


@operator("linalg.tensorinv")
def _tensorinv(make):
    yield (square(make, 6).reshape(2, 3, 6),)


@operator("linalg.tensorsolve")
def _tensorsolve(make):
    yield square(make, 6).reshape(2, 3, 6), make(2, 3)


@operator("linalg.matmul")
def _matmul(make):
    yield make(2, 3), make(3, 4)


# ---- fft ------------------------------------------------------------------------------------------------------------


def transform(name, complex_input, several):
    """A transform of one, two or several dimensions; with sizes that cut and pad, and the norms."""

    def generate(make):
        draw = make.complex if complex_input else make
        sizes = {"n": 6, "dim": 0} if not several else {"s": (6, 3)}
        yield (draw(4, 5),)
        yield Sample(draw(4, 5), **sizes)
        for norm in ("ortho", "forward", "backward"):
            yield Sample(draw(4, 5), norm=norm)

    operator(f"fft.{name}", second=False)(generate)


for _name in ("fft", "ifft", "irfft", "hfft"):
    transform(_name, True, False)
    transform(f"{_name}2", True, True)
    transform(f"{_name}n", True, True)
for _name in ("rfft", "ihfft"):
    transform(_name, False, False)
    transform(f"{_name}2", False, True)
    transform(f"{_name}n", False, True)


@operator("fft.fft:real", second=False, function=lambda package: package.fft.fft)
def _fft_real(make):
    yield (make(3, 5),)


for _name in ("fftshift", "ifftshift"):

    @operator(f"fft.{_name}")
    def _shift(make):
        yield (make(4, 5),)
        yield make(4, 5), 1


for _name in ("fftfreq", "rfftfreq"):

    @operator(f"fft.{_name}", differentiable=False)
    def _frequencies(make):
        yield 5, 0.1
        yield (4,)


# ---- masked ---------------------------------------------------------------------------------------------------------


def masked(name, *arguments, several=True, **properties):
    """A masked reduction or normalization, with a mask, with a smaller one, and with none."""

    def generate(make):
        mask = np.array([[True, False, True, True], [False, True, True, False], [True, True, True, True]])
        yield Sample(make.distinct(3, 4), *arguments, 1, mask=mask)
        yield Sample(make.distinct(3, 4), *arguments, 0, mask=mask[0])
        yield Sample(make.distinct(3, 4), *arguments, 1)
        if several:
            yield Sample(make.distinct(2, 3, 4), *arguments, (0, 2), keepdim=True, mask=mask)

    operator(f"masked.{name}", second=False, **properties)(generate)


for _name in ("sum", "prod", "amax", "amin", "mean", "logsumexp", "var", "std"):
    masked(_name)
masked("norm", 2.0)
for _name in ("cumsum", "cumprod", "softmax", "log_softmax", "softmin", "median"):
    masked(_name, several=False)
masked("normalize", 2.0, several=False)
for _name in ("argmax", "argmin"):
    masked(_name, several=False, differentiable=False)


@operator("masked.logaddexp", second=False)
def _logaddexp(make):
    yield Sample(make(3), make(3), input_mask=np.array([True, False, True]), other_mask=np.array([True, True, False]))


# ---- windows --------------------------------------------------------------------------------------------------------


for _name, _parameters in {
    "bartlett": {}, "blackman": {}, "cosine": {}, "exponential": {"tau": 2.0}, "gaussian": {"std": 1.5},
    "general_cosine": {"a": [0.4, 0.5, 0.1]}, "general_hamming": {"alpha": 0.6}, "hamming": {}, "hann": {},
    "kaiser": {"beta": 8.0}, "nuttall": {},
}.items():  # fmt: skip

    @operator(f"signal.windows.{_name}", differentiable=False, tolerance=2e-6)
    def _window(make, parameters=_parameters):
        for size in (0, 1, 2, 7):
            yield Sample(size, **parameters)
            yield Sample(size, sym=False, **parameters)
