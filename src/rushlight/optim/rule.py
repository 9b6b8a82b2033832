"""`Rule`: an optimizer whose step is one formula a parameter, read on arrays or, to be differentiated, on Tensors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..autograd.modes import set_grad_enabled
from ..autograd.tensor import Tensor, wrap
from .optimizer import Optimizer, evaluate

Array = Any  # numpy.ndarray
Value = Any  # an array or a Tensor


class Rule(Optimizer):
    """An optimizer that updates every parameter by itself.

    A subclass gives `begin`, the state of a new parameter, and `update`, the formula. `update` returns the new
    parameter and puts the new state into the dict it gets; it changes no array in place.
    """

    coupled_decay = True  # add weight_decay * p to the gradient, unless the group says decoupled_weight_decay

    captured = "params and state_steps"  # what would have to be on an accelerator for capturable=True

    def begin(self, p: Any, group: dict[str, Any]) -> dict[str, Any]:
        """The state of a parameter that has not been updated yet."""
        raise NotImplementedError

    def update(self, p: Value, g: Value, state: dict[str, Any], group: dict[str, Any], step: float) -> Value:
        """The new value of `p`, given its gradient, its state and the number of this step."""
        raise NotImplementedError

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Update every parameter that has a gradient; returns the closure's loss."""
        loss = evaluate(closure)
        for group in self.param_groups:
            if group.get("capturable") and any(p._grad is not None for p in group["params"]):
                raise AssertionError(
                    f"If capturable=True, {self.captured} must be on supported devices: "
                    "['cuda', 'xpu', 'hpu', 'privateuseone', 'xla']."
                )
            if group.get("differentiable"):
                with set_grad_enabled(True):
                    self._step_tensors(group)
            else:
                try:
                    with np.errstate(all="ignore"):
                        self._step_arrays(with_numbers(group))
                except ValueError:
                    self._check_shapes(group)
                    raise
        return loss

    def _check_shapes(self, group: dict[str, Any]) -> None:
        """RuntimeError where a state, perhaps another model's, has another shape than its parameter."""
        for p, _, state in self._pairs(group):
            for name, value in state.items():
                if name != "step" and isinstance(value, Tensor) and value.shape != p.shape:
                    raise RuntimeError(
                        f"output with shape {list(value.shape)} doesn't match the broadcast shape {list(p.shape)}\n"
                        f"The state {name!r} has another shape than its parameter."
                    )

    def _step_arrays(self, group: dict[str, Any]) -> None:
        for p, g, state in self._pairs(group):
            kept = {name: value for name, value in state.items() if name != "step"}
            views = {name: _at_least_1d(real_view(value._array)) for name, value in kept.items()}
            values = dict(views)
            a = _at_least_1d(real_view(p._array))
            new = self._apply(a, _at_least_1d(real_view(g._array)), values, group, count(state))
            for name, view in views.items():
                view[...] = values[name]
            a[...] = new
            p._counter[0] += 1

    def _step_tensors(self, group: dict[str, Any]) -> None:
        for p, g, state in self._pairs(group):
            values = {name: value for name, value in state.items() if name != "step"}
            new = self._apply(p, g, values, group, count(state))
            for name, value in values.items():
                state[name] = value if isinstance(value, Tensor) else wrap(np.array(value, state[name]._array.dtype))
            p.copy_(new)

    def _apply(self, p: Value, g: Value, state: dict[str, Any], group: dict[str, Any], step: float) -> Value:
        if group.get("maximize"):
            g = -g
        decay = group.get("weight_decay", 0)
        if self.coupled_decay and (isinstance(decay, Tensor) or decay != 0):
            if group.get("decoupled_weight_decay"):
                p = p * (1 - group["lr"] * decay)
            else:
                g = g + decay * p
        return self.update(p, g, state, group, step)

    def _pairs(self, group: dict[str, Any]) -> Iterator[tuple[Any, Any, dict[str, Any]]]:
        """The parameters that have gradients, with these and their state."""
        for p in group["params"]:
            g = p._grad
            if g is not None:
                state = self.state[p]
                if not state:
                    state.update(self.begin(p, group))
                yield p, g, state


def count(state: dict[str, Any]) -> float:
    """Count one step more, where steps are counted."""
    counter = state.get("step")
    if counter is None:
        return 0.0
    a = counter._array
    step = float(a) + 1.0
    a[...] = step
    return step


def real_view(a: Array) -> Array:
    """A complex array as its real and imaginary parts, in one more dimension; others as they are."""
    if a.dtype.kind != "c":
        return a
    return np.lib.stride_tricks.as_strided(a.real, (*a.shape, 2), (*a.strides, a.itemsize // 2))


def _at_least_1d(a: Array) -> Array:
    """Arithmetic on 0-d arrays would give NumPy scalars."""
    return a if a.ndim else a.reshape(1)


def with_numbers(group: dict[str, Any]) -> dict[str, Any]:
    """The group with numbers in place of settings that are tensors."""
    for name in ("lr", "betas", "weight_decay"):
        value = group.get(name)
        if isinstance(value, Tensor):
            group = {**group, name: float(value)}
        elif isinstance(value, tuple) and any(isinstance(item, Tensor) for item in value):
            group = {**group, name: tuple(map(float, value))}
    return group


def zeros_like(p: Any) -> Any:
    """Zeros in the shape, dtype and layout of `p`."""
    return wrap(np.zeros_like(p._array))


def lerp(a: Value, b: Value, weight: Any) -> Value:
    """From `a` towards `b`, reckoned from the nearer end so that both ends are met exactly."""
    return a + weight * (b - a) if float(weight) < 0.5 else b - (b - a) * (1 - weight)


# ---- what settings must satisfy -----------------------------------------------------------------------------------


def check_lr(lr: Any) -> None:
    """ValueError unless `lr` is a number, or a tensor of one, that is not negative."""
    if isinstance(lr, Tensor) and lr.numel() != 1:
        raise ValueError("Tensor lr must be 1-element")
    if not lr >= 0.0:
        raise ValueError(f"Invalid learning rate: {lr}")


def check_not_negative(**settings: Any) -> None:
    """ValueError for a setting that is negative, by its name."""
    for name, value in settings.items():
        if not value >= 0.0:
            raise ValueError(f"Invalid {name} value: {value}")


def check_betas(betas: Any) -> None:
    """ValueError unless both are in [0, 1)."""
    for index, beta in enumerate(betas[:2]):
        if not 0.0 <= beta < 1.0:
            raise ValueError(f"Invalid beta parameter at index {index}: {beta}")


def check_fused(fused: bool | None, foreach: bool | None, differentiable: bool) -> None:
    """RuntimeError for flags that exclude one another."""
    if fused:
        if differentiable:
            raise RuntimeError("`fused` does not support `differentiable`")
        if foreach:
            raise RuntimeError("`fused` and `foreach` cannot be `True` together.")
