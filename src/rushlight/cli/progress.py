"""How a training run shows itself: a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from typing import Any


class Progress:
    """Loss, accuracy, examples a second and the time left of an epoch.

    On a terminal with `rich` installed a bar that moves; else a line every few seconds and one at the end.
    """

    def __init__(self, epochs: int, steps: int, stream: Any = None) -> None:
        self.epochs, self.steps = epochs, steps
        self.stream = stream or sys.stdout
        self.bar = self._bar() if self.stream.isatty() else None
        self._task: Any = None

    def _bar(self) -> Any:
        try:
            from rich.console import Console
            from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as RichProgress
        except ImportError:
            return None
        return RichProgress(
            TextColumn("epoch {task.fields[epoch]}"), BarColumn(bar_width=None), TextColumn("{task.fields[text]}"),
            TimeRemainingColumn(), console=Console(file=self.stream),
        )  # fmt: skip

    def __enter__(self) -> Progress:
        if self.bar is not None:
            self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.stop()

    def begin(self, epoch: int) -> None:
        """Start epoch number `epoch` (from 1)."""
        self.epoch, self.started, self.last_line = epoch, time.monotonic(), time.monotonic()
        self.seen, self.loss_sum, self.right = 0, 0.0, 0
        if self.bar is not None:
            if self._task is not None:
                self.bar.remove_task(self._task)
            self._task = self.bar.add_task("", total=self.steps, epoch=f"{epoch}/{self.epochs}", text="")

    def step(self, number: int, loss: float, right: int, examples: int) -> None:
        """Report step `number` (from 1) of this epoch."""
        self.seen += examples
        self.loss_sum += loss * examples
        self.right += right
        if self.bar is not None:
            self.bar.update(self._task, completed=number, text=self._text())
        elif time.monotonic() - self.last_line > 5:
            self.last_line = time.monotonic()
            left = (self.last_line - self.started) / number * (self.steps - number)
            self._line(f"epoch {self.epoch}/{self.epochs}  step {number}/{self.steps}  {self._text()}  {left:.0f} s left")

    def _text(self) -> str:
        rate = self.seen / max(time.monotonic() - self.started, 1e-9)
        return f"loss {self.loss:.4f}  accuracy {100 * self.accuracy:.1f} %  {rate:,.0f} examples/s"

    @property
    def loss(self) -> float:
        return self.loss_sum / max(self.seen, 1)

    @property
    def accuracy(self) -> float:
        return self.right / max(self.seen, 1)

    def end(self, validation_loss: float, validation_accuracy: float) -> None:
        """Close the epoch with its validation."""
        self.say(
            f"epoch {self.epoch}/{self.epochs}  {self._text()}  validation loss {validation_loss:.4f}  "
            f"accuracy {100 * validation_accuracy:.1f} %"
        )

    def say(self, text: str) -> None:
        """Print a line, above the bar if there is one."""
        if self.bar is not None:
            self.bar.console.print(text, highlight=False)
        else:
            self._line(text)

    def _line(self, text: str) -> None:
        print(text, file=self.stream, flush=True)
