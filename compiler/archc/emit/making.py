"""How modules are made and called: arguments and placeholders as slots."""

from __future__ import annotations

from typing import Any

from archc.emit.copies import CopiesScope
from archc.emit.forms import Forms, lent_regions
from archc.emit.names import attribute_name, identifier
from archc.emit.signatures import field_name, filled
from archc.emit.slots import Scope, Slot, SymbolicSize, is_literal
from archc.emit.steps import Construct, Member
from archc.emit.units import Unit
from archc.emit.vectors import ANY, Values
from archc.graph import Call, Operation, Region
from archc.op import Module, Op

__all__ = ["Making", "Regions", "first_of"]

# A region or node in each entry of a scope; None where it does not exist.
Regions = list[Region | None]


class Making:
    """Makes modules of one class.

    Args:
        unit: the class.
        forms: of all operators.
        class_of: the classes of all regions below.
    """

    def __init__(self, unit: Unit, forms: Forms, class_of: dict[Region, Unit]) -> None:
        self.unit, self.forms, self.class_of = unit, forms, class_of
        self.paths: dict[str, str] = {}

    def lend(self) -> None:
        """Borrowed modules are parameters of forward."""
        for name in self.unit.region.borrowed:
            local = identifier(name, "module")
            self.unit.lent[local] = self._type_of(self.unit.region, name)
            self.paths[name] = local

    def _type_of(self, region: Region, name: str) -> Any:
        """The type of a borrowed module: text, or the class of the file."""
        for node in region.nodes:
            if isinstance(node, Operation):
                form = self.forms.of(region, node)
                if node.shared == name and isinstance(form, Module):
                    return form.constructor
                if getattr(node.op, "table", None) == name:
                    return "nn.Embedding"
                continue
            if isinstance(node, Call) and node.shared == name:
                return self.class_of[node.region]
            for inside, below in lent_regions(node, name):
                found = self._type_of(below, inside)
                if found != "nn.Module":
                    return found
        return "nn.Module"

    def shares(self) -> list[Any]:
        """The members that `share` makes."""
        members = []
        for position, shared in enumerate(self.unit.region.shares):
            attribute = attribute_name(shared.name)
            all_shared = [region.shares[position] for region in self.unit.regions]
            self.paths[shared.name] = f"self.{attribute}"
            if isinstance(shared.what, Op):
                found = [
                    self.forms.shared(r, s)
                    for r, s in zip(self.unit.regions, all_shared, strict=True)
                ]
                modules = [form if isinstance(form, Module) else None for form in found]
                if all(module is not None for module in modules):
                    made = self.construct(modules, self.unit.scope, attribute)
                    members.append(Member(attribute, made))
                continue
            regions: Regions = [s.what if isinstance(s.what, Region) else None for s in all_shared]
            members.append(Member(attribute, self.instance(regions, self.unit.scope)))
        return members

    def path(self, name: str) -> str:
        """The expression of a shared or named module."""
        return self.paths.get(name) or f"self.{attribute_name(name)}"

    def forms_of(self, nodes: list[Any], regions: Regions) -> list[Any]:
        """The torch form of an operation in each entry."""
        pairs = zip(regions, nodes, strict=True)
        return [None if r is None or n is None else self.forms.of(r, n) for r, n in pairs]

    def placeholders(
        self, op: Op | None, forms: list[Any], scope: Scope, name: str
    ) -> dict[str, Any]:
        """What fills the names in a call's template: slots, and the paths of modules.

        Without an operator the template is one of the generated code's own, such as zeros.
        """
        filling: dict[str, Any] = {}
        for position, (key, _) in enumerate(first_of(forms).values):
            values = tuple([ANY if f is None else f.values[position][1] for f in forms])
            filling[key] = self.forward_slot(
                values, scope, f"{name}_{key}" if name not in ("", key) else key
            )
        table = getattr(op, "table", None)
        if isinstance(table, str):
            filling["table"] = self.path(table)
        for key, module in getattr(op, "modules", ()):
            filling[key] = self.path(module)
        return filling

    def forward_slot(self, values: Values, scope: Scope, hint: str) -> Any:
        """A value in forward: a slot, or a size that is read from the inputs."""
        if any(value is not ANY and not is_literal(value) for value in values):
            return self.unit.sizes.slot(_outer(scope, values))
        return scope.slot(values, hint)

    def construct(self, forms: list[Any], scope: Scope, name: str) -> Construct:
        """The call of torch's constructor."""
        present = [form for form in forms if form is not None]
        form = present[0]
        count = max([len(f.arguments) for f in present])
        positional = [field_name(form, i) for i in range(count)]
        keywords = {key for f in present for key, _ in f.keywords} - set(positional)
        values = [{} if f is None else filled(f) for f in forms]
        arguments: list[tuple[str | None, Slot]] = []
        for key in (*positional, *_in_order(form, keywords)):
            vector = tuple([known.get(key, ANY) for known in values])
            hint = key if scope is not self.unit.scope else f"{name}_{key}"
            arguments.append((None if key in positional else key, _slot(scope, vector, hint)))
        template = form.constructor if "(" in form.constructor else None
        extra: tuple[tuple[str, Any], ...] = ()
        if template is not None:
            extra = tuple(
                [
                    (
                        key,
                        _slot(
                            scope, tuple([ANY if f is None else f.values[i][1] for f in forms]), key
                        ),
                    )
                    for i, (key, _) in enumerate(form.values)
                ]
            )
        return Construct(form.constructor, tuple(arguments), template, extra)

    def instance(self, regions: Regions, scope: Scope) -> Construct:
        """The call of a class of the file."""
        unit = self.class_of[first_of(regions)]
        unit.made = True
        arguments: list[tuple[str | None, Any]] = []
        for parameter in unit.scope.parameters:
            vector = tuple([ANY if r is None else unit.argument(parameter, r) for r in regions])
            slot = _slot(scope, vector, parameter.name)
            defaulted = parameter.default is not ANY
            equal = slot.constant and slot.value == parameter.default
            if defaulted and equal and type(slot.value) is type(parameter.default):
                continue
            arguments.append((parameter.name if defaulted else None, slot))
        return Construct(unit, tuple(arguments))

    def calling(
        self, unit: Unit, regions: Regions, lends: dict[str, str], count: int, scope: Scope
    ) -> tuple[str, dict[str, Any]]:
        """The template of a class's call: streams, then lent modules, then sizes."""
        filling: dict[str, Any] = {}
        extra: list[str] = []
        for inside in unit.region.borrowed:
            here = self.path(lends.get(inside, inside))
            key = f"lent{len(extra)}"
            filling[key] = here
            extra.append(f"{{{key}}}")
        for size in unit.sizes.passed:
            vector = tuple([ANY if r is None else size.values[unit.index[r]] for r in regions])
            key = f"size{len(extra)}"
            filling[key] = self.unit.sizes.slot(_outer(scope, vector))
            extra.append(f"{{{key}}}")
        arguments = ", ".join([*[f"{{{i}}}" for i in range(count)], *extra])
        return f"{{module}}({arguments})", filling


def first_of(things: list[Any]) -> Any:
    """The first that is there."""
    return next(thing for thing in things if thing is not None)


def _in_order(form: Module, keywords: set[str]) -> list[str]:
    """The keywords as the operator gives them where it gives all, else as the signature does."""
    given = [key for key, _ in form.keywords]
    return given if set(given) == keywords else [key for key in filled(form) if key in keywords]


def _slot(scope: Scope, values: Values, hint: str) -> Slot:
    for value in values:
        if value is not ANY and not is_literal(value):
            raise SymbolicSize(f"{hint} is {value}: bind it")
    return scope.slot(values, hint)


def _outer(scope: Scope, values: Values) -> Values:
    """The values by entry of the class: those of copies, which must agree."""
    while isinstance(scope, CopiesScope):
        outer = scope.per_parent(values)
        if outer is None:
            raise SymbolicSize("a size differs between the copies of a repeat")
        scope, values = scope.parent, outer
    return values
