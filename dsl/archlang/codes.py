"""Every diagnostic code at length: what it means, a wrong program, and the right one.

A code's page is `explanations/CODE.md`; the folder is the list. A page starts with a title (the
code), a sentence (the summary) and paragraphs, and ends with the sections "Wrong" and "Right". The
first block of a section is the program, `net.arch`; behind its `arch` may stand `encoding NAME`, or
`repeated N` for a long file. Blocks with a file's name there are files beside it, and a `sh` block
is the command that shows the mistake where that is not `archc check net.arch`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from archlang.record import Record

__all__ = ["EXPLANATIONS", "Explanation", "Program"]

_FOLDER = Path(__file__).parent / "explanations"
_FENCE = "```"


class Program(Record):
    """The example of a page.

    Args:
        files: name and text of each, the program first. The program is called `net.arch`.
        command: what to run on it.
        encoding: of the program, UTF-8 but for the page about that.
    """

    files: tuple[tuple[str, str], ...]
    command: str
    encoding: str = "utf-8"


class Explanation(Record):
    """The page of a code; `str()` is what `archc explain` prints.

    Args:
        code: as it stands in brackets behind "error".
        summary: the first sentence.
        text: the paragraphs behind it.
        wrong: a program that gets this diagnostic.
        right: the program that was meant.
        page: the whole page, as Markdown.
    """

    code: str
    summary: str
    text: str
    wrong: Program
    right: Program
    page: str

    def __str__(self) -> str:
        return _plain(self.page)


class _Explanations(Mapping[str, Explanation]):
    """Reads a page when it is asked for."""

    def __getitem__(self, code: str) -> Explanation:
        if code not in self._codes():
            raise KeyError(code)
        return _read(code, (_FOLDER / f"{code}.md").read_text(encoding="utf-8"))

    def __iter__(self) -> Iterator[str]:
        return iter(self._codes())

    def __len__(self) -> int:
        return len(self._codes())

    def _codes(self) -> list[str]:
        return sorted([path.stem for path in _FOLDER.glob("*.md")])


EXPLANATIONS: Mapping[str, Explanation] = _Explanations()


def _read(code: str, page: str) -> Explanation:
    """Take a page apart.

    Raises:
        ValueError: when it is not built as the module says.
    """
    head, _, rest = page.partition("\n## Wrong\n")
    wrong, _, right = rest.partition("\n## Right\n")
    title, _, body = head.partition("\n")
    summary, _, text = body.strip().partition("\n\n")
    if title != f"# {code}" or not summary or not wrong or not right:
        raise ValueError(f"the page of {code} lacks its title, summary, or one of its sections")
    summary = " ".join(summary.split())
    return Explanation(
        code, summary, text.strip(), _program(code, wrong), _program(code, right), page
    )


def _program(code: str, section: str) -> Program:
    files: list[tuple[str, str]] = []
    command, encoding = "archc check net.arch", "utf-8"
    for kind, words, text in _blocks(section):
        if kind == "sh":
            command = text.strip()
        elif words[:1] == ["encoding"]:
            files.append(("net.arch", text))
            encoding = words[1]
        elif words[:1] == ["repeated"]:
            files.append(("net.arch", text * int(words[1])))
        else:
            files.append((words[0] if words else "net.arch", text))
    if not files:
        raise ValueError(f"the page of {code} has a section without a program")
    return Program(tuple(files), command, encoding)


def _blocks(section: str) -> Iterator[tuple[str, list[str], str]]:
    """The fenced blocks: the word behind the fence, the further words, the text."""
    parts = section.split(f"\n{_FENCE}")
    for opened in parts[1::2]:
        info, _, text = opened.partition("\n")
        kind, *words = info.split()
        yield kind, words, text + "\n"


def _plain(page: str) -> str:
    """The page for a terminal: code indented, no fences."""
    lines = []
    inside = False
    for line in page.rstrip().split("\n"):
        if line.startswith(_FENCE):
            inside = not inside
            lines += _named(line) if inside else []
        elif inside:
            lines.append(f"    {line}".rstrip())
        else:
            lines.append(line.lstrip("#").lstrip() + ":" if line.startswith("## ") else line)
    return "\n".join(lines).removeprefix("# ") + "\n"


def _named(fence: str) -> list[str]:
    words = fence.removeprefix(_FENCE).split()[1:]
    return [f"    # {words[0]}"] if len(words) == 1 else []
