"""`dim` declarations: symbols with what is declared of them, or the numbers that bind them."""

from __future__ import annotations

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
        for key, value in _read(name, fact, file, session).items():
            known[key] = _merged(key, known.get(key), value, fact)
    try:
        return symbol(name, **known)
    except ValueError as error:
        raise Problem("dimension-fact", str(error), facts[-1].span) from error


def _merged(key: str, before: int | None, value: int, fact: tree.Node) -> int:
    if before is None or before == value:
        return value
    if key == "minimum":
        return max(before, value)
    if key == "maximum":
        return min(before, value)
    message = "two facts about divisors of one dimension are not understood"
    raise Problem("dimension-fact", message, fact.span, help="declare the least common multiple")


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
