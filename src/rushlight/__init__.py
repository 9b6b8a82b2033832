"""rushlight: PyTorch's system in readable Python. `import rushlight as torch` runs a PyTorch program.

The names here are PyTorch's; each lives where its page in `docs/architecture.md` says, and this file only collects them.
"""

from __future__ import annotations

import gc
import importlib
import sys
from typing import Any

__version__ = "0.1.0"

# What an import allocates stays: looking for garbage in it would be a tenth of the time.
_collecting = gc.isenabled()
gc.disable()

from . import dtypes as _dtypes
from .autograd.tensor import Tensor
from .device import device
from .dtypes import can_cast as _can_cast
from .dtypes import dtype, finfo, get_default_dtype, iinfo, promote_types, set_default_dtype
from .layout import (
    channels_last,
    channels_last_3d,
    contiguous_format,
    layout,
    memory_format,
    preserve_format,
    sparse_bsc,
    sparse_bsr,
    sparse_coo,
    sparse_csc,
    sparse_csr,
    strided,
)
from .size import Size

for _d in _dtypes.ALL:
    globals()[_d.name] = _d
for _alias in ("short", "int", "long", "half", "float", "double", "chalf", "cfloat", "cdouble"):
    globals()[_alias] = getattr(_dtypes, _alias)

from . import ops as _ops
from .autograd.anomaly import is_anomaly_enabled
from .autograd.modes import (
    enable_grad,
    inference_mode,
    is_grad_enabled,
    is_inference_mode_enabled,
    no_grad,
    set_grad_enabled,
)
from .ops.promotion import result_type
from .printing import set_printoptions
from .settings import (
    are_deterministic_algorithms_enabled,
    get_default_device,
    get_deterministic_debug_mode,
    get_float32_matmul_precision,
    get_num_interop_threads,
    is_deterministic_algorithms_warn_only_enabled,
    is_warn_always_enabled,
    set_default_device,
    set_default_tensor_type,
    set_deterministic_debug_mode,
    set_float32_matmul_precision,
    set_flush_denormal,
    set_num_interop_threads,
    set_warn_always,
    use_deterministic_algorithms,
)

globals().update(_ops.FUNCTIONS)
for _name in ("is_conj", "is_neg", "is_inference", "is_signed", "is_same_size", "get_device", "detach_", "index_put_"):
    globals()[_name] = getattr(Tensor, _name)

from math import e, inf, nan, pi

from . import autograd
from .backend.kernels import get_num_threads, set_num_threads

newaxis = None

_SUBMODULES = (
    "nn", "optim", "utils", "vision", "linalg", "fft", "special", "serialization", "random", "cuda", "backends", "testing",
    "func", "overrides", "types", "version", "audio", "text", "jit", "onnx", "distributed", "distributions", "signal",
    "amp", "cpu", "multiprocessing", "masked", "sparse", "hub", "package", "profiler", "fx",
)  # fmt: skip
_LAZY = {
    "save": "serialization", "load": "serialization", "manual_seed": "generator", "seed": "generator",
    "initial_seed": "generator", "get_rng_state": "generator", "set_rng_state": "generator", "Generator": "generator",
    "default_generator": "generator",
    **dict.fromkeys(("constant_pad_nd", "grid_sampler", "grid_sampler_2d", "grid_sampler_3d", "affine_grid_generator"), "nn.functional.native"),
    **dict.fromkeys(
        ("bilinear", "channel_shuffle", "cosine_similarity", "native_channel_shuffle", "pairwise_distance", "pdist",
         "pixel_shuffle", "pixel_unshuffle", "max_pool1d_with_indices"), "nn.functional",
    ),
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name == "torch":  # as `torch.torch` is torch
        value = sys.modules[__name__]
    elif name in _ops.later.FAMILY:
        value = getattr(_ops, name)
    elif name in _LAZY:
        value = getattr(importlib.import_module(f".{_LAZY[name]}", __name__), name)
    elif name in _SUBMODULES:
        try:
            value = importlib.import_module(f".{name}", __name__)
        except ModuleNotFoundError as error:
            if error.name != f"{__name__}.{name}":
                raise
            raise AttributeError(f"module 'rushlight' has no attribute '{name}'") from None
    else:
        raise AttributeError(f"module 'rushlight' has no attribute '{name}'")
    globals()[name] = value
    return value


def can_cast(from_: dtype, to: dtype) -> Any:
    """Whether PyTorch's casting rules let type `from_` be written into type `to`."""
    return _can_cast(from_, to)


def is_tensor(obj: Any) -> Any:
    """Whether `obj` is a Tensor."""
    return isinstance(obj, Tensor)


def is_storage(obj: Any) -> Any:
    """Whether `obj` is a storage."""
    return type(obj).__name__.endswith("Storage")


def is_floating_point(input: Tensor) -> Any:
    """Whether the dtype is a floating-point type."""
    return input.is_floating_point()


def is_complex(input: Tensor) -> Any:
    """Whether the dtype is complex."""
    return input.is_complex()


def is_nonzero(input: Tensor) -> Any:
    """Whether the single element is not zero."""
    if input.numel() != 1:
        text = "no values" if input.numel() == 0 else "more than one value"
        raise RuntimeError(f"Boolean value of Tensor with {text} is ambiguous")
    return input.item() != 0


def numel(input: Tensor) -> Any:
    """The number of elements."""
    return input.numel()


def typename(obj: Any) -> Any:
    """The name of an object's type."""
    return obj.type() if isinstance(obj, Tensor) else f"{type(obj).__module__}.{type(obj).__qualname__}"


if _collecting:
    gc.enable()
