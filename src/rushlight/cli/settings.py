"""The settings of a training run: given on the command line, by default, or by the checkpoint that it goes on from."""

from __future__ import annotations

import math
from typing import Any

from . import UsageError, networks

DEFAULTS: dict[str, Any] = {"data": "digits", "model": "lenet", "batch_size": 64, "optimizer": "adamw", "seed": 0}
EPOCHS_AND_RATE = {"digits": (60, 4e-3), "mnist": (3, 3e-3), "fashion-mnist": (8, 2e-3), "cifar10": (20, 1e-3)}
NAMES = ("data", "model", "epochs", "batch_size", "lr", "optimizer", "seed", "image_size")


def settle(options: Any, earlier: dict[str, Any] | None = None) -> dict[str, Any]:
    """All that the result of a run depends on; `earlier` are the settings of the run to go on with."""
    given = {name: getattr(options, name) for name in NAMES if getattr(options, name) is not None}
    _check(given)
    if options.workers < 0:
        raise UsageError(f"--workers {options.workers}: must be at least 0")
    if earlier is not None:
        changed = [f"{_flag(name)} {earlier.get(name)}" for name, value in given.items() if earlier.get(name) != value]
        if changed:
            raise UsageError(f"--resume: that run had other settings: {', '.join(changed)}")
        return earlier
    found = {**DEFAULTS, **given}
    epochs, lr = EPOCHS_AND_RATE.get(found["data"], (15, 1e-3))
    found.setdefault("epochs", epochs)
    found.setdefault("lr", lr * 10 if found["optimizer"] == "sgd" else lr)
    found.setdefault("image_size", None)
    return {name: found[name] for name in NAMES}


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


def _check(given: dict[str, Any]) -> None:
    for name in ("epochs", "batch_size", "image_size"):
        if given.get(name, 1) < 1:
            raise UsageError(f"{_flag(name)} {given[name]}: must be at least 1")
    if not 0 <= given.get("seed", 0) < 2**63:
        raise UsageError(f"--seed {given['seed']}: must be from 0 to {2**63 - 1}")
    if "lr" in given and not (given["lr"] > 0 and math.isfinite(given["lr"])):
        raise UsageError(f"--lr {given['lr']:g}: must be a number above 0")
    if given.get("model", "lenet") not in networks.NAMES:
        raise UsageError(f"--model {given['model']}: known are {', '.join(networks.NAMES)}")
