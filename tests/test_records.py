"""Every table of `tables_*.py`: rushlight against PyTorch's recorded answers, and these against PyTorch."""

import pytest

import records
import rushlight
from rushlight.backend import kernels as K


@pytest.mark.parametrize("name", records.NAMES)
def test_answers_are_pytorchs(name):
    table = records.table(name)
    if getattr(table, "NATIVE", False) and not K.info()["native"]:
        pytest.skip("the table is about the native kernels")
    theirs, ours = records.recorded(name), records.ask(name, rushlight)
    assert len(theirs) >= table.LEAST
    assert theirs.keys() <= ours.keys()  # operators that PyTorch lacks have answers here alone
    wrong = {key for key in theirs if not records.agree(name, ours[key], theirs[key])}
    listed = records.known(name)
    assert wrong == listed, [(key, ours[key], theirs[key]) for key in sorted(wrong ^ listed)[:10]]


@pytest.mark.oracle
@pytest.mark.parametrize("name", records.NAMES)
def test_the_record_is_pytorchs(name):
    torch = pytest.importorskip("torch")
    theirs, live = records.recorded(name), records.ask(name, torch)
    assert live.keys() == theirs.keys()
    assert [(key, live[key], theirs[key]) for key in theirs if not records.agree(name, live[key], theirs[key])] == []
