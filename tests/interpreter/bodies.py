"""The statements of blocks and nets, and the steps of cells."""

from __future__ import annotations

from typing import Any

from archlang import tree
from interpreter.cells import Memory, Widths
from interpreter.flowing import Flowing
from interpreter.parts import Part, Shared
from interpreter.streams import Many, Stream
from interpreter.values import Scope

__all__ = ["Bodies"]


class Bodies(Flowing):
    """Runs statements one after the other."""

    def _bind(self, part: Part, scope: Scope) -> None:
        raise NotImplementedError

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


def _start_of(statement: tree.Statement) -> str | None:
    """The state whose start an equation `h[0] = ...` gives."""
    target = statement.targets[0] if isinstance(statement, tree.Assign) else None
    if not isinstance(target, tree.Index) or not isinstance(target.index, tree.Number):
        return None
    assert isinstance(target.value, tree.Name)
    return target.value.name
