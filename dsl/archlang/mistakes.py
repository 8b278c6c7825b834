"""Mistakes that people make, recognised where the grammar stops.

Each function looks at the site of a syntax error and says what is wrong if it knows; the first that
does is believed, so the special ones stand before the general ones.
"""

from __future__ import annotations

from collections.abc import Callable

from archlang.diagnostics import Diagnostic, Label
from archlang.syntax_errors import INFIX, OPERAND_END, OPERAND_START, Site

__all__ = ["MISTAKES"]

_DEFINITION_WORDS = {
    "def": "block",
    "class": "block",
    "fn": "let",
    "func": "let",
    "function": "let",
    "module": "block",
    "layer": "block",
    "model": "net",
    "network": "net",
    "const": "",
    "var": "",
}
_NAMING = frozenset({"BLOCK", "CELL", "NET", "LET", "DIM", "SHARE", "PARAM", "AS", "DOT", "IMPORT"})
_ONLY_IN_BODIES = frozenset({"IN", "OUT", "SHARE", "PARAM"})


def _foreign_definition(site: Site) -> Diagnostic | None:
    first, second = site.start - site.place, site.start - site.place + 1
    token = site.at(first)
    if token is None:
        return None
    if token.type == "IMPORT":
        help = 'write `from "blocks.arch" import Name`'
        return site.say("foreign-definition", "an import starts with `from`", help, first)
    if token.text not in _DEFINITION_WORDS or site.kind(second) != "NAME":
        return None
    word = _DEFINITION_WORDS[token.text]
    name = site.span(second).text
    help = f"write `{word} {name} = ...`" if word else f"write `{name} = ...`"
    return site.say("foreign-definition", f"`{token.text}` starts no definition", help, first)


def _reserved_word(site: Site) -> Diagnostic | None:
    token, before = site.token, site.before
    if token is not None and token.type in site.keywords and "NAME" in site.expected:
        named = before is not None and (before.type in _NAMING or site.kind(1) == "EQUALS")
        if named or (site.in_call and site.kind(1) in ("COMMA", "RPAR")):
            return _reserved(site, 0)
    if token is not None and token.type == "EQUALS" and site.kind(-1) in site.keywords:
        return _reserved(site, -1)
    return None


def _outside_body(site: Site) -> Diagnostic | None:
    token = site.token
    if token is None or token.type not in _ONLY_IN_BODIES or site.place != site.start:
        return None
    if "OUT" in site.expected:
        return None
    message = f"`{token.text}` stands in the body of a block, cell or net"
    return site.say("outside-body", message, f"write `net Name {{ {token.text} ... }}`")


def _reserved(site: Site, distance: int) -> Diagnostic:
    word = site.span(distance).text
    message = f"`{word}` is a word of the language and cannot be a name"
    return site.say("reserved-word", message, f"call it `{word}_`", distance)


def _repeat_count(site: Site) -> Diagnostic | None:
    message = "a repeat count is a number, a name or a value in parentheses"
    token, before = site.token, site.before
    if before is not None and before.type == "REPEAT":
        help = "write `[...]*3`; to multiply by a stream, put the group in parentheses"
        return site.say("repeat-count", message, help, 0 if token else -1)
    if token is None or before is None:
        return None
    if before.type == "RSQB" and token.type == "NUMBER":
        return site.say(
            "repeat-count", "`*` is missing before a repeat count", f"write `]*{token.text}`"
        )
    if site.kind(-2) == "REPEAT" and token.type in ("LPAR", "DOT", "INDEX"):
        rest = {"LPAR": "(...)", "INDEX": "[...]"}.get(token.type) or site.text(0, 1)
        return site.say("repeat-count", message, f"write `*({before.text}{rest})`")
    return None


def _missing_operand(site: Site) -> Diagnostic | None:
    token, before = site.token, site.before
    if before is not None and before.type in (INFIX | {"NOT"}) and "NAME" in site.expected:
        if token is None or token.type not in INFIX:
            message = f"nothing stands behind `{before.text}`"
            return site.say(
                "missing-operand", message, f"remove it, or write what follows `{before.text}`", -1
            )
        message = f"`{token.text}` cannot follow `{before.text}`"
        return site.say(
            "missing-operand", message, f"remove `{token.text}`, or write what stands between"
        )
    if token is None or token.type not in INFIX or "NAME" not in site.expected:
        return None
    if "OUT" in site.expected:
        return None
    message = f"nothing stands before `{token.text}`"
    return site.say("missing-operand", message, f"remove it, or write `x {token.text} ...`")


def _statements_after_equals(site: Site) -> Diagnostic | None:
    opener = site.opener
    if opener is None or site.kind(opener) != "LBRACE" or site.kind(opener - 1) != "EQUALS":
        return None
    if site.kind(0) not in ("EQUALS", *_ONLY_IN_BODIES):
        return None
    first = site.start - site.place
    if site.kind(first) not in ("BLOCK", "CELL", "NET"):
        return None
    message = "statements stand in braces directly behind the name and its parameters, without `=`"
    return site.say("statements-after-equals", message, "remove this `=`", opener - 1)


def _value_as_statement(site: Site) -> Diagnostic | None:
    if (
        "OUT" in site.expected
        and site.kind(0) not in ("RBRACE", "EQUALS")
        and site.token is not None
    ):
        distance = 0
    elif site.place == site.start + 1 and "EQUALS" in site.expected and _is_target(site, -1):
        distance = -1
    else:
        return None
    if site.kind(distance) not in (OPERAND_START | {"LPAR", "MINUS"}):
        return None
    message = "a value alone is no statement: the braces of a body hold statements"
    help = "write `out ...`; or put `=` before the braces, if they are a fork"
    return site.say("value-as-statement", message, help, distance)


