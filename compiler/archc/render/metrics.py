"""How wide a text is in the fonts of the package: read from the font files' own tables.

A viewer that has other fonts can then be told to draw each text as wide as its box was made for.
"""

from __future__ import annotations

from pathlib import Path
from struct import unpack_from

__all__ = ["Metrics"]

_FONTS = Path(__file__).with_name("fonts")
_REGULAR, _BOLD, _HANGUL = "LiberationSans-Regular", "LiberationSans-Bold", "ArchHangul-Regular"


class Metrics:
    """Widths of texts; each font file is read when its first letter is asked for."""

    def __init__(self) -> None:
        self._fonts: dict[str, _Font] = {}

    def width(self, text: str, size: float, *, bold: bool) -> float | None:
        """The width in the unit of `size`, or None when a letter is in none of the fonts."""
        total = 0.0
        for letter in text:
            advance = self._advance(letter, _BOLD if bold else _REGULAR)
            if advance is None:
                return None
            total += advance * size
        return total

    def _advance(self, letter: str, name: str) -> float | None:
        found = self._font(name).advance(ord(letter))
        return self._font(_HANGUL).advance(ord(letter)) if found is None else found

    def _font(self, name: str) -> _Font:
        if name not in self._fonts:
            self._fonts[name] = _Font((_FONTS / f"{name}.ttf").read_bytes())
        return self._fonts[name]


class _Font:
    """The advances of a TrueType font, as fractions of its size.

    The layout of the tables is that of the OpenType specification: `head` has the units per em,
    `hhea` the number of advances, `hmtx` the advances, `cmap` the glyph of each letter.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        (count,) = unpack_from(">H", data, 4)
        records = [unpack_from(">4sIII", data, 12 + 16 * i) for i in range(count)]
        self._tables = {tag.decode("latin-1"): offset for tag, _, offset, _ in records}
        (self._units,) = unpack_from(">H", data, self._tables["head"] + 18)
        (self._advances,) = unpack_from(">H", data, self._tables["hhea"] + 34)
        self._known: dict[int, float | None] = {}
        self._map = self._letters()

    def advance(self, letter: int) -> float | None:
        """The advance of a letter, None when the font does not have it."""
        if letter not in self._known:
            glyph = self._glyph(letter)
            self._known[letter] = None if glyph == 0 else self._of_glyph(glyph)
        return self._known[letter]

    def _of_glyph(self, glyph: int) -> float:
        place = self._tables["hmtx"] + 4 * min(glyph, self._advances - 1)
        (advance,) = unpack_from(">H", self._data, place)
        return float(advance / self._units)

    def _letters(self) -> int:
        """Where the table of Unicode's basic plane (platform 3, encoding 1, format 4) begins."""
        cmap = self._tables["cmap"]
        (count,) = unpack_from(">H", self._data, cmap + 2)
        for number in range(count):
            platform, encoding, offset = unpack_from(">HHI", self._data, cmap + 4 + 8 * number)
            (layout,) = unpack_from(">H", self._data, cmap + offset)
            if (platform, encoding, layout) == (3, 1, 4):
                return int(cmap + offset)
        raise ValueError("the font has no table of letters that can be read")

    def _glyph(self, letter: int) -> int:
        data, table = self._data, self._map
        (twice,) = unpack_from(">H", data, table + 6)
        ends, starts = table + 14, table + 16 + twice
        for place in range(0, twice, 2):
            (end,) = unpack_from(">H", data, ends + place)
            if letter > end:
                continue
            (start,) = unpack_from(">H", data, starts + place)
            (delta,) = unpack_from(">H", data, starts + twice + place)
            ranges = starts + 2 * twice + place
            (offset,) = unpack_from(">H", data, ranges)
            if letter < start:
                return 0
            if offset == 0:
                return int((letter + delta) & 0xFFFF)
            (glyph,) = unpack_from(">H", data, ranges + offset + 2 * (letter - start))
            return int((glyph + delta) & 0xFFFF) if glyph else 0
        return 0
