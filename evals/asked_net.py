"""The networks of `bot.advisor.meant`, fitted with torch: words and sentence vectors into one hidden layer, a class for each rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from bot.advisor.meant import Numbers

HIDDEN, NETWORKS, ROUNDS, BATCH = 256, 2, 12, 128
# So much is left out at random while it learns: of what the hidden layer says, of the words, and of the questions' vectors as a whole, for
# whoever has no index.
HIDDEN_OUT, WORDS_OUT, VECTORS_OUT = 0.3, 0.2, 0.25
PACE, DECAY = 3e-3, 1e-4


class Layers(NamedTuple):
    """What was fitted, a first axis for the networks: hidden by terms, hidden by dimensions, hidden; classes by hidden, classes."""

    by_words: Numbers
    by_vectors: Numbers
    bias: Numbers
    out: Numbers
    out_bias: Numbers


class _Network(torch.nn.Module):
    def __init__(self, words: int, dimensions: int, classes: int) -> None:
        super().__init__()
        self.by_words = torch.nn.Linear(words, HIDDEN)
        self.by_vectors = torch.nn.Linear(dimensions, HIDDEN, bias=False)
        self.out = torch.nn.Linear(HIDDEN, classes)

    def forward(self, words: torch.Tensor, vectors: torch.Tensor) -> torch.Tensor:
        left = torch.nn.functional.dropout(words, WORDS_OUT, self.training)
        whole = torch.nn.functional.dropout(torch.ones(len(vectors), 1), VECTORS_OUT, self.training)
        # A vector is there or not: what is there is not made larger.
        hidden = torch.relu(self.by_words(left) + self.by_vectors(vectors * (whole > 0)))
        out: torch.Tensor = self.out(torch.nn.functional.dropout(hidden, HIDDEN_OUT, self.training))
        return out


def fitted(words: Numbers, vectors: Numbers, classes: Sequence[int], say: Callable[[str], None]) -> Layers:
    """Networks fitted to questions: their words and vectors, a row each, and the number of each one's class."""
    found: list[tuple[NDArray[np.float32], ...]] = []
    told, seen, wanted = torch.from_numpy(words), torch.from_numpy(vectors), torch.tensor(classes)
    for number in range(NETWORKS):
        torch.manual_seed(number)
        net = _Network(words.shape[1], vectors.shape[1], max(classes) + 1)
        steps = ROUNDS * -(-len(classes) // BATCH)
        learner = torch.optim.AdamW(net.parameters(), lr=PACE, weight_decay=DECAY)
        pace = torch.optim.lr_scheduler.OneCycleLR(learner, max_lr=PACE, total_steps=steps)
        net.train()
        for turn in range(ROUNDS):
            for some in torch.split(torch.randperm(len(classes)), BATCH):
                learner.zero_grad()
                loss = torch.nn.functional.cross_entropy(net(told[some], seen[some]), wanted[some])
                loss.backward()  # type: ignore[no-untyped-call]
                learner.step()
                pace.step()
            say(f"network {number + 1} of {NETWORKS}: round {turn + 1} of {ROUNDS}")
        parts = (net.by_words.weight, net.by_vectors.weight, net.by_words.bias, net.out.weight, net.out.bias)
        found.append(tuple(part.detach().numpy() for part in parts))
    return Layers(*(np.stack(parts) for parts in zip(*found, strict=True)))
