"""Recurrent networks and cells: RNN, LSTM and GRU."""

from __future__ import annotations

import math
from typing import Any

from .. import ops
from ..settings import warn
from . import init
from .functional import recurrent
from .module import Module
from .parameter import Parameter
from .utils.rnn import PackedSequence

_GATES = {"LSTM": 4, "GRU": 3, "RNN_TANH": 1, "RNN_RELU": 1}


def apply_permutation(x: Any, permutation: Any, dim: int = 1) -> Any:
    """The old name of `index_select` on hidden states."""
    warn(
        "apply_permutation is deprecated, please use tensor.index_select(dim, permutation) instead",
        FutureWarning,
    )
    return x.index_select(dim, permutation)


class RNNBase(Module):
    """What RNN, LSTM and GRU share: their arguments, parameters, checks and the call."""

    __constants__ = [
        "mode", "input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional",
        "proj_size",
    ]  # fmt: skip

    def __init__(
        self, mode: str, input_size: int, hidden_size: int, num_layers: int = 1, bias: bool = True,
        batch_first: bool = False, dropout: float = 0.0, bidirectional: bool = False, proj_size: int = 0,
        device: Any = None, dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.mode, self.input_size, self.hidden_size, self.num_layers = mode, input_size, hidden_size, num_layers
        self.bias, self.batch_first, self.dropout = bias, batch_first, float(dropout)
        self.bidirectional, self.proj_size = bidirectional, proj_size
        directions = 2 if bidirectional else 1
        if isinstance(dropout, bool) or not 0 <= self.dropout <= 1:
            raise ValueError(
                "dropout should be a number in range [0, 1] representing the probability of an element being zeroed"
            )
        if dropout > 0 and num_layers == 1:
            warn(
                "dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects "
                f"num_layers greater than 1, but got dropout={dropout} and num_layers={num_layers}",
            )
        for name, value in (("input_size", input_size), ("hidden_size", hidden_size)):
            if not isinstance(value, int):
                raise TypeError(f"{name} should be of type int, got: {type(value).__name__}")
        for name, flag in (("bias", bias), ("batch_first", batch_first)):
            if not isinstance(flag, bool):
                raise TypeError(f"{name} should be of type bool, got: {type(flag).__name__}")
        for name, value in (("input_size", input_size), ("hidden_size", hidden_size)):
            if value <= 0:
                raise ValueError(f"{name} must be greater than zero")
        if num_layers <= 0:
            raise ValueError("num_layers must be greater than zero")
        if proj_size < 0:
            raise ValueError("proj_size should be a positive integer or zero to disable projections")
        if proj_size >= hidden_size:
            raise ValueError("proj_size has to be smaller than hidden_size")
        if mode not in _GATES:
            raise ValueError("Unrecognized RNN mode: " + mode)
        rows, state_size = _GATES[mode] * hidden_size, proj_size or hidden_size
        self._flat_weights_names: list[str] = []
        self._all_weights: list[list[str]] = []
        for layer in range(num_layers):
            for direction in range(directions):
                width = input_size if layer == 0 else state_size * directions
                shapes: list[tuple[str, Any]] = [("weight_ih", (rows, width)), ("weight_hh", (rows, state_size))]
                if bias:
                    shapes += [("bias_ih", (rows,)), ("bias_hh", (rows,))]
                if proj_size > 0:
                    shapes += [("weight_hr", (proj_size, hidden_size))]
                suffix = f"_l{layer}{'_reverse' if direction else ''}"
                names = [kind + suffix for kind, _ in shapes]
                for name, (_, shape) in zip(names, shapes, strict=True):
                    setattr(self, name, Parameter(ops.empty(shape, device=device, dtype=dtype)))
                self._flat_weights_names.extend(names)
                self._all_weights.append(names)
        self.reset_parameters()

    @property
    def _flat_weights(self) -> list[Any]:
        return [getattr(self, name) for name in self._flat_weights_names]

    @property
    def all_weights(self) -> list[list[Any]]:
        """The parameters of each layer and direction."""
        return [[getattr(self, name) for name in names] for names in self._all_weights]

    def flatten_parameters(self) -> None:
        """Nothing to do: there is no cuDNN here that wants the weights in one piece."""

    def reset_parameters(self) -> None:
        """Draw all weights from U(-1/sqrt(hidden_size), 1/sqrt(hidden_size))."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def _weights(self) -> list[tuple[Any, ...]]:
        """(w_ih, w_hh, b_ih, b_hh, w_hr) for each layer and direction."""
        found = []
        for weights in self.all_weights:
            head, rest = weights[:2], list(weights[2:])
            biases = [rest.pop(0), rest.pop(0)] if self.bias else [None, None]
            found.append((*head, *biases, rest[0] if rest else None))
        return found

    # ---- checks ----

    def check_input(self, input: Any, batch_sizes: Any) -> None:
        """RuntimeError or ValueError when the input does not fit the layer."""
        first = self._parameters[self._flat_weights_names[0]]
        assert first is not None
        if input.dtype != first.dtype:
            raise ValueError(
                f"RNN input dtype ({input.dtype}) does not match weight dtype ({first.dtype}). Convert input: "
                f"input.to({first.dtype}), or convert model: model.to({input.dtype})"
            )
        expected = 2 if batch_sizes is not None else 3
        if input.dim() != expected:
            raise RuntimeError(f"input must have {expected} dimensions, got {input.dim()}")
        if self.input_size != input.size(-1):
            raise RuntimeError(
                f"input.size(-1) must be equal to input_size. Expected {self.input_size}, got {input.size(-1)}"
            )

    def _state_shape(self, input: Any, batch_sizes: Any, size: int) -> tuple[int, int, int]:
        if batch_sizes is not None:
            batch = int(batch_sizes[0])
        else:
            batch = input.size(0) if self.batch_first else input.size(1)
        return self.num_layers * (2 if self.bidirectional else 1), batch, size

    def get_expected_hidden_size(self, input: Any, batch_sizes: Any) -> tuple[int, int, int]:
        """The shape that the hidden state must have."""
        return self._state_shape(input, batch_sizes, self.proj_size or self.hidden_size)

    def check_hidden_size(self, hx: Any, expected: Any, msg: str = "Expected hidden size {}, got {}") -> None:
        """RuntimeError when a state has another shape than expected."""
        if tuple(hx.size()) != tuple(expected):
            raise RuntimeError(msg.format(expected, list(hx.size())))

    def check_forward_args(self, input: Any, hidden: Any, batch_sizes: Any) -> None:
        """Check the input and the initial state."""
        self.check_input(input, batch_sizes)
        self.check_hidden_size(hidden, self.get_expected_hidden_size(input, batch_sizes))

    def permute_hidden(self, hx: Any, permutation: Any) -> Any:
        """The state in another order of the sequences."""
        return hx if permutation is None else hx.index_select(1, permutation)

    # ---- the call ----

    def _sizes(self) -> tuple[int, ...]:
        """The widths of the parts of the state: one, or two for the LSTM."""
        return (self.hidden_size,)

    def _states(self, hx: Any) -> tuple[Any, ...]:
        return (hx,)

    def _check_unbatched(self, state: tuple[Any, ...], batched: bool) -> None:
        (hx,) = state
        n = 3 if batched else 2
        if hx.dim() != n:
            word = "batched 3-D" if batched else "unbatched 2-D"
            raise RuntimeError(f"For {word} input, hx should also be {n}-D but got {hx.dim()}-D tensor")

    def forward(self, input: Any, hx: Any = None) -> Any:
        packed = input if isinstance(input, PackedSequence) else None
        batched = True
        state = None if hx is None else self._states(hx)
        batch_sizes = sorted_indices = unsorted_indices = None
        if packed is not None:
            x, batch_sizes, sorted_indices, unsorted_indices = packed
            if state is not None:
                state = tuple(self.permute_hidden(s, sorted_indices) for s in state)
        else:
            x = input
            if x.dim() not in (2, 3):
                word = " tensor" if self.mode.startswith("RNN") else ""
                raise ValueError(f"{type(self).__name__}: Expected input to be 2D or 3D, got {x.dim()}D{word} instead")
            batched = x.dim() == 3
            if state is not None:
                self._check_unbatched(state, batched)
            if not batched:
                x = x.unsqueeze(0 if self.batch_first else 1)
                state = None if state is None else tuple(s.unsqueeze(1) for s in state)
        if state is None:
            self.check_input(x, batch_sizes)
            state = tuple(
                ops.zeros(self._state_shape(x, batch_sizes, size), dtype=x.dtype, device=x.device)
                for size in self._sizes()
            )
        self.check_forward_args(x, state if len(state) > 1 else state[0], batch_sizes)
        steps_first = x.transpose(0, 1) if self.batch_first and packed is None else x
        if packed is None and steps_first.size(0) == 0:
            raise RuntimeError("Expected sequence length to be larger than 0 in RNN")
        y, state = recurrent.network(
            self.mode, steps_first, state, self._weights(), self.num_layers, self.bidirectional, self.dropout,
            self.training, None if batch_sizes is None else batch_sizes.tolist(),
        )  # fmt: skip
        if packed is not None:
            y = PackedSequence(y, batch_sizes, sorted_indices, unsorted_indices)
            state = tuple(self.permute_hidden(s, unsorted_indices) for s in state)
        else:
            if self.batch_first:
                y = y.transpose(0, 1)
            if not batched:
                y = y.squeeze(0 if self.batch_first else 1)
                state = tuple(s.squeeze(1) for s in state)
        return y, state if len(state) > 1 else state[0]

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        if self.proj_size != 0:
            text += f", proj_size={self.proj_size}"
        if self.num_layers != 1:
            text += f", num_layers={self.num_layers}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        if self.batch_first is not False:
            text += f", batch_first={self.batch_first}"
        if self.dropout != 0:
            text += f", dropout={self.dropout}"
        if self.bidirectional is not False:
            text += f", bidirectional={self.bidirectional}"
        return text

    def __getstate__(self) -> dict[str, Any]:
        """The attributes, with what PyTorch's class keeps among them."""
        return {**self.__dict__, "_flat_weights": self._flat_weights}

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.__dict__.setdefault("proj_size", 0)
        self.__dict__.pop("_flat_weights", None)  # in PyTorch's pickles, where it is no property


def _refuse_projection(kwargs: dict[str, Any]) -> None:
    if "proj_size" in kwargs:
        raise ValueError("proj_size argument is only supported for LSTM, not RNN or GRU")


class RNN(RNNBase):
    """An Elman network: `h' = tanh(w_ih x + b_ih + w_hh h + b_hh)`, or with relu.

    >>> import rushlight as torch
    >>> y, h = torch.nn.RNN(10, 20, 2)(torch.zeros(5, 3, 10))
    >>> y.shape, h.shape
    (torch.Size([5, 3, 20]), torch.Size([2, 3, 20]))
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _refuse_projection(kwargs)
        if len(args) > 3:
            nonlinearity = args[3]
            args = args[:3] + args[4:]
        else:
            nonlinearity = kwargs.pop("nonlinearity", "tanh")
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"Unknown nonlinearity '{nonlinearity}'. Select from 'tanh' or 'relu'.")
        super().__init__(f"RNN_{nonlinearity.upper()}", *args, **kwargs)
        self.nonlinearity = nonlinearity


class LSTM(RNNBase):
    """Long short-term memory (Hochreiter and Schmidhuber, 1997); states are pairs `(h, c)`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__("LSTM", *args, **kwargs)

    def _sizes(self) -> tuple[int, ...]:
        return (self.proj_size or self.hidden_size, self.hidden_size)

    def _states(self, hx: Any) -> tuple[Any, ...]:
        return tuple(hx)

    def _check_unbatched(self, state: tuple[Any, ...], batched: bool) -> None:
        h, c = state
        n = 3 if batched else 2
        if h.dim() != n or c.dim() != n:
            word = "batched 3-D" if batched else "unbatched 2-D"
            raise RuntimeError(
                f"For {word} input, hx and cx should also be {n}-D but got ({h.dim()}-D, {c.dim()}-D) tensors"
            )

    def get_expected_cell_size(self, input: Any, batch_sizes: Any) -> tuple[int, int, int]:
        """The shape that the cell state must have."""
        return self._state_shape(input, batch_sizes, self.hidden_size)

    def check_forward_args(self, input: Any, hidden: Any, batch_sizes: Any) -> None:
        """Check the input and the initial states."""
        self.check_input(input, batch_sizes)
        expected = self.get_expected_hidden_size(input, batch_sizes)
        self.check_hidden_size(hidden[0], expected, "Expected hidden[0] size {}, got {}")
        expected = self.get_expected_cell_size(input, batch_sizes)
        self.check_hidden_size(hidden[1], expected, "Expected hidden[1] size {}, got {}")

    def permute_hidden(self, hx: Any, permutation: Any) -> Any:
        """The states in another order of the sequences."""
        if isinstance(hx, tuple):
            return tuple(super(LSTM, self).permute_hidden(h, permutation) for h in hx)
        return super().permute_hidden(hx, permutation)


class GRU(RNNBase):
    """The gated recurrent unit (Cho et al., https://arxiv.org/abs/1406.1078)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        _refuse_projection(kwargs)
        super().__init__("GRU", *args, **kwargs)


class RNNCellBase(Module):
    """What the cells share: their parameters and checks."""

    __constants__ = ["input_size", "hidden_size", "bias"]

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool, num_chunks: int, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__()
        self.input_size, self.hidden_size, self.bias = input_size, hidden_size, bias
        rows = num_chunks * hidden_size
        options = {"device": device, "dtype": dtype}
        self.weight_ih = Parameter(ops.empty((rows, input_size), **options))
        self.weight_hh = Parameter(ops.empty((rows, hidden_size), **options))
        for name in ("bias_ih", "bias_hh"):
            if bias:
                self.register_parameter(name, Parameter(ops.empty(rows, **options)))
            else:
                self.register_parameter(name, None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw all weights from U(-1/sqrt(hidden_size), 1/sqrt(hidden_size))."""
        bound = 1.0 / math.sqrt(self.hidden_size) if self.hidden_size > 0 else 0
        for weight in self.parameters():
            init.uniform_(weight, -bound, bound)

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}"
        if self.bias is not True:
            text += f", bias={self.bias}"
        if getattr(self, "nonlinearity", "tanh") != "tanh":
            text += f", nonlinearity={self.nonlinearity}"
        return text

    def _step(self, mode: str, input: Any, state: tuple[Any, ...] | None, names: tuple[str, ...]) -> tuple[Any, ...]:
        """One step, on (N, input) or (input,); `names` are what the parts of the state are called in messages."""
        kind = type(self).__name__
        if input.dim() not in (1, 2):
            raise ValueError(f"{kind}: Expected input to be 1D or 2D, got {input.dim()}D instead")
        for name, s in zip(names, state or (), strict=False):
            if s.dim() not in (1, 2):
                raise ValueError(f"{kind}: Expected {name} to be 1D or 2D, got {s.dim()}D instead")
        batched = input.dim() == 2
        x = input if batched else input.unsqueeze(0)
        if state is None:
            zeros = ops.zeros((x.size(0), self.hidden_size), dtype=x.dtype, device=x.device)
            state = (zeros,) * len(names)
        elif not batched:
            state = tuple(s.unsqueeze(0) for s in state)
        self._check(x, state)
        state = recurrent.cell(mode, x, state, self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh)
        return state if batched else tuple(s.squeeze(0) for s in state)

    def _check(self, x: Any, state: tuple[Any, ...]) -> None:
        if x.size(1) != self.input_size:
            raise RuntimeError(f"input has inconsistent input_size: got {x.size(1)} expected {self.input_size}")
        for i, s in enumerate(state):
            if s.size(1) != self.hidden_size:
                raise RuntimeError(
                    f"hidden{i} has inconsistent hidden_size: got {s.size(1)}, expected {self.hidden_size}"
                )
            if s.size(0) != x.size(0):
                raise RuntimeError(f"Input batch size {x.size(0)} doesn't match hidden{i} batch size {s.size(0)}")


