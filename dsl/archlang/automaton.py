"""The LALR automaton that Lark computes from the grammar, and the loop that runs it.

Lark builds the tables once; from then on they are plain data, and reading a file needs neither Lark
nor the time to import it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from archlang.record import Record

__all__ = ["END", "Action", "Rule", "SyntaxFailure", "Tables", "Token", "acceptable", "run"]

END = "$END"

Action = Callable[[list[Any], int, int], Any]
"""Makes a node of a rule's parts, given them and the offsets of the text that they cover."""


class Token:
    """A word or sign of the text, with its offsets."""

    __slots__ = ("end", "start", "text", "type")

    def __init__(self, type: str, text: str, start: int, end: int) -> None:
        self.type = type
        self.text = text
        self.start = start
        self.end = end

    def __repr__(self) -> str:
        return f"Token({self.type}, {self.text!r}, {self.start})"


class Rule(Record):
    """One alternative of a rule.

    Args:
        origin: the nonterminal that it makes.
        length: how many symbols it takes.
        action: the builder's method; empty when the only part stands for the whole, "*" when the
            parts are handed on as a list.
        kept: the positions of its parts that are handed on.
        spliced: the positions among them whose parts are handed on as if they stood here.
    """

    origin: str
    length: int
    action: str
    kept: tuple[int, ...]
    spliced: frozenset[int]


class Tables(Record):
    """A grammar, ready to run.

    Args:
        terminals: names and regular expressions, in the order in which they are tried.
        keywords: words that are not names, and what they are.
        ignored: terminals between the others.
        states: for each state what to do on a terminal: go to a state, or `~rule` for a reduction.
        gotos: for each state where to go after a nonterminal.
        starts: the first state for each start symbol.
        accepting: the last state for each start symbol.
    """

    terminals: tuple[tuple[str, str], ...]
    keywords: Mapping[str, str]
    ignored: frozenset[str]
    rules: tuple[Rule, ...]
    states: Sequence[Mapping[str, int]]
    gotos: Sequence[Mapping[str, int]]
    starts: Mapping[str, int]
    accepting: Mapping[str, int]


class SyntaxFailure(Exception):
    """The text does not follow the grammar.

    Args:
        index: the place of the guilty token among the tokens; their number when they end too soon.
    """

    def __init__(self, index: int) -> None:
        super().__init__(index)
        self.index = index


def run(
    tables: Tables, tokens: Sequence[Token], start: str, actions: Sequence[Action | None]
) -> Any:
    """Read tokens as the start symbol and return what the actions made of them.

    Args:
        tables: the grammar.
        tokens: what the lexer found, without an end mark.
        start: the name of the start symbol.
        actions: one for each rule; None where the rule needs none.

    Raises:
        SyntaxFailure: at the first token that no continuation allows.
    """
    states, gotos, rules = tables.states, tables.gotos, tables.rules
    last = tables.accepting[start]
    stack = [tables.starts[start]]
    values: list[Any] = []
    offsets: list[int] = []
    ends: list[int] = []
    position = tokens[-1].end if tokens else 0
    for index, token in enumerate((*tokens, Token(END, "", position, position))):
        while True:
            move = states[stack[-1]].get(token.type)
            if move is None:
                raise SyntaxFailure(index)
            if move >= 0:
                break
            rule, action = rules[~move], actions[~move]
            count = rule.length
            if rule.action:
                parts = _parts(rule, values[-count:])
                values[-count:] = [action(parts, offsets[-count], ends[-1]) if action else parts]
            elif count > 1:
                values[-count:] = [values[rule.kept[0] - count]]
            del offsets[len(offsets) - count + 1 :]
            ends[-count:] = [ends[-1]]
            del stack[-count:]
            stack.append(gotos[stack[-1]][rule.origin])
            if stack[-1] == last and token.type == END:
                return values[-1]
        stack.append(move)
        values.append(token)
        offsets.append(token.start)
        ends.append(token.end)
    raise AssertionError("the end mark is accepted or refused")


def _parts(rule: Rule, values: list[Any]) -> list[Any]:
    if not rule.spliced:
        return [values[i] for i in rule.kept]
    first, *rest = rule.kept
    # A list that grows by one part each time is extended in place, so that long ones stay cheap.
    parts: list[Any] = values[first] if first in rule.spliced else [values[first]]
    for i in rest:
        if i in rule.spliced:
            parts.extend(values[i])
        else:
            parts.append(values[i])
    return parts


def acceptable(
    tables: Tables, tokens: Sequence[Token], start: str, terminals: Sequence[str]
) -> frozenset[str]:
    """Those of the terminals that could stand behind the tokens.

    Args:
        tables: the grammar.
        tokens: the beginning of something that the start symbol could be.
        start: the name of the start symbol.
        terminals: what to try.
    """
    # The automaton may have reduced too much before it refused a token, so it is asked afresh.
    stack = [tables.starts[start]]
    for token in tokens:
        _feed(tables, stack, token.type, start)
    return frozenset(name for name in terminals if _feed(tables, list(stack), name, start))


def _feed(tables: Tables, stack: list[int], terminal: str, start: str) -> bool:
    """Whether a terminal can stand next; the stack then is as it is behind it."""
    while True:
        move = tables.states[stack[-1]].get(terminal)
        if move is None:
            return False
        if move >= 0:
            stack.append(move)
            return True
        rule = tables.rules[~move]
        del stack[-rule.length :]
        stack.append(tables.gotos[stack[-1]][rule.origin])
        if terminal == END and stack[-1] == tables.accepting[start]:
            return True
