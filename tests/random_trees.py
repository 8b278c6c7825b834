"""Random trees of the language, for tests of whatever reads or writes them."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any, TypeVar

from archlang import tree
from archlang.record import Record
from archlang.source import Source, Span

__all__ = ["RandomTrees", "without_parentheses"]

HERE = Span(Source.of("made", ""), 0, 0)
WORDS = ("a", "b", "CONV", "x", "h", "블록", "été", "t_1")
ARITHMETIC = ("+", "-", "*", "/", "//", "%", "**", "@", "|", "and", "or")
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
REALS = (0.0, 0.5, 1e-5, 1e300, 2.5e17, 3.0)
STRINGS = ("", "max", "c h w -> (h w) c", 'a "quoted" # \\ word', "\\n", "ü'")
DOCUMENTATION = (None, None, "one line", "two\n  lines", "a\n\n# b")
T = TypeVar("T")


class RandomTrees:
    """Makes trees, the same ones for the same seed.

    Args:
        seed: any integer.
        size: about how many nodes an expression has.
    """

    def __init__(self, seed: int, size: int = 12) -> None:
        self.random = Random(seed)
        self.size = size
        self.left = size

    def some(self, make: Callable[[], T], least: int = 1, most: int = 3) -> tuple[T, ...]:
        """Several of something."""
        return tuple(make() for _ in range(self.random.randint(least, most)))

    def perhaps(self, make: Callable[[], T]) -> T | None:
        """Something or nothing."""
        return make() if self.random.random() < 0.5 else None

    def word(self) -> str:
        """What a name is spelt like."""
        return self.random.choice(WORDS)

    def name(self) -> tree.Name:
        """A name."""
        return tree.Name(HERE, self.word())

    def number(self) -> tree.Number:
        """A number that a text can have."""
        whole = self.random.choice((0, 3, 64, 2**63 - 1))
        return tree.Number(HERE, self.random.choice((whole, self.random.choice(REALS))), "")

    def leaf(self) -> tree.Expr:
        """An expression without parts."""
        text = tree.Text(HERE, self.random.choice(STRINGS))
        truth = tree.Boolean(HERE, self.random.random() < 0.5)
        return self.random.choice((self.name(), self.name(), self.number(), text, truth))

    def fresh(self) -> tree.Expr:
        """An expression that may stand alone, whatever was made before."""
        self.left = self.random.randint(1, self.size)
        return self.expression()

    def expression(self) -> tree.Expr:
        """Any expression that may stand alone."""
        self.left -= 1
        if self.left <= 0:
            return self.leaf()
        return self.random.choice((self.operation, self.bracketed, self.suffixed, self.leaf))()

    def operation(self) -> tree.Expr:
        """An operator with its operands."""
        e, choose = self.expression, self.random.choice
        kind = choose(
            (tree.Unary, tree.Binary, tree.Compare, tree.Conditional, tree.When, tree.Chain)
        )
        if kind is tree.Unary:
            return tree.Unary(HERE, choose(("-", "not")), e())
        if kind is tree.Binary:
            return tree.Binary(HERE, choose(ARITHMETIC), e(), e(), HERE)
        if kind is tree.Compare:
            signs = self.some(lambda: choose(COMPARISONS), 1, 2)
            return tree.Compare(HERE, tuple(e() for _ in (*signs, 0)), signs)
        if kind is tree.Conditional:
            return tree.Conditional(HERE, e(), e(), self.perhaps(e))
        return tree.When(HERE, e(), e()) if kind is tree.When else tree.Chain(HERE, self.some(e, 2))

    def bracketed(self) -> tree.Expr:
        """Something in brackets."""
        e = self.expression
        match self.random.randrange(5):
            case 0:
                return tree.Tuple(HERE, self.some(e, 0))
            case 1:
                return tree.Fork(HERE, self.some(e))
            case 2:
                return tree.Fork(HERE, (e(),), self.some(self.clause, 1, 2))
            case 3:
                return tree.Repeat(HERE, self.group(), e())
        return self.group()

    def group(self) -> tree.Group:
        """A list, a group or a comprehension."""
        if self.random.random() < 0.5:
            return tree.Group(HERE, self.some(self.expression, 0))
        return tree.Group(HERE, (self.expression(),), self.some(self.clause, 1, 2))

    def clause(self) -> tree.For:
        """A clause of a comprehension."""
        e = self.expression
        return tree.For(HERE, self.pattern(), e(), self.perhaps(e))

    def pattern(self) -> tree.Pattern:
        """What stands between `for` and `in`."""
        if self.random.random() < 0.5:
            return self.name()
        inner = tree.TuplePattern(HERE, (self.name(), self.name()))
        return tree.TuplePattern(HERE, (self.name(), self.random.choice((inner, self.name()))))

    def suffixed(self) -> tree.Expr:
        """An operand with something behind it."""
        e = self.expression
        match self.random.randrange(8):
            case 0:
                return tree.Attribute(HERE, e(), self.word())
            case 1:
                return tree.Index(HERE, e(), e())
            case 2:
                bounds = (self.perhaps(e), self.perhaps(e), self.perhaps(e))
                return tree.Index(HERE, e(), tree.Slice(HERE, *bounds))
            case 3:
                return tree.Transpose(HERE, e())
            case 4:
                return tree.Optional(HERE, e())
            case 5:
                return tree.Named(HERE, e(), self.word(), HERE)
            case 6:
                return tree.Claimed(HERE, e(), e())
        return tree.Call(HERE, e(), self.some(self.argument, 0))

    def domain(self) -> tree.Expr:
        """A value or a range."""
        e = self.expression
        return tree.Range(HERE, e(), e()) if self.random.random() < 0.3 else e()

    def argument(self) -> tree.Argument:
        """An argument, by name or by position."""
        return tree.Argument(HERE, self.domain(), self.perhaps(self.word))

    def parameter(self) -> tree.Parameter:
        """A parameter of a block."""
        return tree.Parameter(
            HERE, self.word(), self.perhaps(self.domain), self.perhaps(self.fresh)
        )

    def statement(self) -> tree.Statement:
        """A statement of a body."""
        e, word = self.fresh, self.word
        match self.random.randrange(8):
            case 0:
                target = self.random.choice((self.name(), tree.Index(HERE, self.name(), e())))
                value = self.random.choice((e(), tree.Bundle(HERE, self.some(e, 2))))
                return tree.Assign(HERE, (target, self.name()), value)
            case 1:
                return tree.In(HERE, self.some(lambda: tree.Input(HERE, word(), self.perhaps(e))))
            case 2:
                return tree.Out(HERE, self.some(self.output))
            case 3:
                return tree.Share(HERE, word(), e())
            case 4:
                call = tree.Call(HERE, self.name(), self.some(self.argument, 0))
                return tree.Param(HERE, word(), e(), self.random.choice((None, self.name(), call)))
            case 5:
                return self.claim()
            case 6:
                return tree.Published(HERE, self.facts())
        return tree.Require(HERE, e())

    def output(self) -> tree.Output:
        """One output."""
        training = self.random.random() < 0.3
        return tree.Output(HERE, self.fresh(), self.perhaps(self.word), training)

    def facts(self) -> tuple[tree.Fact, ...]:
        """Facts as they may be said: others are an error."""
        share = tree.Number(HERE, self.random.choice((0, 62, 76.13)), "")
        text = tree.Text(HERE, self.random.choice(("CIFAR-10", "표 2")))
        known = (
            tree.Fact(HERE, "year", tree.Number(HERE, self.random.choice((1958, 2015)), "")),
            tree.Fact(HERE, "top1", share, True),
            tree.Fact(HERE, "top5", share, True),
            tree.Fact(HERE, "data", text),
            tree.Fact(HERE, "source", text),
        )
        return tuple(self.random.sample(known, self.random.randint(1, len(known))))

    def claim(self) -> tree.Expect:
        """A claim."""
        training, within = self.random.random() < 0.3, self.perhaps(self.number)
        relation = self.random.choice(("=", "<=", ">=", "<", ">"))
        return tree.Expect(HERE, self.fresh(), training, relation, self.fresh(), within)

    def definition(self) -> tree.Definition:
        """A definition of a file."""
        documentation = self.random.choice(DOCUMENTATION)
        match self.random.randrange(6):
            case 0:
                return tree.Constant(HERE, self.word(), self.fresh(), documentation)
            case 1:
                parameters = self.some(self.name, 0)
                return tree.Let(HERE, self.word(), parameters, self.fresh(), documentation)
            case 2:
                return tree.Default(HERE, self.name(), self.some(self.argument))
            case 3:
                fact = tree.Compare(HERE, (self.fresh(), self.fresh()), ("==",))
                return tree.DimDeclaration(HERE, (self.name(), fact))
            case 4:
                names = self.some(
                    lambda: tree.ImportedName(HERE, self.word(), self.perhaps(self.word))
                )
                return tree.Import(HERE, tree.Text(HERE, "x y.arch"), names)
        return self.block(documentation)

    def block(self, documentation: str | None) -> tree.Block:
        """A block, cell or net."""
        kind = self.random.choice(("block", "cell", "net"))
        parameters = self.perhaps(lambda: self.some(self.parameter, 0))
        body: Any = tree.Body(HERE, self.some(self.statement))
        if self.random.random() < 0.5:
            body = self.fresh()
        return tree.Block(HERE, kind, self.word(), parameters, body, documentation)

    def file(self) -> tree.File:
        """A file of definitions, or a bare chain."""
        if self.random.random() < 0.2:
            return tree.File(HERE.source, chain=self.fresh())
        return tree.File(HERE.source, self.some(self.definition))


def without_parentheses(node: Any) -> Any:
    """A tree without the parentheses that group: what is left is its meaning."""
    while isinstance(node, tree.Paren):
        node = node.value
    if isinstance(node, tuple):
        return tuple(without_parentheses(part) for part in node)
    if not isinstance(node, Record) or isinstance(node, Span | Source):
        return node
    kept = {name: getattr(node, name) for name in node._fields}
    return type(node)(**{name: without_parentheses(part) for name, part in kept.items()})
