"""The one list of kernels: the NumPy references, with the native ones in front where they are loaded."""

import importlib
from typing import Any

from rushlight.backend import native
from rushlight.backend.native import empty_cache, get_num_threads, info, memory_stats, set_num_threads

FAMILIES = (
    "elementwise", "reduce", "optimizer", "matmul", "conv", "pool", "norm", "softmax", "index", "random",
)  # fmt: skip


def _gather() -> None:
    for family in FAMILIES:
        name = f"rushlight.backend.numpy.{family}"
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
            continue
        public = getattr(module, "__all__", None) or [
            key for key, value in vars(module).items() if getattr(value, "__module__", None) == name and key[0] != "_"
        ]
        globals().update({key: getattr(module, key) for key in public})
    native.install(globals())


def __getattr__(name: str) -> Any:
    raise AttributeError(f"there is no kernel {name!r}")


_gather()
