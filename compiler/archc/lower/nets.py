"""Nets: from a definition and what the command line gives to a lowered program."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archc.graph import BlockName, Program, Region, RegionOutput
from archc.lower.body import run_body
from archc.lower.builder import Builder
from archc.lower.context import Context, Frame, Problem, Session
from archc.lower.evaluate import evaluate
from archc.lower.files import LoadedFile
from archc.lower.lengths import without_number
from archc.lower.open import find_open
from archc.lower.operators import flatten
from archc.lower.parameters import check_domain, first_of_domain
from archc.lower.regions import name_places
from archc.lower.resolve import resolve_chain
from archc.lower.streams import stream
from archc.lower.things import (
    POISON,
    BlockValue,
    Scope,
    Stream,
    is_block,
    is_stream,
    is_value,
    name_of,
)
from archlang import tree
from archlang.diagnostics import Diagnostic, Label

__all__ = ["Target", "lower_chain", "lower_net", "target_of"]


class Target:
    """What a net comes down to: the net whose body is lowered, and the parameters in force.

    Attributes:
        block: the net that has a body of its own, with what is given so far.
        applies: its name when the net asked for only applies it.
        missing: names of parameters that nothing gives.
        open: names of the parameters that `-p` may give.
        given: names of those that a net without parameters of its own gives a whole number, which
            `-p` may replace.
        required: those among them that have no value of their own.
        nets: the nets from the one that was asked for to the one whose body is lowered, each with
            its file.
    """

    def __init__(self, block: BlockValue, applies: str | None) -> None:
        self.block = block
        self.applies = applies
        self.names: dict[str, Any] = {}
        self.missing: list[tree.Parameter] = []
        self.open: list[str] = []
        self.given: list[str] = []
        self.required: set[str] = set()
        self.nets: list[tuple[LoadedFile, tree.Block]] = [(block.file, block.block)]


def target_of(file: LoadedFile, net: tree.Block, session: Session) -> Target | None:
    """Follow a net that only applies another, and bind what can be bound; None after an error."""
    ctx = Context(session, None, file.scope, file)
    try:
        return _follow(BlockValue(file, net), None, ctx, 0, free=False)
    except Problem as problem:
        ctx.report(problem.diagnostic)
        return None


def _follow(
    block: BlockValue, applies: str | None, ctx: Context, depth: int, *, free: bool
) -> Target | None:
    target = Target(block, applies)
    _bind(target, ctx, free=free)
    body = block.block.body
    if target.missing or not isinstance(body, (tree.Name, tree.Call)) or depth > 50:
        return target
    scope = Scope(block.file.scope, target.names)
    inside = Context(ctx.session, None, scope, block.file, frame=ctx.frame)
    head = body.function if isinstance(body, tree.Call) else body
    found = scope.find(head.name) if isinstance(head, tree.Name) else None
    if not isinstance(found, BlockValue) or found.block.kind != "net":
        return target
    if id(found.block) in ctx.session.cyclic:
        return None
    applied = evaluate(body, inside)
    if not isinstance(applied, BlockValue):
        return None
    alone = not block.block.parameters and not target.open
    inner = _follow(applied, applied.block.name, ctx, depth + 1, free=alone)
    if inner is not None:
        inner.nets = [*target.nets, *inner.nets]
        inner.open = [*target.open, *[name for name in inner.open if name not in target.open]]
        inner.required |= target.required
        inner.given += target.given
        inner.names = {
            **{n: target.names[n] for n in target.open if n in target.names},
            **inner.names,
        }
    return inner


def _bind(target: Target, ctx: Context, *, free: bool) -> None:
    """Find the values of a net's parameters.

    Args:
        target: takes them.
        ctx: where the net is asked for.
        free: whether numbers that are given may be others, by `-p`.
    """
    block, session = target.block, ctx.session
    target.names = dict(block.given)
    scope = Scope(block.file.scope, target.names)
    for parameter in block.block.parameters or ():
        given = target.names.get(parameter.name)
        if given is not None:
            if free and type(given) is int:
                _rebind(target, parameter, scope, ctx)
            continue
        target.open.append(parameter.name)
        if parameter.default is None and parameter.domain is None:
            target.required.add(parameter.name)
        inside = Context(session, None, scope, block.file, frame=ctx.frame)
        value = _value(parameter, block, session, inside)
        if value is None:
            target.missing.append(parameter)
            scope.names[parameter.name] = POISON  # what is asked for; later defaults may use it
            continue
        target.names[parameter.name] = value
        scope.names[parameter.name] = value


def _rebind(target: Target, parameter: tree.Parameter, scope: Scope, ctx: Context) -> None:
    target.given.append(parameter.name)
    if parameter.name in ctx.session.bindings:
        value = _value(parameter, target.block, ctx.session, ctx)
        target.names[parameter.name] = scope.names[parameter.name] = value


def _value(parameter: tree.Parameter, block: BlockValue, session: Session, ctx: Context) -> Any:
    if parameter.name in session.bindings:
        session.used.add(parameter.name)
        value = session.bindings[parameter.name]
        check_domain(parameter, value, None, block, ctx)
        return value
    if parameter.default is not None:
        value = evaluate(parameter.default, ctx)
        check_domain(parameter, value, parameter.default.span, block, ctx)
        return value
    return first_of_domain(parameter, ctx)


# --- lowering ------------------------------------------------------------------------------------


def lower_net(net: tree.Block, target: Target, session: Session) -> Program | None:
    """Lower a complete net; None after an error, which the session has collected."""
    block = target.block.block
    names = {p.name: target.names[p.name] for p in block.parameters or ()}
    if any(value is POISON for value in names.values()):
        return None
    builder = Builder(None, [], spent=session.spent)
    session.root = builder
    frame = Frame(net.name, net.name_span or net.span, None) if target.applies else None
    ctx = Context(session, builder, target.block.file.scope, target.block.file, frame=frame)
    name_places(block.body, ctx)
    result = _run(lambda: run_body(block, names, ctx), ctx)
    region = _region(block, names, builder, result, ctx)
    if region is None:
        return None
    told = [*[name for name in target.given if name in session.bindings], *target.open]
    shown = tuple([(n, _shown(target.names[n])) for n in told if n in target.names])
    given = tuple([(n, target.names[n]) for n in target.given if n not in session.bindings])
    file = target.block.file.name
    documentation = net.documentation or block.documentation
    return Program(
        net.name, target.applies, region, file, shown, documentation, tuple(session.notes),
        tuple(_published(target, bool(session.bindings or session.inputs)).items()),
        init=_init(target), given=given,
    )  # fmt: skip


def _published(target: Target, changed: bool) -> dict[str, int | float | str]:
    """What is quoted about a net, and the year of the nets that it applies.

    The rest was measured of one net as it stands: with other arguments, given by a net that applies
    it or from outside, it is another net.
    """
    found: dict[str, int | float | str] = {}
    for net, fact in _facts(target):
        whole = net is target.nets[0][1] and not changed
        if fact.name != "init" and (fact.name == "year" or whole):
            found[fact.name] = fact.value.value
    return found


def _init(target: Target) -> str | None:
    """How weights start: what the net says, or a net that it applies."""
    said = [str(fact.value.value) for _, fact in _facts(target) if fact.name == "init"]
    return said[-1] if said else None


def _facts(target: Target) -> Iterator[tuple[tree.Block, tree.Fact]]:
    """What is said of the nets that a net applies, innermost first, and of itself."""
    for file, net in reversed(target.nets):
        inside = net.body.statements if isinstance(net.body, tree.Body) else ()
        below = [claim for claim, owner in file.claims if owner is net]
        for said in [*inside, *below]:
            if isinstance(said, tree.Published):
                yield from [(net, fact) for fact in said.facts]


def lower_chain(file: LoadedFile, name: str, session: Session) -> Program | None:
    """Lower a file that is one bare chain; what it leaves open is collected by the session."""
    chain = file.file.chain
    assert chain is not None
    builder = Builder(None, [], spent=session.spent)
    session.root = builder
    ctx = Context(session, builder, Scope(file.scope), file)
    session.open.update(find_open(chain, ctx))
    if session.open:
        resolve_chain(chain, ctx)
        return None
    name_places(chain, ctx)
    result = _run(lambda: stream(chain, ctx), ctx)
    block = tree.Block(chain.span, "net", name, None, chain, file.file.documentation)
    region = _region(block, {}, builder, result, ctx, origin=chain)
    if region is None:
        return None
    shown = tuple([(n, v) for n, v in session.bindings.items() if n in session.used])
    return Program(
        name, None, region, file.name, shown, file.file.documentation, tuple(session.notes)
    )


def _run(body: Any, ctx: Context) -> Any:
    try:
        result = body()
    except Problem as problem:
        ctx.report(problem.diagnostic)
        return POISON
    return result


def _shown(value: Any) -> Any:
    return value if is_value(value) else BlockName(name_of(value))


def _region(
    block: tree.Block,
    names: dict[str, Any],
    builder: Builder,
    result: Any,
    ctx: Context,
    origin: Any = None,
) -> Region | None:
    if result is POISON:
        return None
    span = block.name_span or block.span
    if not is_stream(result):
        message = f"{block.name} lets nothing out that flows"
        ctx.report(Diagnostic("no-output", message, (Label(span),)))
        return None
    if not builder.ports:
        message = f"{block.name} has no input"
        help = "begin with INPUT(3, 224, 224), or `in img = INPUT(3, 224, 224)`"
        ctx.report(Diagnostic("no-input", message, (Label(span),), help=help))
        return None
    outputs = _outputs(builder, result)
    arguments = tuple([(n, v) for n, v in names.items() if is_value(v)])
    variant = tuple([f"{n}={name_of(v)}" for n, v in names.items() if is_block(v)])
    return Region(
        block.name,
        "net",
        without_number(builder.ports),
        tuple(builder.nodes),
        outputs,
        origin if origin is not None else block,
        span,
        arguments=arguments,
        shares=tuple(builder.shares),
        variant=variant,
        documentation=block.documentation,
    )


def _outputs(builder: Builder, result: Any) -> tuple[RegionOutput, ...]:
    always = flatten(result)
    given = builder.output_names if len(builder.output_names) == len(always) else []
    names = [name for name in given if name is not None]
    if len(names) != len(always):
        names = ["out"] if len(always) == 1 else [f"out{i}" for i in range(len(always))]
    made = [_output(n, s, builder, False) for n, s in zip(names, always, strict=True)]
    for position, (name, thing) in enumerate(builder.training):
        for one in flatten(thing) if is_stream(thing) else []:
            made.append(_output(name or f"training{position}", one, builder, True))
    return tuple(made)


def _output(name: str, one: Stream, builder: Builder, training: bool) -> RegionOutput:
    return RegionOutput(name, builder.wire(one), one.shape, training)
