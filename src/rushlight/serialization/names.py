"""Which of our objects each PyTorch name in a checkpoint means, and the other way about."""

import contextlib
import functools
import importlib
import sys
from typing import Any


class Name:
    """A global by its name alone; made once for each name, so that a pickle mentions it once."""

    _made: dict[tuple[str, str], "Name"] = {}
    module: str
    name: str

    def __new__(cls, module: str, name: str) -> "Name":
        found = cls._made.get((module, name))
        if found is None:
            found = cls._made[module, name] = super().__new__(cls)
            found.module, found.name = module, name
        return found

    def __call__(self) -> Any:
        raise TypeError(f"{self.module}.{self.name} is only a name")


def to_torch(obj: Any, name: str | None = None) -> tuple[str, str | None]:
    """The module and name under which PyTorch knows one of our classes or functions; no name if it is not ours."""
    module = getattr(obj, "__module__", None)
    if not isinstance(module, str) or module.split(".")[0] != "rushlight":
        return "", None
    found = name or getattr(obj, "__qualname__", None) or obj.__name__
    # Files differ, but the package that shows a thing to the world (rushlight.nn for Linear) is the same.
    parts = module.split(".")
    for end in range(1, len(parts) + 1):
        public = ".".join(parts[:end])
        if vars(sys.modules.get(public, sys)).get(found) is obj:
            module = public
            break
    if module.startswith("rushlight.vision"):
        return "torchvision" + module.removeprefix("rushlight.vision"), found
    return "torch" + module.removeprefix("rushlight"), found


@functools.cache
def find(module: str, name: str) -> Any:
    """Our object for a PyTorch name; AttributeError when there is none."""
    package, _, rest = module.partition(".")
    ours = {"torch": "rushlight", "torchvision": "rushlight.vision"}[package]
    # PyTorch's files inside a package need not be ours, but what they define is in the package too.
    target = f"{ours}.{rest}" if rest else ours
    while target:
        with contextlib.suppress(ModuleNotFoundError, AttributeError):
            found: Any = sys.modules.get(target) or importlib.import_module(target)
            for part in name.split("."):
                found = getattr(found, part)
            return found
        target = target.rpartition(".")[0]
    raise AttributeError(f"rushlight has no counterpart of {module}.{name}, which this checkpoint needs")
