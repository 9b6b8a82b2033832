"""How an operator is declared: `unary`, `binary` and `primitive` make the recording wrapper from a formula.

The names of a derivative's parameters say what the graph keeps for backward, and nothing else is kept: `g` is
the cotangent, `out` the result, `NAME` an argument of the forward formula, `NAME_shape` only its shape, `aux` what
forward returned beside its result. A name that does not exist fails at import.

A formula has several readings. In an ordinary backward it runs on arrays; with `create_graph` on Tensors, and is
recorded; given the symbols of `K.fuse` it becomes one pass over memory.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from typing import Any, TypeVar, overload

import numpy as np

from .. import dtypes
from ..autograd import views
from ..autograd.engine import anomaly
from ..autograd.function import INFERENCE_SAVED
from ..autograd.modes import NO_GRAD, _variable, get_mode
from ..autograd.node import FREED, Node, check_versions, next_seq
from ..autograd.tensor import Tensor, current_edge, wrap
from ..backend import kernels as K
from .kinds import refuse
from .numpy_names import accepting
from .promotion import NUMBERS, result_dtype, weak_operands

ndarray = np.ndarray
_new = object.__new__
_F32, _F64 = np.dtype(np.float32), np.dtype(np.float64)

FUNCTIONS: dict[str, Any] = {}  # the public operators, by name in the `torch` namespace


# ---- names ----------------------------------------------------------------------------------------------------------


def attach(name: str, function: Any) -> None:
    """Make `function` the method `name` of Tensor."""
    setattr(Tensor, name, function if name.startswith("__") else accepting(function))


F = TypeVar("F", bound=Callable[..., Any])


@overload
def public(function: F) -> F: ...


@overload
def public(
    *,
    name: str | None = None,
    method: bool = True,
    inplace: bool = False,
    out: bool | str = False,
    aliases: tuple[str, ...] = (),
    namespace: bool = True,
) -> Callable[[F], F]: ...


@overload
def public(
    function: F,
    *,
    name: str | None = None,
    method: bool = True,
    inplace: bool = False,
    out: bool | str = False,
    aliases: tuple[str, ...] = (),
    namespace: bool = True,
) -> F: ...


def public(
    function: Any = None,
    *,
    name: str | None = None,
    method: bool = True,
    inplace: bool = False,
    out: bool | str = False,
    aliases: tuple[str, ...] = (),
    namespace: bool = True,
) -> Any:
    """Publish an operator: in the `torch` namespace, as a method, in place (`name_`), with `out=`, under aliases.

    `out="apart"`: the target may not share memory with an argument; `"apart exact"`: and must have the result's dtype.
    """
    if function is None:
        return functools.partial(
            public, name=name, method=method, inplace=inplace, out=out, aliases=aliases, namespace=namespace
        )
    plain = function
    name = name or function.__name__.rstrip("_")
    published = with_out(plain, name, out if isinstance(out, str) else "") if out else plain
    in_place = inplace_of(plain, name) if inplace else None
    for each in (name, *aliases):
        if namespace:
            FUNCTIONS[each] = accepting(published)
            if in_place is not None:
                FUNCTIONS[f"{each}_"] = in_place
        if method:
            attach(each, plain)
        if in_place is not None:
            attach(f"{each}_", in_place)
    return published


def with_out(function: Any, name: str, rules: str = "") -> Any:
    """`function`, taking `out=` tensors to write its results into, under the rules named ("apart", "exact")."""

    @functools.wraps(function)
    def wrapper(*args: Any, out: Any = None, **kwargs: Any) -> Any:
        if out is None:
            return function(*args, **kwargs)
        if "apart" in rules:
            _check_apart(out, [*args, *kwargs.values()])
        result = function(*args, **kwargs)
        if "exact" in rules and out.dtype is not result.dtype:
            names = (_CPP.get(d.name, d.name) for d in (result.dtype, out.dtype))
            raise RuntimeError("Expected out tensor to have dtype {}, but got {} instead".format(*names))
        return write_out(name, result, out)

    return wrapper


_CPP = {"float32": "float", "float64": "double", "int64": "long int", "int32": "int"}


def _check_apart(out: Any, values: list[Any]) -> None:
    for target in out if isinstance(out, (tuple, list)) else (out,):
        for x in values:
            for y in x if isinstance(x, (tuple, list)) else (x,):
                if isinstance(y, Tensor) and (y is target or np.may_share_memory(y._array, target._array)):
                    raise RuntimeError(
                        "unsupported operation: some elements of the input tensor and the written-to tensor refer to a single "
                        "memory location. Please clone() the tensor before performing the operation."
                    )


def write_out(name: str, result: Any, out: Any) -> Any:
    """Write results into the caller's `out` tensor(s), which are resized to fit."""
    if isinstance(result, tuple):
        targets = tuple(out)
        for y, target in zip(result, targets, strict=True):
            write_out(name, y, target)
        return type(result)(targets) if hasattr(result, "_fields") or type(result) is not tuple else targets
    if not isinstance(out, Tensor):
        raise TypeError(f"{name}(): argument 'out' must be Tensor, not {type(out).__name__}")
    if get_mode().grad and (result.requires_grad or out.requires_grad):
        raise RuntimeError(
            f"{name}(): functions with out=... arguments don't support automatic differentiation, but one of the "
            "arguments requires grad."
        )
    a, b = out._array, result._array
    if 0 in a.strides and any(n > 1 and not step for n, step in zip(a.shape, a.strides, strict=True)) and a.size:
        raise RuntimeError(
            "unsupported operation: more than one element of the written-to tensor refers to a single memory location. "
            "Please clone() the tensor before performing the operation."
        )
    if not dtypes.can_cast(result.dtype, out.dtype):
        raise RuntimeError(
            f"result type {result.dtype.scalar_name} can't be cast to the desired output type {out.dtype.scalar_name}"
        )
    if a.shape != b.shape:
        if a.size:
            import warnings

            warnings.warn(
                f"An output with one or more elements was resized since it had shape {list(a.shape)}, which does not "
                f"match the required output shape {list(b.shape)}. This behavior is deprecated, and in a future PyTorch "
                "release outputs will not be resized unless they have zero elements. You can explicitly reuse an out "
                "tensor t by resizing it, inplace, to zero elements with t.resize_(0).",
                UserWarning,
                stacklevel=3,
            )
        out._array = b.astype(a.dtype)
    elif a is not b:
        with np.errstate(all="ignore"):
            a[...] = b
    out._counter[0] += 1
    return out


