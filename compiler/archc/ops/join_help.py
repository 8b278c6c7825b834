"""What to write instead, where shapes do not join."""

from __future__ import annotations

from archc.dims import Dim, same
from archc.shapes import Axis, Shape

__all__ = ["mismatch_help"]


def mismatch_help(left: Shape, right: Shape) -> str | None:
    """An edit that makes two shapes agree, or None where no single edit suggests itself."""
    if left.rank == right.rank and left.space and left.space == right.space:
        return _maps(left, right)
    if left.space or right.space:
        return _map_and_other(left, right)
    if left.rank == right.rank:
        return _rows(left, right)
    return _heads(left, right) or _vector_and_sequence(left, right)


def _features(shape: Shape) -> Dim | None:
    return None if shape.features is None else shape.axes[shape.features].size


def _space(shape: Shape) -> tuple[Axis, ...]:
    return tuple([shape.axes[i] for i in shape.space])


def _maps(left: Shape, right: Shape) -> str | None:
    channels = (_features(left), _features(right))
    ratio = _ratio(_space(left), _space(right))
    if channels[0] == channels[1]:
        return _sizes(left, right, ratio)
    if ratio != 1:
        return "project the shortcut: `[CONV(c, 1, s) -> BN] if s != 1 or x.c != c`"
    if 1 in channels:
        many = channels[1] if channels[0] == 1 else channels[0]
        return f"repeat the one channel: `REPEAT({many}, axis=c)`; or project it: `CONV({many}, 1)`"
    return f"project one of them: `CONV({channels[0]}, 1)` or `CONV({channels[1]}, 1)`"


def _ratio(left: tuple[Axis, ...], right: tuple[Axis, ...]) -> int | None:
    """How many times larger one is than the other along every axis; None if not a whole number."""
    found: set[int] = set()
    for a, b in zip(left, right, strict=True):
        if a.size == b.size:
            found.add(1)
            continue
        if not isinstance(a.size, int) or not isinstance(b.size, int):
            return None
        small, large = sorted((a.size, b.size))
        if large % small:
            return None
        found.add(large // small)
    return found.pop() if len(found) == 1 else None


def _sizes(left: Shape, right: Shape, ratio: int | None) -> str | None:
    ones = [shape for shape in (left, right) if all(axis.size == 1 for axis in _space(shape))]
    if ones:
        return "a map of one position is not spread over another, a vector is: `FLATTEN`, or `GAP`"
    if ratio is not None:
        return f"bring them to one size: `UPSAMPLE({ratio})` on the smaller, or a stride of {ratio}"
    pairs = list(zip(_space(left), _space(right), strict=True))
    if not all(isinstance(a.size, int) and isinstance(b.size, int) for a, b in pairs):
        return None
    sizes = [min(int(str(a.size)), int(str(b.size))) for a, b in pairs]
    written = str(sizes[0]) if len(set(sizes)) == 1 else f"({', '.join(map(str, sizes))})"
    return f"bring them to one size: `CROP({written})`, or check `pad` and `stride`"


def _map_and_other(left: Shape, right: Shape) -> str | None:
    other = right if left.space else left
    channels = _features(left if left.space else right)
    if other.rank == 1:
        return f"a vector joins a map channel by channel: `FC({channels})` in its branch"
    return "bring them to one kind: `FLATTEN`, `GAP`, or `RESHAPE`"


def _rows(left: Shape, right: Shape) -> str | None:
    features = (_features(left), _features(right))
    in_front = zip(left.sizes[:-1], right.sizes[:-1], strict=True)
    if features[0] == features[1] or any(same(a, b) is not True for a, b in in_front):
        return "the steps must agree: `LAST` or `MEAN(axis=t)` brings one of them to a vector"
    return f"project one of them: `FC({features[0]})` or `FC({features[1]})`"


def _heads(left: Shape, right: Shape) -> str | None:
    """A sequence beside its own heads: they were to be joined first."""
    small, large = sorted((left, right), key=lambda shape: shape.rank)
    if small.rank != 2 or large.rank != 3 or large.axes[0].role != "carried":
        return None
    front, step, last = [axis.name for axis in large.axes]
    pattern = f"{front} {step} {last} -> {step} ({front} {last})"
    return f'join the axes in front first: `RESHAPE("{pattern}")`'


def _vector_and_sequence(left: Shape, right: Shape) -> str | None:
    target = _features(left if left.rank > right.rank else right)
    if target is None or same(_features(left) or 0, _features(right) or 0) is True:
        return None
    return f"project the smaller one: `FC({target})`"
