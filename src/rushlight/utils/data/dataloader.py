"""The DataLoader: batches of a dataset, made here or by worker processes."""

import contextlib
import itertools
import os
import signal
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import Connection
from typing import Any, Generic, TypeVar

from rushlight.settings import warn
from rushlight.utils.data._utils import collate as collation
from rushlight.utils.data._utils.collate import default_collate, default_convert
from rushlight.utils.data._utils.fetch import _IterableDatasetFetcher, _MapDatasetFetcher
from rushlight.utils.data._utils.worker import (
    ExceptionWrapper,
    Job,
    StreamEnd,
    WorkerInfo,
    get_worker_info,
    worker_loop,
)
from rushlight.utils.data.dataset import IterableDataset
from rushlight.utils.data.sampler import BatchSampler, RandomSampler, Sampler, SequentialSampler, draw_seed

__all__ = ["DataLoader", "WorkerInfo", "default_collate", "default_convert", "get_worker_info"]

T_co = TypeVar("T_co", covariant=True)
SHUTDOWN_PATIENCE = 5.0  # seconds for a worker to finish the batch it is at


class _DatasetKind:
    Map = 0
    Iterable = 1

    @staticmethod
    def create_fetcher(kind: int, dataset: Any, auto_collation: bool, collate_fn: Any, drop_last: bool) -> Any:
        return _FETCHERS[kind](dataset, auto_collation, collate_fn, drop_last)


_FETCHERS: dict[int, Any] = {_DatasetKind.Map: _MapDatasetFetcher, _DatasetKind.Iterable: _IterableDatasetFetcher}


class _InfiniteConstantSampler(Sampler[Any]):
    """None for ever: the "indices" of an IterableDataset."""

    def __iter__(self) -> Iterator[Any]:
        return itertools.repeat(None)


