"""The refusals: what does not fit, with a list, and what would help."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import NoReturn

from archc.matching.adapting import missing_and_left
from archc.matching.deciding import Tie
from archc.matching.groups import Entry, Group, Key
from archc.matching.places import Place
from archc.matching.problems import WeightsError, listing, shape_text
from archc.matching.tree import Branch, tree_of

__all__ = ["check_names", "refuse_leftovers", "refuse_ties", "refuse_unaligned"]


def check_names(
    entries: Sequence[Entry],
    places: Sequence[Place],
    skip: Sequence[str],
    hand: Mapping[str, str],
) -> None:
    """Refuse a name that nobody has.

    Raises:
        WeightsError: with names that are near it.
    """
    theirs = _prefixes([entry.name for entry in entries])
    ours = _prefixes([place.group.name for place in places])
    for name in skip:
        _refuse_unknown(name, theirs, f"--skip {name}: the file")
    for name, place in hand.items():
        _refuse_unknown(name, theirs, f"--match {name}={place}: the file")
        _refuse_unknown(place, ours, f"--match {name}={place}: the net")


def _prefixes(names: Sequence[str]) -> set[str]:
    found = set()
    for name in names:
        parts = name.split(".")
        found |= {".".join(parts[:length]) for length in range(1, len(parts) + 1)}
        # What stands before `_weight` is a name in the mapping too.
        found |= {name.removesuffix(f"_{role}") for role in ("weight", "bias")}
    return found


def _refuse_unknown(name: str, known: set[str], who: str) -> None:
    if name in known:
        return
    from archlang.suggest import closest

    near = closest(name, sorted(known))
    hint = f"; did you mean {near[0]}?" if near else ""
    raise WeightsError(f"{who} has nothing of the name {name}{hint}")


def refuse_leftovers(theirs: Sequence[Group], ours: Sequence[Group], where: str = "") -> None:
    """Refuse where the file and the net have not the same kinds of layers.

    Raises:
        WeightsError: with what is too much on either side.
    """
    missing, left = missing_and_left(theirs, ours)
    if not missing and not left:
        return
    parts = [f"{where}: the file does not fit" if where else "the weights are not of this net"]
    if left:
        parts.append(listing("in the file, and not in the net", _lines(theirs, ours, left)))
    if missing:
        parts.append(listing("in the net, and not in the file", _lines(ours, theirs, missing)))
    hint = _skippable(theirs, ours, left) if left and not missing else []
    if hint:
        parts.append(f"{' '.join([f'--skip {name}' for name in hint])} would leave those out")
    raise WeightsError("\n".join(parts))


def _lines(these: Sequence[Group], others: Sequence[Group], more: Counter[Key]) -> list[str]:
    """One line for each layer; where the others have some of the kind, one for the kind."""
    has = Counter([group.key for group in others])
    lines, done = [], set()
    for group in these:
        key = group.key
        if key not in more or key in done:
            continue
        text = f"{group.name} {shape_text(group.shapes)}"
        if has[key]:
            done.add(key)
            text += f" and others of these shapes: {has[key] + more[key]} here, {has[key]} there"
        lines.append(text)
    return lines


def _skippable(theirs: Sequence[Group], ours: Sequence[Group], left: Counter[Key]) -> list[str]:
    """Names that together hold exactly what is too much, if there are any.

    Large ones first: what is left out is rather one head than layers here and there. One in which
    there are only layers that the net has too would be a guess.
    """
    left, found, known = Counter(left), list[str](), {group.key for group in ours}
    branches = _branches(tree_of(theirs), "")
    for path, kinds in sorted(branches, key=lambda branch: -branch[1].total()):
        inside = any(path.startswith(f"{name}.") for name in found)
        if not inside and not kinds - left and kinds.keys() - known:
            left -= kinds
            found.append(path)
    return [] if left else sorted(found)


def _branches(branch: Branch, path: str) -> list[tuple[str, Counter[Key]]]:
    found = []
    for child in branch.children:
        name = f"{path}{child.name}"
        found.append((name, Counter([group.key for group in child.groups()])))
        found += _branches(child, f"{name}.")
    return found


def refuse_ties(ties: Sequence[Tie]) -> None:
    """Refuse where names could lie at one place as well as at another.

    Raises:
        WeightsError: with the names and the places.
    """
    if not ties:
        return
    lines = [f"{tie.theirs} could be {' or '.join(tie.ours)}" for tie in ties]
    hint = f"--match {ties[0].theirs}={ties[0].ours[0]} would decide the first"
    raise WeightsError(f"{listing('the match is not unique', lines)}\n{hint}")


def refuse_unaligned(groups: Sequence[Group], places: Sequence[Place]) -> NoReturn:
    """Refuse a file with the right layers whose names keep other ones together than the net does.

    Raises:
        WeightsError: with the layers that several places could take.
    """
    kinds = Counter([group.key for group in groups])
    lines = []
    for group in groups:
        if kinds[group.key] > 1:
            fitting = [place.group.name for place in places if place.group.key == group.key]
            shown = f"{', '.join(fitting[:3])}{', ...' if len(fitting) > 3 else ''}"
            lines.append(f"{group.name} {shape_text(group.shapes)}: {shown}")
    title = "all shapes are there, but no order of the names is the order of use in the net"
    raise WeightsError(f"{listing(title, lines)}\n--match THEIRS=OURS says where a name goes")
