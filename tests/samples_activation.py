"""Samples of the activation functions."""

from __future__ import annotations

import numpy as np

from samples import POINTS, Sample, operator

DTYPES = ("float32", "float16", "bfloat16", "int64", "bool", "complex128")


def activation(name, *parameters, namespace="nn.functional.", **properties):
    """An element-wise activation, with its defaults and with other parameters."""

    def generate(make):
        yield make(3, 4, low=-4, high=4)
        yield make()
        yield make(0, 2)
        for keywords in parameters:
            yield Sample(make(3, 4, low=-4, high=4), **keywords)

    operator(f"{namespace}{name}", elementwise=True, dtypes=DTYPES, **properties)(generate)


activation("relu")
activation("relu6")
activation("elu", {"alpha": 0.5})
activation("selu")
activation("celu", {"alpha": 0.5})
activation("gelu", {"approximate": "tanh"}, points=POINTS[np.inf != POINTS])  # inf * 1 is nan in PyTorch's vectors
activation("silu")
activation("mish")
activation("softplus", {"beta": 2.0, "threshold": 3.0})
activation("softsign")
activation("tanhshrink")
activation("hardtanh", {"min_val": -0.5, "max_val": 2.0})
activation("hardsigmoid")
activation("hardswish")
activation("hardshrink", {"lambd": 0.2})
activation("softshrink", {"lambd": 0.2})
activation("leaky_relu", {"negative_slope": 0.3})
activation("logsigmoid")
activation("rrelu", {"lower": 0.1, "upper": 0.2})


@operator("nn.functional.threshold", dtypes=DTYPES)
def _threshold(make):
    yield make(3, 4), 0.1, 5.0
    yield make.integers(5), 1, 7


@operator("nn.functional.prelu", dtypes=DTYPES)
def _prelu(make):
    yield make(3, 4, 2), make(4)
    yield make(3, 4), make(1)
    yield make(3), make()


@operator("nn.functional.glu", dtypes=DTYPES)
def _glu(make):
    yield make(3, 4)
    yield make(2, 4, 3), 1


def _dims(make):
    yield make(3, 4), 1
    yield make(3, 4), 0
    yield make(2, 3, 2), -2
    yield make(), 0
    yield make(0, 3), 1
    yield make(3, 4) * 100, 1


for _name in ("softmax", "log_softmax", "nn.functional.softmax", "nn.functional.log_softmax", "nn.functional.softmin"):
    operator(_name, dtypes=DTYPES, tolerance=1e-6)(_dims)


for _name in ("relu", "selu", "celu", "rrelu", "hardshrink"):
    activation(_name, namespace="")


@operator("nn.functional.gumbel_softmax", random=True)
def _gumbel(make):
    yield make(3, 4)
    yield Sample(make(3, 4), hard=True)
