"""`Tensor`: an array, its place in the graph, and its version. It knows no operator; `ops` attaches those."""

from __future__ import annotations

import math
import sys
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import dtypes
from ..backend.memory import given_strides, same_place, storage_of, strides_of_empty
from ..device import CPU, device, require_cpu
from ..settings import warn, warn_once
from ..size import Size
from . import modes
from .node import AccumulateGrad, Edge, Handle, Node

ndarray = np.ndarray
_new = object.__new__
_shape = tuple.__new__


class TensorMeta(type):
    """Lets `isinstance(x, FloatTensor)`-like checks and subclassing behave; Tensor's own metaclass."""


class Tensor(metaclass=TensorMeta):
    """An n-dimensional array that can remember how it was computed.

    >>> import rushlight as torch
    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> (x * x).sum().backward()
    >>> x.grad
    tensor([2., 4.])
    """

    __array_priority__ = 1000  # so that `numpy_array * tensor` is ours
    __module__ = "rushlight"

    # Class defaults: an operator's result sets `_array` and `_counter` and, when recorded, `_edge`.
    _array: ndarray[Any, Any]
    _counter: list[int]  # shared by all views of one storage
    _edge: Edge | None = None  # (node that made this tensor, output number); an AccumulateGrad for a leaf
    _grad: Any = None
    _base: Any = None  # the tensor this is a differentiable view of
    _view_version: int = 0  # the version at which `_edge` of a view was right
    _view_kind: str | None = None  # why in-place writing is forbidden: "no_grad", "multi" or "custom"
    _inference: bool = False
    _retains_grad: bool = False
    _post_accumulate_hooks: Any = None
    _storage_key: Any = None

    if TYPE_CHECKING:  # methods attached by `ops`

        def __getattr__(self, name: str) -> Any: ...
        def __add__(self, other: Any) -> Any: ...
        def __radd__(self, other: Any) -> Any: ...
        def __sub__(self, other: Any) -> Any: ...
        def __rsub__(self, other: Any) -> Any: ...
        def __mul__(self, other: Any) -> Any: ...
        def __rmul__(self, other: Any) -> Any: ...
        def __truediv__(self, other: Any) -> Any: ...
        def __rtruediv__(self, other: Any) -> Any: ...
        def __floordiv__(self, other: Any) -> Any: ...
        def __mod__(self, other: Any) -> Any: ...
        def __pow__(self, other: Any) -> Any: ...
        def __rpow__(self, other: Any) -> Any: ...
        def __matmul__(self, other: Any) -> Any: ...
        def __rmatmul__(self, other: Any) -> Any: ...
        def __neg__(self) -> Any: ...
        def __abs__(self) -> Any: ...
        def __invert__(self) -> Any: ...
        def __and__(self, other: Any) -> Any: ...
        def __or__(self, other: Any) -> Any: ...
        def __xor__(self, other: Any) -> Any: ...
        def __lt__(self, other: Any) -> Any: ...
        def __le__(self, other: Any) -> Any: ...
        def __gt__(self, other: Any) -> Any: ...
        def __ge__(self, other: Any) -> Any: ...
        def __getitem__(self, index: Any) -> Any: ...
        def __setitem__(self, index: Any, value: Any) -> None: ...

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """The legacy constructor: `Tensor(2, 3)` is uninitialised, `Tensor([1, 2])` copies; always the default dtype."""
        from ..ops.typed import legacy

        require_cpu(kwargs.get("device"))
        self = _new(cls)
        self._array, self._counter = legacy(dtypes.get_default_dtype(), args), [0]
        return self

    # ---- what it is --------------------------------------------------------------------------------------------

    @property
    def shape(self) -> Size:
        return _shape(Size, self._array.shape)

    @property
    def dtype(self) -> dtypes.dtype:
        return dtypes._BY_NUMPY.get(self._array.dtype) or dtypes.of_array(self._array.dtype)

    @property
    def device(self) -> device:
        return CPU

    @property
    def layout(self) -> Any:
        from ..layout import strided

        return strided

    @property
    def ndim(self) -> int:
        return self._array.ndim

    @property
    def itemsize(self) -> int:
        return self._array.itemsize

    @property
    def nbytes(self) -> int:
        return self._array.nbytes

    @property
    def is_cuda(self) -> bool:
        return False

    is_cpu = property(lambda self: True)
    is_meta = is_sparse = is_quantized = is_mps = is_xpu = is_mkldnn = is_nested = is_sparse_csr = is_cuda
    output_nr = property(lambda self: 0 if self.grad_fn is None else self._edge[1])

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the length of one dimension."""
        if dim is None:
            return _shape(Size, self._array.shape)
        return self._array.shape[wrap_dim(dim, self._array.ndim, 0)]

    def dim(self) -> int:
        """The number of dimensions."""
        return self._array.ndim

    ndimension = dim

    def numel(self) -> int:
        """The number of elements."""
        return self._array.size

    nelement = numel

    def element_size(self) -> int:
        """Bytes of one element."""
        return self._array.itemsize

    def stride(self, dim: int | None = None) -> Any:
        """Steps in memory, in elements, from one index to the next."""
        a = self._array
        strides = a.strides
        if 0 in strides:
            strides = given_strides(a) if a.size else strides_of_empty(a)
        if dim is not None:
            return strides[wrap_dim(dim, a.ndim)] // a.itemsize
        return tuple([s // a.itemsize for s in strides])

    def storage_offset(self) -> int:
        """Where the first element lies in the storage, in elements."""
        a = self._array
        return (a.ctypes.data - storage_of(a).ctypes.data) // a.itemsize

    def data_ptr(self) -> int:
        """The address of the first element (0 when empty)."""
        return self._array.ctypes.data if self._array.size else 0

    def untyped_storage(self) -> Any:
        """The bytes that this tensor and its views share."""
        from ..serialization.storage import UntypedStorage, memory

        found = memory(self._array)
        return UntypedStorage(self._array.view(np.uint8).reshape(-1) if found is None else found[0], self.dtype)

    def storage(self) -> Any:
        """The elements that this tensor and its views share; deprecated in favour of `untyped_storage`."""
        from ..serialization.storage import TypedStorage

        warn_once(
            "TypedStorage is deprecated. It will be removed in the future and UntypedStorage will be the only storage "
            "class. This should only matter to you if you are using storages directly.  To access UntypedStorage "
            "directly, use tensor.untyped_storage() instead of tensor.storage()"
        )
        return TypedStorage(self.untyped_storage(), self.dtype)

    def is_contiguous(self, memory_format: Any = None) -> bool:
        """Whether the elements lie in memory in C order (or in the order of `memory_format`)."""
        a = self._array
        if memory_format is None or str(memory_format) in ("torch.contiguous_format", "torch.preserve_format"):
            return a.flags.c_contiguous
        axes = {"torch.channels_last": (0, 2, 3, 1), "torch.channels_last_3d": (0, 2, 3, 4, 1)}[str(memory_format)]
        return len(axes) == a.ndim and a.transpose(axes).flags.c_contiguous

    def is_floating_point(self) -> bool:
        return self.dtype.category == dtypes.FLOAT

    def is_complex(self) -> bool:
        return bool(self._array.dtype.kind == "c")

    def is_signed(self) -> bool:
        return self.dtype.is_signed

    def is_conj(self) -> bool:
        return False

    is_neg = is_conj

    def resolve_conj(self) -> Any:
        return self

    resolve_neg = resolve_conj

    def is_pinned(self, device: Any = None) -> bool:
        return False

    def pin_memory(self, device: Any = None) -> Any:
        return self

    def is_shared(self) -> bool:
        """Whether other processes see what is written here."""
        from .sharing import shared

        return shared(self._array) is not None

    def share_memory_(self) -> Any:
        """Move the storage, with all tensors that look at it, to memory that other processes see."""
        from .sharing import share

        share([self])
        return self

    @property
    def _version(self) -> int:
        if self._inference:
            raise RuntimeError("Inference tensors do not track version counter.")
        return int(self._counter[0])

    def is_inference(self) -> bool:
        return self._inference

    def get_device(self) -> int:
        return -1

    def is_same_size(self, other: Any) -> bool:
        return bool(self._array.shape == other._array.shape)

    def is_set_to(self, other: Any) -> bool:
        a, b = self._array, other._array
        return bool(a.shape == b.shape and a.strides == b.strides and a.ctypes.data == b.ctypes.data)

    def __len__(self) -> int:
        if self._array.ndim == 0:
            raise TypeError("len() of a 0-d tensor")
        return int(self._array.shape[0])

    # ---- its place in the graph ----------------------------------------------------------------------------------

    @property
    def requires_grad(self) -> bool:
        if self._base is None:
            return self._edge is not None
        return self._base.requires_grad or current_edge(self) is not None

    @requires_grad.setter
    def requires_grad(self, value: bool) -> None:
        if value and self._array.dtype.kind not in "fcV":
            raise RuntimeError("only Tensors of floating point and complex dtype can require gradients")
        self.requires_grad_(value)

    def requires_grad_(self, requires_grad: bool = True) -> Any:
        """Start (or stop) recording what is done with this leaf; gradients arrive in `.grad`."""
        edge = self._edge if self._base is None else current_edge(self)
        if edge is not None and edge[0].__class__ is not AccumulateGrad:
            if not requires_grad:
                raise RuntimeError(
                    "you can only change requires_grad flags of leaf variables. If you want to use a computed "
                    "variable in a subgraph that doesn't require differentiation use var_no_grad = var.detach()."
                )
            return self
        if not requires_grad:
            self._edge = None
        elif edge is None:
            if self._array.dtype.kind not in "fc" and not self.dtype.is_floating_point:
                raise RuntimeError("only Tensors of floating point dtype can require gradients")
            if self._inference and not modes.get_mode().inference:
                raise RuntimeError(
                    "Setting requires_grad=True on inference tensor outside InferenceMode is not allowed."
                )
            self._edge = (AccumulateGrad(self), 0)
            if self._base is not None:
                self._view_version = self._counter[0]
        return self

    @property
    def is_leaf(self) -> bool:
        edge = self._edge if self._base is None else current_edge(self)
        return edge is None or edge[0].__class__ is AccumulateGrad

    @property
    def grad_fn(self) -> Node | None:
        edge = self._edge if self._base is None else current_edge(self)
        return None if edge is None or edge[0].__class__ is AccumulateGrad else edge[0]

    @property
    def grad(self) -> Any:
        if self._grad is None and not self.is_leaf and not self._retains_grad:
            warn(
                "The .grad attribute of a Tensor that is not a leaf Tensor is being accessed. Its .grad attribute won't "
                "be populated during autograd.backward(). If you indeed want the .grad field to be populated for a "
                "non-leaf Tensor, use .retain_grad() on the non-leaf Tensor. If you access the non-leaf Tensor by "
                "mistake, make sure you access the leaf Tensor instead. See github.com/pytorch/pytorch/pull/30531 for "
                "more information.",
                UserWarning,
            )
        return self._grad

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None:
            if not isinstance(value, Tensor):
                raise TypeError(
                    f"assigned grad expected to be a Tensor or None but got grad of type {type(value).__name__}"
                )
            if value is self:
                raise RuntimeError("can't assign Variable as its own grad")
            if value._array.dtype != self._array.dtype:
                raise RuntimeError(
                    f"attempting to assign a gradient with dtype '{value.dtype.scalar_name.lower()}' to a tensor with "
                    f"grad_dtype '{self.dtype.scalar_name}'. The gradient must match the tensor's grad_dtype "
                    "(defaults to the tensor's dtype). You can set the tensor's grad_dtype attribute with a specific "
                    "dtype, or None to allow any dtype. Set grad_dtype with caution. Diverging the dtypes of a tensor "
                    "and its gradient may break downstream systems that assume they match."
                )
            if value._array.shape != self._array.shape:
                raise RuntimeError(
                    f"attempting to assign a gradient of size '{list(value._array.shape)}' to a tensor of size "
                    f"'{list(self._array.shape)}'. Please ensure that the gradient and the tensor are the same size"
                )
        self._grad = value

    @grad.deleter
    def grad(self) -> None:
        self._grad = None

    def backward(
        self, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False, inputs: Any = None
    ) -> None:
        """Compute the gradient of this tensor by the graph's leaves and add it into their `.grad`.

        `gradient` is the cotangent, needed unless this tensor has one element.
        https://docs.pytorch.org/docs/stable/generated/torch.Tensor.backward.html
        """
        from .api import backward

        backward(self, gradient, retain_graph, create_graph, inputs=inputs)

    def detach(self) -> Any:
        """The same data (and version counter) outside the graph."""
        x = _new(Tensor)
        x._array, x._counter = self._array, self._counter
        if self._inference:
            x._inference = True
        return x

    def detach_(self) -> Any:
        """Leave the graph, in place."""
        if self._base is not None:
            raise RuntimeError(
                "Can't detach views in-place. Use detach() instead. If you are using DistributedDataParallel (DDP) for training, and gradient_as_bucket_view is set as True, gradients are views of DDP buckets, and hence detach_() cannot be called on these gradients. To fix this error, please refer to the Optimizer.zero_grad() function in torch/optim/optimizer.py as the solution."
            )
        self._edge = None
        return self

    @property
    def data(self) -> Any:
        """The same data, outside the graph and with a version counter of its own."""
        x = _new(Tensor)
        x._array, x._counter = self._array, [0]
        return x

    @data.setter
    def data(self, value: Any) -> None:
        if not isinstance(value, Tensor):
            raise TypeError(f"Variable data has to be a tensor, but got {type(value).__name__}")
        edge = self._edge
        if edge is not None and value._array.dtype.kind not in "fcV":
            raise RuntimeError("data set to a tensor that requires gradients must be floating point or complex dtype")
        self._array = value._array
        if edge is not None and edge[0].__class__ is AccumulateGrad:
            self._edge = (AccumulateGrad(self), 0)

    def retain_grad(self) -> None:
        """Keep the gradient of this non-leaf tensor in `.grad` too."""
        edge = self._edge if self._base is None else current_edge(self)
        if edge is None:
            raise RuntimeError("can't retain_grad on Tensor that has requires_grad=False")
        if edge[0].__class__ is AccumulateGrad or self._retains_grad:
            return
        reference = weakref.ref(self)

        def keep(g: Any) -> None:
            x = reference()
            if x is not None:
                x._grad = g if x._grad is None else x._grad + g

        if edge[0].retain is None:
            edge[0].retain = {}
        edge[0].retain[edge[1]] = keep
        self._retains_grad = True

    @property
    def retains_grad(self) -> bool:
        return self._retains_grad

    def register_hook(self, hook: Callable[[Any], Any]) -> Handle:
        """`hook(grad)` runs when the gradient of this tensor is complete, and may return another one."""
        edge = self._edge if self._base is None else current_edge(self)
        if edge is None:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        return edge[0].add_pre_hook(edge[1], hook)

    def register_post_accumulate_grad_hook(self, hook: Callable[[Any], Any]) -> Handle:
        """`hook(tensor)` runs after `.grad` of this leaf has been accumulated."""
        edge = self._edge
        if edge is None:
            raise RuntimeError("cannot register a hook on a tensor that doesn't require gradient")
        if edge[0].__class__ is not AccumulateGrad:
            raise RuntimeError("post accumulate grad hooks cannot be registered on non-leaf tensors")
        if self._post_accumulate_hooks is None:
            self._post_accumulate_hooks = OrderedDict()
        handle = Handle(self._post_accumulate_hooks)
        self._post_accumulate_hooks[handle.id] = hook
        return handle

    def _is_view(self) -> bool:
        return self._base is not None

    # ---- out to Python and NumPy -----------------------------------------------------------------------------------

    def numpy(self, *, force: bool = False) -> Any:
        """The array itself, sharing memory; `force` detaches and never complains."""
        if not force and (self._edge if self._base is None else current_edge(self)) is not None:
            raise RuntimeError("Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.")
        if self._array.dtype.kind == "V" or not self._array.dtype.isbuiltin:
            raise TypeError(f"Got unsupported ScalarType {self.dtype.scalar_name}")
        return self._array

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        a = self.numpy()
        if dtype is not None and a.dtype != dtype:
            return a.astype(dtype)
        return a.copy() if copy else a

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        """The tensor that a NumPy function of a tensor returns."""
        return wrap(array.astype(np.uint8) if array.dtype.kind == "b" else array)

    def item(self) -> Any:
        """The only element, as a Python number."""
        if self._array.size != 1:
            raise RuntimeError(f"a Tensor with {self._array.size} elements cannot be converted to Scalar")
        value = self._array.item()
        return value if value.__class__ in _PYTHON_NUMBERS else float(value)

    def tolist(self) -> Any:
        """The elements as nested lists of Python numbers."""
        a = self._array
        return (a if a.dtype.isbuiltin else a.astype(np.float32)).tolist()

    def __bool__(self) -> bool:
        if self._array.size != 1:
            if self._array.size == 0:
                raise RuntimeError("Boolean value of Tensor with no values is ambiguous")
            raise RuntimeError("Boolean value of Tensor with more than one value is ambiguous")
        return bool(self._array.item())

    def _number(self, kind: type) -> Any:
        if self._array.size != 1:
            raise ValueError("only one element tensors can be converted to Python scalars")
        value = self._array.item()
        if kind is not complex and value.__class__ is complex:
            if value.imag != 0:
                name = "double" if kind is float else "int64_t"
                raise RuntimeError(f"value cannot be converted to type {name} without overflow")
            value = value.real
        return kind(value)

    def __int__(self) -> int:
        return self._number(int)  # type: ignore[no-any-return]

    def __float__(self) -> float:
        if self.requires_grad:
            warn_once(_TO_SCALAR)
        return self._number(float)  # type: ignore[no-any-return]

    def __complex__(self) -> complex:
        if self.requires_grad:
            warn_once(_TO_SCALAR)
        return self._number(complex)  # type: ignore[no-any-return]

    @property
    def volatile(self) -> bool:
        """Always False; what it once meant is `no_grad()` now."""
        warn("volatile was removed (Variable.volatile is always False)")
        return False

    def __index__(self) -> int:
        if self._array.dtype.kind not in "iub" or self._array.size != 1:
            raise TypeError("only integer tensors of a single element can be converted to an index")
        return int(self._array.item())

    def __contains__(self, element: Any) -> bool:
        if isinstance(element, (Tensor, int, float, complex, bool)):
            return bool((element == self).any().item())  # type: ignore[attr-defined]
        raise RuntimeError(f"Tensor.__contains__ only supports Tensor or scalar, but you passed in a {type(element)}.")

    def __iter__(self) -> Iterator[Any]:
        if self._array.ndim == 0:
            raise TypeError("iteration over a 0-d tensor")
        return iter(self.unbind(0))

    def __reversed__(self) -> Any:
        return self if self._array.ndim == 0 else self.flip(0)

    def __hash__(self) -> int:
        return id(self)

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        from ..printing import repr_of

        return repr_of(self)

    def __str__(self) -> str:
        return repr(self)

    def __format__(self, spec: str) -> str:
        if self._array.ndim == 0 and spec:
            return format(self.item(), spec)
        if spec:
            return object.__format__(self, spec)
        return str(self.item()) if self._array.ndim == 0 else repr(self)

    def __dlpack__(self, *, stream: Any = None, **options: Any) -> Any:
        if self.requires_grad:
            raise BufferError("Can't export tensors that require gradient, use tensor.detach()")
        return self._array.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self._array.__dlpack_device__()

    # ---- copies and pickles ------------------------------------------------------------------------------------------

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if not self.is_leaf:
            raise RuntimeError(
                "Only Tensors created explicitly by the user (graph leaves) support the deepcopy protocol at the "
                "moment.  If you were attempting to deepcopy a module, this may be because of a torch.nn.utils."
                "weight_norm usage, see https://github.com/pytorch/pytorch/pull/103001"
            )
        if id(self) in memo:
            return memo[id(self)]
        a = self._array
        root = storage_of(a)
        # One copy a storage, so that tensors that shared memory still do.
        copied = memo.get(id(root))
        if copied is None:
            copied = memo[id(root)] = root.copy(order="K")
            memo[id(copied)] = root  # keeps `root` alive, and with it its id
        x = _new(self.__class__)
        x._array, x._counter = same_place(a, root, copied), [0]
        memo[id(self)] = x
        if self.requires_grad:
            x.requires_grad_(True)
        if self._grad is not None:
            import copy

            x._grad = copy.deepcopy(self._grad, memo)
        for name, value in self.__dict__.items():
            if name not in _INTERNAL:
                import copy

                x.__dict__[name] = copy.deepcopy(value, memo)
        return x

    def __reduce_ex__(self, protocol: Any) -> Any:
        # Pickles of multiprocessing are written by C code that this module calls, so nothing need be registered there.
        if sys._getframe(1).f_globals.get("__name__") == "multiprocessing.reduction" and type(self) in SHARED_AS:
            from .sharing import reduce

            return reduce(self)
        from ..serialization.storage import stored

        warn_of_hooks(self)
        a, flat, start = stored(self._array)
        place = self.dtype.name, a.shape, start, a.strides
        return _rebuild_view, (self.__class__, flat, *place, self.requires_grad, self._attributes())

    def _reduce_elements(self) -> Any:
        """As `__reduce_ex__`, with the elements alone instead of the whole storage."""
        a = self._array
        if not a.dtype.isbuiltin:  # ml_dtypes arrays pickle badly with older versions
            a = a.view(np.dtype(f"u{a.itemsize}"))
        return _rebuild, (self.__class__, a, self.dtype.name, self.requires_grad, self._attributes())

    def _attributes(self) -> dict[str, Any]:
        """What a program has attached to this tensor."""
        return {k: v for k, v in self.__dict__.items() if k not in _INTERNAL}


SHARED_AS: set[type] = {Tensor}  # the classes that multiprocessing sends as shared memory
_TO_SCALAR = (
    "Converting a tensor with requires_grad=True to a scalar may lead to unexpected behavior.\nConsider using "
    "tensor.detach() first."
)
_PYTHON_NUMBERS = (float, int, bool, complex)
_INTERNAL = frozenset(
    "_array _counter _edge _grad _base _view_version _view_kind _inference _retains_grad "
    "_post_accumulate_hooks _storage_key _view_geometry".split()
)
Tensor.__module__ = "rushlight"


def _rebuild(cls: type, a: Any, name: str, requires_grad: bool, extra: dict[str, Any]) -> Any:
    x: Any = _new(cls)
    target = getattr(dtypes, name).np
    x._array, x._counter = a if a.dtype is target else a.view(target), [0]  # an unpickled dtype is not the built-in one
    x.__dict__.update(extra)
    if requires_grad:
        x.requires_grad_(True)
    return x


def _rebuild_view(
    cls: type, flat: Any, name: str, shape: Any, start: int, strides: Any, requires_grad: bool, extra: dict[str, Any]
) -> Any:
    target = getattr(dtypes, name).np
    a = np.ndarray(shape, target, flat, start, strides) if 0 not in shape else np.empty(shape, target)
    return _rebuild(cls, a, name, requires_grad, extra)


def warn_of_hooks(x: Any) -> None:
    """Say which hooks of a leaf will be missing in its pickle."""
    edge = x._edge
    if edge is None or edge[0].__class__ is not AccumulateGrad or not edge[0].pre_hooks:
        return
    for _, hook in edge[0].pre_hooks.values():
        if not getattr(hook, "__torch_unserializable__", False):
            warn(
                f"backward hook {hook!r} on tensor will not be serialized.  If this is expected, you can decorate the "
                "function with @torch.utils.hooks.unserializable_hook to suppress this warning",
            )


def wrap(a: ndarray[Any, Any]) -> Any:
    """A new Tensor around an array, outside any graph."""
    x = _new(Tensor)
    x._array = a
    x._counter = [0]
    return x


def wrap_dim(dim: Any, n: int, minimum: int = 1) -> int:
    """A dimension counted from the front; IndexError when there is none such."""
    size = n if n > 0 else minimum
    if not -size <= dim < size:
        if n == 0 and minimum == 0:
            raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
        raise IndexError(f"Dimension out of range (expected to be in range of [{-size}, {size - 1}], but got {dim})")
    return int(dim) + size if dim < 0 else int(dim)


def current_edge(x: Any) -> Edge | None:
    """The edge of a view, made anew when the storage was written to since."""
    if x._view_version != x._counter[0]:
        from .views import refresh

        refresh(x)
    edge: Edge | None = x._edge
    return edge


def numel(shape: Any) -> int:
    """The number of elements of a shape."""
    return math.prod(shape)
