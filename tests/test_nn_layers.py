"""Every layer against PyTorch from one seed: parameters bit for bit, repr, outputs, gradients, and refusals."""

from __future__ import annotations

import numpy as np
import pytest

import rushlight
from nn_oracle import leaf, outcome, same, with_gradients

torch = pytest.importorskip("torch")

# PyTorch says so of its fast path through an encoder, which is not here.
pytestmark = pytest.mark.filterwarnings("ignore:enable_nested_tensor is True")

# (layer, shape of the input)
LAYERS = {
    "Linear(4, 3)": (5, 4),
    "Linear(4, 3, bias=False)": (2, 5, 4),
    "Conv1d(4, 6, 3, 2, 1)": (2, 4, 9),
    "Conv2d(4, 6, (3, 2), padding='same', groups=2, dilation=2)": (2, 4, 6, 7),
    "Conv2d(2, 3, 3, padding=1, padding_mode='reflect')": (2, 2, 5, 5),
    "Conv2d(2, 3, 3, padding=(2, 1), padding_mode='circular', bias=False)": (2, 2, 5, 5),
    "Conv3d(2, 3, 2, padding=1, padding_mode='replicate')": (1, 2, 3, 4, 3),
    "ConvTranspose1d(4, 6, 3, 2, 1, 1)": (2, 4, 5),
    "ConvTranspose2d(4, 6, 3, 2, groups=2)": (2, 4, 5, 4),
    "ConvTranspose3d(2, 2, 2)": (1, 2, 3, 3, 3),
    "MaxPool1d(2)": (2, 3, 7),
    "MaxPool2d(3, 2, 1)": (2, 3, 7, 6),
    "MaxPool3d(2, ceil_mode=True)": (1, 2, 5, 5, 5),
    "AvgPool1d(3, 1, 1)": (2, 3, 7),
    "AvgPool2d(2, count_include_pad=False, padding=1)": (2, 3, 7, 6),
    "AvgPool3d(2, divisor_override=3)": (1, 2, 4, 4, 4),
    "LPPool2d(2, 2)": (2, 3, 6, 6),
    "AdaptiveAvgPool2d((None, 2))": (2, 3, 5, 7),
    "AdaptiveMaxPool1d(3)": (2, 3, 8),
    "BatchNorm1d(4)": (5, 4),
    "BatchNorm1d(4, momentum=None, bias=False)": (5, 4, 3),
    "BatchNorm2d(4, affine=False)": (3, 4, 5, 2),
    "BatchNorm3d(2, track_running_stats=False)": (2, 2, 3, 2, 2),
    "InstanceNorm1d(3)": (2, 3, 5),
    "InstanceNorm2d(3, affine=True, track_running_stats=True)": (2, 3, 5, 4),
    "InstanceNorm3d(2)": (2, 3, 2, 2),
    "LayerNorm((3, 4))": (2, 3, 4),
    "LayerNorm(4, bias=False)": (2, 3, 4),
    "LayerNorm(4, elementwise_affine=False)": (2, 3, 4),
    "RMSNorm(4)": (2, 3, 4),
    "GroupNorm(2, 4)": (2, 4, 3),
    "LocalResponseNorm(2)": (2, 4, 3),
    "Dropout(0.3)": (2, 30),
    "Dropout2d(0.3)": (4, 8, 2, 2),
    "AlphaDropout(0.3)": (2, 30),
    "ReLU(inplace=False)": (2, 5),
    "ReLU6()": (2, 5),
    "Hardtanh(-0.5, 0.7)": (2, 5),
    "Threshold(0.1, 3.0)": (2, 5),
    "RReLU()": (2, 5),
    "Sigmoid()": (2, 5),
    "Tanh()": (2, 5),
    "SiLU()": (2, 5),
    "Mish()": (2, 5),
    "Hardswish()": (2, 5),
    "Hardsigmoid()": (2, 5),
    "ELU(0.5)": (2, 5),
    "CELU(0.5)": (2, 5),
    "SELU()": (2, 5),
    "GLU()": (2, 6),
    "GELU()": (2, 5),
    "GELU('tanh')": (2, 5),
    "Hardshrink()": (2, 5),
    "Softshrink()": (2, 5),
    "LeakyReLU(0.2)": (2, 5),
    "LogSigmoid()": (2, 5),
    "Softplus(2.0, 1.0)": (2, 5),
    "PReLU(5)": (2, 5),
    "Softsign()": (2, 5),
    "Tanhshrink()": (2, 5),
    "Softmin(1)": (2, 5),
    "Softmax(1)": (2, 5),
    "LogSoftmax(1)": (2, 5),
    "Softmax2d()": (2, 3, 2, 2),
    "Flatten()": (2, 3, 4),
    "Unflatten(1, (2, 3))": (2, 6),
    "Unfold(2)": (2, 3, 4, 4),
    "Fold((4, 4), 2)": (2, 12, 9),
    "PixelShuffle(2)": (2, 4, 3, 3),
    "PixelUnshuffle(2)": (2, 4, 4, 6),
    "ChannelShuffle(2)": (2, 4, 3, 3),
    "Upsample(scale_factor=2, mode='bilinear')": (2, 3, 4, 4),
    "UpsamplingNearest2d(3)": (2, 3, 4, 4),
    "UpsamplingBilinear2d(scale_factor=2)": (2, 3, 4, 4),
    "ZeroPad2d((1, 2, 0, 1))": (2, 3, 4, 4),
    "ConstantPad1d(2, 3.5)": (2, 3, 4),
    "ReflectionPad2d(1)": (2, 3, 4, 4),
    "ReplicationPad3d(1)": (2, 3, 4, 4, 2),
    "CircularPad1d((1, 2))": (2, 3, 4),
    "Identity(54, unused=3)": (2, 3),
    "RNN(4, 3, 2, nonlinearity='relu')": (5, 2, 4),
    "LSTM(4, 3, bidirectional=True, batch_first=True)": (2, 5, 4),
    "GRU(4, 3, 2, bias=False)": (5, 2, 4),
    "RNNCell(4, 3)": (2, 4),
    "LSTMCell(4, 3, bias=False)": (2, 4),
    "GRUCell(4, 3)": (4,),
    "TransformerEncoderLayer(4, 2, 8, 0.0)": (3, 2, 4),
    "TransformerEncoderLayer(4, 2, 8, 0.1, 'gelu', batch_first=True, norm_first=True, bias=False)": (2, 3, 4),
}


