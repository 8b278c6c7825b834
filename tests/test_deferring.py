"""What leaves a cell and is not remembered is computed behind its loop; the numbers stay."""

from __future__ import annotations

import re
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import archc
import archc.ops
from archc.op import REGISTRY

BATCH, STEPS, FEATURES, UNITS = 3, 11, 5, 7

STATE = "h[t] = { x[t] -> FC(n) + h[t-1] -> FC(n) } -> SIGMOID"
GATES = """f, i, g, o = { x[t] | h[t-1] } -> FC(4*n) -> SPLIT(4)
  c[t] = (f -> SIGMOID) * c[t-1] + (i -> SIGMOID) * (g -> TANH)
  h[t] = (o -> SIGMOID) * (c[t] -> TANH)"""

# The equations of a cell, and what of the module's text stands behind the loop.
CELLS = {
    "scores": (f"{STATE}\n  out y = h[t] -> FC(3) -> SOFTMAX", "F.softmax(self.fc3(x), dim=-1)"),
    "beside the input": (f"{STATE}\n  out {{ h[t] | x[t] }} -> FC(3)", "torch.cat((fc2_weight."),
    "several": (f"{STATE}\n  out h[t], h[t] -> FC(3), h[t] -> FC(2) -> TANH", "self.fc3(x)"),
    "of a gate as well": (
        "f = { x[t] -> FC(n) + h[t-1] -> FC(n) } -> SIGMOID\n"
        "  h[t] = (1 - f) * h[t-1] + f * (x[t] -> FC(n))\n  out { f | h[t] } -> FC(3)",
        "self.fc4(x)",
    ),
    "light": (f"{STATE}\n  out h[t] -> RELU", "F.relu(fc2_weight.result("),
    "with a whole stream": (
        f"param p = (n)\n  {STATE}\n  out {{ h[t] * (p -> EXP) }} -> FC(3)", "self.fc3(",
    ),
    "of what is embedded": (
        "e = x[t] -> FC(n)\n  h[t] = { e + h[t-1] -> FC(n) } -> TANH\n  out { e * h[t] } -> FC(3)",
        "self.fc3(",
    ),
    "behind a kernel": (f"{GATES}\n  out y = h[t] -> FC(3)", "self.fc2(x)"),
    "norms": (f"{STATE}\n  out h[t] -> LN -> FC(3) -> RMSNORM", "self.rmsnorm("),
}  # fmt: skip

# What stays in the loop, and why.
STAYING = {
    "remembered": "h = x[t] -> FC(n)\n  out y = { h + y[t-1] -> FC(n, bias=no) } -> FC(n)",
    "fed back": "p = x[t-1] when training else y[t-1]\n"
    "  h[t] = { p -> FC(n) + h[t-1] -> FC(n) } -> TANH\n  out y = h[t] -> FC(5)",
    "of one step ago": f"{STATE}\n  out h[t-1] -> FC(3)",
    "statistics of a step": f"{STATE}\n  out h[t] -> FC(3) -> BN",
    "an axis by its number": f"{STATE}\n  out h[t] -> FC(3) -> SOFTMAX(axis=0)",
    "one draw for each step": f"{STATE}\n  out h[t] -> FC(3) -> DROPPATH(0.5)",
}


def net_of(equations: str, *, sequence: str = f"SEQUENCE(T, {FEATURES})", more: str = "") -> Any:
    """A net of one cell."""
    return archc.load(
        source=f"dim T\ncell C(n) {{\n  {equations}\n}}\nnet N = {sequence} -> C({UNITS}){more}"
    )


def modules(net: Any) -> tuple[nn.Module, nn.Module]:
    """With and without recognition, in double precision, with equal weights far from the start."""
    torch.manual_seed(2)
    made, plain = net.to_torch().double(), net.to_torch(recognize=False).double()
    assert list(made.state_dict()) == list(plain.state_dict())
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.normal_(std=0.5)
    plain.load_state_dict(made.state_dict())
    return made, plain


def outcome(model: nn.Module, given: tuple[Tensor, ...], real: Tensor | None) -> list[Tensor]:
    """The outputs, and the gradients of all weights of an uneven sum of them."""
    made = model(*given)
    outputs = [made] if isinstance(made, Tensor) else list(made)
    outputs = outputs if real is None else [one[real] for one in outputs]
    model.zero_grad()
    sum([(one * one.detach().cos()).sum() for one in outputs]).backward()
    return [*outputs, *[p.grad for p in model.parameters() if p.grad is not None]]


