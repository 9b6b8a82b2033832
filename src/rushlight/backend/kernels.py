"""The one list of kernels: the NumPy references, with the native ones in front where they are loaded."""

import importlib
from typing import Any

from rushlight.backend import native
from rushlight.backend.native import empty_cache as empty_cache
from rushlight.backend.native import get_num_threads as get_num_threads
from rushlight.backend.native import info as info
from rushlight.backend.native import memory_stats as memory_stats
from rushlight.backend.native import set_num_threads as set_num_threads

FAMILIES = "elementwise reduce optimizer matmul conv pool norm softmax index order random".split()


def _gather() -> None:
    for family in FAMILIES:
        module = importlib.import_module(f"rushlight.backend.numpy.{family}")
        globals().update({name: getattr(module, name) for name in module.__all__})
    native.install(globals())


def __getattr__(name: str) -> Any:
    raise AttributeError(f"there is no kernel {name!r}")


_gather()
