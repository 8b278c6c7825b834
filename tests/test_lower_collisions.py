"""Features that meet: names, shared modules and captured streams, held against running modules."""

from __future__ import annotations

import pytest

import archc
from agreement import agree
from archc.net import Net
from language import only

AROUND = "depth = 2\nblock Around(u) = { u + ID }\nblock Twice(u) = u -> u\n"
TOKENS = "net N = TOKENS(7, 31) -> EMBED(11) as e -> "

PROGRAMS = {
    "a choice in a chain that a block is given": AROUND
    + "net N = INPUT(3) -> Around([[FC(7)] if depth == 2 else [FC(5)]] -> FC(3))",
    "such a chain used twice": AROUND + "net N = INPUT(3) -> [Twice([[FC(3)] if depth == 2])]*3",
    "a table behind a parameter": "block Head(t) = FC(11) -> UNEMBED(t)\n" + TOKENS + "Head(e)",
    "a table two blocks deep": "block Outer(q) = Head(q) -> FC(11) -> Head(q)\n"
    "block Head(t) = FC(11) -> UNEMBED(t, bias=yes)\n" + TOKENS + "Outer(e)",
    "a table in a repeat": TOKENS + "[UNEMBED(e) -> FC(11)]*2",
    "two tables in one block": "block Head(t) = UNEMBED(t)\nnet N {\n"
    "  in a = TOKENS(7, 31), b = TOKENS(7, 29)\n"
    "  p = a -> EMBED(11) as e1\n  q = b -> EMBED(11) as e2\n"
    "  out (p + q) -> Head(e1), (p + q) -> Head(e2)\n}",
    "two shared modules in one block": "block Around(g) = { ID + g }\nnet N {\n"
    "  in x = INPUT(5, 11, 13)\n  share f = CONV(5)\n  share h = CONV(5, 1)\n"
    "  out x -> Around(f) -> Around(h) -> [Around(f)]*3\n}",
    "a net that two branches use": "net N = { A | A }\nnet A = INPUT(3) -> FC(5)",
    "equal sizes in repeats of repeats": "net N = INPUT(7) -> [[FC(11)]*2]*3",
    "counts that fall": "net N = INPUT(7) -> [[FC(c)]*n for c, n in zip([5, 5, 5], [3, 2, 1])]",
    "names with underscores": "net N = INPUT(3) -> FC(3) as _modules -> FC(3) as __init__"
    " -> FC(3) as _",
    "Korean names": "block 블록(채널) = CONV(채널) -> BN\nnet N {\n  in 그림 = INPUT(3, 11, 13)\n"
    "  특징 = 그림 -> [블록(5) as 단계 -> RELU]*2 -> { ID + 단계[0] } -> GAP\n"
    "  out 출력 = 특징 -> FC(3)\n}",
    "a share in a training-only output": "net N {\n  in x = INPUT(5, 11, 13)\n  share f = CONV(5)\n"
    "  a = x -> f -> RELU\n  out a -> GAP\n  out aux = a -> f -> GAP -> FC(3) when training\n}",
    "a branch that takes outer streams": "net N {\n  in x = INPUT(3, 11, 13)\n  a = x -> CONV(5)\n"
    "  out a -> [CONV(5) -> { ID + a }] if a.c == 5 -> [{ ID | x } -> CONV(5)]*2\n}",
    "nothing repeated": "net N = INPUT(3, 11, 13) -> [CONV(5) as s]*0"
    " -> [CONV(c) for c in []] -> RELU",
    "an option in a repeat": "net N = INPUT(3, 11, 13) -> [CONV(5) -> MAXPOOL(2)? as p -> BN]*2"
    " -> { ID | p[1] }",
    "a video": "net N = SEQUENCE(7, 3, 11, 13) -> [CONV(5) -> BN]*2"
    " -> { ID * [GAP -> FC(5) -> SIGMOID] } -> GAP -> FC(11) -> LAST -> FC(3)",
}  # fmt: skip


@pytest.mark.parametrize("name", PROGRAMS)
def test_source_module_and_figures_agree(name: str) -> None:
    agree(_named(PROGRAMS[name]), real=True)


def test_an_option_is_left_out_in_all_copies() -> None:
    agree(_named(PROGRAMS["an option in a repeat"], p=False), real=True)


def test_a_name_that_some_copies_lack_cannot_leave_a_repeat() -> None:
    found = only(
        "net N = INPUT(3) -> [FC(3) -> [BN as b] if i != 1 for i in range(3)] -> { ID + b[1] }"
    )
    assert found.code == "repeat-arity"
    assert found.message == "2 of 3 copies name a stream b, which is used outside"


def test_a_bundle_in_each_copy_cannot_leave_a_repeat() -> None:
    found = only("net N = INPUT(3) -> [[FC(3) as a]*2 -> RELU]*3 -> { ID + a[1][0] }")
    assert found.code == "not-supported-yet"


def _named(text: str, **given: bool) -> Net:
    return archc.load("N", source=text, **given)
