"""From a net to the rows of its table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archc.arguments import Module
from archc.cost import NOTHING, Pricing, Totals, input_shapes, regions_of
from archc.geometry import Geometry, entering, stepping
from archc.graph import Call, Choice, Node, Operation, Program, Region, Repeat, Run, Scan
from archc.liveness import demand_of, inside
from archc.memory.saved import Saving
from archc.shapes import Shape
from archc.sight import Sight
from archc.tables.measure import Measure, is_bare, is_shown, is_split
from archc.tables.places import (
    Lent,
    Place,
    copies_text,
    group_title,
    join,
    lent_to,
    node_name,
    relative,
    with_modules,
)
from archc.tables.rows import Part, Row, RowKind
from archc.tables.views import Views
from archlang.record import Record
from archlang.source import Span

if TYPE_CHECKING:
    from archc.memory.training import Training

__all__ = ["table_rows"]


def table_rows(
    program: Program,
    pricing: Pricing,
    depth: int,
    geometry: Geometry | None = None,
    training: Training | None = None,
) -> tuple[Row, ...]:
    """The rows of a net's table, in the order of the file.

    Args:
        program: the net.
        pricing: what prices it; each region is priced once.
        depth: how far blocks are opened: 0 is one row for the net, 1 its operators and blocks, and
            so on.
        geometry: what finds receptive fields, where rows shall have them.
        training: finds what each row keeps for the backward pass, where that is wanted.

    Returns:
        Rows of operators and of closed blocks, whose figures add up to those of the net, and
        headings of opened blocks.
    """
    walk = _Walk(pricing, geometry, training.saving if training else Saving())
    region = program.region
    seeing = () if geometry is None else entering(region.inputs)
    demand = demand_of(region, training=training is not None)
    place = Place(
        "", "", 0, {}, 1, demand, 1, sights=(seeing, seeing),
        contexts=training.contexts if training else (),
    )  # fmt: skip
    if depth > 0:
        walk.contents(region, place, depth - 1)
    else:
        walk.closed(_Block(region, program.name, region.span), place)
    return tuple(walk.rows)


class _Block(Record):
    """A region on its way to a row or a heading; shapes where they are not the region's own."""

    region: Region
    title: str
    span: Span
    inputs: tuple[Shape, ...] | None = None
    outputs: tuple[Shape, ...] | None = None


