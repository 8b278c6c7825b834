"""From aligned regions to the members and steps of their class."""

from __future__ import annotations

from typing import Any

from archc.emit.align import captures_of, normal_wire
from archc.emit.conditions import translate
from archc.emit.forms import Forms, only_node
from archc.emit.liveness import dead_slots
from archc.emit.making import Making, Regions, first_of
from archc.emit.names import attribute_name
from archc.emit.repeating import Repeating
from archc.emit.scans import build_scan
from archc.emit.steps import Apply, Branch, Guard, Loop, Member, Step, Stream
from archc.emit.units import Unit
from archc.emit.vectors import ANY
from archc.graph import Call, Operation, Region, Repeat, Scan
from archc.op import Expression, Module, TorchForm

__all__ = ["build"]

_HEAVY = frozenset({"convolution", "linear", "embedding", "recurrent", "attention", "user"})

Streams = dict[Any, Stream]


def build(unit: Unit, forms: Forms, class_of: dict[Region, Unit]) -> None:
    """Find the members and steps of a class, with slots where its instances may differ."""
    builder = _Builder(unit, forms, class_of)
    first = unit.region
    for position in range(len(first.inputs)):
        shapes = tuple([region.inputs[position].shape for region in unit.regions])
        unit.inputs.append(Stream(shapes, unit.ports[position]))
    builder.making.lend()
    unit.members += builder.making.shares()
    members, steps, outputs = builder.inside(list(unit.regions), unit.inputs)
    unit.members += builder.in_order(members)
    unit.steps, unit.outputs = steps, outputs
    guards = {member.flag for member in members if isinstance(member, Guard)}
    unit.scope.forget(dead_slots(steps, outputs) - guards)