def assert_alike(net: Any, *given: Tensor, real: Tensor | None = None) -> None:
    """Numbers and gradients are those of the equations, of real steps where some are not."""
    for one, other in zip(*[outcome(m, given, real) for m in modules(net)], strict=True):
        torch.testing.assert_close(one, other, rtol=1e-9, atol=1e-9)


def sequence() -> Tensor:
    """A batch of sequences."""
    torch.manual_seed(5)
    return torch.randn(BATCH, STEPS, FEATURES, dtype=torch.float64)


def loops(source: str) -> str:
    """What the loops of a module hold."""
    inside = re.findall(r"^        for .*\n((?:            .*\n|        \).*\n)+)", source, re.M)
    return "".join(inside)


@pytest.mark.parametrize("name", CELLS)
def test_numbers_and_gradients_are_those_of_the_equations(name: str) -> None:
    equations, behind = CELLS[name]
    net = net_of(equations)
    assert any("C computes what leaves it behind its loop" in note for note in net.recognized)
    assert behind in net.source() and behind not in loops(net.source())
    assert_alike(net, sequence())


@pytest.mark.parametrize("name", CELLS)
def test_so_they_are_with_padding(name: str) -> None:
    net = net_of(CELLS[name][0], sequence=f"SEQUENCE(T, {FEATURES}, lengths=yes)")
    lengths = torch.tensor([STEPS, 4, 1])
    assert_alike(net, sequence(), lengths, real=torch.arange(STEPS) < lengths[:, None])


@pytest.mark.parametrize("name", STAYING)
def test_what_would_change_numbers_stays(name: str) -> None:
    net = net_of(STAYING[name])
    assert net.recognized == ()
    made, plain = modules(net)
    made.eval(), plain.eval()
    torch.testing.assert_close(made(sequence()), plain(sequence()), rtol=1e-9, atol=1e-9)


def test_a_known_cell_with_scores_is_fused_nevertheless() -> None:
    net = net_of(CELLS["behind a kernel"][0])
    assert [note.partition(": ")[2] for note in net.recognized] == [
        "C computes what leaves it behind its loop, for all steps at once",
        "C is recognised as torch.lstm",
    ]
    assert ".unbind(" not in net.source()


def test_dropout_draws_other_numbers_and_that_is_said() -> None:
    net = net_of(f"{STATE}\n  out h[t] -> FC(3) -> DROPOUT(0.25)")
    (note,) = net.recognized
    assert note.endswith("for all steps at once; DROPOUT draws other numbers there")
    made, plain = modules(net)
    x = sequence()
    dropped = made(x) == 0
    assert 0.1 < dropped.double().mean() < 0.4
    made.eval(), plain.eval()
    torch.testing.assert_close(made(x), plain(x), rtol=1e-9, atol=1e-9)


def test_a_sequence_that_only_the_output_sees_does_not_run_along() -> None:
    source = f"""cell C(n) {{
      in x, w
      {STATE}
      out {{ h[t] | w[t] }} -> FC(3)
    }}
    net N {{
      in x = SEQUENCE({STEPS}, {FEATURES}), w = SEQUENCE({STEPS}, 2)
      y = {{ x, w }} -> C({UNITS})
      out y, y.state
    }}"""
    net = archc.load(source=source)
    assert "zip(" not in net.source()
    w = torch.randn(BATCH, STEPS, 2, dtype=torch.float64)
    assert_alike(net, sequence(), w)


def test_what_is_known_before_the_loop_does_not_run_through_it() -> None:
    text = loops(net_of(CELLS["of what is embedded"][0]).source())
    assert text.count("append(") == 1


def test_maps() -> None:
    equations = """h[t] = { x[t] | h[t-1] } -> CONV(n, 3) -> TANH
  out h[t] -> CONV(2, 1) -> MAXPOOL(2)"""
    net = net_of(equations, sequence="SEQUENCE(T, 2, 5, 7)")
    assert "self.conv2(" in net.source() and "self.conv2(" not in loops(net.source())
    assert_alike(net, torch.randn(2, 3, 2, 5, 7, dtype=torch.float64))


