"""Eigenvalues and singular values, and what is made from them: pseudo-inverses, ranks, condition numbers.

The gradients are those of Giles, "Collected matrix derivative results" (2008), extended to complex matrices; that of
the pseudo-inverse is Golub and Pereyra's (1973).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes
from ..autograd.tensor import Tensor, wrap
from ..backend import placing
from ..errors import LinAlgError
from .creation import eye
from .declare import primitive
from .linear import mt
from .publishing import public
from .reduction import vector_norm
from .results import named
from .triangular import check_floating, check_lapack, check_matrix, check_square, linalg

GAUGE = (
    "{0}: The {1} in the complex case are specified up to multiplication by e^{{i phi}}. The specified loss function "
    "depends on this quantity, so it is ill-defined."
)


def _diagonal(x: Any) -> Any:
    return x.diagonal(0, -2, -1)


def _largest(x: Any) -> float:
    return float(np.abs(x._array).max(initial=0))


def _differences(values: Any) -> Any:
    """E with E[i, j] = v[j] - v[i], and infinity on the diagonal."""
    e = values.unsqueeze(-2) - values.unsqueeze(-1)
    return e.masked_fill(eye(values.shape[-1], dtype=dtypes.bool), math.inf)


# ---- Hermitian matrices -------------------------------------------------------------------------------------------------


def _eigh_forward(a: Any, lower: bool) -> Any:
    try:
        with np.errstate(all="ignore"):
            values, vectors = np.linalg.eigh(a, "L" if lower else "U")
            return [values, placing.columns(vectors)]
    except np.linalg.LinAlgError:
        return [np.full(a.shape[:-1], np.nan, a.real.dtype), np.full(a.shape, np.nan, a.dtype)]


def _eigh_backward(g_values: Any, g_vectors: Any, values: Any, vectors: Any) -> Any:
    inner = mt(vectors) @ g_vectors
    if vectors.is_complex():
        phase = _diagonal(inner).imag
        if _largest(phase) > 1e-3 * max(1.0, _largest(inner)):
            raise RuntimeError(GAUGE.format("linalg_eigh_backward", "eigenvectors"))
    inner = inner / _differences(values).to(inner.dtype)
    return vectors @ (inner + g_values.to(inner.dtype).diag_embed()) @ mt(vectors)


_eigh = primitive(
    "LinalgEighBackward0", _eigh_forward, tensors=True,
    a=lambda g, out, lower: _eigh_backward(g[0], g[1], out[0], out[1]),
)  # fmt: skip
_LINALG_EIGH = named("linalg_eigh", "eigenvalues eigenvectors")


def _check_eigh(x: Any, triangle: str) -> bool:
    check_square(x, "linalg.eigh")
    if triangle.upper() not in ("L", "U"):
        raise RuntimeError(f"Expected UPLO argument to be 'L' or 'U', but got {triangle}")
    check_lapack(x, "linalg_eigh_cpu")
    return triangle.upper() == "L"


@linalg
def linalg_eigh(A: Any, UPLO: str = "L") -> Any:
    """The eigenvalues, in ascending order, and eigenvectors of Hermitian matrices; one triangle is read."""
    return _LINALG_EIGH(_eigh(A, _check_eigh(A, UPLO)))


@linalg
def linalg_eigvalsh(A: Any, UPLO: str = "L") -> Any:
    """The eigenvalues of Hermitian matrices, in ascending order."""
    lower = _check_eigh(A, UPLO)
    if A.requires_grad:
        return _eigh(A, lower)[0]
    try:
        return wrap(np.linalg.eigvalsh(A._array, "L" if lower else "U"))
    except np.linalg.LinAlgError:
        return wrap(np.full(A.shape[:-1], np.nan, A._array.real.dtype))


# ---- general matrices ---------------------------------------------------------------------------------------------------


def _eig_forward(a: Any) -> Any:
    kind = np.complex64 if a.dtype in (np.float32, np.complex64) else np.complex128
    if not np.isfinite(a).all():
        raise RuntimeError("torch.linalg.eig: input tensor should not contain infs or NaNs.")
    try:
        values, vectors = np.linalg.eig(a)
    except np.linalg.LinAlgError as error:
        raise LinAlgError(f"linalg.eig: {error}") from None
    return [values.astype(kind), placing.columns(vectors.astype(kind))]


def _eig_backward(g_values: Any, g_vectors: Any, a: Any, values: Any, vectors: Any) -> Any:
    inner = mt(vectors) @ g_vectors
    diagonal = _diagonal(inner)
    if _largest(diagonal.imag) > 1e-3 * max(1.0, _largest(inner)):
        raise RuntimeError(GAUGE.format("linalg_eig_backward", "eigenvectors"))
    gram = mt(vectors) @ vectors
    inner = inner - gram * diagonal.real.to(inner.dtype).unsqueeze(-2)
    inner = inner / _differences(values).conj() + g_values.diag_embed()
    inner = inner.masked_fill(eye(values.shape[-1], dtype=dtypes.bool), 0) + g_values.diag_embed()
    from .solving import linalg_solve

    found = linalg_solve(mt(vectors), inner @ mt(vectors))
    return found if a.is_complex() else found.real


_eig = primitive(
    "LinalgEigBackward0", _eig_forward, tensors=True,
    a=lambda g, a, out: _eig_backward(g[0], g[1], a, out[0], out[1]),
)  # fmt: skip
_LINALG_EIG = named("linalg_eig", "eigenvalues eigenvectors")


def _check_eig(name: str, x: Any) -> None:
    check_square(x, name)
    if x.dtype.category < dtypes.FLOAT:
        raise RuntimeError(f"Unknown Complex ScalarType for {x.dtype.scalar_name}")
    check_lapack(x, "linalg_eig_out_cpu")


@linalg
def linalg_eig(A: Any) -> Any:
    """The complex eigenvalues and eigenvectors of square matrices."""
    _check_eig("linalg.eig", A)
    return _LINALG_EIG(_eig(A))


@linalg
def linalg_eigvals(A: Any) -> Any:
    """The complex eigenvalues of square matrices."""
    _check_eig("linalg.eigvals", A)
    return _eig(A)[0]


# ---- singular values ----------------------------------------------------------------------------------------------------


def _svd_forward(a: Any, full: bool) -> Any:
    if not np.isfinite(a).all():
        raise LinAlgError(
            "linalg.svd: The algorithm failed to converge because the input matrix contained non-finite values."
        )
    try:
        u, s, vh = np.linalg.svd(a, full)
        return [placing.columns(u), s, placing.columns(vh)]
    except np.linalg.LinAlgError:
        raise LinAlgError(
            "linalg.svd: (Batch element 0): The algorithm failed to converge because the input matrix is ill-conditioned "
            "or has too many repeated singular values (error code: 1)."
        ) from None


def _skew(x: Any) -> Any:
    return x - mt(x)


def _svd_backward(g: Any, out: Any) -> Any:
    u, s, vh = out
    g_u, g_s, g_vh = g
    k = s.shape[-1]
    u, g_u, vh, g_vh = u[..., :k], g_u[..., :k], vh[..., :k, :], g_vh[..., :k, :]
    m, n = u.shape[-2], vh.shape[-1]
    in_u, in_v = mt(u) @ g_u, vh @ mt(g_vh)
    inner = g_s.to(u.dtype).diag_embed()
    wide = s.to(u.dtype)
    if u.is_complex():
        phase = _diagonal(in_u).imag + _diagonal(in_v).imag
        if _largest(phase) > 1e-2 * max(1.0, _largest(in_u)):
            raise RuntimeError(
                "svd_backward: The singular vectors in the complex case are specified up to multiplication by e^{i phi}. The "
                "specified loss function depends on this phase term, making it ill-defined."
            )
        inner = inner + (1j * _diagonal(in_u).imag / wide).diag_embed()
    e = _differences(s * s).to(u.dtype)
    inner = inner + (_skew(in_u) / e) * wide.unsqueeze(-2) + wide.unsqueeze(-1) * (_skew(in_v) / e)
    found = u @ inner @ vh
    if m > k:
        part = (g_u - u @ in_u) / wide.unsqueeze(-2)
        found = found + part @ vh
    if n > k:
        part = (g_vh - mt(in_v) @ vh) / wide.unsqueeze(-1)
        found = found + u @ part
    return found


_svd = primitive("LinalgSvdBackward0", _svd_forward, tensors=True, a=lambda g, out: _svd_backward(g, out))
_svdvals = primitive(
    "LinalgSvdBackward0", lambda a: _singular_values(a), tensors=True, a=lambda g, a: _svdvals_backward(g, a)
)
_LINALG_SVD, _SVD = named("linalg_svd", "U S Vh"), named("svd", "U S V")


def _singular_values(a: Any) -> Any:
    if not np.isfinite(a).all():
        return _svd_forward(a, False)
    return np.linalg.svd(a, compute_uv=False)


def _svdvals_backward(g: Any, a: Any) -> Any:
    u, _, vh = _svd(a, False)
    return (u * g.to(u.dtype).unsqueeze(-2)) @ vh


def _check_svd(x: Any, driver: Any, name: str = "linalg.svd") -> None:
    check_matrix(x, name)
    check_floating(x, "linalg.svd")
    if driver is not None:
        raise RuntimeError(
            "torch.linalg.svd: keyword argument `driver=` is only supported on CUDA inputs with cuSOLVER backend."
        )
    check_lapack(x, "linalg_svd_cpu")


@linalg
def linalg_svd(A: Any, full_matrices: bool = True, *, driver: Any = None) -> Any:
    """U, the singular values in descending order, and Vh of `A = U diag(S) Vh`."""
    _check_svd(A, driver)
    return _LINALG_SVD(_svd(A, full_matrices))


@linalg
def linalg_svdvals(A: Any, *, driver: Any = None) -> Any:
    """The singular values, in descending order."""
    _check_svd(A, driver)
    return _svdvals(A)


@public(out=True)
def svd(input: Any, some: bool = True, compute_uv: bool = True) -> Any:
    """The old form of `linalg.svd`: U, S and V."""
    if input._array.ndim < 2:
        raise RuntimeError(
            f"linalg.svd: input should have at least 2 dimensions, but has {input._array.ndim} dimensions instead"
        )
    _check_svd(input, None)
    if not compute_uv:
        m, n = input.shape[-2:]
        lead = tuple(input.shape[:-2])
        return _SVD((input.new_zeros((*lead, m, m)), _svdvals(input), input.new_zeros((*lead, n, n))))
    u, s, vh = _svd(input, not some)
    return _SVD((u, s, mt(vh)))


# ---- tolerances, ranks, pseudo-inverses ---------------------------------------------------------------------------------


def _tolerances(name: str, x: Any, atol: Any, rtol: Any) -> tuple[Any, Any]:
    """Absolute and relative tolerances as PyTorch chooses them: rounding alone, unless an absolute one is given."""
    for label, value in (("atol", atol), ("rtol", rtol)):
        if isinstance(value, Tensor) and value.is_complex():
            raise RuntimeError(
                f"{name}: {label} tensor of complex type is not supported. Got {value.dtype.scalar_name}"
            )
    absolute = 0.0 if atol is None else atol
    if rtol is None:
        relative: Any = float(np.finfo(x._array.dtype).eps) * max(x.shape[-2:])
        if isinstance(atol, Tensor):
            relative = (atol <= 0).to(dtypes.float64) * relative
        elif atol is not None and atol > 0:
            relative = 0.0
    else:
        relative = rtol
    return absolute, relative


def _above(values: Any, absolute: Any, relative: Any) -> Any:
    """Which (non-negative) values exceed the larger of the tolerances."""
    largest = values.amax(-1, keepdim=True)

    def column(v: Any) -> Any:
        return v.unsqueeze(-1) if isinstance(v, Tensor) else v

    low, high = column(absolute), largest * column(relative)
    limit = high.maximum(low) if isinstance(low, Tensor) else high.clamp(min=low)
    return values > limit


@linalg
def linalg_matrix_rank(A: Any, tol: Any = None, *, atol: Any = None, rtol: Any = None, hermitian: bool = False) -> Any:
    """How many singular values exceed the tolerance."""
    name = "torch.linalg.matrix_rank"
    check_matrix(A, name, "input", "linalg_matrix_rank")
    if A.dtype.name not in ("float32", "float64", "complex64", "complex128"):
        raise RuntimeError("This function doesn't handle types other than float and double")
    if tol is not None:
        atol, rtol = tol, 0.0
    x = A.detach()
    absolute, relative = _tolerances(name, x, atol, rtol)
    if 0 in x.shape[-2:]:
        return x.new_zeros(tuple(x.shape[:-2]), dtype=dtypes.int64)
    values = linalg_eigvalsh(x).abs() if hermitian else linalg_svdvals(x)
    return _above(values, absolute, relative).sum(-1)


def _pinv_forward(a: Any, absolute: Any, relative: Any, hermitian: bool) -> Any:
    x = wrap(a)
    if 0 in a.shape:
        return np.zeros((*a.shape[:-2], a.shape[-1], a.shape[-2]), a.dtype)
    if hermitian:
        values, vectors = linalg_eigh(x)
        keep = _above(values.abs(), absolute, relative)
        s = values.reciprocal().masked_fill(~keep, 0).to(x.dtype)
        return ((vectors * s.unsqueeze(-2)) @ mt(vectors))._array
    u, s, vh = linalg_svd(x, False)
    s = s.reciprocal().masked_fill(~_above(s, absolute, relative), 0).to(x.dtype)
    return ((mt(vh) * s.unsqueeze(-2)) @ mt(u))._array


def _pinv_backward(g: Any, a: Any, p: Any) -> Any:
    ph, gh = mt(p), mt(g)
    _m, _n = a.shape[-2:]
    first = -(ph @ g @ ph)
    kernel = p @ ph  # P P^H
    second = (gh - a @ (p @ gh)) @ kernel
    cokernel = ph @ p
    third = cokernel @ (gh - (gh @ p) @ a)
    return first + second + third


_pinv = primitive("LinalgPinvBackward0", _pinv_forward, tensors=True, a=lambda g, a, out: _pinv_backward(g, a, out))


@linalg
def linalg_pinv(A: Any, rcond: Any = None, hermitian: bool = False, *, atol: Any = None, rtol: Any = None) -> Any:
    """The Moore-Penrose pseudo-inverse; singular values up to the tolerance count as zero."""
    name = "torch.linalg.pinv"
    if (
        not isinstance(A, Tensor)
        or A.dim() < 2
        or A.dtype.name not in ("float32", "float64", "complex64", "complex128")
    ):
        from .publishing import combination_error

        if not isinstance(A, Tensor):
            raise combination_error("linalg_pinv", A)
        raise RuntimeError(
            f"linalg.pinv({A.dtype.scalar_name}{{[{', '.join(map(str, A.shape))}]}}): expected a tensor with 2 or more "
            "dimensions of float, double, cfloat or cdouble types"
        )
    if hermitian:
        check_square(A, "linalg.pinv")
    if rcond is not None:
        atol, rtol = 0.0, rcond
    absolute, relative = _tolerances(name, A, atol, rtol)
    return _pinv(A, absolute, relative, hermitian)


@public
def pinverse(input: Any, rcond: float = 1e-15) -> Any:
    """The old name of `linalg.pinv`."""
    return linalg_pinv(input, rcond)


# ---- least squares ------------------------------------------------------------------------------------------------------


def _lstsq_forward(a: Any, b: Any, cut: float) -> Any:
    lead = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    m, n = a.shape[-2:]
    k = min(m, n)
    a, b = np.broadcast_to(a, lead + a.shape[-2:]), np.broadcast_to(b, lead + b.shape[-2:])
    x = np.zeros((*lead, b.shape[-1], max(m, n)), b.dtype).swapaxes(-1, -2)[..., :n, :]  # as LAPACK overwrites b
    residuals = np.zeros((*lead, b.shape[-1]), b.real.dtype)
    rank, s = np.zeros(lead, np.int64), np.zeros((*lead, k), a.real.dtype)
    if a.size and b.size:
        for place in np.ndindex(lead):
            if not np.isfinite(a[place]).all() or not np.isfinite(b[place]).all():
                x[place] = np.nan  # LAPACK would look for an end that never comes
                continue
            x[place], _, rank[place], s[place] = np.linalg.lstsq(a[place], b[place], cut)
        off = b - a @ x
        residuals = (off * off.conj()).real.sum(-2)
    return [x, residuals, rank, s]


def _lstsq_gradients(g: Any, a: Any, b: Any, out: Any, cut: float, needs: Any) -> Any:
    from .shape import sum_to_any

    g_x, g_r = g[0], g[1]
    x = out[0]
    p = linalg_pinv(a)
    weight = 2 * g_r.unsqueeze(-2).to(x.dtype) * (b - a @ x)  # of the residual, which depends on x to second order only
    g_a = _pinv_backward(g_x @ mt(b), a, p) - weight @ mt(x)
    g_b = mt(p) @ g_x + weight
    return sum_to_any(g_a, a.shape), sum_to_any(g_b, b.shape)


_lstsq = primitive(
    "LinalgLstsqBackward0", _lstsq_forward, inputs=("a", "b"), tensors=True, non_differentiable=(2, 3),
    backward=_lstsq_gradients,
)  # fmt: skip
_LINALG_LSTSQ = named("linalg_lstsq", "solution residuals rank singular_values")


@linalg
def linalg_lstsq(A: Any, B: Any, rcond: Any = None, *, driver: str | None = None) -> Any:
    """The X that makes `A X - B` shortest, with residuals, rank and singular values where the driver tells them."""
    name = "torch.linalg.lstsq"
    if A.dim() < 2:
        raise RuntimeError(f"{name}: input must have at least 2 dimensions.")
    if B.dim() < 1:
        raise RuntimeError(f"{name}: other must have at least 1 dimension.")
    if A.dtype is not B.dtype:
        raise RuntimeError(
            f"{name}: Expected input and other to have the same dtype, but got input's dtype {A.dtype.scalar_name} and other's dtype {B.dtype.scalar_name}"
        )
    drivers = ("gels", "gelsy", "gelsd", "gelss")
    if driver is not None and driver not in drivers:
        raise RuntimeError(f"{name}: parameter `driver` should be one of ({', '.join(drivers)})")
    gap = A.dim() - B.dim()
    if gap not in (0, 1):
        raise RuntimeError(
            f"{name}: input.dim() must be greater or equal to other.dim() and (input.dim() - other.dim()) <= 1"
        )
    vector = gap == 1
    rows = B.unsqueeze(-1) if vector else B
    if A.shape[-2] != rows.shape[-2]:
        kind = "other.size(-1)" if vector else "other.size(-2)"
        raise RuntimeError(f"{name}: input.size(-2) should match {kind}")
    check_lapack(A, "linalg_lstsq_cpu")
    from .triangular import check_batches

    check_batches(A, rows)
    driver = driver or "gelsy"
    m, n = A.shape[-2:]
    cut = float(np.finfo(A._array.dtype).eps * max(m, n)) if rcond is None else float(rcond)
    x, residuals, rank, s = _lstsq(A, rows, cut)
    full = bool((rank._array == min(m, n)).all())
    empty = A.new_empty((0,), dtype=A.dtype.to_real())
    if driver == "gelsy" or m <= n or (driver != "gels" and not full):
        residuals = empty.requires_grad_() * 1 if x.requires_grad else empty
    return _LINALG_LSTSQ((
        x.squeeze(-1) if vector else x,
        residuals,
        A.new_empty((0,), dtype=dtypes.int64) if driver == "gels" else rank,
        s if driver in ("gelsd", "gelss") else empty,
    ))  # fmt: skip


# ---- norms by singular values, condition numbers ------------------------------------------------------------------------


def _matrix_order(name: str, order: Any) -> None:
    if isinstance(order, str):
        good = order in ("fro", "nuc")
    else:
        good = abs(order) in (1, 2, math.inf)
    if not good:
        raise RuntimeError(f"{name}: Order {order} not supported.")


@linalg
def linalg_matrix_norm(
    A: Any, ord: Any = "fro", dim: Any = (-2, -1), keepdim: bool = False, *, dtype: Any = None
) -> Any:
    """A norm of matrices: `fro`, `nuc`, or of order 1, 2, inf and their negatives."""
    from ..autograd.tensor import wrap_dim

    name = "linalg.matrix_norm"
    check_matrix(A, name)
    check_floating(A, name)
    dim = (dim,) if isinstance(dim, int) else tuple(dim)
    if len(dim) != 2:
        raise RuntimeError(f"{name}: dim must be a 2-tuple. Got {' '.join(map(str, dim))}")
    p, q = wrap_dim(dim[0], A.dim()), wrap_dim(dim[1], A.dim())
    if p == q:
        raise RuntimeError(f"{name}: dims must be different. Got ({dim[0]}, {dim[1]})")
    _matrix_order(name, ord)
    if ord == "fro":
        return vector_norm(A, 2, (p, q), keepdim, dtype=dtype)
    x = A if dtype is None else A.to(dtype)
    if ord == "nuc" or abs(ord) == 2:
        values = _svdvals_over(x, p, q)
        found = values.sum(-1) if ord == "nuc" else _extreme(values, ord, -1, False)
        return found.unsqueeze(min(p, q)).unsqueeze(max(p, q)) if keepdim else found
    along, over = (p, q) if abs(ord) == 1 else (q, p)
    sums = vector_norm(x, 1, along, True)
    found = _extreme(sums, ord, over, True)
    return found if keepdim else found.squeeze((p, q))


def _svdvals_over(x: Any, p: int, q: int) -> Any:
    return linalg_svdvals(x.movedim((p, q), (-2, -1)))


def _extreme(values: Any, order: float, dim: int, keepdim: bool) -> Any:
    return values.amax(dim, keepdim) if order > 0 else values.amin(dim, keepdim)


@linalg
def linalg_vector_norm(x: Any, ord: Any = 2, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """The p-norm of vectors: over all elements, or along dimensions."""
    return vector_norm(x, ord, dim, keepdim, dtype=dtype)


@linalg
def linalg_norm(A: Any, ord: Any = None, dim: Any = None, keepdim: bool = False, *, dtype: Any = None) -> Any:
    """A norm of vectors or matrices, by `ord` and how many dimensions there are."""
    dims = None if dim is None else (dim,) if isinstance(dim, int) else tuple(dim)
    if dims is not None and len(dims) not in (1, 2):
        raise RuntimeError(f"linalg.norm: If dim is specified, it must be of length 1 or 2. Got {list(dims)}")
    if dims is None and ord is not None and A.dim() not in (1, 2):
        raise RuntimeError(
            f"linalg.norm: If dim is not specified but ord is, the input must be 1D or 2D. Got {A.dim()}D."
        )
    if isinstance(ord, str):
        if (dims is None and A.dim() != 2) or (dims is not None and len(dims) != 2):
            raise RuntimeError(f"linalg.norm: The order {ord} is for matrices.")
        return linalg_matrix_norm(A, ord, dims or (0, 1), keepdim, dtype=dtype)
    if ord is not None and ((dims is not None and len(dims) == 2) or (dims is None and A.dim() == 2)):
        return linalg_matrix_norm(A, ord, dims or (0, 1), keepdim, dtype=dtype)
    return vector_norm(A, 2 if ord is None else ord, dims, keepdim, dtype=dtype)


@public(method=False, out=True)
def nuclear_norm(input: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The sum of the singular values."""
    return linalg_matrix_norm(input, "nuc", (-2, -1) if dim is None else dim, keepdim)


