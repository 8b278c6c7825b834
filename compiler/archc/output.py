"""Files are written whole or not at all: beside their place first, then moved there in one step."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

__all__ = ["OutputError", "staged", "write_folder", "write_text"]


class OutputError(Exception):
    """A file that could not be written; the message says which and why."""


@contextmanager
def staged(path: Path) -> Iterator[Path]:
    """Give a new file to write to, with the suffix of `path`, that takes its place at the end.

    When the block ends with an exception nothing is left behind, and what `path` had stays. A file
    that is replaced keeps its permissions, and a symbolic link keeps pointing where it did.

    Raises:
        OutputError: when there can be no such file.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise OutputError(f"cannot write {path}: it is a directory")
    # A pipe or a device such as /dev/null is written to, never replaced.
    device = target.exists() and not target.is_file()
    try:
        folder = None if device else target.parent
        handle, name = tempfile.mkstemp(suffix=path.suffix, prefix=".archc-", dir=folder)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {_reason(error)}") from error
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        if device:
            target.write_bytes(temporary.read_bytes())
        else:
            temporary.chmod(_permissions(target))
            temporary.replace(target)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {_reason(error)}") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text as UTF-8 with "\\n" line ends.

    Raises:
        OutputError: when it cannot be written.
    """
    with staged(path) as temporary:
        temporary.write_text(text, encoding="utf-8", newline="\n")


def write_folder(path: Path, texts: Mapping[str, str], mark: str) -> None:
    """Write a folder of texts, in place of one that was written so before.

    Args:
        path: the folder.
        texts: the files by name.
        mark: how every file begins; a folder with other files is not replaced.

    Raises:
        OutputError: when it cannot be written, and then the folder is as it was.
    """
    target = Path(os.path.realpath(path))
    try:
        _refuse_foreign(path, target, mark)
        with tempfile.TemporaryDirectory(prefix=".archc-", dir=target.parent) as temporary:
            made, before = Path(temporary, "made"), Path(temporary, "before")
            made.mkdir()
            for name, text in texts.items():
                (made / name).write_text(text, encoding="utf-8", newline="\n")
            _swap(made, target, before)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {_reason(error)}") from error


def _refuse_foreign(path: Path, target: Path, mark: str) -> None:
    if not target.exists():
        return
    if not target.is_dir():
        raise OutputError(f"cannot write {path}: it is no folder")
    for inside in sorted(target.iterdir()):
        if inside.name != "__pycache__" and not _is_marked(inside, mark):
            message = f"{inside.name} in it was not made by archc"
            raise OutputError(f"cannot write {path}: {message}; name a new folder")


def _is_marked(file: Path, mark: str) -> bool:
    return file.is_file() and file.read_bytes().startswith(mark.encode())


def _swap(made: Path, target: Path, before: Path) -> None:
    if target.exists():
        shutil.copymode(target, made)
        target.rename(before)
    try:
        made.rename(target)
    except OSError:
        if before.exists():
            before.rename(target)
        raise


def _permissions(target: Path) -> int:
    if target.exists():
        return target.stat().st_mode & 0o7777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
