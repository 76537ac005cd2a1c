"""YAML with line numbers, read as data only: no tags, no aliases, no duplicate keys.

YAML 1.1 would read `no`, `012` or `1_000` as something else than what was typed; scalars here are strings, and only
true/false, plain integers and plain decimals become values. Used on the command line alone, never inside Lambda.
"""

from __future__ import annotations

from typing import Any

import yaml

from chalicelib.patterns import pattern
from chalicelib.tenancy.complaints import Complaint, Rejected
from chalicelib.tenancy.document import Document

FILE_BYTES_MAX = 512 * 1024
NESTED_MAX = 40  # things within things: the deepest a town's files go is 12
_INTEGER = pattern(r"-?(0|[1-9]\d{0,15})$")
_DECIMAL = pattern(r"-?\d{1,9}\.\d{1,9}$")


def read(name: str, raw: bytes) -> Document:
    """Parse one file. Raises Rejected with the line of the first thing that is not plain YAML."""
    if len(raw) > FILE_BYTES_MAX:
        raise Rejected([Complaint(name, 0, f"is over {FILE_BYTES_MAX // 1024} kB", "split it or shorten it")])
    try:
        text = raw.decode("utf-8-sig")
        _plain(name, text)
        node = yaml.compose(text, Loader=yaml.SafeLoader)
    except UnicodeDecodeError as error:
        raise Rejected([Complaint(name, 0, "is not UTF-8", "save the file as UTF-8")]) from error
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 0
        raise Rejected([Complaint(name, line, f"is not valid YAML: {error.problem}", "mend the syntax")]) from error
    except yaml.YAMLError as error:
        raise Rejected([Complaint(name, 0, "is not valid YAML", "remove control characters")]) from error
    lines: dict[tuple[str | int, ...], int] = {}
    return Document(name, {} if node is None else _value(name, node, (), lines), lines)


def _plain(name: str, text: str) -> None:
    """Neither aliases nor things nested without end: looked at as they come, before anything is built of them."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.SafeLoader):
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise Rejected([Complaint(name, line, "uses an anchor or alias", "write it out")])
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > NESTED_MAX:
            raise Rejected([Complaint(name, line, f"is nested over {NESTED_MAX} deep", "close the brackets")])


def _value(name: str, node: yaml.Node, path: tuple[str | int, ...], lines: dict[tuple[str | int, ...], int]) -> Any:
    lines[path] = node.start_mark.line + 1
    if node.tag.startswith("!") or node.tag.startswith("tag:yaml.org,2002:python"):
        raise Rejected([Complaint(name, node.start_mark.line + 1, f"uses the tag {node.tag}", "remove the tag")])
    if isinstance(node, yaml.MappingNode):
        return _mapping(name, node, path, lines)
    if isinstance(node, yaml.SequenceNode):
        return [_value(name, item, (*path, index), lines) for index, item in enumerate(node.value)]
    return _scalar(node)


def _mapping(
    name: str, node: yaml.MappingNode, path: tuple[str | int, ...], lines: dict[tuple[str | int, ...], int]
) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for key_node, value_node in node.value:
        line = key_node.start_mark.line + 1
        if not isinstance(key_node, yaml.ScalarNode):
            raise Rejected([Complaint(name, line, "a key must be text", "write a word before the colon")])
        key = str(key_node.value)
        if key in result:
            raise Rejected([Complaint(name, line, f'the key "{key}" stands twice', "keep one of them")])
        result[key] = _value(name, value_node, (*path, key), lines)
        lines[(*path, key)] = line
    return result


def _scalar(node: yaml.Node) -> Any:
    text = str(node.value)
    if getattr(node, "style", None) is not None:
        return text
    if text in ("true", "false"):
        return text == "true"
    if text in ("", "~", "null"):
        return None
    if _INTEGER.match(text):
        return int(text)
    return float(text) if _DECIMAL.match(text) else text