def inplace_of(function: Any, name: str) -> Any:
    """The in-place version of an operator: compute, write, and make the result's history that of the target."""

    saves = getattr(function, "saves_input", None)

    def in_place(self: Any, *args: Any, **kwargs: Any) -> Any:
        if not isinstance(self, Tensor):
            raise TypeError(f"{name}_(): argument 'input' (position 1) must be Tensor, not {type(self).__name__}")
        views.check_inplace(self)
        for x in args:
            if isinstance(x, Tensor):
                views.check_overlap(self._array, x._array)
        source = self
        if get_mode().grad:
            edge = self._edge if self._base is None else current_edge(self)
            others = any(isinstance(x, Tensor) and x.requires_grad for x in args)
            if edge is not None or others:
                keep = True if saves is None else saves(edge is not None, others)
                source = _new(Tensor)
                source._array = self._array.copy(order="K") if keep else self._array
                source._counter = [0]
                source._edge = edge
        try:
            result = function(source, *args, **kwargs)
        except NotImplementedError:
            _refuse_result(self, args)
            raise
        edge = result._edge
        views.write(self, result._array)
        views.rebase(self, edge)
        if edge is not None:
            _patch_saved_output(edge[0], self)
        return self

    in_place.__name__ = f"{name}_"
    in_place.__qualname__ = f"Tensor.{name}_"
    in_place.__doc__ = f"In-place version of `{name}`."
    return in_place


def _refuse_result(x: Any, args: tuple[Any, ...]) -> None:
    """A result that would not fit into the target is refused before a dtype that the kernel lacks, as in PyTorch."""
    if len(args) == 1 and isinstance(args[0], (Tensor, *NUMBERS)):
        shape = np.broadcast_shapes(x._array.shape, np.shape(getattr(args[0], "_array", 0)))
        views.write(wrap(x._array.copy()), np.zeros(shape, result_dtype(x, args[0]).np))


def _patch_saved_output(node: Any, x: Any) -> None:
    """A result that backward needs lies in `x` now, so a later write to `x` must be noticed."""
    kinds = getattr(node, "kinds", None)
    if kinds is None or node.saved is None or not node.versions:
        return
    saved, versions = list(node.saved), list(node.versions)
    for i in range(0, len(versions), 3):
        slot = versions[i + 2]
        if kinds[slot][0] == "out":
            saved[slot] = x._array
            versions[i], versions[i + 1] = x._counter, x._counter[0]
    node.saved, node.versions = tuple(saved), tuple(versions)


def is_array(x: Any) -> bool:
    """Whether a formula is being read on arrays or symbols rather than Tensors."""
    return x.__class__ is ndarray or hasattr(x, "_is_expression") or isinstance(x, np.generic)


def type_error(name: str, value: Any, position: int = 1, label: str = "input") -> TypeError:
    """PyTorch's error for an argument that should have been a Tensor."""
    return TypeError(f"{name}(): argument '{label}' (position {position}) must be Tensor, not {type(value).__name__}")


def combination_error(name: str, *values: Any) -> TypeError:
    """PyTorch's error for arguments that fit none of a function's signatures."""
    kinds = ", ".join(type(v).__name__ for v in values)
    return TypeError(f"{name}() received an invalid combination of arguments - got ({kinds}), but expected one of:")


# ---- nodes ----------------------------------------------------------------------------------------------------------

NOTHING = (None, None, None)  # what an operator of two operands keeps whose derivatives need neither
_SAVED_NAMES = {"a": "self", "b": "other", "out": "result", "x": "self"}


