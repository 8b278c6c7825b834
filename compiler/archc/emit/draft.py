"""From programs to the classes of their file, not yet written."""

from __future__ import annotations

from archc.emit.align import Signatures
from archc.emit.build import build
from archc.emit.checkpointing import COUNTED_ONCE, IMPORT, normalizes
from archc.emit.collecting import collect, regions_below
from archc.emit.forms import Forms
from archc.emit.names import Namespace
from archc.emit.sizes import Sizes
from archc.emit.slots import Parameter
from archc.emit.units import Unit, candidates, partition, port_names
from archc.graph import Operation, Program, Region
from archc.ops.padding_source import PADDING

__all__ = ["Draft", "draft"]


class Draft:
    """The classes of one or more programs that differ in hyperparameters only.

    Args:
        units: in the order in which they are written, the net last.
        forms: of all operators.
    """

    def __init__(self, units: list[Unit], forms: Forms) -> None:
        self.units, self.forms = units, forms
        #: Helpers that stand in the place of those of the forms, or beside them.
        self.further: dict[str, str] = {}

    @property
    def net(self) -> Unit:
        """The class of the net."""
        return self.units[-1]

    @property
    def helpers(self) -> dict[str, str]:
        """The sources of the classes and functions that operators need, by name."""
        found: dict[str, str] = {}
        for form in self.forms.all():
            for name, source in form.helper:
                found.setdefault(name, source)
        found.update(self.further)
        if any(unit.recomputed and normalizes(unit.region) for unit in self.units):
            found["counted_once"] = COUNTED_ONCE
        return found

    @property
    def imports(self) -> list[str]:
        """The lines that operators need above the classes."""
        found = {line for form in self.forms.all() for line in form.imports}
        if any(unit.recomputed for unit in self.units):
            found.add(IMPORT)
        if self.net.generates is not None:
            found.add("from typing import Any")
        return sorted(found)

    @property
    def taken(self) -> list[str]:
        """The names that a class of the file may not have."""
        parameters = [p.name for unit in self.units for p in unit.scope.parameters]
        imported = [line.split()[-1] for line in self.imports]
        return [*self.helpers, *imported, *parameters, *(PADDING if self.padded else ())]

    @property
    def padded(self) -> bool:
        """Whether an input of the net has lengths."""
        return any(port.lengths_of is not None for port in self.net.region.inputs)


def draft(programs: list[Program], varied: list[str], name: str) -> Draft | None:
    """The classes for a net, with the varied hyperparameters as its constructor's parameters.

    Args:
        programs: the net, then the net with one hyperparameter changed in each.
        varied: the hyperparameters that change.
        name: of the net's class.

    Returns:
        None when a changed net cannot be the same class with another argument.
    """
    forms = Forms()
    roots = [program.region for program in programs]
    collected, order = collect(roots, name, forms)
    reserved = {*collected.names.values(), name, *_helper_names(roots, forms)}
    class_of: dict[Region, Unit] = {}
    units: list[Unit] = []
    for key in order:
        groups = partition(collected.groups[key], Signatures(forms, class_of))
        for regions in groups:
            if regions[0] in roots and (len(regions) != len(set(roots)) or len(groups) > 1):
                return None
            ports = port_names(regions[0], collected.labels.get(key, {}))
            unit = _unit(regions, programs, varied, collected.names[key], ports, reserved)
            class_of.update(dict.fromkeys(regions, unit))
            build(unit, forms, class_of)
            unit.scope.solve()
            if unit.scope.unexplained:
                return None
            units.append(unit)
    return Draft([unit for unit in units if not unit.vanishes], forms)


def _helper_names(roots: list[Region], forms: Forms) -> set[str]:
    """What operators define in the file or import into it."""
    found: set[str] = set()
    for root in roots:
        for region in regions_below(root):
            operations = [node for node in region.nodes if isinstance(node, Operation)]
            for form in [forms.of(region, operation) for operation in operations]:
                found.update([name for name, _ in form.helper])
                found.update([line.split()[-1] for line in form.imports])
    padded = any(port.lengths_of is not None for root in roots for port in root.inputs)
    return found | set(PADDING) if padded else found


def _unit(
    regions: list[Region],
    programs: list[Program],
    varied: list[str],
    name: str,
    ports: list[str],
    reserved: set[str],
) -> Unit:
    is_net = regions[0] is programs[0].region
    parameters = (
        _hyperparameters(regions, programs, varied, reserved)
        if is_net
        else candidates(regions, ports, reserved)
    )
    unit = Unit(regions, name, ports, parameters, reserved, closed=is_net)
    unit.sizes = Sizes(unit, Namespace([*ports, "x", "y", "z"]))
    return unit


def _hyperparameters(
    regions: list[Region], programs: list[Program], varied: list[str], reserved: set[str]
) -> list[Parameter]:
    names = Namespace(reserved)
    found = []
    values = {one.region: {**dict(one.given), **dict(one.hyperparameters)} for one in programs}
    for name in varied:
        column = tuple([values[region][name] for region in regions])
        found.append(Parameter(names.add(name), column, column[0]))
    return found
