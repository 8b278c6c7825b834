"""From the tensors of a file to those of a net: which goes where, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from archc.matching.adapting import missing_and_left, respelt, upright
from archc.matching.aligning import Aligner
from archc.matching.deciding import Decider, Pair
from archc.matching.groups import Entry, Group, grouped
from archc.matching.places import Place
from archc.matching.refusing import (
    check_names,
    refuse_leftovers,
    refuse_ties,
    refuse_unaligned,
)
from archc.matching.tree import sort_naturally, transposed, tree_of

__all__ = ["Given", "Matched", "match"]


class Given(NamedTuple):
    """The tensors of a file, without their values.

    Args:
        entries: the tensors, in the order of the file.
        ordered: whether that order is the one in which modules were made; a safetensors file is
            sorted by name.
        equal: whether two tensors have the same values.
    """

    entries: Sequence[Entry]
    ordered: bool
    equal: Callable[[str, str], bool]


class Matched(NamedTuple):
    """Which group of a file fills which place of a net.

    Args:
        pairs: in the order of use.
        dropped: the tensors of the file that are not used, with the reason.
    """

    pairs: Sequence[Pair]
    dropped: Mapping[str, str]


def match(
    given: Given,
    places: Sequence[Place],
    *,
    skip: Sequence[str] = (),
    hand: Mapping[str, str] | None = None,
) -> Matched:
    """Match by the order of use, shape and kind; the tree of names and its numbers decide with.

    Args:
        given: the tensors of the file.
        places: those of the net in the order of use.
        skip: names of the file that are left out, with all below them.
        hand: names of the file, and the names of the net where they go, each with all below.

    Raises:
        archc.matching.problems.WeightsError: when the file does not fit, or not in one way only.
    """
    hand = hand or {}
    check_names(given.entries, places, skip, hand)
    if not hand and not skip and _is_named_alike(given.entries, places):
        return Matched(_by_name(given.entries, places), {})
    dropped = {entry.name: entry.dropped for entry in given.entries if entry.dropped}
    dropped |= {e.name: "--skip" for e in given.entries if any(_below(e.name, s) for s in skip)}
    groups = upright(grouped([entry for entry in given.entries if entry.name not in dropped]))
    needed = [place.group for place in places]
    groups = _untied(groups, needed, given.equal, dropped)
    groups = respelt(groups, needed)
    refuse_leftovers(groups, needed)
    pairs = _paired(groups, places, given.ordered, hand)
    return Matched(sorted(pairs, key=lambda pair: pair.ours.number), dropped)


def _below(name: str, above: str) -> bool:
    return name == above or name.startswith(f"{above}.")


def _is_named_alike(entries: Sequence[Entry], places: Sequence[Place]) -> bool:
    """Whether the file is one of this very net."""
    parts = [part for place in places for part in place.group.parts]
    return {e.name: e.shape for e in entries} == {part.names[0]: part.shape for part in parts}


def _by_name(entries: Sequence[Entry], places: Sequence[Place]) -> list[Pair]:
    theirs = {group.name: group for group in grouped(entries)}
    return [Pair(theirs[place.group.name], place, "name") for place in places]


def _untied(
    groups: Sequence[Group],
    needed: Sequence[Group],
    equal: Callable[[str, str], bool],
    dropped: dict[str, str],
) -> list[Group]:
    """Without what is there twice, such as the table of tokens as the last layer's weight."""
    kinds = {group.key for group in needed}
    left = Counter({k: n for k, n in missing_and_left(groups, needed)[1].items() if k in kinds})
    kept: list[Group] = []
    for group in groups:
        first = next((k for k in kept if left[group.key] and _same(k, group, equal)), None)
        if first is None:
            kept.append(group)
            continue
        left[group.key] -= 1
        dropped[group.parts[0].names[0]] = f"the same as {first.parts[0].names[0]}"
    return kept


def _same(one: Group, other: Group, equal: Callable[[str, str], bool]) -> bool:
    """Whether two tables are one; vectors may be equal by chance."""
    if one.key != other.key or len(one.parts) != 1 or len(one.key[0][1]) < 2:
        return False
    return equal(one.parts[0].names[0], other.parts[0].names[0])


def _paired(
    groups: Sequence[Group], places: Sequence[Place], ordered: bool, hand: Mapping[str, str]
) -> list[Pair]:
    pairs: list[Pair] = []
    for theirs, ours in hand.items():
        some = [group for group in groups if _below(group.name, theirs)]
        there = [place for place in places if _below(place.group.name, ours)]
        refuse_leftovers(some, [place.group for place in there], f"--match {theirs}={ours}")
        found = _aligned(some, there, ordered)
        pairs += [found[0]._replace(reason="hand")] if len(found) == 1 else found
        groups = [group for group in groups if group not in some]
        places = [place for place in places if place not in there]
    refuse_leftovers(groups, [place.group for place in places], "with what --match says")
    rest = _aligned(groups, places, ordered)
    return [*pairs, *[_following(pair, pairs) for pair in rest]]


def _following(pair: Pair, pairs: Sequence[Pair]) -> Pair:
    """What has its shapes alone only because of what the user says is decided by that."""
    shared = pair.reason == "shape" and any(p.theirs.key == pair.theirs.key for p in pairs)
    return pair._replace(reason="hand") if shared else pair


def _aligned(groups: Sequence[Group], places: Sequence[Place], ordered: bool) -> list[Pair]:
    if not groups:
        return []
    kinds = Counter([group.key for group in groups])
    if max(kinds.values()) == 1:
        there = {place.group.key: place for place in places}
        return [Pair(group, there[group.key], "shape") for group in groups]
    decided = _decided(groups, places, ordered)
    alone = {key for key, count in kinds.items() if count == 1}
    return [p._replace(reason="shape") if p.theirs.key in alone else p for p in decided]


def _decided(groups: Sequence[Group], places: Sequence[Place], ordered: bool) -> list[Pair]:
    """By the first view of the names that fits the net."""
    tree = tree_of(groups)
    tree = tree if ordered else sort_naturally(tree)
    for numbered in (True, False):
        for view in (tree, transposed(tree)):
            aligner = Aligner(places, numbered=numbered)
            if aligner.fits(view, 0):
                decider = Decider(aligner, ordered=ordered)
                decider.decide(view, 0, "structure")
                refuse_ties(decider.ties)
                return decider.pairs
    refuse_unaligned(groups, places)
    raise AssertionError
