"""Walks the tree and computes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from archlang import tree
from interpreter.bodies import Bodies
from interpreter.layers import LAYERS
from interpreter.parts import Part, Shared
from interpreter.plain import PLAIN
from interpreter.rarer import RARER, RARER_LAYERS
from interpreter.recurrent import SEQUENCES
from interpreter.streams import Stream
from interpreter.values import Scope
from interpreter.weights import Weights

__all__ = ["Interpreter"]

INPUTS = {"INPUT": {1: "c", 2: "cl", 3: "chw", 4: "cdhw"}, "SEQUENCE": {2: "tc", 4: "tchw"}}


class Interpreter(Bodies):
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
        function = {**LAYERS, **RARER_LAYERS, **SEQUENCES}.get(name)
        if function is None:
            return {**PLAIN, **RARER}[name](incoming, *positional, **named)
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
        axes = (
            "t" if name == "TOKENS" else INPUTS[name][len([key for key, _ in given if key is None])]
        )
        return Stream(data, tuple(axes))


def _flat(made: Any) -> list[Stream]:
    return [made] if isinstance(made, Stream) else [one for part in made for one in _flat(part)]
