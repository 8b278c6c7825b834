"""Random programs: figures, source and module agree, and other spellings say the same."""

from __future__ import annotations

from random import Random
from typing import Any

import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import archc
from agreement import agree, module_of, run
from archc.net import Net
from archlang.diagnostics import ArchError
from archlang.formatter import format_file
from archlang.parser import parse
from archlang.source import Source
from random_nets import Program, write_program

FIGURES = ("params", "buffers", "macs", "flops")
programs = st.randoms(use_true_random=False).map(write_program)
often = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)


@often
@given(programs)
def test_source_module_and_figures_agree(program: Program) -> None:
    net = archc.load(source=program.text)
    agree(net, real=len(program.text) % 4 == 0)
    layers = net.stats().to_dict()["layers"]
    for name in ("params", "macs", "flops"):
        assert sum(layer[name] for layer in layers) == getattr(net, name)


@often
@given(programs)
def test_repeats_written_out_have_the_same_figures(program: Program) -> None:
    expected = figures(archc.load(source=program.text))
    assert figures(archc.load(source=program.unfolded)) == expected


@often
@given(programs)
def test_the_formatter_keeps_figures(program: Program) -> None:
    file, diagnostics = parse(Source.of("test.arch", program.text))
    assert diagnostics == ()
    formatted = format_file(file)
    assert figures(archc.load(source=formatted)) == figures(archc.load(source=program.text))


@often
@given(programs)
def test_symbolic_figures_have_the_values_of_the_bound_ones(program: Program) -> None:
    bound = archc.load(source=program.text)
    symbolic = archc.load(source=program.symbolic)
    assert figures(symbolic, program.sizes) == figures(bound)
    assert figures(archc.load(source=program.symbolic, **program.sizes)) == figures(bound)


@settings(often, max_examples=40)
@given(programs)
def test_one_module_takes_all_sizes(program: Program) -> None:
    bound = archc.load(source=program.text)
    try:
        source = archc.load(source=program.symbolic).source()
    except ArchError as error:
        assert error.diagnostics[0].code == "unbound-dimension"
        return
    with torch.device("meta"), torch.no_grad():
        made = run(module_of(source).eval(), bound.program)
    assert [tuple(one.shape[1:]) for one in made] == list(bound.outputs.values())


def test_the_writer_writes_everything() -> None:
    texts = "\n".join([write_program(Random(seed)).text for seed in range(300)])
    constructs = (
        "]*3", "for c in", "for c, n in zip", "] if depth", " else [", "+ ID }", "| ID }", "ID * [",
        "} -> CONCAT", "} -> SELECT(1)", "share ", "param ", " as s", "Around", "Unit", "x1 = ",
        "when training", "out p = ", "for c in [", "[0]", "u(c)", "(Unit", "(CONV, ", "SEQUENCE(",
        "INPUT(3)", "INPUT(3, 13)", "INPUT(3, 13, 17, 19)",
    )  # fmt: skip
    assert [one for one in constructs if one not in texts] == []


def figures(net: Net, sizes: dict[str, int] | None = None) -> Any:
    """What a net costs and lets out, symbols bound to sizes."""

    def value(found: Any) -> int:
        return found if isinstance(found, int) else found.evaluate(**(sizes or {}))

    shapes = [tuple([value(size) for size in shape]) for shape in net.outputs.values()]
    return shapes, [value(getattr(net, name)) for name in FIGURES]
