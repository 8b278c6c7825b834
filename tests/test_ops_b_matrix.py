"""Matrix products against torch: shapes, cost, names of axes, and what is refused."""

from __future__ import annotations

import math

import pytest
import torch

from archc import dims
from archc.ops.matrix import MatrixMultiply, Transposed
from archc.shapes import Axis, Shape, feature_map, sequence, vector
from op_harness import case_id, hold, refuse

IMAGE = feature_map(3, 5, 7)
WORDS = sequence(11, vector(13))


def carried(size: int, shape: Shape, name: str = "n") -> Shape:
    return Shape((Axis(size, name, "carried"), *shape.axes))


HEADS = carried(2, WORDS)


def matrix(rows: int, columns: int, *front: int) -> Shape:
    shape = sequence(rows, vector(columns))
    for i, size in enumerate(reversed(front)):
        shape = carried(size, shape, f"n{i}")
    return shape


PRODUCTS = [
    (matrix(11, 13), matrix(13, 5), "bnk,bkm->bnm", (11, 5)),
    (matrix(11, 13, 2), matrix(13, 5, 2), "bhnk,bhkm->bhnm", (2, 11, 5)),
    (matrix(11, 13, 3, 2), matrix(13, 5, 3, 2), "bghnk,bghkm->bghnm", (3, 2, 11, 5)),
    (matrix(11, 13, 2), matrix(13, 5), "bhnk,bkm->bhnm", (2, 11, 5)),
    (matrix(11, 13), matrix(13, 5, 2), "bnk,bhkm->bhnm", (2, 11, 5)),
    (matrix(11, 13), matrix(13, 5, 3, 2), "bnk,bghkm->bghnm", (3, 2, 11, 5)),
    (vector(13), matrix(13, 5), "bk,bkm->bm", (5,)),
    (vector(13), matrix(13, 5, 2), "bk,bhkm->bhm", (2, 5)),
    (matrix(13, 1), vector(5), "bnk,bm->bnm", (13, 5)),
    (vector(13), matrix(13, 1), "bk,bkm->bm", (1,)),
    (feature_map(2, 5, 7), feature_map(2, 7, 3), "bhnk,bhkm->bhnm", (2, 5, 3)),
]


@pytest.mark.parametrize(("left", "right", "equation", "output"), PRODUCTS, ids=case_id)
def test_matrix_products(left, right, equation, output):
    hold(
        MatrixMultiply(),
        left,
        right,
        output=output,
        reference=lambda s, a, b: torch.einsum(equation, a, b),
        tolerance=1e-4,
        counted=False,
    )
    result = MatrixMultiply().infer(left, right)
    macs = MatrixMultiply().macs((left, right), (result,))
    assert macs == math.prod(output) * left.sizes[-1]
    assert MatrixMultiply().flops((left, right), (result,)) == 2 * macs
    assert result.features == result.rank - 1


@pytest.mark.parametrize(("left", "right"), [p[:2] for p in PRODUCTS[:7]], ids=case_id)
def test_multiply_adds_of_products_are_torchs(left, right):
    hold(MatrixMultiply(), left, right)


def test_the_axes_of_a_product():
    q = k = v = carried(2, sequence(11, vector(7)), "h")
    transposed = Transposed().infer(k)
    assert transposed.sizes == (2, 7, 11)
    scores = MatrixMultiply().infer(q, transposed)
    assert [(a.name, a.role) for a in scores.axes] == [
        ("h", "carried"),
        ("t", "steps"),
        ("c", "features"),
    ]
    assert MatrixMultiply().infer(scores, v) == v
    e, memory = sequence(11, vector(1)), sequence(11, vector(7))
    context = MatrixMultiply().infer(Transposed().infer(e), memory)
    assert context == sequence(1, vector(7))


def test_names_of_patterns_move_with_their_axes():
    shape = Shape((Axis(3, "rows", "steps"), Axis(5, "width", "features")))
    turned = Transposed().infer(shape)
    assert [(a.name, a.size, a.role) for a in turned.axes] == [
        ("width", 5, "steps"),
        ("rows", 3, "features"),
    ]
    square = MatrixMultiply().infer(shape, turned)
    assert [a.name for a in square.axes] == ["rows", "c"]


def test_transposition():
    hold(Transposed(), WORDS, output=(13, 11), reference=lambda s, x: x.mT)
    hold(Transposed(), HEADS, output=(2, 13, 11), reference=lambda s, x: x.mT)
    hold(Transposed(), vector(13), output=(13, 1), reference=lambda s, x: x[..., None])
    hold(Transposed(), IMAGE, output=(3, 7, 5), reference=lambda s, x: x.mT)
    assert Transposed().infer(IMAGE) == feature_map(3, 7, 5)


def test_matrices_that_do_not_fit():
    refuse(
        MatrixMultiply(),
        matrix(11, 13),
        matrix(5, 13),
        code="shape-mismatch",
        message="cannot multiply the matrices (11, 13) and (5, 13)",
        help="transpose the second: `a @ b'`",
    )
    refuse(
        MatrixMultiply(),
        matrix(11, 3),
        matrix(11, 5),
        code="shape-mismatch",
        message="cannot multiply the matrices (11, 3) and (11, 5)",
        help="transpose the first: `a' @ b`",
    )
    refuse(
        MatrixMultiply(),
        matrix(11, 3),
        matrix(7, 5),
        code="shape-mismatch",
        message="cannot multiply the matrices (11, 3) and (7, 5)",
        help="project one of them: `FC(7)` on the first",
    )
    refuse(
        MatrixMultiply(),
        matrix(11, 3, 2),
        matrix(3, 5, 4),
        code="shape-mismatch",
        message="cannot multiply the matrices (2, 11, 3) and (4, 3, 5)",
        help="axes in front of the matrices must agree: bring them there with RESHAPE",
    )
    S, T = dims.symbol("S"), dims.symbol("T")
    refuse(
        MatrixMultiply(),
        sequence(3, vector(T)),
        sequence(S, vector(5)),
        code="undecided",
        message="cannot multiply the matrices (3, T) and (S, 5): whether T equals S is not known",
    )


def test_symbolic_products():
    S, T = dims.symbol("S"), dims.symbol("T")
    q, k = sequence(T, vector(7)), sequence(S, vector(7))
    kt = Transposed().infer(k)
    assert MatrixMultiply().infer(q, kt).sizes == (T, S)
    hold(MatrixMultiply(), q, kt, bindings={"T": 3, "S": 5})
    assert MatrixMultiply().macs((q, kt), (MatrixMultiply().infer(q, kt),)) == 7 * S * T
