"""Tables as people read them: golden files, widths, and what files must not smuggle in."""

from __future__ import annotations

import csv
import html.parser
import io
import re
from pathlib import Path

import pytest

from archc.devices import device
from archc.dims import symbol
from archc.graph import Program
from archc.shapes import Shape, feature_map
from archc.stats import Style, Table, table
from archc.tables.formats import csv_text
from archlang.display import escape
from archlang.display import width as width_of
from conftest import Golden
from hand_made import Made, chain, operator

Relu = operator("RELU")
Conv = operator("CONV")
Add = operator("ADD")
FullyConnected = operator("FC")
BatchNorm = operator("BN")
MaxPool = operator("MAXPOOL")
Dropout = operator("DROPOUT")
Flatten = operator("FLATTEN")

GOLDEN = Path(__file__).parent / "golden" / "stats"


def alexnet() -> Program:
    """AlexNet as the lectures have it: 64 filters, input 227."""
    made = Made(feature_map(3, 227, 227), kind="net")
    steps = [
        ("conv1", Conv(64, 11, 4, 2)), ("relu1", Relu()), ("pool1", MaxPool(3, 2)),
        ("conv2", Conv(192, 5, 1, 2)), ("relu2", Relu()), ("pool2", MaxPool(3, 2)),
        ("conv3", Conv(384)), ("relu3", Relu()), ("conv4", Conv(256)), ("relu4", Relu()),
        ("conv5", Conv(256)), ("relu5", Relu()), ("pool5", MaxPool(3, 2)), ("flatten", Flatten()),
        ("fc6", FullyConnected(4096)), ("relu6", Relu()), ("drop6", Dropout()),
        ("fc7", FullyConnected(4096)), ("relu7", Relu()), ("drop7", Dropout()),
        ("fc8", FullyConnected(1000)),
    ]  # fmt: skip
    stream = made.x()
    for name, op in steps:
        stream = made.op(name, op, stream)
    return made.out(stream).program("AlexNet", hyperparameters=(("classes", 1000),))


def residual() -> Program:
    """A net with blocks in two stages, of which one changes the shape, and an auxiliary head."""
    made = Made(feature_map(3, 35, 77), kind="net")
    stream = made.op("stem", Conv(16, 7, 2), made.x())
    first = _stage(made.shape(stream), 16, 1)
    second = _stage(first, 32, 2)
    regions = [(_stage_region(made.shape(stream), 16, 1), 1), (_stage_region(first, 32, 2), 1)]
    middle = made.repeat("stage", regions, stream)
    assert made.shape(middle) == second
    out = made.op("fc", FullyConnected(11), made.op("flatten", Flatten(), middle))
    head = chain("block", made.shape(stream), ("conv", Conv(11, 1)), name="Head")
    made.out(out).out(made.call("aux", head, stream), "aux", training=True)
    return made.program("residual", hyperparameters=(("width", 16), ("unit", "Basic")))


def _stage(shape: Shape, channels: int, stride: int) -> Shape:
    return _stage_region(shape, channels, stride).outputs[0].shape


def _stage_region(shape: Shape, channels: int, stride: int):  # type: ignore[no-untyped-def]
    made = Made(shape, kind="group")
    stream = made.call("basic1", _basic(shape, channels, stride), made.x())
    rest = _basic(made.shape(stream), channels, 1)
    body = Made(made.shape(stream), kind="group")
    body.out(body.call("", rest, body.x()))
    return made.out(made.repeat("basic2", [(body.region(), 2)], stream)).region()


def _basic(shape: Shape, channels: int, stride: int):  # type: ignore[no-untyped-def]
    made = Made(shape, name="Basic")
    stream = made.op("conv1", Conv(channels, 3, stride, bias=False), made.x())
    stream = made.op("relu1", Relu(), made.op("bn1", BatchNorm(), stream))
    stream = made.op("conv2", Conv(channels, bias=False), stream)
    changes = stride != 1 or shape.sizes[0] != channels
    projection = [("conv3", Conv(channels, 1, stride, bias=False))] if changes else []
    shortcut = made.choice(chain("group", shape, *projection), made.x())
    return made.out(made.op("relu2", Relu(), made.op("add", Add(), stream, shortcut))).region()


