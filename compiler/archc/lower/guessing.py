"""The shapes of a cell's states: guessed, tried, and taken from what the equations make of them.

`h[t-1]` is needed before it is known what `h[t]` is. So the sizes that are not known are symbols at
first; the step is lowered with them, in a region that is thrown away. Where two sizes have to be
equal and one is such a symbol, it is the other. What the equations make of the guess is the next
guess, until both agree: only a step that was lowered with the final shapes is kept.
"""

from __future__ import annotations

from typing import Any

from archc.dims import Dim, Poly, substitute, symbol, symbols
from archc.lower.attempts import Attempt, Cell, Shapes, Tried, attempt, lower_step, one_step
from archc.lower.context import Context, Problem
from archc.ratio import Ratio
from archc.shapes import Axis, Shape, vector
from archlang.diagnostics import Diagnostic, Label

__all__ = ["solve"]


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
        self.failures: list[Tried] = []
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
        made = lower_step(self.cell, shapes, self.ctx)
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
        step = one_step(first).replace(vocabulary=None)
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
            tried = attempt(self.cell, shapes, self.ctx)
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

    def _bind(self, tried: Tried) -> Shapes | None:
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