def test_copies_of_a_cell_are_one_class() -> None:
    net = archc.load(
        source=f"dim T\ncell C(n, k) {{\n  {STATE}\n  out h[t] -> FC(k)\n}}\n"
        f"net N = SEQUENCE(T, {FEATURES}) -> C(7, 3) -> C(2, 6) -> C(7, 3)"
    )
    assert net.source().count("class C(") == 1
    assert_alike(net, sequence())


# --- blocks --------------------------------------------------------------------------------------

BLOCKS = """block Head(k) = FC(9) -> RELU -> { ID + [FC(9) -> TANH] } -> [FC(9) -> RELU]*2
  -> [FC(4) -> RELU if k > 2] -> FC(k) -> SOFTMAX
block Gate(s) = { FC(9) * [s -> FC(9)] }
block Norm = FC(6) -> BN
block Flat = FC(6) -> RESHAPE("c -> 1 c") -> FLATTEN
block Read = FC(6) -> { ID + TANH }"""
READING = "h[t] = { x[t] -> Read -> FC(n) + h[t-1] -> FC(n) } -> SIGMOID"
WITH_BLOCKS = {
    "a block": (f"{READING}\n  out h[t] -> Head(3)", True),
    "two of one definition": (f"{READING}\n  out h[t] -> Head(3) -> Head(2)", True),
    "beside a whole stream": (f"param p = (n)\n  {READING}\n  out h[t] -> Gate(p)", True),
    "beside the input": (f"{READING}\n  e = x[t] -> Read\n  out h[t] -> Gate(e)", True),
    "copies": (f"{READING}\n  out h[t] -> [Gate(h[t]) -> FC(7)]*2", True),
    "of one step ago": (f"{READING}\n  out h[t] -> Gate(h[t-1])", False),
    "copies that remember": (f"{READING}\n  out h[t] -> [Gate(h[t-1]) -> FC(7)]*2", False),
    "statistics of a step": (f"{READING}\n  out h[t] -> Norm", False),
    "a layout": (f"{READING}\n  out h[t] -> Flat", False),
}


@pytest.mark.parametrize("name", WITH_BLOCKS)
def test_blocks_work_on_all_steps_where_all_in_them_does(name: str) -> None:
    equations, moved = WITH_BLOCKS[name]
    cell = f"cell C(n) {{\n  {equations}\n}}"
    net = archc.load(source=f"dim T\n{BLOCKS}\n{cell}\nnet N = SEQUENCE(T, {FEATURES}) -> C(7)")
    assert bool(net.recognized) == moved
    assert "self.read" not in loops(net.source())
    assert_alike(net, sequence())


# --- every operator ------------------------------------------------------------------------------

EXAMPLES = [
    (match.group(1), match.group(2))
    for op in REGISTRY.all()
    for example in op.examples
    if (match := re.fullmatch(r"INPUT\(([^)]*)\) -> (.*)", example.chain))
]
MOVED = 220  # of both kinds; the others work on all steps by themselves


def programs() -> list[str]:
    """Each example in a cell: where it needs no memory, and where nothing remembers it."""
    found = []
    for sizes, chain in EXAMPLES:
        heavy = "CONV(x.c, 1)" if "," in sizes else "FC(x.c)"
        for equations in (
            f"h[t] = {{ [x[t] -> {heavy} -> {chain}] + 0.5*h[t-1] }}\n  out h[t]",
            f"h[t] = {{ x[t] + 0.5*h[t-1] }}\n  out [h[t] -> {heavy} -> {chain}]",
        ):
            found.append(f"cell C {{\n  {equations}\n}}\nnet N = SEQUENCE(4, {sizes}) -> C")
    return found


def test_every_operator_gives_the_same_on_all_steps() -> None:
    moved = 0
    for source in programs():
        result = archc.load(source=source) if "ARGMAX" not in source else None
        if result is None or result.source() == result.source(recognize=False):
            continue
        moved += 1
        made, plain = modules(result)
        sizes = [int(size) for size in re.findall(r"\d+", source.rpartition("SEQUENCE(4, ")[2])]
        x = torch.randn(2, 4, *sizes, dtype=torch.float64)
        random = "DROPOUT" in source or "NOISE" in source
        for training in (False,) if random else (False, True):
            made.train(training), plain.train(training)
            torch.manual_seed(1)
            one = made(x)
            torch.manual_seed(1)
            torch.testing.assert_close(one, plain(x), rtol=1e-9, atol=1e-9)
    assert moved >= MOVED
