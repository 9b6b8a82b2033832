"""LeNet: two convolutions and three linear layers, the network of the PyTorch CIFAR-10 tutorial."""

from __future__ import annotations

from typing import Any

from rushlight import nn
from rushlight.autograd.tensor import Tensor
from rushlight.nn import functional as F

from .untrained import untrained


class LeNet(nn.Module):
    """Classify pictures (n, in_channels, height, width) into `num_classes`; gives logits (n, num_classes).

    With the defaults it is the tutorial's `Net`, keys and initial values included. `image_size` is (height, width) or
    one number. A picture too small for two rounds of 5x5 convolution and halving (below 16) is padded by the
    convolutions, so that the 8x8 digits work too.

    >>> from rushlight import zeros
    >>> LeNet(in_channels=1, image_size=28)(zeros(2, 1, 28, 28)).shape
    torch.Size([2, 10])

    Y. LeCun et al., "Gradient-based learning applied to document recognition", 1998; the variant of
    https://docs.pytorch.org/tutorials/beginner/blitz/cifar10_tutorial.html.
    """

    def __init__(
        self, num_classes: int = 10, in_channels: int = 3, image_size: int | tuple[int, int] = 32, dropout: float = 0.0
    ) -> None:
        super().__init__()
        sizes = (image_size, image_size) if isinstance(image_size, int) else image_size
        padding = 0 if min(sizes) >= 16 else 2
        height, width = (_halved(_halved(size, padding), padding) for size in sizes)
        if min(height, width) < 1:
            raise ValueError(f"LeNet needs pictures of at least 4x4, got {sizes[0]}x{sizes[1]}")
        self.conv1 = nn.Conv2d(in_channels, 6, 5, padding=padding)
        self.pool = nn.MaxPool2d(2, 2)
        self.conv2 = nn.Conv2d(6, 16, 5, padding=padding)
        self.fc1 = nn.Linear(16 * height * width, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, num_classes)
        self.dropout = dropout

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = x.flatten(1)
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        if self.dropout:
            x = F.dropout(x, self.dropout, self.training)
        out: Tensor = self.fc3(x)
        return out


def _halved(size: int, padding: int) -> int:
    """Return the size after a 5-wide convolution and pooling by two."""
    return (size + 2 * padding - 4) // 2


def lenet(*, weights: Any = None, **kwargs: Any) -> LeNet:
    """Return a `LeNet` with these arguments."""
    untrained("lenet", weights)
    return LeNet(**kwargs)
