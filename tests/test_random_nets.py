"""Random programs: what holds of every program, held on a fixed number of them."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import pytest

import soak
from archc.op import REGISTRY
from properties import PROPERTIES
from random_maps import write_maps
from random_nets import write_program
from random_sequences import write_sequences
from typed_sources import complaints, write_sources

# For each property, half of them on sequences; `python -m tests.soak` runs as many as there is time
# for.
PROGRAMS = 200
SOURCES = 520


@pytest.mark.parametrize("part", range(4))
@pytest.mark.parametrize("holds", PROPERTIES, ids=lambda one: one.__name__)
def test_what_holds_of_every_program(holds: soak.Property, part: int) -> None:
    for seed in range(part * PROGRAMS // 4, (part + 1) * PROGRAMS // 4):
        failure = soak.failure_of(holds, seed)
        assert failure is None, f"seed {seed}:\n{failure}"


def test_sources_are_typed_and_formatted(tmp_path: Path) -> None:
    folder = tmp_path / "sources"
    folder.mkdir()
    texts = [(seed, soak.program_of(seed).text) for seed in range(SOURCES)]
    assert write_sources(texts, folder) == SOURCES
    assert complaints(folder, tmp_path / "cache") == ""


def test_the_writer_writes_everything() -> None:
    texts = "\n".join([write_program(Random(seed)).text for seed in range(300)])
    constructs = (
        "]*3", "for c in", "for c, n in zip", "] if depth", " else [", "+ ID }", "| ID }", "ID * [",
        "} -> CONCAT", "} -> SELECT(1)", "share ", "param ", " as s", "Around", "Unit", "x1 = ",
        "when training", "out p = ", "for c in [", "[0]", "u(c)", "(Unit", "(CONV, ", "SEQUENCE(",
        "INPUT(3)", "INPUT(3, 13)", "INPUT(3, 13, 17, 19)",
    )  # fmt: skip
    assert [one for one in constructs if one not in texts] == []


def test_the_writer_of_sequences_writes_everything() -> None:
    texts = "\n".join([write_sequences(Random(seed)).text for seed in range(400)])
    constructs = (
        "h[t-1]", "h[t-2]", "h[t-3]", "c[t-1]", "x[t-1]", "w[t]", "h[0] = first", "in x, w",
        "(n, first)", "memory)", "context", "-> SPLIT(4)", "out { h[t] | x[t] }", "-> BN] +",
        "RNN(", "GRU(", "LSTM(", "layers=2", "bidirectional=yes", "bias=one", "bias=no",
        "ATTENTION(", "kv=", "kv_heads=", "causal=yes", "rope=", "window=3", "MASK(causal)",
        "MASK(window, 3)", "q @ k'", "ROPE(", "POSENC", "POSEMBED", "TOKENS(7, 19)", "EMBED(",
        "SEQUENCE(11,", "v = INPUT(", "REVERSE -> Cell", ".state ->", ".state.h", ".state.c",
        "LAST", "FIRST", "MEAN(axis=t)", "MAX(axis=t)", "REPEAT(7)", "SOFTMAX(axis=t)",
        "pad=causal", "y[t-1]", "out y = h[t]", "ARGMAX -> EMBED", "UNEMBED(table)", "RESHAPE(",
        "TRANSPOSE",
    )  # fmt: skip
    assert [one for one in constructs if one not in texts] == []


def test_the_writer_of_maps_writes_everything() -> None:
    texts = "\n".join([write_maps(Random(seed)).text for seed in range(200)])
    constructs = (
        "CONV(4*n, 3) -> SPLIT(4)", "y[t-1] -> CONV", "out { h[t] | x[t] }", "h[t-2]", "r * h[t-1]",
        "REVERSE -> Cell", "| ID }", "]*2", "GAP -> LSTM", "LAST -> CONV", "-> GMP",
        "[x[t] -> GAP -> FC(n) -> SIGMOID]",
    )  # fmt: skip
    assert [one for one in constructs if one not in texts] == []


def test_the_writers_draw_every_operator() -> None:
    texts = "\n".join([soak.program_of(seed).text for seed in range(2000)])
    drawn = set(re.findall(r"[A-Z][A-Z0-9]+", texts))
    names = {op.name for op in REGISTRY.all() if not op.internal and op.family != "user"}
    # Random numbers; a module of doubles has no vectors of ones that are double; a size that has to
    # be known; what is written @.
    assert names - drawn == {"NOISE", "ONEHOT", "RELPOS", "MATMUL"}


def test_a_soak_prints_its_totals(capsys: pytest.CaptureFixture[str]) -> None:
    assert soak.main(["--programs", "2", "--seed", "7"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith(f"2 programs from seed 7, {2 * len(PROPERTIES)} checks, 0 failures, ")


def test_a_soak_of_types_prints_its_totals(capsys: pytest.CaptureFixture[str]) -> None:
    assert soak.main(["--types", "--programs", "3", "--seed", "7"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("3 programs from seed 7, 3 checks, 0 failures, ")
