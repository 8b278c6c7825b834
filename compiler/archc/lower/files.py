"""Files: reading them, their definitions by name, and what they import."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any

from archc.lower.context import Problem
from archc.lower.things import POISON, BlockValue, LetValue, Scope
from archlang import tree
from archlang.diagnostics import Diagnostic, Diagnostics, Label
from archlang.parser import parse
from archlang.source import Source, Span

__all__ = [
    "FileScope",
    "LoadedFile",
    "Loader",
    "decode",
    "read_bytes",
    "read_source",
    "read_standard_input",
]

Claim = tree.Expect | tree.Require | tree.Published

LARGEST_FILE = 1 << 18
LARGEST_PROGRAM = 1 << 19  # characters of a file and all that it imports

_INSIDE = "name a file in this folder or below, or one of the library"


def read_source(path: Path, name: str) -> Source:
    """Read a file.

    Raises:
        Problem: when it is missing, cannot be read, is too large or is not UTF-8.
    """
    return decode(read_bytes(path, name), name)


def read_bytes(path: Path, name: str) -> bytes:
    """The bytes of a file of reasonable size.

    Raises:
        Problem: when it is missing, cannot be read or is too large.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST_FILE + 1)
    except FileNotFoundError as error:
        raise Problem("file-missing", f"there is no file {name}", None) from error
    except IsADirectoryError as error:
        raise Problem("file-unreadable", f"{name} is a folder, not a file", None) from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise Problem("file-unreadable", f"cannot read {name}: {reason}", None) from error
    if len(data) > LARGEST_FILE:
        raise _too_large(name, f"{max(path.stat().st_size, len(data)):,}")
    return data


def read_standard_input() -> bytes:
    """The bytes of a program on standard input.

    Raises:
        Problem: when it is too large.
    """
    data = sys.stdin.buffer.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise _too_large("<stdin>", f"more than {LARGEST_FILE:,}")
    return data


def _too_large(name: str, size: str) -> Problem:
    message = f"{name} has {size} bytes; a file has at most {LARGEST_FILE:,}"
    return Problem("file-too-large", message, None)


def decode(data: bytes, name: str) -> Source:
    """The text of a file's bytes.

    Raises:
        Problem: not-utf8, with the first byte that is wrong.
    """
    try:
        return Source.of(name, data.decode("utf-8"))
    except UnicodeDecodeError as error:
        good = Source.of(name, data[: error.start].decode("utf-8"))
        at = len(good.text)
        source = Source.of(name, good.text + "\ufffd")
        raise Problem(
            "not-utf8",
            f"{name} is not UTF-8 text: byte 0x{data[error.start]:02x} cannot stand here",
            Span(source, at, at + 1),
            help="save the file as UTF-8",
        ) from error


class LoadedFile:
    """One file, parsed, with its definitions by name. Compared by identity.

    `claims` are those outside of bodies, each with the definition that it follows.
    """

    def __init__(self, path: Path | None, file: tree.File) -> None:
        self.path = path
        self.file = file
        self.definitions: dict[str, tree.Constant | tree.Let | tree.Block] = {}
        self.imports: dict[str, tuple[LoadedFile, str]] = {}
        self.defaults: dict[str, list[tree.Argument]] = {}
        self.dims: dict[str, list[tree.Node]] = {}
        self.scope: FileScope = FileScope(self)
        self.claims = _loose_claims(file)

    @property
    def name(self) -> str:
        """What messages call the file."""
        return self.file.source.name

    @property
    def nets(self) -> dict[str, tree.Block]:
        """The nets that the file defines, in order."""
        found = self.definitions.items()
        return {n: d for n, d in found if isinstance(d, tree.Block) and d.kind == "net"}


