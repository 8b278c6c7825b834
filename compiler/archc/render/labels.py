"""Words of a picture: what stands in a box, on an edge, in a title.

Every function takes the values of all the copies that one drawing stands for, and says them in one
text: `CONV 64..512, 3×3`, `(256..2048, 56..7, 56..7)`, `×2, 7, 35, 2`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from archc.arguments import Flowing
from archc.dims import Dim
from archc.graph import Region, Run
from archc.op import Argument, Op
from archc.shapes import Shape
from archlang import tree

__all__ = [
    "amount",
    "block_title",
    "count_text",
    "loop_text",
    "operator_text",
    "printable",
    "shape_text",
    "spread",
]

_LONGEST = 44
_LONGEST_TITLE = 72
_AXES = 3  # a longer tuple is a row of arguments, not the sizes of axes
_MOST_COPIES = 8  # whose loop variables are told one by one
# Arguments that a picture leaves out: they change neither shape nor the idea.
_UNSAID = frozenset(
    {"affine", "bias", "called", "ceil", "count_pad", "eps", "init", "momentum", "table"}
)
_DESCRIBED = frozenset({"filters", "kernel", "stride", "pad", "groups", "units"})


def shape_text(shapes: Sequence[Shape]) -> str:
    """One text for the shapes of all copies: sizes that differ as a range, first to last."""
    if len({shape.rank for shape in shapes}) > 1:
        return " / ".join(dict.fromkeys(str(shape) for shape in shapes))
    columns = zip(*[shape.sizes for shape in shapes], strict=True)
    return "(" + ", ".join(spread(column) for column in columns) + ")"


def spread(values: Iterable[object]) -> str:
    """`64` where all are equal, `64..512` where they are numbers, `a, b` otherwise."""
    different = list(dict.fromkeys(values))
    if len(different) == 1:
        return value_text(different[0])
    rows = [value for value in different if isinstance(value, tuple) and len(value) > _AXES]
    if len(rows) == len(different) and len({len(row) for row in rows}) == 1:
        return "(" + ", ".join(spread(column) for column in zip(*rows, strict=True)) + ")"
    numbers = [v for v in different if isinstance(v, (int, float)) and not isinstance(v, bool)]
    if len(numbers) < len(different):
        return _shortened(", ".join(value_text(v) for v in different))
    ordered = numbers in (sorted(numbers), sorted(numbers, reverse=True))
    first, last = (numbers[0], numbers[-1]) if ordered else (min(numbers), max(numbers))
    return f"{value_text(first)}..{value_text(last)}"


def value_text(value: Any) -> str:
    """A value as the language writes it."""
    match value:
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:g}"
        case tuple() | list():
            return "(" + ", ".join(value_text(item) for item in value) + ")"
        case range():
            return f"{value.start}..{value.stop}"
        case None:
            return "none"
        case str():
            return _shortened(value)
        case _:
            return _shortened(str(value))


def end_text(shapes: Sequence[Shape]) -> str:
    """What flows in or out: `(3, 224, 224)`, `(T) tokens`."""
    text = shape_text(shapes)
    return text if shapes[0].vocabulary is None else f"{text} tokens"


def count_text(counts: Sequence[Dim]) -> str:
    """`×3`, or `×2, 7, 35, 2` where the copies repeat it differently often; "" for once."""
    if all(count == 1 for count in counts):
        return ""
    if len(set(counts)) == 1:
        return f"×{counts[0]}"
    if len(counts) > 6:
        return "×" + spread(counts)
    return "×" + ", ".join(str(count) for count in counts)


def operator_text(ops: Sequence[Op], inputs: Sequence[tuple[Shape, ...]]) -> str:
    """The main arguments of an operator: `64, 3×3 /2`, `1000`, `0.5`.

    Args:
        ops: the operator in each copy.
        inputs: its input shapes in each copy.
    """
    facts = [_described(op, shapes) for op, shapes in zip(ops, inputs, strict=True)]
    parts = [_size(facts), _window(facts), *_others(ops, bool(facts[0].get("kernel")))]
    return _shortened(", ".join(part for part in parts if part))


def block_title(regions: Sequence[Region]) -> str:
    """`Bottleneck(64..512, s=1..2)`: defaults that hold are left out."""
    first = regions[0]
    parameters = first.origin.parameters if isinstance(first.origin, tree.Block) else None
    known = {p.name: p for p in parameters or ()}
    bound = [dict(region.arguments) for region in regions]
    parts, in_order = [], True
    for name, _ in first.arguments:
        values = [values.get(name) for values in bound]
        default = known[name].default if name in known else None
        if default is not None and all(_is_default(value, default) for value in values):
            in_order = False
            continue
        text = spread(_hashable(value) for value in values)
        in_order = in_order and default is None
        parts.append(text if in_order else f"{name}={text}")
    name = first.name or "group"
    return _shortened(f"{name}({', '.join(parts)})" if parts else name, _LONGEST_TITLE)


def loop_text(runs: Sequence[Run]) -> tuple[str, ...]:
    """The variables of a comprehension, copy by copy: `c = 64, 128, 256`; those that stay are left
    out."""
    if sum(run.count for run in runs) > _MOST_COPIES:
        return ()
    copies = [dict(run.region.arguments) for run in runs for _ in range(run.count)]
    found = []
    for name in copies[0]:
        values = [value_text(copy.get(name)) for copy in copies]
        if len(set(values)) > 1:
            found.append(_shortened(f"{name} = {', '.join(values)}"))
    return tuple(found)


def amount(figure: object) -> str:
    """A figure for a title: `25.6 M`, `4.09 G`; formulas and small numbers as they are."""
    if not isinstance(figure, int) or figure < 10_000:
        return str(figure)
    for unit, word in ((10**12, "T"), (10**9, "G"), (10**6, "M"), (10**3, "k")):
        if figure >= unit:
            return (
                f"{figure / unit:.3g} {word}"
                if figure < 1000 * unit
                else f"{figure // unit} {word}"
            )
    return str(figure)


def _described(op: Op, inputs: tuple[Shape, ...]) -> dict[str, Any]:
    facts = dict(op.describe(*inputs))
    if "filters" not in facts and hasattr(op, "units"):
        facts["filters"] = op.units
    for derived in ("kernel", "filters"):  # what a table shows of GAP and DWCONV: nobody wrote it
        if not hasattr(op, derived) and not hasattr(op, "units"):
            facts.pop(derived, None)
    return facts


def _size(facts: Sequence[dict[str, Any]]) -> str:
    if facts[0].get("filters") is None:
        return ""
    return spread(fact.get("filters") for fact in facts)


def _window(facts: Sequence[dict[str, Any]]) -> str:
    """`3×3 /2`: the kernel, and the stride where it is not 1."""
    kernels = [tuple(fact.get("kernel") or ()) for fact in facts]
    if not kernels[0] or len({len(kernel) for kernel in kernels}) > 1:
        return ""
    text = "×".join(spread(sizes) for sizes in zip(*kernels, strict=True))
    strides = [tuple(fact.get("stride") or ()) for fact in facts]
    if all(step == 1 for stride in strides for step in stride):
        return text
    if all(len(set(stride)) == 1 for stride in strides):
        return f"{text} /{spread(stride[0] for stride in strides)}"
    return f"{text} /" + "×".join(spread(steps) for steps in zip(*strides, strict=True))


def _others(ops: Sequence[Op], described: bool) -> list[str]:
    """The arguments that the table's facts do not cover, where they are not the defaults."""
    parts = []
    for position, argument in enumerate(type(ops[0]).arguments):
        if argument.name in _UNSAID or (argument.name in _DESCRIBED - {"pad", "groups"}):
            continue
        if isinstance(argument.kind, Flowing):
            continue  # An arrow says it.
        values = [_hashable(getattr(op, argument.name)) for op in ops]
        if all(_unchanged(value, argument) for value in values):
            continue
        text = "×".join(value_text(v) for v in values[0]) if argument.rest else spread(values)
        parts.append(text if position == 0 and not described else f"{argument.name} {text}")
    return parts


def _unchanged(value: object, argument: Argument) -> bool:
    return value is None or (not argument.required and value == _hashable(argument.default))


def _is_default(value: object, default: tree.Expr) -> bool:
    if isinstance(default, (tree.Number, tree.Boolean, tree.Text)):
        return bool(value == default.value)
    return False


def _hashable(value: Any) -> Any:
    return tuple(_hashable(item) for item in value) if isinstance(value, (list, tuple)) else value


def printable(text: str) -> str:
    """The text without control characters, which no format takes."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)


def _shortened(text: str, longest: int = _LONGEST) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"
