"""`Module`, the base of all layers: it registers what is assigned to it, and moves, saves, calls and prints it."""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from .. import dtypes
from ..autograd.modes import no_grad
from ..autograd.node import Handle
from ..autograd.tensor import Tensor
from ..device import device as device_class
from ..errors import unsupported
from . import hooks, state
from .hooks import (
    global_backward,
    global_backward_pre,
    global_forward,
    global_forward_pre,
    register_module_backward_hook,
    register_module_buffer_registration_hook,
    register_module_forward_hook,
    register_module_forward_pre_hook,
    register_module_full_backward_hook,
    register_module_full_backward_pre_hook,
    register_module_module_registration_hook,
    register_module_parameter_registration_hook,
)
from .parameter import Buffer, Parameter, is_lazy

__all__ = [
    "Module", "register_module_backward_hook", "register_module_buffer_registration_hook",
    "register_module_forward_hook", "register_module_forward_pre_hook", "register_module_full_backward_hook",
    "register_module_full_backward_pre_hook", "register_module_module_registration_hook",
    "register_module_parameter_registration_hook",
]  # fmt: skip
T = TypeVar("T", bound="Module")


def _forward_unimplemented(self: Any, *_: Any) -> Any:
    """What the module computes; override it."""
    raise NotImplementedError(f'Module [{type(self).__name__}] is missing the required "forward" function')


def typename(value: Any) -> str:
    """`torch.FloatTensor` for tensors, and the full name of the type otherwise."""
    if isinstance(value, Tensor):
        return f"torch.{value.dtype.scalar_name}Tensor"
    cls = type(value)
    return cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"


def _check_name(self: Module, kind: str, name: Any, registered: dict[str, Any]) -> None:
    if not isinstance(name, str):
        raise TypeError(f"{kind} name should be a string. Got {typename(name)}")
    if "." in name:
        raise KeyError(f'{kind} name can\'t contain "."' + (f", got: {name}" if kind == "module" else ""))
    if name == "":
        raise KeyError(f'{kind} name can\'t be empty string ""')
    if hasattr(self, name) and name not in registered:
        raise KeyError(f"attribute '{name}' already exists")


