"""What a join may combine: equal shapes, and the few cases in which one reaches over the other.

A scalar reaches everywhere; a vector over the space of a map and the steps of a sequence; axes in
front (windows, heads, frames) are carried like the batch: they agree, or a vector, a map or a table
lacks them all. A sequence is not spread over heads: `{ ID + heads }` is where one forgot to join
them. Nothing else is broadcast.
"""

from __future__ import annotations

from archc.dims import Dim, same, sufficient
from archc.op import OpError
from archc.ops.axes import equal_sizes
from archc.ops.join_help import mismatch_help
from archc.shapes import Axis, Shape

__all__ = ["Mapping", "fit", "is_scalar", "join", "spread", "undecided"]

# For each axis of the smaller shape, the position in the larger one that it stands for.
Mapping = tuple[int, ...]


def is_scalar(shape: Shape) -> bool:
    """Whether it is a single number: a vector of one feature."""
    return shape.rank == 0 or (shape.rank == 1 and same(shape.sizes[0], 1) is True)


def fit(small: Shape, large: Shape, *, features: bool = True) -> Mapping | bool | None:
    """How the smaller shape lies in the larger one.

    Args:
        small: the shape that may reach over the other.
        large: the shape of the result.
        features: whether the sizes of the features must agree too (not in a concatenation).

    Returns:
        The mapping of its axes; False where it does not fit; None where that is unknown.
    """
    unknown = False
    for candidate in _candidates(small, large):
        pairs = [
            (small.axes[i], large.axes[k])
            for i, k in enumerate(candidate)
            if features or k != large.features
        ]
        answer = _agree(pairs, large, per_step=_may_be_scalars(small))
        if answer is True:
            return candidate
        unknown = unknown or answer is None
    return None if unknown else False


def _may_be_scalars(small: Shape) -> bool:
    # A feature of one over many: a scalar, or a scalar for each step; never a map of one channel.
    return not small.space


def _agree(pairs: list[tuple[Axis, Axis]], large: Shape, *, per_step: bool) -> bool | None:
    kept = [
        (a, b)
        for a, b in pairs
        if not (per_step and a.role == "features" and b.role == "features" and a.size == 1)
    ]
    return equal_sizes(tuple([a for a, _ in kept]), tuple([b for _, b in kept]))


def _candidates(small: Shape, large: Shape) -> list[Mapping]:
    """The mappings that the roles of the axes allow, the plainest first."""
    found: list[Mapping] = []
    if small.rank == large.rank:
        found.append(tuple(range(small.rank)))
    by_role = _by_role(small, large)
    if by_role is not None and by_role not in found:
        found.append(by_role)
    extra = large.rank - small.rank
    if small.rank >= 3 and extra > 0 and all(_in_front(axis) for axis in large.axes[:extra]):
        found.append(tuple(range(extra, large.rank)))
    return found


def _in_front(axis: Axis) -> bool:
    return axis.role in ("carried", "steps")


def _by_role(small: Shape, large: Shape) -> Mapping | None:
    """A vector, with or without axes in front, over the space and steps of the larger shape."""
    if small.rank == 0 or small.space or large.features is None or small.features is None:
        return () if small.rank == 0 else None
    carried = [i for i, axis in enumerate(large.axes) if axis.role == "carried"]
    own = [axis for axis in small.axes if axis.role == "carried"]
    if small.rank > 1 and len(own) != len(carried):
        return None
    if small.steps is not None and large.steps is None:
        return None
    places = iter(carried)
    by_role = {"features": large.features, "steps": large.steps}
    positions = [next(places, None) if a.role == "carried" else by_role[a.role] for a in small.axes]
    found = tuple([position for position in positions if position is not None])
    return found if len(found) == small.rank and list(found) == sorted(set(found)) else None


def join(verb: str, shapes: tuple[Shape, ...]) -> tuple[Shape, tuple[Mapping, ...]]:
    """The shape that all reach over, and how each lies in it.

    The result keeps the axes, with their names and roles, of the operand that all others fit. Of
    equal sizes that is the first, but one with axes in front goes before a map: a learned table of
    three sizes looks like a map, whatever it is added to.

    Args:
        verb: what the message says cannot be done ("add").
        shapes: of the operands.

    Raises:
        OpError: "shape-mismatch", or "undecided" where symbolic sizes leave it open.
    """
    for large in sorted(shapes, key=lambda shape: not any(_in_front(axis) for axis in shape.axes)):
        mappings = [fit(small, large) for small in shapes]
        if all(isinstance(mapping, tuple) for mapping in mappings):
            return large, tuple([m for m in mappings if isinstance(m, tuple)])
    raise _refusal(verb, shapes)


def _refusal(verb: str, shapes: tuple[Shape, ...]) -> OpError:
    largest = max(range(len(shapes)), key=lambda i: (shapes[i].rank, -i))
    answers = [fit(small, shapes[largest]) for small in shapes]
    other = next(
        (i for i, answer in enumerate(answers) if answer is False),
        next((i for i, answer in enumerate(answers) if answer is None), largest),
    )
    first, second = sorted((largest, other))
    left, right = shapes[first], shapes[second]
    between = {"divide": "by", "raise": "to the power"}.get(verb, "and")
    message = f"cannot {verb} {left} {between} {right}"
    operands = (first, second)
    if answers[other] is None:
        return undecided(message, left, right, operands)
    return OpError(message, help=mismatch_help(left, right), operands=operands)


def undecided(message: str, left: Shape, right: Shape, operands: tuple[int, ...]) -> OpError:
    """The error for shapes of which it is unknown whether they agree."""
    pairs = reversed(list(zip(reversed(left.sizes), reversed(right.sizes), strict=False)))
    open_pairs = [(a, b) for a, b in pairs if same(a, b) is None]
    open_pairs = open_pairs or [(left.sizes[-1], right.sizes[-1])]
    a, b = open_pairs[0]
    names = sorted({name for pair in open_pairs for size in pair for name in _names(size)})
    bind = " ".join(f"-p {name}=..." for name in names)
    facts = [sufficient(one, other) for one, other in open_pairs]
    declared = ", ".join(dict.fromkeys([fact for found in facts for fact in found]))
    otherwise = f"declare `dim {declared}`" if all(facts) else "call what is equal by one name"
    return OpError(
        f"{message}: whether {a} equals {b} is not known",
        code="undecided",
        help=f"bind the dimensions (`{bind}`), or {otherwise}",
        operands=operands,
    )


def _names(size: Dim) -> list[str]:
    from archc.dims import symbols

    return [symbol.name for symbol in symbols(size)]


def spread(mapping: Mapping, small: Shape, large: Shape) -> str:
    """The index that gives the smaller tensor the axes it lacks: `[:, :, None, None]`, or ""."""
    if small.rank in (0, large.rank):  # a number has no axes, not even the batch
        return ""
    marks = [":"] + [":" if i in mapping else "None" for i in range(large.rank)]
    while marks[-1] == ":":
        marks.pop()
    return f"[{', '.join(marks)}]"
