"""What a tensor is to Python and to NumPy: attributes, protocols, copies, pickles."""

from __future__ import annotations

import pytest

from both import both, programs

PROGRAMS = r"""
len(torch.ones(3, 2))
len(torch.tensor(1))
list(torch.arange(3))
list(torch.ones(2, 2))
iter(torch.tensor(1))
[x for x in torch.ones(2, requires_grad=True)]
bool(torch.tensor(1)), bool(torch.tensor([0.0]))
bool(torch.ones(2))
bool(torch.ones(0))
bool(torch.tensor(float("nan")))
int(torch.tensor(3.7)), float(torch.tensor(3)), complex(torch.tensor(2.0))
int(torch.ones(2))
int(torch.ones(0))
int(torch.tensor(float("nan")))
int(torch.tensor(float("inf")))
float(torch.tensor(1j))
int(torch.tensor(1 + 2j))
float(torch.tensor(1 + 0j))
[1, 2, 3][torch.tensor(1)]
[1, 2, 3][torch.tensor([1])]
[1, 2, 3][torch.tensor(1.0)]
[1, 2, 3][torch.tensor(True)]
range(torch.tensor(3))
"ab" * torch.tensor(2)
1 in torch.arange(3)
5 in torch.arange(3)
torch.tensor(1) in torch.arange(3)
"a" in torch.arange(3)
[1] in torch.arange(3)
None in torch.arange(3)
x = torch.ones(2); hash(x) == hash(x), x in {x: 1}
f"{torch.tensor(3.14159):.2f}"
f"{torch.tensor(3):d}"
f"{torch.tensor(3)}"
f"{torch.tensor([1.5])}"
f"{torch.tensor([1.5]):.2f}"
f"{torch.tensor(1.5, requires_grad=True):.3f}"
f"{torch.tensor(1.5, requires_grad=True)}"
"%d" % torch.tensor(3)
"%.2f" % torch.tensor(3.14159)
str(torch.tensor(1.5, requires_grad=True))
torch.tensor(1.5).item(), torch.tensor(3).item(), torch.tensor(True).item(), torch.tensor(1j).item()
torch.tensor([1.5]).item()
torch.ones(2).item()
torch.ones(0).item()
torch.tensor(1.5, dtype=torch.bfloat16).item()
torch.tensor(1.1, dtype=torch.float16).item()
torch.tensor([[1, 2], [3, 4]]).tolist()
torch.tensor(3).tolist()
torch.tensor([1.5], dtype=torch.bfloat16).tolist()
torch.tensor([1.5]).numpy()
torch.tensor([1.5], requires_grad=True).numpy()
torch.tensor([1.5], requires_grad=True).numpy(force=True)
torch.tensor([1.5], dtype=torch.bfloat16).numpy()
np.array(torch.ones(2))
np.asarray(torch.ones(2))
x = torch.ones(2); a = np.asarray(x); x[0] = 5; a
x = torch.ones(2); a = np.array(x); x[0] = 5; a
np.array(torch.ones(2), dtype=np.float64)
np.array(torch.ones(2, requires_grad=True))
np.add(torch.ones(2), 1)
np.add(np.ones(2), torch.ones(2))
np.sin(torch.zeros(2))
np.ones(2) * torch.ones(2)
np.ones(2, np.float32) + torch.ones(2)
np.ones(2) + torch.ones(2, requires_grad=True)
torch.ones(2) * np.ones(2)
torch.ones(2) + np.ones(2, np.float32)
torch.ones(2) + np.float32(1)
torch.ones(2) * np.float64(2)
torch.ones(2, dtype=torch.int64) * np.float64(2)
torch.ones(2, dtype=torch.int64) * np.int32(2)
np.float64(2) * torch.ones(2)
np.float32(2) * torch.ones(2)
np.int64(2) * torch.ones(2)
np.float64(2) + torch.tensor(1)
np.ones(2) == torch.ones(2)
torch.ones(2) == np.ones(2)
np.ones(2) < torch.ones(2)
np.ones(2) @ torch.ones(2, dtype=torch.float64)
torch.ones(2) @ np.ones(2)
np.isfinite(torch.ones(2))
np.testing.assert_allclose(torch.ones(2), np.ones(2))
np.concatenate([torch.ones(2), torch.zeros(1)])
np.stack([torch.ones(2), torch.zeros(2)])
np.maximum(torch.ones(2), np.zeros(2, np.float32))
np.array([torch.tensor(1.0), torch.tensor(2.0)])
a = np.zeros(2); a[:] = torch.ones(2); a
a = np.zeros(3); a[torch.tensor([0, 2])] = 1; a
np.arange(3)[torch.tensor(1)]
np.arange(3)[torch.tensor([True, False, True])]
np.linspace(0, 1, torch.tensor(3))
a = np.ones(2, np.float32); a += torch.ones(2); a
x = torch.ones(2); x += np.ones(2, np.float32); x
x = torch.ones(2); x += np.ones(2); x
torch.ones(2) + "a"
torch.ones(2) + None
torch.ones(2) + [1, 2]
[1, 2] + torch.ones(2)
torch.ones(2) == "a"
torch.ones(2) == None
torch.ones(2) != None
torch.ones(2) < None
torch.ones(2) == [1, 1]
None == torch.ones(2)
torch.ones(2) - True
torch.tensor(True) - torch.tensor(True)
torch.tensor([True]) + torch.tensor([True])
-torch.tensor([True])
~torch.tensor([1.0])
~torch.tensor([True, False]), ~torch.tensor([1])
torch.ones(2) & torch.ones(2)
torch.tensor([3]) & 1, torch.tensor([3]) | 4, torch.tensor([3]) ^ 1, torch.tensor([3]) << 1, torch.tensor([3]) >> 1
1 << torch.tensor([3]), 1 & torch.tensor([3]), 1 | torch.tensor([2]), 1 ^ torch.tensor([3])
divmod(torch.tensor([5.0]), 2)
torch.tensor([5]) // 2, torch.tensor([-5]) // 2, torch.tensor([-5]) % 3, torch.tensor([5]) / 2, 5 // torch.tensor([2]), 5 % torch.tensor([3]), 5 / torch.tensor([2])
torch.tensor([5]) // 0
torch.tensor([5]) % 0
torch.tensor([5]) / 0
2 ** torch.tensor([3]), torch.tensor([2]) ** 3, torch.tensor([2]) ** -1
torch.tensor([2.0]) ** -1, pow(torch.tensor([2.0]), 2)
abs(torch.tensor([-2])), +torch.tensor([2]), round(torch.tensor([2.567]), 1)
round(torch.tensor(2.5))
import math; math.floor(torch.tensor(2.5)), math.sqrt(torch.tensor(4.0))
import math; math.ceil(torch.tensor(2.5)), math.trunc(torch.tensor(2.5))
reversed(torch.arange(3))
max(torch.tensor([1, 3, 2])), sum(torch.tensor([1.0, 2])), sorted(torch.tensor([2, 1]))
torch.arange(3).__index__()
torch.tensor(2).__index__()
a, b = torch.ones(2); a
x = torch.ones(2, 3); x.shape, x.size(), x.size(0), x.size(-1), x.ndim, x.dim(), x.numel(), x.nelement(), x.element_size(), x.itemsize, x.nbytes
torch.ones(2, 3).size(2)
torch.ones(2, 3).size(-3)
torch.tensor(1).size(0)
x = torch.ones(2); x.device, x.dtype, x.layout, x.is_cuda, x.is_sparse, x.is_quantized, x.is_meta, x.requires_grad, x.is_leaf, x.grad, x.grad_fn, x.output_nr, x.names, x.is_cpu
x = torch.ones(2); x.get_device(), x.type(), x.is_contiguous(), x.is_pinned(), x.is_shared(), x.is_signed(), x.is_floating_point(), x.is_complex(), x.is_conj(), x.is_neg(), x.is_inference()
torch.ones(2).type(torch.float64)
torch.ones(2).type("torch.LongTensor")
torch.ones(2).type(torch.LongTensor)
torch.ones(2).type("foo")
torch.ones(2).stride(), torch.ones(2, 3).stride(), torch.ones(2, 3).t().stride(1), torch.tensor(1).stride()
torch.ones(2, 3).stride(5)
torch.ones(2, 3).T, torch.ones(2, 3).mT.shape, torch.ones(2, 3).H.shape
torch.ones(2, 3, 4).T.shape
torch.ones(3).mT
torch.Size([2, 3]), torch.Size((2, 3)) == (2, 3), torch.Size([2, 3]).numel(), torch.Size([2, 3])[0], torch.Size([2, 3])[:1], torch.Size([2]) + (3,), torch.Size([2]) * 2, (1,) + torch.Size([2])
isinstance(torch.Size([2]) + (3,), torch.Size), isinstance((3,) + torch.Size([2]), torch.Size), isinstance(torch.Size([1]) * 2, torch.Size), isinstance(2 * torch.Size([1]), torch.Size)
torch.Size([2.5])
torch.Size(3)
torch.Size()
repr(torch.Size([])), repr(torch.Size([1])), str(torch.Size([1, 2]))
torch.Size([2]) + [3]
hash(torch.Size([2, 3])) == hash((2, 3))
torch.Size([2, 3]).index(3), torch.Size([2, 2]).count(2), len(torch.Size([2, 3])), list(torch.Size([2, 3]))
torch.Size(torch.tensor([2, 3]))
torch.Size([torch.tensor(2), 3])
import pickle; pickle.loads(pickle.dumps(torch.Size([2, 3])))
import pickle; pickle.loads(pickle.dumps(torch.ones(2, requires_grad=True)))
import pickle; pickle.loads(pickle.dumps(torch.ones(2, dtype=torch.bfloat16)))
import pickle; pickle.loads(pickle.dumps(torch.ones(2, 3).t())).stride()
import pickle; pickle.dumps(torch.ones(2, requires_grad=True) * 2) is not None
import pickle; a, b = pickle.loads(pickle.dumps([torch.ones(2)] * 2)); a is b
import pickle; x = torch.zeros(4); a, b = pickle.loads(pickle.dumps([x, x[1:]])); a[1] = 7; b
import copy; x = torch.ones(2, requires_grad=True); y = copy.deepcopy(x); y.requires_grad, y is x, y
import copy; copy.deepcopy(torch.ones(2, requires_grad=True) * 2)
import copy; x = torch.zeros(4); a, b = copy.deepcopy([x, x[1:]]); a[1] = 7; b
import copy; x = torch.zeros(4, 3); a, b = copy.deepcopy([x.t(), x[1:, ::2]]); a[2, 1] = 7; b, a.stride(), b.stride()
import copy; x = torch.ones(2, requires_grad=True); x.grad = torch.ones(2); y = copy.deepcopy(x); y.grad, y.grad is x.grad
import copy; x = torch.ones(2); x.foo = 3; copy.deepcopy(x).foo
import copy; x = torch.ones(2); y = copy.copy(x); y[0] = 5; x
import copy; x = torch.ones(2, requires_grad=True); y = copy.copy(x); y.requires_grad, y is x
import copy; x = torch.ones(6)[::2]; y = copy.deepcopy(x); y.stride(), y.is_contiguous()
import copy; x = torch.ones(2, dtype=torch.bfloat16); copy.deepcopy(x)
import copy; x = torch.tensor(3); copy.deepcopy(x)
import copy; x = torch.ones(0, 3); copy.deepcopy(x)
import copy; x = torch.ones(3).expand(2, 3); copy.deepcopy(x).stride()
torch.from_dlpack(np.arange(3))
a = np.arange(3.0); x = torch.from_dlpack(a); x[0] = 7; a
np.from_dlpack(torch.arange(3))
torch.from_dlpack(torch.arange(3))
np.from_dlpack(torch.ones(2, requires_grad=True))
torch.ones(2).__array_priority__
memoryview(torch.ones(2).numpy()).nbytes
x = torch.ones(2); x.foo = 1; x.foo
torch.ones(2).foo
x = torch.ones(2); x.data = torch.zeros(3); x
x = torch.ones(2); x.data = 3
x = torch.ones(2); x.data = torch.zeros(2, dtype=torch.int64); x
x = torch.ones(2, requires_grad=True); x.data[0] = 5; x, x._version
x = torch.ones(2, requires_grad=True); x.grad = torch.ones(3)
x = torch.ones(2, requires_grad=True); x.grad = torch.ones(2, dtype=torch.float64)
x = torch.ones(2, requires_grad=True); x.grad = 3
x = torch.ones(2, requires_grad=True); x.grad = x
x = torch.ones(2, requires_grad=True); x.grad = torch.ones(2); x.grad = None; x.grad
x = torch.ones(2); x.grad = torch.ones(2); x.grad
x = torch.ones(2); x.requires_grad = True; x.requires_grad
x = torch.ones(2, dtype=torch.int64); x.requires_grad = True
x = torch.ones(2, dtype=torch.int64); x.requires_grad_()
(torch.ones(2, requires_grad=True) * 2).requires_grad_(False)
(torch.ones(2, requires_grad=True) * 2).requires_grad_()
(torch.ones(2, requires_grad=True) * 2).requires_grad = False
(torch.ones(2, requires_grad=True) * 2).grad
torch.ones(2).backward()
torch.ones(2, requires_grad=True).sum().backward(torch.ones(2))
(torch.ones(2, requires_grad=True) * 2).backward()
(torch.ones(2, requires_grad=True) * 2).backward(3)
(torch.ones(2, requires_grad=True) * 2).backward(torch.ones(3))
(torch.ones(2, requires_grad=True) * 2).backward(torch.ones(2, dtype=torch.float64))
(torch.ones(2, requires_grad=True) * 2).backward(torch.ones(2) * 1j)
x = torch.ones(2, requires_grad=True); y = (x * 2).sum(); y.backward(); y.backward()
x = torch.ones(2, requires_grad=True); y = (x * x).sum(); y.backward(); y.backward()
x = torch.ones(2, requires_grad=True); y = (x * x).sum(); y.backward(retain_graph=True); y.backward(); x.grad
torch.ones(2).is_same_size(torch.ones(2)), torch.ones(2).is_set_to(torch.ones(2))
torch.ones(2).to(torch.float64), torch.ones(2).to("cpu"), torch.ones(2).to(torch.ones(1, dtype=torch.int64))
x = torch.ones(2); x.to(torch.float32) is x, x.to("cpu") is x, x.to(torch.float32, copy=True) is x, x.float() is x, x.cpu() is x, x.contiguous() is x, x.detach() is x, x.type_as(x) is x
torch.ones(2).to("foo")
torch.ones(2).to(dtype=3)
torch.ones(2).to([1])
torch.ones(2, requires_grad=True).double()
torch.ones(2, requires_grad=True).long()
torch.tensor([1j]).float()
torch.tensor([1.5, float("nan"), 3e9]).double().bool()
torch.tensor([-1.5, 2.7]).int(), torch.tensor([-1.5, 2.7]).byte(), torch.tensor([300.0]).byte(), torch.tensor([300]).char(), torch.tensor([2.0]).half(), torch.tensor([2]).bfloat16(), torch.tensor([1]).cfloat(), torch.tensor([1]).short(), torch.tensor([1]).cdouble()
"""


@pytest.mark.oracle
@pytest.mark.parametrize("program", programs(PROGRAMS))
def test_tensors_behave_as_in_pytorch(program: str) -> None:
    both(program)
