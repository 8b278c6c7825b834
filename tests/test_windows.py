"""Attention in windows: relative positions, masks of maps that were rolled, and Swin's layers.

The references are written in plain torch: they go through the pairs of positions one by one.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import archc

BATCH = 2


# --- the references ------------------------------------------------------------------------------


def places(grid: Sequence[int]) -> list[tuple[int, ...]]:
    """The positions of a grid in the order of its rows."""
    return list(itertools.product(*[range(size) for size in grid]))


def table_bias(table: Tensor, grid: Sequence[int]) -> Tensor:
    """The bias (heads, T, T), looked up pair by pair."""
    rows = []
    for query in places(grid):
        for key in places(grid):
            row = 0
            for q, k, size in zip(query, key, grid, strict=True):
                row = row * (2 * size - 1) + q - k + size - 1
            rows.append(row)
    steps = math.prod(grid)
    return table[rows].T.reshape(-1, steps, steps)


def hidden_pairs(counts: Sequence[int], grid: Sequence[int], shift: Sequence[int]) -> Tensor:
    """What is hidden (*counts, T, T): positions that were no neighbours before rolling."""
    steps = math.prod(grid)
    hidden = torch.zeros(*counts, steps, steps, dtype=torch.bool)
    for window in places(counts):
        for i, query in enumerate(places(grid)):
            for j, key in enumerate(places(grid)):
                axes = zip(window, counts, query, key, grid, shift, strict=True)
                for w, count, q, k, size, moved in axes:
                    end = count * size - moved
                    hidden[(*window, i, j)] |= (w * size + q >= end) != (w * size + k >= end)
    return hidden


def window_attention(
    x: Tensor, w: Sequence[Tensor], heads: int, grid: tuple[int, int], shift: tuple[int, int]
) -> Tensor:
    """Attention on a map (B, C, H, W), window by window and head by head, with its weights."""
    table, qkv, qkv_bias, out, out_bias = w
    channels, height, width = x.shape[1:]
    (a, b), size = grid, channels // heads
    counts = (height // a, width // b)
    bias, hidden = table_bias(table, grid), hidden_pairs(counts, grid, shift)
    places_of = x.roll((-shift[0], -shift[1]), (2, 3)).permute(0, 2, 3, 1)
    made = torch.zeros_like(places_of)
    for m, n in places(counts):
        part = places_of[:, m * a : (m + 1) * a, n * b : (n + 1) * b].reshape(len(x), a * b, -1)
        q, k, v = (part @ qkv.T + qkv_bias).chunk(3, dim=-1)
        found = []
        for head in range(heads):
            own = slice(head * size, (head + 1) * size)
            scores = q[..., own] @ k[..., own].transpose(1, 2) / math.sqrt(size) + bias[head]
            scores = torch.where(hidden[m, n], torch.tensor(-math.inf), scores)
            found.append(scores.softmax(-1) @ v[..., own])
        mixed = torch.cat(found, dim=-1) @ out.T + out_bias
        made[:, m * a : (m + 1) * a, n * b : (n + 1) * b] = mixed.reshape(len(x), a, b, -1)
    return made.permute(0, 3, 1, 2).roll(shift, (2, 3))


def norm(x: Tensor, scale: Tensor, offset: Tensor) -> Tensor:
    """Layer normalisation over the channels of a map."""
    centred = x - x.mean(1, keepdim=True)
    normal = centred / torch.sqrt((centred**2).mean(1, keepdim=True) + 1e-5)
    return normal * scale[:, None, None] + offset[:, None, None]


def swin_layer(
    x: Tensor, w: Iterator[Tensor], heads: int, grid: tuple[int, int], shift: tuple[int, int]
) -> Tensor:
    """A layer of Swin: attention in windows and a perceptron, each on what is left beside it."""
    inner = norm(x, next(w), next(w))
    x = x + window_attention(inner, [next(w) for _ in range(5)], heads, grid, shift)
    y = F.gelu(F.conv2d(norm(x, next(w), next(w)), next(w), next(w)))
    return x + F.conv2d(y, next(w), next(w))


def patches_merged(x: Tensor, w: Iterator[Tensor]) -> Tensor:
    """Every two by two positions one after the other, down the columns, then twice the channels."""
    parts = [x[:, :, i::2, j::2] for j in (0, 1) for i in (0, 1)]
    return F.conv2d(norm(torch.cat(parts, dim=1), next(w), next(w)), next(w))


def same_with_gradients(model: nn.Module, out: Tensor, expected: Tensor, x: Tensor) -> None:
    torch.testing.assert_close(out, expected, atol=1e-5, rtol=1e-4)
    weight = torch.linspace(-1, 1, out.numel()).reshape(out.shape)
    to = [x, *model.parameters()]
    ours = torch.autograd.grad((out * weight).sum(), to)
    theirs = torch.autograd.grad((expected * weight).sum(), to)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, atol=1e-4, rtol=1e-4)


def random_weights(model: nn.Module) -> list[Tensor]:
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.5)
    return list(model.parameters())


# --- ATTENTION -----------------------------------------------------------------------------------

WINDOWS = """
net N(s=0) =
  INPUT(10, 9, 14) -> ROLL((-s, -2*s), axis=(h, w))
  -> RESHAPE("c (m a) (n b) -> m n (a b) c", a=3, b=7)
  -> ATTENTION(5, grid=(3, 7), relative=yes, shift=(s, 2*s))
  -> RESHAPE("m n (a b) c -> c (m a) (n b)", a=3) -> ROLL((s, 2*s), axis=(h, w))
