"""How a tensor prints: PyTorch's text, character for character.

The rules are those of https://docs.pytorch.org/docs/stable/generated/torch.set_printoptions.html, and where the page
is silent those that PyTorch is seen to follow. Only the elements that appear are ever looked at, so a large tensor
prints as fast as a small one.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from . import dtypes

Elements = Any  # a NumPy array of any dtype

_PROFILES: dict[str, dict[str, Any]] = {
    "default": {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80},
    "short": {"precision": 2, "threshold": 1000, "edgeitems": 2, "linewidth": 80},
    "full": {"precision": 4, "threshold": math.inf, "edgeitems": 3, "linewidth": 80},
}


class _Options:
    """The print options in force."""

    precision: int = 4
    threshold: float = 1000
    edgeitems: int = 3
    linewidth: int = 80
    sci_mode: bool | None = None


_options = _Options()


def set_printoptions(
    precision: int | None = None,
    threshold: float | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """Choose digits, summarisation threshold, edge items, line width and notation; `None` keeps what is set.

    `profile` (`"default"`, `"short"` or `"full"`) resets the first four; `sci_mode` is set by every call, and its
    `None` lets each tensor decide.

    >>> import rushlight as torch
    >>> torch.set_printoptions(precision=2)
    >>> torch.tensor([1.12345])
    tensor([1.12])
    >>> torch.set_printoptions(profile="default")
    """
    chosen = dict(_PROFILES.get(profile, {})) if profile is not None else {}
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    chosen.update((name, value) for name, value in given.items() if value is not None)
    for name, value in chosen.items():
        setattr(_options, name, value)
    _options.sci_mode = sci_mode


def get_printoptions() -> dict[str, Any]:
    """The options in force, as keyword arguments of `set_printoptions`."""
    return {name: getattr(_options, name) for name in ("precision", "threshold", "edgeitems", "linewidth", "sci_mode")}


@contextlib.contextmanager
def printoptions(**options: Any) -> Iterator[None]:
    """`set_printoptions` for the length of a `with` block."""
    before = get_printoptions()
    set_printoptions(**options)
    try:
        yield
    finally:
        set_printoptions(**before)


def tensor_repr(
    array: Elements,
    *,
    dtype_name: str | None = None,
    requires_grad: bool = False,
    grad_fn_name: str | None = None,
    class_name: str = "tensor",
    device: str | None = None,
    extra: tuple[str, ...] = (),
) -> str:
    """The `repr` of a tensor whose elements are `array`.

    `device` is named only when it is not the CPU (`"meta"` has no elements to show); `extra` holds further
    `name=value` texts, which come after all others.

    >>> print(tensor_repr(np.array([[1.0, 2.5], [0.0, -1e3]], np.float32), requires_grad=True))
    tensor([[    1.0000,     2.5000],
            [    0.0000, -1000.0000]], requires_grad=True)
    """
    name = dtype_name or dtypes.of_array(array.dtype).name
    indent = len(class_name) + 1
    notes = []
    if device is not None and device != "cpu":
        notes.append(f"device='{device}'")
    default = dtypes.get_default_dtype()
    default_complex = "complex128" if default is dtypes.float64 else "complex64"
    shown_type = name not in (default.name, default_complex, "int64", "bool")
    if device == "meta":
        notes.append(f"size={tuple(array.shape)}")
        shown_type, text = name != default.name, "..."
    elif array.size == 0:
        if array.ndim != 1:
            notes.append(f"size={tuple(array.shape)}")
        # Nothing inside tells an integer from a float here, so every type but the default one is named.
        shown_type, text = name != default.name, "[]"
    else:
        if _options.edgeitems == 0:  # a summary without a single element would hide the shape
            notes.append(f"size={tuple(array.shape)}")
        text = _elements_text(array, indent)
    if shown_type:
        notes.append(f"dtype=torch.{name}")
    if grad_fn_name is not None:
        notes.append(f"grad_fn=<{grad_fn_name}>")
    elif requires_grad:
        notes.append("requires_grad=True")
    return _with_notes(f"{class_name}({text}", [*notes, *extra], indent)


def parameter_repr(array: Elements, **kwargs: Any) -> str:
    """The `repr` of an `nn.Parameter`: its tensor's, under a headline."""
    return "Parameter containing:\n" + tensor_repr(array, **kwargs)


def scalar_format(array: Elements, spec: str) -> str:
    """`format` of a 0-d tensor: its element's."""
    return format(array.item(), spec)


def _with_notes(text: str, notes: list[str], indent: int) -> str:
    """Append `, note` to each other, and start a new line where one would pass the line width."""
    parts = [text]
    used = len(text) - text.rfind("\n") + 1 if "\n" in text else len(text) + 2
    for note in notes:
        if used + len(note) + 2 > _options.linewidth:
            parts.append(",\n" + " " * indent + note)
            used = indent + len(note)
        else:
            parts.append(", " + note)
            used += len(note) + 2
    return "".join(parts) + ")"


