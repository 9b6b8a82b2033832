"""Masked attention against PyTorch's recorded answers: rows that see nothing, padded positions, refused masks."""

from __future__ import annotations

from typing import Any

import pytest

import rushlight as torch


def test_fastpath_switch() -> None:
    layer = torch.nn.MultiheadAttention(4, 2, batch_first=True).eval()
    x, hidden = torch.ones(1, 3, 4), torch.ones(1, 3).bool()
    with torch.no_grad():
        assert layer(x, x, x, hidden, need_weights=False)[0].isnan().all()
        torch.backends.mha.set_fastpath_enabled(False)
        try:
            assert (layer(x, x, x, hidden, need_weights=False)[0] == 0).all()
        finally:
            torch.backends.mha.set_fastpath_enabled(True)
    assert torch.backends.mha.get_fastpath_enabled()


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        ({"norm_first": True}, "encoder_layer.norm_first was True"),
        ({"activation": torch.tanh}, "encoder_layer.activation_relu_or_gelu was not True"),
        ({"bias": False}, "encoder_layer.self_attn was passed bias=False"),
        ({"nhead": 1}, "encoder_layer.self_attn.num_heads is odd"),
        (
            {"batch_first": False},
            r"encoder_layer.self_attn.batch_first was not True\(use batch_first for better inference performance\)",
        ),
    ],
)
def test_encoder_says_why_padding_is_not_left_out(options: dict[str, Any], reason: str) -> None:
    layer = torch.nn.TransformerEncoderLayer(4, **{"nhead": 2, "batch_first": True, **options})
    with pytest.warns(UserWarning, match=f"self.use_nested_tensor is False because {reason}$"):
        torch.nn.TransformerEncoder(layer, 1)
