"""Claims: `expect` and `require`, held against the figures of the lowered net."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from archc.cost import cost
from archc.dims import Ratio, same
from archc.graph import Program
from archc.lower.computing import condition
from archc.lower.context import Context, Problem, Session
from archc.lower.evaluate import evaluate
from archc.lower.files import LoadedFile
from archc.lower.guards import guarded
from archc.lower.things import POISON, BlockValue, Scope, is_value, name_of
from archlang import tree
from archlang.diagnostics import Diagnostic, Label
from archlang.values import compare, show

__all__ = ["FIGURES", "claims_of", "report_stray", "verify"]

FIGURES = ("params", "buffers", "macs", "flops")

Claim = tree.Expect | tree.Require
Lowered = Callable[[BlockValue], Program | None]


def claims_of(
    file: LoadedFile, net: tree.Block, target: BlockValue
) -> list[tuple[LoadedFile, Claim]]:
    """The claims of a net, each with the file that it stands in.

    Args:
        file: where the net stands.
        net: the net; what is claimed directly below it is claimed of it.
        target: the net whose body is lowered, the net itself or one that it applies; what is
            claimed inside that body holds for all that apply it.
    """
    body = target.block.body
    inside = body.statements if isinstance(body, tree.Body) else ()
    claims = [(target.file, s) for s in inside if isinstance(s, (tree.Expect, tree.Require))]
    below = [(file, claim) for claim, owner in file.claims if owner is net]
    return [*claims, *[(f, c) for f, c in below if not isinstance(c, tree.Published)]]


def report_stray(file: LoadedFile, session: Session) -> None:
    """Report the claims of a file that stand below no net, and so are about nothing."""
    for claim, owner in file.claims:
        if isinstance(owner, tree.Block) and owner.kind == "net":
            continue
        what = "this" if isinstance(claim, tree.Published) else "this claim"
        message = f"{what} stands below no net, so it is about none"
        help = "put it directly below the net that it is about, or into its body"
        session.diagnostics.add(Diagnostic("stray-claim", message, (Label(claim.span),), help=help))


def verify(
    program: Program,
    claims: list[tuple[LoadedFile, Claim]],
    session: Session,
    lowered: Lowered,
) -> tuple[str, ...]:
    """Verify the claims of a net; what does not hold is reported, with both figures.

    Args:
        program: the net.
        claims: what is claimed of it, each with the file that it stands in.
        session: takes the diagnostics.
        lowered: gives another net of the file, for claims that compare two.

    Returns:
        The claims that hold and compare the net with another one, as the file writes them.
    """
    others: list[str] = []
    compared: list[str] = []

    def figure(block: BlockValue, attribute: tree.Attribute) -> Any:
        others.append(attribute.span.text)
        return _figure_of(block, attribute.name, lowered, attribute)

    session.figure = figure
    given = {**dict(program.region.arguments), **dict(program.hyperparameters)}
    figures: dict[bool, dict[str, Any]] = {}
    for file, claim in claims:
        training = isinstance(claim, tree.Expect) and claim.training
        if training not in figures:
            figures[training] = _figures(program, training)
        scope = Scope(file.scope, {**given, **figures[training]})
        ctx = Context(session, None, scope, file)
        others.clear()
        try:
            _verify(claim, ctx)
        except Problem as problem:
            ctx.report(problem.diagnostic)
            continue
        if others:
            compared.append(_text_of(claim))
    session.figure = None
    return tuple(compared)


def _text_of(claim: Claim) -> str:
    """A claim as the file writes it, on one line."""
    return " ".join(claim.span.text.split()).split(" ", 1)[1]


def _figures(program: Program, training: bool) -> dict[str, Any]:
    totals = cost(program, training=training)
    outputs = [o for o in program.region.outputs if training or not o.training]
    shapes = {o.name: o.shape.sizes for o in outputs}
    inputs = {p.name: p.shape.sizes for p in program.region.inputs}
    figures = {name: getattr(totals, name) for name in FIGURES}
    only_output = next(iter(shapes.values())) if len(shapes) == 1 else tuple(shapes.values())
    only_input = next(iter(inputs.values())) if len(inputs) == 1 else tuple(inputs.values())
    return {**figures, "output": only_output, "input": only_input}


def _figure_of(block: BlockValue, name: str, lowered: Lowered, attribute: tree.Attribute) -> Any:
    program = lowered(block)
    if program is None:
        return POISON
    figures = _figures(program, training=False)
    if name not in figures:
        message = f"a net has no figure {name}"
        help = f"its figures are {', '.join(figures)}"
        raise Problem("unknown-attribute", message, attribute.span, help=help)
    return figures[name]


def _verify(claim: tree.Expect | tree.Require, ctx: Context) -> None:
    if isinstance(claim, tree.Require):
        holds = condition(claim.condition, ctx)
        if holds is False:
            message = f"the requirement does not hold: {_facts(claim.condition, ctx)}"
            raise Problem("claim-failed", message, claim.condition.span)
        return
    subject = _value(claim.subject, ctx)
    value = _value(claim.value, ctx)
    if subject is POISON or value is POISON:
        return
    if isinstance(subject, tuple) and not isinstance(value, tuple):
        value = (value,)
    if not _holds(claim, subject, value):
        _fail(claim, subject, value)


def _value(expr: tree.Expr, ctx: Context) -> Any:
    help = f"figures are {', '.join(FIGURES)}, output, input, and `Net.macs` of another net"
    try:
        found = evaluate(expr, ctx)
    except Problem as problem:
        raise _with_help(problem, help) from problem
    if found is POISON or is_value(found):
        return found
    message = f"a claim compares figures, found {name_of(found)}"
    raise Problem("argument-type", message, expr.span, help=help)


def _with_help(problem: Problem, help: str) -> Problem:
    # An unknown name in a claim is a figure that there is not, rather than an operator misspelt.
    found = problem.diagnostic
    if found.code != "unknown-name":
        return problem
    return Problem(found.code, found.message, found.span, help=help)


def _holds(claim: tree.Expect, subject: Any, value: Any) -> bool:
    if claim.within is not None:
        return _near(claim, subject, value)
    if claim.relation != "=":
        from archc.lower.context import ALGEBRA

        with guarded(claim.span):
            return compare(claim.relation, subject, value, ALGEBRA)
    return _equal(claim, subject, value)


def _near(claim: tree.Expect, subject: Any, value: Any) -> bool:
    assert claim.within is not None
    numbers = (int, float)
    if not isinstance(subject, numbers) or not isinstance(value, numbers):
        message = f"`within` compares numbers, found {show(subject)} and {show(value)}"
        raise Problem("argument-type", message, claim.span)
    difference = abs(subject - value)
    if claim.relation in ("<", "<="):
        difference = max(subject - value, 0)
    if claim.relation in (">", ">="):
        difference = max(value - subject, 0)
    # Percent of the claimed figure; whole numbers, so that the bound itself is inside.
    return difference * 100 <= abs(value) * claim.within.value


def _equal(claim: tree.Expect, subject: Any, value: Any) -> bool:
    if isinstance(subject, tuple) and not isinstance(value, tuple):
        value = (value,)  # `(10)` is a shape of one axis here
    if isinstance(subject, tuple) and isinstance(value, tuple):
        pairs = list(zip(subject, value, strict=False))
        return len(subject) == len(value) and all(_equal(claim, a, b) for a, b in pairs)
    if isinstance(subject, float) or isinstance(value, float):
        return _close(subject, value)
    if isinstance(value, (bool, str)) or isinstance(subject, str):
        return bool(subject == value)
    if isinstance(subject, (tuple, list)) or isinstance(value, (tuple, list)):
        return type(subject) is type(value) and bool(subject == value)
    answer = same(subject, value)
    if answer is None:
        message = f"whether {show(subject)} is {show(value)} cannot be known"
        raise Problem("undecided", message, claim.span)
    return answer


def _close(subject: Any, value: Any) -> bool:
    """Whether two figures are equal, of which at least one is a real."""
    if isinstance(subject, (int, float)) and isinstance(value, (int, float)):
        return abs(subject - value) <= 1e-12 * max(abs(subject), abs(value))
    # A quotient of sizes takes a real as the simplest fraction; no other formula is one.
    is_quotient = isinstance(subject, Ratio) or isinstance(value, Ratio)
    return is_quotient and bool(subject == value)


def _fail(claim: tree.Expect, subject: Any, value: Any) -> None:
    what = claim.subject.span.text
    claimed = _written(value)
    relation = "" if claim.relation == "=" else f"{claim.relation} "
    within = "" if claim.within is None else f" within {claim.within.text}%"
    message = f"{what} is {_written(subject)}, claimed {relation}{claimed}{within}"
    more = (Label(claim.subject.span, _written(subject)),)
    raise Problem("claim-failed", message, claim.value.span, label="claimed", more=more)


def _written(value: Any) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}".replace(",", "_") if abs(value) >= 10_000 else str(value)
    if isinstance(value, tuple):
        parts = [_written(item) if isinstance(item, tuple) else show(item) for item in value]
        return f"({', '.join(parts)})"
    return show(value)


def _facts(expr: tree.Expr, ctx: Context) -> str:
    if isinstance(expr, tree.Binary) and expr.operator in ("and", "or"):
        parts = [_facts(part, ctx) for part in (expr.left, expr.right)]
        return " and ".join(part for part in parts if part)
    if isinstance(expr, tree.Compare):
        return _fact_of(expr, ctx)
    return expr.span.text


def _fact_of(expr: tree.Compare, ctx: Context) -> str:
    if condition(expr, ctx) is True:
        return ""
    found = [_value(operand, ctx) for operand in expr.operands]
    parts = zip(expr.operands, found, strict=True)
    named = [f"{operand.span.text} is {_written(v)}" for operand, v in parts if not _plain(operand)]
    return f"{', '.join(named)}, not {expr.span.text}"


def _plain(operand: tree.Expr) -> bool:
    return isinstance(operand, tree.Number)
