"""What names mean while a file is lowered: values, streams, and what streams flow through."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from archc.graph import Wire
from archc.op import Op
from archc.shapes import Shape
from archlang import tree
from archlang.record import Record, field
from archlang.source import Span

if TYPE_CHECKING:
    from archc.lower.builder import Builder
    from archc.lower.files import LoadedFile

__all__ = [
    "NONE", "POISON", "BlockValue", "Bundle", "ChainValue", "FunctionValue", "LetValue",
    "OperatorValue",
    "Scope", "SharedValue", "Stream", "is_block", "is_stream", "is_value", "name_of",
]  # fmt: skip


class _Sentinel:
    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


# NONE takes no part in a join. POISON stands for what an error was already reported for.
NONE = _Sentinel("NONE")
POISON = _Sentinel("POISON")


class Stream:
    """A tensor that flows: its region, the wire there, its shape, and where the file says so."""

    __slots__ = ("builder", "shape", "span", "wire")

    def __init__(self, builder: Builder, wire: Wire, shape: Shape, span: Span) -> None:
        self.builder = builder
        self.wire = wire
        self.shape = shape
        self.span = span

    @property
    def identity(self) -> tuple[int, Wire]:
        """Equal for two handles of one stream."""
        return id(self.builder), self.wire


class Bundle(Record):
    """Streams kept apart, in order, with names where they have some."""

    items: tuple[Any, ...]
    names: tuple[str | None, ...] = ()


class OperatorValue(Record):
    """An operator with the arguments given so far, in canonical form."""

    op: type[Op]
    given: tuple[tuple[str, Any], ...] = ()
    extra: tuple[tuple[str, Any], ...] = ()


class BlockValue(Record):
    """A block, cell or net with the arguments given so far."""

    file: LoadedFile
    block: tree.Block
    given: tuple[tuple[str, Any], ...] = ()


class ChainValue(Record):
    """A chain that stands where a block is wanted: a block without parameters."""

    expr: tree.Expr
    scope: Scope
    file: LoadedFile


class SharedValue(Record):
    """A module that `share` or `as` names; `what` is None for the module of an `as` name."""

    name: str
    owner: Builder
    what: Any
    span: Span = field(compare=False)


class FunctionValue(Record):
    """A built-in function on values."""

    name: str


class LetValue(Record):
    """A function that the file defines with `let`."""

    file: LoadedFile
    let: tree.Let


class Scope:
    """Names and what they mean, in a chain that ends at the file."""

    __slots__ = ("names", "parent", "spans")

    def __init__(self, parent: Scope | None, names: Mapping[str, Any] | None = None) -> None:
        self.parent = parent
        self.names: dict[str, Any] = dict(names or {})
        self.spans: dict[str, Span] = {}

    def find(self, name: str) -> Any | None:
        """What the name means, or None."""
        scope: Scope = self
        while scope.parent is not None:
            found = scope.names.get(name)
            if found is not None:
                return found
            scope = scope.parent
        return scope.outermost(name)

    def outermost(self, name: str) -> Any | None:
        """What the name means in a scope without a parent."""
        return self.names.get(name)

    def visible(self) -> set[str]:
        """All names that can be used here."""
        own = set(self.names)
        return own if self.parent is None else own | self.parent.visible()


def is_block(thing: Any) -> bool:
    """Whether a stream can flow through it."""
    return isinstance(thing, (OperatorValue, BlockValue, ChainValue, SharedValue))


def is_stream(thing: Any) -> bool:
    """Whether it is a tensor or a bundle of them."""
    return isinstance(thing, (Stream, Bundle))


def is_value(thing: Any) -> bool:
    """Whether it is known at compile time: a number, string, list and so on."""
    others = (_Sentinel, FunctionValue, LetValue)
    return not (is_block(thing) or is_stream(thing) or isinstance(thing, others))


def name_of(thing: Any) -> str:
    """What a message calls it."""
    match thing:
        case OperatorValue():
            return thing.op.name
        case BlockValue():
            return thing.block.name
        case ChainValue():
            return "a chain"
        case SharedValue() | FunctionValue():
            return thing.name
        case LetValue():
            return thing.let.name
        case Stream():
            return f"a stream {thing.shape}"
        case Bundle():
            return f"a bundle of {len(thing.items)}"
        case tuple():
            return f"({', '.join([name_of(part) for part in thing])})"
    from archlang.values import show

    return repr(thing) if isinstance(thing, _Sentinel) else show(thing)