def symbolic() -> Program:
    made = Made(feature_map(symbol("C"), symbol("H"), symbol("W")), kind="net")
    stream = made.op("conv1", Conv(symbol("C"), bias=False), made.x())
    return made.out(made.op("conv2", Conv(2 * symbol("C"), 3, 2), stream)).program("Rule")


NETS = {"alexnet": alexnet, "residual": residual, "symbolic": symbolic}


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("style", ["plain", "lecture"])
def test_terminal(name: str, style: Style, golden: Golden) -> None:
    golden(table(NETS[name](), style=style).render(80), GOLDEN / f"{name}.{style}.txt")


@pytest.mark.parametrize("name", ["residual", "symbolic"])
def test_geometry_and_shares(name: str, golden: Golden) -> None:
    golden(table(NETS[name](), style="geometry").render(80), GOLDEN / f"{name}.geometry.txt")
    golden(table(NETS[name](), style="bars").render(80), GOLDEN / f"{name}.bars.txt")
    found = table(NETS[name](), device=device("a100-80")).render(80)
    golden(found, GOLDEN / f"{name}.speed.txt")


@pytest.mark.parametrize("depth", [0, 1, 2, 3])
def test_terminal_at_each_depth(depth: int, golden: Golden) -> None:
    golden(table(residual(), depth=depth).render(80), GOLDEN / f"residual.depth{depth}.txt")


@pytest.mark.parametrize("name", NETS)
def test_documents(name: str, golden: Golden) -> None:
    found = table(NETS[name]())
    golden(found.to_markdown(), GOLDEN / f"{name}.md")
    golden(found.to_latex(), GOLDEN / f"{name}.tex")
    golden(found.to_html(), GOLDEN / f"{name}.html")
    golden(found.to_csv(), GOLDEN / f"{name}.csv")
    golden(found.to_json(), GOLDEN / f"{name}.json")


# --- the lectures' table --------------------------------------------------------------------------

# As printed, but for conv4's 145, a misprint; fully connected layers with their biases.
LECTURE = """
    conv1 3 227 64 11 4 2 64 56 784 23 73
    pool1 64 56 3 2 0 64 27 182 0 0
    conv2 64 27 192 5 1 2 192 27 547 307 224
    pool2 192 27 3 2 0 192 13 127 0 0
    conv3 192 13 384 3 1 1 384 13 254 664 112
    conv4 384 13 256 3 1 1 256 13 169 885 150
    conv5 256 13 256 3 1 1 256 13 169 590 100
    pool5 256 13 3 2 0 256 6 36 0 0
    flatten 256 6 9216 36 0 0
    fc6 9216 4096 4096 16 37,753 38
    fc7 4096 4096 4096 16 16,781 17
    fc8 4096 1000 1000 4 4,097 4
"""


def test_the_lectures_table_of_alexnet() -> None:
    printed = table(alexnet(), style="lecture").render(80).split("\n")
    rows = [line.split() for line in printed if re.match(r"(conv|pool|flatten|fc)\d?", line)]
    assert rows == [line.split() for line in LECTURE.strip().split("\n")]


def test_the_lectures_table_counts_the_rows_that_it_prints() -> None:
    steps = [(f"relu{i}", Relu()) for i in range(9)]
    block = chain("block", feature_map(3, 5, 7), ("conv", Conv(3)), *steps, name="Block")
    made = Made(feature_map(3, 5, 7), kind="net")
    stream = made.x()
    for i in range(8):
        stream = made.call(f"block{i}", block, stream)
    net = made.out(stream).program()
    assert "--depth 2 shows all 80 rows" in table(net).render(80)
    printed = table(net, style="lecture").render(80)
    assert re.findall(r"^block\d\S*", printed, re.MULTILINE) == [f"block{i}.conv" for i in range(8)]
    assert "--depth" not in printed


