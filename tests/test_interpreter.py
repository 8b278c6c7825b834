"""The compiled module computes what a naive walk over the tree computes, on equal weights."""

from __future__ import annotations

from pathlib import Path

import pytest

import archc
import archc.ops
from archc.op import REGISTRY
from interpreter.layers import LAYERS
from interpreter.plain import PLAIN
from interpreter.rarer import RARER, RARER_LAYERS
from interpreter.recurrent import SEQUENCES
from properties import agree_with_walk

KNOWN = {*LAYERS, *PLAIN, *RARER, *RARER_LAYERS, *SEQUENCES}
EXAMPLES = [
    (op.name, example.chain)
    for op in REGISTRY.all()
    for example in op.examples
    if set(example.chain.replace("(", " ").split()) & KNOWN and op.family != "user"
]
# Random numbers, patterns, and rounding up are held against torch elsewhere.
BEYOND = (
    "NOISE", "RESHAPE(", "ceil", "REPEAT(2", "mode=", "axis=", "SELECT((", "ADAPTIVEPOOL(5)",
    "ID' @", "0..", "bias=yes", "offset=", "MASK(shifted", "a=", "dropout=", "grid=", "ONEHOT",
)  # fmt: skip


@pytest.mark.parametrize("chain", [c for _, c in EXAMPLES if not any(b in c for b in BEYOND)])
def test_examples_of_operators(chain: str) -> None:
    text = chain if chain.startswith(("net", "block")) else f"net N = {chain}"
    agree_with_walk(archc.load(source=text), text, training=False)


def test_the_two_share_nothing_but_the_tree() -> None:
    for path in (Path(__file__).parent / "interpreter").glob("*.py"):
        assert "archc" not in path.read_text(), path
