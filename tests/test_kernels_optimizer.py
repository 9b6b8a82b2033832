"""The optimizer kernels, native and NumPy, against PyTorch over ten steps."""

import numpy as np
import pytest

from rushlight.backend import kernels as K
from rushlight.backend.numpy import optimizer as reference

torch = pytest.importorskip("torch")

SHAPES = [(3,), (4, 5), (70, 130), ()]
BOTH = pytest.mark.parametrize("kernels", [K, reference], ids=["kernels", "reference"])


def run(make_optimizer, step, n_states, dtype=np.float32, steps=10):
    """Take the same steps with PyTorch and with the kernel; compare the parameters."""
    rng = np.random.default_rng(0)
    params = [np.asarray(rng.standard_normal(s), dtype) for s in SHAPES]
    theirs = [torch.tensor(a, requires_grad=True) for a in params]
    optimizer = make_optimizer(theirs)
    states = [[np.zeros_like(a) for a in params] for _ in range(n_states)]
    for count in range(1, steps + 1):
        grads = [np.asarray(rng.standard_normal(s), dtype) for s in SHAPES]
        for x, g in zip(theirs, grads, strict=True):
            x.grad = torch.tensor(g)
        optimizer.step()
        step(params, grads, *states, count)
    rtol = 1e-6 if dtype == np.float32 else 1e-13
    for a, x in zip(params, theirs, strict=True):
        np.testing.assert_allclose(a, x.detach().numpy(), rtol=rtol, atol=rtol)


@BOTH
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"weight_decay": 0.1},
        {"maximize": True},
        {"momentum": 0.9},
        {"momentum": 0.9, "dampening": 0.3, "weight_decay": 0.01},
        {"momentum": 0.9, "nesterov": True, "maximize": True},
    ],
    ids=str,
)
def test_sgd(kernels, options):
    buffers = [None] * len(SHAPES)
    run(
        lambda p: torch.optim.SGD(p, lr=0.1, **options),
        lambda p, g, _: kernels.sgd_(p, g, buffers, lr=0.1, **options),
        0,
    )
    assert ("momentum" in options) == (buffers[0] is not None)


@BOTH
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(
    "options",
    [{}, {"weight_decay": 0.1}, {"amsgrad": True, "maximize": True}, {"betas": (0.4, 0.6), "eps": 1e-3}],
    ids=str,
)
@pytest.mark.parametrize("decoupled", [False, True])
def test_adam(kernels, options, decoupled, dtype):
    make = torch.optim.AdamW if decoupled else torch.optim.Adam
    rest = {key: value for key, value in options.items() if key != "betas"}
    rest.setdefault("eps", 1e-8)
    rest.setdefault("weight_decay", 1e-2 if decoupled else 0.0)
    beta1, beta2 = options.get("betas", (0.9, 0.999))

    def step(p, g, mean, square, greatest, count):
        steps = [float(count)] * len(p)
        if not options.get("amsgrad"):
            greatest = []
        kernels.adam_(
            p, g, mean, square, greatest, steps, lr=0.01, beta1=beta1, beta2=beta2, decoupled=decoupled, **rest
        )

    run(lambda p: make(p, lr=0.01, **options), step, 3, dtype)


@BOTH
@pytest.mark.parametrize(
    "options",
    [{}, {"weight_decay": 0.1, "maximize": True}, {"momentum": 0.9}, {"centered": True, "alpha": 0.9}],
    ids=str,
)
def test_rmsprop(kernels, options):
    rest = {"alpha": 0.99, "eps": 1e-8, **options}

    def step(p, g, square, mean, buffer, _):
        mean = mean if options.get("centered") else []
        buffer = buffer if options.get("momentum") else []
        kernels.rmsprop_(p, g, square, mean, buffer, lr=0.01, **rest)

    run(lambda p: torch.optim.RMSprop(p, lr=0.01, **options), step, 3)


@BOTH
def test_other_layouts(kernels):
    rng = np.random.default_rng(1)
    for view in (lambda a: a.T, lambda a: a[:, ::2], lambda a: a.reshape(2, 3, 2, 2).transpose(0, 3, 1, 2)):
        a, g = view(np.ones((6, 4), np.float32)), view(rng.standard_normal((6, 4)).astype(np.float32))
        expected = a - np.float32(0.5) * g
        kernels.sgd_([a], [g], [None], lr=0.5)
        np.testing.assert_array_equal(a, expected)
        b = np.ascontiguousarray(g)
        expected = a + b
        assert kernels.accumulate_(a, b) is a
        np.testing.assert_array_equal(a, expected)


@BOTH
def test_accumulate_and_copy(kernels):
    a = np.arange(6.0, dtype=np.float32)
    kernels.accumulate_(a[1:], a[:-1])
    np.testing.assert_array_equal(a, [0, 1, 3, 5, 7, 9])
    kernels.accumulate_(a, np.ones(6))
    np.testing.assert_array_equal(a, [1, 2, 4, 6, 8, 10])
    b = kernels.copy(a.reshape(2, 3).T)
    assert b.strides == (4, 12)
    assert b.base is None
    flags = np.array([True, False])
    kernels.accumulate_(flags, np.array([True, True]))
    assert flags.tolist() == [True, True]


def test_wrong_arguments():
    a = np.ones(3, np.float32)
    with pytest.raises(TypeError, match="lr"):
        K.sgd_([a], [a], [None])
    with pytest.raises(ValueError, match="zip"):
        K.sgd_([a], [], [None], lr=0.1)