class Recorded(Node):
    """A node made by a declaration: `saved` holds the slots that its rules pick their arguments from."""

    rules: tuple[Any, ...] = ()  # on arrays, one for each edge (or None)
    graph_rules: tuple[Any, ...] = ()  # on Tensors
    joint: Any = None  # one rule for all edges instead
    graph_joint: Any = None
    kinds: tuple[Any, ...] = ()  # of each slot: ("in", edge number), ("out", output number) or ("value", name)
    names: tuple[str, ...] = ()
    holds = False  # whether there are tensors among the slots: then a second backward is refused
    saved: Any = ()
    versions: tuple[Any, ...] = ()
    fix: Any = None  # for each edge the shape and dtype its gradient must get, where they differ from the result's
    meta: Any = None  # shapes and dtypes of the outputs, when there are several
    single: int | None = None  # of several outputs the only differentiable one

    def apply(self, g: Any, graph: bool) -> tuple[Any, ...]:
        saved = self.saved
        if saved is None:
            raise RuntimeError(FREED)
        versions = self.versions
        if versions:
            for i in range(0, len(versions), 3):
                if versions[i][0] != versions[i + 1]:
                    check_versions(self, versions, saved, self.kinds)
        if self.n_outputs > 1:
            g = self._cotangents(g, graph)
        if graph or self.wants_tensors:
            saved = self.unpack()
            rules, joint = self.graph_rules, self.graph_joint
        else:
            rules, joint = self.rules, self.joint
        if joint is not None:
            grads = joint(g, saved, tuple(edge is not None for edge in self.edges))
        else:
            grads = [
                None if edge is None or rule is None else rule(g, saved)
                for edge, rule in zip(self.edges, rules)  # noqa: B905
            ]
        for v in grads:
            # NumPy's operators turn 0-d arrays into scalars.
            if v.__class__ is not ndarray and isinstance(v, np.generic):
                grads = [np.asarray(u) if isinstance(u, np.generic) else u for u in grads]
                break
        if self.fix is not None:
            grads = [
                v if v is None or fix is None else reduce_to(v, *fix) for v, fix in zip(grads, self.fix, strict=True)
            ]
        return grads  # type: ignore[no-any-return]

    def _cotangents(self, g: Any, graph: bool) -> Any:
        if self.single is not None:
            return g[self.single]
        tensors = graph or self.wants_tensors
        return [
            part if part is not None or meta is None else (wrap(np.zeros(*meta)) if tensors else np.zeros(*meta))
            for part, meta in zip(g, self.meta, strict=True)
        ]

    def unpack(self) -> list[Any]:
        """The saved slots with arrays as Tensors that know where in the graph they come from."""
        found = []
        for value, (kind, number) in zip(self.saved, self.kinds, strict=True):
            if value.__class__ is ndarray:
                value = self._operand(value, number) if kind == "in" else wrap(value)
                if kind == "out":
                    value._edge = (self, number)
            elif kind == "out" and isinstance(value, tuple):
                value = tuple(_with_edge(v, (self, i) if _can_require(v.dtype) else None) for i, v in enumerate(value))
            elif kind == "aux" and isinstance(value, tuple):
                value = tuple(wrap(v) if v.__class__ is ndarray else v for v in value)
            elif kind == "in" and isinstance(value, (list, tuple)):
                value = [_with_edge(v, self.edges[i]) for i, v in enumerate(value)]
            found.append(value)
        return found

    def _operand(self, a: Any, number: int) -> Any:
        """A saved operand; where it was promoted, a cast leads back to what it was, so that gradients are cast too."""
        fix = self.fix[number] if self.fix is not None and self.edges[number] is not None else None
        if fix is None or fix[1] == a.dtype:
            return _with_edge(a, self.edges[number])
        from .conversion import cast_array

        return _with_edge(cast_array(a, fix[1]), self.edges[number]).to(dtypes.of_array(a.dtype))

    def release(self) -> None:
        if self.holds and self.saved is not NOTHING:
            self.saved = None

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_saved_"):
            wanted = name.removeprefix("_saved_")
            for slot, own in enumerate(self.names):
                if wanted in (own, _SAVED_NAMES.get(own)):
                    if self.saved is None:
                        raise RuntimeError(FREED)
                    check_versions(self, self.versions, self.saved, self.kinds)
                    return self.unpack()[slot]
        raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")


def _with_edge(a: Any, edge: Any) -> Any:
    x = wrap(a)
    x._edge = edge
    return x


def _node_class(name: str, **attributes: Any) -> Any:
    holds = any(kind[0] != "value" for kind in attributes["kinds"])
    return type(name, (Recorded,), {**attributes, "holds": holds})


def reduce_to(g: Any, shape: tuple[int, ...], dtype: Any) -> Any:
    """A gradient of a broadcast and promoted operand in the operand's own shape and dtype."""
    if g.__class__ is ndarray:
        if g.shape != shape:
            g = sum_to(g, shape)
        if g.dtype != dtype:
            g = (g.real if g.dtype.kind == "c" and dtype.kind != "c" else g).astype(dtype)
        return g
    if not isinstance(g, Tensor):  # a number: the derivative does not depend on the operands
        return np.full(shape, g, dtype)
    if g._array.shape != shape:
        g = g.sum_to_size(shape)
    if g._array.dtype != dtype:
        if g._array.dtype.kind == "c" and dtype.kind != "c":
            g = g.real
        g = g.to(dtypes.of_array(dtype))
    return g


