"""What can be known of definitions that nothing uses: names, arguments, recursion."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from archc.lower.closures import free_names
from archc.lower.context import Context, Problem, Session
from archc.lower.evaluate import evaluate, lookup
from archc.lower.files import LoadedFile
from archc.lower.operator_arguments import make_operator
from archc.lower.things import POISON, OperatorValue, Scope
from archlang import tree
from archlang.diagnostics import Diagnostic, Label

__all__ = ["find_cycles", "resolve_chain", "resolve_file"]


# --- recursion -----------------------------------------------------------------------------------


def find_cycles(file: LoadedFile, session: Session) -> None:
    """Report blocks and functions that come back to themselves, and mark them in the session."""
    done: set[int] = set()
    for name in file.definitions:
        _visit(file.scope.file, name, [], done, session)


def _visit(
    file: LoadedFile,
    name: str,
    stack: list[tuple[LoadedFile, str]],
    done: set[int],
    session: Session,
) -> None:
    owner, original = _owner(file, name)
    definition = owner.definitions.get(original)
    if definition is None or isinstance(definition, tree.Constant) or id(definition) in done:
        return
    if (owner, original) in stack:
        _report_cycle(stack[stack.index((owner, original)) :], session)
        return
    stack.append((owner, original))
    for mentioned in _mentions(definition):
        if len(stack) < 300:
            _visit(owner, mentioned, stack, done, session)
    stack.pop()
    done.add(id(definition))


def _owner(file: LoadedFile, name: str) -> tuple[LoadedFile, str]:
    while name not in file.definitions and name in file.imports:
        file, name = file.imports[name]
    return file, name


def _mentions(definition: tree.Let | tree.Block) -> Iterator[str]:
    hidden = {p.name for p in definition.parameters or ()}
    inside = definition.value if isinstance(definition, tree.Let) else definition.body
    yield from (name for name in free_names(inside) if name not in hidden)
    if isinstance(definition, tree.Block):
        for parameter in definition.parameters or ():
            if parameter.default is not None:
                yield from free_names(parameter.default)


def _report_cycle(cycle: list[tuple[LoadedFile, str]], session: Session) -> None:
    names = [name for _, name in cycle]
    shown = " -> ".join([*names, names[0]])
    definitions = [file.definitions[name] for file, name in cycle]
    for definition in definitions:
        session.cyclic[id(definition)] = shown
    spans = [getattr(d, "name_span", None) or d.span for d in definitions]
    message = (
        f"{names[0]} contains itself: {shown}" if len(names) > 1 else f"{names[0]} contains itself"
    )
    more = tuple([Label(span) for span in spans[1:]])
    help = "repeat a block with `[...]*n`; a block cannot contain itself"
    if isinstance(definitions[0], tree.Let):
        help = "a function on values does not call itself"
    session.diagnostics.add(Diagnostic("recursion", message, (Label(spans[0]), *more), help=help))


# --- names and arguments -------------------------------------------------------------------------


class _Anything(Scope):
    """A scope in which the names of a body mean something that says nothing more."""

    def __init__(self, parent: Scope, names: set[str]) -> None:
        super().__init__(parent, dict.fromkeys(names, POISON))


def resolve_file(file: LoadedFile, session: Session) -> None:
    """Check the names and the arguments of every definition of a file, used or not."""
    for definition in file.definitions.values():
        if isinstance(definition, tree.Block):
            _resolve_block(file, definition, session)
        elif isinstance(definition, tree.Let):
            names = {p.name for p in definition.parameters} | _given_in(definition.value)
            ctx = Context(session, None, _Anything(file.scope, names), file)
            _resolve(definition.value, ctx)
        else:
            ctx = Context(session, None, file.scope, file)
            try:
                file.scope.find(definition.name)
            except Problem as problem:
                ctx.report(problem.diagnostic)
    _resolve_defaults(file, session)


def resolve_chain(chain: tree.Expr, ctx: Context) -> None:
    """Check the names and the arguments of a bare chain whose open parameters are not given."""
    names = _given_in(chain) | {"x"}
    scope = _Anything(ctx.scope, names)
    _resolve(chain, Context(ctx.session, None, scope, ctx.file, identity=POISON))


def _resolve_defaults(file: LoadedFile, session: Session) -> None:
    ctx = Context(session, None, file.scope, file)
    for definition in file.file.definitions:
        if isinstance(definition, tree.Default):
            call = tree.Call(definition.span, definition.operator, definition.arguments)
            _try(lambda call=call: evaluate(call, ctx), ctx)


def _resolve_block(file: LoadedFile, block: tree.Block, session: Session) -> None:
    names = {"x"} | {p.name for p in block.parameters or ()} | _given_in(block.body)
    ctx = Context(session, None, _Anything(file.scope, names), file, identity=POISON)
    if block.kind == "cell":
        _resolve_cell(block, ctx)
    for parameter in block.parameters or ():
        for part in (parameter.domain, parameter.default):
            if part is not None:
                _resolve(part, ctx)
    _resolve(block.body, ctx)


def _resolve_cell(block: tree.Block, ctx: Context) -> None:
    from archc.lower.plans import named_steps, plan_of

    _try(lambda: plan_of(block), ctx)
    ctx.scope.names.update(dict.fromkeys({"t", *named_steps(block)}, POISON))


def _given_in(node: Any) -> set[str]:
    """The names that a body gives, wherever it does."""
    found: set[str] = set()
    for one in _all(node):
        match one:
            case tree.Assign():
                found.update(t.name for t in one.targets if isinstance(t, tree.Name))
                found.update(
                    t.value.name
                    for t in one.targets
                    if isinstance(t, tree.Index) and isinstance(t.value, tree.Name)
                )
            case tree.Named() | tree.Share() | tree.Param() | tree.Input() | tree.Output():
                if one.name is not None:
                    found.add(one.name)
            case tree.For():
                found.update(n.name for n in _all(one.pattern) if isinstance(n, tree.Name))
    return found


def _all(node: Any) -> Iterator[tree.Node]:
    stack: list[Any] = [node]
    while stack:
        current = stack.pop()
        if isinstance(current, tuple):
            stack.extend(current)
        elif isinstance(current, tree.Node):
            yield current
            stack.extend(
                [v for v in current.__dict__.values() if isinstance(v, (tuple, tree.Node))]
            )


def _resolve(node: tree.Node, ctx: Context) -> None:
    match node:
        case tree.Name():
            _try(lambda: lookup(node, ctx), ctx)
            return
        case tree.Call():
            _resolve_call(node, ctx)
            return
        case tree.Expect() | tree.Require() | tree.Published() | tree.For():
            # Claims have names of their own, and are read when the net is whole.
            if isinstance(node, tree.For):
                _resolve(node.iterable, ctx)
            return
        case tree.Param():
            _resolve(node.shape, ctx)
            return
        case tree.Assign():
            _resolve(node.value, ctx)
            return
        case tree.Chain():
            for step in node.steps[1:]:
                _resolve_step(step, ctx)
    for value in node.__dict__.values():
        for child in value if isinstance(value, tuple) else (value,):
            if isinstance(child, tree.Node):
                _resolve(child, ctx)


def _resolve_step(step: tree.Expr, ctx: Context) -> None:
    if ctx.session.sketch or not isinstance(step, (tree.Name, tree.Call)):
        return
    try:
        thing = evaluate(step, ctx)
    except Problem:
        return
    if isinstance(thing, OperatorValue) and thing.op.family != "input":
        _try(lambda: make_operator(thing, step.span, ctx), ctx)


def _resolve_call(call: tree.Call, ctx: Context) -> None:
    if isinstance(call.function, tree.Name):
        _try(lambda: evaluate(call, ctx), ctx)
    words = _words(call, ctx)
    for argument in call.arguments:
        value = argument.value
        inside = list(_all(value)) if isinstance(value, tree.Tuple) else [value]
        if words and all(isinstance(v, (tree.Name, tree.Tuple)) for v in inside):
            continue
        _resolve(value, ctx)


def _words(call: tree.Call, ctx: Context) -> bool:
    # The bare names in an operator's arguments may be words (`pad=same`), which only it can tell.
    try:
        callee = evaluate(call.function, ctx)
    except Problem:
        return True
    return isinstance(callee, OperatorValue) or callee is POISON


def _try(action: Any, ctx: Context) -> None:
    try:
        action()
    except Problem as problem:
        ctx.report(problem.diagnostic)
