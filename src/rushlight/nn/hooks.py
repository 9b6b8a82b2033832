"""Hooks of modules: those of all modules, the call that runs them, and the pair of nodes behind backward hooks."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from ..autograd.function import Function
from ..autograd.modes import is_grad_enabled
from ..autograd.node import Handle
from ..autograd.tensor import Tensor
from ..settings import warn

Hooks = OrderedDict[int, Any]

# Hooks on every module, and on every registration; the first five decide whether a call takes the slow path.
global_forward_pre: Hooks = OrderedDict()
global_forward: Hooks = OrderedDict()
global_forward_always: dict[int, bool] = {}
global_forward_kwargs: dict[int, bool] = {}
global_backward_pre: Hooks = OrderedDict()
global_backward: Hooks = OrderedDict()
global_buffer_registration: Hooks = OrderedDict()
global_module_registration: Hooks = OrderedDict()
global_parameter_registration: Hooks = OrderedDict()
_global_backward_is_full: bool | None = None


def add(hooks: Hooks, hook: Callable[..., Any], prepend: bool = False) -> Handle:
    """Register `hook` and return the handle that takes it away."""
    handle = Handle(hooks)
    hooks[handle.id] = hook
    if prepend:
        hooks.move_to_end(handle.id, last=False)
    return handle


def register_module_buffer_registration_hook(hook: Callable[..., Any]) -> Handle:
    """`hook(module, name, buffer)` runs whenever any module registers a buffer, and may return another one."""
    return add(global_buffer_registration, hook)


def register_module_module_registration_hook(hook: Callable[..., Any]) -> Handle:
    """`hook(module, name, submodule)` runs whenever any module registers a child, and may return another one."""
    return add(global_module_registration, hook)


def register_module_parameter_registration_hook(hook: Callable[..., Any]) -> Handle:
    """`hook(module, name, parameter)` runs whenever any module registers a parameter, and may return another one."""
    return add(global_parameter_registration, hook)


def register_module_forward_pre_hook(hook: Callable[..., Any]) -> Handle:
    """`hook(module, args)` runs before the forward of every module and may return other arguments."""
    return add(global_forward_pre, hook)


def register_module_forward_hook(
    hook: Callable[..., Any], *, with_kwargs: bool = False, always_call: bool = False
) -> Handle:
    """`hook(module, args, output)` runs after the forward of every module and may return another output."""
    handle = add(global_forward, hook)
    if with_kwargs:
        global_forward_kwargs[handle.id] = True
    if always_call:
        global_forward_always[handle.id] = True
    return handle


def register_module_full_backward_pre_hook(hook: Callable[..., Any]) -> Handle:
    """`hook(module, grad_output)` runs before the backward of every module and may return other gradients."""
    return add(global_backward_pre, hook)


def register_module_full_backward_hook(hook: Callable[..., Any]) -> Handle:
    """`hook(module, grad_input, grad_output)` runs after the backward of every module."""
    _decide_global_kind(full=True)
    return add(global_backward, hook)


def register_module_backward_hook(hook: Callable[..., Any]) -> Handle:
    """The older kind of backward hook, on the node that made the output; prefer the full one."""
    _decide_global_kind(full=False)
    return add(global_backward, hook)


def _decide_global_kind(full: bool) -> None:
    global _global_backward_is_full
    if _global_backward_is_full is (not full):
        raise RuntimeError(
            "Cannot use both regular backward hooks and full backward hooks as a global Module hook. "
            "Please use only one of them."
        )
    _global_backward_is_full = full


def call(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Run `module.forward` with all hooks that apply."""
    called: set[int] = set()
    result = None
    try:
        args, kwargs = _run_forward_pre(module, args, kwargs)
        pre, full, old = _backward_hooks(module)
        bridge = BackwardHooks(module, full, pre) if full or pre else None
        if bridge is not None:
            args = bridge.watch_inputs(args)
        result = module.forward(*args, **kwargs)
        for hooks, with_kwargs in (
            (global_forward, global_forward_kwargs), (module._forward_hooks, module._forward_hooks_with_kwargs)
        ):  # fmt: skip
            for number, hook in list(hooks.items()):
                called.add(number)
                changed = _call_forward_hook(hook, number in with_kwargs, module, args, kwargs, result)
                result = result if changed is None else changed
        if bridge is not None:
            if not isinstance(result, (Tensor, tuple)):
                _warn_output(result)
            result = bridge.watch_outputs(result)
        if old:
            _attach_old_hooks(module, old, args, result)
        return result
    except Exception:
        _run_always_called(module, args, kwargs, result, called)
        raise