def sum_to(a: Any, shape: tuple[int, ...]) -> Any:
    """Sum an array over the axes along which `shape` was broadcast."""
    lead = a.ndim - len(shape)
    axes = (*range(lead), *(i + lead for i, n in enumerate(shape) if n == 1 and a.shape[i + lead] != 1))
    if axes:
        a = K.sum(a, axes, True)
    return a.reshape(shape)


def broadcast_error(a: Any, b: Any) -> RuntimeError | None:
    """PyTorch's error for two shapes that do not broadcast, or None when they do."""
    sa, sb = np.shape(a), np.shape(b)
    n = max(len(sa), len(sb))
    for i in range(1, min(len(sa), len(sb)) + 1):
        if sa[-i] != sb[-i] and 1 not in (sa[-i], sb[-i]):
            return RuntimeError(
                f"The size of tensor a ({sa[-i]}) must match the size of tensor b ({sb[-i]}) at non-singleton "
                f"dimension {n - i}"
            )
    return None


# ---- rules from formulas ----------------------------------------------------------------------------------------------


def _defaults(function: Any, count: int) -> list[Any]:
    """The default of each of `count` parameters, None where there is none."""
    while (inner := getattr(function, "formula", None) or getattr(function, "__wrapped__", None)) is not None:
        function = inner
    found = getattr(function, "__defaults__", None) or ()
    return [None] * (count - len(found)) + list(found)


def _parameters(function: Any) -> list[str]:
    while (inner := getattr(function, "formula", None) or getattr(function, "__wrapped__", None)) is not None:
        function = inner  # what K.fuse or functools.wraps stands before
    code = getattr(function, "__code__", None)
    if code is None:
        return list(inspect.signature(function).parameters)
    return list(code.co_varnames[: code.co_argcount])  # a hundredth of the time of inspect.signature, at each import


def _picker(function: Any, slots: list[int]) -> Any:
    """`rule(g, saved)`, which calls `function(g, saved[i], ...)`; the common arities without a loop."""
    if not slots:
        return lambda g, s: function(g)
    if len(slots) == 1:
        (i,) = slots
        return lambda g, s: function(g, s[i])
    if len(slots) == 2:
        i, j = slots
        return lambda g, s: function(g, s[i], s[j])
    if len(slots) == 3:
        i, j, k = slots
        return lambda g, s: function(g, s[i], s[j], s[k])
    return lambda g, s: function(g, *[s[i] for i in slots])


def _fused(formula: Any) -> Any:
    fuse = getattr(K, "fuse", None)
    return fuse(formula) if fuse is not None and formula.__name__ == "<lambda>" else formula


def _check_saved(x: Any) -> None:
    if x._inference:
        raise RuntimeError(INFERENCE_SAVED)


def unary(
    name: str,
    forward: Any,
    derivative: Any = None,
    *,
    to_float: bool = False,
    inplace: bool = True,
    method: bool = True,
    aliases: tuple[str, ...] = (),
    namespace: bool = True,
    out: bool = True,
    real: bool = False,
    node: str = "",
    doc: str = "",
) -> Any:
    """Declare an element-wise operator of one tensor.

    `derivative(g, a)` or `(g, out)` or both; None for an operator without gradient (`out` is then often bool).
    `to_float`: integers are computed in the default floating type. `real`: a complex input gives a real result,
    and the gradient is cast back by the formula itself.
    """
    kernel = _fused(forward)
    keeps_a = keeps_out = False
    if derivative is not None:
        names = _parameters(derivative)
        unknown = set(names) - {"g", "a", "out"}
        if unknown or names[:1] != ["g"]:
            raise TypeError(f"{name}: the derivative asks for {sorted(unknown)}; known are g, a, out")
        keeps_a, keeps_out = "a" in names, "out" in names
        slots = [("a", "out").index(n) if keeps_a and keeps_out else 0 for n in names[1:]]
        kinds: tuple[Any, ...] = ((("in", 0),) if keeps_a else ()) + ((("out", 0),) if keeps_out else ())
        node_class = _node_class(
            node or _backward_name(name),
            rules=(_picker(_fused(derivative), slots),),
            graph_rules=(_picker(derivative, slots),),
            kinds=kinds,
            names=tuple(n for n in names if n != "g"),
        )

    def op(input: Any) -> Any:
        mode = get_mode()
        if not isinstance(input, Tensor):
            if is_array(input):
                return kernel(input)
            raise type_error(name, input)
        a = source = input._array
        if to_float:
            kind = a.dtype
            if kind is not _F32 and kind is not _F64 and kind.kind in "biu":
                a = a.astype(dtypes.get_default_dtype().np)
        res = kernel(a)
        y = _new(Tensor)
        y._array = res
        y._counter = version = [0]
        if mode.grad:
            if derivative is not None:
                edge = input._edge if input._base is None else current_edge(input)
                if edge is not None:
                    node = _new(node_class)
                    node.edges = (edge,)
                    node.seq = next_seq()
                    if keeps_a:
                        if keeps_out:
                            node.saved = (a, res)
                            node.versions = (input._counter, input._counter[0], 0, version, 0, 1)
                        else:
                            node.saved = (a,)
                            node.versions = (input._counter, input._counter[0], 0)
                        if input._inference:
                            _check_saved(input)
                    elif keeps_out:
                        node.saved = (res,)
                        node.versions = (version, 0, 0)
                    if res.dtype is not source.dtype and not real:
                        node.fix = ((source.shape, source.dtype),)
                    if anomaly.enabled:
                        anomaly.remember(node)
                    y._edge = (node, 0)
        elif mode.inference:
            y._inference = True
        return y

    _describe(op, name, doc, f"{name} of each element of `input`; any shape.")
    op.saves_input = lambda own, others: keeps_a  # type: ignore[attr-defined]
    published = public(op, name=name, method=method, inplace=inplace, out=out, aliases=aliases, namespace=namespace)
    return op if not out else published if not method else op


