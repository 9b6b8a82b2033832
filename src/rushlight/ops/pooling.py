"""Max and average pooling of one to three dimensions, also with adaptive windows."""

from __future__ import annotations

import math
from typing import Any

from ..autograd.tensor import Tensor
from ..backend import kernels as K
from ..backend import placing
from ..backend.numpy.pool import pool_output_shape
from .convolution import per_dim
from .declare import primitive
from .publishing import FUNCTIONS, type_error

_max_pool: Any = primitive(
    "MaxPool2DWithIndicesBackward0",
    lambda a, kernel, stride, padding, dilation, ceil_mode: _max_forward(a, kernel, stride, padding, dilation, ceil_mode),
    aux=True,
    a=lambda g, a_shape, aux: K.max_pool_backward(g, aux, a_shape),
    graph={"a": lambda g, a_shape, aux: _scattered(g, aux, a_shape)},
)  # fmt: skip
_max_pool_indices: Any = primitive(
    "MaxPool2DWithIndicesBackward0",
    lambda a, kernel, stride, padding, dilation, ceil_mode: _both(K.max_pool_forward(a, kernel, stride, padding, dilation, ceil_mode), _maxima_last(a)),
    aux=True, non_differentiable=(1,),
    a=lambda g, a_shape, aux: K.max_pool_backward(g, aux, a_shape),
    graph={"a": lambda g, a_shape, aux: _scattered(g, aux, a_shape)},
)  # fmt: skip
_adaptive_max: Any = primitive(
    "AdaptiveMaxPool2DBackward0", lambda a, size: _both(K.adaptive_max_pool_forward(a, size), a.ndim < 5 and placing.channels_last(a)), aux=True, non_differentiable=(1,),
    a=lambda g, a_shape, aux: K.max_pool_backward(g, aux, a_shape),
    graph={"a": lambda g, a_shape, aux: _scattered(g, aux, a_shape)},
)  # fmt: skip
_avg_pool: Any = primitive(
    "AvgPool2DBackward0",
    lambda a, kernel, stride, padding, ceil_mode, include, divisor: _avg_forward(a, kernel, stride, padding, ceil_mode, include, divisor),
    a=lambda g, a_shape, kernel, stride, padding, ceil_mode, include, divisor: _avg_backward(g, a_shape, kernel, stride, padding, ceil_mode, include, divisor),
)  # fmt: skip
_avg_backward: Any = primitive(
    "AvgPool2DBackwardBackward0",
    lambda b, shape, kernel, stride, padding, ceil_mode, include, divisor: K.avg_pool_backward(b, shape, kernel, stride, padding, include, divisor),
    b=lambda g, kernel, stride, padding, ceil_mode, include, divisor: _avg_pool(g, kernel, stride, padding, ceil_mode, include, divisor),
)  # fmt: skip
_adaptive_avg: Any = primitive(
    "AdaptiveAvgPool2DBackward0", lambda a, size: _adaptive_forward(a, size),
    a=lambda g, a_shape: _adaptive_avg_backward(g, a_shape),
)  # fmt: skip
_adaptive_avg_backward: Any = primitive(
    "AdaptiveAvgPool2DBackwardBackward0", lambda b, shape: K.adaptive_avg_pool_backward(b, shape),
    b=lambda g, b_shape: _adaptive_avg(g, tuple(b_shape[2:])),
)  # fmt: skip
_unpool: Any = primitive(
    "MaxUnpool2DBackward0", lambda a, index, shape: K.max_unpool(a, index, shape), inputs=("index",), tensors=True,
    a=lambda g, index: g.flatten(2).gather(2, index.flatten(2)).reshape(index.shape),
)  # fmt: skip


# Which of them keep the channels last is PyTorch's choice: of volumes only the maxima, and means of everything.
def _both(found: Any, last: bool) -> Any:
    values, indices = (placing.picture(a, last) for a in found)
    return [values, indices], indices


def _max_forward(a: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool) -> Any:
    out, indices = K.max_pool_forward(a, kernel, stride, padding, dilation, ceil_mode)
    return placing.picture(out, a.ndim > 3 and _maxima_last(a)), indices


def _maxima_last(a: Any) -> bool:
    # Of a single volume PyTorch does not look at the stride of the batch.
    if a.ndim == 5 and len(a) == 1 and not a.flags.c_contiguous and a[0].transpose(1, 2, 3, 0).flags.c_contiguous:
        return True
    return placing.channels_last(a)


