"""`autograd.Function`: an operation with a backward of the user's own."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from ..errors import type_name
from ..settings import warn
from . import modes, views
from .engine import anomaly
from .node import FREED, AccumulateGrad, Node, modified, next_seq
from .tensor import Tensor, current_edge, wrap


class FunctionCtx(Node):
    """The `ctx` of forward and backward; it is the graph's node as well."""

    wants_tensors = True
    _function: Any = None
    _to_save: tuple[Any, ...] = ()
    _saved: Any = None
    _dirty: tuple[Any, ...] = ()
    _non_differentiable: tuple[Any, ...] = ()
    _materialize = True
    needs_input_grad: tuple[bool, ...] = ()
    _output_meta: Any = ()

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors for backward; the graph will notice if they are changed before then."""
        for i, x in enumerate(tensors):
            if x is not None and not isinstance(x, Tensor):
                raise TypeError(
                    f"save_for_backward can only save variables, but argument {i} is of type {type_name(x)}"
                )
        self._to_save = tensors

    @property
    def to_save(self) -> None:
        """Nothing, once forward has run; kept for programs that ask."""

    def save_for_forward(self, *tensors: Any) -> None:
        """Accepted for compatibility: forward-mode differentiation does not exist here yet."""

    def mark_dirty(self, *tensors: Any) -> None:
        """Declare inputs that forward changes in place (and returns)."""
        if not all(isinstance(x, Tensor) for x in tensors):
            raise RuntimeError("mark_dirty can only accept variables, but argument ")
        self._dirty = tensors

    def mark_non_differentiable(self, *tensors: Any) -> None:
        """Declare outputs that have no gradient."""
        if not all(isinstance(x, Tensor) for x in tensors):
            raise RuntimeError("mark_non_differentiable only accepts variable arguments, but got ")
        self._non_differentiable = tensors

    def set_materialize_grads(self, value: bool) -> None:
        """Whether backward gets zeros (the default) or None for outputs that nothing used."""
        if not isinstance(value, bool):
            raise TypeError(
                "set_materialize_grads received an invalid combination of arguments - got (), but expected (bool)"
            )
        self._materialize = value

    @property
    def saved_tensors(self) -> tuple[Any, ...]:
        if self._saved is None:
            if self.__dict__.get("_released"):
                raise RuntimeError(FREED)
            return self._to_save  # forward is still at work
        found: list[Any] = []
        for entry in self._saved:
            if entry is None:
                found.append(None)
                continue
            a, counter, version, edge, number = entry
            if counter[0] != version:
                raise RuntimeError(modified(self, a, edge if number is None else (self, number), counter, version))
            x = wrap(a)
            x._edge = (self, number) if number is not None else edge
            found.append(x)
        return tuple(found)

    @property
    def saved_variables(self) -> tuple[Any, ...]:
        """The old name of `saved_tensors`."""
        warn("'saved_variables' is deprecated; use 'saved_tensors'", DeprecationWarning)
        return self.saved_tensors

    def _save(self, outputs: list[Any]) -> None:
        saved: list[Any] = []
        for x in self._to_save:
            if x is None:
                saved.append(None)
                continue
            if x._inference:
                raise RuntimeError(INFERENCE_SAVED)
            # An output saved for backward must not hold the node that holds it.
            number = next((i for i, y in enumerate(outputs) if y is x), None)
            edge = x._edge if x._base is None else current_edge(x)
            saved.append((x._array, x._counter, x._counter[0], None if number is not None else edge, number))
        self._saved = tuple(saved)

    def release(self) -> None:
        if self._to_save:
            self._saved = None
            self.__dict__["_released"] = True

    @property
    def next_functions(self) -> tuple[tuple[Node | None, int], ...]:
        """As of every node, for the arguments that are tensors."""
        edges = zip(self.edges, self._input_meta, strict=True)
        return tuple(edge or (None, 0) for edge, meta in edges if meta is not None)

    def __repr__(self) -> str:
        return f"<torch.autograd.function.{type(self).__name__} object at {id(self):#x}>"

    def apply(self, g: Any, graph: bool) -> tuple[Any, ...]:
        parts = list(g) if self.n_outputs > 1 else [g]
        if self._materialize:
            parts = [
                wrap(_zeros(meta)) if part is None and meta is not None else part
                for part, meta in zip(parts, self._output_meta, strict=True)
            ]
        cls = self._function
        backward = cls.vjp if cls.vjp is not Function.vjp else cls.backward
        if backward is cls.vjp and cls.backward is not Function.backward:
            raise RuntimeError(
                "Implementing both 'backward' and 'vjp' for a custom Function is not allowed. You should only implement one "
                "of them."
            )
        grads = backward(self, *parts)
        grads = grads if isinstance(grads, tuple) else (grads,)
        expected = len(self.needs_input_grad)
        if len(grads) > expected and all(v is None for v in grads[expected:]):
            grads = grads[:expected]
        if len(grads) != expected:
            raise RuntimeError(
                f"function {self.name()} returned an incorrect number of gradients (expected {expected}, got {len(grads)})"
            )
        found = []
        for i, (v, edge) in enumerate(zip(grads, self._input_edges, strict=True)):
            if v is not None and self._input_meta[i] is None:
                raise RuntimeError(
                    f"function {self.name()} returned a gradient different than None at position {i + 1}, but the "
                    "corresponding forward input was not a Variable"
                )
            if v is not None and not isinstance(v, Tensor):
                raise RuntimeError(f"expected Variable or None (got {type_name(v)})")
            if edge is not None and v is not None:
                v = _fit(self, i, v, self._input_meta[i])
            found.append(v)
        return tuple(found)

    _input_edges: tuple[Any, ...] = ()
    _input_meta: tuple[Any, ...] = ()


INFERENCE_SAVED = (
    "Inference tensors cannot be saved for backward. Please do not use Tensors created in inference mode in computation "
    "tracked by autograd. To work around this, you can make a clone to get a normal tensor and use it in autograd, or "
    "use `torch.no_grad()` instead of `torch.inference_mode()`."
)


def _zeros(meta: Any) -> Any:
    import numpy as np

    shape, dtype = meta
    return np.zeros(shape, dtype)


def _fit(node: Node, i: int, v: Any, meta: Any) -> Any:
    """A user's gradient in the shape and dtype of its input, or PyTorch's error."""
    shape, dtype = meta
    if v._array.shape != shape:
        try:
            v = v.sum_to_size(*shape)
        except RuntimeError:
            raise RuntimeError(
                f"Function {node.name()} returned an invalid gradient at index {i} - got {list(v.shape)} but expected "
                f"shape compatible with {list(shape)}"
            ) from None
    if v._array.dtype != dtype:
        if (v._array.dtype.kind == "c") != (dtype.kind == "c"):
            raise RuntimeError(
                "Expected isFloatingType(grad.scalar_type()) || (input_is_complex == grad_is_complex) to be true, but got "
                "false."
            )
        from .. import dtypes

        v = v.to(dtypes.of_array(dtype))
    return v


class _FunctionMeta(type):
    """Gives each Function subclass the class of its nodes, `NameBackward`."""

    def __init__(cls, name: str, bases: Any, namespace: Any) -> None:
        super().__init__(name, bases, namespace)
        cls._node_class = type(f"{name}Backward", (FunctionCtx,), {"_function": cls})


class Function(metaclass=_FunctionMeta):
    """Subclass with static `forward` and `backward`, and call `apply`.

    Either `forward(ctx, *args)`, or `forward(*args)` with `setup_context(ctx, inputs, output)`.
    https://docs.pytorch.org/docs/stable/autograd.html#torch.autograd.Function

    >>> import rushlight as torch
    >>> class Cube(torch.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x**3
    ...     @staticmethod
    ...     def backward(ctx, g):
    ...         (x,) = ctx.saved_tensors
    ...         return g * 3 * x**2
    >>> x = torch.tensor(2.0, requires_grad=True)
    >>> Cube.apply(x).backward()
    >>> x.grad
    tensor(12.)
    """

    _node_class: type[FunctionCtx]
    generate_vmap_rule = False

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        """The value; override it."""
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Any) -> Any:
        """Save what backward needs, when `forward` takes no ctx."""
        raise NotImplementedError("setup_context is not implemented.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        """Gradients for the inputs, one each (None for what needs none); override it."""
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to use it with "
            "backward mode AD."
        )

    @staticmethod
    def vjp(ctx: Any, *grad_outputs: Any) -> Any:
        """Another name for `backward`."""
        return Function.backward(ctx, *grad_outputs)

    @staticmethod
    def vmap(info: Any, in_dims: Any, *args: Any) -> Any:
        """How the operation runs on a batch; override it."""
        raise NotImplementedError(
            "To use autograd.Function with vmap, you must either override the vmap staticmethod or set "
            "generate_vmap_rule=True."
        )

    @staticmethod
    def jvp(ctx: Any, *grad_inputs: Any) -> Any:
        """Forward mode is not supported yet."""
        raise NotImplementedError(
            "You must implement the jvp function for custom autograd.Function to use it with forward mode AD."
        )

    def __init__(self) -> None:
        warn(
            f"{type(self)} should not be instantiated. Methods on autograd functions are all static, so you should invoke "
            "them on the class itself. Instantiating an autograd function will raise an error in a future version of "
            "PyTorch.",
            DeprecationWarning,
        )

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Refused: a Function is used through its class."""
        raise RuntimeError(
            "Legacy autograd function with non-static forward method is deprecated. Please use new-style autograd function "
            "with static forward method. (Example: https://pytorch.org/docs/stable/autograd.html#torch.autograd.Function)"
        )

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        mode = modes.get_mode()
        node = cls._node_class()
        edges = tuple(
            (x._edge if x._base is None else current_edge(x)) if isinstance(x, Tensor) else None for x in args
        )
        node.needs_input_grad = tuple(edge is not None for edge in edges)
        separate = cls.setup_context is not Function.setup_context
        token = modes._variable.set(modes.INFERENCE if mode.inference else modes.NO_GRAD)
        try:
            if separate:
                result = cls.forward(*args, **kwargs)
                cls.setup_context(node, args, result)
            else:
                result = cls.forward(node, *args, **kwargs)
        finally:
            modes._variable.reset(token)
        recording = mode.grad and any(edge is not None for edge in edges)
        single = not isinstance(result, tuple)
        raw = [result] if single else list(result)
        if node._dirty:
            _check_dirty(node, raw, args)
        outputs = [cls._output(node, y, args, recording) for y in raw]
        if recording:
            node.seq = next_seq()
            if anomaly.enabled:
                anomaly.remember(node)
            node.edges = node._input_edges = edges
            node._input_meta = tuple((x._array.shape, x._array.dtype) if isinstance(x, Tensor) else None for x in args)
            node.n_outputs = len(outputs)
            node._output_meta = tuple(
                (y._array.shape, y._array.dtype) if isinstance(y, Tensor) else None for y in outputs
            )
            skipped = {id(y) for y in node._non_differentiable}
            for i, (y, before) in enumerate(zip(outputs, raw, strict=True)):
                if not isinstance(y, Tensor) or id(before) in skipped or y.dtype.category < 2:
                    continue
                if any(y is x for x in node._dirty):
                    views.rebase(y, (node, i))
                else:
                    y._edge = (node, i)
            node._to_save = tuple(_renamed(x, raw, outputs) for x in node._to_save)
            node._save(outputs)
        else:
            for y in node._dirty:
                y._counter[0] += 1
        return outputs[0] if single else tuple(outputs)

    @classmethod
    def _output(cls, node: FunctionCtx, y: Any, args: Any, recording: bool) -> Any:
        """An output as a tensor of its own: an input returned unchanged becomes a view of it."""
        if not isinstance(y, Tensor):
            return y
        if any(y is x for x in node._dirty):
            if recording and y._base is None and y._edge is not None and y._edge[0].__class__ is AccumulateGrad:
                raise RuntimeError("a leaf Variable that requires grad has been used in an in-place operation.")
            if recording:
                views.check_inplace(y)
            return y
        if any(y is x for x in args):
            return views.view_of(y, y._array, None, modes.get_mode(), "custom" if recording else None)
        if recording and y._base is not None:
            y._view_kind = "custom"
        elif recording and y._edge is not None:
            return y.detach()
        return y


def _check_dirty(node: FunctionCtx, outputs: list[Any], args: tuple[Any, ...]) -> None:
    """What was marked as changed in place has to be returned, and should have been an argument."""
    if not all(any(x is y for y in outputs) for x in node._dirty):
        raise RuntimeError(
            "Some elements marked as dirty during the forward method were not returned as output. The inputs that are "
            "modified inplace must all be outputs of the Function."
        )
    if not all(any(x is y for y in args) for x in node._dirty):
        warn(
            "ctx.mark_dirty() received a tensor that was not an input. Only input Tensors that have been mutated should be "
            "passed to ctx.mark_dirty()."
        )


def _renamed(x: Any, before: list[Any], after: list[Any]) -> Any:
    return next((new for old, new in zip(before, after, strict=True) if old is x), x)


def once_differentiable(backward: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator for a `backward` that must not be differentiated again: doing so raises."""

    @functools.wraps(backward)
    def wrapper(ctx: Any, *grads: Any) -> Any:
        recording = modes.is_grad_enabled() and any(isinstance(g, Tensor) and g.requires_grad for g in grads)
        with modes.no_grad():
            found = backward(ctx, *grads)
        if not recording:
            return found
        single = not isinstance(found, tuple)
        outputs = (found,) if single else found
        marked = []
        for y in outputs:
            if isinstance(y, Tensor):
                node = _NotTwice()
                node.seq = next_seq()
                node.edges = tuple(g._edge for g in grads if isinstance(g, Tensor))
                y = y.detach()
                y._edge = (node, 0)
            marked.append(y)
        return marked[0] if single else tuple(marked)

    return wrapper


class _NotTwice(Node):
    def apply(self, g: Any, graph: bool) -> tuple[Any, ...]:
        raise RuntimeError("trying to differentiate twice a function that was marked with @once_differentiable")

    def name(self) -> str:
        return "torch::autograd::Error"
