"""What the models say when they are asked for trained weights."""

from __future__ import annotations

from typing import Any


def untrained(model: str, weights: Any, pretrained: bool = False) -> None:
    """Raise `NotImplementedError` where trained weights are asked for, under the new or the old name."""
    if weights is not None or pretrained:
        raise NotImplementedError(
            f"{model} has no trained weights here: pass weights=None, and load a state_dict of your own "
            f"(torchvision's {model} has the same keys)"
        )
