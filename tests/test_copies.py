"""Copies and pickles of tensors keep what PyTorch keeps: storage, place, strides, attributes, and no gradient of a Parameter."""

import pytest

from both import both, programs


@pytest.mark.parametrize(
    "program",
    programs("""
    import copy
    p = torch.nn.Parameter(torch.ones(2)); p.grad = torch.ones(2); p.note = 3
    q = copy.deepcopy(p)
    type(q).__name__, q.grad, hasattr(q, "note"), q.requires_grad, q.data_ptr() == p.data_ptr()

    import copy
    net = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))
    net(torch.tensor([[1.0, 2.0], [3.0, 5.0]])).sum().backward()
    [p.grad for p in copy.deepcopy(net).parameters()], [p.grad is None for p in net.parameters()]

    import copy
    x = torch.ones(2, requires_grad=True); x.grad = torch.ones(2); x.note = 1
    y, z = copy.deepcopy(x), copy.copy(x)
    y.grad, y.note, z.grad, z.note, z.data_ptr() == x.data_ptr()

    import pickle
    base = torch.arange(6.0)
    a, b = pickle.loads(pickle.dumps((base, base[2:4])))
    a[2] = -1
    b, b.storage_offset(), b.untyped_storage().nbytes()

    import pickle
    e = pickle.loads(pickle.dumps(torch.tensor([1.0, 2.0]).unsqueeze(1).expand(2, 3)))
    e, e.stride(), e.untyped_storage().nbytes()

    import pickle
    x = torch.ones(1, 2, 3, 4).to(memory_format=torch.channels_last)
    [pickle.loads(pickle.dumps(t)).stride() for t in (x, x.transpose(1, 3), torch.arange(12).view(3, 4).t()[1:])]

    import pickle
    [pickle.loads(pickle.dumps(t)) for t in (torch.empty(0, 3), torch.tensor(3), torch.ones(2).bfloat16(), torch.tensor([1j]))]

    import pickle
    pickle.loads(pickle.dumps(torch.ones(2, requires_grad=True) * 2))

    import pickle
    x = torch.ones(1, requires_grad=True)
    x.register_hook(print)
    pickle.loads(pickle.dumps(x))

    import io
    x = torch.ones(1, requires_grad=True)
    x.register_hook(print)
    torch.save(x, io.BytesIO())

    import copy, io, pickle
    x = torch.max(torch.tensor([[1.0, 3.0]]), 1)
    f = io.BytesIO(); torch.save(x, f); f.seek(0)
    copies = [copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x)), torch.load(f, weights_only=False)]
    [(type(c).__name__, type(c) is type(x), c.values, c.indices) for c in copies]

    import io
    e = torch.tensor([1.0, 2.0]).unsqueeze(1).expand(2, 3)
    f = io.BytesIO(); torch.save(e, f); f.seek(0)
    e = torch.load(f)
    e, e.stride(), e.storage_offset(), e.untyped_storage().nbytes()

    e = torch.arange(3.0).expand(2, 3)[:, 1:]
    e.storage_offset(), e.untyped_storage().nbytes(), e.as_strided((3,), (1,), 0)
    """),
)
def test_copies(program):
    both(program)


@pytest.mark.parametrize(
    "program",
    programs("""
    x = torch.from_numpy(np.zeros(3, np.float32)); x.resize_(10)
    torch.from_numpy(np.zeros(3, np.float32)).resize_(2).shape
    torch.add(torch.ones(3), 1, out=torch.from_numpy(np.zeros(0, np.float32)))
    torch.zeros(2, 4)[:, ::2].view(torch.float64)
    torch.zeros(2, 4).t().view(torch.int16)
    torch.zeros(5)[1:].view(torch.float64)
    torch.zeros(3, 5)[:, :4].view(torch.float64)
    torch.arange(8.0).view(2, 4).view(torch.int16).shape, torch.ones(2).view(torch.complex64)
    rec = np.zeros(3, [("tag", "u1"), ("value", "f4")]); torch.from_numpy(rec["value"])
    rec = np.zeros(3, [("tag", "u1"), ("value", "f4")]); torch.as_tensor(rec["value"])
    rec = np.zeros(3, [("tag", "u1"), ("value", "f4")]); torch.tensor(rec["value"])
    x = torch.zeros(3); x.set_(torch.ones(4).untyped_storage())
    x = torch.zeros(3); x.set_(torch.arange(4.0).untyped_storage(), 1, (2,), (1,)); x, x.storage_offset()
    x = torch.zeros(3); x.set_(torch.arange(4.0), 1, (2,)); x, x.storage_offset()
    torch.zeros(3).set_(torch.arange(4))
    x = torch.zeros(2, requires_grad=True); x.data = torch.zeros(3, dtype=torch.int64)
    torch.zeros(2, requires_grad=True).view(torch.int32)
    torch.zeros(2, requires_grad=True).view(torch.complex64)
    s = torch.arange(6.0)[2:].storage(); s[0] = 9; list(s), len(s), s.nbytes(), type(s).__name__, s.dtype
    s = torch.ones(2).untyped_storage(); len(s), s[3], s.tolist(), s.is_shared(), s.filename, s.resizable()
    """),
)
def test_storages(program):
    both(program)


def test_read_only_memory_is_warned_of():
    both("a = np.zeros(3); a.flags.writeable = False; torch.from_numpy(a)")
    both('torch.frombuffer(b"abcd", dtype=torch.uint8)')
