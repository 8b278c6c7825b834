"""The tree of a file: frozen nodes, each with its span, and no behaviour.

One family of expressions serves values (known at compile time) and streams (tensors that flow);
which of the two an expression is follows from what its names mean, and lowering decides it.
Spans and comments take no part in equality, so that `parse(format(tree)) == tree` can be tested.
"""

from __future__ import annotations

from typing import Literal

from archlang.record import Record, field
from archlang.source import Source, Span

__all__ = [
    "Argument",
    "Assign",
    "Attribute",
    "Binary",
    "BinaryOperator",
    "Block",
    "BlockKind",
    "Body",
    "Boolean",
    "Bundle",
    "Call",
    "Chain",
    "Claimed",
    "Comment",
    "Compare",
    "CompareOperator",
    "Conditional",
    "Constant",
    "Default",
    "Definition",
    "DimDeclaration",
    "Expect",
    "Expr",
    "File",
    "For",
    "Fork",
    "Group",
    "Import",
    "ImportedName",
    "In",
    "Index",
    "Input",
    "Let",
    "Name",
    "Named",
    "Node",
    "Number",
    "Optional",
    "Out",
    "Output",
    "Param",
    "Parameter",
    "Paren",
    "Pattern",
    "Range",
    "Repeat",
    "Require",
    "Share",
    "Slice",
    "Statement",
    "Text",
    "Transpose",
    "Tuple",
    "TuplePattern",
    "Unary",
    "When",
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


# --- statements of a body ------------------------------------------------------------------------


class Assign(Node):
    """`y = ...`, `a, b = ...`, `h[t] = ...`, `h[0] = ...`: targets are Name or Index."""

    targets: tuple[Name | Index, ...]
    value: Expr


class Input(Node):
    """One input of an `in` statement, with what it is in a net."""

    name: str
    value: Expr | None


class In(Node):
    """`in q, k, v` or `in src = TOKENS(S, vocab), tgt = TOKENS(T, vocab)`."""

    inputs: tuple[Input, ...]


class Output(Node):
    """One output: named or not, always or in training only."""

    value: Expr
    name: str | None = None
    training: bool = False


class Out(Node):
    """`out a | b`, `out p3 = ..., p4 = ...`, `out aux = ... when training`."""

    outputs: tuple[Output, ...]


class Share(Node):
    """`share table = EMBED(d)`: one module, used after `->` in several places."""

    name: str
    value: Expr


class Param(Node):
    """`param cls = (1, d) init normal(0.02)`: a learned stream. `init` is a Call or a Name."""

    name: str
    shape: Expr
    init: Expr | None = None


class Expect(Node):
    """`expect macs = 4.09B within 1%`; `within` is the percentage."""

    subject: Expr
    training: bool
    relation: Literal["=", "<=", ">=", "<", ">"]
    value: Expr
    within: Number | None = None


class Require(Node):
    """`require params <= 5M and macs <= 600M`."""

    condition: Expr


Statement = Assign | In | Out | Share | Param | Expect | Require


class Body(Node):
    """`{ statements }` of a block, cell or net."""

    statements: tuple[Statement, ...]


# --- definitions of a file -----------------------------------------------------------------------


class ImportedName(Node):
    """`SE` or `SE as Gate` in an import."""

    name: str
    alias: str | None = None


class Import(Node):
    """`from "blocks.arch" import SE, Bottleneck`."""

    path: Text
    names: tuple[ImportedName, ...]


class Default(Node):
    """`default CONV(bias=no)`."""

    operator: Name
    arguments: tuple[Argument, ...]


class DimDeclaration(Node):
    """`dim T, S` or a fact `dim H % 32 == 0`: items are Name or Compare."""

    items: tuple[Expr, ...]


class Constant(Node):
    """`growth = 32`."""

    name: str
    value: Expr
    documentation: str | None = None


class Let(Node):
    """`let round8(v) = ...`."""

    name: str
    parameters: tuple[Name, ...]
    value: Expr
    documentation: str | None = None


class Parameter(Node):
    """`c`, `s=1`, `N in 1..3`, `width in [32, 64] = 32`."""

    name: str
    domain: Expr | None = None
    default: Expr | None = None


class Block(Node):
    """A block, cell or net: `body` is an expression after `=`, or statements in braces.

    `parameters` is None when there is no parameter list, which means the same as an empty one.
    """

    kind: BlockKind
    name: str
    parameters: tuple[Parameter, ...] | None
    body: Expr | Body
    documentation: str | None = None
    name_span: Span | None = field(default=None, compare=False)


Definition = Import | Default | DimDeclaration | Constant | Let | Block | Expect | Require


class Comment(Record):
    """A comment, `#` and all; `own_line` when nothing stands before it on its line."""

    text: str
    span: Span
    own_line: bool


class File(Record):
    """A whole file: definitions in their order, or one bare chain.

    `expect` and `require` at the top level belong to the net above them. `documentation` is the
    `##` text above a bare chain. `broken` names the definitions that could not be read.
    """

    source: Source = field(compare=False)
    definitions: tuple[Definition, ...] = ()
    chain: Expr | None = None
    documentation: str | None = None
    comments: tuple[Comment, ...] = field(default=(), compare=False)
    broken: tuple[str, ...] = field(default=(), compare=False)
