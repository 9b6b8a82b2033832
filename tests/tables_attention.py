"""What attention gives for rows that see nothing and positions that are padded: every mask in every mode of the layers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import product
from typing import Any

LEAST = 2000


def answers(package: Any) -> Iterator[tuple[str, Any]]:
    """The encoder and its layer, multi-head attention, and the function, masked in every way."""
    yield from _encoders(package)
    yield from _attention(package)
    yield from _function(package)


def _masks(torch: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """Padding masks (3, 4) and attention masks (4, 4), bool and floating."""
    right = torch.tensor([[0, 0, 1, 1], [0, 0, 0, 1], [0, 1, 1, 1]]).bool()
    full = torch.tensor([[0, 0, 1, 1], [1, 1, 1, 1], [0, 1, 1, 1]]).bool()
    row = torch.tensor([[0, 0, 1, 1], [1, 1, 1, 1], [0, 0, 0, 0], [0, 0, 0, 0]]).bool()
    paddings = {
        "none": None, "right": right, "left": right.flip(1), "full": full, "all": torch.ones(3, 4).bool(),
        "full-inf": torch.zeros(3, 4).masked_fill(full, -math.inf), "finite": right * -0.5,
    }  # fmt: skip
    masks = {
        "none": None, "row": row, "row-inf": torch.zeros(4, 4).masked_fill(row, -math.inf),
        "causal": torch.nn.Transformer.generate_square_subsequent_mask(4), "finite": torch.ones(4, 4).triu(1),
    }  # fmt: skip
    return paddings, masks


def _seen(x: Any) -> Any:
    """The kind of each position (nan, zero, else), and a number for the rest."""
    if x is None:
        return None
    x = x.detach()
    first = x.flatten(0, -2)[:, 0].tolist()
    kinds = "".join("n" if v != v else "0" if v == 0 else "x" for v in first)
    weights = x.nan_to_num() * (1 + 0.1 * x.new_ones(x.shape).flatten().cumsum(0).reshape(x.shape))
    return [kinds, weights.sum().item()]


def _attempt(run: Any) -> Any:
    try:
        return run()
    except Exception as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0]}"


_LAYERS: dict[str, dict[str, Any]] = {
    "plain": {}, "norm_first": {"norm_first": True}, "gelu": {"activation": "gelu"}, "seq_first": {"batch_first": False},
    "bias": {"bias": False}, "tanh": {}, "odd": {"nhead": 1},
}  # fmt: skip


def _encoders(torch: Any) -> Iterator[tuple[str, Any]]:
    nn = torch.nn
    paddings, masks = _masks(torch)
    for kind, stack in product(_LAYERS, ("layer", "encoder", "unnested", "unchecked", "norm")):
        torch.manual_seed(1)
        options = {"dropout": 0.0, "batch_first": True, "nhead": 2, **_LAYERS[kind]}
        if kind == "tanh":
            options["activation"] = torch.tanh
        model = nn.TransformerEncoderLayer(4, dim_feedforward=8, **options)
        if stack != "layer":
            norm = nn.LayerNorm(4) if stack == "norm" else None
            model = nn.TransformerEncoder(model, 2, norm, stack != "unnested", stack != "unchecked")
        x = torch.randn(3, 4, 4)
        x = x if options["batch_first"] else x.transpose(0, 1)
        for train, grad, (p, padding), (m, mask) in product((0, 1), (0, 1), paddings.items(), masks.items()):
            if (train and not grad) or (kind != "plain" and (p in ("left", "all") or m == "row")):
                continue
            model.train(bool(train))
            with torch.set_grad_enabled(bool(grad)):
                yield (
                    f"encoder/{kind} {stack} train={train} grad={grad} padding={p} mask={m}",
                    _attempt(lambda: _seen(model(x, mask, src_key_padding_mask=padding))),  # noqa: B023
                )


_HEADS: dict[str, dict[str, Any]] = {
    "plain": {}, "seq_first": {"batch_first": False}, "bias_kv": {"add_bias_kv": True}, "zero": {"add_zero_attn": True},
    "odd": {"num_heads": 1}, "bias": {"bias": False},
}  # fmt: skip


def _attention(torch: Any) -> Iterator[tuple[str, Any]]:
    paddings, masks = _masks(torch)
    for kind, cross, frozen in product(_HEADS, (0, 1), (0, 1)):
        if kind != "plain" and (cross or frozen):
            continue
        torch.manual_seed(1)
        model = torch.nn.MultiheadAttention(**{"embed_dim": 4, "num_heads": 2, "batch_first": True, **_HEADS[kind]})
        model.requires_grad_(not frozen)
        x, other = torch.randn(3, 4, 4), torch.randn(3, 4, 4)
        y = other if cross else x
        for train, grad, need in product((0, 1), (0, 1), (0, 1)):
            model.train(bool(train))
            for (p, padding), (m, mask), causal in product(paddings.items(), masks.items(), (False, True)):
                if p not in ("none", "full", "full-inf") or (causal and m not in ("none", "causal")):
                    continue

                def run() -> Any:
                    out, weights = model(  # noqa: B023
                        x, y, y, padding, bool(need), mask, is_causal=causal  # noqa: B023
                    )  # fmt: skip
                    gradient = None
                    if out.requires_grad:
                        model.zero_grad()  # noqa: B023
                        out.sum().backward()
                        gradient = _seen(model.in_proj_weight.grad)  # noqa: B023
                    return [_seen(out), _seen(weights), gradient]

                with torch.set_grad_enabled(bool(grad)):
                    key = f"train={train} grad={grad} need={need} padding={p} mask={m} causal={causal}"
                    yield f"heads/{kind} cross={cross} frozen={frozen} {key}", _attempt(run)


def _function(torch: Any) -> Iterator[tuple[str, Any]]:
    inf = math.inf
    masks = {
        "none": None, "bool": torch.tensor([[1, 0, 1], [0, 0, 0]]).bool(), "wrong": torch.zeros(3, 3),
        "inf": torch.tensor([[0.0, -0.5, 1], [-inf, -inf, -inf]]), "double": torch.zeros(2, 3).double(),
        "half": torch.zeros(2, 3).half(), "4-D": torch.zeros(1, 1, 2, 3), "learned": torch.zeros(2, 3).requires_grad_(),
        "nan": torch.tensor([[0.0, math.nan, 0], [0, 0, 0]]), "int": torch.zeros(2, 3).long(),
    }  # fmt: skip
    shapes = {
        "4-D": ((1, 1, 2, 4), (1, 1, 3, 4), (1, 1, 3, 4)), "3-D": ((2, 2, 4), (2, 3, 4), (2, 3, 4)),
        "2-D": ((2, 4), (3, 4), (3, 4)), "wide": ((1, 1, 2, 4), (1, 1, 3, 4), (1, 1, 3, 5)),
        "groups": ((1, 4, 2, 4), (1, 2, 3, 4), (1, 2, 3, 4)),
    }  # fmt: skip
    torch.manual_seed(0)
    for (s, shape), (m, mask), causal, grad in product(shapes.items(), masks.items(), (False, True), (False, True)):
        q, k, v = (torch.randn(*size).requires_grad_(grad) for size in shape)

        def run() -> Any:
            out = torch.nn.functional.scaled_dot_product_attention(
                q, k, v, mask, is_causal=causal, enable_gqa=s == "groups"  # noqa: B023
            )  # fmt: skip
            if not grad or mask is None or m == "learned":  # noqa: B023
                return _seen(out)
            return [_seen(out), *map(_seen, torch.autograd.grad(out.sum(), (q, k, v)))]  # noqa: B023

        yield f"function/{s} mask={m} causal={causal} grad={grad}", _attempt(run)


def same(ours: Any, theirs: Any) -> bool:
    """Numbers to float32's precision after two layers: the widest difference seen is 8e-6."""
    if isinstance(theirs, float):
        return isinstance(ours, float) and (abs(ours - theirs) <= 5e-5 * max(1.0, abs(theirs)))
    if isinstance(theirs, list):
        return isinstance(ours, list) and len(ours) == len(theirs) and all(map(same, ours, theirs))
    return bool(ours == theirs)
