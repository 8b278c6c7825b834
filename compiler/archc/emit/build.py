"""From aligned regions to the members and steps of their class."""

from __future__ import annotations

from typing import Any

from archc.emit.conditions import translate
from archc.emit.copies import CopiesScope, Entry
from archc.emit.forms import (
    Forms,
    Mismatch,
    Signatures,
    captures_of,
    lent_regions,
    normal_wire,
    only_node,
    unify,
)
from archc.emit.names import identifier
from archc.emit.signatures import field_name, filled
from archc.emit.slots import Scope, Slot, SymbolicSize, is_literal
from archc.emit.steps import (
    Apply,
    Branch,
    Construct,
    Copies,
    Guard,
    Loop,
    Member,
    Segment,
    Step,
    Stream,
)
from archc.emit.units import Unit
from archc.emit.vectors import ANY, Values
from archc.graph import Call, Choice, Operation, Region, Repeat, Run
from archc.op import Expression, Module, Op, TorchForm

__all__ = ["build"]

_HEAVY = frozenset({"convolution", "linear", "embedding", "recurrent", "attention", "user"})

# A region or node in each entry of a scope; None where it does not exist.
Regions = list[Region | None]
Streams = dict[Any, Stream]


def build(unit: Unit, forms: Forms, class_of: dict[Region, Unit]) -> None:
    """Find the members and steps of a class, with slots where its instances may differ."""
    builder = _Builder(unit, forms, class_of)
    first = unit.region
    for position in range(len(first.inputs)):
        shapes = tuple([region.inputs[position].shape for region in unit.regions])
        unit.inputs.append(Stream(shapes, unit.ports[position]))
    builder.lend()
    unit.members += builder.shares()
    members, steps, outputs = builder.inside(list(unit.regions), unit.inputs)
    unit.members += members
    unit.steps, unit.outputs = steps, outputs


