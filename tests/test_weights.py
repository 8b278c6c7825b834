"""What `archc weights` matches, what it refuses, and that a file runs nothing."""

from __future__ import annotations

import json
import os
import pickle
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

import archc
from archc.torch import WeightsError
from cli_harness import run

SMALL = "net Small = INPUT(3, 11, 13) -> CONV(5) -> BN -> RELU -> GAP -> FC(7)\n"


@pytest.fixture(autouse=True)
def _there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("small.arch").write_text(SMALL)


def state(**shapes: tuple[int, ...]) -> dict[str, Tensor]:
    """Random tensors by name; `__` stands for a dot."""
    return {name.replace("__", "."): torch.randn(shape) for name, shape in shapes.items()}


def theirs() -> dict[str, Tensor]:
    made = nn.Sequential(
        nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5), nn.ReLU(), nn.Flatten(), nn.Linear(5, 7)
    )
    return dict(made.state_dict())


def where(text: str, given: dict[str, Tensor], **options: Any) -> dict[str, str]:
    """The first tensor of each layer of the file, and the first of where it goes."""
    layers = archc.load(source=text).weights(given, **options).to_dict()["layers"]
    return {layer["file"][0]: layer["net"][0] for layer in layers}


def reasons(text: str, given: dict[str, Tensor]) -> set[str]:
    layers = archc.load(source=text).weights(given).to_dict()["layers"]
    return {layer["decided_by"] for layer in layers}


def refusal(text: str, given: Any, **options: Any) -> str:
    with pytest.raises(WeightsError) as caught:
        archc.load(source=text).weights(given, **options)
    return str(caught.value)


def test_the_command_shows_the_mapping_and_writes_the_state() -> None:
    torch.save(theirs(), "theirs.pth")
    done = run("weights", "small.arch", "--from", "theirs.pth", "-o", "ours.safetensors")
    assert (done.status, done.err) == (0, "wrote ours.safetensors\n")
    assert done.out.splitlines()[:5] == [
        "in the file  in the net  shapes      decided by",
        "───────────────────────────────────────────────",
        "0            conv        5×3×3×3, 5  shape",
        "1            bn          5, 5        shape",
        "4            fc          7×5, 7      shape",
    ]
    made = archc.compile("small.arch")
    made.load_state_dict(load_file("ours.safetensors"), strict=True)
    assert torch.equal(made.state_dict()["fc.weight"], torch.load("theirs.pth")["4.weight"])


def test_the_mapping_as_json() -> None:
    save_file(theirs(), "theirs.safetensors")
    done = run("weights", "small.arch", "--from", "theirs.safetensors", "--json")
    first = json.loads(done.out)["layers"][0]
    assert first == {
        "file": ["0.bias", "0.weight"], "net": ["conv.weight", "conv.bias"],
        "shapes": [[5, 3, 3, 3], [5]], "decided_by": "shape", "changes": [],
    }  # fmt: skip


def test_a_file_of_the_net_itself_goes_by_names() -> None:
    text = "net Two = INPUT(5) -> FC(5) -> FC(5)\n"
    own = archc.load(source=text).to_torch().state_dict()
    assert reasons(text, dict(sorted(own.items()))) == {"name"}


@pytest.mark.parametrize("key", ["state_dict", "model"])
def test_a_checkpoint_with_one_state_dict(key: str) -> None:
    checkpoint = {key: theirs(), "epoch": 3, "optimizer": {"state": {0: {"step": torch.ones(())}}}}
    torch.save(checkpoint, "theirs.pth")
    assert run("weights", "small.arch", "--from", "theirs.pth").status == 0


def test_a_checkpoint_with_two() -> None:
    torch.save({"model": theirs(), "model_ema": theirs()}, "theirs.pth")
    done = run("weights", "small.arch", "--from", "theirs.pth")
    assert done.status == 2
    assert "several state_dicts; save one of them alone:\n  model\n  model_ema" in done.err


def test_batch_norms_of_old_files_have_no_counter() -> None:
    given = {name: t for name, t in theirs().items() if "num_batches" not in name}
    made = archc.load(source=SMALL).weights(given).state_dict()
    assert made["bn.num_batches_tracked"] == 0


