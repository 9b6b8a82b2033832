"""Shared memory, dtypes and in-place operators, as in PyTorch."""

from __future__ import annotations

import pytest

from both import both, programs

PROGRAMS = r"""
x = torch.zeros(2, 3); y = x.clone(memory_format=torch.contiguous_format); y.is_contiguous()
x = torch.zeros(3); y = x[1:]; x.resize_(5); y
x = torch.zeros(4); x.set_(torch.ones(2)); x
x = torch.ones(2, 3); x.untyped_storage().nbytes(), x[1].untyped_storage().nbytes(), x.t().untyped_storage().data_ptr() == x.untyped_storage().data_ptr()
torch.ones(2, 3).is_contiguous(memory_format=torch.channels_last), torch.ones(2, 3, 4, 4).to(memory_format=torch.channels_last).permute(0, 2, 3, 1).is_contiguous()
torch.ones(2, dtype=torch.float32).dtype.is_floating_point, torch.int8.is_signed, torch.uint8.is_signed, torch.complex64.is_complex, torch.float16.itemsize, torch.bool.itemsize, torch.float32.to_complex(), torch.complex64.to_real()
str(torch.float32), repr(torch.int64), torch.float is torch.float32, torch.long is torch.int64, torch.half is torch.float16, torch.double is torch.float64
torch.finfo(torch.float32).eps, torch.finfo(torch.float16).max, torch.iinfo(torch.int8).min, torch.finfo(torch.bfloat16).tiny, torch.finfo().bits
str(torch.finfo(torch.float32)), str(torch.iinfo(torch.int32))
torch.finfo(torch.int8)
torch.iinfo(torch.float32)
torch.device("cpu").type, torch.device("cuda", 1).index, str(torch.device("cuda:0")), repr(torch.device("cpu")), torch.device("cpu") == "cpu"
torch.device("cuda:x")
torch.tensor([1, 2, 3]).to(torch.float32).mean()
torch.tensor([1, 2, 3]).mean()
torch.tensor([True, False]).sum(), torch.tensor([1, 2], dtype=torch.uint8).sum().dtype
torch.tensor([1.0, 2]).numpy().dtype, torch.tensor([1]).numpy().dtype, torch.tensor([True]).numpy().dtype
x = torch.tensor([3.0, 1.0, 2.0]); sorted(x.tolist()), x.max().item(), x.argmax().item(), [int(v) for v in x]
x = torch.ones(3); x[1] = float("nan"); x.isnan(), x != x
x = torch.eye(3); (x == 1).all(), x.any(), x.bool().all(0)
x = torch.ones(2, 2); x.add(1).mul(2).sub(3).div(4)
torch.equal(torch.ones(2), torch.ones(2)), torch.allclose(torch.ones(2), torch.ones(2) + 1e-9), torch.equal(torch.ones(2), torch.ones(3))
import copy; l = copy.deepcopy({"a": torch.ones(2), "b": [torch.zeros(1)]}); l
import pickle; x = torch.ones(2, requires_grad=True); x.grad = torch.ones(2); y = pickle.loads(pickle.dumps(x)); y.grad
import pickle; pickle.loads(pickle.dumps(torch.nn.Parameter(torch.ones(2))))
import copy; p = torch.nn.Parameter(torch.ones(2)); q = copy.deepcopy(p); type(q).__name__, q.requires_grad, q is p
p = torch.nn.Parameter(torch.ones(2)); p.is_leaf, p.requires_grad, isinstance(p, torch.Tensor), type(p * 2).__name__, type(p.data).__name__, type(p.detach()).__name__
x = torch.ones(2); y = np.asarray(x); y[0] = 7; x, y.flags.writeable
a = np.ones((2, 3))[:, ::2]; x = torch.from_numpy(a); x.stride(), x.is_contiguous()
a = np.ones(3, dtype=np.complex128); torch.from_numpy(a).dtype
torch.from_numpy(np.float64(3))
torch.tensor(np.ones(3)[::-1].copy())
torch.tensor(np.ones(3)[::-1])
torch.as_tensor(np.arange(3)[::-1])
torch.ones(2).__array__().dtype, torch.ones(2).__array__(np.float64).dtype
x = torch.ones(3); id(x.data) != id(x), x.data.data_ptr() == x.data_ptr()
x = torch.arange(3); x.apply_(lambda v: v * 2)
x = torch.arange(3.0); x.map_(x, lambda a, b: a + b)
x = torch.arange(4.0); x.index_fill_(0, torch.tensor([0]), 5), x.index_copy_(0, torch.tensor([1]), torch.tensor([7.0])), x.masked_fill_(x > 5, 0), x.index_add_(0, torch.tensor([3]), torch.tensor([1.0])), x.scatter_(0, torch.tensor([2]), 9.0)
x = torch.arange(4.0, requires_grad=True).clone(); x.index_fill_(0, torch.tensor([0]), 5); x.masked_fill_(x > 2, 0); x.sum().grad_fn, x.grad_fn
x = torch.arange(4.0, requires_grad=True); y = x.clone(); y.masked_fill_(y > 2, 0); y.scatter_(0, torch.tensor([1]), 9.0); (y * y).sum().backward(); x.grad
x = torch.arange(4.0, requires_grad=True); y = x.clone(); y[1:3].clamp_(max=1.5); y.sum().backward(); x.grad
x = torch.arange(4.0, requires_grad=True); y = x.clone(); y.clamp_(1, 2).sqrt_().add_(1).mul_(2); y.sum().backward(); x.grad
x = torch.ones(3, requires_grad=True); y = x.clone(); y.normal_(); y.requires_grad, y.grad_fn
x = torch.ones(3); x.uniform_(); x.requires_grad, x._version
x = torch.ones(3, requires_grad=True); x.uniform_()
x = torch.ones(3, 3, requires_grad=True); y = x.clone(); y.fill_diagonal_(0); y.sum().backward(); x.grad
x = torch.ones(3, 3, requires_grad=True); y = x.clone(); y.tril_(); y.sum().backward(); x.grad
x = torch.ones(3, requires_grad=True); y = x.clone(); y.copy_(y.flip(0) * 2); y.sum().backward(); x.grad
x = torch.arange(3.0); x[1:] = x[:-1]; x
x = torch.arange(3.0); x[:-1] = x[1:]; x
x = torch.arange(3.0); x.copy_(x.flip(0)); x
x = torch.arange(4.0).reshape(2, 2); x.copy_(x.t()); x
x = torch.arange(4.0).reshape(2, 2); x += x.t(); x
x = torch.arange(3.0); x[1:].add_(x[:-1]); x
"""


@pytest.mark.oracle
@pytest.mark.parametrize("program", programs(PROGRAMS))
def test_memory_as_in_pytorch(program: str) -> None:
    both(program)
