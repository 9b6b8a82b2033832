"""The graph, backward, grad, hooks and autograd.functional, as in PyTorch."""

from __future__ import annotations

import pytest

from both import both, programs

PROGRAMS = r"""
x = torch.ones(3, requires_grad=True); y = x * 2; y.grad_fn.name(), y.grad_fn.next_functions, y.grad_fn.next_functions[0][0].name(), y.grad_fn.next_functions[0][0].variable is x
x = torch.ones(3, requires_grad=True); y = x * x; y.grad_fn._saved_self, y.grad_fn._saved_other
x = torch.ones(3, requires_grad=True); y = x.exp(); y.grad_fn._saved_result, y.grad_fn._saved_result.grad_fn is y.grad_fn
x = torch.ones(3, requires_grad=True); y = x.exp(); y.sum().backward(); y.grad_fn._saved_result
x = torch.ones(3, requires_grad=True); y = x.exp(); y.grad_fn._saved_foo
x = torch.ones(3, requires_grad=True); [(f(x)).grad_fn for f in (torch.abs, torch.neg, torch.sin, torch.cos, torch.tan, torch.tanh, torch.sigmoid, torch.relu, torch.sqrt, torch.rsqrt, torch.log, torch.log1p, torch.log2, torch.exp, torch.expm1, torch.erf, torch.floor, torch.ceil, torch.round, torch.sign, torch.square, torch.reciprocal, torch.sum, torch.mean, torch.prod, torch.std, torch.var, torch.max, torch.min, torch.amax, torch.norm, torch.logcumsumexp if False else torch.erfinv, torch.asin, torch.atan, torch.sinh, torch.cosh, torch.trunc, torch.frac, torch.lgamma, torch.digamma, torch.sigmoid)]
torch.nn.functional.embedding(torch.tensor([0]), torch.ones(2, 2, requires_grad=True)).grad_fn
x = torch.ones(3, requires_grad=True); y = x * 2; z = x + y; z.backward(torch.ones(3)); x.grad
x = torch.ones(3, requires_grad=True); (x * 2).sum().backward(); g = x.grad; (x * 3).sum().backward(); g is x.grad, g
x = torch.ones(3, requires_grad=True); y = torch.ones(3, requires_grad=True); z = x + y; z.sum().backward(); x.grad.data_ptr() != y.grad.data_ptr(); x.grad.add_(5); y.grad
x = torch.ones(3, requires_grad=True); y = torch.ones(3, requires_grad=True); v = torch.ones(3); (x + y).backward(v); x.grad.add_(1); y.grad.add_(2); v
x = torch.ones(3, requires_grad=True); v = torch.ones(3); x.backward(v); x.grad.add_(1); v
x = torch.ones(3, requires_grad=True); v = torch.ones(3); x.backward(v, create_graph=True); x.grad is v
x = torch.ones(3, requires_grad=True); v = torch.ones(3, requires_grad=True); (x * 1).backward(v, create_graph=True); x.grad.grad_fn
x = torch.ones(3, requires_grad=True); v = torch.ones(3, requires_grad=True); (x + 1).backward(v, create_graph=True); x.grad is v, x.grad.grad_fn
x = torch.ones(3, requires_grad=True); (x ** 3).sum().backward(create_graph=True); x.grad.grad_fn, x.grad.requires_grad; x.grad.sum().backward(); x.grad
x = torch.ones(3, requires_grad=True); y = x * 2; y.backward(torch.ones(3), inputs=[x]); x.grad
x = torch.ones(3, requires_grad=True); w = torch.ones(3, requires_grad=True); y = (x * w).sum(); y.backward(inputs=[w]); x.grad, w.grad
x = torch.ones(3, requires_grad=True); y = x * 2; z = y.sum(); z.backward(inputs=[y]); x.grad, y.grad
x = torch.ones(3, requires_grad=True); z = (x * 2).sum(); z.backward(inputs=[])
x = torch.ones(3, requires_grad=True); z = (x * 2).sum(); z.backward(inputs=x); x.grad
x = torch.ones(3, requires_grad=True); z = (x * 2).sum(); z.backward(inputs=[torch.ones(3)])
x = torch.ones(3, requires_grad=True); u = torch.ones(3, requires_grad=True); torch.autograd.grad((x * 2).sum(), [x, u])
x = torch.ones(3, requires_grad=True); u = torch.ones(3, requires_grad=True); torch.autograd.grad((x * 2).sum(), [x, u], allow_unused=True)
x = torch.ones(3, requires_grad=True); u = torch.ones(3, requires_grad=True); torch.autograd.grad((x * 2).sum(), [x, u], materialize_grads=True)
x = torch.ones(3, requires_grad=True); torch.autograd.grad((x * 2).sum(), x, allow_unused=False, materialize_grads=True)
x = torch.ones(3, requires_grad=True); torch.autograd.grad((x * 2).sum(), torch.ones(3))
x = torch.ones(3, requires_grad=True); torch.autograd.grad(x * 2, x)
x = torch.ones(3, requires_grad=True); torch.autograd.grad(x * 2, x, torch.ones(3))
x = torch.ones(3, requires_grad=True); torch.autograd.grad([x * 2, x * 3], x, [torch.ones(3), torch.ones(3)])
x = torch.ones(3, requires_grad=True); torch.autograd.grad([x * 2, x * 3], x, [torch.ones(3)])
x = torch.ones(3, requires_grad=True); torch.autograd.grad(x * 2, x, torch.eye(3), is_grads_batched=True)
x = torch.ones(3, requires_grad=True); torch.autograd.grad(x, x, torch.ones(3))
x = torch.ones(3, requires_grad=True); y = x * 2; torch.autograd.grad(y.sum(), y)
x = torch.ones(3, requires_grad=True); y = x * 2; torch.autograd.grad(y.sum(), [y, x])
x = torch.ones(3, requires_grad=True); torch.autograd.grad((x * 2).sum(), [])
x = torch.ones(3, requires_grad=True); torch.autograd.grad(3, x)
torch.autograd.backward([])
x = torch.ones(3, requires_grad=True); torch.autograd.backward([x.sum(), (x * 2).sum()]); x.grad
x = torch.ones(3, requires_grad=True); torch.autograd.backward((x * 2,), (torch.ones(3),)); x.grad
x = torch.ones(3, requires_grad=True); torch.autograd.backward(x * 2, grad_variables=torch.ones(3)); x.grad
x = torch.ones(3, requires_grad=True); y = (x * x).sum(); g, = torch.autograd.grad(y, x, create_graph=True); h, = torch.autograd.grad(g.sum(), x, create_graph=True); g, h, h.requires_grad
x = torch.tensor(2.0, requires_grad=True); y = x ** 5; g = [y]; [g.append(torch.autograd.grad(g[-1], x, create_graph=True)[0]) for _ in range(5)]; [v.item() for v in g]
x = torch.tensor(0.5, requires_grad=True); y = torch.tanh(torch.sin(x) * torch.exp(x)); g = [y]; [g.append(torch.autograd.grad(g[-1], x, create_graph=True)[0]) for _ in range(3)]; [v.item() for v in g]
x = torch.ones(3, requires_grad=True); y = x * 2; y.retain_grad(); y.retain_grad(); (y * y).sum().backward(); y.grad, y.retains_grad, x.retains_grad
x = torch.ones(3, requires_grad=True); y = x * 2; y.retain_grad(); (y * y).sum().backward(retain_graph=True); y.sum().backward(); y.grad
torch.ones(3).retain_grad()
x = torch.ones(3, requires_grad=True); x.retain_grad(); x.retains_grad
x = torch.ones(3, requires_grad=True); y = x * 2; y.retain_grad(); y.mul_(2); y.sum().backward(); y.grad, x.grad
x = torch.ones(3, requires_grad=True); l = []; h = x.register_hook(lambda g: l.append(g.clone())); (x * 2).sum().backward(); h.remove(); (x * 2).sum().backward(); l, x.grad
x = torch.ones(3, requires_grad=True); x.register_hook(lambda g: g * 10); (x * 2).sum().backward(); x.grad
x = torch.ones(3, requires_grad=True); x.register_hook(lambda g: 3); (x * 2).sum().backward(); x.grad
x = torch.ones(3, requires_grad=True); x.register_hook(lambda g: g[:1]); (x * 2).sum().backward(); x.grad
torch.ones(3).register_hook(lambda g: g)
x = torch.ones(3, requires_grad=True); y = x * 2; y.register_hook(lambda g: g + 1); y.register_hook(lambda g: g * 10); y.sum().backward(); x.grad
x = torch.ones(3, requires_grad=True); y = x * 2; l = []; y.register_hook(lambda g: l.append("t")); y.grad_fn.register_prehook(lambda g: l.append("pre")); y.grad_fn.register_hook(lambda a, b: l.append("post")); y.retain_grad(); x.register_hook(lambda g: l.append("leaf")); x.register_post_accumulate_grad_hook(lambda p: l.append("acc")); y.sum().backward(); l
x = torch.ones(3, requires_grad=True); y = x * 2; y.grad_fn.register_hook(lambda gi, go: (gi[0] * 100, None)); y.sum().backward(); x.grad
x = torch.ones(3, requires_grad=True); y = x * 2; y.grad_fn.register_prehook(lambda go: (go[0] * 100,)); y.sum().backward(); x.grad
x = torch.ones(3, requires_grad=True); y = x * x; l = []; y.grad_fn.register_hook(lambda gi, go: l.append((gi, go))); y.sum().backward(); l
x = torch.ones(3, requires_grad=True); x.register_post_accumulate_grad_hook(lambda p: p.grad.mul_(2)); (x * 2).sum().backward(); x.grad
(torch.ones(3, requires_grad=True) * 2).register_post_accumulate_grad_hook(lambda p: None)
x = torch.ones(3, requires_grad=True); y = x * 2; y.retain_grad(); y.register_hook(lambda g: g * 10); y.sum().backward(); y.grad
x = torch.ones(3, requires_grad=True); y = x * 2; y.register_hook(lambda g: g * 10); y.retain_grad(); y.sum().backward(); y.grad
x = torch.ones(3, requires_grad=True); y = x * 2; y.register_hook(lambda g: g * 10); torch.autograd.grad(y.sum(), [y, x])
x = torch.ones(3, requires_grad=True); x.register_hook(lambda g: g * 10); torch.autograd.grad(x.sum(), x)
x = torch.ones(3, requires_grad=True); y = x * 2; h = y.register_hook(lambda g: 1 / 0); y.sum().backward()
x = torch.ones(3, requires_grad=True); y = x * 2; y.register_hook(lambda g: g * 10); y.mul_(3); y.register_hook(lambda g: g + 1); y.sum().backward(); x.grad
l = []; x = torch.ones(3, requires_grad=True); y, z = x * 2, x * 3; torch.autograd.graph.register_multi_grad_hook((y, z), lambda g: l.append(g)); (y + z).sum().backward(); l
x = torch.ones(3, requires_grad=True); torch.autograd.graph.get_gradient_edge(x)[1], torch.autograd.graph.get_gradient_edge(x * 2).output_nr
x = torch.ones(3, requires_grad=True); e = torch.autograd.graph.get_gradient_edge(x * 2); torch.autograd.grad(e, x, torch.ones(3))
x = torch.ones(3, requires_grad=True); y = x * 2; e = torch.autograd.graph.get_gradient_edge(y); torch.autograd.grad(y.sum(), e)
f = torch.autograd.functional; f.jacobian(lambda x: x ** 2, torch.ones(3))
f = torch.autograd.functional; f.jacobian(lambda x, y: (x * y, x + y), (torch.ones(2), torch.ones(2) * 3))
f = torch.autograd.functional; f.jacobian(lambda x: x.sum(), torch.ones(3), create_graph=True)
f = torch.autograd.functional; f.jacobian(lambda x: torch.ones(2), torch.ones(3))
f = torch.autograd.functional; f.jacobian(lambda x: torch.ones(2), torch.ones(3), strict=True)
f = torch.autograd.functional; f.jacobian(lambda x, y: x * 2, (torch.ones(3), torch.ones(1)), strict=True)
f = torch.autograd.functional; f.jacobian(lambda x: x * 2, 3)
f = torch.autograd.functional; f.jacobian(lambda x: 3, torch.ones(3))
f = torch.autograd.functional; f.jacobian(lambda x: x.exp(), torch.ones(3), vectorize=True)
f = torch.autograd.functional; f.hessian(lambda x: (x ** 3).sum(), torch.ones(2))
f = torch.autograd.functional; f.hessian(lambda x, y: (x * y ** 2).sum(), (torch.ones(2), torch.ones(2)))
f = torch.autograd.functional; f.hessian(lambda x: x * 2, torch.ones(2))
f = torch.autograd.functional; f.hessian(lambda x: (x * 2).sum(), torch.ones(2))
f = torch.autograd.functional; f.vjp(lambda x: x ** 2, torch.ones(3), torch.tensor([1.0, 2, 3]))
f = torch.autograd.functional; f.vjp(lambda x: x ** 2, torch.ones(3))
f = torch.autograd.functional; f.vjp(lambda x: (x ** 2).sum(), torch.ones(3))
f = torch.autograd.functional; f.vjp(lambda x: x ** 2, torch.ones(3), torch.ones(2))
f = torch.autograd.functional; f.jvp(lambda x: x ** 2, torch.ones(3), torch.tensor([1.0, 2, 3]))
f = torch.autograd.functional; f.jvp(lambda x: x ** 2, torch.ones(3))
f = torch.autograd.functional; f.jvp(lambda x, y: (x * y, y), (torch.ones(3), torch.ones(3)), (torch.ones(3), torch.ones(3)), create_graph=True)
f = torch.autograd.functional; f.hvp(lambda x: (x ** 3).sum(), torch.ones(3), torch.tensor([1.0, 2, 3]))
f = torch.autograd.functional; f.vhp(lambda x: (x ** 3).sum(), torch.ones(3), torch.tensor([1.0, 2, 3]))
f = torch.autograd.functional; f.vhp(lambda x: x ** 3, torch.ones(3), torch.ones(3))
f = torch.autograd.functional; f.hvp(lambda x, y: (x * y).sum(), (torch.ones(2), torch.ones(2)), (torch.ones(2), torch.ones(2)))
f = torch.autograd.functional; f.vhp(lambda x: (x * 2).sum(), torch.ones(3), torch.ones(3), strict=True)
x = torch.ones(2, requires_grad=True); y = x * 2; y.sum().backward(); y.grad_fn.next_functions[0][0]
import threading; x = torch.ones(2, requires_grad=True); t = [threading.Thread(target=lambda: (x * 2).sum().backward()) for _ in range(3)]; [u.start() for u in t]; [u.join() for u in t]; x.grad
a, b = torch.tensor([1.0, 2]), torch.tensor([3.0, 4], requires_grad=True); c = torch.dot(a, b); c.backward(); a.grad, b.grad
x = torch.ones(2, requires_grad=True); torch.nn.functional.relu(x, inplace=True)
x = torch.ones(2, requires_grad=True); x = x + 0; torch.nn.functional.relu(x, inplace=True).grad_fn
x = torch.randn(3, requires_grad=True); y = x.detach().requires_grad_(); y.is_leaf, y.requires_grad, y._base is None
x = torch.ones(3, requires_grad=True); y = x.detach().clone(); y[0] = 5; x
x = torch.ones(3, requires_grad=True); y = x.data; y.mul_(3); x, y.requires_grad
x = torch.ones(2, 2, requires_grad=True); y = x.T; y.grad_fn, y.is_leaf, y._base is x
x = torch.ones(2, requires_grad=True); x.grad_fn, (x + 1).is_leaf, x.clone().is_leaf, x.detach().is_leaf
x = torch.ones(2, requires_grad=True); l = [p for p in [x] if p.grad is None]; len(l)
x = torch.ones(2, requires_grad=True); (x.sum() * 2).backward(); x.grad.zero_(); x.grad, x.grad.requires_grad
x = torch.ones(2, requires_grad=True); x.sum().backward(); del x.grad; x.grad
x = torch.ones(2, 2, requires_grad=True); x.t().contiguous().sum().backward(); x.grad.stride(), x.grad.is_contiguous()
x = torch.ones(2, 3).t().requires_grad_(); (x * 2).sum().backward(); x.grad.stride()
x = torch.ones(2, 3)[:, :2].requires_grad_(); (x * 2).sum().backward(); x.grad.stride()
x = torch.ones(1, 2, 3, 3).to(memory_format=torch.channels_last).requires_grad_(); (x * 2).sum().backward(); x.grad.stride()
x = torch.ones(3, requires_grad=True); w = x * 1; w.register_hook(lambda g: torch.zeros_like(g)); w.sum().backward(); x.grad
x = torch.ones(3, requires_grad=True); h = x.register_hook(lambda g: g * 2); h.remove(); h.remove(); x.sum().backward(); x.grad
x = torch.ones(3, requires_grad=True); exec("with x.register_hook(lambda g: g * 2): x.sum().backward()"); x.sum().backward(); x.grad
x = torch.ones(3, requires_grad=True); y = x.clone(); y.requires_grad_(False)
x = torch.ones(3); x.requires_grad_(True).requires_grad_(False); x.requires_grad
torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.is_inference(torch.ones(1)), torch.is_conj(torch.ones(1)), torch.is_same_size(torch.ones(1), torch.ones(1))
x = torch.tensor([1.0, 2], requires_grad=True); torch.autograd.grad(x.prod(), x)
x = torch.ones(2, requires_grad=True); torch.autograd.grad([x.sum(), (x * 2).sum()], [x])
x = torch.ones(2, requires_grad=True); torch.autograd.grad(x.sum(), x, retain_graph=True), torch.autograd.grad((x ** 2).sum(), [x, x])
x = torch.ones(2, requires_grad=True); y = x.sum(); torch.autograd.grad(y, x); torch.autograd.grad(y, x)
x = torch.ones(2, requires_grad=True); y = (x * x).sum(); torch.autograd.grad(y, x); torch.autograd.grad(y, x)
x = torch.ones(2, requires_grad=True); y = (x * x).sum(); y.backward(retain_graph=False); y.grad_fn.next_functions
x = torch.zeros(2, requires_grad=True); y = torch.sqrt(x).sum(); y.backward(); x.grad
x = torch.ones(2, dtype=torch.int64); x.sum().backward()
x = torch.ones(2, requires_grad=True); torch.argmax(x).requires_grad, (x > 0).requires_grad, x.long().requires_grad, x.round().requires_grad, torch.sign(x).grad_fn
x = torch.ones(2, requires_grad=True); y = x.new_zeros(2); y.requires_grad, torch.zeros_like(x).requires_grad, torch.ones_like(x, requires_grad=True).is_leaf
x = torch.ones(2, requires_grad=True); torch.tensor(x.sum())
torch.autograd.functional.jacobian(lambda x: x.cumsum(0), torch.ones(3))
torch.autograd.functional.hessian(lambda x: x.prod(), torch.tensor([1.0, 2, 3]))
x = torch.ones(2, requires_grad=True); y = x * 1; y.backward(gradient=torch.ones(2)); x.grad
x = torch.ones(2, requires_grad=True); y = x * 1; y.backward(torch.tensor(1.0))
x = torch.ones(1, requires_grad=True); y = x * 1; y.backward(); x.grad
x = torch.ones(2, 2, requires_grad=True); y = x[0]; z = y * 2; y_grad = torch.autograd.grad(z.sum(), y); y_grad
x = torch.ones(4, requires_grad=True); a, b = x.chunk(2); (a * b).sum().backward(); x.grad
x = torch.ones(4, requires_grad=True); y = torch.empty(4); y.copy_(x); y[0] = 3; y.sum().backward(); x.grad
x = torch.ones(2, 2, requires_grad=True); out = torch.empty(2, 2); torch.mul(x, 2, out=out)
out = torch.empty(0); torch.add(torch.ones(2), 1, out=out); out
out = torch.empty(3); torch.add(torch.ones(2), 1, out=out)
x = torch.ones(2); y = x; y += 1; x
x = torch.ones(2, requires_grad=True); y = x.double().float().half().float(); y.sum().backward(); x.grad, y.grad_fn
x = torch.ones(2); x.requires_grad = True; x.mul_(2)
x = torch.ones(2, requires_grad=True); y = (x + 1).view(2).sum(); y.backward(); y.backward(); x.grad
x = torch.ones(2, requires_grad=True); y = (x * 2).sum(); y.backward(); y.backward(); x.grad
x = torch.ones(2, requires_grad=True); y = x.mean(); y.backward(); y.backward(); x.grad
x = torch.ones(2, requires_grad=True); y = x[0]; y.backward(); y.backward(); x.grad
x = torch.ones(2, requires_grad=True); y = torch.cat([x, x]).sum(); y.backward(); y.backward(); x.grad
x = torch.ones(2, requires_grad=True); y = x.neg().sum(); y.backward(); y.backward(); x.grad
x = torch.ones(2, requires_grad=True); y = x.tanh().sum(); y.backward(); y.backward(); x.grad
x = torch.ones(2, 2, requires_grad=True); y = (x @ torch.ones(2, 2)).sum(); y.backward(); y.backward(); x.grad
x = torch.ones(2, requires_grad=True); y = (x / 2).sum(); y.backward(); y.backward(); x.grad
x = torch.ones(2, requires_grad=True); y = (x - x).sum(); y.backward(); y.backward(); x.grad
x = torch.ones(2, requires_grad=True); y = x.clone().t().expand(3, 2).permute(1, 0).sum(); y.backward(); y.backward(); x.grad
x = torch.ones(2, requires_grad=True); y = x.max(); y.backward(); y.backward(); x.grad
x = torch.ones(2, 2, requires_grad=True).clone(); [x.t_().grad_fn, x.squeeze_().grad_fn, x.unsqueeze_(0).grad_fn, x.transpose_(0, 1).grad_fn, x.squeeze_(1).grad_fn]
x = torch.ones(2, 3, requires_grad=True); f = torch.nn.functional; [v.grad_fn for v in (f.mse_loss(x, x.detach()), f.smooth_l1_loss(x, x.detach()), f.huber_loss(x, x.detach()), f.binary_cross_entropy(x, x.detach()), f.binary_cross_entropy_with_logits(x, x.detach()), f.l1_loss(x, x.detach()), f.cross_entropy(x, torch.tensor([0, 1])), f.mse_loss(x, x.detach(), reduction="sum"), f.mse_loss(x, x.detach(), reduction="none"), f.smooth_l1_loss(x, x.detach(), reduction="none"))]
x = torch.ones(2, 3, requires_grad=True); [v.grad_fn for v in (x.sum(), x.mean(), x.sum(0), x.mean(0), x.prod(), x.prod(0), torch.log1p(x), x.square(), 1 - x, 2 / x, 2 ** x, x ** x, x.clamp(0, 1), x.clamp(max=x), x.mv(torch.ones(3)), x @ torch.ones(3))]
"""


@pytest.mark.oracle
@pytest.mark.parametrize("program", programs(PROGRAMS))
def test_autograd_as_in_pytorch(program: str) -> None:
    both(program)
