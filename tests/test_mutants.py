"""A quick choice of what the other tests hold, for `python -m tests.mutation`: random programs and
the claims of small networks."""

from __future__ import annotations

import pytest

import archc
import soak
from properties import PROPERTIES

NETS = (
    "lenet5", "googlenet", "resnet18", "densenet121", "mobilenet_v2", "unet", "siamese", "elman",
    "lstm_cell", "captions", "encoder_decoder", "crnn", "vit_b_16", "swin_t", "conv_lstm",
)  # fmt: skip


@pytest.mark.parametrize("name", NETS)
def test_the_claims_of_a_network(name: str) -> None:
    net = archc.load(name)
    assert net.source()
    assert net.stats().to_dict()["params"] == net.params


@pytest.mark.parametrize("seed", range(7000, 7030))
def test_a_random_program(seed: int) -> None:
    for holds in PROPERTIES:
        failure = soak.failure_of(holds, seed)
        assert failure is None, failure
