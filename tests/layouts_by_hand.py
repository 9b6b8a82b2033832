"""Cases for the table of layouts that the samples lack: nets of pictures, memory formats, mixed layouts, indices, copies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Case = Callable[[Any], Any]
CASES: dict[str, Case] = {}


def _enter(group: str, **cases: Case) -> None:
    CASES.update({f"{group} {name}": case for name, case in cases.items()})


# ---- pictures -----------------------------------------------------------------------------------------------------------


def _formats(torch: Any, dims: int) -> Any:
    return torch.channels_last if dims == 4 else torch.channels_last_3d


def _picture(torch: Any, *shape: int, dtype: str = "float32", last: bool = True) -> Any:
    x = torch.arange(float(_count(shape))).reshape(shape).to(getattr(torch, dtype)) / 7
    return x.contiguous(memory_format=_formats(torch, len(shape))) if last and len(shape) > 3 else x


def _count(shape: tuple[int, ...]) -> int:
    n = 1
    for m in shape:
        n *= m
    return n


SHAPES = {1: (2, 4, 6), 2: (2, 4, 6, 5), 3: (2, 4, 4, 6, 5)}


def _inputs(torch: Any, n: int, dtype: str) -> dict[str, Any]:
    """A picture in every layout that matters, by name."""
    shape = SHAPES[n]
    plain = _picture(torch, *shape, dtype=dtype, last=False)
    if n == 1:
        return {"plain": plain, "turned": plain.transpose(1, 2).contiguous().transpose(1, 2)}
    return {
        "last": _picture(torch, *shape, dtype=dtype),
        "permuted": plain.transpose(-1, -2).contiguous().transpose(-1, -2),
        "part": _picture(torch, shape[0], shape[1] * 2, *shape[2:], dtype=dtype)[:, : shape[1]],
        "one": _picture(torch, 1, *shape[1:], dtype=dtype),
        "unbatched": _picture(torch, *shape, dtype=dtype)[0],
        "flat": _picture(torch, *shape[:2], *(1,) * n, dtype=dtype),
        "single channel": _picture(torch, shape[0], 1, *shape[2:], dtype=dtype).expand(shape),
    }


def _nets(torch: Any, n: int, dtype: str) -> dict[str, Any]:
    nn, F = torch.nn, torch.nn.functional
    kind = getattr(torch, dtype)

    def layer(name: str, *args: Any, **kwargs: Any) -> Any:
        return getattr(nn, f"{name}{n}d")(*args, **kwargs).to(kind)

    def last(module: Any) -> Any:
        return module.to(memory_format=_formats(torch, n + 2)) if n > 1 else module

    pool = 2 if n < 3 else (1, 2, 2)
    found = {
        "conv": layer("Conv", 4, 6, 1) if n < 3 else None,  # of volumes it depends on the threads in PyTorch
        "conv 3": layer("Conv", 4, 6, 3, padding=1), "conv last": last(layer("Conv", 4, 6, 3, padding=1)),
        "grouped": layer("Conv", 4, 4, 3, padding=1, groups=2), "depthwise": layer("Conv", 4, 8, 3, padding=1, groups=4),
        "dilated": layer("Conv", 4, 6, 3, padding=2, dilation=2), "same": layer("Conv", 4, 6, 3, padding="same"),
        "reflect": layer("Conv", 4, 6, 3, padding=1, padding_mode="reflect") if n < 3 else None,
        "transposed": layer("ConvTranspose", 4, 6, 2, stride=2), "transposed last": last(layer("ConvTranspose", 4, 6, 2)),
        "batch norm": layer("BatchNorm", 4), "batch norm eval": layer("BatchNorm", 4).eval(), "instance norm": layer("InstanceNorm", 4),
        "instance norm affine": layer("InstanceNorm", 4, affine=True), "group norm": nn.GroupNorm(2, 4).to(kind),
        "max pool": layer("MaxPool", pool), "max pool indices": layer("MaxPool", pool, return_indices=True),
        "avg pool": layer("AvgPool", pool), "adaptive avg": layer("AdaptiveAvgPool", 2), "adaptive avg 1": layer("AdaptiveAvgPool", 1),
        "adaptive max": layer("AdaptiveMaxPool", 2), "adaptive max indices": layer("AdaptiveMaxPool", 2, return_indices=True),
        "lp pool": layer("LPPool", 2, pool), "dropout": nn.Dropout(0.5), "channel dropout": getattr(nn, f"Dropout{n}d")(0.5),
        "relu": nn.ReLU(), "relu in place": lambda x: F.relu_(x.clone()), "gelu": nn.GELU(), "prelu": nn.PReLU(4).to(kind), "softmax": nn.Softmax(1),
        "log softmax": nn.LogSoftmax(1), "sigmoid": nn.Sigmoid(), "hardswish": nn.Hardswish(), "silu": nn.SiLU(), "leaky": nn.LeakyReLU(),
        "glu": nn.GLU(1), "nearest": lambda x: F.interpolate(x, scale_factor=2), "nearest exact": lambda x: F.interpolate(x, scale_factor=2, mode="nearest-exact"),
        "linear": lambda x: F.interpolate(x, scale_factor=2, mode=("linear", "bilinear", "trilinear")[n - 1]),
        "area": lambda x: F.interpolate(x, size=3, mode="area"), "same size": lambda x: F.interpolate(x, size=tuple(x.shape[-n:])),
        "pad": lambda x: F.pad(x, (1, 1) * n), "pad value": lambda x: F.pad(x, (1, 0), value=2.0), "pad cut": lambda x: F.pad(x, (-1, 1)),
        "pad replicate": lambda x: F.pad(x, (1, 1) * n, mode="replicate"), "pad reflect": lambda x: F.pad(x, (1, 1) * n, mode="reflect"),
        "pad circular": lambda x: F.pad(x, (1, 1) * n, mode="circular"), "channel shuffle": lambda x: F.channel_shuffle(x, 2),
        "normalize": lambda x: F.normalize(x), "local response": nn.LocalResponseNorm(2), "flatten": nn.Flatten(), "unflatten": nn.Unflatten(1, (2, 2)),
        "mean": lambda x: x.mean(tuple(range(2, x.dim()))), "mean keep": lambda x: x.mean(1, keepdim=True), "sum keep": lambda x: x.sum((0, -1), keepdim=True),
        "add bias": lambda x: x + torch.ones(x.shape[1], *(1,) * n, dtype=kind), "times number": lambda x: x * 2, "plain + x": lambda x: torch.ones(x.shape, dtype=kind) + x,
        "x + plain": lambda x: x + torch.ones(x.shape, dtype=kind), "greater": lambda x: x > 1, "to double": lambda x: x.double(), "to int": lambda x: x.int(),
        "cat": lambda x: torch.cat([x, x], 1), "cat plain": lambda x: torch.cat([x, x.contiguous()], 1), "stack": lambda x: torch.stack([x, x]), "split": lambda x: x.split(2, 1),
        "chunk + 1": lambda x: x.chunk(2, 1)[0] + 1, "clone": lambda x: x.clone(), "like": torch.zeros_like, "randn like": torch.randn_like,
        "slice + 1": lambda x: x[..., ::2] + 1, "flip": lambda x: x.flip(-1), "roll": lambda x: x.roll(1, -1), "mask": lambda x: x.masked_fill(x > 1, 0),
        "where": lambda x: torch.where(x > 1, x, 0.0), "clamp": lambda x: x.clamp(0, 1), "cumsum": lambda x: x.cumsum(1), "sort": lambda x: x.sort(1), "topk": lambda x: x.topk(1, 1),
        "index": lambda x: x[:, [0, 2]], "index two": lambda x: x[[0, 0], [1, 2]], "index select": lambda x: x.index_select(1, torch.tensor([0, 2])),
        "gather": lambda x: x.gather(1, torch.zeros_like(x, dtype=torch.int64)), "repeat": lambda x: x.repeat(*(2,) * x.dim()), "repeat interleave": lambda x: x.repeat_interleave(2, 1),
        "argmax": lambda x: x.argmax(1), "max": lambda x: x.max(1), "norm": lambda x: x.norm(dim=1, keepdim=True), "var": lambda x: x.var(1), "unfold": lambda x: x.unfold(-1, 2, 2),
    }  # fmt: skip
    if n == 2:
        found |= {
            "pixel shuffle": lambda x: F.pixel_shuffle(x, 2), "pixel unshuffle": lambda x: F.pixel_unshuffle(x[..., :4, :4], 2),
            "bicubic": lambda x: F.interpolate(x, scale_factor=2, mode="bicubic"), "antialias": lambda x: F.interpolate(x, size=(3, 3), mode="bilinear", antialias=True),
            "columns": lambda x: F.unfold(x, 2), "grid sample": lambda x: F.grid_sample(x, torch.zeros(x.shape[0], 3, 3, 2, dtype=kind), align_corners=False),
            "unpool": lambda x: F.max_unpool2d(*F.max_pool2d(x, 2, return_indices=True), 2), "softmax 2d": nn.Softmax2d(), "fractional": lambda x: F.fractional_max_pool2d(x, 2, 2),
        }  # fmt: skip
    return {name: net for name, net in found.items() if net is not None}


def nets(torch: Any, attempt: Callable[[Callable[[], Any]], str]) -> Any:
    """Every layer of pictures on every layout: pairs of a key and what `attempt` says."""
    for n in (1, 2, 3):
        for dtype in ("float32", "float64"):
            torch.manual_seed(0)
            layers = _nets(torch, n, dtype)
            for lay, x in _inputs(torch, n, dtype).items():
                for name, net in layers.items():
                    with torch.no_grad():
                        yield f"nets/{n}d {dtype} {name}, {lay}", attempt(lambda net=net, x=x: net(x))


def gradients_of_nets(torch: Any, attempt: Callable[[Callable[[], Any]], str]) -> Any:
    """The gradients of pictures and of layers' parameters."""
    for n in (1, 2, 3):
        for lay in _inputs(torch, n, "float32"):
            for name in ("conv 3", "conv last", "grouped", "transposed", "batch norm", "batch norm eval", "group norm", "instance norm affine", "max pool", "avg pool", "adaptive avg",
                         "relu", "prelu", "linear", "pad", "x + plain", "mean keep", "cat", "flip", "index"):  # fmt: skip

                def run(n: int = n, lay: str = lay, name: str = name) -> Any:
                    torch.manual_seed(0)
                    net, x = _nets(torch, n, "float32")[name], _inputs(torch, n, "float32")[lay]
                    x = x.detach().requires_grad_()
                    y = net(x)
                    y.backward(torch.ones_like(y))
                    return [x.grad, *[p.grad for p in getattr(net, "parameters", list)()]]

                yield f"gradients/{n}d {name}, {lay}", attempt(run)


