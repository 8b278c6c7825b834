"""Which sizes of its input a net accepts, found by trying: each size is lowered anew.

A size is accepted when the net can be lowered with it and has the same parameters, so that one
module serves both. What is stated is the simplest rule that fits every size that was tried.
"""

from __future__ import annotations

from collections.abc import Callable

from archc.cost import cost
from archc.graph import Program
from archc.pipeline import Request, load_program
from archlang.record import Record

__all__ = ["Accepted", "accepted_sizes"]

WINDOW = 64  # sizes above the net's own that are tried: two periods of the largest divisor
MODULI = (2, 4, 8, 16, 32, 3, 5, 6, 7, 12, 14, 24, 28)


class Accepted(Record):
    """The sizes of one axis that a net accepts, all other sizes kept.

    Args:
        input: the input's name.
        axis: the axis ("H").
        rule: `H >= 33 and H % 32 == 0`, as text.
        low: the least size that was tried.
        high: the greatest.
        least: the least size that is accepted.
        most: the greatest, None where there is no bound.
        divisor: what sizes are divided by.
        remainder: and what that leaves.
    """

    input: str
    axis: str
    rule: str
    low: int
    high: int
    least: int
    most: int | None = None
    divisor: int = 1
    remainder: int = 0

    def fits(self, size: int) -> bool:
        """Whether a size fits the rule."""
        is_between = self.least <= size and (self.most is None or size <= self.most)
        return is_between and size % self.divisor == self.remainder


def accepted_sizes(program: Program, request: Request) -> tuple[Accepted, ...]:
    """The rule of each axis of space and of steps whose size is a number.

    Args:
        program: the net.
        request: how it was asked for.
    """
    found = []
    params = cost(program).params
    for port in program.region.inputs:
        if not all(isinstance(size, int) for size in port.shape.sizes):
            continue
        sizes = [int(str(size)) for size in port.shape.sizes]
        if port.shape.vocabulary is not None:
            continue
        for position, axis in enumerate(port.shape.axes):
            if axis.role not in ("space", "steps"):
                continue
            name = port.name if len(program.region.inputs) > 1 else None
            accepts = _trial(request, name, sizes, position, params)
            found.append(_rule(port.name, axis.name.upper(), sizes[position], accepts))
    return tuple(found)


def _trial(
    request: Request, name: str | None, sizes: list[int], position: int, params: object
) -> Callable[[int], bool]:
    """Whether the net accepts a size along one axis."""
    known: dict[int, bool] = {}

    def accepts(size: int) -> bool:
        if size < 1:
            return False
        if size not in known:
            tried = (*sizes[:position], size, *sizes[position + 1 :])
            others = tuple([given for given in request.inputs if given[0] not in (name, None)])
            loaded = load_program(request.replace(inputs=((name, tried), *others)))
            known[size] = loaded.program is not None and cost(loaded.program).params == params
        return known[size]

    return accepts


def _rule(input: str, axis: str, size: int, accepts: Callable[[int], bool]) -> Accepted:
    high = size + WINDOW
    above = [n for n in range(size, high + 1) if accepts(n)]
    if above == list(range(size, high + 1)):
        least = _least(size, 1, accepts)
        return Accepted(input, axis, f"{axis} >= {least}", max(1, least - 1), high, least)
    if above == list(range(size, above[-1] + 1)):
        least = _least(size, 1, accepts, one_by_one=True)
        rule = f"{axis} == {least}" if least == above[-1] else f"{least} <= {axis} <= {above[-1]}"
        return Accepted(input, axis, rule, max(1, least - 1), high, least, above[-1])
    for divisor in sorted(MODULI):
        if above == [n for n in range(size, high + 1) if n % divisor == size % divisor]:
            least = _least(size, divisor, accepts)
            text = f"{axis} % {divisor} == {size % divisor}"
            rule = f"{axis} >= {least} and {text}" if least > divisor else text
            low = max(1, least - divisor)
            return Accepted(input, axis, rule, low, high, least, None, divisor, size % divisor)
    text = f"{axis} in ({', '.join(map(str, above))})"
    return Accepted(input, axis, text, size, high, size, size)


def _least(
    size: int, step: int, accepts: Callable[[int], bool], *, one_by_one: bool = False
) -> int:
    """The least size that is accepted, going down in steps."""
    if one_by_one:
        while accepts(size - step):
            size -= step
        return size
    refused, accepted = -1, size // step  # in steps, of which the last is accepted
    offset = size % step
    while accepted - refused > 1:
        middle = (accepted + refused) // 2
        if accepts(middle * step + offset):
            accepted = middle
        else:
            refused = middle
    return accepted * step + offset
