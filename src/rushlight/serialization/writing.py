"""Pickling for a checkpoint: tensors as views of numbered storages, everything by the names that PyTorch reads."""

import math
import pickle
from collections import OrderedDict
from typing import Any

from rushlight import dtypes
from rushlight.autograd import tensor as core
from rushlight.autograd.tensor import Tensor
from rushlight.device import device
from rushlight.layout import layout
from rushlight.ops.results import NamedResult
from rushlight.serialization import storage
from rushlight.serialization.names import Name, to_torch
from rushlight.size import Size


class _Storage:
    """Stands for a storage in the pickle, as a persistent id."""

    def __init__(self, identity: tuple[Any, ...]) -> None:
        self.identity = identity


# Python's own pickler in Python, since the one in C insists that a name means an object in this process.
_PythonPickler: Any = vars(pickle)["_Pickler"]


class Pickler(_PythonPickler):  # type: ignore[misc]
    """Writes tensors as views of storages, which it numbers, and names as PyTorch's."""

    dispatch = _PythonPickler.dispatch.copy()

    def __init__(self, file: Any, protocol: int) -> None:
        super().__init__(file, protocol)
        self.storages: list[Any] = []
        self._keys: dict[tuple[int, int], tuple[str, Any]] = {}

    def persistent_id(self, obj: Any) -> Any:
        return obj.identity if obj.__class__ is _Storage else None

    def reducer_override(self, obj: Any) -> Any:
        if isinstance(obj, Tensor):
            return self._reduce_tensor(obj)
        if obj.__class__ is device:
            return Name("torch", "device"), (obj.type,) if obj.index is None else (obj.type, obj.index)
        if obj.__class__ is Size:
            return Name("torch", "Size"), (tuple(obj),)
        if obj.__class__ is layout:
            return Name("torch.serialization", "_get_layout"), (repr(obj),)
        if isinstance(obj, NamedResult):
            return Name("torch.return_types", type(obj).__name__), (tuple(obj), {})
        return NotImplemented

    def save_name(self, obj: Name) -> None:
        self.write(pickle.GLOBAL + f"{obj.module}\n{obj.name}\n".encode())
        self.memoize(obj)

    dispatch[Name] = save_name

    def save_dtype(self, obj: dtypes.dtype) -> None:
        self.save(Name("torch", obj.name))

    dispatch[dtypes.dtype] = save_dtype

    def save_global(self, obj: Any, name: str | None = None) -> None:
        module, found = to_torch(obj, name)
        if found is None:
            local = str(name or getattr(obj, "__qualname__", ""))
            if "<locals>" in local:  # Python's picklers in C and in Python disagree on the error
                raise AttributeError(f"Can't pickle local object {local!r}")
            super().save_global(obj, name)
        elif "." in found and self.proto < 4:  # a function inside a class
            holder, _, last = found.rpartition(".")
            self.save_reduce(getattr, (Name(module, holder), last), obj=obj)
        else:
            self.save(Name(module, found))

    def save_type(self, obj: Any) -> None:
        if obj in (type(None), type(NotImplemented), type(...)):
            super().save_type(obj)
        else:
            self.save_global(obj)

    dispatch[type] = save_type
    dispatch[type(save_type)] = save_global

    def _reduce_tensor(self, x: Any) -> Any:
        kind = type(x)
        core.warn_of_hooks(x)
        state = x._attributes()
        if kind.__name__ == "Parameter" and kind.__module__.endswith("nn.parameter"):
            data = _Data(x)
            if state:
                return Name("torch._utils", "_rebuild_parameter_with_state"), (
                    data,
                    x.requires_grad,
                    OrderedDict(),
                    state,
                )
            return Name("torch._utils", "_rebuild_parameter"), (data, x.requires_grad, OrderedDict())
        rebuild, args = self._view(x, x.requires_grad)
        if kind is Tensor and not state:
            return rebuild, args
        return Name("torch._tensor", "_rebuild_from_type_v2"), (rebuild, kind, args, state)

    def save_data(self, obj: "_Data") -> None:
        rebuild, args = self._view(obj.tensor, False)
        self.save_reduce(rebuild, args, obj=obj)

    def _view(self, x: Any, requires_grad: bool) -> tuple[Name, tuple[Any, ...]]:
        """How to make the tensor again: the function and its arguments."""
        dtype = x.dtype
        a, flat, start = storage.stored(x._array)
        item = a.itemsize
        type_name = storage.NAMES.get(dtype)
        key = (flat.ctypes.data, flat.nbytes) if flat.nbytes else (id(a), 0)
        if key not in self._keys:
            self._keys[key] = str(len(self.storages)), dtype
            self.storages.append(flat)
        number, first = self._keys[key]
        if first is not dtype:
            raise RuntimeError("Cannot save multiple tensors or storages that view the same data as different types")
        holds = Name("torch", type_name) if type_name else Name("torch.storage", "UntypedStorage")
        size = flat.nbytes // item if type_name else flat.nbytes
        place = _Storage(("storage", holds, number, "cpu", size))
        # NumPy's strides of an empty array say nothing.
        strides = tuple([s // item for s in a.strides]) if a.size else _contiguous(a.shape)
        args: tuple[Any, ...] = (place, start // item, tuple(a.shape), strides, requires_grad, OrderedDict())
        if type_name:
            return Name("torch._utils", "_rebuild_tensor_v2"), args
        return Name("torch._utils", "_rebuild_tensor_v3"), (*args, dtype)


def _contiguous(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple([math.prod(max(n, 1) for n in shape[i + 1 :]) for i in range(len(shape))])


class _Data:
    """The plain tensor inside a parameter."""

    def __init__(self, tensor: Any) -> None:
        self.tensor = tensor


Pickler.dispatch[_Data] = Pickler.save_data
