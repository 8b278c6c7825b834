"""The kinds of values that operators' arguments take: what is accepted, and how messages say it."""

from __future__ import annotations

from typing import Any, ClassVar

from archc.dims import Dim, Poly
from archlang.record import Record

__all__ = [
    "COUNT", "FLAG", "INTEGER", "PAD", "REAL", "SIZES", "TEXT", "WHOLE", "ArgumentProblem",
    "AxisNames", "Flowing", "Kind", "Module", "Number", "Offsets", "Pad", "Perhaps", "Selection",
    "Sizes", "Target", "Words",
]  # fmt: skip


class ArgumentProblem(Exception):
    """A value that an argument does not take. `expected` completes "expected ..."."""

    def __init__(self, expected: str) -> None:
        super().__init__(expected)
        self.expected = expected


class Kind(Record):
    """A kind of argument. Records are compared by value, so that kinds may be shared."""

    expected: ClassVar[str] = ""
    # Bare names that stand for themselves (`pad=same`, `axis=t`); None: any name does.
    words: tuple[str, ...] | None = ()

    def convert(self, value: Any) -> Any:
        """The value in its canonical form.

        Raises:
            ArgumentProblem: when the argument does not take it.
        """
        raise NotImplementedError

    @property
    def text(self) -> str:
        """What it takes, in words."""
        return self.expected


