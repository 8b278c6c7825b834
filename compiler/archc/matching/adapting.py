"""Other spellings of the same layer: turned weights, projections of attention joined or apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from archc.matching.groups import Group, Key, Part
from archc.matching.problems import WeightsError, listing
from archc.matching.words import attention_role

__all__ = ["missing_and_left", "respelt", "upright"]

# What keeps the projections of queries, keys and values below one another, in this order.
_JOINED = {"qkv", "in_proj", "c_attn", "qkv_proj", "wqkv", "to_qkv", "attn_qkv"}
# What keeps them head by head.
_INTERLEAVED = "query_key_value"


def missing_and_left(
    theirs: Iterable[Group], ours: Iterable[Group]
) -> tuple[Counter[Key], Counter[Key]]:
    """How many groups of each kind the net has more than the file, and the file than the net."""
    has = Counter([group.key for group in theirs])
    needs = Counter([group.key for group in ours])
    return needs - has, has - needs


def upright(groups: Sequence[Group]) -> list[Group]:
    """The same groups with the weights of linear layers as torch has them, outputs first.

    The bias says which axis is the outputs. Where both have one size, the layers nearest to it in
    the tree of names decide.

    Raises:
        WeightsError: where those do not agree.
    """
    turned: dict[str, set[bool]] = {}
    for group in groups:
        found = _turned(group)
        for above in _above(group.name) if found is not None else ():
            turned.setdefault(above, set()).add(found is True)
    unclear = [group for group in groups if _is_square(group) and len(_votes(group, turned)) > 1]
    if unclear:
        lines = [f"{group.name} {group.shapes[0][0]}×{group.shapes[0][1]}" for group in unclear]
        raise WeightsError(
            listing("some layers of the file are turned and others are not, so these may be", lines)
        )
    return [_upright(group) if _is_turned(group, turned) else group for group in groups]


def _is_turned(group: Group, turned: Mapping[str, set[bool]]) -> bool:
    if _is_square(group):
        return _votes(group, turned) == {True}
    return _turned(group) is True


def _votes(group: Group, turned: Mapping[str, set[bool]]) -> set[bool]:
    return next((turned[above] for above in _above(group.name) if above in turned), set())


def _above(name: str) -> list[str]:
    """The paths above a group, the nearest first, down to the root."""
    parts = name.split(".")
    return [".".join(parts[:length]) for length in range(len(parts) - 1, -1, -1)]


def _linear(group: Group) -> tuple[int, int, int] | None:
    weight, bias = group.part("weight"), group.part("bias")
    if len(group.parts) != 2 or weight is None or bias is None:
        return None
    if len(weight.shape) != 2 or len(bias.shape) != 1:
        return None
    return weight.shape[0], weight.shape[1], bias.shape[0]


def _turned(group: Group) -> bool | None:
    """Whether the bias of a linear layer says that its weight has the inputs first."""
    found = _linear(group)
    if found is None or found[0] == found[1] or found[2] not in found[:2]:
        return None
    return found[1] == found[2]


def _is_square(group: Group) -> bool:
    found = _linear(group)
    return found is not None and found[0] == found[1]


def _upright(group: Group) -> Group:
    parts = [
        part._replace(shape=part.shape[::-1], turned=True) if part.role == "weight" else part
        for part in group.parts
    ]
    return Group(group.name, tuple(parts))


def respelt(theirs: Sequence[Group], ours: Sequence[Group]) -> list[Group]:
    """The same groups with attention's projections joined, or taken apart, as the net has them.

    Raises:
        WeightsError: for projections that are kept head by head.
    """
    groups = list(theirs)
    for made, of in [*_joinable(theirs), *_separable(theirs)]:
        missing, left = missing_and_left(groups, ours)
        if not (Counter([g.key for g in made]) - missing or Counter([g.key for g in of]) - left):
            at = min(map(groups.index, of))
            groups = [*groups[:at], *made, *[g for g in groups[at:] if g not in of]]
    return groups


def _joinable(groups: Iterable[Group]) -> list[tuple[list[Group], list[Group]]]:
    threes: dict[str, dict[str, Group]] = {}
    for group in groups:
        parent, _, last = group.name.rpartition(".")
        role = attention_role(last)
        if role is not None:
            threes.setdefault(parent, {})[role] = group
    found = []
    for parent, roles in threes.items():
        for wanted in ("qkv", "kv"):
            some = [roles[role] for role in wanted if role in roles]
            if len(some) == len(wanted) and len({_kind(group) for group in some}) == 1:
                found.append(([_joined(parent, some)], some))
    return found


def _kind(group: Group) -> tuple[tuple[str, tuple[int, ...], bool], ...]:
    return tuple(sorted([(part.role, part.shape[1:], part.turned) for part in group.parts]))


def _joined(parent: str, some: Sequence[Group]) -> Group:
    parts = []
    for first in some[0].parts:
        same = [part for group in some for part in group.parts if part.role == first.role]
        shape = (sum([part.shape[0] for part in same]), *first.shape[1:])
        names = tuple([name for part in same for name in part.names])
        parts.append(Part(first.role, shape, names, first.turned))
    joined = ",".join([group.name.rpartition(".")[2] for group in some])
    return Group(f"{parent}.{{{joined}}}".lstrip("."), tuple(parts))


def _separable(groups: Iterable[Group]) -> list[tuple[list[Group], list[Group]]]:
    found = []
    for group in groups:
        last = group.name.rpartition(".")[2].lower()
        if last == _INTERLEAVED:
            raise WeightsError(
                f"{group.name} keeps queries, keys and values head by head, "
                "which nothing here takes apart"
            )
        whole = all(part.shape and part.shape[0] % 3 == 0 for part in group.parts)
        if last in _JOINED and whole:
            found.append(([_thirds(group, at, at + 1) for at in range(3)], [group]))
            found.append(([_thirds(group, 0, 1), _thirds(group, 1, 3)], [group]))
    return found


def _thirds(group: Group, start: int, stop: int) -> Group:
    parts = []
    for part in group.parts:
        size = part.shape[0] // 3
        shape = ((stop - start) * size, *part.shape[1:])
        parts.append(part._replace(shape=shape, rows=(start * size, stop * size)))
    return Group(f"{group.name}.{'qkv'[start:stop]}", tuple(parts))
