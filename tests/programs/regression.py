"""An MLP learns a sine, with a learning rate that falls and gradients that are clipped."""

import math

import torch
import torch.nn as nn
import torch.optim as optim
from torch.utils.data import DataLoader, TensorDataset, random_split

torch.manual_seed(7)
x = torch.rand(256, 1) * 2 * math.pi
y = torch.sin(x) + 0.05 * torch.randn_like(x)
train, held = random_split(TensorDataset(x, y), [200, 56])
model = nn.Sequential(nn.Linear(1, 32), nn.Tanh(), nn.Linear(32, 32), nn.SiLU(), nn.Linear(32, 1))
optimizer = optim.AdamW(model.parameters(), lr=1e-2, weight_decay=1e-4)
scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=8)
criterion = nn.SmoothL1Loss()
for epoch in range(8):
    model.train()
    total, norms = 0.0, 0.0
    for a, b in DataLoader(train, batch_size=20, shuffle=True):
        optimizer.zero_grad(set_to_none=True)
        loss = criterion(model(a), b)
        loss.backward()
        norms += nn.utils.clip_grad_norm_(model.parameters(), 0.5).item()
        optimizer.step()
        total += loss.item() * len(a)
    scheduler.step()
    print(epoch, f"{total / len(train):.4f} {norms:.3f} {scheduler.get_last_lr()[0]:.6f}")
model.eval()
with torch.inference_mode():
    print(f"{sum(criterion(model(a), b).item() for a, b in DataLoader(held, 28)):.4f}")
print(model)
print(sum(p.numel() for p in model.parameters() if p.requires_grad))
