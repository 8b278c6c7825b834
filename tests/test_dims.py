"""Symbolic sizes against integer arithmetic."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from fractions import Fraction

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from archc import dims
from archc.dims import Dim, Poly, Ratio, symbol

# H is any size, W is limited, E and F have declared remainders.
H, W, C = symbol("H"), symbol("W", maximum=7), symbol("C")
E, F = symbol("E", divisor=12), symbol("F", minimum=5, maximum=29, divisor=4, remainder=1)
NAMES = ["H", "W", "C", "E", "F"]

values = st.fixed_dictionaries(
    {
        "H": st.integers(1, 40),
        "W": st.integers(1, 7),
        "C": st.integers(1, 23),
        "E": st.integers(1, 9).map(lambda k: 12 * k),
        "F": st.integers(1, 7).map(lambda k: 4 * k + 1),
    }
)

Function = Callable[..., int]
OPERATIONS: dict[str, Callable[[Dim, Dim], Dim]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
}


def leaf(dim: Dim) -> tuple[Dim, str]:
    return dim, str(dim)


leaves = st.one_of(
    st.sampled_from([leaf(H), leaf(W), leaf(C), leaf(E), leaf(F)]), st.integers(-9, 40).map(leaf)
)


def combine(children: st.SearchStrategy[tuple[Dim, str]]) -> st.SearchStrategy[tuple[Dim, str]]:
    return st.builds(apply, st.sampled_from(sorted(OPERATIONS)), children, children)


def apply(operator: str, left: tuple[Dim, str], right: tuple[Dim, str]) -> tuple[Dim, str]:
    """A size, and the expression as Python evaluates it; the left one where it is not defined."""
    try:
        result = OPERATIONS[operator](left[0], right[0])
    except (ZeroDivisionError, dims.TooLarge):
        return left
    return result, f"({left[1]} {operator} {right[1]})"


expressions = st.recursive(leaves, combine, max_leaves=7)


def value_of(text: str, bindings: dict[str, int]) -> int | None:
    try:
        return int(eval(text, {"__builtins__": {}}, dict(bindings)))
    except ZeroDivisionError:
        return None


@given(expressions, values)
@settings(max_examples=400, deadline=None)
def test_arithmetic_agrees_with_integers(built: tuple[Dim, str], bindings: dict[str, int]) -> None:
    dim, text = built
    expected = value_of(text, bindings)
    assume(expected is not None)
    assert dims.evaluate(dim, bindings) == expected


@given(expressions, values)
@settings(max_examples=200, deadline=None)
def test_text_means_the_same(built: tuple[Dim, str], bindings: dict[str, int]) -> None:
    dim = built[0]
    assume(value_of(built[1], bindings) is not None)
    exact = {name: Fraction(value) for name, value in bindings.items()}
    assert eval(str(dim), {"__builtins__": {}}, exact) == dims.evaluate(dim, bindings)


@given(expressions, values)
@settings(max_examples=200, deadline=None)
def test_bounds_hold(built: tuple[Dim, str], bindings: dict[str, int]) -> None:
    expected = value_of(built[1], bindings)
    assume(expected is not None)
    low, high = dims.bounds(built[0])
    assert low is None or low <= expected
    assert high is None or expected <= high


@given(expressions, expressions, values)
@settings(max_examples=300, deadline=None)
def test_same_and_less_are_never_wrong(
    left: tuple[Dim, str], right: tuple[Dim, str], bindings: dict[str, int]
) -> None:
    a, b = value_of(left[1], bindings), value_of(right[1], bindings)
    assume(a is not None and b is not None)
    assert a is not None
    assert b is not None
    assert dims.same(left[0], right[0]) in (None, a == b)
    assert dims.less(left[0], right[0]) in (None, a < b)
    assert dims.at_most(left[0], right[0]) in (None, a <= b)
    if left[0] == right[0]:
        assert a == b
        assert hash(left[0]) == hash(right[0])


@given(expressions, expressions, values)
@settings(max_examples=200, deadline=None)
def test_maximum_and_minimum(
    left: tuple[Dim, str], right: tuple[Dim, str], bindings: dict[str, int]
) -> None:
    a, b = value_of(left[1], bindings), value_of(right[1], bindings)
    assume(a is not None and b is not None)
    assert a is not None
    assert b is not None
    greater, smaller = dims.maximum(left[0], right[0]), dims.minimum(left[0], right[0])
    assert greater is None or dims.evaluate(greater, bindings) == max(a, b)
    assert smaller is None or dims.evaluate(smaller, bindings) == min(a, b)


@given(expressions, st.sampled_from(["H", "C"]), expressions, values)
@settings(max_examples=200, deadline=None)
def test_substitution_then_evaluation(
    built: tuple[Dim, str], name: str, other: tuple[Dim, str], bindings: dict[str, int]
) -> None:
    inner = value_of(other[1], bindings)
    assume(inner is not None and inner >= 1)
    assert inner is not None
    expected = value_of(built[1], {**bindings, name: inner})
    assume(expected is not None)
    try:
        substituted = dims.substitute(built[0], {name: other[0]})
    except (ZeroDivisionError, dims.TooLarge):
        return
    assert dims.evaluate(substituted, bindings) == expected


@given(st.lists(expressions, min_size=3, max_size=3))
@settings(max_examples=100, deadline=None)
def test_canonical_under_the_laws_of_arithmetic(built: list[tuple[Dim, str]]) -> None:
    a, b, c = (dim for dim, _ in built)
    try:
        assert a + b == b + a
        assert a * b == b * a
        assert (a + b) + c == a + (b + c)
        assert a * (b + c) == a * b + a * c
        assert a - a == 0
    except dims.TooLarge:
        return


@pytest.mark.parametrize(
    ("dim", "text"),
    [
        (9 * C**2 * H * W, "9*C**2*H*W"),
        ((2 * H) // 2, "H"),
        ((H // 3) // 5, "H//15"),
        ((7 * H + 3) // 7, "H"),
        ((H * C) // C, "H"),
        ((H * (C + 1)) // (2 * (C + 1)), "H//2"),
        ((H + 2 - 3) // 2 + 1, "(H - 1)//2 + 1"),
        (((H - 1) // 2 + 1 - 1) // 2 + 1, "(H - 1)//4 + 1"),
        (E // 2, "E/2"),
        (E % 4, "0"),
        (F % 4, "1"),
        ((F - 1) // 4, "(F - 1)/4"),
        ((F - 1) // 2 * 3 + H, "H + (3*F - 3)/2"),
        (W // 8, "0"),
        (W % 8, "W"),
        (-(H // 2), "-(H//2)"),
        (H // 2 - H, "-H + H//2"),
        (3 * (H // 2) ** 2 * C, "3*C*(H//2)**2"),
        (7 // H, "7//H"),
        ((H // 2) // C, "H//(2*C)"),
        (((H - 1) // 2 + 1) * ((C - 1) // 2 + 1), "((C + 1)//2)*((H + 1)//2)"),
        (((H - 3) // 2 + 1) * ((C - 3) // 2 + 1), "((C - 1)//2)*((H - 1)//2)"),
        (H**2 // (H + 1), "H - 1"),
        (H**2 // (C + 1), "(H**2)//(C + 1)"),
    ],
)
def test_canonical_forms(dim: Dim, text: str) -> None:
    assert str(dim) == text


def test_constants_are_plain_integers() -> None:
    assert type(H - H) is int
    assert type((H + 5) - H) is int
    assert type(0 * H) is int
    assert type((3 * H) // H) is int
    assert type(H**0) is int
    assert isinstance(H, Poly)


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (H - H // 2, (H + 1) // 2, True),
        ((H + 1) // 2 * ((C + 2) // 3), (H - H // 2) * ((C - 1) // 3 + 1), True),
        (H, W, None),
        (2 * H + 1, 2 * C, False),
        (H + C, 1, False),
        (H // 2 + 1, 0, False),
        (symbol("N", minimum=4, maximum=4), 4, True),
        (H // C, H // C, True),
    ],
)
def test_same(left: Dim, right: Dim, expected: bool | None) -> None:
    assert dims.same(left, right) is expected


@pytest.mark.parametrize(
    ("left", "right", "expected"),
    [
        (H // 2, H, True),
        (W, 8, True),
        (W, 7, None),
        (H * C, H, False),
        ((H - 1) // 2 + 1, H + 1, True),
        (H, C, None),
        (E, 12, False),
        (4, F, True),
        (H // C, H + 1, None),
    ],
)
def test_less(left: Dim, right: Dim, expected: bool | None) -> None:
    assert dims.less(left, right) is expected


@pytest.mark.parametrize(
    ("left", "right", "facts"),
    [
        (2 * (H // 2), H, ("H % 2 == 0",)),
        (8 * ((H - 1) // 8 + 1), H, ("H % 8 == 0",)),
        (4 * (H // 4) * C, 2 * (H // 2) * C, ("H % 4 == 0",)),
        (2 * (H // 2) + 3 * (C // 3), H + C, ("C % 3 == 0", "H % 2 == 0")),
        (16 * (E // 16), E, ("E % 48 == 0",)),
        (H, C, ()),
        (H // C * C, H, ()),
        (H // 2, H // 3, ()),
        (5, 5, ()),
    ],
)
def test_facts_that_make_sizes_equal(left: Dim, right: Dim, facts: tuple[str, ...]) -> None:
    assert dims.sufficient(left, right) == facts


def test_an_order_is_never_guessed() -> None:
    with pytest.raises(TypeError):
        _ = H < W  # type: ignore[operator]
    with pytest.raises(TypeError):
        bool(H)
    with pytest.raises(TypeError):
        range(H)  # type: ignore[call-overload]


def test_ratios_are_exact() -> None:
    separable, standard = 9 * C * H * W + C**2 * H * W, 9 * C**2 * H * W
    quotient = separable / standard
    assert isinstance(quotient, Ratio)
    assert quotient == 1 / C + 1 / 9
    assert quotient != 1 / C + 1 / 8
    assert dims.same(quotient, 1 / C + 1 / 9) is True
    assert str(quotient) == "(C + 9)/(9*C)"
    assert quotient.evaluate(C=3) == pytest.approx(4 / 9)
    assert (2 * H) / 2 == H
    assert (E / 3) * 3 == E
    assert dims.less(1 / (C + 1), 1) is True
    assert dims.symbols(quotient) == dims.symbols(C)


@given(st.integers(-400, 400), st.integers(1, 400))
def test_a_real_stands_for_the_simplest_fraction(above: int, below: int) -> None:
    assert 1 / H + above / below == 1 / H + dims.divide(above, 1) / Ratio(below, 1)


def test_latex() -> None:
    assert dims.to_latex(9 * C**2 * H) == "9 C^{2} H"
    text = r"\left\lfloor \frac{H - 1}{2} \right\rfloor + 1"
    assert dims.to_latex((H - 1) // 2 + 1) == text
    assert dims.to_latex(E // 2) == r"\frac{E}{2}"
    assert dims.to_latex(symbol("steps") * symbol("길이")) == r"\mathit{steps} \text{길이}"
    assert dims.to_latex(5) == "5"


def test_growth_is_bounded() -> None:
    many = sum((symbol(f"a{i}") for i in range(40)), start=0)
    with pytest.raises(dims.TooLarge):
        _ = many**4
    with pytest.raises(dims.TooLarge):
        _ = H**65
    with pytest.raises(dims.TooLarge):
        _ = H**40 * H**40
    with pytest.raises(dims.TooLarge):
        _ = (H * 2**62) ** 5
    deep: Dim = H
    with pytest.raises(dims.TooLarge):
        for _ in range(40):
            deep = H + (deep * C) // 7
    assert issubclass(dims.TooLarge, OverflowError)


def test_evaluation_tells_what_is_missing_or_contradicted() -> None:
    assert (9 * C**2).evaluate(C=2) == 36  # type: ignore[union-attr]
    with pytest.raises(KeyError, match="C"):
        dims.evaluate(C + H, {"H": 1})
    with pytest.raises(ValueError, match="whole"):
        dims.evaluate(E // 2, {"E": 7})
    with pytest.raises(ZeroDivisionError):
        dims.evaluate(7 // (H - 1), {"H": 1})
    with pytest.raises(ZeroDivisionError):
        _ = H // 0


def test_symbols_and_their_facts() -> None:
    (fact,) = dims.symbols(F)
    assert fact.facts == "F % 4 == 1, F >= 5, F <= 29"
    assert [v for v in range(40) if fact.accepts(v)] == [5, 9, 13, 17, 21, 25, 29]
    assert {s.name for s in dims.symbols(H // C + E)} == {"H", "C", "E"}
    with pytest.raises(ValueError, match="never"):
        symbol("N", divisor=4, remainder=4)


def test_copies_and_pickles() -> None:
    dim = (H - 1) // 2 * C + 1
    assert pickle.loads(pickle.dumps(dim)) == dim
    with pytest.raises(AttributeError):
        dim.terms = {}  # type: ignore[union-attr,misc]
