"""Learning rate schedules against PyTorch: rates, states, warnings and errors."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import pytest

import rushlight
from rushlight import optim
from rushlight.nn.parameter import Parameter
from rushlight.optim import lr_scheduler


class Halving:
    def __init__(self) -> None:
        self.base = 0.5

    def __call__(self, epoch: float) -> float:
        return self.base**epoch


Make = Callable[[Any, Any], Any]
SCHEDULES: dict[str, Make] = {
    "lambda": lambda s, o: s.LambdaLR(o, lambda epoch: 0.95**epoch),
    "lambda of each group": lambda s, o: s.LambdaLR(o, [Halving(), lambda epoch: 1 / (epoch + 1)]),
    "multiplicative": lambda s, o: s.MultiplicativeLR(o, lambda epoch: 0.9 + epoch / 100),
    "step": lambda s, o: s.StepLR(o, 3, 0.5),
    "milestones": lambda s, o: s.MultiStepLR(o, [2, 2, 5, 9], 0.5),
    "constant": lambda s, o: s.ConstantLR(o, 0.25, 4),
    "linear": lambda s, o: s.LinearLR(o, 0.25, 0.5, 6),
    "exponential": lambda s, o: s.ExponentialLR(o, 0.9),
    "cosine": lambda s, o: s.CosineAnnealingLR(o, 4, 0.01),
    "restarts": lambda s, o: s.CosineAnnealingWarmRestarts(o, 2, 2, 0.001),
    "restarts of one length": lambda s, o: s.CosineAnnealingWarmRestarts(o, 3),
    "polynomial": lambda s, o: s.PolynomialLR(o, 6, 2.0),
    "cyclic": lambda s, o: s.CyclicLR(o, 0.01, [0.1, 0.2], 3, 2),
    "cyclic triangular2": lambda s, o: s.CyclicLR(o, 0.01, 0.1, 2, mode="triangular2", base_momentum=0.6),
    "cyclic exp_range": lambda s, o: s.CyclicLR(o, 0.01, 0.1, 2, mode="exp_range", gamma=0.9, cycle_momentum=False),
    "cyclic of one's own": lambda s, o: s.CyclicLR(o, 0.01, 0.1, 2, scale_fn=Halving(), scale_mode="iterations"),
    "one cycle": lambda s, o: s.OneCycleLR(o, 0.5, 20),
    "one cycle in three": lambda s, o: s.OneCycleLR(
        o, [0.5, 0.1], epochs=5, steps_per_epoch=4, three_phase=True, anneal_strategy="linear", pct_start=0.4
    ),
    "one after another": lambda s, o: s.SequentialLR(
        o, [s.ConstantLR(o, 0.1, 2), s.ExponentialLR(o, 0.9), s.StepLR(o, 2)], [2, 6]
    ),
    "chained": lambda s, o: s.ChainedScheduler([s.ConstantLR(o, 0.1, 2), s.ExponentialLR(o, 0.9)], optimizer=o),
    "warm-up and cosine": lambda s, o: s.SequentialLR(o, [s.LinearLR(o, 0.1), s.CosineAnnealingLR(o, 10)], [5]),
    "chain of a sequence": lambda s, o: s.ChainedScheduler(
        [s.SequentialLR(o, [s.ConstantLR(o, 0.1, 2), s.ExponentialLR(o, 0.9)], [3]), s.StepLR(o, 2)]
    ),
}
COMPOSITE = ("one after another", "chained", "warm-up and cosine", "chain of a sequence")  # their step takes no epoch


def new_optimizer(package: Any, kind: str = "SGD", **group: Any) -> Any:
    parameter = package.nn.Parameter if package is not rushlight else Parameter
    params = [
        {"params": [parameter(package.ones(1))], **group},
        {"params": [parameter(package.ones(1))], "lr": 0.3, **group},
    ]
    return getattr(package.optim, kind)(params, lr=0.1, **({"momentum": 0.9} if kind == "SGD" else {}))


def settings(optimizer: Any) -> list[dict[str, Any]]:
    return [{name: value for name, value in group.items() if name != "params"} for group in optimizer.param_groups]


def approximately(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: approximately(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(approximately(item) for item in value)
    return pytest.approx(value, rel=1e-12, abs=1e-15) if isinstance(value, float) else value


@pytest.mark.parametrize("kind", ["SGD", "Adam"])
@pytest.mark.parametrize("name", SCHEDULES)
def test_lock_step(name: str, kind: str) -> None:
    torch = pytest.importorskip("torch")
    theirs, ours = new_optimizer(torch, kind), new_optimizer(rushlight, kind)
    their_schedule = SCHEDULES[name](torch.optim.lr_scheduler, theirs)
    our_schedule = SCHEDULES[name](lr_scheduler, ours)
    for _ in range(16):
        assert settings(ours) == approximately(settings(theirs))
        assert our_schedule.get_last_lr() == approximately(their_schedule.get_last_lr())
        their_state, our_state = their_schedule.state_dict(), our_schedule.state_dict()
        assert list(our_state) == list(their_state)
        assert our_state == approximately(their_state)
        for step in (theirs.step, ours.step, their_schedule.step, our_schedule.step):
            step()


@pytest.mark.parametrize("name", SCHEDULES)
def test_a_checkpoint_goes_on(name: str) -> None:
    first, second = new_optimizer(rushlight), new_optimizer(rushlight)
    one, two = SCHEDULES[name](lr_scheduler, first), SCHEDULES[name](lr_scheduler, second)
    for _ in range(4):
        first.step()
        one.step()
    second.load_state_dict(first.state_dict())
    two.load_state_dict(one.state_dict())
    for _ in range(4):
        for step in (first.step, second.step, one.step, two.step):
            step()
        assert settings(second) == settings(first)


@pytest.mark.parametrize("name", [name for name in SCHEDULES if name not in COMPOSITE])
def test_an_epoch_of_ones_choice(name: str) -> None:
    torch = pytest.importorskip("torch")
    theirs, ours = new_optimizer(torch), new_optimizer(rushlight)
    their_schedule, our_schedule = (
        SCHEDULES[name](torch.optim.lr_scheduler, theirs),
        SCHEDULES[name](lr_scheduler, ours),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for epoch in (3, 5, 7, 2, None, None, 6):
            their_schedule.step(epoch)
            our_schedule.step(epoch)
            assert settings(ours) == approximately(settings(theirs))


RESUMABLE: dict[str, Callable[[Any, Any, int], Any]] = {
    "lambda": lambda s, o, k: s.LambdaLR(o, lambda epoch: 0.95**epoch, k),
    "multiplicative": lambda s, o, k: s.MultiplicativeLR(o, lambda epoch: 0.95, k),
    "step": lambda s, o, k: s.StepLR(o, 2, 0.1, k),
    "milestones": lambda s, o, k: s.MultiStepLR(o, [2, 2, 5], 0.1, k),
    "constant": lambda s, o, k: s.ConstantLR(o, last_epoch=k),
    "linear": lambda s, o, k: s.LinearLR(o, last_epoch=k),
    "exponential": lambda s, o, k: s.ExponentialLR(o, 0.9, k),
    "cosine": lambda s, o, k: s.CosineAnnealingLR(o, 5, 0.01, k),
    "cyclic": lambda s, o, k: s.CyclicLR(o, 0.01, 0.1, 4, last_epoch=k),
    "restarts": lambda s, o, k: s.CosineAnnealingWarmRestarts(o, 3, 2, 0.01, last_epoch=k),
    "one cycle": lambda s, o, k: s.OneCycleLR(o, 0.1, 20, last_epoch=k),
    "polynomial": lambda s, o, k: s.PolynomialLR(o, last_epoch=k),
}


@pytest.mark.parametrize("name", RESUMABLE)
def test_resuming(name: str) -> None:
    torch = pytest.importorskip("torch")
    before = {"initial_lr": 0.1, "max_lr": 0.2, "min_lr": 0.001, "base_momentum": 0.8, "max_momentum": 0.95}
    for epoch in (0, 1, 3, 4, 5, 8):
        optimizers = [new_optimizer(package, **before) for package in (torch, rushlight)]
        schedules = [
            RESUMABLE[name](s, o, epoch)
            for s, o in zip((torch.optim.lr_scheduler, lr_scheduler), optimizers, strict=True)
        ]
        for _ in range(4):
            assert settings(optimizers[1]) == approximately(settings(optimizers[0]))
            for step in (*(o.step for o in optimizers), *(s.step for s in schedules)):
                step()


PLATEAUS: list[dict[str, Any]] = [
    {"patience": 1, "cooldown": 2},
    {"mode": "max", "patience": 0, "factor": 0.5},
    {"threshold_mode": "abs", "threshold": 0.5},
    {"mode": "max", "threshold_mode": "abs", "threshold": 1.5, "patience": 1},
    {"patience": 0, "min_lr": [0.01, 0.1]},
]


@pytest.mark.parametrize("config", PLATEAUS, ids=str)
def test_plateau(config: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    theirs, ours = new_optimizer(torch), new_optimizer(rushlight)
    their_schedule = torch.optim.lr_scheduler.ReduceLROnPlateau(theirs, **config)
    our_schedule = lr_scheduler.ReduceLROnPlateau(ours, **config)
    for value in [3.0, 3.2, 2.9, 2.9, 2.9, math.nan, 5.0, 5.0, 5.0, 1.0, 1.1, 1.1, 1.1]:
        their_schedule.step(value)
        our_schedule.step(rushlight.tensor(value) if value == 5.0 else value)
        assert settings(ours) == approximately(settings(theirs))
        assert our_schedule.state_dict() == approximately(their_schedule.state_dict())


REFUSED: dict[str, Make] = {
    "no optimizer": lambda s, o: s.StepLR(3, 2),
    "no initial_lr": lambda s, o: s.StepLR(o, 2, last_epoch=3),
    "functions": lambda s, o: s.LambdaLR(o, [lambda epoch: 1]),
    "constant": lambda s, o: s.ConstantLR(o, factor=2),
    "linear start": lambda s, o: s.LinearLR(o, start_factor=0),
    "linear end": lambda s, o: s.LinearLR(o, end_factor=2),
    "T_0": lambda s, o: s.CosineAnnealingWarmRestarts(o, 1.5),
    "T_mult": lambda s, o: s.CosineAnnealingWarmRestarts(o, 1, 0),
    "eta_min": lambda s, o: s.CosineAnnealingWarmRestarts(o, 1, 1, "a"),
    "negative epoch": lambda s, o: s.CosineAnnealingWarmRestarts(o, 2).step(-1),
    "no schedules": lambda s, o: s.SequentialLR(o, [], []),
    "two optimizers": lambda s, o: s.SequentialLR(o, [s.StepLR(type(o)([o.param_groups[0]["params"][0]]), 2)], []),
    "milestones": lambda s, o: s.SequentialLR(o, [s.StepLR(o, 2)], [1]),
    "no schedule": lambda s, o: s.SequentialLR(o, [s.StepLR(o, 2), 3], [1]),
    "plateau in a sequence": lambda s, o: s.SequentialLR(o, [s.StepLR(o, 2), s.ReduceLROnPlateau(o)], [1]),
    "no chain": lambda s, o: s.ChainedScheduler([]),
    "plateau in a chain": lambda s, o: s.ChainedScheduler([s.ReduceLROnPlateau(o)]),
    "factor": lambda s, o: s.ReduceLROnPlateau(o, factor=1),
    "mode": lambda s, o: s.ReduceLROnPlateau(o, mode="x"),
    "threshold mode": lambda s, o: s.ReduceLROnPlateau(o, threshold_mode="x"),
    "min_lrs": lambda s, o: s.ReduceLROnPlateau(o, min_lr=[1]),
    "base_lr": lambda s, o: s.CyclicLR(o, [1], 2),
    "cyclic mode": lambda s, o: s.CyclicLR(o, 0.1, 1, mode="x"),
    "total_steps": lambda s, o: s.OneCycleLR(o, 1),
    "total_steps 1.5": lambda s, o: s.OneCycleLR(o, 1, 1.5),
    "epochs": lambda s, o: s.OneCycleLR(o, 1, epochs=-3, steps_per_epoch=1),
    "steps_per_epoch": lambda s, o: s.OneCycleLR(o, 1, epochs=3, steps_per_epoch=-1),
    "pct_start": lambda s, o: s.OneCycleLR(o, 1, 10, pct_start=1),
    "strategy": lambda s, o: s.OneCycleLR(o, 1, 10, anneal_strategy="x"),
    "max_lr": lambda s, o: s.OneCycleLR(o, [1], 10),
    "the base": lambda s, o: s.LRScheduler(o),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str) -> None:
    torch = pytest.importorskip("torch")
    failures = []
    for package, module in ((torch, torch.optim.lr_scheduler), (rushlight, lr_scheduler)):
        with pytest.raises((ValueError, TypeError, KeyError, NotImplementedError)) as caught:
            REFUSED[name](module, new_optimizer(package))
        failures.append((caught.type, str(caught.value)))
    assert failures[0] == failures[1]


def test_momentum_is_needed_for_its_cycle() -> None:
    optimizer = optim.Adagrad([Parameter(rushlight.ones(1))])
    for make in (lambda: lr_scheduler.CyclicLR(optimizer, 0.1, 1), lambda: lr_scheduler.OneCycleLR(optimizer, 1, 10)):
        with pytest.raises(ValueError, match="optimizer must support momentum or beta1 with `cycle_momentum` option"):
            make()


def test_too_many_steps_of_one_cycle() -> None:
    optimizer = new_optimizer(rushlight)
    schedule = lr_scheduler.OneCycleLR(optimizer, 1, 3)
    optimizer.step()
    for _ in range(3):
        schedule.step()
    with pytest.raises(ValueError, match=r"Tried to step 4 times\. The specified number of total steps is 3"):
        schedule.step()


def test_the_order_of_steps_is_watched() -> None:
    optimizer = new_optimizer(rushlight)
    schedule = lr_scheduler.StepLR(optimizer, 2)
    with pytest.warns(UserWarning, match="Detected call of `lr_scheduler.step\\(\\)` before `optimizer.step\\(\\)`"):
        schedule.step()
    with pytest.warns(UserWarning, match="use `get_last_lr\\(\\)`"):
        schedule.get_lr()
    with pytest.warns(UserWarning, match="The epoch parameter in `scheduler.step\\(\\)` was not necessary"):
        schedule.step(3)
    optimizer = new_optimizer(rushlight)
    schedule = lr_scheduler.StepLR(optimizer, 2)
    optimizer.step = lambda: None
    with pytest.warns(UserWarning, match="Seems like `optimizer.step\\(\\)` has been overridden after"):
        schedule.step()
    optimizer = new_optimizer(rushlight)
    optimizer.step = lambda: None
    schedule = lr_scheduler.StepLR(optimizer, 2)
    optimizer.step()
    schedule.step()


def test_a_tensor_stays_the_same_tensor() -> None:
    rate = rushlight.tensor(0.5)
    optimizer = optim.SGD([Parameter(rushlight.ones(1))], lr=rate)
    schedule = lr_scheduler.StepLR(optimizer, 1, 0.5)
    optimizer.step()
    schedule.step()
    assert optimizer.param_groups[0]["lr"] is rate
    assert rate.item() == 0.25
    assert schedule.base_lrs[0].item() == 0.5


def test_a_schedule_of_ones_own() -> None:
    class Mine(lr_scheduler.LRScheduler):
        def get_lr(self) -> list[Any]:
            return [base / (1 + self.last_epoch) for base in self.base_lrs]

    optimizer = new_optimizer(rushlight)
    schedule = Mine(optimizer)
    optimizer.step()
    schedule.step()
    assert schedule.get_last_lr() == [0.05, 0.15]
