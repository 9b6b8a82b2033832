"""Element types: PyTorch's names over NumPy's dtypes, and the rules by which two of them meet.

Promotion follows https://docs.pytorch.org/docs/stable/tensor_attributes.html: the higher category
(bool < integer < floating < complex) wins, and within a category dimensioned tensors beat
0-d tensors, which beat Python scalars.
"""

from __future__ import annotations

import functools
from typing import Any, TypeAlias

import numpy as np

from .errors import unsupported

# This module's own `bool`, `int` and `float` are dtypes.
builtin_bool: TypeAlias = bool
builtin_int: TypeAlias = int
builtin_float: TypeAlias = float
builtin_complex: TypeAlias = complex

BOOL, INT, FLOAT, COMPLEX = range(4)


class dtype:
    """The type of a tensor's elements; compare with `is` or `==`.

    >>> import rushlight as torch
    >>> torch.float32, torch.float32.itemsize, torch.int8.is_floating_point
    (torch.float32, 4, False)
    """

    __slots__ = ("category", "itemsize", "name", "np", "scalar_name", "supported")

    def __init__(self, name: str, np_type: Any, category: builtin_int, scalar_name: str) -> None:
        self.name, self.category, self.scalar_name = name, category, scalar_name
        self.supported = np_type is not None
        if not isinstance(np_type, str):  # else the name of a type of ml_dtypes, see __getattr__
            self.np: np.dtype[Any] = np.dtype(np_type) if np_type is not None else np.dtype("V4")
            self.itemsize = self.np.itemsize

    def __getattr__(self, name: str) -> Any:
        # bfloat16 and float8 come from ml_dtypes, whose import takes as long as a tenth of ours: on first use.
        if name in ("np", "itemsize"):
            _load_ml_dtypes()
            return getattr(self, name)
        raise AttributeError(f"'torch.dtype' object has no attribute '{name}'", name=name, obj=self)

    @property
    def is_floating_point(self) -> builtin_bool:
        return self.category == FLOAT

    @property
    def is_complex(self) -> builtin_bool:
        return self.category == COMPLEX

    @property
    def is_signed(self) -> builtin_bool:
        return self.category > INT or (self.category == INT and not self.name.startswith("u"))

    @property
    def c_name(self) -> str:
        """The name of the type in C++, as error messages have it.

        >>> import rushlight as torch
        >>> torch.int64.c_name, torch.bfloat16.c_name
        ('long int', 'c10::BFloat16')
        """
        return _C_NAMES.get(self.name, self.name)

    def to_real(self) -> dtype:
        """The type of the real part of this type."""
        return {"complex32": float16, "complex64": float32, "complex128": float64}.get(self.name, self)

    def to_complex(self) -> dtype:
        """The complex type whose parts have this type."""
        table = {"float16": complex32, "bfloat16": complex64, "float32": complex64, "float64": complex128}
        return table.get(self.name, self)

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> str:
        return self.name

    def __copy__(self) -> dtype:
        return self

    def __deepcopy__(self, memo: Any) -> dtype:
        return self


bool = dtype("bool", np.bool_, BOOL, "Bool")
uint8 = dtype("uint8", np.uint8, INT, "Byte")
int8 = dtype("int8", np.int8, INT, "Char")
int16 = short = dtype("int16", np.int16, INT, "Short")
int32 = int = dtype("int32", np.int32, INT, "Int")
int64 = long = dtype("int64", np.int64, INT, "Long")
uint16 = dtype("uint16", np.uint16, INT, "UInt16")
uint32 = dtype("uint32", np.uint32, INT, "UInt32")
uint64 = dtype("uint64", np.uint64, INT, "UInt64")
float16 = half = dtype("float16", np.float16, FLOAT, "Half")
bfloat16 = dtype("bfloat16", "ml_dtypes", FLOAT, "BFloat16")
float32 = float = dtype("float32", np.float32, FLOAT, "Float")
float64 = double = dtype("float64", np.float64, FLOAT, "Double")
complex32 = chalf = dtype("complex32", None, COMPLEX, "ComplexHalf")
complex64 = cfloat = dtype("complex64", np.complex64, COMPLEX, "ComplexFloat")
complex128 = cdouble = dtype("complex128", np.complex128, COMPLEX, "ComplexDouble")
float8_e4m3fn = dtype("float8_e4m3fn", "ml_dtypes", FLOAT, "Float8_e4m3fn")
float8_e5m2 = dtype("float8_e5m2", "ml_dtypes", FLOAT, "Float8_e5m2")

