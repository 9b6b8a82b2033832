"""`fuse`: an element-wise formula is traced once with symbols, and the native tile engine runs it in one pass."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from rushlight.backend import native, placing

__all__ = ["Symbol", "Trace", "fuse"]

# The tile engine's instructions: name -> number of operands. Those in MASKS give booleans.
MASKS = frozenset(
    "eq ne lt le gt ge logical_and logical_or logical_xor logical_not isnan isinf isfinite signbit".split()
)
_UNARY = """neg abs sign exp exp2 expm1 log log2 log10 log1p sqrt rsqrt reciprocal square sin cos tan asin acos atan
sinh cosh tanh asinh acosh atanh sigmoid erf erfc lgamma floor ceil round trunc frac relu logical_not isnan isinf
isfinite signbit""".split()
_BINARY = """add sub mul div floor_divide remainder fmod pow atan2 maximum minimum fmax fmin copysign hypot eq ne lt le
gt ge logical_and logical_or logical_xor""".split()
ARITY = {**dict.fromkeys(_UNARY, 1), **dict.fromkeys(_BINARY, 2), "where": 3, "clamp": 3}


class Untraceable(Exception):
    """The formula has a step that the tile engine lacks."""


class Trace:
    """The program under construction: inputs first, then constants and results, each register written once."""

    def __init__(self, masks: tuple[bool, ...]) -> None:
        self.is_mask = list(masks)
        self.constants: list[tuple[int, float]] = []
        self.code: list[tuple[str, int, int, int, int]] = []
        self._known: dict[Any, int] = {}

    def constant(self, value: float) -> int:
        key = (value, math.copysign(1.0, value))
        if key not in self._known:
            self._known[key] = self._new(False)
            self.constants.append((self._known[key], value))
        return self._known[key]

    def emit(self, name: str, *operands: Any) -> Symbol:
        """Append an instruction, unless the same one was there before."""
        if name in ("conj", "real") and operands[0].__class__ is Symbol:
            return operands[0]
        if ARITY.get(name) != len(operands):
            raise Untraceable(name)
        registers = [self.register(x) for x in operands]
        if name in ("add", "sub", "mul", "neg", "abs") and all(self.is_mask[r] for r in registers):
            raise Untraceable("arithmetic on booleans alone")
        key = (name, *registers)
        if key not in self._known:
            target = self._known[key] = self._new(
                name in MASKS or (name == "where" and all(self.is_mask[r] for r in registers))
            )
            a, b, c = (*registers, 0, 0)[:3]
            self.code.append((name, target, a, b, c))
        return Symbol(self, self._known[key])

    def register(self, x: Any) -> int:
        if x.__class__ is Symbol:
            if x.trace is not self:
                raise Untraceable("a symbol of another formula")
            return int(x.index)
        if isinstance(x, (int, float, np.floating)):
            return self.constant(float(x))
        raise Untraceable(f"an operand of type {type(x).__name__}")

    def _new(self, is_mask: bool) -> int:
        self.is_mask.append(is_mask)
        return len(self.is_mask) - 1


def emit(name: str, *operands: Any) -> Symbol:
    """Apply the element-wise kernel `name`, where at least one operand is a symbol."""
    for x in operands:
        if x.__class__ is Symbol:
            trace: Trace = x.trace
            return trace.emit(name, *operands)
    raise TypeError("no operand is a symbol")


def _operator(name: str) -> Any:
    return lambda a, b: a.trace.emit(name, a, b)


def _reflected(name: str) -> Any:
    return lambda a, b: a.trace.emit(name, b, a)


class Symbol:
    """A value of a formula that is being traced; it takes part in arithmetic and in every element-wise kernel."""

    __slots__ = ("index", "trace")
    __array_ufunc__ = None
    _is_expression = True

    def __init__(self, trace: Trace, index: int) -> None:
        self.trace = trace
        self.index = index

    __add__, __radd__ = _operator("add"), _reflected("add")
    __sub__, __rsub__ = _operator("sub"), _reflected("sub")
    __mul__, __rmul__ = _operator("mul"), _reflected("mul")
    __truediv__, __rtruediv__ = _operator("div"), _reflected("div")
    __floordiv__, __rfloordiv__ = _operator("floor_divide"), _reflected("floor_divide")
    __mod__, __rmod__ = _operator("remainder"), _reflected("remainder")
    __rpow__ = _reflected("pow")
    __eq__ = _operator("eq")
    __ne__ = _operator("ne")
    __lt__ = _operator("lt")
    __le__ = _operator("le")
    __gt__ = _operator("gt")
    __ge__ = _operator("ge")
    __hash__ = None  # type: ignore[assignment]

    def __pow__(self, b: Any) -> Symbol:
        return power(self, b)

    def __neg__(self) -> Symbol:
        return self.trace.emit("neg", self)

    def __abs__(self) -> Symbol:
        return self.trace.emit("abs", self)

    def __pos__(self) -> Symbol:
        return self

    def _logical(self, name: str, *others: Any) -> Symbol:
        if not all(x.__class__ is Symbol and self.trace.is_mask[x.index] for x in (self, *others)):
            raise Untraceable("a bitwise operator on numbers")
        return self.trace.emit(name, self, *others)

    def __and__(self, b: Any) -> Symbol:
        return self._logical("logical_and", b)

    def __or__(self, b: Any) -> Symbol:
        return self._logical("logical_or", b)

    def __xor__(self, b: Any) -> Symbol:
        return self._logical("logical_xor", b)

    def __invert__(self) -> Symbol:
        return self._logical("logical_not")

    def __bool__(self) -> bool:
        raise Untraceable("a branch on a value")

    def __getattr__(self, name: str) -> Any:
        raise Untraceable(f"the attribute {name!r}")


def power(a: Any, b: Any) -> Symbol:
    """Trace `a ** b`; the constant exponents that PyTorch singles out become products and roots."""
    if b.__class__ is not Symbol and isinstance(b, (int, float)):
        trace = a.trace
        if b == 2:
            return trace.emit("square", a)  # type: ignore[no-any-return]
        if b == 3:
            return trace.emit("mul", trace.emit("square", a), a)  # type: ignore[no-any-return]
        if b == 0.5:
            return trace.emit("sqrt", a)  # type: ignore[no-any-return]
        if b == -0.5:
            return trace.emit("rsqrt", a)  # type: ignore[no-any-return]
        if b == -1:
            return trace.emit("reciprocal", a)  # type: ignore[no-any-return]
        if b == -2:
            return trace.emit("reciprocal", trace.emit("square", a))  # type: ignore[no-any-return]
        if b == 1:
            return a  # type: ignore[no-any-return]
    return emit("pow", a, b)


def _allocate(trace: Trace, n_inputs: int, result: int) -> tuple[list[tuple[str, int, int, int, int]], int, int]:
    """Give the results tile buffers, each reused once its value was read for the last time."""
    last = {register: at for at, (_, _, *operands) in enumerate(trace.code) for register in operands}
    fixed = n_inputs + len(trace.constants)
    place = {index: index for index in range(n_inputs)}
    place.update({register: n_inputs + i for i, (register, _) in enumerate(trace.constants)})
    free: list[int] = []
    top = fixed
    code = []
    for at, (name, target, *operands) in enumerate(trace.code):
        places = [place.get(r, 0) for r in operands]
        # An instruction may write where it reads: every primitive reads an element before it writes it.
        read = set(operands[: ARITY[name]])
        free.extend(place[r] for r in read if last[r] == at and place[r] >= fixed)
        if free:
            place[target] = free.pop()
        else:
            place[target] = top
            top += 1
        code.append((name, place[target], *places))
    return code, place[result], top  # type: ignore[return-value]


def trace(function: Callable[..., Any], masks: tuple[bool, ...]) -> tuple[Any, ...] | None:
    """Trace a formula of `len(masks)` inputs, where `masks` tells the boolean ones.

    Returns `(constants, code, registers, is_mask)`, or None where the tile engine cannot run it. The last
    instruction of `code` writes the result.

    >>> trace(lambda a, b: a * 2.0 + b, (False, False))
    ([2.0], [('mul', 3, 0, 2, 0), ('add', 3, 3, 1, 0)], 4, False)
    """
    program = Trace(masks)
    try:
        result = function(*(Symbol(program, index) for index in range(len(masks))))
    except (Untraceable, TypeError, AttributeError, NotImplementedError, ValueError):
        return None
    if result.__class__ is not Symbol or not program.code or program.code[-1][1] != result.index:
        return None
    code, _, registers = _allocate(program, len(masks), result.index)
    return [value for _, value in program.constants], code, registers, program.is_mask[result.index]


def fuse(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return `function`, an element-wise formula on arrays and Python scalars, made to run in one pass over memory.

    float16 and bfloat16 compute in float32 and are rounded once. What the tile engine cannot run (other dtypes, steps
    without a native primitive) runs step by step on the arrays.

    >>> f = fuse(lambda a, b: a * 2.0 + b)
    >>> f(np.float32([1, 2]), np.float32([[10], [20]]))
    array([[12., 14.],
           [22., 24.]], dtype=float32)
    """

    def step_by_step(*args: Any) -> Any:
        narrow, scattered = None, False
        for x in args:
            if x.__class__ is Symbol:
                return function(*args)
            if x.__class__ is np.ndarray:
                if x.dtype.kind == "V" or x.dtype == np.float16:
                    narrow = x.dtype
                scattered = scattered or not x.flags.c_contiguous
        result = compute(narrow, args)
        if not scattered:
            return result
        arrays = [x for x in args if x.__class__ is np.ndarray]
        if result.__class__ is tuple:
            return tuple(placing.follow(r, *arrays) for r in result)
        return placing.follow(result, *arrays)

    def compute(narrow: Any, args: Any) -> Any:
        if narrow is None:
            with np.errstate(all="ignore"):
                result = function(*args)
            return tuple(map(np.asarray, result)) if result.__class__ is tuple else np.asarray(result)
        wide = [x.astype(np.float32) if x.__class__ is np.ndarray and x.dtype == narrow else x for x in args]
        result = fused(*wide)
        if result.__class__ is tuple:
            return tuple(r.astype(narrow) if r.dtype == np.float32 else r for r in result)
        return result.astype(narrow) if result.dtype == np.float32 else result

    step_by_step.__name__ = step_by_step.__qualname__ = getattr(function, "__name__", "formula")
    step_by_step.__doc__ = function.__doc__
    step_by_step.formula = function  # type: ignore[attr-defined]
    fused: Callable[..., Any] = step_by_step
    if native.library is not None and hasattr(native.library, "Program"):
        fused = native.library.Program(function, step_by_step, trace)
    return fused
