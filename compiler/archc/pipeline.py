"""The way of a request through the compiler: read, resolve, lower, verify.

Nothing here raises for a user's mistake: what is wrong comes back as diagnostics.
"""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Any

import archc.ops
from archc.check import claims_of, report_stray, verify
from archc.graph import Program
from archc.lower.context import Problem
from archc.lower.files import LoadedFile
from archc.lower.nets import lower_net, target_of
from archc.lower.resolve import find_cycles, resolve_file
from archc.lower.things import BlockValue
from archc.requests import CheckResult, Loaded, Request, Written
from archc.resolving import Run, split_name
from archlang.diagnostics import Diagnostic, Diagnostics
from archlang.source import Source

__all__ = [
    "CheckResult", "Loaded", "Request", "Written", "check_path", "check_source", "load_program",
]  # fmt: skip

_ = archc.ops  # importing it registers the operators


def load_program(request: Request) -> Loaded:
    """The net that a request asks for: lowered, its shapes known, what is claimed of it verified.

    `expect` speaks of the net as the file gives it, so it is not held against one whose defaults
    or inputs are replaced; `require` bounds every member of a family and is always verified.
    """
    with _deep():
        run = Run(request)
        try:
            program = run.load()
            if program is not None and not run.diagnostics.failed:
                compared = run.verify_one(program, bounds_only=run.changed)
                program = program.replace(compared=compared) if compared else program
        except Problem as problem:
            run.diagnostics.add(problem.diagnostic)
            program = None
    failed = run.diagnostics.failed
    return Loaded(None if failed else program, _in_order(run.diagnostics), partial(_again, run))


def _again(run: Run, name: str, value: Any) -> Program | None:
    with _deep():
        try:
            return run.again(name, value)
        except LookupError:
            kept = tuple([pair for pair in run.request.bindings if pair[0] != name])
            bindings = (*kept, (name, value))
        except Problem:
            return None
    return load_program(run.request.replace(bindings=bindings)).program


def _in_order(diagnostics: Diagnostics) -> tuple[Diagnostic, ...]:
    """As they stand in the text, file by file in the order in which files are first mentioned."""
    files: dict[str, int] = {}

    def place(diagnostic: Diagnostic) -> tuple[int, int]:
        span = diagnostic.span
        if span is None:
            return -1, 0
        return files.setdefault(span.source.name, len(files)), span.start

    return tuple(sorted(diagnostics.all, key=place))


class _deep:
    """Room for programs that nest as deep as the bounds allow."""

    def __enter__(self) -> None:
        self._limit = sys.getrecursionlimit()
        sys.setrecursionlimit(max(self._limit, 100_000))

    def __exit__(self, *error: object) -> None:
        sys.setrecursionlimit(self._limit)


# --- checking ------------------------------------------------------------------------------------


def check_path(path: Path, request: Request | None = None, name: str | None = None) -> CheckResult:
    """Check a file: everything that can be known of it, with every claim."""
    run = Run(request or Request(""))
    with _deep():
        try:
            file = run.loader.path(path, name or str(path))
        except Problem as problem:
            return CheckResult((problem.diagnostic,))
        return _check(run, file, path.stem)


def check_source(source: Source, request: Request | None = None) -> CheckResult:
    """Check a text."""
    run = Run(request or Request(""))
    with _deep():
        return _check(run, run.loader.source(source), "net")


def check_net(request: Request) -> CheckResult:
    """Check one net by name: as `load_program`, with its claims."""
    path, name = (None, None) if request.text is not None else split_name(request.net)
    if request.text is None and path is not None and name is None:
        return check_path(path, request)
    run = Run(request)
    with _deep():
        try:
            program = run.load()
            if program is not None and not run.diagnostics.failed:
                run.verify_one(program)
        except Problem as problem:
            run.diagnostics.add(problem.diagnostic)
            program = None
    return CheckResult(_in_order(run.diagnostics), () if program is None else (program,))


def _check(run: Run, file: LoadedFile, stem: str) -> CheckResult:
    programs: list[Program] = []
    parameters: list[str] = []
    try:
        run.prepare(file)
        if file.file.chain is not None:
            program = run.chain(file, None, stem) if not run.diagnostics.failed else None
            return CheckResult(_in_order(run.diagnostics), () if program is None else (program,))
        find_cycles(file, run.session)
        resolve_file(file, run.session)
        report_stray(file, run.session)
        programs = _check_nets(run, file, parameters)
    except Problem as problem:
        run.diagnostics.add(problem.diagnostic)
    unused = () if run.diagnostics.failed else run.unused(parameters)
    return CheckResult(_in_order(run.diagnostics), tuple(programs), unused)


def _check_nets(run: Run, file: LoadedFile, parameters: list[str]) -> list[Program]:
    """The complete nets of a file, their claims verified; notes which parameters could be given."""
    lowered: dict[str, Program | None] = {}
    targets: dict[str, BlockValue] = {}
    for name, net in file.nets.items():
        session = run.session.fresh()
        target = target_of(file, net, session)
        lowered[name] = None
        if target is not None:
            parameters.extend(target.open)
            if not target.missing:
                targets[name] = target.block
                lowered[name] = lower_net(net, target, session)
        run.session.used |= session.used
        run.session.used_inputs |= session.used_inputs
    for name, net in file.nets.items():
        program = lowered[name]
        if program is not None:
            claims = claims_of(file, net, targets[name])
            verify(program, claims, run.session, _others(lowered))
    return [program for program in lowered.values() if program is not None]


def _others(lowered: dict[str, Program | None]) -> Any:
    return lambda block: lowered.get(block.block.name) if isinstance(block, BlockValue) else None