class FileScope(Scope):
    """The outermost scope of everything in a file: its definitions and imports.

    Constants are evaluated when they are first asked for, by `evaluate`, which lowering sets.
    """

    __slots__ = ("_busy", "evaluate", "file", "symbols")

    def __init__(self, file: LoadedFile) -> None:
        super().__init__(None)
        self.file = file
        self.evaluate: Callable[[LoadedFile, tree.Constant], Any] | None = None
        self.symbols: dict[str, Any] = {}
        self._busy: set[str] = set()

    def outermost(self, name: str) -> Any | None:
        known = self.names.get(name, self.symbols.get(name))
        if known is not None:
            return known
        if name in self.file.imports:
            file, original = self.file.imports[name]
            return file.scope.find(original)
        if name in self.file.file.broken:
            return POISON  # its own message was given where it could not be read
        definition = self.file.definitions.get(name)
        match definition:
            case tree.Block():
                return BlockValue(self.file, definition)
            case tree.Let():
                return LetValue(self.file, definition)
            case tree.Constant():
                return self._constant(definition)
        return None

    def _constant(self, constant: tree.Constant) -> Any:
        if constant.name in self._busy:
            message = f"{constant.name} is defined by itself"
            raise Problem("recursion", message, constant.span)
        self._busy.add(constant.name)
        try:
            assert self.evaluate is not None
            value = self.evaluate(self.file, constant)
        finally:
            self._busy.discard(constant.name)
        self.names[constant.name] = value
        return value

    def visible(self) -> set[str]:
        return {*self.file.definitions, *self.file.imports, *self.symbols}


@lru_cache(maxsize=16)
def _parsed(name: str, text: str) -> tuple[tree.File, tuple[Diagnostic, ...]]:
    """A file as it was read before: a net is lowered anew for each hyperparameter that is tried."""
    return parse(Source.of(name, text))