def build(T, text):
    return eval(f"nn.{text}", {"nn": T.nn})


def first(y):
    while isinstance(y, (tuple, list)):
        y = y[0]
    return y


@pytest.mark.parametrize("text", LAYERS)
def test_layer(text):
    def run(T):
        layer = build(T, text)
        found = [repr(layer), layer.state_dict(), [name for name, _ in layer.named_parameters()]]
        for mode in (True, False):
            layer.train(mode)
            x = leaf(T, *LAYERS[text])
            T.manual_seed(1)
            found += with_gradients(T, first(layer(x)), x, *layer.parameters())
        return [*found, layer.state_dict()]

    same(run)


def test_parameters_are_bit_for_bit_pytorchs():
    for text in LAYERS:
        torch.manual_seed(3)
        rushlight.manual_seed(3)
        theirs, ours = build(torch, text).state_dict(), build(rushlight, text).state_dict()
        for key, value in theirs.items():
            assert np.array_equal(value.numpy(), ours[key].numpy()), f"{text}: {key}"


BUILT = [
    "Bilinear(2, 3, 4)", "Embedding(5, 3, padding_idx=1)", "EmbeddingBag(5, 3, mode='sum')",
    "MultiheadAttention(4, 2, add_bias_kv=True)", "MultiheadAttention(4, 2, kdim=3, vdim=5, bias=False)",
    "Transformer(4, 2, 1, 2, 8)", "TransformerDecoderLayer(4, 2, 8)", "AdaptiveLogSoftmaxWithLoss(8, 10, [3, 5])",
    "LSTM(4, 3, 2, proj_size=2, dropout=0.5)", "LinearCrossEntropyLoss(3, 4, out_features=(2,), bias=True)",
    "MaxUnpool2d(2)", "FractionalMaxPool2d(2, 3)", "CosineSimilarity()", "PairwiseDistance()", "CrossMapLRN2d(3)",
    "SyncBatchNorm(3)", "CrossEntropyLoss(label_smoothing=0.1)", "TripletMarginLoss()", "CTCLoss()",
    "TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8), 2, nn.LayerNorm(4), enable_nested_tensor=False)",
]  # fmt: skip


