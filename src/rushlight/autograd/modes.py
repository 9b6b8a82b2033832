"""Grad mode and inference mode: one immutable record in one context variable, read once an operator."""

from __future__ import annotations

import functools
import inspect
from contextvars import ContextVar
from typing import Any

from ..settings import warn


class Mode:
    """What an operator must know about its surroundings."""

    __slots__ = ("grad", "inference")

    def __init__(self, grad: bool, inference: bool = False) -> None:
        self.grad, self.inference = grad, inference


GRAD, NO_GRAD, INFERENCE = Mode(True), Mode(False), Mode(False, True)
GRAD_IN_INFERENCE = Mode(True, True)
_variable: ContextVar[Mode] = ContextVar("rushlight_mode", default=GRAD)
get_mode = _variable.get


def is_grad_enabled() -> bool:
    """Whether operators record a graph in this thread (or task).

    >>> import rushlight as torch
    >>> with torch.no_grad():
    ...     torch.is_grad_enabled()
    False
    """
    return get_mode().grad


def is_inference_mode_enabled() -> bool:
    """Whether tensors made now are inference tensors."""
    return get_mode().inference


class _Guard:
    """A context manager that is also a decorator, for functions, generators and classes' methods alike."""

    def _mode(self) -> Mode:
        raise NotImplementedError

    def __enter__(self) -> Any:
        # A stack, since one guard may be entered again while it is active.
        self.__dict__.setdefault("_before", []).append(get_mode())
        _variable.set(self._mode())
        return self

    def __exit__(self, *_: object) -> None:
        _variable.set(self._before.pop())  # type: ignore[attr-defined]

    def clone(self) -> Any:
        return self.__class__()

    def __call__(self, function: Any) -> Any:
        if inspect.isclass(function):
            warn(
                "Decorating classes is deprecated and will be disabled in future versions. You should only decorate "
                "functions or methods. To preserve the current behavior of class decoration, you can directly decorate "
                "the `__init__` method and nothing else.",
                FutureWarning,
            )
            function.__init__ = self(function.__init__)  # type: ignore[method-assign]
            return function
        if inspect.isgeneratorfunction(function):
            return self._generator(function)

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            with self.clone():
                return function(*args, **kwargs)

        return wrapper

    def _generator(self, function: Any) -> Any:
        """Run each step of a generator under the mode, and the code between its steps outside of it."""

        @functools.wraps(function)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            generator = function(*args, **kwargs)
            send: Any = functools.partial(next, generator)
            while True:
                try:
                    with self.clone():
                        value = send()
                except StopIteration as stop:
                    return stop.value
                try:
                    got = yield value
                    send = functools.partial(generator.send, got)
                except GeneratorExit:
                    with self.clone():
                        generator.close()
                    raise
                except BaseException as error:
                    send = functools.partial(generator.throw, error)

        return wrapper


class no_grad(_Guard):
    """Operators record no graph inside; usable as `with no_grad():` and `@no_grad()`.

    >>> import rushlight as torch
    >>> x = torch.ones(2, requires_grad=True)
    >>> with torch.no_grad():
    ...     y = x * 2
    >>> y.requires_grad
    False
    """

    def __new__(cls, function: Any = None) -> Any:
        guard = super().__new__(cls)
        return guard if function is None else guard(function)

    def _mode(self) -> Mode:
        return INFERENCE if get_mode().inference else NO_GRAD


class enable_grad(_Guard):
    """Operators record the graph inside, also within `no_grad`."""

    def __new__(cls, function: Any = None) -> Any:
        guard = super().__new__(cls)
        return guard if function is None else guard(function)

    def _mode(self) -> Mode:
        return GRAD_IN_INFERENCE if get_mode().inference else GRAD


class set_grad_enabled(_Guard):
    """Switch recording on or off, at once; as a context manager the old mode comes back at its end."""

    def __init__(self, mode: bool) -> None:
        self.enabled = bool(mode)
        self._first = [get_mode()]
        _variable.set(self._mode())

    def _mode(self) -> Mode:
        if get_mode().inference:
            return GRAD_IN_INFERENCE if self.enabled else INFERENCE
        return GRAD if self.enabled else NO_GRAD

    def __enter__(self) -> Any:
        before = self._first.pop() if self._first else get_mode()
        self.__dict__.setdefault("_before", []).append(before)
        _variable.set(self._mode())
        return self

    def clone(self) -> Any:
        guard = object.__new__(set_grad_enabled)
        guard.enabled, guard._first = self.enabled, []
        return guard

    def __call__(self, function: Any) -> Any:
        if self._first:  # used as a decorator: the mode of the definition site stays as it was
            _variable.set(self._first.pop())
        return super().__call__(function)


class inference_mode(_Guard):
    """Like `no_grad`, and tensors made inside may never enter a graph (PyTorch's `inference_mode`)."""

    enabled: bool

    def __new__(cls, mode: Any = True) -> Any:
        guard = super().__new__(cls)
        guard.enabled = True
        if callable(mode):
            return guard(mode)
        guard.enabled = bool(mode)
        return guard

    def __init__(self, mode: Any = True) -> None:
        pass

    def _mode(self) -> Mode:
        return INFERENCE if self.enabled else GRAD

    def clone(self) -> Any:
        return inference_mode(self.enabled)
