"""Ctrl-C as a wish rather than an accident."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType


class Interrupted(Exception):
    """Ctrl-C was pressed, and the step at hand is finished."""


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

    def check(self) -> None:
        """Raise `Interrupted` if Ctrl-C was pressed."""
        if self.requested:
            raise Interrupted

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._before)


@contextlib.contextmanager
def held() -> Iterator[None]:
    """Ctrl-C waits until the block's end; processes started inside never see it, whatever their start method."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
