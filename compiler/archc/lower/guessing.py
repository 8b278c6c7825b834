"""The shapes of a cell's states: guessed, tried, and taken from what the equations make of them.

`h[t-1]` is needed before it is known what `h[t]` is. So the sizes that are not known are symbols at
first; the step is lowered with them, in a region that is thrown away. Where two sizes have to be
equal and one is such a symbol, it is the other. What the equations make of the guess is the next
guess, until both agree: only a step that was lowered with the final shapes is kept.
"""

from __future__ import annotations

from typing import Any

from archc.dims import Dim, Poly, substitute, symbol, symbols, unknown_answers
from archc.graph import Port, Region, State
from archc.lower.body import run_statements
from archc.lower.builder import Builder
from archc.lower.context import Context, Problem
from archc.lower.plans import Plan
from archc.lower.regions import rebuild, region_of_step, template_of
from archc.lower.steps import Start, Step, identity
from archc.lower.things import POISON, Scope, Stream, is_stream, name_of
from archc.ratio import Ratio
from archc.shapes import Axis, Shape, vector
from archlang import tree
from archlang.diagnostics import Diagnostic, Diagnostics, Label
from archlang.record import Record

__all__ = ["Attempt", "Cell", "solve"]

Shapes = dict[str, Shape]


class Cell(Record):
    """A cell at work: its equations, what flows in by name, what its states begin with."""

    block: tree.Block
    plan: Plan
    inputs: dict[str, Stream]
    starts: dict[str, Start]

    @property
    def open(self) -> tuple[str, ...]:
        """The states of which nothing says the shape."""
        names = [n for n in self.plan.remembered if n not in self.inputs]
        return tuple([n for n in names if n not in self.starts])


class Attempt(Record):
    """A step that was lowered.

    Args:
        step: how.
        made: the shape that the equations give each state.
        region: of the step.
        states: what is kept from step to step.
        template: how the outputs are arranged.
    """

    step: Step
    made: Shapes
    region: Region
    states: tuple[State, ...]
    template: Any

    def arrange(self, streams: list[Stream]) -> Any:
        """What leaves the cell, with these streams."""
        return rebuild(self.template, streams)


class _Tried(Record):
    """What came of a guess.

    Args:
        shapes: the guess.
        made: what the equations make of it; None where something is wrong.
        diagnostics: what is wrong.
        pairs: sizes of which it is unknown whether they are equal.
    """

    shapes: Shapes
    made: Shapes | None
    diagnostics: tuple[Diagnostic, ...]
    pairs: tuple[tuple[Any, Any], ...]


def solve(cell: Cell, ctx: Context) -> Attempt | None:
    """The step of a cell at shapes that agree; reports what is wrong and returns None otherwise."""
    ctx.session.guessing += 1
    try:
        search = _Search(cell, ctx)
        return search.run()
    finally:
        ctx.session.guessing -= 1


