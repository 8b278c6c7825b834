"""Cells in generated code, held against the same equations written for torch by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import archc
from agreement import module_of

BATCH, STEPS, FEATURES, UNITS = 2, 11, 5, 7

ELMAN = """cell Elman(n) {
  h[t] = { x[t] -> FC(n, bias=no) + h[t-1] -> FC(n) } -> TANH
}"""
LSTM = """cell Memory(n) {
  z    = x[t] | h[t-1]
  f    = z -> FC(n) -> SIGMOID
  i    = z -> FC(n) -> SIGMOID
  g    = z -> FC(n) -> TANH
  o    = z -> FC(n) -> SIGMOID
  c[t] = f * c[t-1] + i * g
  h[t] = o * (c[t] -> TANH)
  out h[t]
}"""
GATED = """cell Gated(n) {
  f    = { x[t] -> FC(n) + h[t-1] -> FC(n, bias=no) } -> SIGMOID
  g    = { x[t] -> FC(n) + (f * h[t-1]) -> FC(n, bias=no) } -> TANH
  h[t] = (1 - f) * h[t-1] + f * g
}"""
MAPS = """cell Maps(c) {
  z = { x[t] | h[t-1] } -> CONV(4*c)
  i, f, o, g = z -> SPLIT(4)
  m[t] = (f -> SIGMOID) * m[t-1] + (i -> SIGMOID) * (g -> TANH)
  h[t] = (o -> SIGMOID) * (m[t] -> TANH)
  out h[t]
}"""
FAR = """cell Far(n) {
  h[t] = { x[t] -> FC(n) + x[t-1] -> FC(n, bias=no) + h[t-2] -> FC(n, bias=no) } -> TANH
}"""


def model_of(text: str, net: str, **given: Any) -> nn.Module:
    """The module of a net in double precision, its weights far from where they start."""
    torch.manual_seed(3)
    model = archc.load(source=f"dim T\n{text}\nnet N = {net}", **given).to_torch().double()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.5)
    return model


def sequence(*sizes: int) -> Tensor:
    """A batch of sequences."""
    torch.manual_seed(5)
    return torch.randn(BATCH, STEPS, *(sizes or (FEATURES,)), dtype=torch.float64)


def layers(model: nn.Module) -> list[nn.Module]:
    """What has weights, by name: in the order of the equations."""
    named = [p for p in model.named_modules() if isinstance(p[1], (nn.Linear, nn.Conv2d))]
    return [part for _, part in sorted(named)]


def elman(model: nn.Module, x: Tensor) -> Tensor:
    into, back = layers(model)
    h, found = x.new_zeros(BATCH, UNITS), []
    for t in range(STEPS):
        h = torch.tanh(into(x[:, t]) + back(h))
        found.append(h)
    return torch.stack(found, 1)


def memory(model: nn.Module, x: Tensor) -> Tensor:
    forget, take, new, give = layers(model)
    h, c, found = x.new_zeros(BATCH, UNITS), x.new_zeros(BATCH, UNITS), []
    for t in range(STEPS):
        z = torch.cat([x[:, t], h], 1)
        c = forget(z).sigmoid() * c + take(z).sigmoid() * new(z).tanh()
        h = give(z).sigmoid() * c.tanh()
        found.append(h)
    return torch.stack(found, 1)


def gated(model: nn.Module, x: Tensor) -> Tensor:
    one, two, three, four = layers(model)
    h, found = x.new_zeros(BATCH, UNITS), []
    for t in range(STEPS):
        f = (one(x[:, t]) + two(h)).sigmoid()
        g = (three(x[:, t]) + four(f * h)).tanh()
        h = (1 - f) * h + f * g
        found.append(h)
    return torch.stack(found, 1)


def far(model: nn.Module, x: Tensor) -> Tensor:
    now, before, back = layers(model)
    found = [x.new_zeros(BATCH, UNITS), x.new_zeros(BATCH, UNITS)]
    last = torch.zeros_like(x[:, 0])
    for t in range(STEPS):
        found.append((now(x[:, t]) + before(last) + back(found[-2])).tanh())
        last = x[:, t]
    return torch.stack(found[2:], 1)


def maps(model: nn.Module, x: Tensor) -> Tensor:
    (conv,) = layers(model)
    h = x.new_zeros(BATCH, 3, *x.shape[-2:])
    m, found = h, []
    for t in range(STEPS):
        i, f, o, g = conv(torch.cat([x[:, t], h], 1)).chunk(4, 1)
        m = f.sigmoid() * m + i.sigmoid() * g.tanh()
        h = o.sigmoid() * m.tanh()
        found.append(h)
    return torch.stack(found, 1)


CELLS = {
    "Elman": (ELMAN, f"SEQUENCE(T, {FEATURES}) -> Elman({UNITS})", elman, ()),
    "Memory": (LSTM, f"SEQUENCE(T, {FEATURES}) -> Memory({UNITS})", memory, ()),
    "Gated": (GATED, f"SEQUENCE(T, {FEATURES}) -> Gated({UNITS})", gated, ()),
    "Far": (FAR, f"SEQUENCE(T, {FEATURES}) -> Far({UNITS})", far, ()),
    "Maps": (MAPS, "SEQUENCE(T, 2, 5, 7) -> Maps(3)", maps, (2, 5, 7)),
}


@pytest.mark.parametrize("name", CELLS)
def test_outputs_and_gradients_are_those_of_the_equations(name: str) -> None:
    text, net, by_hand, sizes = CELLS[name]
    model = model_of(text, net)
    x = sequence(*sizes)
    found, expected = model(x), by_hand(model, x)
    torch.testing.assert_close(found, expected)
    parameters = list(model.parameters())
    weight = torch.randn_like(found)
    gradients = torch.autograd.grad((found * weight).sum(), parameters)
    wanted = torch.autograd.grad((expected * weight).sum(), parameters)
    for one, other in zip(gradients, wanted, strict=True):
        torch.testing.assert_close(one, other)


@pytest.mark.parametrize("name", CELLS)
def test_a_module_takes_any_number_of_steps(name: str) -> None:
    text, net, _, sizes = CELLS[name]
    model = model_of(text, net)
    x = sequence(*sizes)
    torch.testing.assert_close(model(x)[:, :3], model(x[:, :3]))
    assert model(x[:, :1]).shape[1] == 1


DELAYED = {
    "h[t-1]": lambda h, last, x: h[-1],
    "{ h[t-1] + h[t-2] }": lambda h, last, x: h[-1] + h[-2],
    "{ h[t] | x[t-1] }": lambda h, last, x: torch.cat([last, x], 1),
    "x[t-1]": lambda h, last, x: x,
}


@pytest.mark.parametrize("recognize", [True, False])
@pytest.mark.parametrize("output", DELAYED)
def test_what_leaves_may_be_of_the_step_before(output: str, recognize: bool) -> None:
    text = f"""cell Late(n) {{
      h[t] = {{ x[t] -> FC(n) * [h[t-1] -> FC(n)] }} -> TANH
      out {output}
    }}"""
    net = archc.load(source=f"dim T\n{text}\nnet N = SEQUENCE(T, {FEATURES}) -> Late({UNITS})")
    model = net.to_torch(recognize=recognize).double()
    into, back = layers(model)
    x, zeros = sequence(), torch.zeros(BATCH, UNITS, dtype=torch.float64)
    h, before, found = [zeros, zeros], torch.zeros_like(x[:, 0]), []
    for t in range(STEPS):
        last = torch.tanh(into(x[:, t]) * back(h[-1]))
        found.append(DELAYED[output](h, last, before))
        h.append(last)
        before = x[:, t]
    torch.testing.assert_close(model(x), torch.stack(found, 1))


def test_sequences_of_sequences_are_added() -> None:
    text = """cell Rows(n) {
      h[t] = { x[t] -> FC(n) + h[t-1] } -> TANH
      out h[t] -> RESHAPE("(a c) -> a c", a=7)
    }"""
    net = "{ in x = SEQUENCE(T, 5) y = x -> Rows(21) out { y + y } }"
    loaded = archc.load(source=f"dim T\n{text}\nnet N {net}", T=STEPS)
    assert loaded.outputs == {"out": (STEPS, 7, 3)}


def test_copies_of_a_cell_have_weights_of_their_own_and_stack() -> None:
    model = model_of(ELMAN, f"SEQUENCE(T, {FEATURES}) -> [Elman({UNITS})]*3 -> LAST -> FC(2)")
    assert len(layers(model)) == 7
    assert model(sequence()).shape == (BATCH, 2)
    assert archc.load(source=f"dim T\n{ELMAN}\nnet N = SEQUENCE(T, 5) -> [Elman(7)]*3").params == (
        sum(p.numel() for p in model.parameters()) - 16
    )


def test_figures_are_those_of_the_module() -> None:
    for text, net, _, _ in CELLS.values():
        loaded = archc.load(source=f"dim T\n{text}\nnet N = {net}", T=STEPS)
        model = loaded.to_torch()
        assert sum(p.numel() for p in model.parameters()) == loaded.params


def test_a_decoder_attends_at_each_step() -> None:
    text = """
    dim S
    cell Decoder(n, memory, start) {
      h[0] = start -> FC(n) -> TANH
      s = { memory -> FC(n, bias=no) + h[t-1] -> FC(n) } -> TANH -> FC(1, bias=no)
      e = s -> SOFTMAX(axis=t)
      context = { e' @ memory } -> FLATTEN
      h[t] = { x[t] | context | h[t-1] } -> FC(n) -> TANH
      out h[t]
    }"""
    net = "{ in a = SEQUENCE(S, 3), b = SEQUENCE(T, 5) out b -> Decoder(7, a, a -> LAST) }"
    torch.manual_seed(3)
    loaded = archc.load(source=f"dim T\n{text}\nnet N {net}")
    model = loaded.to_torch().double()
    a, b = torch.randn(BATCH, 13, 3).double(), sequence()
    start, keys, query, score, update = layers(model)
    h, found = start(a[:, -1]).tanh(), []
    for t in range(STEPS):
        e = F.softmax(score((keys(a) + query(h)[:, None]).tanh()), dim=1)
        context = (e.transpose(1, 2) @ a).flatten(1)
        h = update(torch.cat([b[:, t], context, h], 1)).tanh()
        found.append(h)
    torch.testing.assert_close(model(a, b), torch.stack(found, 1))


# --- recognition ---------------------------------------------------------------------------------

SPLIT = """cell Split(n) {
  f, i, g, o = { h[t-1] | x[t] } -> FC(4*n) -> SPLIT(4)
  c[t] = (i -> SIGMOID) * (g -> TANH) + (f -> SIGMOID) * c[t-1]
  h[t] = (c[t] -> TANH) * (o -> SIGMOID)
  out h[t]
}"""
SUMS = """cell Sums(n) {
  f    = { x[t] -> FC(n) + h[t-1] -> FC(n) } -> SIGMOID
  i    = { x[t] -> FC(n) + h[t-1] -> FC(n) } -> SIGMOID
  g    = { h[t-1] -> FC(n) + x[t] -> FC(n) } -> TANH
  o    = { x[t] -> FC(n) + h[t-1] -> FC(n) } -> SIGMOID
  c[t] = f * c[t-1] + i * g
  h[t] = o * (c[t] -> TANH)
  out h[t]
}"""
RELU = "cell Simple(n) { h[t] = { x[t] | h[t-1] } -> FC(n) -> RELU }"
GRU = """cell Unit(n) {
  r = { x[t] -> FC(n) + h[t-1] -> FC(n) } -> SIGMOID
  z = { x[t] -> FC(n) + h[t-1] -> FC(n) } -> SIGMOID
  g = { x[t] -> FC(n) + r * [h[t-1] -> FC(n)] } -> TANH
  h[t] = z * h[t-1] + (1 - z) * g
}"""
STARTED = """cell Started(n, s) {
  h[0] = s -> FC(n)
  h[t] = { x[t] -> FC(n) + h[t-1] -> FC(n, bias=no) } -> TANH
}"""
KNOWN = {
    "torch.rnn_tanh": (ELMAN, "SEQUENCE(T, 5) -> Elman(7)"),
    "torch.lstm": (LSTM, "SEQUENCE(T, 5) -> Memory(7)"),
    "torch.lstm ": (SPLIT, "SEQUENCE(T, 5) -> Split(7)"),
    "torch.lstm  ": (SUMS, "SEQUENCE(T, 5) -> Sums(7)"),
    "torch.rnn_relu": (RELU, "SEQUENCE(T, 5) -> Simple(7)"),
    "torch.gru": (GRU, "SEQUENCE(T, 5) -> Unit(7)"),
    "torch.rnn_tanh ": (STARTED, "{ in a = SEQUENCE(T, 5) out a -> Started(7, a -> LAST) }"),
}


@pytest.mark.parametrize("kernel", KNOWN)
def test_known_equations_are_fused_with_the_same_weights_and_numbers(kernel: str) -> None:
    text, net = KNOWN[kernel]
    equals = "" if net.startswith("{") else "= "
    loaded = archc.load(source=f"dim T\n{text}\nnet N {equals}{net}")
    assert [note.rpartition(" ")[2] for note in loaded.recognized] == [kernel.strip()]
    fused = module_of(loaded.source()).double()
    plain = module_of(loaded.source(recognize=False)).double()
    assert kernel.strip().removeprefix("torch.") in loaded.source()
    assert ".unbind(" not in loaded.source()
    plain.load_state_dict(fused.state_dict(), strict=True)
    x = sequence()
    one, other = fused(x), plain(x)
    torch.testing.assert_close(one, other)
    weight = torch.randn_like(one)
    gradients = torch.autograd.grad((one * weight).sum(), list(fused.parameters()))
    wanted = dict(
        zip(
            dict(plain.named_parameters()),
            torch.autograd.grad((other * weight).sum(), list(plain.parameters())),
            strict=True,
        )
    )
    for name, gradient in zip(dict(fused.named_parameters()), gradients, strict=True):
        torch.testing.assert_close(gradient, wanted[name])


@pytest.mark.parametrize("name", ["Gated", "Far", "Maps"])
def test_what_no_kernel_computes_stays_a_loop(name: str) -> None:
    text, net, _, _ = CELLS[name]
    loaded = archc.load(source=f"dim T\n{text}\nnet N = {net}")
    assert loaded.recognized == ()
    assert ".unbind(1)" in loaded.source()


def test_the_reset_gate_before_the_product_is_no_kernel_of_torch() -> None:
    first = GRU.replace("r * [h[t-1] -> FC(n)]", "[r * h[t-1]] -> FC(n)")
    assert archc.load(source=f"dim T\n{first}\nnet N = SEQUENCE(T, 5) -> Unit(7)").recognized == ()