def _avg_forward(a: Any, kernel: Any, stride: Any, padding: Any, ceil_mode: bool, include: bool, divisor: Any) -> Any:
    out = K.avg_pool_forward(a, kernel, stride, padding, ceil_mode, include, divisor)
    return placing.picture(out, a.ndim < 5 and placing.channels_last(a))


def _adaptive_forward(a: Any, size: Any) -> Any:
    whole = a.ndim < 5 or set(size) == {1}
    return placing.picture(K.adaptive_avg_pool_forward(a, size), whole and placing.channels_last(a))


def _scattered(g: Any, indices: Any, shape: Any) -> Any:
    """The differentiable twin of `max_pool_backward`."""
    flat = g.new_zeros((*shape[:2], _product(shape[2:])))
    return flat.scatter_add(2, indices.flatten(2), g.flatten(2)).reshape(shape)


def _product(shape: Any) -> int:
    n = 1
    for m in shape:
        n *= m
    return n


def _batched(x: Any, n: int, name: str) -> tuple[Any, bool]:
    if not isinstance(x, Tensor):
        raise type_error(name, x)
    if x._array.ndim == n + 2:
        return x, True
    if x._array.ndim == n + 1:
        return x.unsqueeze(0), False
    kinds = {1: "2D or 3D (batch mode)", 2: "3D or 4D (batch mode)", 3: "4D or 5D (batch mode)"}[n]
    raise RuntimeError(
        f"{name}(): Expected {kinds} tensor with optional 0 dim batch size for input, but got:{list(x._array.shape)}"
        if n == 1
        else f"non-empty {kinds} tensor expected for input"
    )


def _windows(name: str, n: int, kernel: Any, stride: Any, padding: Any, dilation: Any = 1) -> Any:
    sizes = per_dim(kernel, n, "kernel_size")
    strides = sizes if stride is None or stride == [] or stride == () else per_dim(stride, n, "stride")
    paddings, dilations = per_dim(padding, n, "padding"), per_dim(dilation, n, "dilation")
    if any(k <= 0 for k in sizes):
        raise RuntimeError(
            "kernel size should be greater than zero, but got "
            + (f"kH: {sizes[0]} kW: {sizes[-1]}" if n == 2 else f"{sizes[0]}")
        )
    if any(s <= 0 for s in strides):
        raise RuntimeError(
            "stride should not be zero"
            if n != 1
            else f"max_pool1d() stride must be greater than zero, but got {strides[0]}"
            if name.startswith("max")
            else "stride should not be zero"
        )
    if any(d <= 0 for d in dilations):
        raise RuntimeError(
            "dilation should be greater than zero, but got "
            + (f"dilationH: {dilations[0]} dilationW: {dilations[-1]}" if n == 2 else f"{dilations[0]}")
        )
    for p, k, d in zip(paddings, sizes, dilations, strict=True):
        if p < 0:
            raise RuntimeError(f"pad must be non-negative, but got pad: {p}")
        if p > ((k - 1) * d + 1) // 2:
            raise RuntimeError(
                f"pad should be at most half of effective kernel size, but got pad={p}, kernel_size={k} and dilation={d}"
            )
    return sizes, strides, paddings, dilations


def _check_output(x: Any, sizes: Any, strides: Any, paddings: Any, dilations: Any, ceil_mode: bool, n: int) -> None:
    out = pool_output_shape(x._array.shape[2:], sizes, strides, paddings, dilations, ceil_mode)
    if any(m < 1 for m in out):
        spatial = x._array.shape[1:]
        raise RuntimeError(
            f"Given input size: ({'x'.join(map(str, spatial if n > 1 else (spatial[0], 1, spatial[1])))}). Calculated output size: ({'x'.join(map(str, (spatial[0], *((1,) if n == 1 else ()), *out)))}). Output size is too small"
        )


