"""Frozen records: what a dataclass gives, without generated code.

A frozen dataclass costs about a millisecond to create, because its methods are compiled from text;
a hundred of them would be most of the time that `archc stats` takes. A `Record` reads its
annotations once and shares one set of methods, and type checkers see it as a frozen dataclass.
"""

from __future__ import annotations

from inspect import get_annotations
from typing import Any, ClassVar, Self, dataclass_transform

__all__ = ["Record", "field"]


class _Field:
    __slots__ = ("compare", "default")

    def __init__(self, default: Any, compare: bool) -> None:
        self.default = default
        self.compare = compare


_REQUIRED: Any = object()


def field(*, default: Any = _REQUIRED, compare: bool = True) -> Any:
    """Describe a record's field.

    Args:
        default: the value when none is given; without one the field is required.
        compare: whether the field takes part in equality and hashing.
    """
    return _Field(default, compare)


@dataclass_transform(frozen_default=True, field_specifiers=(field,))
class Record:
    """Base class of immutable values with named fields, compared by value.

    Fields are the annotated names of the class and of its bases, in that order; a class variable is
    annotated `ClassVar`. Construction takes them by position or by name and raises TypeError for a
    missing, doubled or unknown one, as a dataclass does.
    """

    _fields: ClassVar[tuple[str, ...]] = ()
    _names: ClassVar[frozenset[str]] = frozenset()
    _compared: ClassVar[tuple[str, ...]] = ()
    _defaults: ClassVar[dict[str, Any]] = {}

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        own = [name for name, said in get_annotations(cls).items() if not _is_class_var(said)]
        compared = dict.fromkeys(cls._compared, True)
        defaults = dict(cls._defaults)
        for name in own:
            found = cls.__dict__.get(name, _REQUIRED)
            described = found if isinstance(found, _Field) else _Field(found, compare=True)
            compared.pop(name, None)
            if described.compare:
                compared[name] = True
            if described.default is not _REQUIRED:
                defaults[name] = described.default
            if found is not _REQUIRED:
                delattr(cls, name)
        cls._fields = tuple(dict.fromkeys((*cls._fields, *own)))
        cls._names = frozenset(cls._fields)
        cls._compared = tuple(name for name in cls._fields if name in compared)
        cls._defaults = defaults

    def __init__(self, *args: Any, **named: Any) -> None:
        fields = self._fields
        values = self.__dict__
        values.update(zip(fields, args, strict=False))
        if named:
            _check_names(self, args, named)
            values.update(named)
        if len(values) == len(fields) >= len(args):
            return
        for name, value in self._defaults.items():
            values.setdefault(name, value)
        if len(values) != len(fields) or len(args) > len(fields):
            _refuse(self, args)

    def __setattr__(self, name: str, value: Any) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: cannot set {name!r}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} is frozen: cannot delete {name!r}")

    def _key(self) -> tuple[Any, ...]:
        values = self.__dict__
        return tuple([values[name] for name in self._compared])

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if type(other) is not type(self):
            return NotImplemented
        return self._key() == other._key()

    def __hash__(self) -> int:
        return hash((type(self), self._key()))

    def __repr__(self) -> str:
        inside = ", ".join(f"{name}={getattr(self, name)!r}" for name in self._compared)
        return f"{type(self).__name__}({inside})"

    def replace(self, **changes: Any) -> Self:
        """Return a copy with the named fields changed."""
        return type(self)(**{**{name: getattr(self, name) for name in self._fields}, **changes})


def _is_class_var(annotation: object) -> bool:
    # Annotations are text, since every module here uses `from __future__ import annotations`.
    return "ClassVar" in str(annotation)


def _check_names(record: Record, args: tuple[Any, ...], named: dict[str, Any]) -> None:
    cls = type(record)
    if named.keys() <= cls._names and named.keys().isdisjoint(cls._fields[: len(args)]):
        return
    wrong = [name for name in named if name not in cls._fields[len(args) :]]
    raise TypeError(f"{cls.__name__}: unknown or doubled field {wrong[0]!r}")


def _refuse(record: Record, args: tuple[Any, ...]) -> None:
    fields, name = record._fields, type(record).__name__
    if len(args) > len(fields):
        raise TypeError(f"{name} takes {len(fields)} values, got {len(args)}")
    missing = [field for field in fields if field not in record.__dict__]
    raise TypeError(f"{name}: field {missing[0]!r} is missing")