class DataLoader(Generic[T_co]):
    """Iterates over the batches of a dataset, each pass anew.

    `batch_size=None` yields samples instead of batches. With `num_workers`, processes make the batches and send them
    through shared memory, `prefetch_factor` (2) of them ahead each. Every pass draws a base seed from `generator` (or
    the default one) first; a shuffling sampler draws from there on. Worker `i` is seeded with base seed + i.
    Follows https://docs.pytorch.org/docs/stable/data.html#torch.utils.data.DataLoader

    >>> list(DataLoader(range(5), batch_size=2))
    [tensor([0, 1]), tensor([2, 3]), tensor([4])]
    """

    dataset: Any
    batch_size: int | None
    num_workers: int
    drop_last: bool
    timeout: float
    sampler: Any
    batch_sampler: Any
    prefetch_factor: int | None
    generator: Any
    _iterator: Any = None
    __initialized = False

    def __init__(
        self,
        dataset: Any,
        batch_size: int | None = 1,
        shuffle: bool | None = None,
        sampler: Sampler[Any] | Iterable[Any] | None = None,
        batch_sampler: Sampler[list[Any]] | Iterable[list[Any]] | None = None,
        num_workers: int = 0,
        collate_fn: Callable[[list[Any]], Any] | None = None,
        pin_memory: bool = False,
        drop_last: bool = False,
        timeout: float = 0,
        worker_init_fn: Callable[[int], None] | None = None,
        multiprocessing_context: Any = None,
        generator: Any = None,
        *,
        prefetch_factor: int | None = None,
        persistent_workers: bool = False,
        pin_memory_device: str = "",
        in_order: bool = True,
    ) -> None:
        if num_workers < 0:
            raise ValueError("num_workers option should be non-negative; use num_workers=0 to disable multiprocessing.")
        if timeout < 0:
            raise ValueError("timeout option should be non-negative")
        if num_workers == 0 and prefetch_factor is not None:
            raise ValueError(
                "prefetch_factor option could only be specified in multiprocessing."
                "let num_workers > 0 to enable multiprocessing, otherwise set prefetch_factor to None."
            )
        if num_workers > 0 and prefetch_factor is None:
            prefetch_factor = 2
        elif prefetch_factor is not None and prefetch_factor < 0:
            raise ValueError("prefetch_factor option should be non-negative")
        if persistent_workers and num_workers == 0:
            raise ValueError("persistent_workers option needs num_workers > 0")
        self.dataset = dataset
        self.num_workers = num_workers
        self.prefetch_factor = prefetch_factor
        self.pin_memory = pin_memory
        self.pin_memory_device = pin_memory_device
        self.timeout = timeout
        self.worker_init_fn = worker_init_fn
        self.multiprocessing_context = multiprocessing_context
        self.in_order = in_order
        self._dataset_kind = _DatasetKind.Iterable if isinstance(dataset, IterableDataset) else _DatasetKind.Map
        if self._dataset_kind == _DatasetKind.Iterable:
            _refuse_order(shuffle, sampler, batch_sampler)
        if sampler is not None and shuffle:
            raise ValueError("sampler option is mutually exclusive with shuffle")
        if batch_sampler is not None:
            if batch_size != 1 or shuffle or sampler is not None or drop_last:
                raise ValueError(
                    "batch_sampler option is mutually exclusive with batch_size, shuffle, sampler, and drop_last"
                )
            batch_size = None
        elif batch_size is None and drop_last:
            raise ValueError("batch_size=None option disables auto-batching and is mutually exclusive with drop_last")
        if sampler is None:
            if self._dataset_kind == _DatasetKind.Iterable:
                sampler = _InfiniteConstantSampler()
            elif shuffle:
                sampler = RandomSampler(dataset, generator=generator)
            else:
                sampler = SequentialSampler(dataset)
        if batch_size is not None and batch_sampler is None:
            batch_sampler = BatchSampler(sampler, batch_size, drop_last)
        self.batch_size = batch_size
        self.drop_last = drop_last
        self.sampler = sampler
        self.batch_sampler = batch_sampler
        self.generator = generator
        if collate_fn is None:
            # by the module, so that a replaced default_collate counts
            collate_fn = collation.default_collate if self._auto_collation else collation.default_convert
        self.collate_fn = collate_fn
        self.persistent_workers = persistent_workers
        self.__initialized = True
        self._IterableDataset_len_called: int | None = None
        self._iterator = None
        self.check_worker_number_rationality()

    def __setattr__(self, name: str, value: Any) -> None:
        if self.__initialized and name in (
            "batch_size", "batch_sampler", "sampler", "drop_last", "dataset", "persistent_workers",
        ):  # fmt: skip
            raise ValueError(f"{name} attribute should not be set after {type(self).__name__} is initialized")
        super().__setattr__(name, value)

    @property
    def multiprocessing_context(self) -> Any:
        return self.__multiprocessing_context

    @multiprocessing_context.setter
    def multiprocessing_context(self, context: Any) -> None:
        if context is not None:
            if self.num_workers == 0:
                raise ValueError(
                    "multiprocessing_context can only be used with multi-process loading (num_workers > 0), but got "
                    f"num_workers={self.num_workers}"
                )
            import multiprocessing
            from multiprocessing.context import BaseContext

            if isinstance(context, str):
                methods = multiprocessing.get_all_start_methods()
                if context not in methods:
                    raise ValueError(
                        "multiprocessing_context option should specify a valid start method in "
                        f"{methods!r}, but got multiprocessing_context={context!r}"
                    )
                context = multiprocessing.get_context(context)
            if not isinstance(context, BaseContext):
                raise TypeError(
                    "multiprocessing_context option should be a valid context object or a string specifying the "
                    f"start method, but got multiprocessing_context={context}"
                )
        self.__multiprocessing_context = context

    def _get_iterator(self) -> "_BaseDataLoaderIter":
        if self.num_workers == 0:
            return _SingleProcessDataLoaderIter(self)
        self.check_worker_number_rationality()
        return _MultiProcessingDataLoaderIter(self)

    def __iter__(self) -> "_BaseDataLoaderIter":
        if not (self.persistent_workers and self.num_workers > 0):
            return self._get_iterator()
        if self._iterator is None:
            self._iterator = self._get_iterator()
        else:
            self._iterator._reset(self)
        return self._iterator  # type: ignore[no-any-return]

    @property
    def _auto_collation(self) -> bool:
        return self.batch_sampler is not None

    @property
    def _index_sampler(self) -> Any:
        return self.batch_sampler if self._auto_collation else self.sampler

    def __len__(self) -> int:
        if self._dataset_kind == _DatasetKind.Map:
            return len(self._index_sampler)
        # An estimate: what the dataset says, though each worker may have a copy of it.
        length = self._IterableDataset_len_called = len(self.dataset)
        if self.batch_size is None:
            return length
        return length // self.batch_size if self.drop_last else -(-length // self.batch_size)

    def check_worker_number_rationality(self) -> None:
        """Warn about more workers than this process may use cores."""
        if not self.num_workers:
            return
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        if cores is None or self.num_workers > cores:
            known = f"is {cores}, which is smaller than what this DataLoader is going to create"
            known = known if cores else "is unknown"
            warn(
                f"This DataLoader will create {self.num_workers} worker processes in total. Our suggested max number "
                f"of worker in current system {known}. Please be aware that excessive worker creation might get "
                "DataLoader running slow or even freeze, lower the worker number to avoid potential slowness/freeze "
                "if necessary.",
            )


