"""Fonts: the package's own come first, so that a picture looks the same everywhere and Korean names
work on machines without any font."""

from __future__ import annotations

import os
from html import escape
from pathlib import Path

__all__ = ["with_fonts"]

_FONTS = Path(__file__).with_name("fonts")

# Folders of the system follow, for the scripts that the package's fonts do not have.
_CONFIGURATION = """\
<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <dir>{fonts}</dir>
  <dir>/usr/share/fonts</dir>
  <dir>/usr/local/share/fonts</dir>
  <dir prefix="xdg">fonts</dir>
  <dir>WINDOWSFONTDIR</dir>
  <cachedir>/var/cache/fontconfig</cachedir>
  <cachedir prefix="xdg">fontconfig</cachedir>
  <cachedir>{cache}</cachedir>
  <match target="pattern">
    <edit name="family" mode="prepend" binding="strong">
      <string>Liberation Sans</string>
      <string>Arch Hangul</string>
    </edit>
  </match>
  <match target="font">
    <test name="family"><string>Arch Hangul</string></test>
    <test name="weight" compare="less_eq"><const>medium</const></test>
    <test target="pattern" name="weight" compare="more"><const>medium</const></test>
    <edit name="embolden" mode="assign"><bool>true</bool></edit>
    <edit name="weight" mode="assign"><const>bold</const></edit>
  </match>
</fontconfig>
"""


def with_fonts(folder: Path) -> dict[str, str]:
    """The environment for a drawing engine: fontconfig reads a file that is written to `folder`."""
    configuration = folder / "fonts.conf"
    text = _CONFIGURATION.format(fonts=escape(str(_FONTS)), cache=escape(str(folder)))
    configuration.write_text(text, encoding="utf-8")
    return {**os.environ, "FONTCONFIG_FILE": str(configuration)}
