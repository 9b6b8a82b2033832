"""Optimizers against PyTorch, in lock-step along the same gradients, and what they promise besides numbers."""

from __future__ import annotations

import copy
import pickle
import warnings
from typing import Any

import numpy as np
import pytest

import rushlight
from rushlight import optim
from rushlight.nn.parameter import Parameter

SHAPES = [(3, 4), (5, 2), (4,), ()]
CONFIGS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {}), ("SGD", {"lr": 0.1, "momentum": 0.9}), ("SGD", {"momentum": 0.9, "dampening": 0.5, "maximize": True}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}), ("SGD", {"lr": 0.1, "fused": True}),
    ("Adam", {}), ("Adam", {"lr": 0.01, "weight_decay": 0.1, "amsgrad": True, "betas": (0.4, 0.6)}),
    ("Adam", {"maximize": True, "foreach": True}), ("Adam", {"decoupled_weight_decay": True, "weight_decay": 0.1}),
    ("AdamW", {"lr": 0.05}), ("AdamW", {"amsgrad": True, "fused": True}),
    ("RMSprop", {}), ("RMSprop", {"centered": True, "momentum": 0.5, "weight_decay": 0.1, "maximize": True}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.5, "weight_decay": 0.1}), ("Adagrad", {"initial_accumulator_value": 0.3}),
    ("Adadelta", {}), ("Adadelta", {"rho": 0.5, "weight_decay": 0.9, "maximize": True}),
    ("Adamax", {}), ("Adamax", {"lr": 0.1, "weight_decay": 0.1, "maximize": True}),
    ("NAdam", {}), ("NAdam", {"weight_decay": 0.1, "momentum_decay": 0.01, "decoupled_weight_decay": True}),
    ("RAdam", {}), ("RAdam", {"weight_decay": 0.1, "betas": (0.9, 0.99), "decoupled_weight_decay": True}),
    ("ASGD", {}), ("ASGD", {"t0": 3, "lr": 0.05, "lambd": 0.1, "weight_decay": 0.1, "maximize": True}),
    ("Rprop", {}), ("Rprop", {"etas": (0.4, 1.5), "step_sizes": (1e-3, 0.02), "maximize": True}),
    ("Adafactor", {}), ("Adafactor", {"lr": 0.1, "weight_decay": 0.1, "d": 1.5, "beta2_decay": -1.0, "maximize": True}),
    ("Muon", {}), ("Muon", {"lr": 0.1, "nesterov": False, "adjust_lr_fn": "match_rms_adamw", "ns_steps": 3}),
]  # fmt: skip
NAMES = sorted({name for name, _ in CONFIGS})


def shapes_of(name: str) -> list[tuple[int, ...]]:
    return SHAPES[:2] if name == "Muon" else SHAPES


def draw(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> np.ndarray:
    a = rng.standard_normal(shape)
    return np.asarray(a + 1j * rng.standard_normal(shape) if dtype.startswith("complex") else a).astype(dtype)


class Twins:
    """The same parameters in PyTorch and here."""

    def __init__(self, name: str, config: dict[str, Any], dtype: str = "float32", groups: bool = False) -> None:
        self.torch = pytest.importorskip("torch")
        self.rng = np.random.default_rng(7)
        self.dtype = dtype
        starts = [draw(self.rng, shape, dtype) for shape in shapes_of(name)]
        self.theirs = [self.torch.nn.Parameter(self.torch.from_numpy(a.copy())) for a in starts]
        self.ours = [Parameter(rushlight.from_numpy(a.copy())) for a in starts]
        self.name, self.config, self.groups = name, config, groups
        self.their_optimizer = self._make(self.torch.optim, self.theirs)
        self.our_optimizer = self._make(optim, self.ours)

    def _make(self, package: Any, params: list[Any]) -> Any:
        arguments: Any = params
        if self.groups:
            arguments = [{"params": params[:1]}, {"params": params[1:], "lr": 0.02}]
        return getattr(package, self.name)(arguments, **self.config)

    def step(self) -> None:
        for theirs, ours in zip(self.theirs, self.ours, strict=True):
            g = draw(self.rng, tuple(theirs.shape), self.dtype)
            theirs.grad, ours.grad = self.torch.from_numpy(g.copy()), rushlight.from_numpy(g.copy())
        self.their_optimizer.step()
        self.our_optimizer.step()

    def compare(self, rtol: float = 1e-5, atol: float = 1e-6) -> None:
        for theirs, ours in zip(self.theirs, self.ours, strict=True):
            np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol, atol)
        compare_states(self.our_optimizer.state_dict(), self.their_optimizer.state_dict(), rtol, atol)


