"""ATTENTION, MASK, ROPE and attention as equations, against attention written in plain torch."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import archc
from properties import agree_with_walk

BATCH, T, S = 2, 7, 11


def turned(x: Tensor, base: float) -> Tensor:
    """Rotary positions, pair by pair, as complex numbers that turn."""
    steps, features = x.shape[-2:]
    pairs = torch.complex(x[..., : features // 2], x[..., features // 2 :]).to(torch.complex128)
    for t in range(steps):
        for i in range(features // 2):
            angle = t / base ** (2 * i / features)
            pairs[..., t, i] = pairs[..., t, i] * complex(math.cos(angle), math.sin(angle))
    return torch.cat((pairs.real, pairs.imag), dim=-1).to(x.dtype)


def plain(model: nn.Module, x: Tensor, memory: Tensor | None, heads: int, **how: Any) -> Tensor:
    """Multi-head attention, head by head, with the weights of a module that was generated."""
    weights = dict(model.named_parameters())

    def part(name: str) -> tuple[Tensor, Tensor | int]:
        bias = next((w for n, w in weights.items() if n.endswith(f"{name}.bias")), 0)
        return next(w for n, w in weights.items() if n.endswith(f"{name}.weight")), bias

    def product(what: Tensor, name: str) -> Tensor:
        weight, bias = part(name)
        return what @ weight.T + bias

    kv_heads, width = how.get("kv_heads", heads), x.shape[-1] // heads
    if memory is None:
        sizes = (heads * width, kv_heads * width, kv_heads * width)
        q, k, v = product(x, "qkv").split(sizes, dim=-1)
    else:
        q, (k, v) = product(x, "q"), product(memory, "kv").chunk(2, dim=-1)
    found = []
    for head in range(heads):
        group = head * kv_heads // heads
        q1 = q[..., head * width : (head + 1) * width]
        k1, v1 = [w[..., group * width : (group + 1) * width] for w in (k, v)]
        if how.get("rope"):
            q1, k1 = turned(q1, how["rope"]), turned(k1, how["rope"])
        scores = q1 @ k1.transpose(1, 2) / math.sqrt(width)
        for i in range(scores.shape[1]):
            for j in range(scores.shape[2]):
                late = how.get("causal") and j > i
                far = how.get("window") and abs(i - j) >= how["window"]
                if late or far:
                    scores[:, i, j] = -math.inf
        found.append(torch.softmax(scores, dim=-1) @ v1)
    return product(torch.cat(found, dim=-1), "out")


def gradients(model: nn.Module, out: Tensor) -> list[Tensor]:
    weight = torch.linspace(-1, 1, out.numel()).reshape(out.shape)
    return list(torch.autograd.grad((out * weight).sum(), list(model.parameters())))


SORTS = {
    "ATTENTION(3)": (15, {"heads": 3}),
    "ATTENTION(3, causal=yes, bias=no)": (15, {"heads": 3, "causal": True}),
    "ATTENTION(6, kv_heads=2, causal=yes)": (30, {"heads": 6, "kv_heads": 2, "causal": True}),
    "ATTENTION(5, rope=500)": (30, {"heads": 5, "rope": 500}),
    "ATTENTION(3, window=3)": (15, {"heads": 3, "window": 3}),
    "ATTENTION(6, kv_heads=3, causal=yes, window=2, rope=100, bias=no)": (
        36,
        {"heads": 6, "kv_heads": 3, "causal": True, "window": 2, "rope": 100},
    ),
}


@pytest.mark.parametrize("sort", SORTS)
def test_self_attention_and_its_gradients(sort: str) -> None:
    features, how = SORTS[sort]
    net = archc.load(source=f"dim T\nnet N = SEQUENCE(T, {features}) -> {sort}")
    model = net.to_torch()
    assert sum(p.numel() for p in model.parameters()) == net.params
    for steps in (T, S):
        x = torch.randn(BATCH, steps, features)
        out, expected = model(x), plain(model, x, None, **how)
        torch.testing.assert_close(out, expected, atol=1e-5, rtol=1e-4)
        pairs = zip(gradients(model, out), gradients(model, expected), strict=True)
        for ours, theirs in pairs:
            torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("kv_heads", [6, 2])
def test_cross_attention_and_its_gradients(kv_heads: int) -> None:
    net = archc.load(
        source=f"""dim S, T
        block Ask(memory) = ATTENTION(6, kv=memory, kv_heads={kv_heads})
        net N {{
          in x = SEQUENCE(T, 30), source = SEQUENCE(S, 13)
          out x -> Ask(source)
        }}"""
    )
    model = net.to_torch()
    assert sum(p.numel() for p in model.parameters()) == net.params
    keys = 30 // 6 * kv_heads
    expected_macs = 2 * T * 30 * 30 + S * 13 * 2 * keys + 2 * T * S * 30
    assert net.macs.evaluate(T=T, S=S) == expected_macs
    assert archc.load(source=net_source(net), T=T, S=S).macs == expected_macs
    x, memory = torch.randn(BATCH, T, 30), torch.randn(BATCH, S, 13)
    out = model(x, memory)
    expected = plain(model, x, memory, 6, kv_heads=kv_heads)
    torch.testing.assert_close(out, expected, atol=1e-5, rtol=1e-4)
    for ours, theirs in zip(gradients(model, out), gradients(model, expected), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)


def net_source(net: archc.Net) -> str:
    return str(net.program.region.span.source.text)


def test_dropout_is_for_training_alone() -> None:
    model = archc.load(source="net N = SEQUENCE(7, 15) -> ATTENTION(3, dropout=0.5)").to_torch()
    x = torch.randn(BATCH, 7, 15)
    assert not torch.equal(model(x), model(x))
    model.eval()
    torch.testing.assert_close(model(x), plain(model, x, None, 3), atol=1e-5, rtol=1e-4)


def test_a_mask_is_added_to_what_is_hidden_already() -> None:
    model = archc.load(source="net N = SEQUENCE(7, 15) -> ATTENTION(3, causal=yes)").to_torch()
    x = torch.randn(BATCH, 7, 15)
    seen = torch.ones(7, 7, dtype=torch.bool)
    torch.testing.assert_close(model.attention(x, seen), model(x), atol=1e-5, rtol=1e-4)


def test_rotary_positions_turn_pairs() -> None:
    model = archc.load(source="net N = SEQUENCE(13, 10) -> ROPE(300)").to_torch()
    x = torch.randn(BATCH, 13, 10)
    torch.testing.assert_close(model(x), turned(x, 300), atol=1e-5, rtol=1e-4)


HEADS = """
dim S, T
block Heads(h) = FC(x.c, bias=no) -> RESHAPE("t (h d) -> h t d", h=h)
block Attend {
  in q, k, v
  out ({ EQUATION } -> SOFTMAX) @ v
}
net N {
  in x = SEQUENCE(T, 15), y = SEQUENCE(STEPS, 15)
  out { x -> HEADS, y -> HEADS, y -> HEADS } -> Attend
}
"""
EQUATIONS = {
    "q @ k' / sqrt(q.c)": 1 / math.sqrt(5),
    "q @ k'": 1.0,
    "q @ k' * 0.3": 0.3,
    "0.3 * (q @ k') / 2": 0.15,
}


def written(equation: str, heads: bool, steps: str = "S") -> str:
    text = HEADS.replace("EQUATION", equation).replace("STEPS", steps)
    return text.replace("HEADS", "Heads(3)" if heads else "FC(5)")


@pytest.mark.parametrize("heads", [True, False])
@pytest.mark.parametrize("masked", [True, False])
@pytest.mark.parametrize("equation", EQUATIONS)
def test_an_equation_is_recognised_and_computes_the_same(
    equation: str, masked: bool, heads: bool
) -> None:
    text = written(equation, heads, "T" if masked else "S")
    text = text.replace("} -> SOFTMAX", "} -> MASK(causal) -> SOFTMAX") if masked else text
    net = archc.load(source=text)
    (note,) = net.recognized
    kernel = "F.scaled_dot_product_attention"
    assert note.endswith(f": Attend is recognised as {kernel}{', causal' * masked}")
    fused, spelt = net.to_torch(), net.to_torch(recognize=False)
    assert kernel in net.source() and kernel not in net.source(recognize=False)
    spelt.load_state_dict(fused.state_dict())
    x, y = torch.randn(BATCH, T, 15), torch.randn(BATCH, T if masked else S, 15)
    one, other = fused(x, y), spelt(x, y)
    torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)
    for ours, theirs in zip(gradients(fused, one), gradients(spelt, other), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-4)


OTHERS = {
    "weights are used twice": (
        "block Twice {\n in q, k, v\n w = { q @ k' } -> SOFTMAX\n out (w @ v) | w\n}\n"
        "net N = SEQUENCE(7, 5) -> { FC(3), FC(3), FC(4) } -> Twice"
    ),
    "the sum is over queries": (
        "block Wrong {\n in q, k, v\n out ({ q @ k' } -> SOFTMAX(axis=t)) @ v\n}\n"
        "net N = SEQUENCE(7, 5) -> { FC(3), FC(3), FC(4) } -> Wrong"
    ),
    "keys are not transposed": (
        "block Plain {\n in q, k, v\n out ({ q @ k } -> SOFTMAX) @ v\n}\n"
        "net N = SEQUENCE(7, 7) -> { FC(7), FC(7), FC(4) } -> Plain"
    ),
}


@pytest.mark.parametrize("why", OTHERS)
def test_other_equations_stay_as_they_are(why: str) -> None:
    net = archc.load(source=OTHERS[why])
    assert net.recognized == ()
    assert net.source() == net.source(recognize=False)
    net.to_torch()(torch.randn(BATCH, 7, 7 if why.startswith("keys") else 5))


SCORES = {
    "dot": "{ q @ memory' }",
    "scaled": "{ q @ memory' / sqrt(q.c) }",
    "general": "{ q @ (memory -> FC(6, bias=no))' }",
}


@pytest.mark.parametrize("score", SCORES)
def test_score_functions(score: str) -> None:
    net = archc.load(
        source=f"""dim S
        block Attend(memory) {{
          in q
          out ({SCORES[score]} -> SOFTMAX) @ memory
        }}
        net N {{
          in h = INPUT(6), memory = SEQUENCE(S, 6)
          out h -> Attend(memory)
        }}"""
    )
    model = net.to_torch()
    h, memory = torch.randn(BATCH, 6), torch.randn(BATCH, S, 6)
    keys = memory
    if score == "general":
        keys = memory @ next(model.parameters()).T
    scores = torch.einsum("bd,bsd->bs", h, keys) / (math.sqrt(6) if score == "scaled" else 1)
    expected = torch.einsum("bs,bsd->bd", scores.softmax(1), memory)
    torch.testing.assert_close(model(h, memory), expected, atol=1e-5, rtol=1e-4)


def test_an_additive_score() -> None:
    net = archc.load(
        source="""dim S
        block Attend(memory) {
          in h
          a = { memory -> FC(5) + h -> FC(5) } -> TANH -> FC(1) -> SOFTMAX(axis=t)
          out a' @ memory
        }
        net N {
          in h = INPUT(6), memory = SEQUENCE(S, 3)
          out h -> Attend(memory)
        }"""
    )
    model = net.to_torch()
    h, memory = torch.randn(BATCH, 6), torch.randn(BATCH, S, 3)
    keys, query, score = [m for m in model.modules() if isinstance(m, nn.Linear)]
    a = score(torch.tanh(keys(memory) + query(h)[:, None])).softmax(1)
    expected = (a * memory).sum(1)
    torch.testing.assert_close(model(h, memory).reshape(BATCH, 3), expected, atol=1e-5, rtol=1e-4)


WRONG = {
    "ATTENTION(4)": "ATTENTION cannot divide 15 features into 4 heads",
    "ATTENTION(5, kv_heads=2)": "5 heads cannot share 2 of keys and values",
    "ATTENTION(3, rope=100)": "rope turns pairs of features, and a head has 5",
    "ATTENTION(3, kv=7)": "ATTENTION's kv is a stream, found 7",
    "ATTENTION(3, rope=yes)": "ATTENTION's rope is a number of at least 1, or none, found yes",
    "ATTENTION(3, kv=x -> FIRST)": "ATTENTION needs a sequence of vectors, got the vector (15)",
    "MASK": "MASK needs scores of queries by as many keys, got (7, 15)",
    "ROPE": "ROPE turns pairs of features, got (7, 15)",
}


@pytest.mark.parametrize("chain", WRONG)
def test_what_does_not_fit_is_said(chain: str) -> None:
    with pytest.raises(archc.ArchError) as caught:
        archc.load(source=f"block B = {chain}\nnet N = SEQUENCE(7, 15) -> B")
    assert caught.value.diagnostics[0].message == WRONG[chain]


def test_a_language_model_runs_at_several_lengths() -> None:
    text = (
        "dim T\nnet N = TOKENS(T, 17) -> EMBED(12) as e -> POSEMBED(9) -> { ID + ATTENTION(3, "
        "causal=yes) } -> UNEMBED(e)"
    )
    model = archc.load(source=text).to_torch().eval()
    tokens = torch.randint(17, (BATCH, 9))
    whole = model(tokens)
    torch.testing.assert_close(model(tokens[:, :5]), whole[:, :5], atol=1e-5, rtol=1e-4)
    with pytest.raises(Exception, match=r"10|size"):
        model(torch.randint(17, (BATCH, 10)))


def test_more_steps_than_learned_positions_are_refused() -> None:
    net = archc.load(source="dim T\nnet N = SEQUENCE(T, 6) -> POSEMBED(17) -> FC(5)")
    model = net.to_torch()
    assert model(torch.zeros(2, 17, 6)).shape == (2, 17, 5)
    with pytest.raises(ValueError, match="17 positions are learned, got 19 steps"):
        model(torch.zeros(2, 19, 6))


@pytest.mark.parametrize("chain", ["ROPE(500)", "POSENC(500)", "ATTENTION(2, rope=500)"])
def test_positions_have_the_precision_of_the_stream(chain: str) -> None:
    text = f"net N = SEQUENCE(97, 8) -> {chain}"
    agree_with_walk(archc.load(source=text), text, training=False)
