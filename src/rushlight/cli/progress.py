"""How a training run shows itself: a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Any

INTERVAL = 5.0  # seconds between plain lines within an epoch


class Progress:
    """Loss, accuracy, examples a second and the time left of the whole run.

    On a terminal with `rich` installed a bar that moves; else a line every few seconds and one at each epoch's end.
    """

    def __init__(self, epochs: int, steps: int, stream: Any = None) -> None:
        self.epochs, self.steps = epochs, steps
        self.stream = stream or sys.stdout
        self.bar = self._bar() if self.stream.isatty() else None
        self._task: Any = None
        self._began: float | None = None
        self._done = 0  # steps since then, in this process

    def _bar(self) -> Any:
        try:
            from rich.console import Console
            from rich.progress import BarColumn, TextColumn
            from rich.progress import Progress as RichProgress
        except ImportError:
            return None
        return RichProgress(
            TextColumn("epoch {task.fields[epoch]}"), BarColumn(bar_width=None), TextColumn("{task.fields[text]}"),
            console=Console(file=self.stream), transient=True, expand=True,
        )  # fmt: skip

    def __enter__(self) -> Progress:
        if self.bar is not None:
            self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.stop()

    def begin(self, epoch: int, elapsed: float = 0.0) -> None:
        """Start epoch number `epoch` (from 1), of which an earlier process may have spent `elapsed` seconds."""
        self.epoch, self.last_line = epoch, time.monotonic()
        self.started = self.last_line - elapsed
        if self._began is None:
            self._began = self.last_line
        self.seen, self.loss_sum, self.right = 0, 0.0, 0
        if self.bar is not None:
            if self._task is None:
                self._task = self.bar.add_task("", total=self.steps, epoch="", text="")
            text = self.bar.tasks[0].fields[
                "text"
            ]  # stays until there is a newer one, so that the bar keeps its length
            self.bar.reset(self._task, epoch=f"{epoch}/{self.epochs}", text=text)

    @property
    def elapsed(self) -> float:
        """Seconds of this epoch."""
        return time.monotonic() - self.started

    def step(self, number: int, loss: float, right: int, examples: int) -> None:
        """Report step `number` (from 1) of this epoch."""
        self.seen += examples
        self.loss_sum += loss * examples
        self.right += right
        self._done += 1
        if self.bar is not None:
            self.bar.update(self._task, completed=number, text=f"{self._text()}  {self._left(number)}")
        elif time.monotonic() - self.last_line > INTERVAL:
            self.last_line = time.monotonic()
            self._line(
                f"epoch {self.epoch}/{self.epochs}  step {number}/{self.steps}  {self._text()}  {self._left(number)}"
            )

    def _left(self, number: int) -> str:
        """How long the rest of all epochs will take, at the speed so far."""
        each = (time.monotonic() - (self._began or 0.0)) / self._done
        seconds = round(each * (self.steps * (self.epochs - self.epoch + 1) - number))
        hours, minutes = seconds // 3600, seconds // 60 % 60
        return (f"{hours}:{minutes:02}" if hours else f"{minutes}") + f":{seconds % 60:02} left"

    def _text(self) -> str:
        return f"loss {self.loss:.4f}  accuracy {100 * self.accuracy:.1f} %  {self._rate():,.0f} examples/s"

    def _rate(self) -> float:
        return self.seen / max(self.elapsed, 1e-9)

    @property
    def loss(self) -> float:
        """Mean loss of the epoch so far."""
        return self.loss_sum / max(self.seen, 1)

    @property
    def accuracy(self) -> float:
        """Share of right answers of the epoch so far."""
        return self.right / max(self.seen, 1)

    def end(self, validation_loss: float, validation_accuracy: float) -> None:
        """Close the epoch with its validation."""
        self.say(
            f"epoch {self.epoch}/{self.epochs}  loss {self.loss:.4f}  accuracy {100 * self.accuracy:.1f} %  "
            f"validation {validation_loss:.4f}  {100 * validation_accuracy:.1f} %  {self._rate():,.0f}/s"
        )

    def say(self, text: str) -> None:
        """Print a line, above the bar if there is one."""
        if self.bar is not None:
            self.bar.console.print(text, highlight=False, markup=False, soft_wrap=True)
        else:
            self._line(text)

    def _line(self, text: str) -> None:
        print(text, file=self.stream, flush=True)
