"""`rushlight train`: the training loop, its checkpoints, and its results on disk."""

from __future__ import annotations

import csv
import io
import math
import os
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from . import UsageError, checkpoint, networks, pictures
from .interrupt import Interrupted, Stop, held
from .progress import Progress
from .settings import settle

FIELDS = ("epoch", "train_loss", "train_accuracy", "validation_loss", "validation_accuracy", "lr", "seconds")
START = {"examples": 0, "loss_sum": 0.0, "right": 0, "seconds": 0.0}


class Run:
    """All that changes while a network is trained, and how to save and restore it."""

    def __init__(self, settings: dict[str, Any], out: Path, root: str, workers: int) -> None:
        from .. import manual_seed

        self.settings, self.out, self.workers = settings, out, workers
        manual_seed(settings["seed"])
        self.data = pictures.load(settings["data"], root, settings["image_size"], settings["seed"])
        self.epochs: int = settings["epochs"]
        self.network = networks.build(settings["model"], len(self.data.classes), self.data.description)
        self.lone = not networks.normalizes_batches(self.network)
        if not self.lone and min(settings["batch_size"], len(self.data.train)) < 2:
            raise UsageError(f"--model {settings['model']} cannot learn from batches of a single picture")
        self.optimizer = _optimizer(settings["optimizer"], self.network.parameters(), settings["lr"])
        self.steps = len(self.batches(0))
        self.schedule = _schedule(self.optimizer, settings["lr"], self.steps * self.epochs + 1)
        self.epoch, self.step = 0, 0  # finished epochs, and finished steps of the next one
        self.partial: dict[str, Any] = dict(START)  # what was counted in the unfinished epoch
        self.best = -1.0
        self.rows: list[dict[str, Any]] = []

    # ---- checkpoints -------------------------------------------------------------------------------------------------

    def save(self, name: str) -> None:
        """Write a checkpoint, whole or not at all, with everything needed to go on to the same result."""
        from .. import get_rng_state, save

        state = {
            "format": checkpoint.FORMAT, "settings": self.settings, "classes": self.data.classes,
            "description": self.data.description, "model": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(), "schedule": self.schedule.state_dict(), "rng": get_rng_state(),
            "epoch": self.epoch, "step": self.step, "partial": self.partial, "best": self.best, "rows": self.rows,
        }  # fmt: skip
        save(state, self.out / name)

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a checkpoint of a run with these settings."""
        from .. import set_rng_state

        if state["classes"] != self.data.classes:
            raise UsageError("--resume: the classes of the data have changed")
        self.network.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.schedule.load_state_dict(state["schedule"])
        for name in ("epoch", "step", "partial", "best", "rows"):
            setattr(self, name, state[name])
        set_rng_state(state["rng"])

    # ---- the loop ----------------------------------------------------------------------------------------------------

    def batches(self, epoch: int) -> list[list[int]]:
        """The indices of each step's pictures: a function of the seed and the epoch alone."""
        from .. import Generator, randperm

        seed = hash((self.settings["seed"], epoch)) & 0xFFFFFFFF
        order = randperm(len(self.data.train), generator=Generator().manual_seed(seed)).tolist()
        size = self.settings["batch_size"]
        found = [order[i : i + size] for i in range(0, len(order), size)]
        if not self.lone and len(found[-1]) == 1:
            found[-2] += found.pop()
        return found

    def load(self, part: pictures.Prepared, batches: list[list[int]], workers: int = 0) -> Iterator[Any]:
        """Pictures and labels of each batch; the random numbers of the network's training are left alone."""
        from .. import Generator
        from ..utils.data import DataLoader

        loader: DataLoader[Any] = DataLoader(
            part, batch_sampler=batches, num_workers=workers, generator=Generator().manual_seed(0)
        )
        with held():
            found = iter(loader)
        try:
            yield from found
        except UsageError as error:  # of a worker, it comes with a traceback
            raise UsageError(str(error).strip().splitlines()[-1].removeprefix(f"{__package__}.UsageError: ")) from None

    def train_epoch(self, progress: Progress, stop: Stop) -> None:
        """One pass over the training pictures, or what is left of it after an interruption."""
        from ..nn import functional as F

        self.network.train()
        self.data.train.epoch = self.epoch
        progress.begin(self.epoch + 1, self.partial["seconds"])
        progress.seen, progress.loss_sum, progress.right = (self.partial[k] for k in ("examples", "loss_sum", "right"))
        for x, y in self.load(self.data.train, self.batches(self.epoch)[self.step :], self.workers):
            self.optimizer.zero_grad()
            scores = self.network(x)
            loss = F.cross_entropy(scores, y)
            loss.backward()
            self.optimizer.step()
            self.schedule.step()
            value = loss.item()
            if not math.isfinite(value):
                raise UsageError(f"the loss became {value} in epoch {self.epoch + 1}: try a smaller --lr")
            self.step += 1
            progress.step(self.step, value, int((scores.detach().argmax(1) == y).sum().item()), len(y))
            self.partial = {
                "examples": progress.seen, "loss_sum": progress.loss_sum, "right": progress.right,
                "seconds": progress.elapsed,
            }  # fmt: skip
            stop.check()

    def evaluate(self, part: pictures.Prepared) -> tuple[float, Any, Any]:
        """Mean loss, scores (n, classes) and labels (n) of a part of the data."""
        from .. import cat, no_grad
        from ..nn import functional as F

        size = self.settings["batch_size"]
        batches = [list(range(i, min(i + size, len(part)))) for i in range(0, len(part), size)]
        self.network.eval()
        with no_grad():
            found = [(self.network(x), y) for x, y in self.load(part, batches)]
            scores, labels = cat([s for s, _ in found]), cat([y for _, y in found])
            return F.cross_entropy(scores, labels).item(), scores.numpy(), labels.numpy()

    def finish_epoch(self, progress: Progress) -> None:
        """Validate, note the figures, and keep the checkpoints."""
        loss, scores, labels = self.evaluate(self.data.validation)
        accuracy = float((scores.argmax(1) == labels).mean())
        progress.end(loss, accuracy)
        self.epoch, self.step, self.partial = self.epoch + 1, 0, dict(START)
        lr, seconds = self.optimizer.param_groups[0]["lr"], progress.elapsed
        values = (self.epoch, progress.loss, progress.accuracy, loss, accuracy, lr, seconds)
        self.rows.append(dict(zip(FIELDS, values, strict=True)))
        better = accuracy >= self.best  # of equals the later one, which has learned with a lower rate
        self.best = max(self.best, accuracy)
        if better:
            self.save("best.pt")
        self.save("last.pt")
        self.write_metrics()

    def write_metrics(self) -> None:
        """metrics.csv, a line an epoch."""
        text = io.StringIO()
        writer = csv.DictWriter(text, FIELDS, lineterminator="\n")
        writer.writeheader()
        for row in self.rows:
            writer.writerow({k: f"{v:.6g}" if isinstance(v, float) else v for k, v in row.items()})
        write(self.out / "metrics.csv", text.getvalue())


