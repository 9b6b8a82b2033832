"""MobileNetV2: each block widens its input, filters every channel by itself, and narrows it again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from rushlight import nn
from rushlight.autograd.tensor import Tensor

from .untrained import untrained

Norm = Callable[[int], nn.Module]


def make_divisible(value: float, divisor: int = 8) -> int:
    """Return the multiple of `divisor` nearest to `value`, but not more than a tenth below it.

    >>> make_divisible(24 * 0.75), make_divisible(32 * 0.35)
    (24, 16)
    """
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


class ConvNormActivation(nn.Sequential):
    """A convolution that keeps the size but for its stride, a normalisation and ReLU6."""

    def __init__(
        self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1, groups: int = 1, norm: Norm = nn.BatchNorm2d
    ) -> None:
        padding = (kernel - 1) // 2
        super().__init__(
            nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False),
            norm(outputs),
            nn.ReLU6(inplace=True),
        )
        self.out_channels = outputs


class InvertedResidual(nn.Module):
    """Widen by `expand_ratio`, filter 3x3, narrow to `oup`; plus the input where the shapes are the same."""

    def __init__(self, inp: int, oup: int, stride: int, expand_ratio: int, norm_layer: Norm = nn.BatchNorm2d) -> None:
        super().__init__()
        if stride not in (1, 2):
            raise ValueError(f"stride should be 1 or 2 instead of {stride}")
        hidden = round(inp * expand_ratio)
        self.stride = stride
        self.use_res_connect = stride == 1 and inp == oup
        layers: list[nn.Module] = []
        if expand_ratio != 1:
            layers.append(ConvNormActivation(inp, hidden, kernel=1, norm=norm_layer))
        layers.append(ConvNormActivation(hidden, hidden, stride=stride, groups=hidden, norm=norm_layer))
        layers += [nn.Conv2d(hidden, oup, 1, 1, 0, bias=False), norm_layer(oup)]
        self.conv = nn.Sequential(*layers)
        self.out_channels = oup

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = self.conv(x)
        return x + out if self.use_res_connect else out


class MobileNetV2(nn.Module):
    """Classify pictures (n, 3, height, width) into `num_classes`; `width_mult` scales every number of channels.

    M. Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", arXiv:1801.04381.
    """

    def __init__(
        self,
        num_classes: int = 1000,
        width_mult: float = 1.0,
        inverted_residual_setting: Sequence[Sequence[int]] | None = None,
        round_nearest: int = 8,
        block: Callable[..., nn.Module] | None = None,
        norm_layer: Norm | None = None,
        dropout: float = 0.2,
    ) -> None:
        super().__init__()
        block = block or InvertedResidual
        norm_layer = norm_layer or nn.BatchNorm2d
        # Expansion, channels, blocks, stride of the first block: table 2 of the paper.
        setting = inverted_residual_setting or [
            [1, 16, 1, 1],
            [6, 24, 2, 2],
            [6, 32, 3, 2],
            [6, 64, 4, 2],
            [6, 96, 3, 1],
            [6, 160, 3, 2],
            [6, 320, 1, 1],
        ]
        if len(setting) == 0 or len(setting[0]) != 4:
            raise ValueError(
                f"inverted_residual_setting should be non-empty or a 4-element list, got {inverted_residual_setting}"
            )
        channels = make_divisible(32 * width_mult, round_nearest)
        self.last_channel = make_divisible(1280 * max(1.0, width_mult), round_nearest)
        features: list[nn.Module] = [ConvNormActivation(3, channels, stride=2, norm=norm_layer)]
        for expansion, base, count, first_stride in setting:
            outputs = make_divisible(base * width_mult, round_nearest)
            for i in range(count):
                stride = first_stride if i == 0 else 1
                features.append(block(channels, outputs, stride, expand_ratio=expansion, norm_layer=norm_layer))
                channels = outputs
        features.append(ConvNormActivation(channels, self.last_channel, kernel=1, norm=norm_layer))
        self.features = nn.Sequential(*features)
        self.classifier = nn.Sequential(nn.Dropout(p=dropout), nn.Linear(self.last_channel, num_classes))

        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, (nn.BatchNorm2d, nn.GroupNorm)):
                nn.init.ones_(module.weight)
                nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Linear):
                nn.init.normal_(module.weight, 0, 0.01)
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> Tensor:
        x = nn.functional.adaptive_avg_pool2d(self.features(x), (1, 1))
        out: Tensor = self.classifier(x.flatten(1))
        return out


def mobilenet_v2(*, weights: Any = None, progress: bool = True, pretrained: bool = False, **kwargs: Any) -> MobileNetV2:
    """Return an untrained MobileNetV2 (3,504,872 parameters with 1,000 classes)."""
    untrained("mobilenet_v2", weights, pretrained)
    return MobileNetV2(**kwargs)
