"""The expressions of the tree: one family serves values (known at compile time) and streams.

Which of the two an expression is follows from what its names mean, and lowering decides it.
"""

from __future__ import annotations

from typing import Literal

from archlang.record import Record, field
from archlang.source import Span

__all__ = [
    "Argument", "Attribute", "Binary", "BinaryOperator", "BlockKind", "Boolean", "Bundle", "Call",
    "Chain", "Claimed", "Compare", "CompareOperator", "Conditional", "Expr", "For", "Fork",
    "Group", "Index", "Name", "Named", "Node", "Number", "Optional", "Paren", "Pattern", "Range",
    "Repeat", "Slice", "Text", "Transpose", "Tuple", "TuplePattern", "Unary", "When",
]  # fmt: skip

BinaryOperator = Literal["+", "-", "*", "/", "//", "%", "**", "@", "|", "and", "or"]
CompareOperator = Literal["==", "!=", "<", "<=", ">", ">="]
BlockKind = Literal["block", "cell", "net"]


class Node(Record):
    """Base of everything in the tree."""

    span: Span = field(compare=False)


# --- expressions: atoms --------------------------------------------------------------------------


class Number(Node):
    """`64`, `25_557_032`, `0.5`, `16k` (16000), `4.09B`; `text` is as written."""

    value: int | float
    text: str = field(compare=False)


class Text(Node):
    """`"c h w -> (h w) c"`: a string; there are no escapes but `\\"` and `\\\\`."""

    value: str


class Boolean(Node):
    """`yes` or `no`."""

    value: bool


class Name(Node):
    """A name of an operator, block, value or stream, NFC-normalised."""

    name: str


class Attribute(Node):
    """`x.c`, `m.state`, `Separable.macs`."""

    value: Expr
    name: str


class Index(Node):
    """`skip[i]`, `g[1:]`, `h[t-1]`."""

    value: Expr
    index: Expr | Slice


class Slice(Node):
    """`a:b:c` inside an index; absent parts are None."""

    start: Expr | None
    stop: Expr | None
    step: Expr | None


class Argument(Node):
    """One argument of a call, with its name when it is given by name."""

    value: Expr
    name: str | None = None


class Call(Node):
    """`CONV(64, 7, stride=2)`, `Basic(64)`, `len(layers)`."""

    function: Expr
    arguments: tuple[Argument, ...]


class Paren(Node):
    """`(e)`: kept, since parentheses carry meaning for readers and for the formatter."""

    value: Expr


class Tuple(Node):
    """`(h, w)`, `(1000,)`, `()`."""

    items: tuple[Expr, ...]


class Range(Node):
    """`1..3`, both ends included in a domain, the end excluded in SELECT."""

    start: Expr
    stop: Expr


# --- expressions: operators ----------------------------------------------------------------------


class Unary(Node):
    """`-e` or `not e`."""

    operator: Literal["-", "not"]
    operand: Expr


class Transpose(Node):
    """`k'`: the last two axes change places."""

    value: Expr


class Binary(Node):
    """Arithmetic on values or on streams; `a or b` in brackets alone is an open choice."""

    operator: BinaryOperator
    left: Expr
    right: Expr
    operator_span: Span = field(compare=False)


class Compare(Node):
    """`a < b <= c`: operators between successive operands."""

    operands: tuple[Expr, ...]
    operators: tuple[CompareOperator, ...]


class Conditional(Node):
    """`a if p else b`; without `else` (None) a step that is there or is the identity."""

    then: Expr
    condition: Expr
    otherwise: Expr | None


class When(Node):
    """`a when training else b`."""

    then: Expr
    otherwise: Expr


# --- expressions: streams ------------------------------------------------------------------------


class Chain(Node):
    """`a -> b -> c`: two or more steps, what flows out of one flows into the next."""

    steps: tuple[Expr, ...]


class Group(Node):
    """`[ ... ]`: a list of values, or a group of steps (one item), with comprehension clauses."""

    items: tuple[Expr, ...]
    clauses: tuple[For, ...] = ()


class Fork(Node):
    """`{ ... }`: the incoming stream forks into the items; several items are a bundle."""

    items: tuple[Expr, ...]
    clauses: tuple[For, ...] = ()


class Bundle(Node):
    """`a, b` without brackets on the right of `=`: kept apart."""

    items: tuple[Expr, ...]


class Repeat(Node):
    """`[ ... ]*count`."""

    body: Group
    count: Expr


class Optional(Node):
    """`MAXPOOL(2)?`: there or not, a degree of freedom."""

    value: Expr


class Named(Node):
    """`CONV(64) as stem`."""

    value: Expr
    name: str
    name_span: Span = field(compare=False)


class Claimed(Node):
    """`step :: (64, 112, 112)` or `step :: SEQUENCE(T, C)`."""

    value: Expr
    shape: Expr


class TuplePattern(Node):
    """`i, (e, k)` on the left of `in`."""

    items: tuple[Pattern, ...]


class For(Node):
    """`for pattern in iterable if condition`."""

    pattern: Pattern
    iterable: Expr
    condition: Expr | None = None


Pattern = Name | TuplePattern

Expr = (
    Number | Text | Boolean | Name | Attribute | Index | Call | Paren | Tuple | Range | Unary
    | Transpose | Binary | Compare | Conditional | When | Chain | Group | Fork | Bundle | Repeat
    | Optional | Named | Claimed
)  # fmt: skip
