"""The networks that `--model` names, sized for the pictures."""

from __future__ import annotations

from typing import Any

from . import UsageError

NAMES = ("lenet", "mlp", "resnet18", "resnet34", "resnet50", "vgg11", "mobilenet_v2")


def build(name: str, classes: int, description: dict[str, Any]) -> Any:
    """A new network with random weights from the default generator; `UsageError` if the pictures are too small."""
    channels, size = description["channels"], description["size"]
    try:
        network = _make(name, classes, channels, size)
        _try(network, channels, size)
    except (RuntimeError, ValueError) as error:
        first = str(error).splitlines()[0]
        raise UsageError(f"--model {name} cannot take {size}x{size} pictures, try --image-size: {first}") from None
    return network


def normalizes_batches(network: Any) -> bool:
    """Whether it has a layer that cannot learn from a single picture."""
    return any(type(module).__name__.startswith("BatchNorm") for module in network.modules())


def _make(name: str, classes: int, channels: int, size: int) -> Any:
    from .. import nn
    from ..vision import models

    if name == "lenet":
        return models.LeNet(num_classes=classes, in_channels=channels, image_size=size, dropout=0.2)
    if name == "mlp":
        return nn.Sequential(
            nn.Flatten(), nn.Linear(channels * size * size, 256), nn.ReLU(), nn.Dropout(0.2), nn.Linear(256, classes)
        )
    network = getattr(models, name)(num_classes=classes)
    if channels != 3:
        _take_channels(network, channels)
    return network


def _take_channels(network: Any, channels: int) -> None:
    """Replace the first convolution by one for this many channels."""
    from .. import nn

    path, old = next((path, m) for path, m in network.named_modules() if isinstance(m, nn.Conv2d))
    parent, _, name = path.rpartition(".")
    new = nn.Conv2d(channels, old.out_channels, old.kernel_size, old.stride, old.padding, bias=old.bias is not None)
    setattr(network.get_submodule(parent), name, new)


def _try(network: Any, channels: int, size: int) -> None:
    from .. import no_grad, zeros

    network.eval()
    with no_grad():
        network(zeros(1, channels, size, size))
    network.train()
