"""Batches of sequences of different lengths: padded, or packed step by step."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ... import dtypes, ops
from ...autograd.tensor import Tensor, wrap
from ...ops.publishing import type_error


class PackedSequence_(NamedTuple):
    """The fields of `PackedSequence`."""

    data: Any
    batch_sizes: Any
    sorted_indices: Any
    unsorted_indices: Any


def invert_permutation(permutation: Any) -> Any:
    """The permutation that undoes `permutation`."""
    if permutation is None:
        return None
    return ops.empty_like(permutation).scatter_(0, permutation, ops.arange(permutation.numel()))


class PackedSequence(PackedSequence_):
    """Sequences sorted by length and cut into steps: `data` has all first elements, then all second ones, …

    `batch_sizes[t]` is the number of sequences longer than t; `sorted_indices` is the order they were brought into.
    """

    __slots__ = ()

    def __new__(
        cls, data: Any, batch_sizes: Any = None, sorted_indices: Any = None, unsorted_indices: Any = None
    ) -> PackedSequence:
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        if batch_sizes is None and isinstance(data, (list, tuple)):
            data, batch_sizes = data
        if batch_sizes is None:
            raise AssertionError("Expected data to be a list or tuple of length 2")
        if batch_sizes.device.type != "cpu":
            raise ValueError(
                "batch_sizes should always be on CPU. Instances of PackedSequence should never be created manually. "
                "They should be instantiated by functions like pack_sequence and pack_padded_sequences in "
                "nn.utils.rnn. https://pytorch.org/docs/stable/nn.html#torch.nn.utils.rnn.pack_sequence"
            )
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The sequences with their data moved or cast."""
        data = self.data.to(*args, **kwargs)
        return self if data is self.data else type(self)(data, *self[1:])

    def cpu(self) -> PackedSequence:
        """The sequences on the CPU, where they are."""
        return self

    def cuda(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """The sequences on a GPU."""
        return self.to("cuda")

    def _cast(self, dtype: Any) -> PackedSequence:
        return self.to(dtype)

    def double(self) -> PackedSequence:
        """As float64."""
        return self._cast(dtypes.float64)

    def float(self) -> PackedSequence:
        """As float32."""
        return self._cast(dtypes.float32)

    def half(self) -> PackedSequence:
        """As float16."""
        return self._cast(dtypes.float16)

    def long(self) -> PackedSequence:
        """As int64."""
        return self._cast(dtypes.int64)

    def int(self) -> PackedSequence:
        """As int32."""
        return self._cast(dtypes.int32)

    def short(self) -> PackedSequence:
        """As int16."""
        return self._cast(dtypes.int16)

    def char(self) -> PackedSequence:
        """As int8."""
        return self._cast(dtypes.int8)

    def byte(self) -> PackedSequence:
        """As uint8."""
        return self._cast(dtypes.uint8)

    def pin_memory(self) -> PackedSequence:
        """The same: there is no GPU to pin memory for."""
        return self

    def is_pinned(self) -> bool:
        """Whether the memory is pinned."""
        return False

    @property
    def is_cuda(self) -> bool:
        """Whether the data is on a GPU."""
        return bool(self.data.is_cuda)


def pack_padded_sequence(
    input: Any, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Pack a padded batch (T, N, ...) of sequences with the given lengths.

    >>> import rushlight as torch
    >>> from rushlight.nn.utils.rnn import pack_padded_sequence
    >>> pack_padded_sequence(torch.tensor([[1, 2, 0], [3, 4, 5]]), [2, 3], True, enforce_sorted=False).data
    tensor([3, 1, 4, 2, 5])
    """
    lengths = ops.as_tensor(lengths, dtype=dtypes.int64)
    if lengths.dim() != 1:
        raise RuntimeError(
            f"'lengths' argument should be a 1D CPU int64 tensor, but got {lengths.dim()}D {lengths.device} Long tensor"
        )
    order = None
    if not enforce_sorted:
        lengths, order = ops.sort(lengths, descending=True)
        input = input.index_select(0 if batch_first else 1, order)
    if not isinstance(input, Tensor):
        raise type_error("_pack_padded_sequence", input)
    if input.numel() == 0:
        raise RuntimeError("Cannot pack empty tensors.")
    x = input.transpose(0, 1) if batch_first else input
    counts = lengths.numpy()
    _check_lengths(counts, x.size(1))
    longest = int(counts[0])
    try:
        sizes = np.repeat(np.arange(len(counts), 0, -1), np.diff(counts[::-1], prepend=0))
    except MemoryError as error:
        raise RuntimeError(f"DefaultCPUAllocator: can't allocate memory: {8 * longest} bytes for the steps") from error
    # A length beyond the padded ones has steps without data, as in PyTorch.
    data = ops.cat([x[t, :n] for t, n in enumerate(sizes[: x.size(0)].tolist())])
    return PackedSequence(data, wrap(sizes.astype(np.int64)), order, None)


def _check_lengths(counts: Any, batch: int) -> None:
    if len(counts) != batch:
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {len(counts)} (batch_size={batch})"
        )
    if (counts[1:] > counts[:-1]).any():
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass "
            "`enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement if you do "
            "not need ONNX exportability."
        )
    if counts[-1] <= 0:
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0"
        )


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Any, Any]:
    """The inverse of `pack_padded_sequence`: the padded batch and the lengths."""
    sizes = sequence.batch_sizes.tolist()
    steps = len(sizes)
    if total_length is not None and total_length < steps:
        raise ValueError(
            "Expected total_length to be at least the length of the longest sequence in input, but got "
            f"total_length={total_length} and max sequence length being {steps}"
        )
    longest = steps if total_length is None else total_length
    if not isinstance(longest, int):
        raise TypeError(
            "_pad_packed_sequence(): argument 'total_length' (position 5) must be int, not " + type(longest).__name__
        )
    batch = sizes[0]
    rest = tuple(sequence.data.shape[1:])
    flat = ops.cat([ops.arange(n) + t * batch for t, n in enumerate(sizes)])
    padded = sequence.data.new_full((longest * batch, *rest), padding_value).index_copy(0, flat, sequence.data)
    padded = padded.reshape(longest, batch, *rest)
    lengths = ops.tensor([sum(n > i for n in sizes) for i in range(batch)], dtype=dtypes.int64)
    padded = padded.transpose(0, 1) if batch_first else padded
    if sequence.unsorted_indices is not None:
        order = sequence.unsorted_indices
        return padded.index_select(0 if batch_first else 1, order), lengths[order]
    return padded, lengths


def pad_sequence(
    sequences: Any, batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Any:
    """Stack sequences (L, ...) of different lengths, filled up with `padding_value`."""
    if isinstance(sequences, Tensor):
        sequences = sequences.unbind(0)
    elif not hasattr(sequences, "__iter__"):
        raise RuntimeError(
            "pad_sequence: Expected iterable for input sequences, but got arg of type: " + str(type(sequences))
        )
    sequences = tuple(sequences)
    if padding_side not in ("left", "right"):
        raise RuntimeError(f"Expected padding_side to be one of left or right, but got {padding_side}.")
    if not sequences:
        raise RuntimeError("received an empty list of sequences")
    for i, x in enumerate(sequences):
        if not isinstance(x, Tensor):
            raise TypeError(f"expected Tensor as element {i} in argument 0, but got {type(x).__name__}")
        if x.dim() == 0:
            raise RuntimeError("ArrayRef: invalid slice, N = 1; size = 0")
    first, longest = sequences[0], max(x.size(0) for x in sequences)
    if any(x.shape[1:] != first.shape[1:] or x.dtype is not first.dtype for x in sequences):
        filled = first.new_full((len(sequences), longest, *first.shape[1:]), padding_value)
        for row, x in zip(filled.unbind(0), sequences, strict=True):
            row.narrow(0, 0 if padding_side == "right" else longest - x.size(0), x.size(0)).copy_(x)
        return filled if batch_first else filled.transpose(0, 1)
    padded = []
    for x in sequences:
        gap = x.new_full((longest - x.size(0), *x.shape[1:]), padding_value)
        padded.append(ops.cat([x, gap] if padding_side == "right" else [gap, x]) if gap.size(0) else x)
    return ops.stack(padded, 0 if batch_first else 1)


def unpad_sequence(padded_sequences: Any, lengths: Any, batch_first: bool = False) -> list[Any]:
    """The sequences of a padded batch."""
    x = padded_sequences if batch_first else padded_sequences.transpose(0, 1)
    steps = ops.arange(x.size(1), device=lengths.device)
    return [row[steps < n] for row, n in zip(x, lengths, strict=True)]


def pack_sequence(sequences: list[Any], enforce_sorted: bool = True) -> PackedSequence:
    """Pack sequences (L, ...) of different lengths."""
    lengths = ops.tensor([x.size(0) for x in sequences], dtype=dtypes.int64)
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Any]:
    """The sequences of a packed batch."""
    padded, lengths = pad_packed_sequence(packed_sequences, batch_first=True)
    return unpad_sequence(padded, lengths, batch_first=True)
