"""The formatter: one canonical text that reads as the same tree and loses no comment."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from archlang.formatter import WIDTH, format_file
from archlang.lexer import lex
from archlang.parser import parse
from archlang.source import Source
from archlang.tables import load
from conftest import Golden
from random_trees import RandomTrees, without_parentheses

HERE = Path(__file__).parent
PROGRAMS = sorted((HERE / "programs").glob("*.arch"))
COMMENTS = ("# {}\n", "\n# {}\n", "\n\n# {}\n\n", "## {}\n", "\n  ## {}\n")


def formatted(text: str) -> str:
    """The canonical form of a text, after checking all that it promises."""
    file, diagnostics = parse(Source.of("before.arch", text))
    assert diagnostics == ()
    result = format_file(file)
    again, diagnostics = parse(Source.of("after.arch", result))
    assert diagnostics == ()
    assert again == file, result
    assert sorted(c.text.rstrip() for c in file.comments) == sorted(c.text for c in again.comments)
    assert format_file(again) == result
    return result


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_programs_have_one_form(path: Path, golden: Golden) -> None:
    result = formatted(path.read_text(encoding="utf-8"))
    assert max(map(len, result.splitlines())) <= WIDTH
    golden(result, HERE / "syntax" / "formatted" / path.name)


def test_comments_keep_their_places(golden: Golden) -> None:
    text = (HERE / "syntax" / "comments.arch").read_text(encoding="utf-8")
    golden(formatted(text), HERE / "syntax" / "comments_formatted.arch")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("net  A=B->C", "net A = B -> C\n"),
        ("A → B→C", "A -> B -> C\n"),
        ("a=[1,2,]", "a = [1, 2]\n"),
        ("net A = CONV( 4 * k,1 )", "net A = CONV(4*k, 1)\n"),
        ("net A = CONV(x.c//16)", "net A = CONV(x.c // 16)\n"),
        ("net A = CONV(w * 2 ** i)", "net A = CONV(w * 2**i)\n"),
        ("net A = {ID*g}", "net A = { ID * g }\n"),
        ("cell A(n) { h[ t ] = h[t - 1] }", "cell A(n) {\n  h[t] = h[t-1]\n}\n"),
        ("net A = [B] * ( n - 1 )", "net A = [B]*(n-1)\n"),
        ("net A(N in 1 .. 3=2,k = 3) = B", "net A(N in 1..3 = 2, k=3) = B\n"),
        ("net A = B if s!=1 else C", "net A = B if s != 1 else C\n"),
        ("net A = - x ** 2", "net A = -x**2\n"),
        ("net A=(a,)->()", "net A = (a,) -> ()\n"),
        ("net A {param a,b=(n) init  zeros}", "net A {\n  param a, b = (n) init zeros\n}\n"),
        ("let f( a )=a", "let f(a) = a\n"),
        ("net A() = x [1 : ]", "net A() = x[1:]\n"),
        ('from "x.arch" import A as B,C', 'from "x.arch" import A as B, C\n'),
        ("expect macs when training=4B within 1 %", "expect macs when training = 4B within 1%\n"),
    ],
)  # fmt: skip
def test_style(text: str, expected: str) -> None:
    assert formatted(text) == expected


def test_definitions_that_fit_stay_close() -> None:
    text = "growth = 3\nnet A = B\n\n\nexpect params = 3\nnet C = D\n\n\n\nnet E = F"
    assert formatted(text) == ("growth = 3\nnet A = B\nexpect params = 3\nnet C = D\n\nnet E = F\n")


def test_long_definitions_stand_apart() -> None:
    long = " -> ".join(["CONV(64)"] * 12)
    assert formatted(f"net A = B\nnet C = {long}\nexpect params = 3\nnet D = E") == (
        "net A = B\n\nnet C =\n  " + " -> ".join(["CONV(64)"] * 8) + "\n  -> "
        + " -> ".join(["CONV(64)"] * 4) + "\nexpect params = 3\n\nnet D = E\n"
    )  # fmt: skip


def test_a_comment_that_moves_above_a_definition_does_not_document_it() -> None:
    result = formatted("net A ## not documentation\n { out x }")
    assert result == "## not documentation\n\nnet A {\n  out x\n}\n"


STEPS = (
    "RELU", "CONV(64, 11, 4, pad=2)", "CONV(192, 5) as conv2", "POOL(3, 2)", "FC(4096) -> RELU",
    "[CONV(c) -> BN for c in [16, 32]]", "{ CONV(8, 1) | CONV(24, 3) -> BN | ID }", "[Layer(7)]*n",
)  # fmt: skip
COMMENT = st.sampled_from(("", "  # (64, 55, 55)"))


@given(st.lists(st.tuples(st.lists(st.sampled_from(STEPS), min_size=1, max_size=2), COMMENT),
                min_size=2, max_size=7))  # fmt: skip
def test_the_rows_of_a_chain_stay(rows: list[tuple[list[str], str]]) -> None:
    lines = [" -> ".join(steps) + remark for steps, remark in rows[:-1]]
    text = "net A =\n  " + "\n  -> ".join([*lines, " -> ".join(rows[-1][0])]) + "\n"
    assume("#" in text or len(" ".join(text.split())) > WIDTH)
    assert formatted(text) == text


@given(st.lists(st.lists(st.sampled_from(STEPS), min_size=1, max_size=2), min_size=2, max_size=6),
       st.sampled_from("|+-"))  # fmt: skip
def test_the_rows_of_a_join_stay(rows: list[list[str]], operator: str) -> None:
    branches = f"\n     {operator} ".join(" -> ".join(steps) for steps in rows)
    text = f"net A =\n  INPUT(3, 224, 224)\n  -> {{ {branches} }} -> RELU\n"
    assume(len(" ".join(text.split())) > WIDTH)
    assert formatted(text) == text


@given(st.lists(st.lists(st.lists(st.integers(0, 4096), min_size=3, max_size=6), min_size=1,
                         max_size=2), min_size=9, max_size=14))  # fmt: skip
def test_the_rows_of_a_table_stay(table: list[list[list[int]]]) -> None:
    rows = [", ".join(map(str, row)) for row in table]
    text = "table =\n  [" + ",\n   ".join(rows) + "]\n"
    assert formatted(text) == text


def test_rows_that_fit_on_one_line_are_joined() -> None:
    text = "net A(a,\n n) =\n  INPUT(3)\n  -> [B(1,\n 2)\n -> C]*n\n  -> { a\n | b }\n"
    assert formatted(text) == "net A(a, n) = INPUT(3) -> [B(1, 2) -> C]*n -> { a | b }\n"
    body = "net A {\n  y = x\n    -> B\n    -> C\n  out y,\n    x\n}"
    assert formatted(body) == "net A {\n  y = x -> B -> C\n  out y, x\n}\n"


def test_rows_that_are_too_long_are_filled() -> None:
    row = ["CONV(64)"] * 12
    text = f"net A =\n  INPUT(3, 8, 8)\n  -> {' -> '.join(row)}\n  -> RELU\n  -> FC(10)\n"
    assert formatted(text) == (
        "net A =\n  INPUT(3, 8, 8)\n  -> " + " -> ".join(row[:8]) + "\n  -> "
        + " -> ".join(row[8:]) + "\n  -> RELU\n  -> FC(10)\n"
    )  # fmt: skip


def test_branches_that_are_kept_apart_have_a_line_each() -> None:
    branch = "CONV(64, 3) -> BN -> RELU + CONV(64, 1)"
    assert formatted(f"net A = INPUT(3) -> {{ {branch}, {branch}, {branch} }} -> ADD") == (
        f"net A =\n  INPUT(3)\n  -> {{ {branch},\n       {branch},\n       {branch} }}\n  -> ADD\n"
    )


def test_what_the_author_wrote_behind_a_bracket_stays_there() -> None:
    text = (
        "block A(c, s) =\n  { CONV(c, 1) -> BN -> RELU\n    -> CONV(c, 3) -> BN # figure 5\n"
        "  + [CONV(c)\n     -> BN] if s != 1 } -> RELU -> FC(10)\n"
    )
    assert formatted(text) == text.replace(" # ", "  # ")


@given(st.integers(0, 2**32), st.floats(0, 0.5), st.booleans())
@settings(max_examples=150, deadline=None)
def test_breaks_anywhere_lead_to_a_fixed_point(seed: int, share: float, remark: bool) -> None:
    choose = random.Random(seed)
    text = choose.choice(PROGRAMS).read_text(encoding="utf-8")
    tokens, _ = lex(text, load())
    ends = {token.end for token in tokens if choose.random() < share}
    remarked = choose.choice(sorted(ends)) if remark and ends else -1
    pieces, last = [], 0
    for end in sorted(ends):
        pieces.append(text[last:end] + (" # remark\n" if end == remarked else "\n"))
        last = end
    formatted("".join([*pieces, text[last:]]))


@given(st.integers(0, 2**32), st.sampled_from((3, 6, 12)))
@example(19, 4)
@example(243, 12)
@example(71706, 12)
@settings(max_examples=150, deadline=None)
def test_any_tree_survives(seed: int, size: int) -> None:
    """A tree that no text was read from gets the parentheses that it needs."""
    file = RandomTrees(seed, size).file()
    text = format_file(file)
    again, diagnostics = parse(Source.of("made.arch", text))
    assert diagnostics == (), text
    assert without_parentheses(again) == without_parentheses(file), text
    assert format_file(again) == text


@given(st.integers(0, 2**32))
@settings(max_examples=60, deadline=None)
def test_comments_survive_anywhere(seed: int) -> None:
    choose = random.Random(seed)
    text = choose.choice(PROGRAMS).read_text(encoding="utf-8")
    tokens, _ = lex(text, load())
    ends = [0, *(token.end for token in tokens)]
    for number, place in enumerate(sorted(choose.sample(ends, 3), reverse=True)):
        remark = choose.choice(COMMENTS).format(f"remark {number}")
        text = text[:place] + remark + text[place:]
    formatted(text)


@pytest.mark.parametrize(
    ("opening", "inner", "closing", "count"),
    [("[A -> ", "B", "]", 60), ("(a + ", "b", ")", 40), ("f(", "x", ")", 60), ("-", "x", "", 120)],
)
def test_the_deepest_trees(opening: str, inner: str, closing: str, count: int) -> None:
    formatted(f"net N = {opening * count}{inner}{closing * count}")


def test_long_lists_take_linear_time() -> None:
    text = f"numbers = [{', '.join(['[1, 2, 3]'] * 4_000)}]"
    file, _ = parse(Source.of("long.arch", text))
    start = time.process_time()
    result = format_file(file)
    assert time.process_time() - start < 10
    assert parse(Source.of("long.arch", result))[0] == file
