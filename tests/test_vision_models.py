"""Models: keys, sizes, initial values and outputs as torchvision 0.28 gave them."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

import rushlight
from rushlight import nn
from rushlight.vision import models
from rushlight.vision.models.resnet import BasicBlock, Bottleneck, ResNet

# Number of keys, MD5 of the keys joined by spaces, parameters.
STRUCTURE = {
    "resnet18": (122, "cb64e76442e002df402546c3b21d63ae", 11689512),
    "resnet34": (218, "3f5920837fc1401413f464bb79cd5c21", 21797672),
    "resnet50": (320, "cd93a270813dd0895b1c105c8d11d31d", 25557032),
    "vgg11": (22, "bcb5ecbfd85b6a74dd5f3a517a3f860c", 132863336),
    "vgg11_bn": (62, "6730eb78c8509e7f9b722ae7d3418c1a", 132868840),
    "mobilenet_v2": (314, "745b25752da02a47ce4b4c2512b9a64e", 3504872),
}

# Sums of the first and last weight, and the first logits of a picture of noise, from the seeds below.
SEEDED: dict[str, tuple[Any, ...]] = {
    "resnet18": (
        lambda: models.resnet18(weights=None),
        (-5.018750041808971, 22.258755403208127),
        (0.23783192038536072, 0.19067978858947754, -0.22003689408302307),
    ),
    "bottlenecks": (
        lambda: ResNet(
            Bottleneck,
            [1, 2, 1, 1],
            num_classes=5,
            groups=2,
            width_per_group=16,
            replace_stride_with_dilation=[False, False, True],
        ),
        (-2.626902379528701, 1.1003865785360176),
        (-0.01729395240545273, -0.016873622313141823, -0.026302417740225792),
    ),
    "mobilenet_v2": (
        lambda: models.mobilenet_v2(weights=None),
        (0.0755554725261618, 17.54908452786463),
        (-9.443511944651206e-12, -1.5234755124104993e-10, -1.5424284072196315e-10),
    ),
}


@pytest.mark.parametrize("name", STRUCTURE)
def test_keys_and_sizes_are_torchvisions(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # Nothing is drawn: up to half a gigabyte of random numbers would be all that takes time here.
    for layer in (nn.Linear, nn.Conv2d):
        monkeypatch.setattr(layer, "reset_parameters", lambda self: None)
    for fill in ("kaiming_normal_", "normal_"):
        monkeypatch.setattr(nn.init, fill, lambda tensor, *args, **kwargs: tensor)
    model = getattr(models, name)()
    keys = list(model.state_dict())
    md5 = hashlib.md5(" ".join(keys).encode(), usedforsecurity=False).hexdigest()
    assert (len(keys), md5, sum(p.numel() for p in model.parameters())) == STRUCTURE[name]


@pytest.mark.parametrize("name", SEEDED)
def test_a_seed_gives_torchvisions_model(name: str) -> None:
    make, sums, logits = SEEDED[name]
    rushlight.manual_seed(0)
    model = make()
    state = model.state_dict()
    keys = list(state)
    found = [float(state[key].double().sum()) for key in (keys[0], keys[-2])]
    assert found == pytest.approx(sums, rel=1e-9)
    model.eval()
    rushlight.manual_seed(1)
    with rushlight.no_grad():
        out = model(rushlight.rand(1, 3, 64, 64))
    assert out[0, :3].tolist() == pytest.approx(logits, rel=1e-3, abs=1e-12)


def test_vggs_features_halve_five_times() -> None:
    features = models.vgg.make_layers([4, "M", 8, "M", 8, 8, "M", 8, "M", 512, "M"], batch_norm=True)
    assert tuple(features(rushlight.zeros(1, 3, 64, 32)).shape) == (1, 512, 2, 1)


def test_lenet_is_the_tutorials_net() -> None:
    model = models.LeNet()
    shapes = {key: tuple(value.shape) for key, value in model.state_dict().items()}
    assert shapes == {
        "conv1.weight": (6, 3, 5, 5),
        "conv1.bias": (6,),
        "conv2.weight": (16, 6, 5, 5),
        "conv2.bias": (16,),
        "fc1.weight": (120, 400),
        "fc1.bias": (120,),
        "fc2.weight": (84, 120),
        "fc2.bias": (84,),
        "fc3.weight": (10, 84),
        "fc3.bias": (10,),
    }


@pytest.mark.parametrize(("channels", "size"), [(1, 28), (3, 32), (1, 8), (3, (17, 40)), (1, 4)])
def test_lenet_takes_pictures_of_any_size(channels: int, size: Any) -> None:
    height, width = (size, size) if isinstance(size, int) else size
    model = models.lenet(in_channels=channels, image_size=size, num_classes=7, dropout=0.5)
    out = model(rushlight.rand(2, channels, height, width))
    assert tuple(out.shape) == (2, 7)
    out.sum().backward()
    assert all(p.grad is not None for p in model.parameters())


def test_lenet_refuses_pictures_too_small() -> None:
    with pytest.raises(ValueError, match=r"LeNet needs pictures of at least 4x4, got 3x3"):
        models.LeNet(image_size=3)


def test_variants() -> None:
    model = models.mobilenet_v2(width_mult=0.35, num_classes=4)
    assert sum(p.numel() for p in model.parameters()) == 401252
    blocks = ResNet(BasicBlock, [1, 1, 1, 1], num_classes=3, zero_init_residual=True)
    assert float(blocks.layer1[0].bn2.weight.detach().abs().sum()) == 0
    with pytest.raises(NotImplementedError, match=r"Dilation > 1 not supported in BasicBlock"):
        models.resnet18(replace_stride_with_dilation=[False, True, False])


@pytest.mark.parametrize("request_", [{"weights": "DEFAULT"}, {"pretrained": True}])
@pytest.mark.parametrize("name", ["resnet18", "vgg11", "mobilenet_v2"])
def test_trained_weights_are_not_there(name: str, request_: dict[str, Any]) -> None:
    with pytest.raises(NotImplementedError, match=f"^{name} has no trained weights here"):
        getattr(models, name)(**request_)
