"""Cells: a sequence flows in, and the equations of one step run along it."""

from __future__ import annotations

from typing import Any

from archc.dims import same
from archc.graph import Region, Scan
from archc.lower.attempts import Attempt, Cell
from archc.lower.body import prepare
from archc.lower.builder import Builder
from archc.lower.context import Context, Problem
from archc.lower.guessing import solve
from archc.lower.lengths import counts_of
from archc.lower.operators import flatten
from archc.lower.plans import Plan, plan_of
from archc.lower.regions import join_streams
from archc.lower.steps import Start
from archc.lower.streams import stream
from archc.lower.things import POISON, Bundle, Scope, Stream, is_stream, name_of
from archc.shapes import Axis, Lengths, Shape
from archlang import tree
from archlang.diagnostics import Label

__all__ = ["run_cell"]


def run_cell(block: tree.Block, names: dict[str, Any], ctx: Context, states: bool = False) -> Any:
    """Lower a cell at work on what flows in; returns the sequences that leave it, in a bundle with
    the final states where `states` asks for them.

    Raises:
        Problem: when the equations are no equations, or what flows in does not run in time.
    """
    plan = plan_of(block)
    inputs = _inputs(block, plan, ctx)
    if inputs is POISON:
        return POISON
    outer = ctx.with_scope(Scope(ctx.file.scope, {**names, **inputs}))
    for parameter in block.parameters or ():
        outer.scope.spans[parameter.name] = parameter.span
    starts = _before(plan, outer)
    if starts is None:
        return POISON
    found = solve(Cell(block, plan, inputs, starts), outer)
    if found is None:
        return POISON
    sequences, last = _scan(block, found, inputs, starts, ctx)
    return Bundle((sequences, last)) if states else sequences


# --- what flows in -------------------------------------------------------------------------------


def _inputs(block: tree.Block, plan: Plan, ctx: Context) -> Any:
    """The sequences that flow in, by the names that the cell gives them."""
    incoming = ctx.incoming
    if incoming is POISON:
        return POISON
    items = list(incoming.items) if isinstance(incoming, Bundle) else [incoming]
    names = [entry.name for entry in plan.inputs] or ["x"]
    if len(items) != len(names):
        takes = f"{len(names)} sequence{'s' * (len(names) > 1)}"
        flows = "one flows in" if len(items) == 1 else f"a bundle of {len(items)} flows in"
        help = f"name them: `in {', '.join('abcdefgh'[: len(items)])}`" if len(items) > 1 else None
        message = f"{block.name} takes {takes}, {flows}"
        raise Problem("stream-count", message, block.name_span or block.span, help=help)
    found = dict(zip(names, items, strict=True))
    for name, item in found.items():
        _check_time(item, block)
        if plan.inputs and ctx.builder is not None:
            ctx.builder.name_input(item, name)
    _check_steps(found)
    return found


def _check_time(item: Any, block: tree.Block) -> None:
    if not isinstance(item, Stream):
        message = f"{block.name} runs along a sequence, found {name_of(item)}"
        raise Problem("not-in-time", message, block.name_span or block.span)
    if item.shape.steps == 0:
        return
    message = f"{block.name} is a cell and runs along T, but {item.shape} has no steps"
    help = "begin with SEQUENCE(T, ...) or TOKENS(T, ...), or put `REPEAT(10) ->` before the cell"
    if item.shape.steps is not None:
        message = f"{block.name} runs along T, which is not the first axis of {item.shape}"
        help = "put the steps first with RESHAPE"
    raise Problem("not-in-time", message, item.span, help=help)


def _check_steps(inputs: dict[str, Stream]) -> None:
    first, *others = inputs.items()
    for name, item in others:
        steps, other = first[1].shape.sizes[0], item.shape.sizes[0]
        if same(steps, other) is True:
            _check_lengths(first, (name, item))
            continue
        message = f"{first[0]} has {steps} steps and {name} has {other}"
        help = f"a stream that does not run along is a parameter of the cell: `{name}` in (...)"
        more = (Label(first[1].span, str(first[1].shape)),)
        raise Problem("steps-differ", message, item.span, more=more, help=help)


def _check_lengths(first: tuple[str, Stream], other: tuple[str, Stream]) -> None:
    found = {one.shape.axes[0].lengths for _, one in (first, other)} - {None}
    if len(found) < 2:
        return
    message = f"{first[0]} and {other[0]} run together, and are padded in two ways"
    help = "let one of them be a parameter of the cell, or give both the same lengths"
    more = (Label(first[1].span, str(first[1].shape)),)
    raise Problem("padded-steps", message, other[1].span, more=more, help=help)


