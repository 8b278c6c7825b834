"""One request on its way: which file, which net, with what it is given."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from archc import library
from archc.check import claims_of, verify
from archc.graph import Program
from archc.lower.context import Context, Problem, Session
from archc.lower.dimensions import declare_dimensions
from archc.lower.evaluate import evaluate
from archc.lower.files import LoadedFile, Loader, decode, read_standard_input
from archc.lower.nets import Target, lower_chain, lower_net, target_of
from archc.lower.resolve import find_cycles, resolve_file
from archc.lower.spent import Spent
from archc.lower.things import BlockValue
from archc.misnamed import as_problem, choose, no_net, unknown_binding, unknown_net
from archc.requests import Request, Written
from archlang import tree
from archlang.diagnostics import Diagnostic, Diagnostics, Label
from archlang.source import Source

__all__ = ["Run", "split_name"]


class Run:
    """One request on its way."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.diagnostics = Diagnostics()
        self.loader = Loader(self.diagnostics, library.root())
        self.session = Session(self.diagnostics)
        self.found: tuple[LoadedFile, tree.Block, BlockValue] | None = None
        self.required: set[str] = set()

    def load(self) -> Program | None:
        file, wanted, stem = self._file()
        if self.diagnostics.failed:
            return None
        self.prepare(file)
        if file.file.chain is not None:
            return self.chain(file, wanted, stem)
        find_cycles(file, self.session)
        net, target = self._net(file, wanted, stem)
        if net is None or target is None:
            return None
        if target.missing:
            self._report_missing(net, target)
            return None
        owners = [loaded for loaded in self.loader.all(file) if net in loaded.nets.values()]
        self.found = (owners[0], net, target.block)
        self.required = target.required
        program = lower_net(net, target, self.session)
        if program is None and not self.diagnostics.failed:
            resolve_file(file, self.session)
        self._check_used(target)
        return program

    @property
    def changed(self) -> bool:
        """Whether what is given replaces a default or an input of the file, rather than filling
        what it leaves open."""
        filled = self.session.dimensions | self.required
        return bool(self.request.inputs) or not filled.issuperset(self.session.bindings)

    def verify_one(self, program: Program, *, bounds_only: bool = False) -> tuple[str, ...]:
        """Verify what is claimed of the net that `load` found: all of it, or each `require`.

        Returns:
            What `verify` does.
        """
        return self._verify(program, self.session, bounds_only)

    def again(self, name: str, value: Any) -> Program | None:
        """The net that `load` found with another value of one of its parameters; parts that stay
        the same are the same regions.

        Returns:
            None where that is no net, or a `require` does not hold.

        Raises:
            LookupError: where the name means more than a parameter of the net.
        """
        session = self.session.fresh()
        if self.found is None or name in session.dimensions or name in session.options.values():
            raise LookupError(name)
        session.diagnostics, session.spent = Diagnostics(), Spent()
        session.bindings = {**self.session.bindings, name: value}
        file, net, _ = self.found
        target = target_of(file, net, session)
        if target is None or target.missing:
            return None
        program = lower_net(net, target, session)
        if program is not None:
            self._verify(program, session, bounds_only=True)
        return None if session.diagnostics.failed else program

    def _verify(self, program: Program, session: Session, bounds_only: bool) -> tuple[str, ...]:
        if self.found is None:
            return ()
        claims = claims_of(*self.found)
        if bounds_only:
            claims = [pair for pair in claims if isinstance(pair[1], tree.Require)]
        lowered = partial(self._lowered, session)
        return verify(program, claims, session, lowered) if claims else ()

    def _lowered(self, session: Session, block: Any) -> Program | None:
        assert self.found is not None
        file, session = self.found[0], session.fresh()
        net = file.nets.get(block.block.name) if isinstance(block, BlockValue) else None
        target = None if net is None else target_of(file, net, session)
        if net is None or target is None or target.missing:
            return None
        return lower_net(net, target, session)

    def prepare(self, file: LoadedFile) -> None:
        """Let the file's constants be evaluated, declare its dimensions, read the bindings."""
        session = self.session
        for loaded in self.loader.all(file):
            loaded.scope.evaluate = lambda f, c: evaluate(
                c.value, Context(session, None, f.scope, f)
            )
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
            raise as_problem(found, f"-p {name} has no value")
        return evaluate(expr, Context(self.session, None, file.scope, file))

    # --- which file, which net ---

    def _file(self) -> tuple[LoadedFile, str | None, str]:
        text = self.request.text
        if text is not None:
            source = Source.of("<source>", text)
            return self.loader.source(source), self.request.net or None, "net"
        if self.request.net == "-":
            return self.loader.source(decode(read_standard_input(), "<stdin>")), None, "net"
        path, name = split_name(self.request.net)
        if path is None:
            found = library.find(self.request.net)
            if found is None:
                raise no_net(self.request.net)
            return self.loader.path(found, _shown(found)), self.request.net, found.stem
        return self.loader.path(path, str(path)), name, path.stem

    def chain(self, file: LoadedFile, wanted: str | None, stem: str) -> Program | None:
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
                raise unknown_net(wanted, file)
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
        raise choose(file, complete, list(nets))

    def _report_missing(self, net: tree.Block, target: Target) -> None:
        names = [parameter.name for parameter in target.missing]
        message = f"{net.name} leaves open: {', '.join(names)}"
        labels = (Label(net.name_span or net.span),)
        help = "give " + " ".join(f"-p {name}=..." for name in names)
        self.diagnostics.add(Diagnostic("open-parameters", message, labels, help=help))

    def _check_used(self, target: Target | None) -> None:
        if not self.diagnostics.failed:
            self.diagnostics.extend(self.unused(target.open if target is not None else []))

    def unused(self, parameters: list[str]) -> tuple[Diagnostic, ...]:
        """What is given outside and nothing took; `parameters` could have been given."""
        session = self.session
        names = [name for name in session.bindings if name not in session.used]
        found = [unknown_binding(name, parameters, session) for name in names]
        for given in session.inputs:
            if given not in session.used_inputs:
                what = "" if given is None else f" {given}"
                message = f"--input{what} is given, but no input takes it"
                found.append(Diagnostic("unknown-parameter", message))
        return tuple(found)


def split_name(net: str) -> tuple[Path | None, str | None]:
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
