"""The equations of a cell, sorted: what is done once, what at each step, and in which order."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from archc.lower.context import Problem
from archc.lower.steps import runs_in_time
from archlang import tree
from archlang.diagnostics import Label
from archlang.record import Record
from archlang.source import Span

__all__ = ["Plan", "named_steps", "plan_of"]


class Plan(Record):
    """What a cell does when.

    Args:
        once: `param` and `share`, before the first step.
        starts: `h[0] = ...`, before the first step.
        step: the statements of one step, each behind those that it needs.
        inputs: the entries of `in`; none where the one input is called x.
        timed: the names with an equation or a named output, with the place.
        remembered: the names of which an earlier step is read.
    """

    once: tuple[tree.Statement, ...]
    starts: tuple[tree.Assign, ...]
    step: tuple[tree.Statement, ...]
    inputs: tuple[tree.Input, ...]
    timed: dict[str, Span]
    remembered: dict[str, Span]


def plan_of(block: tree.Block) -> Plan:
    """Sort the equations of a cell.

    Raises:
        Problem: time-index where `t` is misused, cycle-without-delay for equations that need each
            other in one step, unknown-state for a memory without an equation.
    """
    _refuse_other_t(block)
    statements = _statements(block)
    once: list[tree.Statement] = []
    starts: list[tree.Assign] = []
    step: list[tree.Statement] = []
    inputs: tuple[tree.Input, ...] = ()
    for statement in statements:
        match statement:
            case tree.In():
                inputs += statement.inputs
            case tree.Assign():
                if _starts(statement):
                    starts.append(statement)
                else:
                    step.append(statement)
            case tree.Out():
                step.append(statement)
            case _:
                once.append(statement)
    timed = _timed(step)
    remembered = _remembered(step)
    given = {entry.name for entry in inputs} or {"x"}
    _refuse_unknown(block, timed, given, step)
    ordered = _ordered(step)
    return Plan(tuple(once), tuple(starts), ordered, inputs, timed, remembered)


def _statements(block: tree.Block) -> tuple[tree.Statement, ...]:
    if isinstance(block.body, tree.Body):
        return block.body.statements
    span = block.body.span
    return (tree.Out(span, (tree.Output(span, block.body),)),)


# --- what the left sides say ---------------------------------------------------------------------


def _starts(statement: tree.Assign) -> bool:
    """Whether it is `h[0] = ...`."""
    kinds = {_side(target) for target in statement.targets}
    if kinds == {"start"}:
        return True
    if "start" in kinds:
        message = "`h[0]` stands alone on the left of `=`"
        raise Problem("time-index", message, statement.targets[0].span)
    return False


def _side(target: tree.Name | tree.Index) -> str:
    if isinstance(target, tree.Name):
        return "local"
    name = target.value.span.text
    index: Any = target.index
    if isinstance(index, tree.Name) and index.name == "t":
        return "equation"
    if isinstance(index, tree.Number) and index.value == 0:
        return "start"
    message = f"{target.span.text} on the left of `=`: an equation says what {name}[t] is"
    help = f"write `{name}[t] = ...`, or `{name}[0] = ...` for what it is before the first step"
    raise Problem("time-index", message, target.span, help=help)


def _timed(step: list[tree.Statement]) -> dict[str, Span]:
    found: dict[str, Span] = {}
    for statement in step:
        if isinstance(statement, tree.Assign):
            for target in statement.targets:
                if isinstance(target, tree.Index):
                    found.setdefault(target.value.span.text, target.span)
        elif isinstance(statement, tree.Out):
            for output in statement.outputs:
                if output.name is not None:
                    found.setdefault(output.name, output.span)
    locals_ = set(_locals(step))
    return {name: span for name, span in found.items() if name not in locals_}


def _locals(step: list[tree.Statement]) -> Iterator[str]:
    for statement in step:
        if isinstance(statement, tree.Assign):
            yield from (t.name for t in statement.targets if isinstance(t, tree.Name))
        yield from (one.name for one in _below(statement) if isinstance(one, tree.Named))


# --- what the right sides say --------------------------------------------------------------------


def _values(statement: tree.Statement) -> tuple[tree.Expr, ...]:
    if isinstance(statement, tree.Assign):
        return (statement.value,)
    assert isinstance(statement, tree.Out)
    return tuple([output.value for output in statement.outputs])


def _remembered(step: list[tree.Statement]) -> dict[str, Span]:
    found: dict[str, Span] = {}
    for one in _steps_in(step):
        if not _is_now(one):
            found.setdefault(one.value.name, one.span)
    return found


def _is_step(node: Any) -> bool:
    if not isinstance(node, tree.Index) or not isinstance(node.value, tree.Name):
        return False
    return runs_in_time(node.index)


def _is_now(node: tree.Index) -> bool:
    return isinstance(node.index, tree.Name)


def _refuse_unknown(
    block: tree.Block, timed: dict[str, Span], given: set[str], step: list[tree.Statement]
) -> None:
    locals_ = set(_locals(step))
    whole = {parameter.name for parameter in block.parameters or ()}
    for one in _steps_in(step):
        name = one.value.name
        if name in timed or name in given:
            continue
        message = f"{one.span.text} needs an equation that says what {name}[t] is"
        help = f"write `{name}[t] = ...`"
        if name in locals_:
            message = f"{name} is not kept from step to step: its equation has no [t]"
        elif name in whole:
            message = f"{name} does not run in time: each step sees the whole of it"
            help = f"write `{name}`, or let it flow in: `in x, {name}`"
        raise Problem("unknown-state", message, one.span, help=help)


def _steps_in(step: list[tree.Statement]) -> Iterator[Any]:
    for statement in step:
        for value in _values(statement):
            yield from (one for one in _below(value) if _is_step(one))


def named_steps(block: tree.Block) -> set[str]:
    """The names that stand before `[t]` and the like, with a meaning or without."""
    return {one.value.name for one in _below(block.body) if _is_step(one)}


def _refuse_other_t(block: tree.Block) -> None:
    """Nothing but the step is called t in a cell."""
    for parameter in block.parameters or ():
        if parameter.name == "t":
            raise _called_t(parameter.span)
    for one in _below(block.body):
        match one:
            case tree.Named(name="t"):
                raise _called_t(one.name_span)
            case tree.Share(name="t") | tree.Param(name="t") | tree.Input(name="t"):
                raise _called_t(one.span)
            case tree.Output(name="t"):
                raise _called_t(one.span)
            case tree.Assign():
                for target in one.targets:
                    if isinstance(target, tree.Name) and target.name == "t":
                        raise _called_t(target.span)


def _called_t(span: Span) -> Problem:
    message = "in a cell `t` is the step: nothing else is called so"
    return Problem("time-index", message, span, help="give it another name")


# --- the order -----------------------------------------------------------------------------------


def _ordered(step: list[tree.Statement]) -> tuple[tree.Statement, ...]:
    givers: dict[str, int] = {}
    for number, statement in enumerate(step):
        for name in _gives(statement):
            givers.setdefault(name, number)
    needs = [_needs(statement) for statement in step]
    placed: dict[int, None] = {}
    for number in range(len(step)):
        _place(number, [], step, givers, needs, placed)
    return tuple([step[number] for number in placed])


def _place(
    number: int,
    path: list[int],
    step: list[tree.Statement],
    givers: dict[str, int],
    needs: list[dict[str, Span]],
    placed: dict[int, None],
) -> None:
    if number in placed:
        return
    if number in path:
        raise _cycle([*path[path.index(number) :], number], step, givers, needs)
    for name in needs[number]:
        giver = givers.get(name)
        own = giver == number and not name.endswith("[t]")
        if giver is not None and not own:
            _place(giver, [*path, number], step, givers, needs, placed)
    placed[number] = None


def _cycle(
    path: list[int],
    step: list[tree.Statement],
    givers: dict[str, int],
    needs: list[dict[str, Span]],
) -> Problem:
    links = []
    for one, other in pairwise(path):
        links.append(next(n for n in needs[one] if givers.get(n) == other))
    shown = " -> ".join([links[-1], *links])
    first = needs[path[0]][links[0]]
    more = tuple([Label(needs[n][link]) for n, link in zip(path[1:-1], links[1:], strict=False)])
    last = next((link for link in links if link.endswith("[t]")), links[0])
    message = f"these equations need each other in the same step: {shown}"
    if len(links) == 1:
        message = f"the equation of {links[0]} needs {links[0]} itself"
    help = f"read the step before: `{last.removesuffix('[t]')}[t-1]`"
    return Problem("cycle-without-delay", message, first, more=more, help=help)


def _gives(statement: tree.Statement) -> Iterator[str]:
    if isinstance(statement, tree.Assign):
        for target in statement.targets:
            if isinstance(target, tree.Index):
                yield f"{target.value.span.text}[t]"
            else:
                yield target.name
    if isinstance(statement, tree.Out):
        yield from (f"{o.name}[t]" for o in statement.outputs if o.name is not None)
    yield from (one.name for one in _below(statement) if isinstance(one, tree.Named))


def _needs(statement: tree.Statement) -> dict[str, Span]:
    found: dict[str, Span] = {}
    stack: list[Any] = list(_values(statement))
    while stack:
        node = stack.pop()
        if _is_step(node):
            if _is_now(node):
                found.setdefault(f"{node.value.name}[t]", node.span)
        elif isinstance(node, tree.Name):
            found.setdefault(node.name, node.span)
        elif isinstance(node, tuple):
            stack.extend(reversed(node))
        elif isinstance(node, tree.Node):
            stack.extend(reversed([v for k, v in node.__dict__.items() if k != "span"]))
    return found


def _below(node: Any) -> Iterator[Any]:
    stack: list[Any] = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, tuple):
            stack.extend(reversed(current))
        elif isinstance(current, tree.Node):
            yield current
            stack.extend(reversed([v for k, v in current.__dict__.items() if k != "span"]))
