"""What makes generated code pleasant to read: nothing unused, tables as tables, filled prose."""

from __future__ import annotations

import ast
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archc import __version__
from archc.emit import emit
from archc.emit.layout import WIDTH, width
from archc.pipeline import Request, load_program
from emit_nets import NAMES, load

LIBRARY = (
    "vgg16", "vgg16_1x1", "vgg19_bn", "googlenet", "googlenet_paper_aux", "densenet121",
    "resnet50", "resnet18_a", "efficientnet_b0", "mobilenet_v3_large", "inception_v4",
)  # fmt: skip


def shipped(name: str) -> str:
    """The source of a net of the library."""
    program = load_program(Request(name)).program
    assert program is not None
    return emit(program)


def unused(source: str) -> list[str]:
    """Constructor parameters and attributes that nothing reads; modules count as read."""
    found: list[str] = []
    for made in ast.parse(source).body:
        if isinstance(made, ast.ClassDef):
            attributes = [node for node in ast.walk(made) if isinstance(node, ast.Attribute)]
            read = {node.attr for node in attributes if isinstance(node.ctx, ast.Load)}
            found += [f"{made.name}.{name}" for name in _set(made) if name not in read]
            found += [f"{made.name}({name})" for name in _unread_parameters(made)]
    return found


def _set(made: ast.ClassDef) -> list[str]:
    """The attributes with plain values."""
    assigned = [node for node in ast.walk(made) if isinstance(node, ast.Assign)]
    plain = [node for node in assigned if not isinstance(node.value, ast.Call)]
    targets = [target for node in plain for target in node.targets]
    return [target.attr for target in targets if isinstance(target, ast.Attribute)]


def _unread_parameters(made: ast.ClassDef) -> list[str]:
    for function in made.body:
        if isinstance(function, ast.FunctionDef) and function.name == "__init__":
            names = [node for node in ast.walk(function) if isinstance(node, ast.Name)]
            read = {node.id for node in names if isinstance(node.ctx, ast.Load)}
            return [a.arg for a in function.args.args[1:] if a.arg not in read]
    return []


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_unused(name: str) -> None:
    assert unused(emit(load(name))) == []


@pytest.mark.parametrize("name", LIBRARY)
def test_nothing_is_unused_in_the_library(name: str) -> None:
    assert unused(shipped(name)) == []


def test_what_is_unused_would_be_found() -> None:
    source = """class A(nn.Module):
    def __init__(self, a: int, b: int) -> None:
        super().__init__()
        self.choice = a == 0
        self.conv = nn.Conv2d(a, 3, 1)
"""
    assert unused(source) == ["A.choice", "A(b)"]


def test_what_no_output_needs_takes_no_parameter() -> None:
    text = """
    block B(k, s) { in x
      y = x -> PAD(((0, 0), (k, k))) -> POOL(s)
      out x -> CONV(3) }
    net N = INPUT(3, 8, 9) -> B(1, 2) -> B(2, 4) -> B(7, 4)
    """
    source = emit(load("N", text))
    assert unused(source) == []
    assert "def __init__(self, s: int) -> None:" in source


def test_a_choice_of_nothing_leaves_nothing() -> None:
    source = shipped("vgg16")
    assert "choice" not in source
    assert "def __init__(self, in_channels: int, c: int) -> None:" in source


def test_rows_of_a_table_stay_rows() -> None:
    source = shipped("googlenet")
    assert "def __init__(self, in_channels: int, row: tuple[int, ...]) -> None:" in source
    assert "self.unit3 = Normed(row[1], row[2], k=3)" in source
    assert "self.inception2 = Inception(480, (192, 96, 208, 16, 48, 64))" in source
    assert "(256, (128, 128, 192, 32, 96, 64))," in source
    assert " if i == 0 else " not in source


def test_one_number_of_a_row_is_a_number() -> None:
    text = """
    block One(row) = CONV(row[0]) -> RELU
    net N = INPUT(3, 5, 7) -> One((2, 4)) -> One((3, 4)) -> One((7, 4)) -> GAP
    """
    source = emit(load("N", text))
    assert "row" not in source
    assert "self.one3 = One(3, 7)" in source


def test_one_thing_that_differs_is_a_condition_and_two_are_a_list() -> None:
    one = emit(load("N", "net N = INPUT(3, 5, 7) -> [CONV(4) -> RELU]*9 -> GAP"))
    assert "(3 if i == 0 else 4)" in one
    two = emit(load("N", "net N = INPUT(3, 5, 7) -> [CONV(c) -> RELU for c in [4, 6]] -> GAP"))
    assert "for in_channels, c in [(3, 4), (4, 6)]" in two


def test_the_index_of_a_copy_hides_no_parameter() -> None:
    source = emit(load("Crossed"))
    assert "def __init__(self, in_channels: int, i: int) -> None:" in source
    assert "Grow(in_channels + 6 * j, i) for j in range(3)" in source


