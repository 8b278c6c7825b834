"""Selection, parts, repetition and reduction along axes, against torch."""

from __future__ import annotations

import pytest
import torch

from archc import dims
from archc.arguments import ArgumentProblem, Selection
from archc.ops.reduction import ArgMax, Max, Mean
from archc.ops.selection import First, Last, Select
from archc.ops.sequence import Repeat, Reverse, Split
from archc.shapes import Axis, Shape, feature_map, sequence, tokens, vector
from op_harness import case_id, hold, refuse

IMAGE = feature_map(6, 5, 7)
WORDS = sequence(11, vector(13))
VIDEO = sequence(2, feature_map(3, 5, 7))
HEADS = Shape((Axis(3, "n", "carried"), *WORDS.axes))
T = dims.symbol("T")


SELECTIONS = [
    (Select(range(2), "c"), IMAGE, (2, 5, 7), lambda x: x.narrow(1, 0, 2)),
    (Select(range(-3, -1), "c"), IMAGE, (2, 5, 7), lambda x: x.narrow(1, 3, 2)),
    (Select(range(2, 7), "w"), IMAGE, (6, 5, 5), lambda x: x.narrow(3, 2, 5)),
    (Select(3, "t"), WORDS, (13,), lambda x: x.unbind(1)[3]),
    (Select(-2, "t"), VIDEO, (3, 5, 7), lambda x: x.unbind(1)[0]),
    (Select(2, "h"), IMAGE, (6, 7), lambda x: x.unbind(2)[2]),
    (Select(4), WORDS, (11, 1), lambda x: x.narrow(2, 4, 1)),
    (Select(-1), vector(13), (1,), lambda x: x.narrow(1, 12, 1)),
    (Select(-2), vector(13), (1,), lambda x: x.narrow(1, 11, 1)),
    (Select((0, 5, -1)), vector(13), (3,), lambda x: torch.stack([x[:, 0], x[:, 5], x[:, 12]], 1)),
    (Select((4, 1), "w"), IMAGE, (6, 5, 2), lambda x: torch.stack([x[..., 4], x[..., 1]], -1)),
    (Select(1, 0), HEADS, (11, 13), lambda x: x.unbind(1)[1]),
]


@pytest.mark.parametrize(("op", "shape", "output", "reference"), SELECTIONS, ids=case_id)
def test_selection(op, shape, output, reference):
    hold(op, shape, output=output, reference=lambda s, x: reference(x))


def test_what_a_selection_leaves():
    assert Select(3, "t").infer(WORDS) == vector(13)
    assert Select(3, "t").infer(tokens(11, 9)) == Shape((), 9)
    assert Select(2, "h").infer(IMAGE).kind == "signal"
    assert Select(range(2), "t").infer(tokens(11, 9)) == tokens(2, 9)
    assert Select(range(1, 3), "t").infer(sequence(T, vector(3))).sizes == (2, 3)
    hold(Select(-1, "t"), sequence(T, vector(3)), output=(3,), bindings={"T": 5})
    hold(Select(range(-3, -1), "t"), sequence(T, vector(3)), output=(2, 3), bindings={"T": 5})


@pytest.mark.parametrize("which", [13, -14, (0, 13)], ids=case_id)
def test_positions_outside(which):
    position = which[1] if isinstance(which, tuple) else which
    refuse(
        Select(which),
        vector(13),
        code="index-range",
        message=f"SELECT({position}) is outside an axis of 13",
        help="positions go from 0 to 12, or from -13 to -1 from the end",
    )


@pytest.mark.parametrize("which", [range(14), range(5, 5), range(6, 3), range(-14, 2)], ids=case_id)
def test_ranges_outside(which):
    message = f"SELECT({which.start}..{which.stop}) is empty or outside an axis of 13"
    refuse(Select(which), vector(13), code="index-range", message=message)


def test_what_select_takes():
    assert Selection().convert(3.0) == 3
    assert Selection().convert([1, 2]) == (1, 2)
    assert Selection().convert(range(3)) == range(3)
    for wrong in ("c", 1.5, True, (), range(0, 6, 2), (1, "c")):
        with pytest.raises(ArgumentProblem):
            Selection().convert(wrong)


def test_last_and_first():
    for shape, output in [(WORDS, (13,)), (VIDEO, (3, 5, 7)), (HEADS, (3, 13))]:
        dim = 2 if shape is HEADS else 1
        hold(Last(), shape, output=output, reference=lambda s, x, d=dim: x.unbind(d)[-1])
        hold(First(), shape, output=output, reference=lambda s, x, d=dim: x.unbind(d)[0])
    hold(Last(), tokens(11, 9), output=(), reference=lambda s, x: x.unbind(1)[-1])
    assert Last().infer(WORDS) == vector(13)
    refuse(
        Last(),
        vector(13),
        code="needs-sequence",
        message="LAST needs a sequence, got the vector (13)",
    )
    refuse(
        First(),
        IMAGE,
        code="needs-sequence",
        message="FIRST needs a sequence, got the image (6, 5, 7)",
        help="of a map, `SELECT(0, axis=w)` takes one position",
    )


def test_split():
    hold(Split(2), IMAGE, reference=lambda s, x: (x[:, :3], x[:, 3:]))
    hold(
        Split(3),
        sequence(11, vector(6)),
        reference=lambda s, x: (x[..., :2], x[..., 2:4], x[..., 4:]),
    )
    hold(Split((4, 9)), WORDS, reference=lambda s, x: (x[..., :4], x[..., 4:]))
    hold(Split((1, 10), "t"), WORDS, reference=lambda s, x: (x[:, :1], x[:, 1:]))
    hold(Split(1), vector(13), reference=lambda s, x: x)
    assert Split((4, 9)).infer(WORDS) == (sequence(11, vector(4)), sequence(11, vector(9)))
    assert Split(2, "t").infer(sequence(2 * T, vector(3))) == (sequence(T, vector(3)),) * 2
    hold(Split(2, "t"), sequence(2 * T, vector(3)), bindings={"T": 5})
    refuse(
        Split(2),
        WORDS,
        code="not-divisible",
        message="the 13 positions along c of SPLIT do not divide into 2 equal groups",
    )
    refuse(
        Split((4, 8)),
        WORDS,
        code="argument-value",
        message="SPLIT(4, 8): the parts make up 12, and the axis has 13",
    )