_C_NAMES = {
    "float32": "float", "float64": "double", "int64": "long int", "int32": "int", "int16": "short int",
    "int8": "signed char", "uint8": "unsigned char", "uint16": "short unsigned int", "uint32": "unsigned int",
    "uint64": "long unsigned int", "float16": "c10::Half", "bfloat16": "c10::BFloat16",
    "complex64": "c10::complex<float>", "complex128": "c10::complex<double>",
}  # fmt: skip
ALL = (
    bool, uint8, int8, int16, int32, int64, uint16, uint32, uint64, float16, bfloat16, float32, float64,
    complex32, complex64, complex128, float8_e4m3fn, float8_e5m2,
)  # fmt: skip
_FROM_ML_DTYPES = (bfloat16, float8_e4m3fn, float8_e5m2)
_BY_NUMPY: dict[Any, dtype] = {d.np: d for d in ALL if d.supported and d not in _FROM_ML_DTYPES}
_default = float32


def _load_ml_dtypes() -> None:
    """Give the dtypes that NumPy lacks their arrays' dtypes."""
    import ml_dtypes

    for d in _FROM_ML_DTYPES:
        d.np = np.dtype(getattr(ml_dtypes, d.name))
        d.itemsize = d.np.itemsize
        _BY_NUMPY[d.np] = d


def of_array(np_dtype: np.dtype[Any]) -> dtype:
    """The dtype of arrays of `np_dtype`; TypeError for what PyTorch has no type for."""
    found = _BY_NUMPY.get(np_dtype) or _BY_NUMPY.get(np_dtype.newbyteorder("="))
    if found is None and not np_dtype.isbuiltin:
        _load_ml_dtypes()
        found = _BY_NUMPY.get(np_dtype)
    if found is None:
        raise TypeError(
            f"can't convert np.ndarray of type {np_dtype.type.__module__}.{np_dtype.type.__name__}. The only supported "
            "types are: float64, float32, float16, complex64, complex128, int64, int32, int16, int8, uint64, uint32, "
            "uint16, uint8, and bool."
        )
    return found


def to_numpy(d: Any) -> np.dtype[Any]:
    """The NumPy dtype of a dtype; TypeError for anything else, NotImplementedError for complex32."""
    if d.__class__ is not dtype:
        if d in (builtin_float, builtin_int, builtin_bool, builtin_complex):
            d = _FROM_PYTHON[d]
        else:
            raise TypeError(f"dtype must be a torch.dtype, not {type(d).__name__}")
    if not d.supported:
        raise unsupported(f"the dtype {d}")
    numpy_dtype: np.dtype[Any] = d.np
    return numpy_dtype


_FROM_PYTHON: dict[type, dtype] = {
    builtin_bool: bool, builtin_int: int64, builtin_float: float64, builtin_complex: complex128
}  # fmt: skip


def get_default_dtype() -> dtype:
    """The floating-point type given to Python floats, float32 at first."""
    return _default


def set_default_dtype(d: dtype) -> None:
    """Set the type given to Python floats: float16, bfloat16, float32 or float64."""
    global _default
    if d.__class__ is not dtype or d.category != FLOAT:
        raise TypeError(f"only floating-point types are supported as the default type, got {d!r}")
    _default = d


_INTS = {"uint8": 0, "int8": 1, "int16": 2, "int32": 3, "int64": 4}
_WIDE_UNSIGNED = ("uint16", "uint32", "uint64")
_FLOATS = {"float16": 0, "bfloat16": 0, "float32": 1, "float64": 2}
_COMPLEXES = {"complex32": 0, "complex64": 1, "complex128": 2}


