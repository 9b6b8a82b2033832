"""A variational autoencoder takes a few steps on pictures of bars."""

import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, Dataset


class Bars(Dataset):
    """8x8 pictures with one bright row and one bright column."""

    def __len__(self):
        return 64

    def __getitem__(self, i):
        picture = torch.zeros(1, 8, 8)
        picture[0, i % 8] = 1.0
        picture[0, :, i // 8] = 1.0
        return picture, i


class VAE(nn.Module):
    def __init__(self, code=3):
        super().__init__()
        self.encode = nn.Sequential(nn.Flatten(), nn.Linear(64, 40), nn.ReLU())
        self.mean = nn.Linear(40, code)
        self.log_variance = nn.Linear(40, code)
        self.decode = nn.Sequential(
            nn.Linear(code, 40), nn.LeakyReLU(0.1), nn.Linear(40, 64), nn.Unflatten(1, (1, 8, 8))
        )

    def forward(self, x):
        h = self.encode(x)
        mean, log_variance = self.mean(h), self.log_variance(h)
        deviation = torch.exp(0.5 * log_variance)
        code = mean + torch.randn_like(deviation) * deviation
        return self.decode(code), mean, log_variance


def objective(logits, x, mean, log_variance):
    reconstruction = F.binary_cross_entropy_with_logits(logits, x, reduction="sum")
    divergence = -0.5 * torch.sum(1 + log_variance - mean.pow(2) - log_variance.exp())
    return reconstruction, divergence


torch.manual_seed(11)
model = VAE()
optimizer = torch.optim.Adam(model.parameters(), lr=5e-3)
for epoch in range(6):
    sums = torch.zeros(2)
    for x, _ in DataLoader(Bars(), batch_size=16, shuffle=True, drop_last=True):
        optimizer.zero_grad()
        reconstruction, divergence = objective(*((out := model(x))[0], x, *out[1:]))
        (reconstruction + divergence).div(len(x)).backward()
        optimizer.step()
        sums += torch.stack([reconstruction, divergence]).detach()
    print(epoch, *(f"{v:.3f}" for v in (sums / 64).tolist()))
with torch.no_grad():
    print(f"{torch.sigmoid(model.decode(torch.normal(torch.zeros(2, 3), 1.0))).mean().item():.4f}")