def _is_target(site: Site, distance: int) -> bool:
    return site.kind(distance) == "NAME" and site.kind(0) in (INFIX | {"LPAR", "QMARK", "DOT"})


def _empty_braces(site: Site) -> Diagnostic | None:
    if site.kind(0) != "RBRACE" or site.kind(-1) != "LBRACE":
        return None
    message = "there is nothing between these braces"
    help = "write `ID` for the incoming stream; a body needs a statement such as `out x`"
    label = Label(site.span(-1).to(site.span()))
    return Diagnostic("empty-braces", message, (label,), help=help)


def _wrong_equals(site: Site) -> Diagnostic | None:
    token = site.token
    if token is None:
        return None
    if token.text in ("==", ":") and "EQUALS" in site.expected:
        message = f"`{token.text}` gives no value to a name"
        return site.say("wrong-equals", message, "write `=`")
    if token.type == "EQUALS" and "COMPARE" in site.expected and _in_condition(site):
        if site.kind(site.start - site.place) == "DIM":
            help = f"leave `dim` out to give it a value: `{site.text(-1, 1)}`"
            return site.say("wrong-equals", "a dimension has no value of its own", help)
        return site.say("wrong-equals", "`=` compares nothing", "write `==`")
    return None


def _in_condition(site: Site) -> bool:
    for distance in range(-1, site.start - site.place - 1, -1):
        kind = site.kind(distance)
        if kind in ("IF", "REQUIRE", "DIM"):
            return True
        if kind in ("EQUALS", "ARROW", "LBRACE", "ELSE"):
            return False
    return False


def _missing_equals(site: Site) -> Diagnostic | None:
    if not {"EQUALS", "LBRACE"} <= site.expected or site.kind(0) not in (
        OPERAND_START | {"ARROW", "MINUS"}
    ):
        return None
    message = "`=` is missing between the name and what it stands for"
    head = site.text(site.start - site.place, -1)
    body = "" if site.kind(0) == "ARROW" else f" {site.span().text}"
    help = f"write `{head} ={body} ...`" if len(head) <= 60 else "write `=` before it"
    return site.say("missing-equals", message, help)


def _stream_in_argument(site: Site) -> Diagnostic | None:
    if not site.in_call or site.kind(0) not in (INFIX - {"COMPARE", "AND", "OR"}):
        return None
    if site.kind(-1) not in OPERAND_END:
        return None
    message = "stream arithmetic stands in braces where it is an argument"
    return site.say("stream-in-argument", message, f"write `{{ a {site.span().text} b }}`")


def _comprehension(site: Site) -> Diagnostic | None:
    if site.kind(0) != "FOR":
        return None
    message = "a comprehension stands in `[ ]`, or in `{ }` for branches"
    return site.say("comprehension-brackets", message, "write `[... for ... in ...]`")


def _missing_else(site: Site) -> Diagnostic | None:
    if (
        "ELSE" not in site.expected
        or site.kind(-1) == "TRAINING"
        or site.kind(0)
        not in (
            "RPAR",
            "COMMA",
            "RSQB",
            "COLON",
            "$END",
        )
    ):
        return None
    message = "`if` among values needs an `else`"
    return site.say(
        "missing-else", message, "write `a if condition else b`", 0 if site.token else -1
    )


def _membership(site: Site) -> Diagnostic | None:
    if site.kind(0) != "IN" or "COMPARE" not in site.expected:
        return None
    message = "`in` tests nothing: it belongs to `for` and to a parameter's domain"
    return site.say("unexpected-token", message, "compare one by one: `c == 32 or c == 64`")


def _several_values(site: Site) -> Diagnostic | None:
    if site.kind(0) != "COMMA" or site.opener is not None:
        return None
    message = "a comma keeps streams apart only in braces and in the statements of a body"
    return site.say("several-values", message, "write `{ a, b }`, or `[a, b]` for a list of values")


def _missing_between(site: Site) -> Diagnostic | None:
    token, before = site.token, site.before
    if token is None or before is None or token.type not in OPERAND_START:
        return None
    if before.type not in OPERAND_END:
        return None
    if (
        before.type == "NAME"
        and token.type in ("NUMBER", "STRING", "YES", "NO")
        and "LPAR" in site.expected
        and not site.in_call
    ):
        help = f"write `{before.text}({token.text})`"
        return site.say("missing-parentheses", "arguments stand in parentheses", help)
    steps = token.type in ("LSQB", "LBRACE") or (token.type == "NAME" and token.text[:1].isupper())
    if (
        "COMMA" in site.expected
        and site.opener is not None
        and not (steps and "ARROW" in site.expected)
    ):
        help = f"write `{before.text}, {token.text}`" if len(before.text) <= 30 else "write `,`"
        return site.say("missing-comma", f"`,` is missing before `{token.text}`", help)
    if "ARROW" not in site.expected:
        return None
    help = f"write `-> {token.text}`"
    if token.type == "NAME" and site.opener is None and site.first_on_line:
        head = "name" if site.symbol == "statement" else "net Name"
        help += f", or `{head} = {token.text} ...` if something new starts here"
    return site.say("missing-arrow", f"`->` is missing before `{token.text}`", help)


MISTAKES: tuple[Callable[[Site], Diagnostic | None], ...] = (
    _foreign_definition,
    _outside_body,
    _reserved_word,
    _repeat_count,
    _statements_after_equals,
    _wrong_equals,
    _empty_braces,
    _missing_operand,
    _value_as_statement,
    _missing_equals,
    _comprehension,
    _missing_else,
    _membership,
    _stream_in_argument,
    _several_values,
    _missing_between,
)
