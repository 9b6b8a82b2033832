"""Small calls in which a rule of PyTorch's implementation decides the answer: elements, dtypes, gradients, refused ranks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from typing import Any

LEAST = 100
CALLS = r"""
t.zeros(2, 3).index_put((t.tensor(1), t.tensor(2)), t.tensor(5.0))
t.zeros(2, 3).index_put_((t.tensor(1),), t.tensor(5.0))
t.zeros(2, 3).index_put((t.tensor(1), t.tensor([0, 2])), t.tensor([4.0, 5.0]))
t.tensor([100, 100], dtype=t.int8).sum(dtype=t.int8)
t.tensor([1.5, 200.0]).sum(dtype=t.uint8)
t.tensor([[1, 2], [3, 4]]).sum(0, dtype=t.int16)
t.tensor([1, 2]).sum(dtype=t.int32)
t.tensor([100, 3]).prod(dtype=t.int8)
t.tensor([2, 0]).sum(dtype=t.bool)
t.tensor([[2, 0], [0, 0]]).sum(1, dtype=t.bool)
t.tensor([0.5, 0.0]).sum(dtype=t.bool)
t.tensor([2, 0]).prod(dtype=t.bool)
t.addbmm(*(t.ones(s, dtype=t.int8) for s in ((2, 2), (3, 2, 2), (3, 2, 2))))
t.addbmm(*(t.ones(s, dtype=t.int32) for s in ((1, 2), (3, 2, 1), (3, 1, 2))))
t.tensor([5, 1], dtype=t.uint8).sub_(-3)
t.tensor([5, 1], dtype=t.uint8) + -3
t.tensor([5, 1], dtype=t.uint8) * -1
t.tensor([5, 1], dtype=t.int8) + 300
t.nn.functional.lp_pool1d(t.arange(4.0).reshape(1, 1, 4), float('inf'), 2)
t.nn.functional.lp_pool2d(t.arange(16.0).reshape(1, 1, 4, 4), float('inf'), 2)
t.nn.functional.grid_sample(t.zeros(0, 2, 3, 3), t.zeros(0, 2, 2, 2), align_corners=False)
t.nn.functional.grid_sample(t.zeros(2, 0, 3, 3), t.zeros(2, 2, 2, 2), align_corners=False)
t.nn.functional.max_unpool2d(t.zeros(0, 1, 2, 2), t.zeros(0, 1, 2, 2, dtype=t.long), 2)
t.linalg.vector_norm(t.tensor([300.0, 400.0], dtype=t.half))
t.tensor([[300.0, 400.0]], dtype=t.half).norm(dim=1)
t.dist(t.tensor([300.0, 0.0], dtype=t.half), t.tensor([0.0, 400.0], dtype=t.half), 2)
t.nn.functional.normalize(t.tensor([[300.0, 400.0]], dtype=t.half)).float().round(decimals=1).mul(10).int()
""".strip().splitlines()
# Functions of x = (0, 1.5), whose gradients are asked for.
FUNCTIONS = r"""
x.clamp(float('nan'))
x.clamp(0.0, float('nan'))
t.xlogy(x, 2)
t.xlogy(x, 0)
t.xlogy(3, x)
""".strip().splitlines()


def answers(package: Any) -> Iterator[tuple[str, Any]]:
    """What each call gives, or the first line of its error."""
    scope = {"t": package}
    for call in CALLS:
        y = eval(call, scope)
        yield call, [str(y.dtype), list(y.shape), y.tolist()]
    for call in FUNCTIONS:
        x = package.tensor([0.0, 1.5], requires_grad=True)
        eval(call, {**scope, "x": x}).sum().backward()
        yield f"gradient {call}", x.grad.tolist()
    for kind, n, rank, several in product(("avg", "max"), (1, 2, 3), range(1, 7), (False, True)):
        name = f"adaptive_{kind}_pool{n}d"
        try:
            found = list(
                getattr(package.nn.functional, name)(package.ones((2,) * rank), (2,) * n if several else 2).shape
            )
        except Exception as e:
            # The words of one dimension are those of another check, which comes first there.
            found = [type(e).__name__, "" if n == 1 else str(e).splitlines()[0]]
        yield f"{name} of rank {rank}{' to several sizes' if several else ''}", found


def same(ours: Any, theirs: Any) -> bool:
    """Equal, but for the last digit of a float32."""
    if isinstance(theirs, float):
        return isinstance(ours, float) and (ours == theirs or math.isclose(ours, theirs, rel_tol=2e-7))
    if isinstance(theirs, list):
        return isinstance(ours, list) and len(ours) == len(theirs) and all(map(same, ours, theirs))
    return bool(ours == theirs)
