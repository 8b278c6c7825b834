"""The copies of a repeat: what differs between them by a formula of the index or from a list."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from archc.emit.copy_texts import (
    as_list,
    doubled_text,
    first_text,
    later,
    present,
    stepped_text,
)  # fmt: skip
from archc.emit.names import Namespace
from archc.emit.slots import ClassScope, Scope, Slot
from archc.emit.vectors import ANY, Formula, Values, covers, is_constant

__all__ = ["CopiesScope", "Entry"]


class Entry:
    """A run of equal copies: in which entry of the enclosing scope, from which index, how many."""

    __slots__ = ("count", "parent", "start")

    def __init__(self, parent: int, start: int, count: int) -> None:
        self.parent, self.start, self.count = parent, start, count


class Writer:
    """A text by the index; `end` where only the first copy differs."""

    __slots__ = ("end", "text")

    def __init__(self, text: Callable[[], str], end: bool) -> None:
        self.text, self.end = text, end


class CopiesScope(Scope):
    """The scope of a repeat's body. Its entries are the runs of all instances.

    Args:
        entries: in order of the enclosing scope's entries, then of the copies.
        totals: the number of copies for each entry of the enclosing scope.
        known: names of the file with their values by entry, such as loop variables.
        reserved: names of classes, which no variable may have.
    """

    def __init__(
        self,
        owner: ClassScope,
        parent: Scope,
        entries: list[Entry],
        totals: Values,
        name: str,
        known: list[tuple[str, Values]],
        reserved: set[str],
    ) -> None:
        self.owner, self.parent, self.entries, self.name = owner, parent, entries, name
        self.size, self.known, self.reserved = len(entries), known, reserved
        self.slots: list[Slot] = []
        self.columns: dict[Values, str] = {}
        self._targets: dict[Values, str] | None = None
        self.count = parent.slot(totals, f"{name}_count")
        self.header: Callable[[], str] = lambda: f"for _ in range({self.count.text})"
        owner.children.append(self)

    def slot(self, values: Values, hint: str, guess: Formula | None = None) -> Slot:
        """A place in the body."""
        made = Slot(values, hint)
        if not is_constant(values):
            self.slots.append(made)
        return made

    def solve(self) -> None:
        """Fill the slots: by the enclosing scope where copies agree, else by index or list."""
        varying: list[Slot] = []
        for slot in self.slots:
            outer = self.per_parent(slot.values)
            if outer is None:
                varying.append(slot)
            else:
                slot.write = later(self.parent.slot(outer, slot.hint))
        if varying:
            self._solve_varying(varying)

    def per_parent(self, values: Values) -> Values | None:
        """The values by entry of the enclosing scope where all copies agree, else None."""
        found: list[Any] = [ANY] * self.parent.size
        for entry, value in zip(self.entries, values, strict=True):
            known = found[entry.parent]
            if value is ANY:
                continue
            if known is not ANY and not (known == value and type(known) is type(value)):
                return None
            found[entry.parent] = value
        return tuple(found)

    def _solve_varying(self, slots: list[Slot]) -> None:
        tried = len(self.parent.slots)
        writers = [self._by_index(slot) for slot in slots]
        if not all(writers) or self._better_listed(slots, writers):
            # What was tried is not needed, and a list tells the number of copies.
            kept = [slot for slot in self.parent.slots[:tried] if slot is not self.count]
            self.parent.slots[:] = kept
            self._by_list(slots)
            return
        for slot, writer in zip(slots, writers, strict=True):
            assert writer is not None
            slot.write = writer.text
        self.header = lambda: f"for {self.index} in range({self.count.text})"

    def _better_listed(self, slots: list[Slot], writers: list[Writer | None]) -> bool:
        """Whether a short list says more than several conditions on the index, or one on rows."""
        ends = {
            slot.values for slot, w in zip(slots, writers, strict=True) if w is not None and w.end
        }
        rows_of_tables = any(isinstance(value, tuple) for values in ends for value in values)
        if len(ends) < 2 and not rows_of_tables:
            return False
        rows = self._rows(slots[0].values).values()
        longest = max([sum([entry.count for entry, _ in row]) for row in rows])
        return longest <= 8 and all(self._alike(slot) for slot in slots)

    def _alike(self, slot: Slot) -> bool:
        """Whether the copies have the same values wherever the repeat is."""
        rows = self._rows(slot.values).values()
        said = [[(entry.count, type(value), value) for entry, value in row] for row in rows]
        return all(one == said[0] for one in said)

    # --- by the index ---------------------------------------------------------------------------

    def _by_index(self, slot: Slot) -> Writer | None:
        rows = self._rows(slot.values)
        for attempt in (self._end_differs, self._stepped, self._doubled):
            text = attempt(rows, slot)
            if text is not None:
                return Writer(text, attempt == self._end_differs)
        return None

    def _rows(self, values: Values) -> dict[int, list[tuple[Entry, Any]]]:
        rows: dict[int, list[tuple[Entry, Any]]] = {}
        for entry, value in zip(self.entries, values, strict=True):
            rows.setdefault(entry.parent, []).append((entry, value))
        return rows

    def _end_differs(
        self, rows: dict[int, list[tuple[Entry, Any]]], slot: Slot
    ) -> Callable[[], str] | None:
        if all(len(row) < 2 for row in rows.values()):
            return None
        first, rest = self._blank(), self._blank()
        for parent, row in rows.items():
            entry, value = row[0]
            later = tuple([v for _, v in row[1:]])
            if not is_constant(later) or (entry.count > 1 and not is_constant((value, *later))):
                return None
            first[parent] = value
            rest[parent] = next(
                (v for v in later if v is not ANY), value if entry.count > 1 else ANY
            )
        if self._flag(first, rest) is not None:
            return lambda: f"{self.index} == 0" if self._flag(first, rest) else f"{self.index} > 0"
        a = self.parent.slot(tuple(first), slot.hint)
        b = self.parent.slot(tuple(rest), slot.hint)
        return lambda: first_text(a.text, b.text, self.index)

    def _flag(self, first: list[Any], rest: list[Any]) -> bool | None:
        present = {v for v in first if v is not ANY}, {v for v in rest if v is not ANY}
        if present == ({True}, {False}) and all(
            type(v) is bool for v in (*present[0], *present[1])
        ):
            return True
        if present == ({False}, {True}) and all(
            type(v) is bool for v in (*present[0], *present[1])
        ):
            return False
        return None

    def _stepped(
        self, rows: dict[int, list[tuple[Entry, Any]]], slot: Slot
    ) -> Callable[[], str] | None:
        found = self._progression(rows, lambda a, b: b - a, lambda a, d, i: a + d * i)
        if found is None:
            return None
        start, step = (
            self.parent.slot(tuple(v), f"{slot.hint}_{w}")
            for v, w in zip(found, ("start", "step"), strict=True)
        )
        return lambda: stepped_text(start.text, step.text, self.index)

    def _doubled(
        self, rows: dict[int, list[tuple[Entry, Any]]], slot: Slot
    ) -> Callable[[], str] | None:
        ratio = lambda a, b: b // a if a > 0 and b % a == 0 and b > a else None  # noqa: E731
        found = self._progression(rows, ratio, lambda a, r, i: a * r**i)
        if found is None:
            return None
        start, factor = (
            self.parent.slot(tuple(v), f"{slot.hint}_{w}")
            for v, w in zip(found, ("start", "factor"), strict=True)
        )
        return lambda: doubled_text(start.text, factor.text, self.index)

    def _progression(
        self,
        rows: dict[int, list[tuple[Entry, Any]]],
        step_of: Callable[[int, int], int | None],
        at: Callable[[int, int, int], int],
    ) -> tuple[list[Any], list[Any]] | None:
        starts, steps = self._blank(), self._blank()
        if max(len(row) for row in rows.values()) < 3:
            return None
        for parent, row in rows.items():
            values = [v for _, v in row]
            if any(type(v) is not int for v in values) or any(e.count != 1 for e, _ in row):
                return None
            starts[parent] = values[0]
            if len(values) == 1:
                continue
            step = step_of(values[0], values[1])
            if step is None or any(at(values[0], step, i) != v for i, v in enumerate(values)):
                return None
            steps[parent] = step
        return starts, steps

    def _blank(self) -> list[Any]:
        return [ANY] * self.parent.size

    # --- from a list ----------------------------------------------------------------------------

    def _by_list(self, slots: list[Slot]) -> None:
        # What fewer copies use may be a part of another column.
        for slot in sorted(slots, key=lambda slot: slot.values.count(ANY)):
            column = next((c for c in self.columns if covers(c, slot.values)), slot.values)
            self.columns.setdefault(column, self._column_name(slot))
            slot.write = partial(self._column_text, column)
        # Long runs of equal copies keep their count in the list.
        total = sum(entry.count for entry in self.entries)
        counts = tuple([entry.count for entry in self.entries])
        counted = total > 64 and total > 2 * self.size
        if counted:
            self.columns.setdefault(counts, "count")
        rows = self._lists(list(self.columns), counted)
        what = "rows" if len(self.columns) > 1 else next(iter(self.columns.values()))
        listed = self.parent.slot(rows, f"{self.name}_{what}")
        self.header = partial(self._list_header, listed, counts if counted else None)

    def _list_header(self, listed: Slot, counts: Values | None) -> str:
        inner = "" if counts is None else f" for _ in range({self._column_text(counts)})"
        return f"for {', '.join(self.targets().values())} in {as_list(listed)}{inner}"

    def _column_text(self, column: Values) -> str:
        return self.targets()[column]

    @property
    def index(self) -> str:
        """The number of the copy, called like nothing else around it."""
        taken = self._outside()
        names = ("i", "j", "k", *[f"i{number}" for number in range(len(taken))])
        return next(name for name in names if name not in taken)

    def _outside(self) -> set[str]:
        """The names that the body may mention; the class's parameters are known by now."""
        if not isinstance(self.parent, CopiesScope):
            return {*self.reserved, *[p.name for p in self.owner.parameters]}
        columns = self.parent.targets().values()
        return {*self.parent._outside(), *(columns or [self.parent.index])}

    def targets(self) -> dict[Values, str]:
        """The loop variable of each column of the list."""
        if self._targets is None:
            names = Namespace([*self._outside(), "_"])
            self._targets = {column: names.add(name) for column, name in self.columns.items()}
        return self._targets

    def _column_name(self, slot: Slot) -> str:
        return next((name for name, values in self.known if covers(values, slot.values)), slot.hint)

    def _lists(self, columns: list[Values], counted: bool) -> Values:
        found = self._blank()
        for position, entry in enumerate(self.entries):
            row = tuple([present(column, position) for column in columns])
            item = row if len(row) > 1 else row[0]
            repeated = (item,) * (1 if counted else entry.count)
            known = found[entry.parent]
            found[entry.parent] = repeated if known is ANY else known + repeated
        return tuple(found)
