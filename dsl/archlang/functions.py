"""The functions on values: the language has these and no others."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from archlang.values import (
    LONGEST,
    Algebra,
    Undecided,
    ValueProblem,
    arithmetic,
    bounded,
    is_number,
    iterate,
    show,
    show_items,
    smaller,
)

__all__ = ["FUNCTIONS", "call"]


def _range(*arguments: Any) -> list[int]:
    if any(isinstance(a, bool) or not isinstance(a, int) for a in arguments):
        raise ValueProblem("value-type", "range takes whole numbers")
    if not 1 <= len(arguments) <= 3:
        raise ValueProblem("argument-count", "range takes 1 to 3 arguments")
    if len(arguments) == 3 and arguments[2] == 0:
        raise ValueProblem("argument-value", "the step of range is not 0")
    numbers = range(*arguments)
    if len(numbers) > LONGEST:
        raise ValueProblem("list-too-long", f"this range has more than {LONGEST:,} items")
    return list(numbers)


def _extreme(pick: Callable[..., Any], algebra: Algebra, arguments: tuple[Any, ...]) -> Any:
    items = iterate(arguments[0]) if len(arguments) == 1 else arguments
    if not items:
        raise ValueProblem("argument-value", "the largest or smallest of nothing is asked for")
    if not all(is_number(item) for item in items):
        raise ValueProblem("value-type", f"expected numbers, found {show_items(list(items))}")
    best = items[0]
    for item in items[1:]:
        better = smaller(item, best, algebra) if pick is min else smaller(best, item, algebra)
        if better is None:
            raise Undecided("<", item, best)
        if better:
            best = item
    return best


def _sum(items: Any) -> Any:
    total: Any = 0
    for item in iterate(items):
        total = arithmetic("+", total, item)
    return total


def _round(value: Any, digits: Any = None) -> Any:
    return round(_real(value)) if digits is None else round(_real(value), digits)


def _real(value: Any) -> Any:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueProblem("value-type", f"expected a number, found {show(value)}")
    return value


def _root(value: Any) -> float:
    if _real(value) < 0:
        raise ValueProblem("argument-value", f"the square root of {show(value)} is not real")
    return math.sqrt(value)


def _log2(value: Any) -> float:
    if _real(value) <= 0:
        raise ValueProblem("argument-value", f"the logarithm of {show(value)} is not defined")
    return math.log2(value)


def _enumerate(items: Any, start: Any = 0) -> list[Any]:
    return [(number, item) for number, item in enumerate(iterate(items), start)]


def _zip(*lists: Any) -> list[Any]:
    return list(zip(*[iterate(one) for one in lists], strict=False))


def _whole(value: Any) -> Any:
    return value if getattr(value, "is_symbolic", False) else int(_real(value))


# The functions of the language; `min` and `max` also need to compare symbolic sizes.
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "len": lambda items: len(iterate(items)),
    "range": _range,
    "enumerate": _enumerate,
    "zip": _zip,
    "min": min,
    "max": max,
    "sum": _sum,
    "round": _round,
    "floor": lambda value: math.floor(_real(value)),
    "ceil": lambda value: math.ceil(_real(value)),
    "sqrt": _root,
    "log2": _log2,
    "int": _whole,
}


def call(name: str, arguments: tuple[Any, ...], algebra: Algebra) -> Any:
    """Apply one of `FUNCTIONS`.

    Raises:
        ValueProblem: for arguments that it does not take.
        Undecided: when `min` or `max` depends on sizes that are symbolic.
    """
    function = FUNCTIONS[name]
    if function in (min, max):
        return _extreme(function, algebra, arguments)
    try:
        return bounded(function(*arguments))
    except TypeError as error:
        shown = ", ".join(show(a) for a in arguments)
        raise ValueProblem("argument-count", f"{name} does not take ({shown})") from error
    except (OverflowError, ValueError) as error:
        raise ValueProblem("number-too-large", f"{name} cannot compute this number") from error
