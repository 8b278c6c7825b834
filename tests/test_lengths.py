"""Sequences with padding: every net is held against itself on examples that are cropped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import archc
import archc.ops
from archc.op import REGISTRY
from cli_harness import run

BATCH, STEPS, FEATURES, VOCABULARY = 3, 13, 5, 17
LENGTHS = (7, 13, 3)

DEFINITIONS = """
dim T, S
cell Elman(n) { h[t] = { x[t] -> FC(n, bias=no) + h[t-1] -> FC(n) } -> TANH }
cell Gated(n) {
  f    = { x[t] -> FC(n) + h[t-1] -> FC(n, bias=no) } -> SIGMOID
  g    = { x[t] -> FC(n) + (f * h[t-1]) -> FC(n, bias=no) } -> TANH
  h[t] = (1 - f) * h[t-1] + f * g
}
cell Far(n) {
  h[t] = { x[t] -> FC(n) + x[t-1] -> FC(n, bias=no) + h[t-2] -> FC(n, bias=no) } -> TANH
}
cell Memory(n) {
  f, i, g, o = { x[t] | h[t-1] } -> FC(4*n) -> SPLIT(4)
  c[t] = (f -> SIGMOID) * c[t-1] + (i -> SIGMOID) * (g -> TANH)
  h[t] = (o -> SIGMOID) * (c[t] -> TANH)
}
cell Reader(n, memory) {
  scores = { memory -> FC(n, bias=no) + h[t-1] -> FC(n) } -> TANH -> FC(1, bias=no)
  context = { [scores -> SOFTMAX(axis=t)]' @ memory } -> FLATTEN
  h[t] = { x[t] | context | h[t-1] } -> FC(n) -> TANH
}
cell Two(n) {
  in a, b
  h[t] = { a[t] | b[t] | h[t-1] } -> FC(n) -> TANH
}
block Attend {
  in q, k, v
  out ({ q @ k' / sqrt(q.c) } -> SOFTMAX) @ v
}
block Causal {
  in q, k, v
  out ({ q @ k' / sqrt(q.c) } -> MASK(causal) -> SOFTMAX) @ v
}
block Layer(heads) =
  { ID + LN -> ATTENTION(heads) } -> { ID + LN -> FC(2*x.c) -> GELU -> FC(x.c) }
block Token {
  param first = (2, x.c) init normal(1)
  out { first, x } -> CONCAT(axis=t)
}
block Backwards = REVERSE -> Elman(7) -> REVERSE
"""

# What comes behind `SEQUENCE(T, 5, lengths=yes) ->`; whether steps leave, and not one vector.
CHAINS = {
    "last": ("FC(7) -> LAST", False),
    "first": ("FC(7) -> FIRST", False),
    "select": ("FC(7) -> SELECT(0, axis=t)", False),
    "mean": ("FC(7) -> MEAN(axis=t)", False),
    "mean of all": ("FC(7) -> MEAN(axis=(t, c))", False),
    "max": ("FC(7) -> MAX(axis=t)", False),
    "gap": ("FC(7) -> GAP", False),
    "gmp": ("FC(7) -> GMP", False),
    "softmax": ("FC(7) -> SOFTMAX(axis=t)", True),
    "logsoftmax": ("FC(7) -> LOGSOFTMAX(axis=t)", True),
    "weighted mean": ("{ [FC(1) -> SOFTMAX(axis=t)]' @ ID } -> FLATTEN", False),
    "sum of products": ("{ ID' @ FC(7) } -> FLATTEN", False),
    "reverse": ("FC(7) -> REVERSE", True),
    "joins": ("{ FC(7) + FC(7) * [FC(7) -> MEAN(axis=t)] } -> LN", True),
    "concat": ("{ FC(7) | ID } -> RELU -> FC(2)", True),
    "positions": ("FC(8) -> POSENC -> FC(3)", True),
    "log": ("EXP -> LOG -> FC(3) -> SQUARE -> SQRT -> MEAN(axis=t)", False),
    "conv": ("CONV(7, 3) -> RELU -> CONV(4, 5)", True),
    "conv causal": ("CONV(7, 3, pad=causal, dilation=2) -> LAST", False),
    "conv stride": ("CONV(7, 3, 2) -> RELU -> CONV(4, 3, 2, pad=1) -> MEAN(axis=t)", False),
    "conv repeated": ("[CONV(c, 3, 2) -> RELU for c in [7, 11]] -> Elman(3) -> LAST", False),
    "depthwise": ("DWCONV(3) -> GMP", False),
    "maxpool": ("CONV(7, 3) -> MAXPOOL(3, 1) -> MAXPOOL(2) -> LAST", False),
    "avgpool": ("CONV(7, 3) -> AVGPOOL(3, 2, pad=1) -> MEAN(axis=t)", False),
    "attention": ("FC(6) -> ATTENTION(3)", True),
    "attention causal": ("FC(6) -> ATTENTION(3, causal=yes, rope=100)", True),
    "attention window": ("FC(6) -> ATTENTION(3, window=2)", True),
    "attention window causal": ("FC(6) -> ATTENTION(3, window=2, causal=yes)", True),
    "layers": ("FC(6) -> [Layer(3)]*3 -> LN -> MEAN(axis=t)", False),
    "equation": ("{ FC(7), FC(7), FC(3) } -> Attend", True),
    "equation causal": ("{ FC(7), FC(7), FC(3) } -> Causal", True),
    "equation heads": (
        '{ FC(6) -> RESHAPE("n (h d) -> h n d", h=3), FC(6) -> RESHAPE("t (h d) -> h t d", h=3),'
        ' FC(6) -> RESHAPE("t (h d) -> h t d", h=3) } -> Attend -> RESHAPE("h t d -> t (h d)")',
        True,
    ),
    "signal": ('FC(7) -> RESHAPE("t c -> c t") -> CONV(3, 3, 2) -> RELU -> GAP', False),
    "scores": ("FC(7) -> { ID @ ID' } -> RELU -> MEAN -> MEAN(axis=t)", False),
    "two sequences": ("{ FC(3), FC(2) } -> Two(7) -> LAST", False),
    "class token": ("Token -> ATTENTION(5) -> FIRST", False),
    "behind a token": ("Token -> CONV(7, 3, 2) -> Elman(3) -> LAST", False),
    "transposed": ("FC(7) -> TRANSPOSE -> TRANSPOSE", True),
    "rnn": ("RNN(7)", True),
    "gru": ("GRU(7, layers=2)", True),
    "lstm both ways": ("LSTM(7, bidirectional=yes)", True),
    "gru both ways": ("GRU(7, layers=2, bidirectional=yes, bias=one) -> LAST", False),
    "elman": ("Elman(7)", True),
    "elman last": ("Elman(7) -> LAST", False),
    "memory": ("Memory(7) -> Memory(3)", True),
    "gated": ("Gated(7)", True),
    "far": ("Far(7) -> Far(3)", True),
    "backwards": ("{ Elman(7) | Backwards }", True),
}  # fmt: skip


def padded(*sizes: int) -> Tensor:
    """A batch whose padding is no number."""
    torch.manual_seed(5)
    x = torch.randn(BATCH, STEPS, *sizes, dtype=torch.float64)
    for example, length in enumerate(LENGTHS):
        x[example, length:] = torch.nan
    return x


def gradients(model: nn.Module, result: Tensor) -> list[Tensor]:
    """What the weights get from a sum in which no two numbers count alike."""
    model.zero_grad()
    counted = torch.arange(result.numel(), dtype=result.dtype).reshape(result.shape) % 7 + 1
    (result * counted).sum().backward(retain_graph=True)
    return [torch.zeros(1) if p.grad is None else p.grad.clone() for p in model.parameters()]


def cropped(x: Tensor, example: int, length: int) -> Tensor:
    """One example without its padding."""
    return x[example : example + 1, :length]


def agrees(model: nn.Module, inputs: Sequence[tuple[Tensor, tuple[int, ...]]], steps: bool) -> None:
    """A padded batch gives what each example gives alone without its padding, gradients too."""
    whole = model(*[part for x, counts in inputs for part in (x, torch.tensor(counts))])
    for example in range(BATCH):
        single = [
            part
            for x, counts in inputs
            for part in (cropped(x, example, counts[example]), torch.tensor([counts[example]]))
        ]
        alone = model(*single)
        ours = whole[example : example + 1]
        ours = ours[:, : alone.shape[1]] if steps else ours
        torch.testing.assert_close(ours, alone, atol=1e-10, rtol=1e-8)
        pairs = zip(gradients(model, ours), gradients(model, alone), strict=True)
        for found, expected in pairs:
            torch.testing.assert_close(found, expected, atol=1e-9, rtol=1e-7)


def model_of(net: str, *, recognize: bool = True) -> nn.Module:
    """The module of a net in double precision."""
    torch.manual_seed(3)
    found = archc.load(source=f"{DEFINITIONS}\n{net}\n")
    return found.to_torch(recognize=recognize).double()


@pytest.mark.parametrize("recognize", [True, False])
@pytest.mark.parametrize("name", CHAINS)
def test_padding_has_no_influence(name: str, recognize: bool) -> None:
    chain, steps = CHAINS[name]
    net = f"net N = SEQUENCE(T, {FEATURES}, lengths=yes) -> {chain}"
    agrees(model_of(net, recognize=recognize), [(padded(FEATURES), LENGTHS)], steps)


def test_steps_may_be_images() -> None:
    net = "net N = SEQUENCE(T, 2, 5, 3, lengths=yes) -> CONV(7) -> RELU -> GAP -> Elman(3) -> LAST"
    agrees(model_of(net), [(padded(2, 5, 3), LENGTHS)], False)


@pytest.mark.parametrize("chain", ["LSTM(7, bidirectional=yes) -> LAST", "ATTENTION(3) -> GMP"])
def test_tokens_may_be_anything_in_the_padding(chain: str) -> None:
    model = model_of(f"net N = TOKENS(T, {VOCABULARY}, lengths=yes) -> EMBED(6) -> {chain}")
    x = torch.randint(VOCABULARY, (BATCH, STEPS))
    for example, length in enumerate(LENGTHS):
        x[example, length:] = -100
    agrees(model, [(x, LENGTHS)], False)


OTHER = (11, 2, 5)

PAIRS = {
    "cross": ("target -> FC(6) -> ATTENTION(3, kv={source -> FC(4)})", True),
    "cross equation": ("{ target -> FC(7), source -> FC(7), source } -> Attend", True),
    "decoder": ("target -> Reader(7, {source -> GRU(3, bidirectional=yes)})", True),
    "siamese": ("{ (source -> enc) - (target -> enc) } -> ABS -> FC(3)", False),
}


@pytest.mark.parametrize("recognize", [True, False])
@pytest.mark.parametrize("name", PAIRS)
def test_two_sequences_have_lengths_of_their_own(name: str, recognize: bool) -> None:
    chain, steps = PAIRS[name]
    share = "share enc = [FC(6) -> Layer(3) -> LAST]" if "enc" in chain else ""
    net = f"""net N {{
      in source = SEQUENCE(S, {FEATURES}, lengths=yes),
        target = SEQUENCE(T, {FEATURES}, lengths=yes)
      {share}
      out {chain}
    }}"""
    torch.manual_seed(7)
    source = padded(FEATURES)[:, :11]
    source = torch.where(source.isnan(), torch.nan, torch.randn_like(source))
    for example, length in enumerate(OTHER):
        source[example] = torch.randn_like(source[example])
        source[example, length:] = torch.nan
    inputs = [(source, OTHER), (padded(FEATURES), LENGTHS)]
    agrees(model_of(net, recognize=recognize), inputs, steps)


@pytest.mark.parametrize("layer", ["GRU(7)", "LSTM(7, bidirectional=yes)", "Memory(7)", "Elman(7)"])
def test_the_final_state_is_that_of_the_last_real_step(layer: str) -> None:
    state = "m.state.c" if layer == "Memory(7)" else "m.state"
    state = "(m.state -> CONCAT)" if layer.startswith("LSTM") else state
    net = f"""net N {{
      in s = SEQUENCE(T, {FEATURES}, lengths=yes)
      m = s -> {layer}
      out {state} -> FC(3)
    }}"""
    agrees(model_of(net), [(padded(FEATURES), LENGTHS)], False)


def test_figures_are_those_of_the_padded_size() -> None:
    chain = "FC(6) -> ATTENTION(3) -> CONV(4, 3, 2) -> Memory(7) -> LSTM(3) -> LAST -> FC(2)"
    nets = [
        archc.load(source=f"{DEFINITIONS}\nnet N = SEQUENCE({STEPS}, {FEATURES}{more}) -> {chain}")
        for more in ("", ", lengths=yes")
    ]
    plain, counted = [net.stats().to_dict() for net in nets]
    assert counted.pop("inputs") == {"x": [STEPS, FEATURES], "lengths": []}
    assert plain.pop("inputs") == {"x": [STEPS, FEATURES]}
    for table in (plain, counted):
        for row in table["layers"]:
            row.pop("column"), row.pop("input")
    assert plain == counted


def test_lengths_out_of_range_are_refused() -> None:
    model = model_of(f"net N = SEQUENCE(T, {FEATURES}, lengths=yes) -> LAST -> FC(3)")
    x = padded(FEATURES)
    for lengths in ((0, 3, 5), (7, STEPS + 1, 3)):
        with pytest.raises(ValueError, match="expected lengths from 1 to 13"):
            model(x, torch.tensor(lengths))
    with pytest.raises(ValueError, match="expected 3 lengths"):
        model(x, torch.tensor([7, 13]))


MISTAKES = {
    "BN": ("padded-steps", "BN", "LN"),
    "FLATTEN -> FC(3)": ("padded-steps", "FLATTEN", "LAST"),
    "SELECT(-1, axis=t)": ("padded-steps", "SELECT", "LAST"),
    "SELECT(0..3, axis=t)": ("padded-steps", "SELECT", "LAST"),
    "ROLL(1, axis=t)": ("padded-steps", "ROLL", "LAST"),
    "MAXPOOL(3, 2, ceil=yes)": ("padded-steps", "MAXPOOL", "ceil"),
    "AVGPOOL(3, 1, count_pad=no)": ("padded-steps", "AVGPOOL", "count_pad"),
    "UPSAMPLE(2)": ("padded-steps", "UPSAMPLE", "LAST"),
    "GN(5)": ("padded-steps", "GN", "LAST"),
    "ADAPTIVEPOOL(2)": ("padded-steps", "ADAPTIVEPOOL", "LAST"),
    "TRANSPOSE -> FC(13)": ("padded-steps", "FC", "LAST"),
    "TRANSPOSE -> LN": ("padded-steps", "LN", "LAST"),
    "TRANSPOSE -> CONV(13)": ("padded-steps", "CONV", "LAST"),
    "TRANSPOSE -> GRU(13)": ("padded-steps", "GRU", "LAST"),
    "TRANSPOSE -> ATTENTION(1)": ("padded-steps", "ATTENTION", "LAST"),
    "{ ID @ ID' } -> RNN(13)": ("padded-steps", "RNN", "LAST"),
    "{ ID @ ID' } -> MEAN(axis=(t, c))": ("padded-steps", "MEAN", "one after the other"),
    "{ ID, ID } -> CONCAT(axis=t)": ("padded-steps", "CONCAT", "come last"),
    'RESHAPE("(a t) c -> a t c", a=13)': ("padded-steps", "RESHAPE", "LAST"),
}


@pytest.mark.parametrize("chain", MISTAKES)
def test_what_would_mix_padding_in_is_refused(chain: str) -> None:
    code, operator, help = MISTAKES[chain]
    source = f"net N = SEQUENCE({STEPS}, {FEATURES}, lengths=yes) -> {chain}"
    with pytest.raises(archc.ArchError) as caught:
        archc.load(source=source)
    (found,) = caught.value.diagnostics
    assert found.code == code
    assert operator in found.message
    assert found.help is not None and help in found.help
    assert found.labels[0].span.text.startswith(operator) or operator == "CONCAT"


def test_streams_padded_in_two_ways_do_not_join() -> None:
    source = f"""net N {{
      in a = SEQUENCE({STEPS}, {FEATURES}, lengths=yes),
        b = SEQUENCE({STEPS}, {FEATURES}, lengths=yes)
      out a + b
    }}"""
    with pytest.raises(archc.ArchError) as caught:
        archc.load(source=source)
    assert [found.code for found in caught.value.diagnostics] == ["padded-steps"]


def examples() -> list[str]:
    """The worked examples of all operators that begin with a sequence, their steps padded."""
    found = []
    for operator in REGISTRY.all():
        for example in operator.examples:
            chain, count = re.subn(
                r"^(SEQUENCE|TOKENS)\(\d+, ([^)]*)\)", r"\1(T, \2, lengths=yes)", example.chain
            )
            found += [chain] * count
    return found


@pytest.mark.parametrize("chain", examples())
def test_an_operator_leaves_padding_out_or_refuses_it(chain: str) -> None:
    try:
        net = archc.load(source=f"dim T\ndim T <= 128\nnet N = {chain}")
    except archc.ArchError as error:
        known = {"padded-steps", "undecided", "index-range", "not-divisible"}
        assert {found.code for found in error.diagnostics} <= known
        return
    port, (shape,) = net.program.region.inputs[0], [o.shape for o in net.program.region.outputs]
    model = net.to_torch().eval()
    torch.manual_seed(5)
    sizes = (2, 11, *[int(str(size)) for size in port.shape.sizes[1:]])
    x = torch.randn(*sizes) if port.shape.vocabulary is None else torch.randint(3, sizes)
    whole = model(x, torch.tensor([7, 11]))
    alone = model(x[:1, :7], torch.tensor([7]))
    for position in shape.padded:
        whole = whole.narrow(position + 1, 0, alone.shape[position + 1])
    torch.testing.assert_close(whole[:1], alone, atol=1e-5, rtol=1e-5)


READER = """dim T
net Reader = TOKENS(T, 17, lengths=yes) -> EMBED(6) -> ATTENTION(3) -> LAST -> FC(2)
net Both = TOKENS(T, 17, lengths=yes) -> EMBED(6) -> GRU(5, bidirectional=yes) -> LAST
"""


def test_the_commands_show_the_lengths(tmp_path: Path) -> None:
    path = tmp_path / "reader.arch"
    path.write_text(READER)
    assert run("check", str(path)).status == 0
    assert "Reader: x T, lengths -> out 2" in run("stats", f"{path}:Reader").out.replace("×", "x")
    assert run("stats", f"{path}:Reader", "--input", "13x19").status == 0
    assert run("render", f"{path}:Reader", "-o", str(tmp_path / "r.dot")).status == 0
    assert "real steps of x" in (tmp_path / "r.dot").read_text()
    assert run("compile", f"{path}:Reader", "-o", str(tmp_path / "r.py")).status == 0
    text = (tmp_path / "r.py").read_text()
    assert "def forward(self, x: Tensor, lengths: Tensor) -> Tensor:" in text
    assert "Input lengths: (B,), how many steps of x are real, at least 1." in text


def test_what_is_exported_takes_lengths(tmp_path: Path) -> None:
    path = tmp_path / "reader.arch"
    path.write_text(READER)
    net = archc.load(f"{path}:Reader")
    model = net.to_torch().eval()
    net.export(tmp_path / "reader.pt2", module=model)
    loaded = torch.export.load(tmp_path / "reader.pt2").module()
    x, lengths = torch.randint(17, (3, 29)), torch.tensor([7, 29, 3])
    torch.testing.assert_close(loaded(x, lengths), model(x, lengths))
    done = run("export", f"{path}:Both", "-o", str(tmp_path / "both.pt2"))
    assert done.status == 2
    assert "GRU on line 3 needs the lengths" in done.err
