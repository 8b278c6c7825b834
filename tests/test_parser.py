"""The parser: what every construct of the language is as a tree."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archlang import tree
from archlang.lexer import lex
from archlang.parser import parse, parse_value
from archlang.record import Record
from archlang.source import Source, Span
from archlang.tables import load

HERE = Path(__file__).parent
PROGRAMS = sorted((HERE / "programs").glob("*.arch"))
LEAVES = {"Name": "name", "Number": "value", "Text": "value", "Boolean": "value"}


def read(text: str) -> tree.File:
    """A file without mistakes."""
    file, diagnostics = parse(Source.of("test.arch", text))
    assert diagnostics == ()
    return file


def brief(node: Any) -> str:
    """A tree in one line: `Chain(A Conditional(B p -))`."""
    if isinstance(node, tuple):
        return "[" + " ".join(brief(part) for part in node) + "]"
    if not isinstance(node, Record):
        return "-" if node is None else str(node)
    kind = type(node).__name__
    if kind in LEAVES:
        return str(getattr(node, LEAVES[kind]))
    return f"{kind}({' '.join(brief(getattr(node, name)) for name in node._compared)})"


def chain(text: str) -> str:
    """A bare chain, in brief."""
    return brief(read(text).chain)


def snippets() -> Iterator[tuple[str, str]]:
    """The examples of the language's design, each as a file."""
    sections = (HERE / "syntax" / "language_page.txt").read_text(encoding="utf-8").split("=== ")
    for section in sections[1:]:
        head, _, text = section.partition("\n")
        kind, _, name = head.partition(": ")
        if kind == "file":
            yield name, text
            continue
        for number, line in enumerate(filter(None, text.split("\n"))):
            body = f"block A {{\n{line}\n}}" if kind == "statements" else line
            yield f"{name} {number}", body


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_programs(path: Path) -> None:
    assert read(path.read_text(encoding="utf-8")).definitions


