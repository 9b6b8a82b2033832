"""Small PyTorch programs, unmodified: under `python -m rushlight` they print what they print under PyTorch."""

import math
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PROGRAMS = sorted(path for path in (HERE / "programs").glob("*.py") if path.stem != "conftest")
NUMBER = re.compile(r"(?<![\w.])-?\d+\.\d*(?:e[-+]?\d+)?")


def printed(program, *how):
    environment = {**os.environ, "PYTHONPATH": str(HERE.parent / "src"), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "error", *how, str(program)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def assert_agree(ours, theirs):
    """The same text, and fractions equal to 4 digits, or to one in the last place that is printed."""
    assert NUMBER.sub("#", re.sub(" +", " ", ours)) == NUMBER.sub("#", re.sub(" +", " ", theirs))
    for a, b in zip(NUMBER.findall(ours), NUMBER.findall(theirs), strict=True):
        places = len(b.split("e")[0].partition(".")[2])
        assert math.isclose(float(a), float(b), rel_tol=1e-4, abs_tol=1.5 * 10.0**-places), (a, b)


def test_the_comparison_can_fail():
    assert_agree("loss 1.2345 tensor([1.])", "loss 1.2346 tensor([1.])")
    for ours, theirs in (("1.2345", "1.2349"), ("loss 1.0", "lose 1.0"), ("1", "2"), ("100.12", "100.20")):
        with pytest.raises(AssertionError):
            assert_agree(ours, theirs)


@pytest.mark.parametrize("program", PROGRAMS, ids=[program.stem for program in PROGRAMS])
def test_a_program_prints_what_it_prints_with_pytorch(program):
    if program.stem == "pictures":
        pytest.importorskip("PIL")
    ours = printed(program, "-m", "rushlight")
    assert ours
    pytest.importorskip("torch")
    if program.stem == "pictures":
        pytest.importorskip("torchvision")
    assert_agree(ours, printed(program))
