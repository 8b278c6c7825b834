"""`dim` declarations: symbols with what is declared of them, or the numbers that bind them."""

from __future__ import annotations

from math import lcm
from typing import Any

from archc.dims import symbol
from archc.lower.computing import condition
from archc.lower.context import Context, Problem, Session
from archc.lower.evaluate import evaluate_value
from archc.lower.files import LoadedFile
from archlang import tree
from archlang.values import show

__all__ = ["declare_dimensions"]


def declare_dimensions(file: LoadedFile, session: Session) -> None:
    """Give a file's `dim` names their meaning.

    Facts that do not hold at the bound size, and facts of a form that is not understood, are
    reported.
    """
    for name, facts in file.dims.items():
        session.dimensions.add(name)
        if name in session.bindings:
            _bind(file, name, session)
            continue
        try:
            file.scope.symbols[name] = _symbol(name, facts, file, session)
        except Problem as problem:
            session.diagnostics.add(problem.diagnostic)
            file.scope.symbols[name] = symbol(name)
    for name, facts in file.dims.items():
        if name in session.bindings:
            _check_bound(name, facts, file, session)


def _bind(file: LoadedFile, name: str, session: Session) -> None:
    session.used.add(name)
    value = session.bindings[name]
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        message = f"-p {name} is a size: a whole number of at least 1, found {show(value)}"
        raise Problem("argument-value", message, None)
    file.scope.symbols[name] = value


def _check_bound(name: str, facts: list[Any], file: LoadedFile, session: Session) -> None:
    ctx = Context(session, None, file.scope, file)
    for fact in facts:
        try:
            holds = condition(fact, ctx)
        except Problem as problem:
            session.diagnostics.add(problem.diagnostic)
            continue
        if holds is False:
            value = session.bindings[name]
            message = f"{fact.span.text} is declared, but {name} is {value}"
            session.diagnostics.add(Problem("dimension-fact", message, fact.span).diagnostic)


def _symbol(name: str, facts: list[Any], file: LoadedFile, session: Session) -> Any:
    known: dict[str, int] = {}
    for fact in facts:
        known = _merged(known, _read(name, fact, file, session), fact)
    try:
        return symbol(name, **known)
    except ValueError as error:
        raise Problem("dimension-fact", str(error), facts[-1].span) from error


def _merged(known: dict[str, int], new: dict[str, int], fact: tree.Node) -> dict[str, int]:
    merged = {**known, **new}
    if "minimum" in known and "minimum" in new:
        merged["minimum"] = max(known["minimum"], new["minimum"])
    if "maximum" in known and "maximum" in new:
        merged["maximum"] = min(known["maximum"], new["maximum"])
    if "divisor" in known and "divisor" in new:
        merged.update(_common(known, new, fact))
    return merged


def _common(known: dict[str, int], new: dict[str, int], fact: tree.Node) -> dict[str, int]:
    """The one divisor and remainder that say the same as two facts (Chinese remainders)."""
    divisor = lcm(known["divisor"], new["divisor"])
    first, step = known["remainder"], known["divisor"]
    for remainder in range(first, min(divisor, first + step * 4096), step):
        if remainder % new["divisor"] == new["remainder"]:
            return {"divisor": divisor, "remainder": remainder}
    message = "this fact does not go together with the ones before"
    raise Problem("dimension-fact", message, fact.span)


def _read(name: str, fact: tree.Compare, file: LoadedFile, session: Session) -> dict[str, int]:
    if len(fact.operands) != 2:
        raise _unknown(fact)
    left, right = fact.operands
    operator = fact.operators[0]
    if isinstance(left, tree.Binary) and left.operator == "%" and operator == "==":
        if not isinstance(left.left, tree.Name):
            raise _unknown(fact)
        divisor = _number(left.right, file, session)
        return {"divisor": divisor, "remainder": _number(right, file, session)}
    if not isinstance(left, tree.Name) or left.name != name:
        raise _unknown(fact)
    value = _number(right, file, session)
    read = {
        "<=": {"maximum": value},
        "<": {"maximum": value - 1},
        ">=": {"minimum": value},
        ">": {"minimum": value + 1},
        "==": {"minimum": value, "maximum": value},
    }
    if operator not in read:
        raise _unknown(fact)
    return read[operator]


def _number(expr: tree.Expr, file: LoadedFile, session: Session) -> int:
    value = evaluate_value(expr, Context(session, None, file.scope, file), "a bound")
    if isinstance(value, bool) or not isinstance(value, int):
        message = f"a fact about a dimension compares it with a whole number, found {show(value)}"
        raise Problem("dimension-fact", message, expr.span)
    return value


def _unknown(fact: tree.Node) -> Problem:
    message = "this fact about a dimension is not understood"
    help = "write `dim H % 32 == 0`, `dim T <= 1024` or `dim T >= 2`"
    return Problem("dimension-fact", message, fact.span, help=help)
