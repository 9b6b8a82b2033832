"""Tensor's methods that overwrite a tensor with random numbers: `uniform_`, `normal_`, `random_`, `bernoulli_`, …

What was there before has no influence, so its gradient is zero.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from .. import dtypes
from ..autograd import views
from ..autograd.modes import get_mode
from ..autograd.node import Node, next_seq
from ..autograd.tensor import Tensor, current_edge
from ..backend import streams
from ..generator import Generator, default_generator
from ..settings import warn
from .publishing import attach

_C_NAMES = {
    "bool": "bool", "uint8": "unsigned char", "int8": "signed char", "int16": "short", "int32": "int",
    "int64": "long", "uint16": "unsigned short", "uint32": "unsigned int", "uint64": "unsigned long",
    "float16": "c10::Half", "bfloat16": "c10::BFloat16", "float32": "float", "float64": "double",
    "complex64": "c10::complex<float>", "complex128": "c10::complex<double>",
}  # fmt: skip
_FILLED_FLOATS = ("float16", "bfloat16", "float32", "float64")


@functools.cache
def _limits(d: dtypes.dtype) -> tuple[Any, Any]:
    """The least and the greatest number of a type that can be filled."""
    if d.category == dtypes.FLOAT:
        info = dtypes.finfo(d)
        return info.min, info.max
    return (0, 1) if d is dtypes.bool else (dtypes.iinfo(d).min, dtypes.iinfo(d).max)


class _Overwritten(Node):
    """The end of the old values' history: they get a gradient of zero."""

    def __init__(self, edge: Any) -> None:
        self.edges, self.seq = (edge,), next_seq()

    def apply(self, g: Any, graph: bool) -> tuple[Any, ...]:
        return (g.new_zeros(g.shape) if isinstance(g, Tensor) else np.zeros_like(g),)


_NODES = {
    name: type(name, (_Overwritten,), {})
    for name in (
        "UniformBackward0", "NormalBackward0", "RandomBackward0", "RandomBackward1", "RandomBackward2",
        "BernoulliBackward1", "BernoulliBackward2", "ExponentialBackward0", "GeometricBackward0", "CauchyBackward0",
        "LogNormalBackward0",
    )
}  # fmt: skip


def generator_of(generator: Any, name: str) -> Generator:
    """The generator to draw from: the caller's, or the default one."""
    if generator is None:
        return default_generator
    if not isinstance(generator, Generator):
        raise TypeError(f"{name}(): argument 'generator' must be torch.Generator, not {type(generator).__name__}")
    return generator


def _begin(x: Any, name: str) -> None:
    if not isinstance(x, Tensor):
        raise TypeError(f"{name}(): argument 'input' (position 1) must be Tensor, not {type(x).__name__}")
    views.check_inplace(x)


def _end(x: Any, node: str) -> Any:
    edge = None
    if get_mode().grad:
        edge = x._edge if x._base is None else current_edge(x)
    views.rebase(x, None if edge is None else (_NODES[node](edge), 0))
    return x


def _number(value: Any, name: str, argument: str, position: int = 1) -> float:
    if isinstance(value, (int, float, np.number)):
        return float(value)
    if isinstance(value, Tensor) and value.numel() == 1 and not value.is_complex():
        return float(value)
    raise TypeError(f"{name}(): argument '{argument}' (position {position}) must be float, not {type(value).__name__}")


def not_implemented(kernel: str, d: Any) -> NotImplementedError:
    """PyTorch's error for an element type that a kernel was not built for."""
    return NotImplementedError(f"\"{kernel}\" not implemented for '{d.scalar_name}'")


# ---- checks that the functions of random.py share -------------------------------------------------------------------


def check_uniform(d: Any, low: float, high: float) -> None:
    """Refuse bounds that PyTorch's `uniform_` refuses for the element type `d`."""
    real = _real(d)
    if real.name not in _FILLED_FLOATS:
        raise not_implemented("check_uniform_bounds", real)
    limit = _limits(real)[1]
    for bound, value in (("from", low), ("to", high)):
        if not -limit <= value <= limit:
            raise RuntimeError(f"{bound} is out of bounds for {_C_NAMES[real.name]}")
    if low > high:
        raise RuntimeError(f"uniform_ expects to return a [from, to) range, but found from={low:g} > to={high:g}")
    if high - low > limit:
        raise RuntimeError(
            f"uniform_ expects to-from <= std::numeric_limits<{real.scalar_name}>::max(), but found to={high:g} and "
            f"from={low:g} which result in to-from to exceed the limit"
        )


