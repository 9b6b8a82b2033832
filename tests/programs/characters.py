"""Recurrent networks learn to continue a text, character by character."""

import torch
import torch.nn as nn
import torch.nn.functional as F

TEXT = "she sells sea shells by the sea shore; the shells she sells are sea shells for sure. " * 4
characters = sorted(set(TEXT))
index = {c: i for i, c in enumerate(characters)}
data = torch.tensor([index[c] for c in TEXT], dtype=torch.long)


class Speaker(nn.Module):
    def __init__(self, kind, layers):
        super().__init__()
        self.embed = nn.Embedding(len(characters), 12)
        self.rnn = getattr(nn, kind)(12, 24, num_layers=layers, batch_first=True)
        self.head = nn.Linear(24, len(characters))

    def forward(self, ids, state=None):
        out, state = self.rnn(self.embed(ids), state)
        return self.head(out), state


for kind, layers in (("RNN", 1), ("GRU", 2), ("LSTM", 1)):
    torch.manual_seed(0)
    model = Speaker(kind, layers)
    optimizer = torch.optim.RMSprop(model.parameters(), lr=5e-3)
    for step in range(30):
        starts = torch.randint(len(data) - 26, (8,))
        batch = torch.stack([data[i : i + 26] for i in starts.tolist()])
        logits, _ = model(batch[:, :-1])
        loss = F.cross_entropy(logits.reshape(-1, logits.size(-1)), batch[:, 1:].reshape(-1))
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_value_(model.parameters(), 0.5)
        optimizer.step()
        if step % 10 == 9:
            print(kind, step, f"{loss.item():.4f} perplexity {torch.exp(loss.detach()):.3f}")
    with torch.no_grad():
        ids, state, said = torch.tensor([[index["s"]]]), None, "s"
        for _ in range(20):
            logits, state = model(ids, state)
            ids = logits[:, -1].argmax(-1, keepdim=True)
            said += characters[ids.item()]
        probabilities = torch.softmax(logits[0, -1] / 0.8, -1)
        drawn = torch.multinomial(probabilities, 5, replacement=True)
    print(repr(said), drawn.tolist())
