"""Unpickling a checkpoint: PyTorch's names become our objects, and by default nothing else is allowed."""

import _codecs
import _compat_pickle
import pickle
from collections import Counter, OrderedDict
from collections.abc import Callable
from typing import Any

from rushlight import dtypes
from rushlight.autograd import tensor as core
from rushlight.autograd.tensor import Tensor
from rushlight.backend.memory import storage_of
from rushlight.device import device
from rushlight.errors import unsupported
from rushlight.serialization import names, storage
from rushlight.serialization.limits import Budget, container_is_safe
from rushlight.size import Size

# ---- the functions that a checkpoint calls ---------------------------------------------------------------------------


def rebuild_tensor(place: Any, offset: int, size: Any, stride: Any) -> Any:
    """A tensor looking at a storage; the oldest form."""
    return storage.view(place, place.dtype, offset, size, stride)


def rebuild_tensor_v2(
    place: Any, offset: int, size: Any, stride: Any, requires_grad: bool, hooks: Any, metadata: Any = None
) -> Any:
    return _finish(storage.view(place, place.dtype, offset, size, stride), requires_grad, metadata)


def rebuild_tensor_v3(
    place: Any, offset: int, size: Any, stride: Any, requires_grad: bool, hooks: Any, dtype: Any, metadata: Any = None
) -> Any:
    return _finish(storage.view(place, dtype, offset, size, stride), requires_grad, metadata)


def _finish(x: Any, requires_grad: bool, metadata: Any) -> Any:
    """Conjugates and negatives are lazy in PyTorch; here they are carried out."""
    for what, ufunc in (("conj", "conj"), ("neg", "__neg__")):
        if metadata and metadata.get(what):
            if x._array.size * x._array.itemsize > max(storage_of(x._array).nbytes, 1):
                raise pickle.UnpicklingError("A conjugated tensor with more elements than its storage holds")
            x._array = getattr(x._array, ufunc)()
    return x.requires_grad_() if requires_grad else x


def rebuild_parameter(data: Any, requires_grad: bool, hooks: Any) -> Any:
    from rushlight.nn.parameter import Parameter

    return Parameter(data, requires_grad)


def rebuild_parameter_with_state(data: Any, requires_grad: bool, hooks: Any, state: Any) -> Any:
    return _set_state(rebuild_parameter(data, requires_grad, hooks), state)


def rebuild_from_type_v2(function: Callable[..., Any], kind: type, args: Any, state: Any) -> Any:
    x = function(*args)
    if type(x) is not kind:
        x = x.as_subclass(kind)
    if hasattr(kind, "__setstate__") and kind.__setstate__ is not getattr(Tensor, "__setstate__", None):
        x.__setstate__(state)
        return x
    return _set_state(x, state)


def _set_state(x: Any, state: Any) -> Any:
    parts = state if isinstance(state, tuple) else (state,)
    for part in parts:
        for name, value in (part or {}).items():
            if name in core._INTERNAL or name.startswith("__"):
                raise pickle.UnpicklingError(f"A checkpoint may not set {name!r} of a tensor")
            setattr(x, name, value)
    return x


def get_layout(name: str) -> Any:
    from rushlight.layout import sparse_bsc, sparse_bsr, sparse_coo, sparse_csc, sparse_csr, strided

    return {repr(x): x for x in (strided, sparse_coo, sparse_csr, sparse_csc, sparse_bsr, sparse_bsc)}[name]


_REBUILD: dict[tuple[str, str], Any] = {
    ("torch._utils", "_rebuild_tensor"): rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): rebuild_tensor_v2,
    ("torch._utils", "_rebuild_tensor_v3"): rebuild_tensor_v3,
    ("torch._utils", "_rebuild_parameter"): rebuild_parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): rebuild_parameter_with_state,
    ("torch._tensor", "_rebuild_from_type_v2"): rebuild_from_type_v2,
    ("torch.serialization", "_get_layout"): get_layout,
    ("torch", "Tensor"): Tensor,
    ("torch", "device"): device,
    ("torch", "Size"): Size,
    ("torch.storage", "UntypedStorage"): storage.StorageType(None),
    **{("torch", d.name): d for d in dtypes.ALL},
    **{("torch", name): storage.StorageType(d) for name, d in storage.TYPES.items()},
}
_UNSUPPORTED = (
    "_rebuild_sparse_tensor", "_rebuild_qtensor", "_rebuild_nested_tensor", "_rebuild_wrapper_subclass",
    "_rebuild_meta_tensor_no_storage", "_rebuild_device_tensor_from_cpu_tensor", "_rebuild_device_tensor_from_numpy",
)  # fmt: skip
_HARMLESS: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("collections", "Counter"): Counter,
    ("builtins", "set"): set,
    ("builtins", "complex"): complex,
    ("builtins", "bytearray"): bytearray,
    ("_codecs", "encode"): _codecs.encode,
}