def check_normal(d: Any, std: float) -> None:
    """Refuse what PyTorch's `normal_` refuses."""
    if not std >= 0:
        raise RuntimeError(f"normal expects std >= 0.0, but found std {std:g}")
    real = _real(d)
    if real.name not in _FILLED_FLOATS:
        raise not_implemented("normal_kernel_cpu", real)


def check_bernoulli(d: Any, p: float) -> None:
    """Refuse what PyTorch's `bernoulli_` refuses."""
    if not 0 <= p <= 1:
        raise RuntimeError(f"bernoulli_ expects p to be in [0, 1], but got p={p:g}")
    if d.is_complex or "float8" in d.name:
        raise not_implemented("bernoulli_scalar_cpu_", d)


def bernoulli_each(gen: Generator, out: Any, p: Any) -> None:
    """Fill an array from an array of probabilities that broadcasts to it."""
    d = dtypes.of_array(p.dtype)
    if d.name not in _FILLED_FLOATS:
        raise not_implemented("bernoulli_tensor_cpu_p_", d)
    if not ((p >= 0) & (p <= 1)).all():
        raise RuntimeError(
            "Expected p_in >= 0 && p_in <= 1 to be true, but got false.  (Could this error message be improved?  If "
            "so, please report an enhancement request to PyTorch.)"
        )
    streams.fill_bernoulli_each(gen, out, np.broadcast_to(p, out.shape))


def _real(d: Any) -> Any:
    return d if d.category < dtypes.COMPLEX else d.to_real()


# ---- integers -------------------------------------------------------------------------------------------------------


def fill_random(gen: Generator, out: Any, d: Any, low: int | None = None, high: int | None = None) -> None:
    """Integers low … high - 1; all that the type counts exactly from 0 (or from `low`) on if there is no `high`."""
    if low is None:
        streams.fill_integers(gen, out, *_whole_type(d))
    else:
        streams.fill_integers(gen, out, *_between(d, low, high))


def digits_of(d: Any) -> int:
    """The number of bits of a floating type's significand: it counts whole numbers up to 2**digits."""
    return {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53}[d.name]


def _largest(d: Any) -> int:
    return int(2 ** digits_of(d) if d.category == dtypes.FLOAT else _limits(d)[1])


def _whole_type(d: Any) -> tuple[int, int, bool]:
    if d.is_complex or d.name in ("uint16", "uint32", "uint64") or "float8" in d.name:
        raise not_implemented("random_kernel_cpu", d)
    return _largest(d) + 1, 0, d.name in ("int64", "float64")


def _between(d: Any, low: int, high: int | None) -> tuple[int, int, bool]:
    for value in (low, high):
        if value is not None and not -(2**63) <= value < 2**63:
            raise ValueError("Overflow when unpacking long long")
    if high is None and low == -(2**63):
        if d.name in ("int64", "float64", "float32", "bfloat16"):
            return 0, 0, True
        if d.category == dtypes.INT:
            raise RuntimeError("random_full_64_bits_range_kernel_cpu handles only int64, double, float and bfloat16")
        raise not_implemented("random_full_64_bits_range_kernel_cpu", d)
    if high is not None and low >= high:
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    if d.is_complex:
        raise RuntimeError("check_random_bounds handles only integral, floating-point and boolean types")
    if "float8" in d.name:
        raise not_implemented("random_update_from_to", d)
    if d.category == dtypes.FLOAT:
        low = _inner_low(d, low)
        if high is not None:
            high = _inner_high(d, high)
            if low >= high:
                raise RuntimeError(
                    "random_ expects 'from' casted to dtype to be less than 'to' casted to dtype, but got "
                    f"from={low} >= to={high}"
                )
    last = _largest(d) if high is None else high - 1
    _check_bound(d, low, "from")
    _check_bound(d, last, "to_inc" if high is None else "to - 1")
    span = last - low + 1
    return span, low, span >= 2**28


