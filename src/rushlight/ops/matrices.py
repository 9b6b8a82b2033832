"""Products, powers and exponentials of matrices, and the products of vectors that `torch.linalg` adds."""

from __future__ import annotations

from typing import Any

from .. import dtypes
from ..autograd.tensor import wrap_dim
from ..backend.numpy import lapack
from ..settings import warn_once
from .creation import eye
from .declare import primitive
from .joining import cat
from .linear import matmul, mt, silent_zero
from .publishing import public
from .slicing import diagonal
from .triangular import check_floating, check_square, linalg


@linalg
def linalg_matmul(input: Any, other: Any) -> Any:
    """`torch.matmul`."""
    return matmul(input, other)


@linalg
def linalg_diagonal(A: Any, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Any:
    """The diagonal of the last two dimensions."""
    return diagonal(A, offset, dim1, dim2)


# ---- powers -------------------------------------------------------------------------------------------------------------


def _power(x: Any, n: int, name: str) -> Any:
    check_square(x, name)
    if n == 0:
        return silent_zero(x, x.shape) + eye(x.shape[-1], dtype=x.dtype)
    if n < 0:
        from .solving import linalg_inv

        x, n = linalg_inv(x), -n
    result, square = None, x
    while n:  # binary, from the lowest digit
        if n & 1:
            result = square if result is None else matmul(result, square)
        n >>= 1
        if n:
            square = matmul(square, square)
    return result.clone() if result is x else result


@linalg
def linalg_matrix_power(A: Any, n: int) -> Any:
    """Square matrices to an integer power; negative ones are powers of the inverse."""
    return _power(A, n, "linalg.matrix_power")


@public(out=True)
def matrix_power(input: Any, n: int) -> Any:
    """The old name of `linalg.matrix_power`."""
    return _power(input, n, "linalg.matrix_power")


def _exp_backward(g: Any, a: Any) -> Any:
    """The corner of the exponential of a block matrix is the derivative in a direction (Najfeld and Havel, 1995)."""
    n = a.shape[-1]
    h = mt(a)
    block = cat([cat([h, g], -1), cat([h * 0, h], -1)], -2)
    return _exp(block)[..., :n, n:]


_exp = primitive(
    "LinalgMatrixExpBackward0", lambda a: lapack.matrix_exp(a), tensors=True, a=lambda g, a: _exp_backward(g, a)
)


@public
def matrix_exp(A: Any) -> Any:
    """The exponential of square matrices."""
    check_square(A, "linalg.matrix_exp")
    check_floating(A, "linalg.matrix_exp")
    return _exp(A)


# ---- products -----------------------------------------------------------------------------------------------------------


def best_order(sizes: list[int]) -> list[list[int]]:
    """Where to split the product of matrices `sizes[i] x sizes[i + 1]` from i to j at the least cost (dynamic programming)."""
    n = len(sizes) - 1
    cost = [[0] * n for _ in range(n)]
    split = [[0] * n for _ in range(n)]
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            options = [cost[i][k] + cost[k + 1][j] + sizes[i] * sizes[k + 1] * sizes[j + 1] for k in range(i, j)]
            cost[i][j] = min(options)
            split[i][j] = i + options.index(cost[i][j])
    return split


@linalg
def linalg_multi_dot(tensors: Any) -> Any:
    """The product of several matrices in the cheapest order; the first and last may be vectors."""
    items = list(tensors)
    if len(items) < 2:
        raise RuntimeError(f"multi_dot(): expected at least 2 tensors but got {len(items)}")
    first, last = items[0], items[-1]
    for i, x in enumerate(items):
        ends = i in (0, len(items) - 1)
        if ends and x.dim() not in (1, 2):
            raise RuntimeError(
                f"multi_dot(): {'the first' if i == 0 else 'the last'} tensor must be 1D or 2D but got {x.dim()}D"
            )
        if not ends and x.dim() != 2:
            raise RuntimeError(f"multi_dot(): tensor {i} must be 2D but got {x.dim()}D")
        if x.dtype is not first.dtype:
            raise RuntimeError(
                f"multi_dot(): all tensors must have be the same dtype but tensor 0 is {first.dtype.name.replace('float32', 'float').replace('float64', 'double')} and tensor {i} "
                f"{x.dtype.name.replace('float32', 'float').replace('float64', 'double')}"
            )
    xs = list(items)
    if first.dim() == 1:
        xs[0] = first.unsqueeze(0)
    if last.dim() == 1:
        xs[-1] = last.unsqueeze(-1)
    for i in range(len(xs) - 1):
        if xs[i].shape[-1] != xs[i + 1].shape[0]:
            raise RuntimeError(
                f"multi_dot(): tensors {i} and {i + 1} with shapes {list(items[i].shape)} and {list(items[i + 1].shape)} "
                "cannot be multiplied"
            )
    split = best_order([xs[0].shape[0], *(x.shape[1] for x in xs)])

    def product(i: int, j: int) -> Any:
        return xs[i] if i == j else matmul(product(i, split[i][j]), product(split[i][j] + 1, j))

    found = product(0, len(xs) - 1)
    if first.dim() == 1:
        found = found.squeeze(0)
    return found.squeeze(-1) if last.dim() == 1 else found


def _cross(x: Any, y: Any, dim: int) -> Any:
    n = x.dim()
    if n != y.dim():
        raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
    axis = wrap_dim(dim, n)
    if x.shape[axis] != 3 or y.shape[axis] != 3:
        raise RuntimeError(
            f"linalg.cross: inputs dimension {dim} must have length 3. Got {x.shape[axis]} and {y.shape[axis]}"
        )
    from .shape import broadcast_tensors

    x, y = (v if v._array.flags.c_contiguous else v.contiguous() for v in broadcast_tensors(x, y))
    a, b = x.roll(-1, axis), y.roll(-1, axis)
    c, d = x.roll(1, axis), y.roll(1, axis)
    return a * d - c * b


@linalg
def linalg_cross(input: Any, other: Any, *, dim: int = -1) -> Any:
    """The cross product of vectors of three."""
    return _cross(input, other, dim)


@public(out=True)
def cross(input: Any, other: Any, dim: int | None = None) -> Any:
    """The cross product along `dim`, or along the first dimension of size three."""
    if dim is None:
        if input.dim() != other.dim():
            raise RuntimeError("linalg.cross: inputs must have the same number of dimensions.")
        if 3 not in input.shape:
            raise RuntimeError("no dimension of size 3 in input")
        dim = list(input.shape).index(3)
        warn_once(
            "Using torch.cross without specifying the dim arg is deprecated.\nPlease either pass the dim explicitly or "
            "simply use torch.linalg.cross.\nThe default value of dim will change to agree with that of linalg.cross in "
            "a future release."
        )
    return _cross(input, other, dim)


@linalg
def linalg_vecdot(x: Any, y: Any, *, dim: int = -1) -> Any:
    """The inner products of vectors, the first conjugated."""
    check_floating(x, "linalg.vecdot")
    if x.dtype is not y.dtype:
        raise RuntimeError("linalg.vecdot: Expected x and y to have the same dtype, but found x of type "
                           f"{x.dtype.scalar_name} and y of type {y.dtype.scalar_name} instead")  # fmt: skip
    if x.dim() == 1 and y.dim() == 1:
        from .linear import vdot

        return vdot(x, y)
    return ((x.conj() if x.is_complex() else x) * y).sum(dim)


@linalg
def linalg_vander(x: Any, N: int | None = None) -> Any:
    """The Vandermonde matrices of vectors, powers ascending."""
    if (N is not None and N <= 1) or (N is None and (x.dim() == 0 or x.shape[-1] <= 1)):
        raise RuntimeError("N must be greater than 1.")
    x = x.reshape(1) if x.dim() == 0 else x
    n = x.shape[-1] if N is None else N
    if not x.is_floating_point() and not x.is_complex():
        x = x.to(dtypes.int64)
    columns = x.unsqueeze(-1).expand((*x.shape, n - 1)).cumprod(-1)
    return cat([columns.new_ones((*x.shape, 1)), columns], -1)