def test_resnet50_is_short_and_its_deeper_twin_differs_in_counts() -> None:
    small, large = shipped("resnet50"), shipped("resnet152")
    # Eight of them say how weights start.
    assert len(without_documentation(small)) <= 98
    pairs = zip(without_documentation(small), without_documentation(large), strict=True)
    changed = [line.strip() for line, other in pairs if line != other]
    counts = ["(256, 128, 4, 2),", "(512, 256, 6, 2),"]
    named = ["class ResNet50(nn.Module):", "model = ResNet50().eval()"]
    assert changed == [named[0], *counts, named[1]]


def without_documentation(source: str) -> list[str]:
    """The lines of code."""
    lines = source.rstrip("\n").split("\n")
    for made in reversed(ast.parse(source).body):
        if isinstance(made, ast.ClassDef) and ast.get_docstring(made) is not None:
            text = made.body[0]
            del lines[text.lineno - 1 : text.end_lineno]
    return lines[1:]


# --- streams from outside -------------------------------------------------------------------------

ATTENDING = """dim T, S
cell Decoder(n, memory, x2) {
  scores = { memory -> FC(n, bias=no) + h[t-1] -> FC(n) } -> TANH -> FC(1, bias=no)
  context = { [scores -> SOFTMAX(axis=t)]' @ memory } -> FLATTEN
  h[t] = { x[t] | context | h[t-1] | x2 } -> FC(n) -> TANH
}
block Around(u) = { u + ID }
"""


@pytest.mark.parametrize(
    ("flow", "taken"),
    [
        ("Decoder(8, source -> GRU(8), source -> GRU(7) -> LAST)", ("Decoder", "memory, x2")),
        ("Around(Decoder(8, source -> GRU(8), source -> LAST))", ("Around", "gru, last")),
        ("Around(Around(ATTENTION(2, kv=source -> FC(8))))", ("Around2", "fc")),
        ("Around({ ID | (source -> MEAN(axis=t)) } -> FC(8))", ("Around", "source")),
    ],
)
def test_streams_from_outside_have_the_names_of_the_file(flow: str, taken: tuple[str, str]) -> None:
    net = f"net N {{ in source = SEQUENCE(S, 8), target = SEQUENCE(T, 8) out target -> {flow} }}"
    source = emit(load("N", ATTENDING + net))
    name, names = taken
    header = re.search(rf"class {name}\(.*?def forward\(\s*self, x: Tensor(.*?)\)", source, re.S)
    assert header is not None
    assert header.group(1).replace(": Tensor", "").strip(", \n") == names
    assert "outer" not in source


# --- prose ---------------------------------------------------------------------------------------


def documented(said: str) -> list[str]:
    """The lines of the docstring of a net that the text documents, its figures left out."""
    program = load("N", "net N = INPUT(4) -> FC(3)").replace(documentation=said)
    source = emit(program)
    made = next(node for node in ast.parse(source).body if isinstance(node, ast.ClassDef))
    text = ast.get_docstring(made) or ""
    return text[: text.index("15 parameters")].rstrip("\n").split("\n")


LONG = "Four views of the same map side by side, as the second figure of the paper shows them"


def test_lines_that_fit_stay_as_they_are() -> None:
    said = "Four views.\nOne of them is a pooling.\n\n  indented\nSzegedy et al. 2014"
    assert documented(said) == said.split("\n")


def test_a_paragraph_with_a_long_line_is_filled() -> None:
    said = f"{LONG} here.\nThe third\nhas a 3 by 3 kernel.\n\nSzegedy et al.\n2014"
    assert documented(said) == [
        LONG.removesuffix(" them"),
        "them here. The third has a 3 by 3 kernel.",
        "",
        "Szegedy et al.",
        "2014",
    ]


def test_items_of_a_list_are_not_run_together() -> None:
    said = f"Either of:\n- {LONG} for once;\n- short;\n- {LONG}\n  goes on"
    assert documented(said) == [
        "Either of:",
        f"- {LONG.removesuffix(' them')}",
        "  them for once;",
        "- short;",
        f"- {LONG.removesuffix(' them')}",
        "  them goes on",
    ]


@settings(max_examples=25, deadline=None)
@given(st.lists(st.text("ab 설 ", min_size=1, max_size=60), min_size=1, max_size=6))
def test_filled_prose_fits_and_says_the_same(lines: list[str]) -> None:
    said = "\n".join([f"x{line}" for line in lines])
    found = documented(said)
    assert " ".join(found).split() == said.split()
    words = max([width(word) for word in said.split()])
    assert all(width(line) <= WIDTH - 4 or words > WIDTH - 8 for line in found)


def test_the_header_names_the_file_alone() -> None:
    program = load("N", "net N = INPUT(4) -> FC(3)")
    for file in ("some/where/mlp.arch", "/else/mlp.arch", "mlp.arch"):
        first = emit(program.replace(file=file)).split("\n")[0]
        assert first == f"# Made by archc {__version__} from mlp.arch: N"
