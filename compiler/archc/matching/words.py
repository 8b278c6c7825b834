"""What well-known words in names say, where shapes and order leave something open."""

from __future__ import annotations

import re

from archc.matching.places import Place

__all__ = ["attention_role", "evidence"]

_SKIPS = {"downsample", "shortcut", "skip", "identity"}
_EARLY = {"pre", "input", "first", "before", "in", "encoder", "embed", "embeddings", "stem"}
_LATE = {"post", "output", "last", "after", "out", "decoder", "final", "head", "classifier"}
_ATTENTION = {
    "q": ("q", "query", "q_proj", "q_lin", "to_q", "wq", "q_linear", "query_proj"),
    "k": ("k", "key", "k_proj", "k_lin", "to_k", "wk", "k_linear", "key_proj"),
    "v": ("v", "value", "v_proj", "v_lin", "to_v", "wv", "v_linear", "value_proj"),
}
_ROLES = {name: role for role, names in _ATTENTION.items() for name in names}


def attention_role(name: str) -> str | None:
    """Which of attention's projections a name means: "q", "k", "v", or None."""
    return _ROLES.get(name.lower())


def evidence(name: str, place: Place) -> tuple[int, int, int]:
    """How badly a name goes with a place, 0 for what it says nothing about.

    Returns:
        A contradiction of what the place is; how much comes before what should be a shortcut; how
        far what should be early is from the beginning, or what should be late from the end.
    """
    words = set(re.findall("[a-z]+", name.lower()))
    wrong = ("pool" in words and not place.pooled) + ("gate" in words and not place.gating)
    role = attention_role(name)
    wrong += role is not None and attention_role(place.group.name.rpartition(".")[2]) != role
    skipped = place.before.bit_count() if words & _SKIPS else 0
    early, late = bool(words & _EARLY), bool(words & _LATE)
    return wrong, skipped, place.number * (early - late)
