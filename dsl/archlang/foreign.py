"""Words and signs of other languages, read as what they mean here, with a word about each.

They are looked for only in a text that does not parse, so that reading goes on behind them and one
mistake gives one message.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator

from archlang.automaton import Tables, Token
from archlang.brackets import MOST_DIAGNOSTICS
from archlang.diagnostics import Diagnostic, Label
from archlang.lexer import UNKNOWN, lex, scan, tell_brackets
from archlang.source import Source, Span

__all__ = ["lex_foreign"]

_NUMBER = "NUMBER"
# name of the terminal, regular expression, what it is read as: (terminal, text), None for nothing
_SPELLINGS: tuple[tuple[str, str, tuple[str, str] | None], ...] = (
    ("FOREIGN_ARROW", r"=>|-{2,8}>|~>|\|>|>>|[—–−]>|[⇒⟶⟹➔➜➝⭢]", ("ARROW", "->")),
    ("FOREIGN_EQUALS", r":=", ("EQUALS", "=")),
    ("FOREIGN_AND", r"&&?", ("AND", "and")),
    ("FOREIGN_OR", r"\|\|", ("OR", "or")),
    ("FOREIGN_NOT", r"!(?=[\w(])", ("NOT", "not")),
    ("FOREIGN_UNEQUAL", r"≠|<>", ("COMPARE", "!=")),
    ("FOREIGN_LESS", r"≤", ("COMPARE", "<=")),
    ("FOREIGN_MORE", r"≥", ("COMPARE", ">=")),
    ("FOREIGN_POWER", r"\^", ("POWER", "**")),
    ("FOREIGN_PLUS", r"[⊕∔]", ("PLUS", "+")),
    ("FOREIGN_MINUS", r"[−–—]", ("MINUS", "-")),
    ("FOREIGN_TIMES", r"[×·∗⊙⊗]", ("STAR", "*")),
    ("FOREIGN_OVER", r"÷", ("SLASH", "/")),
    ("FOREIGN_DOTS", r"…", ("DOTS", "..")),
    ("FOREIGN_SEMICOLON", r";", None),
    ("FOREIGN_COMMENT", r"/\*[^*]*\*/", None),
)
_CONTROLS = (
    r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+"
)
_READ_AS = {name: meaning for name, _, meaning in _SPELLINGS}


def lex_foreign(source: Source, tables: Tables) -> tuple[list[Token], list[Diagnostic]]:
    """Cut a text into tokens of the language, whatever stands in it.

    Args:
        source: the text.
        tables: the grammar.

    Returns:
        tokens that the grammar knows, and what is wrong with those that were spelt otherwise.
    """
    tokens: list[Token] = []
    diagnostics: list[Diagnostic] = []
    for token in _joined(scan(source.text, tables, _extra(tables))):
        if token.type == "COMMENT":
            continue
        if len(diagnostics) >= MOST_DIAGNOSTICS:
            break
        repaired, diagnostic = _repair(token, source, tables)
        if repaired is not None:
            tokens.append(repaired)
        if diagnostic is not None:
            _collect(diagnostics, diagnostic)
    tell_brackets(tokens)
    return tokens, diagnostics


def _joined(tokens: Iterable[Token]) -> Iterator[Token]:
    """The tokens; one character that means nothing, over and over, is one of them."""
    run: Token | None = None
    for token in tokens:
        if run is not None and token.start == run.end and token.text == run.text:
            run = Token(UNKNOWN, token.text, run.start, token.end)
            continue
        if run is not None:
            yield run
        run = token if _means_nothing(token) else None
        if run is None:
            yield token
    if run is not None:
        yield run


def _means_nothing(token: Token) -> bool:
    return token.type == UNKNOWN and unicodedata.normalize("NFKC", token.text) == token.text


def _extra(tables: Tables) -> tuple[tuple[str, str], ...]:
    patterns = dict(tables.terminals)
    number, string = patterns[_NUMBER], patterns["STRING"]
    # A quote directly behind an operand transposes it; elsewhere it means to open a string.
    return (
        ("FOREIGN_QUOTED", r"(?<![\w)\]}'\"])'[^'\n]*'|[“”„«‘’‚][^“”„«»‘’\n]*[“”»‘’]"),
        ("MALFORMED_NUMBER", rf"(?!{number})[0-9](?:\w|\.(?=\w))*|(?<![\w)\]}}'\".])\.[0-9]\w*"),
        ("UNTERMINATED", rf"(?!{string})\"(?:\\.|[^\",)\\\n])*"),
        ("CONTROL", _CONTROLS),
        *((name, pattern) for name, pattern, _ in _SPELLINGS),
    )


def _repair(token: Token, source: Source, tables: Tables) -> tuple[Token | None, Diagnostic | None]:
    match token.type:
        case "FOREIGN_QUOTED":
            text = f'"{token.text[1:-1]}"'
            return _as("STRING", text, token), _spelling(source, token, text)
        case "MALFORMED_NUMBER":
            return _as(_NUMBER, "1", token), _malformed(source, token)
        case "UNTERMINATED":
            return _as("STRING", '""', token), _unterminated(source, token)
        case "CONTROL":
            return None, _control(source, token)
        case kind if kind in _READ_AS:
            meaning = _READ_AS[kind]
            repaired = _as(*meaning, token) if meaning else None
            return repaired, _spelling(source, token, meaning[1] if meaning else None)
        case kind if kind == UNKNOWN:
            return _wide(source, token, tables)
    return token, None


def _as(kind: str, text: str, token: Token) -> Token:
    return Token(kind, text, token.start, token.end)


def _wide(source: Source, token: Token, tables: Tables) -> tuple[Token | None, Diagnostic | None]:
    narrow = unicodedata.normalize("NFKC", token.text)
    meant, _ = lex(narrow, tables) if narrow != token.text else ([], [])
    if len(meant) == 1 and meant[0].type not in (UNKNOWN, "NAME"):
        return _as(meant[0].type, narrow, token), _spelling(source, token, narrow)
    label = Label(_span(source, token))
    message = f"the character `{token.text}` means nothing here"
    return None, Diagnostic("unknown-character", message, (label,), help="remove it")


def _collect(diagnostics: list[Diagnostic], new: Diagnostic) -> None:
    """Take a diagnostic in; unknown characters in a row are one mistake."""
    last = diagnostics[-1] if diagnostics else None
    if last is None or {last.code, new.code} != {"unknown-character"}:
        diagnostics.append(new)
        return
    before, here = last.labels[0].span, new.labels[0].span
    if before.end != here.start:
        diagnostics.append(new)
        return
    diagnostics[-1] = last.replace(labels=(Label(before.to(here)),))


def _span(source: Source, token: Token) -> Span:
    return Span(source, token.start, token.end)


def _spelling(source: Source, token: Token, here: str | None) -> Diagnostic:
    label = Label(_span(source, token))
    if token.type == "FOREIGN_COMMENT":
        message, help = "a comment starts with `#` and ends with its line", "write `# ...`"
    elif here is None:
        message, help = (
            f"`{token.text}` has no use: a statement ends where the next one starts",
            "remove it",
        )
    elif token.type == "FOREIGN_QUOTED":
        message, help = "a string stands in double quotes", f"write `{here}`"
    else:
        message, help = f"`{token.text}` is spelt `{here}`", f"write `{here}`"
    return Diagnostic("foreign-spelling", message, (label,), help=help)


def _malformed(source: Source, token: Token) -> Diagnostic:
    text = token.text
    help = "numbers look like this: `64`, `0.5`, `1e-5`, `16k`, `4.09B`"
    sides = text.lower().split("x")
    if text.startswith("."):
        help = f"write `0{text}`"
    elif len(sides) > 1 and all(side.isdecimal() for side in sides) and sides[0] != "0":
        help = f"write `({', '.join(sides)})`"
    elif text[:-1].isdecimal() and text[-1] in "KmbGg":
        suffix = {"K": "k", "m": "M", "b": "B", "G": "B", "g": "B"}[text[-1]]
        help = f"write `{text[:-1]}{suffix}`"
    label = Label(_span(source, token))
    return Diagnostic("malformed-number", f"`{text[:40]}` is not a number", (label,), help=help)


def _unterminated(source: Source, token: Token) -> Diagnostic:
    label = Label(_span(source, token), "opened here")
    message = 'a string ends on its line with `"`'
    help = f'write `{token.text.rstrip()}"`'
    return Diagnostic("unterminated-string", message, (label,), help=help)


def _control(source: Source, token: Token) -> Diagnostic:
    codes = " ".join(dict.fromkeys(f"U+{ord(character):04X}" for character in token.text[:20]))
    message = f"an invisible character stands here: {codes}"
    label = Label(_span(source, token))
    return Diagnostic("control-character", message, (label,), help="remove it")
