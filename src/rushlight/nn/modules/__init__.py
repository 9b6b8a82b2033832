"""PyTorch's file names below `torch.nn.modules`, so that `torch.nn.modules.module.Module` and the like are found."""

from __future__ import annotations

import importlib
import sys
from typing import Any

# PyTorch's file -> ours, which may hold several of PyTorch's.
FILES = {
    "activation": "activation", "adaptive": "adaptive", "batchnorm": "norm", "channelshuffle": "shape",
    "container": "containers", "conv": "conv", "distance": "distance", "dropout": "dropout", "flatten": "shape",
    "fold": "shape", "instancenorm": "norm", "lazy": "lazy", "linear": "linear", "loss": "loss", "module": "module",
    "normalization": "norm", "padding": "padding", "pixelshuffle": "shape", "pooling": "pooling", "rnn": "rnn",
    "sparse": "sparse", "transformer": "transformer", "upsampling": "upsampling", "utils": "tuples",
}  # fmt: skip
_PACKAGE = __name__.rpartition(".")[0]

for _name, _file in FILES.items():
    _module = importlib.import_module(f"{_PACKAGE}.{_file}")
    globals()[_name] = sys.modules[f"{__name__}.{_name}"] = _module


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    package = sys.modules[_PACKAGE]
    if name in vars(package):
        return vars(package)[name]
    for file in dict.fromkeys(FILES.values()):
        found = vars(sys.modules[f"{_PACKAGE}.{file}"])
        if name in found:
            return found[name]
    raise AttributeError(f"module 'torch.nn.modules' has no attribute '{name}'")
