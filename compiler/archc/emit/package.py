"""Many nets as a Python package: a module for each net, one more for the blocks of several.

Blocks are the same when their code is: the text of a class in which the classes that it uses are
named after their own text. Such a class stands in `shared.py`, and the nets import it.
"""

from __future__ import annotations

import ast
import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence

from archc.emit.checkpointing import mark
from archc.emit.classes import write_class
from archc.emit.draft import Draft
from archc.emit.file import documentation, made_by, torch_imports, write_blocks, write_net
from archc.emit.generating import let_generate
from archc.emit.layout import WIDTH, width
from archc.emit.manner import Manner
from archc.emit.names import Namespace, comment, identifier, net_class_name
from archc.emit.units import Unit
from archc.graph import Program
from archc.ops.padding_source import padding_functions
from archlang.record import Record

__all__ = ["Drafted", "module_names", "write_package"]

_SHARED = "shared"

Parts = list[list[str]]


class Drafted(Record):
    """A net that is ready to be written.

    Args:
        program: the net as it is computed.
        made: its classes.
        figures: the lines of the docstring that say what it costs.
    """

    program: Program
    made: Draft
    figures: list[str]


def module_names(programs: Sequence[Program]) -> list[str]:
    """The name of the module of each net: its own in small letters, with a number where taken."""
    names = Namespace([_SHARED])
    return [names.add(identifier(program.name, "net").lower()) for program in programs]


def write_package(nets: Sequence[Drafted], manner: Manner, title: str) -> dict[str, str]:
    """The texts of the files of a package, by their names.

    Args:
        nets: the nets, whose classes have different names.
        manner: how the files are written.
        title: what the package holds, for the docstring of `__init__.py`.
    """
    for net in nets:
        if manner.checkpoint:
            mark(net.made.units)
        if manner.generate:
            let_generate(net.made)
        net.made.net.name = net_class_name(net.program.name, net.program.applies)
    common = _Common(nets, manner)
    files = {f"{_SHARED}.py": common.text()} if common.parts else {}
    exported = {}
    modules = module_names([net.program for net in nets])
    for net, module in zip(nets, modules, strict=True):
        files[f"{module}.py"] = _module(net, common, manner)
        exported[net.made.net.name] = module
    return {"__init__.py": _initial(exported, title), **files}


class _Common:
    """What several nets of a package have in common.

    Args:
        nets: the nets, their classes named.
        manner: how the files are written.
    """

    def __init__(self, nets: Sequence[Drafted], manner: Manner) -> None:
        self.keys: dict[Unit, str] = {}
        uses: Counter[str] = Counter()
        for net in nets:
            found = _keys(net.made, manner)
            self.keys.update(found)
            uses.update(set(found.values()))
        taken = {name for net in nets for name in [net.made.net.name, *net.made.taken]}
        self.names = Namespace(taken)
        self.called: dict[str, str] = {}
        self.written: Parts = []
        for net in nets:
            self._write(net.made, [unit for unit in self.keys if uses[self.keys[unit]] > 1], manner)
        self.helpers = self._helpers(nets)
        self.parts = [*[text.rstrip("\n").split("\n") for text in self.helpers.values()],
                      *self.written]  # fmt: skip
        self.padded = any(net.made.padded for net in nets)
        self.imports = sorted({line for net in nets for line in net.made.imports})

    def _write(self, made: Draft, several: list[Unit], manner: Manner) -> None:
        """The classes of a net that others have too, those that it needs before it."""
        wanted = set(several)
        for unit in [unit for unit in made.units if unit in wanted]:
            key = self.keys[unit]
            if key in self.called:
                unit.name = self.called[key]
                continue
            unit.name = self.called[key] = self.names.add(unit.wanted)
            self.written.append(write_class(unit, documentation(unit), manner))

    def _helpers(self, nets: Sequence[Drafted]) -> dict[str, str]:
        """The operators' classes and functions that shared classes, or several nets, need."""
        uses = Counter([name for net in nets for name in net.made.helpers])
        sources: dict[str, str] = {}
        for name, text in [item for net in nets for item in net.made.helpers.items()]:
            # One that goes on with a sequence has all of the other one, and more.
            sources[name] = max(sources.get(name, ""), text, key=len)
        needed = _mentioned("\n".join([line for part in self.written for line in part]))
        kept = {name for name in sources if uses[name] > 1 or name in needed}
        size = -1
        while size != len(kept):
            size = len(kept)
            further = set().union(*[_mentioned(sources[name]) for name in kept])
            kept |= further & set(sources)
        return {name: text for name, text in sources.items() if name in kept}

    def given(self, made: Draft) -> dict[Unit, str]:
        """The names of the classes of a net that stand in the shared module."""
        keys = [(unit, self.keys[unit]) for unit in made.units[:-1]]
        return {unit: self.called[key] for unit, key in keys if key in self.called}

    def text(self) -> str:
        """The text of the shared module."""
        from archc import __version__

        body = _joined(self.parts)
        if self.padded:
            body = "\n\n\n".join([*padding_functions(body), body])
        needed = _mentioned(body)
        imports = [line for line in self.imports if line.split()[-1] in needed]
        first = comment(f"Made by archc {__version__}: what several nets of this package use")
        return _file([first, "", *torch_imports(body, imports)], body)


