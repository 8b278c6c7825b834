"""What mutants of lowering showed that no test held: one mistake is one message, in its place."""

from __future__ import annotations

import pytest

import archc
from agreement import agree
from language import diagnostics

ONCE = {
    # A layer that cannot be, and its last state.
    """net A {
  in x = INPUT(3, 5, 7)
  m = x -> LSTM(4)
  out m.state.h -> FC(2)
}
""": "LSTM(4)",
    # A start beside another name, which is where the message points.
    """cell C(n) {
  h[0], c[t] = x[t] -> FC(2*n) -> SPLIT(2)
  h[t] = x[t] -> FC(n)
}
net A = SEQUENCE(7, 5) -> C(3)
""": "h[0]",
    # An equation that is wrong, and one that reads it at the same step.
    """cell C(n) {
  m[t] = x[t] -> SHUFFLE(2)
  h[t] = m[t] -> FC(n) -> TANH
}
net A = SEQUENCE(7, 5) -> C(3)
""": "SHUFFLE(2)",
}


@pytest.mark.parametrize("text", ONCE, ids=["state", "start", "equation"])
def test_a_mistake_is_told_once(text: str) -> None:
    assert [one.span.text for one in diagnostics(text)] == [ONCE[text]]


def test_a_module_that_is_handed_to_a_block_belongs_to_the_net() -> None:
    text = """block Inner(f) = [f -> RELU]*2
net A {
  in x = INPUT(5)
  share f = FC(5)
  out x -> Inner(f) -> Inner(f)
}
"""
    net = archc.load(source=text)
    agree(net)
    assert [name for name, _ in net.to_torch().named_parameters()] == ["f.weight", "f.bias"]
