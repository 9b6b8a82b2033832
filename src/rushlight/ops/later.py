"""Families of operators that few programs use: loaded when one of their names is first asked for.

They are a fifth of the code of this package, and reading it would be a fifth of every program's import.
"""

from __future__ import annotations

import importlib
from typing import Any

from ..autograd.tensor import Tensor, TensorMeta
from .publishing import attach

FAMILIES = {
    "factoring": "cholesky geqrf lu lu_unpack orgqr ormqr qr triangular_solve",
    "fourier": "istft stft",
    "histograms": "bincount histc histogram histogramdd unravel_index",
    "matrices": "cross matrix_exp matrix_power",
    "native_norms": "_batch_norm_with_update _native_batch_norm_legit instance_norm native_batch_norm native_group_norm "
    "native_layer_norm norm_except_dim",
    "segments": "_chunk_cat _segment_reduce _unsafe_masked_index _unsafe_masked_index_put_accumulate hash_tensor "
    "segment_reduce",
    "solving": "cholesky_inverse cholesky_solve det inverse logdet lu_solve slogdet",
    "spectra": "frobenius_norm nuclear_norm pca_lowrank pinverse svd svd_lowrank",
    "statistics": "cdist corrcoef cov",
    "windows": "bartlett_window blackman_window hamming_window hann_window kaiser_window",
}  # fmt: skip
FAMILY = {name: family for family, names in FAMILIES.items() for name in names.split()}


def load(name: str) -> bool:
    """Load the family of an operator; whether there is one."""
    family = FAMILY.get(name)
    if family is None:
        return False
    importlib.import_module(f".{family}", __package__)
    return True


def load_all() -> None:
    """Load every family, for those who look at the whole list of operators."""
    for names in FAMILIES.values():
        load(names.split()[0])


def _of_instance(self: Any, name: str) -> Any:
    if load(name) and name in vars(Tensor):
        return getattr(self, name)
    raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'", name=name, obj=self)


def _of_class(cls: Any, name: str) -> Any:
    if load(name) and name in vars(Tensor):
        return getattr(cls, name)
    raise AttributeError(f"type object '{cls.__name__}' has no attribute '{name}'", name=name, obj=cls)


def install() -> None:
    """Let Tensor look here for methods that it lacks."""
    attach("__getattr__", _of_instance)
    TensorMeta.__getattr__ = _of_class  # type: ignore[attr-defined]
