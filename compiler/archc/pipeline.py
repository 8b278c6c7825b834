"""The way of a request through the compiler: read, resolve, lower, verify.

Nothing here raises for a user's mistake: what is wrong comes back as diagnostics.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import archc.ops
from archc import library
from archc.check import claims_of, verify
from archc.graph import Program
from archc.lower.context import Context, Problem, Session
from archc.lower.dimensions import declare_dimensions
from archc.lower.evaluate import evaluate
from archc.lower.files import LoadedFile, Loader, read_source
from archc.lower.nets import Target, lower_chain, lower_net, target_of
from archc.lower.resolve import find_cycles, resolve_file
from archc.lower.things import BlockValue
from archlang import tree
from archlang.diagnostics import Diagnostic, Diagnostics, Label
from archlang.record import Record
from archlang.source import Source

__all__ = [
    "CheckResult", "Loaded", "Request", "Written", "check_path", "check_source", "load_program",
]  # fmt: skip

_ = archc.ops  # importing it registers the operators


class Written(Record):
    """A value as typed on the command line, an expression read in the scope of the file."""

    text: str


class Request(Record):
    """One net that is asked for.

    Args:
        net: `file.arch`, `file.arch:name`, a name of the library, or `-` for standard input; with
            `text` the name of the net in it, or "".
        bindings: what `-p` says: values, or `Written` ones.
        inputs: what `--input` says: a name or None, and the sizes.
        text: the source, instead of a file.
    """

    net: str
    bindings: tuple[tuple[str, Any], ...] = ()
    inputs: tuple[tuple[str | None, tuple[int, ...]], ...] = ()
    text: str | None = None


class Loaded(Record):
    """The answer to a request: the net, or None with the reasons."""

    program: Program | None
    diagnostics: tuple[Diagnostic, ...]


class CheckResult(Record):
    """What is known of a file: its complete nets, and what is wrong."""

    diagnostics: tuple[Diagnostic, ...]
    programs: tuple[Program, ...] = ()


# --- one net -------------------------------------------------------------------------------------


def load_program(request: Request) -> Loaded:
    """The net that a request asks for, lowered and with its shapes known; claims are `check`'s."""
    with _deep():
        run = _Run(request)
        try:
            program = run.load()
        except Problem as problem:
            run.diagnostics.add(problem.diagnostic)
            program = None
    failed = run.diagnostics.failed
    return Loaded(None if failed else program, _in_order(run.diagnostics))


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


