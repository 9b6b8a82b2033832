"""Which of our objects each PyTorch name in a checkpoint means, and the other way about."""

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
    if not isinstance(module, str) or module.split(".")[0] not in ("rushlight", "torch", "torchvision"):
        return "", None
    found = name or getattr(obj, "__qualname__", None) or obj.__name__
    if module.split(".")[0] == "rushlight":
        module = module.replace("rushlight.vision", "torchvision", 1) if module.startswith("rushlight.vision") else (
            "torch" + module.removeprefix("rushlight")
        )  # fmt: skip
    return module, found


@functools.cache
def find(module: str, name: str) -> Any:
    """Our object for a PyTorch name; AttributeError or ModuleNotFoundError when there is none."""
    package, _, rest = module.partition(".")
    ours = {"torch": "rushlight", "torchvision": "rushlight.vision"}[package]
    target = f"{ours}.{rest}" if rest else ours
    try:
        holder = sys.modules.get(target) or importlib.import_module(target)
    except ModuleNotFoundError:
        # PyTorch's files inside a package are not ours, but what they define is in the package too.
        parent = target.rpartition(".")[0]
        while parent and parent not in sys.modules:
            parent = parent.rpartition(".")[0]
        holder = sys.modules[parent]
    found: Any = holder
    for part in name.split("."):
        if not hasattr(found, part):
            raise AttributeError(f"rushlight has no counterpart of {module}.{name}, which this checkpoint needs")
        found = getattr(found, part)
    return found
