"""Calling a module with other parameters than its own (PyTorch's `torch.func.functional_call`)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def _replaced(module: Any, values: dict[str, Any], tie_weights: bool) -> Iterator[None]:
    """The module with `values` in place of the parameters and buffers of those names."""
    places = []
    owners: dict[int, list[tuple[Any, str]]] = {}
    for path, owner in module.named_modules(remove_duplicate=False):
        for table in (owner._parameters, owner._buffers):
            for name, x in table.items():
                if x is not None:
                    owners.setdefault(id(x), []).append((table, name))
                full = f"{path}.{name}" if path else name
                if full in values:
                    places.append((table, name, values[full], x))
    saved = []
    try:
        for table, name, value, x in places:
            targets = owners[id(x)] if tie_weights and x is not None else [(table, name)]
            for target, own in targets:
                saved.append((target, own, target[own]))
                target[own] = value
        yield
    finally:
        for table, name, x in reversed(saved):
            table[name] = x


def functional_call(
    module: Any, parameters_and_buffers: Any, args: Any = None, kwargs: dict[str, Any] | None = None, *,
    tie_weights: bool = True, strict: bool = False,
) -> Any:  # fmt: skip
    """Call `module` as if the given tensors, by their full names, were its parameters and buffers.

    >>> import rushlight as torch
    >>> from rushlight.nn.utils.stateless import functional_call
    >>> m = torch.nn.Linear(1, 1, bias=False)
    >>> functional_call(m, {"weight": torch.tensor([[2.0]])}, torch.tensor([3.0]))
    tensor([6.])
    """
    if isinstance(parameters_and_buffers, dict):
        values = parameters_and_buffers
    else:
        values = {}
        for part in parameters_and_buffers:
            for name in part:
                if name in values:
                    raise ValueError(
                        f"{name} appears in multiple dictionaries; behavior of functional call is ambiguous"
                    )
            values.update(part)
    args = () if args is None else args if isinstance(args, tuple) else (args,)
    if strict:
        known = {name for name, _ in module.named_parameters()} | {name for name, _ in module.named_buffers()}
        unexpected, missing = sorted(set(values) - known), sorted(known - set(values))
        if unexpected or missing:
            lines = [f"Unexpected key(s): {', '.join(unexpected)}."] if unexpected else []
            lines += [f"Missing key(s): {', '.join(missing)}."] if missing else []
            raise RuntimeError(f"Error(s) in reparametrizing for {module._get_name()}:\n\t" + "\n\t".join(lines))
    with _replaced(module, values, tie_weights):
        return module(*args, **(kwargs or {}))
