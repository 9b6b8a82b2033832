"""A transformer encoder learns to tell whether a sequence has more large tokens than small ones; padding is masked."""

import math

import torch
from torch import nn
from torch.nn.utils.rnn import pad_sequence


class Positions(nn.Module):
    def __init__(self, width, longest=64):
        super().__init__()
        place = torch.arange(longest).unsqueeze(1)
        rate = torch.exp(torch.arange(0, width, 2) * (-math.log(10000.0) / width))
        table = torch.zeros(longest, width)
        table[:, 0::2] = torch.sin(place * rate)
        table[:, 1::2] = torch.cos(place * rate)
        self.register_buffer("table", table)

    def forward(self, x):
        return x + self.table[: x.size(1)]


class Classifier(nn.Module):
    def __init__(self, tokens=20, width=16):
        super().__init__()
        self.embed = nn.Embedding(tokens, width, padding_idx=0)
        self.positions = Positions(width)
        layer = nn.TransformerEncoderLayer(width, nhead=4, dim_feedforward=32, dropout=0.0, batch_first=True)
        self.encoder = nn.TransformerEncoder(layer, num_layers=2, enable_nested_tensor=False)
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, 2)

    def forward(self, ids):
        empty = ids == 0
        x = self.encoder(self.positions(self.embed(ids)), src_key_padding_mask=empty)
        weights = (~empty).unsqueeze(-1).float()
        return self.head(self.norm((x * weights).sum(1) / weights.sum(1)))


def batch(n):
    lengths = torch.randint(4, 12, (n,)).tolist()
    rows = [torch.randint(1, 20, (length,)) for length in lengths]
    labels = torch.tensor([int((row >= 10).float().mean() > 0.5) for row in rows])
    return pad_sequence(rows, batch_first=True), labels


torch.manual_seed(3)
model = Classifier()
print(sum(p.numel() for p in model.parameters()), [tuple(p.shape) for p in model.parameters()][:4])
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3, betas=(0.9, 0.98))
warmup = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / 10))
criterion = nn.CrossEntropyLoss(label_smoothing=0.1)
for step in range(30):
    x, y = batch(32)
    loss = criterion(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    warmup.step()
    if step % 6 == 5:
        print(step, f"{loss.item():.4f} {warmup.get_last_lr()[0]:.5f}")
model.eval()
with torch.no_grad():
    x, y = batch(100)
    print(f"{(model(x).argmax(-1) == y).float().mean().item():.3f}")
attention = nn.MultiheadAttention(16, 4, batch_first=True)
q = torch.randn(2, 5, 16)
causal = torch.triu(torch.ones(5, 5, dtype=torch.bool), diagonal=1)
out, weights = attention(q, q, q, attn_mask=causal, need_weights=True)
print(f"{out.norm().item():.4f}", tuple(weights.shape), f"{weights[0, 0, 0].item():.4f}")