def whole(value: Any) -> int | Poly | None:
    """The value as a whole number (24.0 is one, 24.5, yes and "3" are not), or None."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, Poly)):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return None


class Whole(Kind):
    """A whole number, symbolic ones included, of at least `least`."""

    least: int = 0
    features: bool = False  # a number of features: parameters depend on it

    def convert(self, value: Any) -> Dim:
        number = whole(value)
        if number is None or (isinstance(number, int) and number < self.least):
            raise ArgumentProblem(self.text)
        return number

    @property
    def text(self) -> str:
        return f"a whole number of at least {self.least}"


class Integer(Kind):
    """A whole number of either sign."""

    expected: ClassVar[str] = "a whole number"

    def convert(self, value: Any) -> Dim:
        number = whole(value)
        if number is None:
            raise ArgumentProblem(self.text)
        return number


class Sizes(Kind):
    """A whole number, or a tuple of them, one for each axis."""

    least: int = 1
    nothing: bool = False  # None is allowed: a default that depends on other things

    def convert(self, value: Any) -> Any:
        if value is None and self.nothing:
            return None
        items = value if isinstance(value, (tuple, list)) else (value,)
        numbers = [whole(item) for item in items]
        if not numbers or any(not isinstance(n, int) or n < self.least for n in numbers):
            raise ArgumentProblem(self.text)
        return tuple(numbers) if isinstance(value, (tuple, list)) else numbers[0]

    @property
    def text(self) -> str:
        return f"a whole number of at least {self.least}, or a tuple of them, one for each axis"


class Pad(Kind):
    """A padding: a word, a number, one number for each axis, or a pair for each axis."""

    def convert(self, value: Any) -> Any:
        if isinstance(value, str) and value in (self.words or ()):
            return value
        if isinstance(value, (tuple, list)):
            return tuple([self._side(item) for item in value])
        return self._number(value)

    def _side(self, value: Any) -> Any:
        if isinstance(value, (tuple, list)) and len(value) == 2:
            return tuple([self._number(item) for item in value])
        return self._number(value)

    def _number(self, value: Any) -> int:
        number = whole(value)
        if not isinstance(number, int) or number < 0:
            raise ArgumentProblem(self.text)
        return number

    @property
    def text(self) -> str:
        words = "".join(f"{word}, " for word in self.words or ())
        return (
            f"{words}a whole number of at least 0, one for each axis, or (before, after) for each"
        )


class Real(Kind):
    """A real number, within bounds where they are given (both ends included)."""

    least: float | None = None
    most: float | None = None

    def convert(self, value: Any) -> float | int:
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ArgumentProblem(self.text)
        too_small = self.least is not None and value < self.least
        too_large = self.most is not None and value > self.most
        if too_small or too_large or value != value:
            raise ArgumentProblem(self.text)
        return value

    @property
    def text(self) -> str:
        if self.least is None and self.most is None:
            return "a number"
        if self.most is None:
            return f"a number of at least {self.least:g}"
        if self.least is None:
            return f"a number of at most {self.most:g}"
        return f"a number from {self.least:g} to {self.most:g}"


class Number(Kind):
    """A number of any sort, symbolic ones included."""

    expected: ClassVar[str] = "a number"
    nothing: bool = False  # None is allowed

    def convert(self, value: Any) -> int | float | Poly | None:
        if value is None and self.nothing:
            return None
        if isinstance(value, bool) or not isinstance(value, (int, float, Poly)) or value != value:
            raise ArgumentProblem(self.text)
        return value


class Offsets(Kind):
    """A whole number of either sign, or a tuple of them, one for each axis."""

    expected: ClassVar[str] = "a whole number, or a tuple of them, one for each axis"

    def convert(self, value: Any) -> Any:
        items = value if isinstance(value, (tuple, list)) else (value,)
        numbers = [whole(item) for item in items]
        if not numbers or not all(isinstance(number, int) for number in numbers):
            raise ArgumentProblem(self.text)
        return tuple(numbers) if isinstance(value, (tuple, list)) else numbers[0]


class Selection(Kind):
    """A position, a range `0..3` with its end excluded, or a tuple of positions."""

    expected: ClassVar[str] = "a position, a range (`0..3`, without 3), or a tuple of positions"

    def convert(self, value: Any) -> int | range | tuple[int, ...]:
        if isinstance(value, range) and value.step == 1:
            return value
        items = value if isinstance(value, (tuple, list)) else (value,)
        numbers = [number for item in items if isinstance(number := whole(item), int)]
        if not numbers or len(numbers) < len(items):
            raise ArgumentProblem(self.text)
        return tuple(numbers) if isinstance(value, (tuple, list)) else numbers[0]


class Target(Kind):
    """What RESHAPE goes to: a pattern, or sizes; as a tuple, or one of its items."""

    expected: ClassVar[str] = "sizes of at least 1, or a pattern in quotes"

    def convert(self, value: Any) -> Any:
        if isinstance(value, (tuple, list)):
            if not value:
                raise ArgumentProblem(self.text)
            return tuple([self.convert(item) for item in value])
        if isinstance(value, str):
            return value
        number = whole(value)
        if number is None or (isinstance(number, int) and number < 1):
            raise ArgumentProblem(self.text)
        return number


class Flag(Kind):
    """yes or no."""

    expected: ClassVar[str] = "yes or no"

    def convert(self, value: Any) -> bool:
        if not isinstance(value, bool):
            raise ArgumentProblem(self.text)
        return value


class Words(Kind):
    """One of some words."""

    def convert(self, value: Any) -> str:
        if not isinstance(value, str) or value not in (self.words or ()):
            raise ArgumentProblem(self.text)
        return value

    @property
    def text(self) -> str:
        return "one of " + ", ".join(self.words or ())


class Text(Kind):
    """A string."""

    expected: ClassVar[str] = "a string"

    def convert(self, value: Any) -> str:
        if not isinstance(value, str):
            raise ArgumentProblem(self.text)
        return value


class AxisNames(Kind):
    """The name of an axis, its position, or a tuple of those; a bare name stands for itself."""

    expected: ClassVar[str] = (
        "an axis (c, h, w, d, l, t, or a name from a pattern), its position, or a tuple"
    )
    words: tuple[str, ...] | None = None
    nothing: bool = False  # None is allowed: the default axis

    def convert(self, value: Any) -> Any:
        if value is None and self.nothing:
            return None
        items = tuple(value) if isinstance(value, (tuple, list)) else (value,)
        if not items or not all(
            isinstance(i, (str, int)) and not isinstance(i, bool) for i in items
        ):
            raise ArgumentProblem(self.text)
        return items if isinstance(value, (tuple, list)) else items[0]


class Module(Kind):
    """A module named with `share` or `as`, whose weights are lent."""

    expected: ClassVar[str] = "the name of a module (given by `share`, or by `as`)"
    words: tuple[str, ...] | None = None

    def convert(self, value: Any) -> str:
        if not isinstance(value, str):
            raise ArgumentProblem(self.text)
        return value


class Perhaps(Kind):
    """What another kind takes, or the word none, which means None."""

    words: tuple[str, ...] | None = ("none",)
    of: Kind = Kind()

    def convert(self, value: Any) -> Any:
        if value is None or value == "none":
            return None
        try:
            return self.of.convert(value)
        except ArgumentProblem as problem:
            raise ArgumentProblem(self.text) from problem

    @property
    def text(self) -> str:
        return f"{self.of.text}, or none"


class Flowing(Kind):
    """A stream beside those that flow in; in the operator's field stands the number of the input
    that carries it, or None where there is none."""

    expected: ClassVar[str] = "a stream"

    def convert(self, value: Any) -> Any:
        raise ArgumentProblem(self.text)


COUNT = Whole(least=1)
FEATURES = Whole(least=1, features=True)
WHOLE = Whole()
INTEGER = Integer()
SIZES = Sizes()
PAD = Pad(words=("same", "causal"))
REAL = Real()
FLAG = Flag()
TEXT = Text()