def test_what_is_no_tensor_is_said_to_be_left_out() -> None:
    given: dict[str, Any] = {**theirs(), "version": 3}
    assert archc.load(source=SMALL).weights(given).dropped == {"version": "no tensor"}


def test_the_type_of_the_file_is_kept() -> None:
    given = {name: t.bfloat16() if t.is_floating_point() else t for name, t in theirs().items()}
    assert archc.load(source=SMALL).weights(given).state_dict()["fc.bias"].dtype == torch.bfloat16


BESIDE = "net Beside = INPUT(5) -> { FC(7) -> RELU -> FC(7) + FC(7) } -> FC(3)\n"


def linear(**sizes: tuple[int, int]) -> dict[str, Tensor]:
    made = {}
    for name, (outputs, inputs) in sizes.items():
        made[f"{name}.weight"] = torch.randn(outputs, inputs)
        made[f"{name}.bias"] = torch.randn(outputs)
    return made


def test_what_lies_on_either_of_two_branches_is_refused() -> None:
    text = "net Fork = INPUT(5) -> { FC(7) -> RELU + FC(7) } -> FC(3)\n"
    given = linear(left=(7, 5), right=(7, 5), last=(3, 7))
    assert refusal(text, given) == (
        "the match is not unique:\n  left could be fc1 or fc2\n  right could be fc2 or fc1\n"
        "--match left=fc1 would decide the first"
    )
    assert where(text, given, match={"left": "fc2"})["left.weight"] == "fc2.weight"
    assert where(text, given, match={"left": "fc1"})["left.weight"] == "fc1.weight"


def test_modules_are_matched_by_hand_too() -> None:
    text = (
        "block Two = FC(7) -> RELU -> FC(7)\n"
        "net Towers = INPUT(7) -> { Two -> TANH + Two } -> FC(3)\n"
    )
    given = linear(
        **{"left.a1": (7, 7), "left.a2": (7, 7), "right.a1": (7, 7), "right.a2": (7, 7)},
        last=(3, 7),
    )
    assert "left could be two1.fc1 or two2.fc1" in refusal(text, given)
    found = where(text, given, match={"left": "two2"})
    assert found["left.a2.weight"] == "two2.fc2.weight"
    assert found["right.a1.weight"] == "two1.fc1.weight"


def test_words_say_which_branch_is_which() -> None:
    text = "net Fork = INPUT(5) -> { FC(7) + FC(7) -> RELU -> FC(7) -> SILU } -> FC(3)\n"
    given = linear(shortcut=(7, 5), conv1=(7, 5), conv2=(7, 7), last=(3, 7))
    assert where(text, given)["shortcut.weight"] == "fc1.weight"
    gated = "net Gated = INPUT(5) -> { FC(7) * FC(7) -> SILU } -> FC(5)\n"
    given = linear(gate_proj=(7, 5), up_proj=(7, 5), down_proj=(5, 7))
    assert where(gated, given)["gate_proj.weight"] == "fc2.weight"
    assert "word" in reasons(gated, given)


def test_layers_one_after_the_other_go_by_the_order_of_the_file() -> None:
    text = "net Row = INPUT(5) -> FC(5) -> RELU -> FC(5) -> RELU -> FC(3)\n"
    given = linear(zeta=(5, 5), alpha=(5, 5), omega=(3, 5))
    assert where(text, given)["zeta.weight"] == "fc1.weight"
    assert "order" in reasons(text, given)
    # Sorted names say nothing.
    assert "alpha could be fc1 or fc2" in refusal(text, dict(sorted(given.items())))


def test_too_many_ways_are_not_looked_at() -> None:
    text = "net Row = INPUT(5) -> [FC(5) -> RELU]*7\n"
    given = linear(**dict.fromkeys("gfedcba", (5, 5)))
    assert "the match is not unique" in refusal(text, given)