@pytest.mark.parametrize("text", BUILT)
def test_built_alike(text):
    same(lambda T: [repr(build(T, text)), build(T, text).state_dict()])


REFUSED = [
    "Conv2d(3, 4, 3, groups=2)", "Conv2d(4, 3, 3, groups=2)", "Conv2d(4, 4, 3, groups=0)",
    "Conv2d(4, 4, 3, padding='same', stride=2)",
    "ConvTranspose2d(4, 4, 3, padding_mode='reflect')", "GroupNorm(3, 4)",
    "Dropout(2)", "Embedding(3, 4, padding_idx=9)", "Unflatten(1, 3)", "Unflatten(1, ('a',))", "Hardtanh(2, 1)",
    "RNN(2, 3, nonlinearity='other')", "LSTM(2, 3, proj_size=3)", "LSTM(2, 3, proj_size=-1)", "GRU(2, 3, proj_size=1)",
    "LSTM(2.0, 3)", "LSTM(2, 3.0)", "LSTM(2, 0)", "LSTM(2, 3, 0)", "LSTM(2, 3, dropout=2)", "LSTM(2, 3, bias=1)",
    "RNNBase('OTHER', 2, 3)", "MultiheadAttention(5, 2)", "MultiheadAttention(0, 2)",
    "TransformerEncoderLayer(4, 2, activation='other')", "AdaptiveLogSoftmaxWithLoss(8, 10, [5, 3])",
    "AdaptiveLogSoftmaxWithLoss(8, 10, [])", "Bilinear(0, 2, 3)", "TripletMarginLoss(0)", "MultiMarginLoss(3)",
    "HuberLoss(delta='1')", "FractionalMaxPool2d(2)", "FractionalMaxPool2d(2, output_ratio=2)",
]  # fmt: skip


@pytest.mark.parametrize("text", REFUSED)
def test_refused_alike(text):
    assert isinstance(same(lambda T: build(T, text)), tuple)


REFUSED_INPUT = {
    "BatchNorm1d(3)": (2,),
    "BatchNorm2d(3)": (2, 3, 4),
    "BatchNorm3d(3)": (2, 3, 4),
    "InstanceNorm1d(3)": (2,),
    "InstanceNorm2d(3, affine=True)": (2, 5, 4, 4),
    "Softmax2d()": (2,),
    "LSTM(2, 3)": (2,),
    "GRU(2, 3)": (4, 5, 3),
    "RNNCell(2, 3)": (1, 1, 1),
    "GRUCell(2, 3)": (2, 3),
    "CircularPad2d(1)": (2, 2),
    "Linear(2, 3)": (2, 5),
}


@pytest.mark.parametrize("text", REFUSED_INPUT)
def test_input_refused_alike(text):
    assert isinstance(same(lambda T: build(T, text)(T.ones(*REFUSED_INPUT[text]))), tuple)


@pytest.mark.parametrize("size", [(8, 8), (7, 8), (9, 9), (9,)])
def test_transposed_convolution_to_a_wanted_size(size):
    same(lambda T: build(T, "ConvTranspose2d(2, 3, 3, 2)")(T.ones(1, 2, 3, 3), output_size=size))


LAZY = {
    "LazyLinear(3)": (2, 4),
    "LazyConv1d(3, 2)": (2, 4, 5),
    "LazyConv2d(4, 2, groups=2)": (2, 4, 5, 5),
    "LazyConvTranspose2d(3, 2, bias=False)": (2, 4, 5, 5),
    "LazyBatchNorm1d()": (3, 4),
    "LazyInstanceNorm2d(affine=True)": (2, 3, 4, 4),
}


@pytest.mark.parametrize("text", LAZY)
def test_lazy_layer(text):
    def run(T):
        layer = build(T, text)
        waiting = [repr(layer), list(layer.state_dict()), type(layer).__name__]
        y = layer(T.ones(*LAZY[text]))
        return [*waiting, repr(layer), type(layer).__name__, y, layer.state_dict()]

    same(run)