@public(method=False, out=True)
def frobenius_norm(input: Any, dim: Any = (), keepdim: bool = False) -> Any:
    """The square root of the sum of squares over at most two dimensions."""
    return vector_norm(input, 2, dim if dim != () else None, keepdim)


@linalg
def linalg_cond(A: Any, p: Any = None) -> Any:
    """The condition number: the norm of A times the norm of its inverse."""
    if A.dim() < 2:
        raise RuntimeError("linalg.cond: The input tensor must have at least 2 dimensions.")
    if (isinstance(p, str) and p not in ("fro", "nuc")) or (
        not isinstance(p, str) and p is not None and abs(p) not in (1, 2, math.inf)
    ):
        raise RuntimeError(f"linalg.cond got an invalid norm type: {p}")
    if not A.numel():
        return A.new_zeros(tuple(A.shape[:-2]), dtype=A.dtype.to_real())
    if p is None or (not isinstance(p, str) and abs(p) == 2):
        values = linalg_svdvals(A)
        first, last = values[..., 0], values[..., -1]
        return last / first if p == -2 else first / last
    check_square(A, f"linalg.cond(ord={p})")
    from .solving import linalg_inv_ex

    if p == "nuc":  # through singular values, which exist for singular matrices too
        return linalg_matrix_norm(A, p) * linalg_matrix_norm(linalg_inv_ex(A)[0], p)
    inverse, info = linalg_inv_ex(A)
    inverse = inverse.masked_fill((info > 0)[..., None, None], math.inf)
    return linalg_matrix_norm(A, p) * linalg_matrix_norm(inverse, p)


