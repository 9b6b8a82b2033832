"""Printed tensors: PyTorch's text for thousands of random arrays, and a few texts written down."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ml_dtypes
import numpy as np
import pytest

from rushlight import printing

FLOATS = ["float32", "float64", "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2"]
OTHERS = ["complex64", "complex128", "bool", "uint8", "int8", "int16", "int32", "int64", "uint16", "uint32", "uint64"]


@pytest.fixture(autouse=True)
def default_options() -> Iterator[None]:
    printing.set_printoptions(profile="default")
    yield
    printing.set_printoptions(profile="default")


def numpy_dtype(name: str) -> np.dtype[Any]:
    return np.dtype(getattr(ml_dtypes, name)) if name in FLOATS[3:] else np.dtype(name)


def random_values(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    a = np.asarray(rng.standard_normal(shape))
    match rng.integers(6):
        case 1:
            a = np.round(a * 10.0 ** rng.integers(0, 10))
        case 2:
            a = a * 10.0 ** rng.integers(-8, 12)
        case 3:
            a = a * 10.0 ** rng.integers(-5, 5, shape)
        case 4:
            a = np.exp(3 * a)
    if rng.random() < 0.3:
        odd = rng.choice([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0], shape)
        a = np.where(rng.random(shape) < 0.5, odd, a)
    return np.asarray(a)


def random_array(rng: np.random.Generator, name: str) -> np.ndarray:
    shape = tuple(int(n) for n in rng.choice([0, 1, 2, 3, 5, 7, 12], rng.integers(0, 5), p=[0.04] + [0.16] * 6))
    with np.errstate(all="ignore"):
        if name.startswith("complex"):
            pair = np.stack([random_values(rng, shape), random_values(rng, shape)], -1)
            return pair.view(np.complex128)[..., 0].astype(name)
        if name in FLOATS:
            return random_values(rng, shape).astype(numpy_dtype(name))
        low = 0 if name.startswith("u") else -200
        return np.asarray(rng.integers(low, 10 ** rng.integers(1, 5), shape)).astype(name)


def random_options(rng: np.random.Generator) -> dict[str, Any]:
    if rng.random() < 0.6:
        return {"profile": str(rng.choice(["default", "default", "short", "full"]))}
    return {
        "precision": int(rng.integers(0, 7)), "threshold": int(rng.choice([5, 20, 1000])),
        "edgeitems": int(rng.integers(0, 5)), "linewidth": int(rng.choice([20, 80, 120])),
        "sci_mode": [None, True, False][rng.integers(3)],
    }  # fmt: skip


@pytest.mark.parametrize("name", FLOATS + OTHERS)
def test_text_is_pytorchs(name: str) -> None:
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(sum(map(ord, name)))
    bits = {1: torch.uint8, 2: torch.int16}
    try:
        for _ in range(60):
            options = random_options(rng)
            torch.set_printoptions(**options)
            printing.set_printoptions(**options)
            a = random_array(rng, name)
            if name in FLOATS[3:]:
                x = torch.from_numpy(a.view(f"i{a.itemsize}")).view(bits[a.itemsize]).view(getattr(torch, name))
            else:
                x = torch.from_numpy(a)
            graph: dict[str, Any] = {}
            if name in FLOATS or name.startswith("complex"):
                graph = [{}, {"requires_grad": True}, {"requires_grad": True, "grad_fn_name": "ViewBackward0"}][
                    rng.integers(3)
                ]
                x = x.requires_grad_(bool(graph))
                x = x.view(x.shape) if "grad_fn_name" in graph else x
            assert printing.tensor_repr(a, **graph) == repr(x), options
    finally:
        torch.set_printoptions(profile="default")


def test_written_down() -> None:
    a = np.array([[1.0, 2.5], [0.0, -1e3]], np.float32)
    assert printing.tensor_repr(a) == "tensor([[    1.0000,     2.5000],\n        [    0.0000, -1000.0000]])"
    assert printing.tensor_repr(np.array(3)) == "tensor(3)"
    assert printing.tensor_repr(np.zeros((0, 2))) == "tensor([], size=(0, 2), dtype=torch.float64)"
    assert printing.tensor_repr(np.float32([1, np.nan])) == "tensor([1., nan])"
    assert printing.tensor_repr(np.arange(2000)) == "tensor([   0,    1,    2,  ..., 1997, 1998, 1999])"
    assert printing.tensor_repr(np.complex64([1 - 2j])) == "tensor([1.-2.j])"
    assert printing.tensor_repr(np.zeros(2, np.float32), class_name="Mine", requires_grad=True) == (
        "Mine([0., 0.], requires_grad=True)"
    )
    assert printing.parameter_repr(np.zeros(1, np.float32), requires_grad=True) == (
        "Parameter containing:\ntensor([0.], requires_grad=True)"
    )
    assert printing.tensor_repr(np.zeros((2, 3)), device="meta", dtype_name="float32", requires_grad=True) == (
        "tensor(..., device='meta', size=(2, 3), requires_grad=True)"
    )


def test_options_last_for_a_with_block() -> None:
    a = np.float32([1.23456])
    with printing.printoptions(precision=2):
        assert printing.tensor_repr(a) == "tensor([1.23])"
    assert printing.tensor_repr(a) == "tensor([1.2346])"


def test_format_of_a_scalar() -> None:
    assert printing.scalar_format(np.array(1.25, np.float32), ".1f") == "1.2"
    assert printing.scalar_format(np.array(1.5, ml_dtypes.bfloat16), "") == "1.5"
    assert printing.scalar_format(np.array(7), "03d") == "007"
