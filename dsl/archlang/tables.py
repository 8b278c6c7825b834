"""Where the parser's tables come from: the package, the user's cache, or Lark.

Computing them takes Lark a quarter of a second, so the build of the package saves them beside the
grammar. Without that file (a checkout that was never installed) the user's cache directory keeps
them. They are JSON, so that a file that somebody else could write can do no harm, and they carry
the text of their grammar: tables of another grammar are no tables. Being self-contained they
outlive an update of Lark or of Python.
"""

from __future__ import annotations

import json
import os
import sys
from collections import deque
from functools import lru_cache
from pathlib import Path
from typing import Any

from archlang.automaton import END, Rule, Tables

__all__ = ["START_SYMBOLS", "build", "cache_folder", "load", "save"]

GRAMMAR = Path(__file__).with_name("grammar.lark")
SAVED = Path(__file__).with_name("_tables.bin")
START_SYMBOLS = ("file", "definition", "statement", "argument")
FORMAT = 1


@lru_cache(maxsize=1)
def load() -> Tables:
    """The tables of the grammar, from the quickest place that has them."""
    grammar = GRAMMAR.read_text(encoding="utf-8")
    cached = _cache_file(grammar)
    for place in (SAVED, cached):
        if place is None:
            continue
        tables = _read(place, grammar)
        if tables is not None:
            return tables
    data = build(grammar)
    if cached is not None:
        save(data, cached)
    return _thaw(data)


def save(data: dict[str, Any], place: Path) -> bool:
    """Write data whole or not at all; whether it worked."""
    part = place.with_name(f"{place.name}.{os.getpid()}.part")
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        part.write_text(json.dumps(data, separators=(",", ":")), encoding="utf-8")
        part.replace(place)
    except OSError:
        return False
    return True


def build(grammar: str, *, strict: bool = False) -> dict[str, Any]:
    """Let Lark compute the tables of a grammar, as plain data.

    Args:
        grammar: the grammar's text.
        strict: whether a conflict is an error instead of being resolved in silence.

    Raises:
        lark.exceptions.GrammarError: the grammar is wrong.
    """
    from lark import Lark
    from lark.lexer import Lexer

    class NoLexer(Lexer):
        """The tables are all that is wanted, so that Lark need not compile a lexer of its own."""

        def __init__(self, configuration: object) -> None: ...

        def lex(self, *_: object) -> Any:
            raise NotImplementedError

    lark = Lark(
        grammar,
        parser="lalr",
        lexer=NoLexer,
        start=list(START_SYMBOLS),
        maybe_placeholders=False,
        strict=strict,
    )
    return {"format": FORMAT, "grammar": grammar, **_terminals(lark), **_automaton(lark)}


def _terminals(lark: Any) -> dict[str, Any]:
    import re

    # The order of Lark's own lexer: longest first.
    ordered = sorted(
        lark.terminals,
        key=lambda t: (-t.priority, -t.pattern.max_width, -len(t.pattern.value), t.name),
    )
    name = next(t for t in ordered if t.name == "NAME").pattern.to_regexp()
    words = [t for t in ordered if t.pattern.type == "str" and re.fullmatch(name, t.pattern.value)]
    return {
        "terminals": [[t.name, t.pattern.to_regexp()] for t in ordered if t not in words],
        "keywords": {t.pattern.value: t.name for t in words},
        "ignored": sorted(lark.ignore_tokens),
    }


def _automaton(lark: Any) -> dict[str, Any]:
    table = lark.parser.parser._parse_table
    rules = sorted(dict.fromkeys(lark.rules), key=str)
    numbers = {rule: number for number, rule in enumerate(rules)}
    places = _places(table)
    terminals = {t.name for t in lark.terminals} | {END, "INDEX", "REPEAT"}
    states: list[dict[str, int]] = [{} for _ in places]
    gotos: list[dict[str, int]] = [{} for _ in places]
    for state, place in places.items():
        for symbol, (kind, target) in sorted(table.states[state].items()):
            reduces = kind.name == "Reduce"
            moves = states if symbol in terminals else gotos
            moves[place][symbol] = ~numbers[target] if reduces else places[target]
    return {
        "rules": [_rule(rule) for rule in rules],
        "states": states,
        "gotos": gotos,
        "starts": {name: places[state] for name, state in sorted(table.start_states.items())},
        "accepting": {name: places[state] for name, state in sorted(table.end_states.items())},
    }


def _places(table: Any) -> dict[int, int]:
    """Number the states as they are met, since Lark's numbers differ from run to run."""
    places: dict[int, int] = {}
    waiting = deque(state for _, state in sorted(table.start_states.items()))
    while waiting:
        state = waiting.popleft()
        if state in places:
            continue
        places[state] = len(places)
        moves = sorted(table.states[state].items())
        waiting.extend(target for _, (kind, target) in moves if kind.name != "Reduce")
    return places


def _rule(rule: Any) -> list[Any]:
    kept = [i for i, s in enumerate(rule.expansion) if not (s.is_term and s.filter_out)]
    spliced = [i for i in kept if rule.expansion[i].name.startswith("_") and not _is_term(rule, i)]
    origin = str(rule.origin.name)
    if origin.startswith("_"):
        action = "*"
    elif rule.options.expand1 and not rule.alias and len(kept) == 1 and not spliced:
        action = ""
    else:
        action = rule.alias or origin
    return [origin, len(rule.expansion), action, kept, spliced]


def _is_term(rule: Any, position: int) -> bool:
    return bool(rule.expansion[position].is_term)


def _read(place: Path, grammar: str) -> Tables | None:
    try:
        data = json.loads(place.read_text(encoding="utf-8"))
        fresh = data["format"] == FORMAT and data["grammar"] == grammar
        return _thaw(data) if fresh else None
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _thaw(data: dict[str, Any]) -> Tables:
    return Tables(
        terminals=tuple((name, pattern) for name, pattern in data["terminals"]),
        keywords=data["keywords"],
        ignored=frozenset(data["ignored"]),
        rules=tuple(
            Rule(origin, length, action, tuple(kept), frozenset(spliced))
            for origin, length, action, kept, spliced in data["rules"]
        ),
        states=data["states"],
        gotos=data["gotos"],
        starts=data["starts"],
        accepting=data["accepting"],
    )


def _cache_file(grammar: str) -> Path | None:
    import zlib

    folder = cache_folder()
    return None if folder is None else folder / f"tables-{zlib.crc32(grammar.encode()):08x}.json"


def cache_folder() -> Path | None:
    """Where the user's system keeps what can be computed again; None where that is not known."""
    try:
        if given := os.environ.get("XDG_CACHE_HOME"):
            return Path(given) / "archc"
        if sys.platform == "win32":
            return Path(os.environ["LOCALAPPDATA"]) / "archc" / "Cache"
        caches = "Library/Caches" if sys.platform == "darwin" else ".cache"
        return Path.home() / caches / "archc"
    except (KeyError, RuntimeError):
        return None