class _Builder:
    def __init__(self, unit: Unit, forms: Forms, class_of: dict[Region, Unit]) -> None:
        self.unit, self.forms, self.class_of = unit, forms, class_of
        self.paths: dict[str, str] = {}

    # --- modules that are shared or lent --------------------------------------------------------

    def lend(self) -> None:
        """Borrowed modules are parameters of forward."""
        for name in self.unit.region.borrowed:
            local = identifier(name, "module")
            self.unit.lent[local] = self._type_of(self.unit.region, name)
            self.paths[name] = local

    def _type_of(self, region: Region, name: str) -> Any:
        """The type of a borrowed module: text, or the class of the file."""
        for node in region.nodes:
            if isinstance(node, Operation):
                form = self.forms.of(region, node)
                if node.shared == name and isinstance(form, Module):
                    return form.constructor
                if getattr(node.op, "table", None) == name:
                    return "nn.Embedding"
                continue
            if isinstance(node, Call) and node.shared == name:
                return self.class_of[node.region]
            for inside, below in lent_regions(node, name):
                found = self._type_of(below, inside)
                if found != "nn.Module":
                    return found
        return "nn.Module"

    def shares(self) -> list[Any]:
        """The members that `share` makes."""
        members = []
        for position, shared in enumerate(self.unit.region.shares):
            attribute = identifier(shared.name)
            all_shared = [region.shares[position] for region in self.unit.regions]
            self.paths[shared.name] = f"self.{attribute}"
            if isinstance(shared.what, Op):
                found = [
                    self.forms.shared(r, s)
                    for r, s in zip(self.unit.regions, all_shared, strict=True)
                ]
                modules = [form if isinstance(form, Module) else None for form in found]
                if all(module is not None for module in modules):
                    made = self.construct(modules, self.unit.scope, attribute)
                    members.append(Member(attribute, made))
                continue
            regions: Regions = [s.what if isinstance(s.what, Region) else None for s in all_shared]
            members.append(Member(attribute, self.instance(regions, self.unit.scope)))
        return members

    def path(self, name: str) -> str:
        """The expression of a shared or named module."""
        return self.paths.get(name) or f"self.{identifier(name)}"

    # --- regions --------------------------------------------------------------------------------

    def inside(
        self, regions: Regions, inputs: list[Stream]
    ) -> tuple[list[Any], list[Step], list[Stream]]:
        """Members, steps and outputs of a region in all entries of the class."""
        first = next(region for region in regions if region is not None)
        streams: Streams = {(-1, i, 0): stream for i, stream in enumerate(inputs)}
        members: list[Any] = []
        steps: list[Step] = []
        for position in range(len(first.nodes)):
            nodes = [None if region is None else region.nodes[position] for region in regions]
            more, further = self.node(position, nodes, regions, streams)
            members += more
            steps += further
        outputs = [streams[normal_wire(first, output.wire)] for output in first.outputs]
        return members, steps, outputs

    def node(
        self, position: int, nodes: list[Any], regions: Regions, streams: Streams
    ) -> tuple[list[Any], list[Step]]:
        """Members and steps of one node."""
        first, region = _first(nodes), _first(regions)
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
        return self.choice(position, nodes, inputs, streams)

    def outputs(
        self, position: int, nodes: list[Any], streams: Streams, count: int
    ) -> tuple[Stream, ...]:
        """New streams for the first outputs of a node."""
        label = _first(nodes).label
        made = []
        for port in range(count):
            shapes = tuple([ANY if n is None else n.outputs[port] for n in nodes])
            made.append(Stream(shapes, label))
            streams[position, port, 0] = made[-1]
        return tuple(made)

    # --- operators ------------------------------------------------------------------------------

    def operation(
        self,
        nodes: list[Any],
        regions: Regions,
        inputs: tuple[Stream, ...],
        outputs: tuple[Stream, ...],
    ) -> tuple[list[Any], list[Step]]:
        """A module with its call, or an expression."""
        found = self.forms_of(nodes, regions)
        first, form = _first(nodes), _first(found)
        placeholders = self.placeholders(first.op, found, self.unit.scope, first.name)
        heavy = first.op.family in _HEAVY and isinstance(form, Module)
        if isinstance(form, Expression):
            step = Apply(form.template, placeholders, inputs, outputs, form.precedence)
            return [], [step]
        if first.shared is not None:
            placeholders["module"] = self.path(first.shared)
            return [], [Apply(form.call, placeholders, inputs, outputs, heavy=heavy)]
        attribute = identifier(first.name or first.op.name.lower())
        made = self.construct(found, self.unit.scope, attribute)
        placeholders["module"] = f"self.{attribute}"
        step = Apply(form.call, placeholders, inputs, outputs, heavy=heavy)
        return [Member(attribute, made)], [step]

    def forms_of(self, nodes: list[Any], regions: Regions) -> list[Any]:
        """The torch form of an operation in each entry."""
        pairs = zip(regions, nodes, strict=True)
        return [None if r is None or n is None else self.forms.of(r, n) for r, n in pairs]

    def placeholders(self, op: Op, forms: list[Any], scope: Scope, name: str) -> dict[str, Any]:
        """What fills the names in a call's template: slots, and the paths of modules."""
        filling: dict[str, Any] = {}
        for position, (key, _) in enumerate(_first(forms).values):
            values = tuple([ANY if f is None else f.values[position][1] for f in forms])
            filling[key] = self.forward_slot(values, scope, f"{name}_{key}" if name else key)
        table = getattr(op, "table", None)
        if isinstance(table, str):
            filling["table"] = self.path(table)
        return filling

    def forward_slot(self, values: Values, scope: Scope, hint: str) -> Any:
        """A value in forward: a slot, or a size that is read from the inputs."""
        if any(value is not ANY and not is_literal(value) for value in values):
            return self.unit.sizes.slot(_outer(scope, values))
        return scope.slot(values, hint)

    def construct(self, forms: list[Any], scope: Scope, name: str) -> Construct:
        """The call of torch's constructor."""
        present = [form for form in forms if form is not None]
        form = present[0]
        count = max([len(f.arguments) for f in present])
        positional = [field_name(form, i) for i in range(count)]
        keywords = {key for f in present for key, _ in f.keywords} - set(positional)
        values = [{} if f is None else filled(f) for f in forms]
        arguments: list[tuple[str | None, Slot]] = []
        for key in (*positional, *_in_order(form, keywords)):
            vector = tuple([known.get(key, ANY) for known in values])
            hint = key if scope is not self.unit.scope else f"{name}_{key}"
            arguments.append((None if key in positional else key, _slot(scope, vector, hint)))
        template = form.constructor if "(" in form.constructor else None
        extra: tuple[tuple[str, Any], ...] = ()
        if template is not None:
            extra = tuple(
                [
                    (
                        key,
                        _slot(
                            scope, tuple([ANY if f is None else f.values[i][1] for f in forms]), key
                        ),
                    )
                    for i, (key, _) in enumerate(form.values)
                ]
            )
        return Construct(form.constructor, tuple(arguments), template, extra)

    # --- blocks ---------------------------------------------------------------------------------

    def instance(self, regions: Regions, scope: Scope) -> Construct:
        """The call of a class of the file."""
        unit = self.class_of[_first(regions)]
        arguments: list[tuple[str | None, Any]] = []
        for parameter in unit.scope.parameters:
            vector = tuple([ANY if r is None else unit.argument(parameter, r) for r in regions])
            slot = _slot(scope, vector, parameter.name)
            defaulted = parameter.default is not ANY
            equal = slot.constant and slot.value == parameter.default
            if defaulted and equal and type(slot.value) is type(parameter.default):
                continue
            arguments.append((parameter.name if defaulted else None, slot))
        return Construct(unit, tuple(arguments))

    def call(
        self, position: int, nodes: list[Any], inputs: tuple[Stream, ...], streams: Streams
    ) -> tuple[list[Any], list[Step]]:
        """A block at work."""
        first = _first(nodes)
        regions = [None if node is None else node.region for node in nodes]
        unit = self.class_of[first.region]
        if unit.vanishes:
            self.pass_through(position, unit, inputs, streams)
            return [], []
        outputs = self.outputs(position, nodes, streams, len(first.outputs))
        members: list[Any] = []
        path = self.path(first.shared) if first.shared is not None else ""
        if not path:
            attribute = identifier(first.name or unit.wanted.lower())
            members.append(Member(attribute, self.instance(regions, self.unit.scope)))
            path = f"self.{attribute}"
        call, filling = self.calling(unit, regions, dict(first.lends), len(inputs), self.unit.scope)
        step = Apply(call, {"module": path, **filling}, inputs, outputs, heavy=True)
        return members, [step]

    def calling(
        self, unit: Unit, regions: Regions, lends: dict[str, str], count: int, scope: Scope
    ) -> tuple[str, dict[str, Any]]:
        """The template of a class's call: streams, then lent modules, then sizes."""
        filling: dict[str, Any] = {}
        extra: list[str] = []
        for inside in unit.region.borrowed:
            here = self.path(lends.get(inside, inside))
            key = f"lent{len(extra)}"
            filling[key] = here
            extra.append(f"{{{key}}}")
        for size in unit.sizes.passed:
            vector = tuple([ANY if r is None else size.values[unit.index[r]] for r in regions])
            key = f"size{len(extra)}"
            filling[key] = self.unit.sizes.slot(_outer(scope, vector))
            extra.append(f"{{{key}}}")
        arguments = ", ".join([*[f"{{{i}}}" for i in range(count)], *extra])
        return f"{{module}}({arguments})", filling

    def pass_through(
        self, position: int, unit: Unit, inputs: tuple[Stream, ...], streams: Streams
    ) -> None:
        """A block in which nothing happens: its outputs are its inputs."""
        for port, output in enumerate(unit.outputs):
            streams[position, port, 0] = inputs[unit.inputs.index(output)]

    # --- choices --------------------------------------------------------------------------------

    def choice(
        self, position: int, nodes: list[Any], inputs: tuple[Stream, ...], streams: Streams
    ) -> tuple[list[Any], list[Step]]:
        """A branch that all instances take, or an `if`."""
        taken = dict.fromkeys([node.taken for node in nodes if node is not None])
        parts = {}
        for option in sorted(taken):
            regions = [n.region if n is not None and n.taken == option else None for n in nodes]
            parts[option] = self.inside(regions, list(inputs))
        if len(parts) == 1:
            members, steps, outputs = next(iter(parts.values()))
            for port, output in enumerate(outputs):
                streams[position, port, 0] = output
            return members, steps
        made = self.outputs(position, nodes, streams, len(_first(nodes).outputs))
        return self.branch(nodes, parts, made)

    def branch(
        self, nodes: list[Any], parts: dict[int, Any], outputs: tuple[Stream, ...]
    ) -> tuple[list[Any], list[Step]]:
        """An `if` on a flag: the condition of the source where it can be written, else a parameter."""
        name = _flag_name(nodes, parts)
        taken = [ANY if node is None else node.taken for node in nodes]
        if set(parts) == {0, 1}:
            values = tuple([ANY if t is ANY else t == 0 for t in taken])
            flag = self.unit.scope.slot(values, name, translate(_first(nodes), values, self.unit))
            cases: list[tuple[Any, int]] = [(True, 0), (False, 1)]
        else:
            flag = self.unit.scope.slot(tuple(taken), name)
            cases = [(option, option) for option in parts]
        members: list[Any] = []
        if any(parts[option][0] for _, option in cases):
            members = [Guard(flag, tuple([(v, tuple(parts[o][0])) for v, o in cases]))]
        branches = tuple([(v, tuple(parts[o][1]), tuple(parts[o][2])) for v, o in cases])
        return members, [Branch(flag, branches, outputs)]

    # --- repeats --------------------------------------------------------------------------------

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
            self._skip(position, _first(nodes), inputs, streams)
            return [], []
        region = next(r for r, n in zip(regions, nodes, strict=True) if n is first)
        assert region is not None
        attribute = identifier(first.name or "repeat")
        captured = [self._capture(c, streams) for c in captures_of(region, first)]
        copies = self.copies(nodes, self.unit.scope, attribute, 0, tuple(captured))
        outputs = self.outputs(position, nodes, streams, len(first.inputs))
        if copies.plain and not first.collected and len(inputs) == 1:
            filling = {"module": f"self.{attribute}"}
            step: Step = Apply("{module}({0})", filling, inputs, outputs, heavy=True, whole=True)
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

    def copies(
        self, nodes: list[Any], scope: Scope, name: str, depth: int, captures: tuple[Any, ...]
    ) -> Copies:
        """How the copies of a repeat are made and called."""
        runs = [() if n is None else tuple([r for r in n.runs if r.count]) for n in nodes]
        totals = tuple([ANY if n is None else n.count for n in nodes])
        lends = dict(_first(nodes).lends)
        if self._mixed(runs):
            return Copies(tuple(self._segments(runs, scope, name, depth, lends, captures)))
        entries, flat = [], []
        for parent, some in enumerate(runs):
            start = 0
            for run in some:
                entries.append(Entry(parent, start, run.count))
                flat.append(run)
                start += run.count
        known = _mentioned([run.region for run in flat])
        inner = CopiesScope(self.unit.scope, scope, entries, totals, name, depth, known)
        segment = self.segment(flat, inner, name, depth, lends, captures)
        return Copies((segment.replace(scope=inner),))

    def _mixed(self, runs: list[tuple[Run, ...]]) -> bool:
        signatures = Signatures(self.forms, self.class_of)
        known: Any = {}
        try:
            for run in [run for some in runs for run in some]:
                known = unify(known, {"body": signatures.body(run.region)})
        except Mismatch:
            return True
        return False

    def _segments(
        self,
        runs: list[tuple[Run, ...]],
        scope: Scope,
        name: str,
        depth: int,
        lends: dict[str, str],
        captures: tuple[Any, ...],
    ) -> list[Segment]:
        segments, start = [], 0
        longest = max(runs, key=len)
        for i, run in enumerate(longest):
            flat = [some[i] if some else None for some in runs]
            parts = tuple(
                [c[start : start + run.count] if isinstance(c, list) else c for c in captures]
            )
            segments.append(self.segment(flat, scope, name, depth, lends, parts))
            start += run.count
        return segments

    def segment(
        self,
        runs: list[Any],
        scope: Scope,
        name: str,
        depth: int,
        lends: dict[str, str],
        captures: tuple[Any, ...],
    ) -> Segment:
        """Runs of one kind, one for each entry of the scope."""
        regions = [None if run is None else run.region for run in runs]
        region = _first(regions)
        count, ports = _first(runs).count, tuple(range(len(region.inputs)))
        node = only_node(region, self.forms)
        if node is None:
            unit = self.class_of[region]
            call, filling = self.calling(unit, regions, lends, len(ports), scope)
            made: Any = self.instance(regions, scope)
            results = tuple(range(len(region.outputs)))
            return Segment(made, None, count, call, filling, ports, len(results), results, captures)
        nodes = [None if r is None else r.nodes[0] for r in regions]
        wired = tuple([wire.port for wire in node.inputs])
        results = tuple([~o.wire.port if o.wire.node < 0 else o.wire.port for o in region.outputs])
        if isinstance(node, Repeat):
            below = tuple([_port_capture(c) for c in captures_of(region, node)])
            made = self.copies(nodes, scope, node.name or name, depth + 1, below)
            call = "{module}({0})"
            return Segment(made, None, count, call, {}, wired, len(node.outputs), results, captures)
        if isinstance(node, Call):
            inner = [None if n is None else n.region for n in nodes]
            unit = self.class_of[node.region]
            lent = {inside: lends.get(here, here) for inside, here in node.lends}
            call, filling = self.calling(unit, inner, lent, len(wired), scope)
            made = self.instance(inner, scope)
        else:
            forms = self.forms_of(nodes, regions)
            filling = self.placeholders(node.op, forms, scope, "")
            made, call = self.construct(forms, scope, name), _first(forms).call
        return Segment(
            made, None, count, call, filling, wired, len(node.outputs), results, captures
        )


