"""L-BFGS: Newton's method with the curvature remembered from the last few steps."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..autograd.modes import enable_grad
from ..autograd.tensor import Tensor, wrap
from .optimizer import Optimizer
from .rule import Array, check_lr, real_view

__all__ = ["LBFGS"]


class LBFGS(Optimizer):
    """Minimises what `step`'s closure computes, by up to `max_iter` quasi-Newton iterations a step.

    All parameters form one group and one vector. `line_search_fn` is None (steps of length `lr`) or "strong_wolfe".
    Nocedal and Wright, Numerical Optimization, algorithms 7.4 and 3.5.

    >>> import rushlight as torch
    >>> w = torch.nn.Parameter(torch.zeros(2))
    >>> optimizer = torch.optim.LBFGS([w], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     optimizer.zero_grad()
    ...     loss = ((w - 3) ** 2).sum()
    ...     loss.backward()
    ...     return loss
    >>> _ = optimizer.step(closure)
    >>> w.detach()
    tensor([3., 3.])

    https://docs.pytorch.org/docs/stable/generated/torch.optim.LBFGS.html
    """

    def __init__(
        self,
        params: Any,
        lr: Any = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        check_lr(lr)
        defaults = {
            "lr": lr, "max_iter": max_iter, "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change, "history_size": history_size,
            "line_search_fn": line_search_fn,
        }  # fmt: skip
        super().__init__(params, defaults)
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    # ---- the parameters as one vector ------------------------------------------------------------------------------

    def __getstate__(self) -> dict[str, Any]:
        """As of any optimizer, with what PyTorch's class keeps besides."""
        return {**super().__getstate__(), "_params": self._params(), "_numel_cache": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__({name: value for name, value in state.items() if name not in ("_params", "_numel_cache")})

    def _params(self) -> list[Any]:
        params: list[Any] = self.param_groups[0]["params"]
        return params

    def _gradient(self) -> Array:
        parts = []
        for p in self._params():
            a = np.zeros_like(p._array) if p._grad is None else p._grad._array
            parts.append(real_view(a).reshape(-1))
        return np.concatenate(parts)

    def _move(self, start: list[Array], length: float, direction: Array) -> None:
        """Put the parameters at `start + length * direction`."""
        offset = 0
        for p, origin in zip(self._params(), start, strict=True):
            a = real_view(p._array)
            step = direction[offset : offset + a.size].reshape(a.shape)
            a[...] = origin + a.dtype.type(length) * step
            p._counter[0] += 1
            offset += a.size

    def step(self, closure: Callable[[], Any]) -> Any:  # type: ignore[override]
        """Iterate; `closure` clears the gradients, computes the loss and calls `backward`. Returns the first loss."""
        group = self.param_groups[0]
        lr = float(group["lr"]) if isinstance(group["lr"], Tensor) else group["lr"]

        def look() -> tuple[Any, float, Array]:
            with enable_grad():
                loss = closure()
            return loss, float(loss.detach() if isinstance(loss, Tensor) else loss), self._gradient()

        memory = self.state[self._params()[0]]
        memory.setdefault("func_evals", 0)
        memory.setdefault("n_iter", 0)
        first_loss, f, g = look()
        evaluations = 1
        memory["func_evals"] += 1
        if _largest(g) <= group["tolerance_grad"]:
            return first_loss
        history = _History.load(memory, group["history_size"])
        direction, length = _array(memory.get("d")), memory.get("t")
        previous_g, previous_f = _array(memory.get("prev_flat_grad")), memory.get("prev_loss")
        with np.errstate(all="ignore"):
            for iteration in range(1, group["max_iter"] + 1):
                memory["n_iter"] += 1
                if memory["n_iter"] == 1:
                    direction = -g
                    length = min(1.0, 1.0 / float(abs(g).sum())) * lr
                else:
                    history.add(direction * direction.dtype.type(float(length)), g - previous_g)
                    direction = history.direction(g)
                    length = lr
                previous_g, previous_f = g.copy(), f
                slope = _dot(g, direction)
                if slope > -group["tolerance_change"]:
                    break
                looks = 0
                start = [np.array(real_view(p._array)) for p in self._params()]
                if group["line_search_fn"] is not None:
                    if group["line_search_fn"] != "strong_wolfe":
                        raise RuntimeError("only 'strong_wolfe' is supported")

                    def probe(t: float, start: Any = start, direction: Any = direction) -> _Point:
                        self._move(start, t, direction)
                        _, value, gradient = look()
                        return _Point(t, value, gradient, _dot(gradient, direction))

                    point, looks = _strong_wolfe(probe, length, _Point(0, f, g, slope), _largest(direction))
                    length, f, g = point.t, point.f, point.g
                    self._move(start, length, direction)
                else:
                    self._move(start, length, direction)
                    if iteration != group["max_iter"]:
                        _, f, g = look()
                        looks = 1
                evaluations += looks
                memory["func_evals"] += looks
                if (
                    iteration == group["max_iter"]
                    or evaluations >= group["max_eval"]
                    or _largest(g) <= group["tolerance_grad"]
                    or _largest(direction * direction.dtype.type(length)) <= group["tolerance_change"]
                    or abs(f - previous_f) < group["tolerance_change"]
                ):
                    break
        if history.weights is not None:
            memory["al"] = [w if w is None or isinstance(w, Tensor) else wrap(np.asarray(w)) for w in history.weights]
        memory.update(d=wrap(direction), t=length)
        history.save(memory)
        memory.update(prev_flat_grad=wrap(previous_g), prev_loss=previous_f)
        return first_loss


class _History:
    """The last steps and the changes of gradient along them, from which the inverse Hessian is modelled."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.changes: list[Array] = []
        self.steps: list[Array] = []
        self.inverse_products: list[Any] = []
        self.scale: Any = 1
        self.weights: list[Any] | None = None

    @classmethod
    def load(cls, memory: dict[str, Any], size: int) -> _History:
        self = cls(size)
        self.changes = [_array(x) for x in memory.get("old_dirs") or []]
        self.steps = [_array(x) for x in memory.get("old_stps") or []]
        self.inverse_products = [_array(x)[()] for x in memory.get("ro") or []]
        scale = memory.get("H_diag", 1)
        self.scale = _array(scale)[()] if isinstance(scale, Tensor) else scale
        self.weights = memory.get("al")
        return self

    def save(self, memory: dict[str, Any]) -> None:
        memory["old_dirs"] = [wrap(a) for a in self.changes]
        memory["old_stps"] = [wrap(a) for a in self.steps]
        memory["ro"] = [wrap(np.asarray(product)) for product in self.inverse_products]
        memory["H_diag"] = self.scale if isinstance(self.scale, int) else wrap(np.asarray(self.scale))

    def add(self, step: Array, change: Array) -> None:
        product = change @ step
        if product <= 1e-10:  # not convex along this step: nothing to learn from it
            return
        if len(self.changes) == self.size:
            for kept in (self.changes, self.steps, self.inverse_products):
                kept.pop(0)
        self.changes.append(change)
        self.steps.append(step)
        self.inverse_products.append(1.0 / product)
        self.scale = product / (change @ change)

    def direction(self, g: Array) -> Array:
        """The two-loop recursion: -H g."""
        entries = list(zip(self.changes, self.steps, self.inverse_products, strict=True))
        self.weights = [None] * self.size
        out = -g
        for i in reversed(range(len(entries))):
            change, step, inverse = entries[i]
            weight = self.weights[i] = (step @ out) * inverse
            out = out - weight * change
        out = out * self.scale
        for (change, step, inverse), weight in zip(entries, self.weights, strict=False):
            out = out + step * (weight - (change @ out) * inverse)
        return out


class _Point(NamedTuple):
    """A place on the line: its distance, the loss, the gradient, and the loss's slope along the line."""

    t: Any
    f: float
    g: Array
    slope: float


def _strong_wolfe(probe: Callable[[Any], _Point], t: Any, start: _Point, extent: float) -> tuple[_Point, int]:
    """A point that lowers the loss enough (c1 = 1e-4) and flattens its slope enough (c2 = 0.9), and how many were seen.

    First the step grows until two points enclose such a point; then they close in on it.
    """
    most, looks, rounds = 25, 1, 0

    def too_high(point: _Point) -> bool:
        return bool(point.f > start.f + 1e-4 * point.t * start.slope)

    def flat(point: _Point) -> bool:
        return abs(point.slope) <= -0.9 * start.slope

    previous, point = start, probe(t)
    while rounds < most:
        if too_high(point) or (rounds > 1 and point.f >= previous.f):
            break
        if flat(point):
            return point, looks
        if point.slope >= 0:
            break
        bounds = (point.t + 0.01 * (point.t - previous.t), point.t * 10)
        previous, point = point, probe(_cubic_minimum(previous, point, bounds))
        looks, rounds = looks + 1, rounds + 1
    else:
        previous = start
    ends, stalled = [previous, point], False
    low = 0 if ends[0].f <= ends[1].f else 1
    while rounds < most and abs(ends[1].t - ends[0].t) * extent >= 1e-9:
        left, right = sorted((ends[0].t, ends[1].t))
        t = _cubic_minimum(ends[0], ends[1], (left, right))
        margin = 0.1 * (right - left)
        if min(right - t, t - left) < margin:
            # Too near an end: bear with it once, then keep away.
            if stalled or t >= right or t <= left:
                t = right - margin if abs(t - right) < abs(t - left) else left + margin
                stalled = False
            else:
                stalled = True
        else:
            stalled = False
        point = probe(t)
        looks, rounds = looks + 1, rounds + 1
        if too_high(point) or point.f >= ends[low].f:
            ends[1 - low] = point
            low = 0 if ends[0].f <= ends[1].f else 1
            continue
        done = flat(point)
        if not done and point.slope * (ends[1 - low].t - ends[low].t) >= 0:
            ends[1 - low] = ends[low]
        ends[low] = point
        if done:
            break
    return ends[low], looks


def _cubic_minimum(a: _Point, b: _Point, bounds: tuple[Any, Any]) -> Any:
    """The minimum of the cubic through two points and their slopes, within bounds (their middle if it has none)."""
    if a.t > b.t:
        a, b = b, a
    if a.t == b.t:
        return (bounds[0] + bounds[1]) / 2.0
    bend = a.slope + b.slope - 3 * (a.f - b.f) / (a.t - b.t)
    square = bend**2 - a.slope * b.slope
    if not square >= 0:
        return (bounds[0] + bounds[1]) / 2.0
    root = math.sqrt(square)
    span = b.slope - a.slope + 2 * root
    if span == 0:
        return (bounds[0] + bounds[1]) / 2.0
    return min(max(b.t - (b.t - a.t) * ((b.slope + root - bend) / span), bounds[0]), bounds[1])


def _largest(a: Array) -> float:
    return float(abs(a).max()) if a.size else 0.0


def _dot(a: Array, b: Array) -> float:
    return float(a @ b)


def _array(x: Any) -> Any:
    return x._array if isinstance(x, Tensor) else x
