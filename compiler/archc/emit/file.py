"""The whole file: header, imports, helpers, classes."""

from __future__ import annotations

import re
from pathlib import PurePath

from archc.emit.align import Signatures
from archc.emit.build import build
from archc.emit.classes import write_class
from archc.emit.collecting import collect, regions_below
from archc.emit.example import example
from archc.emit.forms import Forms
from archc.emit.names import (
    Namespace,
    comment,
    docstring_lines,
    identifier,
    net_class_name,
)
from archc.emit.prose import fill
from archc.emit.sizes import Sizes
from archc.emit.slots import Parameter
from archc.emit.units import Unit, candidates, partition, port_names
from archc.graph import Operation, Port, Program, Region
from archc.op import TorchForm
from archc.ops.padding_source import PADDING, padding_functions
from archc.shapes import Shape

__all__ = ["Draft", "draft", "write_file"]


class Draft:
    """The classes of one or more programs that differ in hyperparameters only.

    Args:
        units: in the order in which they are written, the net last.
        forms: of all operators.
    """

    def __init__(self, units: list[Unit], forms: Forms) -> None:
        self.units, self.forms = units, forms

    @property
    def net(self) -> Unit:
        """The class of the net."""
        return self.units[-1]


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
    values = {program.region: dict(program.hyperparameters) for program in programs}
    for name in varied:
        column = tuple([values[region][name] for region in regions])
        found.append(Parameter(names.add(name), column, column[0]))
    return found


# --- writing -------------------------------------------------------------------------------------


def write_file(
    program: Program, made: Draft, class_name: str | None, figures: list[str], *, fast: bool = False
) -> str:
    """The text of the file; with `fast` its example runs in the memory format that is fastest."""
    helpers = _helpers(made)
    taken = [p.name for unit in made.units for p in unit.scope.parameters]
    imported = [line.split()[-1] for form in _forms(made) for line in form.imports]
    padded = any(port.lengths_of is not None for port in program.region.inputs)
    names = Namespace([*helpers, *imported, *taken, *(PADDING if padded else ())])
    made.net.name = names.add(class_name or net_class_name(program.name, program.applies))
    parts = [source.rstrip("\n").split("\n") for source in helpers.values()]
    known: dict[tuple[str, ...], str] = {}
    for unit in made.units[:-1]:
        lines = write_class(unit, _documentation(unit), {})
        same = known.get((unit.wanted, *lines[1:]))
        if same is not None:
            unit.name = same
            continue
        unit.name = names.add(unit.wanted)
        known[unit.wanted, *lines[1:]] = unit.name
        parts.append([f"class {unit.name}(nn.Module):", *lines[1:]])
    parts.append(write_class(made.net, _net_documentation(program, made.net, figures), {}))
    parts.append(example(program, made.net.name, _memory_format(parts) if fast else ""))
    body = "\n\n\n".join(["\n".join(part) for part in parts])
    if padded:
        body = "\n\n\n".join([*padding_functions(body), body])
    header = "\n".join([*_header(program), "", *_imports(body, made)])
    return f"{header}\n\n\n{body}\n"


def _memory_format(parts: list[list[str]]) -> str:
    """Channels last for maps; torch has another order for volumes, and refuses this one."""
    text = "\n".join(["\n".join(part) for part in parts])
    return "channels_last" if "nn.Conv2d(" in text and "3d(" not in text else ""


def _header(program: Program) -> list[str]:
    from archc import __version__

    file = PurePath(program.file).name
    applied = f" ({program.applies})" if program.applies else ""
    return [comment(f"Made by archc {__version__} from {file}: {program.name}{applied}")]


def _imports(body: str, made: Draft) -> list[str]:
    lines = ["from __future__ import annotations", ""]
    further = sorted({line for form in _forms(made) for line in form.imports})
    standard = [f"import {name}" for name in ("math",) if re.search(rf"\b{name}\.", body)]
    standard += [line for line in further if line.startswith("from typing ")]
    lines += [*standard, *([""] if standard else [])]
    if re.search(r"\btorch\.(?!nn\.functional)", body):
        lines.append("import torch")
    if re.search(r"\bF\.", body):
        lines.append("import torch.nn.functional as F")
    taken = ["nn"] if not re.search(r"\bTensor\b", body) else ["Tensor", "nn"]
    lines.append(f"from torch import {', '.join(taken)}")
    further = [line for line in further if line not in standard]
    return [*lines, *([""] if further else []), *further]


def _forms(made: Draft) -> list[TorchForm]:
    return made.forms.all()


def _helpers(made: Draft) -> dict[str, str]:
    found: dict[str, str] = {}
    for form in _forms(made):
        for name, source in form.helper:
            found.setdefault(name, source)
    return found


def _documentation(unit: Unit) -> list[str]:
    return fill(docstring_lines(unit.region.documentation or ""), opens=True)


def _net_documentation(program: Program, unit: Unit, figures: list[str]) -> list[str]:
    said = docstring_lines(program.documentation or unit.region.documentation or "")
    first = fill(said, opens=True) or [f"The network {identifier(program.name)}."]
    inputs = [(port.name, port.shape, _real_steps(port)) for port in unit.region.inputs]
    outputs = [
        (port.name, port.shape, ", in training only" if port.training else "")
        for port in unit.region.outputs
    ]
    ends = [*_ends("Input", inputs), *_ends("Output", outputs)]
    return [*first, "", *fill(figures), *[part for line in ends for part in fill([line])]]


def _real_steps(port: Port) -> str:
    of = port.lengths_of
    return "" if of is None else f", how many steps of {identifier(of)} are real, at least 1"


def _ends(what: str, ports: list[tuple[str, Shape, str]]) -> list[str]:
    if len(ports) == 1:
        return [f"{what}: {_batched(ports[0][1])}."]
    return [f"{what} {identifier(name)}: {_batched(shape)}{note}." for name, shape, note in ports]


def _batched(shape: Shape) -> str:
    sizes = ", ".join(["B", *[str(size) for size in shape.sizes]]) + "," * (shape.rank == 0)
    below = (
        "" if not shape.axes or shape.vocabulary is None else f", integers below {shape.vocabulary}"
    )
    return f"({sizes}){below}"