# ---- formats ------------------------------------------------------------------------------------------------------------


def _x(torch: Any, *shape: int) -> Any:
    return torch.arange(float(_count(shape))).reshape(shape)


def _p(torch: Any) -> Any:
    return _x(torch, 2, 3, 4).permute(2, 0, 1)


def _last(torch: Any) -> Any:
    return _x(torch, 2, 3, 4, 5).to(memory_format=torch.channels_last)


for _name in ("channels_last", "contiguous_format", "preserve_format"):

    def _of(name: str) -> Callable[[Any], Any]:
        return lambda torch: getattr(torch, name)

    _f = _of(_name)
    for _kind, _make in (("last", _last), ("plain", lambda t: _x(t, 2, 3, 4, 5)), ("gapped", lambda t: _x(t, 2, 3, 4, 10)[..., ::2]), ("expanded", lambda t: _x(t, 2, 1, 4, 5).expand(2, 3, 4, 5)),
                         ("ones", lambda t: _x(t, 2, 3, 1, 1)), ("one channel", lambda t: _x(t, 2, 1, 4, 5)), ("single", lambda t: _x(t, 1, 3, 1, 1))):  # fmt: skip
        _enter(
            f"{_name} {_kind}",
            to=lambda t, f=_f, m=_make: m(t).to(memory_format=f(t)),
            to_double=lambda t, f=_f, m=_make: m(t).to(t.float64, memory_format=f(t)),
            double=lambda t, f=_f, m=_make: m(t).double(memory_format=f(t)),
            clone=lambda t, f=_f, m=_make: m(t).clone(memory_format=f(t)),
            contiguous=lambda t, f=_f, m=_make: m(t).contiguous(memory_format=f(t)),
            empty_like=lambda t, f=_f, m=_make: t.empty_like(m(t), memory_format=f(t)),
            zeros_like=lambda t, f=_f, m=_make: t.zeros_like(m(t), memory_format=f(t)),
            rand_like=lambda t, f=_f, m=_make: t.rand_like(m(t), memory_format=f(t)),
            full_like=lambda t, f=_f, m=_make: t.full_like(m(t), 1.0, memory_format=f(t)),
            is_contiguous=lambda t, f=_f, m=_make: t.ones(1 + m(t).is_contiguous(memory_format=f(t))),
        )  # fmt: skip
