"""What must agree for nodes of several regions to be one line of code, and regions one class."""

from __future__ import annotations

from typing import Any

from archc.emit.forms import Forms, only_node
from archc.emit.signatures import filled
from archc.graph import INPUTS, Call, Node, Operation, Region, Repeat, Run, Scan, Shared, Wire
from archc.op import Expression, TorchForm

__all__ = ["Mismatch", "Signatures", "captures_of", "normal_wire", "unify"]


class Mismatch(Exception):
    """Two regions of one origin cannot be one class."""


def form_signature(form: TorchForm) -> Any:
    """What must be equal for two forms to be one line of code with different literals."""
    values = tuple([name for name, _ in form.values])
    helpers = tuple([name for name, _ in form.helper])
    if isinstance(form, Expression):
        return "expression", form.template, form.precedence, values, helpers, form.imports
    return "module", form.constructor, tuple(filled(form)), form.call, values, helpers, form.imports


class Signatures:
    """Signatures of regions: nested tuples, equal where regions align.

    A dict inside one holds what some regions do not tell: the branch that another choice takes, the
    body of a repeat without copies. `unify` joins those.

    Args:
        class_of: the class of every region below, known already.
    """

    def __init__(self, forms: Forms, class_of: dict[Region, Any]) -> None:
        self.forms = forms
        self.class_of = class_of

    def region(self, region: Region) -> Any:
        """The signature of a region as one class, or as a branch inside one."""
        return (
            tuple([port.name for port in region.inputs[: len(region.inputs) - region.captured]]),
            region.captured,
            region.borrowed,
            tuple([(o.name, self._wire(region, o.wire), o.training) for o in region.outputs]),
            tuple([self._shared(region, shared) for shared in region.shares]),
            tuple([self.node(region, node) for node in region.nodes]),
        )

    def node(self, region: Region, node: Node) -> Any:
        """The signature of a node."""
        wires = tuple([self._wire(region, wire) for wire in node.inputs])
        if isinstance(node, Operation):
            form = form_signature(self.forms.of(region, node))
            # A learned stream counts its sizes in its template.
            return "operation", node.name, wires, node.shared, form, len(node.outputs)
        if isinstance(node, Call):
            return "call", node.name, wires, node.shared, node.lends, self._class(node.region)
        if isinstance(node, Repeat):
            head = ("repeat", node.name, wires, node.collected, node.lends)
            return *head, self._captures(region, node), self._bodies(node)
        if isinstance(node, Scan):
            states = tuple([(s.name, s.wire, s.reach, s.initial) for s in node.states])
            padded = (node.counted, node.lengths and node.lengths.strides)
            kind = ("scan", node.timed, node.starts, node.reverse, states, padded)
            return *kind, wires, node.lends, self.region(node.region)
        branch = {node.taken: self.region(node.region)}
        return "choice", node.name, wires, node.options, node.lends, branch

    def body(self, region: Region) -> Any:
        """The signature of one copy."""
        node = only_node(region, self.forms)
        if node is None:
            return "class", self._class(region)
        outputs = tuple([output.wire for output in region.outputs])
        return "only", self.node(region, node), outputs

    def _class(self, region: Region) -> int:
        return id(self.class_of[region])

    def _bodies(self, node: Repeat) -> Any:
        runs = [run for run in node.runs if run.count]
        merged: dict[str, Any] = {}
        try:
            for run in runs:
                merged = unify(merged, {"body": self.body(run.region)})
        except Mismatch:
            return "mixed", tuple([(run.count, self.body(run.region)) for run in runs])
        return "alike", merged

    def _captures(self, region: Region, node: Repeat) -> Any:
        patterns = captures_of(region, node)
        return {"captures": patterns} if node.count else {}

    def _shared(self, region: Region, shared: Shared) -> Any:
        if isinstance(shared.what, Region):
            return shared.name, self._class(shared.what)
        form = self.forms.shared(region, shared)
        return shared.name, None if form is None else form_signature(form)

    def _wire(self, region: Region, wire: Wire) -> Any:
        return normal_wire(region, wire)


def normal_wire(region: Region, wire: Wire) -> Any:
    """A wire such that the same stream of copies is equal whatever their number."""
    if wire.node == INPUTS:
        return wire.node, wire.port, wire.delay
    node = region.nodes[wire.node]
    carried = len(node.inputs)
    if not isinstance(node, Repeat) or wire.port < carried:
        return wire.node, wire.port, wire.delay
    name, copy = divmod(wire.port - carried, node.count)
    return wire.node, "collected", name, copy, wire.delay


def captures_of(region: Region, node: Repeat) -> tuple[Any, ...]:
    """For each captured input: the one wire of all copies, or the list of the copies' wires.

    All streams of an earlier repeat's copies, in order or backwards, are `("all", node, name)` and
    `("backwards", node, name)`, whatever their number.
    """
    runs = [run for run in node.runs if run.count]
    width = max([len(run.captures) for run in runs], default=0)
    return tuple([_capture(region, runs, position) for position in range(width)])


def _capture(region: Region, runs: list[Run], position: int) -> Any:
    # A copy that captures fewer streams than others takes none at this position.
    given = [run.captures[position : position + 1] for run in runs]
    some = next(wires[0] for wires in given if wires)
    wires = [wires[0] if wires else some for wires in given]
    if all(wire == wires[0] for wire in wires):
        return "one", normal_wire(region, wires[0])
    listed = [
        normal_wire(region, wire)
        for run, wire in zip(runs, wires, strict=True)
        for _ in range(run.count)
    ]
    source = _collected_source(region, listed)
    if source is not None:
        count, order = source
        copies = [wire[3] for wire in listed]
        if copies == list(range(count)):
            return "all", *order
        if copies == list(range(count - 1, -1, -1)):
            return "backwards", *order
    return "list", tuple(listed)


def _collected_source(region: Region, wires: list[Any]) -> tuple[int, tuple[int, int]] | None:
    sources = {(wire[0], wire[2]) for wire in wires if wire[1] == "collected"}
    if len(sources) != 1 or any(wire[1] != "collected" for wire in wires):
        return None
    place, name = sources.pop()
    node = region.nodes[place]
    assert isinstance(node, Repeat)
    return (node.count, (place, name)) if len(wires) == node.count else None


def unify(left: Any, right: Any) -> Any:
    """Two signatures as one.

    Raises:
        Mismatch: when they do not align.
    """
    if left is right:
        return left
    if isinstance(left, dict) and isinstance(right, dict):
        joined = dict(left)
        for name, value in right.items():
            joined[name] = unify(left[name], value) if name in left else value
        return joined
    if isinstance(left, tuple) and isinstance(right, tuple):
        if len(left) != len(right):
            raise Mismatch
        return tuple([unify(a, b) for a, b in zip(left, right, strict=True)])
    if left != right:
        raise Mismatch
    return left
