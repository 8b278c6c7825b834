"""What it means for a class to run in steps: kinds of streams, what is kept, the method."""

from __future__ import annotations

from typing import Literal

from archc.emit.steps import Step, Stream
from archc.emit.vectors import ANY
from archc.shapes import Shape
from archlang.record import Record

__all__ = ["Found", "InSteps", "Kept", "Kind", "Late", "runs", "shape_of", "stepping_call"]


class Late(Record):
    """The kind of a stream that cannot be computed step by step, with the reason, a sentence."""

    reason: str


Kind = Literal["given", "runs", "whole", "fixed"] | Late


class Kept(Record):
    """One thing that is kept from call to call.

    Args:
        before: what the last call left; at the first call `initial` if there is one, else the text
            `absent`.
        after: what this call leaves.
    """

    before: Stream
    after: Stream
    initial: Stream | None = None
    absent: str = "None"


class InSteps(Record):
    """What `step` of a class runs.

    Args:
        first: the steps of the first call alone, which compute what is whole.
        steps: of every call.
        whole: the streams of `first` that `steps` need: kept as they are.
        kept: what changes from call to call.
        outputs: what leaves; `places` are their numbers among the outputs of the class.
    """

    first: tuple[Step, ...]
    steps: tuple[Step, ...]
    whole: tuple[Stream, ...]
    kept: tuple[Kept, ...]
    outputs: tuple[Stream, ...]
    places: tuple[int, ...]

    __eq__ = object.__eq__
    __hash__ = object.__hash__


class Found(Record):
    """A class in steps: the kinds of its outputs, and its method; None where forward will do."""

    outputs: tuple[Kind, ...]
    method: InSteps | None

    __eq__ = object.__eq__
    __hash__ = object.__hash__


def runs(kind: Kind) -> bool:
    """Whether a stream of the kind is a sequence that goes on."""
    return kind in ("runs", "given")


def shape_of(stream: Stream) -> Shape:
    """The shape of a stream in one of its instances; none of what is no tensor of a batch."""
    return next((shape for shape in stream.shapes if shape is not ANY), Shape(()))


def stepping_call(template: str, count: int) -> str:
    """The call of `step` instead of forward, with what is kept behind the other arguments."""
    return f"{template.replace('{module}(', '{module}.step(', 1)[:-1]}, {{{count}}})"
