"""What may be published about a net, and what is wrong with what a file says.

Such facts are quotations: nothing is computed of them, so they are literals, and all that can be
wrong with one is seen where it is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from archlang.definitions import Fact
from archlang.expressions import Number, Text
from archlang.initial import read_initial
from archlang.suggest import closest

__all__ = ["FACTS", "mistakes_in"]

FACTS = {
    "year": "the year of the paper, such as 2015",
    "top1": "the share of images whose first guess is right, such as 76.1%",
    "top5": "the share of images of which one of five guesses is right, such as 92.9%",
    "data": 'what the shares were measured on, such as "CIFAR-10"; ImageNet where it is not said',
    "init": 'how weights start, such as "kaiming normal fan out, FC normal(0.01)"',
    "source": 'who printed the shares, such as "table 4 of the paper"',
}
_SHARES = ("top1", "top5")


def mistakes_in(facts: Iterable[Fact]) -> Iterator[tuple[str, str, Fact]]:
    """What is wrong with the facts of one statement: a message, a help, and where.

    Args:
        facts: the facts of one `published`.
    """
    seen: set[str] = set()
    for fact in facts:
        if fact.name in seen:
            yield f"{fact.name} is said twice", "leave one of them out", fact
        elif fact.name not in FACTS:
            yield _unknown(fact)
        elif not _fits(fact):
            yield f"{fact.name} is {FACTS[fact.name]}", _example(fact.name), fact
        seen.add(fact.name)


def _unknown(fact: Fact) -> tuple[str, str, Fact]:
    near = closest(fact.name, list(FACTS))
    known = "known are " + ", ".join(FACTS)
    help = f"did you mean {near[0]}?" if near else known
    return f"nothing is known as {fact.name}", help, fact


def _fits(fact: Fact) -> bool:
    if fact.name == "init":
        return isinstance(fact.value, Text) and read_initial(fact.value.value) is not None
    if not isinstance(fact.value, Number):
        return fact.name in ("data", "source") and fact.value.value.strip() != ""
    value = fact.value.value
    if fact.name in _SHARES:
        return fact.percent and 0 <= value <= 100
    if fact.name != "year" or fact.percent:
        return False
    return isinstance(value, int) and 1900 <= value < 2200


def _example(name: str) -> str:
    words = {"year": "2015", "data": '"CIFAR-10"', "source": '"table 4 of the paper"'}
    words["init"] = '"kaiming normal"'
    return f"write `published {name} = {words.get(name, '76.1%')}`"