"""


@pytest.mark.parametrize("s", [0, 1, 2])
def test_windows_of_a_map_and_their_gradients(s: int) -> None:
    net = archc.load(source=WINDOWS, s=s)
    model = net.to_torch()
    weights = random_weights(model)
    assert net.params == sum(p.numel() for p in weights) == 5 * 13 * 5 + 4 * 10 * 10 + 40
    assert net.macs == 9 * 14 * (4 * 10 * 10 + 2 * 21 * 10)
    x = torch.randn(BATCH, 10, 9, 14, requires_grad=True)
    expected = window_attention(x, weights, 5, (3, 7), (s, 2 * s))
    same_with_gradients(model, model(x), expected, x)


def test_a_bias_is_one_operation_for_each_score() -> None:
    chain = "net N = SEQUENCE(11, 6) -> ATTENTION(3, relative={})"
    plain, biased = [archc.load(source=chain.format(word)) for word in ("no", "yes")]
    assert biased.stats().to_dict()["flops"] - plain.stats().to_dict()["flops"] == 3 * 11 * 11
    assert biased.params - plain.params == 21 * 3
    assert biased.macs == plain.macs


SORTS = {
    "relative=yes": (False, None),
    "relative=yes, causal=yes": (True, None),
    "relative=yes, window=3": (False, 3),
    "relative=yes, window=4, causal=yes": (True, 4),
    "relative=yes, kv=x": (False, None),
}


@pytest.mark.parametrize("sort", SORTS)
def test_relative_positions_of_a_sequence(sort: str) -> None:
    causal, window = SORTS[sort]
    model = archc.load(
        source=f"block B = ATTENTION(3, {sort})\nnet N = SEQUENCE(11, 15) -> B"
    ).to_torch()
    random_weights(model)
    weights = {name.split(".", 1)[-1]: p for name, p in model.named_parameters()}
    parts = {name.removeprefix("attention."): p for name, p in weights.items()}
    qkv = parts.get("qkv.weight", torch.cat([parts[k] for k in parts if "q.w" in k or "kv.w" in k]))
    shifts = [parts[k] for k in parts if "q.b" in k or "kv.b" in k] or [parts["qkv.bias"]]
    x = torch.randn(BATCH, 11, 15, requires_grad=True)
    q, k, v = [
        part.unflatten(-1, (3, 5)).transpose(1, 2)
        for part in (x @ qkv.T + torch.cat(shifts)).chunk(3, dim=-1)
    ]
    scores = q @ k.transpose(2, 3) / math.sqrt(5) + table_bias(parts["relative"], (11,))
    for i, j in places((11, 11)):
        if (causal and j > i) or (window and abs(i - j) >= window):
            scores[..., i, j] = -math.inf
    mixed = (scores.softmax(-1) @ v).transpose(1, 2).flatten(2)
    expected = mixed @ parts["out.weight"].T + parts["out.bias"]
    same_with_gradients(model, model(x), expected, x)


def test_shifted_windows_of_a_signal_without_a_bias() -> None:
    text = """net N = INPUT(6, 20) -> ROLL(-2, axis=l) -> RESHAPE("c (m a) -> m a c", a=5)
      -> ATTENTION(2, grid=5, shift=2)"""
    model = archc.load(source=text).to_torch()
    x = torch.randn(BATCH, 6, 20)
    windows = x.roll(-2, 2).transpose(1, 2).unflatten(1, (4, 5))
    whole = model.attention(windows)
    torch.testing.assert_close(model(x), whole)
    # The last window falls in two: each half is attended to alone.
    plain = archc.load(source="dim T\nnet P = SEQUENCE(T, 6) -> ATTENTION(2)").to_torch()
    plain.attention.load_state_dict(model.attention.state_dict())
    for part in (slice(0, 3), slice(3, 5)):
        torch.testing.assert_close(whole[:, 3, part], plain(windows[:, 3, part]))
    torch.testing.assert_close(whole[:, 1], plain(windows[:, 1]))


# --- MASK and RELPOS -----------------------------------------------------------------------------


def test_a_mask_of_a_window_of_steps() -> None:
    text = "net N = SEQUENCE(11, 5) -> { ID @ ID' } -> MASK(window, 3) -> SOFTMAX"
    model = archc.load(source=text).to_torch()
    x = torch.randn(BATCH, 11, 5)
    scores = x @ x.transpose(1, 2)
    for i, j in places((11, 11)):
        if abs(i - j) >= 3:
            scores[:, i, j] = -math.inf
    torch.testing.assert_close(model(x), scores.softmax(-1), atol=1e-5, rtol=1e-4)


EQUATION = """
block Attend {
  in q, k, v
  scores = { q @ k' / sqrt(q.c) } -> RELPOS((3, 7)) -> MASK(shifted, (1, 2), grid=(3, 7))
  out (scores -> SOFTMAX) @ v
}
block Heads = FC(10) -> RESHAPE("m n t (h d) -> m n h t d", h=5)
net N =
  INPUT(10, 9, 14) -> ROLL((-1, -2), axis=(h, w))
  -> RESHAPE("c (m a) (n b) -> m n (a b) c", a=3, b=7)
  -> { Heads, Heads, Heads } -> Attend -> RESHAPE("m n h t d -> m n t (h d)") -> FC(10)
  -> RESHAPE("m n (a b) c -> c (m a) (n b)", a=3) -> ROLL((1, 2), axis=(h, w))
"""


def test_the_equation_is_the_operator() -> None:
    net, built = archc.load(source=EQUATION), archc.load(source=WINDOWS, s=1)
    assert (net.params, net.macs) == (built.params, built.macs)
    model = net.to_torch()
    q, q1, k, k1, v, v1, table, out, out1 = random_weights(model)
    weights = [table, torch.cat((q, k, v)), torch.cat((q1, k1, v1)), out, out1]
    x = torch.randn(BATCH, 10, 9, 14, requires_grad=True)
    expected = window_attention(x, weights, 5, (3, 7), (1, 2))
    same_with_gradients(model, model(x), expected, x)
    assert net.recognized == ()


def test_masks_behind_one_another_hide_what_any_hides() -> None:
    text = "net N = SEQUENCE(7, 5) -> { ID @ ID' } -> MASK(causal) -> MASK(window, 2) -> EXP"
    kept = archc.load(source=text).to_torch()(torch.randn(BATCH, 7, 5)) > 0
    assert kept[0].nonzero().tolist() == [[i, j] for i, j in places((7, 7)) if i - j in (0, 1)]


# --- what is wrong -------------------------------------------------------------------------------

WRONG = {
    "ATTENTION(3, grid=(3, 5), relative=yes)": (
        "ATTENTION: a grid of 3 by 5 has 15 positions, got 12 steps",
        "`grid=(3, 4)`",
    ),
    "ATTENTION(3, shift=2)": (
        "ATTENTION needs an axis of windows in front, since it is shifted, got (12, 15)",
        'cut the map into windows: `RESHAPE("(m a) c -> m a c", a=12)`',
    ),
    "ATTENTION(3, grid=(3, 4), shift=2)": (
        "ATTENTION needs 2 axes of windows in front, since it is shifted, got (12, 15)",
        'cut the map into windows: `RESHAPE("c (m a) (n b) -> m n (a b) c", a=3, b=4)`',
    ),
    "ATTENTION(3, grid=(3, 4), shift=3)": (
        "ATTENTION: a shift of 3 by 3 leaves a window of 3 by 4",
        "windows move by a half: `shift=(1, 2)`",
    ),
    "ATTENTION(3, grid=(3, 4), shift=(1, 1, 1))": (
        "ATTENTION has 3 shifts, and a grid of 3 by 4",
        "one for each axis of `grid`: `shift=(1, 2)`",
    ),
    "ATTENTION(3, shift=-1)": (
        "ATTENTION's shift is a whole number of at least 0, or a tuple of them, one for each axis, "
        "found -1",
        None,
    ),
    "{ ID @ ID' } -> RELPOS((5, 3))": (
        "RELPOS: a grid of 5 by 3 has 15 positions, got 12 steps",
        "`grid=(3, 4)`",
    ),
    "RELPOS": (
        "RELPOS needs scores of queries by as many keys, got (12, 15)",
        "scores are `{ q @ k' } -> RELPOS -> SOFTMAX`",
    ),
    "{ ID @ ID' } -> MASK(window)": ("MASK(window) needs a size", "`MASK(window, 3)`"),
    "{ ID @ ID' } -> MASK(window, 0)": (
        "MASK(window) takes a whole number of at least 1, found 0",
        "`MASK(window, 3)`",
    ),
    "{ ID @ ID' } -> MASK(window, 3, grid=(3, 4))": (
        "MASK(window) takes no grid",
        "`MASK(window, 3)`",
    ),
    "{ ID @ ID' } -> MASK(shifted)": (
        "MASK(shifted) needs a size",
        "`MASK(shifted, 3, grid=(7, 7))`",
    ),
    "{ ID @ ID' } -> MASK(causal, 3)": ("MASK(causal) takes no size", "`MASK(causal)`"),
    "{ ID @ ID' } -> MASK(shifted, 2)": (
        "MASK needs an axis of windows in front, since it is shifted, got (12, 12)",
        'cut the map into windows: `RESHAPE("(m a) c -> m a c", a=12)`',
    ),
}


@pytest.mark.parametrize("chain", WRONG)
def test_what_does_not_fit_is_said(chain: str) -> None:
    with pytest.raises(archc.ArchError) as caught:
        archc.load(source=f"net N = SEQUENCE(12, 15) -> {chain}")
    first = caught.value.diagnostics[0]
    message, help = WRONG[chain]
    assert first.message == message
    assert help is None or first.help == help


def test_no_grid_is_looked_for_among_very_many_steps() -> None:
    with pytest.raises(archc.ArchError, match="3 by 4 has 12 positions"):
        archc.load(
            source=f"net N = SEQUENCE({10**18 + 9}, 6) -> ATTENTION(3, grid=(3, 4), relative=yes)"
        )


@pytest.mark.parametrize("chain", ["ATTENTION(3, relative=yes)", "{ ID @ ID' } -> RELPOS"])
def test_a_table_needs_steps_that_are_known(chain: str) -> None:
    with pytest.raises(archc.ArchError) as caught:
        archc.load(source=f"dim T\nnet N = SEQUENCE(T, 15) -> {chain}")
    assert caught.value.diagnostics[0].code == "undecided"
    assert archc.load(source=f"dim T\nnet N = SEQUENCE(T, 15) -> {chain}", T=11).params


def test_as_many_windows_as_the_map_has() -> None:
    text = WINDOWS.replace("net N(s=0)", "dim H, W\ndim H % 3 == 0, W % 7 == 0\nnet N(s=1)")
    net = archc.load(source=text.replace("9, 14", "H, W"))
    assert net.macs.evaluate(H=9, W=14) == archc.load(source=WINDOWS, s=1).macs
    model = net.to_torch()
    weights = random_weights(model)
    for height, width in ((9, 14), (6, 21), (3, 7)):
        x = torch.randn(BATCH, 10, height, width)
        expected = window_attention(x, weights, 5, (3, 7), (1, 2))
        torch.testing.assert_close(model(x), expected, atol=1e-5, rtol=1e-4)


# --- Swin ----------------------------------------------------------------------------------------

SWIN = """
from "swin.arch" import Layer, Merge
net N = INPUT(6, 20, 30) -> Layer(2, 5, 0, 0) -> Layer(3, 5, 2, 0) -> Merge -> Layer(4, 5, 2, 0)
"""


def test_layers_of_swin_and_their_gradients() -> None:
    model = archc.load(source=SWIN).to_torch()
    w = iter(random_weights(model))
    x = torch.randn(BATCH, 6, 20, 30, requires_grad=True)
    y = swin_layer(x, w, 2, (5, 5), (0, 0))
    y = swin_layer(y, w, 3, (5, 5), (2, 2))
    y = swin_layer(patches_merged(y, w), w, 4, (5, 5), (2, 2))
    assert next(w, None) is None
    same_with_gradients(model, model(x), y, x)


def test_one_window_does_not_move() -> None:
    moved, still = [
        archc.load(
            source=f'from "swin.arch" import Layer\nnet N = INPUT(6, 5, 5) -> Layer(2, 5, {s}, 0)'
        )
        for s in (2, 0)
    ]
    assert "roll(" not in moved.source()
    assert moved.source().split("\n")[1:] == still.source().split("\n")[1:]


def test_half_of_the_layers_of_swin_t_are_shifted() -> None:
    rows = archc.load("swin_t").stats(depth=None).to_dict()["layers"]
    rolls = [row["path"] for row in rows if row["op"] == "ROLL"]
    assert len(rolls) == 2 * (1 + 1 + 3)
    assert not any(path.startswith("stage.3") for path in rolls)
    source = archc.load("swin_t").source()
    assert max(len(line) for line in source.splitlines()) <= 88