class _Run:
    """One request on its way."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.diagnostics = Diagnostics()
        self.loader = Loader(self.diagnostics, library.root())
        self.session = Session(self.diagnostics)
        self.found: tuple[LoadedFile, tree.Block] | None = None

    def load(self) -> Program | None:
        file, wanted, stem = self._file()
        if self.diagnostics.failed:
            return None
        self.prepare(file)
        if file.file.chain is not None:
            return self._chain(file, wanted, stem)
        find_cycles(file, self.session)
        net, target = self._net(file, wanted, stem)
        if net is None or target is None:
            return None
        if target.missing:
            self._report_missing(net, target)
            return None
        owners = [loaded for loaded in self.loader.all(file) if net in loaded.nets.values()]
        self.found = (owners[0], net)
        program = lower_net(net, target, self.session)
        if program is None and not self.diagnostics.failed:
            resolve_file(file, self.session)
        self._check_used(target)
        return program

    def verify_one(self, program: Program) -> None:
        """Verify what is claimed of the net that `load` found."""
        if self.found is None:
            return
        file, net = self.found
        verify(program, claims_of(file, net), file, self.session, self._lowered)

    def _lowered(self, block: Any) -> Program | None:
        assert self.found is not None
        file, session = self.found[0], self.session.fresh()
        net = file.nets.get(block.block.name) if isinstance(block, BlockValue) else None
        target = None if net is None else target_of(file, net, session)
        if net is None or target is None or target.missing:
            return None
        return lower_net(net, target, session)

    def prepare(self, file: LoadedFile) -> None:
        """Let the file's constants be evaluated, declare its dimensions, read the bindings."""
        session = self.session
        for loaded in self.loader.all(file):
            loaded.scope.evaluate = lambda f, c: evaluate(c.value, Context(session, None, f.scope, f))
        session.inputs = dict(self.request.inputs)
        for name, value in self.request.bindings:
            session.bindings[name] = self._binding(name, value, file)
        for loaded in self.loader.all(file):
            declare_dimensions(loaded, session)

    def _binding(self, name: str, value: Any, file: LoadedFile) -> Any:
        if not isinstance(value, Written):
            return list(value) if isinstance(value, list) else value
        from archlang.parser import parse_value

        source = Source.of(f"-p {name}", value.text)
        expr, found = parse_value(source)
        if expr is None or found:
            raise _as_problem(found, f"-p {name} has no value")
        return evaluate(expr, Context(self.session, None, file.scope, file))

    # --- which file, which net ---

    def _file(self) -> tuple[LoadedFile, str | None, str]:
        text = self.request.text
        if text is not None:
            source = Source.of("<source>", text)
            return self.loader.source(source), self.request.net or None, "net"
        if self.request.net == "-":
            return self.loader.source(_standard_input()), None, "net"
        path, name = _split(self.request.net)
        if path is None:
            found = library.find(self.request.net)
            if found is None:
                raise _no_net(self.request.net)
            return self.loader.path(found, _shown(found)), self.request.net, found.stem
        return self.loader.path(path, str(path)), name, path.stem

    def _chain(self, file: LoadedFile, wanted: str | None, stem: str) -> Program | None:
        if wanted is not None and wanted != stem:
            message = f"{file.name} is one chain, the net {stem}; it has no {wanted}"
            raise Problem("unknown-net", message, None)
        self.session.sketch = True
        program = lower_chain(file, stem, self.session)
        if self.session.open and not self.diagnostics.failed:
            self._ask(file)
        self._check_used(None)
        return program

    def _ask(self, file: LoadedFile) -> None:
        chain = file.file.chain
        assert chain is not None
        options = list(self.session.open)
        names = " ".join(options)
        what = ", ".join(self.session.open[option] for option in options)
        message = f"this sketch leaves open: {what}"
        self.diagnostics.add(
            Diagnostic("open-parameters", message, (Label(chain.span),), help=f"give {names}")
        )

    def _net(
        self, file: LoadedFile, wanted: str | None, stem: str
    ) -> tuple[tree.Block | None, Target | None]:
        nets = file.nets
        imported = {n: owner.nets.get(o) for n, (owner, o) in file.imports.items()}
        if wanted is not None:
            net = nets.get(wanted) or imported.get(wanted)
            if net is None:
                raise _unknown_net(wanted, file)
            owner = file if wanted in nets else file.imports[wanted][0]
            return net, target_of(owner, net, self.session)
        if stem in nets:
            return nets[stem], target_of(file, nets[stem], self.session)
        targets = {name: target_of(file, net, self.session) for name, net in nets.items()}
        complete = [n for n, target in targets.items() if target is not None and not target.missing]
        if len(complete) == 1:
            return nets[complete[0]], targets[complete[0]]
        if self.diagnostics.failed:
            return None, None
        raise _choose(file, complete, list(nets))

    def _report_missing(self, net: tree.Block, target: Target) -> None:
        names = [parameter.name for parameter in target.missing]
        message = f"{net.name} leaves open: {', '.join(names)}"
        labels = (Label(net.name_span or net.span),)
        help = "give " + " ".join(f"-p {name}=..." for name in names)
        self.diagnostics.add(Diagnostic("open-parameters", message, labels, help=help))

    def _check_used(self, target: Target | None) -> None:
        session = self.session
        for name in session.bindings:
            if name not in session.used and not self.diagnostics.failed:
                self.diagnostics.add(_unknown_binding(name, target, session))
        for name in session.inputs:
            if name not in session.used_inputs and not self.diagnostics.failed:
                what = "" if name is None else f" {name}"
                message = f"--input{what} is given, but no input takes it"
                self.diagnostics.add(Diagnostic("unknown-parameter", message))


def _split(net: str) -> tuple[Path | None, str | None]:
    """A path and the name of a net in it; (None, None) for a name of the library."""
    if Path(net).suffix == ".arch" or Path(net).is_file():
        return Path(net), None
    path, colon, name = net.rpartition(":")
    if colon and name and Path(path).suffix == ".arch":
        return Path(path), name
    if "/" in net or "\\" in net:
        return Path(net), None
    return None, None


def _shown(path: Path) -> str:
    """How messages call a file of the library: relative to where we are, when it is below."""
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)


def _standard_input() -> Source:
    data = sys.stdin.buffer.read((1 << 20) + 1)
    from archc.lower.files import decode

    return decode(data, "<stdin>")


# --- messages ------------------------------------------------------------------------------------