def test_a_half_is_rounded_up() -> None:
    made = Made(feature_map(1, 13, 32), kind="net")
    program = made.out(made.op("pool", MaxPool((1, 1), 1), made.x())).program()
    assert " 2 " in table(program, style="lecture").render(80).replace("\n", " \n")


# --- width ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NETS)
@pytest.mark.parametrize("width", [80, 100, 160])
@pytest.mark.parametrize("style", ["plain", "lecture"])
def test_no_line_is_wider_than_the_terminal(name: str, width: int, style: Style) -> None:
    text = table(NETS[name](), style=style).render(width)
    assert max(width_of(line) for line in text.split("\n")) <= width


@pytest.mark.parametrize("width", range(1, 90, 8))
@pytest.mark.parametrize("style", ["plain", "lecture"])
def test_no_figure_is_cut_on_a_narrow_terminal(width: int, style: Style) -> None:
    found = table(alexnet(), style=style)
    assert _last_three(found.render(width)) == _last_three(found.render(200))


def _last_three(printed: str) -> list[list[str]]:
    """The last three figures of each row that has them, below the head and above the notes."""
    table_text = re.split(r"^─+\n", printed, maxsplit=1, flags=re.MULTILINE)[1].partition("\n\n")[0]
    found = [re.findall(r" (\d[\d,]*)(?= |$)", line)[-3:] for line in table_text.split("\n")]
    return [figures for figures in found if len(figures) == 3]


def test_figures_stay_whole_beside_long_names() -> None:
    inner = chain("block", feature_map(3, 10_007, 10_009), *NARROW, name="ABlockWithALongName")
    made = Made(feature_map(3, 10_007, 10_009), kind="net")
    stream = made.op("a_name_of_some_length", Conv(3), made.x())
    stream = made.repeat("the_stage_that_comes_then", [(inner, 10_000)], stream)
    found = table(made.out(stream).program(), depth=1)
    text = found.render(80)
    assert max(width_of(line) for line in text.split("\n")) <= 80
    for figures in [*[row.figures for row in found.rows], found.totals]:
        assert f" {figures.params:,} " in text
        assert f" {figures.macs:,}\n" in text
    assert "3×10007×10009" in text


NARROW = [(f"conv{number}", Conv(3)) for number in range(3)]

SHORTENED = {
    "the_first_convolution_of_a_very_long_named_stem": "the_first_…very_long_named_stem",
    "encoder.first_of_all_the_layers.mixing.attention.conv": "encoder.f…mixing.attention.conv",
    "encoder.mixing_of_all_heads.attention_of_layers.0.conv": "enco…attention_of_layers.0.conv",
    "enc.a_mixing_of_all_heads_and_then_the_others": "enc.a_mixi…_and_then_the_others",
    "dense.the_layers_of_the_block_in_the_middle.*": "dense.the_…lock_in_the_middle.*",
}


@pytest.mark.parametrize("name", SHORTENED)
def test_long_names_are_shortened(name: str) -> None:
    made = Made(feature_map(3, 5, 7), kind="net")
    found = table(made.out(made.op(name, Conv(3), made.x())).program())
    row = next(line for line in found.render(80).split("\n") if " CONV " in line)
    assert row.split()[0] == SHORTENED[name]
    assert name in found.to_csv()


def test_korean_names_take_two_columns() -> None:
    made = Made(feature_map(3, 5, 7), kind="net")
    stream = made.op("합성곱" * 20, Conv(3), made.x())
    text = table(made.out(stream).program("합성곱망")).render(80)
    assert max(width_of(line) for line in text.split("\n")) <= 80


def test_color_only_where_it_is_asked_for() -> None:
    assert "\x1b[" not in table(residual()).render(80)
    assert "\x1b[" in table(residual()).render(80, color=True)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", table(residual()).render(80, color=True))
    assert plain.split() == table(residual()).render(80).split()


