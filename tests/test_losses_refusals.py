"""What losses refuse, and in which words: rushlight against PyTorch's recorded answers, and these against PyTorch."""

import pytest

import records
import rushlight

RECORDED = records.recorded("losses")


def test_losses_refuse_what_pytorch_refuses():
    found = records.ask("losses", rushlight)
    assert found.keys() == RECORDED.keys()
    differing = {key: (found[key], RECORDED[key]) for key in found if found[key] != RECORDED[key]}
    assert differing.keys() == records.known("losses"), differing


@pytest.mark.oracle
def test_the_record_is_pytorchs():
    torch = pytest.importorskip("torch")
    assert records.ask("losses", torch) == RECORDED