def test_numbers_count_where_the_file_has_no_order() -> None:
    text = "net Row = INPUT(5) -> [FC(5) -> RELU]*12\n"
    given = dict(sorted(linear(**{f"fc{number}": (5, 5) for number in range(12)}).items()))
    found = where(text, given)
    assert list(found)[9:] == ["fc9.bias", "fc10.bias", "fc11.bias"]


def test_lists_of_layers_beside_lists_of_norms() -> None:
    text = "net Lists = INPUT(5, 11, 11) -> [CONV(5) -> BN -> RELU]*4\n"
    given: dict[str, Tensor] = {}
    for number in range(4):
        given |= nn.Conv2d(5, 5, 3).state_dict(prefix=f"convs.{number}.")
    for number in range(4):
        given |= nn.BatchNorm2d(5).state_dict(prefix=f"norms.{number}.")
    found = where(text, given)
    assert [name for name in found if name.startswith("norms")] == [
        f"norms.{number}.weight" for number in range(4)
    ]


def test_old_normalisations_have_gamma_and_beta() -> None:
    text = "net Normed = INPUT(5) -> LN -> FC(3)\n"
    given = state(norm__gamma=(5,), norm__beta=(5,), out__weight=(3, 5), out__bias=(3,))
    made = archc.load(source=text).weights(given).state_dict()
    assert torch.equal(made["ln.weight"], given["norm.gamma"])
    assert torch.equal(made["ln.bias"], given["norm.beta"])


def test_layers_that_the_net_has_not_are_listed_and_can_be_left_out() -> None:
    given = theirs() | linear(**{"aux.fc1": (11, 5), "aux.fc2": (7, 11)})
    assert refusal(SMALL, given) == (
        "the weights are not of this net\nin the file, and not in the net:\n"
        "  aux.fc1 11×5, 11\n  aux.fc2 7×11, 7\n--skip aux would leave those out"
    )
    torch.save(given, "theirs.pth")
    done = run("weights", "small.arch", "--from", "theirs.pth", "--skip", "aux")
    assert done.status == 0
    assert "left out aux.fc1.weight: --skip" in done.out


def test_another_number_of_classes_is_said_on_both_sides() -> None:
    given = theirs() | {"4.weight": torch.zeros(9, 5), "4.bias": torch.zeros(9)}
    assert refusal(SMALL, given) == (
        "the weights are not of this net\nin the file, and not in the net:\n  4 9×5, 9\n"
        "in the net, and not in the file:\n  fc 7×5, 7"
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--skip", "auxx"], "--skip auxx: the file has nothing of the name auxx"),
        (["--match", "0=convv"], "the net has nothing of the name convv; did you mean conv?"),
        (["--match", "1=conv"], "--match 1=conv: the file does not fit"),
        (["--match", "1"], "'1' should be THEIRS=OURS"),
        (["-o", "ours.h5"], "ours.h5: the suffix must be .safetensors, .pth, .pt, .bin or .ckpt"),
        (["-o", "no/ours.pth"], "cannot write no/ours.pth: no such file or directory"),
    ],
)
def test_what_the_command_line_says_wrongly(options: list[str], message: str) -> None:
    torch.save(theirs(), "theirs.pth")
    done = run("weights", "small.arch", "--from", "theirs.pth", *options)
    assert (done.status, done.out) == (2, "")
    assert message in done.err
    assert {path.name for path in Path().iterdir()} == {"small.arch", "theirs.pth"}


class Hostile:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch it-ran",)


def _hostile(path: Path, whole: bool) -> None:
    if whole:
        torch.save({**theirs(), "0.weight": Hostile()}, path)
    else:
        path.write_bytes(pickle.dumps(Hostile()))


@pytest.mark.parametrize("suffix", [".pth", ".pt", ".bin", ".ckpt"])
@pytest.mark.parametrize("whole", [True, False])
def test_a_pickle_runs_nothing(suffix: str, whole: bool) -> None:
    source = Path(f"theirs{suffix}")
    _hostile(source, whole)
    done = run("weights", "small.arch", "--from", str(source), "-o", "ours.pth")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(f"Error: {source} asks for ") or "cannot read" in done.err
    assert "Traceback" not in done.err
    assert not Path("it-ran").exists() and not Path("ours.pth").exists()


