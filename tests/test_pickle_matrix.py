"""The pickle matrix: whole modules, optimizers and schedulers written by one package work in the other, both ways."""

import io
import warnings

import pytest

import rushlight
import rushlight.optim.lr_scheduler

torch = pytest.importorskip("torch")
PACKAGES = {"rushlight": rushlight, "torch": torch}
WAYS = pytest.mark.parametrize(("writer", "reader"), [("rushlight", "torch"), ("torch", "rushlight")])

# How to make a module, and the shapes of what it takes.
MODULES = {
    "Linear(3, 2)": [(4, 3)],
    "Bilinear(3, 2, 2)": [(4, 3), (4, 2)],
    "Identity()": [(4, 3)],
    "Sequential(nn.Linear(3, 2), nn.ReLU())": [(4, 3)],
    **{f"Conv{d}d(4, 2, 3, padding=1, groups=2)": [(2, 4, *[5] * d)] for d in (1, 2, 3)},
    **{f"ConvTranspose{d}d(4, 2, 3, stride=2)": [(2, 4, *[3] * d)] for d in (1, 2, 3)},
    "Conv2d(1, 2, 3, padding='same', padding_mode='reflect')": [(2, 1, 5, 5)],
    **{f"BatchNorm{d}d(3)": [(2, 3, *[4] * d)] for d in (1, 2, 3)},
    **{f"InstanceNorm{d}d(3, affine=True)": [(2, 3, *[4] * d)] for d in (1, 2, 3)},
    "GroupNorm(2, 4)": [(2, 4, 3)],
    "LayerNorm([4])": [(2, 4)],
    "RMSNorm([4])": [(2, 4)],
    "LocalResponseNorm(2)": [(2, 4, 3)],
    **{f"{kind}(3, 4, 2, bidirectional=True)": [(5, 2, 3)] for kind in ("RNN", "GRU", "LSTM")},
    "LSTM(3, 4, proj_size=2, batch_first=True)": [(5, 2, 3)],
    **{f"{kind}Cell(3, 4)": [(2, 3)] for kind in ("RNN", "GRU", "LSTM")},
    "MultiheadAttention(4, 2)": [(3, 2, 4)] * 3,
    "MultiheadAttention(4, 2, kdim=3, vdim=5, batch_first=True)": [(2, 3, 4), (2, 3, 3), (2, 3, 5)],
    "TransformerEncoderLayer(4, 2, 8, 0.0)": [(3, 2, 4)],
    "TransformerDecoderLayer(4, 2, 8, 0.0, activation='gelu')": [(3, 2, 4)] * 2,
    "TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 8, 0.0, batch_first=True), 2)": [(3, 2, 4)],
    "Transformer(4, 2, 1, 1, 8, 0.0)": [(3, 2, 4)] * 2,
    **{f"{kind}()": [(2, 4)] for kind in (
        "ReLU", "ReLU6", "ELU", "SELU", "CELU", "GELU", "SiLU", "Mish", "Sigmoid", "Tanh", "LogSigmoid", "Softplus",
        "Softsign", "Tanhshrink", "Hardtanh", "Hardswish", "Hardsigmoid", "Hardshrink", "Softshrink", "LeakyReLU", "PReLU",
        "GLU", "RReLU", "Flatten",
    )},
    **{f"{kind}(1)": [(2, 4)] for kind in ("Softmax", "LogSoftmax", "Softmin")},
    "Threshold(0.1, 2)": [(2, 4)],
    "Softmax2d()": [(2, 3, 2, 2)],
    "CosineSimilarity()": [(2, 4)] * 2,
    "PairwiseDistance(2)": [(2, 4)] * 2,
    **{f"{kind}(0.0)": [(2, 4, 4, 4)] for kind in (
        "Dropout", "Dropout2d", "AlphaDropout", "FeatureAlphaDropout",
    )},
    "Dropout1d(0.0)": [(2, 4, 4)],
    "Dropout3d(0.0)": [(2, 4, 4, 4, 2)],
    **{f"{kind}Pool{d}d(2)": [(2, 3, *[4] * d)] for kind in ("Max", "Avg", "AdaptiveMax", "AdaptiveAvg") for d in (1, 2, 3)},
    "LPPool1d(2, 2)": [(2, 3, 4)],
    "LPPool2d(2, 2)": [(2, 3, 4, 4)],
    "LPPool3d(2, 2)": [(2, 3, 4, 4, 4)],
    **{f"{kind}Pad{d}d(1)": [(2, 3, *[4] * d)] for kind in ("Zero", "Reflection", "Replication", "Circular") for d in (1, 2, 3)},
    **{f"ConstantPad{d}d(1, 0.5)": [(2, 3, *[4] * d)] for d in (1, 2, 3)},
    "Upsample(scale_factor=2)": [(1, 2, 3, 3)],
    "UpsamplingNearest2d(scale_factor=2)": [(1, 2, 3, 3)],
    "UpsamplingBilinear2d(scale_factor=2)": [(1, 2, 3, 3)],
    "PixelShuffle(2)": [(1, 4, 3, 3)],
    "PixelUnshuffle(2)": [(1, 1, 4, 4)],
    "ChannelShuffle(2)": [(1, 4, 3, 3)],
    "Unflatten(1, (2, 2))": [(3, 4)],
    "Fold((4, 4), 2)": [(1, 4, 9)],
    "Unfold(2)": [(1, 2, 3, 3)],
    **{f"{kind}()": [(2, 4)] * 2 for kind in ("L1Loss", "MSELoss", "SmoothL1Loss", "HuberLoss", "KLDivLoss", "PoissonNLLLoss",
                                             "SoftMarginLoss", "BCEWithLogitsLoss", "MultiLabelSoftMarginLoss", "CrossEntropyLoss")},
    "TripletMarginLoss()": [(2, 4)] * 3,
    "TripletMarginWithDistanceLoss()": [(2, 4)] * 3,
    "MarginRankingLoss()": [(4,)] * 3,
    "HingeEmbeddingLoss()": [(4,)] * 2,
}  # fmt: skip
# What holds other modules or takes integers, through a small program around it.
INTEGERS = {
    "Embedding(5, 3, padding_idx=0)": "m(t([[1, 2], [0, 4]]))",
    "EmbeddingBag(5, 3, mode='sum')": "m(t([[1, 2], [0, 4]]))",
    "NLLLoss()": "m(x(2, 4), t([1, 3]))",
    "CrossEntropyLoss(label_smoothing=0.1)": "m(x(2, 4), t([1, 3]))",
    "MultiMarginLoss()": "m(x(2, 4), t([1, 3]))",
    "MultiLabelMarginLoss()": "m(x(2, 4), t([[1, 3, -1, 0], [0, 2, -1, 1]]))",
    "CosineEmbeddingLoss()": "m(x(2, 4), x(2, 4) + 1, t([1, -1]))",
    "CTCLoss()": "m(x(5, 1, 4).log_softmax(2), t([[1, 2]]), t([5]), t([2]))",
    "AdaptiveLogSoftmaxWithLoss(4, 6, [2])": "m(x(2, 4), t([1, 5]))[1]",
    "BCELoss()": "m(x(2, 4).sigmoid(), t([[1., 0., 1., 0.], [0., 0., 1., 1.]]))",
    "NLLLoss2d()": "m(x(2, 4, 1, 1), t([[[1]], [[3]]]))",
    "GaussianNLLLoss()": "m(x(2, 4), x(2, 4) + 1, x(2, 4).exp())",
    "ModuleList([nn.Linear(3, 2)])": "m[0](x(4, 3))",
    "ModuleDict({'a': nn.Linear(3, 2)})": "m['a'](x(4, 3))",
    "ParameterList([torch.ones(2), torch.zeros(3)])": "m[0].sum() + m[1].sum()",
    "ParameterDict({'a': torch.ones(2)})": "m['a'].sum()",
    "TransformerDecoder(nn.TransformerDecoderLayer(4, 2, 8, 0.0), 2)": "m(x(3, 2, 4), x(2, 2, 4))",
    "MaxUnpool1d(2)": "m(x(1, 2, 2), t([[[0, 3], [1, 2]]]))",
    "MaxUnpool2d(2)": "m(x(1, 1, 1, 2), t([[[[0, 3]]]]))",
    "MaxUnpool3d(2)": "m(x(1, 1, 1, 1, 2), t([[[[[0, 3]]]]]))",
    "FractionalMaxPool2d(2, output_size=2, _random_samples=torch.full((1, 1, 2), 0.5))": "m(x(1, 1, 5, 5))",
    "FractionalMaxPool3d(2, output_size=2, _random_samples=torch.full((1, 1, 3), 0.5))": "m(x(1, 1, 5, 5, 5))",
}  # fmt: skip
RANDOM = ("RReLU",)  # drawn in training


