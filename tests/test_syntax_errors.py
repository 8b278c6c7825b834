"""Syntax errors as people read them, and how the parser goes on behind them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from archlang import tree
from archlang.parser import parse
from archlang.rendering import render_plain
from archlang.source import Source
from conftest import Golden

HERE = Path(__file__).parent / "syntax"
MISTAKES = (HERE / "mistakes.txt").read_text(encoding="utf-8").removesuffix("\n").split("\n===\n")


def codes(text: str) -> list[str]:
    """The codes of what is wrong with a text, in its order."""
    return [diagnostic.code for diagnostic in parse(Source.of("test.arch", text))[1]]


def names(text: str) -> list[str]:
    """The names of the definitions that could be read."""
    file, _ = parse(Source.of("test.arch", text))
    return [
        d.name for d in file.definitions if isinstance(d, tree.Block | tree.Constant | tree.Let)
    ]


def test_what_people_read(golden: Golden) -> None:
    shown = []
    for text in MISTAKES:
        _, diagnostics = parse(Source.of("net.arch", text))
        assert diagnostics, text
        shown.append(f"{text}\n---\n{render_plain(diagnostics)}")
    golden("\n======\n".join(shown) + "\n", HERE / "mistakes_explained.txt")


@pytest.mark.parametrize("text", MISTAKES, ids=lambda text: text.split("\n")[0][:30])
def test_messages_follow_the_house(text: str) -> None:
    for diagnostic in parse(Source.of("net.arch", text))[1]:
        assert re.fullmatch(r"[a-z]+(-[a-z]+)*", diagnostic.code)
        assert not diagnostic.message.endswith(".")
        assert diagnostic.message[0] in "`" or diagnostic.message[0].islower()
        assert diagnostic.labels and diagnostic.severity == "error"


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("net A = CONV(64) BN", "net A = CONV(64) -> BN"),
        ("net A = CONV 64", "net A = CONV(64)"),
        ("net A = [CONV(3)]3", "net A = [CONV(3)]*3"),
        ("net A = [CONV(3)]*n-1", "net A = [CONV(3)]*(n-1)"),
        ("net A = CONV(64 3)", "net A = CONV(64, 3)"),
        ("net A = INPUT(3x5x7)", "net A = INPUT((3, 5, 7))"),
        ("net A = CONV(64K)", "net A = CONV(64k)"),
        ("net A = DROPOUT(.5)", "net A = DROPOUT(0.5)"),
        ("net A = x ^ 2", "net A = x ** 2"),
        ("net A = CONV(bias=False)", "net A = CONV(bias=no)"),
        ("net A = B => C", "net A = B -> C"),
        ("net A == B", "net A = B"),
    ],
)
def test_help_compiles(wrong: str, right: str) -> None:
    """What the help says to write, written in the place of what is wrong."""
    file, [diagnostic] = parse(Source.of("net.arch", wrong))
    assert file.definitions is not None and diagnostic.help is not None
    said = re.findall(r"`([^`]+)`", diagnostic.help)[0]
    assert said in right and codes(right) == []


def test_one_mistake_one_message() -> None:
    text = "\n".join(
        [
            "net A = CONV(64) BN",
            "block B(c) {",
            "  y = x -> -> RELU",
            "  z = y -> CONV(c",
            "  w = z -> BN",
            "  out w => RELU",
            "}",
            "good = 32",
            "net C = RELU ->",
            "expect params = 3 4",
            "net D = RELU",
        ]
    )
    assert codes(text) == [
        "missing-arrow",
        "missing-operand",
        "unclosed-bracket",
        "foreign-spelling",
        "missing-operand",
        "unexpected-token",
    ]
    assert names(text) == ["good", "D"]


def test_names_of_what_could_not_be_read_are_kept() -> None:
    file, _ = parse(Source.of("test.arch", "block A = B C\nlet f(x) = (\nc = 3 4\nnet D = A"))
    assert file.broken == ("A", "f", "c")
    assert [d.name for d in file.definitions if isinstance(d, tree.Block)] == ["D"]


@pytest.mark.parametrize("place", range(4))
def test_an_unclosed_bracket_costs_one_definition(place: int) -> None:
    lines = [f"net A{i} = [CONV(64) -> RELU]*3 -> FC(10)" for i in range(4)]
    lines[place] = lines[place].replace("]*3", "*3")
    text = "\n".join(lines)
    assert codes(text) == ["unclosed-bracket"]
    assert names(text) == [f"A{i}" for i in range(4) if i != place]


def test_a_body_that_is_not_closed() -> None:
    text = "net A {\n  y = x -> RELU\n  out y\nnet B = RELU\n"
    assert codes(text) == ["unclosed-bracket"]
    assert names(text) == ["B"]


def test_both_brackets_are_shown() -> None:
    _, [diagnostic] = parse(Source.of("test.arch", "net A = f(1, [2, 3)"))
    assert diagnostic.code == "unclosed-bracket"
    assert [label.span.text for label in diagnostic.labels] == ["[", ")"]
    _, [diagnostic] = parse(Source.of("test.arch", "net A = f(1, 2]"))
    assert diagnostic.code == "mismatched-bracket"
    assert [label.span.text for label in diagnostic.labels] == ["]", "("]


def test_mistakes_have_an_end() -> None:
    _, diagnostics = parse(Source.of("test.arch", "net A = B C\n" * 1000))
    assert len(diagnostics) == 100


def test_a_definition_that_is_read_keeps_its_documentation() -> None:
    file, _ = parse(Source.of("test.arch", "net A = B C\n## About D.\nnet D = RELU"))
    [net] = file.definitions
    assert isinstance(net, tree.Block) and net.documentation == "About D."
