"""Random tensors: `rand`, `randn`, `randint`, `randperm`, `normal`, `bernoulli`, `multinomial`, `poisson`, …

For one seed the numbers are PyTorch's, bit for bit (the streams are in `backend/streams.py`).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from .. import dtypes
from ..autograd.modes import get_mode
from ..autograd.node import Node, next_seq
from ..autograd.tensor import Tensor, wrap
from ..backend import streams
from .creation import array_like, check_options, filled, finish, publish, shape_of
from .declare import primitive
from .publishing import attach, is_array, type_error, write_out
from .random_inplace import (
    bernoulli_each,
    check_bernoulli,
    check_normal,
    check_uniform,
    digits_of,
    fill_random,
    generator_of,
    not_implemented,
)
from .recorded import broadcast_error

# ---- new tensors of a size ------------------------------------------------------------------------------------------


def _fill_rand(gen: Any, a: Any, d: Any) -> None:
    check_uniform(d, 0.0, 1.0)
    streams.fill_uniform(gen, a)


def _fill_randn(gen: Any, a: Any, d: Any) -> None:
    check_normal(d, 1.0)
    streams.fill_normal(gen, a)


def _made(
    name: str, size: Any, fill: Callable[[Any, Any, Any], None], generator: Any, out: Any, dtype: Any,
    requires_grad: bool, options: dict[str, Any],
) -> Any:  # fmt: skip
    """A tensor of the given size, in `out` if there is one, that `fill(generator, array, dtype)` has filled."""
    if options:
        check_options(options, name)
    gen = generator_of(generator, name)
    shape = shape_of(size, name)
    if out is None:
        a = filled(shape, None, dtype)
        fill(gen, a, dtype or dtypes.get_default_dtype())
        return finish(a, requires_grad)
    if dtype is not None and dtype is not out.dtype:
        raise RuntimeError(f"dtype {dtype.scalar_name} does not match dtype of out parameter ({out.dtype.scalar_name})")
    # `out` is filled in the order of its memory, so its layout matters unless it must be resized.
    a = out._array if out._array.shape == shape else filled(shape, None, out.dtype)
    fill(gen, a, out.dtype)
    return _written(name, a, out)


def _written(name: str, a: Any, out: Any) -> Any:
    """`out` with the array in it; what draws resizes its `out` without a warning."""
    if out._array.shape != a.shape:
        out._array = np.empty(a.shape, out._array.dtype)
    return write_out(name, wrap(a), out)


def _sized(name: str, fill: Callable[[Any, Any, Any], None], what: str) -> Any:
    def make(
        *size: Any, generator: Any = None, out: Any = None, dtype: Any = None, requires_grad: bool = False,
        **options: Any,
    ) -> Any:  # fmt: skip
        if not size:
            if "size" not in options:
                raise TypeError(
                    f"{name}() received an invalid combination of arguments - got (), but expected one of:\n"
                    " * (tuple of ints size, *, torch.Generator generator = None, Tensor out = None, ...)"
                )
            size = (options.pop("size"),)
        return _made(name, size, fill, generator, out, dtype, requires_grad, options)

    make.__name__ = make.__qualname__ = name
    make.__doc__ = f"""{what} of the given size, from the default generator or `generator`.

    https://docs.pytorch.org/docs/stable/generated/torch.{name}.html

    >>> import rushlight as torch
    >>> torch.{name}(2, 3, generator=torch.Generator().manual_seed(0)).shape
    torch.Size([2, 3])
    """
    return publish(make)


rand = _sized("rand", _fill_rand, "Uniform numbers from [0, 1)")
randn = _sized("randn", _fill_randn, "Standard normal numbers")


def _limits(name: str, args: tuple[Any, ...], low: Any, high: Any, size: Any) -> tuple[int, int, Any]:
    """`low`, `high` and `size` of `randint`, however they were given."""
    values = list(args)
    if size is None and values and not hasattr(values[-1], "__index__"):
        size = values.pop()
    if len(values) == 2 and low is None and high is None:
        low, high = values
    elif len(values) == 1 and high is None:
        high = values[0]
    elif len(values) == 1 and low is None:
        low = values[0]
    elif values:
        high = None
    low = 0 if low is None else low
    if size is None and high is not None and len(args) == 2:
        raise TypeError(f"{name}(): argument 'size' (position 2) must be tuple of ints, not int")
    whole = all(hasattr(v, "__index__") and not isinstance(v, bool) for v in (low, high))
    if not whole or size is None:
        kinds = ", ".join(type(v).__name__ for v in args)
        raise TypeError(f"{name}() received an invalid combination of arguments - got ({kinds}), but expected one of:")
    return int(low), int(high), size


@publish
def randint(
    *args: Any, low: Any = None, high: Any = None, size: Any = None, generator: Any = None, out: Any = None,
    dtype: Any = None, requires_grad: bool = False, **options: Any,
) -> Any:  # fmt: skip
    """Integers from `low` (0) to `high - 1`: `randint(high, size)` or `randint(low, high, size)`; int64 by default.

    https://docs.pytorch.org/docs/stable/generated/torch.randint.html

    >>> import rushlight as torch
    >>> torch.randint(10, (5,), generator=torch.Generator().manual_seed(0))
    tensor([4, 9, 3, 0, 3])
    """
    low, high, size = _limits("randint", args, low, high, size)
    if out is None and dtype is None:
        dtype = dtypes.int64
    return _made(
        "randint", (size,), lambda gen, a, d: fill_random(gen, a, d, low, high), generator, out, dtype, requires_grad,
        options,
    )  # fmt: skip


@publish
def randperm(
    n: Any, *, generator: Any = None, out: Any = None, dtype: Any = None, requires_grad: bool = False, **options: Any
) -> Any:
    """0 … n - 1 in a random order.

    >>> import rushlight as torch
    >>> torch.randperm(4, generator=torch.Generator().manual_seed(0))
    tensor([0, 1, 3, 2])
    """
    check_options(options, "randperm")
    if not hasattr(n, "__index__") or isinstance(n, bool):
        raise TypeError(f"randperm(): argument 'n' (position 1) must be int, not {type(n).__name__}")
    n = int(n)
    d = dtype or (out.dtype if out is not None else dtypes.int64)
    if n < 0:
        raise RuntimeError(f"Trying to create tensor with negative dimension {n}: [{n}]")
    if d.category == dtypes.FLOAT:
        largest = 2 ** digits_of(d) + 1
        if n > largest:
            raise RuntimeError(f"n cannot be greater than {largest} for {d.scalar_name} type.")
    elif d.category == dtypes.INT and n > np.iinfo(d.np).max:
        raise RuntimeError(f"value cannot be converted to type {d.name}_t without overflow")
    elif d.category != dtypes.INT:
        raise not_implemented("randperm", d)
    order = streams.permutation(generator_of(generator, "randperm"), n).astype(d.np, copy=False)
    return finish(order, requires_grad) if out is None else _written("randperm", order, out)


# ---- new tensors like another ---------------------------------------------------------------------------------------


def _like(name: str, fill: Callable[[Any, Any, Any], None], what: str) -> Any:
    def make(
        input: Any, *, dtype: Any = None, generator: Any = None, requires_grad: bool = False, **options: Any
    ) -> Any:
        return _made_like(name, input, fill, dtype, generator, requires_grad, options)

    make.__name__ = make.__qualname__ = name
    make.__doc__ = f"{what}, with the shape, dtype and memory order of `input`."
    return publish(make)


def _made_like(
    name: str, x: Any, fill: Callable[[Any, Any, Any], None], dtype: Any, generator: Any, requires_grad: bool,
    options: dict[str, Any],
) -> Any:  # fmt: skip
    if not isinstance(x, Tensor):
        raise type_error(name, x)
    fmt = options.pop("memory_format", None)
    check_options(options, name)
    a = array_like(x, None, dtype, fmt)
    fill(generator_of(generator, name), a, dtype or x.dtype)
    return finish(a, requires_grad)


rand_like = _like("rand_like", _fill_rand, "Uniform numbers from [0, 1)")
randn_like = _like("randn_like", _fill_randn, "Standard normal numbers")


@publish
def randint_like(
    input: Any, *args: Any, low: Any = None, high: Any = None, dtype: Any = None, generator: Any = None,
    requires_grad: bool = False, **options: Any,
) -> Any:  # fmt: skip
    """Integers from `low` (0) to `high - 1`, with the shape, dtype and memory order of `input`."""
    low, high, _ = _limits("randint_like", args, low, high, ())
    return _made_like(
        "randint_like", input, lambda gen, a, d: fill_random(gen, a, d, low, high), dtype, generator, requires_grad,
        options,
    )  # fmt: skip


# ---- samples whose distribution depends on tensors ------------------------------------------------------------------


def _nothing(g: Any) -> Any:
    """A gradient of zero: a sample does not vary with its distribution's parameters."""
    return np.zeros_like(g) if is_array(g) else g.new_zeros(g.shape)


