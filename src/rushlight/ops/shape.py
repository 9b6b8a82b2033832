"""Views and other changes of shape: the same elements under other indices."""

from __future__ import annotations

import itertools
import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from .. import dtypes
from ..autograd import views
from ..autograd.modes import get_mode
from ..autograd.tensor import Tensor, storage_of, wrap_dim
from .creation import shape_of
from .declare import FUNCTIONS, attach, called, primitive, public, type_error

as_strided_array = np.lib.stride_tricks.as_strided


def ints(args: Any) -> tuple[int, ...]:
    """Numbers given as `f(1, 2)` or `f((1, 2))`."""
    if len(args) == 1 and isinstance(args[0], (tuple, list)):
        return tuple(args[0])
    return tuple(args)


def wrap_dims(dims: Any, n: int) -> tuple[int, ...]:
    """Dimensions counted from the front; a repeated one is an error."""
    found = tuple(wrap_dim(d, n) for d in dims)
    if len(set(found)) != len(found):
        d = next(d for d in found if found.count(d) > 1)
        raise RuntimeError(f"dim {d} appears multiple times in the list of dims")
    return found


# ---- view, reshape ------------------------------------------------------------------------------------------------------


def infer_shape(shape: tuple[int, ...], numel: int) -> tuple[int, ...]:
    """`shape` with its -1, if any, replaced by what makes the product `numel`."""
    product = math.prod(shape)
    if product == numel and min(shape, default=0) >= 0:
        return shape
    if product < 0 and numel and min(shape) == -1 and shape.count(-1) == 1 and numel % product == 0:
        i = shape.index(-1)
        return (*shape[:i], numel // -product, *shape[i + 1 :])
    unknown = [i for i, n in enumerate(shape) if n == -1]
    if len(unknown) > 1:
        raise RuntimeError("only one dimension can be inferred")
    if any(n < -1 for n in shape):
        raise RuntimeError(
            f"invalid shape dimension {min(shape)} at index {shape.index(min(shape))} of shape {list(shape)}"
        )
    known = math.prod(n for n in shape if n != -1)
    if not unknown:
        if known != numel:
            raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {numel}")
        return shape
    if known == 0:
        if numel == 0:
            raise RuntimeError(
                f"cannot reshape tensor of 0 elements into shape {list(shape)} because the unspecified dimension size "
                "-1 can be any value and is ambiguous"
            )
        raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {numel}")
    if numel % known:
        raise RuntimeError(f"shape '{list(shape)}' is invalid for input of size {numel}")
    i = unknown[0]
    return (*shape[:i], numel // known, *shape[i + 1 :])


def _reshape_view(a: Any, shape: tuple[int, ...]) -> Any:
    """`a` reshaped without copying, or None."""
    if a.flags.c_contiguous:
        return a.reshape(shape)
    try:
        return np.reshape(a, shape, copy=False)
    except ValueError:
        return None


def _view_forward(a: Any, shape: Any) -> Any:
    if a.flags.c_contiguous:
        return a.reshape(shape)
    result = _reshape_view(a, shape)
    if result is None:
        raise RuntimeError(
            "view size is not compatible with input tensor's size and stride (at least one dimension spans across two "
            "contiguous subspaces). Use .reshape(...) instead."
        )
    return result


def reshape_any(x: Any, shape: tuple[int, ...]) -> Any:
    """Reshape an array or a Tensor."""
    return x.reshape(shape)


_view: Any = primitive("ViewBackward0", _view_forward, view=True, a=lambda g, a_shape: reshape_any(g, a_shape))
_reshape_alias: Any = primitive(
    "ReshapeAliasBackward0", _view_forward, view=True, a=lambda g, a_shape: reshape_any(g, a_shape)
)
_unsafe_view: Any = primitive(
    "UnsafeViewBackward0",
    lambda a, shape: np.ascontiguousarray(a).reshape(shape),
    a=lambda g, a_shape: reshape_any(g, a_shape),
)


def view(self: Any, *shape: Any, dtype: Any = None, size: Any = None) -> Any:
    """The same memory under another shape (or dtype); an error if that would need a copy."""
    if dtype is not None or (len(shape) == 1 and isinstance(shape[0], dtypes.dtype)):
        return _view_dtype(self, dtype or shape[0])
    if size is not None:
        shape = (size,)
    target = infer_shape(shape_of(shape, "view"), self._array.size)
    return _view(self, target)


def _view_dtype(x: Any, d: Any) -> Any:
    a = x._array
    target = d.np
    if target == a.dtype:
        return _view(x, a.shape)
    if a.ndim == 0 and target.itemsize != a.itemsize:
        raise RuntimeError(
            f"self.dim() cannot be 0 to view {x.dtype.scalar_name} as {d.scalar_name} (different element sizes)"
        )
    ratio, rest = divmod(target.itemsize, a.itemsize)
    if ratio > 1 and rest == 0 and a.shape[-1] % ratio:
        raise RuntimeError(
            f"self.size(-1) must be divisible by {ratio} to view {x.dtype.scalar_name} as {d.scalar_name} (different "
            f"element sizes), but got {a.shape[-1]}"
        )
    return views.view_of(x, a.view(target), None, get_mode())


attach("view", view)


@public
def reshape(input: Any, *shape: Any) -> Any:
    """`input` under another shape: a view where possible, else a copy."""
    if not isinstance(input, Tensor):
        raise type_error("reshape", input)
    a = input._array
    target = infer_shape(shape_of(shape, "reshape"), a.size)
    if a.flags.c_contiguous or _reshape_view(a, target) is not None:
        return _view(input, target)
    return _unsafe_view(clone(input, memory_format=FUNCTIONS.get("contiguous_format")), target)


def _view_as(self: Any, other: Any) -> Any:
    """View with the shape of `other`."""
    return view(self, other.shape)


attach("view_as", _view_as)
attach("reshape_as", lambda self, other: reshape(self, other.shape))


@public
def flatten(input: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """The dimensions from `start_dim` to `end_dim` joined to one."""
    shape = input._array.shape
    n = len(shape)
    start, end = wrap_dim(start_dim, n), wrap_dim(end_dim, n)
    if n == 0:
        return reshape(input, 1)
    if start > end:
        raise RuntimeError("flatten() has invalid args: start_dim cannot come after end_dim")
    if start == end:
        return input
    return reshape(input, (*shape[:start], math.prod(shape[start : end + 1]), *shape[end + 1 :]))


@public
def unflatten(input: Any, dim: int, sizes: Any) -> Any:
    """One dimension split into several, of the given sizes."""
    shape = input._array.shape
    d = wrap_dim(dim, len(shape))
    if not len(sizes):
        raise RuntimeError("unflatten: sizes must be non-empty")
    try:
        inner = infer_shape(tuple(sizes), shape[d])
    except RuntimeError:
        raise RuntimeError(
            f"unflatten: Provided sizes {list(sizes)} don't multiply up to the size of dim {dim} ({shape[d]}) in the input "
            "tensor"
        ) from None
    return reshape(input, (*shape[:d], *inner, *shape[d + 1 :]))


@public
def ravel(input: Any) -> Any:
    """All elements in one dimension."""
    return reshape(input, -1)


# ---- copies -------------------------------------------------------------------------------------------------------------


def _clone_array(a: Any, contiguous: bool) -> Any:
    return np.array(a, order="C") if contiguous else np.array(a, order="K")


_clone: Any = primitive("CloneBackward0", _clone_array, a=lambda g: g)


@public
def clone(input: Any, *, memory_format: Any = None) -> Any:
    """A copy of `input`, through which gradients flow."""
    name = getattr(memory_format, "name", "preserve_format")
    if name.startswith("channels_last"):
        return _channels_last(input, name)
    dense = input._array.flags.c_contiguous or _non_overlapping(input._array)
    return _clone(input, name == "contiguous_format" or not dense)


def _non_overlapping(a: Any) -> bool:
    expected = a.itemsize
    for stride, n in sorted(zip(a.strides, a.shape, strict=True)):
        if n > 1:
            if stride != expected:
                return False
            expected *= n
    return True


def _channels_last(x: Any, name: str) -> Any:
    n = x._array.ndim
    if n != (4 if name == "channels_last" else 5):
        raise RuntimeError(f"required rank {4 if name == 'channels_last' else 5} tensor to use {name} format")
    inward, outward = (0, *range(2, n), 1), (0, n - 1, *range(1, n - 1))
    return permute(_clone(permute(x, inward), True), outward)


@public(namespace=False)
def contiguous(input: Any, memory_format: Any = None) -> Any:
    """`input` itself if its elements lie in order, else a copy in order."""
    if input.is_contiguous(memory_format):
        return input
    from ..layout import contiguous_format

    return clone(input, memory_format=memory_format or contiguous_format)


# ---- permutations ---------------------------------------------------------------------------------------------------------

_permute: Any = primitive(
    "PermuteBackward0", lambda a, dims: a.transpose(dims), view=True,
    a=lambda g, dims: permute_any(g, tuple(np.argsort(dims).tolist())),
)  # fmt: skip
_transpose: Any = primitive(
    "TransposeBackward0", lambda a, i, j: a.swapaxes(i, j), view=True, a=lambda g, i, j: transpose_any(g, i, j)
)
_t: Any = primitive("TBackward0", lambda a: a.T, view=True, a=lambda g: g.T if g.__class__ is np.ndarray else g.t())


def permute_any(x: Any, dims: tuple[int, ...]) -> Any:
    """Permute an array or a Tensor."""
    return _permute(x, dims)


def transpose_any(x: Any, i: int, j: int) -> Any:
    """Swap two dimensions of an array or a Tensor."""
    return _transpose(x, i, j)


@public
def permute(input: Any, *dims: Any) -> Any:
    """The dimensions in another order."""
    order = ints(dims)
    n = input._array.ndim
    if len(order) != n:
        raise RuntimeError(
            f"permute(sparse_coo): number of dimensions in the tensor input does not match the length of the desired "
            f"ordering of dimensions i.e. input.dim() = {n} is not equal to len(dims) = {len(order)}"
        )
    found = tuple(wrap_dim(d, n) for d in order)
    if len(set(found)) != n:
        raise RuntimeError("permute(): duplicate dims are not allowed.")
    return _permute(input, found)


@public(aliases=("swapaxes", "swapdims"))
def transpose(input: Any, dim0: int, dim1: int) -> Any:
    """Two dimensions swapped."""
    if not isinstance(input, Tensor):
        raise type_error("transpose", input)
    n = input._array.ndim
    i, j = wrap_dim(dim0, n), wrap_dim(dim1, n)
    return _transpose(input, i, j) if n else _view(input, ())


@public
def t(input: Any) -> Any:
    """A matrix transposed; vectors and scalars as they are."""
    n = input._array.ndim
    if n > 2:
        raise RuntimeError(f"t() expects a tensor with <= 2 dimensions, but self is {n}D")
    return _t(input)


def _reversed(self: Any) -> Any:
    if self._array.ndim != 2:
        warnings.warn(
            "The use of `x.T` on tensors of dimension other than 2 to reverse their shape is deprecated and it will throw "
            "an error in a future release. Consider `x.mT` to transpose batches of matrices or "
            "`x.permute(*torch.arange(x.ndim - 1, -1, -1))` to reverse the dimensions of a tensor.",
            UserWarning,
            stacklevel=2,
        )
    return permute(self, tuple(range(self._array.ndim - 1, -1, -1)))


attach("T", property(_reversed))


def _matrix_transposed(self: Any) -> Any:
    if self._array.ndim < 2:
        if self._array.ndim == 0:
            return self
        raise RuntimeError("tensor.mT is only supported on matrices or batches of matrices. Got 1-D tensor.")
    return transpose(self, -2, -1)


attach("mT", property(_matrix_transposed))
attach("mH", property(lambda self: _matrix_transposed(self).conj()))
attach("H", property(lambda self: adjoint_2d(self)))


def adjoint_2d(x: Any) -> Any:
    """`Tensor.H`: the conjugate transpose of a matrix."""
    if x._array.ndim not in (0, 2):
        raise RuntimeError(f"tensor.H is only supported on matrices (2-D tensors). Got {x._array.ndim}-D tensor.")
    return transpose(x, 0, 1).conj() if x._array.ndim else x.conj()


@public
def adjoint(input: Any) -> Any:
    """The conjugate of the last two dimensions transposed."""
    return transpose(input, -2, -1).conj()


@public(aliases=("moveaxis",))
def movedim(input: Any, source: Any, destination: Any) -> Any:
    """Dimensions moved to other places, the rest in order."""
    n = input._array.ndim
    src = wrap_dims((source,) if isinstance(source, int) else source, n)
    dst = wrap_dims((destination,) if isinstance(destination, int) else destination, n)
    if len(src) != len(dst):
        raise RuntimeError(
            f"movedim: Invalid source or destination dims: source ({list(src)} dims) should contain the same number of "
            f"dims as destination ({list(dst)} dims)"
        )
    order = [d for d in range(n) if d not in src]
    for to, from_ in sorted(zip(dst, src, strict=True)):
        order.insert(to, from_)
    return permute(input, order)


# ---- dimensions of length one ------------------------------------------------------------------------------------------------


def _squeezing(name: str) -> Any:
    return primitive(name, lambda a, dims: a.squeeze(dims), view=True, a=lambda g, a_shape: reshape_any(g, a_shape))


_squeeze, _squeeze_dim, _squeeze_dims = map(_squeezing, ("SqueezeBackward0", "SqueezeBackward1", "SqueezeBackward2"))
_unsqueeze: Any = primitive(
    "UnsqueezeBackward0",
    lambda a, dim: a.reshape((*a.shape[:dim], 1, *a.shape[dim:])),
    view=True,
    a=lambda g, a_shape: reshape_any(g, a_shape),
)


@public(inplace=False)
def squeeze(input: Any, dim: Any = None) -> Any:
    """Without the dimensions of length one (or only those named)."""
    shape = input._array.shape
    if dim is None:
        dims = tuple(i for i, n in enumerate(shape) if n == 1)
    else:
        wanted = wrap_dims((dim,) if not isinstance(dim, (tuple, list)) else dim, len(shape))
        dims = tuple(d for d in wanted if shape and shape[d] == 1)
        return (_squeeze_dims if isinstance(dim, (tuple, list)) else _squeeze_dim)(input, dims)
    return _squeeze(input, dims)


@public
def unsqueeze(input: Any, dim: int) -> Any:
    """With a new dimension of length one at `dim`."""
    return _unsqueeze(input, wrap_dim(dim, input._array.ndim + 1))


def _expand_forward(a: Any, shape: Any) -> Any:
    # NumPy's broadcast_to is read-only; PyTorch's expand is not.
    lead = len(shape) - a.ndim
    strides = (0,) * lead + tuple(
        0 if n == 1 and m != 1 else s for n, m, s in zip(a.shape, shape[lead:], a.strides, strict=True)
    )
    return as_strided_array(a, shape, strides)


def sum_to_any(g: Any, shape: Any) -> Any:
    """Sum an array or a Tensor back to a shape that was broadcast."""
    if isinstance(g, Tensor):
        return g.sum_to_size(shape)
    from .declare import sum_to

    return sum_to(g, shape)


_expand: Any = primitive("ExpandBackward0", _expand_forward, view=True, a=lambda g, a_shape: sum_to_any(g, a_shape))


@public(namespace=False)
def expand(input: Any, *sizes: Any, implicit: bool = False) -> Any:
    """Dimensions of length one repeated to the given sizes without copying (-1 keeps a length)."""
    shape = shape_of(sizes, "expand")
    own = input._array.shape
    if len(shape) < len(own):
        raise RuntimeError(
            f"expand({type_text(input)}{{{list(own)}}}, size={list(shape)}): the number of sizes provided ({len(shape)}) must "
            f"be greater or equal to the number of dimensions in the tensor ({len(own)})"
        )
    return _expand(input, expanded_shape(own, shape))


def type_text(x: Any) -> str:
    """`torch.FloatTensor` and so on, as error messages name a tensor."""
    return f"torch.{x.dtype.scalar_name}Tensor"


def expanded_shape(own: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int, ...]:
    """What `expand` makes of shape `own`; RuntimeError where a length other than one would have to change."""
    lead = len(shape) - len(own)
    found = []
    for i, n in enumerate(shape):
        have = own[i - lead] if i >= lead else None
        if n == -1:
            if have is None:
                raise RuntimeError(
                    f"The expanded size of the tensor (-1) isn't allowed in a leading, non-existing dimension {i}"
                )
            n = have
        elif have is not None and have not in (1, n):
            raise RuntimeError(
                f"The expanded size of the tensor ({n}) must match the existing size ({have}) at non-singleton dimension "
                f"{i}.  Target sizes: {list(shape)}.  Tensor sizes: {list(own)}"
            )
        found.append(n)
    return tuple(found)


attach("expand_as", lambda self, other: expand(self, other.shape))


@public(method=False)
def broadcast_to(input: Any, size: Any) -> Any:
    """`input` expanded to `size`."""
    return expand(input, *size)


attach("broadcast_to", lambda self, *size: expand(self, *ints(size)))


@public(method=False)
def broadcast_shapes(*shapes: Any) -> Any:
    """The shape that the given shapes broadcast to."""
    from ..size import Size

    tuples = [(s,) if isinstance(s, int) else tuple(s) for s in shapes]
    for s in tuples:
        if any(n < 0 for n in s):
            raise RuntimeError(f"Trying to create tensor with negative dimension ({min(s)}): ({min(s)})")
    found = [1] * max(map(len, tuples), default=0)
    for i, s in enumerate(tuples):
        for axis in range(-1, -1 - len(s), -1):
            if s[axis] not in (1, found[axis]):
                if found[axis] != 1:
                    raise RuntimeError(
                        f"Attempting to broadcast a dimension of length {s[axis]} at {axis}! Mismatching argument at index "
                        f"{i} had {s}; but expected shape should be broadcastable to {found}"
                    )
                found[axis] = s[axis]
    return Size(found)


@public(method=False)
def broadcast_tensors(*tensors: Any) -> Any:
    """The tensors, each expanded to the shape they broadcast to together."""
    if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
        tensors = tuple(tensors[0])
    shape: tuple[int, ...] = ()
    for x in tensors:
        try:
            shape = np.broadcast_shapes(shape, x._array.shape)
        except ValueError:
            from .declare import broadcast_error

            raise broadcast_error(np.empty(shape), x._array) or RuntimeError("shapes do not broadcast") from None
    return tuple(expand(x, shape) for x in tensors)


@public(namespace=False)
def sum_to_size(input: Any, *size: Any) -> Any:
    """Summed over the dimensions along which `size` would be broadcast to `input`'s shape."""
    shape = shape_of(size, "sum_to_size")
    own = input._array.shape
    lead = len(own) - len(shape)
    if lead < 0 or any(n not in (1, m) for n, m in zip(shape, own[lead:], strict=True)):
        raise RuntimeError(f"size {{{list(shape)}}} is not expandable to size {{{list(own)}}}.")
    axes = (*range(lead), *(i + lead for i, n in enumerate(shape) if n == 1 and own[i + lead] != 1))
    if not axes:
        return input if own else input.sum()
    return reshape(input.sum(axes, True), shape)


# ---- strided views -----------------------------------------------------------------------------------------------------------


def _slice_backward(g: Any, a_shape: Any, key: Any) -> Any:
    if isinstance(g, Tensor):
        zero = g.new_zeros(a_shape)
        return _slice_scatter(zero, g, key)
    out = np.zeros(a_shape, g.dtype)
    out[key] = g
    return out


def _slice_put(a: Any, b: Any, key: Any) -> Any:
    out = np.array(a)
    out[key] = b
    return out


def _cleared(g: Any, key: Any) -> Any:
    """`g` with zeros in the part `key`."""
    if isinstance(g, Tensor):
        return _slice_scatter(g, g.new_zeros(g._array[key].shape), key)
    out = g.copy()
    out[key] = 0
    return out


def basic_index(x: Any, key: Any) -> Any:
    """The part of an array or Tensor that a basic NumPy index selects, as a view."""
    return _slice(x, key)


_slice_scatter: Any = primitive(
    "SliceScatterBackward0", _slice_put, a=lambda g, key: _cleared(g, key), b=lambda g, key: basic_index(g, key)
)
_slice: Any = primitive(
    "SliceBackward0", lambda a, key: a[key], view=True, a=lambda g, a_shape, key: _slice_backward(g, a_shape, key)
)
_select: Any = primitive(
    "SelectBackward0",
    lambda a, key: a[(*key, ...)],
    view=True,
    a=lambda g, a_shape, key: _slice_backward(g, a_shape, key),
)


@public
def narrow(input: Any, dim: int, start: Any, length: int) -> Any:
    """`length` indices of one dimension, from `start`."""
    n = input._array.ndim
    if n == 0:
        raise RuntimeError("narrow() cannot be applied to a 0-dim tensor.")
    if length < 0:
        raise RuntimeError("narrow(): length must be non-negative.")
    d = wrap_dim(dim, n)
    size = input._array.shape[d]
    if isinstance(start, Tensor):
        if start._array.ndim != 0 or start._array.dtype.kind not in "iu":
            raise RuntimeError("start must be an 0-dim integral Tensor.")
        start = int(start.item())
    if not -size <= start <= size:
        raise IndexError(f"start out of range (expected to be in range of [-{size}, {size}], but got {start})")
    start = start + size if start < 0 else start
    if start + length > size:
        raise RuntimeError(f"start ({start}) + length ({length}) exceeds dimension size ({size}).")
    return _slice(input, (slice(None),) * d + (slice(start, start + length),))


@public(out=True)
def narrow_copy(input: Any, dim: int, start: int, length: int) -> Any:
    """As `narrow`, as a copy."""
    if dim >= max(input._array.ndim, 1):
        raise RuntimeError(
            "Expected dim < static_cast<int64_t>(self_sizes.size()) to be true, but got false.  (Could this error message be "
            "improved?  If so, please report an enhancement request to PyTorch.)"
        )
    return clone(narrow(input, dim, start, length))


@public
def select(input: Any, dim: int, index: Any) -> Any:
    """One index of one dimension, which disappears."""
    n = input._array.ndim
    if n == 0:
        raise IndexError("select() cannot be applied to a 0-dim tensor.")
    d = wrap_dim(dim, n)
    size = input._array.shape[d]
    index = index.__index__()
    if not -size <= index < size:
        raise IndexError(
            f"select(): index {index} out of range for tensor of size {list(input._array.shape)} at dimension {d}"
        )
    return _select(input, (slice(None),) * d + (index % size,))


def _split_backward(g: Any, a_shape: Any, keys: Any) -> Any:
    out = np.zeros(a_shape, g[0].dtype)
    for key, part in zip(keys, g, strict=True):
        out[key] = part
    return out


def _split_backward_graph(g: Any, a_shape: Any, keys: Any, dim: int) -> Any:
    from .joining import cat

    return cat(list(g), dim)


def _split_arrays(a: Any, keys: Any, dim: int) -> Any:
    return [a[key] for key in keys]


def _splitting(name: str) -> Any:
    return primitive(
        name, _split_arrays, multi_view=True,
        a=lambda g, a_shape, keys: _split_backward(g if isinstance(g, list) else [g], a_shape, keys),
        graph={"a": lambda g, a_shape, keys, dim: _split_backward_graph(g if isinstance(g, list) else [g], a_shape, keys, dim)},
    )  # fmt: skip


_split, _split_sizes = _splitting("SplitBackward0"), _splitting("SplitWithSizesBackward0")
_unbind: Any = primitive(
    "UnbindBackward0", lambda a, dim: [a[(slice(None),) * dim + (i, ...)] for i in range(a.shape[dim])], multi_view=True,
    a=lambda g, a_shape, dim: np.stack(g if isinstance(g, list) else [g], dim),
    graph={"a": lambda g, dim: _stack_any(g if isinstance(g, list) else [g], dim)},
)  # fmt: skip


def _stack_any(parts: Any, dim: int) -> Any:
    from .joining import stack

    return stack(parts, dim)


def _split_at(x: Any, bounds: Sequence[int], d: int, op: Any = None) -> Any:
    keys = [(slice(None),) * d + (slice(i, j),) for i, j in itertools.pairwise(bounds)]
    return (op or _split)(x, keys, d)


@public(method=False)
def split(tensor: Any, split_size_or_sections: Any, dim: int = 0) -> Any:
    """Views of consecutive parts along one dimension: of one size, or of the given sizes."""
    n = tensor._array.ndim
    if n == 0:
        raise RuntimeError("split expects at least a 1-dimensional tensor")
    d = wrap_dim(dim, n)
    size = tensor._array.shape[d]
    if isinstance(split_size_or_sections, (int, np.integer)) or (
        isinstance(split_size_or_sections, Tensor) and split_size_or_sections._array.ndim == 0
    ):
        step = int(split_size_or_sections)
        if step < 0:
            raise RuntimeError(f"split expects split_size be non-negative, but got split_size={step}")
        if step == 0:
            if size:
                raise RuntimeError(f"split_size can only be 0 if dimension size is 0, but got dimension size of {size}")
            return (basic_index(tensor, (slice(None),)),)
        bounds = [*range(0, size, step), size] if size else [0, 0]
        return _split_at(tensor, bounds, d)
    sizes = [int(s) for s in split_size_or_sections]
    if sum(sizes) != size or any(s < 0 for s in sizes):
        if any(s < 0 for s in sizes):
            raise RuntimeError(
                f"split_with_sizes expects split_sizes have only non-negative entries, but got split_sizes={sizes}"
            )
        raise RuntimeError(
            f"split_with_sizes expects split_sizes to sum exactly to {size} (input tensor's size at dimension {d}), but "
            f"got split_sizes={sizes}"
        )
    bounds = [0]
    for s in sizes:
        bounds.append(bounds[-1] + s)
    return _split_at(tensor, bounds, d, _split_sizes)


def _split_method(self: Any, split_size: Any, dim: int = 0) -> Any:
    """See `split`."""
    return split(self, split_size, dim)


attach("split", _split_method)
public(
    split_with_sizes := lambda input, split_sizes, dim=0: split(input, list(split_sizes), dim), name="split_with_sizes"
)


@public
def chunk(input: Any, chunks: int, dim: int = 0) -> Any:
    """At most `chunks` views of equal length (the last may be shorter)."""
    if input._array.ndim == 0:
        raise RuntimeError("chunk expects at least a 1-dimensional tensor")
    if chunks <= 0:
        raise RuntimeError(f"chunk expects `chunks` to be greater than 0, got: {chunks}")
    d = wrap_dim(dim, input._array.ndim)
    size = input._array.shape[d]
    step = max(-(-size // chunks), 0)
    if step == 0:
        return _split_at(input, [0] * (chunks + 1), d)
    return split(input, step, d)


@public
def tensor_split(input: Any, indices_or_sections: Any, dim: int = 0) -> Any:
    """Views of parts whose lengths differ by at most one, or that begin at the given indices."""
    if input._array.ndim == 0:
        raise RuntimeError("tensor_split expected at least a 1-dimensional tensor, but got a tensor with 0 dims")
    d = wrap_dim(dim, input._array.ndim)
    size = input._array.shape[d]
    if isinstance(indices_or_sections, Tensor):
        if indices_or_sections._array.dtype.name != "int64":
            raise RuntimeError(
                "tensor_split expected tensor_indices_or_sections to have dtype of long, but got "
                f"{indices_or_sections.dtype.scalar_name}"
            )
        if indices_or_sections._array.ndim > 1:
            raise RuntimeError(
                "tensor_split expected tensor_indices_or_sections to be a zero-dimensional or one-dimensional tensor, "
                f"but got a tensor with {indices_or_sections._array.ndim} dims"
            )
        indices_or_sections = indices_or_sections.tolist()
    if isinstance(indices_or_sections, int):
        n = indices_or_sections
        if n <= 0:
            raise RuntimeError(f"number of sections must be larger than 0, got {n}")
        lengths = [size // n + (i < size % n) for i in range(n)]
        starts = [0]
        for length in lengths:
            starts.append(starts[-1] + length)
        pairs = list(itertools.pairwise(starts))
    else:
        points = [0, *indices_or_sections, size]
        pairs = list(itertools.pairwise(points))
    return tuple(basic_index(input, (slice(None),) * d + (slice(i, j),)) for i, j in pairs)


def _stacked_split(name: str, dim_of: Any, minimum: int, message: str) -> None:
    def op(input: Any, indices_or_sections: Any) -> Any:
        n = input._array.ndim
        if n < minimum:
            raise RuntimeError(
                f"torch.{name} requires a tensor with at least {minimum} dimension{'s' if minimum > 1 else ''}, but got a tensor with {n} dimensions!"
            )
        d = dim_of(n)
        if isinstance(indices_or_sections, int) and indices_or_sections and input._array.shape[d] % indices_or_sections:
            raise RuntimeError(
                f"torch.{name} attempted to split along dimension {d}, but the size of the dimension "
                f"{input._array.shape[d]} is not divisible by the split_size {indices_or_sections}!"
            )
        return tensor_split(input, indices_or_sections, d)

    op.__name__ = op.__qualname__ = name
    op.__doc__ = message
    public(op)


_stacked_split(
    "hsplit", lambda n: 0 if n == 1 else 1, 1, "`tensor_split` along the second dimension (the first of a vector)."
)
_stacked_split("vsplit", lambda n: 0, 2, "`tensor_split` along the first dimension.")
_stacked_split("dsplit", lambda n: 2, 3, "`tensor_split` along the third dimension.")


@public
def unbind(input: Any, dim: int = 0) -> Any:
    """The slices along one dimension, as a tuple of views."""
    if input._array.ndim == 0:
        raise IndexError("Dimension specified as 0 but tensor has no dimensions")
    d = wrap_dim(dim, input._array.ndim)
    return _unbind(input, d) if input._array.shape[d] else ()


# ---- diagonals, windows, as_strided --------------------------------------------------------------------------------------------


def _diagonal_backward(g: Any, a_shape: Any, offset: int, d1: int, d2: int) -> Any:
    out = np.zeros(a_shape, g.dtype)
    _diagonal_view(out, offset, d1, d2)[...] = g
    return out


def _diagonal_view(a: Any, offset: int, d1: int, d2: int) -> Any:
    rows, columns = a.shape[d1], a.shape[d2]
    n = max(min(rows, columns - offset) if offset >= 0 else min(rows + offset, columns), 0)
    rest = [i for i in range(a.ndim) if i not in (d1, d2)]
    shape = [a.shape[i] for i in rest] + [n]
    strides = [a.strides[i] for i in rest] + [a.strides[d1] + a.strides[d2]]
    start: list[Any] = [slice(None)] * a.ndim
    if n:
        start[d2 if offset >= 0 else d1] = slice(abs(offset), None)
    return as_strided_array(a[tuple(start)], shape, strides)


_diagonal: Any = primitive(
    "DiagonalBackward0", _diagonal_view, view=True,
    a=lambda g, a_shape, offset, d1, d2: _diagonal_backward(g, a_shape, offset, d1, d2),
    graph={"a": lambda g, a_shape, offset, d1, d2: g.new_zeros(a_shape).diagonal_scatter(g, offset, d1, d2)},
)  # fmt: skip


@public
def diagonal(input: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """The diagonal of two dimensions, as the last dimension of a view."""
    n = input._array.ndim
    d1, d2 = wrap_dim(dim1, n), wrap_dim(dim2, n)
    if d1 == d2:
        raise RuntimeError(f"diagonal dimensions cannot be identical {dim1}, {dim2}")
    return _diagonal(input, offset, d1, d2)


@public
def diagonal_scatter(input: Any, src: Any, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Any:
    """`input` with its diagonal replaced by `src`."""
    out = clone(input)
    target = diagonal(out, offset, dim1, dim2)
    if target.shape != src.shape:
        raise RuntimeError(
            f"expected src to have a size equal to the slice of self. src size = {list(src.shape)}, slice size = {list(target.shape)}"
        )
    target.copy_(src)
    return out


def _unfold_view(a: Any, d: int, size: int, step: int) -> Any:
    count = (a.shape[d] - size) // step + 1
    shape = (*a.shape[:d], count, *a.shape[d + 1 :], size)
    strides = (*a.strides[:d], a.strides[d] * step, *a.strides[d + 1 :], a.strides[d])
    return as_strided_array(a, shape, strides)


def _unfold_backward(g: Any, a_shape: Any, d: int, size: int, step: int) -> Any:
    out = np.zeros(a_shape, g.dtype)
    windows = _unfold_view(out, d, size, step)
    for i in range(size):  # one offset at a time never writes an element twice
        windows[..., i] += g[..., i]
    return out


_unfold: Any = primitive(
    "UnfoldBackward0", _unfold_view, view=True,
    a=lambda g, a_shape, d, size, step: _unfold_backward_op(g, a_shape, d, size, step),
)  # fmt: skip
_unfold_backward_op: Any = primitive(
    "UnfoldBackwardBackward0", lambda b, a_shape, d, size, step: _unfold_backward(b, a_shape, d, size, step),
    b=lambda g, d, size, step: _unfold(g, d, size, step),
)  # fmt: skip


def _unfold_method(self: Any, dimension: int, size: int, step: int) -> Any:
    """Windows of `size` elements every `step` along one dimension, as a view with a new last dimension."""
    x = self
    if x._array.ndim == 0:
        x, dimension = unsqueeze(x, 0), 0
        if size > 1:
            raise RuntimeError(f"maximum size for tensor at dimension 0 is 1 but size is {size}")
        return _squeeze(_unfold(x, 0, size, step), (0,))
    d = wrap_dim(dimension, x._array.ndim)
    if size < 0:
        raise RuntimeError(f"size is {size} but must be >= 0")
    if size > x._array.shape[d]:
        raise RuntimeError(f"maximum size for tensor at dimension {d} is {x._array.shape[d]} but size is {size}")
    if step <= 0:
        raise RuntimeError(f"step is {step} but must be > 0")
    return _unfold(x, d, size, step)


attach("unfold", _unfold_method)


def _as_strided_of(a: Any, size: Any, stride: Any, offset: Any) -> Any:
    root = storage_of(a)
    itemsize = a.itemsize
    start = root.ctypes.data if offset is not None else a.ctypes.data
    place = start + (offset or 0) * itemsize
    low = root.ctypes.data if root.flags.c_contiguous or root.flags.f_contiguous else _lowest(root)
    end = (
        place + (sum((n - 1) * s for n, s in zip(size, stride, strict=True)) + 1) * itemsize if 0 not in size else place
    )
    if end > low + root.nbytes or place < low:
        raise RuntimeError(
            f"setStorage: sizes {list(size)}, strides {list(stride)}, storage offset {(place - low) // itemsize}, and "
            f"itemsize {itemsize} requiring a storage size of {end - low} are out of bounds for storage of size {root.nbytes}"
        )
    flat = root.reshape(-1) if root.flags.c_contiguous else root.ravel(order="K")
    if flat.dtype != a.dtype:
        flat = flat.view(a.dtype)
    part = flat[(place - low) // itemsize :]
    return as_strided_array(part, tuple(size), tuple(s * itemsize for s in stride))


def _lowest(a: Any) -> int:
    return int(a.ctypes.data)


def _as_strided_record(x: Any, a: Any) -> Any:
    mode = get_mode()
    edge = None
    if mode.grad and x.requires_grad:
        node = views.AsStridedBackward0(x._array, a)
        node.edges = (x._edge,)
        edge = (node, 0)
    return views.view_of(x, a, edge, mode)


@public(aliases=())
def as_strided(input: Any, size: Any, stride: Any, storage_offset: int | None = None) -> Any:
    """A view of `input`'s storage with any shape and strides (in elements)."""
    size, stride = tuple(size), tuple(stride)
    if len(size) != len(stride):
        raise RuntimeError(f"mismatch in length of strides and shape: got {len(stride)} and {len(size)}")
    if any(s < 0 for s in stride):
        raise RuntimeError(f"as_strided: Negative strides are not supported at the moment, got strides: {list(stride)}")
    return _as_strided_record(input, _as_strided_of(input._array, size, stride, storage_offset))


def as_strided_(input: Any, size: Any, stride: Any, storage_offset: int | None = None) -> Any:
    """Give this tensor another shape and strides over its storage."""
    if get_mode().grad and input.requires_grad:
        views.check_inplace(input)
        y = as_strided(input, size, stride, storage_offset)
        input._array, input._edge = y._array, y._edge
        return input
    input._array = _as_strided_of(input._array, tuple(size), tuple(stride), storage_offset)
    return input


attach("as_strided_", as_strided_)
FUNCTIONS["as_strided_"] = as_strided_


@public
def as_strided_scatter(input: Any, src: Any, size: Any, stride: Any, storage_offset: int | None = None) -> Any:
    """`input` with the elements that `as_strided` would show replaced by `src`."""
    out = clone(input, memory_format=None)
    as_strided(out, size, stride, storage_offset).copy_(src)
    return out


@public
def select_scatter(input: Any, src: Any, dim: int, index: int) -> Any:
    """`input` with one index of a dimension replaced by `src`."""
    n = input._array.ndim
    d = wrap_dim(dim, n)
    part = select(input, d, index)
    if part.shape != src.shape:
        raise RuntimeError(
            f"expected src to have a size equal to the slice of self. src size = {list(src.shape)}, slice size = {list(part.shape)}"
        )
    return _slice_scatter(input, src.to(input.dtype), (slice(None),) * d + (index % input._array.shape[d],))


@public(out=True)
def slice_scatter(input: Any, src: Any, dim: int = 0, start: Any = None, end: Any = None, step: int = 1) -> Any:
    """`input` with a slice of a dimension replaced by `src`."""
    d = wrap_dim(dim, input._array.ndim)
    key = (slice(None),) * d + (slice(start, end, step),)
    part = input._array[key]
    if part.shape != src._array.shape:
        raise RuntimeError(
            f"expected src to have a size equal to the slice of self. src size = {list(src.shape)}, slice size = {list(part.shape)}"
        )
    return _slice_scatter(input, src.to(input.dtype), key)


# ---- in-place changes of shape -------------------------------------------------------------------------------------------------------


def _inplace_view(name: str, op: Any, shift: int) -> None:
    """`op` in place; PyTorch's nodes for these are numbered on from those of `op`, by `shift`."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        if self._edge is not None:
            y = op(self, *args, **kwargs)
            if self._base is None and self.is_leaf and get_mode().grad:
                raise RuntimeError("a leaf Variable that requires grad is being used in an in-place operation.")
            node = y._edge[0]
            node.__class__ = called(node.__class__, node.name()[:-1] + str(int(node.name()[-1]) + shift))
            self._edge = y._edge
        self._array = op(self.detach(), *args, **kwargs)._array
        self._counter[0] += 1
        return self

    method.__name__ = name
    method.__doc__ = f"`{name.rstrip('_')}`, changing this tensor itself."
    attach(name, method)


for _name, _op, _shift in (
    ("squeeze_", squeeze, 3), ("unsqueeze_", unsqueeze, 1), ("transpose_", transpose, 1), ("t_", t, 1),
    ("swapaxes_", transpose, 1), ("swapdims_", transpose, 1),
):  # fmt: skip
    _inplace_view(_name, _op, _shift)


def resize_(self: Any, *sizes: Any, memory_format: Any = None) -> Any:
    """Give this tensor another size; new elements are uninitialised (zero)."""
    if self.requires_grad:
        raise RuntimeError("cannot resize variables that require grad")
    shape = shape_of(sizes, "resize_")
    a = self._array
    n = math.prod(shape)
    root = storage_of(a)
    have = (root.nbytes - (a.ctypes.data - root.ctypes.data)) // a.itemsize if root.flags.c_contiguous else a.size
    if n <= have and root.flags.c_contiguous:
        flat = root.reshape(-1)
        flat = flat.view(a.dtype) if flat.dtype != a.dtype else flat
        start = (a.ctypes.data - root.ctypes.data) // a.itemsize
        self._array = flat[start : start + n].reshape(shape)
        return self
    new = np.zeros(n, a.dtype)
    flat = a.reshape(-1)
    new[: flat.size] = flat[:n]
    self._array = new.reshape(shape)
    return self


attach("resize_", resize_)
FUNCTIONS["resize_"] = resize_


def _resize_as(self: Any, the_template: Any, memory_format: Any = None) -> Any:
    """`resize_` to the shape of another tensor."""
    return resize_(self, the_template.shape)


attach("resize_as_", _resize_as)
FUNCTIONS["resize_as_"] = _resize_as


def _set(self: Any, source: Any = None, storage_offset: int = 0, size: Any = None, stride: Any = None) -> Any:
    """Make this tensor look at the memory of another."""
    if source is None:
        self._array = np.empty(0, self._array.dtype)
        return self
    self._array, self._counter = source._array, source._counter
    if size is not None:
        self._array = _as_strided_of(source._array, size, stride or np.empty(size).strides, storage_offset)
    return self


attach("set_", _set)


# ---- copies of views ---------------------------------------------------------------------------------------------------------


def _copying(name: str, op: Any) -> None:
    def copy(input: Any, *args: Any, **kwargs: Any) -> Any:
        found = op(input, *args, **kwargs)
        return tuple(clone(x) for x in found) if isinstance(found, tuple) else clone(found)

    copy.__name__ = copy.__qualname__ = f"{name}_copy"
    copy.__doc__ = f"As `{name}`, as a copy."
    public(copy, method=False, out=True)


_copied: tuple[tuple[str, Any], ...] = (
    ("view", view), ("permute", permute), ("transpose", transpose), ("t", t), ("squeeze", squeeze), ("unsqueeze", unsqueeze),
    ("expand", expand), ("as_strided", as_strided), ("unbind", unbind), ("split", split), ("split_with_sizes", split),
    ("select", select), ("slice", lambda x, dim=0, start=None, end=None, step=1: _slice(x, (slice(None),) * dim + (slice(start, end, step),))),
    ("unfold", _unfold_method), ("alias", lambda x: view(x, x.shape)),
)  # fmt: skip
for _name, _viewing in _copied:
    _copying(_name, _viewing)
public(split, name="unsafe_split")
public(split, name="unsafe_split_with_sizes")
public(chunk, name="unsafe_chunk")