def moved(obj, writer, reader):
    """`obj`, written by one package and read by the other."""
    file = io.BytesIO()
    PACKAGES[writer].save(obj, file)
    file.seek(0)
    return PACKAGES[reader].load(file, weights_only=False)


def values(shape, package):
    n = 1
    for length in shape:
        n *= length
    return package.tensor([((7 * i) % 11 - 5) / 4 for i in range(n)]).reshape(shape)


def use(package, m, call):
    """What a module gives in evaluation and in two steps of training, as lists."""
    scope = {"m": m, "torch": package, "t": package.tensor, "x": lambda *shape: values(shape, package)}

    def run():
        found = eval(call, scope)
        found = found[0] if isinstance(found, tuple) else found
        return found if isinstance(found, package.Tensor) else package.tensor([float(n) for n in found])

    m.eval()
    seen = [run().tolist()]
    m.train()
    parameters = list(m.parameters())
    for _ in range(2 * (not any(m.__class__.__name__.startswith(r) for r in RANDOM))):
        out = run()
        if parameters:
            optimizer = package.optim.SGD(parameters, lr=0.1)
            optimizer.zero_grad()
            (out * out).sum().backward()
            optimizer.step()
        seen.append(out.tolist())
    return seen


@WAYS
@pytest.mark.parametrize("module", [*MODULES, *INTEGERS])
def test_modules(module, writer, reader):
    package = PACKAGES[writer]
    shapes = MODULES.get(module)
    call = INTEGERS[module] if shapes is None else f"m({', '.join(f'x(*{shape})' for shape in shapes)})"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        package.manual_seed(0)
        m = eval(f"nn.{module}", {"nn": package.nn, "torch": package})
        twin = moved(m, writer, reader)
        assert type(twin) is getattr(PACKAGES[reader].nn, module.partition("(")[0])
        assert list(twin.state_dict()) == list(m.state_dict())
        theirs, ours = use(package, m, call), use(PACKAGES[reader], twin, call)
        torch.testing.assert_close(torch.tensor(ours[0]), torch.tensor(theirs[0]), rtol=1e-5, atol=1e-6, equal_nan=True)
        for a, b in zip(ours[1:], theirs[1:], strict=True):
            torch.testing.assert_close(torch.tensor(a), torch.tensor(b), rtol=1e-4, atol=1e-5, equal_nan=True)