def test_attention_with_masks():
    def run(T):
        layer = T.nn.MultiheadAttention(4, 2, add_bias_kv=True, add_zero_attn=True)
        q, kv = leaf(T, 3, 2, 4), leaf(T, 5, 2, 4, seed=1)
        hidden = T.tensor([[False, True, False, False, False], [False, False, False, True, True]])
        future = T.ones(3, 5).triu(1).bool()
        found = []
        for options in ({}, {"key_padding_mask": hidden}, {"attn_mask": future, "average_attn_weights": False}):
            y, weights = layer(q, kv, kv, **options)
            found += [weights, *with_gradients(T, y, q, kv)]
        y, nothing = layer(q, kv, kv, need_weights=False, attn_mask=future, key_padding_mask=hidden)
        found += [nothing, *with_gradients(T, y, q, kv)]
        other = T.nn.MultiheadAttention(4, 2, kdim=3, vdim=5, batch_first=True)
        return [*found, other(leaf(T, 2, 3, 4), leaf(T, 2, 6, 3), leaf(T, 2, 6, 5))]

    same(run)


def test_transformer():
    def run(T):
        model = T.nn.Transformer(8, 2, 2, 2, 16, dropout=0.0, batch_first=True)
        source, target = leaf(T, 2, 5, 8), leaf(T, 2, 4, 8, seed=1)
        mask = T.nn.Transformer.generate_square_subsequent_mask(4)
        y = model(source, target, tgt_mask=mask, tgt_is_causal=True)
        return with_gradients(T, y, source, target)

    same(run)
    same(lambda T: T.nn.Transformer(4, 2, 1, 1, 8)(T.ones(2, 3, 4), T.ones(2, 2, 4)))
    same(lambda T: T.nn.Transformer(4, 2, 1, 1, 8)(T.ones(2, 3, 4), T.ones(2, 3, 5)))


def test_adaptive_softmax():
    def run(T):
        layer, x = T.nn.AdaptiveLogSoftmaxWithLoss(8, 12, [3, 6], div_value=2.0), leaf(T, 5, 8)
        y = layer(x, T.tensor([0, 11, 4, 2, 7]))
        return [layer.log_prob(x), layer.predict(x), y.output, *with_gradients(T, y.loss, x, *layer.parameters())]

    same(run)
    same(lambda T: T.nn.AdaptiveLogSoftmaxWithLoss(8, 10, [3, 5])(T.ones(2, 8), T.tensor([1, 11])))


def test_embedding_options():
    def run(T):
        table = T.nn.Embedding(6, 3, padding_idx=-1, max_norm=1.0)
        y = table(T.tensor([[0, 5], [2, 2]]))
        fixed = T.nn.Embedding.from_pretrained(T.ones(4, 2))
        return [*with_gradients(T, y, table.weight), table.weight, fixed.weight.requires_grad, repr(table)]

    same(run)


def test_losses_keep_their_weights_as_buffers():
    def run(T):
        loss = T.nn.CrossEntropyLoss(weight=T.tensor([1.0, 2.0]), ignore_index=1)
        logits = T.nn.BCEWithLogitsLoss(pos_weight=T.tensor([3.0]))
        y = loss(T.tensor([[0.5, 1.0], [1.0, 0.0]]), T.tensor([0, 1]))
        return [list(loss.state_dict()), list(logits.state_dict()), y, logits(T.ones(2), T.tensor([0.0, 1.0]))]

    same(run)


def test_size_average_still_works():
    with pytest.warns(UserWarning, match="please use reduction='sum' instead"):
        loss = rushlight.nn.MSELoss(size_average=False)
    assert loss.reduction == "sum"


def test_inplace_activations_write_into_their_input():
    def run(T):
        x = leaf(T, 2, 5)
        h = x * 1
        found = [T.nn.ELU(inplace=True)(h) is h, *with_gradients(T, h, x)]
        h = x * 1
        y = T.nn.Sequential(T.nn.Dropout(0.5, inplace=True), T.nn.Threshold(0.1, 2.0, inplace=True))(h)
        return [*found, y is h, *with_gradients(T, y, x)]

    same(run)


def test_call_runs_forward_directly_when_there_are_no_hooks(monkeypatch):
    layer = rushlight.nn.ReLU()
    monkeypatch.setattr("rushlight.nn.hooks.call", lambda *_: pytest.fail("the slow path was taken"))
    assert layer(rushlight.ones(1)).item() == 1
    assert outcome(lambda T: layer(T.ones(1)), rushlight)[0] == "tensor"
