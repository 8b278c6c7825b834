"""Where benchmarks put what they measured."""

from __future__ import annotations

from pathlib import Path

import pages
import pytest

PLACES = [
    (pages.BENCHMARKS, "startup"),
    (pages.MEMORY, "memory"),
    *[(pages.BENCHMARKS, f"{n} {d}") for n in ("recurrent", "attention") for d in ("cpu", "cuda")],
]


@pytest.mark.parametrize(("page", "name"), PLACES)
def test_every_table_has_a_place_on_its_page(page: Path, name: str, tmp_path: Path) -> None:
    copy = tmp_path / page.name
    shown = page.read_text(encoding="utf-8")
    copy.write_text(shown, encoding="utf-8")
    pages.write(copy, name, r"| \1 |")
    before, rest = shown.split(f"<!-- {name}: begin -->\n")
    behind = rest.split(f"<!-- {name}: end -->")[1]
    marked = f"<!-- {name}: begin -->\n| \\1 |\n<!-- {name}: end -->"
    assert copy.read_text(encoding="utf-8") == before + marked + behind


def test_a_page_without_the_place_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("<!-- other: begin -->\n<!-- other: end -->\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"page\.md has no place for startup"):
        pages.write(page, "startup", "x")