_enter(
    "formats",
    module=lambda t: list(t.nn.Sequential(t.nn.Conv2d(3, 4, 3), t.nn.BatchNorm2d(4), t.nn.Linear(2, 3)).to(memory_format=t.channels_last).parameters()),
    module_3d=lambda t: list(t.nn.Conv3d(3, 4, 3).to(memory_format=t.channels_last_3d).parameters()),
    empty=lambda t: t.empty(2, 3, 4, 5, memory_format=t.channels_last),
    zeros=lambda t: t.empty((2, 3, 4, 5, 6), memory_format=t.channels_last_3d),
    wrong_rank=lambda t: _x(t, 2, 3).contiguous(memory_format=t.channels_last),
    resize=lambda t: t.empty(0).resize_(2, 3, 4, 5, memory_format=t.channels_last),
    chain=lambda t: t.nn.Conv2d(3, 2, 1)(_last(t)).relu().mean((2, 3)),
    view_channels=lambda t: _last(t).permute(0, 2, 3, 1).reshape(-1, 3),
    to_last_and_back=lambda t: _last(t).contiguous(),
    copy=lambda t: t.empty(2, 3, 4, 5).copy_(_last(t)),
    deepcopy=lambda t: __import__("copy").deepcopy(_last(t)),
    parameter=lambda t: t.nn.Parameter(_last(t)),
    detach=lambda t: _last(t).detach(),
    new_zeros=lambda t: _last(t).new_zeros(2, 3, 4, 5),
)  # fmt: skip

# ---- element-wise -------------------------------------------------------------------------------------------------------

