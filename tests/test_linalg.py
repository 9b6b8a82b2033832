"""`torch.linalg`: every function has samples (tests/samples_*.py); here are failures, hard cases and complex numbers."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import rushlight as rl
import samples
from rushlight.autograd import gradcheck
from rushlight.backend.numpy import lapack

RNG = np.random.default_rng(3)


def random(*shape, dtype="float64"):
    a = RNG.standard_normal(shape)
    return (a + 1j * RNG.standard_normal(shape) if "complex" in dtype else a).astype(dtype)


# ---- completeness ---------------------------------------------------------------------------------------------------

SPACES = ("linalg", "fft", "masked", "signal.windows")


def _space(path):
    found = rl
    for part in path.split("."):
        found = getattr(found, part)
    return found


@pytest.mark.parametrize("path", SPACES)
def test_every_function_has_samples(path):
    covered = {name.split(":")[0] for name in samples.load()}
    space = _space(path)
    functions = [n for n in space.__all__ if inspect.isfunction(getattr(space, n)) and "masked_tensor" not in n]
    missing = {f"{path}.{n}" for n in functions} - covered
    assert not missing


@pytest.mark.oracle
@pytest.mark.parametrize("path", SPACES)
def test_every_name_of_pytorch_is_there(path):
    torch = pytest.importorskip("torch")
    theirs = torch
    for part in path.split("."):
        theirs = getattr(theirs, part)
    wanted = {n for n in dir(theirs) if inspect.isroutine(getattr(theirs, n)) and not n.startswith("_")}
    assert not {n for n in wanted if not hasattr(_space(path), n)}


# ---- refusals -------------------------------------------------------------------------------------------------------

SINGULAR = [[[1.0, 0.0], [0.0, 1.0]], [[1.0, 2.0], [2.0, 4.0]]]
REFUSED = [
    lambda t: t.linalg.inv(t.tensor(SINGULAR)),
    lambda t: t.linalg.inv(t.tensor(SINGULAR[1])),
    lambda t: t.inverse(t.zeros(2, 2)),
    lambda t: t.linalg.inv_ex(t.zeros(2, 2), check_errors=True),
    lambda t: t.linalg.solve(t.zeros(2, 2), t.ones(2)),
    lambda t: t.linalg.solve_ex(t.tensor(SINGULAR), t.ones(2, 2, 1), check_errors=True),
    lambda t: t.linalg.cholesky(t.tensor([[1.0, 2.0], [2.0, 1.0]])),
    lambda t: t.cholesky(-t.eye(2)),
    lambda t: t.linalg.cholesky_ex(t.stack([t.eye(2), -t.eye(2)]), check_errors=True),
    lambda t: t.linalg.lu_factor(t.zeros(2, 2)),
    lambda t: t.linalg.svd(t.full((2, 2), float("nan"))),
    lambda t: t.linalg.eig(t.full((2, 2), float("inf"))),
    lambda t: t.linalg.inv(t.zeros(2, 3)),
    lambda t: t.linalg.det(t.zeros(3)),
    lambda t: t.linalg.slogdet(t.zeros(2, 2).half()),
    lambda t: t.linalg.cholesky(t.zeros(2, 2, dtype=t.int64)),
    lambda t: t.linalg.eigh(t.zeros(2, 2), UPLO="x"),
    lambda t: t.linalg.qr(t.zeros(2, 2), mode="x"),
    lambda t: t.linalg.solve(t.eye(3), t.ones(2, 2)),
    lambda t: t.linalg.solve(t.eye(3), t.eye(3).double()),
    lambda t: t.linalg.solve_triangular(t.eye(3), t.ones(3), upper=True),
    lambda t: t.linalg.lstsq(t.eye(3), t.ones(2, 2)),
    lambda t: t.linalg.matrix_norm(t.eye(3), ord=3),
    lambda t: t.linalg.matrix_norm(t.eye(3), dim=(0, 0)),
    lambda t: t.linalg.norm(t.zeros(2, 2, 2), ord=2),
    lambda t: t.linalg.cond(t.eye(2), "x"),
    lambda t: t.linalg.multi_dot([t.eye(2)]),
    lambda t: t.linalg.multi_dot([t.eye(2), t.ones(2), t.eye(2)]),
    lambda t: t.linalg.cross(t.ones(2), t.ones(2)),
    lambda t: t.linalg.vander(t.ones(1)),
    lambda t: t.linalg.tensorinv(t.ones(2, 3, 4)),
    lambda t: t.linalg.householder_product(t.ones(2, 3), t.ones(2)),
    lambda t: t.linalg.pinv(t.ones(3)),
    lambda t: t.linalg.matrix_rank(t.ones(3)),
    lambda t: t.lu_unpack(t.eye(2), t.tensor([1, 2])),
    lambda t: t.linalg.lu_solve(t.eye(2), t.tensor([1, 2]), t.ones(2, 1)),
    lambda t: t.logdet(t.ones(2, 3)),
    lambda t: t.cholesky_solve(t.eye(2), t.ones(2)),
    lambda t: t.geqrf(t.ones(2)),
]


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore:.* is deprecated in favor of")
@pytest.mark.parametrize(
    "call", REFUSED, ids=[inspect.getsource(c).strip().removeprefix("lambda t: ") for c in REFUSED]
)
def test_refusals_are_pytorchs(call):
    torch = pytest.importorskip("torch")
    with pytest.raises(Exception) as theirs:
        call(torch)
    with pytest.raises(Exception) as mine:
        call(rl)
    assert type(mine.value).__name__.lstrip("_") == type(theirs.value).__name__.lstrip("_")
    assert str(mine.value).split("\n")[0] == str(theirs.value).split("\n")[0]


def test_a_failed_matrix_is_told_by_info():
    x = rl.stack([rl.eye(3), rl.tensor([[1.0, 2.0, 0.0], [2.0, 4.0, 0.0], [0.0, 0.0, 1.0]])])
    inverse, info = rl.linalg.inv_ex(x)
    assert info.tolist() == [0, 2]
    assert rl.equal(inverse[0], rl.eye(3))
    assert rl.linalg.cholesky_ex(x).info.tolist() == [0, 2]
    assert rl.linalg.lu_factor_ex(x).info.tolist() == [0, 2]
    assert rl.linalg.eigvalsh(rl.full((2, 2), float("nan"))).isnan().all()


def test_error_is_a_runtime_error_of_its_own():
    assert issubclass(rl.linalg.LinAlgError, RuntimeError)
    with pytest.raises(rl.linalg.LinAlgError, match="singular"):
        rl.linalg.inv(rl.zeros(2, 2))


# ---- arrays ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(5, 5), (70, 70), (40, 90), (90, 40), (3, 35, 35), (2, 0, 0), (1, 3)])
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_lu_multiplies_back(shape, dtype):
    a = random(*shape, dtype=dtype)
    lu, pivots, info = lapack.lu_factor(a)
    k = min(shape[-2:])
    lower = np.tril(lu[..., :k], -1) + np.eye(shape[-2], k)
    product = lapack.lu_permutation(pivots, shape[-2], a.dtype) @ lower @ np.triu(lu[..., :k, :])
    np.testing.assert_allclose(product, a, atol=1e-12)
    assert not info.any()
    assert np.abs(lower).max(initial=0) <= (1 if dtype == "float64" else np.sqrt(2)) + 1e-12


@pytest.mark.parametrize("hermitian", [False, True])
@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_ldl_solves(hermitian, dtype):
    a = random(4, 8, 8, dtype=dtype)
    a = a + np.swapaxes(a.conj() if hermitian else a, -1, -2)
    a[0] = np.fliplr(np.eye(8))  # nothing but blocks of two
    b = random(4, 8, 2, dtype=dtype)
    ld, pivots, info = lapack.ldl_factor(a, hermitian)
    np.testing.assert_allclose(a @ lapack.ldl_solve(ld, pivots, b, hermitian), b, atol=1e-9)
    assert not info.any()
    assert (pivots < 0).any()


@pytest.mark.oracle
@pytest.mark.parametrize("hermitian", [False, True])
def test_ldl_pivots_are_lapacks(hermitian):
    torch = pytest.importorskip("torch")
    a = random(6, 20, 20, dtype="complex128")
    a = a + np.swapaxes(a.conj() if hermitian else a, -1, -2)
    ld, pivots, _ = lapack.ldl_factor(a, hermitian)
    wanted = torch.linalg.ldl_factor(torch.from_numpy(a), hermitian=hermitian)
    np.testing.assert_array_equal(pivots, wanted.pivots.numpy())
    np.testing.assert_allclose(np.tril(ld), np.tril(wanted.LD.numpy()), atol=1e-10)


def test_exponential_of_known_matrices():
    angle = 0.7
    turn = lapack.matrix_exp(np.array([[0, -angle], [angle, 0]]))
    np.testing.assert_allclose(turn, [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]], rtol=1e-14)
    large = np.diag([-30.0, 0.0, 12.0])
    np.testing.assert_allclose(np.diag(lapack.matrix_exp(large)), np.exp([-30.0, 0.0, 12.0]), rtol=1e-13)
    a = random(4, 4)
    np.testing.assert_allclose(lapack.matrix_exp(3 * a) @ lapack.matrix_exp(-3 * a), np.eye(4), atol=1e-6)


@pytest.mark.parametrize("upper", [False, True])
@pytest.mark.parametrize("left", [False, True])
def test_triangular_systems_of_any_size(upper, left):
    for n in (1, 31, 32, 33, 100):
        a = random(n, n) / n + 2 * np.eye(n)
        b = random(2, n, 3) if left else random(2, 3, n)
        x = lapack.solve_triangular(a, b, upper, left)
        t = np.triu(a) if upper else np.tril(a)
        np.testing.assert_allclose(t @ x if left else x @ t, b, atol=1e-12)
    zero = lapack.solve_triangular(np.array([[0.0]]), np.array([[1.0]]), upper)
    assert np.isinf(zero).all()


# ---- gradients ------------------------------------------------------------------------------------------------------


def test_gradient_of_a_singular_determinant_is_the_cofactors():
    a = random(3, 3)
    a[2] = a[0] + a[1]
    x = rl.from_numpy(a).requires_grad_()
    rl.linalg.det(x).backward()
    minors = [[np.linalg.det(np.delete(np.delete(a, i, 0), j, 1)) for j in range(3)] for i in range(3)]
    signs = (-1.0) ** np.add.outer(range(3), range(3))
    np.testing.assert_allclose(x.grad.numpy(), signs * minors, atol=1e-12)


def hermitian(x):
    return (x + x.mH) / 2 + 3 * rl.eye(x.shape[-1], dtype=x.dtype)


COMPLEX = {
    "solve": lambda x, y: rl.linalg.solve(x, y),
    "inv": lambda x, y: rl.linalg.inv(x),
    "det": lambda x, y: rl.linalg.det(x),
    "slogdet": lambda x, y: rl.linalg.slogdet(x)[1],
    "sign": lambda x, y: rl.linalg.slogdet(x)[0],
    "cholesky": lambda x, y: rl.linalg.cholesky(hermitian(x)),
    "qr": lambda x, y: rl.linalg.qr(x),
    "lu": lambda x, y: rl.linalg.lu(x)[1:],
    "svdvals": lambda x, y: rl.linalg.svdvals(x),
    "svd": lambda x, y: (lambda u, s, vh: (u * s) @ vh[..., :1])(*rl.linalg.svd(x)),
    "eigh": lambda x, y: (lambda e, v: (e, v.abs()))(*rl.linalg.eigh(hermitian(x))),
    "eigvals": lambda x, y: rl.linalg.eigvals(x).abs().sum(),
    "eig": lambda x, y: rl.linalg.eig(x)[1].abs().sum(),
    "pinv": lambda x, y: rl.linalg.pinv(x[..., :2]),
    "triangular": lambda x, y: rl.linalg.solve_triangular(x, y, upper=True),
    "matrix_exp": lambda x, y: rl.matrix_exp(x),
    "householder": lambda x, y: rl.linalg.householder_product(x, y[:, 0]),
    "lstsq": lambda x, y: rl.linalg.lstsq(x[:, :2], y).solution,
    "cross": lambda x, y: rl.linalg.cross(x, y[:, :1].mT),
    "vector_norm": lambda x, y: rl.linalg.vector_norm(x, 3),
}


@pytest.mark.parametrize("name", COMPLEX)
def test_complex_gradients_agree_with_finite_differences(name):
    x = random(3, 3, dtype="complex128") / 2 + 2 * np.eye(3)
    y = random(3, 2, dtype="complex128")
    x, y = (rl.from_numpy(a).requires_grad_() for a in (x, y))
    if name == "svd":  # the first right vector has a free phase: take what has none
        function = lambda x, y: (lambda u, s, vh: (u[:, :2] * s[:2]) @ vh[:2])(*rl.linalg.svd(x))
    else:
        function = COMPLEX[name]
    assert gradcheck(function, (x, y))


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("shape", [(4, 3), (3, 4)])
def test_gradient_of_a_product_of_singular_factors(shape, full):
    x = rl.from_numpy(random(*shape)).requires_grad_()

    def rank_two(x):
        u, s, vh = rl.linalg.svd(x, full)
        return (u[:, :2] * s[:2]) @ vh[:2]

    assert gradcheck(rank_two, (x,))


def test_a_loss_of_the_phase_is_refused():
    x = rl.from_numpy(random(3, 3, dtype="complex128")).requires_grad_()
    with pytest.raises(RuntimeError, match="ill-defined"):
        rl.linalg.svd(x)[0].real.sum().backward()
    with pytest.raises(RuntimeError, match="ill-defined"):
        rl.linalg.eigh(hermitian(x))[1].real.sum().backward()


# ---- the cheapest order ---------------------------------------------------------------------------------------------


def test_products_are_taken_in_the_cheapest_order():
    from rushlight.ops.matrices import best_order

    sizes = [30, 35, 15, 5, 10, 20, 25]  # Cormen et al., Introduction to Algorithms, 15.2: ((A1 (A2 A3)) ((A4 A5) A6))
    split = best_order(sizes)
    assert (split[0][5], split[0][2], split[3][5]) == (2, 0, 4)
