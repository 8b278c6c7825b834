"""What a convention is: a named way to count what a network computes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import ClassVar, Literal

from archc.conventions.application import Application
from archc.conventions.spelling import Written
from archc.dims import Dim
from archc.op import Op
from archc.shapes import Shape
from archc.tally import Part, Reason, Tally
from archlang.record import Record

__all__ = ["CONVENTIONS", "Convention", "Count", "Rule", "Share", "Tool", "by_calls"]

Count = Literal["macs", "flops"]

Counting = Callable[[Application], Dim]

# Their code is written in many ways, and the answers differ: a loop of layers, or a fused kernel.
_WRITTEN_IN_MANY_WAYS = frozenset({"attention", "recurrent", "user"})


class Share(Record):
    """A part of what an application counts, and how it is counted: a phrase."""

    count: Counting
    why: str


class Rule(Record):
    """What a tool counts for modules and functions of PyTorch.

    Args:
        calls: their names, such as `nn.Linear` or `F.relu`.
        shares: what is counted. The first is held against the exact figure, so an exact one makes
            no difference; the others are on top.
    """

    calls: tuple[str, ...]
    shares: tuple[Share, ...]


class Convention:
    """Base of conventions. A subclass with a name is known by it, in `CONVENTIONS`.

    Class variables of a convention:
        name: as `--as` takes it.
        version: of the tool whose figures it gives; "" for a text.
        prints: the figures that it has and what they are called there, the usual one first.
        reads_code: whether the same network gives another figure when its code is written in
            another way.
    """

    name: ClassVar[str] = ""
    version: ClassVar[str] = ""
    prints: ClassVar[Mapping[Count, str]] = {"macs": ""}
    reads_code: ClassVar[bool] = True

    def __init_subclass__(cls, **options: object) -> None:
        super().__init_subclass__(**options)
        if not cls.name:
            return
        if cls.name in CONVENTIONS:
            raise TypeError(f"the convention {cls.name} is defined twice")
        CONVENTIONS[cls.name] = cls()

    @property
    def figures(self) -> tuple[Count, ...]:
        """The figures that it has, the usual one first."""
        return tuple(self.prints)

    def shares(self, application: Application, count: Count) -> tuple[Share, ...]:
        """What is counted for one application; the first share is held against the exact figure."""
        raise NotImplementedError(self.name)

    def counter(
        self, count: Count, written: Written = "functions"
    ) -> Callable[[Op, tuple[Shape, ...], tuple[Shape, ...]], Tally]:
        """What counts one application of an operator, for one input, in code written so."""

        def tally(op: Op, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...]) -> Tally:
            return self._tally(Application(op, inputs, outputs, written), count)

        return tally

    def _tally(self, application: Application, count: Count) -> Tally:
        op = application.op
        exact = application.macs if count == "macs" else application.flops
        if self.reads_code and op.family in _WRITTEN_IN_MANY_WAYS:
            why = "depends on how the code is written; counted exactly here"
            return Tally({Reason(op.name, why, undecided=True): Part(exact, 0)})
        parts = Tally()
        for number, share in enumerate(self.shares(application, count) or (_NOTHING,)):
            counted = share.count(application)
            part = Part(counted, counted - exact if number == 0 else counted)
            if part != Part():
                parts = parts + Tally({Reason(op.name, share.why): part})
        return parts


class Tool(Convention):
    """Base of the conventions of tools, which count what code calls.

    `rules` has, for each figure, the rules by the names of what is called; what no rule knows is
    not counted.
    """

    rules: ClassVar[Mapping[Count, Mapping[str, Rule]]] = {}

    def shares(self, application: Application, count: Count) -> tuple[Share, ...]:
        known = self.rules[count]
        return next((known[name].shares for name in application.calls if name in known), ())


_NOTHING = Share(lambda application: 0, "not counted")

CONVENTIONS: dict[str, Convention] = {}


def by_calls(*rules: Rule) -> Mapping[str, Rule]:
    """Rules by the names of what is called."""
    return {name: rule for rule in rules for name in rule.calls}
