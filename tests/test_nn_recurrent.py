"""Recurrent networks against PyTorch: all variants, packed sequences, and the tools that pack them."""

from __future__ import annotations

import itertools

import pytest

from nn_oracle import leaf, same, with_gradients

torch = pytest.importorskip("torch")

VARIANTS = [
    {},
    {"num_layers": 2, "bidirectional": True},
    {"batch_first": True, "bias": False},
]


def networks():
    yield from itertools.product(("RNN", "LSTM", "GRU"), VARIANTS)
    yield "RNN", {"nonlinearity": "relu"}
    yield "LSTM", {"proj_size": 2, "num_layers": 2, "bidirectional": True}


def states(T, kind, options, batch):
    count = options.get("num_layers", 1) * (2 if options.get("bidirectional") else 1)
    h = leaf(T, count, batch, options.get("proj_size", 4), seed=8, dtype="float64")
    return (h, leaf(T, count, batch, 4, seed=9, dtype="float64")) if kind == "LSTM" else (h,)


def network(T, kind, options):
    return getattr(T.nn, kind)(3, 4, **options).double()


@pytest.mark.parametrize(("kind", "options"), [*networks()])
def test_network(kind, options):
    def run(T):
        net = network(T, kind, options)
        found = []
        x = leaf(T, 5, 2, 3, dtype="float64")
        batch = 5 if options.get("batch_first") else 2
        for initial in (None, states(T, kind, options, batch)):
            y, last = net(x) if initial is None else net(x, initial if len(initial) > 1 else initial[0])
            last = last if isinstance(last, tuple) else (last,)
            total = y.sum() + sum((s * s).sum() for s in last)
            leaves = [x, *net.parameters(), *(initial or ())]
            found += [y, *last, *T.autograd.grad(total, leaves)]
        return found

    same(run, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize(("kind", "options"), [*networks()])
def test_unbatched(kind, options):
    def run(T):
        net, x = network(T, kind, options), leaf(T, 5, 3, dtype="float64")
        y, last = net(x)
        return [last, *with_gradients(T, y, x)]

    same(run)


@pytest.mark.parametrize(("kind", "options"), [*networks()])
def test_packed(kind, options):
    def run(T):
        rnn = T.nn.utils.rnn
        net, x = network(T, kind, options), leaf(T, 3, 5, 3, dtype="float64")
        found = []
        for lengths, in_order in (([5, 3, 3], True), ([2, 5, 1], False)):
            packed = rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=in_order)
            y, last = net(packed)
            padded, sizes = rnn.pad_packed_sequence(y, batch_first=True)
            initial = states(T, kind, options, 3)
            z, _ = net(packed, initial if len(initial) > 1 else initial[0])
            found += [sizes, last, *with_gradients(T, padded, x, *net.parameters())]
            found += with_gradients(T, z.data, x, *initial)
        return found

    same(run, rtol=1e-7, atol=1e-9)


def test_dropout_between_layers():
    def run(T):
        net = T.nn.LSTM(3, 4, 3, dropout=0.5)
        T.manual_seed(4)
        trained = net(leaf(T, 5, 2, 3))[0]
        return [trained, net.eval()(leaf(T, 5, 2, 3))[0]]

    same(run)
    with pytest.warns(UserWarning, match="non-zero dropout expects num_layers greater than 1"):
        torch.nn.LSTM(3, 4, dropout=0.5)


@pytest.mark.parametrize("kind", ["RNNCell", "LSTMCell", "GRUCell"])
def test_cell(kind):
    def run(T):
        cell = getattr(T.nn, kind)(3, 4).double()
        x, h, c = (leaf(T, 2, n, seed=n, dtype="float64") for n in (3, 4, 4))
        state = (h, c) if kind == "LSTMCell" else h
        found = []
        for _ in range(3):
            state = cell(x, state)
        y = state[0] if isinstance(state, tuple) else state
        found += with_gradients(T, y, x, h, *cell.parameters())
        one = (h[0], c[0]) if kind == "LSTMCell" else h[0]
        return [*found, cell(x), cell(x[0]), cell(x[0], one)]

    same(run)