def test_reverse():
    hold(Reverse(), WORDS, reference=lambda s, x: torch.stack(x.unbind(1)[::-1], 1))
    hold(Reverse("w"), IMAGE, reference=lambda s, x: torch.stack(x.unbind(3)[::-1], 3))
    hold(Reverse(), tokens(11, 9), reference=lambda s, x: torch.stack(x.unbind(1)[::-1], 1))
    refuse(
        Reverse(),
        vector(13),
        code="needs-sequence",
        message="REVERSE needs a sequence, got the vector (13)",
    )


def test_repeat():
    hold(Repeat(3), vector(13), output=(3, 13), reference=lambda s, x: torch.stack([x] * 3, 1))
    hold(Repeat(3), IMAGE, output=(3, 6, 5, 7), reference=lambda s, x: torch.stack([x] * 3, 1))
    assert Repeat(3).infer(vector(13)) == sequence(3, vector(13))
    assert Repeat(3).infer(Shape((), 9)) == tokens(3, 9)
    hold(Repeat(3), Shape((), 9), output=(3,), reference=lambda s, x: torch.stack([x] * 3, 1))

    def twice(dim):
        return lambda s, x: torch.stack([p for p in x.unbind(dim) for _ in range(2)], dim)

    hold(Repeat(2, "c"), IMAGE, output=(12, 5, 7), reference=twice(1))
    hold(Repeat(2, 0), HEADS, output=(6, 11, 13), reference=twice(1))
    hold(Repeat(2, "t"), WORDS, output=(22, 13), reference=twice(1))
    hold(Repeat(2, "c"), WORDS, output=(11, 26), reference=twice(2))
    hold(Repeat(T), vector(13), output=(5, 13), bindings={"T": 5})
    refuse(
        Repeat(2),
        WORDS,
        code="argument-value",
        message="REPEAT makes a sequence, and the sequence (11, 13) has steps already",
        help="name the axis to repeat: `REPEAT(2, axis=t)`",
    )


REDUCTIONS = [
    ("t", WORDS, (13,), 1, False),
    ("t", VIDEO, (3, 5, 7), 1, False),
    (("h", "w"), IMAGE, (6,), (2, 3), False),
    (("w", "h"), VIDEO, (2, 3), (3, 4), False),
    ("w", IMAGE, (6, 5), 3, False),
    (None, IMAGE, (1, 5, 7), 1, True),
    (None, WORDS, (11, 1), 2, True),
    (None, vector(13), (1,), 1, True),
    (-1, HEADS, (3, 11, 1), 3, True),
    (0, HEADS, (11, 13), 1, False),
]


@pytest.mark.parametrize(("axis", "shape", "output", "dim", "kept"), REDUCTIONS, ids=case_id)
def test_reductions(axis, shape, output, dim, kept):
    hold(
        Mean(axis),
        shape,
        output=output,
        reference=lambda s, x: x.sum(dim, keepdim=kept) * (_size(output) / shape.elements),
    )
    hold(Max(axis), shape, output=output, reference=lambda s, x: x.amax(dim, keepdim=kept))
    for op in (Mean(axis), Max(axis)):
        assert op.flops((shape,), (op.infer(shape),)) == shape.elements


def _size(sizes):
    product = 1
    for size in sizes:
        product *= size
    return product


def test_features_and_others_together():
    hold(
        Mean(("c", "h")),
        IMAGE,
        output=(1, 7),
        reference=lambda s, x: x.mean(1).mean(1).unsqueeze(1),
    )
    hold(Max((0, 1, 2)), IMAGE, output=(1,), reference=lambda s, x: x.flatten(1).amax(1)[:, None])


def test_what_a_reduction_leaves():
    assert Mean("t").infer(WORDS) == vector(13)
    assert Mean(("h", "w")).infer(IMAGE) == vector(6)
    assert Mean("t").infer(sequence(T, vector(3))) == vector(3)
    refuse(
        Mean("t"),
        IMAGE,
        code="unknown-axis",
        message="MEAN: (6, 5, 7) has no axis t; its axes are c, h and w",
    )
    refuse(
        Max(("h", 1)),
        IMAGE,
        code="unknown-axis",
        message="MAX: axis=(h, 1) names one axis twice",
    )


def test_the_greatest():
    hold(ArgMax(), WORDS, output=(11,), reference=lambda s, x: x.sort(2).indices[..., -1])
    hold(ArgMax(), IMAGE, output=(5, 7), reference=lambda s, x: x.sort(1).indices[:, -1])
    hold(ArgMax(), vector(13), output=(), reference=lambda s, x: x.sort(1).indices[:, -1])
    hold(ArgMax("t"), WORDS, output=(13,), reference=lambda s, x: x.sort(1).indices[:, -1])
    assert ArgMax().infer(WORDS) == tokens(11, 13)
    assert ArgMax().infer(vector(13)) == Shape((), 13)
    assert ArgMax().flops((WORDS,), (tokens(11, 13),)) == 143
    refuse(
        ArgMax(),
        tokens(11, 9),
        code="needs-reals",
        message="ARGMAX needs real numbers, got the tokens (11)",
    )
