"""Texts that mean harm, small ones as they are and large ones by the rule that makes them."""

from __future__ import annotations

NET = "net n = INPUT(3, 8, 8) -> "


def _doubling(files: int) -> dict[str, str]:
    """Each file imports the next one twice, under two names."""
    made = {
        f"f{i}.arch": f'from "f{i + 1}.arch" import B as C, B as D\nblock B = C -> D\n'
        for i in range(files)
    }
    return {**made, f"f{files}.arch": "block B = FC(3)\n"}


# The first file of each is the one that is given to the tool.
CORPUS: dict[str, dict[str, str | bytes]] = {
    "exponential imports": {
        "net.arch": 'from "f0.arch" import B\nnet n = INPUT(3) -> B\n',
        **_doubling(40),
    },
    "nested repeats": {"net.arch": NET + "[" * 8 + "CONV(3)" + "]*999999999" * 8},
    "a repeat of different copies": {"net.arch": "net n = INPUT(1) -> [{ ID | ID }]*62\n"},
    "a long name": {"net.arch": f"net {'n' * 100_000} = INPUT(3) -> FC(3)\n"},
    "names by the thousand": {
        "net.arch": "".join([f"block B{i}(a{i}=1) = FC(a{i})\n" for i in range(7_000)])
        + "net n = INPUT(3) -> B6999\n"
    },
    "text from right to left": {
        "net.arch": "net n = INPUT(3) -> FC(3) # \u202e )3(CF\n## \u202e\u2066 x\n"
    },
    "a name from right to left": {"net.arch": "net n\u202e = INPUT(3) -> FC(3)\n"},
    "combining characters": {"net.arch": f"net n{chr(0x301) * 100_000} = INPUT(3) -> FC(3)\n"},
    "letters that look alike": {"net.arch": "net n = INPUT(3) -> F\u0421(3)\n"},
    "a zero byte": {"net.arch": b"net n = INPUT(3) \x00 -> FC(3)\n"},
    "other zero bytes": {"net.arch": b"\x00" * 200_000},
    "UTF-16": {"net.arch": "net n = INPUT(3) -> FC(3)".encode("utf-16")},
    "surrogates": {"net.arch": b"net n = INPUT(3) # \xed\xa0\x80\n"},
    "mixed line ends": {"net.arch": b"net n =\r\n INPUT(3)\r -> FC(3)\n\r -> KONV(3)\r\n"},
    "tabs": {"net.arch": "\tnet n =\t\tINPUT(3)\t->\tKONV(3)\n"},
    "a line of 100 MB": {"net.arch": b"x" * 100_000_000},
    "a long line": {"net.arch": "net n = INPUT(3) -> " + "$" * 200_000},
    "a long line of brackets": {"net.arch": "net n = INPUT(3) -> " + "([{" * 80_000},
    "a long line of quotes": {"net.arch": "net n = INPUT(3) -> " + '"' * 200_000},
    "a long line of arrows": {"net.arch": "net n = INPUT(3)" + " -> " * 60_000},
    "a long line of words": {"net.arch": "net n = " + "RELU " * 50_000},
    "many nets": {"net.arch": "".join([f"net n{i} = INPUT(3) -> FC(7)\n" for i in range(9_000)])},
    "many steps": {"net.arch": "net n = INPUT(3)" + " -> FC(3)" * 26_000},
    "many claims": {"net.arch": "net n = INPUT(3) -> FC(3)\n" + "expect params = 12\n" * 13_000},
    "many different layers": {
        "net.arch": "net n = INPUT(1) -> [FC(i) -> [FC(j) for j in range(1, i + 1)] "
        "for i in range(1, 3000)]\n"
    },
    "long documentation": {"net.arch": "## word\n" * 30_000 + "net n = INPUT(3) -> FC(3)\n"},
    "a long pattern": {
        "net.arch": 'net n = INPUT(3, 8, 8) -> RESHAPE("' + "(" * 100_000 + '")\n',
    },
    "a pattern of many axes": {
        "net.arch": 'net n = INPUT(3, 8, 8) -> RESHAPE("c h w -> c h w '
        + " ".join([f"a{i}" for i in range(20_000)]) + '")\n',
    },
}  # fmt: skip