def compare_states(ours: Any, theirs: Any, rtol: float, atol: float) -> None:
    if isinstance(theirs, dict):
        assert list(ours) == list(theirs)
        for key in theirs:
            compare_states(ours[key], theirs[key], rtol, atol)
    elif isinstance(theirs, list | tuple):
        assert type(ours) is type(theirs)
        assert len(ours) == len(theirs)
        for a, b in zip(ours, theirs, strict=True):
            compare_states(a, b, rtol, atol)
    elif hasattr(theirs, "dtype"):
        assert str(ours.dtype) == str(theirs.dtype)
        assert tuple(ours.shape) == tuple(theirs.shape)
        np.testing.assert_allclose(ours.detach().numpy(), theirs.detach().numpy(), rtol, atol)
    elif isinstance(theirs, float):
        assert ours == pytest.approx(theirs, rel=1e-6)
    else:
        assert ours == theirs


@pytest.mark.parametrize(("name", "config"), CONFIGS, ids=str)
def test_lock_step(name: str, config: dict[str, Any]) -> None:
    twins = Twins(name, config)
    for _ in range(8):
        twins.step()
    # Muon computes in bfloat16, whose matrix products may round either way.
    twins.compare(*((0.05, 2e-3) if name == "Muon" else (2e-5, 2e-6)))
    assert repr(twins.our_optimizer) == repr(twins.their_optimizer)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("Muon", "Adafactor")])
