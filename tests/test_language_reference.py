"""The reference of the language is whole and true: its programs use every construct, its tables are
those of the sources, its links lead somewhere. That its blocks run is tested with the documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from archc.check import FIGURES
from archc.cli import archc
from archc.lower import blocks, files, regions, repeats, spent
from archlang import nesting, tree, values
from archlang.codes import EXPLANATIONS
from archlang.functions import FUNCTIONS
from archlang.parser import parse
from archlang.source import Source
from archlang.tables import load
from conftest import Golden

DOCS = Path(__file__).parents[1] / "docs"
LANGUAGE = (DOCS / "language.md").read_text(encoding="utf-8")
PROGRAMS = re.findall(r"^```arch[^\n]*\n(.*?)^```$", LANGUAGE, re.MULTILINE | re.DOTALL)


def section(title: str) -> str:
    """The text below a heading, up to the next of its level or above."""
    found = re.search(rf"^(#+) {re.escape(title)}\n(.*?)(?=^#+ |\Z)", LANGUAGE, re.M | re.S)
    assert found, title
    return found[2]


def words(title: str, which: int = 0) -> set[str]:
    """The words of a text block below a heading."""
    return set(re.findall(r"```text\n(.*?)```", section(title), re.DOTALL)[which].split())


def nodes(node: Any) -> Iterator[tree.Node]:
    """A node and all nodes below it."""
    if isinstance(node, tuple):
        for item in node:
            yield from nodes(item)
    elif isinstance(node, tree.Node):
        yield node
        for value in vars(node).values():
            yield from nodes(value)


def test_the_page_of_the_operators_is_fresh(golden: Golden) -> None:
    printed = CliRunner().invoke(archc, ["ops", "--markdown"], standalone_mode=False)
    golden(printed.stdout, DOCS / "operators.md")


def test_one_operator_in_markdown() -> None:
    printed = CliRunner().invoke(archc, ["ops", "GAP", "--markdown"], standalone_mode=False)
    assert printed.stdout.startswith("### GAP\n\n`GAP`\n")
    assert printed.stdout.rstrip("\n") in (DOCS / "operators.md").read_text(encoding="utf-8")


def test_every_construct_has_an_example() -> None:
    used: set[type[tree.Node]] = set()
    for text in PROGRAMS:
        file = parse(Source.of("page.arch", text))[0]
        used |= {type(node) for node in nodes((file.chain, file.definitions))}
    kinds = {kind for kind in vars(tree).values() if isinstance(kind, type)}
    concrete = {kind for kind in kinds if issubclass(kind, tree.Node) and "span" in kind._fields}
    assert sorted(kind.__name__ for kind in concrete - used - {tree.Node}) == []


def test_every_word_and_sign_has_an_example() -> None:
    from archlang.lexer import lex

    tables = load()
    used: set[str] = set()
    for text in PROGRAMS:
        used |= {token.type for token in lex(text, tables)[0]}
    terminals = {name for name, _ in tables.terminals} | set(tables.keywords.values())
    assert sorted(terminals - used - set(tables.ignored)) == []


def test_reserved_words_and_functions() -> None:
    assert words("Text") == set(load().keywords)
    assert words("Values") == set(FUNCTIONS)


def test_figures() -> None:
    for name in (*FIGURES, "output", "input"):
        assert f"`{name}`" in section("Claims"), name


def test_limits() -> None:
    found = section("Limits")
    for number in (
        files.LARGEST_FILE,
        values.LONGEST,
        repeats.LARGEST_COUNT,
        nesting.DEEPEST,
        blocks.DEEPEST,
        regions.MOST_REGIONS,
        spent.MOST_NODES,
    ):
        assert f" {number:,} " in found, number
    assert values.LARGEST == 2**63 - 1


def test_every_error_that_is_named_exists() -> None:
    named = set(re.findall(r"error=(\S+)", LANGUAGE))
    named |= set(re.findall(r"`([a-z]+(?:-[a-z][a-z0-9]*)+)`", LANGUAGE))
    assert sorted(named - set(EXPLANATIONS)) == []


@pytest.mark.parametrize("name", ["language", "operators", "lectures"])
def test_links_within_a_page(name: str) -> None:
    text = (DOCS / f"{name}.md").read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.*)$", re.sub(r"```.*?```", "", text, flags=re.DOTALL), re.M)
    anchors = {re.sub(r"[^\w\- ]", "", heading).lower().replace(" ", "-") for heading in headings}
    assert sorted(set(re.findall(r"\]\(#([^)]+)\)", text)) - anchors) == []


NETS = """
dim T
net Small(n=3, m in 1..2) = INPUT(5) -> [FC(n)]*m -> [RELU -> RELU]?
net small = Small(7)
net Open(k) = SEQUENCE(T, 5) -> FC(k)
"""


@pytest.mark.parametrize(
    ("options", "unknown"),
    [
        ("-p n=2 -p m=2 -p T=3 -p relu1=no -p FC.bias=no", []),
        ("-p k=3 --input 3", []),
        ("-p N=2", ["this net has no parameter N"]),
        ("-p FC.units=2 -p CONV.bias=no", [
            "this net has no parameter FC.units", "this net has no parameter CONV.bias",
        ]),
        ("-p relu2=no", ["this net has no parameter relu2"]),
        ("--input y=3", ["--input y is given, but no input takes it"]),
    ],
)  # fmt: skip
def test_what_is_given_to_a_file_is_taken_by_one_of_its_nets(
    options: str, unknown: list[str], tmp_path: Path
) -> None:
    (tmp_path / "nets.arch").write_text(NETS)
    (tmp_path / "other.arch").write_text("net other = INPUT(5) -> FC(3)")
    for target in (tmp_path / "nets.arch", tmp_path):
        arguments = ["check", str(target), *options.split()]
        result = CliRunner().invoke(archc, arguments, standalone_mode=False)
        assert re.findall(r"error\[unknown-parameter\]: (.*)", result.stderr) == unknown
        assert result.return_value == (2 if unknown else 0), result.stderr
