"""Which known word somebody may have meant."""

from __future__ import annotations

from collections.abc import Iterable
from unicodedata import normalize

__all__ = ["closest"]

LONGEST = 100  # characters of a word that are compared


def closest(word: str, candidates: Iterable[str], *, limit: int = 1) -> list[str]:
    """The candidates that a misspelt word may stand for, the best first.

    The same word in another case comes first, then the same letters without underscores, then words
    a few edits away (a missing, superfluous, wrong or exchanged letter each count one): one edit in
    three letters at most, where a Korean syllable has two or three. Equal ones are in alphabetical
    order.
    """
    ranked = []
    for candidate in dict.fromkeys(candidates):
        distance = _distance(word, candidate)
        if distance is not None and candidate != word:
            ranked.append((distance, candidate))
    return [candidate for _, candidate in sorted(ranked)[:limit]]


def _distance(word: str, candidate: str) -> float | None:
    """How far they are apart: 0 for the same word in another case; None for too far."""
    left, right = _letters(word), _letters(candidate)
    if left == right:
        return 0
    if left.replace("_", "") == right.replace("_", ""):
        return 0.5
    allowed = max(len(left), len(right)) // 3
    if min(len(left), len(right)) < 2 or abs(len(left) - len(right)) > allowed:
        return None
    if max(len(word), len(candidate)) > LONGEST:
        return None
    edits = _edits(left, right)
    return edits if edits <= allowed else None


def _letters(word: str) -> str:
    return word.casefold() if word.isascii() else normalize("NFD", word[:LONGEST].casefold())


def _edits(left: str, right: str) -> int:
    """The edit distance with exchanges of neighbours."""
    two_ago: list[int] = []
    above = list(range(len(right) + 1))
    for row, a in enumerate(left, start=1):
        line = [row]
        for column, b in enumerate(right, start=1):
            best = min(above[column] + 1, line[-1] + 1, above[column - 1] + (a != b))
            swapped = row > 1 and column > 1 and a == right[column - 2] and left[row - 2] == b
            line.append(min(best, two_ago[column - 2] + 1) if swapped else best)
        two_ago, above = above, line
    return above[-1]