class _Search:
    """Looks for shapes of the states on which all equations agree."""

    def __init__(self, cell: Cell, ctx: Context) -> None:
        self.cell = cell
        self.ctx = ctx
        self.left = 12 + 4 * len(cell.plan.remembered)
        self.mark = "'" * (ctx.session.guessing - 1)
        self.fresh: set[str] = set()
        self.failures: list[_Tried] = []
        self.growing: tuple[str, Shape, Shape] | None = None

    def run(self) -> Attempt | None:
        known = {name: start.stream.shape for name, start in self.cell.starts.items()}
        if not self.cell.open:
            return self._settled(known)
        for template in self._templates():
            guess = {name: self._named(template, name) for name in self.cell.open}
            found = self._try({**known, **guess})
            if found is not None:
                return self._settled(found)
        self._report()
        return None

    def _settled(self, shapes: Shapes) -> Attempt | None:
        # With shapes that are known whatever is wrong is the file's fault, and said as it is.
        made = _lower(self.cell, shapes, self.ctx)
        if made is None:
            return None
        for name, shape in shapes.items():
            if name in made.made and made.made[name].sizes != shape.sizes:
                self.ctx.report(self._disagreement(name, shape, made.made[name]).diagnostic)
                return None
        return made

    # --- guesses ----------------------------------------------------------------------------------

    def _templates(self) -> list[Shape]:
        """Shapes to begin with: that of the step's input with other features, a plain vector, that
        of the input with other sizes of space."""
        first = next(iter(self.cell.inputs.values())).shape
        step = _one_step(first).replace(vocabulary=None)
        found = [vector(0)]
        if step.rank > 1 and step.features is not None:
            kept = step.with_sizes({step.features: 0})
            found = [kept, *found, step.with_sizes(dict.fromkeys(range(step.rank), 0))]
        return found

    def _named(self, template: Shape, name: str) -> Shape:
        axes = [self._open_axis(axis, name) if axis.size == 0 else axis for axis in template.axes]
        return template.replace(axes=tuple(axes))

    def _open_axis(self, axis: Axis, name: str) -> Axis:
        called = f"{name}.{axis.name}{self.mark}"
        self.fresh.add(called)
        return axis.replace(size=symbol(called))

    # --- rounds -----------------------------------------------------------------------------------

    def _try(self, shapes: Shapes) -> Shapes | None:
        """Shapes on which the equations agree, from a guess on."""
        while self.left > 0:
            self.left -= 1
            tried = _attempt(self.cell, shapes, self.ctx)
            if tried.made is None:
                self.failures.append(tried)
                return self._bind(tried)
            following = self._following(shapes, tried.made)
            if following == shapes:
                # A size of one spreads over a size that is open, and leaves it so.
                return self._bind(tried) if self._is_open(shapes) else shapes
            self.growing = self._growth(shapes, following)
            if self.growing is not None:
                return None
            shapes = following
        return None

    def _growth(self, before: Shapes, after: Shapes) -> tuple[str, Shape, Shape] | None:
        """A state that is larger after a step than before it, whatever it begins with."""
        for name, shape in after.items():
            sizes = zip(before[name].sizes, shape.sizes, strict=False)
            for old, new in sizes:
                if old != new and symbols(old) & symbols(new) and self._mentions(old):
                    return name, before[name], shape
        if self.left > 0:
            return None
        return next((n, before[n], s) for n, s in after.items() if s != before[n])

    def _following(self, shapes: Shapes, made: Shapes) -> Shapes:
        # A state that only an option reads which is left out is none.
        given = self.cell.starts
        return {n: given[n].stream.shape if n in given else made[n] for n in shapes if n in made}

    def _bind(self, tried: _Tried) -> Shapes | None:
        for name, size in self._bindings(tried.pairs):
            if self.left <= 0:
                return None
            bound = {n: _bound(shape, name, size) for n, shape in tried.shapes.items()}
            found = self._try(bound)
            if found is not None:
                return found
        return None

    def _bindings(self, pairs: tuple[tuple[Any, Any], ...]) -> list[tuple[str, Dim]]:
        found: dict[tuple[str, Dim], None] = {}
        for pair in pairs:
            for one, other in (pair, pair[::-1]):
                name = self._lone(one)
                if name is None or isinstance(other, (Ratio, float)):
                    continue
                if all(s.name != name for s in symbols(other)):
                    found.setdefault((name, other))
        # A size of one spreads over all others and is asked for often.
        return sorted(found, key=lambda binding: binding[1] == 1)

    def _lone(self, size: Any) -> str | None:
        if not isinstance(size, Poly):
            return None
        names = [s.name for s in symbols(size)]
        if len(names) != 1 or names[0] not in self.fresh:
            return None
        return names[0] if size == symbol(names[0]) else None

    def _is_open(self, shapes: Shapes) -> bool:
        return any(self._mentions(size) for s in shapes.values() for size in s.sizes)

    def _mentions(self, size: Dim) -> bool:
        return any(s.name in self.fresh for s in symbols(size))

    # --- what is said -----------------------------------------------------------------------------

    def _report(self) -> None:
        for failure in self.failures:
            clean = [d for d in failure.diagnostics if not self._tells(d)]
            if clean and (len(clean) == len(failure.diagnostics) or len(self.failures) == 1):
                for diagnostic in clean:
                    self.ctx.session.diagnostics.add(diagnostic)
                return
        if not self.failures and self.growing is not None:
            self.ctx.report(self._disagreement(*self.growing).diagnostic)
            return
        name = self.cell.open[0]
        span = self.cell.plan.timed[name]
        message = f"nothing says what shape {name}[t] has"
        help = f"say what it begins with: `{name}[0] = ...`, or claim it: `{name}[t] = ... :: (64)`"
        self.ctx.report(Problem("state-open", message, span, help=help).diagnostic)

    def _tells(self, diagnostic: Diagnostic) -> bool:
        texts = [diagnostic.message, *[label.text for label in diagnostic.labels]]
        return any(name in text for name in self.fresh for text in texts)

    def _disagreement(self, name: str, before: Shape, after: Shape) -> Problem:
        plan = self.cell.plan
        span = plan.timed[name] if name in plan.timed else self.cell.inputs[name].span
        message = f"{name}[t] is {after}, but {name}[t-1] is {before}"
        start = self.cell.starts.get(name)
        more = (Label(plan.remembered[name], str(before)),)
        if start is not None:
            message = f"{name}[t] is {after}, but {name}[0] is {before}"
            more = (Label(start.span, str(before)),)
        help = "a state keeps its shape from step to step"
        return Problem("state-shape", message, span, label=str(after), more=more, help=help)


