"""The text of a file: header, imports, helpers, classes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePath

from archc.emit.classes import write_class
from archc.emit.draft import Draft
from archc.emit.example import example
from archc.emit.initial import write_initial
from archc.emit.manner import Manner
from archc.emit.names import Namespace, comment, docstring_lines, identifier, net_class_name
from archc.emit.prose import fill
from archc.emit.units import Unit
from archc.graph import Port, Program
from archc.ops.padding_source import padding_functions
from archc.shapes import Shape

__all__ = ["documentation", "made_by", "torch_imports", "write_blocks", "write_file", "write_net"]


def write_file(
    program: Program, made: Draft, class_name: str | None, figures: list[str], manner: Manner
) -> str:
    """The text of the file of one net.

    Args:
        program: the net.
        made: its classes.
        class_name: the name of the net's class instead of the one made from its own.
        figures: the lines of the docstring that say what it costs.
        manner: how the file is written.
    """
    names = Namespace(made.taken)
    made.net.name = names.add(class_name or net_class_name(program.name, program.applies))
    parts = [source.rstrip("\n").split("\n") for source in made.helpers.values()]
    parts += write_blocks(made, names, manner, {})
    parts += write_net(program, made, figures, manner, parts, names)
    body = "\n\n\n".join(["\n".join(part) for part in parts])
    if made.padded:
        body = "\n\n\n".join([*padding_functions(body), body])
    header = "\n".join([made_by(program), "", *torch_imports(body, made.imports)])
    return f"{header}\n\n\n{body}\n"


def write_blocks(
    made: Draft, names: Namespace, manner: Manner, given: Mapping[Unit, str]
) -> list[list[str]]:
    """The classes of blocks, each written once; gives all of them their names.

    Args:
        made: the classes.
        names: the names in use.
        manner: how the file is written.
        given: the names of classes that are written elsewhere.
    """
    parts: list[list[str]] = []
    known: dict[tuple[str, ...], str] = {}
    for unit in made.units[:-1]:
        if unit in given:
            unit.name = given[unit]
            continue
        lines = write_class(unit, documentation(unit), manner)
        same = known.get((unit.wanted, *lines[1:]))
        if same is not None:
            unit.name = same
            continue
        unit.name = names.add(unit.wanted)
        known[unit.wanted, *lines[1:]] = unit.name
        parts.append([f"class {unit.name}(nn.Module):", *lines[1:]])
    return parts


def write_net(
    program: Program,
    made: Draft,
    figures: list[str],
    manner: Manner,
    above: list[list[str]],
    names: Namespace,
) -> list[list[str]]:
    """The class of the net, how its weights start, and what the file does when it is run."""
    documentation = _net_documentation(program, made.net, figures)
    net = write_class(made.net, documentation, manner)
    order = _memory_format([*above, net]) if manner.fast else ""
    runs = example(program, made.net.name, order)
    # A module for inference gets its weights from the one that was trained.
    if program.init is None or manner.fast:
        return [net, runs]
    name = names.add("initialize")
    initial = write_initial(program.init, name, [*above, net])
    if not initial:
        return [net, runs]
    return [initial, write_class(made.net, documentation, manner, f"self.apply({name})"), runs]


def documentation(unit: Unit) -> list[str]:
    """The lines of a block's docstring."""
    return fill(docstring_lines(unit.region.documentation or ""), opens=True)


def _memory_format(parts: list[list[str]]) -> str:
    """Channels last for maps; torch has another order for volumes, and refuses this one."""
    text = "\n".join(["\n".join(part) for part in parts])
    return "channels_last" if "nn.Conv2d(" in text and "3d(" not in text else ""


def made_by(program: Program) -> str:
    """The line that says what a file was made from."""
    from archc import __version__

    file = PurePath(program.file).name
    applied = f" ({program.applies})" if program.applies else ""
    return comment(f"Made by archc {__version__} from {file}: {program.name}{applied}")


def torch_imports(body: str, further: Iterable[str]) -> list[str]:
    """The imports of a file, for what its text mentions, and further ones."""
    lines = ["from __future__ import annotations", ""]
    known = ("collections.abc", "contextlib", "math")
    standard = [f"import {name}" for name in known if re.search(rf"\b{name}\.", body)]
    typing = [line for line in further if line.startswith("from typing ")]
    standard += typing
    lines += [*standard, *([""] if standard else [])]
    if re.search(r"\btorch\.(?!nn\.functional)", body):
        lines.append("import torch")
    if re.search(r"\bF\.", body):
        lines.append("import torch.nn.functional as F")
    taken = ["nn"] if not re.search(r"\bTensor\b", body) else ["Tensor", "nn"]
    lines.append(f"from torch import {', '.join(taken)}")
    ours = [line for line in further if line.startswith("from torch.")]
    others = [line for line in further if line not in (*ours, *typing)]
    return [*lines, *ours, *([""] if others else []), *others]


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
