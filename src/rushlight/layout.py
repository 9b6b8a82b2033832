"""Layouts and memory formats: names that PyTorch programs pass around."""

from __future__ import annotations

from typing import Any


class layout:
    """How a tensor's elements are stored; rushlight has `strided` only."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"

    def __reduce__(self) -> Any:
        return self.name


class memory_format(layout):
    """The order of a dense tensor's dimensions in memory."""


strided = layout("strided")
sparse_coo, sparse_csr = layout("sparse_coo"), layout("sparse_csr")
sparse_csc, sparse_bsr, sparse_bsc = layout("sparse_csc"), layout("sparse_bsr"), layout("sparse_bsc")
contiguous_format = memory_format("contiguous_format")
preserve_format = memory_format("preserve_format")
channels_last = memory_format("channels_last")
channels_last_3d = memory_format("channels_last_3d")


def check_rank(n: int, name: str) -> None:
    """Refuse a channels-last format of pictures for what are none."""
    rank = {"channels_last": 4, "channels_last_3d": 5}.get(name, n)
    if n != rank:
        raise RuntimeError(f"required rank {rank} tensor to use {name} format")
