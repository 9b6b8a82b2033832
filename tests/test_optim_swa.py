"""Averages of weights against PyTorch's, and the schedule that goes with them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import rushlight
from rushlight import nn, optim
from rushlight.optim import swa_utils


def net(package: Any) -> Any:
    module = package.nn.Sequential(package.nn.Linear(3, 4), package.nn.BatchNorm1d(4), package.nn.Linear(4, 2))
    rng = np.random.default_rng(3)
    with package.no_grad():
        for p in module.parameters():
            p.copy_(package.from_numpy(rng.standard_normal(tuple(p.shape)).astype(np.float32)))
    return module


def change(package: Any, module: Any, rng: np.random.Generator) -> None:
    with package.no_grad():
        for p in [*module.parameters(), *module.buffers()]:
            if p.is_floating_point():
                p.add_(package.from_numpy(np.asarray(rng.random(tuple(p.shape)), np.float32)))
            else:
                p.add_(1)


RULES = {
    "equal": lambda u: {},
    "equal with buffers": lambda u: {"use_buffers": True},
    "exponential": lambda u: {"multi_avg_fn": u.get_ema_multi_avg_fn(0.9)},
    "exponential, one by one": lambda u: {"avg_fn": u.get_ema_avg_fn(0.8)},
    "equal, all at once": lambda u: {"multi_avg_fn": u.get_swa_multi_avg_fn()},
    "of one's own": lambda u: {"avg_fn": lambda average, p, n: average * 0.5 + p * 0.5 / (n + 1)},
}


@pytest.mark.parametrize("rule", RULES)
def test_averages(rule: str) -> None:
    torch = pytest.importorskip("torch")
    states = []
    for package in (torch, rushlight):
        utils = package.optim.swa_utils
        module, rng = net(package), np.random.default_rng(5)
        averaged = utils.AveragedModel(module, **RULES[rule](utils))
        for _ in range(4):
            change(package, module, rng)
            averaged.update_parameters(module)
        averaged.eval()
        with package.no_grad():
            out = averaged(package.ones(2, 3))
        states.append({**averaged.state_dict(), "out": out})
    assert list(states[1]) == list(states[0])
    for name, theirs in states[0].items():
        np.testing.assert_allclose(states[1][name].numpy(), theirs.numpy(), 1e-5, 1e-6, err_msg=name)


def test_update_bn() -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(2)
    batches = [rng.standard_normal((5, 3)).astype(np.float32) for _ in range(3)]
    found = []
    for package in (torch, rushlight):
        module = net(package)
        package.optim.swa_utils.update_bn([(package.from_numpy(a), None) for a in batches], module)
        assert module[1].momentum == 0.1
        found.append([module[1].running_mean.numpy(), module[1].running_var.numpy()])
    np.testing.assert_allclose(found[1], found[0], 1e-5, 1e-6)


@pytest.mark.parametrize("strategy", ["cos", "linear"])
@pytest.mark.parametrize("epochs", [0, 1, 4])
def test_schedule(strategy: str, epochs: int) -> None:
    torch = pytest.importorskip("torch")
    rates = []
    for package in (torch, rushlight):
        optimizer = package.optim.SGD(package.nn.Linear(1, 1).parameters(), lr=0.1)
        schedule = package.optim.swa_utils.SWALR(optimizer, 0.5, epochs, strategy)
        seen = []
        for _ in range(7):
            optimizer.step()
            schedule.step()
            seen.append(optimizer.param_groups[0]["lr"])
        rates.append((seen, schedule.state_dict()))
    assert rates[1][0] == pytest.approx(rates[0][0], rel=1e-12)
    assert list(rates[1][1]) == list(rates[0][1])


def test_errors() -> None:
    optimizer = optim.SGD(nn.Linear(1, 1).parameters(), lr=0.1)
    with pytest.raises(ValueError, match="anneal_strategy must be one of 'cos' or 'linear', instead got x"):
        swa_utils.SWALR(optimizer, 0.5, anneal_strategy="x")
    with pytest.raises(ValueError, match="anneal_epochs must be equal or greater than 0, got -1"):
        swa_utils.SWALR(optimizer, 0.5, -1)
    with pytest.raises(ValueError, match=r"swa_lr must have the same length as optimizer\.param_groups"):
        swa_utils.SWALR(optimizer, [1, 2])
    with pytest.raises(AssertionError, match="Only one of avg_fn and multi_avg_fn should be provided"):
        swa_utils.AveragedModel(nn.Linear(1, 1), avg_fn=math.sqrt, multi_avg_fn=math.sqrt)
    with pytest.raises(ValueError, match="Invalid decay value 2 provided"):
        swa_utils.get_ema_avg_fn(2)
