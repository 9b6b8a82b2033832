"""Gradients never share memory with anything else that is alive, and the graph frees itself."""

from __future__ import annotations

import gc
import sys
import threading
import weakref
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import rushlight as torch
from rushlight.autograd import engine

OPS: dict[str, Any] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "neg of a sum": lambda x, y: -(x + y),
    "view": lambda x, y: x.view(-1) + y.view(-1),
    "transpose": lambda x, y: x.transpose(0, -1) + y.transpose(0, -1),
    "cat": lambda x, y: torch.cat([x, y]),
    "stack": lambda x, y: torch.stack([x, y]),
    "where": lambda x, y: torch.where(x > 0, x, y),
    "maximum": lambda x, y: torch.maximum(x, y),
    "clone": lambda x, y: x.clone() + y.detach() + y,
    "same twice": lambda x, y: x + x + y + y,
    "lerp": lambda x, y: torch.lerp(x, y, 0.5),
    "unbind": lambda x, y: x.unbind(0)[0] + y.unbind(0)[0],
    "in place": lambda x, y: x.clone().add_(y),
    "slice write": lambda x, y: _written(x, y),
    "expand": lambda x, y: x.expand(2, *x.shape) + y,
    "relu": lambda x, y: torch.relu(x) + torch.relu(y),
    "matmul": lambda x, y: x.reshape(1, -1) @ y.reshape(-1, 1),
    "layer norm": lambda x, y: torch.nn.functional.layer_norm(x, x.shape[-1:]) + y,
    "function": lambda x, y: _Pass.apply(x, y),
}


def _written(x: Any, y: Any) -> Any:
    z = x.clone()
    z[0] = y[0]
    return z


class _Pass(torch.autograd.Function):
    """Returns the very gradient it was given, twice."""

    @staticmethod
    def forward(ctx: Any, x: Any, y: Any) -> Any:
        return x + y

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        ctx.seen = g
        return g, g


def assert_alone(arrays: dict[str, Any]) -> None:
    """No two of the arrays overlap."""
    named = list(arrays.items())
    for i, (name, a) in enumerate(named):
        for other, b in named[i + 1 :]:
            assert not np.shares_memory(a, b), f"{name} shares memory with {other}"


def differentiate(op: Any, shape: tuple[int, ...], create_graph: bool = False) -> dict[str, Any]:
    """Backward through `op`, and everything that must have memory of its own."""
    x = torch.linspace(-1, 2, int(np.prod(shape))).reshape(shape).clone().requires_grad_(True)
    y = torch.linspace(0.5, 3, int(np.prod(shape))).reshape(shape).clone().requires_grad_(True)
    z = op(x, y)
    z.retain_grad()
    seen: list[Any] = []
    z.register_hook(seen.append)
    v = torch.ones_like(z)
    z.backward(v, retain_graph=True, create_graph=create_graph)
    found = {"x": x._array, "y": y._array, "x.grad": x.grad._array, "y.grad": y.grad._array, "v": v._array}
    found["z.grad"] = z.grad._array
    context = getattr(z.grad_fn, "seen", None)
    if context is not None:
        found["ctx.seen"] = context._array
        del found["v"], found["z.grad"]  # a hook's or context's tensor is the gradient on its way itself, as in PyTorch
    return found


@pytest.mark.parametrize("shape", [(1,), (3,), (2, 3), (0, 2), (2, 1, 2)])
@pytest.mark.parametrize("name", OPS)
def test_gradients_have_memory_of_their_own(name: str, shape: tuple[int, ...]) -> None:
    if 0 in shape and name in ("unbind", "slice write"):
        pytest.skip("has no first row")
    assert_alone(differentiate(OPS[name], shape))


@pytest.mark.filterwarnings("ignore:Using backward")
@pytest.mark.parametrize("name", OPS)
def test_gradients_of_create_graph_have_memory_of_their_own(name: str) -> None:
    assert_alone(differentiate(OPS[name], (2, 3), create_graph=True))


@pytest.mark.parametrize("name", ["add", "mul", "cat", "view", "function"])
def test_gradients_have_memory_of_their_own_under_a_tracer(name: str) -> None:
    kept: list[Any] = []

    def trace(frame: Any, event: str, argument: Any) -> Any:
        """Keep the engine's variables, as a debugger may."""
        if frame.f_code.co_filename == engine.__file__:
            kept.extend(v for v in frame.f_locals.values() if isinstance(v, np.ndarray))
            return trace
        return None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        found = differentiate(OPS[name], (2, 3))
    finally:
        sys.settrace(before)
    assert_alone(found)
    gradients = [found["x.grad"], found["y.grad"]]
    incoming = [a for a in kept if all(a is not g for g in gradients)]
    assert incoming  # it did see the arrays on their way
    assert not any(np.shares_memory(a, g) for a in incoming for g in gradients)


