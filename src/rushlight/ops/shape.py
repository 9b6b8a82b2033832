"""Views and other changes of shape: the same elements under other indices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from .. import dtypes
from ..autograd import views
from ..autograd.modes import get_mode
from ..autograd.tensor import Tensor, wrap_dim
from ..backend import placing
from ..errors import unsupported
from ..layout import channels_last, channels_last_3d, check_rank, contiguous_format, preserve_format
from ..settings import warn_once
from ..size import check_dimensions
from .creation import shape_of
from .declare import primitive
from .publishing import attach, public, type_error

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
    names = f"to view {x.dtype.scalar_name} as {d.scalar_name} (different element sizes)"
    if target.itemsize != a.itemsize and x.stride(-1) != 1 and a.size:
        raise RuntimeError(f"self.stride(-1) must be 1 {names}, but got {x.stride(-1)}")
    if ratio > 1 and x.storage_offset() % ratio:
        raise RuntimeError(f"self.storage_offset() must be divisible by {ratio} {names}, but got {x.storage_offset()}")
    for i, step in enumerate(x.stride()[:-1] if ratio > 1 and a.size else ()):
        if step % ratio:
            raise RuntimeError(f"self.stride({i}) must be divisible by {ratio} {names}, but got {step}")
    return views.view_of(x.detach(), a.view(target), None, get_mode())  # another dtype has no derivative


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
    return _unsafe_view(clone(input, memory_format=contiguous_format), target)


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
    return reshape(input if input._array.flags.c_contiguous else contiguous(input), -1)


# ---- copies -------------------------------------------------------------------------------------------------------------


def _clone_array(a: Any, name: str) -> Any:
    if name == "contiguous_format":
        return a.copy()
    return placing.copy(a) if name == "preserve_format" else placing.picture(a, True, fresh=True)


_clone: Any = primitive("CloneBackward0", _clone_array, a=lambda g: g)


@public
def clone(input: Any, *, memory_format: Any = None) -> Any:
    """A copy of `input`, through which gradients flow."""
    name = getattr(memory_format, "name", "preserve_format")
    if name.startswith("channels_last"):
        check_rank(input._array.ndim, name)
    return _clone(input, name)


_LAST = {4: channels_last, 5: channels_last_3d}


def as_picture(y: Any, last: bool) -> Any:
    """`y` in the layout that a layer of pictures hands on: channels last or in C order."""
    if last:
        return y if placing.channels_last(y._array) else clone(y, memory_format=_LAST[y._array.ndim])
    return y if y._array.flags.c_contiguous else clone(y, memory_format=contiguous_format)


@public(namespace=False)
def contiguous(input: Any, memory_format: Any = None) -> Any:
    """`input` itself if its elements lie in order, else a copy in order."""
    if input.is_contiguous(memory_format):
        return input
    if memory_format is preserve_format:
        raise RuntimeError("preserve memory format is unsupported by the contiguous operator")
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
    if self._array.ndim == 0:
        warn_once("Tensor.T is deprecated on 0-D tensors. This function is the identity in these cases.")
    elif self._array.ndim != 2:
        warn_once(
            "The use of `x.T` on tensors of dimension other than 2 to reverse their shape is deprecated and it will throw "
            "an error in a future release. Consider `x.mT` to transpose batches of matrices or "
            "`x.permute(*torch.arange(x.ndim - 1, -1, -1))` to reverse the dimensions of a tensor."
        )
    return permute(self, tuple(range(self._array.ndim - 1, -1, -1)))


attach("T", property(_reversed))


def _matrix_transposed(self: Any, name: str = "mT") -> Any:
    if self._array.ndim < 2:
        if self._array.ndim == 0:
            return self
        raise RuntimeError(f"tensor.{name} is only supported on matrices or batches of matrices. Got 1-D tensor.")
    return transpose(self, -2, -1)


attach("mT", property(_matrix_transposed))
attach("mH", property(lambda self: _matrix_transposed(self, "mH").conj()))
attach("H", property(lambda self: adjoint_2d(self)))


def adjoint_2d(x: Any) -> Any:
    """`Tensor.H`: the conjugate transpose of a matrix."""
    if x._array.ndim not in (0, 2):
        hint = " For batches of matrices, consider using tensor.mH" if x._array.ndim > 2 else ""
        raise RuntimeError(f"tensor.H is only supported on matrices (2-D tensors). Got {x._array.ndim}-D tensor.{hint}")
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
    lambda a, dim: _unsqueezed(a, dim),
    view=True,
    a=lambda g, a_shape: reshape_any(g, a_shape),
)


def _unsqueezed(a: Any, dim: int) -> Any:
    if a.flags.c_contiguous:
        return a.reshape((*a.shape[:dim], 1, *a.shape[dim:]))
    return a[(slice(None),) * dim + (None,)]


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
    try:
        return as_strided_array(a, shape, strides)
    except ValueError:
        check_dimensions(shape)
        raise unsupported(
            "tensors whose elements would fill 2**63 bytes if none were repeated", f"The shape is {list(shape)}."
        ) from None


def sum_to_any(g: Any, shape: Any) -> Any:
    """Sum an array or a Tensor back to a shape that was broadcast."""
    if isinstance(g, Tensor):
        return g.sum_to_size(shape)
    from .recorded import sum_to

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
    if math.prod(found) >= 2**63:
        raise RuntimeError("numel: integer multiplication overflow")
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

    tuples = [(s,) if isinstance(s, int) else s if isinstance(s, tuple) else tuple(s) for s in shapes]
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
            from .recorded import broadcast_error

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
