"""The strides of results, against PyTorch's recorded answers: every operator on every layout of its arguments."""

from __future__ import annotations

import importlib.util
from itertools import permutations, product
from typing import Any

import numpy as np
import pytest

import rushlight as torch
from rushlight.backend import placing

needs_pytorch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="asks PyTorch")


def test_views_after_an_operator() -> None:
    """What programs call on results: they must be views of one piece."""
    x = torch.arange(24.0).reshape(2, 3, 4).permute(2, 0, 1)
    for y in (
        x.cumsum(0),
        torch.cat([x, x]),
        torch.stack([x, x]),
        x.masked_fill(x > 3, 0),
        x.roll(1, 0),
        x.topk(1, 0).values,
    ):
        assert y.view(-1).tolist() == y.reshape(-1).tolist()
    with pytest.raises(RuntimeError, match="view size is not compatible"):
        x.flip(0).view(-1)


@pytest.mark.filterwarnings("ignore")  # that create_graph makes a cycle
@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_a_new_gradient_lies_as_its_leaf(order: tuple[int, ...]) -> None:
    for graph, lay in product((False, True), ("dense", "gapped", "expanded")):
        x = torch.ones(2, 3, 4).permute(*order)
        if lay == "gapped":
            x = torch.ones(4, 6, 8).permute(*order)[..., ::2]  # no length of one is left
        elif lay == "expanded":
            x = torch.ones(2, 1, 4).expand(2, 3, 4).permute(*order)
        x = x.requires_grad_()
        (x.permute(2, 0, 1) * torch.ones(4)[:1]).sum().backward(create_graph=graph)
        dense = placing.is_dense(x._array)
        assert x.grad.stride() == (x.stride() if dense else torch.ones(tuple(x.shape)).stride())
        x.grad = None


def test_layouts_of_new_arrays() -> None:
    """The rules themselves: what is copied has the elements of the original, in the layout promised."""
    a = np.arange(24.0).reshape(2, 3, 4)
    for b in (
        a,
        a.T,
        a.transpose(1, 0, 2),
        a[:, :, ::2],
        a[:, ::-1],
        np.broadcast_to(a[:, :1], (2, 3, 4)),
        a[:0],
        a[0, 0, 0],
    ):
        for make in (placing.copy, placing.copy_strides):
            c = make(b)
            assert np.array_equal(c, b)
            assert not np.shares_memory(c, b)
            assert placing.is_dense(c) or make is placing.copy_strides
        assert placing.in_order(b).flags.c_contiguous
        assert placing.empty_like(b, np.int8).shape == b.shape
        assert np.array_equal(placing.follow(b.copy(), b, b.astype(np.int8)), b)
    assert placing.copy_strides(a[:, :, ::2]).strides == a[:, :, ::2].strides
    assert placing.columns(a).strides == (96, 8, 24)
    assert placing.columns(a[:, :, :1])[..., 0].tolist() == a[..., 0].tolist()


@needs_pytorch
def test_orders_of_random_operands_are_pytorchs() -> None:
    """Elements of two operands with random orders, gaps and repeated dimensions, without dimensions of one."""
    import torch as pytorch

    rng = np.random.default_rng(5)
    for _ in range(400):
        n = int(rng.integers(1, 5))
        shape = rng.integers(2, 5, n).tolist()
        recipes = [(rng.permutation(n).tolist(), rng.random(n) < 0.2, bool(rng.random() < 0.2)) for _ in range(2)]
        x, y = (_operand(torch, shape, *recipe) for recipe in recipes)
        p, q = (_operand(pytorch, shape, *recipe) for recipe in recipes)
        for run in (
            lambda a, b: a * b,
            lambda a, b: a.exp(),
            lambda a, b: a.long() + b.long(),
            lambda a, b: b.clone(),
            lambda a, b: b > a,
        ):
            assert run(x, y).stride() == run(p, q).stride(), (shape, recipes)


def _operand(package: Any, shape: list[int], order: list[int], repeated: Any, gapped: bool) -> Any:
    own = [1 if r else m for m, r in zip(shape, repeated, strict=True)]
    x = package.ones([own[d] for d in order]).permute([order.index(d) for d in range(len(order))])
    if gapped and own[-1] > 1:
        own[-1] *= 2
        x = package.ones([own[d] for d in order]).permute([order.index(d) for d in range(len(order))])[..., ::2]
    return x.expand(*shape)
