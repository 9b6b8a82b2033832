"""Samples of what layers are made of: convolution, pooling, normalization, losses and dropout."""

from __future__ import annotations

import numpy as np

from samples import Sample, operator

for _d in (1, 2, 3):
    _sizes = (6, 5, 4)[:_d]

    @operator(f"conv{_d}d", second=_d < 3)
    def _conv(make, d=_d, sizes=_sizes):
        yield make(2, 2, *sizes), make(3, 2, *[2] * d), make(3)
        yield Sample(make(1, 2, *sizes), make(2, 1, *[2] * d), None, 2, 1, groups=2)
        if d < 3:
            yield Sample(make(2, *sizes), make(2, 2, *[2] * d), padding="same", dilation=2)

    @operator(f"conv_transpose{_d}d", second=_d < 3)
    def _conv_transpose(make, d=_d, sizes=_sizes):
        yield make(2, 2, *sizes), make(2, 3, *[2] * d), make(3)
        if d < 3:
            yield Sample(make(1, 2, *sizes), make(2, 1, *[2] * d), stride=2, padding=1, output_padding=1, groups=2)


@operator("convolution")
def _convolution(make):
    yield make(2, 2, 5), make(3, 2, 2), make(3), [1], [0], [1], False, [0], 1
    yield make(2, 2, 5), make(2, 3, 2), None, [2], [1], [1], True, [1], 1


for _d in (1, 2, 3):
    _sizes = (6, 5, 4)[:_d]

    @operator(f"max_pool{_d}d")
    def _max_pool(make, sizes=_sizes):
        yield make.distinct(1, 2, *sizes), 2
        yield Sample(make.distinct(1, 2, *sizes), 3, stride=1, padding=1, ceil_mode=True)

    @operator(f"nn.functional.avg_pool{_d}d", out=False)
    def _avg_pool(make, sizes=_sizes):
        yield make(1, 2, *sizes), 2
        yield Sample(make(1, 2, *sizes), 3, stride=2, padding=1, count_include_pad=False)

    @operator(f"nn.functional.adaptive_avg_pool{_d}d", out=False)
    def _adaptive_avg_pool(make, d=_d, sizes=_sizes):
        yield make(1, 2, *sizes), (3, 2, 1)[:d]

    @operator(f"nn.functional.adaptive_max_pool{_d}d", out=False)
    def _adaptive_max_pool(make, d=_d, sizes=_sizes):
        yield make.distinct(1, 2, *sizes), (3, 2, 1)[:d]


@operator("adaptive_max_pool1d")
def _adaptive_max_pool1d(make):
    yield make.distinct(1, 2, 6), 3


@operator("batch_norm")
def _batch_norm(make):
    yield make(4, 3, 2), make(3), make(3), None, None, True, 0.1, 1e-5, False


@operator("layer_norm")
def _layer_norm(make):
    yield make(2, 3, 4), (4,)
    yield make(2, 3, 4), (3, 4), make(3, 4), make(3, 4)


@operator("group_norm")
def _group_norm(make):
    yield make(2, 4, 3), 2
    yield make(2, 4, 3), 2, make(4), make(4)


@operator("rms_norm")
def _rms_norm(make):
    yield make(2, 3, 4), (4,)
    yield make(2, 4), (4,), make(4), 1e-5


for _name in ("dropout", "alpha_dropout", "feature_dropout", "feature_alpha_dropout"):

    @operator(_name, random=True)
    def _dropout(make):
        yield make(2, 3, 4), 0.5, True
        yield make(2, 3, 4), 0.5, False


@operator("native_dropout", random=True)
def _native_dropout(make):
    yield make(2, 3, 4), 0.5, True


for _name in ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"):

    @operator(f"nn.functional.{_name}", out=False)
    def _loss(make):
        for reduction in ("mean", "sum", "none"):
            yield Sample(make(3, 4), make(3, 4), reduction=reduction)


@operator("nn.functional.binary_cross_entropy", out=False)
def _binary_cross_entropy(make):
    yield make(3, 4, low=0.1, high=0.9), make(3, 4, low=0.1, high=0.9)


@operator("nn.functional.binary_cross_entropy_with_logits", out=False)
def _binary_cross_entropy_with_logits(make):
    yield make(3, 4), make(3, 4, low=0.1, high=0.9)


for _name in ("cross_entropy", "nll_loss"):

    @operator(f"nn.functional.{_name}", out=False)
    def _classes(make):
        yield make(5, 3), make.integers(5, low=0, high=3)
        yield Sample(make(2, 3, 2), np.array([[0, 2], [-100, 1]]), reduction="sum")


@operator("nn.functional.cosine_similarity", out=False)
def _cosine_similarity(make):
    yield make(3, 4), make(3, 4)
    yield make(3, 4), make(3, 4), 0


@operator("native_layer_norm")
def _native_layer_norm(make):
    yield make(2, 3, 4), [4], make(4), make(4), 1e-5


# PyTorch also leads gradients back through the mean and the deviation, which nothing uses.
@operator("native_group_norm", differentiable=False, layout=False)  # PyTorch refuses some
def _native_group_norm(make):
    yield make(2, 4, 3), make(4), make(4), 2, 4, 3, 2, 1e-5


@operator("native_batch_norm")
def _native_batch_norm(make):
    yield make(4, 3, 2), make(3), make(3), None, None, True, 0.1, 1e-5


@operator("instance_norm")
def _instance_norm(make):
    yield make(2, 3, 4), make(3), make(3), None, None, True, 0.1, 1e-5, False


@operator("norm_except_dim")
def _norm_except_dim(make):
    yield make(3, 4), 2, 0
    yield make(2, 3, 4), 2, 1


@operator("segment_reduce", second=False)
def _segment_reduce(make):
    for kind in ("sum", "mean", "max", "min"):
        yield Sample(make.distinct(6), kind, lengths=np.array([2, 1, 3]))


@operator("hash_tensor", differentiable=False, out=False)
def _hash_tensor(make):
    yield (make(3, 4),)
