"""What numbers, strings and names mean."""

from __future__ import annotations

import math
import unicodedata

__all__ = ["LARGEST", "quote", "read_name", "read_number", "unquote"]

LARGEST = 2**63 - 1
_POWERS = {"k": 3, "M": 6, "B": 9}
_LONGEST = 400


def read_number(text: str) -> int | float | None:
    """The value of `25_557_032`, `0.5`, `1e-5`, `16k` or `4.09B`; None when it is out of range.

    A suffix multiplies by a power of 1000, exactly: `4.09B` is 4090000000, and `0.0005k` is 0.5.
    """
    digits = text.replace("_", "")
    power = _POWERS.get(digits[-1], 0)
    digits = digits.rstrip("kMB")
    if len(digits) > _LONGEST:
        return None
    if digits.isdecimal():
        value: int | float = int(digits) * 10**power
    elif power:
        value = _scaled(digits, power)
    else:
        value = float(digits)
    return (
        value if value <= LARGEST or (isinstance(value, float) and math.isfinite(value)) else None
    )


def _scaled(digits: str, power: int) -> int | float:
    mantissa, _, exponent = digits.lower().partition("e")
    whole, _, fraction = mantissa.partition(".")
    power += int(exponent or 0) - len(fraction)
    if abs(power) > _LONGEST:
        return float(f"{mantissa}e{exponent}")
    number = int(whole + fraction)
    if power >= 0:
        return int(number * 10**power)
    quotient, rest = divmod(number, 10**-power)
    return quotient if rest == 0 else float(f"{number}e{power}")


def read_name(text: str) -> str | None:
    """A name in Unicode's composed form; None when it is no identifier."""
    name = text if text.isascii() else unicodedata.normalize("NFC", text)
    return name if name.isidentifier() else None


def unquote(text: str) -> str:
    """The string that a literal stands for: `\\"` and `\\\\` are escapes, all else is itself."""
    return text[1:-1].replace("\\\\", "\0").replace('\\"', '"').replace("\0", "\\")


def quote(value: str) -> str:
    """The literal that stands for a string."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