class _Walk:
    """Collects rows. Weights that several parts share are stored by the first that uses them."""

    def __init__(self, pricing: Pricing, geometry: Geometry | None, saving: Saving) -> None:
        self.rows: list[Row] = []
        self._geometry = geometry
        self._pricing, self._saving = pricing, saving
        self._measure = Measure()
        self._stored: set[str] = set()

    def contents(self, region: Region, place: Place, depth: int) -> None:
        """The rows of a region's nodes, blocks in it opened to `depth`."""
        inside_of = with_modules(region, place)
        wanted = self._pricing.liveness.of(region, place.demand).ports
        views = self._views(region, place)
        for number, (node, demand) in enumerate(zip(region.nodes, wanted, strict=True)):
            here = inside_of.replace(
                demand=demand,
                saved=self._saving.node(place.contexts, number),
                parts=self._saving.parts(place.contexts, number),
            )
            self._node(region, node, here if views is None else views.at(here, number), depth)

    def _views(self, region: Region, place: Place) -> Views | None:
        return None if self._geometry is None else Views(self._geometry, region, place.sights)

    def closed(self, block: _Block, place: Place) -> None:
        """One row for a block with everything in it."""
        region = block.region
        one = self._pricing.region(region, place.demand)
        figures = _of_all(one, place)
        is_shared = place.copies == 0 and one.stored != NOTHING
        self._add(
            "block", place, block.title, block.span,
            inputs=_entering(region) if block.inputs is None else block.inputs,
            outputs=_leaving(region) if block.outputs is None else block.outputs,
            figures=figures + self._borrow(place),
            shared_with=place.path if is_shared else None,
            inactive=place.inactive,
            saved=self._saving.total(place.contexts),
            part=Part(region, None, place.demand),
        )  # fmt: skip

    # --- nodes ------------------------------------------------------------------------------------

    def _node(self, region: Region, node: Node, place: Place, depth: int) -> None:
        if isinstance(node, Operation):
            self._operation(region, node, place)
        elif isinstance(node, Choice):
            # A choice adds no level: what is in it stands in the region around it.
            demand = inside(node, node.region, place.demand)
            scope = {**place.scope, **lent_to(node.lends, place.scope)}
            there = place.replace(demand=demand, scope=scope, contexts=place.part(0))
            self.contents(node.region, there, depth)
        elif isinstance(node, Scan):
            self._steps(node, place, depth)
        elif isinstance(node, Call):
            self._call(region, node, place, depth)
        else:
            self._repeat(region, node, place, depth)

    def _steps(self, node: Scan, place: Place, depth: int) -> None:
        # The modules of a step are the cell's own; what they compute is computed at each step.
        scope = {**place.scope, **lent_to(node.lends, place.scope)}
        demand = inside(node, node.region, place.demand)
        there = place.replace(
            demand=demand,
            scope=scope,
            contexts=place.part(0),
            repeat=place.repeat * node.steps,
            sights=place.sights if self._geometry is None else _stepping(node, place),
        )
        self.contents(node.region, there, depth)

    def _operation(self, region: Region, node: Operation, place: Place) -> None:
        if not is_shown(node):
            return
        inputs = input_shapes(region, node.inputs)
        one = self._pricing.operator(node.op, inputs, node.outputs)
        computed = NOTHING if place.inactive else one.computed.times(place.repeat)
        lent = place.scope.get(node.shared) if node.shared else None
        path, shared_with = self._weights_of(region, node, place, lent)
        stored = self._store(lent) if node.shared else one.stored.times(place.copies)
        self._add(
            "operator", place.replace(path=path), node.op.name, node.span,
            family=node.op.family,
            inputs=inputs,
            outputs=node.outputs,
            details=tuple(node.op.describe(*inputs).items()),
            figures=computed + stored,
            shared_with=shared_with if one.stored != NOTHING or path != shared_with else None,
            inactive=place.inactive,
            saved=place.saved,
            part=Part(region, node, place.demand),
        )  # fmt: skip

    def _weights_of(
        self, region: Region, node: Operation, place: Place, lent: Lent | None
    ) -> tuple[str, str | None]:
        """The path of an operator's module, and of the one whose weights it uses, if another's."""
        path = join(place.path, node_name(region, node))
        table = _table_path(node, place)
        if table is not None:
            return path, lent.path if lent else table
        if lent is not None:
            return lent.path, lent.path if lent.path in self._stored or not place.copies else None
        return path, None if place.copies else path

    def _call(self, region: Region, node: Call, place: Place, depth: int) -> None:
        if self._measure.is_empty(node.region):
            return
        lent = place.scope.get(node.shared) if node.shared else None
        path, copies = join(place.path, node.name), place.copies
        if lent is not None:
            path, copies = lent.path, 0 if lent.path in self._stored else lent.copies
            self._stored.add(lent.path)
        block = _Block(
            node.region, _title(node.region), node.span,
            input_shapes(region, node.inputs), node.outputs,
        )  # fmt: skip
        scope = lent_to(node.lends, place.scope)
        demand = inside(node, node.region, place.demand)
        there = place.replace(
            path=path, copies=copies, scope=scope, demand=demand, contexts=place.part(0)
        )
        self._block(block, there, depth)

    def _repeat(self, region: Region, node: Repeat, place: Place, depth: int) -> None:
        if is_split(node) and depth == 0:
            self._closed_repeat(region, node, place)
            return
        views = self._views(region, place.replace(sights=place.around))
        entered = (place.sights,) * len(node.runs) if views is None else views.runs(node)
        for number, run in enumerate(node.runs):
            path = join(join(place.path, node.name), copies_text(node, number))
            copies = place.replace(
                path=path,
                scope=lent_to(node.lends, place.scope),
                demand=inside(node, run.region, place.demand),
                repeat=place.repeat * run.count,
                copies=place.copies * run.count,
                contexts=place.part(number),
                sights=entered[number],
            )
            copies = copies if views is None else views.after(copies, run)
            self._run(run, copies, depth - is_split(node), node.span)

    def _run(self, run: Run, place: Place, depth: int, span: Span) -> None:
        if is_bare(run.region):
            self.contents(run.region, place, depth)
        else:
            self._block(_Block(run.region, _title(run.region), span), place, depth)

    def _block(self, block: _Block, place: Place, depth: int) -> None:
        if self._measure.is_empty(block.region):
            return
        if depth == 0:
            self.closed(block, place)
            return
        self._add("heading", place, block.title, block.span)
        inside = place.replace(base=place.path, level=place.level + 1)
        self.contents(block.region, inside, depth - 1)

    def _closed_repeat(self, region: Region, node: Repeat, place: Place) -> None:
        parts = regions_of(node)
        if all(self._measure.is_empty(part) for part in parts):
            return
        one = self._pricing.node(region, node, place.demand)
        figures = _of_all(one, place)
        path = join(join(place.path, node.name), "*")
        copies = place.replace(
            path=path, scope=lent_to(node.lends, place.scope), repeat=place.repeat * node.count
        )
        self._add(
            "block", copies, _repeat_title(parts), node.span,
            inputs=input_shapes(region, node.inputs),
            outputs=node.outputs[: len(node.inputs)],
            copies=tuple([_leaving(part)[0] for part in parts if part.outputs]),
            figures=figures + self._borrow(copies),
            shared_with=path if place.copies == 0 and one.stored != NOTHING else None,
            inactive=place.inactive,
            saved=place.saved,
            part=Part(region, node, place.demand),
        )  # fmt: skip

    # --- shared weights, rows ---------------------------------------------------------------------

    def _borrow(self, place: Place) -> Totals:
        """What a closed block stores of modules that are lent to it."""
        return Totals.sum([self._store(lent) for lent in place.scope.values()])

    def _store(self, lent: Lent | None) -> Totals:
        """What a lent module stores, the first time that it is used."""
        if lent is None or lent.what is None or lent.path in self._stored:
            return NOTHING
        self._stored.add(lent.path)
        return self._pricing.shared(lent.region, lent.what).times(lent.copies)

    def _add(self, kind: RowKind, place: Place, op: str, span: Span, **fields: Any) -> None:
        name = relative(place.path, place.base)
        row = Row(
            kind, place.path, name, place.level, op, place.repeat, span, seen=place.seen, **fields
        )  # fmt: skip
        self.rows.append(row)


