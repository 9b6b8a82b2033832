"""Promotion, indexing with its gradients, joining and splitting, as in PyTorch."""

from __future__ import annotations

import pytest

from both import both, programs

PROGRAMS = r"""
D = [torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.complex128]; [torch.promote_types(a, b) for a in D for b in D]
D = [torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.complex128]; [(torch.ones(2, dtype=a) * torch.ones(2, dtype=b)).dtype for a in D for b in D]
D = [torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.complex128]; [(torch.ones((), dtype=a) + torch.ones((), dtype=b)).dtype for a in D for b in D]
D = [torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.complex128]; [(torch.ones(2, dtype=a) / torch.ones(2, dtype=b)).dtype for a in D for b in D]
D = [torch.bool, torch.uint8, torch.int64, torch.float16, torch.float32, torch.complex64]; [torch.result_type(torch.ones(2, dtype=a), s) for a in D for s in (True, 1, 1.5, 1j, torch.tensor(1.5), torch.ones(1, dtype=torch.float64))]
D = [torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float16, torch.bfloat16, torch.float32, torch.float64, torch.complex64, torch.complex128]; [torch.can_cast(a, b) for a in D for b in D]
torch.ones(2, dtype=torch.uint16) + torch.ones(2, dtype=torch.int32)
torch.ones(2, dtype=torch.uint16) + torch.ones(2)
torch.ones(2, dtype=torch.uint8) + 300
torch.ones(2, dtype=torch.int8) * 1.5
torch.ones(2, dtype=torch.bool) + True
x = torch.arange(24.0).reshape(2, 3, 4); x[1], x[-1, 2], x[:, 1], x[..., 0], x[None, 1, ..., None].shape, x[1:, ::2, 1:3], x[True].shape, x[False].shape, x[[0, 1], [1, 2]], x[[[0, 1], [1, 0]]].shape
x = torch.arange(24.0).reshape(2, 3, 4); x[torch.tensor([0, 1]), :, torch.tensor([1, 2])], x[:, torch.tensor([0, 2]), 1:3], x[0, torch.tensor([0, 1]), torch.tensor([2, 3])], x[torch.tensor([1]), 0], x[0, :, torch.tensor([1, 2])]
x = torch.arange(24.0).reshape(2, 3, 4); x[x > 5], x[x[:, :, 0] > 3].shape, x[:, torch.tensor([True, False, True])].shape, x[torch.tensor([True, False])].shape, x[0, torch.tensor([True, False, True]), 1]
x = torch.arange(24.0).reshape(2, 3, 4); x[2]
x = torch.arange(24.0).reshape(2, 3, 4); x[0, 0, 0, 0]
x = torch.arange(24.0).reshape(2, 3, 4); x[torch.tensor([2])]
x = torch.arange(24.0).reshape(2, 3, 4); x[torch.tensor([True])]
x = torch.arange(24.0).reshape(2, 3, 4); x[1.5]
x = torch.arange(24.0).reshape(2, 3, 4); x["a"]
x = torch.arange(24.0).reshape(2, 3, 4); x[torch.tensor([1.5])]
x = torch.arange(24.0).reshape(2, 3, 4); x[::-1]
x = torch.arange(24.0).reshape(2, 3, 4); x[[0, 1], [0, 1, 2]]
x = torch.tensor(3.0); x[0]
x = torch.tensor(3.0); x[...], x[None], x[True], x[()]
x = torch.tensor(3.0); x[:]
x = torch.arange(24.0).reshape(2, 3, 4).requires_grad_(); y = x[torch.tensor([0, 0]), :, torch.tensor([1, 2])]; (y * y).sum().backward(); x.grad
x = torch.arange(24.0).reshape(2, 3, 4).requires_grad_(); y = x[:, [0, 0, 1], 1:3]; (y * y).sum().backward(); x.grad
x = torch.arange(24.0).reshape(2, 3, 4).requires_grad_(); y = x[x > 5]; (y * y).sum().backward(); x.grad
x = torch.arange(24.0).reshape(2, 3, 4).requires_grad_(); y = x[1, ::2, None, -1]; (y * y).sum().backward(); x.grad
x = torch.arange(24.0).reshape(2, 3, 4).requires_grad_(); y = x[0, torch.tensor([0, 1]), torch.tensor([2, 3])]; (y * y).sum().backward(); x.grad
x = torch.arange(6.0).requires_grad_(); y = x[torch.tensor([0, 0, 1])]; g, = torch.autograd.grad((y ** 3).sum(), x, create_graph=True); g.sum().backward(); x.grad
x = torch.arange(6.0).requires_grad_(); y = x[1:4]; g, = torch.autograd.grad((y ** 3).sum(), x, create_graph=True); g.sum().backward(); x.grad
x = torch.arange(6.0).requires_grad_(); y = x[2]; g, = torch.autograd.grad(y ** 3, x, create_graph=True); g.sum().backward(); x.grad
x = torch.zeros(3, 4); x[0] = 1; x[:, 1] = torch.arange(3.0); x[1, 2:] = torch.tensor([7, 8]); x[[0, 2], [3, 3]] = torch.tensor([5.0, 6]); x[x == 0] = -1; x
x = torch.zeros(3, 4); x[0] = torch.ones(3)
x = torch.zeros(3, 4); x[[0, 1]] = torch.ones(3)
x = torch.zeros(3, 4); x[[0, 1]] = torch.ones(4, dtype=torch.int64)
x = torch.zeros(3, 4); x[0] = [1, 2, 3, 4]
x = torch.zeros(3, 4); x[0] = np.ones(4)
x = torch.zeros(3, 4); x[5] = 1
x = torch.zeros(3, 4); x[0] = "a"
x = torch.zeros(3, 4, dtype=torch.int64); x[0] = 1.7; x[1] = torch.tensor(2.7); x
x = torch.zeros(3, 4, dtype=torch.uint8); x[0] = 300
x = torch.zeros(3, 4); x[0] = 1j
x = torch.zeros(3, 4); x[0, 0] = torch.ones(1, 1); x[1] = torch.ones(1, 4); x
x = torch.zeros(3, 4); x[True] = 5; x
x = torch.zeros(3); x[torch.tensor([0, 0])] += 1; x
x = torch.zeros(3); x.index_put_((torch.tensor([0, 0, 2]),), torch.tensor([1.0, 2, 3]), accumulate=True)
x = torch.zeros(3); v = torch.ones(2, requires_grad=True); y = x.index_put((torch.tensor([0, 2]),), v * 2); y.sum().backward(); v.grad, y
x = torch.zeros(3, 3, requires_grad=True); v = torch.ones(2, requires_grad=True); y = x.clone(); y[[0, 1], [1, 2]] = v; y[2, 1:] = v * 3; (y * y).sum().backward(); x.grad, v.grad
x = torch.ones(3, requires_grad=True); y = x.clone(); y[0] = y[1] * 2; y[1:] = y[:2] + y[0]; y.sum().backward(); x.grad, y
x = torch.ones(2, 3, requires_grad=True); y = x * 1; y[:, 0], y[0, 1] = 5, 7; y.sum().backward(); x.grad
x = torch.ones(2, 3, requires_grad=True); y = x * 1; a = y[0]; b = a[1:]; b *= 3; c = y.t()[2]; c += 1; y.sum().backward(); x.grad, a.grad_fn, b.grad_fn, c, y
x = torch.arange(12.0).reshape(3, 4); x.take(torch.tensor([0, 5])), x.index_select(1, torch.tensor([0, 2])), x.gather(1, torch.tensor([[0], [1], [2]])), torch.where(x > 5)[0], torch.nonzero(x > 9)
x = torch.ones(2, 3, dtype=torch.float64, requires_grad=True); torch.autograd.gradcheck(lambda x: x[:, [0, 0, 2]] * x[1, None], x), torch.autograd.gradgradcheck(lambda x: x[:, [0, 0, 2]] ** 3, x)
x = torch.ones(2, 3, dtype=torch.complex128, requires_grad=True); y = (x * x.conj()).real.sum(); y.backward(); x.grad
x = torch.tensor([1 + 2j, 3 - 1j], requires_grad=True); y = torch.view_as_real(x); (y ** 2).sum().backward(); x.grad
x = torch.tensor([1 + 2j, 3 - 1j], requires_grad=True); x.abs().sum().backward(); x.grad
x = torch.tensor([1 + 2j, 3 - 1j], requires_grad=True); (x * x).sum().backward()
x = torch.tensor([1 + 2j, 3 - 1j], requires_grad=True); x.real.sum().backward(); x.grad
x = torch.tensor([1 + 2j, 3 - 1j]); x.real.mul_(2); x.imag[0] = 7; x, x.real._base is x
x = torch.tensor([1.0, 2], requires_grad=True); y = torch.complex(x, x * 2); y.abs().sum().backward(); x.grad
x = torch.ones(2, requires_grad=True); y = x.double() * torch.ones(2, dtype=torch.float64); y.sum().backward(); x.grad
x = torch.ones(2, dtype=torch.float16, requires_grad=True); (x * torch.ones(2)).sum().backward(); x.grad
x = torch.ones(2, dtype=torch.bfloat16, requires_grad=True); (x * 2.5).sum().backward(); x.grad
x = torch.ones((), requires_grad=True); y = torch.ones(3); (x * y).sum().backward(); x.grad
x = torch.ones(3, 1, requires_grad=True); y = torch.ones(4, requires_grad=True); (x * y).sum().backward(); x.grad, y.grad
torch.cat([torch.ones(2), torch.ones(2, dtype=torch.int64)]), torch.cat([torch.ones(0), torch.ones(2, 3)]), torch.cat((torch.ones(1, 2), torch.ones(3, 2)), dim=0).shape
torch.cat([torch.ones(2, 2), torch.ones(2, 3)])
torch.cat([])
torch.cat([torch.ones(2), torch.ones(2, 2)])
torch.cat([torch.tensor(1), torch.tensor(2)])
torch.cat([torch.ones(2), 3])
torch.cat(torch.ones(2, 2))
torch.cat([torch.ones(2)], dim=1)
torch.stack([torch.ones(2), torch.ones(3)])
torch.stack([])
torch.stack([torch.ones(2), torch.ones(2)], -1), torch.hstack([torch.ones(2), torch.ones(2)]), torch.vstack([torch.ones(2), torch.ones(2)]), torch.dstack([torch.ones(2), torch.ones(2)]), torch.column_stack([torch.ones(2), torch.ones(2)])
torch.meshgrid(torch.arange(2), torch.arange(3), indexing="xy"), torch.block_diag(torch.ones(2, 2), torch.ones(1)), torch.atleast_2d(torch.tensor(1.0)), torch.broadcast_tensors(torch.ones(3, 1), torch.ones(2))
torch.chunk(torch.arange(5), 3), torch.split(torch.arange(5), 2), torch.split(torch.arange(5), [1, 4]), torch.tensor_split(torch.arange(5), 3), torch.tensor_split(torch.arange(5), [1, 3]), torch.unbind(torch.ones(2, 2))
torch.split(torch.arange(5), [1, 3])
torch.broadcast_shapes((3, 1), (2,)), torch.broadcast_to(torch.ones(2), (3, 2)).shape
torch.broadcast_shapes((3, 2), (4,))
torch.ones(2, 3) + torch.ones(4)
torch.ones(2, 3) @ torch.ones(4)
torch.flatten(torch.ones(2, 3, 4), 1).shape, torch.unflatten(torch.ones(6), 0, (2, -1)).shape, torch.squeeze(torch.ones(1, 2, 1)).shape, torch.squeeze(torch.ones(1, 2, 1), 0).shape, torch.ones(1, 2, 1).squeeze((0, 2)).shape
torch.unflatten(torch.ones(6), 0, (4, -1))
torch.diagonal(torch.arange(9).reshape(3, 3), 1), torch.arange(9).reshape(3, 3).unfold(0, 2, 1), torch.as_strided(torch.arange(9), (2, 2), (3, 1), 1)
torch.as_strided(torch.arange(4), (3, 2), (2, 1))
torch.select_scatter(torch.zeros(2, 3), torch.ones(3), 0, 1), torch.slice_scatter(torch.zeros(4), torch.ones(2), start=1, end=3), torch.diagonal_scatter(torch.zeros(2, 2), torch.ones(2)), torch.as_strided_scatter(torch.zeros(4), torch.ones(2), (2,), (2,))
x = torch.ones(3, requires_grad=True); y = x.clone(); y.resize_(2)
x = torch.ones(2, 3, requires_grad=True); torch.nn.functional.mse_loss(x, torch.zeros(2, 3)).grad_fn, torch.nn.MSELoss()(x, torch.zeros(2, 3)).grad_fn
"""


@pytest.mark.oracle
@pytest.mark.parametrize("program", programs(PROGRAMS))
def test_indexing_and_types_as_in_pytorch(program: str) -> None:
    both(program)
