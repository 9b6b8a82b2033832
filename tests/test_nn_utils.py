"""torch.nn.utils against PyTorch: clipping, parameters as vectors, weight and spectral norm, fusion."""

from __future__ import annotations

import pytest

from nn_oracle import leaf, same

torch = pytest.importorskip("torch")

# PyTorch announces the newer functions in torch.nn.utils.parametrizations.
pytestmark = pytest.mark.filterwarnings("ignore:.*weight_norm.*deprecated.*:FutureWarning")


def with_grads(T):
    model = T.nn.Sequential(T.nn.Linear(3, 4), T.nn.Linear(4, 2))
    model(leaf(T, 5, 3)).square().sum().backward()
    return model


def grads(model):
    return [x.grad for x in model.parameters()]


@pytest.mark.parametrize("norm", [1, 2.0, 3, float("inf")])
@pytest.mark.parametrize("limit", [0.5, 1e6])
def test_clip_grad_norm(norm, limit):
    def run(T):
        model = with_grads(T)
        total = T.nn.utils.clip_grad_norm_(model.parameters(), limit, norm)
        return [total, *grads(model), T.nn.utils.get_total_norm(grads(model), norm)]

    same(run)


def test_clip_grad_norm_refuses_nan_if_asked():
    def run(T):
        model = with_grads(T)
        model[0].weight.grad[0, 0] = float("nan")
        T.nn.utils.clip_grad_norm_(model.parameters(), 1.0, error_if_nonfinite=True)

    assert isinstance(same(run), tuple)


def test_clip_grad_norm_of_nothing():
    same(lambda T: T.nn.utils.clip_grad_norm_([T.nn.Parameter(T.ones(2))], 1.0))
    with pytest.warns(UserWarning, match="empty generator"):
        same(lambda T: T.nn.utils.clip_grad_norm_((x for x in ()), 1.0))


def test_clip_grad_value():
    def run(T):
        model = with_grads(T)
        T.nn.utils.clip_grad_value_(model.parameters(), 0.1)
        return grads(model)

    same(run)


def test_parameters_as_a_vector():
    def run(T):
        model = T.nn.Linear(3, 2)
        before = model.weight
        vector = T.nn.utils.parameters_to_vector(model.parameters())
        T.nn.utils.vector_to_parameters(vector * 2, model.parameters())
        return [vector, model.weight is before, model.state_dict()]

    same(run)
    same(lambda T: T.nn.utils.vector_to_parameters(3, []))


@pytest.mark.parametrize("dim", [0, 1, None])
def test_weight_norm(dim):
    def run(T):
        layer = T.nn.utils.weight_norm(T.nn.Linear(3, 4), dim=dim)
        x = leaf(T, 2, 3)
        layer(x).square().sum().backward()
        found = [list(layer.state_dict()), layer.weight_g, layer.weight_g.grad, layer.weight_v.grad]
        T.nn.utils.remove_weight_norm(layer)
        return [*found, layer.state_dict()["weight"], layer(x), sorted(layer.state_dict())]

    same(run)


@pytest.mark.parametrize("kind", ["Linear(3, 4)", "Conv2d(2, 3, 2)", "ConvTranspose2d(2, 3, 2)"])
def test_spectral_norm(kind):
    def run(T):
        layer = T.nn.utils.spectral_norm(eval(f"nn.{kind}", {"nn": T.nn}))
        x = leaf(T, *((2, 3) if kind.startswith("L") else (1, 2, 4, 4)))
        y = layer(x)
        y.square().sum().backward()
        found = [list(layer.state_dict()), y, layer.weight_orig.grad, layer.weight_u, layer.eval()(x)]
        T.nn.utils.remove_spectral_norm(layer)
        return [*found, layer(x), sorted(layer.state_dict())]

    same(run)


def test_fusion_with_batch_norm():
    def run(T):
        conv, norm = T.nn.Conv2d(2, 3, 2), T.nn.BatchNorm2d(3)
        norm(leaf(T, 4, 3, 2, 2))
        fused = T.nn.utils.fuse_conv_bn_eval(conv.eval(), norm.eval())
        linear, flat = T.nn.Linear(2, 3, bias=False), T.nn.BatchNorm1d(3)
        flat(leaf(T, 4, 3))
        both = T.nn.utils.fuse_linear_bn_eval(linear.eval(), flat.eval())
        return [fused(leaf(T, 1, 2, 4, 4)), norm(conv(leaf(T, 1, 2, 4, 4))), both(leaf(T, 2, 2))]

    same(run)


def symmetric(T):
    class Symmetric(T.nn.Module):
        def forward(self, x):
            return x.triu() + x.triu(1).transpose(-1, -2)

        def right_inverse(self, x):
            return x.triu()

    return Symmetric()


def test_parametrization():
    def run(T):
        tools = T.nn.utils.parametrize
        layer = T.nn.Linear(3, 3)
        tools.register_parametrization(layer, "weight", symmetric(T))
        layer(leaf(T, 2, 3)).square().sum().backward()
        found = [list(layer.state_dict()), repr(layer), layer.weight, layer.parametrizations.weight.original.grad]
        with tools.cached():
            found.append(layer.weight is layer.weight)
        layer.weight = T.ones(3, 3)
        found += [layer.weight, tools.is_parametrized(layer), tools.is_parametrized(layer, "bias")]
        tools.remove_parametrizations(layer, "weight")
        return [*found, layer.weight, type(layer).__name__, sorted(layer.state_dict())]

    same(run)
    same(lambda T: T.nn.utils.parametrize.register_parametrization(T.nn.ReLU(), "weight", symmetric(T)))
    same(lambda T: T.nn.utils.parametrize.register_parametrization(T.nn.Linear(2, 2), "bias", T.nn.Flatten(0, 0)).bias)


@pytest.mark.parametrize("name", ["weight_norm", "spectral_norm"])
def test_ready_made_parametrizations(name):
    def run(T):
        layer = getattr(T.nn.utils.parametrizations, name)(T.nn.Linear(3, 4))
        layer(leaf(T, 2, 3)).square().sum().backward()
        return [layer.state_dict(), [x.grad for x in layer.parameters()], repr(layer)]

    same(run)


def test_functional_call():
    def run(T):
        call = T.nn.utils.stateless.functional_call if T.__name__ == "rushlight" else T.func.functional_call
        layer, x = T.nn.Linear(2, 2), leaf(T, 1, 2)
        before = layer.weight
        y = call(layer, {"weight": T.ones(2, 2)}, (x,))
        return [y, layer.weight is before, layer(x)]

    same(run)