@pytest.mark.parametrize("text", [pytest.param(text, id=name) for name, text in snippets()])
def test_examples_of_the_design(text: str) -> None:
    file = read(text)
    assert file.definitions or file.chain


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A -> B -> C", "Chain([A B C])"),
        ("A → B", "Chain([A B])"),
        ("r * h -> FC", "Binary(* r Chain([h FC]))"),
        ("a + b * c - d", "Binary(- Binary(+ a Binary(* b c)) d)"),
        ("a | b + c", "Binary(| a Binary(+ b c))"),
        ("-a ** b @ c", "Unary(- Binary(** a Binary(@ b c)))"),
        ("a ** b ** c", "Binary(** a Binary(** b c))"),
        ("2 ** -b", "Binary(** 2 Unary(- b))"),
        ("a @ b @ c", "Binary(@ Binary(@ a b) c)"),
        ("a // b % c", "Binary(% Binary(// a b) c)"),
        ("not a == b and c or d", "Binary(or Binary(and Unary(not Compare([a b] [==])) c) d)"),
        ("a < b <= c", "Compare([a b c] [< <=])"),
        ("q @ k' / sqrt(d)", "Binary(/ Binary(@ q Transpose(k)) Call(sqrt [Argument(d -)]))"),
        ("[A]*n -> B", "Chain([Repeat(Group([A] []) n) B])"),
        ("[A]*(n-1)", "Repeat(Group([A] []) Paren(Binary(- n 1)))"),
        ("[A] * 3 + B", "Binary(+ Repeat(Group([A] []) 3) B)"),
        ("{ [A]*2 + ID }", "Fork([Binary(+ Repeat(Group([A] []) 2) ID)] [])"),
        ("c[t-1] * 3", "Binary(* Index(c Binary(- t 1)) 3)"),
        ("{ A } * g", "Binary(* Fork([A] []) g)"),
        ("x[1:][::2][a:b:c]", "Index(Index(Index(x Slice(1 - -)) Slice(- - 2)) Slice(a b c))"),
        ("MAXPOOL(2)? as p", "Named(Optional(Call(MAXPOOL [Argument(2 -)])) p)"),
        ("[A or B]", "Group([Binary(or A B)] [])"),
        ("A :: (64, 5, 7) -> B", "Chain([Claimed(A Tuple([64 5 7])) B])"),
        ("(A)", "Paren(A)"),
        ("(A,)", "Tuple([A])"),
        ("()", "Tuple([])"),
        ("[]", "Group([] [])"),
        ("{ A, B }", "Fork([A B] [])"),
        ("f(A -> B, k=1..3)", "Call(f [Argument(Chain([A B]) -) Argument(Range(1 3) k)])"),
        ("f(a if p else b)", "Call(f [Argument(Conditional(a p b) -)])"),
        ("(a when training else b)", "Paren(When(a b))"),
        ("[a for i, (e, k) in z if i for j in e]",
         "Group([a] [For(TuplePattern([i TuplePattern([e k])]) z i) For(j e -)])"),
        ('f("a \\"b\\" \\\\ \\n")', 'Call(f [Argument(a "b" \\ \\n -)])'),
    ],
)  # fmt: skip
def test_binding(text: str, expected: str) -> None:
    assert chain(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A if p", "Conditional(A p -)"),
        ("A -> B if p -> C", "Chain([A Conditional(B p -) C])"),
        ("A -> B if p else C -> D", "Chain([A Conditional(B p C) D])"),
        ("A if p else B if q else C", "Conditional(A p Conditional(B q C))"),
        ("A if p else B as n", "Named(Conditional(A p B) n)"),
        ("x + y if s == 1 else y", "Conditional(Binary(+ x y) Compare([s 1] [==]) y)"),
        ("x if p else y + z", "Conditional(x p Binary(+ y z))"),
        ("1 if p else -2**i", "Conditional(1 p Unary(- Binary(** 2 i)))"),
        ("a + b if p else c + d if q else e",
         "Conditional(Binary(+ a b) p Conditional(Binary(+ c d) q e))"),
        ("A + [B] if s != 1", "Binary(+ A Conditional(Group([B] []) Compare([s 1] [!=]) -))"),
        ("A if p | B", "Binary(| Conditional(A p -) B)"),
        ("A if p + B", "Conditional(A Binary(+ p B) -)"),
        ("A + B -> C if p else D", "Binary(+ A Chain([B Conditional(C p D)]))"),
    ],
)  # fmt: skip
def test_conditions(text: str, expected: str) -> None:
    assert chain(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("y = a, b", "Assign([y] Bundle([a b]))"),
        ("a, b = x -> SPLIT(2)", "Assign([a b] Chain([x Call(SPLIT [Argument(2 -)])]))"),
        ("h[0] = s", "Assign([Index(h 0)] s)"),
        ("p = x when training else y -> Z", "Assign([p] When(x Chain([y Z])))"),
        ("in q, k = INPUT(3)", "In([Input(q -) Input(k Call(INPUT [Argument(3 -)]))])"),
        ("out a | b", "Out([Output(Binary(| a b) - False)])"),
        ("out p = a, b when training", "Out([Output(a p False) Output(b - True)])"),
        ("out a when training else b", "Out([Output(When(a b) - False)])"),
        ("share t = EMBED(d)", "Share(t Call(EMBED [Argument(d -)]))"),
        ("param a, b = (n)", "Param(a Paren(n) -) Param(b Paren(n) -)"),
        ("param a = (n) init zeros", "Param(a Paren(n) zeros)"),
        ("expect macs when training <= 4.09B within 1%", "Expect(macs True <= 4090000000 1)"),
        ("require a <= 5M and b", "Require(Binary(and Compare([a 5000000] [<=]) b))"),
    ],
)
def test_statements(text: str, expected: str) -> None:
    [block] = read(f"block A {{ {text} }}").definitions
    assert isinstance(block, tree.Block) and isinstance(block.body, tree.Body)
    assert brief(block.body.statements) == f"[{expected}]"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('from "a.arch" import B, C as D', "Import(a.arch [ImportedName(B -) ImportedName(C D)])"),
        ("default CONV(bias=no)", "Default(CONV [Argument(False bias)])"),
        ("dim T, H % 32 == 0", "DimDeclaration([T Compare([Binary(% H 32) 0] [==])])"),
        ("growth = 32", "Constant(growth 32 -)"),
        ("let f(a, b) = a", "Let(f [a b] a -)"),
        ("net A = B", "Block(net A - B -)"),
        ("cell A() = B", "Block(cell A [] B -)"),
        ("block A(c, s=1, N in 1..3 = 2) = B",
         "Block(block A [Parameter(c - -) Parameter(s - 1) Parameter(N Range(1 3) 2)] B -)"),
        ("block A { out x }", "Block(block A - Body([Out([Output(x - False)])]) -)"),
        ("## one\n##  two\nnet A = B", "Block(net A - B one\n two)"),
        ("## far\n\nnet A = B", "Block(net A - B -)"),
    ],
)  # fmt: skip
def test_definitions(text: str, expected: str) -> None:
    assert brief(read(text).definitions) == f"[{expected}]"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("25_557_032", 25557032),
        ("16k", 16000),
        ("4.09B", 4090000000),
        ("0.0005k", 0.5),
        ("1.5M", 1500000),
        ("0.1", 0.1),
        ("1e-5", 1e-5),
        ("1e3", 1000.0),
        ("2.5e-2k", 25),
        ("9223372036854775807", 2**63 - 1),
    ],
)
def test_numbers(text: str, value: float) -> None:
    number, diagnostics = parse_value(Source.of("-p", text))
    assert isinstance(number, tree.Number) and diagnostics == ()
    assert number.value == value and type(number.value) is type(value)