class _Builder:
    def __init__(self, unit: Unit, forms: Forms, class_of: dict[Region, Unit]) -> None:
        self.unit, self.forms, self.class_of = unit, forms, class_of
        self.making = Making(unit, forms, class_of)
        self.repeating = Repeating(self.making)
        self.places: dict[Any, int] = {}

    def in_order(self, members: list[Any]) -> list[Any]:
        """Members of a cell as they stand in the file, whatever runs in front of its loop."""
        if not any(isinstance(node, Scan) for node in self.unit.region.nodes):
            return members
        return sorted(members, key=lambda member: self.places[member])

    def inside(
        self, regions: Regions, inputs: list[Stream]
    ) -> tuple[list[Any], list[Step], list[Stream]]:
        """Members, steps and outputs of a region in all entries of the class."""
        return self.inside_step(regions, inputs, {})[:3]

    def inside_step(
        self, regions: Regions, inputs: list[Stream], before: Streams
    ) -> tuple[list[Any], list[Step], list[Stream], Streams]:
        """The same with what delayed wires carry; also gives all streams of the region."""
        first = next(region for region in regions if region is not None)
        streams: Streams = {(-1, i, 0): stream for i, stream in enumerate(inputs)} | before
        members: list[Any] = []
        steps: list[Step] = []
        for position in range(len(first.nodes)):
            nodes = [None if region is None else region.nodes[position] for region in regions]
            more, further = self.node(position, nodes, regions, streams)
            for member in more:
                self.places.setdefault(member, first_of(nodes).span.start)
            members += more
            steps += further
        outputs = [streams[normal_wire(first, output.wire)] for output in first.outputs]
        return members, steps, outputs, streams

    def count_of(self, nodes: list[Any]) -> Any:
        """The number of steps of a scan in forward."""
        values = tuple([ANY if node is None else node.steps for node in nodes])
        return self.making.forward_slot(values, self.unit.scope, "steps")

    def node(
        self, position: int, nodes: list[Any], regions: Regions, streams: Streams
    ) -> tuple[list[Any], list[Step]]:
        """Members and steps of one node."""
        first, region = first_of(nodes), first_of(regions)
        inputs = tuple([streams[normal_wire(region, wire)] for wire in first.inputs])
        if isinstance(first, Operation):
            if _is_identity(self.forms.of(region, first)):
                streams[position, 0, 0] = inputs[0]
                return [], []
            outputs = self.outputs(position, nodes, streams, len(first.outputs))
            return self.operation(nodes, regions, inputs, outputs)
        if isinstance(first, Call):
            return self.call(position, nodes, inputs, streams)
        if isinstance(first, Repeat):
            return self.repeat(position, nodes, regions, inputs, streams)
        if isinstance(first, Scan):
            return build_scan(self, position, nodes, inputs, streams)
        return self.choice(position, nodes, inputs, streams)

    def outputs(
        self, position: int, nodes: list[Any], streams: Streams, count: int
    ) -> tuple[Stream, ...]:
        """New streams for the first outputs of a node."""
        label, of_module = first_of(nodes).label, first_of(nodes).label == first_of(nodes).name
        made = []
        for port in range(count):
            shapes = tuple([ANY if _has_no_batch(n) else n.outputs[port] for n in nodes])
            made.append(Stream(shapes, label, of_module=of_module))
            streams[position, port, 0] = made[-1]
        return tuple(made)

    def operation(
        self,
        nodes: list[Any],
        regions: Regions,
        inputs: tuple[Stream, ...],
        outputs: tuple[Stream, ...],
    ) -> tuple[list[Any], list[Step]]:
        """A module with its call, or an expression."""
        found = self.making.forms_of(nodes, regions)
        first, form = first_of(nodes), first_of(found)
        placeholders = self.making.placeholders(first.op, found, self.unit.scope, first.name)
        heavy = first.op.family in _HEAVY and isinstance(form, Module)
        if isinstance(form, Expression):
            step = Apply(form.template, placeholders, inputs, outputs, form.precedence, op=first.op)
            return [], [step]
        if first.shared is not None:
            placeholders["module"] = self.making.path(first.shared)
            step = Apply(form.call, placeholders, inputs, outputs, heavy=heavy, op=first.op)
            return [], [step]
        attribute = attribute_name(first.name or first.op.name.lower())
        made = self.making.construct(found, self.unit.scope, attribute)
        placeholders["module"] = f"self.{attribute}"
        step = Apply(form.call, placeholders, inputs, outputs, heavy=heavy, op=first.op)
        return [Member(attribute, made)], [step]

    def call(
        self, position: int, nodes: list[Any], inputs: tuple[Stream, ...], streams: Streams
    ) -> tuple[list[Any], list[Step]]:
        """A block at work."""
        first = first_of(nodes)
        regions = [None if node is None else node.region for node in nodes]
        unit = self.class_of[first.region]
        if unit.vanishes:
            self.pass_through(position, unit, inputs, streams)
            return [], []
        outputs = self.outputs(position, nodes, streams, len(first.outputs))
        members: list[Any] = []
        path = self.making.path(first.shared) if first.shared is not None else ""
        if not path:
            attribute = attribute_name(first.name or unit.wanted.lower())
            members.append(Member(attribute, self.making.instance(regions, self.unit.scope)))
            path = f"self.{attribute}"
        call, filling = self.making.calling(
            unit, regions, dict(first.lends), len(inputs), self.unit.scope
        )
        filling = {"module": path, **filling}
        step = Apply(call, filling, inputs, outputs, heavy=True, unit=unit)
        return members, [step]

    def pass_through(
        self, position: int, unit: Unit, inputs: tuple[Stream, ...], streams: Streams
    ) -> None:
        """A block in which nothing happens: its outputs are its inputs."""
        for port, output in enumerate(unit.outputs):
            streams[position, port, 0] = inputs[unit.inputs.index(output)]

    def choice(
        self, position: int, nodes: list[Any], inputs: tuple[Stream, ...], streams: Streams
    ) -> tuple[list[Any], list[Step]]:
        """A branch that all instances take, or an `if`."""
        taken = dict.fromkeys([node.taken for node in nodes if node is not None])
        parts = {}
        for option in sorted(taken):
            regions = [n.region if n is not None and n.taken == option else None for n in nodes]
            parts[option] = self.inside(regions, list(inputs))
        members, steps, outputs = next(iter(parts.values()))
        if len(parts) == 1 or _indifferent(list(parts.values())):
            for port, output in enumerate(outputs):
                streams[position, port, 0] = output
            return members, steps
        made = self.outputs(position, nodes, streams, len(first_of(nodes).outputs))
        return self.branch(nodes, parts, made)

    def branch(
        self, nodes: list[Any], parts: dict[int, Any], outputs: tuple[Stream, ...]
    ) -> tuple[list[Any], list[Step]]:
        """An `if` on a flag: the condition of the source where it can be said, else a parameter."""
        name = _flag_name(nodes, parts)
        taken = [ANY if node is None else node.taken for node in nodes]
        if set(parts) == {0, 1}:
            values = tuple([ANY if t is ANY else t == 0 for t in taken])
            flag = self.unit.scope.slot(values, name, translate(first_of(nodes), values, self.unit))
            cases: list[tuple[Any, int]] = [(True, 0), (False, 1)]
        else:
            flag = self.unit.scope.slot(tuple(taken), name)
            cases = [(option, option) for option in parts]
        members: list[Any] = []
        if any(parts[option][0] for _, option in cases):
            members = [Guard(flag, tuple([(v, tuple(parts[o][0])) for v, o in cases]))]
        branches = tuple([(v, tuple(parts[o][1]), tuple(parts[o][2])) for v, o in cases])
        return members, [Branch(flag, branches, outputs)]

    def repeat(
        self,
        position: int,
        nodes: list[Any],
        regions: Regions,
        inputs: tuple[Stream, ...],
        streams: Streams,
    ) -> tuple[list[Any], list[Step]]:
        """Copies as nn.Sequential, or as a list with a loop."""
        first = next((n for n in nodes if n is not None and n.count), None)
        if first is None or self._idle(first):
            self._skip(position, first_of(nodes), inputs, streams)
            return [], []
        region = next(r for r, n in zip(regions, nodes, strict=True) if n is first)
        assert region is not None
        attribute = attribute_name(first.name or "repeat")
        captured = [self._capture(c, streams) for c in captures_of(region, first)]
        copies = self.repeating.copies(nodes, self.unit.scope, attribute, tuple(captured))
        outputs = self.outputs(position, nodes, streams, len(first.inputs))
        if copies.plain and not first.collected and len(inputs) == 1:
            filling = {"module": f"self.{attribute}"}
            step: Step = Apply(
                "{module}({0})", filling, inputs, outputs, heavy=True, whole=True, copies=copies
            )
            return [Member(attribute, copies)], [step]
        collected = self._collect(position, nodes, first, streams)
        loop = Loop(attribute, copies, inputs, outputs, collected, first.collected)
        return [Member(attribute, copies)], [loop]

    def _idle(self, node: Repeat) -> bool:
        for run in node.runs:
            only = only_node(run.region, self.forms)
            unit = self.class_of.get(run.region) if only is None else None
            if isinstance(only, Call):
                unit = self.class_of[only.region]
            if unit is None or not unit.vanishes or node.collected:
                return False
            if unit.outputs != unit.inputs[: len(unit.outputs)]:
                return False
        return True

    def _skip(
        self, position: int, node: Repeat, inputs: tuple[Stream, ...], streams: Streams
    ) -> None:
        for port, stream in enumerate(inputs):
            streams[position, port, 0] = stream

    def _capture(self, pattern: Any, streams: Streams) -> Any:
        kind, *rest = pattern
        if kind == "one":
            return streams[rest[0]]
        if kind == "list":
            return [streams[wire] for wire in rest[0]]
        place, name = rest
        return kind, streams[place, "list", name]

    def _collect(
        self, position: int, nodes: list[Any], first: Repeat, streams: Streams
    ) -> tuple[Stream, ...]:
        lists = []
        for k, name in enumerate(first.collected):
            whole = Stream((ANY,) * len(nodes), name)
            streams[position, "list", k] = whole
            lists.append(whole)
            for copy in range(first.count):
                port = len(first.inputs) + k * first.count + copy
                shapes = tuple([n.outputs[port] if n is first else ANY for n in nodes])
                streams[position, "collected", k, copy, 0] = Stream(shapes, name, whole, copy)
        return tuple(lists)


def _has_no_batch(node: Any) -> bool:
    """Whether there is no stream of a batch: no node, or one that hands out weights."""
    return node is None or getattr(getattr(node, "op", None), "batchless", False)


def _is_identity(form: TorchForm) -> bool:
    return isinstance(form, Expression) and form.template == "{0}"


def _indifferent(parts: list[tuple[list[Any], list[Step], list[Stream]]]) -> bool:
    """Whether it does not matter which branch is taken: nothing happens in any of them."""
    idle = all(not members and not steps for members, steps, _ in parts)
    return idle and all(outputs == parts[0][2] for _, _, outputs in parts)


def _flag_name(nodes: list[Any], parts: dict[int, Any]) -> str:
    if first_of(nodes).name:
        return f"has_{first_of(nodes).name}"
    for members, _, _ in parts.values():
        for member in members:
            if isinstance(member, Member):
                return f"has_{member.attribute}"
    inside = [inner for node in nodes if node is not None for inner in node.region.nodes]
    operations = [inner.op.name.lower() for inner in inside if isinstance(inner, Operation)]
    return f"has_{operations[0]}" if operations else "choice"
