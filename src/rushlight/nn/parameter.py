"""`Parameter` and `Buffer`: tensors that a Module registers when they are assigned to it."""

from __future__ import annotations

from typing import Any

from ..autograd.tensor import SHARED_AS, Tensor, TensorMeta


def _alias(cls: type, x: Tensor, requires_grad: bool) -> Any:
    """A leaf of class `cls` over the memory of `x`, sharing its version counter as `detach` does."""
    self: Any = object.__new__(cls)
    self._array, self._counter = x._array, x._counter
    if requires_grad:
        self.requires_grad_(True)
    return self


class _ParameterMeta(TensorMeta):
    """`isinstance(x, Parameter)` also holds for other tensors marked with `_is_param`."""

    def __instancecheck__(cls, instance: Any) -> bool:
        if type.__instancecheck__(cls, instance):
            return True
        return cls is Parameter and isinstance(instance, Tensor) and getattr(instance, "_is_param", False)


class Parameter(Tensor, metaclass=_ParameterMeta):
    """A tensor that a Module counts among its parameters; it shares the memory of `data`.

    >>> import rushlight as torch
    >>> torch.nn.Parameter(torch.zeros(2))
    Parameter containing:
    tensor([0., 0.], requires_grad=True)
    """

    def __new__(cls, data: Any = None, requires_grad: bool = True) -> Any:
        if data is None:
            data = Tensor()
        if type(data) is Tensor or type(data) is Parameter:
            return _alias(cls, data, requires_grad)
        # A user's own kind of tensor stays what it is, and is marked.
        x = data.detach().requires_grad_(requires_grad)
        if type(x) is not type(data):
            x = _alias(type(data), x, requires_grad)
        x._is_param = True
        return x

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) in memo:
            return memo[id(self)]
        result = _alias(type(self), self.data.clone(), self.requires_grad)
        memo[id(self)] = result
        return result


SHARED_AS.add(Parameter)


class _BufferMeta(TensorMeta):
    """`isinstance(x, Buffer)` is true of any tensor that `Buffer` has marked."""

    def __instancecheck__(cls, instance: Any) -> bool:
        return isinstance(instance, Tensor) and bool(getattr(instance, "_is_buffer", False))


class Buffer(Tensor, metaclass=_BufferMeta):
    """A tensor that a Module saves in its state but does not train; plain tensors come back, marked.

    >>> import rushlight as torch
    >>> m = torch.nn.Module()
    >>> m.mean = torch.nn.Buffer(torch.zeros(2), persistent=False)
    >>> [name for name, _ in m.named_buffers()], list(m.state_dict())
    (['mean'], [])
    """

    def __new__(cls, data: Any = None, *, persistent: bool = True) -> Any:
        if data is None:
            data = Tensor()
        x = data.detach().requires_grad_(data.requires_grad)
        x.persistent = persistent
        x._is_buffer = True
        return x


class UninitializedTensorMixin:
    """A tensor whose shape is not known until `materialize`."""

    def materialize(self, shape: Any, device: Any = None, dtype: Any = None) -> None:
        """Give the tensor its shape, in place, and with it the ordinary class."""
        from .. import ops

        x = ops.empty(tuple(shape), dtype=dtype or self.dtype, device=device)  # type: ignore[attr-defined]
        self.data = x
        self.__class__ = self.cls_to_become  # type: ignore[attr-defined]

    @property
    def shape(self) -> Any:
        raise RuntimeError(
            "Can't access the shape of an uninitialized parameter or buffer. "
            "This error usually happens in `load_state_dict` when trying to load "
            "an uninitialized parameter into an initialized one. "
            "Call `forward` to initialize the parameters before accessing their attributes."
        )

    def share_memory_(self) -> Any:
        raise RuntimeError(
            "Can't share memory on an uninitialized parameter or buffer. Call `forward` to initialize the "
            "parameters before calling `module.share_memory()`."
        )

    def __repr__(self, *, tensor_contents: Any = None) -> str:
        return f"<{self.__class__.__name__}>"


class UninitializedParameter(UninitializedTensorMixin, Parameter):  # type: ignore[misc]
    """A Parameter that gets its shape in the first call of a lazy module."""

    cls_to_become = Parameter

    def __new__(cls, requires_grad: bool = True, device: Any = None, dtype: Any = None) -> Any:
        return _empty_of(cls, requires_grad, device, dtype)

    def __deepcopy__(self, memo: dict[int, Any]) -> Any:
        if id(self) not in memo:
            memo[id(self)] = type(self)(self.requires_grad, self.device, self.dtype)
        return memo[id(self)]


class UninitializedBuffer(UninitializedTensorMixin, Tensor):  # type: ignore[misc]
    """A buffer that gets its shape in the first call of a lazy module."""

    cls_to_become = Tensor

    def __new__(
        cls, requires_grad: bool = False, device: Any = None, dtype: Any = None, persistent: bool = True
    ) -> Any:
        x = _empty_of(cls, requires_grad, device, dtype)
        x.persistent, x._is_buffer = persistent, True
        return x


def _empty_of(cls: type, requires_grad: bool, device: Any, dtype: Any) -> Any:
    from .. import ops

    return _alias(cls, ops.empty(0, device=device, dtype=dtype), requires_grad)


def is_lazy(x: Any) -> bool:
    """Whether `x` still waits for its shape."""
    return isinstance(x, UninitializedTensorMixin)
