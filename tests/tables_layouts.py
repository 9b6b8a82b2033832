"""The strides of what every operator returns, for arguments in every memory layout.

A result is written as its shape, its strides, and "c" where it is contiguous: "2,3:3,1c".
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import samples
from layouts_by_hand import CASES, gradients_of_nets, nets

LEAST = 12000

OPERATORS = samples.load()


def _tensor(package: Any, a: Any) -> Any:
    if not a.size:  # NumPy's own strides of nothing are no layout
        return package.zeros(a.shape, dtype=getattr(package, "bool" if a.dtype == bool else a.dtype.name))
    return package.from_numpy(np.ascontiguousarray(a) if a.ndim else a.copy())


def _ordered(order: Callable[[int], tuple[int, ...]], least: int = 2, most: int = 64) -> Any:
    """A layout whose dimensions lie in memory in the order given, outermost first."""

    def lay(package: Any, a: Any) -> Any:
        if not least <= a.ndim <= most:
            return _tensor(package, a)
        axes = order(a.ndim)
        back = [axes.index(i) for i in range(a.ndim)]
        return _tensor(package, a.transpose(axes)).permute(back)

    return lay


def _expanded(package: Any, a: Any) -> Any:
    if a.ndim < 2 or not a.size:
        return _tensor(package, a)
    return _tensor(package, a[:1]).expand(*a.shape)


def _gapped(package: Any, a: Any) -> Any:
    if a.ndim < 2:
        return _tensor(package, a)
    return _tensor(package, np.repeat(a, 2, -1))[..., ::2]


LAYOUTS = {
    "contiguous": _ordered(lambda n: tuple(range(n))),
    "transposed": _ordered(lambda n: (*range(n - 2), n - 1, n - 2)),
    "permuted": _ordered(lambda n: (*range(1, n), 0), 3),
    "expanded": _expanded,
    "gapped": _gapped,
    "channels_last": _ordered(lambda n: (0, *range(2, n), 1), 4, 5),
}  # fmt: skip


def described(x: Any) -> str:
    """Shape, strides and contiguity of a tensor."""
    shape, strides = (",".join(map(str, v)) for v in (x.shape, x.stride()))
    return f"{shape}:{strides}{'c' if x.is_contiguous() else ''}"


def tensors_in(value: Any) -> list[Any]:
    """The tensors in a result, in order."""
    if hasattr(value, "is_contiguous"):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    return [x for v in value for x in tensors_in(v)] if isinstance(value, (list, tuple)) else []


def attempt(run: Callable[[], Any]) -> str:
    """The layouts of all tensors that a call returns, or the name of what it raised."""
    try:
        return " ".join(map(described, tensors_in(run())))
    except Exception as error:
        return type(error).__name__.lstrip("_")


def _laid(value: Any, lay: Any, package: Any) -> Any:
    if isinstance(value, np.ndarray):
        return lay(package, value.astype(np.float32) if value.dtype == np.float64 else value)
    if isinstance(value, (list, tuple)):
        return type(value)(_laid(v, lay, package) for v in value)
    return value


def _arrays(value: Any) -> list[Any]:
    if isinstance(value, np.ndarray):
        return [value]
    return [a for v in value for a in _arrays(v)] if isinstance(value, (list, tuple)) else []


def _distinct(sample: Any) -> list[str]:
    """The layouts that are another one than contiguous for some array of a sample; NumPy has none for nothing."""
    arrays = _arrays([*sample.args, *sample.kwargs.values()])
    dims = max((a.ndim for a in arrays), default=0) if all(a.size for a in arrays) else 0
    least = {"contiguous": 0, "permuted": 3, "channels_last": 4}
    return [name for name in LAYOUTS if dims >= least.get(name, 2)]


def _arguments(sample: Any, name: str, package: Any) -> tuple[Any, Any]:
    lay = LAYOUTS[name]
    return [_laid(v, lay, package) for v in sample.args], {k: _laid(v, lay, package) for k, v in sample.kwargs.items()}


def _mixed(sample: Any, package: Any) -> list[Any]:
    """The positional arguments with only the first one transposed."""
    return [_laid(v, LAYOUTS["transposed" if i == 0 else "contiguous"], package) for i, v in enumerate(sample.args)]


def _gradients(function: Any, sample: Any, name: str, package: Any) -> list[Any]:
    """`.grad` of the floating-point arguments after a backward pass."""
    args, kwargs = _arguments(sample, name, package)
    leaves = [x for x in tensors_in([args, kwargs]) if x.is_floating_point() or x.is_complex()]
    for x in leaves:
        x.requires_grad_()
    results = [y for y in tensors_in(function(*args, **kwargs)) if y.requires_grad]
    package.autograd.backward(results, [package.ones_like(y) for y in results])
    return [x.grad for x in leaves if x.grad is not None]


def answers(package: Any) -> Iterator[tuple[str, Any]]:
    """Every sample of every operator, then the cases that have no samples."""
    for name, op in sorted(OPERATORS.items()):
        try:
            function = op.of(package)
        except AttributeError:  # an operator of ours alone
            continue
        for i, sample in enumerate(op.samples()):
            for layout in _distinct(sample):
                package.manual_seed(0)

                def run(layout: str = layout, sample: Any = sample, function: Any = function) -> Any:
                    args, kwargs = _arguments(sample, layout, package)
                    return function(*args, **kwargs)

                yield f"{name}/{i} {layout}", attempt(run)
                if op.differentiable and i < 2:
                    yield (
                        f"{name}/{i} {layout} grad",
                        attempt(lambda f=function, s=sample, n=layout: _gradients(f, s, n, package)),
                    )
            if (
                sum(isinstance(a, np.ndarray) and a.ndim > 1 and a.size > 0 for a in sample.args) > 1
                and not sample.kwargs
            ):
                yield f"{name}/{i} mixed", attempt(lambda f=function, s=sample: f(*_mixed(s, package)))
    yield from nets(package, attempt)
    yield from gradients_of_nets(package, attempt)
    for key, case in CASES.items():
        package.manual_seed(0)
        yield f"by hand/{key}", attempt(lambda case=case: case(package))
