"""Dropout and stochastic depth do nothing outside training."""

from __future__ import annotations

from archc.graph import Node, Operation, Region
from archc.ops.identity import Identity
from archc.ops.regularisation import Dropout, DropPath

__all__ = ["remove_regularisation"]


def remove_regularisation(region: Region) -> Region:
    """Put the identity, of which no code is written, in the place of what only training does."""
    nodes = tuple([_without(node) for node in region.nodes])
    return region if nodes == region.nodes else region.replace(nodes=nodes)


def _without(node: Node) -> Node:
    if isinstance(node, Operation) and isinstance(node.op, Dropout | DropPath):
        return node.replace(op=Identity(), shared=None)
    return node