def _of_all(one: Totals, place: Place) -> Totals:
    """The figures of all copies: computed by each that runs, stored by each that is made."""
    return one.computed.times(place.repeat) + one.stored.times(place.copies)


def _stepping(node: Scan, place: Place) -> tuple[tuple[Sight, ...], tuple[Sight, ...]]:
    first, last = place.sights
    return stepping(node, first), stepping(node, last)


def _entering(region: Region) -> tuple[Shape, ...]:
    """The streams that flow in; captured ones come from outside and are left out."""
    flowing = region.inputs[: len(region.inputs) - region.captured]
    return tuple([port.shape for port in flowing])


def _leaving(region: Region) -> tuple[Shape, ...]:
    return tuple([output.shape for output in region.outputs if not output.training])


def _title(region: Region) -> str:
    return region.name or group_title(region)


def _repeat_title(parts: tuple[Region, ...]) -> str:
    """A name for all runs: that of the fullest, since a step may be missing in some."""
    fullest = max(parts, key=lambda part: len(part.nodes))
    title = group_title(fullest)
    if is_bare(fullest):
        return title[1:-1]
    return fullest.name or title


def _table_path(node: Operation, place: Place) -> str | None:
    """The module whose weights an operator borrows by an argument (`UNEMBED(wte)`)."""
    for argument in node.op.arguments:
        name = getattr(node.op, argument.name)
        if isinstance(argument.kind, Module) and isinstance(name, str):
            return place.scope[name].path if name in place.scope else join(place.path, name)
    return None