class _NotImplemented(Node):
    """A derivative that PyTorch lacks: asking for it is the error."""

    def __init__(self, operator: str, edges: Any) -> None:
        self.operator, self.edges, self.seq = operator, edges, next_seq()

    def name(self) -> str:
        return "torch::autograd::NotImplemented"

    def apply(self, g: Any, graph: bool) -> tuple[Any, ...]:
        raise RuntimeError(f"derivative for aten::{self.operator} is not implemented")


def _without_derivative(operator: str, y: Any, *inputs: Any) -> Any:
    if get_mode().grad and any(isinstance(x, Tensor) and x.requires_grad for x in inputs):
        edges = tuple(_edge(x) for x in inputs)
        y._edge = (_NotImplemented(operator, edges), 0)
    return y


def _edge(x: Any) -> Any:
    from ..autograd.tensor import current_edge

    return None if not isinstance(x, Tensor) else x._edge if x._base is None else current_edge(x)


def _bernoulli_forward(a: Any, gen: Any) -> Any:
    out = np.empty(a.shape, a.dtype)
    bernoulli_each(gen, out, a)
    return out


_bernoulli: Any = primitive("BernoulliBackward0", _bernoulli_forward, a=lambda g: _nothing(g))


@publish
def bernoulli(input: Any, p: Any = None, *, generator: Any = None, out: Any = None) -> Any:
    """1 with the probability in `input`, else 0; with `p`, of one probability in the shape of `input`.

    >>> import rushlight as torch
    >>> torch.bernoulli(torch.tensor([0.0, 1.0]))
    tensor([0., 1.])
    """
    if not isinstance(input, Tensor):
        raise type_error("bernoulli", input)
    gen = generator_of(generator, "bernoulli")
    if p is None:
        y = _bernoulli(input, gen)
    else:
        a = np.empty(input._array.shape, input._array.dtype)
        p = float(p)
        check_bernoulli(input.dtype, p)
        streams.fill_bernoulli(gen, a, p)
        y = _without_derivative("bernoulli", finish(a), input)
    return y if out is None else write_out("bernoulli", y, out)


