"""One step of a cell while it is lowered: what `h[t]`, `h[t-1]` and `x[t]` mean there."""

from __future__ import annotations

from typing import Any

from archc.graph import INPUTS, State, Wire
from archc.lower.builder import Builder
from archc.lower.context import Context, Problem
from archc.lower.operators import operation
from archc.lower.things import POISON, Stream, name_of
from archc.shapes import Shape
from archlang import tree
from archlang.diagnostics import Label
from archlang.record import Record
from archlang.source import Span

__all__ = ["Start", "Step", "Timed", "offset_of", "runs_in_time"]


# Each step back is a stream of its own in generated code.
MOST_STEPS_BACK = 1_000


class Start(Record):
    """What `h[0] = ...` says: the stream outside the step."""

    stream: Any
    span: Span


class Timed:
    """A name that has a value at each step: a state, an output or a timed input of a cell."""

    __slots__ = ("name", "span", "step")

    def __init__(self, name: str, span: Span, step: Step) -> None:
        self.name = name
        self.span = span
        self.step = step

    def at(self, expr: tree.Index, ctx: Context) -> Any:
        """The stream that `h[t]` or `h[t-1]` stands for.

        Raises:
            Problem: for a step to come, or an index that is no step.
        """
        back = offset_of(expr, self.name, ctx)
        if back == 0:
            return self.step.now(self.name, expr.span)
        return self.step.before(self.name, back, expr.span)

    def define(self, made: Any, span: Span) -> None:
        """Say what it is at this step."""
        self.step.define(self.name, made, span)

    def bare(self, span: Span) -> Problem:
        """What is said of the name without `[t]`."""
        message = f"{self.name} runs in time here: which step is meant?"
        return Problem("time-index", message, span, help=f"write `{self.name}[t]`")


def runs_in_time(index: Any) -> bool:
    """Whether an index is a step: whether `t` stands in it."""
    match index:
        case tree.Name():
            return index.name == "t"
        case tree.Binary():
            return runs_in_time(index.left) or runs_in_time(index.right)
        case tree.Paren():
            return runs_in_time(index.value)
        case tree.Slice():
            return any(runs_in_time(part) for part in (index.start, index.stop, index.step))
    return False


def offset_of(expr: tree.Index, name: str, ctx: Context) -> int:
    """How many steps back an index is: 0 for `[t]`, 1 for `[t-1]`.

    Raises:
        Problem: future-step, or time-index for everything else.
    """
    index: Any = expr.index
    while isinstance(index, tree.Paren):
        index = index.value
    if isinstance(index, tree.Name) and index.name == "t":
        return 0
    back = _back(index, ctx)
    if back is None:
        message = f"{expr.span.text} is no step: a step is `t`, or `t` less a number"
        raise Problem("time-index", message, expr.span, help=f"write `{name}[t-1]`")
    if back > MOST_STEPS_BACK:
        message = f"a cell looks at most {MOST_STEPS_BACK:,} steps back, not {back:,}"
        raise Problem("time-index", message, expr.span, help="let an ATTENTION look further")
    if back < 0:
        message = f"{expr.span.text} is not known yet: a cell sees this step and earlier ones"
        raise Problem("future-step", message, expr.span, help=f"write `{name}[t-1]`")
    return back


def _back(index: Any, ctx: Context) -> int | None:
    if not isinstance(index, tree.Binary) or index.operator not in "+-":
        return None
    if not isinstance(index.left, tree.Name) or index.left.name != "t":
        return None
    if runs_in_time(index.right):
        return None
    distance = ctx.value(index.right, "a number of steps")
    if isinstance(distance, bool) or not isinstance(distance, int):
        return None
    return distance if index.operator == "-" else -distance