class Module:
    """The base class of neural network modules.

    Parameters, buffers and modules assigned as attributes are registered under that name.
    https://docs.pytorch.org/docs/stable/generated/torch.nn.Module.html

    >>> import rushlight as torch
    >>> class Scale(torch.nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.factor = torch.nn.Parameter(torch.tensor([2.0]))
    ...     def forward(self, x):
    ...         return x * self.factor
    >>> Scale()(torch.ones(2)), [name for name, _ in Scale().named_parameters()]
    (tensor([2., 2.], grad_fn=<MulBackward0>), ['factor'])
    """

    dump_patches = False
    _version = 1
    training: bool
    _parameters: dict[str, Parameter | None]
    _buffers: dict[str, Tensor | None]
    _modules: dict[str, Module | None]
    _non_persistent_buffers_set: set[str]
    _is_full_backward_hook: bool | None
    call_super_init = False  # a subclass with several bases may ask for the next __init__ to be called

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if not self.call_super_init and kwargs:
            name = next(iter(kwargs))
            raise TypeError(f"{type(self).__name__}.__init__() got an unexpected keyword argument '{name}'")
        if not self.call_super_init and args:
            n = len(args) + 1
            raise TypeError(f"{type(self).__name__}.__init__() takes 1 positional argument but {n} were given")
        # Straight into __dict__: __setattr__ has nothing to look at yet.
        self.__dict__.update(
            training=True,
            _parameters={},
            _buffers={},
            _non_persistent_buffers_set=set(),
            _backward_pre_hooks=OrderedDict(),
            _backward_hooks=OrderedDict(),
            _is_full_backward_hook=None,
            _forward_hooks=OrderedDict(),
            _forward_hooks_with_kwargs=OrderedDict(),
            _forward_hooks_always_called=OrderedDict(),
            _forward_pre_hooks=OrderedDict(),
            _forward_pre_hooks_with_kwargs=OrderedDict(),
            _state_dict_hooks=OrderedDict(),
            _state_dict_pre_hooks=OrderedDict(),
            _load_state_dict_pre_hooks=OrderedDict(),
            _load_state_dict_post_hooks=OrderedDict(),
            _modules={},
        )
        if self.call_super_init:
            super().__init__(*args, **kwargs)

    forward: Callable[..., Any] = _forward_unimplemented

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if (
            self._forward_hooks
            or self._forward_pre_hooks
            or self._backward_hooks
            or self._backward_pre_hooks
            or global_forward
            or global_forward_pre
            or global_backward
            or global_backward_pre
        ):
            return hooks.call(self, args, kwargs)
        return self.forward(*args, **kwargs)

    # ---- registration ------------------------------------------------------------------------------------------

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter (or reserve its name with None); raises KeyError when the name is taken or unusable."""
        if "_parameters" not in self.__dict__:
            raise AttributeError("cannot assign parameter before Module.__init__() call")
        _check_name(self, "parameter", name, self._parameters)
        if param is None:
            self._parameters[name] = None
            return
        if not isinstance(param, Parameter):
            raise TypeError(
                f"cannot assign '{typename(param)}' object to parameter '{name}' (torch.nn.Parameter or None required)"
            )
        if not param.is_leaf:
            raise ValueError(
                f"Cannot assign non-leaf Tensor to parameter '{name}'. Model parameters must be created explicitly. To "
                f"express '{name}' as a function of another Tensor, compute the value in the forward() method."
            )
        for hook in hooks.global_parameter_registration.values():
            changed = hook(self, name, param)
            param = param if changed is None else changed
        self._parameters[name] = param

    def register_buffer(self, name: str, tensor: Tensor | None, persistent: bool = True) -> None:
        """Add a tensor that is state, but is not trained; only `persistent` ones are saved."""
        if "_buffers" not in self.__dict__:
            raise AttributeError("cannot assign buffer before Module.__init__() call")
        _check_name(self, "buffer", name, self._buffers)
        if tensor is not None and not isinstance(tensor, Tensor):
            raise TypeError(
                f"cannot assign '{typename(tensor)}' object to buffer '{name}' (torch Tensor or None required)"
            )
        for hook in hooks.global_buffer_registration.values():
            changed = hook(self, name, tensor)
            tensor = tensor if changed is None else changed
        self._buffers[name] = tensor
        (self._non_persistent_buffers_set.discard if persistent else self._non_persistent_buffers_set.add)(name)

    def add_module(self, name: str, module: Module | None) -> None:
        """Add a child (or reserve its name with None); raises KeyError when the name is taken or unusable."""
        if not isinstance(module, Module) and module is not None:
            raise TypeError(f"{typename(module)} is not a Module subclass")
        _check_name(self, "module", name, self._modules)
        self._modules[name] = self._adopt(name, module)

    def register_module(self, name: str, module: Module | None) -> None:
        """Another name for `add_module`."""
        self.add_module(name, module)

    def _adopt(self, name: str, module: Any) -> Any:
        for hook in hooks.global_module_registration.values():
            changed = hook(self, name, module)
            module = module if changed is None else changed
        return module

    def __setattr__(self, name: str, value: Any) -> None:
        own = self.__dict__
        if isinstance(value, Parameter):
            if "_parameters" not in own:
                raise AttributeError("cannot assign parameters before Module.__init__() call")
            self._forget(name, "_parameters")
            self.register_parameter(name, value)
            return
        if name in own.get("_parameters", ()):
            if value is not None:
                raise TypeError(
                    f"cannot assign '{typename(value)}' as parameter '{name}' (torch.nn.Parameter or None expected)"
                )
            self.register_parameter(name, None)
            return
        if isinstance(value, Module):
            if "_modules" not in own:
                raise AttributeError("cannot assign module before Module.__init__() call")
            self._forget(name, "_modules")
            own["_modules"][name] = self._adopt(name, value)
            return
        if name in own.get("_modules", ()):
            if value is not None:
                raise TypeError(
                    f"cannot assign '{typename(value)}' as child module '{name}' (torch.nn.Module or None expected)"
                )
            own["_modules"][name] = self._adopt(name, None)
            return
        buffers = own.get("_buffers")
        marked = isinstance(value, Tensor) and isinstance(value, Buffer)
        if not marked and (buffers is None or name not in buffers):
            object.__setattr__(self, name, value)
            return
        if value is not None and not isinstance(value, Tensor):
            raise TypeError(
                f"cannot assign '{typename(value)}' as buffer '{name}' (torch.nn.Buffer, torch.Tensor or None expected)"
            )
        if marked:
            if buffers is None:
                raise AttributeError("cannot assign buffer before Module.__init__() call")
            self._forget(name, "_buffers")
            self.register_buffer(name, value, getattr(value, "persistent", True))
            return
        for hook in hooks.global_buffer_registration.values():
            changed = hook(self, name, value)
            value = value if changed is None else changed
        buffers[name] = value  # type: ignore[index]

    def _forget(self, name: str, keep: str) -> None:
        """Drop `name` wherever it is registered, but in the table `keep`, whose order must not change."""
        own = self.__dict__
        own.pop(name, None)
        for table in ("_parameters", "_buffers", "_modules"):
            if table != keep:
                own[table].pop(name, None)
        if keep != "_buffers":
            own["_non_persistent_buffers_set"].discard(name)

    def __getattr__(self, name: str) -> Any:
        own = self.__dict__
        for table in ("_parameters", "_buffers", "_modules"):
            if table in own and name in own[table]:
                return own[table][name]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'", name=name, obj=self)

    def __delattr__(self, name: str) -> None:
        for table in (self._parameters, self._buffers, self._modules):
            if name in table:
                del table[name]
                self._non_persistent_buffers_set.discard(name)
                return
        super().__delattr__(name)

    def __dir__(self) -> list[str]:
        names = {*dir(type(self)), *self.__dict__, *self._parameters, *self._modules, *self._buffers}
        return sorted(name for name in names if not name[0].isdigit())

    def __setstate__(self, saved: dict[str, Any]) -> None:
        self.__dict__.update(saved)
        for name in (
            "_forward_pre_hooks", "_forward_hooks", "_forward_pre_hooks_with_kwargs", "_forward_hooks_with_kwargs",
            "_forward_hooks_always_called", "_backward_hooks", "_backward_pre_hooks", "_state_dict_hooks",
            "_state_dict_pre_hooks", "_load_state_dict_pre_hooks", "_load_state_dict_post_hooks",
        ):  # fmt: skip
            self.__dict__.setdefault(name, OrderedDict())
        self.__dict__.setdefault("_non_persistent_buffers_set", set())
        self.__dict__.setdefault("_is_full_backward_hook", None)

    # ---- finding ---------------------------------------------------------------------------------------------------

    def get_submodule(self, target: str) -> Module:
        """The descendant with the dotted name `target`; AttributeError names the part that is not there."""
        module: Any = self
        for name in target.split(".") if target else ():
            if not hasattr(module, name):
                raise AttributeError(f"{module._get_name()} has no attribute `{name}`")
            module = getattr(module, name)
            if not isinstance(module, Module):
                raise AttributeError(f"`{name}` is not an nn.Module")
        return module  # type: ignore[no-any-return]

    def set_submodule(self, target: str, module: Module, strict: bool = False) -> None:
        """Put `module` at the dotted name `target`; with `strict` only in place of one that is there."""
        if target == "":
            raise ValueError("Cannot set the submodule without a target name!")
        if not isinstance(module, Module):
            raise ValueError(f"`module` is not an nn.Module, found {type(module)}")
        path, _, name = target.rpartition(".")
        parent: Any = self.get_submodule(path)
        if strict and not hasattr(parent, name):
            raise AttributeError(f"{parent._get_name()} has no attribute `{name}`")
        if hasattr(parent, name) and not isinstance(getattr(parent, name), Module):
            raise AttributeError(f"`{name}` is not an nn.Module")
        setattr(parent, name, module)

    def _get_leaf(self, target: str) -> tuple[Module, str, Any]:
        path, _, name = target.rpartition(".")
        parent = self.get_submodule(path)
        if not hasattr(parent, name):
            raise AttributeError(f"{parent._get_name()} has no attribute `{name}`")
        return parent, name, getattr(parent, name)

    def get_parameter(self, target: str) -> Parameter:
        """The parameter with the dotted name `target`."""
        _, name, found = self._get_leaf(target)
        if not isinstance(found, Parameter):
            raise AttributeError(f"`{name}` is not an nn.Parameter")
        return found

    def get_buffer(self, target: str) -> Tensor:
        """The buffer with the dotted name `target`."""
        parent, name, found = self._get_leaf(target)
        if name not in parent._buffers:
            raise AttributeError(f"`{name}` is not a buffer")
        return found  # type: ignore[no-any-return]

    def _named_members(
        self, members: Callable[[Any], Any], prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Any]]:
        seen = set()
        modules = self.named_modules(prefix=prefix, remove_duplicate=remove_duplicate) if recurse else [(prefix, self)]
        for path, module in modules:
            for name, value in members(module):
                if value is None or value in seen:
                    continue
                if remove_duplicate:
                    seen.add(value)
                yield (f"{path}.{name}" if path else name), value

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Each parameter once, with its dotted name."""
        yield from self._named_members(lambda m: m._parameters.items(), prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Each parameter once."""
        for _, x in self.named_parameters(recurse=recurse):
            yield x

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Each buffer once, with its dotted name."""
        yield from self._named_members(lambda m: m._buffers.items(), prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Each buffer once."""
        for _, x in self.named_buffers(recurse=recurse):
            yield x

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Each child once, with its name."""
        seen = set()
        for name, module in self._modules.items():
            if module is not None and module not in seen:
                seen.add(module)
                yield name, module

    def children(self) -> Iterator[Module]:
        """Each child once."""
        for _, module in self.named_children():
            yield module

    def named_modules(
        self, memo: set[Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """This module and all its descendants, parents first, with their dotted names."""
        memo = set() if memo is None else memo
        if self in memo:
            return
        if remove_duplicate:
            memo.add(self)
        yield prefix, self
        for name, module in self._modules.items():
            if module is not None:
                yield from module.named_modules(memo, f"{prefix}.{name}" if prefix else name, remove_duplicate)

    def modules(self) -> Iterator[Module]:
        """This module and all its descendants, parents first."""
        for _, module in self.named_modules():
            yield module

    # ---- changing all tensors ------------------------------------------------------------------------------------

    def apply(self: T, fn: Callable[[Module], None]) -> T:
        """Call `fn` on every descendant and then on this module, as initialisation does."""
        for module in self.children():
            module.apply(fn)
        fn(self)
        return self

    def _apply(self: T, fn: Callable[[Any], Any], recurse: bool = True) -> T:
        """Replace the data of every parameter, gradient and buffer by `fn` of it; parameters stay the same objects."""
        if recurse:
            for module in self.children():
                module._apply(fn)
        for x in self._parameters.values():
            if x is not None:
                with no_grad():
                    x.data = fn(x)
                    if x.grad is not None:
                        x.grad.data = fn(x.grad)
        for name, b in self._buffers.items():
            if b is not None:
                self._buffers[name] = fn(b)
        return self

    def to(self: T, *args: Any, **kwargs: Any) -> T:
        """Move to a device and floating dtype: `to(device)`, `to(dtype)`, `to(device, dtype)`, `to(tensor)`."""
        device, dtype, memory_format = _parse_to(*args, **kwargs)
        if dtype is not None and not (dtype.is_floating_point or dtype.is_complex):
            raise TypeError(
                f"nn.Module.to only accepts floating point or complex dtypes, but got desired dtype={dtype}"
            )

        def convert(x: Any) -> Any:
            kind = dtype if dtype is not None and (x.is_floating_point() or x.is_complex()) else x.dtype
            if memory_format is not None and x.dim() in (4, 5):
                return x.to(device=device, dtype=kind, memory_format=memory_format)
            return x.to(device=device, dtype=kind)

        return self._apply(convert)

    def to_empty(self: T, *, device: Any, recurse: bool = True) -> T:
        """Move to a device, leaving all values uninitialised."""
        from .. import ops

        return self._apply(lambda x: ops.empty_like(x, device=device), recurse=recurse)

    def cpu(self: T) -> T:
        """Move everything to the CPU, where it is."""
        return self._apply(lambda x: x.cpu())

    def cuda(self: T, device: Any = None) -> T:
        """Move everything to a GPU."""
        return self._apply(lambda x: x.cuda(device))

    def type(self: T, dst_type: Any) -> T:
        """Cast every parameter and buffer, integers included."""
        return self._apply(lambda x: x.type(dst_type))

    def _floating(self: T, dtype: dtypes.dtype) -> T:
        return self._apply(lambda x: x.to(dtype) if x.is_floating_point() else x)

    def float(self: T) -> T:
        """Cast floating parameters and buffers to float32."""
        return self._floating(dtypes.float32)

    def double(self: T) -> T:
        """Cast floating parameters and buffers to float64."""
        return self._floating(dtypes.float64)

    def half(self: T) -> T:
        """Cast floating parameters and buffers to float16."""
        return self._floating(dtypes.float16)

    def bfloat16(self: T) -> T:
        """Cast floating parameters and buffers to bfloat16."""
        return self._floating(dtypes.bfloat16)

    def share_memory(self: T) -> T:
        """Move everything to shared memory."""
        from ..autograd.sharing import share

        tensors = [*self.parameters(), *self.buffers()]
        for x in filter(is_lazy, tensors):
            x.share_memory_()  # which refuses it
        share([*tensors, *(p._grad for p in tensors if p._grad is not None)])
        return self

    def train(self: T, mode: bool = True) -> T:
        """Switch this module and its descendants to training (dropout, batch statistics) or evaluation."""
        if not isinstance(mode, bool):
            raise ValueError("training mode is expected to be boolean")
        self.training = mode
        for module in self.children():
            module.train(mode)
        return self

    def eval(self: T) -> T:
        """Switch to evaluation."""
        return self.train(False)

    def requires_grad_(self: T, requires_grad: bool = True) -> T:
        """Freeze or unfreeze all parameters."""
        for x in self.parameters():
            x.requires_grad_(requires_grad)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or set them to zero in place."""
        for x in self.parameters():
            if x.grad is not None:
                if set_to_none:
                    x.grad = None
                else:
                    if x.grad.grad_fn is not None:
                        x.grad.detach_()
                    else:
                        x.grad.requires_grad_(False)
                    x.grad.zero_()

    # ---- state ---------------------------------------------------------------------------------------------------

    state_dict = state.state_dict
    load_state_dict = state.load_state_dict
    _save_to_state_dict = state.save_to_state_dict
    _load_from_state_dict = state.load_from_state_dict
    register_state_dict_pre_hook = state.register_state_dict_pre_hook
    register_state_dict_post_hook = state.register_state_dict_post_hook
    register_load_state_dict_pre_hook = state.register_load_state_dict_pre_hook
    register_load_state_dict_post_hook = state.register_load_state_dict_post_hook
    _register_state_dict_hook = state.register_old_state_dict_hook
    _register_load_state_dict_pre_hook = state.register_old_load_hook

    def get_extra_state(self) -> Any:
        """What to save beyond parameters and buffers; override it together with `set_extra_state`."""
        raise RuntimeError(_NEVER_CALLED.format("get"))

    def set_extra_state(self, state: Any) -> None:
        """Receive what `get_extra_state` gave."""
        raise RuntimeError(_NEVER_CALLED.format("set"))

    # ---- hooks ---------------------------------------------------------------------------------------------------

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> Handle:
        """`hook(module, args)` runs before forward and may return other arguments."""
        handle = hooks.add(self._forward_pre_hooks, hook, prepend)
        if with_kwargs:
            self._forward_pre_hooks_with_kwargs[handle.id] = True
        return handle

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False, always_call: bool = False
    ) -> Handle:
        """`hook(module, args, output)` runs after forward and may return another output."""
        handle = hooks.add(self._forward_hooks, hook, prepend)
        if with_kwargs:
            self._forward_hooks_with_kwargs[handle.id] = True
        if always_call:
            self._forward_hooks_always_called[handle.id] = True
        return handle

    def register_full_backward_pre_hook(self, hook: Callable[..., Any], prepend: bool = False) -> Handle:
        """`hook(module, grad_output)` runs before the backward of this module and may return other gradients."""
        return hooks.add(self._backward_pre_hooks, hook, prepend)

    def register_full_backward_hook(self, hook: Callable[..., Any], prepend: bool = False) -> Handle:
        """`hook(module, grad_input, grad_output)` runs after the backward and may return another grad_input."""
        self._decide_kind(full=True)
        return hooks.add(self._backward_hooks, hook, prepend)

    def register_backward_hook(self, hook: Callable[..., Any]) -> Handle:
        """The older kind of backward hook, on the node that made the output; prefer the full one."""
        self._decide_kind(full=False)
        return hooks.add(self._backward_hooks, hook)

    def _decide_kind(self, full: bool) -> None:
        if self._is_full_backward_hook is (not full):
            raise RuntimeError(
                "Cannot use both regular backward hooks and full backward hooks on a single Module. Please use only "
                "one of them."
            )
        self._is_full_backward_hook = full

    # ---- the rest ------------------------------------------------------------------------------------------------

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """Not there yet: modules run as they are written."""
        raise unsupported("Module.compile", "The module runs without it.")

    def _get_name(self) -> str:
        return self.__class__.__name__

    def extra_repr(self) -> str:
        """What `repr` shows of the module between the parentheses; override it."""
        return ""

    def __repr__(self) -> str:
        own = self.extra_repr()
        lines = own.split("\n") if own else []
        children = [f"({name}): {indent(repr(module), 2)}" for name, module in self._modules.items()]
        if len(lines) == 1 and not children:
            return f"{self._get_name()}({own})"
        body = "\n  ".join(lines + children)
        return f"{self._get_name()}(\n  {body}\n)" if body else f"{self._get_name()}()"

    def _replicate_for_data_parallel(self) -> Any:
        replica = self.__class__.__new__(self.__class__)
        replica.__dict__ = self.__dict__.copy()
        for table in ("_parameters", "_buffers", "_modules"):
            replica.__dict__[table] = dict(self.__dict__[table])
        return replica


_NEVER_CALLED = (
    "Reached a code path in Module.{}_extra_state() that should never be called. Please file an issue at "
    "https://github.com/pytorch/pytorch/issues/new?template=bug-report.yml to report this bug."
)


def indent(text: str, by: int) -> str:
    """Indent every line of `text` but the first."""
    first, *rest = text.split("\n")
    return "\n".join([first, *(" " * by + line for line in rest)])


def _parse_to(*args: Any, **kwargs: Any) -> tuple[Any, Any, Any]:
    """(device, dtype, memory format) of the arguments of `to`."""
    device, dtype = kwargs.get("device"), kwargs.get("dtype")
    if "tensor" in kwargs:
        args = (kwargs["tensor"], *args)
    for x in itertools.islice(args, 2):
        if isinstance(x, Tensor):
            device, dtype = x.device, x.dtype
        elif isinstance(x, dtypes.dtype):
            dtype = x
        elif isinstance(x, (str, device_class, int)) and not isinstance(x, bool):
            device = x
        elif x is not None and not isinstance(x, bool):
            raise TypeError(f"to() received an invalid combination of arguments - got ({type(x).__name__})")
    return device, dtype, kwargs.get("memory_format")