def _optimizer(name: str, parameters: Any, lr: float) -> Any:
    from .. import optim

    if name == "sgd":
        return optim.SGD(parameters, lr=lr, momentum=0.9, weight_decay=5e-4)
    return {"adam": optim.Adam, "adamw": optim.AdamW, "rmsprop": optim.RMSprop}[name](parameters, lr=lr)


def _schedule(optimizer: Any, lr: float, steps: int) -> Any:
    from ..optim.lr_scheduler import OneCycleLR

    return OneCycleLR(optimizer, max_lr=lr, total_steps=steps, cycle_momentum=False)


def write(path: Path, text: str) -> None:
    """Write a text file, whole or not at all."""
    from ..vision.datasets.download import write_atomically

    write_atomically(path, text.encode())


def _folder(path: str) -> Path:
    """The folder for the results, made if need be."""
    out = Path(path)
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"--out {path}: {error.strerror}") from None
    if not os.access(out, os.W_OK):
        raise UsageError(f"--out {path}: not writable")
    return out


def train(options: Any) -> int:
    """The whole command; returns the exit status (130 after Ctrl-C)."""
    state = checkpoint.read(Path(options.out) / "last.pt") if options.resume else None
    settings = settle(options, state and state["settings"])
    run = Run(settings, _folder(options.out), options.root, options.workers)
    if state is not None:
        run.restore(state)
    parameters = sum(p.numel() for p in run.network.parameters())
    print(
        f"{settings['model']} ({parameters:,} parameters) on {settings['data']}: {len(run.data.train):,} pictures to "
        f"train, {len(run.data.validation):,} to validate, {len(run.data.test):,} to test",
        flush=True,
    )
    with Stop() as stop, Progress(run.epochs, run.steps) as progress:
        try:
            while run.epoch < run.epochs:
                run.train_epoch(progress, stop)
                run.finish_epoch(progress)
                stop.check()
        except Interrupted:
            run.save("last.pt")
            at = f"epoch {run.epoch + 1}, step {run.step}" if run.step else f"epoch {run.epoch}"
            again = f"rushlight train --resume --out {shlex.quote(options.out)}"
            progress.say(f"stopped after {at}; go on with: {again}")
            return 130
    from .report import write_report

    run.network.load_state_dict(checkpoint.read(run.out / "best.pt")["model"])
    loss, scores, labels = run.evaluate(run.data.test)
    print(f"report: {write_report(run, scores, labels, loss)}")
    print(f"test accuracy {100 * float((scores.argmax(1) == labels).mean()):.1f} %", flush=True)
    return 0