_enter(
    "mixed",
    permuted_contiguous=lambda t: _p(t) + t.ones(4, 2, 3), contiguous_permuted=lambda t: t.ones(4, 2, 3) + _p(t), permuted_row=lambda t: _p(t) + t.ones(3),
    row_permuted=lambda t: t.ones(3) * _p(t), column=lambda t: t.ones(4, 1, 1) * _p(t), other_order=lambda t: _p(t) * _x(t, 3, 4, 2).permute(1, 2, 0),
    expanded_permuted=lambda t: t.ones(1, 2, 3).expand(4, 2, 3) + _p(t), outer=lambda t: t.ones(4, 1) + t.ones(3), outer_turned=lambda t: t.ones(1, 4).t() + t.ones(3),
    both_expanded=lambda t: t.ones(3, 1).expand(3, 4) + t.ones(1, 4).expand(3, 4), addcmul=lambda t: t.addcmul(_p(t), t.ones(4, 2, 3), _p(t)), lerp=lambda t: t.lerp(t.ones(4, 2, 3), _p(t), 0.5),
    where=lambda t: t.where(_p(t) > 3, t.ones(4, 2, 3), _p(t)), int_float=lambda t: _p(t).int() + _p(t), bool_mask=lambda t: (_p(t) > 1) & (t.ones(4, 2, 3) > 0), scalar=lambda t: 2 - _p(t),
    integers=lambda t: _p(t).long() // 2, half=lambda t: _p(t).bfloat16() * 2, in_place=lambda t: _p(t).clone().add_(1), out=lambda t: t.add(_p(t), 1, out=t.empty(4, 2, 3)),
    out_empty=lambda t: t.add(_p(t), 1, out=t.empty(0)), sliced=lambda t: _x(t, 4, 6)[:, ::2] + 1, sliced_rows=lambda t: _x(t, 4, 6)[::2].t() + 1, narrow=lambda t: _p(t).narrow(2, 0, 2) * 2,
    diagonal=lambda t: _x(t, 3, 4, 4).diagonal(0, 1, 2) + 1, unfolded=lambda t: _x(t, 4, 6).unfold(1, 2, 2) * 1, complex=lambda t: t.complex(_p(t), _p(t)), real=lambda t: t.complex(_p(t), _p(t)).real * 1,
    bitwise=lambda t: ~_p(t).int(), isnan=lambda t: _p(t).isnan(), sign=lambda t: _p(t).sign(), softmax=lambda t: _p(t).softmax(-1), to_same=lambda t: _p(t).to(t.float32, copy=True), type=lambda t: _p(t).type(t.float64),
    frac=lambda t: _p(t).frac(), round=lambda t: _p(t).round(decimals=1), nan_to_num=lambda t: _p(t).nan_to_num(), heaviside=lambda t: t.heaviside(_p(t), t.ones(())), polar=lambda t: t.polar(_p(t), _p(t)),
    dropout=lambda t: t.nn.functional.dropout(_p(t), 0.5), bernoulli=lambda t: (_p(t) / 24).bernoulli(), normal=lambda t: t.normal(_p(t), 1.0), poisson=lambda t: t.poisson(_p(t)), clamp=lambda t: _p(t).clamp(min=_p(t)),
)  # fmt: skip

# ---- indices and parts --------------------------------------------------------------------------------------------------

