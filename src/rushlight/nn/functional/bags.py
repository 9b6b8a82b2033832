"""Embeddings reduced over bags of indices, and one-hot codes."""

from __future__ import annotations

import itertools
import math
from typing import Any

from ... import dtypes, ops
from ...ops.embedding import embedding


def embedding_bag(
    input: Any, weight: Any, offsets: Any = None, max_norm: float | None = None, norm_type: float = 2,
    scale_grad_by_freq: bool = False, mode: str = "mean", sparse: bool = False, per_sample_weights: Any = None,
    include_last_offset: bool = False, padding_idx: int | None = None,
) -> Any:  # fmt: skip
    """The sum, mean or maximum of the embeddings in each bag: the rows of a 2-d `input`, or runs between `offsets`."""
    if weight.dtype.name == "int64" and input.is_floating_point():
        input, weight = weight, input  # the order of arguments before PyTorch 0.4
    if per_sample_weights is not None and input.size() != per_sample_weights.size():
        raise ValueError(
            f"embedding_bag: If per_sample_weights ({per_sample_weights.shape}) is not None, then it must have the "
            f"same shape as the input ({input.shape})"
        )
    _check_mode(weight, mode, scale_grad_by_freq, sparse, per_sample_weights)
    padding_idx = _wrap_padding(padding_idx, weight.size(0))
    ids, bags, n_bags = _bags(input, offsets, include_last_offset)
    vectors = embedding(ids, weight, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse)
    if per_sample_weights is not None:
        vectors = vectors * per_sample_weights.reshape(-1, 1)
    kept = ops.ones_like(ids) if padding_idx is None else (ids != padding_idx).long()
    counts = ids.new_zeros(n_bags).index_add(0, bags, kept)
    if mode == "max":
        return _maxima(vectors, bags, kept, counts)
    if padding_idx is not None:
        vectors = vectors * kept.to(vectors.dtype).unsqueeze(1)
    total = vectors.new_zeros((n_bags, weight.size(1))).index_add(0, bags, vectors)
    return total if mode == "sum" else total / counts.clamp_min(1).to(total.dtype).unsqueeze(1)


def _check_mode(weight: Any, mode: str, by_frequency: bool, sparse: bool, sample_weights: Any) -> None:
    if not weight.dim() == 2:
        raise ValueError(f"weight has to be a 2D Tensor, but got Tensor of dimension {weight.dim()}")
    if mode not in ("sum", "mean", "max"):
        raise ValueError("mode has to be one of sum, mean or max")
    if mode == "max":
        if by_frequency:
            raise ValueError("max mode does not support scaling the gradient by the frequency")
        if sparse:
            raise ValueError("max mode does not support sparse weights")
    if sample_weights is not None and mode != "sum":
        raise NotImplementedError(
            "embedding_bag: per_sample_weights was not None. per_sample_weights is only supported for mode='sum' (got "
            f"mode='{mode}'). Please open a feature request on GitHub."
        )


def _wrap_padding(padding_idx: int | None, rows: int) -> int | None:
    if padding_idx is None:
        return None
    if not -rows <= padding_idx < rows:
        raise RuntimeError("padding_idx must be within the number of embeddings")
    return padding_idx % rows


def _bags(input: Any, offsets: Any, include_last: bool) -> tuple[Any, Any, int]:
    """Flat indices, the bag that each belongs to, and the number of bags."""
    if input.dim() == 2:
        if offsets is not None:
            raise ValueError(
                "if input is 2D, then offsets has to be None, as input is treated is a mini-batch of fixed length "
                f"sequences. However, found offsets of type {type(offsets)}"
            )
        n, length = input.shape
        return input.reshape(-1), ops.arange(n).repeat_interleave(length), n
    if input.dim() != 1:
        raise ValueError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {input.dim()}")
    if offsets is None:
        raise ValueError("offsets has to be a 1D Tensor but got None")
    if offsets.dim() != 1:
        raise ValueError("offsets has to be a 1D Tensor")
    starts = offsets.tolist()
    n = input.size(0)
    if starts and starts[0] != 0:
        raise RuntimeError(
            "offsets[0] has to be 0, i.e., the first sequence in the mini-batch has to start from position 0. However, "
            f"got {starts[0]}"
        )
    if starts and starts[-1] > n:
        raise RuntimeError(
            f"offsets[-1] can not be greater than input's length {n} but got offsets[-1] of {starts[-1]}"
        )
    if not include_last:
        starts.append(n)
    lengths = [b - a for a, b in itertools.pairwise(starts)]
    used = sum(lengths)
    return (
        input[:used],
        ops.arange(len(lengths)).repeat_interleave(ops.tensor(lengths, dtype=dtypes.int64)),
        len(lengths),
    )


def _maxima(vectors: Any, bags: Any, kept: Any, counts: Any) -> Any:
    """The maximum over each bag, 0 for an empty one: the vectors are laid out as (bags, longest, D) first."""
    n, longest = counts.size(0), int(counts.max()) if counts.numel() else 0
    if longest == 0:
        return vectors.new_zeros((n, vectors.size(1)))
    order = kept.nonzero().squeeze(1)
    bags = bags.index_select(0, order)
    first = counts.cumsum(0) - counts
    place = bags * longest + ops.arange(order.size(0)) - first.index_select(0, bags)
    filled = vectors.new_full((n * longest, vectors.size(1)), -math.inf)
    filled = filled.index_copy(0, place, vectors.index_select(0, order)).reshape(n, longest, -1)
    return filled.max(1)[0].masked_fill((counts == 0).unsqueeze(1), 0.0)


def one_hot(tensor: Any, num_classes: int = -1) -> Any:
    """A last dimension with a 1 at the class and 0 elsewhere, int64."""
    if tensor.dtype.name != "int64":
        raise RuntimeError("one_hot is only applicable to index tensor of type LongTensor.")
    if tensor.numel() == 0:
        if num_classes <= 0:
            raise RuntimeError("Can not infer total number of classes from empty tensor.")
        return tensor.new_zeros((*tensor.shape, num_classes))
    if int(tensor.min()) < 0:
        raise RuntimeError("Class values must be non-negative.")
    largest = int(tensor.max())
    if num_classes == -1:
        num_classes = largest + 1
    elif num_classes <= largest:
        raise RuntimeError("Class values must be smaller than num_classes.")
    return (tensor.contiguous().unsqueeze(-1) == ops.arange(num_classes)).long()
