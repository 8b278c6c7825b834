"""Torch forms of operators, each made once."""

from __future__ import annotations

import re

from archc.graph import INPUTS, Call, Choice, Node, Operation, Region, Repeat, Scan, Shared, Wire
from archc.op import Expression, Module, Op, TorchForm
from archc.shapes import Shape

__all__ = ["Forms", "lent_regions", "only_node", "wire_shape"]


def wire_shape(region: Region, wire: Wire) -> Shape:
    """The shape of what flows on a wire."""
    if wire.node == INPUTS:
        return region.inputs[wire.port].shape
    return region.nodes[wire.node].outputs[wire.port]


class Forms:
    """The torch forms of the operations of a program, each made once."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Node, TorchForm]] = {}

    def of(self, region: Region, node: Operation) -> TorchForm:
        """The form of an operation in its region."""
        known = self._known.get(id(node))
        if known is None:
            inputs = tuple([wire_shape(region, wire) for wire in node.inputs])
            known = (node, _with_padding(node.op.torch(inputs, node.outputs)))
            self._known[id(node)] = known
        return known[1]

    def all(self) -> list[TorchForm]:
        """All forms asked for so far, in order."""
        return [form for _, form in self._known.values()]

    def shared(self, region: Region, shared: Shared) -> TorchForm | None:
        """The form of a shared operator: that of its first use; None when nothing uses it."""
        assert isinstance(shared.what, Op)
        return self._first_use(region, shared.name)

    def _first_use(self, region: Region, name: str) -> TorchForm | None:
        for node in region.nodes:
            if isinstance(node, Operation):
                if node.shared == name:
                    return self.of(region, node)
                continue
            for inside, below in lent_regions(node, name):
                found = self._first_use(below, inside)
                if found is not None:
                    return found
        return None


_PADDING = re.compile(r"(F\.pad\([^,]*), \(([-\d, ]+)\)")


def _with_padding(form: TorchForm) -> TorchForm:
    """The form with the numbers of a padding as a value, so that instances may differ in it."""
    template = form.template if isinstance(form, Expression) else form.call
    found = _PADDING.search(template)
    if found is None:
        return form
    numbers = tuple([int(number) for number in found.group(2).split(",") if number.strip()])
    template = template.replace(found.group(0), f"{found.group(1)}, {{padding}}")
    values = (*form.values, ("padding", numbers))
    if isinstance(form, Expression):
        return form.replace(template=template, values=values)
    return form.replace(call=template, values=values)


def lent_regions(node: Call | Repeat | Choice | Scan, name: str) -> list[tuple[str, Region]]:
    """The regions below a node that a module is lent to, with its name there."""
    names = [inside for inside, here in node.lends if here == name]
    regions = [run.region for run in node.runs] if isinstance(node, Repeat) else [node.region]
    return [(inside, region) for inside in names for region in regions]


def only_node(region: Region, forms: Forms) -> Operation | Call | Repeat | None:
    """The node that a group consists of, when the group adds no level of its own; else None."""
    if region.kind != "group" or len(region.nodes) != 1:
        return None
    node = region.nodes[0]
    if node.name or isinstance(node, (Choice, Scan)):
        return None
    if isinstance(node, Operation) and (
        node.shared is not None or not isinstance(forms.of(region, node), Module)
    ):
        return None
    if isinstance(node, Call) and node.shared is not None:
        return None
    return node