_enter(
    "index",
    list=lambda t: _p(t)[[0, 2]], middle=lambda t: _p(t)[:, [1, 0]], last=lambda t: _p(t)[..., [1, 0]], apart=lambda t: _p(t)[[0, 1], :, [1, 0]], plain_apart=lambda t: _x(t, 2, 3, 4)[[0, 1], :, [1, 0]],
    two=lambda t: _p(t)[[0, 1], [1, 0]], grid=lambda t: _p(t)[t.tensor([[0], [1]]), t.tensor([[0, 1]])], turned_index=lambda t: _x(t, 4, 3)[t.tensor([[0, 1, 2], [1, 2, 3]]).t()], slice_and_list=lambda t: _p(t)[1:, [1, 0]],
    number_and_list=lambda t: _p(t)[1, [1, 0]], none_and_list=lambda t: _p(t)[None, [0, 2]], mask=lambda t: _p(t)[_p(t) > 3], rows=lambda t: _p(t)[t.tensor([True, False, True, True])], mask_two=lambda t: _p(t)[_p(t)[..., 0] > 3],
    mask_middle=lambda t: _p(t)[:, t.tensor([True, False])], plain_mask=lambda t: _x(t, 4, 3)[_x(t, 4, 3) > 2], basic=lambda t: _p(t)[1:3, ::2, 0], expanded=lambda t: t.ones(3, 1).expand(3, 4)[[0, 1]], sliced=lambda t: _x(t, 4, 6)[:, ::2][[0, 1]],
    sliced_last=lambda t: _x(t, 4, 6)[:, ::2][:, [0, 1]], scalar_index=lambda t: _p(t)[t.tensor(1)], ellipsis=lambda t: _p(t)[..., 0], take=lambda t: _p(t).take(t.tensor([[0, 1], [2, 3]])), select=lambda t: _p(t).index_select(0, t.tensor([1, 0])),
    gather=lambda t: _p(t).gather(0, t.zeros(1, 2, 3, dtype=t.int64)), gather_turned=lambda t: _p(t).gather(0, t.zeros(3, 2, 1, dtype=t.int64).permute(2, 1, 0)), masked_select=lambda t: _p(t).masked_select(_p(t) > 3), empty_list=lambda t: _p(t)[[]],
    put=lambda t: _p(t).index_put((t.tensor([0]),), t.tensor(1.0)), fill=lambda t: _p(t).index_fill(0, t.tensor([0]), 1.0), add=lambda t: _p(t).index_add(0, t.tensor([0]), _p(t)[:1]), copy=lambda t: _p(t).index_copy(0, t.tensor([0]), _p(t)[:1]),
    scatter=lambda t: _p(t).scatter(0, t.zeros(1, 2, 3, dtype=t.int64), 1.0), scatter_add=lambda t: _p(t).scatter_add(0, t.zeros(1, 2, 3, dtype=t.int64), _p(t)), masked_fill=lambda t: _p(t).masked_fill(_p(t) > 3, 0), masked_scatter=lambda t: _p(t).masked_scatter(_p(t) > 3, _p(t)),
    select_scatter=lambda t: _p(t).select_scatter(t.ones(2, 3), 0, 1), slice_scatter=lambda t: _p(t).slice_scatter(t.ones(1, 2, 3), 0, 0, 1), nonzero=lambda t: _p(t).nonzero(), nonzero_tuple=lambda t: _p(t).nonzero(as_tuple=True), where_one=lambda t: t.where(_p(t) > 3),
    embedding=lambda t: t.nn.functional.embedding(t.tensor([[0, 1], [1, 0]]).t(), t.ones(2, 3)), embedding_turned=lambda t: t.nn.functional.embedding(t.tensor([0, 1]), t.ones(3, 2).t()), one_hot=lambda t: t.nn.functional.one_hot(t.tensor([[0, 1, 2], [1, 0, 2]]).t()),
)  # fmt: skip
_enter(
    "order",
    cumsum=lambda t: _p(t).cumsum(0), cumprod=lambda t: _p(t).cumprod(1), cummax=lambda t: _p(t).cummax(0), sort=lambda t: _p(t).sort(0), sort_last=lambda t: _p(t).sort(-1), sort_stable=lambda t: _p(t).sort(dim=1, stable=True), argsort=lambda t: _p(t).argsort(1), topk=lambda t: _p(t).topk(2, 0),
    kthvalue=lambda t: _p(t).kthvalue(1, 0), median=lambda t: _p(t).median(1), mode=lambda t: _p(t).mode(1), unique=lambda t: _p(t).unique(return_inverse=True), unique_dim=lambda t: _p(t).unique(dim=0), flip=lambda t: _p(t).flip(0, 1), roll=lambda t: _p(t).roll((1, 1), (0, 2)),
    roll_flat=lambda t: _p(t).roll(1), rot90=lambda t: _p(t).rot90(), tril=lambda t: _p(t).tril(), triu=lambda t: _p(t).triu(), cat=lambda t: t.cat([_p(t), _p(t)], 1), cat_one=lambda t: t.cat([_p(t)]), stack=lambda t: t.stack([_p(t), _p(t)], -1), hstack=lambda t: t.hstack([_p(t), _p(t)]),
    repeat=lambda t: _p(t).repeat(1, 2, 1), tile=lambda t: _p(t).tile(2), repeat_interleave=lambda t: _p(t).repeat_interleave(2, 0), diff=lambda t: _p(t).diff(dim=0), bincount=lambda t: t.bincount(t.tensor([1, 2])), searchsorted=lambda t: t.searchsorted(t.arange(3.0), _p(t)), bucketize=lambda t: t.bucketize(_p(t), t.arange(3.0)),
    sum=lambda t: _p(t).sum(0), sum_keep=lambda t: _p(t).sum(1, keepdim=True), mean=lambda t: _p(t).mean(-1), amax=lambda t: _p(t).amax((0, 2)), max=lambda t: _p(t).max(0), argmax=lambda t: _p(t).argmax(1, keepdim=True), prod=lambda t: _p(t).prod(0), std=lambda t: _p(t).std(1), all=lambda t: _p(t).all(0), norm=lambda t: _p(t).norm(dim=0),
    logsumexp=lambda t: _p(t).logsumexp(0), quantile=lambda t: _p(t).quantile(t.tensor([0.1, 0.5]), 0), histc=lambda t: _p(t).histc(3), count_nonzero=lambda t: _p(t).count_nonzero(0), aminmax=lambda t: _p(t).aminmax(dim=0), var_mean=lambda t: t.var_mean(_p(t), 1), nansum=lambda t: _p(t).nansum(0), meshgrid=lambda t: t.meshgrid(t.arange(2), t.arange(3), indexing="xy"),
)  # fmt: skip

# ---- products and layers ------------------------------------------------------------------------------------------------