@pytest.mark.parametrize(
    "text", ["9223372036854775808", "9.3e18k", "1e400", "9" * 5000, "1e9999999k"]
)
def test_numbers_have_an_end(text: str) -> None:
    value, diagnostics = parse_value(Source.of("-p", text))
    assert value is None
    assert [d.code for d in diagnostics] == ["number-too-large"]


def test_values_of_the_command_line() -> None:
    value, _ = parse_value(Source.of("-p", "[3, 4, 6, 3]"))
    assert brief(value) == "Group([3 4 6 3] [])"
    value, _ = parse_value(Source.of("-p", "CONV(3) -> BN"))
    assert isinstance(value, tree.Chain)
    for text in ("", "3 4", "(3", "net A = B", "“3”"):
        value, diagnostics = parse_value(Source.of("-p", text))
        assert value is None and diagnostics, text


def test_names_are_composed() -> None:
    decomposed = "e\u0301te\u0301"
    assert read(f"net 블록 = {decomposed}").definitions == read("net 블록 = été").definitions
    [net] = read(f"net A = {decomposed}").definitions
    assert isinstance(net, tree.Block) and net.body.span.text == decomposed


def test_a_file_is_definitions_or_a_chain_of_any_layout() -> None:
    one = read("INPUT(3, 5, 7)\n  -> [CONV\n->RELU]\n*3 # three times\n->FC(10)")
    assert one.chain is not None and one.definitions == ()
    assert one == read("INPUT(3, 5, 7) -> [CONV -> RELU]*3 -> FC(10)")
    assert [c.text for c in one.comments] == ["# three times"]


