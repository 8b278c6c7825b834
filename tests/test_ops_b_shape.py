"""FLATTEN, RESHAPE and TRANSPOSE against torch; patterns against their definition."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from archc import dims
from archc.arguments import ArgumentProblem, Target
from archc.ops.reshape import Flatten, Reshape, Transpose
from archc.shapes import Axis, Shape, feature_map, sequence, tokens, vector
from op_harness import case_id, hold, refuse

IMAGE = feature_map(3, 5, 7)
WORDS = sequence(11, vector(6))
VIDEO = sequence(2, feature_map(3, 5, 7))


def pattern(text: str, **given: int) -> Reshape:
    return Reshape((text,), tuple(given.items()))


def axes(shape: Shape) -> list[tuple[object, str, str]]:
    return [(axis.size, axis.name, axis.role) for axis in shape.axes]


def rearranged(x, left, right, sizes):
    """The definition: every element goes where its named indices say."""

    def place(groups, index):
        position = []
        for group in groups:
            at = 0
            for name in group:
                at = at * sizes[name] + index[name]
            position.append(at)
        return (slice(None), *position)

    totals = []
    for group in right:
        total = 1
        for name in group:
            total *= sizes[name]
        totals.append(total)
    result = torch.empty(x.shape[0], *totals)
    names = list(sizes)
    for values in product(*[range(sizes[name]) for name in names]):
        index = dict(zip(names, values, strict=True))
        result[place(right, index)] = x[place(left, index)]
    return result


# --- FLATTEN and TRANSPOSE -----------------------------------------------------------------------


def test_flatten():
    hold(Flatten(), IMAGE, output=(105,), reference=lambda s, x: x.reshape(-1, 105))
    hold(Flatten(), feature_map(2, 3, 5, 7), output=(210,))
    hold(Flatten(), vector(13), output=(13,), reference=lambda s, x: x)
    hold(Flatten(), WORDS, output=(66,), reference=lambda s, x: x.reshape(-1, 66))
    hold(Flatten(), VIDEO, output=(2, 105), reference=lambda s, x: x.reshape(-1, 2, 105))
    assert Flatten().infer(VIDEO) == sequence(2, vector(105))
    assert Flatten().infer(sequence(1, vector(6))) == vector(6)
    heads = Shape((Axis(2, "h", "carried"), *WORDS.axes))
    hold(Flatten(), heads, output=(2, 66), reference=lambda s, x: x.reshape(-1, 2, 66))
    T = dims.symbol("T")
    hold(Flatten(), sequence(T, IMAGE), bindings={"T": 2})
    assert Flatten().infer(sequence(T, vector(6))).sizes == (6 * T,)


def test_transpose_makes_steps_of_features():
    hold(Transpose(), WORDS, output=(6, 11), reference=lambda s, x: x.permute(0, 2, 1))
    assert Transpose().infer(WORDS) == sequence(6, vector(11))
    assert Transpose().infer(Transpose().infer(WORDS)) == WORDS
    heads = Shape((Axis(2, "n", "carried"), *WORDS.axes))
    hold(Transpose(), heads, output=(2, 6, 11), reference=lambda s, x: x.permute(0, 1, 3, 2))
    refuse(
        Transpose(),
        IMAGE,
        code="needs-sequence",
        message="TRANSPOSE needs a sequence, got the image (3, 5, 7)",
        help='name the axes of a map: RESHAPE("c h w -> c w h")',
    )
    refuse(
        Transpose(),
        vector(13),
        code="needs-sequence",
        message="TRANSPOSE needs a sequence, got the vector (13)",
    )


# --- RESHAPE to sizes ----------------------------------------------------------------------------


def test_sizes_say_what_comes_out():
    hold(Reshape((3, 5, 7)), vector(105), output=(3, 5, 7))
    assert Reshape((3, 5, 7)).infer(vector(105)) == IMAGE
    assert Reshape((3, 35)).infer(vector(105)) == feature_map(3, 35)
    assert Reshape((1, 3, 5, 7)).infer(vector(105)) == feature_map(1, 3, 5, 7)
    hold(Reshape((105,)), IMAGE, output=(105,), reference=lambda s, x: x.reshape(-1, 105))
    hold(Reshape((15, 7)), IMAGE, output=(15, 7), reference=lambda s, x: x.reshape(-1, 15, 7))
    hold(Reshape((7, 5, 3)), IMAGE, reference=lambda s, x: x.reshape(-1, 7, 5, 3))
    T = dims.symbol("T")
    hold(Reshape((3, T)), sequence(T, vector(3)), output=(3, 5), bindings={"T": 5})


def test_one_thing_given_by_name():
    assert Reshape("c h w -> (h w) c").infer(IMAGE) == sequence(35, vector(3))
    hold(Reshape(105), IMAGE, output=(105,))


def test_sizes_that_do_not_fit():
    refuse(
        Reshape((512, 4, 4)),
        vector(8000),
        code="shape-mismatch",
        message="cannot reshape the vector (8000) to (512, 4, 4): 8000 elements are not 8192",
    )
    refuse(
        Reshape((1, 2, 3, 4, 5)),
        vector(120),
        code="argument-value",
        message="RESHAPE to 5 sizes has no meaning for its axes",
    )
    refuse(
        Reshape((3, 5), (("a", 7),)),
        vector(15),
        code="unknown-argument",
        message="a=7 needs a pattern",
    )
    T = dims.symbol("T")
    refuse(
        Reshape((3, 5)),
        vector(T),
        code="undecided",
        message="cannot reshape the vector (T) to (3, 5): whether T elements are 15 is not known",
    )
    refuse(
        Reshape((5,)),
        tokens(5, 9),
        code="needs-reals",
        message="RESHAPE needs real numbers, got the tokens (5)",
    )


def test_what_reshape_takes():
    assert Target().convert((512, 4.0, 4)) == (512, 4, 4)
    assert Target().convert("c h w -> (h w) c") == "c h w -> (h w) c"
    for wrong in (0, -1, 2.5, True, None, ()):
        with pytest.raises(ArgumentProblem):
            Target().convert(wrong)


# --- RESHAPE by a pattern ------------------------------------------------------------------------

F, S, T, N = "features", "space", "steps", "carried"

PATTERNS = [
    # text, sizes given, input, names and roles of the result, the code that people would write
    ("c h w -> (h w) c", {}, IMAGE, [("t", T), ("c", F)], "{0}.flatten(2).transpose(1, 2)"),
    ("a b c -> c b a", {}, IMAGE, [("c", N), ("b", T), ("a", F)], "{0}.transpose(1, 3)"),
    ("c h w -> w (c h)", {}, IMAGE, [("w", T), ("c", F)], "{0}.flatten(1, 2).transpose(1, 2)"),
    ("c h w -> (c h w)", {}, IMAGE, [("c", F)], "{0}.flatten(1)"),
    ("c h w -> c (h w)", {}, IMAGE, [("c", F), ("l", S)], "{0}.flatten(2)"),
    (
        "t (h d) -> h t d",
        {"h": 3},
        WORDS,
        [("h", N), ("t", T), ("d", F)],
        "torch.unflatten({0}, 2, {sizes}).transpose(1, 2)",
    ),
    (
        "h t d -> t (h d)",
        {},
        Shape((Axis(3, "h", N), Axis(11, "t", T), Axis(2, "d", F))),
        [("t", T), ("c", F)],
        "{0}.transpose(1, 2).flatten(2)",
    ),
    (
        "(h w) c -> c h w",
        {"h": 3},
        sequence(12, vector(5)),
        [("c", F), ("h", S), ("w", S)],
        "torch.unflatten({0}, 1, {sizes}).permute(0, 3, 1, 2)",
    ),
    (
        "c (m a) w -> (m w) a c",
        {"a": 7},
        feature_map(3, 14, 5),
        [("m_w", N), ("a", T), ("c", F)],
        "torch.unflatten({0}, 2, {sizes}).permute(0, 2, 4, 3, 1).flatten(1, 2)",
    ),
    (
        "(g c) h w -> (c g) h w",
        {"g": 2},
        feature_map(6, 5, 7),
        [("c", F), ("h", S), ("w", S)],
        "torch.unflatten({0}, 1, {sizes}).transpose(1, 2).flatten(1, 2)",
    ),
    (
        "(c a b) h w -> c (h a) (w b)",
        {"a": 2, "b": 3},
        feature_map(12, 5, 7),
        [("c", F), ("h", S), ("w", S)],
        "torch.unflatten({0}, 1, {sizes}).permute(0, 1, 4, 2, 5, 3).flatten(4).flatten(2, 3)",
    ),
    (
        "c (h p) (w q) -> (h w) (p q c)",
        {"p": 2, "q": 3},
        feature_map(5, 4, 6),
        [("t", T), ("c", F)],
        "torch.unflatten(torch.unflatten({0}, 3, {sizes}), 2, {sizes1})"
        ".permute(0, 2, 4, 3, 5, 1).flatten(3).flatten(1, 2)",
    ),
    (
        "(g c) h w -> g c h w",
        {"g": 2},
        feature_map(6, 5, 7),
        [("g", N), ("c", F), ("h", S), ("w", S)],
        "torch.unflatten({0}, 1, {sizes})",
    ),
    ("c h 1 -> h c", {}, feature_map(5, 7, 1), [("h", T), ("c", F)], None),
    ("t c -> c 1 t", {}, WORDS, [("c", F), ("h", S), ("t", S)], None),
    ("t c -> 1 t c", {}, WORDS, [("one", N), ("t", T), ("c", F)], "{0}.unsqueeze(1)"),
    ("(a b) c -> a (b c)", {"a": 3}, sequence(12, vector(5)), [("a", T), ("c", F)], None),
    ("t c h w -> c t h w", {}, VIDEO, [("c", F), ("t", S), ("h", S), ("w", S)], None),
    ("c -> c", {}, vector(5), [("c", F)], "{0}"),
    (
        "(a c) -> a c",
        {"a": 2},
        vector(10),
        [("a", T), ("c", F)],
        "torch.unflatten({0}, 1, {sizes})",
    ),
]


@pytest.mark.parametrize(("text", "given", "shape", "found", "code"), PATTERNS, ids=case_id)
def test_patterns(text, given, shape, found, code):
    op = pattern(text, **given)
    result = op.infer(shape)
    assert [(axis.name, axis.role) for axis in result.axes] == found
    parsed = op._pattern()
    sizes = dict(given)
    for group, axis in zip(parsed.left, shape.axes, strict=True):
        known = 1
        for name in group:
            known *= sizes.get(name, 1)
        for name in group:
            sizes.setdefault(name, axis.size // known)
    hold(op, shape, reference=lambda s, x: rearranged(x, parsed.left, parsed.right, sizes))
    if code is not None:
        assert op.torch((shape,), (result,)).template == code


def test_windows_of_a_swin_transformer():
    shape = feature_map(6, 14, 21)
    windows = pattern("c (m a) (n b) -> (m n) (a b) c", a=7, b=7)
    split = windows.infer(shape)
    assert axes(split) == [(6, "m_n", N), (49, "t", T), (6, "c", F)]
    back = pattern("(m n) (a b) c -> c (m a) (n b)", m=2, a=7)
    joined = back.infer(split)
    assert joined.sizes == shape.sizes
    assert joined == shape
    x = torch.randn(2, *shape.sizes)
    there = hold(windows, shape)(x)
    assert torch.equal(hold(back, split)(there), x)


def test_a_formula_is_left_for_torch_to_find():
    T = dims.symbol("T")
    shape = sequence(T, vector(6))
    op = pattern("t (h d) -> h t d", h=3)
    assert op.infer(shape).sizes == (3, T, 2)
    hold(op, shape, output=(3, 5, 2), bindings={"T": 5})
    halves = pattern("(t a) c -> t (a c)", a=2)
    long = sequence(2 * T, vector(3))
    assert halves.infer(long).sizes == (T, 6)
    hold(halves, long, output=(5, 6), bindings={"T": 5})
    form = halves.torch((long,), (halves.infer(long),))
    assert form.values == (("sizes", (-1, 2)),)


def test_tokens_can_be_rearranged():
    op = pattern("(n t) -> n t", n=3)
    result = op.infer(tokens(12, 9))
    assert result == Shape((Axis(3, "n", N), Axis(4, "t", T)), 9)
    hold(op, tokens(12, 9), reference=lambda s, x: x.reshape(-1, 3, 4))


def test_where_the_names_are_not_those_of_the_input():
    shape = pattern("a b c -> (b c) a").infer(IMAGE)
    assert axes(shape) == [(35, "t", T), (3, "a", F)]
    assert shape.locate("c") == 1
    assert shape.locate("t") == 0
    turned = pattern("a b c -> a c b").infer(IMAGE)
    assert axes(turned) == [(3, "a", F), (7, "c", S), (5, "b", S)]
    assert [turned.locate(name) for name in ("h", "w", "b", "d", "t")] == [1, 2, 2, None, None]


WRONG = [
    ("c h w", "it needs one ->"),
    ("c -> h -> w", "it needs one ->"),
    ("c h w -> (h w c", "its parentheses do not match"),
    ("c h w -> h w) c", "its parentheses do not match"),
    ("c h w -> ((h w) c)", "its parentheses do not match"),
    ("c h w -> h w", "c stands on the left only"),
    ("c h w -> c h w b", "b stands on the right only"),
    ("c h c -> c h", "c stands twice on the left"),
    ("c h w -> c h w c", "c stands twice on the right"),
    ("c h w -> c h 2", "2 is no name of an axis"),
    ("c h w -> ", "one side is empty"),
    ("c ... -> ... c", "... is no name of an axis"),
    ("c h w -> c;import os", ";import is no name of an axis"),
]


@pytest.mark.parametrize(("text", "why"), WRONG, ids=case_id)
def test_patterns_that_cannot_be_read(text, why):
    message = f'the pattern "{text}" cannot be read: {why}'
    refuse(pattern(text), IMAGE, code="pattern", message=message)


def test_patterns_that_do_not_fit():
    refuse(
        pattern("c h -> h c"),
        IMAGE,
        code="shape-mismatch",
        message='the pattern "c h -> h c" names 2 axes, and (3, 5, 7) has 3',
        help="name every axis: c h w -> ...",
    )
    refuse(
        pattern("c (m a) w -> m a w c"),
        IMAGE,
        code="pattern",
        message="the sizes of m and a do not follow from 5",
        help='give all but one: `RESHAPE("c (m a) w -> m a w c", m=2)`',
    )
    refuse(
        pattern("c (m a) w -> m a w c", a=2),
        IMAGE,
        code="shape-mismatch",
        message="5 does not divide by 2 in (m a)",
    )
    refuse(
        pattern("c (m a) w -> m a w c", m=2, a=2),
        IMAGE,
        code="shape-mismatch",
        message="(m a) has the size 4, and the axis there 5",
    )
    refuse(
        pattern("c h w -> h w c", h=4),
        IMAGE,
        code="shape-mismatch",
        message="h has the size 4, and the axis there 5",
    )
    refuse(
        pattern("c h 1 -> h c"),
        IMAGE,
        code="shape-mismatch",
        message="an axis of 1 stands in the pattern where the input has 7",
    )
    refuse(
        pattern("c h w -> h w c", k=4),
        IMAGE,
        code="unknown-argument",
        message='k does not stand in the pattern "c h w -> h w c"',
    )
    for size in (0, 2.5, "2", True):
        refuse(
            pattern("(t a) c -> t (a c)", a=size),
            sequence(12, vector(3)),
            code="argument-value",
            message=f"the size of a is a whole number of at least 1, not {size}",
        )
    refuse(
        Reshape(("c h w -> (h w) c", 3)),
        IMAGE,
        code="argument-value",
        message="RESHAPE takes one pattern, or sizes, not both",
    )
    refuse(
        pattern("(t a) c -> t (a c)", a=2),
        sequence(dims.symbol("T"), vector(3)),
        code="undecided",
        message="whether T splits into (t a) is not known",
    )


# --- property ------------------------------------------------------------------------------------


@st.composite
def problems(draw):
    """A pattern with the sizes of its names: any split, any order, any joins, axes of one."""
    count = draw(st.integers(1, 5))
    names = [f"n{i}" for i in range(count)]
    sizes = {name: draw(st.sampled_from([1, 2, 3])) for name in names}

    def grouped(order):
        groups = []
        for name in order:
            if groups and draw(st.booleans()):
                groups[-1].append(name)
            else:
                groups.append([name])
        for _ in range(draw(st.integers(0, 1))):
            groups.insert(draw(st.integers(0, len(groups))), [])
        return [tuple(group) for group in groups]

    return grouped(names), grouped(draw(st.permutations(names))), sizes


def written(groups):
    return " ".join(g[0] if len(g) == 1 else f"({' '.join(g)})" if g else "1" for g in groups)


@given(problems())
def test_every_pattern_does_what_it_says(problem):
    left, right, sizes = problem
    op = pattern(f"{written(left)} -> {written(right)}", **sizes)
    totals = []
    for group in left:
        total = 1
        for name in group:
            total *= sizes[name]
        totals.append(total)
    roles = ["carried"] * (len(totals) - 1) + ["features"]
    shape = Shape(
        tuple(Axis(n, f"a{i}", r) for i, (n, r) in enumerate(zip(totals, roles, strict=True)))
    )
    hold(op, shape, reference=lambda s, x: rearranged(x, left, right, sizes))
    names = [axis.name for axis in op.infer(shape).axes]
    assert len(set(names)) == len(names)
    assert op.infer(shape).features is not None
