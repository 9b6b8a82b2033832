"""Run one function under PyTorch and under rushlight, and compare everything that comes out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import rushlight

torch = pytest.importorskip("torch")
# Its threads wait for each other on a busy machine, which these small tensors are not worth.
torch.set_num_threads(1)


def plain(value: Any) -> Any:
    """A result as NumPy arrays and plain Python, the same for both packages."""
    if isinstance(value, (torch.Tensor, rushlight.Tensor)):
        a = value.detach().numpy()
        return ("tensor", str(a.dtype), a.shape, np.array(a))
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value


def outcome(function: Any, package: Any) -> Any:
    """What `function(package)` returns, or the exception it raises."""
    package.manual_seed(0)
    try:
        return plain(function(package))
    except Exception as error:
        return (type(error).__name__, str(error).split("\n")[0])


def assert_equal(ours: Any, theirs: Any, rtol: float = 1e-4, atol: float = 1e-5, path: str = "result") -> None:
    """Structures equal, arrays close and of one dtype."""
    if isinstance(theirs, list):
        assert isinstance(ours, list), f"{path}: {ours!r} is not {theirs!r}"
        assert len(ours) == len(theirs), path
        for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            assert_equal(a, b, rtol, atol, f"{path}[{i}]")
    elif isinstance(theirs, dict):
        assert list(ours) == list(theirs), path
        for key in theirs:
            assert_equal(ours[key], theirs[key], rtol, atol, f"{path}[{key!r}]")
    elif isinstance(theirs, np.ndarray):
        np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=atol, err_msg=path)
    else:
        assert ours == theirs, path


def same(function: Any, rtol: float = 1e-4, atol: float = 1e-5) -> Any:
    """Assert that both packages do the same, exceptions included; returns our outcome."""
    theirs = outcome(function, torch)
    ours = outcome(function, rushlight)
    if isinstance(theirs, tuple) and theirs[0] != "tensor":
        assert ours == theirs
    else:
        assert_equal(_lists(ours), _lists(theirs), rtol, atol)
    return ours


def _lists(value: Any) -> Any:
    """Tuples (tensors among them) as lists, so that structures compare element by element."""
    if isinstance(value, (list, tuple)):
        return [_lists(item) for item in value]
    return {key: _lists(item) for key, item in value.items()} if isinstance(value, dict) else value


def leaf(T: Any, *shape: int, seed: int = 0, dtype: str = "float32") -> Any:
    """The same random leaf in either package."""
    a = np.random.default_rng(seed).standard_normal(shape).astype(dtype)
    return T.from_numpy(a).requires_grad_(True)


def with_gradients(T: Any, y: Any, *leaves: Any) -> list[Any]:
    """The result and its gradients by the leaves, for a fixed cotangent."""
    g = np.random.default_rng(7).standard_normal(tuple(y.shape)).astype(str(y.dtype).rsplit(".", 1)[-1])
    # Where nothing arrives PyTorch has sometimes None and sometimes zeros: they count as the same.
    return [y, *T.autograd.grad(y, leaves, T.from_numpy(g), allow_unused=True, materialize_grads=True)]