def resolve(module: str, name: str) -> Any:
    """Our object for one of the names that every checkpoint may use; None for any other name."""
    found = _REBUILD.get((module, name)) or _HARMLESS.get((module, name))
    if found is None and (module, name) == ("torch.nn.parameter", "Parameter"):
        from rushlight.nn.parameter import Parameter

        return Parameter
    if module == "torch._utils" and name in _UNSUPPORTED:
        raise unsupported(f"what {module}.{name} makes (a sparse, quantized, nested or wrapper tensor)")
    return found


def python3_name(module: str, name: str, protocol: int) -> tuple[str, str]:
    """Protocols before 3 write the names of Python 2."""
    if protocol < 3:
        if (module, name) in _compat_pickle.NAME_MAPPING:
            return _compat_pickle.NAME_MAPPING[module, name]
        module = _compat_pickle.IMPORT_MAPPING.get(module, module)
    return module, name


# ---- the unpicklers --------------------------------------------------------------------------------------------------


class FullUnpickler:
    """For `weights_only=False`, before an Unpickler: any name at all. It runs whatever the file says."""

    load_storage: Callable[[Any], Any]

    def find_class(self, module: str, name: str) -> Any:
        found = resolve(module, name)
        if found is not None:
            return found
        if module.split(".")[0] in ("torch", "torchvision"):
            return names.find(module, name)
        return super().find_class(module, name)  # type: ignore[misc]

    def persistent_load(self, pid: Any) -> Any:
        return self.load_storage(pid)


_BLOCKED = ("sys", "os", "posix", "nt")

safe_globals: dict[str, Any] = {}  # by full name


def full_name(obj: Any) -> str:
    """The name by which a pickle mentions a class or function: builtins without their module, ours as PyTorch's."""
    if isinstance(obj, tuple):
        return str(obj[1])
    module, name = names.to_torch(obj)
    return f"{module}.{name}" if name else f"{obj.__module__}.{obj.__qualname__}"


def _safe(module: str, name: str) -> Any:
    """The object that `add_safe_globals` has added under this name, or, for one of ours, under any; else None.

    Compared by name alone: a file that names a module must not have it imported.
    """
    added = safe_globals.get(f"{module}.{name}")
    if added is not None:
        return added[0] if isinstance(added, tuple) else added
    if module.split(".")[0] in ("torch", "torchvision"):
        for obj in safe_globals.values():
            public, own = ("", None) if isinstance(obj, tuple) else names.to_torch(obj)
            # PyTorch's file inside the package (torch.nn.modules.linear) need not be ours.
            if own == name and module.startswith(f"{public}."):
                return obj
    return None


_VIEWS = (rebuild_tensor, rebuild_tensor_v2, rebuild_tensor_v3)
_PLAIN = (*_VIEWS, rebuild_parameter, rebuild_parameter_with_state)


def _check_call(function: Any, args: Any, budget: Budget) -> None:
    """Refuse calls that take memory, time or modules that the file's own length does not account for."""
    if not isinstance(args, tuple):
        raise pickle.UnpicklingError(f"Expected a tuple of arguments, but got {type(args)}")
    if function in _VIEWS:
        allowed = bool(args) and isinstance(args[0], storage.UntypedStorage)
        if allowed and isinstance(args[-1], dict) and args[-1]:  # metadata: a conjugated tensor is copied
            budget.spend(args[0].nbytes())
    elif function is rebuild_parameter:
        allowed = True
    else:
        budget.copied(args)
        if function is Size:
            allowed = len(args) == 1 and isinstance(args[0], tuple) and all(isinstance(n, int) for n in args[0])
        elif function is rebuild_from_type_v2:
            allowed = len(args) == 4 and args[0] in _PLAIN and isinstance(args[1], type)
            if allowed:
                _check_call(args[0], args[2], budget)
        elif function is get_layout:
            allowed = len(args) == 1 and isinstance(args[0], str)
        elif function in (device, rebuild_parameter_with_state):
            allowed = True
        else:  # calling Tensor(n) would take memory for n elements
            allowed = container_is_safe(function, args, budget)
    if not allowed:
        raise pickle.UnpicklingError(f"A checkpoint may not call {getattr(function, '__name__', function)} like this")


# What PyTorch's reader of weights knows; all else is refused. https://docs.python.org/3/library/pickletools.html
_OPCODES = (
    pickle.PROTO, pickle.STOP, pickle.MARK, pickle.GLOBAL, pickle.NEWOBJ, pickle.REDUCE, pickle.BUILD, pickle.APPEND,
    pickle.APPENDS, pickle.SETITEM, pickle.SETITEMS, pickle.TUPLE, pickle.TUPLE1, pickle.TUPLE2, pickle.TUPLE3, pickle.NONE,
    pickle.NEWFALSE, pickle.NEWTRUE, pickle.EMPTY_TUPLE, pickle.EMPTY_LIST, pickle.EMPTY_DICT, pickle.EMPTY_SET,
    pickle.BININT, pickle.BININT1, pickle.BININT2, pickle.BINFLOAT, pickle.BINUNICODE, pickle.SHORT_BINSTRING,
    pickle.BINPERSID, pickle.BINGET, pickle.LONG_BINGET, pickle.BINPUT, pickle.LONG_BINPUT, pickle.LONG1,
)  # fmt: skip


