"""From a program to the text of its file, hyperparameters proved by probing included."""

from __future__ import annotations

import keyword
from collections.abc import Callable
from typing import Any

from archc.emit.align import Mismatch
from archc.emit.binding import symbolic_constructors
from archc.emit.checkpointing import mark
from archc.emit.draft import Draft, draft
from archc.emit.file import write_file
from archc.emit.generating import generation, let_generate
from archc.emit.manner import PLAIN, Manner
from archc.emit.names import net_class_name
from archc.graph import Program
from archc.optimize import Optimization, optimized
from archc.recognition import recognized
from archc.requests import Probe

__all__ = ["drafted", "generation_of", "write"]


def write(
    program: Program,
    class_name: str | None,
    probe: Probe | None,
    recognize: bool = True,
    optimize: Optimization | None = None,
    manner: Manner = PLAIN,
) -> str:
    """The text of the file; see `archc.emit.emit`."""
    if class_name is not None and (not class_name.isidentifier() or keyword.iskeyword(class_name)):
        raise ValueError(f"{class_name!r} is no name for a class")
    written, made, figures = drafted(program, probe, recognize, optimize)
    if manner.checkpoint:
        mark(made.units)
    if manner.generate:
        let_generate(made)
    manner = manner.replace(fast=optimize is not None)
    return write_file(written, made, class_name, figures, manner)


def drafted(
    program: Program,
    probe: Probe | None,
    recognize: bool = True,
    optimize: Optimization | None = None,
) -> tuple[Program, Draft, list[str]]:
    """The net as it is computed, its classes, and the lines that say what it costs."""
    symbolic = symbolic_constructors(program)
    if symbolic:
        raise ValueError(f"bind {', '.join(symbolic)}: constructors need numbers")

    def changed(given: Program) -> Program:
        found = given if optimize is None else optimized(given)
        return recognized(found).program if recognize else found

    written = changed(program)
    probed = None if probe is None else _changing(probe, changed)
    made = _varied(written, probed) or _draft([written], [], written)
    assert made is not None, "a net alone can always be written"
    varied = bool(made.net.scope.parameters)
    return written, made, _figures(program, varied)


def generation_of(program: Program, probe: Probe | None) -> str:
    """Whether the module of a net generates, or why not; empty where nothing runs over time."""
    if all(port.shape.steps is None for port in program.region.inputs):
        return ""
    found = generation(drafted(program, probe)[1])
    if isinstance(found, str):
        return f"the module does not generate: {found}" if found else ""
    return "the module goes on step by step: step and generate"


def _changing(probe: Probe, changed: Callable[[Program], Program]) -> Probe:
    def probed(name: str, value: Any) -> Program | None:
        found = probe(name, value)
        return None if found is None else changed(found)

    return probed


def _draft(programs: list[Program], varied: list[str], program: Program) -> Draft | None:
    return draft(programs, varied, net_class_name(program.name, program.applies))


def _varied(program: Program, probe: Probe | None) -> Draft | None:
    """The classes with as many hyperparameters as parameters as can be proved, or None."""
    if probe is None:
        return None
    given = (*program.given, *program.hyperparameters)
    tried = {name: _probed(probe, name, value) for name, value in given}
    tried = {name: others for name, others in tried.items() if others}
    while tried:
        programs = [program, *[other for others in tried.values() for other in others]]
        together = _try(programs, list(tried), program)
        if together is not None:
            return together
        proved = {n: others for n, others in tried.items() if _alone(program, n, others)}
        if len(proved) == len(tried):
            return None
        tried = proved
    return None


def _alone(program: Program, name: str, others: list[Program]) -> bool:
    """Whether the class can have a hyperparameter as its only one."""
    return _try([program, *others], [name], program) is not None


def _try(programs: list[Program], varied: list[str], program: Program) -> Draft | None:
    try:
        return _draft(programs, varied, program)
    except Mismatch:
        return None


def _probed(probe: Probe, name: str, value: Any) -> list[Program]:
    """The net with other values of a hyperparameter, where it takes them."""
    found: list[Program] = []
    for other in _others(value):
        changed = probe(name, other)
        if changed is not None:
            found.append(changed)
    return found


def _others(value: Any) -> list[Any]:
    """Other values to try: near and far, and a multiple that divides what the value divides."""
    if type(value) is int:
        return [value + 1, 2 * value, 3 * value + 1]
    if type(value) is float:
        return [value / 2 + 0.125, value / 4 + 0.0625]
    return []


def _figures(program: Program, varied: bool) -> list[str]:
    from archc.cost import cost

    totals = cost(program)
    defaults = "With the defaults: " if varied else ""
    figures = f"{_figure(totals.params)} parameters, {_figure(totals.macs)} multiply-adds"
    return [f"{defaults}{figures} for one input.", ""]


def _figure(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value)