OPTIMIZERS = ["Adadelta", "Adafactor", "Adagrad", "Adam", "AdamW", "Adamax", "ASGD", "NAdam", "RAdam", "RMSprop", "Rprop",
              "SGD", "LBFGS", "Muon"]  # fmt: skip


def trained(package, parameters, optimizer, steps):
    target = package.tensor([[0.5, -1.0], [2.0, 0.25]])

    def closure():
        optimizer.zero_grad()
        loss = ((parameters[0] - target) ** 2).sum()
        loss.backward()
        return loss

    for _ in range(steps):
        optimizer.step(closure)
    return parameters[0].tolist()


@WAYS
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_optimizers(name, writer, reader):
    package, other = PACKAGES[writer], PACKAGES[reader]
    p = package.nn.Parameter(package.tensor([[1.0, 2.0], [3.0, 4.0]]))
    optimizer = getattr(package.optim, name)([p], lr=0.1)
    trained(package, [p], optimizer, 2)
    q, twin = moved([p, optimizer], writer, reader)
    assert type(twin) is getattr(other.optim, name)
    assert twin.param_groups[0]["params"][0] is q
    state = moved(optimizer.state_dict(), writer, reader)
    r = other.nn.Parameter(other.tensor(p.tolist()))
    fresh = getattr(other.optim, name)([r], lr=0.5)
    fresh.load_state_dict(state)
    expected = torch.tensor(trained(package, [p], optimizer, 3))
    for parameter, made in ((q, twin), (r, fresh)):
        torch.testing.assert_close(torch.tensor(trained(other, [parameter], made, 3)), expected)


SCHEDULERS = {
    "StepLR": "o, 2", "MultiStepLR": "o, [1, 3]", "ConstantLR": "o", "LinearLR": "o", "ExponentialLR": "o, 0.5",
    "PolynomialLR": "o, 4", "CosineAnnealingLR": "o, 4", "CosineAnnealingWarmRestarts": "o, 2", "OneCycleLR": "o, 0.2, 9",
    "CyclicLR": "o, 0.1, 0.2, 2, mode='triangular2'", "ReduceLROnPlateau": "o, patience=0",
    "SequentialLR": "o, [L.ConstantLR(o), L.ExponentialLR(o, 0.5)], [2]",
    "ChainedScheduler": "[L.ConstantLR(o), L.ExponentialLR(o, 0.5)]",
}  # fmt: skip


@WAYS
@pytest.mark.parametrize("name", SCHEDULERS)
def test_schedulers(name, writer, reader):
    def run(scheduler, optimizer):
        rates = []
        for _ in range(3):
            optimizer.step()
            scheduler.step(*([1.0] if name == "ReduceLROnPlateau" else []))
            rates.append(optimizer.param_groups[0]["lr"])
        return rates

    package = PACKAGES[writer]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        L = package.optim.lr_scheduler
        o = package.optim.SGD([package.nn.Parameter(package.ones(1))], lr=0.1, momentum=0.5)
        scheduler = eval(f"L.{name}({SCHEDULERS[name]})", {"L": L, "o": o})
        run(scheduler, o)
        twin, optimizer = moved([scheduler, o], writer, reader)
        assert type(twin) is getattr(PACKAGES[reader].optim.lr_scheduler, name)
        assert run(twin, optimizer) == pytest.approx(run(scheduler, o))