def test_double_and_complex(name: str) -> None:
    for dtype in ("float64", "complex64", "complex128"):
        twins = Twins(name, {"weight_decay": 0.1} if name != "Rprop" else {}, dtype)
        for _ in range(4):
            twins.step()
        twins.compare(1e-4, 1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_groups_and_checkpoints(name: str) -> None:
    twins = Twins(name, {}, groups=True)
    for _ in range(2):
        twins.step()
    ours, theirs = copy.deepcopy(twins.our_optimizer.state_dict()), copy.deepcopy(twins.their_optimizer.state_dict())
    twins.our_optimizer = twins._make(optim, twins.ours)
    twins.their_optimizer = twins._make(twins.torch.optim, twins.theirs)
    twins.our_optimizer.load_state_dict(ours)
    twins.their_optimizer.load_state_dict(theirs)
    for _ in range(2):
        twins.step()
    twins.compare(*((0.05, 2e-3) if name == "Muon" else (2e-5, 2e-6)))


@pytest.mark.parametrize("config", [{}, {"line_search_fn": "strong_wolfe"}, {"history_size": 2, "lr": 0.5}], ids=str)
def test_lbfgs(config: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(1)
    scale = rng.uniform(0.5, 3, (3, 4))
    results = []
    for package, start in ((torch, torch.from_numpy), (rushlight, rushlight.from_numpy)):
        x = start(np.full((3, 4), 2.0)).requires_grad_()
        weight = start(scale.copy())
        optimizer = package.optim.LBFGS([x], max_iter=6, **config)

        def closure(x: Any = x, weight: Any = weight, optimizer: Any = optimizer) -> Any:
            optimizer.zero_grad()
            loss = (weight * (x * x - 1) * (x * x - 1)).sum() + (x * weight).sum()
            loss.backward()
            return loss

        losses = [optimizer.step(closure).item() for _ in range(4)]
        results.append((losses, x.detach().numpy(), optimizer.state_dict()))
    np.testing.assert_allclose(results[1][0], results[0][0], 1e-6)
    np.testing.assert_allclose(results[1][1], results[0][1], 1e-5, 1e-6)
    theirs, ours = results[0][2]["state"][0], results[1][2]["state"][0]
    assert list(ours) == list(theirs)
    assert (ours["func_evals"], ours["n_iter"]) == (theirs["func_evals"], theirs["n_iter"])


ERRORS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {"lr": -1}), ("SGD", {"momentum": -1}), ("SGD", {"weight_decay": -1}), ("SGD", {"nesterov": True}),
    ("SGD", {"foreach": True, "fused": True}), ("SGD", {"differentiable": True, "fused": True}),
    ("Adam", {"lr": -1}), ("Adam", {"eps": -1}), ("Adam", {"betas": (0, 1)}), ("Adam", {"betas": (2, 1)}),
    ("Adam", {"weight_decay": -1}), ("AdamW", {"fused": True, "foreach": True}), ("RMSprop", {"alpha": -1}),
    ("RMSprop", {"momentum": -1}), ("Adagrad", {"lr_decay": -1}), ("Adagrad", {"initial_accumulator_value": -1}),

    ("Adagrad", {"eps": -1}), ("Adadelta", {"rho": 2}), ("Adamax", {"betas": (0.2, 1)}),
    ("NAdam", {"momentum_decay": -1}),
    ("RAdam", {"eps": -1}), ("ASGD", {"weight_decay": -1}), ("Rprop", {"etas": (2, 3)}), ("Adafactor", {"d": 0.5}),
    ("Adafactor", {"eps": (None, -1)}), ("Adafactor", {"eps": (-1, 1)}), ("Adafactor", {"beta2_decay": 1}),
    ("Adafactor", {"lr": -1}), ("Muon", {"lr": -1}), ("Muon", {"adjust_lr_fn": "q"}), ("Muon", {"momentum": -1}),
    ("SparseAdam", {"betas": (0.1, 1)}), ("SparseAdam", {"eps": -1}), ("LBFGS", {"lr": -1}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "config"), ERRORS, ids=str)
