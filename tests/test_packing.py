"""Packing sequences beside PyTorch: lengths of every kind, orders, refusals; samplers longer than memory."""

from __future__ import annotations

import itertools
import pickle
import tracemalloc

import pytest

import rushlight
from both import both, programs

LENGTHS = """
[2, 4, 1]
(2, 4, 1)
np.array([2, 4, 1])
np.array([2.0, 4.0, 1.0])
torch.tensor([2.9, 3.5, 1.2])
[2.0, 4.0, 1.0]
torch.tensor([2, 4, 1], dtype=torch.int32)
torch.tensor([True, True, True])
torch.tensor([4, 2, 1]).half()
torch.tensor([4.0, 2.0, 1.0])
[2, 5, 1]
[6, 2, 1]
[2, 0, 1]
[2, 1, 0]
[2, -1, 1]
[4, 2, 1]
[3, 3, 3]
[2, 4]
[4, 3, 2, 1]
[torch.tensor(4), torch.tensor(2), torch.tensor(1)]
torch.tensor([float("nan"), 2, 1])
torch.tensor([float("inf"), 2, 1])
torch.tensor(3)
range(3, 0, -1)
"""


@pytest.mark.parametrize("ordered", [True, False])
@pytest.mark.parametrize("lengths", programs(LENGTHS))
def test_lengths(lengths: str, ordered: bool) -> None:
    both(f"""
        x = torch.arange(24.0).reshape(3, 4, 2)
        lengths = {lengths}
        packed = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, True, {ordered})
        [tuple(packed), packed.data.stride()]
    """)


PROGRAMS = """
rnn.pack_padded_sequence(torch.zeros(0, 4, 2), [], True)
rnn.pack_padded_sequence(torch.zeros(3, 0, 2), [1, 1, 1], True)
rnn.pack_padded_sequence(torch.zeros(3, 4, 0), [1, 1, 1], True, False)
rnn.pack_padded_sequence([1, 2], [2, 1], True)
rnn.pad_packed_sequence(rnn.pack_sequence([torch.ones(2), torch.ones(1)]), True, -1.0, 4)
rnn.pad_packed_sequence(rnn.pack_sequence([torch.ones(2), torch.ones(1)]), True, 0.0, 1)
rnn.pad_packed_sequence(rnn.pack_sequence([torch.ones(2), torch.ones(1)]), True, 0.0, 4.5)
rnn.pad_sequence([torch.ones(3).long(), torch.full((2,), 1.5)], True)
rnn.pad_sequence([torch.full((2,), 1.5), torch.ones(3).long()], True, -1, "left")
rnn.pad_sequence([torch.ones(2, 2), torch.ones(3, 3)], True)
rnn.pad_sequence([torch.tensor(1.0), torch.tensor(2.0)], True)
rnn.pad_sequence([torch.ones(2, 2), torch.ones(3)], True)
rnn.pad_sequence([[1, 2], [3]])
rnn.unpad_sequence(torch.arange(24.0).reshape(3, 4, 2), torch.tensor([2, 4, 1]), True)
rnn.unpad_sequence(torch.arange(24.0).reshape(3, 4, 2), torch.tensor([2.0, 4.0, 1.0]), True)
rnn.unpad_sequence(torch.arange(24.0).reshape(3, 4, 2), torch.tensor([2, 3]), True)
rnn.unpad_sequence(torch.arange(24.0).reshape(3, 4, 2), [2, 4, 1], True)
rnn.PackedSequence(torch.ones(3))
x = torch.tensor([1.0, 1.0, 2.0], requires_grad=True); torch.autograd.grad(x.median(), x)
x = torch.tensor([1.0, float("nan"), 1.0, 0.0], requires_grad=True); torch.autograd.grad(x.nanmedian(), x)
x = torch.tensor([1.0, float("nan"), 1.0], requires_grad=True); torch.autograd.grad(x.median(), x)
torch.searchsorted(torch.tensor([3, 1, 2]), torch.tensor([2]), sorter=torch.tensor([1, 2, 7]))
torch.searchsorted(torch.tensor([3, 1, 2]), torch.tensor([2]), sorter=torch.tensor([1, 2, -1]))
torch.nn.functional.batch_norm(torch.ones(2, 3), None, None)
torch.nn.RNN(2, 3)(torch.zeros(1, 2, 3, 2))
torch.nn.GRU(2, 3)(torch.zeros(1, 2, 3, 2))
list(torch.utils.data.RandomSampler(range(3), num_samples=True))
list(torch.utils.data.WeightedRandomSampler([], 3))
list(itertools.islice(torch.utils.data.RandomSampler(range(9), True, 10**10, torch.Generator().manual_seed(3)), 70))
list(torch.utils.data.RandomSampler(range(9), True, 64)), torch.rand(2)
"""


@pytest.mark.parametrize("program", programs(PROGRAMS))
def test_edges(program: str) -> None:
    both(f"import itertools\nrnn = torch.nn.utils.rnn\n{program}")


def test_samplers_take_no_memory_for_their_length() -> None:
    sampler = rushlight.utils.data.RandomSampler(range(10**12), replacement=True, num_samples=10**13)
    batches = rushlight.utils.data.BatchSampler(sampler, 4, drop_last=False)
    assert len(batches) == 10**13 // 4
    tracemalloc.start()
    try:
        assert len(list(itertools.islice(batches, 20))) == 20
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_lengths_beyond_memory_are_refused() -> None:
    with pytest.raises(RuntimeError, match="can't allocate memory"):
        rushlight.nn.utils.rnn.pack_padded_sequence(rushlight.ones(1, 2), [2**50], True)


def test_padding_is_removed_without_turning_the_callers_tensor() -> None:
    x = rushlight.zeros(4, 3, 2)
    rushlight.nn.utils.rnn.unpad_sequence(x, rushlight.tensor([2, 4, 1]))
    assert x.shape == (4, 3, 2)


def test_unpickled_integers_stay_integers() -> None:
    big = rushlight.tensor([2**60 + 1, 2**60])
    copy = pickle.loads(pickle.dumps(big))
    assert copy.tolist() == [2**60 + 1, 2**60]
    assert copy.sort()[0].tolist() == [2**60, 2**60 + 1]
