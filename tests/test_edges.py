"""Edge rules that have no table: refusals by name, empty factors, half precision, states of another model."""

import pytest

import rushlight as rl


@pytest.mark.parametrize(
    "call", ["t.ones([1] * 65)", "t.rand([1] * 65)", "t.full([1] * 65, 2)", "t.ones(1).expand([1] * 65)"]
)
def test_more_than_64_dimensions_are_refused_by_name(call):
    with pytest.raises(RuntimeError, match="only tensors with up to 64 dims are supported"):
        eval(call, {"t": rl})


@pytest.mark.parametrize("shape", [(0, 0), (2, 0, 0), (0, 3, 3)])
def test_the_inverse_of_no_factor(shape):
    assert rl.cholesky_inverse(rl.ones(shape)).shape == shape


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


def test_a_node_of_a_function_is_shown_under_pytorchs_name():
    class Twice(rl.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, g):
            return g * 2

    y = Twice.apply(rl.ones(1, requires_grad=True))
    assert repr(y.grad_fn).startswith("<torch.autograd.function.TwiceBackward object at 0x")


@pytest.mark.parametrize(
    "call",
    [
        "t.full((2,), x, dtype=t.int64)",
        "t.ones(2).long().fill_(x)",
        "t.full_like(t.ones(2).long(), x)",
        "t.ones(2).long() + x",
    ],
)
def test_integers_of_more_than_64_bits_are_refused(call):
    with pytest.raises(OverflowError, match="int too big to convert"):
        eval(call, {"t": rl, "x": 2**70})


@pytest.mark.parametrize(("value", "dtype"), [(300, "uint8"), (float("nan"), "int64"), (2**64 - 1, "int64")])
def test_a_number_that_does_not_fit_is_not_a_lack_of_memory(value, dtype):
    with pytest.raises(RuntimeError, match=f"value cannot be converted to type {dtype}_t without overflow"):
        rl.full((2,), value, dtype=getattr(rl, dtype))


def test_what_is_expanded_is_bounded_by_its_elements_alone():
    assert rl.ones(1, dtype=rl.int8).expand(2**60).shape == (2**60,)
    with pytest.raises(NotImplementedError, match=r"2\*\*63 bytes if none were repeated"):
        rl.ones(1).expand(2**62)
    with pytest.raises(RuntimeError, match="numel: integer multiplication overflow"):
        rl.ones(1).expand(2**62, 2)


def test_a_transposed_gradient_lies_as_its_leaf():
    w = rl.ones(3, 2, requires_grad=True)
    (w.t() * rl.arange(6.0).reshape(2, 3)).sum().backward()
    assert w.grad.stride() == (2, 1)
    assert w.grad.tolist() == [[0, 3], [1, 4], [2, 5]]