def test_a_whole_module_is_refused_with_what_to_save() -> None:
    torch.save(nn.Linear(5, 7), "theirs.pth")
    done = run("weights", "small.arch", "--from", "theirs.pth")
    assert done.status == 2
    assert "asks for torch.nn.modules.linear.Linear" in done.err
    assert "save module.state_dict() instead" in done.err


def _damaged() -> dict[str, bytes]:
    torch.save(theirs(), "whole.pth")
    save_file(theirs(), "whole.safetensors")
    pth, safe = Path("whole.pth").read_bytes(), Path("whole.safetensors").read_bytes()
    with zipfile.ZipFile("zip.pth", "w") as archive:
        archive.writestr("archive/data.pkl", b"no pickle")
    return {
        "empty.pth": b"", "empty.safetensors": b"", "text.pth": b"hello\n",
        "text.safetensors": b"hello, this is text\n", "half.pth": pth[: len(pth) // 2],
        "half.safetensors": safe[: len(safe) // 2], "safe.pth": safe, "pickle.safetensors": pth,
        "zip.pth": Path("zip.pth").read_bytes(),
        "long.safetensors": (2**63).to_bytes(8, "little") + b"{}",
    }  # fmt: skip


def test_damaged_files_are_said_to_be_so() -> None:
    for name, data in _damaged().items():
        Path(name).write_bytes(data)
        done = run("weights", "small.arch", "--from", name)
        assert (done.status, done.out) == (2, ""), name
        expected = f"cannot read {name}: it is no file of weights as its suffix says, or damaged"
        assert done.err == f"Error: {expected}\n"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere.pth", "cannot read nowhere.pth: no such file or directory"),
        ("small.arch", "the suffix must be .safetensors"),
        ("folder.pth", "cannot read folder.pth: is a directory"),
    ],
)
def test_files_that_cannot_be_read(name: str, message: str) -> None:
    Path("folder.pth").mkdir()
    done = run("weights", "small.arch", "--from", name)
    assert done.status == 2
    assert message in done.err


@pytest.mark.parametrize(
    "given",
    [
        [torch.zeros(3)],
        {"a": 3},
        {3: torch.zeros(3)},
        {"a\x1b[31m": torch.zeros(3)},
        {".".join("a" * 500): torch.zeros(3)},
        {"a": torch.zeros(3, 5).to_sparse()},
    ],
)
def test_files_that_hold_no_state_dict(given: Any) -> None:
    torch.save(given, "theirs.pth")
    done = run("weights", "small.arch", "--from", "theirs.pth")
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith("Error: theirs.pth")
    assert "\x1b" not in done.err


def test_safetensors_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    save_file(theirs(), "theirs.safetensors")
    torch.save(theirs(), "theirs.pth")
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.setitem(sys.modules, "safetensors.torch", None)
    for arguments in (
        ["--from", "theirs.safetensors"],
        ["--from", "theirs.pth", "-o", "ours.safetensors"],
    ):
        done = run("weights", "small.arch", *arguments)
        expected = "safetensors files need safetensors: pip install 'arch-lang[torch]'"
        assert (done.status, done.err) == (2, f"Error: {expected}\n")


def test_export_takes_them() -> None:
    torch.save(theirs(), "theirs.pth")
    done = run("export", "small.arch", "-o", "small.pt2", "--weights", "theirs.pth")
    assert (done.status, done.err) == (0, "wrote small.pt2\n")
    model = archc.load("small.arch")
    made = model.to_torch(weights=model.weights("theirs.pth").state_dict()).eval()
    images = torch.randn(2, 3, 11, 13)
    exported = torch.export.load("small.pt2").module()
    torch.testing.assert_close(exported(images), made(images))


def test_export_refuses_others() -> None:
    torch.save(linear(fc=(3, 5)), "theirs.pth")
    done = run("export", "small.arch", "-o", "small.pt2", "--weights", "theirs.pth")
    assert done.status == 2
    assert "the weights are not of this net" in done.err
    assert not Path("small.pt2").exists()
