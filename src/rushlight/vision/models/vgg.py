"""VGG: stacks of 3x3 convolutions between poolings, then three wide linear layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rushlight import nn
from rushlight.autograd.tensor import Tensor

from .untrained import untrained

# Channels of each convolution; "M" is a max pooling by two. The letters are the paper's.
cfgs: dict[str, list[int | str]] = {
    "A": [64, "M", 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"],
    "B": [64, 64, "M", 128, 128, "M", 256, 256, "M", 512, 512, "M", 512, 512, "M"],
    "D": [64, 64, "M", 128, 128, "M", *[256] * 3, "M", *[512] * 3, "M", *[512] * 3, "M"],
    "E": [64, 64, "M", 128, 128, "M", *[256] * 4, "M", *[512] * 4, "M", *[512] * 4, "M"],
}


class VGG(nn.Module):
    """Classify pictures (n, 3, height, width) into `num_classes`, by `features` that end in 512 channels.

    K. Simonyan, A. Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition", arXiv:1409.1556.
    """

    def __init__(
        self, features: nn.Module, num_classes: int = 1000, init_weights: bool = True, dropout: float = 0.5
    ) -> None:
        super().__init__()
        self.features = features
        self.avgpool = nn.AdaptiveAvgPool2d((7, 7))
        self.classifier = nn.Sequential(
            nn.Linear(512 * 7 * 7, 4096),
            nn.ReLU(True),
            nn.Dropout(p=dropout),
            nn.Linear(4096, 4096),
            nn.ReLU(True),
            nn.Dropout(p=dropout),
            nn.Linear(4096, num_classes),
        )
        if init_weights:
            for module in self.modules():
                if isinstance(module, nn.Conv2d):
                    nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
                    if module.bias is not None:
                        nn.init.constant_(module.bias, 0)
                elif isinstance(module, nn.BatchNorm2d):
                    nn.init.constant_(module.weight, 1)
                    nn.init.constant_(module.bias, 0)
                elif isinstance(module, nn.Linear):
                    nn.init.normal_(module.weight, 0, 0.01)
                    nn.init.constant_(module.bias, 0)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.classifier(self.avgpool(self.features(x)).flatten(1))
        return out


def make_layers(cfg: Sequence[int | str], batch_norm: bool = False) -> nn.Sequential:
    """Return the convolutions and poolings of one configuration."""
    layers: list[nn.Module] = []
    channels = 3
    for step in cfg:
        if isinstance(step, str):
            layers.append(nn.MaxPool2d(kernel_size=2, stride=2))
            continue
        layers.append(nn.Conv2d(channels, step, kernel_size=3, padding=1))
        if batch_norm:
            layers.append(nn.BatchNorm2d(step))
        layers.append(nn.ReLU(inplace=True))
        channels = step
    return nn.Sequential(*layers)


def _vgg(name: str, cfg: str, batch_norm: bool, weights: Any, pretrained: bool, kwargs: dict[str, Any]) -> VGG:
    untrained(name, weights, pretrained)
    return VGG(make_layers(cfgs[cfg], batch_norm), **kwargs)


def vgg11(*, weights: Any = None, progress: bool = True, pretrained: bool = False, **kwargs: Any) -> VGG:
    """Return an untrained VGG of 11 layers (132,863,336 parameters with 1,000 classes)."""
    return _vgg("vgg11", "A", False, weights, pretrained, kwargs)


def vgg11_bn(*, weights: Any = None, progress: bool = True, pretrained: bool = False, **kwargs: Any) -> VGG:
    """Return an untrained VGG of 11 layers with batch normalisation."""
    return _vgg("vgg11_bn", "A", True, weights, pretrained, kwargs)


def vgg13(*, weights: Any = None, progress: bool = True, pretrained: bool = False, **kwargs: Any) -> VGG:
    """Return an untrained VGG of 13 layers."""
    return _vgg("vgg13", "B", False, weights, pretrained, kwargs)


def vgg13_bn(*, weights: Any = None, progress: bool = True, pretrained: bool = False, **kwargs: Any) -> VGG:
    """Return an untrained VGG of 13 layers with batch normalisation."""
    return _vgg("vgg13_bn", "B", True, weights, pretrained, kwargs)


def vgg16(*, weights: Any = None, progress: bool = True, pretrained: bool = False, **kwargs: Any) -> VGG:
    """Return an untrained VGG of 16 layers (138,357,544 parameters)."""
    return _vgg("vgg16", "D", False, weights, pretrained, kwargs)


def vgg16_bn(*, weights: Any = None, progress: bool = True, pretrained: bool = False, **kwargs: Any) -> VGG:
    """Return an untrained VGG of 16 layers with batch normalisation."""
    return _vgg("vgg16_bn", "D", True, weights, pretrained, kwargs)


def vgg19(*, weights: Any = None, progress: bool = True, pretrained: bool = False, **kwargs: Any) -> VGG:
    """Return an untrained VGG of 19 layers."""
    return _vgg("vgg19", "E", False, weights, pretrained, kwargs)


def vgg19_bn(*, weights: Any = None, progress: bool = True, pretrained: bool = False, **kwargs: Any) -> VGG:
    """Return an untrained VGG of 19 layers with batch normalisation."""
    return _vgg("vgg19_bn", "E", True, weights, pretrained, kwargs)
