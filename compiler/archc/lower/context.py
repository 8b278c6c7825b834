"""Where lowering is: the session of one run, the frame of block instances, the place in a body."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from archc.dims import less, same
from archc.graph import Region
from archc.lower.builder import Builder
from archc.lower.problem import Problem
from archc.lower.spent import MOST_STEPS, Spent, too_much_work
from archc.lower.things import Scope
from archlang import tree
from archlang.diagnostics import Diagnostic, Diagnostics, Note
from archlang.record import Record
from archlang.source import Span
from archlang.values import Algebra

__all__ = [
    "ALGEBRA", "MOST_STEPS", "POISONED", "Context", "Frame", "Problem", "Session", "Spent",
    "too_much_work",
]  # fmt: skip


class _Sizes:
    def same(self, left: Any, right: Any) -> bool | None:
        return same(left, right)

    def less(self, left: Any, right: Any) -> bool | None:
        return less(left, right)


ALGEBRA: Algebra = _Sizes()


# The code of a Problem that follows from one that was reported already.
POISONED = "poisoned"


class Frame(Record):
    """One instance of a block on the way to here."""

    text: str
    span: Span
    outer: Frame | None
    depth: int = 1

    def notes(self) -> tuple[Note, ...]:
        """The stack, innermost first."""
        notes: list[Note] = []
        frame: Frame | None = self
        while frame is not None and len(notes) < 12:
            notes.append(Note(f"in {frame.text}", frame.span))
            frame = frame.outer
        return tuple(notes)


class Session:
    """What one lowering shares: diagnostics, memoised regions, what is given outside, bounds."""

    def __init__(
        self,
        diagnostics: Diagnostics,
        bindings: dict[str, Any] | None = None,
        inputs: dict[str | None, tuple[int, ...]] | None = None,
        sketch: bool = False,
    ) -> None:
        self.diagnostics = diagnostics
        self.bindings = bindings or {}
        self.used: set[str] = set()
        self.inputs = inputs or {}
        self.used_inputs: set[str | None] = set()
        self.sketch = sketch
        self.open: dict[str, str] = {}
        self.notes: list[str] = []
        self.memo: dict[Any, Any] = {}
        self.known: dict[Any, Region] = {}
        self.places: dict[int, str] = {}
        self.bodies: dict[int, Any] = {}
        self.options: dict[int, str] = {}
        self.root: Builder | None = None
        self.lengths: dict[str, Any] = {}
        self.weights: dict[tuple[int, str], dict[str, tuple[Any, ...]]] = {}
        self.cyclic: dict[int, str] = {}
        self.dimensions: set[str] = set()
        self.figure: Callable[[Any, Any], Any] | None = None
        self.features: set[str] = set()
        self.moving: set[str] = set()
        self.spent = Spent()
        self.guessing = 0

    def fresh(self) -> Session:
        """A session for another net of the same files, which remembers the regions made so far."""
        other = Session(self.diagnostics, self.bindings, self.inputs, self.sketch)
        for shared in (
            "memo", "known", "places", "bodies", "options", "cyclic", "dimensions", "spent",
        ):  # fmt: skip
            setattr(other, shared, getattr(self, shared))
        return other


class Context:
    """A place in a body: which region is being built, which names are visible, what flows in.

    Args:
        incoming: the stream that an operator at the head of an operand takes.
        identity: what `ID` means: the stream that enters the nearest braces, group or block.
    """

    __slots__ = ("builder", "file", "frame", "identity", "incoming", "scope", "session")

    def __init__(
        self,
        session: Session,
        builder: Builder | None,
        scope: Scope,
        file: Any,
        incoming: Any = None,
        identity: Any = None,
        frame: Frame | None = None,
    ) -> None:
        self.session = session
        self.builder = builder
        self.scope = scope
        self.file = file
        self.incoming = incoming
        self.identity = identity
        self.frame = frame

    def into(self, incoming: Any) -> Context:
        """Inside braces or a group that the stream enters."""
        return Context(
            self.session, self.builder, self.scope, self.file, incoming, incoming, self.frame
        )

    def with_scope(self, scope: Scope) -> Context:
        """The same place with other names."""
        return Context(
            self.session, self.builder, scope, self.file, self.incoming, self.identity, self.frame
        )

    # The parts of an expression are read by whoever reads expressions of their kind. The modules
    # that do so know each other only through here.

    def evaluate(self, expr: tree.Expr) -> Any:
        """What an expression means; see `evaluate.evaluate`."""
        from archc.lower.evaluate import evaluate

        return evaluate(expr, self)

    def value(self, expr: tree.Expr, what: str) -> Any:
        """A value, where nothing else will do; see `evaluate.evaluate_value`."""
        from archc.lower.evaluate import evaluate_value

        return evaluate_value(expr, self, what)

    def flowing(self, expr: tree.Expr) -> Any:
        """What flows out of an expression, or a block when something must flow in first."""
        from archc.lower.evaluate import flowing

        return flowing(expr, self)

    def stream(self, expr: tree.Expr) -> Any:
        """What flows out of an expression; see `streams.stream`."""
        from archc.lower.streams import stream

        return stream(expr, self)

    def is_list(self, group: tree.Group) -> bool:
        """Whether brackets hold values; see `comprehensions.is_list`."""
        from archc.lower.comprehensions import is_list

        return is_list(group, self)

    def report(self, diagnostic: Diagnostic) -> None:
        """Collect a diagnostic, with the stack of block instances."""
        if diagnostic.code == POISONED:
            return
        if diagnostic.code == "too-much-work":
            # Said once: whatever else is asked for from here on follows from it.
            if self.session.spent.told:
                return
            self.session.spent.told = True
        if self.frame is not None:
            diagnostic = diagnostic.replace(notes=diagnostic.notes + self.frame.notes())
        self.session.diagnostics.add(diagnostic)
