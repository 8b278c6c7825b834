"""Long lines are broken as ruff breaks them, so that generated files are clean without it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archc.emit.layout import WIDTH, statement

RUFF = shutil.which("ruff") or str(Path(sys.executable).parent / "ruff")

NAMES = st.sampled_from(
    ["x", "stage", "in_channels", "self.inception_a1", "특징", "a_rather_long_name"]
)
NUMBERS = st.integers(0, 4096).map(str)
ATOMS = NAMES | NUMBERS


def calls(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Calls, lists, tuples and comprehensions, as generated code has them."""
    arguments = st.lists(inner, min_size=1, max_size=5)
    call = st.tuples(NAMES, arguments).map(lambda t: f"{t[0]}({', '.join(t[1])})")
    keyword = st.tuples(NAMES, arguments, inner).map(
        lambda t: f"{t[0]}({', '.join(t[1])}, padding={t[2]})"
    )
    rows = st.lists(st.tuples(NUMBERS, NUMBERS, NUMBERS), min_size=1, max_size=6).map(
        lambda t: "[" + ", ".join([f"({a}, {b}, {c})" for a, b, c in t]) + "]"
    )
    looped = st.tuples(NAMES, inner, rows).map(lambda t: f"{t[0]}(*[{t[1]} for a, b, c in {t[2]}])")
    counted = st.tuples(NAMES, inner, NUMBERS).map(
        lambda t: f"{t[0]}([{t[1]} for _ in range({t[2]})])"
    )
    joined = arguments.map(lambda t: f"torch.cat(({', '.join(t)},), dim=1)" if len(t) == 1 else
                           f"torch.cat(({', '.join(t)}), dim=1)")  # fmt: skip
    return call | keyword | looped | counted | joined


EXPRESSIONS = st.recursive(ATOMS, calls, max_leaves=12)
STATEMENTS = st.tuples(
    st.sampled_from(["x = ", "return ", "self.stage = ", "y: Tensor = "]), EXPRESSIONS
).map("".join)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STATEMENTS, min_size=40, max_size=60))
def test_statements_are_broken_as_ruff_breaks_them(statements: list[str]) -> None:
    lines = ["class A:", "    def f(self):"]
    for one in statements:
        lines += statement(one, 8)
    text = "\n".join(lines) + "\n"
    done = subprocess.run(
        [RUFF, "format", "--isolated", "--diff", "-q", "-"],
        input=text, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == ""


def _chain(random: Random) -> str:
    """Methods called one behind the other, as a tensor that is rearranged has them."""
    root = random.choice(["x", "self.inception_a1", "F.relu(x)", "self.attention(a_rather_long)"])
    found = random.choice(["x = ", "return "]) + root
    for _ in range(random.randint(1, 6)):
        sizes = [str(random.choice([1, 3, -1, 224])) for _ in range(random.randint(1, 5))]
        found += f".{random.choice(['flatten', 'unflatten', 'permute'])}({', '.join(sizes)})"
    return found


def test_chains_of_calls_are_broken_as_ruff_breaks_them() -> None:
    random = Random(7)
    lines = ["class A:", "    def f(self):"]
    for _ in range(200):
        lines += statement(_chain(random), 8)
    text = "\n".join(lines) + "\n"
    done = subprocess.run(
        [RUFF, "format", "--isolated", "--diff", "-q", "-"],
        input=text, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == ""


def test_signatures_conditions_and_unpacking_are_broken_too() -> None:
    one = ", ".join(["self", *[f"parameter_{i}: int" for i in range(5)]])
    assert len(statement(f"def __init__({one}) -> None:", 4)) == 8
    condition = " or ".join([f"stride_{i} != out_channels_{i}" for i in range(4)])
    broken = statement(f"self.has_conv = {condition}", 8)
    assert broken[0].endswith("= (") and broken[-1] == "        )"
    wide = statement("return " + ", ".join([f"self.output_{i}(features)" for i in range(6)]), 8)
    assert len(wide) == 8
    assert all(len(line) <= WIDTH for line in [*broken, *wide])