_enter(
    "product",
    turned=lambda t: _x(t, 2, 3).t() @ _x(t, 2, 5), both_turned=lambda t: _x(t, 2, 3).t() @ _x(t, 5, 2).t(), three=lambda t: _p(t) @ t.ones(3, 2), three_turned=lambda t: _x(t, 2, 3, 4).transpose(1, 2) @ t.ones(3, 2), batch=lambda t: t.bmm(_x(t, 2, 3, 4), _x(t, 2, 3, 4).transpose(1, 2)),
    batch_permuted=lambda t: t.bmm(_p(t), _x(t, 4, 3, 2)), broadcast=lambda t: _x(t, 2, 1, 3, 4) @ _x(t, 5, 4, 2), vector=lambda t: _p(t) @ t.ones(3), vector_first=lambda t: t.ones(2) @ _p(t), mv=lambda t: _x(t, 3, 2).t() @ t.ones(3), four=lambda t: _x(t, 2, 3, 4, 5).transpose(1, 2) @ t.ones(5, 6),
    addmm=lambda t: t.addmm(_x(t, 5, 3).t(), t.ones(3, 2), t.ones(2, 5)), baddbmm=lambda t: t.baddbmm(_p(t), t.ones(4, 2, 2), t.ones(4, 2, 3)), outer=lambda t: t.outer(t.ones(2), t.ones(3)), dot=lambda t: t.dot(t.ones(2), t.ones(2)), kron=lambda t: t.kron(_x(t, 2, 3), _x(t, 2, 2)),
    einsum_view=lambda t: t.einsum("bij->bji", _x(t, 2, 3, 4)), einsum=lambda t: t.einsum("bij,bkj->kib", _x(t, 2, 3, 4), _x(t, 2, 3, 4)), einsum_outer=lambda t: t.einsum("i,j->ji", t.ones(2), t.ones(3)), einsum_heads=lambda t: t.einsum("bqhd,bkhd->bhqk", _x(t, 2, 3, 4, 5), _x(t, 2, 3, 4, 5)),
    einsum_back=lambda t: t.einsum("bhqk,bkhd->bqhd", _x(t, 2, 4, 3, 3), _x(t, 2, 3, 4, 5)), einsum_mm=lambda t: t.einsum("ij,jk->ik", _x(t, 2, 3), _x(t, 3, 4)), einsum_turned=lambda t: t.einsum("ij,jk->ki", _x(t, 2, 3), _x(t, 3, 4)), einsum_sum=lambda t: t.einsum("ijk->j", _x(t, 2, 3, 4)), einsum_diag=lambda t: t.einsum("ii->i", _x(t, 3, 3)), einsum_three=lambda t: t.einsum("ij,jk,kl->li", _x(t, 2, 3), _x(t, 3, 4), _x(t, 4, 2)), einsum_mul=lambda t: t.einsum("ij,ij->ij", _x(t, 2, 3), _x(t, 2, 3)), einsum_batch=lambda t: t.einsum("bij,bjk->bik", _x(t, 2, 3, 4), _x(t, 2, 4, 5)), einsum_last=lambda t: t.einsum("nchw,oc->nohw", _x(t, 2, 3, 4, 5), t.ones(6, 3)),
    tensordot=lambda t: t.tensordot(_x(t, 2, 3, 4), _x(t, 2, 3, 4), dims=([0, 2], [0, 2])), tensordot_one=lambda t: t.tensordot(_x(t, 2, 3, 4), _x(t, 4, 5), dims=1), cdist=lambda t: t.cdist(_p(t), _p(t)), chain=lambda t: t.chain_matmul(t.ones(2, 3), t.ones(3, 4), t.ones(4, 2)), multi_dot=lambda t: t.linalg.multi_dot([t.ones(2, 3), t.ones(3, 4), t.ones(4, 2)]),
)  # fmt: skip


def _recurrent(name: str, **options: Any) -> Case:
    def case(torch: Any) -> Any:
        torch.manual_seed(0)
        first = options.get("batch_first")
        return getattr(torch.nn, name)(3, 4, **options)(_x(torch, 2, 5, 3) if first else _x(torch, 5, 2, 3))

    return case


