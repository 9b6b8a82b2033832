"""`rushlight train`: the training loop, its checkpoints, and its results on disk."""

from __future__ import annotations

import csv
import io
import math
import os
import random
import signal
import time
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np

from . import UsageError, networks, pictures
from .progress import Progress

DEFAULTS = {"digits": (60, 2e-3), "mnist": (3, 3e-3), "fashion-mnist": (8, 2e-3), "cifar10": (20, 1e-3)}
FIELDS = ("epoch", "train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "lr", "seconds")


class Interrupted(Exception):
    """Ctrl-C was pressed: the step at hand is finished, then the run saves and ends."""


class Run:
    """All that changes while a network is trained, and how to save and restore it."""

    def __init__(self, options: Any) -> None:
        import rushlight as torch
        from rushlight import optim

        self.options, self.torch = options, torch
        self.out = Path(options.out)
        torch.manual_seed(options.seed)
        random.seed(options.seed)
        self.data = pictures.load(options.data, options.root, options.image_size, options.seed)
        default_epochs, default_lr = DEFAULTS.get(options.data, (15, 1e-3))
        self.epochs = default_epochs if options.epochs is None else options.epochs
        self.lr = options.lr if options.lr is not None else default_lr * (10 if options.optimizer == "sgd" else 1)
        if self.epochs < 1 or options.batch_size < 1 or options.workers < 0:
            raise UsageError("--epochs and --batch-size must be at least 1, --workers at least 0")
        self.network = networks.build(options.model, len(self.data.classes), self.data.description)
        parameters = self.network.parameters()
        make: dict[str, Any] = {
            "sgd": lambda: optim.SGD(parameters, lr=self.lr, momentum=0.9, weight_decay=5e-4),
            "adam": lambda: optim.Adam(parameters, lr=self.lr),
            "adamw": lambda: optim.AdamW(parameters, lr=self.lr),
            "rmsprop": lambda: optim.RMSprop(parameters, lr=self.lr),
        }
        self.optimizer = make[options.optimizer]()
        self.steps = math.ceil(len(self.data.train) / options.batch_size)
        self.schedule = optim.lr_scheduler.OneCycleLR(
            self.optimizer, max_lr=self.lr, total_steps=self.steps * self.epochs + 1, cycle_momentum=False
        )
        self.epoch, self.step = 0, 0  # finished epochs, and finished steps of the next one
        self.partial = [0, 0.0, 0]  # examples, loss sum and right answers of the unfinished epoch
        self.best = -1.0
        self.rows: list[dict[str, Any]] = []

    # ---- checkpoints ------------------------------------------------------------------------------------------------------

    def settings(self) -> dict[str, Any]:
        """What the results depend on, to be shown and to be compared when resuming."""
        o = self.options
        return {
            "data": o.data, "model": o.model, "epochs": self.epochs, "batch_size": o.batch_size, "lr": self.lr,
            "optimizer": o.optimizer, "seed": o.seed,
        }  # fmt: skip

    def state(self) -> dict[str, Any]:
        """Everything needed to go on, to the bit: also the random generators as they were when the epoch began."""
        return {
            "model": self.network.state_dict(), "optimizer": self.optimizer.state_dict(), "schedule": self.schedule.state_dict(),
            "epoch": self.epoch, "step": self.step, "partial": self.partial, "best": self.best, "rows": self.rows,
            "settings": self.settings(), "classes": self.data.classes, "description": self.data.description,
            "epoch_rng": self.epoch_rng, "rng": self.torch.get_rng_state(), "python_rng": _plain(random.getstate()),
        }  # fmt: skip

    def save(self, name: str) -> None:
        """Write a checkpoint: whole or not at all."""
        self.torch.save(self.state(), self.out / name)

    def restore(self) -> None:
        """Go on from the last checkpoint."""
        path = self.out / "last.pt"
        if not path.exists():
            raise UsageError(f"--resume: there is no checkpoint {path}")
        state = self.torch.load(path)
        theirs, ours = state["settings"], self.settings()
        if theirs != ours:
            changed = ", ".join(f"{k} {theirs.get(k)} -> {ours[k]}" for k in ours if theirs.get(k) != ours[k])
            raise UsageError(f"--resume: the checkpoint was made with other settings ({changed})")
        self.network.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        self.epoch, self.step, self.best = state["epoch"], state["step"], state["best"]
        self.partial, self.rows = list(state["partial"]), list(state["rows"])
        self.epoch_rng = state["epoch_rng"]
        self.resume_rng = state["rng"]
        random.setstate(_tupled(state["python_rng"]))
        if self.step == 0:
            self.torch.set_rng_state(state["rng"])

    epoch_rng: Any = None
    resume_rng: Any = None

    # ---- the loop ---------------------------------------------------------------------------------------------------------

    def loader(self, part: Any, shuffle: bool = False) -> Any:
        from rushlight.utils.data import DataLoader

        return DataLoader(
            part, batch_size=self.options.batch_size, shuffle=shuffle, num_workers=self.options.workers if shuffle else 0
        )

    def train_epoch(self, progress: Progress, stop: Stop) -> None:
        """One pass over the training pictures, or what is left of it after an interruption."""
        from rushlight.nn import functional as F

        torch = self.torch
        skip = self.step
        if skip:  # the same order and the same augmentation as before the interruption
            torch.set_rng_state(self.epoch_rng)
        self.epoch_rng = torch.get_rng_state()
        self.network.train()
        progress.begin(self.epoch + 1)
        progress.seen, progress.loss_sum, progress.right = self.partial
        for number, (x, y) in enumerate(self.loader(self.data.train, shuffle=True), 1):
            if number <= skip:
                if number == skip:
                    torch.set_rng_state(self.resume_rng)
                continue
            self.optimizer.zero_grad()
            scores = self.network(x)
            loss = F.cross_entropy(scores, y)
            loss.backward()
            self.optimizer.step()
            self.schedule.step()
            value = loss.item()
            if not math.isfinite(value):
                raise UsageError(f"the loss became {value} in epoch {self.epoch + 1}: try a smaller --lr than {self.lr:g}")
            right = int((scores.detach().argmax(1) == y).sum().item())
            progress.step(number, value, right, len(y))
            self.step = number
            self.partial = [progress.seen, progress.loss_sum, progress.right]
            if stop.requested:
                raise Interrupted
        self.epoch, self.step, self.partial = self.epoch + 1, 0, [0, 0.0, 0]

    def evaluate(self, part: Any) -> tuple[float, Any, Any]:
        """Mean loss, scores (n, classes) and labels (n) of a part of the data."""
        from rushlight.nn import functional as F

        torch = self.torch
        self.network.eval()
        scores, labels = [], []
        generator = torch.get_rng_state()
        with torch.no_grad():
            for x, y in self.loader(part):
                scores.append(self.network(x))
                labels.append(y)
        torch.set_rng_state(generator)  # looking at the validation pictures must not change the training
        all_scores, all_labels = torch.cat(scores), torch.cat(labels)
        return F.cross_entropy(all_scores, all_labels).item(), all_scores.numpy(), all_labels.numpy()

    def finish_epoch(self, progress: Progress, seconds: float) -> None:
        """Validate, note the figures, and keep the checkpoints."""
        loss, scores, labels = self.evaluate(self.data.validation)
        accuracy = float((scores.argmax(1) == labels).mean())
        progress.end(loss, accuracy)
        self.rows.append(
            dict(zip(FIELDS, (self.epoch, progress.loss, progress.accuracy, loss, accuracy, self.schedule.get_last_lr()[0], seconds), strict=True))
        )
        self.write_metrics()
        better = accuracy > self.best
        self.best = max(self.best, accuracy)
        if better:
            self.save("best.pt")
        self.save("last.pt")

    def write_metrics(self) -> None:
        """metrics.csv, a line an epoch."""
        text = io.StringIO()
        writer = csv.DictWriter(text, FIELDS, lineterminator="\n")
        writer.writeheader()
        for row in self.rows:
            writer.writerow({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()})
        write_atomically(self.out / "metrics.csv", text.getvalue())


def _plain(state: Any) -> Any:
    return [state[0], list(state[1]), state[2]]


def _tupled(state: Any) -> Any:
    return (state[0], tuple(state[1]), state[2])


def write_atomically(path: Path, text: str) -> None:
    """Write a text file so that nobody ever sees half of it."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text)
    os.replace(temporary, path)


class Stop:
    """Turns the first Ctrl-C into a wish to stop; the second one is an ordinary KeyboardInterrupt."""

    requested = False

    def __enter__(self) -> Stop:
        self._before = signal.signal(signal.SIGINT, self._handle)
        return self

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = True

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)


def train(options: Any) -> int:
    """The whole command; returns the exit status (130 after Ctrl-C)."""
    run = Run(options)
    run.out.mkdir(parents=True, exist_ok=True)
    if options.resume:
        run.restore()
    parameters = sum(p.numel() for p in run.network.parameters())
    print(
        f"{options.model} ({parameters:,} parameters) on {options.data}: {len(run.data.train):,} pictures to train, "
        f"{len(run.data.validation):,} to validate, {len(run.data.test):,} to test",
        flush=True,
    )
    started = time.monotonic()
    with Stop() as stop, Progress(run.epochs, run.steps) as progress:
        try:
            while run.epoch < run.epochs:
                begun = time.monotonic()
                run.train_epoch(progress, stop)
                run.finish_epoch(progress, time.monotonic() - begun)
                if stop.requested:
                    raise Interrupted
        except Interrupted:
            run.save("last.pt")
            progress.say(f"stopped after epoch {run.epoch}, step {run.step}; go on with --resume")
            return 130
    seconds = time.monotonic() - started
    state = run.torch.load(run.out / "best.pt")
    run.network.load_state_dict(state["model"])
    loss, scores, labels = run.evaluate(run.data.test)
    accuracy = float(np.mean(scores.argmax(1) == labels))
    from .report import write_report

    report = write_report(run, scores, labels, loss, seconds)
    print(f"report: {report}")
    print(f"test accuracy {100 * accuracy:.1f} %")
    return 0
