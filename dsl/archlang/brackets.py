"""Which bracket belongs to which, in a text where some are wrong."""

from __future__ import annotations

from collections.abc import Sequence

from archlang.automaton import Token
from archlang.diagnostics import Diagnostic, Label
from archlang.record import Record
from archlang.source import Source, Span

__all__ = ["CLOSING", "MOST_DIAGNOSTICS", "OPENING", "Brackets", "match_brackets"]

MOST_DIAGNOSTICS = 100
"""Reading stops after so many mistakes: what has more is no program."""

OPENING = {"(": ")", "[": "]", "{": "}"}
CLOSING = {")": "(", "]": "[", "}": "{"}


class Brackets(Record):
    """The brackets of a stretch of tokens.

    Args:
        partners: the place of the closing bracket for that of each opening one that has one.
        lost: the places of brackets without a partner.
        diagnostics: what is wrong, with the place of the bracket that it is about.
    """

    partners: dict[int, int]
    lost: frozenset[int]
    diagnostics: tuple[tuple[int, Diagnostic], ...]


def match_brackets(tokens: Sequence[Token], start: int, stop: int, source: Source) -> Brackets:
    """Match the brackets of tokens[start:stop]."""
    matcher = _Matcher(tokens, start, stop, source)
    for place in range(start, stop):
        text = tokens[place].text
        if text in OPENING:
            matcher.opened.append(place)
        elif text in CLOSING:
            matcher.close(place)
    matcher.finish()
    found = sorted(matcher.diagnostics, key=lambda item: item[0])
    return Brackets(matcher.partners, frozenset(matcher.lost), tuple(found))


class _Matcher:
    def __init__(self, tokens: Sequence[Token], start: int, stop: int, source: Source) -> None:
        self.tokens = tokens
        self.stop = stop
        self.source = source
        self.opened: list[int] = []
        self.partners: dict[int, int] = {}
        self.lost: list[int] = []
        self.diagnostics: list[tuple[int, Diagnostic]] = []
        # How many more closing than opening brackets of each kind are still to come.
        self.surplus = dict.fromkeys(OPENING, 0)
        for token in tokens[start:stop]:
            self._count(token.text, 1)
        self.counted = start

    def add(self, place: int, diagnostic: Diagnostic) -> None:
        """Collect a diagnostic, unless there are enough."""
        if len(self.diagnostics) < MOST_DIAGNOSTICS:
            self.diagnostics.append((place, diagnostic))

    def _count(self, text: str, sign: int) -> None:
        if text in OPENING:
            self.surplus[text] -= sign
        elif text in CLOSING:
            self.surplus[CLOSING[text]] += sign

    def _surplus_behind(self, place: int, kind: str) -> int:
        while self.counted <= place:
            self._count(self.tokens[self.counted].text, -1)
            self.counted += 1
        return self.surplus[kind]

    def close(self, place: int) -> None:
        """Take a closing bracket."""
        wanted = CLOSING[self.tokens[place].text]
        if not any(self.tokens[opened].text == wanted for opened in self.opened):
            self.close_nothing(place)
            return
        missing = []
        while self.tokens[self.opened[-1]].text != wanted:
            missing.append(self.opened.pop())
        self.partners[self.opened.pop()] = place
        if missing:
            self.lost.extend(missing)
            self.unclosed(missing[-1], place)

    def close_nothing(self, place: int) -> None:
        """Take a closing bracket that has no opening one of its kind."""
        if self.opened:
            inner = self.opened[-1]
            if self._surplus_behind(place, self.tokens[inner].text) <= 0:
                self.partners[self.opened.pop()] = place
                self.mismatched(inner, place)
                return
        self.lost.append(place)
        text = self.tokens[place].text
        message = f"`{text}` closes nothing"
        label = Label(self.span(place), f"no `{CLOSING[text]}` is open here")
        help = f"remove it, or open it with `{CLOSING[text]}`"
        self.add(place, Diagnostic("stray-bracket", message, (label,), help=help))

    def finish(self) -> None:
        """Say what is still open at the end."""
        if self.opened:
            self.lost.extend(self.opened)
            self.unclosed(self.opened[-1], None)

    def unclosed(self, opened: int, place: int | None) -> None:
        """A bracket that is never closed, and the one that shows it."""
        text = self.tokens[opened].text
        labels = [Label(self.span(opened), "opened here")]
        if place is not None:
            labels.append(Label(self.span(place), f"`{OPENING[text]}` is missing before this"))
        message = f"`{text}` is never closed"
        help = f"add `{OPENING[text]}` where the part that it opens ends"
        found = Diagnostic("unclosed-bracket", message, tuple(labels), help=help)
        self.add(opened, found)

    def mismatched(self, opened: int, place: int) -> None:
        """A bracket that is closed by one of another kind."""
        text, other = self.tokens[opened].text, self.tokens[place].text
        labels = (Label(self.span(place), "closed here"), Label(self.span(opened), "opened here"))
        message = f"`{text}` is closed by `{other}`"
        help = f"close it with `{OPENING[text]}`"
        found = Diagnostic("mismatched-bracket", message, labels, help=help)
        self.add(opened, found)

    def span(self, place: int) -> Span:
        """The place of a token in the text."""
        return Span(self.source, self.tokens[place].start, self.tokens[place].end)
