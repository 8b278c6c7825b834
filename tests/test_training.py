"""Compiled modules that learn: the lecture's character network, from `hihell` to `ihello`."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

import archc

LETTERS = "hielo"
GIVEN, WANTED = "hihell", "ihello"
EPOCHS, RATE = 100, 0.1


def indices(text: str) -> torch.Tensor:
    """The letters' numbers, (1, T)."""
    return torch.tensor([[LETTERS.index(letter) for letter in text]])


def spelled(scores: torch.Tensor) -> str:
    """The likeliest letter of each step of scores, (1, T, 5)."""
    return "".join(LETTERS[number] for number in scores.argmax(2)[0].tolist())


@pytest.mark.parametrize("layer", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("form", ["", "_fc", "_embed"])
def test_it_learns_to_spell(layer: str, form: str) -> None:
    torch.manual_seed(2)
    model = archc.load(f"char_{layer}{form}").to_torch()
    numbers = indices(GIVEN)
    given = F.one_hot(numbers, len(LETTERS)).float() if form != "_embed" else numbers
    adam = torch.optim.Adam(model.parameters(), lr=RATE)
    losses = []
    for _ in range(EPOCHS):
        adam.zero_grad()
        loss = F.cross_entropy(model(given)[0], indices(WANTED)[0])
        loss.backward()
        adam.step()
        losses.append(loss.item())
    assert spelled(model(given)) == WANTED
    assert losses[-1] < losses[0] / 2
