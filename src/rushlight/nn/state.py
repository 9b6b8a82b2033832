"""Saving a module's state to a dict and loading it back, with PyTorch's keys, metadata and complaints."""

from __future__ import annotations

import functools
from collections import OrderedDict, namedtuple
from collections.abc import Callable, Mapping
from typing import Any

from ..autograd.modes import no_grad
from ..autograd.node import Handle
from ..autograd.tensor import Tensor
from ..settings import warn
from . import hooks
from .parameter import Parameter, is_lazy

EXTRA = "_extra_state"


class IncompatibleKeys(namedtuple("IncompatibleKeys", ["missing_keys", "unexpected_keys"])):
    """What `load_state_dict` returns: the keys it did not find, and those it had no use for."""

    __slots__ = ()

    def __repr__(self) -> str:
        if not self.missing_keys and not self.unexpected_keys:
            return "<All keys matched successfully>"
        return f"_IncompatibleKeys(missing_keys={self.missing_keys}, unexpected_keys={self.unexpected_keys})"

    __str__ = __repr__


def state_dict(self: Any, *args: Any, destination: Any = None, prefix: str = "", keep_vars: bool = False) -> Any:
    """All parameters and persistent buffers by their full names, sharing memory with the module.

    >>> import rushlight as torch
    >>> list(torch.nn.Linear(2, 1).state_dict())
    ['weight', 'bias']
    """
    if args:
        warn(
            "Positional args are being deprecated, use kwargs instead. Refer to "
            "https://pytorch.org/docs/main/generated/torch.nn.Module.html#torch.nn.Module.state_dict for details.",
            FutureWarning,
        )
        given = dict(zip(("destination", "prefix", "keep_vars"), args, strict=False))
        destination = given.get("destination", destination)
        prefix, keep_vars = given.get("prefix", prefix), given.get("keep_vars", keep_vars)
    if destination is None:
        destination = OrderedDict()
        destination._metadata = OrderedDict()
    local = {"version": self._version}
    if hasattr(destination, "_metadata"):
        destination._metadata[prefix[:-1]] = local
    for hook in list(self._state_dict_pre_hooks.values()):
        hook(self, prefix, keep_vars)
    self._save_to_state_dict(destination, prefix, keep_vars)
    for name, child in self._modules.items():
        if child is not None:
            child.state_dict(destination=destination, prefix=f"{prefix}{name}.", keep_vars=keep_vars)
    for hook in list(self._state_dict_hooks.values()):
        changed = hook(self, destination, prefix, local)
        if getattr(hook, "_from_public_api", False):
            if changed is not None:
                raise RuntimeError("state_dict post-hook must return None")
        elif changed is not None:
            destination = changed
    return destination


def save_to_state_dict(self: Any, destination: Any, prefix: str, keep_vars: bool) -> None:
    """Put this module's own state, without its children's, into `destination`."""
    for name, x in self._parameters.items():
        if x is not None:
            destination[prefix + name] = x if keep_vars else x.detach()
    for name, x in self._buffers.items():
        if x is not None and name not in self._non_persistent_buffers_set:
            destination[prefix + name] = x if keep_vars else x.detach()
    if overrides_extra_state(self):
        destination[prefix + EXTRA] = self.get_extra_state()


def overrides_extra_state(module: Any) -> bool:
    """Whether the module's class saves something beyond its tensors."""
    return getattr(type(module).get_extra_state, "__qualname__", "") != "Module.get_extra_state"


def load_state_dict(self: Any, state_dict: Mapping[str, Any], strict: bool = True, assign: bool = False) -> Any:
    """Copy (or with `assign` put) the tensors of `state_dict` into the module.

    Raises RuntimeError listing every mismatch of size and, when `strict`, every missing or unexpected key.
    """
    if not isinstance(state_dict, Mapping):
        raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
    missing: list[str] = []
    unexpected: list[str] = []
    errors: list[str] = []
    metadata = getattr(state_dict, "_metadata", None)
    state: Any = OrderedDict(state_dict)
    if metadata is not None:
        state._metadata = metadata

    def load(module: Any, part: Any, prefix: str) -> None:
        local = {} if metadata is None else metadata.get(prefix[:-1], {})
        if assign:
            local["assign_to_params_buffers"] = True
        module._load_from_state_dict(part, prefix, local, True, missing, unexpected, errors)
        for name, child in module._modules.items():
            if child is not None:
                below = f"{prefix}{name}."
                load(child, {key: value for key, value in part.items() if key.startswith(below)}, below)
        outcome = IncompatibleKeys(missing, unexpected)
        for hook in list(module._load_state_dict_post_hooks.values()):
            if hook(module, outcome) is not None:
                raise AssertionError(
                    "Hooks registered with ``register_load_state_dict_post_hook`` are not expected to return new "
                    "values, if incompatible_keys need to be modified, it should be done inplace."
                )

    load(self, state, "")
    if strict:
        if unexpected:
            errors.insert(0, f"Unexpected key(s) in state_dict: {_quoted(unexpected)}. ")
        if missing:
            errors.insert(0, f"Missing key(s) in state_dict: {_quoted(missing)}. ")
    if errors:
        raise RuntimeError(
            "Error(s) in loading state_dict for {}:\n\t{}".format(self.__class__.__name__, "\n\t".join(errors))
        )
    return IncompatibleKeys(missing, unexpected)


