"""From one seed the same training script has the same losses under PyTorch and under rushlight, step by step."""

from __future__ import annotations

import numpy as np
import pytest

import rushlight
from nn_oracle import torch

pytestmark = pytest.mark.oracle


def perceptron(T):
    nn = T.nn
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))


def lenet(T):
    nn = T.nn
    return nn.Sequential(
        nn.Conv2d(1, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(6, 16, 3), nn.BatchNorm2d(16), nn.ReLU(),
        nn.Dropout2d(0.1), nn.Flatten(), nn.Linear(64, 32), nn.Tanh(), nn.Dropout(0.5), nn.Linear(32, 10),
    )  # fmt: skip


def recurrent(T):
    class Reader(T.nn.Module):
        def __init__(self):
            super().__init__()
            self.rnn = T.nn.LSTM(8, 24, 2, batch_first=True, dropout=0.2)
            self.out = T.nn.Linear(24, 10)

        def forward(self, x):
            return self.out(self.rnn(x.squeeze(1))[0][:, -1])

    return Reader()


def attentive(T):
    class Reader(T.nn.Module):
        def __init__(self):
            super().__init__()
            layer = T.nn.TransformerEncoderLayer(8, 2, 16, batch_first=True, norm_first=True)
            self.encoder = T.nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
            self.out = T.nn.Linear(8, 10)

        def forward(self, x):
            return self.out(self.encoder(x.squeeze(1)).mean(1))

    return Reader()


def losses(T, network, steps):
    T.manual_seed(5)
    net = network(T)
    optimizer = T.optim.Adam(net.parameters(), lr=2e-3)
    criterion = T.nn.CrossEntropyLoss()
    found = []
    for _ in range(steps):
        x, target = T.randn(16, 1, 8, 8), T.randint(0, 10, (16,))
        optimizer.zero_grad()
        loss = criterion(net(x), target)
        loss.backward()
        T.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        found.append(loss.item())
    return found


@pytest.mark.parametrize("network", [perceptron, lenet, recurrent, attentive])
def test_losses_of_100_steps(network):
    theirs, ours = losses(torch, network, 100), losses(rushlight, network, 100)
    np.testing.assert_allclose(ours, theirs, atol=1e-4)
    assert theirs[-1] != theirs[0]
