"""What autograd refuses, and in which words: PyTorch's recorded answers to misused Functions, hooks and in-place writes."""

from __future__ import annotations

import importlib.util

import pytest

import records
import rushlight as torch


def test_refusals_are_pytorchs() -> None:
    theirs = records.recorded("autograd_refusals")
    ours = records.ask("autograd_refusals", torch)
    assert len(theirs) > 150
    assert ours.keys() == theirs.keys()
    wrong = {key for key in theirs if ours[key] != theirs[key]}
    assert wrong == records.known("autograd_refusals"), [(k, ours[k], theirs[k]) for k in sorted(wrong)[:5]]


@pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="asks PyTorch")
def test_recorded_answers_are_pytorchs() -> None:
    import torch as pytorch

    live = records.ask("autograd_refusals", pytorch)
    theirs = records.recorded("autograd_refusals")
    assert [key for key in theirs if live[key] != theirs[key]] == []


def test_a_node_of_a_function_is_shown_under_pytorchs_name() -> None:
    class Twice(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    y = Twice.apply(torch.ones(1, requires_grad=True))
    assert repr(y.grad_fn).startswith("<torch.autograd.function.TwiceBackward object at 0x")
