"""Walks the tree and computes."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from archlang import tree
from interpreter.cells import Memory, Widths, step_of
from interpreter.layers import LAYERS
from interpreter.plain import PLAIN
from interpreter.recurrent import SEQUENCES
from interpreter.streams import Many, Stream, join, matmul, merge
from interpreter.values import BUILTINS, Scope, arithmetic, bindings_of, compare
from interpreter.weights import Weights

__all__ = ["Interpreter"]

JOINS: dict[str, Callable[[Any, Any], Tensor]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv,
    "**": operator.pow,
}  # fmt: skip
INPUTS = {"INPUT": {1: "c", 2: "cl", 3: "chw", 4: "cdhw"}, "SEQUENCE": {2: "tc", 4: "tchw"}}


class Nothing:
    """NONE: takes no part in a join."""


NONE = Nothing()


class Part:
    """Something that a stream can flow into: an operator, a block or a chain, with arguments."""

    def __init__(self, what: Any, scope: Scope, given: tuple[Any, ...] = ()) -> None:
        self.what, self.scope, self.given = what, scope, given

    def more(self, arguments: Any) -> Part:
        """With further arguments."""
        return Part(self.what, self.scope, (*self.given, *arguments))


class Shared:
    """A module that `share` names: it takes its weights when it is named, once."""

    def __init__(self, part: Part, weights: Weights) -> None:
        self.part, self.weights, self.first = part, weights, list(weights.layers)


class Interpreter:
    """One run of a net.

    Args:
        file: the tree of a whole file.
        weights: those of a module compiled from the same text.
        training: whether `when training` holds.
    """

    def __init__(self, file: tree.File, weights: Weights, *, training: bool = False) -> None:
        self.weights, self.training = weights, training
        self.top = Scope()
        self.defaults: dict[str, dict[str, Any]] = {}
        self.tables: dict[str, Any] = {}  # the layer behind a name, for UNEMBED
        for definition in file.definitions:
            self._define(definition)

    def _define(self, definition: tree.Definition) -> None:
        match definition:
            case tree.Constant():
                self.top.names[definition.name] = self.value(definition.value, self.top)
            case tree.Block():
                self.top.names[definition.name] = Part(definition, self.top)
            case tree.Let():
                self.top.names[definition.name] = self._function(definition)
            case tree.Default():
                given = {a.name: self.value(a.value, self.top) for a in definition.arguments}
                self.defaults.setdefault(definition.operator.name, {}).update(given)  # type: ignore[arg-type]

    def _function(self, let: tree.Let) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            scope = Scope(self.top)
            names = [parameter.name for parameter in let.parameters]
            scope.names.update(zip(names, arguments, strict=True))
            return self.value(let.value, scope)

        return call

    def run(self, net: str, inputs: list[Tensor]) -> list[Tensor]:
        """What a net makes of a batch: its outputs, flat."""
        self.inputs = list(inputs)
        made = self.call(self.top.find(net), None)
        return [one.data for one in _flat(made)]

    # --- blocks and operators -----------------------------------------------------------------

    def call(self, part: Any, incoming: Any) -> Any:
        """Let a stream flow into a part."""
        if isinstance(part, Shared):
            return self._call_shared(part, incoming)
        if isinstance(part.what, str):
            return self._operator(part.what, part.given, incoming)
        if not isinstance(part.what, tree.Block):
            return self.stream(part.what, incoming, Scope(part.scope, incoming))
        if part.what.kind == "cell":
            return self._cell(part, incoming)
        scope = Scope(part.scope, incoming)
        if incoming is not None:
            scope.names["x"] = incoming
        self._bind(part, scope)
        body = part.what.body
        if isinstance(body, tree.Body):
            return self._body(body, incoming, scope)
        return self.stream(body, incoming, scope)

    def _call_shared(self, shared: Shared, incoming: Any) -> Any:
        outer, self.weights = self.weights, shared.weights
        shared.weights.layers = list(shared.first)
        made = self.call(shared.part, incoming)
        assert self.weights.finished()
        self.weights = outer
        return made

    def _bind(self, part: Part, scope: Scope) -> None:
        parameters = part.what.parameters or ()
        positional = [value for name, value in part.given if name is None]
        named = {name: value for name, value in part.given if name is not None}
        free = [p for p in parameters if p.name not in named]
        for parameter, value in zip(free, positional, strict=False):
            named[parameter.name] = value
        for parameter in parameters:
            if parameter.name not in named:
                named[parameter.name] = self._default(parameter, scope)
            scope.names[parameter.name] = named[parameter.name]

    def _default(self, parameter: tree.Parameter, scope: Scope) -> Any:
        if parameter.default is not None:
            return self.value(parameter.default, scope)
        assert parameter.domain is not None
        if isinstance(parameter.domain, tree.Range):
            return self.value(parameter.domain.start, scope)
        return self.value(parameter.domain, scope)[0]

    def _operator(self, name: str, given: tuple[Any, ...], incoming: Any) -> Any:
        if name in INPUTS or name == "TOKENS":
            return self._input(name, given)
        positional = [value for key, value in given if key is None]
        named = {**self._defaults_of(name), **{k: v for k, v in given if k is not None}}
        if name == "UNEMBED":
            table = self.tables[positional[0]]
            made = torch.einsum("...c,vc->...v", incoming.data, table["weight"])
            return incoming.with_data(made)
        function = {**LAYERS, **SEQUENCES}.get(name)
        if function is None:
            return PLAIN[name](incoming, *positional, **named)
        taken = function.__code__.co_varnames[2 : 2 + len(positional)]
        named = {key: value for key, value in named.items() if key not in taken}
        return function(self.weights, incoming, *positional, **named)

    def _defaults_of(self, name: str) -> dict[str, Any]:
        wider = {"DWCONV": "CONV", "POOL": "MAXPOOL"}.get(name)
        inherited = self.defaults.get(wider, {}) if wider else {}
        known = {k: v for k, v in inherited.items() if k not in ("filters", "groups")}
        return {**known, **self.defaults.get(name, {})}

    def _input(self, name: str, given: tuple[Any, ...]) -> Stream:
        data = self.inputs.pop(0)
        axes = "t" if name == "TOKENS" else INPUTS[name][len(given)]
        return Stream(data, tuple(axes))

    # --- cells ----------------------------------------------------------------------------------

    def _cell(self, part: Part, incoming: Any) -> Any:
        scope = Scope(part.scope)
        self._bind(part, scope)
        body = part.what.body
        assert isinstance(body, tree.Body)
        outer, self.memory = self.memory, self._memory(body, incoming, scope)
        memory, outputs = self.memory, []
        # Each step has the weights of the first.
        layers, learned = list(self.weights.layers), list(self.weights.learned)
        for now in range(memory.steps):
            memory.now = now
            self.weights.layers, self.weights.learned = list(layers), list(learned)
            outputs.append(self._step(body, Scope(scope)))
        self.memory = outer
        made = memory.stacked(outputs)
        if isinstance(made, Stream):
            made.state = memory.final()
        return made

    memory: Memory | None = None

    def _memory(self, body: tree.Body, incoming: Any, scope: Scope) -> Memory:
        """What is known before the first step."""
        names = [i.name for s in body.statements if isinstance(s, tree.In) for i in s.inputs]
        streams = list(incoming) if isinstance(incoming, Many) else [incoming]
        sequences = dict(zip(names or ["x"], streams, strict=True))
        starts = {}
        for statement in body.statements:
            start = _start_of(statement)
            if start is not None and isinstance(statement, tree.Assign):
                starts[start] = self.stream(statement.value, None, scope)
        known = {name: one.size("c") for name, one in (sequences | starts).items() if one.axes[1:]}
        widths = Widths(body, scope, self.value, known)
        return Memory(sequences, starts, widths.of)

    def _step(self, body: tree.Body, scope: Scope) -> Any:
        memory = self.memory
        assert memory is not None
        outputs, made = Many(), None
        for statement in body.statements:
            if isinstance(statement, tree.Assign) and _start_of(statement) is None:
                made = self._equation(statement, scope)
            if isinstance(statement, tree.Out):
                for output in statement.outputs:
                    outputs.append(self.stream(output.value, None, scope))
                    if output.name is not None:
                        memory.remember(output.name, outputs[-1])
        if not outputs:
            return made
        return outputs[0] if len(outputs) == 1 else outputs

    def _equation(self, statement: tree.Assign, scope: Scope) -> Any:
        made = self.stream(statement.value, None, scope)
        targets = statement.targets
        for target, part in zip(targets, [made] if len(targets) == 1 else made, strict=True):
            if isinstance(target, tree.Name):
                scope.names[target.name] = part
            else:
                assert self.memory is not None and isinstance(target.value, tree.Name)
                self.memory.remember(target.value.name, part)
        return made

    # --- statements -----------------------------------------------------------------------------

    def _body(self, body: tree.Body, incoming: Any, scope: Scope) -> Any:
        outputs = Many()
        made: Any = None
        for statement in body.statements:
            match statement:
                case tree.In():
                    incoming = self._in(statement, incoming, scope)
                case tree.Assign():
                    made = self._assign(statement, incoming, scope)
                case tree.Out():
                    for output in statement.outputs:
                        found = self.stream(output.value, incoming, scope)
                        if self.training or not output.training:
                            outputs.append(found)
                case tree.Share():
                    self._share(statement, scope)
                case tree.Param():
                    sizes = self.value(statement.shape, scope)
                    self._param(statement.name, sizes, scope)
        if not outputs:
            return made
        return outputs[0] if len(outputs) == 1 else outputs

    def _in(self, statement: tree.In, incoming: Any, scope: Scope) -> Any:
        if incoming is None:
            found = [self.stream(e.value, None, scope) for e in statement.inputs if e.value]
        else:
            found = list(incoming) if isinstance(incoming, Many) else [incoming]
        for entry, one in zip(statement.inputs, found, strict=True):
            scope.names[entry.name] = one
        if len(found) == 1:
            scope.names["x"] = scope.identity = found[0]
            return found[0]
        return incoming

    def _assign(self, statement: tree.Assign, incoming: Any, scope: Scope) -> Any:
        made = self.stream(statement.value, incoming, scope)
        targets = statement.targets
        parts = [made] if len(targets) == 1 else list(made)
        for target, part in zip(targets, parts, strict=True):
            assert isinstance(target, tree.Name)
            scope.names[target.name] = part
        return made

    def _share(self, statement: tree.Share, scope: Scope) -> None:
        part = self.value(statement.value, scope)
        scope.names[statement.name] = Shared(part, self.weights.take_named(statement.name))

    def _param(self, name: str, sizes: Any, scope: Scope) -> None:
        listed = tuple(sizes) if isinstance(sizes, (tuple, list)) else (sizes,)
        axes = {1: "c", 2: "tc", 3: "chw", 4: "cdhw"}[len(listed)]
        data = self.weights.take_learned(listed)
        scope.names[name] = Stream(data.expand(self.batch, *listed), tuple(axes))

    @property
    def batch(self) -> int:
        """The number of samples."""
        return self.samples

    samples = 2

    # --- streams ----------------------------------------------------------------------------------

    def stream(self, expr: tree.Expr, incoming: Any, scope: Scope) -> Any:
        """What an expression is where a stream flows in."""
        match expr:
            case tree.Number():
                return expr.value
            case tree.Paren():
                return self.stream(expr.value, incoming, scope)
            case tree.Name():
                return self._name(expr, incoming, scope)
            case tree.Call():
                return self._call(expr, incoming, scope)
            case tree.Chain():
                made = self.stream(expr.steps[0], incoming, scope)
                for step in expr.steps[1:]:
                    # Behind an arrow ID is the operator that hands on what flows.
                    handed = isinstance(step, tree.Name) and step.name == "ID"
                    made = made if handed else self.stream(step, made, scope)
                return made
            case tree.Group():
                return self._group(expr, incoming, scope)
            case tree.Repeat():
                return self._repeat(expr, incoming, scope)
            case tree.Fork():
                return self._fork(expr, incoming, scope)
            case tree.Bundle():
                return Many([self.stream(item, incoming, scope) for item in expr.items])
            case tree.Binary():
                left = self.stream(expr.left, incoming, scope)
                return _joined(expr.operator, left, self.stream(expr.right, incoming, scope))
            case tree.Unary():
                made = self.stream(expr.operand, incoming, scope)
                return made.with_data(-made.data) if isinstance(made, Stream) else -made
            case tree.Transpose():
                made = self.stream(expr.value, incoming, scope)
                axes = (*made.axes[:-2], made.axes[-1], made.axes[-2])
                return Stream(made.data.transpose(-1, -2), axes)
            case tree.Conditional():
                return self._conditional(expr, incoming, scope)
            case tree.When():
                chosen = expr.then if self.training else expr.otherwise
                return self.stream(chosen, incoming, scope)
            case tree.Named():
                made = self.stream(expr.value, incoming, scope)
                scope.names[expr.name] = made
                self.tables[expr.name] = self.weights.last
                return made
            case tree.Claimed():
                return self.stream(expr.value, incoming, scope)
            case tree.Optional():
                return self.stream(expr.value, incoming, scope)
            case tree.Index():
                ago = step_of(expr.index)
                if ago is not None and self.memory is not None:
                    assert isinstance(expr.value, tree.Name)
                    return self.memory.at(expr.value.name, ago)
                return self._index(self.stream(expr.value, incoming, scope), expr, scope)
        return self.value(expr, scope)

    def _name(self, expr: tree.Name, incoming: Any, scope: Scope) -> Any:
        if scope.has(expr.name):
            found = scope.find(expr.name)
            return self.call(found, incoming) if isinstance(found, (Part, Shared)) else found
        if expr.name == "ID":
            return scope.identity
        if expr.name == "NONE":
            return NONE
        return self._operator(expr.name, (), incoming)

    def _call(self, expr: tree.Call, incoming: Any, scope: Scope) -> Any:
        found = self.value(expr, scope)
        return self.call(found, incoming) if isinstance(found, (Part, Shared)) else found

    def _group(self, group: tree.Group, incoming: Any, scope: Scope) -> Any:
        if not group.clauses:
            return self._copies(group.items[0], incoming, [scope], scope, keep=False)
        return self._copies(group.items[0], incoming, self._scopes(group.clauses, scope), scope)

    def _repeat(self, repeat: tree.Repeat, incoming: Any, scope: Scope) -> Any:
        count = self.value(repeat.count, scope)
        return self._copies(repeat.body.items[0], incoming, [scope] * count, scope)

    def _copies(
        self, item: tree.Expr, incoming: Any, scopes: list[Scope], outer: Scope, keep: bool = True
    ) -> Any:
        named: dict[str, Many] = {}
        for one in scopes:
            inside = Scope(one, incoming)
            incoming = self.stream(item, incoming, inside)
            for name, made in inside.names.items():
                if keep:
                    named.setdefault(name, Many()).append(made)
                else:
                    outer.names[name] = made
        outer.names.update(named)
        return incoming

    def _scopes(self, clauses: tuple[tree.For, ...], scope: Scope) -> list[Scope]:
        scopes = [scope]
        for clause in clauses:
            wider = []
            for outer in scopes:
                for value in self.value(clause.iterable, outer):
                    inner = Scope(outer)
                    inner.names.update(bindings_of(clause.pattern, value))
                    if clause.condition is None or self.value(clause.condition, inner):
                        wider.append(inner)
            scopes = wider
        return scopes

    def _fork(self, fork: tree.Fork, incoming: Any, scope: Scope) -> Any:
        if fork.clauses:
            scopes = self._scopes(fork.clauses, scope)
            made = [self.stream(fork.items[0], incoming, Scope(one, incoming)) for one in scopes]
            return Many(made)
        inside = Scope(scope, incoming)
        made = [self.stream(item, incoming, inside) for item in fork.items]
        scope.names.update(inside.names)
        kept = [one for one in made if one is not NONE]
        return kept[0] if len(fork.items) == 1 else Many(kept)

    def _conditional(self, expr: tree.Conditional, incoming: Any, scope: Scope) -> Any:
        if self.value(expr.condition, scope):
            return self.stream(expr.then, incoming, scope)
        if expr.otherwise is None:
            return incoming
        return self.stream(expr.otherwise, incoming, scope)

    def _index(self, found: Any, expr: tree.Index, scope: Scope) -> Any:
        if isinstance(expr.index, tree.Slice):
            ends = (expr.index.start, expr.index.stop, expr.index.step)
            made = found[slice(*[None if e is None else self.value(e, scope) for e in ends])]
            return Many(made) if isinstance(found, Many) else made
        return found[self.value(expr.index, scope)]

    # --- values -----------------------------------------------------------------------------------

    def value(self, expr: tree.Expr, scope: Scope) -> Any:
        """What an expression is where nothing flows in."""
        match expr:
            case tree.Number() | tree.Text() | tree.Boolean():
                return expr.value
            case tree.Paren():
                return self.value(expr.value, scope)
            case tree.Name():
                if scope.has(expr.name):
                    return scope.find(expr.name)
                if expr.name == "none":
                    return None
                return Part(expr.name, scope) if expr.name.isupper() else expr.name
            case tree.Tuple():
                return tuple([self.value(item, scope) for item in expr.items])
            case tree.Attribute():
                return self._attribute(expr, scope)
            case tree.Index():
                return self._index(self.value(expr.value, scope), expr, scope)
            case tree.Call():
                return self._called(expr, scope)
            case tree.Group():
                if expr.clauses:
                    scopes = self._scopes(expr.clauses, scope)
                    return [self.value(expr.items[0], one) for one in scopes]
                return [self.value(item, scope) for item in expr.items]
            case tree.Unary():
                found = self.value(expr.operand, scope)
                return (not found) if expr.operator == "not" else -found
            case tree.Binary():
                left = self.value(expr.left, scope)
                return arithmetic(expr.operator, left, self.value(expr.right, scope))
            case tree.Compare():
                found = [self.value(operand, scope) for operand in expr.operands]
                pairs = zip(expr.operators, found, found[1:], strict=False)
                return all(compare(sign, left, right) for sign, left, right in pairs)
            case tree.Conditional():
                chosen = expr.then if self.value(expr.condition, scope) else expr.otherwise
                assert chosen is not None
                return self.value(chosen, scope)
        return Part(expr, scope)

    def _attribute(self, expr: tree.Attribute, scope: Scope) -> Any:
        name = expr.value.name if isinstance(expr.value, tree.Name) else ""
        known = scope.has(name) or name != "ID"
        found = self.value(expr.value, scope) if known else scope.identity
        if expr.name == "state":
            states = found.state
            return next(iter(states.values())) if len(states) == 1 else states
        if isinstance(found, dict):
            return found[expr.name]
        if expr.name == "shape":
            return tuple(found.data.shape[1:])
        return found.size(expr.name)

    def _called(self, expr: tree.Call, scope: Scope) -> Any:
        function = expr.function.name if isinstance(expr.function, tree.Name) else ""
        if function in BUILTINS and not scope.has(function):
            return BUILTINS[function](*[self.value(a.value, scope) for a in expr.arguments])
        found = self.value(expr.function, scope)
        if function == "UNEMBED":
            table = expr.arguments[0].value
            assert isinstance(table, tree.Name)
            return found.more([(None, table.name)])
        arguments = [(a.name, self._argument(a.value, scope)) for a in expr.arguments]
        if isinstance(found, Part):
            return found.more(arguments)
        return found(*[value for _, value in arguments])

    def _argument(self, expr: tree.Expr, scope: Scope) -> Any:
        head = expr.steps[0] if isinstance(expr, tree.Chain) else expr
        if isinstance(head, tree.Name) and scope.has(head.name) and head is not expr:
            found = scope.find(head.name)
            if isinstance(found, (Stream, Many)):
                return self.stream(expr, None, scope)
        if isinstance(expr, tree.Group) and not expr.clauses and len(expr.items) == 1:
            item = expr.items[0]
            if isinstance(item, (tree.Chain, tree.Named, tree.Repeat)):
                return Part(expr, scope)
        return self.value(expr, scope)


def _start_of(statement: tree.Statement) -> str | None:
    """The state whose start an equation `h[0] = ...` gives."""
    target = statement.targets[0] if isinstance(statement, tree.Assign) else None
    if not isinstance(target, tree.Index) or not isinstance(target.index, tree.Number):
        return None
    assert isinstance(target.value, tree.Name)
    return target.value.name


def _joined(sign: str, left: Any, right: Any) -> Any:
    if left is NONE:
        return right
    if right is NONE:
        return left
    if not isinstance(left, Stream) and not isinstance(right, Stream):
        return arithmetic(sign, left, right)
    if sign == "@":
        return matmul(left, right)
    if sign == "|":
        return merge([left, right], "c")
    return join(left, right, JOINS[sign])


def _flat(made: Any) -> list[Stream]:
    return [made] if isinstance(made, Stream) else [one for part in made for one in _flat(part)]
