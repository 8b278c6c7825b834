"""The Python face: load, compile, Net, ArchError."""

from __future__ import annotations

import json
from pathlib import Path

import networkx
import pytest
import torch

import archc
from archlang.diagnostics import Diagnostic

TWO = """
## A small one.
net Small(width=5, classes=3) = INPUT(2, 7, 11) -> CONV(width) -> RELU -> GAP -> FC(classes)

net Large = Small(width=13)
"""
SYMBOLIC = "dim C, H, W\nnet Rule = INPUT(C, H, W) -> CONV(C, 3, bias=no)\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "two.arch"
    path.write_text(TWO)
    return path


def test_load_a_file_with_a_name(file: Path) -> None:
    net = archc.load(f"{file}:Small", classes=17)
    assert net.name == "Small"
    assert net.documentation == "A small one."
    assert net.hyperparameters == {"width": 5, "classes": 17}
    assert list(net.inputs.values()) == [(2, 7, 11)]
    assert list(net.outputs.values()) == [(17,)]
    assert net.params == 5 * 2 * 9 + 5 + 17 * 5 + 17
    assert net.macs == 5 * 2 * 9 * 7 * 11 + 17 * 5
    assert net.buffers == 0
    assert net.flops > 2 * net.macs
    assert repr(net) == f"<Net Small: {net.params:,} parameters, {net.macs:,} multiply-adds>"


def test_load_takes_a_path_object(tmp_path: Path) -> None:
    path = tmp_path / "one.arch"
    path.write_text("net one = INPUT(7) -> FC(5)\n")
    assert archc.load(path).params == 7 * 5 + 5


def test_load_a_net_of_the_library() -> None:
    net = archc.load("resnet50")
    assert (net.params, net.macs) == (25_557_032, 4_089_184_256)
    assert list(net.outputs.values()) == [(1000,)]
    assert archc.load("resnet50", classes=10).params == 25_557_032 - 990 * 2049


def test_load_a_text() -> None:
    assert archc.load(source="net n = INPUT(7) -> FC(5)").params == 40
    assert archc.load("Large", source=TWO).params == 13 * 2 * 9 + 13 + 3 * 13 + 3


def test_load_a_sketch_with_an_input() -> None:
    net = archc.load(
        source="INPUT -> [CONV -> RELU]*N -> FC(3)",
        input=(2, 7, 11),
        **{"N": 2, "CONV.filters": 5},
    )
    first, second = 5 * 2 * 9 + 5, 5 * 5 * 9 + 5
    assert net.params == first + second + 3 * 5 * 7 * 11 + 3


def test_inputs_by_name() -> None:
    source = "net n {\n  in a = INPUT, b = INPUT\n  out { a | b } -> FC(3)\n}\n"
    net = archc.load(source=source, input={"a": 5, "b": (7,)})
    assert net.inputs == {"a": (5,), "b": (7,)}
    assert net.params == 12 * 3 + 3


@pytest.mark.parametrize("shape", [0, (), (3, -1), (3, 2.5), {"x": (0,)}])
def test_an_impossible_input_is_a_value_error(shape: object) -> None:
    with pytest.raises(ValueError, match="whole numbers of at least 1"):
        archc.load("lenet5", input=shape)  # type: ignore[arg-type]


def test_symbolic_figures_print_as_formulas_and_evaluate() -> None:
    net = archc.load(source=SYMBOLIC)
    assert str(net.params) == "9*C**2"
    assert str(net.macs) == "9*C**2*H*W"
    assert net.macs.evaluate(C=5, H=7, W=11) == 9 * 25 * 77  # type: ignore[union-attr]
    (output,) = net.outputs.values()
    assert [str(size) for size in output] == ["C", "H", "W"]
    assert archc.load(source=SYMBOLIC, C=5).params == 225


def test_errors_carry_diagnostics_and_print_as_the_command_does(file: Path) -> None:
    file.write_text("net Wrong = INPUT(2, 7, 11) -> CNV(3)\n")
    with pytest.raises(archc.ArchError) as caught:
        archc.load(file)
    (diagnostic,) = caught.value.diagnostics
    assert isinstance(diagnostic, Diagnostic)
    assert diagnostic.span is not None
    assert diagnostic.span.text == "CNV"
    text = str(caught.value)
    assert text.startswith("error[")
    assert f"{file}:1:32" in text
    assert "CONV" in text


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("no_such_net", {}),
        ("missing.arch", {}),
        ("lenet5", {"clases": 10}),
        ("lenet5", {"classes": "ten"}),
        ("lenet5", {"classes": 0}),
        ("", {}),
    ],
)
def test_a_wrong_request_is_an_arch_error(name: str, arguments: dict[str, object]) -> None:
    with pytest.raises(archc.ArchError) as caught:
        archc.load(name, **arguments)  # type: ignore[arg-type]
    assert caught.value.diagnostics
    assert str(caught.value).startswith("error[")


def test_stats_is_a_table() -> None:
    table = archc.load("lenet5").stats()
    data = table.to_dict()
    assert (data["params"], data["macs"]) == (61_706, 416_520)
    assert sum(row["params"] for row in data["layers"]) == 61_706
    assert json.loads(table.to_json()) == data
    assert "61,706" in str(table)
    assert "<table" in table._repr_html_()


def test_graph_is_one_of_networkx() -> None:
    net = archc.load("lenet5")
    graph = net.graph()
    assert isinstance(graph, networkx.MultiDiGraph)
    assert networkx.is_directed_acyclic_graph(graph)
    assert sum(params for _, params in graph.nodes(data="params", default=0)) == net.params
    resnet = archc.load("resnet18")
    assert len(resnet.graph(depth=1)) < len(resnet.graph())


def test_render_and_the_picture_of_a_notebook(tmp_path: Path) -> None:
    net = archc.load("lenet5")
    net.render(tmp_path / "lenet5.svg")
    net.render(str(tmp_path / "lenet5.dot"))
    assert (tmp_path / "lenet5.svg").read_text() == net._repr_svg_()
    assert (tmp_path / "lenet5.dot").read_text().startswith("digraph")


def test_source_and_to_torch_are_the_same_module(tmp_path: Path) -> None:
    net = archc.load("lenet5", classes=7)
    namespace: dict[str, object] = {"__name__": "generated"}
    exec(compile(net.source(class_name="Mine"), "generated.py", "exec"), namespace)
    mine = namespace["Mine"]()  # type: ignore[operator]
    model = net.to_torch()
    assert isinstance(model, torch.nn.Module)
    assert list(model.state_dict()) == list(mine.state_dict())
    assert sum(p.numel() for p in model.parameters()) == net.params
    assert model(torch.randn(2, 1, 32, 32)).shape == (2, 7)


def test_compile_is_load_and_to_torch_in_one() -> None:
    model = archc.compile("Large", source=TWO, classes=17)
    assert model(torch.randn(2, 2, 7, 11)).shape == (2, 17)


def test_the_face_has_what_it_promises() -> None:
    assert set(archc.__all__) <= set(dir(archc))
    assert all(getattr(archc, name) is not None for name in archc.__all__)
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        archc.lod  # type: ignore[attr-defined]  # noqa: B018
    assert Path(archc.__file__).with_name("py.typed").is_file()


def test_a_symbolic_net_shows_itself() -> None:
    net = archc.load(source="dim T\nnet N = SEQUENCE(T, 5) -> FC(7)")
    assert repr(net) == "<Net N: 42 parameters, 35*T multiply-adds>"
    assert str(net.outputs) == "{'out': (T, 7)}"
