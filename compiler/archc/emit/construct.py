"""Writing `__init__`: members with their constructors, repeats as nn.Sequential or a list."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from archc.emit.lines import Lines
from archc.emit.steps import Construct, Copies, Guard, Member, Segment

if TYPE_CHECKING:
    from archc.emit.attributes import Attributes

__all__ = ["constructor_text", "write_members"]

_PLACEHOLDER = re.compile(r"\{(\*|\w+)\}")


def write_members(members: list[Any], lines: Lines, attributes: Attributes) -> None:
    """The assignments of modules, those of some instances only under an if."""
    for member in members:
        if isinstance(member, Guard):
            _write_guard(member, lines, attributes)
        else:
            text = member_text(member)
            lines.add(f"self.{member.attribute} = {text}")


def _write_guard(guard: Guard, lines: Lines, attributes: Attributes) -> None:
    flag = attributes.in_constructor(guard.flag)
    parts = []
    for case, members in guard.branches:
        block = lines.block()
        write_members(list(members), block, attributes)
        test = flag if case is True else f"not {flag}" if case is False else f"{flag} == {case}"
        parts.append((test, block))
    lines.cases(parts)


def member_text(member: Member) -> str:
    """The value of a member."""
    return (
        copies_text(member.value)
        if isinstance(member.value, Copies)
        else constructor_text(member.value)
    )


def constructor_text(made: Construct) -> str:
    """The call of a constructor."""
    texts = [f"{key}={slot.text}" if key else slot.text for key, slot in made.arguments]
    if made.template is None:
        callee = made.callee if isinstance(made.callee, str) else made.callee.name
        return f"{callee}({', '.join(texts)})"
    values = {key: slot.text for key, slot in made.values}
    values["*"] = ", ".join(texts)
    return _PLACEHOLDER.sub(lambda match: values[match.group(1)], made.template)


def copies_text(copies: Copies) -> str:
    """A repeat: `nn.Sequential(*[Block(64) for _ in range(3)])`."""
    if len(copies.segments) == 1 and copies.segments[0].scope is not None:
        if _single(copies.segments[0]):
            element = _element(copies.segments[0])
            return f"nn.Sequential({element})" if copies.plain else f"nn.ModuleList([{element}])"
        inner = _comprehension(copies.segments[0])
        return f"nn.Sequential(*{inner})" if copies.plain else f"nn.ModuleList({inner})"
    items = [_repeated(segment) for segment in copies.segments]
    if copies.plain:
        return f"nn.Sequential({', '.join(items)})"
    return f"nn.ModuleList([{', '.join(items)}])"


def _single(segment: Segment) -> bool:
    count = segment.scope.count if segment.scope is not None else None
    return count is not None and count.constant and count.value == 1


def _comprehension(segment: Segment) -> str:
    assert segment.scope is not None
    return f"[{_element(segment)} {segment.scope.header()}]"


def _repeated(segment: Segment) -> str:
    if segment.count == 1:
        return _element(segment)
    return f"*[{_element(segment)} for _ in range({segment.count})]"


def _element(segment: Segment) -> str:
    if isinstance(segment.element, Copies):
        return copies_text(segment.element)
    return constructor_text(segment.element)