def _refuse_order(shuffle: Any, sampler: Any, batch_sampler: Any) -> None:
    """An IterableDataset has its own order."""
    for name, value in (("shuffle", shuffle or None), ("sampler", sampler), ("batch_sampler", batch_sampler)):
        if value is not None:
            raise ValueError(
                f"DataLoader with IterableDataset: expected unspecified {name} option, but got {name}={value}"
            )


class _BaseDataLoaderIter:
    """One pass over a loader."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        self._dataset = loader.dataset
        self._dataset_kind = loader._dataset_kind
        self._auto_collation = loader._auto_collation
        self._drop_last = loader.drop_last
        self._index_sampler = loader._index_sampler
        self._num_workers = loader.num_workers
        self._timeout = loader.timeout
        self._collate_fn = loader.collate_fn
        self._persistent_workers = loader.persistent_workers
        self._base_seed = draw_seed(loader.generator)
        if loader.pin_memory_device:
            warn(
                "pin_memory_device is deprecated, the current accelerator will be used as the device,"
                f"ignore pin_memory_device='{loader.pin_memory_device}'.",
            )
        if loader.pin_memory:
            warn(
                "'pin_memory' argument is set as true but no accelerator is found, then device pinned memory won't "
                "be used.",
            )
        self._begin(loader)

    def _begin(self, loader: DataLoader[Any]) -> None:
        self._sampler_iter = iter(self._index_sampler)
        self._num_yielded = 0
        self._IterableDataset_len_called = loader._IterableDataset_len_called

    def _reset(self, loader: DataLoader[Any]) -> None:
        self._begin(loader)

    def __iter__(self) -> "_BaseDataLoaderIter":
        return self

    def _next_index(self) -> Any:
        return next(self._sampler_iter)

    def _next_data(self) -> Any:
        raise NotImplementedError

    def __next__(self) -> Any:
        data = self._next_data()
        self._num_yielded += 1
        expected = self._IterableDataset_len_called
        if self._dataset_kind == _DatasetKind.Iterable and expected is not None and self._num_yielded > expected:
            message = (
                f"Length of IterableDataset {self._dataset} was reported to be {expected}(when accessing "
                f"len(dataloader)), but {self._num_yielded} samples have been fetched. "
            )
            if self._num_workers > 0:
                message += (
                    "For multiprocessing data-loading, this could be caused by not properly configuring the "
                    "IterableDataset replica at each worker. Please see https://pytorch.org/docs/stable/data.html"
                    "#torch.utils.data.IterableDataset for examples."
                )
            warn(message)
        return data

    def __len__(self) -> int:
        return len(self._index_sampler)

    def __getstate__(self) -> Any:
        raise NotImplementedError("{} cannot be pickled", type(self).__name__)


class _SingleProcessDataLoaderIter(_BaseDataLoaderIter):
    """Batches made in this process, when they are asked for."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        super().__init__(loader)
        self._dataset_fetcher = _DatasetKind.create_fetcher(
            self._dataset_kind, self._dataset, self._auto_collation, self._collate_fn, self._drop_last
        )

    def _next_data(self) -> Any:
        return self._dataset_fetcher.fetch(self._next_index())


