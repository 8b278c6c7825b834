"""Batch norm is a scale and a shift outside training: the layer before it does both."""

from __future__ import annotations

from typing import Any

from archc.graph import Operation, Region
from archc.op import Op
from archc.ops.convolution import Conv, DepthwiseConv
from archc.ops.deconvolution import Deconv
from archc.ops.identity import Identity
from archc.ops.linear import FullyConnected
from archc.ops.normalisation import BatchNorm
from archc.recognition.rewriting import only_used, operation_at

__all__ = ["fold_normalisation", "folds"]


def fold_normalisation(region: Region) -> Region:
    """Give each layer that a batch norm follows a bias, and take the batch norm away."""
    nodes: list[Any] = list(region.nodes)
    for layer, norm in folds(region):
        op: Any = nodes[layer].op
        nodes[layer] = nodes[layer].replace(op=op.replace(bias=True))
        nodes[norm] = nodes[norm].replace(op=Identity())
    return region.replace(nodes=tuple(nodes)) if folds(region) else region


def folds(region: Region) -> tuple[tuple[int, int], ...]:
    """The numbers of the layers and of the batch norms that fold into them."""
    found = [(_layer(region, number), number) for number in range(len(region.nodes))]
    return tuple([(layer, norm) for layer, norm in found if layer is not None])


def _layer(region: Region, number: int) -> int | None:
    """The layer before a batch norm, where both have weights of their own and nothing between."""
    norm = operation_at(region, number, BatchNorm)
    if norm is None or norm.shared is not None:
        return None
    before = only_used(region, norm.inputs[0])
    layer = operation_at(region, before, Op)
    return before if layer is not None and _takes(layer) else None


def _takes(layer: Operation) -> bool:
    if isinstance(layer.op, Deconv):
        return layer.shared is None and layer.op.groups == 1
    known = isinstance(layer.op, Conv | DepthwiseConv | FullyConnected)
    return known and layer.shared is None
