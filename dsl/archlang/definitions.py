"""The statements of a body and the definitions of a file."""

from __future__ import annotations

from typing import Literal

from archlang.expressions import (
    Argument,
    BlockKind,
    Expr,
    Index,
    Name,
    Node,
    Number,
    Text,
)
from archlang.record import Record, field
from archlang.source import Source, Span

__all__ = [
    "Assign", "Block", "Body", "Comment", "Constant", "Default", "Definition", "DimDeclaration",
    "Expect", "Fact", "File", "Import", "ImportedName", "In", "Input", "Let", "Out", "Output",
    "Param", "Parameter", "Published", "Require", "Share", "Statement",
]  # fmt: skip

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


class Fact(Node):
    """`year = 2015`, `top1 = 76.1%` (`percent`), `source = "..."`."""

    name: str
    value: Number | Text
    percent: bool = False


class Published(Node):
    """`published year = 2015, top1 = 76.1%`: what others printed about a net."""

    facts: tuple[Fact, ...]


Statement = Assign | In | Out | Share | Param | Expect | Require | Published


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


Definition = (
    Import | Default | DimDeclaration | Constant | Let | Block | Expect | Require | Published
)


class Comment(Record):
    """A comment, `#` and all; `own_line` when nothing stands before it on its line."""

    text: str
    span: Span
    own_line: bool


class File(Record):
    """A whole file: definitions in their order, or one bare chain.

    `expect`, `require` and `published` at the top level belong to the net above them.
    `documentation` is the `##` text above a bare chain. `broken` names the definitions that could
    not be read.
    """

    source: Source = field(compare=False)
    definitions: tuple[Definition, ...] = ()
    chain: Expr | None = None
    documentation: str | None = None
    comments: tuple[Comment, ...] = field(default=(), compare=False)
    broken: tuple[str, ...] = field(default=(), compare=False)
