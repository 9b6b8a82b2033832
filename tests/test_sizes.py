"""Sizes that no memory could hold, and arguments that overflow: an error at once, never a crash, a hang or gigabytes."""

import subprocess
import sys

import numpy as np
import pytest

import rushlight as rl

OVERFLOW = "Storage size calculation overflowed with sizes=|numel: integer multiplication overflow"
REFUSED = [
    "t.zeros(2**62)", "t.empty(2**62, 2**62)", "t.full((2**62,), 1)", "t.ones(3).new_zeros(2**62)",
    "t.ones(3).repeat(2**62)", "t.ones(3).repeat(2**62, 4)", "t.tile(t.ones(3), (2**62,))", "t.ones(1).expand(2**62, 3)",
    "t.repeat_interleave(t.ones(3), 2**62)", "t.repeat_interleave(t.ones(3), t.tensor([2**62, 2**62, 2]))",
    "t.ones(2, 2).repeat_interleave(2**61, 0)", "t.repeat_interleave(t.tensor([2**62, 2**62]))",
    "t.combinations(t.ones(100), 50)", "t.combinations(t.ones(3), 2**20)",
    "t.nn.functional.pad(t.ones(1, 1, 3), (2**62, 2**62), mode='replicate')",
]  # fmt: skip


@pytest.mark.parametrize("call", REFUSED)
def test_sizes_that_overflow_are_refused(call):
    with pytest.raises(RuntimeError, match=OVERFLOW):
        eval(call, {"t": rl})


@pytest.mark.oracle
@pytest.mark.parametrize("call", REFUSED)
def test_pytorch_refuses_them_too(call):
    torch = pytest.importorskip("torch")
    with pytest.raises(RuntimeError):
        eval(call, {"t": torch})


POOLS = [(2**61,), (2, 2**61), (2, 2**61, 1), (2, 1, 0, 2**61), (2**62, 2**62, 2**61)]


WORDS = "value cannot be converted to type int without overflow"


@pytest.mark.parametrize("arguments", POOLS)
def test_windows_are_32_bit(arguments):
    with pytest.raises(RuntimeError, match=WORDS):
        rl.nn.functional.max_pool2d(rl.ones(1, 1, 4, 4), *arguments)


@pytest.mark.oracle
@pytest.mark.parametrize("arguments", POOLS)
def test_pytorchs_windows_are_32_bit_too(arguments):
    torch = pytest.importorskip("torch")
    with pytest.raises(RuntimeError, match=WORDS):
        torch.nn.functional.max_pool2d(torch.ones(1, 1, 4, 4), *arguments)


@pytest.mark.parametrize("name", ["stride", "padding", "dilation"])
@pytest.mark.parametrize("value", [2**31, 2**61, 2**62, 2**63 - 1])
@pytest.mark.parametrize("transposed", [False, True])
def test_convolutions_refuse_what_would_overflow(name, value, transposed):
    convolution = rl.nn.functional.conv_transpose2d if transposed else rl.nn.functional.conv2d
    with pytest.raises(RuntimeError, match=f"{name} is too large"):
        convolution(rl.ones(1, 1, 4, 4), rl.ones(1, 1, 2, 2), **{name: value})


@pytest.mark.parametrize("kind", ["chebyshev_polynomial_t", "hermite_polynomial_h", "legendre_polynomial_p"])
def test_a_degree_is_bounded(kind):
    with pytest.raises(NotImplementedError, match=f"{kind} of degree 100000000"):
        getattr(rl.special, kind)(rl.ones(2) * 0.5, 10**8)


@pytest.mark.parametrize("before", [(3, 2), (-1, 2), (2, -2), (-2, 0), (0, 0)])
def test_replicate_padding_beside_numpy(before):
    a = np.arange(5.0)
    low, high = before
    wanted = np.pad(a, (max(low, 0), max(high, 0)), "edge")[
        max(-low, 0) : len(a) + max(low, 0) + max(high, 0) + min(high, 0)
    ]
    found = rl.nn.functional.pad(rl.from_numpy(a).reshape(1, 1, 5), before, mode="replicate")
    np.testing.assert_array_equal(found.numpy()[0, 0], wanted)


@pytest.mark.parametrize("value", ["inf", "-inf", "nan"])
@pytest.mark.parametrize("where", ["A", "B"])
def test_least_squares_of_what_is_not_finite_returns(value, where):
    # In a process of its own: LAPACK would not return, nor hear Ctrl-C.
    program = (
        "import rushlight as t\n"
        f"A, B = t.ones(3, 2), t.ones(3, 1)\n{where}[0, 0] = float('{value}')\n"
        "assert t.linalg.lstsq(A, B).solution.isnan().all()"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