class Step:
    """One attempt to lower the step of a cell.

    Args:
        builder: of the region of the step.
        inputs: the timed inputs by name: one step of each.
        starts: what `h[0] = ...` gives, by name.
        shapes: of the states, as far as they are known or guessed.
        spans: where the file defines each name that has an equation.
    """

    def __init__(
        self,
        builder: Builder,
        inputs: dict[str, Stream],
        starts: dict[str, Start],
        shapes: dict[str, Shape],
        spans: dict[str, Span],
    ) -> None:
        self.builder = builder
        self.inputs = inputs
        self.starts = starts
        self.shapes = shapes
        self.spans = spans
        self.current: dict[str, Any] = dict(inputs)
        self.reach: dict[str, int] = {}
        self._promises: list[tuple[str, int]] = []
        self._found: dict[str, Stream] = {}

    def names(self) -> dict[str, Timed]:
        """The names that run in time."""
        where = {name: stream.span for name, stream in self.inputs.items()} | self.spans
        return {name: Timed(name, span, self) for name, span in where.items()}

    def now(self, name: str, span: Span) -> Any:
        """The stream of this step.

        Raises:
            Problem: when its equation needs itself.
        """
        if name in self.current:
            made = self.current[name]
            if isinstance(made, Stream):
                return Stream(made.builder, made.wire, made.shape, span)
            return made
        message = f"{name}[t] needs itself: no step lies between"
        raise Problem("cycle-without-delay", message, span, help=f"write `{name}[t-1]`")

    def before(self, name: str, back: int, span: Span) -> Any:
        """The stream of so many steps ago."""
        self.reach[name] = max(back, self.reach.get(name, 0))
        if name in self.inputs:
            stream = self.inputs[name]
            wire = stream.wire.replace(delay=back)
            return Stream(self.builder, wire, stream.shape, span)
        if name not in self.shapes:
            return POISON
        number = self._promise(name, back)
        return Stream(self.builder, Wire(number, 0, back), self.shapes[name], span)

    def _promise(self, name: str, back: int) -> int:
        if (name, back) not in self._promises:
            self._promises.append((name, back))
            self.builder.promise(self.shapes[name])
        return INPUTS - 1 - self._promises.index((name, back))

    def define(self, name: str, made: Any, span: Span) -> None:
        """Give a name its stream of this step.

        Raises:
            Problem: for an input, for what is no stream, for a second equation.
        """
        if name in self.inputs:
            message = f"{name} is an input of the cell: its steps are given"
            help = "give the state another name"
            raise Problem("doubled-name", message, span, help=help)
        if name in self.current:
            more = (Label(self.spans[name], "defined here first"),)
            raise Problem("doubled-name", f"{name}[t] is defined twice", span, more=more)
        if made is not POISON and not isinstance(made, Stream):
            message = f"{name}[t] is a stream, found {name_of(made)}"
            raise Problem("value-as-stream", message, span)
        self.current[name] = made

    # --- when all is lowered ----------------------------------------------------------------------

    def finish(self, ctx: Context) -> dict[str, Stream]:
        """The streams that are remembered, each one of its own that this step makes."""
        order = [*self.spans, *self.inputs]
        names = [name for name in order if name in self.reach]
        self._found = {name: self._plain(name, ctx) for name in names}
        return self._found

    def settle(self) -> None:
        """Let the promised wires come from where the equations put the states."""
        wires = [self._found[name].wire.replace(delay=back) for name, back in self._promises]
        self.builder.keep(wires)

    def _plain(self, name: str, ctx: Context) -> Stream:
        # Each state is a stream of its own, made in this step.
        made: Stream = self.current[name]
        if name in self.inputs:
            return made
        wire = self.builder.wire(made)
        used = [self.current[n] for n in self.reach if n != name and n in self.current]
        doubled = any(self.builder.wire(other) == wire for other in used)
        if wire.node >= 0 and not wire.delay and not doubled:
            return Stream(self.builder, wire, made.shape, made.span)
        return identity(made, name, ctx)

    def states(self, found: dict[str, Stream], first: int) -> tuple[State, ...]:
        """The states, with the numbers of the inputs that start them, the first being `first`."""
        numbers = {name: first + i for i, name in enumerate(self.starts)}
        return tuple(
            [
                State(name, one.wire, one.shape, self.reach[name], numbers.get(name))
                for name, one in found.items()
            ]
        )


def identity(made: Stream, name: str, ctx: Context) -> Stream:
    """A stream of this step's own that hands another on."""
    from archc.lower.joins import operator_named

    copy: Stream = operation(operator_named("ID")(), [made], made.span, f"{name}_state", ctx)
    return copy
