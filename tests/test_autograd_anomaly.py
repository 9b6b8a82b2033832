"""Anomaly mode names the line of the forward pass that made the backward pass fail."""

from __future__ import annotations

from typing import Any

import pytest

import rushlight as torch

pytestmark = pytest.mark.filterwarnings("ignore:Anomaly Detection has been enabled")


class Broken(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        return x * 2

    @staticmethod
    def backward(ctx: Any, g: Any) -> Any:
        raise ValueError("broken")


def test_the_line_of_an_operator_is_named() -> None:
    with torch.autograd.detect_anomaly():
        x = torch.tensor([-1.0, 4.0], requires_grad=True)
        y = torch.sqrt(x)  # this line
        with (
            pytest.warns(UserWarning, match=r"Error detected in SqrtBackward0(.|\n)*# this line"),
            pytest.raises(RuntimeError, match="Function 'SqrtBackward0' returned nan values in its 0th output"),
        ):
            (y * 0).sum().backward()


def test_the_line_of_a_function_is_named() -> None:
    with torch.autograd.detect_anomaly(check_nan=False):
        y = Broken.apply(torch.ones(2, requires_grad=True))  # that line
        with (
            pytest.warns(UserWarning, match=r"Error detected in BrokenBackward(.|\n)*# that line"),
            pytest.raises(ValueError, match="broken"),
        ):
            y.sum().backward()


def test_a_changed_operand_is_named_by_the_line_that_needs_it() -> None:
    with torch.autograd.detect_anomaly():
        x = torch.ones(2, requires_grad=True)
        w = torch.ones(2)
        y = x * w  # here
        w.add_(1)
        with (
            pytest.warns(UserWarning, match=r"Error detected in MulBackward0(.|\n)*# here"),
            pytest.raises(RuntimeError, match="modified by an inplace operation"),
        ):
            y.sum().backward()


def test_nan_is_allowed_without_the_check() -> None:
    with torch.autograd.detect_anomaly(check_nan=False):
        x = torch.tensor([-1.0], requires_grad=True)
        (torch.sqrt(x) * 0).sum().backward()
    assert x.grad.isnan().all()


def test_the_mode_ends_with_its_block() -> None:
    with torch.autograd.set_detect_anomaly(True):
        assert torch.is_anomaly_enabled()
    assert not torch.is_anomaly_enabled()
