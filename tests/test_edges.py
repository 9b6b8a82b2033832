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


@pytest.mark.parametrize("kind", ["avg", "max"])
@pytest.mark.parametrize("n", [1, 2, 3])
@pytest.mark.parametrize("rank", range(1, 7))
@pytest.mark.parametrize("several", [False, True])
def test_adaptive_pools_refuse_ranks_as_pytorch_does(kind, n, rank, several):
    torch = pytest.importorskip("torch")

    def outcome(package):
        pool = getattr(package.nn.functional, f"adaptive_{kind}_pool{n}d")
        try:
            return tuple(pool(package.ones((2,) * rank), (2,) * n if several else 2).shape)
        except Exception as e:
            return type(e).__name__, "" if n == 1 else str(e).split("\n")[0]

    assert outcome(rl) == outcome(torch)


@pytest.mark.parametrize(
    "call", ["t.ones([1] * 65)", "t.rand([1] * 65)", "t.full([1] * 65, 2)", "t.ones(1).expand([1] * 65)"]
)
def test_more_than_64_dimensions_are_refused_by_name(call):
    with pytest.raises(RuntimeError, match="only tensors with up to 64 dims are supported"):
        eval(call, {"t": rl})


@pytest.mark.parametrize("shape", [(0, 0), (2, 0, 0), (0, 3, 3)])
def test_the_inverse_of_no_factor(shape):
    assert rl.cholesky_inverse(rl.ones(shape)).shape == shape
