"""Warnings are PyTorch's: category, first line, whether they come again, and the line of the program that they name."""

from __future__ import annotations

import warnings

import pytest

import rushlight as torch


def test_a_warning_names_the_line_of_the_program_through_every_layer() -> None:
    loss = torch.nn.MSELoss()
    with pytest.warns(UserWarning, match="Using a target size") as seen:
        loss(torch.ones(2, 1), torch.ones(2))
    assert seen[0].filename == __file__


def test_what_is_warned_of_once_comes_again_only_if_asked_for() -> None:
    before = torch.is_warn_always_enabled()
    counts = []
    try:
        for always in (False, True):
            torch.set_warn_always(always)
            with warnings.catch_warnings(record=True) as seen:
                warnings.simplefilter("always")
                for _ in range(3):
                    _ = torch.ones(3).T
            counts.append(len(seen))
    finally:
        torch.set_warn_always(before)
    assert counts == [1, 3]
