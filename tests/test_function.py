"""autograd.Function, the grad modes, gradcheck and anomaly mode, as in PyTorch."""

from __future__ import annotations

import pytest

from both import both, programs

PROGRAMS = r"""
class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, k):
        ctx.save_for_backward(x); ctx.k = k
        return x * k
    @staticmethod
    def backward(ctx, g):
        x, = ctx.saved_tensors
        return g * ctx.k, None
x = torch.ones(3, requires_grad=True); y = F.apply(x, 2); y.sum().backward(); x.grad, y, y.grad_fn.next_functions, y.grad_fn.name(), y.grad_fn.needs_input_grad, y.grad_fn.k

class F(torch.autograd.Function):
    @staticmethod
    def forward(x, k):
        return x * k
    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.k = inputs[1]; ctx.save_for_backward(output)
    @staticmethod
    def backward(ctx, g):
        return g * ctx.k + ctx.saved_tensors[0], None
x = torch.ones(3, requires_grad=True); y = F.apply(x, 2); y.sum().backward(); x.grad, y

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.mark_dirty(x); return x.mul_(2)
    @staticmethod
    def backward(ctx, g):
        return g * 2
x = torch.ones(3, requires_grad=True); y = x * 1; z = F.apply(y); z.sum().backward(); x.grad, z is y, y, y._version

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.mark_dirty(x); return x.mul_(2)
    @staticmethod
    def backward(ctx, g):
        return g * 2
x = torch.ones(3, requires_grad=True); F.apply(x)

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.mark_dirty(x); return x.mul_(2)
    @staticmethod
    def backward(ctx, g):
        return g * 2
x = torch.ones(4, requires_grad=True); y = x * 1; F.apply(y[:2]); y.sum().backward(); x.grad, y

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        i = x.argmax(); v = x.max(); ctx.mark_non_differentiable(i); ctx.save_for_backward(x, i); return v, i
    @staticmethod
    def backward(ctx, g, gi):
        x, i = ctx.saved_tensors; out = torch.zeros_like(x); out[i] = g; return out
x = torch.tensor([1.0, 3, 2], requires_grad=True); v, i = F.apply(x); v.backward(); x.grad, v, i

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        y = x * 2; ctx.mark_non_differentiable(y); return x * 1, y
    @staticmethod
    def backward(ctx, g, h):
        return g + h
x = torch.ones(3, requires_grad=True); a, b = F.apply(x); a.sum().backward(); x.grad, a, b

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2, x * 3
    @staticmethod
    def backward(ctx, g, h):
        return g * 2 + h * 3
x = torch.ones(3, requires_grad=True); a, b = F.apply(x); b.sum().backward(); x.grad, a, b

l = []
class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.set_materialize_grads(False); return x * 2, x * 3
    @staticmethod
    def backward(ctx, g, h):
        l.append((g, h)); return h * 3
x = torch.ones(3, requires_grad=True); a, b = F.apply(x); b.sum().backward(); x.grad, l

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): return x * 2
    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, g): return g * 2
x = torch.ones(3, requires_grad=True); y = F.apply(x); g, = torch.autograd.grad(y.sum(), x, create_graph=True); g

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): ctx.save_for_backward(x); return x * x
    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx, g): return g * 2 * ctx.saved_tensors[0]
x = torch.ones(3, requires_grad=True); y = F.apply(x); g, = torch.autograd.grad((y * y).sum(), x, create_graph=True); g.sum().backward()

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): ctx.save_for_backward(x); return x ** 3
    @staticmethod
    def backward(ctx, g): x, = ctx.saved_tensors; return g * 3 * x ** 2
x = torch.tensor(2.0, requires_grad=True); g, = torch.autograd.grad(F.apply(x), x, create_graph=True); h, = torch.autograd.grad(g, x, create_graph=True); k, = torch.autograd.grad(h, x); g, h, k

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): ctx.save_for_backward([x]); return x
    @staticmethod
    def backward(ctx, g): return g
F.apply(torch.ones(3, requires_grad=True))

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): ctx.save_for_backward(x, None); return x * 2
    @staticmethod
    def backward(ctx, g): return g * (2 if ctx.saved_tensors[1] is None else 3)
x = torch.ones(3, requires_grad=True); F.apply(x).sum().backward(); x.grad

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): ctx.save_for_backward(x); return x * 2
    @staticmethod
    def backward(ctx, g): ctx.saved_tensors; return g
x = torch.ones(3, requires_grad=True); y = F.apply(x).sum(); y.backward(); y.backward()

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): ctx.save_for_backward(x); return x * 2
    @staticmethod
    def backward(ctx, g): return g * ctx.saved_tensors[0]
x = torch.ones(3, requires_grad=True); w = x * 1; y = F.apply(w).sum(); w.add_(1); y.backward()

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): return x
    @staticmethod
    def backward(ctx, g): return g * 5
x = torch.ones(3, requires_grad=True); y = F.apply(x); y.sum().backward(); x.grad, y is x, y, y._base is x, y._is_view()

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): return x
    @staticmethod
    def backward(ctx, g): return g * 5
x = torch.ones(3); y = F.apply(x); y is x, y._base is x

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): return x.view(3, 1)
    @staticmethod
    def backward(ctx, g): return g.view(3) * 5
x = torch.ones(3, requires_grad=True); y = F.apply(x); y.sum().backward(); x.grad, y, y._base is None

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): return x.view(3, 1)
    @staticmethod
    def backward(ctx, g): return g.view(3) * 5
x = torch.ones(3, requires_grad=True); y = F.apply(x * 1); y.add_(1)

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): return x * 2
    @staticmethod
    def backward(ctx, g): return g, g
x = torch.ones(3, requires_grad=True); F.apply(x).sum().backward()

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): return x * 2
    @staticmethod
    def backward(ctx, g): return g, None
x = torch.ones(3, requires_grad=True); F.apply(x).sum().backward(); x.grad

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): return x * 2
    @staticmethod
    def backward(ctx, g): return 3
x = torch.ones(3, requires_grad=True); F.apply(x).sum().backward()

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): return x * 2
    @staticmethod
    def backward(ctx, g): return g[:2]
x = torch.ones(3, requires_grad=True); F.apply(x).sum().backward()

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): return x * 2
    @staticmethod
    def backward(ctx, g): return g[None].expand(2, 3)
x = torch.ones(3, requires_grad=True); F.apply(x).sum().backward(); x.grad

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): return x * 2
    @staticmethod
    def backward(ctx, g): return g.double()
x = torch.ones(3, requires_grad=True); F.apply(x).sum().backward(); x.grad

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): return x * 2
    @staticmethod
    def backward(ctx, g): return None
x = torch.ones(3, requires_grad=True); F.apply(x).sum().backward(); x.grad

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): return x * 2
x = torch.ones(3, requires_grad=True); F.apply(x).sum().backward()

class F(torch.autograd.Function):
    pass
F.apply(torch.ones(3))

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): return 3, x * 2, "a", None
    @staticmethod
    def backward(ctx, a, g, b, c): return g * 2
x = torch.ones(3, requires_grad=True); r = F.apply(x); r[1].sum().backward(); r, x.grad

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, *xs): return sum(xs)
    @staticmethod
    def backward(ctx, g): return tuple(g if n else None for n in ctx.needs_input_grad)
x, y = torch.ones(3, requires_grad=True), torch.ones(3); z = F.apply(x, y, x); z.sum().backward(); x.grad, y.grad, z.grad_fn.needs_input_grad, z.grad_fn.next_functions

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): raise ValueError("bad")
F.apply(torch.ones(3, requires_grad=True))

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): return x * 2
    @staticmethod
    def backward(ctx, g): raise ValueError("bad backward")
F.apply(torch.ones(3, requires_grad=True)).sum().backward()

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): return torch.is_grad_enabled(), x * 2
    @staticmethod
    def backward(ctx, _, g): ctx.mode = torch.is_grad_enabled(); return g
x = torch.ones(3, requires_grad=True); m, y = F.apply(x); y.sum().backward(create_graph=False); m, y.grad_fn.mode

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): return [x * 2, x * 3]
    @staticmethod
    def backward(ctx, g, h): return g + h
F.apply(torch.ones(3, requires_grad=True))

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): return x.long()
    @staticmethod
    def backward(ctx, g): return g
F.apply(torch.ones(3, requires_grad=True))

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): return x * 2
    @staticmethod
    def vjp(ctx, g): return g * 7
x = torch.ones(3, requires_grad=True); F.apply(x).sum().backward(); x.grad

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): return x * 2
    @staticmethod
    def backward(ctx, g): return g * 7
with torch.no_grad():
    y = F.apply(torch.ones(3, requires_grad=True))
y

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, y): ctx.save_for_backward(x, y); return x * y
    @staticmethod
    def backward(ctx, g): x, y = ctx.saved_tensors; return g * y, g * x
x = torch.tensor([1.0, 2], dtype=torch.float64, requires_grad=True); y = torch.tensor([3.0, 4], dtype=torch.float64, requires_grad=True)
torch.autograd.gradcheck(F.apply, (x, y)), torch.autograd.gradgradcheck(F.apply, (x, y))

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): ctx.save_for_backward(x); return x ** 2
    @staticmethod
    def backward(ctx, g): x, = ctx.saved_tensors; return g * x
x = torch.tensor([1.0, 2], dtype=torch.float64, requires_grad=True)
torch.autograd.gradcheck(F.apply, (x,), raise_exception=False)

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): ctx.save_for_backward(x); return x ** 2
    @staticmethod
    def backward(ctx, g): x, = ctx.saved_tensors; return g * 2 * x.detach()
x = torch.tensor([1.0, 2], dtype=torch.float64, requires_grad=True)
torch.autograd.gradcheck(F.apply, (x,)), torch.autograd.gradgradcheck(F.apply, (x,), raise_exception=False)

class F(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x): ctx.save_for_backward(x); return x ** 2
    @staticmethod
    def backward(ctx, g): x, = ctx.saved_tensors; return g * x
torch.autograd.gradcheck(F.apply, (torch.ones(2, dtype=torch.float64, requires_grad=True),))

torch.autograd.gradcheck(lambda x: x * 2, (torch.ones(2, dtype=torch.float64),))

torch.autograd.gradcheck(lambda x: torch.view_as_real(x * (1 + 2j)), (torch.ones(2, dtype=torch.complex128, requires_grad=True),))

with torch.no_grad():
    a = torch.is_grad_enabled()
    with torch.enable_grad():
        b = torch.is_grad_enabled()
    c = torch.is_grad_enabled()
a, b, c, torch.is_grad_enabled()

@torch.no_grad()
def f(x): return x * 2
@torch.no_grad
def g(x): return x * 2
@torch.enable_grad()
def h(x): return x * 2
@torch.inference_mode()
def i(x): return x * 2
x = torch.ones(2, requires_grad=True)
with torch.no_grad(): r = h(x)
f(x), g(x), r, i(x), i(x).is_inference(), f.__name__

@torch.no_grad()
def gen():
    yield torch.is_grad_enabled()
    got = yield torch.is_grad_enabled()
    yield got, torch.is_grad_enabled()
it = gen(); l = [next(it), torch.is_grad_enabled(), next(it), it.send(5), torch.is_grad_enabled()]; l

@torch.set_grad_enabled(False)
def f(): return torch.is_grad_enabled()
a = torch.is_grad_enabled(); (a, f(), torch.is_grad_enabled())

with torch.set_grad_enabled(False):
    a = torch.is_grad_enabled()
torch.set_grad_enabled(False); b = torch.is_grad_enabled(); torch.set_grad_enabled(True); (a, b, torch.is_grad_enabled())

import threading
l = []
with torch.no_grad():
    t = threading.Thread(target=lambda: l.append(torch.is_grad_enabled())); t.start(); t.join()
l

with torch.inference_mode():
    x = torch.ones(2)
x.is_inference(), x.add_(1)

with torch.inference_mode():
    x = torch.ones(2)
y = torch.ones(2, requires_grad=True); x * y

with torch.inference_mode():
    x = torch.ones(2)
y = torch.ones(2, requires_grad=True); (x + y).requires_grad

with torch.inference_mode():
    x = torch.ones(2)
x.requires_grad_()

with torch.inference_mode():
    x = torch.ones(2); v = x[:1]
y = x.clone(); y.is_inference(), v.is_inference(), x[:1].is_inference(), (x * 2).is_inference()

with torch.inference_mode():
    x = torch.ones(2, requires_grad=True); y = x * 2
    r = y.requires_grad, x.requires_grad, x.is_inference(), torch.is_inference_mode_enabled(), torch.is_grad_enabled()
r

with torch.inference_mode():
    with torch.inference_mode(False):
        r = torch.is_inference_mode_enabled(), torch.is_grad_enabled(), torch.ones(1).is_inference()
r

x = torch.ones(2, requires_grad=True)
with torch.inference_mode():
    x.add_(1)
x, x._version

with torch.inference_mode():
    x = torch.ones(2)
x._version

with torch.inference_mode():
    x = torch.ones(2)
y = x.detach(); y.is_inference()

@torch.no_grad()
class A: pass

with torch.autograd.detect_anomaly():
    x = torch.tensor([-1.0], requires_grad=True); y = (torch.sqrt(x) * 0).sum(); y.backward()

with torch.autograd.set_detect_anomaly(True):
    r = torch.is_anomaly_enabled()
r, torch.is_anomaly_enabled()

x = torch.ones(3, requires_grad=True); y = x * x
try: (y * float("nan")).register_hook(lambda g: 1 / 0).sum()
except Exception: pass
try:
    z = y.sum(); h = y.register_hook(lambda g: 1 / 0); z.backward(retain_graph=True)
except ZeroDivisionError: h.remove()
z.backward(); x.grad, torch.is_grad_enabled()

v = torch.autograd.Variable(torch.ones(2), requires_grad=True); v.requires_grad, type(v).__name__
"""


@pytest.mark.oracle
@pytest.mark.parametrize("program", programs(PROGRAMS))
def test_functions_and_modes_as_in_pytorch(program: str) -> None:
    both(program)
