"""Operators of users: declared in Python, known without torch, found in installed packages."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import archc
import archc.ops
from archc import operator
from archc.arguments import Words
from archc.dims import symbol
from archc.op import REGISTRY, Example, OpError, argument
from archc.ops.activation import Tanh
from archc.shapes import Shape, feature_map, sequence, vector
from archc.user_ops import DeclarationError, UserOp
from archlang.diagnostics import ArchError

LAYERS = """
import torch
from torch import nn

class Gate(nn.Module):
    def __init__(self, features: int, units: int, bias: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(units, features))
        self.bias = nn.Parameter(torch.zeros(units)) if bias else None
        self.register_buffer("uses", torch.zeros(()))

    def forward(self, x):
        return torch.nn.functional.linear(x, self.weight, self.bias)

class Swap(nn.Module):
    def forward(self, a, b):
        return b, a
"""

DECLARATION = '''
import archc

@archc.operator("INSTALLEDGATE", module="gate_layers:Gate",
    params=lambda x, /, units: {"weight": (units, x.sizes[-1])},
    buffers=lambda x, /, units: {"uses": ()},
    macs=lambda x, /, units: x.elements * units,
    construct=lambda x, /, units: {"features": x.sizes[-1], "units": units})
def gate(x, /, units: int):
    """A gate that came with a package."""
    return (*x.sizes[:-1], units)
'''


@pytest.fixture(autouse=True)
def only_for_this_test():
    """What a test declares is forgotten behind it."""
    before = dict(REGISTRY.known)
    yield
    for name in set(REGISTRY.known) - set(before):
        del REGISTRY._known[name]


@pytest.fixture
def layers(tmp_path, monkeypatch):
    """A module of torch layers that can be imported."""
    (tmp_path / "gate_layers.py").write_text(LAYERS)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in ("gate_layers", "gate_declaration"):
        sys.modules.pop(name, None)


def install(folder: Path, entry_points: str) -> None:
    """Make the folder hold an installed distribution with these entry points."""
    info = folder / "gates-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: gates\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[archc.operators]\n{entry_points}\n")


def declare_gate() -> type[UserOp]:
    @operator(
        "GATE",
        module="gate_layers:Gate",
        params=lambda x, /, units, bias: (
            {"weight": (units, x.sizes[-1])} | ({"bias": (units,)} if bias else {})
        ),
        buffers=lambda x, /, units, bias: {"uses": ()},
        macs=lambda x, /, units, bias: x.elements * units,
        flops=lambda x, /, units, bias: (
            (2 * x.sizes[-1] + bias) * x.elements // x.sizes[-1] * units
        ),
        construct=lambda x, /, units, bias: {
            "features": x.sizes[-1],
            "units": units,
            "bias": bias,
        },
        foreign=("GatedLinear",),
    )
    def gate(x, /, units: int, bias: bool = False):
        """A gated projection of each step.

        Args:
            units: the number of units
                that come out.
            bias: whether a number is added.
        """
        if x.features != x.rank - 1:
            raise OpError(f"GATE needs a vector, got {x}", code="needs-flatten")
        return (*x.sizes[:-1], units)

    return gate


def test_a_function_declares_an_operator():
    gate = declare_gate()
    assert issubclass(gate, UserOp)
    assert REGISTRY.get("GATE") is gate
    assert (gate.family, gate.inputs, gate.foreign) == ("user", (1, 1), ("GatedLinear",))
    assert gate.summary() == "A gated projection of each step."
    assert [(a.name, a.required, a.default, a.text) for a in gate.arguments[1:]] == [
        ("bias", False, False, "whether a number is added.")
    ]
    assert gate.arguments[0].required
    assert gate.arguments[0].text == "the number of units that come out."


def test_its_rules():
    op, words, T = declare_gate()(units=5, bias=True), sequence(11, vector(13)), symbol("T")
    assert op.infer(words) == sequence(11, vector(5))
    assert op.infer(sequence(T, vector(13))).sizes == (T, 5)
    assert op.parameters(words) == {"weight": (5, 13), "bias": (5,)}
    assert op.buffers(words) == {"uses": ()}
    assert op.macs((words,), (op.infer(words),)) == 11 * 13 * 5
    assert op.flops((words,), (op.infer(words),)) == 11 * 5 * 27
    with pytest.raises(OpError, match=r"GATE needs a vector, got \(3, 5, 7\)"):
        op.infer(feature_map(3, 5, 7))


def test_its_torch_form():
    shape = vector(13)
    form = declare_gate()(units=5).torch((shape,), (vector(5),))
    assert (form.constructor, form.imports) == ("Gate", ("from gate_layers import Gate",))
    assert form.keywords == (("features", 13), ("units", 5), ("bias", False))


def test_rules_that_are_left_out():
    @operator("HALVE", module="gate_layers:Halve")
    def halve(x, /, by: int = 2):
        return x.with_sizes({0: x.sizes[0] // by})

    op, shape = halve(), vector(12)
    assert op.infer(shape) == vector(6)
    assert (op.parameters(shape), op.buffers(shape), op.macs((shape,), ())) == ({}, {}, 0)
    assert op.torch((shape,), ()).keywords == (("by", 2),)
    assert op.summary() == f"gate_layers:Halve, declared in {__name__}."


def test_several_streams_in_and_out():
    @operator("SWAP", module="gate_layers:Swap")
    def swap(a, b, /):
        return [b, a]

    @operator("JOIN", module="gate_layers:Join")
    def join(*streams, deep: float = 0.5):
        return [sum(s.sizes[0] for s in streams)]

    assert swap.inputs == (2, 2)
    assert swap().infer(vector(3), vector(5)) == (vector(5), vector(3))
    assert join.inputs == (1, None)
    assert [a.name for a in join.arguments] == ["deep"]


def test_what_a_shape_rule_may_return():
    def result(value, *inputs):
        @operator("ANYSHAPE", module="gate_layers:Any")
        def rule(x, /):
            return value

        return rule().infer(*inputs)

    image = feature_map(3, 5, 7)
    assert result((4, 5, 6), image) == feature_map(4, 5, 6)
    assert result((9,), image) == vector(9)
    assert result(Shape(image.axes[:2]), image).sizes == (3, 5)
    with pytest.raises(OpError, match=r"the shape rule of ANYSHAPE gives 2 sizes"):
        result((4, 5), image)


def test_a_class_declares_an_operator():
    class Pool(UserOp):
        """Pools."""

        name = "MYPOOL"
        module = "gate_layers:Pool"
        mode: str = argument("how", Words(words=("soft", "hard")), "soft")
        examples = (Example("INPUT(3, 5, 7) -> MYPOOL", output="(3)"),)

        def infer(self, *inputs):
            return vector(inputs[0].sizes[0])

    assert REGISTRY.get("MYPOOL") is Pool
    assert Pool("hard").infer(feature_map(3, 5, 7)) == vector(3)
    assert Pool("hard").torch((feature_map(3, 5, 7),), ()).keywords == (("mode", "hard"),)


WRONG = [
    ("gate", "gate_layers:Gate", "the name of an operator is upper case, such as MYOP, not 'gate'"),
    ("GATE", "gate_layers", "a module is named"),
    ("GATE", "gate layers:Gate", "a module is named"),
    ("GATE", "gate_layers:Gate(1)", "a module is named"),
    ("GATE", "os;import sys:Gate", "a module is named"),
    ("GATE", "class:Gate", "a module is named"),
    ("GATE", ":Gate", "a module is named"),
]


@pytest.mark.parametrize(("name", "module", "message"), WRONG)
def test_wrong_names(name, module, message):
    with pytest.raises(DeclarationError, match=message):

        @operator(name, module=module)
        def rule(x, /):
            return x


def test_wrong_rules():
    def declare(rule):
        operator("WRONG", module="gate_layers:Wrong")(rule)

    with pytest.raises(DeclarationError, match=r"shapes that flow in come first, before a /"):
        declare(lambda x: x)
    with pytest.raises(DeclarationError, match=r"argument n is annotated int, float, bool, str"):
        declare(lambda x, /, n: x)
    with pytest.raises(DeclarationError, match=r"\*\*rest would accept any argument in silence"):
        declare(lambda x, /, **rest: x)


def test_a_name_is_taken_once():
    declare_gate()
    declare_gate()  # a notebook's cell run again

    with pytest.raises(TypeError, match="operator GATE is defined by"):

        @operator("GATE", module="gate_layers:Other")
        def other(x, /):
            return x

    with pytest.raises(TypeError, match="operator TANH is defined by"):

        @operator("TANH", module="gate_layers:Other")
        def tanh(x, /):
            return x

    assert REGISTRY.get("TANH") is Tanh


# --- from the text of a file to a module that runs -----------------------------------------------


def test_a_net_with_an_operator_of_the_users(layers):
    declare_gate()
    net = archc.load(source="dim T\nnet A = SEQUENCE(T, 13) -> GATE(5, bias=yes) -> TANH")
    assert (net.params, net.macs) == (70, symbol("T") * 65)
    assert "from gate_layers import Gate" in archc.load(source="INPUT(3) -> GATE(2)").source()


def test_its_module_runs(layers):
    torch = pytest.importorskip("torch")
    declare_gate()
    model = archc.load(source="INPUT(13) -> GATE(5) as gate -> TANH").to_torch()
    assert {name: tuple(value.shape) for name, value in model.state_dict().items()} == {
        "gate.weight": (5, 13),
        "gate.uses": (),
    }
    x = torch.randn(2, 13)
    expected = x.sum(1, keepdim=True).tanh().expand(2, 5)
    torch.testing.assert_close(model(x), expected)


def test_its_arguments_are_checked():
    declare_gate()
    for chain, code in [
        ("INPUT(13) -> GATE(5, units=6)", "doubled-argument"),
        ("INPUT(13) -> GATE(5, width=6)", "unknown-argument"),
        ("INPUT(13) -> GATE", "missing-argument"),
        ('INPUT(13) -> GATE("wide")', "argument-type"),
        ("INPUT(3, 5, 7) -> GATE(5)", "needs-flatten"),
    ]:
        with pytest.raises(ArchError) as caught:
            archc.load(source=f"net A = {chain}")
        assert [d.code for d in caught.value.diagnostics] == [code]


# --- installed packages --------------------------------------------------------------------------


def test_an_installed_package_is_found_by_the_operators_name(layers):
    (layers / "gate_declaration.py").write_text(DECLARATION)
    install(layers, "INSTALLEDGATE = gate_declaration")
    net = archc.load(source="INPUT(13) -> INSTALLEDGATE(5)")
    assert (net.params, net.macs) == (65, 65)
    assert REGISTRY.get("INSTALLEDGATE").summary() == "A gate that came with a package."


def test_nothing_is_imported_for_another_name(layers):
    (layers / "gate_declaration.py").write_text("raise AssertionError('imported')")
    install(layers, "INSTALLEDGATE = gate_declaration")
    assert REGISTRY.get("OTHERGATE") is None
    assert REGISTRY.get("RELU") is not None
    assert REGISTRY.get("installedgate") is None
    assert "gate_declaration" not in sys.modules


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("import missing_package", "gate_declaration cannot be imported: No module named"),
        ("1 / 0", "gate_declaration cannot be imported: division by zero"),
        ("", "gate_declaration does not declare it"),
    ],
)
def test_a_broken_package_is_a_diagnostic(layers, text, why):
    (layers / "gate_declaration.py").write_text(text)
    install(layers, "INSTALLEDGATE = gate_declaration")
    with pytest.raises(ArchError) as caught:
        archc.load(source="INPUT(13) -> INSTALLEDGATE(5)")
    found = caught.value.diagnostics[0]
    assert found.code == "operator-unavailable"
    assert found.message.startswith(
        "operator INSTALLEDGATE is declared by an installed package, but " + why
    )


def test_check_needs_no_torch_and_no_entry_points(layers):
    (layers / "gate_declaration.py").write_text(DECLARATION)
    install(layers, "INSTALLEDGATE = gate_declaration")
    script = f"""
        import sys
        sys.path.insert(0, {str(layers)!r})
        import archc
        assert archc.load(source="INPUT(13) -> FC(5) -> RELU").params == 70
        assert "archc.user_ops" not in sys.modules and "importlib.metadata" not in sys.modules
        assert archc.load(source="INPUT(13) -> INSTALLEDGATE(5)").params == 65
        assert "torch" not in sys.modules and "gate_layers" not in sys.modules
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(script)], check=True)
