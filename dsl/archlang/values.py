"""Values that are known at compile time: arithmetic, comparison and functions, all within bounds.

Integers stay below 2**63, lists below a million items, and nothing loops without a bound, so a file
can neither hang nor exhaust the tool. A symbolic size is any object that computes with integers;
how two of them compare is asked of an `Algebra`, since the answer may be "unknown".
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Protocol

__all__ = [
    "LARGEST", "LONGEST", "Algebra", "Undecided", "ValueProblem", "arithmetic", "bounded",
    "compare",
    "index", "is_number", "items_of", "iterate", "negate", "show", "show_items", "smaller", "truth",
]  # fmt: skip

LARGEST = 2**63 - 1
LONGEST = 1_000_000


class ValueProblem(Exception):
    """A value cannot be computed. The caller adds the place."""

    def __init__(self, code: str, message: str, help: str | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.help = help


class Undecided(Exception):
    """Whether a comparison of symbolic sizes holds cannot be known; `operands` are the two."""

    def __init__(self, operator: str, left: Any, right: Any) -> None:
        super().__init__(f"{left} {operator} {right}")
        self.operator, self.left, self.right = operator, left, right


class Algebra(Protocol):
    """How symbolic sizes compare: yes, no, or None for unknown."""

    def same(self, left: Any, right: Any) -> bool | None:
        """Whether the two are equal."""

    def less(self, left: Any, right: Any) -> bool | None:
        """Whether the first is smaller."""


def show(value: Any, deep: int = 4) -> str:
    """A value as a message writes it: of lists so and so deep, the first items."""
    match value:
        case bool():
            return "yes" if value else "no"
        case str():
            return f'"{value}"' if len(value) <= 40 else f'"{value[:37]}..."'
        case float():
            return f"{value:g}" if abs(value) < 1e6 else repr(value)
        case list() | tuple():
            return show_items(value, deep)
        case range():
            return f"{value.start}..{value.stop}"
        case None:
            return "nothing"
    return str(value)


def show_items(items: Sequence[Any], deep: int = 4) -> str:
    shown = [show(item, deep - 1) for item in items[:8]] if deep else []
    if len(items) > len(shown):
        shown.append("...")
    inside = ", ".join(shown)
    if isinstance(items, list):
        return f"[{inside}]"
    return f"({inside},)" if len(items) == 1 else f"({inside})"


def kind(value: Any) -> str:
    """What sort of value it is, with an article."""
    names = {bool: "yes or no", int: "a whole number", float: "a number", str: "a string"}
    names |= {list: "a list", tuple: "a tuple", range: "a range"}
    return names.get(type(value), "a size")


def items_of(value: Any, known: dict[int, int] | None = None) -> int:
    """How many items a value has, those of the lists inside it included.

    Lists that share a part count it each time, as whoever compares or shows them meets it.

    Args:
        value: any value.
        known: counts by the identity of lists, so that each is counted once.
    """
    if not isinstance(value, (list, tuple)):
        return 0
    known = {} if known is None else known
    if id(value) not in known:
        inner = [items_of(item, known) for item in value if isinstance(item, (list, tuple))]
        known[id(value)] = len(value) + sum(inner)
    return known[id(value)]


def bounded(value: Any) -> Any:
    """The value, when it lies within the bounds.

    Raises:
        ValueProblem: an integer of 2**63 or more, a list of more than a million items, or a real
            that is not finite.
    """
    if isinstance(value, int) and not -LARGEST <= value <= LARGEST:
        raise ValueProblem("number-too-large", "this number is 2**63 or more")
    if isinstance(value, (list, tuple)) and items_of(value) > LONGEST:
        raise ValueProblem("list-too-long", f"this list has more than {LONGEST:,} items")
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueProblem("number-too-large", "this number is not finite")
    if isinstance(value, complex):
        raise ValueProblem("value-type", "this power of a negative number is not real")
    return value


# --- operators -----------------------------------------------------------------------------------

_OPERATIONS: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
}


def arithmetic(operator: str, left: Any, right: Any) -> Any:
    """`left operator right` for `+ - * / // % **`.

    Numbers compute; lists and tuples can be added to their like.

    Raises:
        ValueProblem: for operands that do not compute, a division by zero, a result out of bounds.
    """
    if isinstance(left, list) and isinstance(right, list) and operator == "+":
        return bounded(left + right)
    if isinstance(left, tuple) and isinstance(right, tuple) and operator == "+":
        return bounded(left + right)
    if not is_number(left) or not is_number(right):
        message = f"`{operator}` takes numbers, found {show(left)} and {show(right)}"
        raise ValueProblem("value-type", message)
    if operator in ("/", "//", "%") and isinstance(right, (int, float)) and right == 0:
        raise ValueProblem("division-by-zero", f"{show(left)} is divided by zero")
    if operator == "**":
        return _power(left, right)
    try:
        return bounded(_OPERATIONS[operator](left, right))
    except OverflowError as error:
        raise ValueProblem("number-too-large", "this number is too large") from error
    except TypeError as error:
        message = f"`{operator}` cannot compute {show(left)} and {show(right)}"
        raise ValueProblem("value-type", message) from error


def _power(left: Any, right: Any) -> Any:
    harmless = isinstance(left, float) or left in (-1, 0, 1)
    if isinstance(right, int) and abs(right) > 64 and not harmless:
        raise ValueProblem("number-too-large", f"the exponent {right} is too large")
    try:
        return bounded(left**right)
    except ZeroDivisionError as error:
        raise ValueProblem("division-by-zero", "zero to a negative power") from error
    except OverflowError as error:
        raise ValueProblem("number-too-large", "this number is too large") from error
    except (TypeError, ValueError) as error:
        message = f"`**` cannot compute {show(left)} and {show(right)}"
        raise ValueProblem("value-type", message) from error


def negate(value: Any) -> Any:
    """`-value`."""
    if not is_number(value):
        raise ValueProblem("value-type", f"`-` takes a number, found {show(value)}")
    return -value


def truth(value: Any) -> bool:
    """A condition's value.

    Raises:
        ValueProblem: when it is not yes or no.
    """
    if not isinstance(value, bool):
        message = f"a condition is yes or no, found {show(value)}"
        raise ValueProblem("value-type", message, help="compare it: `!= 0`")
    return value


def compare(operator: str, left: Any, right: Any, algebra: Algebra) -> bool:
    """`left operator right` for `== != < <= > >=`.

    Raises:
        ValueProblem: when the two do not compare.
        Undecided: when it depends on sizes that are symbolic.
    """
    if operator in ("==", "!="):
        return _same(left, right, operator, algebra) == (operator == "==")
    if not (is_number(left) and is_number(right)):
        message = f"`{operator}` compares numbers, found {show(left)} and {show(right)}"
        raise ValueProblem("value-type", message)
    swapped = operator in (">", "<=")
    first, second = (right, left) if swapped else (left, right)
    answer = smaller(first, second, algebra)
    if answer is None:
        raise Undecided(operator, left, right)
    return answer if operator in ("<", ">") else not answer


def _same(left: Any, right: Any, operator: str, algebra: Algebra) -> bool:
    if _is_plain(left) and _is_plain(right):
        return bool(left == right)
    if isinstance(left, (list, tuple)) and type(left) is type(right):
        pairs = zip(left, right, strict=False)
        return len(left) == len(right) and all(_same(a, b, operator, algebra) for a, b in pairs)
    if is_number(left) != is_number(right):
        return False
    if not is_number(left):
        return bool(left == right)
    answer = algebra.same(left, right)
    if answer is None:
        raise Undecided(operator, left, right)
    return answer


def smaller(left: Any, right: Any, algebra: Algebra) -> bool | None:
    if _is_plain(left) and _is_plain(right):
        return bool(left < right)
    return algebra.less(left, right)


def _is_plain(value: Any) -> bool:
    return isinstance(value, (int, float, str, bool))


def is_number(value: Any) -> bool:
    if isinstance(value, bool) or value is None:
        return False
    return isinstance(value, (int, float)) or getattr(value, "is_symbolic", False)


# --- lists ---------------------------------------------------------------------------------------


def iterate(value: Any) -> Sequence[Any]:
    """The items of something that a comprehension or a function walks over."""
    if isinstance(value, (list, tuple)):
        return value
    if isinstance(value, range):
        return value
    raise ValueProblem("value-type", f"expected a list, found {show(value)}")


def index(value: Any, position: Any) -> Any:
    """`value[position]`; a slice keeps the kind."""
    items = iterate(value)
    if isinstance(position, slice):
        parts = (position.start, position.stop, position.step)
        if any(part is not None and not isinstance(part, int) for part in parts):
            raise ValueProblem("value-type", "a slice takes whole numbers")
        if position.step == 0:
            raise ValueProblem("argument-value", "the step of a slice is not 0")
        return list(items[position]) if isinstance(items, range) else items[position]
    if isinstance(position, bool) or not isinstance(position, int):
        raise ValueProblem("value-type", f"an index is a whole number, found {show(position)}")
    if not -len(items) <= position < len(items):
        count = f"{len(items)} item{'' if len(items) == 1 else 's'}"
        raise ValueProblem("index-range", f"index {position} is outside a list of {count}")
    return items[position]
