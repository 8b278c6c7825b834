"""Products of a loop whose weights learn from all steps at once."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

import archc

BATCH, STEPS, FEATURES, UNITS = 3, 11, 5, 7

CELLS = {
    "split": """cell C(n) {
  f    = { x[t] | h[t-1] } -> FC(n) -> SIGMOID
  g    = { x[t] | f * h[t-1] } -> FC(n) -> TANH
  h[t] = (1 - f) * h[t-1] + f * g
}""",
    "biases": """cell C(n) {
  f    = { x[t] -> FC(n) + h[t-1] -> FC(n) } -> SIGMOID
  g    = { x[t] -> FC(n) + (f * h[t-1]) -> FC(n) } -> TANH
  h[t] = f * g + h[t-1] * (1 - f)
}""",
    "used twice": """cell C(n) {
  a    = x[t] -> FC(n)
  f    = { a + h[t-1] -> FC(n) } -> SIGMOID
  h[t] = (1 - f) * h[t-1] + f * a
}""",
    "raw": """cell C(n) {
  h[t] = { x[t] + h[t-1] -> FC(n, bias=no) } -> SIGMOID
}""",
    "far": """cell C(n) {
  h[t] = { x[t] -> FC(n) + h[t-2] -> FC(n) } -> SOFTSIGN
}""",
    "two states": """cell C(n) {
  c[t] = { x[t] -> FC(n) + h[t-1] -> FC(n) } -> SIGMOID
  h[t] = { x[t] -> FC(n) + c[t] -> FC(n) } -> TANH
  out h[t]
}""",
}  # fmt: skip


def modules(cell: str, **options: Any) -> tuple[nn.Module, nn.Module]:
    """The module with and without recognition, with equal weights in double precision."""
    features = UNITS if "x[t] +" in CELLS[cell] else FEATURES
    source = f"dim T\n{CELLS[cell]}\nnet N = SEQUENCE(T, {features}) -> C({UNITS})"
    torch.manual_seed(2)
    net = archc.load(source=source.replace("SOFTSIGN", "TANH"), **options)
    made, plain = net.to_torch().double(), net.to_torch(recognize=False).double()
    with torch.no_grad():
        for parameter in made.parameters():
            parameter.normal_(std=0.5)
    plain.load_state_dict(made.state_dict())
    return made, plain


def sequence(cell: str) -> Tensor:
    """A batch of sequences."""
    features = UNITS if cell == "raw" else FEATURES
    return torch.randn(BATCH, STEPS, features, dtype=torch.float64, requires_grad=True)


def gradients(model: nn.Module, x: Tensor, times: int = 1) -> list[Tensor]:
    """Of the input and of all weights, for an uneven sum of the outputs."""
    y = model(x)
    loss = (y * y.detach().cos()).sum()
    for _ in range(times):
        model.zero_grad()
        x.grad = None
        loss.backward(retain_graph=True)
    return [tensor.grad for tensor in (x, *model.parameters()) if tensor.grad is not None]


@pytest.mark.parametrize("cell", CELLS)
def test_gradients_are_those_of_the_plain_loop(cell: str) -> None:
    made, plain = modules(cell)
    x = sequence(cell)
    assert torch.allclose(made(x), plain(x), atol=1e-12)
    for got, wanted in zip(gradients(made, x), gradients(plain, x), strict=True):
        assert torch.allclose(got, wanted, atol=1e-10)


@pytest.mark.parametrize("cell", CELLS)
def test_gradients_are_differences(cell: str) -> None:
    made, _ = modules(cell)
    x = sequence(cell)[:2, :3].detach().requires_grad_()
    names, weights = zip(*made.named_parameters(), strict=True)

    def run(x: Tensor, *weights: Tensor) -> Any:
        for name, weight in zip(names, weights, strict=True):
            owner, _, last = name.rpartition(".")
            part = made.get_submodule(owner)
            del part._parameters[last]
            setattr(part, last, weight)
            part._parameters[last] = weight
        return made(x)

    leaves = [weight.detach().clone().requires_grad_() for weight in weights]
    assert torch.autograd.gradcheck(run, (x, *leaves))


def test_a_graph_that_is_kept_gives_the_same_again() -> None:
    made, _ = modules("split")
    x = sequence("split")
    once, twice = gradients(made, x), gradients(made, x, times=2)
    for one, other in zip(once, twice, strict=True):
        assert torch.equal(one, other)


def test_second_derivatives_are_refused() -> None:
    made, plain = modules("split")
    x = sequence("split")
    with pytest.raises(RuntimeError, match="--no-recognize"):
        torch.autograd.grad(made(x).sum(), x, create_graph=True)
    (first,) = torch.autograd.grad(plain(x).square().sum(), x, create_graph=True)
    first.sum().backward()


STARTED = """cell C(n, s) {
  h[0] = s
  h[t] = { x[t] -> FC(n) + h[t-1] -> FC(n) } -> SIGMOID
}
net N {
  in x = SEQUENCE(11, 5), s = INPUT(7)
  y = x -> C(7, s)
  out y, z = y.state
}"""


@pytest.mark.parametrize("output", [0, 1])
@pytest.mark.parametrize("source", [0, 1])
def test_so_they_are_by_the_start_and_from_the_last_state(output: int, source: int) -> None:
    made = archc.load(source=STARTED).to_torch().double()
    given = [
        torch.randn(BATCH, *sizes, dtype=torch.float64, requires_grad=True)
        for sizes in ((STEPS, 5), (7,))
    ]
    result = tuple(made(*given))[output].square().sum()
    with pytest.raises(RuntimeError, match="--no-recognize"):
        torch.autograd.grad(result, given[source], create_graph=True)
    (first,) = torch.autograd.grad(tuple(made(*given))[output].sum(), given[source])
    assert first.isfinite().all()


def test_frozen_weights_and_no_gradients() -> None:
    made, plain = modules("biases")
    x = sequence("biases")
    with torch.no_grad():
        assert torch.allclose(made(x), plain(x), atol=1e-12)
    for model in (made, plain):
        next(iter(model.parameters())).requires_grad_(False)
        list(model.parameters())[-2].requires_grad_(False)
    for got, wanted in zip(gradients(made, x), gradients(plain, x), strict=True):
        assert torch.allclose(got, wanted, atol=1e-10)


def test_mixed_precision() -> None:
    made, plain = modules("split")
    made, plain, x = made.float(), plain.float(), sequence("split").float().detach()
    with torch.autocast("cpu", torch.bfloat16):
        got, wanted = made(x), plain(x)
    assert torch.allclose(got.float(), wanted.float(), atol=0.05)
    got.float().sum().backward()
    assert all(parameter.grad is not None for parameter in made.parameters())


def test_compiled_whole() -> None:
    made, plain = modules("split")
    x = sequence("split").detach()[:, :3]
    whole = torch.compile(made, fullgraph=True, backend="aot_eager")
    whole(x).sum().backward()
    plain(x).sum().backward()
    for one, other in zip(made.parameters(), plain.parameters(), strict=True):
        assert one.grad is not None and other.grad is not None
        assert torch.allclose(one.grad, other.grad, atol=1e-10)


def test_what_is_written() -> None:
    net = archc.load("mgu")
    source, plain = net.source(), net.source(recognize=False)
    assert "f = torch.sigmoid(fc1_weight.step(x_t, h))" in source
    assert "h = torch.addcmul(h, f, g - h)" in source
    assert "RecurrentWeight" not in plain and "addcmul" not in plain