def test_second_derivative():
    def run(T):
        found = []
        for kind in ("RNN", "LSTM", "GRU"):
            net, x = getattr(T.nn, kind)(2, 3).double(), leaf(T, 4, 2, 2, dtype="float64")
            (g,) = T.autograd.grad(net(x)[0].sum(), x, create_graph=True)
            found += T.autograd.grad((g * g).sum(), [x, net.weight_hh_l0])
        return found

    same(run, rtol=1e-7, atol=1e-9)


REFUSED = [
    lambda T, l: l(T.ones(2)),
    lambda T, l: l(T.ones(4, 5, 3)),
    lambda T, l: l(T.ones(4, 5, 2), (T.ones(1, 4, 3), T.ones(1, 5, 3))),
    lambda T, l: l(T.ones(4, 5, 2), (T.ones(1, 5, 3), T.ones(1, 4, 3))),
    lambda T, l: l(T.ones(4, 5, 2), (T.ones(5, 3), T.ones(5, 3))),
    lambda T, l: l(T.ones(5, 2), (T.ones(1, 1, 3), T.ones(1, 1, 3))),
    lambda T, l: l(T.ones(4, 5, 2).double()),
    lambda T, l: l(T.ones(0, 5, 2)),
    lambda T, l: T.nn.GRU(2, 3)(T.ones(4, 5, 2), T.ones(1, 4, 3)),
    lambda T, l: T.nn.GRU(2, 3)(T.ones(4, 5, 2), T.ones(5, 3)),
    lambda T, l: T.nn.GRU(2, 3)(T.ones(5, 2), T.ones(1, 5, 3)),
    lambda T, l: T.nn.RNNCell(2, 3)(T.ones(2, 2), T.ones(3, 3)),
    lambda T, l: T.nn.RNNCell(2, 3)(T.ones(2, 2), T.ones(2, 5)),
    lambda T, l: T.nn.LSTMCell(2, 3)(T.ones(1, 2), (T.ones(1, 1, 1), T.ones(1, 3))),
    lambda T, l: T.nn.RNNCell(2, 3, nonlinearity="other")(T.ones(1, 2)),
    lambda T, l: T.nn.utils.rnn.pack_padded_sequence(T.ones(3, 2), [1, 2]),
    lambda T, l: T.nn.utils.rnn.pack_padded_sequence(T.ones(3, 2), [2, 0]),
    lambda T, l: T.nn.utils.rnn.pack_padded_sequence(T.ones(3, 2), [3]),
    lambda T, l: T.nn.utils.rnn.pad_sequence([T.ones(1)], padding_side="other"),
]


@pytest.mark.parametrize("number", range(len(REFUSED)))
def test_refused_alike(number):
    assert isinstance(same(lambda T: REFUSED[number](T, T.nn.LSTM(2, 3))), tuple)


def test_packing_tools():
    def run(T):
        rnn = T.nn.utils.rnn
        parts = [leaf(T, n, 2, seed=n) for n in (2, 4, 1)]
        packed = rnn.pack_sequence(parts, enforce_sorted=False)
        padded, lengths = rnn.pad_packed_sequence(packed, padding_value=-1.0, total_length=6)
        found = [*packed, padded, lengths, *rnn.unpack_sequence(packed)]
        found += rnn.unpad_sequence(padded.clone(), lengths)  # PyTorch's transposes its argument in place
        found += [rnn.pad_sequence(parts, padding_value=9.0), rnn.pad_sequence(parts, True, padding_side="left")]
        return [*found, rnn.invert_permutation(T.tensor([2, 0, 1])), str(packed.double().data.dtype)]

    same(run)


def test_parameters_by_layer():
    def run(T):
        net = T.nn.LSTM(2, 3, 2, bidirectional=True, proj_size=1)
        return [[[tuple(w.shape) for w in layer] for layer in net.all_weights], list(net.state_dict())]

    same(run)


def test_outputs_may_be_overwritten_before_backward():
    def run(T):
        found = []
        for kind in ("RNN", "GRU"):  # PyTorch's LSTM, made by oneDNN, refuses
            net, x = getattr(T.nn, kind)(2, 3), leaf(T, 4, 2, 2)
            y, _ = net(x)
            found += with_gradients(T, y.relu_(), x, *net.parameters())
        return found

    same(run)
