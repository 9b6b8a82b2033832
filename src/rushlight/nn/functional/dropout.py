"""Dropout of elements and of whole channels, plain and self-normalising."""

from __future__ import annotations

from typing import Any

from ...ops import FUNCTIONS
from ...settings import warn


def _check(p: float) -> None:
    if p < 0.0 or p > 1.0:
        raise ValueError(f"dropout probability has to be between 0 and 1, but got {p}")


def dropout(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Zero each element with probability `p` and scale the rest by `1 / (1 - p)` (Srivastava et al., 2014)."""
    _check(p)
    return (FUNCTIONS["dropout_"] if inplace else FUNCTIONS["dropout"])(input, p, training)


def alpha_dropout(input: Any, p: float = 0.5, training: bool = False, inplace: bool = False) -> Any:
    """Dropout that keeps mean and variance of SELU networks (https://arxiv.org/abs/1706.02515)."""
    _check(p)
    return (FUNCTIONS["alpha_dropout_"] if inplace else FUNCTIONS["alpha_dropout"])(input, p, training)


def feature_alpha_dropout(input: Any, p: float = 0.5, training: bool = False, inplace: bool = False) -> Any:
    """`alpha_dropout` of whole channels."""
    _check(p)
    return (FUNCTIONS["feature_alpha_dropout_"] if inplace else FUNCTIONS["feature_alpha_dropout"])(input, p, training)


def dropout1d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Zero whole channels of (N, C, L) or (C, L)."""
    _check(p)
    n = input.dim()
    if n not in (2, 3):
        raise RuntimeError(
            f"dropout1d: Expected 2D or 3D input, but received a {n}D input. Note that dropout1d exists to provide "
            "channel-wise dropout on inputs with 1 spatial dimension, a channel dimension, and an optional batch "
            "dimension (i.e. 2D or 3D inputs)."
        )
    return _by_channel(input, p, training, inplace, n == 2)


def dropout2d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Zero whole channels of (N, C, H, W) (Tompson et al., https://arxiv.org/abs/1411.4280)."""
    _check(p)
    n = input.dim()
    if n not in (3, 4):
        _warn_dims("dropout2d", n, 2, "3D or 4D")
    if n == 3:
        warn(
            "dropout2d: Received a 3D input to dropout2d and assuming that channel-wise 1D dropout behavior is desired "
            "- input is interpreted as shape (N, C, L), where C is the channel dim. This behavior will change in a "
            "future release to interpret the input as one without a batch dimension, i.e. shape (C, H, W). To maintain "
            "the 1D channel-wise dropout behavior, please switch to using dropout1d instead.",
        )
    return _by_channel(input, p, training, inplace, False)


def dropout3d(input: Any, p: float = 0.5, training: bool = True, inplace: bool = False) -> Any:
    """Zero whole channels of (N, C, D, H, W) or (C, D, H, W)."""
    _check(p)
    n = input.dim()
    if n not in (4, 5):
        _warn_dims("dropout3d", n, 3, "4D or 5D")
    return _by_channel(input, p, training, inplace, n == 4)


def _warn_dims(name: str, n: int, spatial: int, wanted: str) -> None:
    warn(
        f"{name}: Received a {n}-D input to {name}, which is deprecated and will result in an error in a future "
        f"release. To retain the behavior and silence this warning, please use dropout instead. Note that {name} "
        f"exists to provide channel-wise dropout on inputs with {spatial} spatial dimensions, a channel dimension, "
        f"and an optional batch dimension (i.e. {wanted} inputs).",
    )


def _by_channel(x: Any, p: float, training: bool, inplace: bool, unbatched: bool) -> Any:
    drop = FUNCTIONS["feature_dropout_"] if inplace else FUNCTIONS["feature_dropout"]
    return drop(x.unsqueeze(0), p, training).squeeze(0) if unbatched else drop(x, p, training)