def _poisson_forward(a: Any, gen: Any) -> Any:
    d = dtypes.of_array(a.dtype)
    if d.category != dtypes.FLOAT:
        raise not_implemented("poisson_cpu", d)
    if not (a >= 0).all():
        raise RuntimeError("invalid Poisson rate, expected rate to be non-negative")
    return streams.poisson(gen, a)


_poisson: Any = primitive("PoissonBackward0", _poisson_forward, a=lambda g: _nothing(g))


@publish
def poisson(input: Any, generator: Any = None) -> Any:
    """A Poisson count for each rate in `input`, in its type.

    >>> import rushlight as torch
    >>> torch.poisson(torch.zeros(2))
    tensor([0., 0.])
    """
    if not isinstance(input, Tensor):
        raise type_error("poisson", input)
    return _poisson(input, generator_of(generator, "poisson"))


@publish
def binomial(count: Any, prob: Any, generator: Any = None) -> Any:
    """The number of successes in `count` trials of probability `prob` each; shapes broadcast."""
    if count.dtype.category != dtypes.FLOAT:
        raise ValueError(f"binomial only supports floating-point dtypes for count, got: {count.dtype.scalar_name}")
    if prob.dtype is not count.dtype:
        raise RuntimeError(f"Found dtype {prob.dtype.scalar_name} but expected {count.dtype.scalar_name}")
    if count.dtype.itemsize < 4:
        raise not_implemented("binomial_cpu", count.dtype)
    shape = np.broadcast_shapes(count._array.shape, prob._array.shape)
    n, p = np.broadcast_to(count._array, shape), np.broadcast_to(prob._array, shape)
    sample = streams.binomial(generator_of(generator, "binomial"), n, p)
    return _without_derivative("binomial", finish(sample), count, prob)