def _quoted(keys: list[str]) -> str:
    return ", ".join(f'"{key}"' for key in keys)


def load_from_state_dict(
    self: Any, state_dict: Any, prefix: str, local_metadata: Any, strict: bool,
    missing_keys: list[str], unexpected_keys: list[str], error_msgs: list[str],
) -> None:  # fmt: skip
    """Load this module's own state, without its children's; layers whose format changed override it."""
    for hook in list(self._load_state_dict_pre_hooks.values()):
        hook(state_dict, prefix, local_metadata, strict, missing_keys, unexpected_keys, error_msgs)
    assign = local_metadata.get("assign_to_params_buffers", False)
    own = dict(self._parameters)
    own.update((name, x) for name, x in self._buffers.items() if name not in self._non_persistent_buffers_set)
    for name, x in own.items():
        if x is None:
            continue
        key = prefix + name
        if key in state_dict:
            _load_one(self, name, x, key, state_dict[key], assign, error_msgs)
        elif strict:
            missing_keys.append(key)
    extra = prefix + EXTRA
    if (
        overrides_extra_state(self)
        or getattr(type(self).set_extra_state, "__qualname__", "") != "Module.set_extra_state"
    ):
        if extra in state_dict:
            self.set_extra_state(state_dict[extra])
        elif strict:
            missing_keys.append(extra)
    elif strict and extra in state_dict:
        unexpected_keys.append(extra)
    if strict:
        for key in state_dict:
            if key.startswith(prefix) and key != extra:
                head, *below = key[len(prefix) :].split(".", 1)
                if (head not in self._modules) if below else (head not in own or own[head] is None):
                    unexpected_keys.append(key)


def _load_one(module: Any, name: str, x: Any, key: str, value: Any, assign: bool, errors: list[str]) -> None:
    if not isinstance(value, Tensor):
        errors.append(
            f'While copying the parameter named "{key}", expected torch.Tensor or Tensor-like object from checkpoint '
            f"but received {type(value)}"
        )
        return
    lazy = is_lazy(x)
    if not lazy and x.dim() == 0 and value.dim() == 1:
        value = value[0]  # PyTorch before 0.4 saved scalars with one dimension
    if not lazy and value.shape != x.shape:
        errors.append(
            f"size mismatch for {key}: copying a param with shape {value.shape} from checkpoint, the shape in current "
            f"model is {x.shape}."
        )
        return
    try:
        with no_grad():
            if assign:
                if isinstance(x, Parameter):
                    if isinstance(value, Parameter):
                        value.requires_grad_(x.requires_grad)
                    else:
                        value = Parameter(value, requires_grad=x.requires_grad)
                setattr(module, name, value)
            else:
                x.copy_(value)
    except Exception as error:
        errors.append(
            f'While copying the parameter named "{key}", whose dimensions in the model are {x.size()} and whose '
            f"dimensions in the checkpoint are {value.size()}, an exception occurred : {error.args}."
        )


def register_state_dict_pre_hook(self: Any, hook: Callable[..., Any]) -> Handle:
    """`hook(module, prefix, keep_vars)` runs before the state is collected."""
    return hooks.add(self._state_dict_pre_hooks, hook)


def register_state_dict_post_hook(self: Any, hook: Callable[..., Any]) -> Handle:
    """`hook(module, state_dict, prefix, local_metadata)` runs after collecting, and may change the dict in place."""
    hook._from_public_api = True  # type: ignore[attr-defined]
    return hooks.add(self._state_dict_hooks, hook)


def register_old_state_dict_hook(self: Any, hook: Callable[..., Any]) -> Handle:
    """The private, older form: the hook may return another dict."""
    if getattr(hook, "_from_public_api", False):
        raise RuntimeError(
            "Cannot register the same function as the state dict post hook that was previously registered via "
            "register_state_dict_post_hook"
        )
    return hooks.add(self._state_dict_hooks, hook)


def register_old_load_hook(self: Any, hook: Callable[..., Any], with_module: bool = False) -> Handle:
    """The private, older form of `register_load_state_dict_pre_hook`: `hook` gets no module unless asked for."""
    return hooks.add(self._load_state_dict_pre_hooks, functools.partial(hook, self) if with_module else hook)


def register_load_state_dict_pre_hook(self: Any, hook: Callable[..., Any]) -> Handle:
    """`hook(module, state_dict, prefix, local_metadata, strict, missing, unexpected, errors)` runs before loading."""
    return register_old_load_hook(self, hook, with_module=True)


def register_load_state_dict_post_hook(self: Any, hook: Callable[..., Any]) -> Handle:
    """`hook(module, incompatible_keys)` runs after loading, and may change the two lists in place."""
    return hooks.add(self._load_state_dict_post_hooks, hook)