def _keys(made: Draft, manner: Manner) -> dict[Unit, str]:
    """What tells the classes of a net apart from others: their texts and those below."""
    found: dict[Unit, str] = {}
    helpers = made.helpers
    for unit in made.units[:-1]:
        lines = write_class(unit, documentation(unit), manner)
        used = [helpers[name] for name in sorted(_mentioned("\n".join(lines)) & set(helpers))]
        text = "\n".join([unit.wanted, *lines[1:], *used])
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]
        found[unit] = unit.name = f"{unit.wanted}_{digest}"
    return found


def _module(net: Drafted, common: _Common, manner: Manner) -> str:
    made = net.made
    names = Namespace([*made.taken, made.net.name, *common.called.values()])
    own = [text for name, text in made.helpers.items() if name not in common.helpers]
    parts = [text.rstrip("\n").split("\n") for text in own]
    parts += write_blocks(made, names, manner, common.given(made))
    parts += write_net(net.program, made, net.figures, manner, [*parts, *common.parts], names)
    body = _joined(parts)
    if made.padded:
        body = "\n\n\n".join([*padding_functions(body), body])
    needed = _mentioned(body)
    imports = [line for line in made.imports if line.split()[-1] in needed]
    shared = sorted(needed & {*common.called.values(), *common.helpers}, key=_as_sorted)
    header = [made_by(net.program), "", *torch_imports(body, imports)]
    if shared:
        header += ["", *_import(_SHARED, shared)]
    return _file(header, body)


def _initial(exported: dict[str, str], title: str) -> str:
    from archc import __version__

    lines = [comment(f"Made by archc {__version__}"), f'"""{title}"""', ""]
    for name, module in sorted(exported.items(), key=lambda item: item[1]):
        lines += _import(module, [name])
    names = sorted(exported, key=_as_sorted)
    lines += ["", "__all__ = [", *[f'    "{name}",' for name in names], "]"]
    return "\n".join(lines) + "\n"


def _import(module: str, names: list[str]) -> list[str]:
    line = f"from .{module} import {', '.join(names)}"
    if width(line) <= WIDTH:
        return [line]
    return [f"from .{module} import (", *[f"    {name}," for name in names], ")"]


def _as_sorted(name: str) -> tuple[int, str]:
    """Constants, then classes, then functions, as tools that sort imports have them."""
    rank = 0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2
    return rank, name


def _mentioned(text: str) -> set[str]:
    """The names that a text reads."""
    return {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}


def _joined(parts: Iterable[list[str]]) -> str:
    return "\n\n\n".join(["\n".join(part) for part in parts])


def _file(header: list[str], body: str) -> str:
    return "\n".join(header) + f"\n\n\n{body}\n"
