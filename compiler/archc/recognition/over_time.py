"""Which operators make of all steps at once what they make of each step."""

from __future__ import annotations

from collections.abc import Sequence

from archc.graph import Operation
from archc.op import Module, Op, OpError, TorchForm
from archc.shapes import Axis, Shape

__all__ = ["HEAVY", "over_time", "works_over_time"]

HEAVY = frozenset({"convolution", "linear", "embedding"})
_LIGHT = frozenset({"activation", "elementwise", "join", "pooling", "shape", "regularisation"})
_STEP_BY_STEP = frozenset({"LN", "RMSNORM"})
# On a whole sequence these would look at several steps together, or draw once for all of them.
_ALONE = frozenset(
    {"FLATTEN", "RESHAPE", "TRANSPOSE", "MEAN", "MAX", "SHUFFLE", "REVERSE", "DROPPATH"}
)


def over_time(shape: Shape, steps: Axis) -> Shape:
    """The shape of what has that shape at each step."""
    return shape.replace(axes=(steps, *shape.axes))


def works_over_time(
    node: Operation, inside: Sequence[Shape], arriving: Sequence[Shape], steps: Axis
) -> bool:
    """Whether a node of a step gives the same numbers when it works on all steps.

    Args:
        node: the node.
        inside: what flows into it at each step.
        arriving: what flows in then: whole sequences, and what every step sees whole.
        steps: the axis of time.
    """
    op = node.op
    known = op.family in HEAVY | _LIGHT or op.name in _STEP_BY_STEP
    if not known or op.name in _ALONE or node.shared is not None or _counts_axes(op):
        return False
    counts = [s for s in arriving if s.rank == 0 and s.vocabulary is not None]
    if counts or any(shape.padded for shape in node.outputs):
        return False  # what reads lengths itself stays in the step
    whole = tuple([shape.whole() for shape in arriving])
    outputs = tuple([over_time(shape, steps).whole() for shape in node.outputs])
    try:
        made = op.infer(*whole)
    except OpError:
        return False
    if (made if isinstance(made, tuple) else (made,)) != outputs:
        return False
    given = tuple([shape.whole() for shape in inside])
    return _weights(op.torch(given, node.outputs)) == _weights(op.torch(whole, outputs))


def _counts_axes(op: Op) -> bool:
    """Whether it names an axis by its number from the front, where time comes in."""
    axes = getattr(op, "axis", None)
    listed = axes if isinstance(axes, tuple) else (axes,)
    return any(isinstance(axis, int) and axis >= 0 for axis in listed)


def _weights(form: TorchForm) -> object:
    """What makes the module, which the state_dict shows."""
    if not isinstance(form, Module):
        return None
    return form.constructor, form.arguments, form.keywords
