"""Pictures through torchvision's transforms, a ResNet, and a batch-normalised training step in both modes."""

import numpy as np
import torch
import torch.nn as nn
import torchvision
import torchvision.transforms as T
from PIL import Image
from torch.utils.data import DataLoader, Dataset
from torchvision import models


class Gradients(Dataset):
    def __init__(self, transform):
        self.transform = transform

    def __len__(self):
        return 12

    def __getitem__(self, i):
        a = np.zeros((24, 28, 3), dtype=np.uint8)
        a[..., i % 3] = np.linspace(0, 255, 28, dtype=np.uint8)
        a[i, :, :] = 255
        return self.transform(Image.fromarray(a)), i % 3


mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
train = Gradients(
    T.Compose(
        [T.Resize(24), T.RandomCrop(20, padding=2), T.RandomHorizontalFlip(), T.ToTensor(), T.Normalize(mean, std)]
    )
)
plain = Gradients(T.Compose([T.CenterCrop(20), T.ToTensor(), T.Normalize(mean, std)]))
torch.manual_seed(4)
model = models.resnet18(weights=None, num_classes=3)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, nesterov=True, weight_decay=1e-4)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)
criterion = nn.CrossEntropyLoss()
for _ in range(2):
    model.train()
    for x, y in DataLoader(train, batch_size=6, shuffle=True):
        optimizer.zero_grad()
        loss = criterion(model(x), y)
        loss.backward()
        optimizer.step()
        print(f"{x.mean().item():.5f} {loss.item():.3f}")
    scheduler.step()
model.eval()
with torch.no_grad():
    for x, y in DataLoader(plain, batch_size=12):
        print(tuple(model(x).shape), f"{x.std().item():.5f}", y.tolist())
model.fc = nn.Linear(model.fc.in_features, 5)
grid = torchvision.utils.make_grid(torch.rand(5, 3, 4, 4), nrow=3)
print(grid.shape, f"{grid.sum().item():.3f}", len(model.state_dict()))
