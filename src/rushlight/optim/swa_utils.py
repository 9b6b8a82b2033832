"""Averages of weights along training, and the schedule that goes with them.

Izmailov et al. 2018, https://arxiv.org/abs/1803.05407.
https://docs.pytorch.org/docs/stable/optim.html#weight-averaging-swa-and-ema
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterable
from typing import Any

from .. import ops
from ..autograd.modes import no_grad
from ..nn.module import Module
from .lr_scheduler.base import LRScheduler, number, per_group
from .lr_scheduler.cycles import anneal, check_anneal
from .optimizer import Optimizer

__all__ = [
    "AveragedModel", "update_bn", "SWALR", "get_ema_multi_avg_fn", "get_swa_multi_avg_fn", "get_ema_avg_fn",
    "get_swa_avg_fn",
]  # fmt: skip


def _check_decay(decay: float) -> float:
    if not 0.0 <= decay <= 1.0:
        raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")
    return decay


def get_ema_avg_fn(decay: float = 0.999) -> Callable[..., Any]:
    """The rule of an exponential moving average: decay * average + (1 - decay) * parameter."""
    _check_decay(decay)

    def ema_update(ema_param: Any, current_param: Any, num_averaged: Any) -> Any:
        with no_grad():
            return decay * ema_param + (1 - decay) * current_param

    return ema_update


def get_swa_avg_fn() -> Callable[..., Any]:
    """The rule of an equal average: average + (parameter - average) / (n + 1)."""

    def swa_update(averaged_param: Any, current_param: Any, num_averaged: Any) -> Any:
        with no_grad():
            return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return swa_update


def _for_lists(rule: Callable[..., Any]) -> Callable[..., None]:
    def update(averaged: Any, current: Any, num_averaged: Any) -> None:
        with no_grad():
            for old, new in zip(averaged, current, strict=True):
                old.copy_(rule(old, new, num_averaged))

    return update


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable[..., None]:
    """`get_ema_avg_fn` for lists of parameters, in place."""
    return _for_lists(get_ema_avg_fn(decay))


def get_swa_multi_avg_fn() -> Callable[..., None]:
    """`get_swa_avg_fn` for lists of parameters, in place."""
    return _for_lists(get_swa_avg_fn())


class AveragedModel(Module):
    """A copy of `model` whose parameters are averages of the model's, one more each `update_parameters`.

    The average is equal by default; `avg_fn(average, parameter, n)` or `multi_avg_fn(averages, parameters, n)` (in
    place) makes it another. `use_buffers` averages buffers as well, which are otherwise copied.
    """

    n_averaged: Any

    def __init__(
        self,
        model: Any,
        device: Any = None,
        avg_fn: Callable[..., Any] | None = None,
        multi_avg_fn: Callable[..., None] | None = None,
        use_buffers: bool = False,
    ) -> None:
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = copy.deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", ops.tensor(0))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The averaged model's output."""
        return self.module(*args, **kwargs)

    def update_parameters(self, model: Any) -> None:
        """Take the present parameters of `model` into the average."""
        averaged, current = self._averaged(self), self._averaged(model)
        with no_grad():
            pairs = [(old, new.detach()) for old, new in zip(averaged, current, strict=False)]
            if self.n_averaged == 0:
                for old, new in pairs:
                    old.copy_(new)
            elif self.multi_avg_fn is not None:
                self.multi_avg_fn([old for old, _ in pairs], [new for _, new in pairs], self.n_averaged)
            else:
                rule = self.avg_fn or get_swa_avg_fn()
                for old, new in pairs:
                    old.copy_(rule(old, new, self.n_averaged))
            if not self.use_buffers:
                for old, new in zip(self.module.buffers(), model.buffers(), strict=True):
                    old.copy_(new.detach())
            self.n_averaged += 1

    def _averaged(self, model: Any) -> list[Any]:
        inner = model.module if model is self else model
        return list(itertools.chain(inner.parameters(), inner.buffers() if self.use_buffers else ()))


def update_bn(loader: Iterable[Any], model: Any, device: Any = None) -> None:
    """Compute the running statistics of all BatchNorm layers of `model` anew, in one pass over `loader`."""
    layers = [m for m in model.modules() if hasattr(m, "reset_running_stats") and m.running_mean is not None]
    if not layers:
        return
    momenta = [m.momentum for m in layers]
    was_training = model.training
    model.train()
    for m in layers:
        m.reset_running_stats()
        m.momentum = None
    with no_grad():
        for batch in loader:
            x = batch[0] if isinstance(batch, list | tuple) else batch
            model(x if device is None else x.to(device))
    for m, momentum in zip(layers, momenta, strict=True):
        m.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """Anneal the rates to `swa_lr` in `anneal_epochs` epochs, and stay there."""

    def __init__(
        self,
        optimizer: Optimizer,
        swa_lr: float,
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ) -> None:
        for rate, group in zip(per_group("swa_lr", optimizer, swa_lr), optimizer.param_groups, strict=True):
            group["swa_lr"] = rate
        check_anneal(anneal_strategy)
        self._anneal_strategy = anneal_strategy
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def _way(self, step: float) -> float:
        """How far the annealing has come, from 0 to 1."""
        part = max(0.0, min(1.0, step / max(1, self.anneal_epochs)))
        return 1 - float(anneal(self._anneal_strategy, 1.0, 0.0, part))

    def get_lr(self) -> list[Any]:
        self._warn_outside_step()
        # `last_epoch` may have been set back, so the start is found from the present rate and the way it has gone.
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        gone, going = self._way(step - 1), self._way(step)
        rates = []
        for group in self.optimizer.param_groups:
            target, rate = group["swa_lr"], number(group["lr"])
            start = target if gone == 1 else (rate - gone * target) / (1 - gone)
            rates.append(target * going + start * (1 - going))
        return rates
