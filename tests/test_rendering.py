"""Diagnostics as text and as JSON: the exact frames that users read."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archlang.diagnostics import ArchError, Diagnostic, Label, Note
from archlang.display import cells, escape, width
from archlang.rendering import render, render_plain, to_json
from archlang.source import Source, Span
from archlang.suggest import closest
from conftest import Golden

GOLDEN = Path(__file__).parent / "rendering"
ANSI = re.compile(r"\x1b\[[0-9;]*m")


def place(source: Source, text: str, after: int = 0) -> Span:
    """The first place of a text in a source."""
    start = source.text.index(text, after)
    return Span(source, start, start + len(text))


RESNET = Source.of(
    "archs/resnet.arch",
    "default CONV(bias=no)\n\n"
    "## The basic block\n"
    "block Basic(c, s=1) =\n"
    "  { CONV(c, 3, s) -> BN -> RELU -> CONV(c, 3) -> BN + ID } -> RELU\n"
    "\n\n\n\n\n\n"
    "net ResNet(unit, layers) =\n"
    "  INPUT(3, 56, 56) -> unit(128, 2)\n",
)
KOREAN = Source.of("망.arch", "net 망 =\n\tINPUT(3, 8, 8) -> 합성곱(64) -> ＢＮ\t-> RELU\n")
MAIN_PATH = "CONV(c, 3, s) -> BN -> RELU -> CONV(c, 3) -> BN"
HELP = "project the shortcut: `[CONV(c, 1, s) -> BN] if s != 1 or x.c != c`"


def mismatch() -> Diagnostic:
    return Diagnostic(
        "shape-mismatch",
        "cannot add (128, 28, 28) and (64, 56, 56)",
        (
            Label(place(RESNET, "+")),
            Label(
                place(RESNET, "CONV(c, 3, s) -> BN -> RELU -> CONV(c, 3) -> BN"), "(128, 28, 28)"
            ),
            Label(place(RESNET, "ID"), "(64, 56, 56)"),
        ),
        (Note("in Basic(c=128, s=2)", place(RESNET, "unit(128")),),
        HELP,
    )


def several_texts() -> Diagnostic:
    start = RESNET.text.index("CONV(c, 3)")
    labels = (
        Label(place(RESNET, "3", start), "the kernel"),
        Label(place(RESNET, "CONV(c, 3)"), "here"),
        Label(place(RESNET, "{"), "the fork"),
        Label(place(RESNET, "unit(128, 2)"), "called here"),
    )
    return Diagnostic("argument-value", "several labels on one line", labels)


def several_lines() -> Diagnostic:
    whole = Span(RESNET, RESNET.text.index("net"), len(RESNET.text))
    inner = Span(RESNET, RESNET.text.index("=\n  INPUT"), len(RESNET.text) - 1)
    labels = (Label(whole, "the whole net"), Label(inner, "its body"))
    notes = (Note("a fact without a place"),)
    return Diagnostic("unused", "a label over several lines", labels, notes, severity="warning")


def long_stretch() -> Diagnostic:
    span = Span(RESNET, RESNET.text.index("{ CONV"), RESNET.text.index("unit(128"))
    return Diagnostic("unclosed-bracket", "many lines", (Label(span, "up to here"),))


def wide() -> Diagnostic:
    labels = (Label(place(KOREAN, "합성곱"), "모르는 이름"), Label(place(KOREAN, "ＢＮ"), "wide"))
    return Diagnostic("unknown-operator", "no operator is called 합성곱", labels)


def other_file() -> Diagnostic:
    labels = (Label(place(KOREAN, "RELU")), Label(place(RESNET, "RELU"), "as there"))
    return Diagnostic("doubled-definition", "labels in two files", labels, severity="note")


def very_long() -> Diagnostic:
    source = Source.of("long.arch", "A -> " * 400 + "BAD(7)" + " -> B" * 400)
    far = (Label(place(source, "BAD"), "here"), Label(Span(source, 0, 1), "far away"))
    return Diagnostic("unknown-operator", "a line of 4000 columns", far)


def end_of_file() -> Diagnostic:
    source = Source.of("short.arch", "net A = CONV(\n")
    end = Span(source, len(source.text), len(source.text))
    labels = (Label(end, "the file ends here"), Label(place(source, "("), "opened here"))
    return Diagnostic("unclosed-bracket", "`(` is never closed", labels, help="add `)`")


def hostile() -> Diagnostic:
    text = "net A = \x1b[31mCONV\u202e(64)\u2066 # \x00 \u200b\x7f\n"
    source = Source.of("evil\x1b[2J\nerror.arch", text)
    labels = (Label(place(source, "CONV\u202e"), "a \u202e label\nof lines"),)
    notes = (Note("a \x07 note\nof two lines"),)
    return Diagnostic(
        "unexpected-character", "found \x1b[31m\nhere", labels, notes, "write\n  this"
    )


def nowhere() -> Diagnostic:
    return Diagnostic("not-utf8", "the file is not UTF-8", help="save it as UTF-8")


CASES = [
    mismatch, several_texts, several_lines, long_stretch, wide, other_file, very_long, end_of_file,
    hostile, nowhere,
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.__name__)
def test_frames(case: type[Diagnostic], golden: Golden) -> None:
    text = render([case()], color=False, width=80)
    golden(text + "\n", GOLDEN / f"{case.__name__}.txt")


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.__name__)
def test_colour_changes_nothing_else(case: type[Diagnostic]) -> None:
    colored = render([case()], color=True, width=80)
    assert "\x1b[1;" in colored
    assert ANSI.sub("", colored) == render([case()], color=False, width=80)


def test_the_example_of_the_design() -> None:
    assert render_plain([mismatch()]) == (
        "error[shape-mismatch]: cannot add (128, 28, 28) and (64, 56, 56)\n"
        "  --> archs/resnet.arch:5:53\n"
        "   |\n"
        " 5 |   { CONV(c, 3, s) -> BN -> RELU -> CONV(c, 3) -> BN + ID } -> RELU\n"
        "   |     ----------------------------------------------- ^ -- (64, 56, 56)\n"
        "   |     |\n"
        "   |     (128, 28, 28)\n"
        "note: in Basic(c=128, s=2)\n"
        "  --> archs/resnet.arch:13:23\n"
        f"help: {HELP}"
    )


def test_several_diagnostics_and_the_exception() -> None:
    both = (mismatch(), nowhere())
    assert render_plain(both) == f"{render_plain(both[:1])}\n\n{render_plain(both[1:])}"
    assert str(ArchError(both)) == render_plain(both)
    assert render_plain([]) == ""


def test_json() -> None:
    found = json.loads(json.dumps(to_json([mismatch(), nowhere()])))
    assert found[0] == {
        "code": "shape-mismatch",
        "severity": "error",
        "message": "cannot add (128, 28, 28) and (64, 56, 56)",
        "file": "archs/resnet.arch",
        "line": 5,
        "column": 53,
        "end_line": 5,
        "end_column": 54,
        "labels": [
            {**at("archs/resnet.arch", 5, 53, 54), "text": ""},
            {**at("archs/resnet.arch", 5, 5, 52), "text": "(128, 28, 28)"},
            {**at("archs/resnet.arch", 5, 55, 57), "text": "(64, 56, 56)"},
        ],
        "notes": [{"text": "in Basic(c=128, s=2)", **at("archs/resnet.arch", 13, 23, 31)}],
        "help": HELP,
    }
    assert found[1]["file"] is None
    assert found[1]["line"] is None
    assert found[1]["labels"] == []


def at(file: str, line: int, column: int, end: int) -> dict[str, object]:
    return {"file": file, "line": line, "column": column, "end_line": line, "end_column": end}


texts = st.text(
    st.one_of(
        st.sampled_from("ab \t\n->({한ＢＮ\u0301\u202e\x1b\x00"), st.characters(codec="utf-8")
    ),
    max_size=120,
)


@given(
    texts,
    st.lists(st.tuples(st.integers(0, 120), st.integers(0, 40), texts), min_size=1, max_size=5),
)
@settings(max_examples=300, deadline=None)
def test_any_text_renders_within_its_frame(text: str, labelled: list[tuple[int, int, str]]) -> None:
    source = Source.of("any.arch", text)
    size = len(source.text)
    spans = [Span(source, min(a, size), min(a + n, size)) for a, n, _ in labelled]
    labels = tuple(Label(s, words) for s, (_, _, words) in zip(spans, labelled, strict=True))
    shown = render([Diagnostic("any", text, labels)], color=False, width=60)
    assert escape(shown, keep="\n") == shown
    assert "^" in shown
    head, place_line, *frame_lines = shown.split("\n")
    assert head.startswith("error[any]: ")
    assert place_line.lstrip().startswith("--> any.arch:")
    assert all(re.match(r" +\d* \||\.\.\.", line) for line in frame_lines)


def test_notes_are_wrapped_to_the_terminal_and_help_is_not() -> None:
    words = " -> ".join(["(64, 56, 56)"] * 9)
    one = Diagnostic("any", words, notes=(Note(words),), help=words)
    lines = render([one], color=False, width=50).split("\n")
    notes = [line for line in lines if line.startswith(("note: ", "      "))]
    assert len(notes) > 2
    assert all(len(line) <= 50 for line in notes)
    assert " ".join(line[6:] for line in notes) == words
    assert lines[-1] == f"help: {words}"
    assert f"note: {words}" in render_plain([one])


def test_columns_of_characters() -> None:
    assert [c.column for c in cells("a\tb한c")] == [0, 1, 4, 5, 7]
    assert width("한글 ab") == 7
    assert width("e\u0301") == 1
    assert escape("a\u202eb") == "a<U+202E>b"


@pytest.mark.parametrize(
    ("word", "known", "expected"),
    [
        ("conv", ["DECONV", "CONV"], "CONV"),
        ("Droput", ["DROPPATH", "DROPOUT"], "DROPOUT"),
        ("MaxPol2d", ["AvgPool2d", "MaxPool2d"], "MaxPool2d"),
        ("Bottelneck", ["Basic", "Bottleneck"], "Bottleneck"),
        ("max_pool", ["MAXPOOL", "POOL"], "MAXPOOL"),
        ("strid", ["pad", "stride"], "stride"),
        ("길", ["길이", "너비"], None),
        ("길잉", ["높이", "길이"], "길이"),
        ("잔챠", ["잔차"], "잔차"),
        ("xyz", ["CONV", "BN"], None),
        ("FC", ["GN", "BN"], None),
        ("x", [], None),
    ],
)
def test_suggestions(word: str, known: list[str], expected: str | None) -> None:
    assert closest(word, known) == ([] if expected is None else [expected])


def test_suggestions_are_ranked_and_limited() -> None:
    assert closest("conv1", ["conv3", "conv2", "Conv1"], limit=2) == ["Conv1", "conv2"]
    assert closest("BN", ["BN"]) == []
    assert closest("a" * 500, ["a" * 499]) == []
