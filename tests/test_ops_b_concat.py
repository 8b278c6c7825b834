"""Streams side by side against torch: what may stand there, and what is refused."""

from __future__ import annotations

import torch

from archc import dims
from archc.ops.concat import Concatenate
from archc.shapes import Axis, Shape, feature_map, sequence, tokens, vector
from op_harness import hold, refuse

IMAGE = feature_map(3, 5, 7)
WORDS = sequence(11, vector(13))


def carried(size: int, shape: Shape, name: str = "n") -> Shape:
    return Shape((Axis(size, name, "carried"), *shape.axes))


def test_concatenation():
    hold(
        Concatenate(),
        IMAGE,
        feature_map(4, 5, 7),
        output=(7, 5, 7),
        reference=lambda s, a, b: torch.cat([a, b], 1),
    )
    hold(
        Concatenate("t"),
        WORDS,
        sequence(1, vector(13)),
        WORDS,
        output=(23, 13),
        reference=lambda s, *parts: torch.cat(parts, 1),
    )
    hold(
        Concatenate(), WORDS, WORDS, output=(11, 26), reference=lambda s, a, b: torch.cat([a, b], 2)
    )
    hold(
        Concatenate("h"),
        IMAGE,
        feature_map(3, 2, 7),
        output=(3, 7, 7),
        reference=lambda s, a, b: torch.cat([a, b], 2),
    )
    hold(
        Concatenate("t"),
        tokens(5, 9),
        tokens(2, 9),
        output=(7,),
        reference=lambda s, a, b: torch.cat([a, b], 1),
    )
    assert Concatenate().flops((IMAGE, IMAGE), (IMAGE,)) == 0


def test_a_vector_beside_a_map_is_repeated():
    def reference(s, a, b):
        spread = b.reshape(*b.shape, 1, 1).repeat(1, 1, 5, 7)
        return torch.cat([a, spread], 1)

    hold(Concatenate(), IMAGE, vector(4), output=(7, 5, 7), reference=reference)
    hold(
        Concatenate(),
        vector(4),
        WORDS,
        output=(11, 17),
        reference=lambda s, a, b: torch.cat([a[:, None].repeat(1, 11, 1), b], 2),
    )
    T = dims.symbol("T")
    hold(
        Concatenate(),
        vector(4),
        sequence(T, vector(3)),
        bindings={"T": 5},
        reference=lambda s, a, b: torch.cat([a[:, None].repeat(1, 5, 1), b], 2),
    )


def test_what_cannot_stand_side_by_side():
    refuse(
        Concatenate(),
        feature_map(128, 28, 28),
        feature_map(64, 56, 56),
        code="shape-mismatch",
        message="cannot concatenate (128, 28, 28) and (64, 56, 56) along c",
        help="bring them to one size: `UPSAMPLE(2)` on the smaller, or a stride of 2",
    )
    refuse(
        Concatenate("t"),
        WORDS,
        sequence(5, vector(6)),
        code="shape-mismatch",
        message="cannot concatenate (11, 13) and (5, 6) along t",
    )
    refuse(
        Concatenate(),
        IMAGE,
        WORDS,
        code="shape-mismatch",
        message="cannot concatenate (3, 5, 7) and (11, 13) along c",
    )
    refuse(
        Concatenate("t"),
        tokens(5, 9),
        tokens(5, 8),
        code="shape-mismatch",
        message="cannot concatenate the tokens (5) below 9 and the tokens (5) below 8",
    )
    S, T = dims.symbol("S"), dims.symbol("T")
    error = refuse(
        Concatenate(),
        sequence(S, vector(3)),
        sequence(T, vector(4)),
        code="undecided",
        message="cannot concatenate (S, 3) and (T, 4) along c: whether S equals T is not known",
    )
    assert error.operands == (0, 1)
