"""An activation or a sum writes into what was made for it alone: less memory is touched."""

from __future__ import annotations

from typing import Any, ClassVar

from archc.graph import Operation, Region, Wire
from archc.op import Expression, Family, Op, TorchForm
from archc.ops.activation import Activation
from archc.ops.identity import Identity
from archc.ops.join import Add
from archc.recognition.rewriting import only_used, operation_at, wire_shape
from archc.shapes import Shape

__all__ = ["reuse_memory"]

# What fills memory of its own, which nothing else looks at.
_FILLING = ("convolution", "linear", "normalisation")
# The functions of torch that can write into what they are given.
_IN_PLACE = (
    "F.relu",
    "F.relu6",
    "F.leaky_relu",
    "F.silu",
    "F.hardswish",
    "F.hardsigmoid",
    "F.mish",
)


class Reusing(Op):
    """An operator whose result takes the place of one of its inputs."""

    family: ClassVar[Family] = "elementwise"
    inner: Op
    target: int = 0

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        if isinstance(self.inner, Add):
            return Expression(f"{{{self.target}}}.add_({{{1 - self.target}}})")
        form: Any = self.inner.torch(inputs, outputs)
        return Expression(f"{form.template.removesuffix(')')}, inplace=True)", form.values)


def reuse_memory(region: Region) -> Region:
    """Let activations and sums of two write into what a layer made for them."""
    for number, node in enumerate(region.nodes):
        target = _target(region, node) if isinstance(node, Operation) else None
        if target is not None:
            changed: list[Any] = list(region.nodes)
            changed[number] = node.replace(op=Reusing(changed[number].op, target))
            region = region.replace(nodes=tuple(changed))
    return region


def _target(region: Region, node: Operation) -> int | None:
    """The input that the result may take the place of."""
    ways = range(_choices(region, node))
    return next((way for way in ways if _is_free(region, node.inputs[way])), None)


def _choices(region: Region, node: Operation) -> int:
    """How many of its inputs have the shape of the result, and an operator that can write there."""
    if isinstance(node.op, Activation):
        return int(node.op.function in _IN_PLACE)
    if not isinstance(node.op, Add) or len(node.inputs) != 2:
        return 0
    equal = {wire_shape(region, wire) for wire in node.inputs} == set(node.outputs)
    return 2 if equal else 0


def _is_free(region: Region, wire: Wire) -> bool:
    """Whether a layer made it, and nothing else uses it."""
    number = only_used(region, wire)
    passed = operation_at(region, number, Identity)
    if passed is not None:
        return _is_free(region, passed.inputs[0])
    made = operation_at(region, number, Op)
    if made is None:
        return False
    # What was written into is still nobody else's.
    return isinstance(made.op, Reusing) or made.op.family in _FILLING
