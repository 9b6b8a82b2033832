"""Small calls in which a rule of PyTorch's implementation decides the answer; compared live, and with values from PyTorch 2.13."""

import math

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
    "t.tensor([5, 1], dtype=t.uint8).sub_(-3)": ([8, 4], "uint8"),
    "t.tensor([5, 1], dtype=t.uint8) + -3": ([2, 254], "uint8"),
    "t.tensor([5, 1], dtype=t.uint8) * -1": ([251, 255], "uint8"),
    "t.tensor([5, 1], dtype=t.int8) + 300": ([49, 45], "int8"),
    "t.nn.functional.lp_pool1d(t.arange(4.0).reshape(1, 1, 4), float('inf'), 2)": ([[[1, 3]]], "float32"),
    "t.nn.functional.lp_pool2d(t.arange(16.0).reshape(1, 1, 4, 4), float('inf'), 2)": (
        [[[[5, 7], [13, 15]]]],
        "float32",
    ),
    "t.nn.functional.grid_sample(t.zeros(0, 2, 3, 3), t.zeros(0, 2, 2, 2), align_corners=False)": ([], "float32"),
    "t.nn.functional.grid_sample(t.zeros(2, 0, 3, 3), t.zeros(2, 2, 2, 2), align_corners=False)": ([[], []], "float32"),
    "t.nn.functional.max_unpool2d(t.zeros(0, 1, 2, 2), t.zeros(0, 1, 2, 2, dtype=t.long), 2)": ([], "float32"),
    "t.linalg.vector_norm(t.tensor([300.0, 400.0], dtype=t.half))": (500, "float16"),
    "t.tensor([[300.0, 400.0]], dtype=t.half).norm(dim=1)": ([500], "float16"),
    "t.dist(t.tensor([300.0, 0.0], dtype=t.half), t.tensor([0.0, 400.0], dtype=t.half), 2)": (500, "float16"),
    "t.nn.functional.normalize(t.tensor([[300.0, 400.0]], dtype=t.half)).float().round(decimals=1).mul(10).int()": (
        [[6, 8]],
        "int32",
    ),
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


GRADIENTS = {
    "x.clamp(float('nan'))": [0.0, 0.0],
    "x.clamp(0.0, float('nan'))": [0.0, 0.0],
    "t.xlogy(x, 2)": [math.log(2), math.log(2)],
    "t.xlogy(x, 0)": [0.0, -math.inf],
    "t.xlogy(3, x)": [math.inf, 2.0],
}


@pytest.mark.parametrize("call", GRADIENTS)
def test_the_gradient_is_pytorchs(call):
    found = []
    for package in (rl, pytest.importorskip("torch")):
        x = package.tensor([0.0, 1.5], requires_grad=True)
        eval(call, {"t": package, "x": x}).sum().backward()
        found.append(x.grad.tolist())
    assert found[0] == pytest.approx(found[1])
    assert found[1] == pytest.approx(GRADIENTS[call])


def test_gradients_in_half_precision_are_clipped_not_erased():
    x = rl.nn.Parameter(rl.zeros(4, dtype=rl.half))
    x.grad = rl.full((4,), 200.0, dtype=rl.half)
    assert rl.nn.utils.clip_grad_norm_([x], 1.0).item() == 400
    assert x.grad.tolist() == [0.5] * 4


def test_a_state_of_another_shape_is_refused():
    for name in ("Adam", "SGD", "RMSprop", "Adagrad"):
        options = {"momentum": 0.9} if name == "SGD" else {}
        x, y = (rl.nn.Parameter(rl.ones(n)) for n in (1, 5))
        one, other = (getattr(rl.optim, name)([p], lr=0.1, **options) for p in (x, y))
        x.grad, y.grad = rl.ones(1), rl.ones(5)
        one.step()
        other.load_state_dict(one.state_dict())
        with pytest.raises(RuntimeError, match="doesn't match the broadcast shape"):
            other.step()
