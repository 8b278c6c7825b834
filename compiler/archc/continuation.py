"""How operators go on with a sequence: the next steps, from what was kept of those before.

A module that is run step by step computes what `forward` computes of the whole sequence. Most
operators look at each step by itself and need nothing for that; a recurrent layer keeps its state,
attention its keys and values, positions how many steps there were.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from archc.shapes import Shape
from archc.sight import Reach
from archlang.record import Record

if TYPE_CHECKING:
    from archc.op import Op

__all__ = ["Continuation", "NotInSteps", "by_itself"]

# A number of steps that no file has by chance.
_OTHER = 1_000_003


class Continuation(Record):
    """The form of an operator that goes on.

    Args:
        template: the expression of what leaves and of what is kept now, a pair. Placeholders are
            those of the operator's usual form, and `{kept}`: what was kept, None at first.
        helper: sources of classes and functions by name, as a form has them; they stand in the
            place of the usual form's.
        imports: import statements beyond torch, nn, F.
    """

    template: str
    helper: tuple[tuple[str, str], ...] = ()
    imports: tuple[str, ...] = ("from typing import Any",)


class NotInSteps(Exception):
    """What leaves at a step is not known before later steps are.

    Args:
        reason: why, as the end of a sentence that begins with the operator.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def by_itself(
    op: Op, inputs: tuple[Shape, ...], outputs: tuple[Shape, ...], running: tuple[bool, ...]
) -> None:
    """Holds an operator to treating each step by itself, so that it goes on as it is.

    Args:
        op: the operator.
        inputs: what flows in.
        outputs: what leaves.
        running: for each input, whether it is a sequence that goes on.

    Raises:
        NotInSteps: where it looks at other steps, or takes the steps apart.
    """
    reached = op.reaches(*inputs)
    longer = []
    for shape, runs in zip(inputs, running, strict=True):
        place = shape.steps
        if not runs:
            if place is not None:
                raise NotInSteps("joins what goes on with a sequence that is there as a whole")
            longer.append(shape)
            continue
        if place is None:
            raise NotInSteps("has several axes of steps")
        reach = reached.get(shape.axes[place].name, Reach())
        if reach != Reach():
            raise NotInSteps(f"{'looks' if reach.known else 'may look'} at other steps")
        longer.append(shape.with_sizes({place: _OTHER}))
    _keeps_steps(outputs, _of_longer(op, tuple(longer)))


def _of_longer(op: Op, inputs: tuple[Shape, ...]) -> tuple[Shape, ...] | None:
    """What leaves where there are other steps than there are; None where no file names it."""
    from archc.op import OpError

    if not op.name:
        return None
    try:
        made = op.infer(*inputs)
    except OpError:
        raise NotInSteps("has the number of steps in its arguments") from None
    return made if isinstance(made, tuple) else (made,)


def _keeps_steps(outputs: tuple[Shape, ...], longer: tuple[Shape, ...] | None) -> None:
    """Steps that leave are those that flow in, whatever their number."""
    for number, output in enumerate(outputs):
        place = output.steps
        if place is None:
            raise NotInSteps("leaves no sequence")
        if longer is not None and longer[number].sizes != (
            output.with_sizes({place: _OTHER}).sizes
        ):
            raise NotInSteps("changes the number of steps")
