"""Attention: `({ q @ k' / sqrt(d) } -> MASK(causal) -> SOFTMAX) @ v` becomes one fused kernel."""

from __future__ import annotations

import math
from typing import ClassVar

from archc.continuation import Continuation, NotInSteps
from archc.graph import Operation, Region, Wire
from archc.op import Expression, Family, Op, TorchForm
from archc.ops.join import Divide, Multiply
from archc.ops.masks import Mask
from archc.ops.matrix import MatrixMultiply, Transposed
from archc.ops.softmax import Softmax
from archc.recognition.notes import Note
from archc.recognition.rewriting import only_used, operation_at, wire_shape, without_nodes
from archc.shapes import Lengths, Shape
from archlang.record import Record

__all__ = ["recognize_attention"]

_KERNEL = "F.scaled_dot_product_attention"
# Queries, keys and values with heads in front or without: torch has fused kernels for these alone.
_RANKS = (2, 3)


# Torch's fused kernels take heads: sequences without them are given one.
_ATTEND = '''def attend(
    q: Tensor, k: Tensor, v: Tensor, causal: bool = False, scale: float | None = None
) -> Tensor:
    """softmax(scale * q @ k') @ v of (B, T, C), (B, S, C) and (B, S, D), by a fused kernel."""
    q, k, v = q.unsqueeze(1), k.unsqueeze(1), v.unsqueeze(1)
    y = F.scaled_dot_product_attention(q, k, v, is_causal=causal, scale=scale)
    return y.squeeze(1)
'''


_ATTEND_NEXT = '''def attend_next(
    q: Tensor, k: Tensor, v: Tensor, kept: Any, scale: float | None = None
) -> tuple[Tensor, Any]:
    """Causal attention of the next steps to all so far, whose keys and values are kept."""
    past = 0 if kept is None else kept[0].shape[-2]
    if kept is not None:
        k, v = torch.cat((kept[0], k), dim=-2), torch.cat((kept[1], v), dim=-2)
    seen = torch.ones(q.shape[-2], k.shape[-2], dtype=torch.bool, device=q.device)
    mask = seen.tril(past)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask, scale=scale), (k, v)
'''