_enter(
    "layer",
    linear=lambda t: t.nn.functional.linear(_p(t), t.ones(2, 3)), linear_bias=lambda t: t.nn.Linear(3, 2)(_p(t)), linear_four=lambda t: t.nn.functional.linear(_x(t, 2, 3, 4, 5).transpose(1, 2), t.ones(6, 5)), linear_turned=lambda t: t.nn.functional.linear(_x(t, 3, 2).t(), t.ones(3, 4).t()), bilinear=lambda t: t.nn.Bilinear(3, 3, 2)(_p(t), _p(t)),
    layer_norm=lambda t: t.nn.functional.layer_norm(_p(t), (3,)), layer_norm_two=lambda t: t.nn.functional.layer_norm(_p(t), (2, 3)), rms_norm=lambda t: t.nn.functional.rms_norm(_p(t), (3,)), embedding=lambda t: t.nn.Embedding(5, 3)(t.tensor([[0, 1, 2], [1, 2, 3]]).t()), embedding_bag=lambda t: t.nn.EmbeddingBag(5, 3)(t.tensor([[0, 1], [1, 2]])),
    rnn=_recurrent("RNN"), rnn_first=_recurrent("RNN", batch_first=True), lstm=_recurrent("LSTM"), lstm_first=_recurrent("LSTM", batch_first=True, num_layers=2), lstm_both=_recurrent("LSTM", bidirectional=True), gru=_recurrent("GRU"), gru_first=_recurrent("GRU", batch_first=True, bidirectional=True), lstm_cell=lambda t: t.nn.LSTMCell(3, 4)(t.ones(2, 3)), gru_cell=lambda t: t.nn.GRUCell(3, 4)(t.ones(3, 2).t()),
    attention=lambda t: t.nn.MultiheadAttention(4, 2)(*[_x(t, 3, 2, 4)] * 3), attention_first=lambda t: t.nn.MultiheadAttention(4, 2, batch_first=True)(*[_x(t, 2, 3, 4)] * 3), attention_eval=lambda t: t.nn.MultiheadAttention(4, 2, batch_first=True).eval()(*[_x(t, 2, 3, 4)] * 3, need_weights=False), attention_other=lambda t: t.nn.MultiheadAttention(4, 2)(_x(t, 3, 2, 4), _x(t, 5, 2, 4), _x(t, 5, 2, 4), need_weights=False),
    sdpa=lambda t: t.nn.functional.scaled_dot_product_attention(*[_x(t, 2, 2, 3, 4)] * 3), sdpa_turned=lambda t: t.nn.functional.scaled_dot_product_attention(*[_x(t, 2, 3, 2, 4).transpose(1, 2)] * 3), sdpa_causal=lambda t: t.nn.functional.scaled_dot_product_attention(*[_x(t, 2, 3, 2, 4).transpose(1, 2)] * 3, is_causal=True), sdpa_mask=lambda t: t.nn.functional.scaled_dot_product_attention(*[_x(t, 2, 3, 2, 4).transpose(1, 2)] * 3, attn_mask=t.ones(3, 3).bool()), sdpa_grad=lambda t: t.nn.functional.scaled_dot_product_attention(*[_x(t, 2, 3, 2, 4).transpose(1, 2).requires_grad_()] * 3), sdpa_double=lambda t: t.nn.functional.scaled_dot_product_attention(*[_x(t, 2, 3, 2, 4).double().transpose(1, 2)] * 3), sdpa_three=lambda t: t.nn.functional.scaled_dot_product_attention(*[_p(t)] * 3), sdpa_dropout=lambda t: t.nn.functional.scaled_dot_product_attention(*[_x(t, 2, 3, 2, 4).transpose(1, 2)] * 3, dropout_p=0.5),
    encoder=lambda t: t.nn.TransformerEncoderLayer(4, 2, 8)(_x(t, 3, 2, 4)), encoder_first=lambda t: t.nn.TransformerEncoderLayer(4, 2, 8, batch_first=True).eval()(_x(t, 2, 3, 4)), decoder=lambda t: t.nn.TransformerDecoderLayer(4, 2, 8)(_x(t, 3, 2, 4), _x(t, 3, 2, 4)), nll=lambda t: t.nn.functional.nll_loss(_x(t, 3, 4).t(), t.tensor([0, 1, 2, 0]), reduction="none"), cross_entropy=lambda t: t.nn.functional.cross_entropy(_x(t, 2, 3, 4), t.zeros(4, 2, dtype=t.int64).t(), reduction="none"), mse=lambda t: t.nn.functional.mse_loss(_p(t), t.ones(4, 2, 3), reduction="none"), bce=lambda t: t.nn.functional.binary_cross_entropy_with_logits(_p(t), t.ones(4, 2, 3), reduction="none"), kl=lambda t: t.nn.functional.kl_div(_p(t), t.ones(4, 2, 3), reduction="none"), cosine=lambda t: t.nn.functional.cosine_similarity(_p(t), _p(t)), pairwise=lambda t: t.nn.functional.pairwise_distance(_x(t, 3, 4).t(), _x(t, 3, 4).t()), gumbel=lambda t: t.nn.functional.gumbel_softmax(_p(t)), pad_sequence=lambda t: t.nn.utils.rnn.pad_sequence([t.ones(3, 2), t.ones(1, 2)]), pad_sequence_first=lambda t: t.nn.utils.rnn.pad_sequence([t.ones(3, 2), t.ones(1, 2)], batch_first=True), packed=lambda t: t.nn.utils.rnn.pack_padded_sequence(_x(t, 3, 2, 4), [3, 2]).data,
    columns=lambda t: t.nn.functional.fold(_x(t, 2, 12, 4), (3, 3), 2), fft=lambda t: t.fft.fft(_p(t)), fft_first=lambda t: t.fft.fft(_x(t, 2, 3, 4), dim=0), fft2=lambda t: t.fft.fft2(_p(t)), fftn=lambda t: t.fft.fftn(_x(t, 2, 3, 4, 5, 2)), rfft2=lambda t: t.fft.rfft2(_p(t)), irfft=lambda t: t.fft.irfft(_p(t), dim=0), fftshift=lambda t: t.fft.fftshift(_p(t)), stft=lambda t: t.stft(t.ones(2, 16), 4, window=t.ones(4), return_complex=True),
)  # fmt: skip