def _max_function(n: int) -> tuple[Any, Any]:
    name = f"max_pool{n}d"

    def checked_windows(x: Any, kernel: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool) -> Any:
        if 0 in x._array.shape[1:]:
            kinds = {1: "2D or 3D", 2: "3D or 4D", 3: "4D or 5D"}[n]
            raise RuntimeError(
                f"{name}: Expected {kinds} (batch mode) tensor with optional 0 dim batch size for input, but got:"
                f"{list(x._array.shape)}"
            )
        sizes, strides, paddings, dilations = _windows(name, n, kernel, stride, padding, dilation)
        _check_output(x, sizes, strides, paddings, dilations, ceil_mode, n)
        return sizes, strides, paddings, dilations, ceil_mode

    def with_indices(
        input: Any,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        return_indices: bool = True,
    ) -> Any:
        x, batched = _batched(input, n, name)
        values, indices = _max_pool_indices(x, *checked_windows(x, kernel_size, stride, padding, dilation, ceil_mode))
        return (values, indices) if batched else (values.squeeze(0), indices.squeeze(0))

    def pool(
        input: Any,
        kernel_size: Any,
        stride: Any = None,
        padding: Any = 0,
        dilation: Any = 1,
        ceil_mode: bool = False,
        return_indices: bool = False,
    ) -> Any:
        if return_indices:
            return with_indices(input, kernel_size, stride, padding, dilation, ceil_mode)
        x, batched = _batched(input, n, name)
        y = _max_pool(x, *checked_windows(x, kernel_size, stride, padding, dilation, ceil_mode))
        return y if batched else y.squeeze(0)

    pool.__name__ = pool.__qualname__ = name
    with_indices.__name__ = with_indices.__qualname__ = f"{name}_with_indices"
    pool.__doc__ = "The largest element of each window; with `return_indices` also where it was."
    with_indices.__doc__ = "The largest element of each window, and its index."
    return pool, with_indices


def _avg_function(n: int) -> Any:
    name = f"avg_pool{n}d"

    def general(
        input: Any, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool, include: bool, divisor: Any
    ) -> Any:
        x, batched = _batched(input, n, name)
        sizes, strides, paddings, ones = _windows(name, n, kernel_size, stride, padding)
        if divisor is not None and divisor == 0:
            raise RuntimeError("divisor must be not zero")
        _check_output(x, sizes, strides, paddings, ones, ceil_mode, n)
        y = _avg_pool(x, sizes, strides, paddings, ceil_mode, include, divisor)
        return y if batched else y.squeeze(0)

    if n == 1:

        def pool(
            input: Any,
            kernel_size: Any,
            stride: Any = None,
            padding: Any = 0,
            ceil_mode: bool = False,
            count_include_pad: bool = True,
        ) -> Any:
            return general(input, kernel_size, stride, padding, ceil_mode, count_include_pad, None)

    else:

        def pool(  # type: ignore[misc]
            input: Any,
            kernel_size: Any,
            stride: Any = None,
            padding: Any = 0,
            ceil_mode: bool = False,
            count_include_pad: bool = True,
            divisor_override: Any = None,
        ) -> Any:
            return general(input, kernel_size, stride, padding, ceil_mode, count_include_pad, divisor_override)

    pool.__name__ = pool.__qualname__ = name
    pool.__doc__ = "The mean of each window."
    return pool


def _target_size(x: Any, size: Any, n: int) -> tuple[int, ...]:
    wanted = tuple(size) if isinstance(size, (tuple, list)) else (size,) * n
    if len(wanted) != n:
        raise RuntimeError(f"adaptive_avg_pool{n}d: output_size must be {n}")
    found = tuple(m if v is None else int(v) for v, m in zip(wanted, x._array.shape[-n:], strict=True))
    if any(v < 0 for v in found):
        raise RuntimeError(
            f"adaptive_avg_pool{n}d: elements of output_size must be greater than or equal to 0 but received {{{', '.join(map(str, found))}}}"
        )
    return found


def _check_sizes(x: Any, size: Any, n: int) -> None:
    """PyTorch first fills in a tuple of sizes from the input's, where there are several."""
    if n > 1 and isinstance(size, (tuple, list)) and x._array.ndim <= len(size):
        raise ValueError(f"Input dimension should be at least {len(size) + 1}")


def _adaptive_functions(n: int) -> tuple[Any, Any]:
    def average(input: Any, output_size: Any) -> Any:
        if input._array.ndim not in (n + 1, n + 2):
            _check_sizes(input, output_size, n)
            raise RuntimeError(
                f"adaptive_avg_pool{n}d(): Expected {n + 1}D or {n + 2}D tensor, but got {list(input._array.shape)}"
            )
        x, batched = _batched(input, n, f"adaptive_avg_pool{n}d")
        y = _adaptive_avg(x, _target_size(x, output_size, n))
        return y if batched else y.squeeze(0)

    def largest(input: Any, output_size: Any, return_indices: bool = False) -> Any:
        if input._array.ndim not in (n + 1, n + 2):
            _check_sizes(input, output_size, n)
            raise RuntimeError(
                f"adaptive_max_pool{n}d(): Expected {n + 1}D or {n + 2}D tensor, but got: {list(input._array.shape)}"
            )
        x, batched = _batched(input, n, f"adaptive_max_pool{n}d")
        values, indices = _adaptive_max(x, _target_size(x, output_size, n))
        if not batched:
            values, indices = values.squeeze(0), indices.squeeze(0)
        return (values, indices) if return_indices else values

    average.__name__ = average.__qualname__ = f"adaptive_avg_pool{n}d"
    largest.__name__ = largest.__qualname__ = f"adaptive_max_pool{n}d"
    average.__doc__ = "The means of windows that give an output of the wanted size."
    largest.__doc__ = "The largest elements of windows that give an output of the wanted size."
    return average, largest


