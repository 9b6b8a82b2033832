"""`torch.nn.functional`: a table of the operators that layers are made of.

Those that are operators of their own come from the families in `ops`; compositions of operators are in this package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...ops import activation as _activation
from ...ops import attention as _attention
from ...ops import class_losses, convolution, losses, normalization, pooling
from ...ops import embedding as _embedding
from ...ops import linear as _linear
from .attention import multi_head_attention_forward
from .bags import embedding_bag, one_hot
from .ctc import ctc_loss
from .distance import cosine_similarity, normalize, pairwise_distance, pdist
from .dropout import alpha_dropout, dropout, dropout1d, dropout2d, dropout3d, feature_alpha_dropout
from .fold import channel_shuffle, fold, native_channel_shuffle, pixel_shuffle, pixel_unshuffle, unfold
from .fractional import (
    fractional_max_pool2d,
    fractional_max_pool2d_with_indices,
    fractional_max_pool3d,
    fractional_max_pool3d_with_indices,
)
from .grid import GRID_SAMPLE_INTERPOLATION_MODES, GRID_SAMPLE_PADDING_MODES, affine_grid, grid_sample
from .interpolation import interpolate, upsample, upsample_bilinear, upsample_nearest
from .likelihood import gaussian_nll_loss, linear_cross_entropy, poisson_nll_loss
from .margin import (
    cosine_embedding_loss,
    hinge_embedding_loss,
    margin_ranking_loss,
    multi_margin_loss,
    multilabel_margin_loss,
    multilabel_soft_margin_loss,
    soft_margin_loss,
    triplet_margin_loss,
    triplet_margin_with_distance_loss,
)
from .pad import pad
from .response import local_response_norm

for _family in (_attention, class_losses, convolution, _embedding, _linear, losses, normalization, pooling):
    globals().update(_family.FUNCTIONAL)
globals().update({_name: getattr(_activation, _name) for _name in _activation.__all__})

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...


__all__ = [
    "GRID_SAMPLE_INTERPOLATION_MODES", "GRID_SAMPLE_PADDING_MODES", "affine_grid", "alpha_dropout", "channel_shuffle",
    "cosine_embedding_loss", "cosine_similarity", "ctc_loss", "dropout", "dropout1d", "dropout2d", "dropout3d",
    "embedding_bag", "feature_alpha_dropout", "fold", "fractional_max_pool2d", "fractional_max_pool2d_with_indices",
    "fractional_max_pool3d", "fractional_max_pool3d_with_indices", "gaussian_nll_loss", "grid_sample",
    "hinge_embedding_loss", "interpolate", "linear_cross_entropy", "local_response_norm", "margin_ranking_loss",
    "multi_head_attention_forward", "multi_margin_loss", "multilabel_margin_loss", "multilabel_soft_margin_loss",
    "native_channel_shuffle", "normalize", "one_hot", "pad", "pairwise_distance", "pdist", "pixel_shuffle",
    "pixel_unshuffle", "poisson_nll_loss", "soft_margin_loss", "triplet_margin_loss",
    "triplet_margin_with_distance_loss", "unfold", "upsample", "upsample_bilinear", "upsample_nearest",
]  # fmt: skip
