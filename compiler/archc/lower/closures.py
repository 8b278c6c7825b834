"""What a region depends on: the key under which it is memoised, and the streams it may capture."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from archc.graph import Operation
from archc.lower.things import (
    BlockValue,
    Bundle,
    ChainValue,
    OperatorValue,
    Scope,
    SharedValue,
    Stream,
)
from archlang import tree
from archlang.record import Record

Weights = dict[str, tuple[Any, ...]]

__all__ = ["Slots", "embedding_of", "free_names", "key_of"]


class Slots:
    """The streams and modules that a key mentions, each once, in the order of the key.

    Args:
        weights: the shapes of the weights of shared modules, by owner and name.

    Attributes:
        names: what the region calls the streams, by their identity.
    """

    def __init__(self, weights: Mapping[tuple[int, str], Weights] | None = None) -> None:
        self._weights = weights or {}
        self.streams: list[Stream] = []
        self.modules: list[SharedValue] = []
        self.names: dict[Any, str] = {}
        self._streams: dict[Any, int] = {}

    def stream(self, stream: Stream) -> int:
        """The number of a stream."""
        position = self._streams.setdefault(stream.identity, len(self.streams))
        if position == len(self.streams):
            self.streams.append(stream)
        return position

    def named(self, thing: Any, name: str) -> Any:
        """The key of what the region calls so; the items of a bundle have names of their own."""
        if isinstance(thing, Stream):
            self.names.setdefault(thing.identity, name)
        if isinstance(thing, Bundle):
            own = thing.names or (None,) * len(thing.items)
            for item, given in zip(thing.items, own, strict=True):
                self.named(item, given or name)
        return key_of(thing, self)

    def module(self, module: SharedValue) -> int:
        """The number of a module."""
        for position, known in enumerate(self.modules):
            if known.owner is module.owner and known.name == module.name:
                return position
        self.modules.append(module)
        return len(self.modules) - 1

    def weights_of(self, module: SharedValue) -> Any:
        """The shapes of an embedding's weights, which UNEMBED needs, as its uses tell them."""
        if not isinstance(module.what, OperatorValue) or module.what.op.name != "EMBED":
            return None
        return _frozen(self._weights.get((id(module.owner), module.name), {}))


def _frozen(weights: Weights) -> Any:
    return tuple(sorted(weights.items()))


def _key_of_table(stream: Stream, slots: Slots) -> Any:
    module = embedding_of(stream)
    if module is None:
        return None
    node = stream.builder.nodes[stream.wire.node]
    assert isinstance(node, Operation)
    shapes = [stream.builder.shape_of(wire) for wire in node.inputs]
    return slots.module(module), _frozen(node.op.parameters(*shapes))


def key_of(thing: Any, slots: Slots) -> Any:
    """A hashable key: equal for things that make equal regions.

    Streams enter by their shape and by which of the streams of the key they are.
    """
    match thing:
        case Stream():
            return "stream", slots.stream(thing), thing.shape, _key_of_table(thing, slots)
        case Bundle():
            return "bundle", thing.names, tuple([key_of(item, slots) for item in thing.items])
        case list() | tuple():
            return type(thing).__name__, tuple([key_of(item, slots) for item in thing])
        case OperatorValue():
            return "operator", thing.op.name, _key_of_given(thing.given, slots), thing.extra
        case BlockValue():
            return "block", id(thing.block), _key_of_given(thing.given, slots)
        case ChainValue():
            return "chain", id(thing.expr), key_of_names(thing.expr, thing.scope, slots)
        case SharedValue():
            return "shared", slots.module(thing), slots.weights_of(thing), key_of(thing.what, slots)
        case dict():
            return "names", tuple([(name, slots.named(item, name)) for name, item in thing.items()])
    return type(thing).__name__, thing


def embedding_of(stream: Stream) -> SharedValue | None:
    """The module of an EMBED that a stream comes from: its weights can be lent to UNEMBED."""
    wire = stream.wire
    nodes = getattr(stream.builder, "nodes", ())
    node = nodes[wire.node] if 0 <= wire.node < len(nodes) else None
    if isinstance(node, Operation) and node.op.name == "EMBED":
        return SharedValue(node.name, stream.builder, None, stream.span)
    return None


def _key_of_given(given: tuple[tuple[str, Any], ...], slots: Slots) -> Any:
    return tuple([(name, key_of(value, slots)) for name, value in given])


def key_of_names(expr: tree.Node, scope: Scope, slots: Slots) -> Any:
    """The key of what an expression's free names mean in a scope; file-level names stay fixed."""
    return tuple(
        [
            (name, slots.named(found, name))
            for name in free_names(expr)
            if (found := _local(scope, name)) is not None
        ]
    )


def _local(scope: Scope, name: str) -> Any | None:
    current: Scope | None = scope
    while current is not None and current.parent is not None:
        found = current.names.get(name)
        if found is not None:
            return found
        current = current.parent
    return None


@lru_cache(maxsize=4096)
def _names_below(holder: _Holder) -> tuple[str, ...]:
    found: dict[str, None] = {}
    stack: list[Any] = [holder.node]
    while stack:
        node = stack.pop()
        if isinstance(node, tree.Name):
            found[node.name] = None
        elif isinstance(node, tuple):
            stack.extend(node)
        elif isinstance(node, Record) and isinstance(node, tree.Node):
            stack.extend(
                value
                for name, value in node.__dict__.items()
                if name != "span" and isinstance(value, (tuple, tree.Node))
            )
    return tuple(sorted(found))


class _Holder:
    """Keeps a node alive while its names are cached, and compares by its identity."""

    __slots__ = ("node",)

    def __init__(self, node: tree.Node) -> None:
        self.node = node

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Holder) and other.node is self.node

    def __hash__(self) -> int:
        return id(self.node)


def free_names(node: tree.Node) -> tuple[str, ...]:
    """All names that an expression mentions, sorted; those it binds itself are harmless extras."""
    return _names_below(_Holder(node))