def _run_forward_pre(module: Any, args: Any, kwargs: Any) -> tuple[Any, Any]:
    for hook in list(global_forward_pre.values()):
        changed = hook(module, args)
        if changed is not None:
            args = changed if isinstance(changed, tuple) else (changed,)
    for number, hook in list(module._forward_pre_hooks.items()):
        if number in module._forward_pre_hooks_with_kwargs:
            changed = hook(module, args, kwargs)
            if changed is not None:
                if not (isinstance(changed, tuple) and len(changed) == 2):
                    raise RuntimeError(
                        f"forward pre-hook must return None or a tuple of (new_args, new_kwargs), but got {changed}."
                    )
                args, kwargs = changed
        else:
            changed = hook(module, args)
            if changed is not None:
                args = changed if isinstance(changed, tuple) else (changed,)
    return args, kwargs


def _call_forward_hook(hook: Any, with_kwargs: bool, module: Any, args: Any, kwargs: Any, result: Any) -> Any:
    return hook(module, args, kwargs, result) if with_kwargs else hook(module, args, result)


def _run_always_called(module: Any, args: Any, kwargs: Any, result: Any, called: set[int]) -> None:
    """After a failure, run the `always_call` hooks that had no turn; their own failures only warn."""
    for hooks, always, with_kwargs in (
        (global_forward, global_forward_always, global_forward_kwargs),
        (module._forward_hooks, module._forward_hooks_always_called, module._forward_hooks_with_kwargs),
    ):
        for number, hook in list(hooks.items()):
            if number in always and number not in called:
                try:
                    changed = _call_forward_hook(hook, number in with_kwargs, module, args, kwargs, result)
                    result = result if changed is None else changed
                except Exception as error:
                    kind = "global module" if hooks is global_forward else "module"
                    warn(
                        f"{kind} forward hook with ``always_call=True`` raised an exception that was silenced as "
                        f"another error was raised in forward: {error}",
                    )


def _backward_hooks(module: Any) -> tuple[list[Any], list[Any], list[Any]]:
    """(pre hooks, full hooks, hooks of the older kind) for the backward of `module`."""
    pre = [*global_backward_pre.values(), *module._backward_pre_hooks.values()]
    full: list[Any] = []
    old: list[Any] = []
    (full if _global_backward_is_full else old).extend(global_backward.values())
    (full if module._is_full_backward_hook else old).extend(module._backward_hooks.values())
    return pre, full, old


def _warn_output(result: Any) -> None:
    warn(
        "For backward hooks to be called, module output should be a Tensor or a tuple of Tensors but received "
        f"{type(result)}",
    )


_OLD = (
    "Using {} is deprecated and will be removed in future versions. This hook will be missing {}. Please use "
    "register_full_backward_hook to get the documented behavior."
)


def _warn_incomplete(args: tuple[Any, ...], result: Any, node: Any) -> None:
    """What a hook of the older kind, on the node of the first output, does not see of the module's gradients."""
    outputs = result if isinstance(result, tuple) else (result,)
    if not all(isinstance(y, Tensor) for y in outputs):
        kind = "non-full backward hooks on a Module that does not return a single Tensor or a tuple of Tensors"
        warn(_OLD.format(kind, "some of the grad_output"), FutureWarning)
    elif len({y.grad_fn for y in outputs}) != 1:
        kind = "a non-full backward hook when outputs are generated by different autograd Nodes"
        warn(_OLD.format(kind, "some grad_output"), FutureWarning)
    else:
        made = {x.grad_fn for x in args if isinstance(x, Tensor) and x.grad_fn is not None}
        before = {edge[0] for edge in node.next_functions if edge[0] is not None}
        if made != before:
            kind = "a non-full backward hook when the forward contains multiple autograd Nodes"
            warn(_OLD.format(kind, "some grad_input"), FutureWarning)


def _attach_old_hooks(module: Any, hooks: list[Any], args: Any, result: Any) -> None:
    whole = result
    while not isinstance(result, Tensor):
        result = next(v for v in result.values() if isinstance(v, Tensor)) if isinstance(result, dict) else result[0]
    node = result.grad_fn
    if node is None:
        return
    _warn_incomplete(args, whole, node)
    for hook in hooks:

        def run(grad_inputs: Any, grad_outputs: Any, hook: Any = hook) -> Any:
            return hook(module, grad_inputs, grad_outputs)

        node.register_hook(run)


