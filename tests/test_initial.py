"""`published init = "..."`: how weights start."""

from __future__ import annotations

import math

import pytest
import torch

import archc
from archlang.initial import Initial, read_initial
from cli_harness import run

BODY = "INPUT(37, 11, 13) -> CONV(101, 3) -> BN -> RELU -> GAP -> FC(103)"


def _net(init: str, body: str = BODY) -> archc.Net:
    return archc.load(source=f'net Net = {body}\npublished init = "{init}"\n')


def _weights(init: str) -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(5)
    model = _net(init).to_torch()
    for name in ("conv", "fc"):
        bias = getattr(model, name).bias
        assert not bias.any()
    weights = dict(model.named_parameters())
    return weights["conv.weight"].detach(), weights["fc.weight"].detach()


@pytest.mark.parametrize(
    ("init", "conv", "fc"),
    [
        ("kaiming normal", math.sqrt(2 / (37 * 9)), math.sqrt(2 / 101)),
        ("kaiming uniform", math.sqrt(2 / (37 * 9)), math.sqrt(2 / 101)),
        ("kaiming normal fan out", math.sqrt(2 / (101 * 9)), math.sqrt(2 / 103)),
        ("xavier normal", math.sqrt(2 / (9 * 138)), math.sqrt(2 / 204)),
        ("xavier uniform", math.sqrt(2 / (9 * 138)), math.sqrt(2 / 204)),
        ("normal(0.25)", 0.25, 0.25),
        ("truncated normal(0.02)", 0.02, 0.02),
        ("kaiming normal, FC normal(0.01)", math.sqrt(2 / (37 * 9)), 0.01),
    ],
)
def test_weights_have_the_deviation(init: str, conv: float, fc: float) -> None:
    found = _weights(init)
    assert float(found[0].std()) == pytest.approx(conv, rel=0.05)
    assert float(found[1].std()) == pytest.approx(fc, rel=0.05)


def test_torch_has_its_own_default() -> None:
    plain = archc.load(source=f"net Net = {BODY}\n")
    assert "initialize" not in plain.source()
    assert _net("torch").source() == plain.source()
    some = _net("CONV orthogonal").source()
    assert "nn.init.orthogonal_(module.weight)" in some
    assert "isinstance(module, nn.Conv2d)" in some


def test_nets_that_apply_another_start_as_it() -> None:
    assert "nn.init.kaiming_normal_" in archc.load("resnet18", classes=10).source()
    assert "nn.init.normal_(module.weight, std=0.02)" in archc.load("gpt2").source()
    assert "initialize" not in archc.load("resnet18").source(optimize="inference")


def test_texts_are_read() -> None:
    assert read_initial("CONV kaiming uniform fan out, normal(1)") == (
        Initial("CONV", "kaiming uniform", None, True),
        Initial(None, "normal", 1.0),
    )


@pytest.mark.parametrize(
    "text",
    ["", "kaiming", "xavier normal fan out", "BN normal(1)", "normal", "normal(1), normal(2)",
     "normal(-1)", "torch, "],
)  # fmt: skip
def test_other_texts_are_refused(text: str) -> None:
    assert read_initial(text) is None
    done = run("check", "-", stdin=f'net a = INPUT(3) -> FC(5)\npublished init = "{text}"\n')
    assert done.status == 1
    assert "error[published-fact]: init is how weights start" in done.err
    assert 'write `published init = "kaiming normal"`' in done.err