# ---- nothing, and dimensions of one -------------------------------------------------------------------------------------

_enter(
    "nothing",
    rows=lambda t: t.empty(0, 3), columns=lambda t: t.zeros(3, 0), middle=lambda t: t.ones(2, 0, 3), both=lambda t: t.rand(0, 0), vector=lambda t: t.tensor([]), plus=lambda t: t.empty(0, 3) + t.ones(3), cloned=lambda t: t.empty(2, 0, 3).clone(), like=lambda t: t.zeros_like(t.empty(0, 3)), cat=lambda t: t.cat([t.empty(0, 3), t.empty(0, 3)]), masked=lambda t: t.ones(3)[t.zeros(3).bool()], sum=lambda t: t.empty(0, 3).sum(0), sum_other=lambda t: t.empty(0, 3).sum(1), product=lambda t: t.empty(0, 3) @ t.empty(3, 2), sliced=lambda t: t.ones(4, 5)[:0], sliced_columns=lambda t: t.ones(4, 5)[:, :0], sliced_turned=lambda t: t.ones(4, 5).t()[:0], split=lambda t: t.ones(4, 5).split([4, 0])[1], view=lambda t: t.empty(0, 3).view(3, 0), reshape=lambda t: t.empty(0, 3).reshape(0, 5), flatten=lambda t: t.empty(2, 0).flatten(), index=lambda t: t.ones(4, 5)[[]], strided=lambda t: t.empty_strided((0, 3), (7, 2)), double=lambda t: t.empty(0, 3).double(), linear=lambda t: t.nn.Linear(3, 2)(t.empty(0, 3)), expand=lambda t: t.ones(1, 3).expand(0, 3), list=lambda t: t.tensor([[], []]), to_list=lambda t: t.empty(0, 2, 3)[:, 0],
)  # fmt: skip
_enter(
    "ones",
    row=lambda t: t.ones(1, 4), column=lambda t: t.ones(4, 1), turned=lambda t: t.ones(1, 4).t(), turned_plus=lambda t: t.ones(1, 4).t() + 1, unsqueezed=lambda t: [t.ones(3, 4).unsqueeze(i) for i in (0, 1, 2)], unsqueezed_turned=lambda t: [t.ones(3, 4).t().unsqueeze(i) for i in (0, 1, 2)], none=lambda t: [t.ones(3, 4)[None], t.ones(3, 4)[:, None], t.ones(3, 4)[..., None]], none_turned=lambda t: [t.ones(3, 4).t()[None], t.ones(3, 4).t()[:, None], t.ones(3, 4).t()[..., None]], keepdim=lambda t: t.ones(3, 4, 5).sum((0, 2), keepdim=True), narrowed=lambda t: t.ones(3, 4).narrow(1, 0, 1), selected=lambda t: t.ones(3, 4, 5)[:, :1], expanded=lambda t: t.ones(3, 1).expand(3, 1), viewed=lambda t: t.ones(3, 4).view(3, 1, 4), squeezed=lambda t: t.ones(3, 1, 4).squeeze(1), broadcast=lambda t: t.ones(1, 1, 4).expand(2, 1, 4), matmul=lambda t: t.ones(3, 1) @ t.ones(1, 4), turned_clone=lambda t: t.ones(2, 1, 4).transpose(0, 1).clone(), movedim=lambda t: t.ones(2, 1, 4).movedim(0, -1), cat=lambda t: t.cat([t.ones(1, 4), t.ones(1, 4)]), strided=lambda t: t.ones(6).as_strided((1, 3), (7, 2)),
)  # fmt: skip

# ---- gradients ----------------------------------------------------------------------------------------------------------


def _grad(make: Callable[[Any], Any], run: Callable[[Any], Any]) -> Case:
    def case(torch: Any) -> Any:
        x = make(torch).detach().requires_grad_()
        y = run(x)
        y.backward(torch.ones_like(y))
        return x.grad

    return case


for _lay, _make in (("plain", lambda t: _x(t, 2, 3, 4)), ("permuted", _p), ("gapped", lambda t: _x(t, 2, 3, 8)[..., ::2]), ("expanded", lambda t: _x(t, 2, 1, 4).expand(2, 3, 4))):  # fmt: skip
    _enter(
        f"grad of {_lay}",
        sum=_grad(_make, lambda x: x.sum()), permuted=_grad(_make, lambda x: x.permute(2, 0, 1) * 2), permuted_sum=_grad(_make, lambda x: x.permute(2, 0, 1).mul(2).sum()), matmul=_grad(_make, lambda x: x @ x.transpose(1, 2)), index=_grad(_make, lambda x: x[[0, 1]]), twice=_grad(_make, lambda x: x * 2 + x.flip(0)), cumsum=_grad(_make, lambda x: x.cumsum(0)), view=_grad(_make, lambda x: x[0]), clone=_grad(_make, lambda x: x.clone()), identity=_grad(_make, lambda x: x.transpose(0, 1)),
    )  # fmt: skip
