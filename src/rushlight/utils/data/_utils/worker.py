"""The worker process of a DataLoader: it takes indices, sends batches, and dies with its parent."""

import contextlib
import os
import queue
import random
import select
import signal
import threading
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

import rushlight
from rushlight.backend.native import set_num_threads
from rushlight.utils.data._utils import shared

PARENT_CHECK_INTERVAL = 2.0  # seconds, where the system cannot tell us when the parent dies


@dataclass(frozen=True)
class WorkerInfo:
    """What a worker may know of itself: `id`, `num_workers`, `seed`, and its copy of the `dataset`."""

    id: int
    num_workers: int
    seed: int
    dataset: Any
    rng: Any = None
    worker_method: str = "multiprocessing"


_worker_info: WorkerInfo | None = None


def get_worker_info() -> WorkerInfo | None:
    """The `WorkerInfo` of the DataLoader worker that this is, None in the main process.

    >>> get_worker_info() is None
    True
    """
    return _worker_info


def _generate_state(base_seed: int, worker_id: int) -> list[int]:
    """Four words to seed NumPy with, different for every worker and epoch."""
    words = [worker_id, base_seed & 0xFFFFFFFF, base_seed >> 32, 0]
    return [int(w) for w in np.random.SeedSequence(words).generate_state(4)]


class KeyErrorMessage(str):
    """A text that a KeyError shows as it is, line breaks and all."""

    def __repr__(self) -> str:
        return str(self)


class ExceptionWrapper:
    """An exception on its way to another process: its type, and its traceback as text."""

    def __init__(self, error: BaseException, where: str) -> None:
        self.exc_type: Any = type(error)
        self.name = type(error).__name__
        self.exc_msg = "".join(traceback.format_exception(error))
        self.where = where

    def reraise(self) -> None:
        # No local variable holds the exception: with its traceback that would be a cycle that keeps the iterator.
        raise self._rebuild()

    def _rebuild(self) -> Any:
        message = f"Caught {self.name} {self.where}.\nOriginal {self.exc_msg}"
        if self.exc_type is KeyError:
            return KeyError(KeyErrorMessage(message))
        if getattr(self.exc_type, "message", None):
            return self.exc_type(message=message)
        try:
            return self.exc_type(message)
        except Exception:  # a constructor of another form
            return RuntimeError(message)


class StreamEnd:
    """Sent in place of a batch: this worker's part of an IterableDataset is read to its end."""


@dataclass
class Job:
    """Everything a worker needs to know at its start."""

    dataset: Any
    fetcher: Any
    auto_collation: bool
    collate_fn: Any
    drop_last: bool
    base_seed: int
    init_fn: Any
    worker_id: int
    num_workers: int
    parent: int


class Inbox(threading.Thread):
    """Reads what the parent sends, so that it never waits for this worker; ends the process when the parent is dead."""

    def __init__(self, connection: Connection, parent: int) -> None:
        super().__init__(daemon=True)
        self.connection = connection
        self.parent = parent
        self.messages: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.epoch = 0  # of the newest message: what is older need not be done

    def run(self) -> None:
        wait = self._wait_for_either() if hasattr(os, "pidfd_open") else self._wait_and_look()
        try:
            while next(wait) and (message := self.connection.recv()) is not None:
                self.epoch = message[0]
                self.messages.put(message)
        except (EOFError, OSError):  # the parent has closed its end
            pass
        self.epoch = -1
        self.messages.put(None)

    def _wait_for_either(self) -> Iterator[bool]:
        """True whenever a message is there; ends the process at once when its parent ends."""
        try:
            watch = os.pidfd_open(self.parent)
        except ProcessLookupError:
            os._exit(1)
        poll = select.poll()
        poll.register(watch, select.POLLIN)
        poll.register(self.connection.fileno(), select.POLLIN)
        while True:
            if any(fd == watch for fd, _ in poll.poll()):
                os._exit(1)
            yield True

    def _wait_and_look(self) -> Iterator[bool]:
        """The same, with a look now and then, where the system cannot tell."""
        grandparent = os.getppid()
        while True:
            if self.connection.poll(PARENT_CHECK_INTERVAL):
                yield True
            elif os.getppid() != grandparent:
                os._exit(1)


def worker_loop(connection: Connection, job: Job, close: list[Connection]) -> None:
    """The main function of a worker. `close` are the parent's ends of pipes that a fork has copied."""
    global _worker_info
    for other in close:
        other.close()
    # Ctrl-C reaches the whole process group: the parent decides what to do.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # OpenMP's threads did not survive the fork: one thread never asks for them.
    set_num_threads(1)
    seed = job.base_seed + job.worker_id
    random.seed(seed)
    rushlight.manual_seed(seed)
    np.random.seed(_generate_state(job.base_seed, job.worker_id))
    _worker_info = WorkerInfo(job.worker_id, job.num_workers, seed, job.dataset)
    sender = shared.Sender(connection, max(8, shared.MAPPED // job.num_workers))
    shared.use(sender)
    inbox = Inbox(connection, job.parent)
    inbox.start()
    with contextlib.suppress(KeyboardInterrupt, BrokenPipeError, ConnectionResetError):
        _serve(job, inbox, sender)


def _serve(job: Job, inbox: Inbox, sender: shared.Sender) -> None:
    where = f"in DataLoader worker process {job.worker_id}"
    fetcher: Any = None
    broken: ExceptionWrapper | None = None
    epoch = -1
    try:
        if job.init_fn is not None:
            job.init_fn(job.worker_id)
    except Exception as e:
        broken = ExceptionWrapper(e, where)
    while (message := inbox.messages.get()) is not None:
        asked, number, index, returned = message
        for block, reusable in returned:
            sender.give_back(block, reusable)
        if asked != inbox.epoch:
            continue
        data: Any = broken
        if data is None:
            try:
                if asked != epoch:
                    fetcher = job.fetcher(job.dataset, job.auto_collation, job.collate_fn, job.drop_last)
                    epoch = asked
                sender.begin()
                data = fetcher.fetch(index)
            except Exception as e:
                if isinstance(e, StopIteration) and hasattr(fetcher, "ended"):
                    data, fetcher.ended = StreamEnd(), True
                else:
                    data = ExceptionWrapper(e, where)
        try:
            sender.send((asked, number), data)
        except (BrokenPipeError, ConnectionResetError):
            raise
        except Exception as e:
            failure = data if isinstance(data, ExceptionWrapper) else ExceptionWrapper(e, where)
            failure.exc_type = RuntimeError if isinstance(data, ExceptionWrapper) else failure.exc_type
            sender.send((asked, number), failure)
        del data
