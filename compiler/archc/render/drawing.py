"""Regions to a scene. One drawing stands for one or more regions that look alike: its texts say the
range of what differs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from archc.graph import INPUTS, Call, Choice, Operation, Program, Repeat, Scan, Wire
from archc.render.canvas import Canvas, Place, Point, Source, View
from archc.render.copies import Group, captured, distinct, groups, relabelled, with_last
from archc.render.labels import (
    block_title,
    count_text,
    end_text,
    loop_text,
    shape_text,
)
from archc.render.parts import below, cell, changes, hint, sign, weights
from archc.render.scene import Box, Cell, Cluster, End, Item, Join, Scene
from archc.render.structure import Items, Looks, by_name, shape_of, stacks, training_only

__all__ = ["draw"]

Streams = dict[tuple[int, int], Source]  # by node and port


def draw(program: Program, *, depth: int, expand: bool, explain: bool) -> Scene:
    """Draw a net.

    Args:
        program: the net.
        depth: how many levels of blocks are opened.
        expand: whether copies of a repeat with different arguments are drawn one by one.
        explain: whether the blocks that are not opened are drawn once, apart.
    """
    drawer = _Drawer(expand)
    items = drawer.between_ends((program.region,), Place("", depth, False))
    if explain:
        items += drawer.explanations()
    canvas = drawer.canvas
    return Scene(tuple(items), tuple(canvas.edges), canvas.looping)


class _Drawer:
    def __init__(self, expand: bool) -> None:
        self.canvas = Canvas()
        self._alike = Looks(exact=False)
        self._grouped_by = Looks(exact=True) if expand else self._alike
        self._count = Items(self._grouped_by)

    def between_ends(self, view: View, place: Place) -> list[Item]:
        """A view with its inputs and outputs."""
        items: list[Item] = []
        sources: list[Source] = []
        for port, known in enumerate(view[0].inputs):
            text = end_text([region.inputs[port].shape for region in view])
            text = text if known.lengths_of is None else f"real steps of {known.lengths_of}"
            end = End(self.canvas.unique(place.path + known.name), known.name, text)
            items.append(end)
            sources.append((Point(end.id, ""),))
        leaving = self._inside(view, tuple(sources), place, items)
        for port, (output, source) in enumerate(zip(view[0].outputs, leaving, strict=True)):
            name = output.name or "out"
            text = end_text([region.outputs[port].shape for region in view])
            end = End(self.canvas.unique(place.path + name), name, text, output.training)
            items.append(end)
            unsaid = tuple(Point(point.id, "") for point in source)
            self.canvas.connect(unsaid, end.id, training=output.training)
        return items

    def explanations(self) -> list[Item]:
        """Each block that was left closed, drawn once; then the closed blocks inside them."""
        found: dict[int, Item] = {}
        while waiting := [look for look in self.canvas.closed if look not in found]:
            view = tuple(self.canvas.closed[waiting[0]])
            name = self.canvas.unique(view[0].name)
            items = self.between_ends(view, Place(f"{name}.", 0, False))
            title = block_title(view)
            found[waiting[0]] = Cluster(name, title, tuple(items), apart=True)
        return list(found.values())

    def _inside(
        self,
        view: View,
        entering: tuple[Source, ...],
        place: Place,
        items: list[Item],
        begin: Mapping[Wire, Source] = MappingProxyType({}),
    ) -> list[Source]:
        """Draw the nodes of a view into `items`; give the sources of its outputs. `begin` has what
        is read first of streams that are read later."""
        region = view[0]
        streams: Streams = {(INPUTS, port): source for port, source in enumerate(entering)}
        boxes, rare = stacks(region), training_only(region)
        members_of_others = {member for stack in boxes.values() for member in stack[1:]}
        late: list[tuple[Wire, Source]] = []
        for number, node in enumerate(region.nodes):
            if number in members_of_others:
                continue
            members = boxes.get(number, (number,))
            here = place._replace(training=place.training or number in rare)
            sources = [self._source(wire, streams, late) for wire in node.inputs]
            leaving = self._node(view, members, tuple(sources), streams, here, items)
            streams.update({(members[-1], port): source for port, source in enumerate(leaving)})
        for wire, stand_in in late:
            first = begin.get(wire.replace(delay=0), ())
            self.canvas.arrive_late(stand_in, streams[wire.node, wire.port], wire.delay, first)
        return [streams[output.wire.node, output.wire.port] for output in region.outputs]

    def _source(self, wire: Wire, streams: Streams, late: list[tuple[Wire, Source]]) -> Source:
        if not wire.delay:
            return streams[wire.node, wire.port]
        (stand_in,) = self.canvas.enter(((),))
        late.append((wire, stand_in))
        return stand_in

    def _node(
        self,
        view: View,
        members: tuple[int, ...],
        sources: tuple[Source, ...],
        streams: Streams,
        place: Place,
        items: list[Item],
    ) -> list[Source]:
        node = view[0].nodes[members[0]]
        copies = [region.nodes[members[0]] for region in view]
        match node:
            case Operation():
                return self._operation(view, members, sources, place, items)
            case Call():
                calls = [copy for copy in copies if isinstance(copy, Call)]
                return self._call(calls, sources, place, items)
            case Repeat():
                repeats = [copy for copy in copies if isinstance(copy, Repeat)]
                return self._repeat(repeats, sources, streams, place, items)
            case Choice():
                chosen = [copy.region for copy in copies if isinstance(copy, Choice)]
                return self._inside(distinct(chosen), sources, place, items)
            case Scan():
                scans = [copy for copy in copies if isinstance(copy, Scan)]
                return self._steps(scans, sources, place, items)

    def _operation(
        self,
        view: View,
        members: tuple[int, ...],
        sources: tuple[Source, ...],
        place: Place,
        items: list[Item],
    ) -> list[Source]:
        first, last = view[0].nodes[members[0]], view[0].nodes[members[-1]]
        assert isinstance(first, Operation)
        id = self.canvas.unique(place.path + (first.name or first.op.name.lower()))
        joined = sign(first)
        if joined:
            items.append(Join(id, joined, first.op.name, place.training))
        else:
            cells = tuple([cell(view, member) for member in members])
            caption = weights(first, view[0])
            items.append(Box(id, cells, "", caption, place.training, hint(first)))
        for source in sources:
            self.canvas.connect(source, id, training=place.training)
        before = [shape_text([shape_of(region, w) for region in view]) for w in first.inputs[:1]]
        after = [
            shape_text([region.nodes[members[-1]].outputs[port] for region in view])
            for port in range(len(last.outputs))
        ]
        return changes(id, before, after)

    def _call(
        self, calls: Sequence[Call], sources: tuple[Source, ...], place: Place, items: list[Item]
    ) -> list[Source]:
        call, view = calls[0], distinct([call.region for call in calls])
        inside = place._replace(path=below(place.path, call.name), depth=place.depth - 1)
        if self._count.of(view[0]) <= 1 and not call.shared:
            return self._inside(view, sources, inside._replace(depth=place.depth), items)
        again = self.canvas.shows_again(place.path, call.shared)
        if place.depth <= 0 or again:
            return self._closed(calls, view, sources, place, items)
        id = self.canvas.unique(place.path + (call.name or call.region.name))
        contents: list[Item] = []
        entered = self.canvas.enter(sources)
        leaving = self._inside(view, entered, inside, contents)
        forks, leaving = self.canvas.settle(sources, entered, leaving, inside)
        remarks = (f"weights of {call.shared}",) if call.shared else ()
        title = block_title(view)
        items.append(Cluster(id, title, (*forks, *contents), "", remarks, place.training))
        return leaving

    def _closed(
        self,
        calls: Sequence[Call],
        view: View,
        sources: tuple[Source, ...],
        place: Place,
        items: list[Item],
    ) -> list[Source]:
        """A block as one box."""
        call = calls[0]
        if not call.shared or place.depth <= 0:
            self.canvas.close(self._alike.of(view[0]), view)
        id = self.canvas.unique(place.path + (call.name or call.region.name))
        name, _, arguments = block_title(view).partition("(")
        closed = Cell("block", name, arguments.removesuffix(")"))
        caption = f"weights of {call.shared}" if call.shared else ""
        items.append(Box(id, (closed,), "", caption, place.training, hint(call)))
        for source in sources:
            self.canvas.connect(source, id, training=place.training)
        before = [shape_text([region.inputs[0].shape for region in view])] if sources else []
        ports = range(len(call.outputs))
        return changes(id, before, [shape_text([c.outputs[p] for c in calls]) for p in ports])

    def _steps(
        self, scans: Sequence[Scan], sources: tuple[Source, ...], place: Place, items: list[Item]
    ) -> list[Source]:
        """One step of a cell in a frame; what it remembers comes back one step later."""
        first, contents = scans[0], list[Item]()
        whole = first.timed + first.starts
        streams_in = (*sources[: first.timed], *sources[whole:])
        begin = {s.wire: sources[s.initial] for s in first.states if s.initial is not None}
        entered = self.canvas.enter(streams_in)
        view = distinct([with_last(scan) for scan in scans])
        leaving = self._inside(view, entered, place, contents, begin)
        forks, leaving = self.canvas.settle(streams_in, entered, leaving, place)
        id = self.canvas.unique(f"{place.path}step")
        count = count_text(tuple([scan.steps for scan in scans]))
        items.append(Cluster(id, "", (*forks, *contents), count, (), place.training))
        return leaving

    def _repeat(
        self,
        repeats: Sequence[Repeat],
        sources: tuple[Source, ...],
        streams: Streams,
        place: Place,
        items: list[Item],
    ) -> list[Source]:
        first = repeats[0]
        carried = len(first.inputs)
        gathered: list[list[Source]] = [[] for _ in first.collected]
        # Several repeats come from a drawing of what only looks alike, so that their copies do too.
        looks = self._grouped_by if len(repeats) == 1 else self._alike
        for group in groups(repeats, looks):
            streams_in = (*sources, *captured(group, streams))
            leaving = self._copies(group, first.name, streams_in, place, items)
            sources = tuple(leaving[:carried])
            named = by_name(leaving[carried:], first.collected)
            for copies, streams_out in zip(gathered, named, strict=True):
                copies += streams_out * group.counts[0]
        return [*sources, *[source for copies in gathered for source in copies]]

    def _copies(
        self,
        group: Group,
        name: str,
        sources: tuple[Source, ...],
        place: Place,
        items: list[Item],
    ) -> list[Source]:
        """Copies in a row, drawn once."""
        view = distinct([run.region for run in group.runs])
        inside = place._replace(path=below(place.path, f"{name}.{group.index}".lstrip(".")))
        contents: list[Item] = []
        count = count_text(group.counts)
        if not count:
            leaving = self._inside(view, sources, inside, items)
            return leaving if group.single else relabelled(group, leaving)
        entered = self.canvas.enter(sources)
        leaving = self._inside(view, entered, inside, contents)
        forks, leaving = self.canvas.settle(sources, entered, leaving, inside)
        self.canvas.repeat(leaving[: len(view[0].inputs) - view[0].captured])
        only = contents[0] if len(contents) == 1 else None
        if isinstance(only, (Box, Cluster)) and not only.count:
            items.append(only.replace(count=count))
        elif contents:
            id = self.canvas.unique(place.path + (name or "group"))
            remarks = loop_text(group.runs)
            items.append(Cluster(id, "", (*forks, *contents), count, remarks, place.training))
        return relabelled(group, leaving)
