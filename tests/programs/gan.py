"""A small DCGAN: both networks take a few steps; weights drawn by `apply`, sums along the way."""

import torch
import torch.nn as nn


def draw(m):
    name = m.__class__.__name__
    if "Conv" in name:
        nn.init.normal_(m.weight, 0.0, 0.02)
    elif "BatchNorm" in name:
        nn.init.normal_(m.weight, 1.0, 0.02)
        nn.init.constant_(m.bias, 0)


torch.manual_seed(999)
generator = nn.Sequential(
    nn.ConvTranspose2d(8, 16, 4, 1, 0, bias=False),
    nn.BatchNorm2d(16),
    nn.ReLU(True),
    nn.ConvTranspose2d(16, 8, 4, 2, 1, bias=False),
    nn.BatchNorm2d(8),
    nn.ReLU(True),
    nn.ConvTranspose2d(8, 1, 4, 2, 1, bias=False),
    nn.Tanh(),
)
critic = nn.Sequential(
    nn.Conv2d(1, 8, 4, 2, 1, bias=False),
    nn.LeakyReLU(0.2, inplace=True),
    nn.Conv2d(8, 16, 4, 2, 1, bias=False),
    nn.BatchNorm2d(16),
    nn.LeakyReLU(0.2, inplace=True),
    nn.Conv2d(16, 1, 4, 1, 0, bias=False),
    nn.Sigmoid(),
)
generator.apply(draw)
critic.apply(draw)
criterion = nn.BCELoss()
step_g = torch.optim.Adam(generator.parameters(), lr=2e-3, betas=(0.5, 0.999))
step_d = torch.optim.Adam(critic.parameters(), lr=2e-3, betas=(0.5, 0.999))
for step in range(8):
    real = torch.linspace(-1, 1, 16).expand(12, 1, 16, 16) * torch.empty(12, 1, 1, 1).uniform_(0.5, 1)
    critic.zero_grad()
    loss_real = criterion(critic(real).view(-1), torch.full((12,), 0.9))
    loss_real.backward()
    fake = generator(torch.randn(12, 8, 1, 1))
    loss_fake = criterion(critic(fake.detach()).view(-1), torch.zeros(12))
    loss_fake.backward()
    step_d.step()
    generator.zero_grad()
    loss_g = criterion(critic(fake).view(-1), torch.ones(12))
    loss_g.backward()
    step_g.step()
    print(step, f"{(loss_real + loss_fake).item():.4f} {loss_g.item():.4f} {fake.std().item():.4f}")
print(generator[1].running_mean[:3], generator[1].num_batches_tracked)