def _inner_low(d: Any, low: int) -> int:
    """`low`, moved up to a number of the type `d` if rounding would take it below itself."""
    rounded = _rounded(d, low + 1)
    return low if rounded >= low else rounded + (1 << (abs(low + 1).bit_length() - digits_of(d)))


def _inner_high(d: Any, high: int) -> int:
    """`high`, moved down so that the last value, rounded to the type `d`, stays below it."""
    rounded = _rounded(d, high - 1)
    return high if rounded < high else rounded - (1 << max(abs(high - 1).bit_length() - digits_of(d), 0))


def _rounded(d: Any, value: int) -> int:
    with np.errstate(all="ignore"):
        number = float(np.float32(value).astype(d.np) if d.itemsize < 4 else d.np.type(value))
    return int(number) if math.isfinite(number) else value


def _check_bound(d: Any, value: int, name: str) -> None:
    least, greatest = _limits(d)
    if not least <= value <= greatest:
        raise RuntimeError(f"{name} is out of bounds for {_C_NAMES[d.name]}")
    if d.category == dtypes.FLOAT and abs(value) > 2 ** digits_of(d):
        digits = digits_of(d)
        warn(
            f"{name} is out of bounds [-(2^{digits}), 2^{digits}]. Due to precision limitations {_C_NAMES[d.name]} can "
            "support discrete uniform distribution only within this range. This warning will become an error in "
            "version 1.7 release, please fix the code in advance",
            UserWarning,
        )


# ---- methods --------------------------------------------------------------------------------------------------------


def _uniform_(self: Any, low: Any = 0.0, to: Any = 1.0, *, generator: Any = None, **named: Any) -> Any:
    """Fill with uniform numbers from [from, to); complex tensors in both parts.

    >>> import rushlight as torch
    >>> _ = torch.manual_seed(0)
    >>> torch.empty(3).uniform_(-1, 1)
    tensor([-0.0075,  0.5364, -0.8230])
    """
    low = named.pop("from", low)
    _no_more(named, "uniform_")
    _begin(self, "uniform_")
    start, end = _number(low, "uniform_", "from"), _number(to, "uniform_", "to", 2)
    check_uniform(self.dtype, start, end)
    streams.fill_uniform(generator_of(generator, "uniform_"), self._array, start, end)
    return _end(self, "UniformBackward0")


def _no_more(named: dict[str, Any], name: str) -> None:
    if named:
        raise TypeError(f"{name}() got an unexpected keyword argument '{next(iter(named))}'")


def _normal_(self: Any, mean: Any = 0.0, std: Any = 1.0, *, generator: Any = None) -> Any:
    """Fill with normal numbers of the given mean and standard deviation (Box and Muller, 1958)."""
    _begin(self, "normal_")
    centre, spread = _number(mean, "normal_", "mean"), _number(std, "normal_", "std", 2)
    check_normal(self.dtype, spread)
    streams.fill_normal(generator_of(generator, "normal_"), self._array, centre, spread)
    return _end(self, "NormalBackward0")


_UNSET: Any = object()


def _random_(self: Any, *args: Any, generator: Any = None, **named: Any) -> Any:
    """Fill with integers: `random_(from, to)` below `to`, `random_(to)` from 0 on, `random_()` all the type counts."""
    low, high = named.pop("from", _UNSET), named.pop("to", _UNSET)
    _no_more(named, "random_")
    bad = [v for v in args if not (v is None or (hasattr(v, "__index__") and not isinstance(v, bool)))]
    if bad or len(args) > 2:
        kinds = ", ".join(type(v).__name__ for v in args)
        raise TypeError(f"random_() received an invalid combination of arguments - got ({kinds}), but expected one of:")
    if len(args) == 2:
        low, high = args
    elif args:
        low, high = (args[0], high) if high is not _UNSET else (_UNSET, args[0])
    _begin(self, "random_")
    node = "RandomBackward2" if high is _UNSET else "RandomBackward1" if low is _UNSET else "RandomBackward0"
    first = None if low is _UNSET and high is _UNSET else 0 if low is _UNSET else int(low)
    last = None if high is _UNSET or high is None else int(high)
    fill_random(generator_of(generator, "random_"), self._array, self.dtype, first, last)
    return _end(self, node)


