"""Samples of the constructors, and of random ones (in shape and dtype; `test_random.py` has their streams)."""

from __future__ import annotations

import numpy as np

from samples import Sample, operator


def calls(name, *samples, **properties):
    """A constructor, called with plain arguments."""

    def generate(make):
        yield from samples

    operator(name, differentiable=False, **properties)(generate)


for _name in ("zeros", "ones"):
    calls(_name, Sample(2, 3), Sample((2, 3)), Sample())
for _name in ("rand", "randn", "empty"):
    calls(_name, Sample(2, 3), Sample((2, 3)), random=True)
calls("full", Sample((2, 3), 7), Sample((2,), 0.5), Sample((), True))
calls("eye", Sample(3), Sample(2, 4))
calls("arange", Sample(5), Sample(1, 5), Sample(0, 1, 0.3), Sample(5, -1, -2), Sample(0.5, 3))
calls("range", Sample(1, 5), Sample(0, 1, 0.25))
calls("linspace", Sample(0, 1, 5), Sample(-2, 3, 4), Sample(1, 1, 1))
calls("logspace", Sample(0, 2, 3), Sample(0, 4, 5, 2.0), tolerance=1e-6)
calls("empty_strided", Sample((2, 3), (1, 2)), random=True)
calls("empty_permuted", Sample((2, 3), (1, 0)), random=True)
calls("scalar_tensor", Sample(2), Sample(2.5))
calls(
    "tensor", Sample([[1, 2], [3, 4]]), Sample([1.5, 2]), Sample(3), Sample([True, False]), Sample([]), Sample([1j, 2])
)
calls("as_tensor", Sample([[1, 2], [3, 4]]), Sample(2.5))
calls("asarray", Sample([1.5, 2]), Sample(3))
calls("randint", Sample(5, (2, 3)), Sample(2, 5, (3,)), random=True)
calls("randperm", Sample(5), random=True)
calls("normal", Sample(0.0, 1.0, (2, 3)), random=True)
for _name in ("bartlett_window", "blackman_window", "hamming_window", "hann_window", "kaiser_window"):
    calls(_name, Sample(6), Sample(5, False), Sample(1), tolerance=1e-6)

for _name in ("zeros_like", "ones_like"):

    @operator(_name, differentiable=False, dtypes=("float32", "int64", "bool", "bfloat16", "complex128"))
    def _like(make):
        yield (make(2, 3),)
        yield (make(),)


for _name in ("empty_like", "rand_like", "randn_like"):

    @operator(_name, differentiable=False, random=True)
    def _random_like(make):
        yield (make(2, 3),)


@operator("full_like", differentiable=False)
def _full_like(make):
    yield make(2, 3), 7


@operator("randint_like", differentiable=False, random=True)
def _randint_like(make):
    yield make(2, 3), 5


for _name in ("bernoulli", "poisson", "_standard_gamma", "_sample_dirichlet"):

    @operator(_name, differentiable=False, random=True, out=False)
    def _random(make):
        yield (make(2, 3, low=0.1, high=0.9),)


@operator("binomial", differentiable=False, random=True)
def _binomial(make):
    yield np.array([3.0, 5.0]), make(2, low=0.1, high=0.9)


@operator("multinomial", differentiable=False, random=True)
def _multinomial(make):
    yield make(2, 3, low=0.1, high=1.0), 2
    yield make(3, low=0.1, high=1.0), 5, True
