"""Views and in-place writes: shared memory, rewritten histories, and PyTorch's refusals."""

from __future__ import annotations

import pytest

import rushlight as rl
from both import both, programs

PROGRAMS = r"""
x = torch.arange(6); y = x.view(2, 3); y[0, 0] = 9; x, y._base is x, x._version, y._version
x = torch.ones(6); y = x.view(2, 3)[1]; y._base is x, y.storage_offset(), y.stride(), y.is_contiguous()
x = torch.ones(2, 3); x.t()._base is x, x.t().is_contiguous(), x.t().contiguous()._base is None, x.contiguous() is x
x = torch.ones(2, 3); y = x.reshape(3, 2); z = x.t().reshape(6); y._base is x, z._base is None, z._base is x
x = torch.ones(2, 3); x.t().view(6)
x = torch.ones(2, 3); x.t().view(-1)
x = torch.ones(2, 3); x.view(4)
x = torch.ones(2, 3); x.view(-1, 4)
x = torch.ones(2, 3); x.view(-1, -1)
x = torch.ones(2, 3); x.reshape(-2, 3)
x = torch.ones(0, 3); x.reshape(-1, 0)
x = torch.ones(2, 3); x.reshape(7)
x = torch.ones(2, 3); x.view((3, 2)), x.view([6]), x.view(torch.Size([6])), x.view(-1)
x = torch.arange(4, dtype=torch.float32); x.view(torch.int32), x.view(torch.int16).shape, x.view(torch.float64).shape
x = torch.ones(3); x.view(torch.float64)
x = torch.tensor(1.0); x.view(torch.int32),
x = torch.tensor(1.0); x.view(torch.int64)
x = torch.arange(4.0); x.view(torch.int32)[0] = 1; x
x = torch.ones(4, 3)[:, :2]; x.is_contiguous(), x.view(4, 2), x.view(2, 2, 2).stride()
x = torch.ones(4, 3)[:, :2]; x.view(8)
x = torch.ones(2, 3, 4, 5); y = x.to(memory_format=torch.channels_last); y.stride(), y.is_contiguous(), y.is_contiguous(memory_format=torch.channels_last), x.is_contiguous(memory_format=torch.channels_last)
x = torch.ones(2, 3, 4, 5).contiguous(memory_format=torch.channels_last); (x + 1).stride(), torch.relu(x).stride(), x.clone().stride(), torch.zeros_like(x).stride(), (x * x).stride(), x.contiguous().stride()
x = torch.ones(2, 3, 4).to(memory_format=torch.channels_last)
x = torch.ones(2, 3); (x.t() + 1).stride(), (x.t() + x.t()).stride(), x.t().clone().stride(), x.t().exp().stride()
x = torch.ones(4, 4)[::2]; (x + 1).stride(), x.clone().stride(), (x[:, ::2] * 2).stride()
x = torch.ones(3).expand(2, 3); (x + 1).stride(), x.clone().stride(), x.contiguous().stride(), x.is_contiguous()
x = torch.ones(2, 3, requires_grad=True); y = x * 2; z = y[0]; z.mul_(3); y.sum().backward(); x.grad, y.grad_fn, z.grad_fn
x = torch.ones(4, requires_grad=True); y = x * 2; v = y[:2]; y.mul_(3); v.grad_fn, v, y
x = torch.ones(4, requires_grad=True); y = x.clone(); v = y[1:]; w = v[1:]; w.mul_(5); y.sum().backward(); x.grad, v.grad_fn, w.grad_fn, y.grad_fn, w._base is y
x = torch.ones(4, requires_grad=True); y = x.clone(); y[1:3] = y[:2] * 2; y.sum().backward(); x.grad, y
x = torch.ones(4, requires_grad=True); y = torch.zeros(4); y[1:3] = x[:2] * 2; y.sum().backward(); x.grad, y.grad_fn
x = torch.ones(4, requires_grad=True); y = torch.zeros(2, 4); y[0].add_(x); y[1].copy_(x * 3); (y * y).sum().backward(); x.grad, y
x = torch.ones(4, requires_grad=True); y = torch.zeros(2, 4); v = y[0]; v.requires_grad, y.mul_(x), v.requires_grad, v.grad_fn
x = torch.ones(4, requires_grad=True); x.add_(1)
x = torch.ones(4, requires_grad=True); x[0] = 1
x = torch.ones(4, requires_grad=True); x[:2].add_(1)
x = torch.ones(4, requires_grad=True); x.view(2, 2).zero_()
x = torch.ones(4, requires_grad=True); x.fill_(2)
x = torch.ones(4, requires_grad=True); x.zero_()
x = torch.ones(4, requires_grad=True); x.copy_(torch.zeros(4))
x = torch.ones(4, requires_grad=True); x.t_()
x = torch.ones(2, 2, requires_grad=True); x.unsqueeze_(0)
x = torch.ones(4, requires_grad=True); x.detach_(); x.requires_grad
x = torch.ones(4, requires_grad=True); y = x * 2; y.detach_(); y.requires_grad, y.grad_fn, y.is_leaf
x = torch.ones(4, requires_grad=True); (x * 2)[:2].detach_()
x = torch.ones(4, requires_grad=True); y = (x * 2).unbind(0); y[0].add_(1)
x = torch.ones(4, requires_grad=True); y = (x * 2).split(2); y[0].add_(1)
x = torch.ones(4, requires_grad=True); y = (x * 2).chunk(2); y[1].mul_(1)
x = torch.ones(4).split(2); x[0].add_(1); x
x = torch.ones(4, requires_grad=True); y = (x * 2).split(2); y[0][:1].add_(1)
x = torch.ones(4, requires_grad=True); y = x * 2; a, b = y.split(2); y.mul_(2); a.sum().backward(); x.grad
x = torch.ones(4, requires_grad=True); y = x.clone(); a, b = y.unbind(0)[:2]; y.mul_(3); a.grad_fn, a
x = torch.ones(3).expand(2, 3); x.add_(1)
x = torch.ones(3).expand(2, 3); x[0] = 1
x = torch.ones(3, requires_grad=True).clone().expand(2, 3); x.mul_(2)
x = torch.ones(1, 3).expand(1, 3); x.add_(1)
g = torch.no_grad(); g.__enter__(); v = (torch.ones(4, requires_grad=True) * 1).view(2, 2); g.__exit__(None, None, None); v.requires_grad, v.grad_fn
x = torch.ones(4, requires_grad=True); torch.set_grad_enabled(False); x.add_(1); torch.set_grad_enabled(True); x, x._version
x = torch.ones(4, requires_grad=True); y = x.exp(); y.add_(1); y.sum().backward()
x = torch.ones(4, requires_grad=True); y = x.sigmoid(); y.mul_(2); y.sum().backward()
x = torch.ones(4, requires_grad=True); y = x * 1; z = y * y; y.add_(1); z.sum().backward()
x = torch.ones(4, requires_grad=True); w = torch.ones(4); z = x * w; w.add_(1); z.sum().backward()
x = torch.ones(4, requires_grad=True); w = torch.ones(4); z = x * w; w[0] = 2; z.sum().backward()
x = torch.ones(4, requires_grad=True); w = torch.ones(4); z = x * w[:]; w.add_(1); z.sum().backward()
x = torch.ones(4, requires_grad=True); w = torch.ones(4); z = x * w.detach(); w.add_(1); z.sum().backward()
x = torch.ones(4, requires_grad=True); w = torch.ones(4); z = x * w.data; w.add_(1); z.sum().backward(); x.grad
x = torch.ones(4, requires_grad=True); w = torch.ones(4); z = x * w; w.data.add_(1); z.sum().backward(); x.grad
x = torch.ones(2, 2, requires_grad=True); y = x @ x; y.add_(1); y.sum().backward(); x.grad
x = torch.ones(2, 2, requires_grad=True); y = x * 1; z = y @ y; y.add_(1); z.sum().backward()
x = torch.ones(4, requires_grad=True); y = torch.relu(x); y.add_(1); y.sum().backward()
x = torch.ones(4, requires_grad=True); y = x * 2; y.relu_(); y.sum().backward(); x.grad, y.grad_fn
x = torch.ones(4, requires_grad=True); y = x * 2; y.exp_().mul_(2); y.sum().backward()
x = torch.ones(4, requires_grad=True); y = x * 2; y.add_(1).mul_(y); y
x = torch.ones(4, requires_grad=True); y = x * 2; y.mul_(y); y.sum().backward(); x.grad
x = torch.ones(4, requires_grad=True); y = x.clone(); y.pow_(3); y.sum().backward(); x.grad, y.grad_fn
x = torch.ones(4, requires_grad=True); y = x.clone(); y.div_(2).sub_(1).sqrt_().neg_(); y.grad_fn
x = torch.ones(4, requires_grad=True); y = x.clone(); y += 1; y -= 2; y *= 3; y /= 2; y **= 2; y.sum().backward(); x.grad
x = torch.ones(4, requires_grad=True); y = x.clone(); y.fill_(3); y.requires_grad, y.grad_fn, y._version
x = torch.ones(4, requires_grad=True); y = x.clone(); y.zero_(); y.sum().backward(); x.grad, y.grad_fn
x = torch.ones(4, requires_grad=True); y = x.clone(); y[1] = 0; y.sum().backward(); x.grad, y.grad_fn
x = torch.ones(4, requires_grad=True); y = x.clone(); y[[1, 2]] = 0; y.sum().backward(); x.grad, y.grad_fn
x = torch.ones(4, requires_grad=True); y = x.clone(); y[torch.tensor([True, False, True, False])] = 5; (y * y).sum().backward(); x.grad, y.grad_fn
x = torch.ones(4, requires_grad=True); y = x.clone(); y[y > 0] = 5; y.sum().backward(); x.grad
x = torch.ones(4, requires_grad=True); y = torch.zeros(4); y[torch.tensor([1, 1])] = x[:2]; y.sum().backward(); y.grad_fn
x = torch.ones(2, requires_grad=True); y = torch.zeros(3, 2); y[:, 0] = x[0]; y[1] = x; y[..., 1] = x.sum(); y.sum().backward(); x.grad, y
x = torch.ones(2, requires_grad=True); y = torch.zeros(3, 2); y[None] = x; y.sum().backward(); x.grad
x = torch.ones(2, requires_grad=True); y = torch.zeros(3, 2); y[[0, 2], 1] = x; (y * 3).sum().backward(); x.grad
x = torch.ones(3, requires_grad=True); y = torch.zeros(3, 3); y.diagonal().copy_(x); (y * y).sum().backward(); x.grad, y
x = torch.ones(3, requires_grad=True); y = torch.zeros(3, 3); y.t()[0].copy_(x); (y * 2).sum().backward(); x.grad, y
x = torch.ones(3, requires_grad=True); y = torch.zeros(3, 3); y.t()[1:][0].mul_(2).add_(x); (y * 2).sum().backward(); x.grad, y, y.grad_fn
x = torch.ones(6, requires_grad=True); y = (x * 1).view(2, 3); y.t().mul_(torch.tensor([[1.0, 2], [3, 4], [5, 6]])); y.sum().backward(); x.grad
x = torch.ones(6, requires_grad=True); y = x.clone(); y.unfold(0, 2, 2).mul_(3); y.sum().backward(); x.grad
x = torch.ones(6, requires_grad=True); y = x.clone(); torch.as_strided(y, (2, 2), (1, 2), 1).mul_(3); y.sum().backward(); x.grad, y
x = torch.arange(6.0, requires_grad=True); y = torch.as_strided(x * 1, (3, 2), (1, 1)); (y * y).sum().backward(); x.grad, y.grad_fn
x = torch.ones(2, 3, requires_grad=True); y = (x * 1).squeeze_(0).unsqueeze_(1).transpose_(0, 1); y.shape, y.grad_fn
x = torch.ones(2, 3); x.t_(); x.shape, x.stride(), x._version
x = torch.ones(2, 3); x.squeeze_(), x.unsqueeze_(0).shape, x.transpose_(0, 1).shape
x = torch.ones(2, 3, requires_grad=True); y = x * 1; y.t_(); y.sum().backward(); x.grad, y.shape
x = torch.arange(6); x.resize_(2, 2), x.resize_(2, 3)
x = torch.ones(2, requires_grad=True); x.resize_(3)
x = torch.ones(2); y = x.set_(torch.zeros(3)); x.shape, y is x
x = torch.zeros(2, 3); y = x[:, 1]; y.data_ptr() - x.data_ptr(), x[1].data_ptr() - x.data_ptr(), x.t().data_ptr() == x.data_ptr(), x.untyped_storage().data_ptr() == x.data_ptr()
x = torch.ones(3, requires_grad=True); y = x.view_as(x); y._base is x, y.is_leaf, y.grad_fn, y._is_view()
x = torch.ones(3, requires_grad=True); y = x.detach(); y._base is x, y._is_view(), y._version; y.add_(1); x._version, x
x = torch.ones(3); y = x.detach(); y.add_(1); x._version, y._version, x
x = torch.ones(3); x.add_(1); x.mul_(2); x[0] = 1; x.zero_(); x._version
x = torch.ones(2, 2); y = x.flatten(); z = x.ravel(); w = x.squeeze(); v = x.unflatten(0, (1, 2)); y._base is x, z._base is x, w._base is x, v._base is x
x = torch.ones(2, 2); y = x.flatten(0, 0); y is x
x = torch.ones(4); x.flatten() is x, x.ravel() is x, x.reshape(4) is x, x.view(4) is x, x.squeeze() is x, x.expand(4) is x, x.reshape(4)._base is x
x = torch.ones(2, 3); x.expand(2, 2)
x = torch.ones(2, 1); x.expand(2, -1).shape, x.expand(3, 2, 4).shape, x.expand(-1, 5).stride()
x = torch.ones(2, 1); x.expand(2)
x = torch.ones(2, 1); x.expand(-1, 2, 3)
x = torch.ones(3, requires_grad=True); y = x.expand(2, 3); y.sum().backward(); x.grad, y.grad_fn
x = torch.ones(2, 3); x.permute(1, 0).stride(), x.permute(-1, 0).shape
x = torch.ones(2, 3); x.permute(0)
x = torch.ones(2, 3); x.permute(0, 0)
x = torch.ones(2, 3); x.permute(0, 2)
x = torch.ones(2, 3); x.transpose(0, 2)
x = torch.ones(2, 3); x.unsqueeze(3)
x = torch.ones(2, 3, 4); x.t()
x = torch.ones(2, 3); x.select(0, 2)
x = torch.ones(2, 3); x.narrow(0, 1, 2)
x = torch.ones(2, 3); x.narrow(0, 3, 1)
x = torch.ones(2, 3); x.squeeze(2)
torch.ones(3).add_(torch.ones(2, 3))
torch.ones(3).add_(torch.ones(2))
torch.ones(3, dtype=torch.int64).add_(1.5)
torch.ones(3, dtype=torch.int64).mul_(torch.ones(3))
torch.ones(3, dtype=torch.int64).div_(2)
torch.ones(3).add_(1j)
torch.ones(3, dtype=torch.bool).add_(1)
torch.ones(3, dtype=torch.int8).add_(1000)
torch.ones(3).copy_(torch.ones(2))
torch.ones(3).copy_(torch.ones(2, 3))
torch.ones(3).copy_(torch.ones(1, 3))
torch.ones(2, 3).copy_(torch.arange(3))
torch.ones(3).copy_([1, 2, 3])
torch.zeros(3, dtype=torch.int64).copy_(torch.tensor([1.7, -1.7, 2]))
torch.zeros(3).copy_(torch.tensor([1j, 2, 3]))
torch.ones(3).fill_(torch.ones(2))
torch.ones(3).fill_(torch.tensor(2))
torch.ones(3, dtype=torch.int64).fill_(2.7)
torch.ones(3, dtype=torch.uint8).fill_(300)
torch.ones(3).fill_(1j)
torch.ones(3).fill_("a")
x = torch.ones(3, requires_grad=True); v = torch.tensor(2.0, requires_grad=True); y = x.clone(); y.fill_(v); y.sum().backward(); x.grad, v.grad, y.grad_fn
x = torch.ones(3); y = torch.ones(3, requires_grad=True); x.copy_(y); x.requires_grad, x.grad_fn
x = torch.ones(3); y = torch.ones(3, requires_grad=True); x.add_(y, alpha=2); x.grad_fn; x.sum().backward(); y.grad
x = torch.ones(3, dtype=torch.float64); y = torch.ones(3, requires_grad=True); x.copy_(y); x.sum().backward(); y.grad
x = torch.ones(3, dtype=torch.float64); y = torch.ones(3, requires_grad=True); (x * y).sum().backward(); y.grad
a, b = torch.ones(2, 3, requires_grad=True).clone(), torch.ones(3, requires_grad=True); a[0].mul_(b); a.sum().backward(); b.grad
x = torch.zeros(3, 3); x[0] += 1; x[:, 1] -= 2; x[1, 1] *= 5; x
x = torch.zeros(3, requires_grad=True).clone(); x[0] += 1; x[1:] *= 2; x.grad_fn, x
torch.swapaxes(torch.ones(2, 3), 0, 1).shape, torch.moveaxis(torch.ones(2, 3, 4), 0, 2).shape, torch.movedim(torch.ones(2, 3, 4), (0, 1), (2, 0)).shape
x = torch.ones(3, requires_grad=True); y = x[:2]; z = x[0]; w = x[[0, 1]]; v = x[None]; u = x[...]; y.grad_fn, z.grad_fn, w.grad_fn, v.grad_fn, u.grad_fn
x = torch.ones(3, 3, requires_grad=True); x[0, 1].grad_fn, x[0, 1:].grad_fn, x[:, 0].grad_fn, x[:, [0]].grad_fn, x[x > 0].grad_fn, x[0][1].grad_fn, x[:].grad_fn, x[None, 0].grad_fn, x[True].grad_fn
with_history = torch.ones(3, requires_grad=True) * 1; s = with_history.sum(); with_history.data.zero_(); s.backward(); with_history
p = torch.ones(4, requires_grad=True); g = torch.no_grad(); g.__enter__(); v = p.view(2, 2); p.add_(1); g.__exit__(None, None, None); v.requires_grad
p = torch.ones(4, requires_grad=True); g = torch.no_grad(); g.__enter__(); v = p.view(2, 2); p.add_(1); g.__exit__(None, None, None); v.grad_fn
p = torch.ones(4, requires_grad=True); g = torch.no_grad(); g.__enter__(); v = p.view(2, 2); g.__exit__(None, None, None); v.requires_grad, v.grad_fn, v.is_leaf
p = torch.ones(4, requires_grad=True); g = torch.no_grad(); g.__enter__(); v = p.view(2, 2); g.__exit__(None, None, None); v.add_(1)
p = torch.ones(4, requires_grad=True) * 1; g = torch.no_grad(); g.__enter__(); v = p.view(2, 2); g.__exit__(None, None, None); v.add_(1)
p = torch.ones(4, requires_grad=True) * 1; g = torch.no_grad(); g.__enter__(); v = p.view(2, 2); g.__exit__(None, None, None); p.add_(1); v.requires_grad
p = torch.ones(4, requires_grad=True) * 1; g = torch.no_grad(); g.__enter__(); v = p.view(2, 2); g.__exit__(None, None, None); p.add_(1); v + 1
p = torch.ones(4); g = torch.no_grad(); g.__enter__(); v = p.view(2, 2); g.__exit__(None, None, None); v.mul_(torch.ones(2, requires_grad=True))
p = torch.ones(4); g = torch.no_grad(); g.__enter__(); v = p.view(2, 2); v.mul_(2); g.__exit__(None, None, None); v
x = torch.ones(4); y = x[:2]; x.requires_grad_(); y.requires_grad, y.is_leaf
x = torch.ones(4); y = x[:2]; y.requires_grad_(); y.requires_grad, y.is_leaf, x.requires_grad; (y * 2).sum().backward(); y.grad
x = torch.ones(4); y = x[:2]; y.requires_grad_(); y.add_(1)
x = torch.ones(4); y = x[:2]; y.requires_grad_(); x.add_(1); y.requires_grad, y
x = torch.ones(4, requires_grad=True); y = x * 1; v = y[:2]; z = v * v; y[3] = 1; z.sum().backward()
x = torch.ones(4, requires_grad=True); y = x * 1; v = y[:2]; z = v * v; v[0] = 1; z.sum().backward()
x = torch.ones(4, requires_grad=True); y = x * 1; z = y * y; v = y[:2]; v[0] = 1; z.sum().backward()
torch.ones(2).untyped_storage().nbytes(), torch.ones(2).untyped_storage().size(), len(torch.ones(2).untyped_storage())
torch.ones(2, requires_grad=True).fill_(2)
torch.fill(torch.ones(2, requires_grad=True), 3).grad_fn, torch.fill(torch.ones(2, requires_grad=True), torch.tensor(3.0)).grad_fn
x = torch.ones(2, 2, requires_grad=True).clone(); x.t_().grad_fn, x.squeeze_().grad_fn, x.unsqueeze_(0).grad_fn, x.transpose_(0, 1).grad_fn
x = torch.ones(2, 2, 1, requires_grad=True); x.squeeze().grad_fn, x.squeeze(2).grad_fn, x.squeeze((2,)).grad_fn, x.transpose(0, 1).grad_fn, x.swapaxes(0, 1).grad_fn, x.flatten().grad_fn, x.reshape(4).grad_fn, x.permute(2, 1, 0).reshape(4).grad_fn, x.mT.grad_fn, x.movedim(0, 1).grad_fn, x.unflatten(0, (1, 2)).grad_fn, x.expand(2, 2, 2).grad_fn, x.diagonal().grad_fn, x.unbind()[0].grad_fn, x.split(1)[0].grad_fn, x.split([1, 1])[0].grad_fn, x.chunk(2)[0].grad_fn, x.narrow(0, 0, 1).grad_fn, x.select(0, 0).grad_fn, x.unfold(0, 1, 1).grad_fn, x.view(4).grad_fn, x.view_as(x).grad_fn, x.contiguous().grad_fn, x.clone().grad_fn, x.double().grad_fn, x.tensor_split(2)[0].grad_fn, x.hsplit(2)[0].grad_fn
"""


@pytest.mark.oracle
@pytest.mark.parametrize("program", programs(PROGRAMS))
def test_views_and_writes_as_in_pytorch(program: str) -> None:
    both(program)


def test_windows_of_a_scalar():
    assert tuple(rl.tensor(3.0).unfold(0, 1, 1).shape) == (1,)