class _Worker:
    """A worker process as its parent sees it."""

    connection: Connection

    def __init__(self, context: Any, job: Job, earlier: list["_Worker"]) -> None:
        from rushlight.utils.data._utils import shared

        pipe: tuple[Connection, Connection] = context.Pipe(duplex=True)
        ours, theirs = pipe
        copied = [*[w.connection for w in earlier], ours] if context.get_start_method() == "fork" else []
        self.process = context.Process(target=worker_loop, args=(theirs, job, copied), daemon=True)
        self.connection = ours
        self.receiver = shared.Receiver(ours)
        with warnings.catch_warnings():
            # Newer Pythons warn of any fork beside a thread; a worker touches none of the parent's locks or pools.
            warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)
            self.process.start()
        theirs.close()
        self.alive = True  # False once its part of an IterableDataset is read
        self.tasks = 0

    def ask(self, epoch: int, number: int, index: Any) -> None:
        self.tasks += 1
        # A dead worker is noticed when its answer is waited for.
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.connection.send((epoch, number, index, self.receiver.take_returned()))


class _MultiProcessingDataLoaderIter(_BaseDataLoaderIter):
    """Batches made by workers, each asked for in turn, and yielded in the order asked (unless `in_order=False`)."""

    def __init__(self, loader: DataLoader[Any]) -> None:
        self._shutdown = True
        super().__init__(loader)
        import multiprocessing

        context: Any = loader.multiprocessing_context or multiprocessing.get_context()
        self._prefetch_factor = loader.prefetch_factor or 0
        self._in_order = loader.in_order
        self._pid = os.getpid()
        self._epoch = 0
        self._workers: list[_Worker] = []
        self._shutdown = False
        for i in range(self._num_workers):
            job = Job(
                self._dataset,
                _FETCHERS[self._dataset_kind],
                self._auto_collation,
                self._collate_fn,
                self._drop_last,
                self._base_seed,
                loader.worker_init_fn,
                i,
                self._num_workers,
                self._pid,
            )
            self._workers.append(_Worker(context, job, self._workers))
        self._start_epoch()

    def _reset(self, loader: DataLoader[Any]) -> None:
        super()._reset(loader)
        self._epoch += 1
        self._start_epoch()

    def _start_epoch(self) -> None:
        self._send_idx = 0  # the next batch to ask for
        self._rcvd_idx = 0  # the next batch to yield
        self._asked: dict[int, _Worker] = {}
        self._arrived: dict[int, Any] = {}
        for w in self._workers:
            w.alive, w.tasks = True, 0
        self._turns = itertools.cycle(self._workers)
        for _ in range(self._prefetch_factor * self._num_workers):
            self._ask_next()

    def _ask_next(self) -> None:
        """Ask the next worker in turn for the next batch; out of order, only one with fewer than its share to do."""
        for worker in itertools.islice(self._turns, self._num_workers):
            if worker.alive and (self._in_order or worker.tasks < self._prefetch_factor):
                break
        else:
            return
        try:
            index = self._next_index()
        except StopIteration:
            return
        worker.ask(self._epoch, self._send_idx, index)
        self._asked[self._send_idx] = worker
        self._send_idx += 1

    def _next_data(self) -> Any:
        while True:
            # Batches asked of workers whose stream has ended will not come.
            while self._rcvd_idx < self._send_idx:
                number = self._rcvd_idx
                if number in self._arrived or (number in self._asked and self._asked[number].alive):
                    break
                self._asked.pop(number, None)
                self._rcvd_idx += 1
            else:
                if not self._persistent_workers:
                    self._shutdown_workers()
                raise StopIteration
            if self._rcvd_idx in self._arrived:
                return self._deliver(self._rcvd_idx, self._arrived.pop(self._rcvd_idx))
            number, data = self._receive()
            worker = self._asked[number]
            worker.tasks -= 1
            if isinstance(data, StreamEnd):
                worker.alive = False
                self._ask_next()
            elif number == self._rcvd_idx or not self._in_order:
                return self._deliver(number, data)
            else:
                self._arrived[number] = data

    def _deliver(self, number: int, data: Any) -> Any:
        self._asked.pop(number)
        if number == self._rcvd_idx:
            self._rcvd_idx += 1
        self._ask_next()
        if isinstance(data, ExceptionWrapper):
            data.reraise()
        return data

    def _receive(self) -> tuple[int, Any]:
        """The next answer of this epoch, from any worker."""
        from multiprocessing.connection import wait

        deadline = time.monotonic() + self._timeout if self._timeout > 0 else None
        sources: list[Any] = []
        by_connection: dict[Any, _Worker] = {}
        for w in self._workers:
            if w.alive:
                by_connection[w.connection] = w
                sources += [w.connection, w.process.sentinel]
        while True:
            ready = wait(sources, None if deadline is None else max(0.0, deadline - time.monotonic()))
            if not ready:
                raise RuntimeError(f"DataLoader timed out after {self._timeout} seconds")
            answered = [by_connection[source] for source in ready if source in by_connection]
            for worker in answered:
                try:
                    (epoch, number), data = worker.receiver.receive()
                except (EOFError, OSError):
                    self._fail(worker)
                if epoch == self._epoch:
                    return number, data
            if not answered:  # a sentinel alone: that worker will never answer
                self._fail(next(w for w in self._workers if w.process.sentinel in ready))

    def _fail(self, worker: _Worker) -> None:
        """Raise what became of a worker that has died."""
        worker.process.join(SHUTDOWN_PATIENCE)
        pid, code = worker.process.pid, worker.process.exitcode
        self._shutdown_workers()
        if code is not None and code < 0:
            name = signal.strsignal(-code) or str(-code)
            hint = (
                " It is possible that dataloader's workers are out of shared memory. Please try to raise your shared "
                "memory limit." if -code == getattr(signal, "SIGBUS", 0) else ""
            )  # fmt: skip
            raise RuntimeError(f"DataLoader worker (pid {pid}) is killed by signal: {name}. {hint}") from None
        raise RuntimeError(
            f"DataLoader worker (pid(s) {pid}) exited unexpectedly\n"
            f"Its exit code was {code}. Details are lost; num_workers=0 may show them."
        ) from None

    def _shutdown_workers(self) -> None:
        if self._shutdown or self._pid != os.getpid():  # in a forked child, the workers are not ours
            return
        self._shutdown = True
        for w in self._workers:
            with contextlib.suppress(OSError):
                w.connection.send(None)
            w.connection.close()
        deadline = time.monotonic() + SHUTDOWN_PATIENCE
        for w in self._workers:
            w.process.join(max(0.0, deadline - time.monotonic()))
            for stop in (w.process.terminate, w.process.kill):
                if w.process.is_alive():
                    stop()
                    w.process.join(1.0)

    def __del__(self) -> None:
        self._shutdown_workers()


__all__ += ["_BaseDataLoaderIter", "_MultiProcessingDataLoaderIter", "_SingleProcessDataLoaderIter"]
_collate_fn_t = Callable[[list[Any]], Any]