@publish
def _standard_gamma(self: Any, generator: Any = None) -> Any:
    """A gamma sample of scale 1 for each shape parameter (of float32 or float64)."""
    if self.dtype.name not in ("float32", "float64"):
        raise not_implemented("gamma_cpu", self.dtype)
    sample = streams.standard_gamma(generator_of(generator, "_standard_gamma"), self._array)
    return _without_derivative("_standard_gamma", finish(sample), self)


@publish
def _sample_dirichlet(self: Any, generator: Any = None) -> Any:
    """Gamma samples divided by their sum along the last dimension."""
    if self.dtype.name not in ("float32", "float64"):
        raise not_implemented("dirichlet", self.dtype)
    gamma = streams.standard_gamma(generator_of(generator, "_sample_dirichlet"), self._array.astype(np.float64))
    d = self._array.dtype
    least, greatest = np.finfo(d).tiny, np.nextafter(d.type(1), d.type(0))
    sample = np.fmin(np.fmax((gamma / gamma.sum(-1, keepdims=True)).astype(d), least), greatest)
    return _without_derivative("_sample_dirichlet", finish(sample), self)


@publish
def multinomial(
    input: Any, num_samples: Any, replacement: bool = False, *, generator: Any = None, out: Any = None
) -> Any:
    """`num_samples` indices from each row of weights, with or without putting them back; int64.

    https://docs.pytorch.org/docs/stable/generated/torch.multinomial.html

    >>> import rushlight as torch
    >>> torch.multinomial(torch.tensor([0.0, 3.0, 0.0]), 2, replacement=True)
    tensor([1, 1])
    """
    if not isinstance(num_samples, int) or isinstance(num_samples, bool):
        raise TypeError(f"multinomial(): argument 'num_samples' must be int, not {type(num_samples).__name__}")
    if out is not None and out.dtype is not dtypes.int64:
        raise RuntimeError(f"multinomial expects Long tensor out, got: {out.dtype.scalar_name}")
    a = input._array
    if a.ndim not in (1, 2):
        raise RuntimeError("prob_dist must be 1 or 2 dim")
    if input.dtype.category != dtypes.FLOAT:
        raise RuntimeError(f"multinomial only supports floating-point dtypes for input, got: {input.dtype.scalar_name}")
    if num_samples <= 0:
        raise RuntimeError("cannot sample n_sample <= 0 samples")
    if not replacement and num_samples > a.shape[-1]:
        raise RuntimeError("cannot sample n_sample > prob_dist.size(-1) samples without replacement")
    if a.shape[-1] > 2**24:
        raise RuntimeError("number of categories cannot exceed 2^24")
    rows = a.reshape(1, -1) if a.ndim == 1 else a
    if len(rows) and not rows.size:
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")
    if rows.size:
        _check_weights(rows, replacement and num_samples > 1)
    picks = streams.multinomial(generator_of(generator, "multinomial"), rows, num_samples, replacement)
    return finish(picks[0] if a.ndim == 1 else picks, out=out)


