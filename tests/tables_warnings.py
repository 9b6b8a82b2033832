"""What is warned of, where, and whether again: small programs run twice in a process of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from typing import Any

LEAST = 320

PROGRAMS = """
torch.meshgrid(torch.ones(2),torch.ones(2))
torch.chain_matmul(torch.ones(2,2),torch.ones(2,2))
torch.lu(torch.ones(2,2)+torch.eye(2))
torch.qr(torch.ones(2,2))
torch.cholesky(torch.eye(2))
torch.ones(2,2).qr()
torch.eye(2).cholesky()
torch.ones(2,2).lu()
torch.where(torch.ones(2).byte(),1.,2.)
torch.where(torch.ones(2).byte(),torch.ones(2),torch.ones(2))
torch.set_default_tensor_type('torch.FloatTensor')
torch.bucketize(torch.ones(2),torch.arange(8.).reshape(4,2)[:,0])
torch.searchsorted(torch.arange(8.).reshape(4,2)[:,0],torch.ones(2))
torch.bucketize(torch.ones(4,2)[:,0],torch.arange(4.))
torch.searchsorted(torch.arange(4.),torch.ones(4,2)[:,0])
nn.utils.weight_norm(nn.Linear(2,2))
F.gumbel_softmax(torch.ones(2,2),eps=1e-5)
nn.Hardtanh(min_value=-1)
nn.Hardtanh(max_value=1)
nn.NLLLoss2d()
torch.ones(1,requires_grad=True).__float__()
float(torch.ones(1,requires_grad=True))
int(torch.ones(1,requires_grad=True))
complex(torch.ones(1,requires_grad=True))
math.sqrt(torch.ones(1,requires_grad=True))
torch.ones(1,requires_grad=True).item()
torch.tensor(torch.ones(1,requires_grad=True)*1)
torch.tensor([p0,p0])
torch.ones(()).T
torch.ones(2,2,2).H
torch.cross(torch.ones(2,3),torch.ones(2,3))
torch.ones(3,3).cross(torch.ones(3,3))
torch.triangular_solve(torch.ones(2,2),torch.eye(2))
torch.autograd.gradcheck(torch.sin,torch.ones(1,requires_grad=True),raise_exception=False)
torch.autograd.gradgradcheck(torch.sin,torch.ones(1,requires_grad=True),raise_exception=False)
F.conv2d(torch.ones(1,1,4,4),torch.ones(1,1,2,2),padding='same')
F.conv1d(torch.ones(1,1,4),torch.ones(1,1,2),padding='same')
F.conv3d(torch.ones(1,1,4,4,4),torch.ones(1,1,2,2,2),padding='same')
F.conv2d(torch.ones(1,1,4,4),torch.ones(1,1,3,3),padding='same')
torch.ones(3,dtype=torch.complex64).to(torch.float32)
torch.zeros(2)[0:1].__setitem__(0,torch.tensor(1j))
torch.zeros(2)[0:1]=torch.tensor([1j])
torch.ones(2,dtype=torch.cfloat).to(torch.int64)
torch.ones(2,dtype=torch.cfloat).bool()
torch.ones(2,dtype=torch.cfloat).double()
torch.ones(2,dtype=torch.cfloat).type(torch.float32)
torch.tensor([1j],dtype=torch.float32)
torch.tensor(torch.tensor([1j]),dtype=torch.float32)
torch.as_tensor(np.array([1j]),dtype=torch.float32)
torch.linalg.vector_norm(torch.ones(2),dtype=torch.float64)
torch.index_reduce(torch.zeros(3),0,torch.tensor([0]),torch.ones(1),'foo')
torch.var(torch.ones(1))
torch.std_mean(torch.ones(0))
torch.cov(torch.ones(2,1))
torch.corrcoef(torch.ones(2,1))
torch.cov(torch.ones(2,1),correction=3)
F.nll_loss(torch.ones(2,3),torch.zeros(2).long(),reduce=False)
torch.ones(2).mH
torch.ones(2).div_(2,rounding_mode='floor')
torch.from_numpy(np.ones(2)[::-1].copy())
torch.nonzero(torch.ones(1),as_tuple=False)
torch.ones(1).nonzero()
torch.sum(torch.ones(1),axis=0)
torch.tensor([1.]).new([1.])
torch.Tensor(2).new(2)
torch.ones(2).masked_fill_(torch.ones(2).byte(),1.)
torch.ones(2).masked_fill(torch.ones(2).byte(),1.)
torch.masked_select(torch.ones(2),torch.ones(2).byte())
torch.ones(2).masked_scatter_(torch.ones(2).byte(),torch.ones(2))
torch.ones(2)[torch.ones(2).byte()]
torch.ones(2).expand(3,2).add_(1)
torch.ones(2).index_put_((torch.ones(2).byte(),),torch.ones(2))
torch.hann_window(2,True)
torch.scalar_tensor(2.)
torch.Tensor.type(torch.ones(1),'torch.DoubleTensor')
torch.svd(torch.eye(2))
torch.linalg.svd(torch.eye(2))
F.affine_grid(torch.ones(1,2,3),(1,1,1,2))
F.affine_grid(torch.ones(1,2,3),(1,1,1,2),align_corners=True)
F.interpolate(torch.ones(1,1,4,4),scale_factor=1.3,mode='bilinear')
F.interpolate(torch.ones(1,1,4,4),size=2,scale_factor=2)
nn.Bilinear(2,2,2)
nn.Conv2d(1,1,1,padding_mode='zeros')
nn.LSTM(2,2,dropout=.5,num_layers=1)
nn.init.kaiming_normal_(torch.ones(0,3))
nn.init.zeros_(torch.ones(0))
nn.Linear(0,3)
nn.Conv1d(0,3,1)
nn.Linear(3,0)
nn.LazyLinear(2).state_dict()
nn.Module().register_full_backward_hook(lambda *a:None)
(lambda m:(m.register_full_backward_hook(lambda *a:None),m(torch.ones(1,2)).sum().backward()))(nn.Linear(2,2))
(lambda m:(m.register_full_backward_hook(lambda *a:None),m(torch.ones(1,2,requires_grad=True))))(nn.Flatten())
(lambda m:(m.register_full_backward_hook(lambda *a:None),m(torch.ones(2,1,2))))(nn.LSTM(2,2))
F.dropout2d(torch.ones(2))
F.dropout1d(torch.ones(2,2))
F.dropout3d(torch.ones(2,2,2))
F.feature_alpha_dropout(torch.ones(2,2))
nn.Softmax()(torch.ones(2,2,2,2))
nn.LogSoftmax()(torch.ones(2,2,2))
nn.Softmin()(torch.ones(2,2))
F.nll_loss(torch.ones(2,3),torch.zeros(2).long(),size_average=False)
F.multilabel_margin_loss(torch.ones(2,3),torch.zeros(2,3).long(),size_average=False)
F.hinge_embedding_loss(torch.ones(2),torch.ones(2),size_average=False)
F.cosine_embedding_loss(torch.ones(2,2),torch.ones(2,2),torch.ones(2),reduce=True)
F.margin_ranking_loss(torch.ones(2),torch.ones(2),torch.ones(2),reduce=False,size_average=True)
F.kl_div(torch.ones(2),torch.ones(2),reduce=False)
F.poisson_nll_loss(torch.ones(2),torch.ones(2),reduce=True)
F.binary_cross_entropy_with_logits(torch.ones(2),torch.ones(2),reduce=True)
F.multi_margin_loss(torch.ones(2,3),torch.zeros(2).long(),reduce=True)
nn.L1Loss(reduce=False)
nn.KLDivLoss()(torch.ones(2),torch.ones(2))
nn.MSELoss()(torch.ones(2,1),torch.ones(2))
nn.L1Loss()(torch.ones(2,1),torch.ones(2))
torch.is_storage(1)
torch.autograd.Variable(torch.ones(1),volatile=True)
torch.autograd.Variable(torch.ones(1)).volatile
torch.ones(1).volatile
v=torch.ones(1,requires_grad=True)*2; v.requires_grad_(False)
v=torch.ones(1,requires_grad=True)*2; v.grad
v=torch.ones(1,requires_grad=True); v.retain_grad()
torch.norm(torch.ones(2),dim=0)
torch.ones(1).norm()
torch.range(0,2.5)
torch.ones(4)//torch.ones(4)
torch.ones(4).floor_divide_(2)
4//torch.ones(4)
torch.ones(4).__ifloordiv__(2)
schedule.StepLR(torch.optim.SGD([p0],lr=1.),1,verbose=True)
schedule.ExponentialLR(torch.optim.SGD([p0],lr=1.),1).step(2)
schedule.LambdaLR(torch.optim.SGD([p0],lr=1.),lambda e:1.).get_lr()
(lambda o,s:(s.step(),o.step()))(*(lambda o:(o,schedule.StepLR(o,1)))(torch.optim.SGD([p0],lr=1.)))
(lambda o,s:(o.step(),s.step(),s.step(5)))(*(lambda o:(o,schedule.CosineAnnealingLR(o,5)))(torch.optim.SGD([p0],lr=1.)))
(lambda o,s:(setattr(o,'step',lambda:0),s.step()))(*(lambda o:(o,schedule.StepLR(o,1)))(torch.optim.SGD([p0],lr=1.)))
(lambda o,s:(o.step(),s.step(),s.load_state_dict(s.state_dict())))(*(lambda o:(o,schedule.LambdaLR(o,lambda e:1)))(torch.optim.SGD([p0],lr=1.)))
schedule.OneCycleLR(torch.optim.SGD([p0],lr=1.),1.,10)
o1 = torch.optim.SGD([p0], lr=1.0); schedule.SequentialLR(o1,[schedule.ConstantLR(o1),schedule.ConstantLR(o1)],[1]).step(2)
torch.optim.Adam([p0],lr=torch.tensor(1.))
torch.optim.Adam([p0],lr=torch.tensor([1.]),foreach=True)
torch.optim.SGD([p0],lr=torch.tensor(1.),foreach=True)
torch.optim.SGD([p0,p0],lr=1.)
torch.optim.SGD(iter([('a',p0)]),lr=1.)
torch.utils.data.DataLoader([1],timeout=1)
torch.utils.data.DataLoader(iter([1]),pin_memory_device='cuda')
list(torch.utils.data.DataLoader([1,2],pin_memory=True))
torch.ones(3).as_strided((2,),(1,)).storage_offset()
torch.autograd.set_detect_anomaly(True)
torch.autograd.set_detect_anomaly(False)
torch.set_grad_enabled(True)
torch.no_grad
torch.inference_mode()(type('A',(),{}))
torch.enable_grad()(type('A',(),{}))
torch.frombuffer(b'abcd',dtype=torch.uint8)
torch.from_numpy(np.frombuffer(b'abcd',dtype=np.uint8))
torch.as_tensor(np.frombuffer(b'abcd',dtype=np.uint8))
torch.asarray(np.frombuffer(b'abcd',dtype=np.uint8))
torch.asarray(b'abcd',dtype=torch.uint8)
torch.tensor(np.frombuffer(b'abcd',dtype=np.uint8))
torch.utils.data.default_collate([np.frombuffer(b'abcd',dtype=np.uint8)])
torch.tensor([np.ones(2)])
torch.as_tensor([np.ones(2)])
torch.Tensor([np.ones(2)])
torch.tensor([np.float64(1)])
torch.add(torch.ones(3),1,out=torch.ones(2))
torch.add(torch.ones(3),1,out=torch.ones(0))
torch.mm(torch.ones(2,2),torch.ones(2,2),out=torch.ones(3))
torch.cat([torch.ones(2)],out=torch.ones(3))
torch.arange(3,out=torch.ones(2))
torch.linspace(0,1,3,out=torch.ones(2))
torch.sort(torch.ones(3),out=(torch.ones(2),torch.ones(2).long()))
torch.max(torch.ones(3),0,out=(torch.ones(2),torch.ones(2).long()))
torch.sum(torch.ones(3),0,out=torch.ones(2))
torch.cumsum(torch.ones(3),0,out=torch.ones(2))
torch.zeros(3,out=torch.ones(2))
torch.full((3,),1.,out=torch.ones(2))
torch.index_select(torch.ones(3),0,torch.tensor([0]),out=torch.ones(2))
torch.gather(torch.ones(3),0,torch.tensor([0]),out=torch.ones(2))
torch.stack([torch.ones(2)],out=torch.ones(3))
torch.masked_select(torch.ones(3),torch.ones(3).bool(),out=torch.ones(2))
torch.nonzero(torch.ones(3),out=torch.ones(2).long())
torch.normal(0.,1.,(3,),out=torch.ones(2))
torch.rand(3,out=torch.ones(2))
torch.where(torch.ones(3).bool(),torch.ones(3),torch.ones(3),out=torch.ones(2))
torch.bmm(torch.ones(1,2,2),torch.ones(1,2,2),out=torch.ones(2))
torch.topk(torch.ones(3),2,out=(torch.ones(1),torch.ones(1).long()))
torch.unique(torch.ones(1))
torch.fft.fft(torch.ones(3),out=torch.ones(2).cfloat())
torch.stft(x,16,window=torch.hann_window(16),return_complex=False).shape
torch.stft(x,16,return_complex=True).shape
torch.istft(torch.stft(x,16,window=torch.ones(16),return_complex=True),16).shape
torch.tensor([1+2j]).float()
torch.zeros(2).copy_(torch.ones(2)*1j)
torch.zeros(3).scatter_(0,torch.tensor([0,1]),torch.ones(2),reduce='add')
torch.ones(3).index_reduce(0,torch.tensor([0,0]),torch.ones(2)*3,'mean')
torch.ones(2,3,4).T
torch.ones(3).T
torch.from_numpy(np.broadcast_to(np.ones(1),(3,)))
(torch.ones(2,requires_grad=True)*2).grad
torch.range(1,3)
torch.tensor(torch.ones(2))
torch.ones(2).new_tensor(torch.ones(2))
torch.ones(2,requires_grad=True).sum().backward(create_graph=True)
F.tanh(x)
F.sigmoid(x)
nn.init.uniform(torch.ones(2))
F.softmax(torch.ones(2,2))
F.mse_loss(torch.ones(2),torch.ones(2,1))
F.kl_div(torch.ones(2),torch.ones(2))
F.cross_entropy(torch.ones(2,3),torch.zeros(2).long(),size_average=False)
nn.MSELoss(size_average=False)
torch.cdist(torch.ones(2,2),torch.ones(2,2)); torch.meshgrid(torch.ones(2),torch.ones(2))
torch.norm(torch.ones(2))
torch.ones(2).byte()[torch.ones(2).byte()]
torch.std(torch.ones(1))
torch.ones(3)//2
torch.floor_divide(torch.ones(3),2)
nn.LSTM(2,2,dropout=0.5)
torch.nonzero(torch.ones(2))
nn.utils.clip_grad_norm([torch.ones(1,requires_grad=True)],1.)
F.dropout2d(torch.ones(2,3,4))
F.dropout3d(torch.ones(2,3))
nn.Softmax()(torch.ones(2))
nn.init.kaiming_uniform_(torch.ones(0,2))
torch.tensor([1.]).storage()
torch.ones(2).type_as
torch.ones(2).bernoulli_().is_shared()
torch.tensordot(torch.ones(2),torch.ones(2),1)
torch.nanmean(torch.ones(2))
torch.quantile(torch.ones(2),0.5)
torch.result_type(1,2)
torch.mean(torch.ones(0))
torch.std(torch.ones(0))
torch.ones(2)[[0,1],]
torch.ones(2,2)[[[0,1],[0,1]]]
torch.ones(2,requires_grad=True).data
F.interpolate(torch.ones(1,1,4,4),scale_factor=0.5,recompute_scale_factor=True)
F.affine_grid(torch.ones(1,2,3),(1,1,2,2))
F.hardtanh(x,min_val=-1)
F.l1_loss(torch.ones(2),torch.ones(1))
F.smooth_l1_loss(torch.ones(2),torch.ones(1))
F.binary_cross_entropy(torch.ones(2),torch.ones(2),size_average=True)
F.triplet_margin_loss(torch.ones(2,2),torch.ones(2,2),torch.ones(2,2),reduce=False)
nn.CrossEntropyLoss(size_average=True,reduce=True)
nn.Linear(0,2)
nn.init.xavier_normal(torch.ones(2,2))
nn.Dropout2d()(torch.ones(2,3,4))
nn.TransformerEncoder(nn.TransformerEncoderLayer(4,2),1)
nn.MultiheadAttention(4,2)(torch.ones(2,1,4),torch.ones(2,1,4),torch.ones(2,1,4),key_padding_mask=torch.zeros(1,2).bool(),attn_mask=torch.zeros(2,2))
nn.ReLU().register_backward_hook(lambda *a:None)
nn.ParameterList([torch.ones(2)])
nn.LazyLinear(3)
nn.ParameterDict({'a':torch.ones(1)})
nn.utils.rnn.pack_padded_sequence(torch.ones(2,1,2),torch.tensor([2]))
torch.autograd.Variable(torch.ones(1))
torch.ones(2,requires_grad=True).register_hook(lambda g:None)
torch.autograd.set_detect_anomaly(True); torch.autograd.set_detect_anomaly(False)
torch.autograd.backward(torch.ones(1,requires_grad=True).sum(),grad_variables=torch.tensor(1.))
torch.no_grad()(type('A',(),{}))
torch.optim.SGD([p0,p0],lr=1.)
(lambda o:schedule.StepLR(o,1).step())(torch.optim.SGD([p0],lr=1.))
(lambda o:schedule.StepLR(o,1).step(3))(torch.optim.SGD([p0],lr=1.))
schedule.StepLR(torch.optim.SGD([p0],lr=1.),1).get_lr()
schedule.ChainedScheduler([schedule.StepLR(torch.optim.SGD([p0],lr=1.),1)]).step()
torch.utils.data.DataLoader([1],pin_memory=True)
len(torch.utils.data.DataLoader([1]))
torch.ones(2).numpy().astype('f')
torch.ones(2).__array_wrap__(np.ones(2))
torch.ones(1,requires_grad=True).sum().__int__()
torch.sum(torch.ones(1),0,dtype=torch.int64)
torch.vander(torch.ones(2))
torch.ones(2,2).mT
torch.ones(2).H
torch.cross(torch.ones(3,3),torch.ones(3,3))
torch.gradient(torch.ones(3))
F.embedding_bag(torch.zeros(2,2).long(),torch.ones(3,2))
torch.combinations(torch.ones(2))
torch.ones(2).is_same_size(torch.ones(2))
torch.autograd.functional.jacobian(lambda x:x,torch.ones(1))
torch.tensor(np.float32(1)); torch.tensor([np.ones(2),np.ones(2)])
torch.tensor([torch.tensor(1.),torch.tensor(2.)])
torch.as_tensor(torch.ones(1))
torch.Tensor([1]).long() ^ True
~torch.ones(1).bool()
torch.tril_indices(2,2)
torch.utils.data.get_worker_info()
torch.trapz(torch.ones(2))
torch.linalg.lstsq(torch.eye(2),torch.ones(2,1))
torch.linalg.qr(torch.eye(2))
F.scaled_dot_product_attention(torch.ones(1,2,2),torch.ones(1,2,2),torch.ones(1,2,2))
F.pad(torch.ones(1,2,2),(1,1),mode='reflect')
F.max_pool2d(torch.ones(1,2,2),2)
F.lp_pool2d(torch.ones(1,2,2),2,2)
F.fold(torch.ones(1,4,1),(2,2),2)
F.ctc_loss(torch.ones(2,1,2),torch.ones(1,1).long(),torch.tensor([2]),torch.tensor([1]))
F.gaussian_nll_loss(torch.ones(2),torch.ones(2),torch.ones(2))
F.poisson_nll_loss(torch.ones(2),torch.ones(2),size_average=True)
F.soft_margin_loss(torch.ones(2),torch.ones(2),reduce=True)
F.relu6(x,True)
F.tanhshrink(x)
F.log_softmax(torch.ones(2,2))
F.softmin(torch.ones(2,2))
F.softmin(torch.ones(2,2,2))
F.instance_norm(torch.ones(1,2,3))
nn.InstanceNorm1d(3)(torch.ones(1,2,3))
nn.InstanceNorm1d(3,affine=False)(torch.ones(2,2,3))
nn.InstanceNorm2d(3)(torch.ones(1,2,3,3))
nn.RNN(2,2,num_layers=1,dropout=0.5)
nn.GRUCell(2,2)(torch.ones(2))
nn.Conv2d(1,1,2,padding='same')(torch.ones(1,1,3,3))
nn.AdaptiveLogSoftmaxWithLoss(2,4,[2])
nn.Embedding(2,2,sparse=False)
nn.Sequential().forward
nn.utils.parametrize.cached().__enter__
nn.utils.spectral_norm(nn.Linear(2,2))
nn.utils.parameters_to_vector([torch.ones(2)])
nn.utils.rnn.pad_packed_sequence(nn.utils.rnn.pack_sequence([torch.ones(2)]))
nn.init.sparse(torch.ones(2,2),0.5)
nn.init.trunc_normal_(torch.ones(2),mean=9.)
schedule.ReduceLROnPlateau(torch.optim.SGD([p0],lr=1.)).step(1.)
schedule.LambdaLR(torch.optim.SGD([p0],lr=1.),lambda e:1.).state_dict()
schedule.OneCycleLR(torch.optim.SGD([p0],lr=1.,momentum=.9),1.,10)
schedule.CyclicLR(torch.optim.SGD([p0],lr=1.,momentum=.9),.1,1.).step()
o1 = torch.optim.SGD([p0], lr=1.0); schedule.SequentialLR(o1,[schedule.ConstantLR(o1),schedule.ConstantLR(o1)],[1]).step()
schedule.CosineAnnealingWarmRestarts(torch.optim.SGD([p0],lr=1.),2).step()
torch.optim.swa_utils.AveragedModel(nn.Linear(2,2))
torch.optim.Adam([p0],lr=1.,betas=(0.9,0.9),fused=False).zero_grad()
torch.optim.LBFGS([p0])
torch.optim.SparseAdam([p0])
torch.optim.NAdam([p0])
"""


def heard(torch: Any, program: str, scope: dict[str, Any]) -> tuple[list[Any], str | None]:
    """The warnings of one run (category, first line, and the file they name), and what it raised."""
    raised = None
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        try:
            exec(compile(program, "<program>", "exec"), scope)
        except Exception as error:
            raised = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
    said = [(w.category.__name__, str(w.message).split("\n")[0].split(" (Triggered")[0], w.filename) for w in seen]
    # Addresses and NumPy's words about PyTorch's own protocol are no facts to keep.
    return [entry for entry in said if "__array_wrap__" not in entry[1]], raised


def scope_of(torch: Any) -> dict[str, Any]:
    """The names that the programs use."""
    import math

    import numpy as np

    return {
        "torch": torch, "np": np, "math": math, "nn": torch.nn, "F": torch.nn.functional, "x": torch.arange(64.0),
        "schedule": torch.optim.lr_scheduler, "p0": torch.ones(1, requires_grad=True),
    }  # fmt: skip


def run(package: str) -> dict[str, Any]:
    """All programs, one after the other: [[warnings], number on the second run, what was raised]."""
    import importlib

    torch = importlib.import_module(package)
    importlib.import_module(f"{package}.optim.lr_scheduler")
    importlib.import_module(f"{package}.utils.data")
    scope = scope_of(torch)
    found = {}
    for program in PROGRAMS.strip().splitlines():
        first, raised = heard(torch, program, scope)
        second, _ = heard(torch, program, scope)
        outside = [text for _, text, file in first if package == "rushlight" and file != "<program>"]
        found[program] = [
            [entry[:2] for entry in first],
            len(second),
            raised,
            *(["not the user's line"] * bool(outside)),
        ]
    return found


def answers(torch: Any) -> Iterator[tuple[str, Any]]:
    """What each program says, in a fresh process: warnings that come once have not come there yet."""
    code = f"import json, tables_warnings; print(json.dumps(tables_warnings.run({torch.__name__!r})))"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([os.path.dirname(__file__), *sys.path])}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, env=environment, check=True
    )
    yield from json.loads(done.stdout.splitlines()[-1]).items()
