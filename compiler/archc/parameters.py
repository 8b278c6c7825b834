"""`--params FILE.yaml`: the keys and values of `-p` in a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from archc.pipeline import Written

__all__ = ["ParametersError", "read_parameters"]


LARGEST_FILE = 1 << 18

_TAG = "tag:yaml.org,2002:"
_KINDS = {"int", "float", "bool", "str", "null", "seq", "map"}


class ParametersError(Exception):
    """A file of hyperparameters that cannot be used; the message says which and why."""


def read_parameters(path: Path) -> tuple[tuple[str, Any], ...]:
    """Read a YAML mapping of the names and values that `-p` takes.

    A plain word means what it means after `-p` (`unit: Bottleneck`, `C: 16k`); a quoted one is a
    string.

    Args:
        path: the file.

    Returns:
        Pairs of name and value, values being numbers, booleans, or `Written` expressions.

    Raises:
        ParametersError: when the file cannot be read, is too large, is not YAML, has a key twice,
            or is not a mapping of names to numbers, strings, yes or no, and lists of those.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST_FILE + 1)
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise ParametersError(f"{path} is not UTF-8 text") from None
    except OSError as error:
        raise ParametersError(f"cannot read {path}: {(error.strerror or '').lower()}") from None
    if len(data) > LARGEST_FILE:
        raise ParametersError(f"{path} has more than {LARGEST_FILE:,} bytes")
    return tuple([(name, _value(path, name, node)) for name, node in _pairs(path, text)])


def _pairs(path: Path, text: str) -> list[tuple[str, Any]]:
    import yaml

    try:
        # An alias could make a short file a value without end.
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, yaml.SafeLoader)):
            raise ParametersError(f"{path} has an alias (*name), which is not supported")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except (yaml.YAMLError, RecursionError) as error:
        raise ParametersError(f"{path} is not YAML: {_first_line(error)}") from None
    if root is None:
        return []
    if not isinstance(root, yaml.MappingNode):
        raise ParametersError(f"{path} should be a mapping such as `classes: 10`")
    names: list[tuple[str, Any]] = []
    for key, value in root.value:
        if not isinstance(key, yaml.ScalarNode):
            raise ParametersError(f"{path}:{key.start_mark.line + 1}: a key should be a name")
        if key.value in dict(names):
            raise ParametersError(f"{path}:{key.start_mark.line + 1}: {key.value} is given twice")
        names.append((key.value, value))
    return names


def _value(path: Path, name: str, node: Any) -> Written:
    from archc.pipeline import Written

    where = f"{path}:{node.start_mark.line + 1}: {name}"
    return Written(_text(where, node, depth=0))


def _text(where: str, node: Any, depth: int) -> str:
    """The expression of the language that says what the YAML says."""
    import yaml

    if node.tag.removeprefix(_TAG) not in _KINDS:
        raise ParametersError(f"{where} is of a kind that is not supported: {node.tag}")
    if isinstance(node, yaml.SequenceNode) and depth < 20:
        return "[" + ", ".join([_text(where, item, depth + 1) for item in node.value]) + "]"
    if not isinstance(node, yaml.ScalarNode):
        raise ParametersError(
            f"{where} should be a number, a string, yes or no, or a list of those"
        )
    if node.style is not None:
        return '"' + str(node.value).replace("\\", "\\\\").replace('"', '\\"') + '"'
    if node.tag == f"{_TAG}bool":
        return "yes" if node.value.lower() in ("yes", "true", "on") else "no"
    if node.tag == f"{_TAG}null":
        raise ParametersError(f"{where} has no value")
    return str(node.value)


def _first_line(error: Exception) -> str:
    problem = getattr(error, "problem", None) or str(error).split("\n")[0]
    mark = getattr(error, "problem_mark", None)
    return f"line {mark.line + 1}: {problem}" if mark is not None else str(problem)
