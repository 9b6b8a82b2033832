"""A recurrent layer as one operator: the loop over time, forward and backward, on arrays.

`gates` holds the projected inputs of all steps; a step adds the product of its hidden state. Backward goes through
time with what the steps kept, and leaves the gradient of the weight to one product over all steps at the end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ... import autograd
from ...backend import kernels as K
from ...ops.declare import primitive
from ...ops.kinds import one_pass


class Step(NamedTuple):
    """What a kind of network does at one time.

    `forward(x, m, h, c)` gives the new `h` and `c` and what backward needs, from the step's input `x` and recurrent
    product `m`. `backward(gh, gc, kept, h, c)` gives the gradients of `x`, `m`, `h` (beside that by way of `m`) and `c`.
    """

    forward: Callable[..., Any]
    backward: Callable[..., Any]


# ---- LSTM ------------------------------------------------------------------------------------------------------------

_cell = one_pass(lambda i, f, n, c: f * c + i * n)
_exposed = one_pass(lambda o, c: o * K.tanh(c))
_cell_slope = one_pass(lambda gc, gh, o, c: gc + gh * o * (1 - K.tanh(c) * K.tanh(c)))
_output_slope = one_pass(lambda gh, o, c: gh * K.tanh(c) * o * (1 - o))
_gate_slope = one_pass(lambda gc, other, s: gc * other * s * (1 - s))
_candidate_slope = one_pass(lambda gc, i, n: gc * i * (1 - n * n))


def _lstm_forward(x: Any, m: Any, h: Any, c: Any) -> Any:
    size = h.shape[1]
    z = K.add(x, m)
    s = K.sigmoid(z)
    i, f, o = s[:, :size], s[:, size : 2 * size], s[:, 3 * size :]
    n = K.tanh(z[:, 2 * size : 3 * size])
    new = _cell(i, f, n, c)
    return _exposed(o, new), new, (i, f, n, o, new)


def _lstm_backward(gh: Any, gc: Any, kept: Any, h: Any, c: Any) -> Any:
    i, f, n, o, new = kept
    size = h.shape[1]
    gc = _cell_slope(gc, gh, o, new)
    gx = np.empty((len(h), 4 * size), h.dtype)
    gx[:, :size] = _gate_slope(gc, n, i)
    gx[:, size : 2 * size] = _gate_slope(gc, c, f)
    gx[:, 2 * size : 3 * size] = _candidate_slope(gc, i, n)
    gx[:, 3 * size :] = _output_slope(gh, o, new)
    return gx, gx, None, K.mul(gc, f)


# ---- GRU ---------------------------------------------------------------------------------------------------------------

_new_gate = one_pass(lambda x, r, m: K.tanh(x + r * m))
_mixed = one_pass(lambda n, z, h: n + z * (h - n))
_new_slope = one_pass(lambda gh, z, n: gh * (1 - z) * (1 - n * n))
_update_slope = one_pass(lambda gh, h, n, z: gh * (h - n) * z * (1 - z))


def _gru_forward(x: Any, m: Any, h: Any, c: Any) -> Any:
    size = h.shape[1]
    s = K.sigmoid(K.add(x[:, : 2 * size], m[:, : 2 * size]))
    r, z, hidden = s[:, :size], s[:, size:], m[:, 2 * size :]
    n = _new_gate(x[:, 2 * size :], r, hidden)
    return _mixed(n, z, h), None, (r, z, n, hidden)


def _gru_backward(gh: Any, gc: Any, kept: Any, h: Any, c: Any) -> Any:
    r, z, n, hidden = kept
    size = h.shape[1]
    gn = _new_slope(gh, z, n)
    gx = np.empty((len(h), 3 * size), h.dtype)
    gx[:, :size] = _gate_slope(gn, hidden, r)
    gx[:, size : 2 * size] = _update_slope(gh, h, n, z)
    gm = gx.copy()
    gx[:, 2 * size :] = gn
    gm[:, 2 * size :] = K.mul(gn, r)
    return gx, gm, K.mul(gh, z), None


# ---- plain ---------------------------------------------------------------------------------------------------------------

_tanh_slope = one_pass(lambda g, out: g * (1 - out * out))


def _tanh_forward(x: Any, m: Any, h: Any, c: Any) -> Any:
    out = K.tanh(K.add(x, m))
    return out, None, out


def _tanh_backward(gh: Any, gc: Any, out: Any, h: Any, c: Any) -> Any:
    gx = _tanh_slope(gh, out)
    return gx, gx, None, None


def _relu_forward(x: Any, m: Any, h: Any, c: Any) -> Any:
    out = K.relu(K.add(x, m))
    return out, None, out


def _relu_backward(gh: Any, gc: Any, out: Any, h: Any, c: Any) -> Any:
    gx = K.where(K.le(out, 0), np.zeros((), out.dtype), gh)
    return gx, gx, None, None


STEPS = {
    "LSTM": Step(_lstm_forward, _lstm_backward),
    "GRU": Step(_gru_forward, _gru_backward),
    "RNN_TANH": Step(_tanh_forward, _tanh_backward),
    "RNN_RELU": Step(_relu_forward, _relu_backward),
}


# ---- through time ----------------------------------------------------------------------------------------------------------


def _times(steps: int, reverse: bool) -> list[int]:
    return list(range(steps))[::-1] if reverse else list(range(steps))


def _forward(gates: Any, h: Any, c: Any, w: Any, b: Any, mode: str, reverse: bool) -> Any:
    step = STEPS[mode].forward
    out = np.empty((*gates.shape[:2], w.shape[1]), gates.dtype)
    kept = []
    for t in _times(len(gates), reverse):
        h, c, saved = step(gates[t], K.linear(h, w, b), h, c)
        out[t] = h
        kept.append((saved, h))  # not its copy in `out`, which is the caller's to overwrite
    return out if c is None else [out, c.copy()], kept


def _backward(g: Any, h: Any, c: Any, w: Any, b: Any, mode: str, reverse: bool, aux: Any, needs: Any) -> Any:
    step = STEPS[mode].backward
    g, gc = g if isinstance(g, (list, tuple)) else (g, None)
    times = _times(len(aux), reverse)
    states = [h, *(new for _, new in aux[:-1])]  # before each step
    gates: Any = None
    products: Any = None
    gh: Any = None
    for position in range(len(times) - 1, -1, -1):
        t = times[position]
        cell = None if c is None else aux[position - 1][0][-1] if position else c
        gh = g[t] if gh is None else K.add(gh, g[t])
        gx, gm, direct, gc = step(gh, gc, aux[position][0], states[position], cell)
        if gates is None:
            gates = np.empty((len(times), *gx.shape), gx.dtype)
            products = gates if gm is gx else np.empty_like(gates)
        gates[t] = gx
        if products is not gates:
            products[t] = gm
        gh = K.matmul(gm, w)
        if direct is not None:
            gh = K.add(gh, direct)
    flat = products.reshape(-1, products.shape[2])
    gw = None
    if needs[3]:
        before = np.stack(states[::-1] if reverse else states)
        gw = K.matmul(flat.T, before.reshape(-1, w.shape[1]))
    gb = K.sum(flat, (0,), False) if b is not None and needs[4] else None
    return gates, gh, gc, gw, gb


def _graph(g: Any, gates: Any, h: Any, c: Any, w: Any, b: Any, mode: str, reverse: bool, needs: Any) -> Any:
    """Gradients that can be differentiated: those of the composition of ordinary operators."""
    from .recurrent import unrolled

    given = [gates, h, c, w, b]
    # A product with 1 makes each input a tensor of its own, so that no gradient comes by way of another input.
    own = [None if x is None else x * 1 for x in given]
    y, state = unrolled(mode, own[0], tuple(s for s in own[1:3] if s is not None), own[3], own[4], reverse)
    outputs, cotangents = ([y, state[1]], list(g)) if c is not None else ([y], [g])
    wanted = [i for i, x in enumerate(own) if x is not None and needs[i]]
    found = autograd.grad(outputs, [own[i] for i in wanted], cotangents, create_graph=True, allow_unused=True)
    grads: list[Any] = [None] * 5
    for i, v in zip(wanted, found, strict=True):
        grads[i] = v
    return tuple(grads)


recurrence = primitive(
    "RecurrenceBackward0", _forward, inputs=("gates", "h", "c", "w", "b"), aux=True, backward=_backward,
    graph_backward=_graph,
)  # fmt: skip