def _elements_text(array: Elements, indent: int) -> str:
    summarise = array.size > _options.threshold
    shown = _edges(array) if summarise else array
    texts, width = _format_all(shown.ravel())
    if array.ndim == 0:
        return texts[0]
    # The bracket's element count on a line is fixed by the common width, not by the texts that happen to be there.
    return _Layout(array.shape, texts, width, summarise).text(0, indent)


def _edges(array: Elements) -> Elements:
    """The elements that a summary shows: the first and last few along every dimension."""
    edge = _options.edgeitems
    for axis, length in enumerate(array.shape):
        if length > 2 * edge:
            array = np.take(array, [*range(edge), *range(length - edge, length)], axis)
    return array


class _Layout:
    """Brackets, commas and line breaks around formatted elements, which it consumes in order."""

    def __init__(self, shape: tuple[int, ...], texts: list[str], width: int, summarise: bool) -> None:
        self.shape, self.width, self.summarise = shape, width, summarise
        self.texts = iter(texts)

    def text(self, axis: int, indent: int) -> str:
        length, edge = self.shape[axis], _options.edgeitems
        elided = self.summarise and length > 2 * edge
        last = axis == len(self.shape) - 1
        if last:
            if elided and edge == 0:
                return "[...]"
            items = [next(self.texts) for _ in range(2 * edge if elided else length)]
        else:
            items = [self.text(axis + 1, indent + 1) for _ in range(2 * edge if elided else length)]
        if elided:
            items.insert(edge, " ..." if last else "...")
        if last:
            per_line = max(1, (_options.linewidth - indent) // (self.width + 2))
            lines = [", ".join(items[i : i + per_line]) for i in range(0, len(items), per_line)]
            return "[" + (",\n" + " " * (indent + 1)).join(lines) + "]"
        return "[" + ("," + "\n" * (len(self.shape) - axis - 1) + " " * (indent + 1)).join(items) + "]"


def _format_all(flat: Elements) -> tuple[list[str], int]:
    """The text of every element, padded to a common width, and that width."""
    if flat.dtype.kind == "c":
        reals, real_width = _format_floats(flat.real)
        imaginaries, imaginary_width = _format_floats(flat.imag)
        texts = []
        for real, imaginary in zip(reals, imaginaries, strict=True):
            imaginary = imaginary.lstrip()
            texts.append(f"{real}{'' if imaginary[0] in '+-' else '+'}{imaginary}j")
        return texts, real_width + imaginary_width + 1
    if flat.dtype.kind in "biu":
        texts = [str(value) for value in flat.tolist()]
        width = max(map(len, texts), default=0)
        return [text.rjust(width) for text in texts], width
    return _format_floats(flat)


def _format_floats(flat: Elements) -> tuple[list[str], int]:
    """Fixed notation, whole numbers (`2.`) or scientific notation, whichever suits all the elements."""
    # float32 covers the narrow types exactly, and the limits below are compared in PyTorch's own precision.
    wide = flat.astype(np.float64 if flat.dtype.itemsize >= 4 else np.float32)
    values = wide.tolist()
    finite = [value for value in values if value and math.isfinite(value)]
    write: Callable[[float], str] = _whole
    if finite:
        sizes = [abs(value) for value in finite]
        largest, smallest = max(sizes), min(sizes)
        whole = all(value == math.ceil(value) for value in finite)
        scientific = _options.sci_mode
        if scientific is None:
            scientific = largest / smallest > 1000.0 or largest > 1.0e8 or (not whole and smallest < 1.0e-4)
        write = _notation(whole, scientific)
    # Zeros, inf and nan have no say in the width: they may stick out of their column.
    width = max((len(write(value)) for value in finite), default=1)
    return [write(value).rjust(width) for value in values], width


def _notation(whole: bool, scientific: bool) -> Callable[[float], str]:
    if scientific:
        return f"{{:.{_options.precision}e}}".format
    return _whole if whole else f"{{:.{_options.precision}f}}".format


def _whole(value: float) -> str:
    return f"{value:.0f}." if math.isfinite(value) else f"{value:.0f}"


def repr_of(x: Any) -> str:
    """The `repr` of a Tensor or a subclass of it."""
    node = x.grad_fn
    kind = type(x).__name__
    options: dict[str, Any] = {
        "requires_grad": x.requires_grad,
        "grad_fn_name": None if node is None else type(node).__name__,
    }
    if kind == "Parameter":
        return parameter_repr(x._array, **options)
    return tensor_repr(x._array, **options)