FUNCTIONAL: dict[str, Any] = {}
for _n in (1, 2, 3):
    _max, _with = _max_function(_n)
    _average, _largest = _adaptive_functions(_n)
    for _f in (_max, _with, _avg_function(_n), _average, _largest):
        FUNCTIONAL[_f.__name__] = _f


def _adaptive_max_with_indices(n: int) -> Any:
    def function(input: Any, output_size: Any, return_indices: bool = False) -> Any:
        return FUNCTIONAL[f"adaptive_max_pool{n}d"](input, output_size, True)

    function.__name__ = f"adaptive_max_pool{n}d_with_indices"
    return function


for _n in (1, 2, 3):
    FUNCTIONAL[f"adaptive_max_pool{_n}d_with_indices"] = _adaptive_max_with_indices(_n)


def _unpool_function(n: int) -> Any:
    def unpool(
        input: Any, indices: Any, kernel_size: Any, stride: Any = None, padding: Any = 0, output_size: Any = None
    ) -> Any:
        sizes, strides, paddings, _ = _windows(f"max_unpool{n}d", n, kernel_size, stride, padding)
        x, batched = _batched(input, n, f"max_unpool{n}d")
        index = indices if batched else indices.unsqueeze(0)
        if x.shape != index.shape:
            raise RuntimeError(
                f"Expected shape of indices to be same as that of the input tensor ({list(x.shape)}) but got indices tensor with shape: {list(index.shape)}"
            )
        default = tuple(
            (m - 1) * s + k - 2 * p for m, s, k, p in zip(x._array.shape[2:], strides, sizes, paddings, strict=True)
        )
        spatial = default
        if output_size is not None:
            spatial = tuple(output_size)[-n:]
            for i, (v, m, s) in enumerate(zip(spatial, default, strides, strict=True)):
                if not m - s < v < m + s:
                    raise ValueError(
                        f'invalid output_size "{list(spatial)}" (dim {i} must be between {m - s} and {m + s})'
                    )
        y = _unpool(x, index, (*x._array.shape[:2], *spatial))
        return y if batched else y.squeeze(0)

    unpool.__name__ = unpool.__qualname__ = f"max_unpool{n}d"
    unpool.__doc__ = f"Puts each value where `max_pool{n}d` found it, zeros elsewhere."
    return unpool


for _n in (1, 2, 3):
    FUNCTIONAL[f"max_unpool{_n}d"] = _unpool_function(_n)


def lp_pool(x: Any, norm_type: float, kernel: Any, stride: Any, ceil_mode: bool, n: int) -> Any:
    """The p-norm of each window."""
    from .activation import relu

    sizes = per_dim(kernel, n, "kernel_size")
    if norm_type == math.inf:
        return FUNCTIONAL[f"max_pool{n}d"](x, sizes if n > 1 else sizes[0], stride, ceil_mode=ceil_mode)
    pooled = FUNCTIONAL[f"avg_pool{n}d"](x.pow(norm_type), sizes if n > 1 else sizes[0], stride, 0, ceil_mode)
    return (pooled.sign() * relu(pooled.abs()) * _product(sizes)).pow(1.0 / norm_type)


def _lp_function(n: int) -> Any:
    def pool(input: Any, norm_type: float, kernel_size: Any, stride: Any = None, ceil_mode: bool = False) -> Any:
        return lp_pool(input, norm_type, kernel_size, stride, ceil_mode, n)

    pool.__name__ = pool.__qualname__ = f"lp_pool{n}d"
    pool.__doc__ = "The p-norm of each window."
    return pool


for _n in (1, 2, 3):
    FUNCTIONAL[f"lp_pool{_n}d"] = _lp_function(_n)
for _name in ("max_pool1d", "max_pool2d", "max_pool3d", "avg_pool1d", "adaptive_avg_pool1d"):
    FUNCTIONS[_name] = FUNCTIONAL[_name]
FUNCTIONS["adaptive_max_pool1d"] = FUNCTIONAL["adaptive_max_pool1d_with_indices"]