@pytest.mark.parametrize("color", [False, True])
def test_the_environment_changes_nothing(monkeypatch: pytest.MonkeyPatch, color: bool) -> None:
    expected = table(residual()).render(80, color=color)
    said = {"COLUMNS": "20", "LINES": "5", "TERM": "dumb", "NO_COLOR": "1", "FORCE_COLOR": "1"}
    for name, value in said.items():
        monkeypatch.setenv(name, value)
        assert table(residual()).render(80, color=color) == expected


# --- how much is shown ----------------------------------------------------------------------------


def test_a_long_table_is_folded_and_says_how_to_open_it() -> None:
    made = Made(feature_map(3, 5, 7), kind="net")
    block = chain(
        "block", made.shape(made.x()), *[(f"conv{i}", Conv(3)) for i in range(9)], name="B"
    )
    stream = made.x()
    for i in range(8):
        stream = made.call(f"b{i}", block, stream)
    found = table(made.out(stream).program())
    assert len(found.rows) == 72
    text = str(found)
    assert "conv1" not in text
    assert "blocks are opened to depth 1 of 2: --depth 2 shows all 72 rows" in text
    assert "conv1" in str(table(made.program(), depth=2))


def test_operations_instead_of_multiply_adds() -> None:
    text = table(alexnet(), count="flops").render(80)
    assert "145,911,808" in text
    assert "flops" in text


def test_prints_itself_and_shows_itself_in_a_notebook() -> None:
    found = table(alexnet())
    assert str(found) == found.render(80)
    assert found._repr_html_() == found.to_html()


# --- what files must not smuggle in ---------------------------------------------------------------

NASTY = ["=1+1", "@SUM(A1)", "+1", "-2", "\tx", "\r=1", "\n=1"]


@pytest.mark.parametrize("text", NASTY)
def test_spreadsheets_run_no_formula(text: str) -> None:
    ((cell, number),) = csv.reader(io.StringIO(csv_text([[text, -3]])))
    assert cell == "'" + escape(text)
    assert number == "-3"


def nasty(text: str) -> Table:
    made = Made(feature_map(3, 5, 7), kind="net")
    program = made.out(made.op(text, Conv(3), made.x())).program(text)
    return table(program.replace(notes=(text,), hyperparameters=((text, text),)))


class _Tags(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.found.add(tag)


def test_html_is_escaped() -> None:
    tags = _Tags()
    tags.feed(nasty("<script>alert(1)</script><img src=x>&\"'").to_html())
    assert tags.found == {"table", "caption", "thead", "tbody", "tr", "th", "td", "ul", "li"}


def test_markdown_is_escaped() -> None:
    text = nasty("a|b`c`<b>*d*[e](f)").to_markdown()
    row = next(line for line in text.split("\n") if line.startswith("| a"))
    assert row.startswith(r"| a\|b\`c\`\<b\>\*d\*\[e\](f) | CONV")


def test_latex_is_escaped() -> None:
    text = nasty(r"\input{x} $1 & 50% #_^~").to_latex()
    body = [line for line in text.split("\n") if not line.startswith(("%", r"\begin", r"\end"))]
    expected = r"\textbackslash{}input\{x\} \$1 \& 50\% \#\_\textasciicircum{}\textasciitilde{}"
    assert any(line.startswith(expected + " & CONV") for line in body)
    assert not any("input{" in line for line in text.split("\n") if not line.startswith("%"))


def test_the_terminal_reads_no_markup() -> None:
    text = "[red]a[/red]:smile:"
    printed = nasty(text).render(80, color=True)
    assert printed.count(text) == 5


@pytest.mark.parametrize("character", ["\x1b", "\u202e", "\x00", "\r", "\n", "\t"])
def test_control_characters_are_shown(character: str) -> None:
    found = nasty(f"a{character}b")
    for printed in (found.render(80), found.to_markdown(), found.to_latex(), found.to_html()):
        assert f"a{character}b" not in printed
        assert f"U+{ord(character):04X}" in printed