def test_measuring_references_is_not_fooled_by_a_tracer() -> None:
    measured = engine._sole_references

    def trace(frame: Any, event: str, argument: Any) -> Any:
        frame.f_locals  # noqa: B018  (makes Python keep the variables)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        engine._calibrate()
    finally:
        sys.settrace(before)
    watched = engine._sole_references
    engine._calibrate()
    assert watched == 0  # every array is copied
    assert engine._sole_references == measured <= 4


def test_an_array_that_nobody_else_sees_is_not_copied() -> None:
    x = torch.ones(1000, requires_grad=True)
    made: list[Any] = []

    class Make(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            out = g * 2
            made.append(out._array.ctypes.data)
            return out

    Make.apply(x).sum().backward()
    assert x.grad is not None
    assert len(made) == 1
    y = torch.ones(1000, requires_grad=True)
    (y * 3.0).sum().backward()
    assert y.grad._array.base is None


def test_a_saved_array_is_never_taken() -> None:
    kept = torch.full((3,), 2.0)

    class Saved(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(kept)
            return x * 2

        @staticmethod
        def backward(ctx: Any, g: Any) -> Any:
            return ctx.saved_tensors[0]

    x = torch.ones(3, requires_grad=True)
    Saved.apply(x).sum().backward()
    x.grad.add_(1)
    assert kept.tolist() == [2, 2, 2]


def test_accumulation_is_in_place_and_the_cotangent_stays_the_callers() -> None:
    x, v = torch.ones(3, requires_grad=True), torch.ones(3)
    x.backward(v)
    first = x.grad
    x.backward(v)
    assert x.grad is first
    assert first.tolist() == [2, 2, 2]
    assert v.tolist() == [1, 1, 1]


# ---- the graph's own memory -------------------------------------------------------------------------------------------


class Owner(np.ndarray):
    """An array that can be watched."""


def watched() -> tuple[Any, Any]:
    a = np.ones(3, np.float32).view(Owner)
    x = torch.ones(3, requires_grad=True) * 1
    x._array = a
    return x, weakref.ref(a)


@pytest.fixture
def no_collector() -> Iterator[None]:
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.parametrize(
    "use",
    [
        lambda x: (x * x).exp().sum(),
        lambda x: torch.cat([x, x]).tanh(),
        lambda x: x.sigmoid()[1:],
        lambda x: torch.stack([x, x]).max(0).values,
        lambda x: x.exp().mul_(2),
        lambda x: (x * x).unbind()[0],
    ],
)
def test_the_graph_frees_itself_without_a_collector(use: Any, no_collector: None) -> None:
    x, alive = watched()
    y = use(x)
    del x
    del y
    assert alive() is None


def test_backward_frees_what_the_graph_saved(no_collector: None) -> None:
    x, alive = watched()
    y = (x * x).sum()
    del x
    assert alive() is not None
    y.backward()
    assert alive() is None


def test_a_failed_backward_frees_its_gradients_and_can_be_repeated(no_collector: None) -> None:
    x = torch.ones(3, requires_grad=True)
    y = x * 2
    handle = y.register_hook(lambda g: 1 / 0)
    z = (y * y).sum()
    with pytest.raises(ZeroDivisionError):
        z.backward(retain_graph=True)
    handle.remove()
    assert torch.is_grad_enabled()
    z.backward()
    assert x.grad.tolist() == [8, 8, 8]


def test_a_chain_of_200000_operators() -> None:
    x = torch.ones(1, requires_grad=True)
    y = x
    for _ in range(200_000):
        y = y * 1.0
    y.backward()
    assert x.grad.item() == 1
    z = x
    for _ in range(200_000):
        z = z + 1.0
    del z  # a graph that nothing ran through


def test_threads_run_backward_at_once() -> None:
    shared = torch.ones(100, requires_grad=True)
    errors: list[BaseException] = []

    def work(factor: float) -> None:
        try:
            for _ in range(50):
                own = torch.ones(100, requires_grad=True)
                y = (shared * own * factor).sum()
                with torch.no_grad():
                    assert not (shared * 2).requires_grad
                y.backward()
                assert own.grad.tolist() == [factor] * 100
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=(factor,)) for factor in (1.0, 2.0, 3.0, 4.0)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert shared.grad.tolist() == [500] * 100
