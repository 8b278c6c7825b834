"""Classes to write: regions of one origin that align are one class."""

from __future__ import annotations

from typing import Any

from archc.emit.forms import Forms, Mismatch, Signatures, only_node, unify
from archc.emit.names import Namespace, identifier, singular
from archc.emit.slots import ClassScope, Parameter, is_literal
from archc.emit.steps import Stream
from archc.emit.vectors import ANY
from archc.graph import INPUTS, Call, Choice, Node, Region, Repeat, Wire
from archlang import tree

__all__ = ["Unit", "collect", "partition"]


class Unit:
    """One class of the generated file.

    Args:
        regions: its instances.
        wanted: the name it would like.
        ports: the names of its inputs.
        parameters: the candidates for the constructor's parameters.
        closed: no further parameters may be made up.
    """

    def __init__(
        self,
        regions: list[Region],
        wanted: str,
        ports: list[str],
        parameters: list[Parameter],
        *,
        closed: bool,
    ) -> None:
        self.regions = regions
        self.ports = ports
        self.wanted = wanted
        self.name = wanted
        self.index = {region: i for i, region in enumerate(regions)}
        names = Namespace([p.name for p in parameters])
        self.scope = ClassScope(len(regions), parameters, closed=closed, names=names)
        self.inputs: list[Stream] = []
        self.outputs: list[Stream] = []
        self.members: list[Any] = []
        self.steps: list[Any] = []
        self.lent: dict[str, str | Unit] = {}
        self.sizes: Any = None

    @property
    def region(self) -> Region:
        """One of its instances."""
        return self.regions[0]

    @property
    def vanishes(self) -> bool:
        """Whether nothing happens in it, so that no code is needed."""
        return not self.members and not self.steps and self.region.kind != "net"

    def argument(self, parameter: Parameter, region: Region) -> Any:
        """The value of a parameter in an instance."""
        return parameter.values[self.index[region]]


# --- which regions need a class ------------------------------------------------------------------


class Collected:
    """Regions by what makes them one class, each group after those that it uses."""

    def __init__(self, forms: Forms) -> None:
        self.forms = forms
        self.groups: dict[Any, list[Region]] = {}
        self.names: dict[Any, str] = {}
        self.labels: dict[Any, dict[int, str]] = {}
        self.below: dict[Any, dict[Any, None]] = {}
        self._seen: set[Region] = set()

    def add(self, region: Region, name: str) -> Any:
        """Take in a region that needs a class, and all below it."""
        key = _key(region)
        if region in self._seen:
            return key
        self._seen.add(region)
        self.groups.setdefault(key, []).append(region)
        self.names.setdefault(key, name)
        below = self.below.setdefault(key, {})
        for shared in region.shares:
            if isinstance(shared.what, Region):
                below[self.add(shared.what, shared.what.name)] = None
        for node in region.nodes:
            below.update(dict.fromkeys(self._inside(region, node, node.name)))
        return key

    def _inside(self, region: Region, node: Node, name: str) -> list[Any]:
        if isinstance(node, Call):
            key = self.add(node.region, node.region.name)
            self._label(key, region, node.region, node.inputs)
            return [key]
        if isinstance(node, Choice):
            inner = node.region
            return [key for n in inner.nodes for key in self._inside(inner, n, n.name)]
        if not isinstance(node, Repeat):
            return []
        keys = []
        for run in node.runs:
            only = only_node(run.region, self.forms)
            if only is None:
                keys.append(self.add(run.region, run.region.name or _group_name(name)))
                self._label(keys[-1], region, run.region, (*node.inputs, *run.captures))
            else:
                keys += self._inside(run.region, only, only.name or name)
        return keys

    def _label(self, key: Any, outer: Region, inner: Region, wires: tuple[Wire, ...]) -> None:
        """Captured streams are called inside what they are called outside."""
        labels = self.labels.setdefault(key, {})
        for port in range(len(inner.inputs) - inner.captured, min(len(inner.inputs), len(wires))):
            label = stream_name(outer, wires[port])
            if label is not None:
                labels.setdefault(port, label)

    def ordered(self) -> list[Any]:
        """The keys, each behind those that it uses.

        Raises:
            Mismatch: when two use each other.
        """
        done: dict[Any, bool] = {}
        order: list[Any] = []

        def visit(key: Any) -> None:
            if key in done:
                if not done[key]:
                    raise Mismatch
                return
            done[key] = False
            for other in self.below[key]:
                visit(other)
            done[key] = True
            order.append(key)

        for key in self.groups:
            visit(key)
        return order


