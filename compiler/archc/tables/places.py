"""Where the walk through a net is: paths, modules in scope, and how many copies run."""

from __future__ import annotations

from collections.abc import Mapping

from archc.dims import Dim
from archc.graph import Call, Choice, Operation, Region, Repeat, Scan, Shared
from archc.liveness import Demand
from archc.memory.amounts import EMPTY, Amount
from archc.memory.saved import Contexts
from archc.sight import Sight
from archlang.record import Record

__all__ = [
    "Lent", "Place", "copies_text", "group_title", "join", "lent_to", "node_name", "relative",
    "with_modules",
]  # fmt: skip


class Lent(Record):
    """A module that others may use.

    Args:
        path: of the module, in the state_dict.
        region: where it is made.
        what: the `share` that makes it; None for a module that an `as` names where it works.
        copies: how many are made.
    """

    path: str
    region: Region
    what: Shared | None
    copies: int


class Place(Record):
    """Where the walk is.

    Args:
        path: of the module around it.
        base: the path that the headings above have said.
        level: how many headings stand above.
        scope: the modules that may be used here, by name.
        repeat: how many copies there are.
        demand: the outputs that are wanted of each.
        copies: how many copies of its modules are made; 0 where their weights are another's.
        contexts: of a region, for the memory of training, where that is shown.
        saved: of a node, what all its copies keep for the backward pass.
        parts: of a node, the contexts of each region that it refers to.
        sights: what the streams see that enter here, in the first of the copies and in the last.
        around: likewise what enters the region that the node at hand stands in.
        seen: what the output of that node sees.
    """

    path: str
    base: str
    level: int
    scope: Mapping[str, Lent]
    repeat: Dim
    demand: Demand
    copies: int
    sights: tuple[tuple[Sight, ...], tuple[Sight, ...]] = ((), ())
    around: tuple[tuple[Sight, ...], tuple[Sight, ...]] = ((), ())
    seen: Sight | None = None
    contexts: Contexts = ()
    saved: Amount = EMPTY
    parts: tuple[Contexts, ...] = ()

    def part(self, number: int) -> Contexts:
        """The contexts of one of the regions that a node refers to."""
        return self.parts[number] if number < len(self.parts) else ()

    @property
    def inactive(self) -> bool:
        """Whether nothing of it is wanted."""
        return not any(self.demand)


def join(path: str, name: str) -> str:
    """A path with one name more; a name "" adds no level."""
    return f"{path}.{name}" if path and name else path or name


def relative(path: str, base: str) -> str:
    """What a path says beyond a base; the whole of it where it does not lie below."""
    if base and path.startswith(f"{base}."):
        return path[len(base) + 1 :]
    return path


def with_modules(region: Region, place: Place) -> Place:
    """The place inside a region, with the modules in scope that are made there."""
    made = {
        node.label: Lent(join(place.path, node.name), region, None, place.copies)
        for node in region.nodes
        if node.label is not None and not isinstance(node, (Choice, Scan))
    }
    shares = {
        shared.name: Lent(join(place.path, shared.name), region, shared, place.copies)
        for shared in region.shares
    }
    return place.replace(scope={**place.scope, **made, **shares})


def lent_to(lends: tuple[tuple[str, str], ...], scope: Mapping[str, Lent]) -> dict[str, Lent]:
    """The modules that a node passes into its region, by their names inside."""
    return {inside: scope[here] for inside, here in lends if here in scope}


def copies_text(node: Repeat, run: int) -> str:
    """The indices of the copies of a run: `*` where it is all, `3`, or `1..3`."""
    if len(node.runs) == 1:
        return "*"
    first = sum([earlier.count for earlier in node.runs[:run]])
    last = first + node.runs[run].count - 1
    return str(first) if first == last else f"{first}..{last}"


def node_name(region: Region, node: Operation) -> str:
    """The name of an operator in its region; the only step of a group is called like the group."""
    if node.name or len(region.nodes) == 1:
        return node.name
    return node.label or node.op.name.lower()


def group_title(region: Region) -> str:
    """What to call a group: its steps in brackets, the first few."""
    steps = [_title(node) for node in region.nodes]
    steps = [step for step in steps if step]
    return "[" + " -> ".join([*steps[:3], *(["…"] if len(steps) > 3 else [])]) + "]"


def _title(node: object) -> str:
    if isinstance(node, Operation):
        return node.op.name
    if isinstance(node, Repeat):
        return _region_title(node.runs[0].region) if node.runs else ""
    if isinstance(node, Choice) and not node.region.nodes:
        return ""
    return _region_title(node.region) if isinstance(node, (Call, Choice, Scan)) else ""


def _region_title(region: Region) -> str:
    if region.name:
        return region.name
    return _title(region.nodes[0]) if len(region.nodes) == 1 else "[…]"
