"""Python's `multiprocessing`, through which tensors travel as shared memory, and `spawn`.

https://docs.pytorch.org/docs/stable/multiprocessing.html
"""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import signal
import sys
import tempfile
import traceback
from multiprocessing import *  # noqa: F403
from typing import Any

from .errors import unsupported

__all__ = [
    *multiprocessing.__all__,
    "get_all_sharing_strategies",
    "get_sharing_strategy",
    "set_sharing_strategy",
    "spawn",
    "start_processes",
]


def get_all_sharing_strategies() -> set[str]:
    """The ways in which tensors are shared."""
    return {"file_descriptor"}


def get_sharing_strategy() -> str:
    """How tensors are shared: by passing descriptors of memory."""
    return "file_descriptor"


def set_sharing_strategy(new_strategy: str) -> None:
    """Choose how tensors are shared; NotImplementedError for `file_system`."""
    if new_strategy == "file_system":
        raise unsupported("the sharing strategy 'file_system'", "Tensors are shared by 'file_descriptor'.")
    assert new_strategy in get_all_sharing_strategies()


class ProcessException(Exception):
    """A process that `spawn` has started did not end well."""

    def __init__(self, msg: str, error_index: int, pid: int) -> None:
        super().__init__(msg)
        self.msg, self.error_index, self.pid = msg, error_index, pid

    def __reduce__(self) -> Any:
        return type(self), (self.msg, self.error_index, self.pid)


class ProcessRaisedException(ProcessException):
    """The function raised an exception."""


class ProcessExitedException(ProcessException):
    """The process was killed, or left."""

    def __init__(
        self, msg: str, error_index: int, error_pid: int, exit_code: int, signal_name: str | None = None
    ) -> None:
        super().__init__(msg, error_index, error_pid)
        self.exit_code, self.signal_name = exit_code, signal_name

    def __reduce__(self) -> Any:
        return type(self), (self.msg, self.error_index, self.pid, self.exit_code, self.signal_name)


def _run(function: Any, i: int, args: tuple[Any, ...], error_file: str) -> None:
    try:
        function(i, *args)
    except KeyboardInterrupt:
        pass
    except Exception:
        with open(error_file, "w") as file:
            file.write(traceback.format_exc())
        sys.exit(1)


class ProcessContext:
    """The processes that `spawn(join=False)` has started."""

    def __init__(self, processes: list[Any], error_files: list[str]) -> None:
        self.processes, self.error_files = processes, error_files
        self.sentinels = {process.sentinel: i for i, process in enumerate(processes)}

    def pids(self) -> list[int]:
        """Their numbers."""
        return [int(process.pid) for process in self.processes]

    def join(self, timeout: float | None = None, grace_period: float | None = None) -> bool:
        """Wait for one to end; whether all have. The first that failed ends the others and raises its error."""
        if not self.sentinels:
            return True
        failed = None
        for sentinel in multiprocessing.connection.wait(list(self.sentinels), timeout):
            i = self.sentinels.pop(sentinel)
            self.processes[i].join()
            if self.processes[i].exitcode != 0:
                failed = i
                break
        if failed is None:
            if not self.sentinels:
                self._clean()
            return not self.sentinels
        for process in self.processes:
            if process.is_alive():
                process.terminate()
        for process in self.processes:
            process.join(grace_period or 30)
            if process.is_alive():
                process.kill()
                process.join()
        raise self._error(failed)

    def _error(self, i: int) -> ProcessException:
        process = self.processes[i]
        with open(self.error_files[i]) as file:
            said = file.read()
        self._clean()
        if said:
            text = f"\n\n-- Process {i} terminated with the following error:\n{said}"
            return ProcessRaisedException(text, i, process.pid)
        if process.exitcode < 0:
            name = signal.Signals(-process.exitcode).name
            text = f"process {i} terminated with signal {name}"
            return ProcessExitedException(text, i, process.pid, process.exitcode, name)
        text = f"process {i} terminated with exit code {process.exitcode}"
        return ProcessExitedException(text, i, process.pid, process.exitcode)

    def _clean(self) -> None:
        for name in self.error_files:
            if os.path.exists(name):
                os.unlink(name)


def start_processes(
    fn: Any, args: tuple[Any, ...] = (), nprocs: int = 1, join: bool = True, daemon: bool = False,
    start_method: str = "spawn",
) -> ProcessContext | None:  # fmt: skip
    """Run `fn(i, *args)` in `nprocs` processes, i from 0; wait for them unless `join` is False."""
    context: Any = multiprocessing.get_context(start_method)
    processes, error_files = [], []
    for i in range(nprocs):
        handle, name = tempfile.mkstemp(prefix="rushlight-spawn-", suffix=".error")
        os.close(handle)
        process = context.Process(target=_run, args=(fn, i, args, name), daemon=daemon)
        process.start()
        processes.append(process)
        error_files.append(name)
    found = ProcessContext(processes, error_files)
    if not join:
        return found
    while not found.join():
        pass
    return None


def spawn(
    fn: Any, args: tuple[Any, ...] = (), nprocs: int = 1, join: bool = True, daemon: bool = False,
    start_method: str = "spawn",
) -> ProcessContext | None:  # fmt: skip
    """`start_processes` with fresh interpreters: `fn` must be importable.

    ProcessRaisedException with its traceback when a process raises, ProcessExitedException when one dies.
    """
    return start_processes(fn, args, nprocs, join, daemon, start_method)
