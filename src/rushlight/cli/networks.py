"""The networks that `--model` names, sized for the pictures."""

from __future__ import annotations

from typing import Any

from . import UsageError

NAMES = ("lenet", "mlp", "resnet18", "resnet34", "resnet50", "vgg11", "mobilenet_v2")


def build(name: str, classes: int, description: dict[str, Any]) -> Any:
    """A new network with random weights from the default generator."""
    from .. import nn
    from ..vision import models

    channels, size = description["channels"], description["size"]
    if name == "lenet":
        return models.LeNet(num_classes=classes, in_channels=channels, image_size=size, dropout=0.1)
    if name == "mlp":
        return nn.Sequential(
            nn.Flatten(), nn.Linear(channels * size * size, 256), nn.ReLU(), nn.Dropout(0.2), nn.Linear(256, classes)
        )
    if name not in NAMES:
        raise UsageError(f"--model {name}: known are {', '.join(NAMES)}")
    network = getattr(models, name)(num_classes=classes)
    if channels != 3:
        first, _ = _first_convolution(network)
        replacement = nn.Conv2d(
            channels, first.out_channels, first.kernel_size, first.stride, first.padding, bias=first.bias is not None
        )
        _replace(network, first, replacement)
    return network


def _first_convolution(network: Any) -> tuple[Any, str]:
    from .. import nn

    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            return module, name
    raise UsageError("this network has no convolution")


def _replace(network: Any, old: Any, new: Any) -> None:
    for module in network.modules():
        for name, child in list(module._modules.items()):
            if child is old:
                setattr(module, name, new)
                return