def _bound(shape: Shape, name: str, size: Dim) -> Shape:
    axes = [axis.replace(size=substitute(axis.size, {name: size})) for axis in shape.axes]
    return shape.replace(axes=tuple(axes))


def _one_step(sequence: Shape) -> Shape:
    return sequence.replace(axes=sequence.axes[1:])


# --- lowering one step ---------------------------------------------------------------------------


def _attempt(cell: Cell, shapes: Shapes, ctx: Context) -> _Tried:
    """What the equations make of a guess; the session forgets that they were asked."""
    session = ctx.session
    kept = (session.diagnostics, session.memo, session.weights, list(session.notes))
    owners = _owners(ctx.builder)
    session.diagnostics = Diagnostics()
    session.memo, session.weights = dict(session.memo), dict(session.weights)
    with unknown_answers() as pairs:
        try:
            made = _lower(cell, shapes, ctx)
        finally:
            found = session.diagnostics
            session.diagnostics, session.memo, session.weights, session.notes = kept
            for builder, count in owners:
                del builder.shares[count:]
    return _Tried(shapes, None if made is None else made.made, found.all, tuple(pairs))


def _owners(builder: Builder | None) -> list[tuple[Builder, int]]:
    found: list[tuple[Builder, int]] = []
    while builder is not None:
        found.append((builder, len(builder.shares)))
        builder = builder.parent
    return found


def _lower(cell: Cell, shapes: Shapes, ctx: Context) -> Attempt | None:
    """One step at these shapes; None after an error, which is reported."""
    ports = [Port(name, _one_step(stream.shape)) for name, stream in cell.inputs.items()]
    builder = Builder(ctx.builder, ports)
    if ctx.builder is not None:
        builder.copy_names(ctx.builder)
    streams = builder.inputs([stream.span for stream in cell.inputs.values()])
    inputs = dict(zip(cell.inputs, streams, strict=True))
    step = Step(builder, inputs, cell.starts, shapes, cell.plan.timed)
    scope = Scope(ctx.scope, step.names())
    inside = Context(ctx.session, builder, scope, ctx.file, None, None, ctx.frame)
    result = run_statements(cell.plan.step, cell.block.body.span, inside)
    if result is POISON or any(made is POISON for made in step.current.values()):
        return None
    return _finished(cell, step, result, inside)


def _finished(cell: Cell, step: Step, result: Any, ctx: Context) -> Attempt | None:
    if not is_stream(result):
        message = f"{cell.block.name} ends in {name_of(result)}: a stream must leave it"
        ctx.report(Problem("value-as-stream", message, cell.block.span).diagnostic)
        return None
    found = step.finish(ctx)
    outputs: list[Stream] = []
    template = template_of(result, outputs)
    outputs = [_own(output, step, ctx) for output in outputs]
    step.settle()
    region = region_of_step(cell.block.body, cell.block.span, step.builder, outputs)
    states = step.states(found, len(cell.inputs))
    return Attempt(step, {n: s.shape for n, s in found.items()}, region, states, template)


def _own(output: Stream, step: Step, ctx: Context) -> Stream:
    """An output that an earlier step made is handed on by this one."""
    return identity(output, "out", ctx) if step.builder.wire(output).delay else output