# ---- low rank -----------------------------------------------------------------------------------------------------------


def _range_basis(x: Any, q: int, niter: int, shift: Any) -> Any:
    """An orthonormal basis near the range of x: random directions and subspace iterations (Halko et al., 2009)."""
    from .factoring import linalg_qr
    from .random import randn

    def times(y: Any, adjoint: bool) -> Any:
        z = (mt(x) if adjoint else x) @ y
        return z if shift is None else z - (mt(shift) if adjoint else shift) @ y

    start = randn(x.shape[-1], q, dtype=x.dtype)
    basis = linalg_qr(times(start, False))[0]
    for _ in range(niter):
        basis = linalg_qr(times(basis, True))[0]
        basis = linalg_qr(times(basis, False))[0]
    return basis


def _svd_lowrank(x: Any, q: int, niter: int, shift: Any) -> tuple[Any, Any, Any]:
    m, n = x.shape[-2:]
    if m < n:
        v, s, u = _svd_lowrank(mt(x), q, niter, None if shift is None else mt(shift))
        return u, s, v
    basis = _range_basis(x, q, niter, shift)
    small = mt(basis) @ (x if shift is None else x - shift)
    u, s, vh = linalg_svd(small, False)
    return basis @ u, s, mt(vh)


@public(method=False)
def svd_lowrank(A: Any, q: int | None = 6, niter: int | None = 2, M: Any = None) -> Any:
    """The largest `q` singular values and their vectors, by random projections."""
    return _svd_lowrank(
        A, 6 if q is None else q, 2 if niter is None else niter, None if M is None else M.broadcast_to(A.shape)
    )


@public(method=False)
def pca_lowrank(A: Any, q: int | None = None, center: bool = True, niter: int = 2) -> Any:
    """The principal components of the rows, by random projections."""
    m, n = A.shape[-2:]
    if q is None:
        q = min(6, m, n)
    elif not 0 <= q <= min(m, n):
        raise ValueError(f"q(={q}) must be non-negative integer and not greater than min(m, n)={min(m, n)}")
    if not niter >= 0:
        raise ValueError(f"niter(={niter}) must be non-negative integer")
    if not A.is_floating_point() and not A.is_complex():
        raise ValueError(f"input must be a floating point or complex tensor, got {A.dtype}")
    return _svd_lowrank(A - A.mean(-2, keepdim=True) if center else A, q, niter, None)
