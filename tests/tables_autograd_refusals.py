"""Misused Functions, hooks, `backward` and `grad`, and writes in place: what is said of each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

LEAST = 180

# A label, and an expression.
CALLS = r"""
grad for number | run(define(lambda c,a,k:a*k,lambda c,g:(g,g)),x(),2)
grad for number first | run(define(lambda c,k,a:a*k,lambda c,g:(g,g)),2,x())
grad for str None | run(define(lambda c,a,k:a*2,lambda c,g:(g,None)),x(),'s')
grad for nongrad tensor | run(define(lambda c,a,k:a*2,lambda c,g:(g,g)),x(),T.ones(2))
grad for nongrad tensor wrong shape | run(define(lambda c,a,k:a*2,lambda c,g:(g,T.ones(7))),x(),T.ones(2))
grad for int tensor | run(define(lambda c,a,k:a*2,lambda c,g:(g,g)),x(),T.ones(2).long())
too few | run(define(lambda c,a,k:a*2,lambda c,g:g),x(),T.ones(2))
too many | run(define(lambda c,a:a*2,lambda c,g:(g,g)),x())
too many None | run(define(lambda c,a:a*2,lambda c,g:(g,None,None)),x())
list | run(define(lambda c,a:a*2,lambda c,g:[g]),x())
list2 | run(define(lambda c,a,b:a*2,lambda c,g:[g,g]),x(),x())
none | run(define(lambda c,a:a*2,lambda c,g:None),x())
number | run(define(lambda c,a:a*2,lambda c,g:3.),x())
numpy | run(define(lambda c,a:a*2,lambda c,g:np.ones(2)),x())
wrong shape | run(define(lambda c,a:a*2,lambda c,g:T.ones(3)),x())
wrong shape bcast | run(define(lambda c,a:a*2,lambda c,g:T.ones(3,2)),x())
smaller shape | run(define(lambda c,a:a*2,lambda c,g:T.ones(1)),x())
0-d | run(define(lambda c,a:a*2,lambda c,g:T.tensor(1.)),x())
wrong dtype | run(define(lambda c,a:a*2,lambda c,g:T.ones(2).double()),x())
int dtype | run(define(lambda c,a:a*2,lambda c,g:T.ones(2).long()),x())
instance | define(lambda c,a:a,lambda c,g:g)()(x())
instance Legacy | type("L",(F,),{"forward":lambda s,a:a})()(x())
nonstatic forward apply | type("L",(F,),{"forward":lambda s,a:a*2,"backward":lambda s,g:g}).apply(x())
nonstatic forward bwd | run(type("L",(F,),{"forward":lambda s,a:a*2,"backward":lambda s,g:g}),x())
repr | repr(define(lambda c,a:a*2,lambda c,g:g).apply(x()).grad_fn).split(' at')[0]
str | str(define(lambda c,a:a*2,lambda c,g:g).apply(x()))
no forward | type("N",(F,),{}).apply(x())
no backward | run(type("N",(F,),{"forward":staticmethod(lambda c,a:a*2)}),x())
both bwd and vjp | run(type("N",(F,),{"forward":staticmethod(lambda c,a:a*2),"backward":staticmethod(lambda c,g:g),"vjp":staticmethod(lambda c,g:g*2)}),x())
save number | run(define(lambda c,a:(c.save_for_backward(3),a*2)[1],lambda c,g:g),x())
save list | run(define(lambda c,a:(c.save_for_backward([a]),a*2)[1],lambda c,g:g),x())
save numpy | run(define(lambda c,a:(c.save_for_backward(np.ones(2)),a*2)[1],lambda c,g:g),x())
save in backward | run(define(lambda c,a:a*2,lambda c,g:(c.save_for_backward(g),g)[1]),x())
saved in forward | run(define(lambda c,a:(c.save_for_backward(a),c.saved_tensors,a*2)[2],lambda c,g:g),x())
mark_dirty number | run(define(lambda c,a:(c.mark_dirty(3),a*2)[1],lambda c,g:g),x())
mark_dirty not returned | run(define(lambda c,a:(a.add_(1),c.mark_dirty(a),a*2)[2],lambda c,g:g),x()*1)
mark_dirty leaf | run(define(lambda c,a:(a.add_(1),c.mark_dirty(a),a)[2],lambda c,g:g),x())
inplace unmarked | run(define(lambda c,a:a.add_(1),lambda c,g:g),x()*1)
mark_dirty view | run(define(lambda c,a:(a.add_(1),c.mark_dirty(a),a)[2],lambda c,g:g),(x()*1)[:1])
nondiff number | run(define(lambda c,a:(c.mark_non_differentiable(3),a*2)[1],lambda c,g:g),x())
nondiff all | run(define(lambda c,a:(lambda b:(c.mark_non_differentiable(b),b)[1])(a*2),lambda c,g:g),x())
return str | run(define(lambda c,a:'s',lambda c,g:g),x())
return None | define(lambda c,a:None,lambda c,g:g).apply(x())
return tuple str | define(lambda c,a:(a*2,'s'),lambda c,g,h:g).apply(x())
return numpy | define(lambda c,a:np.ones(2),lambda c,g:g).apply(x())
return dict | define(lambda c,a:{'a':a*2},lambda c,g:g).apply(x())
needs | (lambda l:(run(define(lambda c,a,k,n:(l.append(c.needs_input_grad),a*2)[1],lambda c,g:(g,None,None)),x(),T.ones(2),3),l))([])[1]
once | (lambda v:T.autograd.grad(T.autograd.grad(define(lambda c,a:(c.save_for_backward(a),a**2)[1],once(lambda c,g:g*2*c.saved_tensors[0])).apply(v).sum(),v,create_graph=True)[0].sum(),v))(x())
twice | (lambda v,M:(lambda y:(y.backward(),y.backward()))(M.apply(v).sum()))(x(),define(lambda c,a:(c.save_for_backward(a),a**2)[1],lambda c,g:g*2*c.saved_tensors[0]))
twice unsaved | (lambda v,M:(lambda y:(y.backward(),y.backward(),v.grad))(M.apply(v).sum()))(x(),define(lambda c,a:a*2,lambda c,g:g*2))
err | run(define(lambda c,a:a*2,lambda c,g:1/0),x())
kw | define(lambda c,a,k=2:a*k,lambda c,g:g).apply(x(),k=3)
setup kw | type("S",(F,),{"forward":staticmethod(lambda a,k=2:a*k),"setup_context":staticmethod(lambda c,inputs,output:None),"backward":staticmethod(lambda c,g:g)}).apply(x(),k=3)
backward args | run(define(lambda c,a:(a*2,a*3),lambda c,g:g),x())
apply nothing | define(lambda c:3,lambda c,g:g).apply()
ctx attr | run(define(lambda c,a:(setattr(c,'k',3),a*2)[1],lambda c,g:g*c.k),x())
ctx missing attr | run(define(lambda c,a:a*2,lambda c,g:g*c.k),x())
vmap | define(lambda c,a:a,lambda c,g:g).generate_vmap_rule
subclass instance | define(lambda c,a:a,lambda c,g:g)().apply(x())
call class method backward | F.backward(None)
F.forward | F.forward(None)
F.setup_context | F.setup_context(None,None,None)
F.jvp | F.jvp(None)
F.vmap | F.vmap(None,None)
set_materialize | run(define(lambda c,a:(c.set_materialize_grads(3),a*2)[1],lambda c,g:g),x())
saved_variables | run(define(lambda c,a:(c.save_for_backward(a),a*2)[1],lambda c,g:g*c.saved_variables[0]),x())
to_save | run(define(lambda c,a:(c.save_for_backward(a),a*2)[1],lambda c,g:g*len(c.to_save)),x())
name | define(lambda c,a:a*2,lambda c,g:g).apply(x()).grad_fn.name()
next_functions | len(define(lambda c,a,k:a*2,lambda c,g:g).apply(x(),3).grad_fn.next_functions)
nd | run(define(lambda c,a:(a*2).numpy(),lambda c,g:g),x())
bw vector | (x()*2).backward()
bw nograd | T.ones(2).sum().backward()
bw grad shape | (x()*2).backward(T.ones(3))
bw grad dtype | (x()*2).backward(T.ones(2).double())
bw grad int | (x()*2).backward(T.ones(2).long())
bw grad complex | (x()*2).backward(T.ones(2).cfloat())
bw grad number | (x()*2).backward(3)
bw grad list | (x()*2).backward([T.ones(2)])
bw inputs | (x()*2).sum().backward(inputs=[])
bw inputs nonleaf | (lambda v:(v*2).sum().backward(inputs=[v*3]))(x())
bw inputs notens | (x()*2).sum().backward(inputs=[3])
bw inputs nograd | (x()*2).sum().backward(inputs=[T.ones(2)])
bw inputs other leaf | (x()*2).sum().backward(inputs=[x()])
bw complex | (x()*1j).sum().backward()
bw int | T.ones(1).long().backward()
ag.backward none | T.autograd.backward([])
ag.backward num | T.autograd.backward(3)
ag.backward mism | T.autograd.backward([x().sum()],[T.ones(()),T.ones(())])
ag.backward mism2 | T.autograd.backward([x().sum(),x().sum()],[T.ones(())])
ag.backward both | T.autograd.backward(x().sum(),T.tensor(1.),grad_variables=T.tensor(1.))
grad unused | G(x().sum(),x())
grad nograd in | G(x().sum(),T.ones(2))
grad nograd out | G(T.ones(2).sum(),x())
grad nonscalar | (lambda v:G(v*2,v))(x())
grad outs mism | (lambda v:G([v.sum(),v.sum()],v,[T.ones(())]))(x())
grad outs mism2 | (lambda v:G(v.sum(),v,[T.ones(()),T.ones(())]))(x())
grad outs shape | (lambda v:G(v*2,v,T.ones(3)))(x())
grad empty | (lambda v:G(v.sum(),[]))(x())
grad number | (lambda v:G(v.sum(),[3]))(x())
grad out number | (lambda v:G(3,v))(x())
grad mat | (lambda v:G(v.sum(),x(),materialize_grads=True))(x())
grad mat conflict | (lambda v:G(v.sum(),x(),materialize_grads=True,allow_unused=False))(x())
grad of itself | (lambda v:G(v,v,T.ones(2)))(x())
grad list in unused named | (lambda v:G(v.sum(),[v,x()]))(x())
grad twice | (lambda v:(lambda y:(G(y,v),G(y,v)))((v**2).sum()))(x())
grad outs number | (lambda v:G(v*2,v,3))(x())
grad batched | (lambda v:G(v*2,v,T.eye(2),is_grads_batched=True))(x())
grad batched bad | (lambda v:G(v*2,v,T.ones(2,3),is_grads_batched=True))(x())
hook nograd | T.ones(2).register_hook(lambda g:g)
hook ret shape | (lambda v:(v.register_hook(lambda g:T.ones(3)),v.sum().backward()))(x())
hook ret num | (lambda v:(v.register_hook(lambda g:3),v.sum().backward()))(x())
hook ret dtype | (lambda v:(v.register_hook(lambda g:g.double()),v.sum().backward()))(x())
hook ret int | (lambda v:(v.register_hook(lambda g:g.long()),v.sum().backward()))(x())
hook ret tuple | (lambda v:(v.register_hook(lambda g:(g,)),v.sum().backward()))(x())
hook args | (lambda v:(v.register_hook(lambda:1),v.sum().backward()))(x())
post acc hook nonleaf | (x()*2).register_post_accumulate_grad_hook(lambda p:None)
post acc hook nograd | T.ones(2).register_post_accumulate_grad_hook(lambda p:None)
post acc ret | (lambda v:(v.register_post_accumulate_grad_hook(lambda p:3),v.sum().backward()))(x())
node hook ret type | (lambda y:(y.grad_fn.register_hook(lambda i,o:3),y.sum().backward()))(x()*2)
node hook ret tensor | (lambda y:(y.grad_fn.register_hook(lambda i,o:i[0]),y.sum().backward()))(x()*2)
node hook shape | (lambda y:(y.grad_fn.register_hook(lambda i,o:(T.ones(3),None)),y.sum().backward()))(x()*x())
node prehook ret | (lambda y:(y.grad_fn.register_prehook(lambda o:3),y.sum().backward()))(x()*2)
node prehook len | (lambda y:(y.grad_fn.register_prehook(lambda o:(o[0],o[0])),y.sum().backward()))(x()*2)
multi_grad hook | T.autograd.graph.register_multi_grad_hook([x()],lambda g:None,mode='what')
multi_grad hook nograd | T.autograd.graph.register_multi_grad_hook([T.ones(2)],lambda g:None)
leaf inplace | x().add_(1)
leaf view inplace | x()[0].add_(1)
view leaf inplace | x().view(2).mul_(2)
leaf setitem | x().__setitem__(0,1.)
leaf zero_ | x().zero_()
leaf copy_ | x().copy_(T.ones(2))
leaf out | T.add(T.ones(2),1,out=x())
out needs | T.add(x(),1,out=T.ones(2))
leaf resize | x().resize_(3)
resize req | (x()*1).resize_(3)
leaf detach_ | x().detach_()
view detach_ | (x()*1)[:1].detach_()
unbind inplace | (x()*1).unbind()[0].add_(1)
chunk inplace | (x()*1).chunk(2)[0].add_(1)
split inplace | (x()*1).split(1)[0].mul_(2)
expand inplace | (x()*1).expand(3,2).add_(1)
saved modified | (lambda v:(lambda y:(v.add_(1),y.sum().backward()))(v**2))(x()*1)
saved out modified | (lambda y:(y.add_(1),y.sum().backward()))((x()*1).exp())
req int | T.ones(2).long().requires_grad_()
req attr int | setattr(T.ones(2).long(),'requires_grad',True)
tensor int req | T.tensor([1],requires_grad=True)
nonleaf req False | setattr(x()*1,'requires_grad',False)
grad set shape | setattr(x(),'grad',T.ones(3))
grad set dtype | setattr(x(),'grad',T.ones(2).double())
grad set num | setattr(x(),'grad',3)
grad set self | (lambda v:setattr(v,'grad',v))(x())
numpy req | x().numpy()
deepcopy nonleaf | __import__('copy').deepcopy(x()*1)
retain_grad nograd | T.ones(2).retain_grad()
data set shape | setattr(x(),'data',T.ones(3))
data set dtype | setattr(x(),'data',T.ones(2).long())
data set num | setattr(x(),'data',3)
jac | T.autograd.functional.jacobian(lambda v:3,x())
jac2 | T.autograd.functional.jacobian(lambda v:v*2,3)
jac strict | T.autograd.functional.jacobian(lambda v:T.ones(2),x(),strict=True)
hess | T.autograd.functional.hessian(lambda v:v*2,x())
vjp | T.autograd.functional.vjp(lambda v:v*2,x())
vjp shape | T.autograd.functional.vjp(lambda v:v*2,x(),T.ones(3))
jvp | T.autograd.functional.jvp(lambda v:v*2,x())
hvp | T.autograd.functional.hvp(lambda v:v*2,x(),T.ones(2))
gradcheck nograd | T.autograd.gradcheck(T.sin,(T.ones(1,dtype=T.double),))
gradcheck float | T.autograd.gradcheck(T.sin,(T.ones(1,requires_grad=True),))
gradcheck wrong | T.autograd.gradcheck(define(lambda c,a:a*2,lambda c,g:g*3).apply,(T.ones(1,dtype=T.double,requires_grad=True),))
gradcheck noout | T.autograd.gradcheck(lambda v:v.detach(),(T.ones(1,dtype=T.double,requires_grad=True),))
gradcheck overlap | T.autograd.gradcheck(T.sin,(T.ones(1,dtype=T.double,requires_grad=True).expand(3),))
grad for number wrong type | run(define(lambda c,a,k:a*k,lambda c,g:(g,3)),x(),2)
save twice | run(define(lambda c,a:(c.save_for_backward(a),c.save_for_backward(a,a),a*2)[2],lambda c,g:g*len(c.saved_tensors)),x())
mark_dirty not input | run(define(lambda c,a:(lambda b:(c.mark_dirty(b),b)[1])(a*2),lambda c,g:g),x()*1)
node hook ret len | (lambda y:(y.grad_fn.register_hook(lambda i,o:(1,2,3)),y.sum().backward()))(x()*2)
no-grad view in place | no_grad_view(x()*1).add_(1)
no-grad view of a leaf in place | no_grad_view(x()).add_(1)
inference in place | inference().add_(1)
inference saved | (x()*inference()).sum()
inference requires_grad_ | inference().requires_grad_()
inference version | inference()._version
inference backward | inference().sum().backward()
"""


def _scope(torch: Any) -> dict[str, Any]:
    import numpy as np

    function = torch.autograd.Function

    def define(forward: Any, backward: Any, name: str = "Mine") -> Any:
        return type(name, (function,), {"forward": staticmethod(forward), "backward": staticmethod(backward)})

    def x() -> Any:
        return torch.tensor([1.0, 2.0], requires_grad=True)

    def run(made: Any, *args: Any) -> Any:
        y = made.apply(*args)
        y = y[0] if isinstance(y, tuple) else y
        leaves = [v for v in args if isinstance(v, torch.Tensor) and v.requires_grad]
        return torch.autograd.grad(y.sum(), leaves, allow_unused=True)

    def no_grad_view(v: Any) -> Any:
        with torch.no_grad():
            return v[:1]

    def inference() -> Any:
        with torch.inference_mode():
            return torch.ones(2)

    return {
        "T": torch, "np": np, "F": function, "G": torch.autograd.grad, "define": define, "x": x, "run": run,
        "once": torch.autograd.function.once_differentiable, "no_grad_view": no_grad_view, "inference": inference,
    }  # fmt: skip


def shown(torch: Any, value: Any) -> Any:
    """A result as JSON has it."""
    if isinstance(value, torch.Tensor):
        return [str(value.dtype), value.detach().tolist()] if not value.is_complex() else [str(value.dtype)]
    if isinstance(value, (tuple, list)):
        return [shown(torch, item) for item in value]
    return value if isinstance(value, (int, float, str, type(None))) else type(value).__name__.replace("Removable", "")


def answers(torch: Any) -> Iterator[tuple[str, Any]]:
    """What each line gives: a result, or the type and first line of an exception."""
    scope = _scope(torch)
    torch.manual_seed(0)
    for line in CALLS.strip().splitlines():
        label, _, expression = line.partition(" | ")
        try:
            found = shown(torch, eval(expression, scope))
        except Exception as error:
            found = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
        yield label, found
