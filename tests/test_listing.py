"""What lists of nets and operators say."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar

import pytest

from archc.arguments import COUNT, FLAG, PAD, SIZES, TEXT
from archc.dims import symbol
from archc.listing import (
    Listed,
    list_data,
    list_table,
    listed,
    operator_page,
    operators,
    operators_table,
    reference_markdown,
)
from archc.op import Example, Family, Op, argument
from archc.shapes import feature_map
from archc.tables.manual import page_markdown
from archlang.display import width as width_of
from conftest import Golden
from hand_made import Made, operator

Conv = operator("CONV")

GOLDEN = Path(__file__).parent / "golden" / "stats"

NETS = (
    Listed("resnet18", "resnet", "3 × 224 × 224", 11_689_512, 1_814_073_344),
    Listed("gpt2", "gpt", "T", 124_439_808, 12 * symbol("T") ** 2),
    Listed("resnet50", "resnet", "3 × 224 × 224", 25_557_032, 4_089_184_256),
    Listed("open", "gpt"),
)


def test_nets_stand_by_family(golden: Golden) -> None:
    golden(list_table(NETS, width=80), GOLDEN / "list.txt")


def test_a_list_as_data() -> None:
    found = json.loads(json.dumps(list_data(NETS)))
    assert [net["name"] for net in found] == ["resnet18", "gpt2", "resnet50", "open"]
    assert (found[0]["params"], found[1]["macs"], found[3]["params"]) == (
        11_689_512, "12*T**2", None,
    )  # fmt: skip


def test_the_entry_of_a_program() -> None:
    made = Made(feature_map(3, 5, 7), kind="net")
    program = made.out(made.op("conv", Conv(2, bias=False), made.x())).program("tiny")
    entry = listed(program.replace(documentation="A net.\nMore."), "small")
    assert entry == Listed("tiny", "small", "3 × 5 × 7", 54, 54 * 35, (("x", (3, 5, 7)),), "A net.")
    assert list_data([entry])[0]["inputs"] == {"x": [3, 5, 7]}


def test_the_table_of_operators_has_all_of_them() -> None:
    text = operators_table(width=100)
    for op in operators():
        assert re.search(rf"^  {op.name} ", text, re.MULTILINE), op.name
    assert "  PARAM" not in text
    assert max(width_of(line) for line in text.split("\n")) <= 100


class Sample(Op):
    """Does something to a stream, in a way that takes more than one line of a page to say.

    A paragraph that explains. Shape: (C, H, W) becomes (C, H // stride). It has more to say, so
    that it is broken into lines.

    Cost: one operation an element. Nothing more.
    """

    family: ClassVar[Family] = "pooling"
    foreign: ClassVar[tuple[str, ...]] = ("Example2d", "Specimen")
    takes_defaults_of: ClassVar[str | None] = "CONV"
    sizes: Any = argument("the sizes", COUNT, rest=True)
    kernel: Any = argument("the size of the kernel", SIZES, 3)
    stride: Any = argument("the step", SIZES, None, shown="kernel")
    pad: Any = argument("what is added", PAD, "same")
    text: Any = argument("a text", TEXT, "a|b")
    ceil: Any = argument("whether to round up", FLAG, False)
    examples: ClassVar[tuple[Example, ...]] = (
        Example("INPUT(3, 5) -> SAMPLE(7, 11)", "(3, 7)", 1234, 567_890, "with a word on it"),
        Example("INPUT(3) -> SAMPLE(7)", "(3)"),
    )


Sample.name = "SAMPLE"  # given late, so that the registry does not hear of it


def test_the_page_of_an_operator(golden: Golden) -> None:
    golden(operator_page(Sample, width=60), GOLDEN / "operator.txt")
    golden(page_markdown(Sample), GOLDEN / "operator.md")


@pytest.mark.parametrize("op", operators(), ids=lambda op: op.name)
def test_every_page_says_all_there_is(op: type[Op]) -> None:
    text = operator_page(op, width=72)
    assert max(len(line) for line in text.split("\n")) <= 72 or "  " not in text
    assert op.summary().split()[0] in text
    words = " ".join(text.split())
    for given in op.arguments:
        assert " ".join(given.text.split()) in words
    for example in op.examples:
        assert " ".join(example.chain.split()) in words
    for foreign in op.foreign:
        assert foreign in words


def test_the_reference_has_a_section_for_each_operator() -> None:
    text = reference_markdown()
    assert re.findall(r"^### (\w+)", text, re.MULTILINE) == [op.name for op in operators()]
    for line in text.split("\n"):
        if line.startswith("| ") and "\\|" not in line:
            assert line.count("|") == 5, line


def test_color_only_where_it_is_asked_for() -> None:
    assert "\x1b[" in operator_page(Conv, color=True)
    assert "\x1b[" not in operator_page(Conv)


@pytest.mark.parametrize(
    ("call", "unwanted"),
    [
        ("to_json()", {"torch", "networkx", "rich", "csv"}),
        ("to_csv()", {"torch", "networkx", "rich"}),
        ("to_markdown()", {"torch", "networkx", "rich"}),
        ("render(80)", {"torch", "networkx", "yaml", "graphviz"}),
    ],
)
def test_tables_import_only_what_they_need(call: str, unwanted: set[str]) -> None:
    script = (
        "import sys; from archc.shapes import feature_map\n"
        "from hand_made import Made, operator; from archc.stats import table\n"
        "made = Made(feature_map(3, 5, 7), kind='net')\n"
        "program = made.out(made.op('conv', operator('CONV')(2), made.x())).program()\n"
        f"table(program).{call}\n"
        "print(*sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=GOLDEN.parents[1],
    )
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    assert "archc" in loaded
    assert not loaded & unwanted


def test_the_index_is_kept_and_never_stale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from archc import index, library

    folder = tmp_path / "library"
    folder.mkdir()
    (folder / "a.arch").write_text(
        "dim T\nnet a = SEQUENCE(T, 3) -> FC(5)\npublished year = 1999\n"
    )
    monkeypatch.setattr(library, "root", lambda: folder)
    monkeypatch.setattr(index, "root", lambda: folder)
    monkeypatch.setattr(index, "SAVED", tmp_path / "none.json")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    library.entries.cache_clear()
    try:
        (first,) = index.load()
        (kept,) = (tmp_path / "cache" / "archc").glob("library-*.json")
        (again,) = index.load()
        assert list_data([first]) == list_data([again])
        assert (again.year, again.params, str(again.macs)) == (1999, 20, "15*T")
        assert list_table([first]) == list_table([again])
        kept.write_text("{")
        assert list_data(index.load()) == list_data([first])
        (folder / "a.arch").write_text("net a = INPUT(3) -> FC(7)\n")
        assert [net.params for net in index.load()] == [28]
    finally:
        library.entries.cache_clear()


def test_the_build_keeps_what_the_command_lists() -> None:
    from archc import index

    kept = json.loads(json.dumps(index.build()))
    assert [net["name"] for net in kept["nets"]] == [net.name for net in index.load()]


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        (
            ["--family", "mobilenet_v1", "--max-macs", "150M"],
            ["mobilenet_v1_050", "mobilenet_v1_025"],
        ),
        (["--family", "lenet", "--year", "1998"], ["lenet5"]),
        (["--family", "lenet", "--year", "..1997"], []),
        (["--family", "lenet", "--year", "1990.."], ["lenet5"]),
    ],
)
def test_filters(arguments: list[str], names: list[str]) -> None:
    from cli_harness import run

    assert [net["name"] for net in json.loads(run("list", "--json", *arguments).out)] == names