def _key(region: Region) -> Any:
    span = getattr(region.origin, "span", None)
    origin = (id(region.origin),) if span is None else (span.source.name, span.start, span.end)
    return region.kind, origin, region.variant, region.name


def stream_name(region: Region, wire: Wire) -> str | None:
    """What the file calls a stream, or None."""
    if wire.node == INPUTS:
        port = region.inputs[wire.port]
        return None if port.name.startswith("outer") else port.name
    node = region.nodes[wire.node]
    if isinstance(node, Repeat) and wire.port >= len(node.inputs):
        return node.collected[(wire.port - len(node.inputs)) // node.count]
    return node.label


def _group_name(name: str) -> str:
    words = [word for word in singular(name.rstrip("_0123456789")).split("_") if word]
    return "".join([word[0].upper() + word[1:] for word in words]) or "Group"


def collect(roots: list[Region], name: str, forms: Forms) -> Collected:
    """All classes below some nets."""
    collected = Collected(forms)
    for root in roots:
        collected.add(root, name)
    return collected


def partition(regions: list[Region], signatures: Signatures) -> list[list[Region]]:
    """The regions in groups that align, in order."""
    groups: list[tuple[Any, list[Region]]] = []
    for region in regions:
        signature = signatures.region(region)
        for i, (known, members) in enumerate(groups):
            try:
                groups[i] = unify(known, signature), members
            except Mismatch:
                continue
            members.append(region)
            break
        else:
            groups.append((signature, [region]))
    return [members for _, members in groups]


# --- what its instances are known to differ in ---------------------------------------------------


def candidates(regions: list[Region], ports: list[str]) -> list[Parameter]:
    """What a constructor may take: the features that flow in, by the names of the inputs, and the
    block's own parameters."""
    names = Namespace()
    found: list[Parameter] = []
    for position in range(len(ports)):
        values = tuple([_features(region, position) for region in regions])
        if any(value is not ANY for value in values):
            alone = len(regions[0].inputs) - regions[0].captured == 1 and position == 0
            name = names.add(_port_name(regions[0], ports, position, alone))
            found.append(Parameter(name, values, flows=True))
    defaults = _defaults(regions[0].origin)
    arguments = [dict(region.arguments) for region in regions]
    for name in dict.fromkeys([name for given in arguments for name in given]):
        values = tuple([_plain(given.get(name, ANY)) for given in arguments])
        if all(value is not ANY for value in values):
            found.append(Parameter(names.add(name), values, defaults.get(name, ANY)))
    return found


def _port_name(region: Region, ports: list[str], position: int, alone: bool) -> str:
    shape = region.inputs[position].shape
    what = "channels" if shape.space else "features"
    return f"in_{what}" if alone else f"{ports[position]}_{what}"


def _features(region: Region, position: int) -> Any:
    shape = region.inputs[position].shape
    if shape.features is None:
        return ANY
    size = shape.axes[shape.features].size
    return size if isinstance(size, int) else ANY


def _plain(value: Any) -> Any:
    if isinstance(value, (list, tuple)):
        items = tuple([_plain(item) for item in value])
        return ANY if any(item is ANY for item in items) else items
    return value if is_literal(value) else ANY


def _defaults(origin: Any) -> dict[str, Any]:
    """The defaults of a block's parameters that are literals."""
    found: dict[str, Any] = {}
    for parameter in getattr(origin, "parameters", None) or ():
        if isinstance(parameter.default, (tree.Number, tree.Boolean, tree.Text)):
            found[parameter.name] = parameter.default.value
    return found


def port_names(region: Region, labels: dict[int, str]) -> list[str]:
    """The names of the inputs: their own, or for captured ones what they are called outside."""
    names = Namespace()
    wanted = [labels.get(i, port.name) for i, port in enumerate(region.inputs)]
    return [names.add(identifier(name, "x")) for name in wanted]