def _mentioned(regions: list[Region]) -> list[tuple[str, Values]]:
    """The values that copies mention, by name, one for each copy."""
    arguments = [dict(region.arguments) for region in regions]
    names = dict.fromkeys([name for given in arguments for name in given])
    return [(name, tuple([given.get(name, ANY) for given in arguments])) for name in names]


def _port_capture(pattern: Any) -> tuple[str, list[int]]:
    """What the copies of a repeat inside a copy capture: ports of the copy."""
    kind, *rest = pattern
    wires = [rest[0]] if kind == "one" else list(rest[0])
    return "ports", [wire[1] for wire in wires]


def _first(things: list[Any]) -> Any:
    return next(thing for thing in things if thing is not None)


def _in_order(form: Module, keywords: set[str]) -> list[str]:
    """The keywords as the operator gives them where it gives all, else as the signature does."""
    given = [key for key, _ in form.keywords]
    return given if set(given) == keywords else [key for key in filled(form) if key in keywords]


def _is_identity(form: TorchForm) -> bool:
    return isinstance(form, Expression) and form.template == "{0}"


def _slot(scope: Scope, values: Values, hint: str) -> Slot:
    for value in values:
        if value is not ANY and not is_literal(value):
            raise SymbolicSize(f"{hint} is {value}: bind it")
    return scope.slot(values, hint)


def _outer(scope: Scope, values: Values) -> Values:
    """The values by entry of the class: those of copies, which must agree."""
    while isinstance(scope, CopiesScope):
        outer = scope.per_parent(values)
        if outer is None:
            raise SymbolicSize("a size differs between the copies of a repeat")
        scope, values = scope.parent, outer
    return values


def _flag_name(nodes: list[Any], parts: dict[int, Any]) -> str:
    if _first(nodes).name:
        return f"has_{_first(nodes).name}"
    for members, _, _ in parts.values():
        for member in members:
            if isinstance(member, Member):
                return f"has_{member.attribute}"
    inside = [inner for node in nodes if node is not None for inner in node.region.nodes]
    operations = [inner.op.name.lower() for inner in inside if isinstance(inner, Operation)]
    return f"has_{operations[0]}" if operations else "choice"