class FusedAttention(Op):
    """softmax(scale * q @ k') @ v, made of an equation; no file names it."""

    family: ClassVar[Family] = "attention"
    inputs: ClassVar[tuple[int, int | None]] = (3, 4)
    scale: float = 1.0
    causal: bool = False
    lengths: Lengths | None = None

    def infer(self, *inputs: Shape) -> Shape:
        return inputs[0].with_sizes({inputs[0].rank - 1: inputs[2].sizes[-1]})

    def torch(self, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> TorchForm:
        causal = ", is_causal=True" if self.causal else ""
        usual = math.isclose(self.scale, _usual_scale(inputs[0]), rel_tol=1e-12)
        scale = "" if usual else ", scale={scale}"
        values = () if usual else (("scale", self.scale),)
        if self.lengths is not None:
            return self._masked(inputs, scale, values)
        if inputs[0].rank > 2:
            return Expression(f"{_KERNEL}({{*}}{causal}{scale})", values)
        causal = causal.replace("is_", "")
        return Expression(f"attend({{*}}{causal}{scale})", values, helper=(("attend", _ATTEND),))

    def continued(
        self,
        inputs: tuple[Shape, ...],
        outputs: tuple[Shape, ...],
        running: tuple[bool, ...],
    ) -> Continuation | None:
        if not running[1] and not running[2]:
            return None
        if not self.causal or self.lengths is not None or not all(running[:3]):
            raise NotInSteps("sees later steps, since it is not causal")
        usual = math.isclose(self.scale, _usual_scale(inputs[0]), rel_tol=1e-12)
        call = f"attend_next({{0}}, {{1}}, {{2}}, {{kept}}{'' if usual else ', {scale}'})"
        return Continuation(call, (("attend_next", _ATTEND_NEXT),))

    def _masked(
        self, inputs: tuple[Shape, ...], scale: str, values: tuple[tuple[str, float], ...]
    ) -> Expression:
        """The form where keys are padded: the lengths flow in behind the values."""
        assert self.lengths is not None
        causal = ", causal=True" if self.causal else ""
        rank = 4 if inputs[0].rank == 2 else inputs[0].rank + 1
        mask = f"real_keys({self.lengths.written('{3}')}, {{1}}, {rank}{causal})"
        if inputs[0].rank == 2:
            return Expression(f"attend_real({{0}}, {{1}}, {{2}}, {mask}{scale})", values)
        return Expression(f"{_KERNEL}({{0}}, {{1}}, {{2}}, attn_mask={mask}{scale})", values)


def _usual_scale(queries: Shape) -> float:
    features = queries.sizes[-1]
    return 1 / math.sqrt(features) if isinstance(features, int) else math.nan


class _Found(Record):
    """An equation: the nodes that it consists of, the last one first, and what flows in."""

    nodes: tuple[int, ...]
    inputs: tuple[Wire, ...]
    scale: float
    causal: bool
    lengths: Lengths | None = None


def recognize_attention(region: Region) -> tuple[Region, tuple[Note, ...]]:
    """Replace the equations of attention among the nodes of a region."""
    notes: list[Note] = []
    position = len(region.nodes) - 1
    while position >= 0:
        found = _equation(region, position)
        if found is not None:
            node = region.nodes[position]
            fact = f"is recognised as {_described(found)}"
            notes.append(Note(region.name or "an equation", fact, node.span))
            region = _fused(region, position, found)
            position -= len(found.nodes) - 1
        position -= 1
    return region, tuple(notes[::-1])


def _described(found: _Found) -> str:
    return f"{_KERNEL}, causal" if found.causal else _KERNEL


def _fused(region: Region, position: int, found: _Found) -> Region:
    last = region.nodes[position]
    assert isinstance(last, Operation)
    op = FusedAttention(scale=found.scale, causal=found.causal, lengths=found.lengths)
    nodes = list(region.nodes)
    nodes[position] = last.replace(op=op, inputs=found.inputs)
    return without_nodes(region.replace(nodes=tuple(nodes)), found.nodes[1:])


def _equation(region: Region, position: int) -> _Found | None:
    """The equation that ends at a node, or None."""
    product = operation_at(region, position, MatrixMultiply)
    if product is None:
        return None
    weights, values = product.inputs[:2]
    softmax = operation_at(region, only_used(region, weights), Softmax)
    if softmax is None or not _over_keys(softmax, wire_shape(region, softmax.inputs[0])):
        return None
    nodes = [position, weights.node]
    found = _scores(region, softmax.inputs[0], values, nodes)
    if found is None or len(softmax.inputs) == 1:
        return found
    lengths = wire_shape(region, softmax.inputs[0]).axes[-1].lengths
    return found.replace(inputs=(*found.inputs, softmax.inputs[1]), lengths=lengths)


def _over_keys(softmax: Operation, scores: Shape) -> bool:
    assert isinstance(softmax.op, Softmax)
    return softmax.op.position_of(scores) == scores.rank - 1


def _scores(region: Region, wire: Wire, values: Wire, nodes: list[int]) -> _Found | None:
    """Behind the softmax: a mask perhaps, a number perhaps, and the product of q and k'."""
    causal, scale = False, 1.0
    while True:
        number = only_used(region, wire)
        node = operation_at(region, number, Op)
        if node is None:
            return None
        nodes.append(number)
        if isinstance(node.op, MatrixMultiply):
            break
        factor = _factor(node.op)
        masked = isinstance(node.op, Mask) and node.op.what == "causal"
        if not masked and factor is None:
            return None
        causal = causal or masked
        scale *= 1.0 if factor is None else factor
        wire = node.inputs[0]
    # A negative scale behind the mask would turn minus infinity around.
    if scale <= 0:
        return None
    return _of_keys(region, node.inputs, values, nodes, scale, causal)


def _of_keys(
    region: Region,
    operands: tuple[Wire, ...],
    values: Wire,
    nodes: list[int],
    scale: float,
    causal: bool,
) -> _Found | None:
    queries, transposed = operands
    number = only_used(region, transposed)
    node = operation_at(region, number, Transposed)
    if node is None:
        return None
    inputs = (queries, node.inputs[0], values)
    ranks = {wire_shape(region, wire).rank for wire in inputs}
    if len(ranks) != 1 or not ranks.issubset(_RANKS):
        return None
    return _Found((*nodes, number), inputs, scale, causal)


def _factor(op: Op) -> float | None:
    """The number that a product or a quotient brings in; None for anything else."""
    if isinstance(op, Divide) and isinstance(op.right, int | float) and op.right:
        return 1 / op.right
    if isinstance(op, Multiply):
        number = op.left if op.right is None else op.right
        return float(number) if isinstance(number, int | float) else None
    return None
