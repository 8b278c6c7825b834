"""Every operator's worked examples, all the way: from the text to a module that runs."""

from __future__ import annotations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import archc
import archc.ops
from archc.op import REGISTRY, Example, Op

BATCH = 2
EXAMPLES = [
    pytest.param(op, example, id=f"{op.name}: {example.chain}")
    for op in REGISTRY.all()
    for example in op.examples
]
# torch's counter never counts nn.Bilinear.
UNCOUNTED = {"BILINEAR"}


def text_of(sizes: tuple[object, ...]) -> str:
    """A shape as examples write it."""
    return f"({', '.join(str(size) for size in sizes)})"


def inputs_of(net: archc.Net) -> list[torch.Tensor]:
    """Random inputs: integers where tokens flow in."""
    made = []
    for port in net.program.region.inputs:
        sizes = (BATCH, *port.shape.sizes)
        vocabulary = port.shape.vocabulary
        real = vocabulary is None
        made.append(torch.randn(sizes) if real else torch.randint(0, vocabulary, sizes))
    return made


@pytest.mark.parametrize(("op", "example"), EXAMPLES)
def test_an_example_says_what_torch_does(op: type[Op], example: Example) -> None:
    net = archc.load(source=example.chain)
    shapes = [text_of(output.shape.sizes) for output in net.program.region.outputs]
    assert (", ".join(shapes), net.params, net.macs) == (
        example.output,
        example.params,
        example.macs,
    )
    model, given = net.to_torch().eval(), inputs_of(net)
    assert sum(p.numel() for p in model.parameters()) == example.params
    results = model(*given)
    results = results if isinstance(results, tuple) else (results,)
    assert [text_of(tuple(result.shape[1:])) for result in results] == shapes
    if op.name in UNCOUNTED:
        return
    with torch.device("meta"), FlopCounterMode(display=False) as counter, torch.no_grad():
        net.to_torch().eval()(*[x.to("meta") for x in given])
    assert counter.get_total_flops() == 2 * BATCH * example.macs
