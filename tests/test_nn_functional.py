"""The compositions of torch.nn.functional against PyTorch: values, gradients and refusals."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import rushlight
from nn_oracle import leaf, outcome, same, with_gradients

torch = pytest.importorskip("torch")


def checked(make, *shapes, **tolerance):
    """`make(T.nn.functional, *leaves)` and its gradients are the same in both packages."""

    def run(T):
        leaves = [leaf(T, *shape, seed=i, dtype="float64") for i, shape in enumerate(shapes)]
        return with_gradients(T, make(T.nn.functional, *leaves), *leaves)

    return same(run, **{"rtol": 1e-6, "atol": 1e-8, **tolerance})


@pytest.mark.parametrize("mode", ["constant", "reflect", "replicate", "circular"])
@pytest.mark.parametrize("pads", [(1, 2), (2, 0, 1, 1), (1, 2, 2, 1, 0, 1), (-1, 2), (1, -1, -2, 0)])
def test_pad(mode, pads):
    shape = (2, 3, 4, 4, 5)[: len(pads) // 2 + 2]
    checked(lambda F, x: F.pad(x, pads, mode), shape)
    checked(lambda F, x: F.pad(x, pads, mode), shape[1:])


def test_pad_refusals():
    same(lambda T: T.nn.functional.pad(T.ones(2), (1, 2, 3)))
    same(lambda T: T.nn.functional.pad(T.ones(2), (1, 2, 3, 4)))
    same(lambda T: T.nn.functional.pad(T.ones(2, 2, 2), (1, 2), "other"))
    same(lambda T: T.nn.functional.pad(T.ones(2, 2, 2), (1, 2), "reflect", 1.0))
    same(lambda T: T.nn.functional.pad(T.ones(2, 2), (-2, -1)))
    same(lambda T: T.nn.functional.pad(T.ones(2, 2, 2), (3, 3), "circular"))


SIZES = [{"size": 7}, {"size": 3}, {"scale_factor": 2}, {"scale_factor": 1.7}, {"scale_factor": 0.6}]


@pytest.mark.parametrize(
    ("mode", "n"),
    [("nearest", 1), ("nearest", 2), ("nearest", 3), ("nearest-exact", 2), ("area", 1), ("area", 2), ("linear", 1),
     ("bilinear", 2), ("bicubic", 2), ("trilinear", 3)],
)  # fmt: skip
@pytest.mark.parametrize("size", SIZES)
def test_interpolate(mode, n, size):
    shape = (2, 2, 5, 4, 3)[: n + 2]
    corners = [None] if mode in ("nearest", "nearest-exact", "area") else [False, True]
    for align in corners:
        checked(lambda F, x, align=align: F.interpolate(x, **size, mode=mode, align_corners=align), shape)
    if "scale_factor" in size:
        checked(lambda F, x: F.interpolate(x, **size, mode=mode, recompute_scale_factor=True), shape)


@pytest.mark.parametrize(("mode", "size"), [*itertools.product(["bilinear", "bicubic"], [(3, 9), (2, 2), (11, 3)])])
def test_interpolate_antialiased(mode, size):
    for align in (False, True):
        checked(
            lambda F, x, align=align: F.interpolate(x, size, mode=mode, align_corners=align, antialias=True),
            (1, 2, 6, 7),
        )


@pytest.mark.parametrize(
    "arguments",
    [{}, {"size": 3, "scale_factor": 2}, {"size": (3, 3, 3)}, {"scale_factor": (3, 3, 3)}, {"size": (3.0, 2)},
     {"size": 3, "mode": "linear"}, {"size": 3, "align_corners": True}, {"size": 3, "mode": "other"},
     {"size": 0, "mode": "bilinear"}, {"size": 3, "recompute_scale_factor": True}, {"size": 3, "antialias": True}],
)  # fmt: skip
def test_interpolate_refusals(arguments):
    assert isinstance(same(lambda T: T.nn.functional.interpolate(T.ones(1, 2, 4, 4), **arguments)), tuple)


@pytest.mark.parametrize(
    ("mode", "padding", "align"),
    [*itertools.product(["bilinear", "nearest", "bicubic"], ["zeros", "border", "reflection"], [False, True])],
)
def test_grid_sample(mode, padding, align):
    def sample(F, x, grid):
        return F.grid_sample(x, grid, mode, padding, align)

    checked(sample, (2, 2, 4, 5), (2, 3, 4, 2))
    if mode != "bicubic":
        checked(sample, (1, 2, 3, 4, 5), (1, 2, 3, 2, 3))


@pytest.mark.parametrize("align", [False, True])
def test_affine_grid(align):
    checked(lambda F, theta: F.affine_grid(theta, (2, 3, 4, 2), align), (2, 2, 3))
    checked(lambda F, theta: F.affine_grid(theta, (2, 3, 4, 5, 2), align), (2, 3, 4))


@pytest.mark.parametrize(
    ("kernel", "dilation", "padding", "stride"), [(2, 1, 0, 1), ((2, 3), 1, (1, 0), 2), (2, (2, 1), 1, (1, 2))]
)
def test_fold_and_unfold(kernel, dilation, padding, stride):
    checked(lambda F, x: F.unfold(x, kernel, dilation, padding, stride), (2, 3, 5, 6))
    checked(lambda F, x: F.unfold(x, kernel, dilation, padding, stride), (3, 5, 6))
    columns = torch.nn.functional.unfold(torch.ones(2, 3, 5, 6), kernel, dilation, padding, stride).shape
    checked(lambda F, x: F.fold(x, (5, 6), kernel, dilation, padding, stride), tuple(columns))


def test_shuffles():
    checked(lambda F, x: F.pixel_shuffle(x, 2), (2, 8, 3, 2))
    checked(lambda F, x: F.pixel_unshuffle(x, 2), (2, 2, 4, 6))
    checked(lambda F, x: F.channel_shuffle(x, 3), (2, 6, 3, 2))
    same(lambda T: T.nn.functional.pixel_shuffle(T.ones(1, 3, 2, 2), 2))
    same(lambda T: T.nn.functional.pixel_unshuffle(T.ones(1, 3, 3, 2), 2))
    same(lambda T: T.nn.functional.channel_shuffle(T.ones(1, 3, 2), 2))


@pytest.mark.parametrize("p", [0.5, 1, 2, 3, float("inf")])
def test_distances(p):
    checked(lambda F, x, y: F.pairwise_distance(x, y, p, keepdim=True), (3, 4), (3, 4))
    checked(lambda F, x: F.pdist(x, p), (4, 3))
    checked(lambda F, x: F.normalize(x, p, dim=1), (3, 4))


def test_cosine_similarity():
    checked(lambda F, x, y: F.cosine_similarity(x, y), (3, 4), (3, 4))
    checked(lambda F, x, y: F.cosine_similarity(x, y, dim=0), (3, 1), (3, 4))
    same(lambda T: T.nn.functional.cosine_similarity(T.zeros(2, 3), T.ones(2, 3)))


REDUCTIONS = ["none", "mean", "sum"]


def signs(F_or_T, *shape):
    a = np.where(np.random.default_rng(5).random(shape) < 0.5, -1, 1)
    return F_or_T.from_numpy(a)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_losses_with_a_margin(reduction):
    def each(T):
        F, found = T.nn.functional, []
        x, y, z = (leaf(T, 4, 3, seed=i) for i in range(3))
        options = {"reduction": reduction}
        labels = T.tensor([2, 0, 1, 1])
        found += with_gradients(T, F.margin_ranking_loss(x, y, signs(T, 4, 3), 0.3, **options), x, y)
        found += with_gradients(T, F.hinge_embedding_loss(x, signs(T, 4, 3), 0.7, **options), x)
        found += with_gradients(T, F.cosine_embedding_loss(x, y, signs(T, 4), 0.1, **options), x, y)
        found += with_gradients(T, F.soft_margin_loss(x, signs(T, 4, 3), **options), x)
        found += with_gradients(T, F.multilabel_soft_margin_loss(x, (signs(T, 4, 3) > 0).float(), **options), x)
        for p, weight in ((1, None), (2, T.tensor([0.5, 1.0, 2.0]))):
            found += with_gradients(T, F.multi_margin_loss(x, labels, p, 0.8, weight, **options), x)
        several = T.tensor([[0, 2, -1], [1, -1, 0], [-1, 0, 1], [2, 1, 0]])
        found += with_gradients(T, F.multilabel_margin_loss(x, several, **options), x)
        for swap in (False, True):
            found += with_gradients(T, F.triplet_margin_loss(x, y, z, swap=swap, **options), x, y, z)
            loss = F.triplet_margin_with_distance_loss(
                x, y, z, distance_function=lambda a, b: (a - b).abs().sum(-1), swap=swap, **options
            )
            found += with_gradients(T, loss, x, y, z)
        return found

    same(each)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_likelihoods(reduction):
    def each(T):
        F, found = T.nn.functional, []
        x, y = leaf(T, 4, 3), leaf(T, 4, 3, seed=1)
        counts = T.tensor(np.random.default_rng(3).poisson(2.0, (4, 3)).astype("float32"))
        for log_input, full in itertools.product((True, False), (True, False)):
            rate = x if log_input else x.abs()
            loss = F.poisson_nll_loss(rate, counts, log_input, full, reduction=reduction)
            found += with_gradients(T, loss, x)
        for full in (False, True):
            for var in (y.abs(), y.abs()[:, :1], y.abs()[:, 0]):
                loss = F.gaussian_nll_loss(x, counts, var, full, reduction=reduction)
                found += with_gradients(T, loss, x, y)
        w = leaf(T, 5, 3, seed=2)
        loss = F.linear_cross_entropy(x, w, T.tensor([0, 4, 2, 1]), reduction=reduction, label_smoothing=0.1)
        return found + with_gradients(T, loss, x, w)

    same(each)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_ctc_loss(reduction):
    def each(T):
        x = leaf(T, 6, 3, 5, dtype="float64")
        scores = x.log_softmax(2)
        targets = T.tensor([[1, 2, 2], [3, 3, 3], [4, 1, 1]])
        found = []
        for lengths, zero in (([3, 2, 0], False), ([3, 3, 1], True)):
            times = T.tensor([6, 4, 5])
            F = T.nn.functional
            loss = F.ctc_loss(scores, targets, times, T.tensor(lengths), reduction=reduction, zero_infinity=zero)
            found += with_gradients(T, loss, x)
        flat = F.ctc_loss(scores, T.tensor([1, 2, 3, 4]), (6, 5, 4), (2, 1, 1), blank=0, reduction=reduction)
        return [*found, flat, F.ctc_loss(scores[:, 0], targets[0], 6, 3, reduction=reduction)]

    same(each, rtol=1e-6, atol=1e-8)


def test_ctc_loss_of_an_impossible_target_is_infinite():
    def loss(T):
        scores = T.zeros(2, 1, 3).log_softmax(2)
        return T.nn.functional.ctc_loss(scores, T.tensor([[1, 1]]), T.tensor([2]), T.tensor([2]), reduction="none")

    assert same(loss)[3] == np.inf


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize("padding", [None, 2])
def test_embedding_bag(mode, padding):
    def each(T):
        w, F = leaf(T, 6, 3), T.nn.functional
        ids = T.tensor([1, 2, 4, 5, 4, 3, 2])
        found = with_gradients(T, F.embedding_bag(ids[:6].reshape(2, 3), w, mode=mode, padding_idx=padding), w)
        offsets = T.tensor([0, 3, 3, 6])
        found += with_gradients(T, F.embedding_bag(ids, w, offsets, mode=mode, padding_idx=padding), w)
        loss = F.embedding_bag(ids, w, T.tensor([0, 2, 7]), mode=mode, include_last_offset=True, padding_idx=padding)
        found += with_gradients(T, loss, w)
        if mode == "sum":
            s = leaf(T, 7, seed=3)
            loss = F.embedding_bag(ids, w, offsets, mode="sum", per_sample_weights=s, padding_idx=padding)
            found += with_gradients(T, loss, w, s)
        return found

    same(each)


BAG_REFUSALS = [
    lambda T, i, w: (i, w, T.tensor([0, 1])),
    lambda T, i, w: (i.flatten(), w),
    lambda T, i, w: (i.flatten(), w, i),
    lambda T, i, w: (i.flatten(), w, T.tensor([0, 9])),
    lambda T, i, w: (i[None], w),
]


@pytest.mark.parametrize("number", range(len(BAG_REFUSALS)))
def test_embedding_bag_refusals(number):
    def call(T):
        arguments = BAG_REFUSALS[number](T, T.tensor([[0, 1], [2, 3]]), T.ones(5, 2))
        return T.nn.functional.embedding_bag(*arguments)

    theirs, ours = outcome(call, torch), outcome(call, rushlight)
    assert theirs[0] == ours[0] != "tensor"
    # Where PyTorch's message shows the class of a tensor, ours shows our class.
    assert theirs[1].split("torch.")[0] == ours[1].split("rushlight.")[0]


def test_one_hot():
    same(lambda T: [T.nn.functional.one_hot(T.tensor([[0, 2], [1, 1]])), T.nn.functional.one_hot(T.tensor(1), 4)])
    same(lambda T: T.nn.functional.one_hot(T.tensor([0, 1]), 1))
    same(lambda T: T.nn.functional.one_hot(T.tensor([-1])))
    same(lambda T: T.nn.functional.one_hot(T.tensor([1.0])))


def test_fractional_max_pool_with_given_samples():
    def each(T):
        x, F = leaf(T, 2, 3, 9, 8), T.nn.functional
        u = T.tensor(np.random.default_rng(1).random((2, 3, 2)).astype("float32"))
        values, indices = F.fractional_max_pool2d(x, 2, (4, 5), return_indices=True, _random_samples=u)
        ratio = F.fractional_max_pool2d(x, (2, 3), output_ratio=(0.5, 0.6), _random_samples=u)
        return [indices, *with_gradients(T, values, x), *with_gradients(T, ratio, x)]

    same(each)


def test_local_response_norm():
    for size in (1, 2, 3):
        checked(lambda F, x, size=size: F.local_response_norm(x, size, alpha=0.5), (2, 5, 3))
        checked(lambda F, x, size=size: F.local_response_norm(x, size, alpha=0.5), (2, 5, 3, 2))


def test_dropout_of_channels():
    def dropped(T):
        F = T.nn.functional
        x = T.ones(3, 4, 5, 2, 2)
        found = [F.dropout3d(x), F.dropout3d(x[0]), F.dropout1d(x[:, :, :, 0, 0]), F.dropout2d(x[..., 0], 0.3)]
        return [*found, F.alpha_dropout(x, 0.2, True), F.feature_alpha_dropout(x, 0.2, True), F.dropout(x, 0.0)]

    same(dropped)


@pytest.mark.parametrize("name", ["dropout", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout"])
def test_dropout_refuses_a_probability_above_one(name):
    same(lambda T: getattr(T.nn.functional, name)(T.ones(2, 2, 2), 2))


def test_second_derivatives():
    def each(T):
        x = leaf(T, 2, 3, 5, 5, dtype="float64")
        F = T.nn.functional
        found = []
        for y in (F.pad(x, (1, 2), value=2.0), F.interpolate(x, 7, mode="bicubic"), F.unfold(x, 2), F.normalize(x)):
            (g,) = T.autograd.grad((y * y * y).sum(), x, create_graph=True)
            found += T.autograd.grad((g * g).sum(), x)
        return found

    same(each, rtol=1e-6)


def test_gradients_of_convolutions_as_functions():
    def each(T):
        x, w, g = leaf(T, 2, 4, 7, 6), leaf(T, 6, 2, 3, 2, seed=1), leaf(T, 2, 6, 3, 3, seed=2)
        by_input = T.nn.grad.conv2d_input(x.shape, w, g, 2, (0, 0), 1, 2)
        return [by_input, T.nn.grad.conv2d_weight(x, w.shape, g, 2, (0, 0), 1, 2)]

    same(each)
