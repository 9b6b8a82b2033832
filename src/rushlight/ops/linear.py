"""Products of matrices and vectors: matmul, linear and what is made of them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes
from ..autograd.tensor import Tensor
from ..backend import kernels as K
from ..backend import placing
from ..settings import warn_once
from .arithmetic import add, conj, mul
from .declare import primitive
from .publishing import attach, public, type_error
from .shape import expand, reshape, reshape_any, sum_to_any, unsqueeze


def mt(x: Any) -> Any:
    """The conjugate transpose of the last two dimensions, of an array or a Tensor."""
    if isinstance(x, Tensor):
        y = x.transpose(-2, -1)
        return y.conj() if x._array.dtype.kind == "c" else y
    y = x.swapaxes(-2, -1)
    return y.conj() if x.dtype.kind == "c" else y


_mm: Any = primitive(
    "MmBackward0", lambda a, b: K.matmul(a, b), a=lambda g, b: _mm(g, mt(b)), b=lambda g, a: _mm(mt(a), g)
)
_bmm: Any = primitive(
    "BmmBackward0", lambda a, b: K.matmul(a, b),
    a=lambda g, b, a_shape: sum_to_any(_bmm(g, mt(b)), a_shape), b=lambda g, a, b_shape: sum_to_any(_bmm(mt(a), g), b_shape),
)  # fmt: skip


def _same_dtype(x: Any, y: Any, names: str = "m1 and m2") -> None:
    if x._array.dtype is not y._array.dtype and x._array.dtype != y._array.dtype:
        raise RuntimeError(f"expected {names} to have the same dtype, but got: {x.dtype.c_name} != {y.dtype.c_name}")


def _check_mm(x: Any, y: Any) -> None:
    a, b = x._array, y._array
    if a.shape[1] != b.shape[0]:
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({a.shape[0]}x{a.shape[1]} and {b.shape[0]}x{b.shape[1]})"
        )


def _no_bool(name: str, x: Any) -> None:
    if x._array.dtype.kind == "b":
        raise RuntimeError(f"\"{name}\" not implemented for 'Bool'")


@public(out=True)
def mm(input: Any, mat2: Any) -> Any:
    """The product of two matrices, (n, k) @ (k, m)."""
    if not isinstance(mat2, Tensor):
        raise type_error("mm", mat2, 2, "mat2")
    if input._array.ndim != 2:
        raise RuntimeError("self must be a matrix")
    if mat2._array.ndim != 2:
        raise RuntimeError("mat2 must be a matrix")
    _check_mm(input, mat2)
    _same_dtype(input, mat2)
    _no_bool("addmm_impl_cpu_", input)
    return _mm(input, mat2)


@public(out=True)
def bmm(input: Any, mat2: Any) -> Any:
    """The products of batches of matrices, (b, n, k) @ (b, k, m)."""
    a, b = input._array, mat2._array
    if a.ndim != 3:
        raise RuntimeError("batch1 must be a 3D tensor")
    if b.ndim != 3:
        raise RuntimeError("batch2 must be a 3D tensor")
    if a.shape[0] != b.shape[0] or a.shape[2] != b.shape[1]:
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{a.shape[0]}, {a.shape[2]}] but got: [{b.shape[0]}, {b.shape[1]}]."
        )
    _same_dtype(input, mat2)
    return _bmm(input, mat2)


@public(out=True)
def matmul(input: Any, other: Any) -> Any:
    """The matrix product, of vectors, matrices and batches of matrices (whose leading dimensions broadcast).

    https://docs.pytorch.org/docs/stable/generated/torch.matmul.html

    >>> import rushlight as torch
    >>> torch.matmul(torch.ones(2, 3), torch.ones(3))
    tensor([3., 3.])
    """
    if not isinstance(input, Tensor):
        raise type_error("matmul", input)
    if not isinstance(other, Tensor):
        raise type_error("matmul", other, 2, "other")
    a, b = input._array, other._array
    n, m = a.ndim, b.ndim
    if n == 0 or m == 0:
        raise RuntimeError(f"both arguments to matmul need to be at least 1D, but they are {n}D and {m}D")
    if a.dtype is not b.dtype:
        _same_dtype(input, other)
    if n == 2 and m == 2:
        _check_mm(input, other)
        return _mm(input, other)
    if n == 1 and m == 1:
        return dot(input, other)
    if n == 2 and m == 1:
        return mv(input, other)
    x = unsqueeze(input, 0) if n == 1 else input
    y = unsqueeze(other, 1) if m == 1 else other
    if x._array.shape[-1] != y._array.shape[-2]:
        if n <= 2 or m <= 2:
            p, q = x._array.shape, y._array.shape
            raise RuntimeError(
                f"mat1 and mat2 shapes cannot be multiplied ({math.prod(p[:-1])}x{p[-1]} and {q[-2]}x{q[-1]})"
            )
        p, q = x._array.shape, y._array.shape
        raise RuntimeError(
            f"Expected size for first two dimensions of batch2 tensor to be: [{math.prod(np.broadcast_shapes(p[:-2], q[:-2]))}, {p[-1]}] but got: [{math.prod(np.broadcast_shapes(p[:-2], q[:-2]))}, {q[-2]}]."
        )
    if y._array.ndim == 2 and x._array.ndim > 2:  # one big product instead of a batch of small ones
        lead = x._array.shape[:-1]
        z = reshape(_mm(reshape(x, (math.prod(lead), x._array.shape[-1])), y), (*lead, y._array.shape[-1]))
    else:
        try:
            np.broadcast_shapes(x._array.shape[:-2], y._array.shape[:-2])
        except ValueError:
            from .recorded import broadcast_error

            raise broadcast_error(np.empty(x._array.shape[:-2]), np.empty(y._array.shape[:-2])) from None  # type: ignore[misc]
        z = _bmm(x, y)
    if n == 1:
        z = z.squeeze(-2)
    return z.squeeze(-1) if m == 1 else z


def _matmul_method(self: Any, other: Any) -> Any:
    return matmul(self, other) if isinstance(other, Tensor) else NotImplemented


attach("__matmul__", _matmul_method)
attach("__rmatmul__", lambda self, other: _matmul_method(other, self) if isinstance(other, Tensor) else NotImplemented)
attach("__imatmul__", lambda self, other: self.copy_(matmul(self, other)))

_dot: Any = primitive(
    "DotBackward0", lambda a, b: np.asarray(K.matmul(a.reshape(1, -1), b.reshape(-1, 1)).reshape(())),
    a=lambda g, b: g * conj(b), b=lambda g, a: g * conj(a),
)  # fmt: skip


@public(out=True)
def dot(input: Any, tensor: Any = None, *, other: Any = None) -> Any:
    """The inner product of two vectors (without conjugation)."""
    y = tensor if tensor is not None else other
    a, b = input._array, y._array
    if a.ndim != 1 or b.ndim != 1:
        raise RuntimeError(f"1D tensors expected, but got {a.ndim}D and {b.ndim}D tensors")
    if a.dtype != b.dtype:
        raise RuntimeError(
            f"dot : expected both vectors to have same dtype, but found {input.dtype.scalar_name} and {y.dtype.scalar_name}"
        )
    if a.shape != b.shape:
        raise RuntimeError(
            f"inconsistent tensor size, expected tensor [{a.size}] and src [{b.size}] to have the same number of elements, but got {a.size} and {b.size} elements respectively"
        )
    return _dot(input, y)


@public(out=True)
def vdot(input: Any, other: Any) -> Any:
    """The inner product of two vectors, the first conjugated."""
    return dot(input.conj(), other)


@public(out=True)
def mv(input: Any, vec: Any) -> Any:
    """A matrix times a vector."""
    a, b = input._array, vec._array
    if a.ndim != 2 or b.ndim != 1:
        raise RuntimeError(f"vector + matrix @ vector expected, got {1}, {a.ndim}, {b.ndim}")
    if a.shape[1] != b.shape[0]:
        raise RuntimeError(
            f"size mismatch, got input ({a.shape[0]}), mat ({a.shape[0]}x{a.shape[1]}), vec ({b.shape[0]})"
        )
    return _mv(input, vec)


_mv: Any = primitive(
    "MvBackward0", lambda a, b: K.matmul(a, b.reshape(-1, 1)).reshape(-1),
    a=lambda g, b: _mm(reshape_any(g, (g.shape[0], 1)), reshape_any(conj(b), (1, b.shape[0]))),
    b=lambda g, a: reshape_any(_mm(mt(a), reshape_any(g, (g.shape[0], 1))), (a.shape[1],)),
)  # fmt: skip


@public(out=True, aliases=("ger",))
def outer(input: Any, vec2: Any) -> Any:
    """The outer product of two vectors."""
    if input._array.ndim != 1:
        raise RuntimeError(f"outer: Expected 1-D argument self, but got {input._array.ndim}-D")
    if vec2._array.ndim != 1:
        raise RuntimeError(f"outer: Expected 1-D argument vec2, but got {vec2._array.ndim}-D")
    return mul(unsqueeze(input, 1), vec2)


# ---- beta * input + alpha * product -------------------------------------------------------------------------------------


def _blend(name: str, input: Any, product: Any, beta: Any, alpha: Any) -> Any:
    if input.dtype.category <= dtypes.INT:  # numbers are cast to the matrices' type, but addr refuses
        for label, value in (("beta", beta), ("alpha", alpha)):
            if name == "addr" and isinstance(value, float):
                raise RuntimeError(f"For integral input tensors, argument {label} must not be a floating point number.")
        cast = bool if input.dtype is dtypes.bool else int
        beta, alpha = cast(beta), cast(alpha)
    if alpha != 1:
        product = mul(product, alpha)
    if beta == 0:  # not even a nan of `input` gets through
        if name == "addr":
            product._array = placing.follow(product._array, expand(input, product.shape)._array)
        return product + silent_zero(input, product.shape) if input.requires_grad else product
    scaled = input if beta == 1 else mul(input, beta)
    try:
        spread = expand(scaled, product.shape)
        return add(spread, product) if name == "addr" else add(product, spread)  # the first one's layout wins
    except RuntimeError:
        raise RuntimeError(
            f"The expanded size of the tensor ({product.shape[-1]}) must match the existing size ({input.shape[-1] if input.dim() else 1}) at non-singleton dimension {product.dim() - 1}.  Target sizes: {list(product.shape)}.  Tensor sizes: {list(input.shape)}"
        ) from None


def silent_zero(x: Any, shape: Any) -> Any:
    """Zeros that depend on `x` in the graph alone."""
    return expand(_zeroed(x), shape)


_zeroed: Any = primitive("MulBackward0", lambda a: np.zeros_like(a), a=lambda g: g * 0)


@public(out=True, inplace=True)
def addmm(input: Any, mat1: Any, mat2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """`beta * input + alpha * (mat1 @ mat2)`."""
    for name, x in (("mat1", mat1), ("mat2", mat2)):
        if x._array.ndim != 2:
            raise RuntimeError(f"{name} must be a matrix, got {x._array.ndim}-D tensor")
    _check_mm(mat1, mat2)
    _same_dtype(mat1, mat2, "m1 and m2")
    if input._array.dtype != mat1._array.dtype:
        raise RuntimeError(
            f"self and mat2 must have the same dtype, but got {input.dtype.scalar_name} and {mat2.dtype.scalar_name}"
        )
    return _blend("addmm", input, _mm(mat1, mat2), beta, alpha)


@public(out=True, inplace=True)
def addmv(input: Any, mat: Any, vec: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """`beta * input + alpha * (mat @ vec)`."""
    return _blend("addmv", input, mv(mat, vec), beta, alpha)


@public(out=True, inplace=True)
def addr(input: Any, vec1: Any, vec2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """`beta * input + alpha * outer(vec1, vec2)`."""
    if vec1._array.ndim != 1:
        raise RuntimeError(f"addr: Expected 1-D argument vec1, but got {vec1._array.ndim}-D")
    if vec2._array.ndim != 1:
        raise RuntimeError(f"addr: Expected 1-D argument vec2, but got {vec2._array.ndim}-D")
    return _blend("addr", input, outer(vec1, vec2), beta, alpha)


@public(out=True, inplace=True)
def addbmm(input: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """`beta * input + alpha * sum of batch1 @ batch2 over the batch`."""
    return _blend("addbmm", input, bmm(batch1, batch2).sum(0, dtype=batch1.dtype), beta, alpha)


@public(out=True, inplace=True)
def baddbmm(input: Any, batch1: Any, batch2: Any, *, beta: Any = 1, alpha: Any = 1) -> Any:
    """`beta * input + alpha * (batch1 @ batch2)` for batches."""
    return _blend("baddbmm", input, bmm(batch1, batch2), beta, alpha)


# ---- linear ---------------------------------------------------------------------------------------------------------------


def _rows(x: Any) -> Any:
    shape = x._array.shape if isinstance(x, Tensor) else x.shape
    return x if len(shape) == 2 else reshape_any(x, (math.prod(shape[:-1]), shape[-1]))


def _sum_rows(g: Any) -> Any:
    from .reduction import _sum

    return _sum(_rows(g), (0,), False)


_linear: Any = primitive(
    "AddmmBackward0", lambda a, w, bias: K.linear(a, w, bias),
    a=lambda g, w, a_shape: reshape_any(_mm(_rows(g), conj(w)), a_shape),
    w=lambda g, a: _mm(_rows(g).swapaxes(-2, -1), conj(_rows(a))),
    bias=lambda g: _sum_rows(g),
)  # fmt: skip


def linear(input: Any, weight: Any, bias: Any = None) -> Any:
    """`input @ weight.T + bias` for input (..., in), weight (out, in) and bias (out)."""
    if not isinstance(input, Tensor):
        raise type_error("linear", input)
    a, w = input._array, weight._array
    if w.ndim == 1:
        y = matmul(input, weight)
        return y if bias is None else add(y, bias)
    if a.shape[-1:] != w.shape[1:]:
        m = math.prod(a.shape[:-1])
        raise RuntimeError(
            f"mat1 and mat2 shapes cannot be multiplied ({m}x{a.shape[-1] if a.ndim else 1} and {w.shape[1]}x{w.shape[0]})"
            if a.ndim
            else "both arguments to linear need to be at least 1D, but they are 0D and 2D"
        )
    if a.dtype is not w.dtype and a.dtype != w.dtype:
        raise RuntimeError(
            f"mat1 and mat2 must have the same dtype, but got {input.dtype.scalar_name} and {weight.dtype.scalar_name}"
        )
    if bias is not None and bias._array.ndim != 1:
        return add(_linear(input, weight, None), bias)
    return _linear(input, weight, bias)


def bilinear(input1: Any, input2: Any, weight: Any, bias: Any = None) -> Any:
    """`input1[i] weight[k, i, j] input2[j] + bias[k]` over the last dimensions."""
    if input1.shape[:-1] != input2.shape[:-1]:
        raise RuntimeError("bilinear(): input batch dimensions do not match")
    y = einsum("...i,kij,...j->...k", input1, weight, input2)
    return y if bias is None else add(y, bias)


# ---- contractions -----------------------------------------------------------------------------------------------------------


@public(method=False, out=True)
def tensordot(a: Any, b: Any, dims: Any = 2) -> Any:
    """Sum of products over pairs of dimensions: the last `dims` of `a` with the first of `b`, or two lists."""
    if isinstance(dims, Tensor):
        dims = dims.tolist()
    if isinstance(dims, (list, tuple)) and len(dims) == 2 and not isinstance(dims[0], int):
        left, right = list(dims[0]), list(dims[1])
    elif isinstance(dims, (list, tuple)):
        left, right = [dims[0]], [dims[1]]
    else:
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        left, right = list(range(-dims, 0)), list(range(dims))
    if len(left) != len(right):
        raise RuntimeError("both dimension lists should have same length")
    said = list(zip(left, right, strict=True))
    left, right = [d % max(a.dim(), 1) for d in left], [d % max(b.dim(), 1) for d in right]
    for (i, j), shown in zip(zip(left, right, strict=True), said, strict=True):
        n, m = a.shape[i], b.shape[j]
        if n != m:
            if n == 1:
                b = b.sum(j, keepdim=True)
            elif m == 1:
                a = a.sum(i, keepdim=True)
            else:
                raise RuntimeError(
                    f"contracted dimensions need to match, but first has size {n} in dim {shown[0]} and second has size {m} in dim {shown[1]}"
                )
    rest_a = [d for d in range(a.dim()) if d not in left]
    rest_b = [d for d in range(b.dim()) if d not in right]
    inner = math.prod(a.shape[d] for d in left)
    x = a.permute(rest_a + left).reshape(math.prod(a.shape[d] for d in rest_a), inner)
    y = b.permute(right + rest_b).reshape(inner, math.prod(b.shape[d] for d in rest_b))
    return mm(x, y).reshape([a.shape[d] for d in rest_a] + [b.shape[d] for d in rest_b])


@public(out=True)
def inner(input: Any, other: Any) -> Any:
    """Sums of products over the last dimensions."""
    if input._array.ndim == 0 or other._array.ndim == 0:
        return mul(input, other)
    if input.shape[-1] != other.shape[-1]:
        raise RuntimeError(
            f"inner() the last dimension must match on both input tensors but got shapes {list(input.shape)} and {list(other.shape)}"
        )
    return tensordot(input, other, ([-1], [-1]))


@public(out=True)
def kron(input: Any, other: Any) -> Any:
    """The Kronecker product."""
    n = max(input.dim(), other.dim())
    x = input.reshape((1,) * (n - input.dim()) + tuple(input.shape))
    y = other.reshape((1,) * (n - other.dim()) + tuple(other.shape))
    shape = [p * q for p, q in zip(x.shape, y.shape, strict=True)]
    xs = [v for p in x.shape for v in (p, 1)]
    ys = [v for q in y.shape for v in (1, q)]
    return mul(x.reshape(xs), y.reshape(ys)).reshape(shape)


@public(method=False, out=True)
def chain_matmul(*matrices: Any) -> Any:
    """The product of several matrices."""
    warn_once(
        "torch.chain_matmul is deprecated and will be removed in a future PyTorch release. Use torch.linalg.multi_dot "
        "instead, which accepts a list of two or more tensors rather than multiple parameters."
    )
    if len(matrices) == 1 and isinstance(matrices[0], (list, tuple)):
        matrices = tuple(matrices[0])
    if not matrices:
        raise RuntimeError("chain_matmul(): Expected one or more matrices")
    product = matrices[0]
    for m in matrices[1:]:
        product = mm(product, m)
    return product


@public(method=False)
def einsum(*args: Any) -> Any:
    """Sums of products of tensors, written with Einstein's convention.

    https://docs.pytorch.org/docs/stable/generated/torch.einsum.html

    >>> import rushlight as torch
    >>> torch.einsum("ij,jk->ik", torch.ones(2, 3), torch.ones(3, 2))
    tensor([[3., 3.],
            [3., 3.]])
    """
    equation, operands = _einsum_arguments(args)
    if not operands:
        raise RuntimeError("einsum(): must provide at least one operand")
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(operands):
        more = "more" if len(terms) < len(operands) else "fewer"
        raise RuntimeError(f"einsum(): {more} operands were provided than specified in the equation")
    labels = [_labels(term, x, i) for i, (term, x) in enumerate(zip(terms, operands, strict=True))]
    width = max((sum(isinstance(v, int) for v in ls) for ls in labels), default=0)
    # An ellipsis stands for the dimensions 0..width-1, counted from the right.
    labels = [_shift(ls, width) for ls in labels]
    sizes: dict[Any, int] = {}
    for i, (ls, x) in enumerate(zip(labels, operands, strict=True)):
        for label, n in zip(ls, x.shape, strict=True):
            if sizes.get(label, 1) not in (1, n) and n != 1:
                raise RuntimeError(
                    f"einsum(): subscript {label} has size {n} for operand {i} which does not broadcast with previously seen size {sizes[label]}"
                )
            sizes[label] = max(sizes.get(label, 1), n) if n != 0 else 0
    if arrow:
        output = _output_labels(right, width)
    else:
        flat = [v for ls in labels for v in ls]
        output = list(range(width)) + sorted({v for v in flat if isinstance(v, str) and sum(w == v for w in flat) == 1})
    for v in output:
        if output.count(v) > 1:
            raise RuntimeError(f"einsum(): output subscript {v} appears more than once in the output")
        if v not in sizes:
            raise RuntimeError(f"einsum(): output subscript {v} does not appear in the equation for any input operand")
    summed = [v for v in sizes if v not in output]
    order = [*output, *summed]
    parts = [_aligned(x, ls, order) for x, ls in zip(operands, labels, strict=True)]
    result = parts[0]
    n = len(output)
    for i, part in enumerate(parts[1:], 1):
        # What no later operand has can be summed now.
        later = parts[i + 1 :]
        done = [d for d in range(n, len(order)) if all(p.shape[d] == 1 for p in later)]
        result = _sum_product(result, part, done, len(parts) == 2)
    dims = [d for d in range(n, len(order)) if result.shape[d] != 1 or len(parts) == 1]
    if dims:
        result = result.sum(dims, keepdim=True)
    return result.reshape([result.shape[d] for d in range(n)])


def _einsum_arguments(args: Any) -> tuple[str, list[Any]]:
    if not args:
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, or at least one operand and its subscripts list"
        )
    if isinstance(args[0], str):
        operands = args[1:]
        if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
            operands = tuple(operands[0])
        return args[0], list(operands)

    def letters(items: Any) -> str:
        return "".join(
            "..." if v is Ellipsis else chr(ord("A") + v) if v < 26 else chr(ord("a") + v - 26) for v in items
        )

    operands, terms = [], []
    for i in range(0, len(args) - 1, 2):
        operands.append(args[i])
        terms.append(letters(args[i + 1]))
    equation = ",".join(terms)
    if len(args) % 2:
        equation += "->" + letters(args[-1])
    return equation, operands


def _labels(term: str, x: Any, number: int) -> list[Any]:
    """The label of each dimension of an operand; those of an ellipsis are negative numbers, -1 the last."""
    before, dots, after = term.partition("...")
    for c in before + after:
        if not c.isalpha():
            raise RuntimeError(
                f"einsum(): invalid subscript given at index {term.index(c)} in the equation string, subscripts must be in [a-zA-Z]"
            )
    extra = x.dim() - len(before) - len(after)
    if extra < 0 or (extra and not dots):
        raise RuntimeError(
            f"einsum(): the number of subscripts in the equation ({len(before) + len(after)}) "
            + ("does not match" if not dots else "is more than")
            + f" the number of dimensions ({x.dim()}) for operand {number}"
            + ("" if dots else " and no ellipsis was given")
        )
    return [*before, *range(-extra, 0), *after]


def _shift(labels: list[Any], width: int) -> list[Any]:
    return [v + width if isinstance(v, int) else v for v in labels]


def _output_labels(term: str, width: int) -> list[Any]:
    before, dots, after = term.partition("...")
    return [*before, *(range(width) if dots else ()), *after]


def _aligned(x: Any, labels: list[Any], order: list[Any]) -> Any:
    """An operand with one dimension a label of `order`, repeated labels as diagonals."""
    labels = list(labels)
    for v in dict.fromkeys(labels):
        while labels.count(v) > 1:
            i = labels.index(v)
            j = labels.index(v, i + 1)
            x = x.diagonal(0, i, j)
            labels = [w for k, w in enumerate(labels) if k not in (i, j)] + [v]
    present = [v for v in order if v in labels]
    x = x.permute([labels.index(v) for v in present])
    shape = iter(x.shape)
    return x.reshape([next(shape) if v in present else 1 for v in order])


def _sum_product(x: Any, y: Any, dims: list[int], alone: bool = False) -> Any:
    """`(x * y).sum(dims, keepdim=True)` as one batched matrix product; `alone`, it may choose its result's layout."""
    dims = list(dims)
    if not dims:
        return mul(x, y)
    for d in list(dims):
        if x.shape[d] != y.shape[d]:  # one of them is 1: sum the other alone
            if x.shape[d] == 1:
                y = y.sum(d, keepdim=True)
            else:
                x = x.sum(d, keepdim=True)
    n = x.dim()
    contracted = [d for d in dims if x.shape[d] != 1 or y.shape[d] != 1]
    if not contracted:
        return mul(x, y)
    batch = [d for d in range(n) if d not in dims and x.shape[d] != 1 and y.shape[d] != 1]
    left = [d for d in range(n) if d not in dims and y.shape[d] == 1 and d not in batch]
    right = [d for d in range(n) if d not in dims and d not in batch and d not in left]
    if alone and left and right and right[-1] < left[0]:  # the other way round the result is in order
        x, y, left, right = y, x, right, left
    sizes = [max(x.shape[d], y.shape[d]) if 0 not in (x.shape[d], y.shape[d]) else 0 for d in range(n)]

    def size(ds: list[int]) -> int:
        return math.prod(sizes[d] for d in ds)

    a = x.permute(batch + left + contracted + [d for d in range(n) if d not in batch + left + contracted])
    a = a.reshape(size(batch), size(left), size(contracted))
    b = y.permute(batch + contracted + right + [d for d in range(n) if d not in batch + right + contracted])
    b = b.reshape(size(batch), size(contracted), size(right))
    z = bmm(a, b).reshape([sizes[d] for d in batch + left + right])
    arranged = batch + left + right
    z = z.permute([arranged.index(d) for d in sorted(arranged)])
    return z.reshape([1 if d in dims else sizes[d] for d in range(n)])


FUNCTIONAL = {"linear": linear, "bilinear": bilinear}
