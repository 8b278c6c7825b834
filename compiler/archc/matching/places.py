"""Where the weights of a net are used: in which order, and what comes after what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from archc.graph import Program
from archc.matching.groups import Group
from archc.netgraph import flat_graph

if TYPE_CHECKING:
    import networkx

__all__ = ["Place", "parallel", "places"]

_GATES = {"SILU", "SIGMOID", "GELU", "RELU", "HSIGMOID", "TANH"}


class Place(NamedTuple):
    """One group of the net.

    Args:
        group: its name and tensors.
        number: its place in the order of use.
        before: the groups that its input depends on, as bits by number.
        pooled: whether a pooling comes directly before it.
        gating: whether an activation comes directly behind it.
    """

    group: Group
    number: int
    before: int = 0
    pooled: bool = False
    gating: bool = False


def parallel(one: Place, other: Place) -> bool:
    """Whether neither of two groups sees what the other made."""
    return not (one.before >> other.number & 1 or other.before >> one.number & 1)


def places(program: Program, groups: Sequence[Group]) -> list[Place]:
    """The groups of a net in the order in which it uses them first.

    Args:
        program: the net.
        groups: those of its state_dict.

    Raises:
        archc.netgraph.GraphTooLargeError: beyond 100,000 operators.
    """
    graph = flat_graph(program)
    held = _held(graph, groups)
    ordered = [group for key in graph for group in held.get(key, ())]
    numbers = {group.name: number for number, group in enumerate(ordered)}
    found, seen = [], dict[str, int]()
    for key in graph:
        seen[key] = _before(graph, key, seen)
        for group in held.get(key, ()):
            found.append(_place(graph, key, group, numbers[group.name], seen[key]))
            seen[key] |= 1 << numbers[group.name]
    return found


def _place(
    graph: networkx.MultiDiGraph[str], key: str, group: Group, number: int, before: int
) -> Place:
    pooled = any("POOL" in _op(graph, one) for one in graph.predecessors(key))
    gating = any(_op(graph, one) in _GATES for one in graph.successors(key))
    return Place(group, number, before, pooled, gating)


def _op(graph: networkx.MultiDiGraph[str], key: str) -> str:
    return str(graph.nodes[key]["op"])


def _before(graph: networkx.MultiDiGraph[str], key: str, seen: Mapping[str, int]) -> int:
    """What a node depends on; streams of an earlier step of time are not known yet."""
    found = 0
    for one in graph.predecessors(key):
        found |= seen.get(one, 0)
    return found


def _held(graph: networkx.MultiDiGraph[str], groups: Iterable[Group]) -> dict[str, list[Group]]:
    """The groups of each node, in the order of the state_dict."""
    paths: dict[str, str] = {}
    shared: dict[str, str] = {}
    for key, data in graph.nodes(data=True):
        if data["kind"] == "operator":
            _note(paths, shared, key, data)
    found: dict[str, list[Group]] = {}
    for group in groups:
        found.setdefault(_node(group.name, paths, shared), []).append(group)
    return found


def _note(paths: dict[str, str], shared: dict[str, str], key: str, data: Mapping[str, Any]) -> None:
    paths.setdefault(data["path"], key)
    if data["shared_with"]:
        shared.setdefault(data["shared_with"], key)


def _node(name: str, paths: Mapping[str, str], shared: Mapping[str, str]) -> str:
    """The node that owns a group: the one at its path, or at the nearest path above it."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        path = ".".join(parts[:length])
        if path in paths:
            return paths[path]
        # A module that several nodes share stands at a path of its own; the first use counts.
        if parts[length - 1] in shared:
            return shared[parts[length - 1]]
    raise AssertionError(f"no operator owns {name}")
