"""The compiled module computes what a naive walk over the tree computes, on equal weights."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from torch import Tensor, nn

import archc
import archc.ops
from agreement import module_of
from archc.net import Net
from archc.op import REGISTRY
from archc.shapes import Shape
from archlang.parser import parse
from archlang.source import Source
from interpreter.layers import LAYERS, Training
from interpreter.plain import PLAIN
from interpreter.walk import Interpreter
from interpreter.weights import Weights
from random_nets import Program
from test_random_nets import often, programs

CLOSE = 1e-9


@settings(often, max_examples=150)
@given(programs)
def test_random_programs(program: Program) -> None:
    net = archc.load(source=program.text)
    agree(net, program.text, training=False)
    agree(net, program.text, training=True)


EXAMPLES = [
    (op.name, example.chain)
    for op in REGISTRY.all()
    for example in op.examples
    if set(example.chain.replace("(", " ").split()) & {*LAYERS, *PLAIN} and op.family != "user"
]
# Random numbers, patterns, and rounding up are held against torch elsewhere.
BEYOND = (
    "NOISE", "RESHAPE", "ceil", "LRN", "ADAPTIVEPOOL", "BILINEAR", "TRANSPOSE", "CROP", "PAD",
    "REPEAT", "ONEHOT", "ARGMAX", "SELU", "GLU", "IN(", "mode=", "axis=(", "SOFTMAX(axis", "0..",
    "-> IN", "SELECT(", "bias=yes", "POSENC", "ATTENTION", "MASK", "ROPE", "LSTM", "GRU", "RNN",
    "a=", "ID' @",
)  # fmt: skip


@pytest.mark.parametrize("chain", [c for _, c in EXAMPLES if not any(b in c for b in BEYOND)])
def test_examples_of_operators(chain: str) -> None:
    text = chain if chain.startswith(("net", "block")) else f"net N = {chain}"
    agree(archc.load(source=text), text, training=False)


def test_the_two_share_nothing_but_the_tree() -> None:
    for path in (Path(__file__).parent / "interpreter").glob("*.py"):
        assert "archc" not in path.read_text(), path


def agree(net: Net, text: str, *, training: bool) -> None:
    """Hold the module of a net against the walk over its text, in double precision."""
    torch.manual_seed(len(text))
    model = _filled(module_of(net.source()).double(), training)
    inputs = [_example(port.shape) for port in net.program.region.inputs]
    file, diagnostics = parse(Source.of("text.arch", text))
    assert diagnostics == ()
    weights = Weights(model)
    Training.on = training
    try:
        with torch.no_grad():
            walked = Interpreter(file, weights, training=training).run(net.name, inputs)
    finally:
        Training.on = False
    assert weights.finished()
    with torch.no_grad():
        computed = _flat(model(*inputs))
    assert [one.shape for one in computed] == [one.shape for one in walked]
    for one, other in zip(computed, walked, strict=True):
        torch.testing.assert_close(one, other, rtol=CLOSE, atol=CLOSE)


def _filled(model: nn.Module, training: bool) -> nn.Module:
    """Weights far from where they start, and nothing random in training."""
    model.train(training)
    for part in model.modules():
        if isinstance(part, nn.Dropout) or type(part).__name__ == "DropPath":
            part.eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.5)
        for name, buffer in model.named_buffers():
            if name.endswith("running_mean"):
                buffer.normal_()
            if name.endswith("running_var"):
                buffer.uniform_(0.5, 2)
    return model


def _example(shape: Shape) -> Tensor:
    if shape.vocabulary is not None:
        return torch.randint(int(str(shape.vocabulary)), (2, *shape.sizes))
    return torch.randn(2, *shape.sizes, dtype=torch.float64)


def _flat(made: object) -> list[Tensor]:
    if isinstance(made, Tensor):
        return [made]
    parts = made.values() if isinstance(made, dict) else made
    assert isinstance(parts, (tuple, list)) or isinstance(made, dict)
    return [one for part in parts for one in _flat(part)]  # type: ignore[attr-defined]
