"""What a class is made of before it is written: members for `__init__`, steps for `forward`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from archc.emit.vectors import ANY
from archlang.record import Record

if TYPE_CHECKING:
    from archc.emit.copies import CopiesScope
    from archc.emit.slots import Slot
    from archc.emit.units import Unit

__all__ = [
    "Apply", "Branch", "Construct", "Copies", "Guard", "Loop", "Member", "Memory", "Scanned",
    "Segment", "Step",
    "Stream", ]  # fmt: skip


class Stream:
    """A tensor in forward.

    Args:
        shapes: its shape in each instance, `ANY` where it does not exist.
        label: the name that the file gives it.
        item: the number of the copy, for a stream of one copy of a repeat; `parent` is then the
            list of all copies.
        of_module: whether the label is the name of the module that it leaves, which need not be a
            local's name as well.
    """

    __slots__ = ("item", "label", "of_module", "parent", "shapes")

    def __init__(
        self,
        shapes: tuple[Any, ...],
        label: str | None = None,
        parent: Stream | None = None,
        item: int | None = None,
        of_module: bool = False,
    ) -> None:
        self.shapes, self.label, self.parent, self.item = shapes, label, parent, item
        self.of_module = of_module


class Construct(Record):
    """A constructor's call. `callee` is its text or the class; `arguments` have a keyword or None.

    `template` is for what is no plain call: `nn.Parameter(torch.zeros({*}))`.
    """

    callee: Any
    arguments: tuple[tuple[str | None, Any], ...]
    template: str | None = None
    values: tuple[tuple[str, Any], ...] = ()

    __eq__ = object.__eq__
    __hash__ = object.__hash__


class Segment(Record):
    """Copies of one kind in a row: how one is made, how it is called, and what it captures.

    Args:
        element: a Construct, or Copies for a repeat inside without a level of its own.
        scope: of the copies; None for a single run whose slots live in the enclosing scope.
        call: the expression of the call, `{module}` and `{0}`... for the ports of the copy.
        placeholders: texts and slots of other placeholders.
        ports: the ports of the copy that the call takes, in order.
        results: for each output of the copy, the number of the call's result, or ~port for a port.
        captures: for each captured port, a Stream or a list of one for each copy, or
            ("all" | "backwards", Stream), or ("part", (Stream, first, count)) of a list.
        op: the operator that a copy consists of, where it is one.
    """

    element: Any
    scope: CopiesScope | None
    count: int
    call: str
    placeholders: dict[str, Any]
    ports: tuple[int, ...]
    outputs: int
    results: tuple[int, ...]
    captures: tuple[Any, ...] = ()
    op: Any = None

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    @property
    def plain(self) -> bool:
        """Whether one stream flows through and nothing else is passed."""
        simple = self.call == "{module}({0})" and self.ports == (0,) and self.results == (0,)
        nested = not isinstance(self.element, Copies) or self.element.plain
        return simple and nested and not self.captures


class Copies(Record):
    """A repeat as a member."""

    segments: tuple[Segment, ...]

    __eq__ = object.__eq__
    __hash__ = object.__hash__

    @property
    def plain(self) -> bool:
        """Whether nn.Sequential does it."""
        return all(segment.plain for segment in self.segments)


class Member(Record):
    """`self.attribute = ...`."""

    attribute: str
    value: Construct | Copies

    __eq__ = object.__eq__
    __hash__ = object.__hash__


class Guard(Record):
    """Members that exist only where a flag has a value."""

    flag: Slot
    branches: tuple[tuple[Any, tuple[Any, ...]], ...]

    __eq__ = object.__eq__
    __hash__ = object.__hash__


class Apply(Record):
    """One expression in forward: `template` with the inputs' texts and `placeholders`.

    Args:
        heavy: begins a line of its own rather than stand around another layer.
        whole: is a line of its own.
        op: the operator, where it is one.
        unit: the class that it calls, where it does.
        copies: the repeat that it runs, where it is one.
        begins: whether it makes the zeros that a cell begins with.
    """

    template: str
    placeholders: dict[str, Any]
    inputs: tuple[Stream, ...]
    outputs: tuple[Stream, ...]
    precedence: str = "call"
    heavy: bool = False
    whole: bool = False
    op: Any = None
    unit: Any = None
    copies: Any = None
    begins: bool = False

    __eq__ = object.__eq__
    __hash__ = object.__hash__


class Loop(Record):
    """A repeat that runs in a loop. `collected` are the lists of the copies' streams.

    With `goes_on` the copies run in steps, by methods that no type checker sees in a list.
    """

    attribute: str
    copies: Copies
    inputs: tuple[Stream, ...]
    outputs: tuple[Stream, ...]
    collected: tuple[Stream, ...]
    names: tuple[str, ...]
    goes_on: bool = False

    __eq__ = object.__eq__
    __hash__ = object.__hash__


class Branch(Record):
    """A choice that differs between instances: by value of the flag, steps and what leaves."""

    flag: Slot
    branches: tuple[tuple[Any, tuple[Any, ...], tuple[Stream, ...]], ...]
    outputs: tuple[Stream, ...]

    __eq__ = object.__eq__
    __hash__ = object.__hash__


class Memory(Record):
    """What a cell remembers.

    Args:
        before: the streams of the steps before, the latest first.
        start: what they are before the first step.
        now: the stream of this step.
        final: its last value, outside.
        starts: what those further back are before the first step, where that is not `start`.
        finals: their last values, where they are needed.
    """

    before: tuple[Stream, ...]
    start: Stream
    now: Stream
    final: Stream
    starts: tuple[Stream, ...] = ()
    finals: tuple[Stream, ...] = ()

    __eq__ = object.__eq__
    __hash__ = object.__hash__


class Scanned(Record):
    """The step of a cell in a loop over time.

    Args:
        sequences: each sequence with the stream of one of its elements.
        memories: what is remembered.
        steps: of the body.
        results: what leaves a step, with the sequence of it.
        axis: the dimension of the tensors that is time.
        reverse: whether the last element comes first.
        count: the number of steps, where there is no sequence to take apart.
        outputs: of the whole: the sequences, then the last values of what is remembered.
        counted: the lengths of the examples, where the sequences are padded.
        lengths: the text of the number of real steps, with `{0}` for the lengths.
    """

    sequences: tuple[tuple[Stream, Stream], ...]
    memories: tuple[Memory, ...]
    steps: tuple[Any, ...]
    results: tuple[tuple[Stream, Stream], ...]
    axis: int
    reverse: bool
    count: Any
    outputs: tuple[Stream, ...]
    counted: Stream | None = None
    lengths: str = ""

    __eq__ = object.__eq__
    __hash__ = object.__hash__


Step = Apply | Loop | Branch | Scanned


def shape_vector(shapes: list[Any]) -> tuple[Any, ...]:
    """Shapes by instance."""
    return tuple([ANY if shape is None else shape for shape in shapes])


def unit_of(value: Any) -> Unit | None:
    """The class that a constructor makes, if it is one of the file's."""
    return None if isinstance(value, str) else value