def _describe(op: Any, name: str, doc: str, default: str) -> None:
    op.__name__ = op.__qualname__ = name
    op.__doc__ = doc or default
    op.__module__ = "rushlight"


def _backward_name(name: str) -> str:
    words = "".join(part.capitalize() for part in name.split("_"))
    return re.sub(r"\d[a-z]", lambda found: found[0].upper(), words) + "Backward0"


@functools.cache
def called(cls: Any, name: str) -> Any:
    """A node class under another of PyTorch's names for its operator."""
    return cls if name == cls.__name__ else type(name, (cls,), {})


def binary(
    name: str,
    forward: Any,
    d_a: Any = None,
    d_b: Any = None,
    *,
    to_float: bool = False,
    inplace: bool = True,
    method: bool = True,
    aliases: tuple[str, ...] = (),
    namespace: bool = True,
    out: bool = True,
    node: str = "",
    doc: str = "",
    publish: bool = True,
    check: Any = None,
    needs: str = "",
    accepts: tuple[Any, ...] = (),
    named: Any = None,
) -> Any:
    """Declare an element-wise operator of two operands (tensors or numbers), with broadcasting and promotion.

    The derivatives may ask for `g`, `a`, `b`, `out`; gradients are summed back to each operand's shape and cast to
    its dtype. `check(input, other)` may refuse operands; `needs` says that the "first" operand,
    "one" or "both" must be tensors; `accepts` are the NumPy kinds that the kernel takes and PyTorch's name of it;
    `named(input, other)` gives the node's name where PyTorch has several.
    """
    kernel = _fused(forward)
    keeps = [[False] * 3 for _ in range(4)]
    for which, formula in enumerate((d_a, d_b)):
        if formula is None:
            continue
        unknown = set(_parameters(formula)) - {"g", "a", "b", "out"}
        if unknown:
            raise TypeError(f"{name}: a derivative asks for {sorted(unknown)}; known are g, a, b, out")
        for mask in range(4):
            if mask & (1 << which):
                for slot, own in enumerate(("a", "b", "out")):
                    keeps[mask][slot] |= own in _parameters(formula)
    slots = [[("a", "b", "out").index(n) for n in _parameters(f)[1:]] if f else [] for f in (d_a, d_b)]
    differentiable = d_a is not None or d_b is not None
    node_class = _node_class(
        node or _backward_name(name),
        rules=tuple(_picker(_fused(f), s) if f else None for f, s in zip((d_a, d_b), slots, strict=True)),
        graph_rules=tuple(_picker(f, s) if f else None for f, s in zip((d_a, d_b), slots, strict=True)),
        kinds=(("in", 0), ("in", 1), ("out", 0)),
        names=("a", "b", "out"),
    )
    keeps_nothing = [not any(k) for k in keeps]
    both = needs == "both"

    def operands(input: Any, other: Any) -> tuple[Any, Any]:
        a, b, d = weak_operands(name, input, other, to_float)
        if accepts and d.np.kind not in accepts[0]:
            refuse(accepts[1], np.empty(0, d.np), *accepts[2:])
        return a, b

    def op(input: Any, other: Any) -> Any:
        mode = get_mode()
        edge_b = None
        kind = other.__class__
        try:
            a = input._array
            if kind is float or kind is int:
                b = other
                if both:
                    raise type_error(name, other, 2, "other")
                dtype = a.dtype
                if (dtype is not _F32 and dtype is not _F64) or check is not None:
                    if check is not None:
                        check(input, other)
                    a, b = operands(input, other)
            else:
                b = other._array
                dtype = a.dtype
                if dtype is not b.dtype or (dtype is not _F32 and dtype is not _F64) or check is not None:
                    if check is not None:
                        check(input, other)
                    a, b = operands(input, other)
                edge_b = other._edge if other._base is None else current_edge(other)
        except AttributeError:
            if is_array(input) or is_array(other):
                if not isinstance(input, Tensor) and not isinstance(other, Tensor):
                    return kernel(input, other)
                if isinstance(input, np.generic) or isinstance(other, np.generic):  # NumPy's scalars are numbers
                    return op(*(v.item() if isinstance(v, np.generic) else v for v in (input, other)))
                raise type_error(name, *((input, 1) if is_array(input) else (other, 2, "other"))) from None
            if needs == "both":
                _both_tensors(name, input, other)
            elif needs and not isinstance(input, Tensor) and (needs == "first" or not isinstance(other, Tensor)):
                raise combination_error(name, input, other) from None
            if check is not None:
                check(input, other)
            a, b = operands(input, other)
            if isinstance(other, Tensor):
                edge_b = other._edge if other._base is None else current_edge(other)
        try:
            res = kernel(a, b)
        except ValueError:
            raise broadcast_error(a, b) or RuntimeError(f"{name}(): these operands cannot be computed") from None
        except TypeError:
            if accepts and a.__class__ is ndarray and a.dtype.kind not in accepts[0]:
                refuse(accepts[1], a)
            raise
        y = _new(Tensor)
        y._array = res
        y._counter = [0]
        if mode.grad:
            if differentiable:
                edge_a = None
                if isinstance(input, Tensor):
                    edge_a = input._edge if input._base is None else current_edge(input)
                if edge_a is not None or edge_b is not None:
                    node = _new(node_class if named is None else called(node_class, named(input, other)))
                    node.edges = (edge_a, edge_b)
                    node.seq = next_seq()
                    mask = (edge_a is not None) + 2 * (edge_b is not None)
                    if keeps_nothing[mask]:
                        node.saved = NOTHING
                    else:
                        _save_binary(node, keeps[mask], input, other, a, b, y)
                    shape = res.shape
                    if edge_a is not None:
                        own = input._array
                        if own.shape != shape or own.dtype is not res.dtype:
                            _fix(node, 0, own)
                    if edge_b is not None:
                        own = other._array
                        if own.shape != shape or own.dtype is not res.dtype:
                            _fix(node, 1, own)
                    if anomaly.enabled:
                        anomaly.remember(node)
                    y._edge = (node, 0)
        elif mode.inference:
            y._inference = True
        return y

    _describe(op, name, doc, f"{name} of `input` and `other`, element by element; shapes broadcast, dtypes promote.")
    op.saves_input = lambda own, others: keeps[own + 2 * others][0]  # type: ignore[attr-defined]
    if not publish:
        return op
    public(op, name=name, method=method, inplace=inplace, out=out, aliases=aliases, namespace=namespace)
    return op