def _bernoulli_(self: Any, p: Any = 0.5, *, generator: Any = None) -> Any:
    """Fill with 1 (probability `p`, a number or a tensor that broadcasts) and 0."""
    _begin(self, "bernoulli_")
    gen = generator_of(generator, "bernoulli_")
    if isinstance(p, Tensor):
        if self.is_complex():
            raise not_implemented("bernoulli_tensor_cpu_self_", self.dtype)
        bernoulli_each(gen, self._array, p._array)
        return _end(self, "BernoulliBackward1")
    p = _number(p, "bernoulli_", "p")
    check_bernoulli(self.dtype, p)
    streams.fill_bernoulli(gen, self._array, p)
    return _end(self, "BernoulliBackward2")


def _exponential_(self: Any, lambd: Any = 1.0, *, generator: Any = None) -> Any:
    """Fill with exponentially distributed numbers of rate `lambd`."""
    _begin(self, "exponential_")
    rate = _number(lambd, "exponential_", "lambd")
    if not rate > 0:
        raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={rate:g}")
    if self.dtype.name not in _FILLED_FLOATS:
        raise RuntimeError(
            "Exponential distribution is a continuous probability distribution. dtype must be a floating point but "
            f"you specified {self.dtype.scalar_name}"
        )
    streams.fill_exponential(generator_of(generator, "exponential_"), self._array, rate)
    return _end(self, "ExponentialBackward0")


def _geometric_(self: Any, p: Any, *, generator: Any = None) -> Any:
    """Fill with the numbers of trials up to the first success, of probability `p`."""
    _begin(self, "geometric_")
    chance = _number(p, "geometric_", "p")
    if not 0 < chance < 1:
        raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={chance:g}")
    if self.is_complex() or self.dtype is dtypes.bool:
        raise not_implemented("geometric_cpu", self.dtype)
    streams.fill_geometric(generator_of(generator, "geometric_"), self._array, chance)
    return _end(self, "GeometricBackward0")


def _cauchy_(self: Any, median: Any = 0.0, sigma: Any = 1.0, *, generator: Any = None) -> Any:
    """Fill with Cauchy-distributed numbers."""
    _begin(self, "cauchy_")
    centre, spread = _number(median, "cauchy_", "median"), _number(sigma, "cauchy_", "sigma", 2)
    if not spread > 0:
        raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={spread:g}")
    if self.dtype.name not in _FILLED_FLOATS:
        raise RuntimeError(
            "Cauchy distribution is a continuous probability distribution. dtype must be a floating point but you "
            f"specified {self.dtype.c_name}"
        )
    streams.fill_cauchy(generator_of(generator, "cauchy_"), self._array, centre, spread)
    return _end(self, "CauchyBackward0")


def _log_normal_(self: Any, mean: Any = 1.0, std: Any = 2.0, *, generator: Any = None) -> Any:
    """Fill with exp of normal numbers; `mean` and `std` are those of the normal."""
    _begin(self, "log_normal_")
    centre, spread = _number(mean, "log_normal_", "mean"), _number(std, "log_normal_", "std", 2)
    if not spread > 0:
        raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={spread:g}")
    if self.dtype.name not in _FILLED_FLOATS:
        raise not_implemented("log_normal_cpu", self.dtype)
    streams.fill_log_normal(generator_of(generator, "log_normal_"), self._array, centre, spread)
    return _end(self, "LogNormalBackward0")


for _method in (
    _uniform_, _normal_, _random_, _bernoulli_, _exponential_, _geometric_, _cauchy_, _log_normal_
):  # fmt: skip
    _method.__name__ = _method.__name__.removeprefix("_")
    _method.__qualname__ = f"Tensor.{_method.__name__}"
    attach(_method.__name__, _method)

__all__ = [
    "bernoulli_each", "check_bernoulli", "check_normal", "check_uniform", "digits_of", "fill_random", "generator_of",
    "not_implemented",
]  # fmt: skip
