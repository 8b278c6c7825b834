"""Networks of the library under random names: matched rightly, or refused, never wrongly."""

from __future__ import annotations

import random
import re

import pytest
import torch
from torch import Tensor

import archc
from archc.matching.groups import Entry, group_of_name, grouped
from archc.matching.places import Place, places
from archc.torch import WeightsError
from archc.torch.reading import Read
from archc.torch.weights import weights

NETS = [
    "cifar_resnet20", "densenet121", "googlenet_aux", "inception_v4", "mobilenet_v3_small",
    "nasnet_mobile", "se_resnet50", "seq2seq_additive", "shufflenet_v2", "swin_t",
    "transformer_base", "unet",
]  # fmt: skip
# Too many of their branches are alike for names that say nothing.
REFUSED = {"nasnet_mobile", "transformer_base"}


class Namer:
    """Gives each part of each path another name; numbers stay where they are to stay."""

    def __init__(self, seed: int, *, numbered: bool) -> None:
        self._random, self._numbered = random.Random(seed), numbered
        self._words: dict[str, str] = {}

    def name(self, tensor: str) -> str:
        group, role = group_of_name(tensor)
        parts = group.split(".")
        made = [self._part(".".join(parts[:at]), part) for at, part in enumerate(parts)]
        return ".".join([*made, role]) if role else ".".join(made)

    def _part(self, above: str, part: str) -> str:
        stem = re.sub(r"\d+$", "", part)
        number = part.removeprefix(stem)
        if not stem:
            return part
        kept = self._numbered and bool(number)
        key = f"{above}|{stem if kept else part}"
        word = "".join(self._random.choices("abcdfghjklmnpqrstuvwxyz", k=6))
        return self._words.setdefault(key, word) + (number if kept else "")


def arranged(there: list[Place], seed: int) -> list[str]:
    """The tensors in another order in which each layer comes after those it depends on."""
    choose, left, done, found = random.Random(seed), list(there), 0, list[str]()
    known = sum([1 << place.number for place in there])
    while left:
        place = choose.choice([place for place in left if not place.before & ~done & known])
        left.remove(place)
        done |= 1 << place.number
        found += [part.names[0] for part in place.group.parts]
    return found


@pytest.mark.parametrize("numbered", [True, False])
@pytest.mark.parametrize("name", NETS)
def test_a_match_is_right_or_refused(name: str, numbered: bool) -> None:
    net = archc.load(name)
    with torch.device("meta"):
        module = net.to_torch()
    state: dict[str, Tensor] = dict(module.state_dict())
    there = places(net.program, grouped([Entry(n, tuple(t.shape)) for n, t in state.items()]))
    namer = Namer(1, numbered=numbered)
    names = {own: namer.name(own) for own in state}
    for order in (list(state), arranged(there, 2), sorted(state, key=names.__getitem__)):
        given = {names[own]: state[own] for own in order}
        read = Read(given, list(given) != sorted(given))
        try:
            layers = weights(net.program, module, read).to_dict()["layers"]
        except WeightsError as error:
            assert not numbered or name in REFUSED or "unique" in str(error)
            continue
        for layer in layers:
            assert {names[own] for own in layer["net"]} == set(layer["file"])
