"""Classes to write: regions of one origin that align are one class."""

from __future__ import annotations

from typing import Any

from archc.emit.align import Mismatch, Signatures, unify
from archc.emit.names import Namespace, identifier
from archc.emit.slots import ClassScope, Parameter, is_literal
from archc.emit.steps import Stream
from archc.emit.vectors import ANY
from archc.graph import Region
from archlang import tree

__all__ = ["Unit", "candidates", "partition", "port_names"]


class Unit:
    """One class of the generated file.

    Args:
        regions: its instances.
        wanted: the name it would like.
        ports: the names of its inputs.
        parameters: the candidates for the constructor's parameters.
        reserved: names of classes, which no parameter or local may have.
        closed: no further parameters may be made up.
    """

    def __init__(
        self,
        regions: list[Region],
        wanted: str,
        ports: list[str],
        parameters: list[Parameter],
        reserved: set[str],
        *,
        closed: bool,
    ) -> None:
        self.regions = regions
        self.ports = ports
        self.wanted = wanted
        self.name = wanted
        self.index = {region: i for i, region in enumerate(regions)}
        names = Namespace([*reserved, *[p.name for p in parameters]])
        self.reserved = reserved
        self.scope = ClassScope(len(regions), parameters, closed=closed, names=names)
        self.inputs: list[Stream] = []
        self.outputs: list[Stream] = []
        self.members: list[Any] = []
        self.steps: list[Any] = []
        self.lent: dict[str, str | Unit] = {}
        self.sizes: Any = None
        #: Whether something makes an instance: a copy among others that do more.
        self.made = False
        #: Whether what is inside is computed again in the backward pass instead of kept.
        self.recomputed = False
        #: What `step` runs, an `InSteps`, where a net that generates needs it.
        self.in_steps: Any = None
        #: How the net generates, a `Generation`.
        self.generates: Any = None

    @property
    def region(self) -> Region:
        """One of its instances."""
        return self.regions[0]

    @property
    def vanishes(self) -> bool:
        """Whether nothing happens in it, so that no code is needed."""
        idle = not self.members and not self.steps and self.region.kind != "net"
        return idle and not self.made

    def argument(self, parameter: Parameter, region: Region) -> Any:
        """The value of a parameter in an instance."""
        return parameter.values[self.index[region]]


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


def candidates(regions: list[Region], ports: list[str], reserved: set[str]) -> list[Parameter]:
    """What a constructor may take: the features that flow in, by the names of the inputs, and the
    block's own parameters. None is called like a class, which are `reserved`."""
    names = Namespace(reserved)
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
    """The names of the inputs: their own, or what captured ones are called."""
    names = Namespace()
    wanted = [labels.get(i, port.name or "outer") for i, port in enumerate(region.inputs)]
    return [names.add(identifier(name, "x")) for name in wanted]
