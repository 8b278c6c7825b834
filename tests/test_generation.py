"""`step` and `generate`: nets that are run step by step compute what forward computes."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import archc
from cli_harness import run

BATCH, STEPS, SOURCE, VOCABULARY, FEATURES = 2, 11, 7, 17, 5

DEFINITIONS = """
dim T, S
block Layer(heads, rope) =
  { ID + RMSNORM -> ATTENTION(heads, kv_heads=2, causal=yes, rope=rope) -> DROPOUT }
  -> { ID + RMSNORM -> FC(4*x.c) -> SILU -> FC(x.c) }
block Plain(heads) = { ID + LN -> ATTENTION(heads, causal=yes) } -> { ID + LN -> FC(x.c) -> GELU }
block Head {
  q = x -> FC(7)
  k = x -> FC(7)
  v = x -> FC(5)
  out { [{ q @ k' } / sqrt(7)] -> MASK(causal) -> SOFTMAX } @ v
}
block Cross(memory) = { ID + ATTENTION(2, causal=yes) } -> { ID + ATTENTION(2, kv=memory) } -> LN
cell Elman(n) { h[t] = { x[t] -> FC(n) + h[t-1] -> FC(n) } -> TANH }
cell Gated(n) {
  f    = { x[t] | h[t-1] } -> FC(n) -> SIGMOID
  g    = { x[t] | f * h[t-1] } -> FC(n) -> TANH
  h[t] = (1 - f) * h[t-1] + f * g
}
cell Memory(n) {
  f, i, g, o = { x[t] | h[t-1] } -> FC(4*n) -> SPLIT(4)
  c[t] = (f -> SIGMOID) * c[t-1] + (i -> SIGMOID) * (g -> TANH)
  h[t] = (o -> SIGMOID) * (c[t] -> TANH)
}
cell Far(n) { h[t] = { x[t] -> FC(n) + x[t-1] -> FC(n) + h[t-2] -> FC(n) } -> TANH }
cell Jordan(n, classes) {
  h = { x[t] -> FC(n) + y[t-1] -> FC(n, bias=no) } -> SIGMOID
  out y = h -> FC(classes)
}
cell Scored(n, classes) {
  h[t] = { x[t] -> FC(n) + h[t-1] -> FC(n) } -> SIGMOID
  out { h[t] | x[t] } -> FC(classes) -> SOFTMAX
}
cell Late(n) {
  h[t] = { x[t] -> FC(n) + h[t-1] -> FC(n) } -> SIGMOID
  out { h[t-1] | x[t-1] }
}
cell Beside(n, v) { h[t] = { x[t] | h[t-1] | v } -> FC(n) -> TANH }
cell Decoder(n, first) {
  h[0] = first -> FC(n) -> TANH
  h[t] = { x[t] -> FC(n) + h[t-1] -> FC(n) } -> TANH
}
cell Reader(n, memory) {
  scores = { memory -> FC(n, bias=no) + h[t-1] -> FC(n) } -> TANH -> FC(1, bias=no)
  context = { [scores -> SOFTMAX(axis=t)]' @ memory } -> FLATTEN
  h[t] = { x[t] | context | h[t-1] } -> FC(n) -> TANH
}
"""

# From tokens to scores of the next token.
BODIES = {
    "rnn": "RNN(7)",
    "gru": "GRU(7, layers=2)",
    "lstm": "LSTM(7, layers=2, dropout=0.5, bias=one)",
    "copies": "[LSTM(7)]*3",
    "stages": "[LSTM(7) -> DROPOUT]*2",
    "elman": "Elman(7)",
    "memory": "[Memory(7)]*2",
    "gated": "Gated(7)",
    "far": "Far(7)",
    "jordan": "Jordan(7, 3)",
    "scored": "Scored(7, 3)",
    "late": "Late(7)",
    "layers": "FC(24) -> POSEMBED(STEPS) -> [Plain(6)]*3",
    "rotary": "FC(24) -> [Layer(6, 100)]*2",
    "encoded": "FC(8) -> POSENC -> ATTENTION(2, causal=yes)",
    "window": "FC(8) -> ROPE(500) -> ATTENTION(2, causal=yes, window=3, rope=50)",
    "equation": "Head",
    "convolution": "{ ID + CONV(5, 3, dilation=2, pad=causal) } -> DWCONV(2, pad=causal)",
    "dilations": "[CONV(5, 2, dilation=2**i, pad=causal) -> RELU for i in range(3)]",
    "branches": '{ GRU(3) | Elman(4) | ID } -> RESHAPE("t (d h) -> h t d", h=3) -> MEAN(axis=h)',
}  # fmt: skip

NETS = {
    name: f"net N = TOKENS(T, {VOCABULARY}) -> EMBED({FEATURES}) -> "
    f"{body.replace('STEPS', str(STEPS))} -> FC({VOCABULARY})"
    for name, body in BODIES.items()
}
NETS |= {
    "features": f"net N = SEQUENCE(T, {FEATURES}) -> GRU({FEATURES})",
    "fixed": f"net N = SEQUENCE({STEPS}, {FEATURES}) -> Gated({FEATURES})",
    "tied": f"net N = TOKENS(T, {VOCABULARY}) -> EMBED(6) as table -> LSTM(6) -> UNEMBED(table)",
    "decoder": f"""net N {{
        in source = SEQUENCE(S, 3), target = TOKENS(T, {VOCABULARY})
        m = source -> GRU(5) -> LAST
        out target -> EMBED(5) -> Decoder(7, m) -> FC({VOCABULARY})
    }}""",
    "beside": f"""net N {{
        in source = SEQUENCE(S, 3), target = TOKENS(T, {VOCABULARY})
        m = source -> GRU(5) -> LAST
        out target -> EMBED(5) -> Beside(7, m) -> FC({VOCABULARY})
    }}""",
    "reader": f"""net N {{
        in source = SEQUENCE(S, 3), target = TOKENS(T, {VOCABULARY})
        m = source -> GRU(5)
        out target -> EMBED(5) -> Reader(7, m) -> FC({VOCABULARY})
    }}""",
    "cross": f"""net N {{
        in source = SEQUENCE(S, 6), target = TOKENS(T, {VOCABULARY})
        m = source -> ATTENTION(2)
        out target -> EMBED(6) -> [Cross(m)]*3 -> FC({VOCABULARY})
    }}""",
}


def model_of(name: str) -> nn.Module:
    torch.manual_seed(3)
    model = archc.load(source=f"{DEFINITIONS}\n{NETS[name]}").to_torch().double().eval()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.4)
    return model


def inputs_of(model: nn.Module, net: str) -> tuple[list[Tensor], int]:
    """The inputs of the net, and the number of the one that goes on."""
    names = list(inspect.signature(model.generate).parameters)  # type: ignore[arg-type]
    place = names.index("start")
    given = [torch.randn(BATCH, SOURCE, 6 if net == "cross" else 3, dtype=torch.double)] * place
    if net in ("features", "fixed"):
        return [torch.randn(BATCH, STEPS, FEATURES, dtype=torch.double)], place
    return [*given, torch.randint(VOCABULARY, (BATCH, STEPS))], place


@pytest.mark.parametrize("name", NETS)
def test_steps_give_what_forward_gives(name: str) -> None:
    model = model_of(name)
    inputs, place = inputs_of(model, name)
    made, state = [], None
    for first, last in ((0, 3), (3, 4), (4, STEPS)):
        part = [x if i != place else x[:, first:last] for i, x in enumerate(inputs)]
        y, state = model.step(*part, state)  # type: ignore[operator]
        made.append(y)
    torch.testing.assert_close(torch.cat(made, 1), model(*inputs), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", NETS)
def test_generation_is_forward_of_what_was_made(name: str) -> None:
    model = model_of(name)
    inputs, place = inputs_of(model, name)
    inputs[place] = inputs[place][:, :3]
    made = model.generate(*inputs, 5)  # type: ignore[operator]
    wanted = inputs[place]
    for _ in range(5):
        inputs[place] = wanted
        last = model(*inputs)[:, -1:]
        following = last if wanted.is_floating_point() else last.argmax(-1)
        wanted = torch.cat((wanted, following), 1)
    torch.testing.assert_close(made, wanted, rtol=1e-9, atol=1e-9)


def test_sampling_draws_from_the_likeliest() -> None:
    model, start = model_of("gru"), torch.zeros(500, 1, dtype=torch.long)
    likeliest = model(start)[0, -1].topk(3).indices
    drawn = model.generate(start, 1, temperature=2.0, top_k=3)[:, 1]  # type: ignore[operator]
    assert set(drawn.tolist()) == set(likeliest.tolist())
    again = [
        model.generate(start, 4, 1.0, generator=torch.Generator().manual_seed(5))  # type: ignore[operator]
        for _ in range(2)
    ]
    assert torch.equal(*again)


def test_a_sequence_of_reals_takes_what_the_caller_makes_of_it() -> None:
    model = archc.load("char_rnn").to_torch()

    def one_hot(y: Tensor) -> Tensor:
        return nn.functional.one_hot(y.argmax(-1), 5).float()

    start = one_hot(torch.randn(BATCH, 1, 5))
    made = model.generate(start, 4, one_hot)  # type: ignore[operator]
    assert made.shape == (BATCH, 5, 5)
    assert torch.equal(made.sum(-1), torch.ones(BATCH, 5))


def test_gradients_flow_through_steps() -> None:
    model = model_of("memory").train()
    (x,), _ = inputs_of(model, "memory")
    y, state = model.step(x[:, :4])  # type: ignore[operator]
    z, _ = model.step(x[:, 4:], state)  # type: ignore[operator]
    parameters = list(model.parameters())
    found = torch.autograd.grad(torch.cat((y, z), 1).square().sum(), parameters)
    wanted = torch.autograd.grad(model(x).square().sum(), parameters)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one, other)


def test_more_positions_than_were_learned_are_refused() -> None:
    model = model_of("layers")
    start = torch.zeros(1, STEPS, dtype=torch.long)
    assert model.generate(start, 1).shape == (1, STEPS + 1)  # type: ignore[operator]
    with pytest.raises(ValueError, match=f"{STEPS} positions are learned, got {STEPS + 1} steps"):
        model.generate(start, 2)  # type: ignore[operator]


def test_what_cannot_be_run_step_by_step_says_why() -> None:
    scores = f"FC({VOCABULARY})"
    reasons = {
        "ATTENTION(5)": "ATTENTION sees later steps, since it is not causal",
        "LSTM(5, bidirectional=yes)": "LSTM runs from the end as well",
        "CONV(7, 3)": "CONV looks at later steps; pad=causal keeps it from that",
        "REVERSE": "REVERSE may look at other steps",
        "{ ID - MEAN(axis=t) }": "MEAN looks at other steps",
    }
    for body, reason in reasons.items():
        net = f"net N = TOKENS(T, {VOCABULARY}) -> EMBED({FEATURES}) -> {body} -> {scores}"
        loaded = archc.load(source=f"{DEFINITIONS}\n{net}")
        assert loaded.generation == f"the module does not generate: {reason}"
        assert "def step" not in loaded.source() and "def generate" not in loaded.source()


def test_the_command_explains_and_leaves_out(tmp_path: Path) -> None:
    file = tmp_path / "n.arch"
    file.write_text(f"{DEFINITIONS}\n{NETS['gru']}")
    explained = run("compile", f"{file}:N", "--explain")
    assert "note: the module goes on step by step: step and generate" in explained.err
    assert "def generate(" in explained.out
    plain = run("compile", f"{file}:N", "--no-generate")
    assert "def generate(" not in plain.out and "def step(" not in plain.out


def test_the_rest_of_the_source_is_the_same_without() -> None:
    for name in NETS:
        loaded = archc.load(source=f"{DEFINITIONS}\n{NETS[name]}")
        kept = [_methods(loaded.source(generate=flag)) for flag in (True, False)]
        assert kept[0] == kept[1]


def _methods(text: str) -> list[str]:
    """The constructors and forwards of a file."""
    return [
        ast.unparse(node)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef) and node.name in ("__init__", "forward")
    ]


CAPTIONS = f"""
cell Writer(n, vocab, first) {{
  h[0] = first -> FC(n) -> TANH
  previous = x[t-1] when training else y[t-1] -> ARGMAX
  h[t] = {{ previous -> EMBED(n) + h[t-1] -> FC(n) }} -> TANH
  out y = h[t] -> FC(vocab)
}}
net N {{
  in image = INPUT(3), caption = TOKENS({STEPS}, {VOCABULARY})
  out caption -> Writer(7, {VOCABULARY}, image)
}}
"""


def test_what_a_cell_is_told_while_training_is_what_it_said_before() -> None:
    torch.manual_seed(3)
    model = archc.load(source=CAPTIONS).to_torch().double()
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.7)
    image = torch.randn(BATCH, 3, dtype=torch.double)
    said = torch.randint(VOCABULARY, (BATCH, STEPS))
    before = nn.functional.pad(said, (1, -1))
    first, state = model.step(image, before[:, :4])  # type: ignore[operator]
    then, _ = model.step(image, before[:, 4:], state)  # type: ignore[operator]
    torch.testing.assert_close(torch.cat((first, then), 1), model.train()(image, said))
    empty = said[:, :0]
    made = model.eval().generate(image, empty, STEPS)  # type: ignore[operator]
    assert torch.equal(made, model(image, said).argmax(-1))
    assert len({*made.flatten().tolist()}) > 2