def _both_tensors(name: str, x: Any, y: Any) -> None:
    for position, (value, label) in enumerate(((x, "input"), (y, "other")), 1):
        if not isinstance(value, Tensor):
            raise type_error(name, value, position, label)


def _save_binary(node: Any, keep: list[bool], x: Any, y: Any, a: Any, b: Any, out: Any) -> None:
    versions: tuple[Any, ...] = ()
    if keep[0] and isinstance(x, Tensor):
        versions = (x._counter, x._counter[0], 0)
        if x._inference:
            _check_saved(x)
    if keep[1] and isinstance(y, Tensor):
        versions += (y._counter, y._counter[0], 1)
        if y._inference:
            _check_saved(y)
    if keep[2]:
        versions += (out._counter, 0, 2)
    node.saved = (a if keep[0] else None, b if keep[1] else None, out._array if keep[2] else None)
    node.versions = versions


def _fix(node: Any, i: int, own: Any) -> None:
    other = node.fix[1 - i] if node.fix is not None else None
    entry = (own.shape, own.dtype)
    node.fix = (entry, other) if i == 0 else (other, entry)


def primitive(
    name: str,
    forward: Any,
    *,
    inputs: tuple[str, ...] = (),
    aux: bool = False,
    view: bool = False,
    multi_view: bool = False,
    tensors: bool = False,
    backward: Any = None,
    graph_backward: Any = None,
    graph: dict[str, Any] | None = None,
    non_differentiable: tuple[int, ...] = (),
    named: Any = None,
    **derivatives: Any,
) -> Any:
    """Declare an operator that is not element-wise: `forward(arrays..., parameters...)` and a derivative for each input.

    The tensor arguments of `forward` are those that have a derivative (given by keyword, under their names), and those
    named in `inputs`; they may be None. If the first is a sequence of tensors it must be the only one, and its
    derivative returns a list. `backward(g, ..., needs)` instead gives all gradients at once, as a tuple.

    A derivative is read on arrays, and with `create_graph` on Tensors, so it is written with operators made
    by this module; `tensors=True` has it read on Tensors always (any Tensor method may then be used), and `graph` /
    `graph_backward` give another formula for `create_graph` where the arrays' one cannot be differentiated.

    `aux`: forward returns `(result, aux)`, and derivatives may ask for `aux`. `view`: the result shares memory.
    `named(*args)` gives the node's name where PyTorch has several.
    The returned operator takes positional arguments; given arrays instead of Tensors it just runs `forward`.
    """
    parameters = _parameters(forward)
    tensor_names = [n for n in parameters if n in derivatives or n in inputs]
    unknown = (set(derivatives) | set(inputs)) - set(parameters)
    if unknown:
        raise TypeError(f"{name}: forward has no argument {sorted(unknown)}")
    positions = [parameters.index(n) for n in tensor_names]
    allowed = {"g", "out", "aux", "needs", *parameters, *(f"{n}_shape" for n in tensor_names)}
    joint = backward
    all_formulas = list(derivatives.values()) + [f for f in (backward,) if f]
    for formula in [*all_formulas, *(graph or {}).values(), *([graph_backward] if graph_backward else [])]:
        wrong = set(_parameters(formula)) - allowed
        if wrong:
            raise TypeError(f"{name}: a derivative asks for {sorted(wrong)}, which is not among {sorted(allowed)}")
    differentiable = [n for n in tensor_names if n in derivatives] if joint is None else tensor_names
    graph_formulas = {**derivatives, **(graph or {})}
    second = graph_backward or backward

    # What is kept depends on which inputs require a gradient: one node class for each combination, made when met.
    classes: dict[tuple[Any, ...], Any] = {}
    defaults = _defaults(forward, len(parameters))

    def node_class(mask: tuple[Any, ...]) -> Any:
        """The class for these inputs' requiring a gradient; None if no derivative is by one of them."""
        if mask not in classes:
            used = (
                mask
                if mask == _SEQUENCE
                else tuple([needed and n in differentiable for needed, n in zip(mask, tensor_names, strict=True)])
            )
            classes[mask] = make_class(used) if any(used) else None
        return classes[mask]

    def make_class(mask: tuple[Any, ...]) -> Any:
        if joint is not None:
            used = [joint, second]
        else:
            chosen = [n for n, needed in zip(tensor_names, mask, strict=False) if needed and n in derivatives]
            used = [f for n in chosen for f in (derivatives[n], graph_formulas[n])]
        names = tuple(dict.fromkeys(n for f in used for n in _parameters(f) if n not in ("g", "needs")))
        kinds = tuple(
            ("in", tensor_names.index(n)) if n in tensor_names
            else ("out", 0) if n == "out"
            else ("aux", 0) if n == "aux"
            else ("value", n)
            for n in names
        )  # fmt: skip
        plan = []
        for n in names:
            if n in ("out", "aux"):
                plan.append((_OUT if n == "out" else _AUX, 0))
            elif n.endswith("_shape") and n[:-6] in tensor_names:
                plan.append((_SHAPE, parameters.index(n[:-6])))
            else:
                plan.append((_ARGUMENT, parameters.index(n)))

        def rule(formula: Any) -> Any:
            return _picker(formula, [names.index(n) for n in _parameters(formula)[1:]])

        def joint_rule(formula: Any) -> Any:
            wanted = _parameters(formula)[1:]
            slots = [None if n == "needs" else names.index(n) for n in wanted]
            return staticmethod(lambda g, s, needs: formula(g, *[needs if i is None else s[i] for i in slots]))

        attributes: dict[str, Any] = {"kinds": kinds, "names": names, "plan": tuple(plan), "wants_tensors": tensors}
        if joint is not None:
            attributes["joint"], attributes["graph_joint"] = joint_rule(joint), joint_rule(second)
        else:
            for key, table in (("rules", derivatives), ("graph_rules", graph_formulas)):
                attributes[key] = tuple(
                    rule(table[n]) if needed and n in derivatives else None
                    for n, needed in zip(tensor_names, mask, strict=False)
                )
            if mask == _SEQUENCE:  # one rule gives the gradients of all
                for key, rules in (("joint", "rules"), ("graph_joint", "graph_rules")):
                    of_all = attributes[rules][0]
                    attributes[key] = staticmethod(lambda g, s, needs, of_all=of_all: of_all(g, s))
        return _node_class(name, **attributes)

    first = positions[0] if positions else 0
    simple = positions == [0] and not (aux or multi_view or joint is not None) and tensor_names[0] in derivatives

    def op(*args: Any) -> Any:
        head = args[first]
        if not isinstance(head, Tensor):
            if isinstance(head, (list, tuple)):
                return sequence(args)
            result = forward(*args)
            return result[0] if aux else result
        mode = get_mode()
        grad = mode.grad
        arrays = list(args)
        edges: list[Any] = []
        for i in positions:
            x = args[i]
            if isinstance(x, Tensor):
                arrays[i] = x._array
                edges.append(None if not grad else x._edge if x._base is None else current_edge(x))
            else:
                edges.append(None)
        return finish(mode, args, arrays, tuple(edges), forward(*arrays), head)

    def of_one(x: Any, *rest: Any) -> Any:
        """`op` in the commonest case, in few steps: one tensor in, one out."""
        if not isinstance(x, Tensor):
            return op(x, *rest)
        mode = get_mode()
        a = x._array
        result = forward(a, *rest)
        edge = (x._edge if x._base is None else current_edge(x)) if mode.grad else None
        if result.__class__ is not ndarray:
            return finish(mode, (x, *rest), (a, *rest), (edge,), result, x)
        node = None
        if edge is not None:
            cls = node_class(_ONE)
            node = _new(cls if named is None else called(cls, named(x, *rest)))
            node.edges = (edge,)
            node.seq = next_seq()
            if anomaly.enabled:
                anomaly.remember(node)
        if view:
            y = views.view_of(x, result, None if node is None else (node, 0), mode)
        else:
            y = _new(Tensor)
            y._array = result
            y._counter = [0]
            if node is not None:
                if _can_require(result.dtype):
                    y._edge = (node, 0)
            elif mode.inference:
                y._inference = True
        if node is not None:
            save(node, (x, *rest), (a, *rest), None, (y,))
        return y

    def sequence(args: tuple[Any, ...]) -> Any:
        items = args[first]
        if not any(isinstance(x, Tensor) for x in items):
            result = forward(*args)
            return result[0] if aux else result
        mode = get_mode()
        arrays = list(args)
        arrays[first] = [x._array for x in items]
        edges = tuple([x._edge if x._base is None else current_edge(x) for x in items]) if mode.grad else ()
        result = forward(*arrays)
        if result.__class__ is ndarray and not any(edges) and not mode.inference:
            return wrap(result)
        return finish(mode, args, arrays, edges, result, None)

    def finish(mode: Any, args: Any, arrays: Any, edges: Any, result: Any, head: Any) -> Any:
        extra = None
        if aux:
            result, extra = result
        several = isinstance(result, (tuple, list))
        node = None
        if any(edges):
            cls = node_class(tuple([edge is not None for edge in edges]) if head is not None else _SEQUENCE)
            if cls is not None:
                node = _new(cls if named is None else called(cls, named(*args)))
                node.edges = edges
                node.seq = next_seq()
                if anomaly.enabled:
                    anomaly.remember(node)
        if not (several or view or multi_view):
            y = _new(Tensor)
            y._array = result
            y._counter = [0]
            if node is not None:
                if 0 not in non_differentiable and _can_require(result.dtype):
                    y._edge = (node, 0)
                save(node, args, arrays, extra, (y,))
            elif mode.inference:
                y._inference = True
            return y
        results = list(result) if several else [result]
        if node is not None and several:
            node.n_outputs = len(results)
            node.meta = [(r.shape, r.dtype) for r in results]
            live = [i for i, r in enumerate(results) if i not in non_differentiable and _can_require(r.dtype)]
            if len(live) == 1 and len(results) > 1:
                node.single = live[0]
        if view or multi_view:
            kind = "multi" if multi_view else None
            ys = [
                views.view_of(head, r, None if node is None else (node, i), mode, kind) for i, r in enumerate(results)
            ]
        else:
            ys = []
            for i, r in enumerate(results):
                y = _new(Tensor)
                y._array = r
                y._counter = [0]
                if node is not None and i not in non_differentiable and _can_require(r.dtype):
                    y._edge = (node, i)
                elif mode.inference:
                    y._inference = True
                ys.append(y)
        if node is not None:
            save(node, args, arrays, extra, ys)
        return tuple(ys) if several else ys[0]

    def save(node: Any, args: Any, arrays: Any, extra: Any, ys: Any) -> None:
        saved: list[Any] = []
        versions: tuple[Any, ...] = ()
        for slot, (what, i) in enumerate(node.plan):
            if what == _ARGUMENT:
                if i >= len(arrays):
                    saved.append(defaults[i])
                    continue
                x, value = args[i], arrays[i]
                saved.append(value)
                if x is not value and isinstance(x, Tensor):
                    versions += (x._counter, x._counter[0], slot)
                    if x._inference:
                        _check_saved(x)
            elif what == _SHAPE:
                value = arrays[i]
                saved.append([v.shape for v in value] if value.__class__ is list else value.shape)
            elif what == _OUT:
                saved.append(ys[0]._array if len(ys) == 1 else tuple([y._array for y in ys]))
                versions += (ys[0]._counter, ys[0]._counter[0], slot)
            else:
                saved.append(extra)
        node.saved, node.versions = tuple(saved), versions

    published: Any = of_one if simple else op
    published.__name__ = published.__qualname__ = name.removesuffix("0").removesuffix("Backward").lower()
    published.node_name = name
    published.forward = forward
    return published


# What a slot of a primitive's node keeps, and the masks of its node classes.
_ARGUMENT, _SHAPE, _OUT, _AUX = range(4)
_ONE = (True,)
_SEQUENCE = ("sequence",)


def _can_require(dtype: Any) -> bool:
    return dtype.kind in "fc" or (dtype.kind == "V" and not dtype.isbuiltin) or dtype.name in ("bfloat16",)


def no_grad_call(function: Callable[..., Any], *args: Any) -> Any:
    """Call `function` without recording."""
    token = _variable.set(NO_GRAD)
    try:
        return function(*args)
    finally:
        _variable.reset(token)


__all__ = [
    "FUNCTIONS", "NUMBERS", "attach", "binary", "broadcast_error", "is_array", "primitive", "public", "reduce_to",
    "sum_to", "type_error", "unary", "with_out", "write_out",
]  # fmt: skip
