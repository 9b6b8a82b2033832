"""`rushlight info`: versions, native kernels, instruction set and threads."""

from __future__ import annotations

import importlib.metadata
import platform
from importlib.util import find_spec

import numpy as np

from .. import __version__
from ..backend import kernels as K


def lines() -> list[str]:
    """The report, a fact a line."""
    kernels = K.info()
    native = (
        f"native, {kernels['isa']}" if kernels["isa"] != "numpy" else "NumPy only (no extension, or RUSHLIGHT_NATIVE=0)"
    )
    found = [
        f"rushlight {__version__}",
        f"Python    {platform.python_version()} on {platform.system()} {platform.machine()}",
        f"NumPy     {np.__version__}",
        f"ml_dtypes {importlib.metadata.version('ml_dtypes')}",
        f"kernels   {native}",
        f"threads   {K.get_num_threads()}",
        "extras    " + ", ".join(f"{name} {'yes' if find_spec(module) else 'no'}" for name, module in EXTRAS),
    ]
    return found


EXTRAS = (
    ("pillow", "PIL"), ("matplotlib", "matplotlib"), ("rich", "rich"), ("scipy", "scipy"), ("nltk", "nltk"), ("onnx", "onnx"),
)  # fmt: skip


def info() -> int:
    """Print the report."""
    print("\n".join(lines()))
    return 0
