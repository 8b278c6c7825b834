"""EMBED, UNEMBED, ONEHOT, POSENC and POSEMBED."""

from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from archc import dims
from archc.ops.embedding import Embedding, OneHot, Unembedding
from archc.ops.positions import PositionalEncoding, PositionEmbedding
from archc.shapes import Axis, Shape, feature_map, sequence, tokens, vector
from op_harness import case_id, hold, refuse

IDS = tokens(13, 17)
SINGLE = Shape((), 17)
WORDS = sequence(13, vector(5))
HEADS = Shape((Axis(3, "m", "carried"), *WORDS.axes))


@pytest.mark.parametrize(("shape", "output"), [(IDS, (13, 7)), (SINGLE, (7,))], ids=["T", "one"])
def test_an_embedding_looks_up(shape, output):
    built = hold(Embedding(7), shape, output=output, reference=lambda s, x: s["weight"][x])
    assert isinstance(built.module, nn.Embedding)
    assert Embedding(7).infer(IDS).kind == "sequence"
    assert Embedding(7).infer(SINGLE) == vector(7)
    assert Embedding(7).flops((IDS,), ()) == 0


@pytest.mark.parametrize(("shape", "output"), [(IDS, (13, 17)), (SINGLE, (17,))], ids=["T", "one"])
def test_one_hot(shape, output):
    hold(OneHot(), shape, output=output, reference=lambda _, x: torch.eye(17)[x])


@pytest.mark.parametrize(("op", "example"), [
    (Embedding(7), "TOKENS(T, 50257) -> EMBED(7)"),
    (OneHot(), "TOKENS(T, 65) -> ONEHOT"),
])  # fmt: skip
def test_tokens_are_needed(op, example):
    refuse(
        op,
        vector(5),
        code="needs-tokens",
        message=f"{op.name} needs tokens, got the vector (5)",
        help=f"begin with tokens: `{example}`",
    )


@pytest.mark.parametrize("shape", [vector(5), WORDS, HEADS], ids=case_id)
@pytest.mark.parametrize("bias", [False, True])
def test_unembedding_borrows_the_table(shape, bias):
    table = nn.Embedding(17, 5)
    weight = table.weight.detach().clone()

    def expected(state, x):
        return torch.einsum("...c,vc->...v", x, weight) + (state["bias"] if bias else 0)

    op = Unembedding("wte", bias, vocabulary=17, width=5)
    output = (*shape.sizes[:-1], 17)
    hold(op, shape, output=output, reference=expected, modules={"table": table})
    assert op.parameters(shape) == ({"bias": (17,)} if bias else {})
    added = math.prod(output) if bias else 0
    assert op.flops((shape,), (op.infer(shape),)) == 2 * math.prod(output) * 5 + added


def test_unembedding_needs_the_features_of_its_table():
    refuse(
        Unembedding("wte", vocabulary=17, width=7),
        WORDS,
        code="shape-mismatch",
        message="UNEMBED needs the 7 features of wte, got (13, 5)",
        help="`FC(7) -> UNEMBED(wte)`",
    )
    refuse(
        Unembedding("wte", vocabulary=17),
        IDS,
        code="needs-features",
        message="UNEMBED needs a vector or a sequence of vectors, got the tokens (13)",
    )
    with pytest.raises(ValueError, match="before its table is known"):
        Unembedding("wte").infer(WORDS)


def encoding(steps, features, base):
    rows = []
    for t in range(steps):
        angles = [t / base ** (2 * (i // 2) / features) for i in range(features)]
        rows.append([math.cos(a) if i % 2 else math.sin(a) for i, a in enumerate(angles)])
    return torch.tensor(rows)


@pytest.mark.parametrize("base", [10000, 500])
@pytest.mark.parametrize("shape", [WORDS, sequence(7, vector(6)), HEADS], ids=case_id)
def test_sinusoidal_positions(base, shape):
    steps, features = shape.sizes[-2:]

    def expected(_, x):
        return x + encoding(steps, features, base)

    hold(PositionalEncoding(base), shape, reference=expected)
    assert PositionalEncoding().flops((shape,), (shape,)) == shape.elements


def test_sinusoidal_positions_keep_the_type():
    built = hold(PositionalEncoding(), WORDS)
    assert built(torch.zeros(2, 13, 5, dtype=torch.bfloat16)).dtype == torch.bfloat16


@pytest.mark.parametrize("n", [None, 13, 17])
@pytest.mark.parametrize("shape", [WORDS, HEADS], ids=case_id)
def test_learned_positions(n, shape):
    hold(PositionEmbedding(n), shape, reference=lambda s, x: x + s["weight"][:13])
    assert PositionEmbedding(n).parameters(shape) == {"weight": (n or 13, 5)}


def test_learned_positions_of_a_symbolic_number_of_steps():
    steps = dims.symbol("T")
    shape = sequence(steps, vector(5))
    hold(PositionEmbedding(17), shape, bindings={"T": 11}, output=(11, 5))
    refuse(
        PositionEmbedding(),
        shape,
        code="undecided",
        message="POSEMBED needs its number of positions, since the steps are T",
        help="`POSEMBED(1024)`",
    )
    refuse(
        PositionEmbedding(7),
        WORDS,
        code="shape-mismatch",
        message="POSEMBED has 7 positions, and (13, 5) has 13 steps",
        help="`POSEMBED(13)`",
    )
    longer = sequence(dims.symbol("T", minimum=20), vector(5))
    message = "POSEMBED has 17 positions, and (T, 5) has T steps"
    refuse(PositionEmbedding(17), longer, code="shape-mismatch", message=message)


@pytest.mark.parametrize("op", [PositionalEncoding(), PositionEmbedding(5)], ids=lambda op: op.name)
def test_positions_need_a_sequence(op):
    refuse(
        op,
        feature_map(3, 5, 7),
        code="needs-sequence",
        message=f"{op.name} needs a sequence of vectors, got the image (3, 5, 7)",
        help=f'`RESHAPE("c h w -> (h w) c") -> {op.name}`',
    )
    refuse(
        op,
        IDS,
        code="needs-sequence",
        message=f"{op.name} needs a sequence of vectors, got the tokens (13)",
        help=f"`EMBED(64) -> {op.name}`",
    )


def test_tied_weights_score_the_token_that_was_embedded():
    table = nn.Embedding.from_pretrained(F.normalize(torch.randn(17, 5), dim=1))
    op = Unembedding("wte", vocabulary=17, width=5)
    built = hold(op, WORDS, modules={"table": table})
    ids = torch.arange(13)[None]
    assert torch.equal(built(table(ids)).argmax(-1), ids)