# --- before the first step -----------------------------------------------------------------------


def _before(plan: Plan, ctx: Context) -> dict[str, Start] | None:
    """What `h[0] = ...` gives, by name; None after an error."""
    failed = not prepare(plan.once, ctx)
    found: dict[str, Start] = {}
    for statement in plan.starts:
        try:
            _start(statement, plan, found, ctx)
        except Problem as problem:
            ctx.report(problem.diagnostic)
            failed = True
    poisoned = any(start.stream is POISON for start in found.values())
    return None if failed or poisoned else found


def _start(statement: tree.Assign, plan: Plan, found: dict[str, Start], ctx: Context) -> None:
    names = [_started(target, plan, found) for target in statement.targets]
    made = stream(statement.value, ctx)
    items = [made] * len(names) if made is POISON else _streams(made)
    if len(items) != len(names):
        wanted = f"{' and '.join(f'{name}[0]' for name in names)}"
        message = f"{wanted} {'is one stream' if len(names) == 1 else 'are streams'}, found "
        help = "name one for each: `h[0], c[0] = m.state`"
        raise Problem("stream-count", message + name_of(made), statement.value.span, help=help)
    for name, item in zip(names, items, strict=True):
        found[name] = Start(item, statement.span)


def _streams(made: Any) -> list[Any]:
    return flatten(made) if is_stream(made) else []


def _started(target: tree.Name | tree.Index, plan: Plan, found: dict[str, Start]) -> str:
    """The name of which a target says what comes before the first step."""
    assert isinstance(target, tree.Index)
    name = target.value.span.text
    if name in found:
        more = (Label(found[name].span, "given here first"),)
        raise Problem("doubled-name", f"{name}[0] is given twice", target.span, more=more)
    if name not in plan.remembered:
        message = f"{name}[0] is never read: no equation mentions {name}[t-1]"
        raise Problem("unknown-state", message, target.span, help=f"read it: `{name}[t-1]`")
    return name


# --- the scan ------------------------------------------------------------------------------------


def _scan(
    block: tree.Block,
    found: Attempt,
    inputs: dict[str, Stream],
    starts: dict[str, Start],
    ctx: Context,
) -> tuple[Any, Bundle]:
    builder = ctx.builder
    assert builder is not None
    steps = _time(list(inputs.values()))
    builder.share_names(found.step.builder)
    region = found.region
    timed = [builder.wire(one) for one in inputs.values()]
    first = [builder.wire(start.stream) for start in starts.values()]
    region, seen = _counted(found.step.builder, region, steps.lengths, ctx)
    whole, lends = join_streams(found.step.builder, region, ctx)
    counted = None if seen is None else len(timed) + len(first) + seen
    sequences = [_along(steps, output.shape) for output in region.outputs]
    node = Scan(
        "", (*timed, *first, *whole), (*sequences, *[s.shape for s in found.states]),
        block.name_span or block.span, None, region, steps.size, len(timed), len(first),
        found.states, False, lends, counted, steps.lengths,
    )  # fmt: skip
    made = builder.add(node)
    last = zip(found.states, made[len(sequences) :], strict=True)
    own = [(state.name, one) for state, one in last if state.name not in inputs]
    final = Bundle(tuple([one for _, one in own]), tuple([name for name, _ in own]))
    return found.arrange(made[: len(sequences)]), final


def _time(inputs: list[Stream]) -> Axis:
    """The axis that all sequences share, with the padding that any of them has."""
    axes = [one.shape.axes[0] for one in inputs]
    return next((axis for axis in axes if axis.lengths is not None), axes[0])


def _counted(
    inner: Builder, region: Region, lengths: Lengths | None, ctx: Context
) -> tuple[Region, int | None]:
    """The step with the lengths among what it sees whole, and which of those they are."""
    if lengths is None:
        return region, None
    counts = counts_of(lengths, ctx)
    place = inner.wire(counts).port
    if place == len(region.inputs):
        captured = region.captured + 1
        region = region.replace(inputs=tuple(inner.ports), captured=captured)
    return region, place - inner.proper


def _along(steps: Axis, step: Shape) -> Shape:
    return step.replace(axes=(steps, *step.axes))
