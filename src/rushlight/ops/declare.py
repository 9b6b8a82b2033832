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
from typing import Any

import numpy as np

from .. import dtypes
from ..autograd import views
from ..autograd.engine import anomaly
from ..autograd.function import INFERENCE_SAVED
from ..autograd.modes import get_mode
from ..autograd.node import next_seq
from ..autograd.tensor import Tensor, current_edge, wrap
from ..backend import kernels as K
from ..backend import placing
from .kinds import refuse
from .promotion import weak_operands
from .publishing import (
    combination_error,
    is_array,
    public,
    type_error,
)
from .recorded import NOTHING, broadcast_error, can_require, node_class_of

ndarray = np.ndarray
_new = object.__new__
_F32, _F64 = np.dtype(np.float32), np.dtype(np.float64)


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


def _kernel(forward: Any) -> Any:
    """What computes an element-wise operator; a plain function's results are laid out as a kernel's would be."""
    plain = (
        inspect.isfunction(forward)
        and not forward.__module__.startswith("rushlight.backend")
        and not hasattr(forward, "places_itself")
    )
    return _fused(forward) if forward.__name__ == "<lambda>" or not plain else placing.elementwise(forward)


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
    kernel = _kernel(forward)
    keeps_a = keeps_out = False
    if derivative is not None:
        names = _parameters(derivative)
        unknown = set(names) - {"g", "a", "out"}
        if unknown or names[:1] != ["g"]:
            raise TypeError(f"{name}: the derivative asks for {sorted(unknown)}; known are g, a, out")
        keeps_a, keeps_out = "a" in names, "out" in names
        slots = [("a", "out").index(n) if keeps_a and keeps_out else 0 for n in names[1:]]
        kinds: tuple[Any, ...] = ((("in", 0),) if keeps_a else ()) + ((("out", 0),) if keeps_out else ())
        node_class = node_class_of(
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
    kernel = _kernel(forward)
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
    node_class = node_class_of(
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
        return node_class_of(name, **attributes)

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
                if can_require(result.dtype):
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
                if 0 not in non_differentiable and can_require(result.dtype):
                    y._edge = (node, 0)
                save(node, args, arrays, extra, (y,))
            elif mode.inference:
                y._inference = True
            return y
        results = list(result) if several else [result]
        if node is not None and several:
            node.n_outputs = len(results)
            node.meta = [(r.shape, r.dtype) for r in results]
            live = [i for i, r in enumerate(results) if i not in non_differentiable and can_require(r.dtype)]
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
                if node is not None and i not in non_differentiable and can_require(r.dtype):
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
