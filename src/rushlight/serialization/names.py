"""Which of our objects each PyTorch name in a checkpoint means, and the other way about."""

import contextlib
import functools
import importlib
import sys
from typing import Any

from rushlight.ops.results import result_type


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
    top = found.partition(".")[0]  # the class, of a function inside one
    holder = obj if top == found else vars(sys.modules.get(module, sys)).get(top)
    for end in range(1, len(parts)):
        public = ".".join(parts[:end])
        if vars(sys.modules.get(public, sys)).get(top) is holder is not None:
            module = public
            break
    else:
        module = _published(module, top, holder)
    if module.startswith("rushlight.vision"):
        return "torchvision" + module.removeprefix("rushlight.vision"), found
    return "torch" + module.removeprefix("rushlight"), found


def _published(module: str, name: str, obj: Any) -> str:
    """Where PyTorch has what is in a file of ours: an operator among the functions, a layer in a file of its own."""
    if module.startswith("rushlight.nn."):
        files = importlib.import_module("rushlight.nn.modules").FILES
        places = [
            f"rushlight.nn.modules.{theirs}" for theirs, ours in files.items() if f"rushlight.nn.{ours}" == module
        ]
    else:
        places = ["rushlight.nn.functional", "rushlight.linalg", "rushlight.special", "rushlight.fft"]
    for place in places:
        if vars(sys.modules.get(place, sys)).get(name) is obj:
            return place
    return module


@functools.cache
def find(module: str, name: str) -> Any:
    """Our object for a PyTorch name; AttributeError when there is none."""
    if module == "torch.return_types":
        return result_type(name)
    if module == "torch._C._nn":  # functions that PyTorch writes in C++, F.gelu for one
        module = "torch.nn.functional"
    package, _, rest = module.partition(".")
    if "__" in module:  # a program, such as torch.__main__, runs when imported
        raise AttributeError(f"rushlight has no counterpart of {module}.{name}, which this checkpoint needs")
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
