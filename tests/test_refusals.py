"""What reductions, scans, ranks, indices and products refuse: PyTorch's exception type and first line."""

from __future__ import annotations

import warnings

import pytest

import rushlight as rl

CALLS = [
    "t.trace(t.ones(3))",
    "t.signal.windows.blackman(-1)",
    "t.signal.windows.blackman(3,dtype=t.int64)",
    "t.signal.windows.blackman(3,layout=t.sparse_coo)",
    "t._chunk_cat([t.ones(3,4)],-3,2)",
    "t._chunk_cat([t.ones(3,4),t.ones(2)],1,2)",
    "t._chunk_cat([t.ones(3,4),t.ones(2,4)],1,2)",
    "t._chunk_cat([t.ones(3,4)],0,0)",
    "t.ones(3).masked_fill(t.ones(3).bool(),t.ones(1))",
    "t.ones(3).masked_fill(t.ones(3).bool(),1j)",
    "t.ones(3).masked_fill(t.ones(3),1)",
    "t.ones(3).long().masked_fill(t.ones(3).bool(),t.tensor(1.5))",
    "t.ones(3).masked_fill(t.ones(4).bool(),1.)",
    "t.aminmax(t.ones(0))",
    "t.aminmax(t.ones(0,3),dim=0)",
    "t.aminmax(t.ones(3),dim=2)",
    "t.aminmax(t.ones(3,dtype=t.complex64))",
    "t.amax(t.ones(0))",
    "t.amax(t.ones(2,0),dim=1)",
    "t.amax(t.ones(2,2),dim=(0,0))",
    "t.amax(t.ones(2,2),dim=3)",
    "t.amax(t.ones(2,dtype=t.complex64))",
    "t.max(t.ones(0))",
    "t.max(t.ones(2,0),1)",
    "t.max(t.ones(2,dtype=t.complex64))",
    "t.max(t.ones(2,dtype=t.complex64),0)",
    "t.max(t.ones(2,dtype=t.complex64),t.ones(2))",
    "t.sum(t.ones(2),3)",
    "t.sum(t.ones(2,2),(0,0))",
    "t.mean(t.ones(2).long())",
    "t.var(t.ones(2).long())",
    "t.std(t.ones(2).bool())",
    "t.prod(t.ones(2),5)",
    "t.cumsum(t.ones(2),3)",
    "t.logsumexp(t.ones(2),2)",
    "t.sort(t.ones(2),2)",
    "t.topk(t.ones(2),3)",
    "t.topk(t.ones(2,dtype=t.complex64),1)",
    "t.sort(t.ones(2,dtype=t.complex64))",
    "t.kthvalue(t.ones(2),3)",
    "t.kthvalue(t.ones(0,2),1,0)",
    "t.median(t.ones(0,2),0)",
    "t.mode(t.ones(0,2),0)",
    "t.quantile(t.ones(3),1.5)",
    "t.quantile(t.ones(3).long(),.5)",
    "t.quantile(t.ones(0),.5)",
    "t.quantile(t.ones(3),t.tensor([.5]).double())",
    "t.searchsorted(t.ones(2,3),t.ones(3,3))",
    "t.searchsorted(t.ones(2,3),1.)",
    "t.bucketize(t.ones(2),t.ones(2,2))",
    "t.bincount(t.tensor([-1]))",
    "t.bincount(t.ones(2))",
    "t.histc(t.ones(2),bins=-1)",
    "t.histc(t.ones(2),min=3,max=1)",
    "t.histc(t.ones(2).long())",
    "t.unique(t.ones(2),dim=4)",
    "t.gather(t.ones(2,2),0,t.ones(2,2))",
    "t.gather(t.ones(2,2),0,t.full((1,2),5))",
    "t.scatter(t.ones(2,2),0,t.zeros(3,3).long(),t.ones(2,2))",
    "t.scatter_add(t.ones(2),0,t.zeros(2).long(),t.ones(2).double())",
    "t.index_select(t.ones(2),0,t.tensor([5]))",
    "t.index_select(t.ones(2),0,t.ones(1))",
    "t.index_add(t.ones(2),0,t.tensor([5]),t.ones(1))",
    "t.index_copy(t.ones(2),0,t.tensor([5]),t.ones(1))",
    "t.index_fill(t.ones(2),0,t.tensor([5]),1.)",
    "t.take(t.ones(2),t.tensor([3]))",
    "t.masked_select(t.ones(2),t.ones(2))",
    "t.masked_scatter(t.ones(2),t.ones(2).bool(),t.ones(1))",
    "t.mm(t.ones(2),t.ones(2))",
    "t.mm(t.ones(2,3),t.ones(2,3))",
    "t.mm(t.ones(2,2),t.ones(2,2).double())",
    "t.bmm(t.ones(2,2),t.ones(2,2))",
    "t.matmul(t.tensor(1.),t.ones(2))",
    "t.matmul(t.ones(2,3),t.ones(2))",
    "t.matmul(t.ones(2,2,3),t.ones(3,3,2))",
    "t.dot(t.ones(2),t.ones(3))",
    "t.dot(t.ones(2,2),t.ones(2))",
    "t.mv(t.ones(2,2),t.ones(3))",
    "t.mv(t.ones(2),t.ones(3))",
    "t.outer(t.ones(2,2),t.ones(2))",
    "t.addmm(t.ones(3),t.ones(2,2),t.ones(2,2))",
    "t.einsum('ij,jk',t.ones(2,2))",
    "t.einsum('ij',t.ones(2))",
    "t.einsum('i->j',t.ones(2))",
    "t.einsum('ij,jk->ik',t.ones(2,3),t.ones(2,3))",
    "t.tensordot(t.ones(2,3),t.ones(2,3),1)",
    "t.vdot(t.ones(2),t.ones(2,2))",
    "t.inner(t.ones(2),t.ones(3))",
    "t.flip(t.ones(2),(0,0))",
    "t.roll(t.ones(2),(1,2),0)",
    "t.tril(t.ones(2))",
    "t.diag(t.ones(2,2,2))",
    "t.rot90(t.ones(2))",
    "t.ones(2).repeat()",
    "t.ones(2,2).repeat(2)",
    "t.diag_embed(t.ones(2),0,1,1)",
    "t.repeat_interleave(t.ones(2),t.tensor([1,2,3]),0)",
    "t.norm(t.ones(2).long())",
    "t.renorm(t.ones(3),2,0,1)",
    "t.logcumsumexp(t.ones(2).long(),0)",
    "t.cov(t.ones(2,2,2))",
    "t.diff(t.tensor(1.))",
    "t.trapezoid(t.ones(3),t.ones(2))",
    "t.vander(t.ones(2,2))",
    "t.combinations(t.ones(2,2))",
    "t.unravel_index(t.tensor([1.]),(2,))",
    "t.put(t.ones(2),t.tensor([3]),t.ones(1))",
    "t.cross(t.ones(2),t.ones(2))",
    "t.count_nonzero(t.ones(2),3)",
    "t.argmax(t.ones(0))",
    "t.argmin(t.ones(2,0),1)",
    "t.all(t.ones(2),4)",
    "t.nansum(t.ones(2,dtype=t.complex64))",
    "t.nanmean(t.ones(2).long())",
]


def refusal(call, package):
    """The exception of a call, written with `t` for the package, as (type's name, first line)."""
    try:
        eval(call, {"t": package})
    except Exception as error:
        return type(error).__name__, str(error).split("\n")[0]
    return None


@pytest.mark.oracle
@pytest.mark.parametrize("call", CALLS)
def test_refusals_are_pytorchs(call):
    torch = pytest.importorskip("torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wanted = refusal(call, torch)
        assert refusal(call, rl) == wanted
