"""Parts of the system that programs lean on: a Function of one's own, hooks, saving, double gradients, indexing."""

import collections
import copy
import io

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.autograd import Function
from torch.nn.parameter import Parameter


class Cube(Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x * x * x

    @staticmethod
    def backward(ctx, grad):
        (x,) = ctx.saved_tensors
        return grad * 3 * x * x


torch.manual_seed(2)
x = torch.randn(4, requires_grad=True)
y = Cube.apply(x)
(first,) = torch.autograd.grad(y.sum(), x, create_graph=True)
(second,) = torch.autograd.grad(first.sum(), x)
print(y)
print(first.detach(), second)


class Gate(nn.Module):
    def __init__(self):
        super().__init__()
        self.strength = Parameter(torch.tensor(0.5))

    def forward(self, x):
        return x * torch.sigmoid(self.strength)


net = nn.Sequential(
    collections.OrderedDict(
        conv=nn.Conv2d(3, 4, 3, padding=1, groups=1),
        norm=nn.GroupNorm(2, 4),
        gate=Gate(),
        pool=nn.AdaptiveAvgPool2d(2),
        flat=nn.Flatten(),
        out=nn.Linear(16, 3),
    )
)
seen = {}
handles = [
    module.register_forward_hook(lambda m, i, o, name=name: seen.__setitem__(name, (tuple(o.shape), o.detach().norm())))
    for name, module in net.named_children()
]
handles.append(net.conv.register_full_backward_hook(lambda m, gi, go: print("backward", go[0].shape)))
picture = torch.rand(2, 3, 6, 6, requires_grad=True)
out = net(picture)
out.square().mean().backward()
for name, (shape, norm) in seen.items():
    print(f"{name:5} {shape} {norm:.4f}")
for handle in handles:
    handle.remove()
print({name: f"{p.grad.norm():.4f}" for name, p in net.named_parameters()})

file = io.BytesIO()
optimizer = torch.optim.SGD(
    [{"params": net.conv.parameters(), "lr": 0.01}, {"params": net.out.parameters()}], lr=0.1, momentum=0.9
)
optimizer.step()
torch.save({"net": net.state_dict(), "optimizer": optimizer.state_dict(), "step": 1}, file)
file.seek(0)
loaded = torch.load(file, map_location="cpu", weights_only=True)
twin = copy.deepcopy(net)
for p in twin.parameters():
    nn.init.zeros_(p)
print(twin.load_state_dict(loaded["net"]), torch.equal(twin(picture), net(picture)))
print([g["lr"] for g in loaded["optimizer"]["param_groups"]], len(loaded["optimizer"]["state"]))
try:
    twin.load_state_dict({"conv.weight": torch.zeros(1)})
except RuntimeError as error:
    print(error)
try:
    torch.ones(2, 3) @ torch.ones(2, 3)
except RuntimeError as error:
    print(error)

for p in net.conv.parameters():
    p.requires_grad = False
net.zero_grad()
F.cross_entropy(net(picture), torch.tensor([0, 2])).backward()
print([name for name, p in net.named_parameters() if p.grad is not None])

table = torch.arange(24, dtype=torch.float32).view(2, 3, 4)
table[:, 1] = -1
table[table > 20] *= 0.5
print(table)
print(table[[1, 0], :, torch.tensor([0, 3])], table[..., None].shape, table.permute(2, 0, 1).stride())
print(torch.einsum("ijk,ij->k", table, table[..., 0]), table[0, 2].topk(2).indices)
print(torch.where(table > 0, table, torch.zeros(())).sum(), table.std(dim=(1, 2)), table.argmax())
print(torch.cat([table[0], table[1]], 1).unfold(1, 4, 2).mean(-1), torch.tensor([True, False]) | torch.tensor(False))
print(torch.tensor([1, 2]) / 2, torch.tensor([5, -5]) // 2, torch.tensor([1], dtype=torch.uint8) + 1.5)