class RNNCell(RNNCellBase):
    """One step of an Elman network."""

    __constants__ = ["input_size", "hidden_size", "bias", "nonlinearity"]

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh", device: Any = None,
        dtype: Any = None,
    ) -> None:  # fmt: skip
        super().__init__(input_size, hidden_size, bias, 1, device, dtype)
        self.nonlinearity = nonlinearity

    def forward(self, input: Any, hx: Any = None) -> Any:
        if self.nonlinearity not in ("tanh", "relu"):
            raise RuntimeError(f"Unknown nonlinearity: {self.nonlinearity}")
        mode = f"RNN_{self.nonlinearity.upper()}"
        return self._step(mode, input, None if hx is None else (hx,), ("hidden",))[0]


class LSTMCell(RNNCellBase):
    """One step of long short-term memory; the state is a pair `(h, c)`."""

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 4, device, dtype)

    def forward(self, input: Any, hx: Any = None) -> Any:
        return self._step("LSTM", input, None if hx is None else tuple(hx), ("hx[0]", "hx[1]"))


class GRUCell(RNNCellBase):
    """One step of a gated recurrent unit."""

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, device: Any = None, dtype: Any = None
    ) -> None:
        super().__init__(input_size, hidden_size, bias, 3, device, dtype)

    def forward(self, input: Any, hx: Any = None) -> Any:
        return self._step("GRU", input, None if hx is None else (hx,), ("hidden",))[0]