def _check_weights(rows: Any, by_search: bool) -> None:
    if not by_search:
        if not ((rows >= 0) & (rows < math.inf)).all():
            raise RuntimeError("probability tensor contains either `inf`, `nan` or element < 0")
    elif (rows < 0).any():
        raise RuntimeError("invalid multinomial distribution (encountering probability entry < 0)")
    elif not (rows < math.inf).all():
        raise RuntimeError("invalid multinomial distribution (encountering probability entry = infinity or NaN)")
    if not (rows.max(-1) > 0).all():
        raise RuntimeError("invalid multinomial distribution (sum of probabilities <= 0)")


# ---- normal ---------------------------------------------------------------------------------------------------------


def _normal_about(a: Any, std: Any, gen: Any) -> Any:
    noise = np.empty(a.shape, a.dtype)
    check_normal(dtypes.of_array(a.dtype), std)
    streams.fill_normal(gen, noise, 0.0, std)
    noise += a
    return noise


def _normal_scaled(mean: Any, b: Any, gen: Any) -> Any:
    noise = _noise(b.shape, b.dtype, b, gen)
    noise *= b
    noise += b.dtype.type(mean)
    return noise


def _normal_of_both(a: Any, b: Any, gen: Any) -> Any:
    try:
        shape = np.broadcast_shapes(a.shape, b.shape)
    except ValueError:
        raise broadcast_error(a, b) or RuntimeError("normal(): these shapes do not broadcast") from None
    noise = _noise(shape, a.dtype, b, gen)
    np.multiply(noise, b, out=noise, casting="unsafe")
    noise += a
    return noise


def _noise(shape: Any, np_dtype: Any, std: Any, gen: Any) -> Any:
    if std.dtype.kind == "c":
        raise RuntimeError("normal expects standard deviation to be non-complex")
    if not (std >= 0).all():
        raise RuntimeError("normal expects all elements of std >= 0.0")
    check_normal(dtypes.of_array(np_dtype), 1.0)
    noise = np.empty(shape, np_dtype)
    streams.fill_normal(gen, noise)
    return noise


def _nothing_shaped(g: Any, shape: Any) -> Any:
    return np.zeros(shape, g.dtype) if is_array(g) else g.new_zeros(shape)


_normal_tensor_float: Any = primitive("NormalBackward1", _normal_about, a=lambda g: _nothing(g))
_normal_float_tensor: Any = primitive("NormalBackward2", _normal_scaled, b=lambda g: _nothing(g))
_normal_tensors: Any = primitive(
    "NormalBackward3", _normal_of_both,
    a=lambda g, a_shape: _nothing_shaped(g, a_shape), b=lambda g, b_shape: _nothing_shaped(g, b_shape),
)  # fmt: skip


@publish
def normal(
    mean: Any, std: Any = 1.0, size: Any = None, *, generator: Any = None, out: Any = None, dtype: Any = None,
    requires_grad: bool = False, **options: Any,
) -> Any:  # fmt: skip
    """Normal numbers: of tensors of means and standard deviations (which broadcast), or of two numbers and a size.

    https://docs.pytorch.org/docs/stable/generated/torch.normal.html

    >>> import rushlight as torch
    >>> torch.normal(torch.tensor([1.0, 2.0]), 0.0)
    tensor([1., 2.])
    """
    if isinstance(mean, Tensor) or isinstance(std, Tensor):
        operator: Any = _normal_tensor_float
        arguments: tuple[Any, Any]
        if not isinstance(std, Tensor):
            arguments = mean, float(std)
        elif not isinstance(mean, Tensor):
            operator, arguments = _normal_float_tensor, (float(mean), std)
        else:
            operator, arguments = _normal_tensors, (mean, std)
        with np.errstate(all="ignore"):
            y = operator(*arguments, generator_of(generator, "normal"))
        return y if out is None else write_out("normal", y, out)
    if size is None:
        kinds = f"{type(mean).__name__}, {type(std).__name__}"
        raise TypeError(f"normal() received an invalid combination of arguments - got ({kinds}), but expected one of:")

    def fill(gen: Any, a: Any, d: Any) -> None:
        check_normal(d, std)
        streams.fill_normal(gen, a, float(mean), float(std))

    return _made("normal", (size,), fill, generator, out, dtype, requires_grad, options)


attach("bernoulli", bernoulli)
attach("multinomial", multinomial)