@functools.cache
def promote_types(a: dtype, b: dtype) -> dtype:
    """The smallest type that PyTorch computes an operation of an `a` and a `b` in.

    >>> import rushlight as torch
    >>> torch.promote_types(torch.uint8, torch.int8), torch.promote_types(torch.float16, torch.bfloat16)
    (torch.int16, torch.float32)
    """
    if a is b:
        return a
    low, high = (a, b) if a.category <= b.category else (b, a)
    if "float8" in low.name or "float8" in high.name:
        raise RuntimeError(
            f"Promotion for Float8 Types is not supported, attempted to promote {a.scalar_name} and {b.scalar_name}"
        )
    if low.name in _WIDE_UNSIGNED or high.name in _WIDE_UNSIGNED:
        if high.category == FLOAT:
            return high
        raise RuntimeError(
            "Promotion for uint16, uint32, uint64 types is not supported, attempted to promote "
            f"{a.scalar_name} and {b.scalar_name}"
        )
    if high.category == COMPLEX:
        rank = _FLOATS.get(low.name, 0) if low.category == FLOAT else _COMPLEXES.get(low.name, 0)
        rank = 1 if low is bfloat16 else rank
        return (complex32, complex64, complex128)[max(rank, _COMPLEXES[high.name])]
    if low.category < high.category:
        return high
    if high.category == FLOAT:
        if _FLOATS[low.name] == _FLOATS[high.name]:
            return float32  # float16 with bfloat16
        return low if _FLOATS[low.name] > _FLOATS[high.name] else high
    if {low, high} == {uint8, int8}:
        return int16
    return low if _INTS[low.name] > _INTS[high.name] else high


def can_cast(from_: dtype, to: dtype) -> builtin_bool:
    """Whether PyTorch lets a result of type `from_` be written into a tensor of type `to`."""
    if from_.category == COMPLEX and to.category != COMPLEX:
        return False
    if from_.category == FLOAT and to.category < FLOAT:
        return False
    return not (from_.category == INT and to.category == BOOL)


def check_cast(from_: dtype, to: dtype) -> None:
    """Refuse a result that the type of its target cannot hold."""
    if not can_cast(from_, to):
        raise RuntimeError(f"result type {from_.scalar_name} can't be cast to the desired output type {to.scalar_name}")


class finfo:
    """Limits of a floating-point type: `bits eps max min tiny smallest_normal resolution`."""

    def __init__(self, type: dtype | None = None) -> None:
        d = type or _default
        if d.category < FLOAT:
            raise TypeError(
                "torch.finfo() requires a floating point input type. Use torch.iinfo to handle 'torch.finfo'"
            )
        import ml_dtypes

        find: Any = ml_dtypes.finfo
        info = find(d.to_real().np)
        self.bits = builtin_int(info.bits)
        for name in ("eps", "max", "min", "tiny", "smallest_normal", "resolution"):
            setattr(self, name, builtin_float(getattr(info, name)))
        self.dtype = d.to_real().name

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(name)

    def __repr__(self) -> str:
        return (
            f"finfo(resolution={self.resolution:g}, min={self.min:g}, max={self.max:g}, eps={self.eps:g}, "
            f"smallest_normal={self.smallest_normal:g}, tiny={self.tiny:g}, dtype={self.dtype})"
        )


class iinfo:
    """Limits of an integer type: `bits max min`."""

    def __init__(self, type: dtype) -> None:
        if type.category != INT:
            raise TypeError("torch.iinfo() requires an integer input type. Use torch.finfo to handle 'torch.iinfo'")
        info = np.iinfo(type.np)
        self.bits, self.max, self.min = info.bits, builtin_int(info.max), builtin_int(info.min)
        self.dtype = type.name

    def __repr__(self) -> str:
        return f"iinfo(min={self.min:g}, max={self.max:g}, dtype={self.dtype})"
