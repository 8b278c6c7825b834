"""RNN, GRU and LSTM: their biases, their final states, their figures, what they refuse."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

import archc
from archlang.diagnostics import ArchError

GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}
TORCH: dict[str, Any] = {"RNN": nn.RNN, "GRU": nn.GRU, "LSTM": nn.LSTM}

small = st.integers(1, 9)


def layer(text: str, steps: int = 13, features: int = 5) -> archc.Net:
    """A net of one layer on a sequence."""
    return archc.load(source=f"net N = SEQUENCE({steps}, {features}) -> {text}")


@given(
    name=st.sampled_from(sorted(GATES)),
    features=small,
    units=small,
    layers=st.integers(1, 3),
    both=st.booleans(),
)
def test_figures_are_the_closed_forms(
    name: str, features: int, units: int, layers: int, both: bool
) -> None:
    directions = 1 + both
    flag = "yes" if both else "no"
    net = layer(f"{name}({units}, layers={layers}, bidirectional={flag})", 11, features)
    widths = [features] + [units * directions] * (layers - 1)
    sums = [GATES[name] * units * (width + units) * directions for width in widths]
    assert net.macs == 11 * sum(sums)
    assert net.params == sum(sums) + layers * directions * 2 * GATES[name] * units
    expected = TORCH[name](features, units, layers, bidirectional=both)
    assert net.params == sum(p.numel() for p in expected.parameters())


@pytest.mark.parametrize("name", sorted(GATES))
@pytest.mark.parametrize("both", [False, True])
def test_one_bias_is_two_of_which_one_is_zero(name: str, both: bool) -> None:
    flag = "yes" if both else "no"
    model = layer(f"{name}(7, layers=2, bidirectional={flag}, bias=one)").to_torch()
    own = dict(model.named_parameters())
    assert not any("bias_hh" in key for key in own)
    expected = TORCH[name](5, 7, 2, batch_first=True, bidirectional=both)
    with torch.no_grad():
        for key, parameter in expected.named_parameters():
            found = next((p for k, p in own.items() if k.endswith(f".{key}")), None)
            parameter.copy_(torch.zeros_like(parameter) if found is None else found)
    x = torch.randn(2, 13, 5)
    torch.testing.assert_close(model(x), expected(x)[0])


def test_one_bias_goes_to_another_type_and_through_a_state_dict() -> None:
    model = layer("LSTM(7, bias=one)").to_torch().double()
    other = layer("LSTM(7, bias=one)").to_torch().double()
    other.load_state_dict(model.state_dict())
    x = torch.randn(2, 13, 5, dtype=torch.float64)
    torch.testing.assert_close(model(x), other(x))


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize(
    ("name", "read"), [("GRU", ""), ("RNN", ""), ("LSTM", ".h"), ("LSTM", ".c")]
)
def test_the_final_state_is_that_of_torch(name: str, read: str, both: bool) -> None:
    flag = "yes" if both else "no"
    call = f"{name}(7, layers=2, bidirectional={flag})"
    text = f"net N {{\n  m = SEQUENCE(13, 5) -> {call}\n  out m.state{read}\n}}"
    model = archc.load(source=text).to_torch()
    inner = next(module for module in model.modules() if isinstance(module, nn.RNNBase))
    x = torch.randn(2, 13, 5)
    state = inner(x)[1]
    if name == "LSTM":
        state = state[0 if read == ".h" else 1]
    expected = torch.cat(tuple(state[-2:]), dim=-1) if both else state[-1]
    torch.testing.assert_close(model(x), expected)


@pytest.mark.parametrize(
    ("chain", "code"),
    [
        ("INPUT(5) -> LSTM(7)", "not-in-time"),
        ("INPUT(3, 5, 7) -> GRU(7)", "not-in-time"),
        ("SEQUENCE(5, 3, 7, 7) -> GRU(7)", "not-in-time"),
        ("TOKENS(13, 65) -> RNN(7)", "needs-features"),
        ("SEQUENCE(13, 5) -> LSTM(7, bias=3)", "argument-value"),
        ("SEQUENCE(13, 5) -> LSTM(7, dropout=2)", "argument-value"),
        ("SEQUENCE(13, 5) -> LSTM(0)", "argument-value"),
    ],
)
def test_what_a_layer_refuses(chain: str, code: str) -> None:
    with pytest.raises(ArchError) as caught:
        archc.load(source=f"net N = {chain}")
    (wrong,) = caught.value.diagnostics
    assert wrong.code == code
    assert wrong.span is not None
    assert code != "not-in-time" or wrong.help is not None
