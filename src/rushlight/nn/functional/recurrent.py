"""Recurrent layers: one big product projects the inputs of all steps, then each step adds its hidden state's part."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ... import dtypes, ops
from ...ops.dropping import dropout as dropout_of
from ...ops.linear import linear
from .recurrence import recurrence

# A step takes the projected input of one time, the state (a tuple of tensors) and the recurrent weights.
Step = Callable[[Any, tuple[Any, ...], Any, Any], tuple[Any, ...]]


def rnn_tanh_step(gates: Any, state: tuple[Any, ...], w: Any, b: Any) -> tuple[Any, ...]:
    """`h' = tanh(gates + w h + b)`."""
    return ((gates + linear(state[0], w, b)).tanh(),)


def rnn_relu_step(gates: Any, state: tuple[Any, ...], w: Any, b: Any) -> tuple[Any, ...]:
    """`h' = relu(gates + w h + b)`."""
    return ((gates + linear(state[0], w, b)).relu(),)


def lstm_step(gates: Any, state: tuple[Any, ...], w: Any, b: Any) -> tuple[Any, ...]:
    """Input, forget, cell and output gate (Hochreiter and Schmidhuber, 1997)."""
    h, c = state
    i, f, candidate, o = (gates + linear(h, w, b)).chunk(4, -1)
    c = f.sigmoid() * c + i.sigmoid() * candidate.tanh()
    return o.sigmoid() * c.tanh(), c


def gru_step(gates: Any, state: tuple[Any, ...], w: Any, b: Any) -> tuple[Any, ...]:
    """Reset and update gate, the reset one applied after the product (Cho et al., 2014)."""
    (h,) = state
    r, z, n = gates.chunk(3, -1)
    hr, hz, hn = linear(h, w, b).chunk(3, -1)
    r, z = (r + hr).sigmoid(), (z + hz).sigmoid()
    n = (n + r * hn).tanh()
    return (n + z * (h - n),)


STEPS: dict[str, Step] = {
    "RNN_TANH": rnn_tanh_step, "RNN_RELU": rnn_relu_step, "LSTM": lstm_step, "GRU": gru_step
}  # fmt: skip


def cell(mode: str, x: Any, state: tuple[Any, ...], w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any) -> tuple[Any, ...]:
    """One step of a recurrent network on `x` (N, input)."""
    return STEPS[mode](linear(x, w_ih, b_ih), state, w_hh, b_hh)


def layer(
    mode: str, x: Any, state: tuple[Any, ...], w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any, w_hr: Any = None,
    reverse: bool = False,
) -> tuple[Any, tuple[Any, ...]]:  # fmt: skip
    """One direction of one layer over (T, N, input): the outputs in order of time, and the last state."""
    gates = linear(x, w_ih, b_ih)
    if w_hr is not None or x.dtype not in (dtypes.float32, dtypes.float64):
        return unrolled(mode, gates, state, w_hh, b_hh, reverse, w_hr)
    last = 0 if reverse else -1
    if len(state) == 1:
        y = recurrence(gates, state[0], None, w_hh, b_hh, mode, reverse)
        return y, (y[last],)
    y, c = recurrence(gates, *state, w_hh, b_hh, mode, reverse)
    return y, (y[last], c)


def unrolled(
    mode: str, gates: Any, state: tuple[Any, ...], w: Any, b: Any, reverse: bool = False, w_hr: Any = None
) -> tuple[Any, tuple[Any, ...]]:
    """`recurrence` as a composition of operators: any dtype, any order of derivative, and a projected state."""
    step = projecting(STEPS[mode], w_hr)
    steps = gates.unbind(0)
    outputs = []
    for g in reversed(steps) if reverse else steps:
        state = step(g, state, w, b)
        outputs.append(state[0])
    return ops.stack(outputs[::-1] if reverse else outputs), state


def projecting(step: Step, w_hr: Any) -> Step:
    """The step with its hidden state projected by `w_hr`, if there is one (Sak et al., 2014)."""
    if w_hr is None:
        return step

    def projected(gates: Any, state: tuple[Any, ...], w: Any, b: Any) -> tuple[Any, ...]:
        h, *rest = step(gates, state, w, b)
        return (linear(h, w_hr), *rest)

    return projected


def packed_layer(
    mode: str, x: Any, sizes: list[int], state: tuple[Any, ...], w_ih: Any, w_hh: Any, b_ih: Any, b_hh: Any,
    w_hr: Any = None, reverse: bool = False,
) -> tuple[Any, tuple[Any, ...]]:  # fmt: skip
    """`layer` over packed sequences: `x` (sum of sizes, input), `sizes[t]` sequences still running at time t."""
    step = projecting(STEPS[mode], w_hr)
    gates = linear(x, w_ih, b_ih).split(sizes)
    if reverse:
        return _backwards(step, gates, sizes, state, w_hh, b_hh)
    outputs, ended, running = [], [], sizes[0]
    state = tuple(s[:running] for s in state)
    for g, n in zip(gates, sizes, strict=True):
        if n < running:  # the shortest sequences, the last rows, have ended
            ended.append(tuple(s[n:running] for s in state))
            state, running = tuple(s[:n] for s in state), n
        state = step(g, state, w_hh, b_hh)
        outputs.append(state[0])
    ended.append(state)
    final = tuple(ops.cat([part[i] for part in reversed(ended)]) for i in range(len(state)))
    return ops.cat(outputs), final


def _backwards(
    step: Step, gates: Any, sizes: list[int], start: tuple[Any, ...], w: Any, b: Any
) -> tuple[Any, tuple[Any, ...]]:
    """From the end of the longest sequence; shorter ones join, with their initial state, at their own ends."""
    running = sizes[-1]
    state = tuple(s[:running] for s in start)
    outputs = []
    for g, n in zip(reversed(gates), reversed(sizes), strict=True):
        if n > running:
            state = tuple(ops.cat([s, first[running:n]]) for s, first in zip(state, start, strict=True))
            running = n
        state = step(g, state, w, b)
        outputs.append(state[0])
    return ops.cat(outputs[::-1]), state


def network(
    mode: str, x: Any, state: tuple[Any, ...], weights: list[tuple[Any, ...]], layers: int, bidirectional: bool,
    dropout: float, training: bool, sizes: list[int] | None = None,
) -> tuple[Any, tuple[Any, ...]]:  # fmt: skip
    """All layers and directions; `weights` has (w_ih, w_hh, b_ih, b_hh, w_hr) of each.

    States are (layers * directions, N, ·), `x` is (T, N, input), or with `sizes` packed. Dropout acts between layers,
    in training.
    """
    directions = 2 if bidirectional else 1
    finals: list[tuple[Any, ...]] = []
    for number in range(layers):
        outputs = []
        for direction in range(directions):
            k = number * directions + direction
            first = tuple(s[k] for s in state)
            if sizes is None:
                y, final = layer(mode, x, first, *weights[k], direction == 1)  # type: ignore[call-arg]
            else:
                y, final = packed_layer(mode, x, sizes, first, *weights[k], direction == 1)  # type: ignore[call-arg]
            outputs.append(y)
            finals.append(final)
        x = outputs[0] if directions == 1 else ops.cat(outputs, -1)
        if dropout and training and number < layers - 1:
            x = dropout_of(x, dropout, True)
    return x, tuple(ops.stack([final[i] for final in finals]) for i in range(len(state)))
