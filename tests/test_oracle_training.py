"""The promise: from one seed, a training script prints the same losses under PyTorch and under rushlight."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
import pytest

import rushlight

torch = pytest.importorskip("torch")


def perceptron(package: Any) -> Any:
    nn = package.nn
    x = package.randn(256, 20)
    y = (x[:, :10] * x[:, 10:]).argmax(1)
    model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 64), nn.Tanh(), nn.Linear(64, 10))
    return x, y, model, package.optim.AdamW(model.parameters(), lr=1e-2)


def lenet(package: Any) -> Any:
    nn = package.nn

    class LeNet(nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            super().__init__()
            self.conv1 = nn.Conv2d(1, 6, 5, padding=2)
            self.conv2 = nn.Conv2d(6, 16, 3)
            self.channels = nn.Dropout2d(0.1)
            self.hidden = nn.Linear(16 * 6 * 6, 64)
            self.dropout = nn.Dropout(0.25)
            self.out = nn.Linear(64, 4)

        def forward(self, x: Any) -> Any:
            x = nn.functional.max_pool2d(nn.functional.relu(self.conv1(x)), 2)
            x = self.channels(nn.functional.relu(self.conv2(x)))
            return self.out(self.dropout(nn.functional.relu(self.hidden(package.flatten(x, 1)))))

    x = package.randn(256, 1, 16, 16)
    y = package.stack([x[:, 0, :8, :8], x[:, 0, :8, 8:], x[:, 0, 8:, :8], x[:, 0, 8:, 8:]], 1).sum((2, 3)).argmax(1)
    model = LeNet()
    return x, y, model, package.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)


def lstm(package: Any) -> Any:
    nn = package.nn

    class Tagger(nn.Module):  # type: ignore[name-defined, misc]
        def __init__(self) -> None:
            super().__init__()
            self.embedding = nn.Embedding(20, 8)
            self.lstm = nn.LSTM(8, 16, num_layers=2, batch_first=True, dropout=0.1)
            self.out = nn.Linear(16, 20)

        def forward(self, x: Any) -> Any:
            y, _ = self.lstm(self.embedding(x))
            return self.out(y[:, -1])

    x = package.randint(0, 20, (256, 8))
    y = x[:, 5]  # to be remembered until the end
    model = Tagger()
    return x, y, model, package.optim.Adam(model.parameters(), lr=1e-2)


def train(package: Any, setting: Any) -> tuple[list[Any], list[Any], list[float]]:
    """The weights at the start, every batch, and the losses of 100 steps."""
    data = importlib.import_module(f"{package.__name__}.utils.data")
    package.manual_seed(7)
    x, y, model, optimizer = setting(package)
    weights = [p.detach().numpy().copy() for p in model.parameters()]
    loader = data.DataLoader(data.TensorDataset(x, y), batch_size=16, shuffle=True)
    batches, losses = [], []
    while len(losses) < 100:
        for inputs, targets in loader:
            batches += [inputs.numpy().copy(), targets.numpy().copy()]
            optimizer.zero_grad()
            loss = package.nn.functional.cross_entropy(model(inputs), targets)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            if len(losses) == 100:
                break
    return weights, batches, losses


@pytest.fixture(autouse=True)
def one_thread() -> Any:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.oracle
@pytest.mark.parametrize("setting", [perceptron, lenet, lstm])
def test_training_gives_pytorchs_losses(setting: Any) -> None:
    weights, batches, losses = train(rushlight, setting)
    expected_weights, expected_batches, expected_losses = train(torch, setting)
    for ours, theirs in [*zip(weights, expected_weights, strict=True), *zip(batches, expected_batches, strict=True)]:
        np.testing.assert_array_equal(ours, theirs)
    np.testing.assert_allclose(losses, expected_losses, rtol=0, atol=1e-4)
    assert np.mean(losses[-10:]) < 0.9 * np.mean(losses[:10])  # it learnt something, so the updates took part
