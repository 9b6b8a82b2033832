"""Parameter initialisers: the same weights, draws, warnings and errors as torch.nn.init for one seed."""

import math
import warnings

import numpy as np
import pytest

import rushlight
from rushlight.nn import init

torch = pytest.importorskip("torch")


def outcome(library, functions, code):
    library.manual_seed(5)
    names = {"torch": library, "init": functions, "gen": library.Generator().manual_seed(9)}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            value = eval(code, names)
        except Exception as error:
            value = f"{type(error).__name__}: {str(error).splitlines()[0]}"
    return value, [(w.category, str(w.message)) for w in caught], library.rand(2).tolist()


CALLS = """
[init.calculate_gain(n) for n in ('linear', 'conv1d', 'conv_transpose3d', 'sigmoid', 'tanh', 'relu', 'selu')]
init.calculate_gain('leaky_relu')
init.calculate_gain('leaky_relu', .2)
init.calculate_gain('leaky_relu', True)
init.calculate_gain('leaky_relu', 'a')
init.calculate_gain('gelu')
init._calculate_fan_in_and_fan_out(torch.zeros(2, 3, 4, 5))
init._calculate_correct_fan(torch.zeros(2, 3, 4, 5), 'fan_out')
init.uniform_(torch.empty(6, 3, requires_grad=True), -1, 1)
init.uniform_(torch.empty(6, 3), 2, 1)
init.normal_(torch.empty(6, 30), 1, .2, generator=gen)
init.constant_(torch.empty(6, 3), float('nan'))
init.ones_(torch.empty(2, requires_grad=True))
init.zeros_(torch.empty(2))
init.eye_(torch.empty(6, 3))
init.eye_(torch.empty(3))
init.dirac_(torch.empty(6, 3, 3, 3), groups=2)
init.dirac_(torch.empty(6, 3, 3, 4, 5))
init.dirac_(torch.empty(2, 3, 3))
init.dirac_(torch.empty(3, 3))
init.dirac_(torch.empty(3, 3, 3), groups=2)
init.xavier_uniform_(torch.empty(20, 50, 3), gain=1.4)
init.xavier_normal_(torch.empty(20, 50, 3), generator=gen)
init.xavier_uniform_(torch.empty(3))
init.kaiming_uniform_(torch.empty(128, 784), a=5**.5)
init.kaiming_normal_(torch.empty(20, 50, 3), mode='fan_out', nonlinearity='relu')
init.kaiming_normal_(torch.empty(3, 4), mode='FAN_OUT')
init.kaiming_normal_(torch.empty(3, 4), mode='x')
init.kaiming_normal_(torch.empty(3, 4), nonlinearity='gelu')
init.kaiming_normal_(torch.empty(3))
init.kaiming_uniform_(torch.empty(0, 3))
init.sparse_(torch.empty(20, 5), .3, generator=gen)
init.sparse_(torch.empty(20, 5), 1.5)
init.sparse_(torch.empty(3), .1)
init.orthogonal_(torch.empty(3))
init.orthogonal_(torch.empty(0, 3))
init.trunc_normal_(torch.empty(50, 50))
init.trunc_normal_(torch.empty(50, 50), std=1., a=-1., b=1.)
init.trunc_normal_(torch.empty(50, 50), std=.02)
init.trunc_normal_(torch.empty(50, 50), a=.1, b=.3)
init.trunc_normal_(torch.empty(50, 50), a=-.2, b=.3)
init.trunc_normal_(torch.empty(20, 50), a=2.5, b=3.5, generator=gen)
init.trunc_normal_(torch.empty(20, 50).double(), mean=1., std=.3, a=-2., b=.2)
init.trunc_normal_(torch.empty(20, 50).half(), std=.02)
init.trunc_normal_(torch.empty(20, 50).t(), a=1, b=2)
init.trunc_normal_(torch.empty(20, 50).t(), a=-1, b=2)
init.trunc_normal_(torch.empty(3, 4), mean=10)
init.trunc_normal_(torch.empty(3, 4), a=2, b=-2)
init.trunc_normal_(torch.empty(3, 4), std=0)
init.trunc_normal_(torch.empty(3, 4, dtype=torch.int64))
init.uniform(torch.empty(2))
init.kaiming_normal(torch.empty(2, 3))
"""


@pytest.mark.parametrize("code", CALLS.strip().splitlines())
def test_calls(code):
    expected, got = outcome(torch, torch.nn.init, code), outcome(rushlight, init, code)
    if isinstance(expected[0], torch.Tensor):
        assert isinstance(got[0], rushlight.Tensor), got[0]
        np.testing.assert_array_equal(got[0].detach().numpy(), expected[0].detach().numpy())
        assert got[0].requires_grad == expected[0].requires_grad
        assert got[0].is_leaf
    else:
        assert got[0] == expected[0]
    assert got[1:] == expected[1:]


@pytest.mark.parametrize("shape", [(20, 30), (30, 20), (5, 5), (4, 3, 2), (2, 3, 4)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_orthogonal(shape, dtype):
    for library in (torch, rushlight):
        library.manual_seed(3)
    expected = torch.nn.init.orthogonal_(torch.empty(shape, dtype=getattr(torch, dtype)), 2.0).numpy()
    got = init.orthogonal_(rushlight.empty(shape, dtype=getattr(rushlight, dtype)), 2.0).numpy()
    tolerance = 2e-6 if dtype == "float32" else 1e-14
    np.testing.assert_allclose(got, expected, atol=tolerance)
    matrix = got.reshape(shape[0], -1).astype(np.float64) / 2
    gram = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(gram, np.eye(len(gram)), atol=tolerance)


def test_truncated_normal_has_the_right_variance():
    rushlight.manual_seed(0)
    x = init.trunc_normal_(rushlight.empty(100_000), a=1.0, b=2.0).numpy().astype(np.float64)
    density = [math.exp(-t * t / 2) for t in np.linspace(1, 2, 2001)]
    mean = np.average(np.linspace(1, 2, 2001), weights=density)
    assert abs(x.mean() - mean) < 0.005
    assert x.min() >= 1
    assert x.max() <= 2


def test_every_name_of_pytorch_is_there():
    names = {n for n in vars(torch.nn.init) if n[0] != "_" and callable(getattr(torch.nn.init, n))}
    assert {n for n in names if getattr(torch.nn.init, n).__module__ == "torch.nn.init"} <= set(init.__all__)