class BackwardHookFunction(Function):
    """The identity on several tensors: one node through which all their gradients pass together."""

    @staticmethod
    def forward(ctx: Any, *xs: Any) -> Any:
        ctx.set_materialize_grads(False)
        ctx.mark_non_differentiable(*[x for x in xs if not x.requires_grad])
        return xs

    @staticmethod
    def backward(ctx: Any, *gs: Any) -> Any:
        return gs


def _watch(value: Any, attach: Callable[[Any, list[int], int], None]) -> Any:
    """Pass the tensors in `value` (one, or a tuple of things) through one node, and give that to `attach`."""
    parts = value if isinstance(value, tuple) else (value,)
    places = [i for i, part in enumerate(parts) if isinstance(part, Tensor)]
    if not places or not is_grad_enabled() or not any(parts[i].requires_grad for i in places):
        return None
    watched = BackwardHookFunction.apply(*[parts[i] for i in places])
    nodes = [x.grad_fn for x in watched if x.grad_fn is not None]
    attach(nodes[0], places, len(parts))
    filled = list(parts)
    for i, x in zip(places, watched, strict=True):
        filled[i] = x
    if not isinstance(value, tuple):
        return filled[0]
    return type(value)(*filled) if hasattr(value, "_fields") else tuple(filled)


def _spread(grads: Any, places: list[int], n: int) -> tuple[Any, ...]:
    spread = [None] * n
    for i, g in zip(places, grads, strict=True):
        spread[i] = g
    return tuple(spread)


class BackwardHooks:
    """The full backward hooks of one call: a node before the inputs, and one after the outputs."""

    def __init__(self, module: Any, hooks: list[Any], pre_hooks: list[Any]) -> None:
        self.module, self.hooks, self.pre_hooks = module, hooks, pre_hooks
        self.grad_outputs: Any = None
        self.n_inputs = 0
        self.inputs_watched = False

    def watch_inputs(self, args: Any) -> Any:
        self.n_inputs = len(args)

        def attach(node: Any, places: list[int], n: int) -> None:
            self.inputs_watched = True

            def run(grad_inputs: Any, _: Any) -> Any:
                if self.grad_outputs is None:
                    return None  # the backward did not come by way of this module's outputs
                spread = self._run_hooks(_spread(grad_inputs, places, n))
                self.grad_outputs = None
                return tuple(spread[i] for i in places)

            node.register_hook(run)

        watched = _watch(args, attach)
        return args if watched is None else watched

    def watch_outputs(self, result: Any) -> Any:
        def attach(node: Any, places: list[int], n: int) -> None:
            def run(grads: Any) -> Any:
                self.grad_outputs = self._run_pre_hooks(_spread(grads, places, n))
                if not self.inputs_watched:
                    self._run_without_inputs()
                return tuple(self.grad_outputs[i] for i in places) if self.grad_outputs is not None else grads

            node.register_prehook(run)

        watched = _watch(result, attach)
        return result if watched is None else watched

    def _run_pre_hooks(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in self.pre_hooks:
            changed = hook(self.module, grads)
            if changed is None:
                continue
            changed = changed if isinstance(changed, tuple) else (changed,)
            if len(changed) != len(grads):
                raise RuntimeError(
                    f"Backward pre hook returned an invalid number of grad_output, got {len(changed)}, "
                    f"but expected {len(grads)}"
                )
            grads = changed
        return grads

    def _run_hooks(self, grads: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in self.hooks:
            changed = hook(self.module, grads, self.grad_outputs)
            if changed is None:
                continue
            changed = changed if isinstance(changed, tuple) else (changed,)
            if len(changed) != len(grads):
                raise RuntimeError(
                    f"Backward hook returned an invalid number of grad_input, got {len(changed)}, "
                    f"but expected {len(grads)}"
                )
            grads = changed
        return grads

    def _run_without_inputs(self) -> None:
        if self.hooks:
            warn(
                "Full backward hook is firing when gradients are computed with respect to module outputs since no "
                "inputs require gradients. See https://docs.pytorch.org/docs/main/generated/torch.nn.Module.html"
                "#torch.nn.Module.register_full_backward_hook for more details.",
            )
        nothing = (None,) * self.n_inputs
        for hook in self.hooks:
            changed = hook(self.module, nothing, self.grad_outputs)
            if changed is not None and not (isinstance(changed, tuple) and all(g is None for g in changed)):
                raise RuntimeError(
                    "Backward hook for Modules where no input requires gradient should always return None or None for "
                    "all gradients."
                )