def _as_problem(found: tuple[Diagnostic, ...], message: str) -> Problem:
    problem = Problem("argument-value", message, None)
    if found:
        problem.diagnostic = found[0]
    return problem


def _no_net(name: str) -> Problem:
    from archlang.suggest import closest

    near = closest(name, list(library.names()))
    message = f"there is no net {name} in the library, nor a file of that name"
    help = f"did you mean {near[0]}?" if near else "`archc list` shows the library"
    return Problem("unknown-net", message, None, help=help)


def _unknown_net(wanted: str, file: LoadedFile) -> Problem:
    from archlang.suggest import closest

    near = closest(wanted, list(file.nets))
    there = ", ".join(file.nets) or "none"
    help = f"did you mean {near[0]}?" if near else f"its nets are: {there}"
    return Problem("unknown-net", f"{file.name} has no net {wanted}", None, help=help)


def _choose(file: LoadedFile, complete: list[str], nets: list[str]) -> Problem:
    if not nets:
        message = f"{file.name} defines no net"
        return Problem("unknown-net", message, None, help="net Name = INPUT(3, 224, 224) -> ...")
    listed = complete or nets
    message = f"{file.name} has several nets" if complete else f"{file.name} has no complete net"
    help = "choose one: " + " ".join(f"{file.name}:{name}" for name in listed)
    return Problem("unknown-net", message, None, help=help)


def _unknown_binding(name: str, target: Target | None, session: Session) -> Diagnostic:
    from archlang.suggest import closest

    known = [*(target.open if target is not None else []), *session.dimensions]
    known.extend(session.options.values())
    near = closest(name, sorted(set(known)))
    takes = f"it takes {', '.join(sorted(set(known)))}" if known else "it takes none"
    help = f"did you mean -p {near[0]}?" if near else takes
    return Diagnostic("unknown-parameter", f"this net has no parameter {name}", help=help)


# --- checking ------------------------------------------------------------------------------------


def check_path(path: Path, request: Request | None = None, name: str | None = None) -> CheckResult:
    """Check a file: everything that can be known of it, with every claim."""
    run = _Run(request or Request(""))
    with _deep():
        try:
            file = run.loader.path(path, name or str(path))
        except Problem as problem:
            return CheckResult((problem.diagnostic,))
        return _check(run, file, path.stem)


def check_source(source: Source, request: Request | None = None) -> CheckResult:
    """Check a text."""
    run = _Run(request or Request(""))
    with _deep():
        return _check(run, run.loader.source(source), "net")


def check_net(request: Request) -> CheckResult:
    """Check one net by name: as `load_program`, with its claims."""
    path, name = (None, None) if request.text is not None else _split(request.net)
    if request.text is None and path is not None and name is None:
        return check_path(path, request)
    run = _Run(request)
    with _deep():
        try:
            program = run.load()
            if program is not None and not run.diagnostics.failed:
                run.verify_one(program)
        except Problem as problem:
            run.diagnostics.add(problem.diagnostic)
            program = None
    return CheckResult(_in_order(run.diagnostics), () if program is None else (program,))


def _check(run: _Run, file: LoadedFile, stem: str) -> CheckResult:
    programs: list[Program] = []
    try:
        run.prepare(file)
        if file.file.chain is not None:
            program = run._chain(file, None, stem) if not run.diagnostics.failed else None
            return CheckResult(_in_order(run.diagnostics), () if program is None else (program,))
        find_cycles(file, run.session)
        resolve_file(file, run.session)
        programs = _check_nets(run, file)
    except Problem as problem:
        run.diagnostics.add(problem.diagnostic)
    return CheckResult(_in_order(run.diagnostics), tuple(programs))


def _check_nets(run: _Run, file: LoadedFile) -> list[Program]:
    lowered: dict[str, Program | None] = {}
    used: set[str] = set()
    for name, net in file.nets.items():
        session = run.session.fresh()
        target = target_of(file, net, session)
        if target is None or target.missing:
            lowered[name] = None
            continue
        lowered[name] = lower_net(net, target, session)
        used |= session.used
    run.session.used |= used
    for name, net in file.nets.items():
        program = lowered[name]
        if program is not None:
            others = _others(lowered)
            verify(program, claims_of(file, net), file, run.session, others)
    return [program for program in lowered.values() if program is not None]


def _others(lowered: dict[str, Program | None]) -> Any:
    return lambda block: lowered.get(block.block.name) if isinstance(block, BlockValue) else None