class Loader:
    """Loads files and what they import, each file once.

    Args:
        diagnostics: takes what is wrong with them.
        library: where a file is looked for that does not stand beside the importing one.
    """

    def __init__(self, diagnostics: Diagnostics, library: Path | None) -> None:
        self.diagnostics = diagnostics
        self.library = library
        self._loaded: dict[Path, LoadedFile] = {}
        self._read = 0
        self._stack: list[Path] = []

    def source(self, source: Source, path: Path | None = None) -> LoadedFile:
        """Load a text that was read already.

        Raises:
            Problem: when it is too much together with what was loaded before.
        """
        self._read += len(source.text)
        if self._read > LARGEST_PROGRAM:
            message = f"this file and what it imports have more than {LARGEST_PROGRAM:,} characters"
            raise Problem("file-too-large", message, Span(source, 0, 0))
        file, found = _parsed(source.name, source.text)
        self.diagnostics.extend(found)
        loaded = LoadedFile(path, file)
        if path is not None:
            self._loaded[path] = loaded
            self._stack.append(path)
        self._collect(loaded)
        if path is not None:
            self._stack.pop()
        return loaded

    def path(self, path: Path, name: str) -> LoadedFile:
        """Load a file.

        Raises:
            Problem: when it cannot be read.
        """
        key = Path(os.path.realpath(path))
        if key in self._loaded:
            return self._loaded[key]
        return self.source(read_source(path, name), key)

    def all(self, first: LoadedFile) -> list[LoadedFile]:
        """A file and every other that was loaded."""
        return list(dict.fromkeys([first, *self._loaded.values()]))

    def _collect(self, loaded: LoadedFile) -> None:
        for definition in loaded.file.definitions:
            match definition:
                case tree.Import():
                    self._import(loaded, definition)
                case tree.Default():
                    arguments = loaded.defaults.setdefault(definition.operator.name, [])
                    arguments.extend(definition.arguments)
                case tree.Constant() | tree.Let() | tree.Block():
                    self._define(loaded, definition)
                case tree.DimDeclaration():
                    _declare(loaded, definition)

    def _define(
        self, loaded: LoadedFile, definition: tree.Constant | tree.Let | tree.Block
    ) -> None:
        earlier = loaded.definitions.get(definition.name)
        if earlier is not None or definition.name in loaded.imports:
            more = () if earlier is None else (Label(_name_span(earlier), "defined here first"),)
            self.diagnostics.add(
                Diagnostic(
                    "doubled-definition",
                    f"{definition.name} is defined twice",
                    (Label(_name_span(definition)), *more),
                    help="give one of the two another name",
                )
            )
            return
        loaded.definitions[definition.name] = definition

    def _import(self, loaded: LoadedFile, node: tree.Import) -> None:
        try:
            other = self._imported(loaded, node)
        except Problem as problem:
            self.diagnostics.add(problem.diagnostic)
            other = None
        for name in node.names:
            self._import_name(loaded, other, node, name)

    def _imported(self, loaded: LoadedFile, node: tree.Import) -> LoadedFile:
        path = self._find(loaded, node)
        key = Path(os.path.realpath(path))
        if key in self._stack:
            names = " -> ".join(p.name for p in [*self._stack[self._stack.index(key) :], key])
            raise Problem("import-cycle", f"these files import each other: {names}", node.path.span)
        base = loaded.path.parent if loaded.path is not None else Path.cwd()
        shown = node.path.value if base in key.parents or base == key.parent else path.name
        folder = Path(loaded.name).parent
        return self.path(path, str(folder / shown) if loaded.path is not None else shown)

    def _find(self, loaded: LoadedFile, node: tree.Import) -> Path:
        wanted = node.path.value
        relative = Path(wanted)
        if relative.is_absolute() or ".." in relative.parts or "\\" in wanted or "\0" in wanted:
            message = f'"{wanted}" leaves the folder of this file'
            raise Problem("import-outside", message, node.path.span, help=_INSIDE)
        base = loaded.path.parent if loaded.path is not None else Path.cwd()
        folders = [base] if self.library is None else [base, self.library]
        for folder in folders:
            if not _is_file(folder / relative):
                continue
            real = Path(os.path.realpath(folder / relative))
            if not real.is_relative_to(os.path.realpath(folder)):
                message = f'"{wanted}" is a link that leaves the folder of this file'
                raise Problem("import-outside", message, node.path.span, help=_INSIDE)
            return folder / relative
        message = f'there is no file "{wanted}" beside this one, nor in the library'
        raise Problem(
            "import-missing", message, node.path.span, help=self._similar(wanted, folders)
        )

    def _similar(self, wanted: str, folders: list[Path]) -> str | None:
        from archlang.suggest import closest

        present = sorted({p.name for folder in folders for p in folder.glob("*.arch")})
        found = closest(wanted, present)
        return f'did you mean "{found[0]}"?' if found else None

    def _import_name(
        self,
        loaded: LoadedFile,
        other: LoadedFile | None,
        node: tree.Import,
        name: tree.ImportedName,
    ) -> None:
        if other is None:
            loaded.scope.names[name.alias or name.name] = POISON
            return
        if name.name not in other.definitions and name.name not in other.imports:
            from archlang.suggest import closest

            found = closest(name.name, sorted(other.definitions))
            self.diagnostics.add(
                Diagnostic(
                    "import-unknown-name",
                    f'"{node.path.value}" defines no {name.name}',
                    (Label(name.span),),
                    help=f"did you mean {found[0]}?" if found else None,
                )
            )
            return
        loaded.imports[name.alias or name.name] = (other, name.name)


def _loose_claims(file: tree.File) -> tuple[tuple[Claim, tree.Definition | None], ...]:
    found: list[tuple[Claim, tree.Definition | None]] = []
    owner: tree.Definition | None = None
    for definition in file.definitions:
        if isinstance(definition, (tree.Expect, tree.Require, tree.Published)):
            found.append((definition, owner))
        else:
            owner = definition
    return tuple(found)


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # a name that no file can have
        return False


def _name_span(definition: tree.Constant | tree.Let | tree.Block) -> Span:
    span = getattr(definition, "name_span", None)
    return span if isinstance(span, Span) else definition.span


def _declare(loaded: LoadedFile, node: tree.DimDeclaration) -> None:
    for item in node.items:
        if isinstance(item, tree.Name):
            loaded.dims.setdefault(item.name, [])
            continue
        for name in _names_of(item):
            loaded.dims.setdefault(name, []).append(item)


def _names_of(expr: tree.Node) -> tuple[str, ...]:
    from archc.lower.closures import free_names

    return free_names(expr)
