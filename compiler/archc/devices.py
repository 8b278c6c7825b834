"""Devices that speed is estimated for: peak rates and bandwidths, shipped or from a user's file."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from archc.cost import BYTES
from archlang.record import Record
from archlang.suggest import closest

__all__ = ["Device", "DeviceError", "device", "devices"]

LARGEST_FILE = 1 << 18
_SHIPPED = Path(__file__).parent / "devices.yaml"
_KEYS = ("name", "source", "bandwidth", "rates")


class DeviceError(ValueError):
    """A device that there is not, or a file of devices that cannot be used."""


class Device(Record):
    """What bounds a device.

    Args:
        key: as users name it ("a100-80").
        name: its full name.
        source: who states the figures.
        bandwidth: of its memory, in GB/s (10**9 bytes).
        rates: peak rates by dtype, in TFLOP/s (10**12 operations).
    """

    key: str
    name: str
    source: str
    bandwidth: float
    rates: tuple[tuple[str, float], ...]

    def rate(self, dtype: str) -> float:
        """The peak rate for a dtype in operations per second.

        Raises:
            DeviceError: when nobody states one.
        """
        rates = dict(self.rates)
        if dtype not in rates:
            known = ", ".join(rates)
            raise DeviceError(f"no rate of {self.key} is known for {dtype}; there is {known}")
        return rates[dtype] * 1e12


def devices(path: Path | None = None) -> dict[str, Device]:
    """The shipped devices, and those of a file, which may replace some of them.

    Raises:
        DeviceError: when the file cannot be read or says something else; it names the line.
    """
    return {**_shipped(), **(_read(path) if path is not None else {})}


def device(key: str, path: Path | None = None) -> Device:
    """The device of that name.

    Raises:
        DeviceError: as `devices`, and for an unknown name, with what there is.
    """
    known = devices(path)
    if key in known:
        return known[key]
    near = closest(key, known)
    meant = f"did you mean {near[0]}? " if near else ""
    raise DeviceError(f"there is no device {key}; {meant}There are {', '.join(known)}")


@cache
def _shipped() -> dict[str, Device]:
    return _read(_SHIPPED)


def _read(path: Path) -> dict[str, Device]:
    import yaml

    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST_FILE + 1)
        if len(data) > LARGEST_FILE:
            raise DeviceError(f"{path} has more than {LARGEST_FILE:,} bytes")
        root = yaml.compose(data.decode("utf-8"), Loader=yaml.SafeLoader)
    except UnicodeDecodeError:
        raise DeviceError(f"{path} is not UTF-8 text") from None
    except OSError as error:
        raise DeviceError(f"cannot read {path}: {(error.strerror or '').lower()}") from None
    except (yaml.YAMLError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f":{mark.line + 1}" if mark is not None else ""
        raise DeviceError(f"{path}{line}: this is not YAML") from None
    return {} if root is None else _devices(path, root)


def _devices(path: Path, root: Any) -> dict[str, Device]:
    return {key: _device(path, key, node) for key, node in _entries(path, root, "devices").items()}


def _device(path: Path, key: str, node: Any) -> Device:
    entries = _entries(path, node, key)
    for name, value in entries.items():
        if name not in _KEYS:
            raise _wrong(path, value, f"{key} has no {name}; there is {', '.join(_KEYS)}")
    for name in ("bandwidth", "rates"):
        if name not in entries:
            raise _wrong(path, node, f"{key} does not say its {name}")
    rates = _entries(path, entries["rates"], f"rates of {key}")
    for dtype, value in rates.items():
        if dtype not in BYTES:
            raise _wrong(path, value, f"{dtype} is no dtype; there is {', '.join(BYTES)}")
    return Device(
        key,
        _text(path, entries.get("name"), key),
        _text(path, entries.get("source"), str(path)),
        _number(path, entries["bandwidth"], f"the bandwidth of {key}"),
        tuple([(d, _number(path, v, f"{d} of {key}")) for d, v in rates.items()]),
    )


def _entries(path: Path, node: Any, what: str) -> dict[str, Any]:
    import yaml

    if not isinstance(node, yaml.MappingNode):
        raise _wrong(path, node, f"{what} should be a mapping of names to values")
    found: dict[str, Any] = {}
    for key, value in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _wrong(path, key, "a key should be a name")
        if key.value in found:
            raise _wrong(path, key, f"{key.value} is given twice")
        found[key.value] = value
    return found


def _number(path: Path, node: Any, what: str) -> float:
    try:
        value = float(node.value) if isinstance(node.value, str) else 0.0
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise _wrong(path, node, f"{what} should be a number above 0")
    return value


def _text(path: Path, node: Any, otherwise: str) -> str:
    if node is None:
        return otherwise
    if not isinstance(node.value, str):
        raise _wrong(path, node, "name and source are text")
    return str(node.value)


def _wrong(path: Path, node: Any, message: str) -> DeviceError:
    return DeviceError(f"{path}:{node.start_mark.line + 1}: {message}")
