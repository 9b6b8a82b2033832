"""Small calls in which a rule of PyTorch's implementation decides the answer; compared live, and with values from PyTorch 2.13."""

import pytest

import rushlight as rl

# The program (`t` is the package) and what PyTorch 2.13 gives: the elements, the shape and the dtype.
CALLS = {
    "t.zeros(2, 3).index_put((t.tensor(1), t.tensor(2)), t.tensor(5.0))": ([[0, 0, 0], [0, 0, 5]], "float32"),
    "t.zeros(2, 3).index_put_((t.tensor(1),), t.tensor(5.0))": ([[0, 0, 0], [5, 5, 5]], "float32"),
    "t.zeros(2, 3).index_put((t.tensor(1), t.tensor([0, 2])), t.tensor([4.0, 5.0]))": (
        [[0, 0, 0], [4, 0, 5]],
        "float32",
    ),
    "t.tensor([100, 100], dtype=t.int8).sum(dtype=t.int8)": (-56, "int8"),
    "t.tensor([1.5, 200.0]).sum(dtype=t.uint8)": (201, "uint8"),
    "t.tensor([[1, 2], [3, 4]]).sum(0, dtype=t.int16)": ([4, 6], "int16"),
    "t.tensor([1, 2]).sum(dtype=t.int32)": (3, "int32"),
    "t.tensor([100, 3]).prod(dtype=t.int8)": (44, "int8"),
    "t.tensor([2, 0]).sum(dtype=t.bool)": (True, "bool"),
    "t.tensor([[2, 0], [0, 0]]).sum(1, dtype=t.bool)": ([True, False], "bool"),
    "t.tensor([0.5, 0.0]).sum(dtype=t.bool)": (True, "bool"),
    "t.tensor([2, 0]).prod(dtype=t.bool)": (False, "bool"),
    "t.addbmm(*(t.ones(s, dtype=t.int8) for s in ((2, 2), (3, 2, 2), (3, 2, 2))))": ([[7, 7], [7, 7]], "int8"),
    "t.addbmm(*(t.ones(s, dtype=t.int32) for s in ((1, 2), (3, 2, 1), (3, 1, 2))))": ([[4, 4], [4, 4]], "int32"),
}


@pytest.mark.parametrize("call", CALLS)
def test_the_answer_is_pytorchs(call):
    values, dtype = CALLS[call]
    y = eval(call, {"t": rl})
    assert (y.tolist(), str(y.dtype)) == (values, f"torch.{dtype}")


@pytest.mark.oracle
@pytest.mark.parametrize("call", CALLS)
def test_pytorch_still_says_so(call):
    torch = pytest.importorskip("torch")
    values, dtype = CALLS[call]
    y = eval(call, {"t": torch})
    assert (y.tolist(), str(y.dtype)) == (values, f"torch.{dtype}")