def every_node(node: Any) -> Iterator[tree.Node]:
    """All nodes of a tree."""
    if isinstance(node, tuple):
        for part in node:
            yield from every_node(part)
    elif isinstance(node, tree.Node):
        yield node
        yield from every_node(tuple(getattr(node, name) for name in node._compared))


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_spans_contain_what_they_are_made_of(path: Path) -> None:
    source = Source.of(path.name, path.read_text(encoding="utf-8"))
    file, _ = parse(source)
    for node in every_node(file.definitions):
        assert source.text[node.span.start : node.span.end].strip() == node.span.text != ""
        for name in node._compared:
            for part in every_node(getattr(node, name)):
                assert node.span.start <= part.span.start <= part.span.end <= node.span.end
        if isinstance(node, tree.Name):
            assert node.span.text == node.name
        if isinstance(node, tree.Binary):
            assert node.operator_span.text == node.operator


MUTANTS = ("(", ")", "[", "]", "{", "}", "->", "=", ",", "net", "block", "if", "else", "for", "*")
NOISE = (
    '"',
    "'",
    "\0",
    "“",
    "$",
    "3x3",
    "=>",
    "in",
    "out",
    "|",
    "?",
    "::",
    "..",
    "1e",
    "\n",
    "when",
)


@given(st.integers(0, 2**32))
@settings(max_examples=300, deadline=None)
def test_no_text_raises(seed: int) -> None:
    """Whatever is done to the tokens of a program, there is a file and a located reason."""
    choose = random.Random(seed)
    source = Source.of("before.arch", choose.choice(PROGRAMS).read_text(encoding="utf-8"))
    words = [token.text for token in lex(source.text, load())[0]]
    for _ in range(choose.randint(1, 6)):
        place = choose.randrange(len(words))
        words[place : place + choose.randint(0, 2)] = [choose.choice(MUTANTS + NOISE)]
    text = " ".join(words)
    file, diagnostics = parse(Source.of("after.arch", text))
    assert diagnostics or file.definitions or file.chain
    for diagnostic in diagnostics:
        assert isinstance(diagnostic.span, Span)
        assert 0 <= diagnostic.span.start <= diagnostic.span.end <= len(text)


@given(st.text(max_size=80))
@settings(max_examples=300, deadline=None)
def test_no_characters_raise(text: str) -> None:
    file, diagnostics = parse(Source.of("any.arch", text))
    assert diagnostics or file.definitions or file.chain


@pytest.mark.parametrize(
    "text",
    [
        "[" * 10_000 + "A" + "]" * 10_000,
        "(" * 20_000,
        "}" * 20_000,
        "net A = " + "- " * 10_000 + "x",
        "net A = " + " ** ".join(["x"] * 10_000),
        "net A = " + " + ".join(["x"] * 10_000),
        "net A = " + "x if p else " * 10_000 + "x",
        "net A = x" + "[0]" * 10_000,
        "net A = x" + "'" * 10_000,
        "net A = x" + "?" * 10_000,
    ],
    ids=lambda text: text[:20],
)
def test_depth_has_an_end(text: str) -> None:
    start = time.process_time()
    _, diagnostics = parse(Source.of("deep.arch", text))
    assert diagnostics
    assert {d.code for d in diagnostics} <= {"nested-too-deeply", "stray-bracket"}
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    "piece",
    ["1" * 99 + "x", '"\\', "-", "/* ", "'", "a=}\n", "net A = (\n", "“", "1_", "x y ", "a, "],
)
def test_time_grows_no_faster_than_the_text(piece: str) -> None:
    text = piece * (100_000 // len(piece))
    start = time.process_time()
    parse(Source.of("long.arch", text))
    assert time.process_time() - start < 10


def test_large_programs_are_read() -> None:
    text = "\n".join(f"net A{i} = [CONV({i}) -> RELU]*3 -> FC(10)" for i in range(2000))
    assert len(read(text).definitions) == 2000
    steps = read("INPUT(3)" + " -> FC(7)" * 5000).chain
    assert isinstance(steps, tree.Chain) and len(steps.steps) == 5001


def test_too_large_a_file_is_refused() -> None:
    _, [diagnostic] = parse(Source.of("large.arch", "A" * (2**18 + 1)))
    assert diagnostic.code == "file-too-large"