# In Python, so that single opcodes can be forbidden and checked.
_PythonUnpickler: Any = vars(pickle)["_Unpickler"]


class WeightsUnpickler(_PythonUnpickler):  # type: ignore[misc]
    """For `weights_only=True`: only names on the list, called and filled only where that is harmless."""

    load_storage: Callable[[Any], Any]
    dispatch = {code[0]: _PythonUnpickler.dispatch[code[0]] for code in _OPCODES}

    def __init__(self, file: Any, **options: Any) -> None:
        super().__init__(file, **options)
        self._budget = Budget(file.tell)
        self._callables: dict[int, Any] = {}
        self._user_types: list[Any] = []

    def load(self) -> Any:
        try:
            return super().load()
        except KeyError as e:
            # The main loop looks opcodes up in `dispatch`.
            if e.args and isinstance(e.args[0], int) and e.args[0] not in self.dispatch:
                raise pickle.UnpicklingError(f"Unsupported operand {e.args[0]}") from None
            raise

    def find_class(self, module: str, name: str) -> Any:
        module, name = python3_name(module, name, self.proto)
        full = f"{module}.{name}"
        shown = name if module == "builtins" else full
        if module in _BLOCKED:
            raise pickle.UnpicklingError(f"Trying to load unsupported GLOBAL {full} whose module {module} is blocked.")
        found = resolve(module, name)
        if found is None:
            found = _safe(module, name)
            self._user_types.append(found)
        if found is None:
            raise pickle.UnpicklingError(
                f"Unsupported global: GLOBAL {shown} was not an allowed global by default. Please use "
                f"`torch.serialization.add_safe_globals([{shown}])` or the "
                f"`torch.serialization.safe_globals([{shown}])` context manager to allowlist this global if you trust "
                "this class/function."
            )
        self._callables[id(found)] = found
        return found

    def _check_callable(self, function: Any, opcode: str) -> None:
        if self._callables.get(id(function)) is not function:
            shown = function if callable(function) else type(function)  # printing what is nested may never end
            raise pickle.UnpicklingError(f"Trying to call {opcode} for unrecognized function {shown}")

    def load_reduce(self) -> None:
        function, args = self.stack[-2:]
        self._check_callable(function, "reduce")
        if not any(function is kind for kind in self._user_types):
            _check_call(function, args, self._budget)
        super().load_reduce()

    dispatch[pickle.REDUCE[0]] = load_reduce

    def load_newobj(self) -> None:
        kind, args = self.stack[-2:]
        self._check_callable(kind, "newobj")
        if not any(kind is own for own in self._user_types):
            _check_call(kind, args, self._budget)
        super().load_newobj()

    dispatch[pickle.NEWOBJ[0]] = load_newobj

    def load_build(self) -> None:
        target = self.stack[-2]
        kind = type(target)
        if kind is OrderedDict or isinstance(target, Tensor):
            state = self.stack.pop()
            self._budget.copied((state,))
            if isinstance(target, Tensor):
                _set_state(target, state)
            elif isinstance(state, dict):
                target.__dict__.update(state)
            else:
                raise pickle.UnpicklingError(f"The attributes of {kind} must be a dict, but are {type(state)}")
        elif kind in self._user_types:
            super().load_build()
        else:
            raise pickle.UnpicklingError(
                "Can only build Tensor, Parameter, OrderedDict or types allowlisted via `add_safe_globals`, but got "
                f"{kind}"
            )

    dispatch[pickle.BUILD[0]] = load_build

    def load_append(self) -> None:
        self._check_filled(self.stack[-2], list)
        super().load_append()

    dispatch[pickle.APPEND[0]] = load_append

    def load_appends(self) -> None:
        self._check_filled(self.metastack[-1][-1], list)
        super().load_appends()

    dispatch[pickle.APPENDS[0]] = load_appends

    def load_setitem(self) -> None:
        self._check_filled(self.stack[-3], dict)
        self._budget.key(self.stack[-2])
        super().load_setitem()

    dispatch[pickle.SETITEM[0]] = load_setitem

    def load_setitems(self) -> None:
        self._check_filled(self.metastack[-1][-1], dict)
        self._budget.keys(self.stack[::2])
        super().load_setitems()

    dispatch[pickle.SETITEMS[0]] = load_setitems

    def _check_filled(self, target: Any, kind: type) -> None:
        if not isinstance(target, kind):
            raise pickle.UnpicklingError(f"Can only fill a {kind.__name__} here, but got {type(target)}")

    def persistent_load(self, pid: Any) -> Any:
        if not isinstance(pid, tuple) or not pid or pid[0] != "storage":
            raise pickle.UnpicklingError(f"persistent_load id must be tuple of int, but got {type(pid)}")
        if len(pid) not in (5, 6) or not all(isinstance(part, str) for part in pid[2:4]):
            raise pickle.UnpicklingError("A storage needs its type, its key, its place and its length")
        return self.load_storage(pid)
