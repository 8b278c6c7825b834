"""Names in conditional steps, which add no level: unique in the region around the step."""

from __future__ import annotations

from collections.abc import Iterator

from archc.graph import Call, Choice, Node, Operation, Region
from archc.lower.builder import Builder

__all__ = ["distinct"]


def distinct(region: Region, builder: Builder) -> Region:
    """The region of a branch, with other names where the region around it has them already.

    Names that follow the text differ anyway. Those of a chain that a block is given do not, nor
    those of a chain that the block uses twice.
    """
    names = {name: builder.unique(name) for name in _own(region)}
    if all(name == unique for name, unique in names.items()):
        return region
    return _renamed(region, names)


def _own(region: Region) -> Iterator[str]:
    for node in region.nodes:
        if isinstance(node, Choice):
            yield from _own(node.region)
        elif node.name and _lent(node) is None:
            yield node.name


def _lent(node: Node) -> str | None:
    """The name of the module elsewhere whose weights a node uses."""
    return node.shared if isinstance(node, (Operation, Call)) else None


def _renamed(region: Region, names: dict[str, str]) -> Region:
    return region.replace(nodes=tuple([_renamed_node(node, names) for node in region.nodes]))


def _renamed_node(node: Node, names: dict[str, str]) -> Node:
    if isinstance(node, Choice):
        node = node.replace(region=_renamed(node.region, names))
    elif (lent := _lent(node)) is not None:
        node = node.replace(shared=names.get(lent, lent))
    else:
        node = node.replace(name=names.get(node.name, node.name))
    if isinstance(node, Operation):
        return node
    lends = node.lends
    return node.replace(lends=tuple([(inside, names.get(here, here)) for inside, here in lends]))
