"""Run one small program under PyTorch and under rushlight, and compare everything that can be seen of its result."""

from __future__ import annotations

import ast
import textwrap
import warnings
from typing import Any

import numpy as np
import pytest

import rushlight

torch = pytest.importorskip("torch")


def both(program: str, rtol: float = 1e-5, atol: float = 1e-6) -> None:
    """Assert that a program (its value is its last expression) does the same in both packages.

    It sees the package as `torch`, and `np`. Compared are values with their dtypes, shapes, `requires_grad` and the name
    of their `grad_fn`, the type and first line of an exception, and the warnings on the way.
    """
    theirs = outcome(program, torch)
    ours = outcome(program, rushlight)
    problem = difference(ours, theirs, rtol, atol)
    assert problem is None, f"{problem}\nrushlight: {ours}\nPyTorch:   {theirs}"


def outcome(program: str, package: Any) -> Any:
    """What can be seen of running `program`: its value, or its exception, and its warnings."""
    tree = ast.parse(textwrap.dedent(program).strip(), "<program>")
    last = tree.body.pop()
    scope: dict[str, Any] = {"torch": package, "np": np, "__name__": "program"}
    package.manual_seed(0)
    package.set_warn_always(True)  # some warnings would otherwise come once; another test may have switched it off
    before = package.get_default_dtype()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            exec(compile(tree, "<program>", "exec"), scope)
            if isinstance(last, ast.Expr):
                result = visible(eval(compile(ast.Expression(last.value), "<program>", "eval"), scope))
            else:
                exec(compile(ast.Module([last], []), "<program>", "exec"), scope)
                result = None
        except Exception as error:
            result = ("raised", type(error).__name__, str(error).split("\n")[0])
        finally:
            package.set_default_dtype(before)
    said = [(w.category.__name__, str(w.message).split("\n")[0].split(" (Triggered")[0]) for w in caught]
    said = [
        (kind, text) for kind, text in said if kind != "DeprecationWarning"
    ]  # NumPy's, about PyTorch's own protocol
    return (result, list(dict.fromkeys(said)))


def visible(value: Any) -> Any:
    """A result as plain Python and arrays, the same for both packages."""
    if isinstance(value, (torch.Tensor, rushlight.Tensor)):
        flat = value.detach()
        a = np.array(flat.tolist(), dtype=complex if value.is_complex() else None).reshape(tuple(value.shape))
        node = value.grad_fn
        return ("tensor", str(value.dtype), tuple(value.shape), value.requires_grad, node and visible(node), a)
    if isinstance(value, (torch.Size, rushlight.Size)):
        return ("Size", tuple(value))
    if isinstance(
        value, (torch.dtype, rushlight.dtype, torch.device, rushlight.device, torch.layout, rushlight.layout)
    ):
        return str(value)
    if isinstance(value, np.ndarray):
        return ("array", str(value.dtype), value.shape, np.array(value))
    if isinstance(value, np.generic):
        return ("scalar", str(value.dtype), np.asarray(value))
    if isinstance(value, dict):
        return {key: visible(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [type(value).__name__ if type(value) is list else "tuple", *map(visible, value)]
    if hasattr(value, "next_functions"):
        return value.name() if type(value).__name__ == "AccumulateGrad" else type(value).__name__
    return value


def difference(ours: Any, theirs: Any, rtol: float, atol: float, path: str = "result") -> str | None:
    """The first difference of two visible results, or None."""
    if isinstance(theirs, np.ndarray) or isinstance(ours, np.ndarray):
        if not (isinstance(theirs, np.ndarray) and isinstance(ours, np.ndarray) and theirs.shape == ours.shape):
            return f"{path}: shapes differ"
        close = (
            np.allclose(ours, theirs, rtol=rtol, atol=atol, equal_nan=True)
            if theirs.dtype.kind in "fcb"
            else (np.array_equal(ours, theirs))
        )
        return None if close else f"{path}: values differ"
    if type(ours) is not type(theirs):
        return f"{path}: {type(ours).__name__} is not {type(theirs).__name__}"
    if isinstance(theirs, (list, tuple)):
        if len(ours) != len(theirs):
            return f"{path}: lengths differ"
        found = (
            difference(a, b, rtol, atol, f"{path}[{i}]") for i, (a, b) in enumerate(zip(ours, theirs, strict=True))
        )
        return next((problem for problem in found if problem), None)
    if isinstance(theirs, dict):
        if list(ours) != list(theirs):
            return f"{path}: keys differ"
        return next((p for k in theirs if (p := difference(ours[k], theirs[k], rtol, atol, f"{path}[{k!r}]"))), None)
    if isinstance(theirs, float):
        return (
            None
            if np.isclose(ours, theirs, rtol=rtol, atol=atol, equal_nan=True)
            else f"{path}: {ours} is not {theirs}"
        )
    return None if ours == theirs else f"{path}: {ours!r} is not {theirs!r}"


def programs(text: str) -> list[str]:
    """The programs of a text: one a line, or parted by blank lines if there are any."""
    text = textwrap.dedent(text).strip()
    return text.split("\n\n") if "\n\n" in text else text.split("\n")