def test_settings_that_are_refused(name: str, config: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    failures = []
    for package, parameter in ((torch, torch.nn.Parameter), (rushlight, Parameter)):
        with pytest.raises((ValueError, RuntimeError)) as caught:
            getattr(package.optim, name)([parameter(package.ones(2, 2))], **config)
        failures.append((caught.type, str(caught.value)))
    assert failures[0] == failures[1]


ARGUMENTS: dict[str, Any] = {
    "a tensor": lambda p, q: p, "nothing": lambda p, q: [],
    "no params": lambda p, q: [{}], "a number": lambda p, q: [3],
    "a set": lambda p, q: [{"params": {p}}], "no leaf": lambda p, q: [p * 2], "one named": lambda p, q: [("a", p), q],
    "twice": lambda p, q: [{"params": [p]}, {"params": [p]}], "a list": lambda p, q: [[p]],
    "a dict": lambda p, q: {"a": p},
    "some named": lambda p, q: [{"params": [("a", p)]}, {"params": [q]}],
    "later named": lambda p, q: [{"params": [p]}, {"params": [("a", q)]}],
}  # fmt: skip


@pytest.mark.parametrize("kind", ARGUMENTS)
def test_parameters_that_are_refused(kind: str) -> None:
    torch = pytest.importorskip("torch")
    failures = []
    for package, parameter in ((torch, torch.nn.Parameter), (rushlight, Parameter)):
        arguments = ARGUMENTS[kind](parameter(package.ones(2)), parameter(package.ones(2)))
        with pytest.raises((ValueError, TypeError, KeyError)) as caught:
            package.optim.SGD(arguments)
        failures.append((caught.type, str(caught.value)))
    assert failures[0] == failures[1]


def new(**config: Any) -> tuple[Any, Any]:
    p = Parameter(rushlight.ones(2))
    p.grad = rushlight.ones(2)
    return p, optim.SGD([p], **config)


def test_duplicates_warn() -> None:
    p, _ = new()
    with pytest.warns(UserWarning, match="a parameter group with duplicate parameters"):
        optim.SGD([p, p])


def test_names_are_kept() -> None:
    p, q = new()[0], new()[0]
    optimizer = optim.SGD([("first", p), ("second", q)])
    assert optimizer.state_dict()["param_groups"][0]["param_names"] == ["first", "second"]
    assert "param_names: ['first', 'second']" in repr(optimizer)


def test_zero_grad() -> None:
    p, optimizer = new()
    g = p.grad
    optimizer.zero_grad(set_to_none=False)
    assert p.grad is g
    assert g.tolist() == [0, 0]
    optimizer.zero_grad()
    assert p.grad is None


def test_a_step_is_seen_by_autograd() -> None:
    w = Parameter(rushlight.ones(2))
    y = (w * w).sum()
    w.grad = rushlight.ones(2)
    version = w._version[0] if isinstance(w._version, list) else w._version
    optim.SGD([w]).step()
    assert (w._version[0] if isinstance(w._version, list) else w._version) == version + 1
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        y.backward()


def test_closure_runs_with_gradients() -> None:
    p, optimizer = new(lr=0.5)

    def closure() -> Any:
        optimizer.zero_grad()
        loss = (p * p).sum()
        loss.backward()
        return loss

    with rushlight.no_grad():
        assert optimizer.step(closure).item() == 2
    assert p.tolist() == [0, 0]


def test_hooks() -> None:
    _, optimizer = new()
    seen: list[str] = []
    hooks = [
        optimizer.register_step_pre_hook(lambda o, args, kwargs: seen.append("pre")),
        optimizer.register_step_post_hook(lambda o, args, kwargs: seen.append("post")),
        optim.optimizer.register_optimizer_step_pre_hook(lambda o, args, kwargs: seen.append("every pre")),
        optim.optimizer.register_optimizer_step_post_hook(lambda o, args, kwargs: seen.append("every post")),
    ]
    optimizer.step()
    assert seen == ["every pre", "pre", "post", "every post"]
    for hook in hooks:
        hook.remove()
    optimizer.step()
    assert len(seen) == 4
    optimizer.register_state_dict_post_hook(lambda o, state: {**state, "more": 1})
    optimizer.register_load_state_dict_pre_hook(lambda o, state: seen.append(str(state["more"])))
    optimizer.register_load_state_dict_post_hook(lambda o: seen.append("loaded"))
    optimizer.load_state_dict(optimizer.state_dict())
    assert seen[4:] == ["1", "loaded"]
    optimizer.register_step_pre_hook(lambda o, args, kwargs: 3)
    with pytest.raises(RuntimeError, match=r"must return None or a tuple of \(new_args, new_kwargs\), but got 3"):
        optimizer.step()


def test_an_optimizer_of_ones_own() -> None:
    class Mine(optim.Optimizer):
        def __init__(self, params: Any, lr: Any = optim.optimizer.required) -> None:
            super().__init__(params, {"lr": lr})

        def step(self, closure: Any = None) -> None:  # type: ignore[override]
            for group in self.param_groups:
                for p in group["params"]:
                    p.data.add_(p.grad, alpha=-group["lr"])

    p, _ = new()
    with pytest.raises(
        ValueError, match="parameter group didn't specify a value of required optimization parameter lr"
    ):
        Mine([p])
    called: list[int] = []
    mine = Mine([p], lr=0.25)
    mine.register_step_post_hook(lambda *_: called.append(1))
    mine.step()
    assert p.tolist() == [0.75, 0.75]
    assert called == [1]
    with pytest.raises(NotImplementedError):
        optim.Optimizer([p], {}).step()


def test_loading_follows_the_parameters_dtype_and_checks_sizes() -> None:
    p, q = Parameter(rushlight.ones(2)), Parameter(rushlight.ones(2, dtype=rushlight.float64))
    first, second = optim.Adam([p]), optim.Adam([q], lr=3.0)
    p.grad = rushlight.ones(2)
    first.step()
    second.load_state_dict(first.state_dict())
    assert second.param_groups[0]["lr"] == 1e-3
    assert second.state[q]["exp_avg"].dtype is rushlight.float64
    assert second.state[q]["step"].dtype is rushlight.float32
    with pytest.raises(ValueError, match="loaded state dict has a different number of parameter groups"):
        second.load_state_dict({"state": {}, "param_groups": []})
    with pytest.raises(ValueError, match="a parameter group that doesn't match the size of optimizer's group"):
        second.load_state_dict({"state": {}, "param_groups": [{"params": [0, 1]}]})


def test_pickle_and_deepcopy() -> None:
    p = rushlight.ones(2).requires_grad_()
    p.grad = rushlight.ones(2)
    optimizer = optim.Adam([p])
    optimizer.step()
    for other in (copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
        assert repr(other) == repr(optimizer)
        (state,) = other.state.values()
        assert state["exp_avg"].tolist() == optimizer.state[p]["exp_avg"].tolist()
        other.step()


def test_a_tensor_for_a_learning_rate() -> None:
    p, _ = new()
    rate = rushlight.tensor(0.25)
    optim.SGD([p], lr=rate).step()
    assert p.tolist() == [0.75, 0.75]
    with pytest.raises(ValueError, match="Tensor lr must be 1-element"):
        optim.SGD([p], lr=rushlight.ones(2))
    with pytest.raises(ValueError, match="lr as a Tensor is not supported for capturable=False and foreach=True"):
        optim.Adam([p], lr=rate, foreach=True)
    with pytest.raises(ValueError, match="betas must be either both floats or both Tensors"):
        optim.Adam([p], betas=(rushlight.tensor(0.9), 0.99))


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("Muon", "Adafactor")])
def test_differentiable_steps(name: str) -> None:
    torch = pytest.importorskip("torch")
    results = []
    for package in (torch, rushlight):
        start = package.tensor([1.0, -2.0, 0.5], dtype=package.float64, requires_grad=True)
        x = start.clone()
        optimizer = getattr(package.optim, name)([x], lr=0.1, differentiable=True)
        scale = package.tensor([2.0, 0.3, 1.0], dtype=package.float64, requires_grad=True)
        # PyTorch's own Adamax and Rprop overwrite what their second step's gradient needs.
        for _ in range(1 if name in ("Adamax", "Rprop") else 3):
            x.grad = scale * start * start
            optimizer.step()
        x.sum().backward()
        results.append([t.numpy() for t in (x.detach(), start.grad, scale.grad)])
    for theirs, ours in zip(*results, strict=True):
        np.testing.assert_allclose(ours, theirs, 1e-5, 3e-6)  # PyTorch counts steps in float32


@pytest.mark.parametrize("name", ["Adam", "NAdam", "ASGD"])
def test_capturable_needs_an_accelerator(name: str) -> None:
    torch = pytest.importorskip("torch")
    failures = []
    for package, parameter in ((torch, torch.nn.Parameter), (rushlight, Parameter)):
        p = parameter(package.ones(2))
        p.grad = package.ones(2)
        with pytest.raises(AssertionError) as caught:
            getattr(package.optim, name)([p], capturable=True).step()
        failures.append(str(caught.value))
    assert failures[0] == failures[1]


def test_sparse_adam_says_what_it_lacks() -> None:
    p, _ = new()
    with pytest.raises(RuntimeError, match="SparseAdam does not support dense gradients, please consider Adam instead"):
        optim.SparseAdam([p]).step()


def test_steps_raise_no_warnings_on_inf_and_nan() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in NAMES:
            p = Parameter(rushlight.ones(2, 2))
            p.grad = rushlight.tensor([[float("inf"), float("nan")], [1e38, 0.0]])
            getattr(optim, name)([p]).step()
            assert np.isnan(p.detach().numpy()).any() or name == "Rprop"
