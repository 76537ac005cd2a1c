"""Changes one value in a YAML text and leaves everything else of it, comments too, as it was written.

Only what our own files use: mappings, lists of entries with an `id`, texts, numbers. The caller reads the result again
and compares it with what it wanted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

LINE_CHARS_MAX = 110
_INDENT = "  "


def put(text: str, steps: Sequence[str], value: Any) -> str:
    """`text` with `value` under `steps` (keys; in a list, an entry's id; none for the whole text); None takes it away.
    "" if nothing is left."""
    root = yaml.compose(text)
    if not steps and value is None:
        return ""
    if root is None or not steps:
        return "" if value is None else _block(_nested(steps, value), "")
    assert isinstance(root, yaml.MappingNode)
    return _put(text, root, list(steps), value)


def _put(text: str, node: yaml.Node, steps: list[str], value: Any) -> str:
    """Go down as far as there is something, then write."""
    path: list[tuple[yaml.Node, str]] = []
    while steps:
        child = _child(node, steps[0])
        path.append((node, steps.pop(0)))
        if child is None or not steps:
            break
        node = child
    holder, step = path[-1]
    if value is None:
        return text if _child(holder, step) is None or steps else _removed(text, path)
    return _written(text, holder, step, _nested(steps, value) if steps else value)


def _written(text: str, holder: yaml.Node, step: str, value: Any) -> str:
    if not isinstance(holder, yaml.MappingNode | yaml.SequenceNode) or (holder.flow_style and holder.value):
        return _in_flow(text, holder, step, value)
    child = _child(holder, step)
    if isinstance(holder, yaml.SequenceNode):
        return _entry_written(text, holder, child, {"id": step} | value)
    indent = " " * holder.start_mark.column
    if child is None:
        at = _end(holder, text)
        return f"{text[:at]}\n{indent}{_key(step)}:{_after_key(value, indent)}{text[at:]}"
    start, end = child.start_mark.index, _end(child, text)
    rest = text[end:].partition("\n")[0].strip()
    said = f" {_flow(value)}" if rest else _after_key(value, indent)
    before = text[:start].rstrip(" \n") if text[:start].rstrip(" \n").endswith(":") else text[:start].rstrip(" ")
    return f"{before}{said}{text[end:]}"


def _in_flow(text: str, holder: yaml.Node, step: str, value: Any) -> str:
    """A mapping on one line is written anew as a whole; what was one text becomes a mapping."""
    now = _plain(holder)
    now = now if isinstance(now, dict) else {}
    now = {key: each for key, each in now.items() if key != step} | ({} if value is None else {step: value})
    start, end = holder.start_mark.index, _end(holder, text)
    return f"{text[:start]}{_flow(now)}{text[end:]}"


def _entry_written(text: str, holder: yaml.SequenceNode, child: yaml.Node | None, entry: Mapping[str, Any]) -> str:
    indent = " " * holder.start_mark.column
    lines = _block(entry, indent + _INDENT).rstrip("\n").lstrip(" ")
    if child is None:
        at = _end(holder, text)
        return f"{text[:at]}\n{indent}- {lines}{text[at:]}"
    return f"{text[: child.start_mark.index]}{lines}{text[_end(child, text) :]}"


def _removed(text: str, path: list[tuple[yaml.Node, str]]) -> str:
    """Without the last step; what would be left empty by that goes as well."""
    holder, step = path[-1]
    if len(holder.value) == 1:
        return _removed(text, path[:-1]) if len(path) > 1 else ""
    if holder.flow_style:  # type: ignore[attr-defined]
        return _in_flow(text, holder, step, None)
    child = _child(holder, step)
    assert child is not None
    key = child if isinstance(holder, yaml.SequenceNode) else _key_node(holder, step)
    start = text.rfind("\n", 0, key.start_mark.index) + 1
    end = text.find("\n", _end(child, text))
    return text[:start] + (text[end + 1 :] if end >= 0 else "")


# --- reading ----------------------------------------------------------------------------------------------------


def _child(node: yaml.Node, step: str) -> yaml.Node | None:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if key.value == step), None)
    if isinstance(node, yaml.SequenceNode):
        return next((entry for entry in node.value if _id_of(entry) == step), None)
    return None


def _key_node(node: yaml.Node, step: str) -> yaml.Node:
    found: yaml.Node = next(key for key, _ in node.value if key.value == step)
    return found


def _id_of(entry: yaml.Node) -> str | None:
    named = _child(entry, "id") if isinstance(entry, yaml.MappingNode) else None
    return str(named.value) if isinstance(named, yaml.ScalarNode) else None


def _end(node: yaml.Node, text: str) -> int:
    """Where a value's last letter stands; a block's own end lies behind the comments that follow it."""
    if isinstance(node, yaml.ScalarNode) or node.flow_style or not node.value:  # type: ignore[attr-defined]
        end = node.end_mark.index
        return len(text[:end].rstrip()) if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">") else int(end)
    last = node.value[-1]
    return _end(last[1] if isinstance(last, tuple) else last, text)


def _plain(node: yaml.Node) -> Any:
    if isinstance(node, yaml.MappingNode):
        return {key.value: _plain(value) for key, value in node.value}
    if isinstance(node, yaml.SequenceNode):
        return [_plain(each) for each in node.value]
    assert isinstance(node, yaml.ScalarNode)
    if node.style is None and node.value in ("true", "false"):
        return node.value == "true"
    return int(node.value) if node.style is None and node.value.isdecimal() else node.value


# --- writing ----------------------------------------------------------------------------------------------------


def _nested(steps: Sequence[str], value: Any) -> Any:
    for step in reversed(steps):
        value = {step: value}
    return value


def _after_key(value: Any, indent: str) -> str:
    """What follows `key:`, on the same line where it fits."""
    if isinstance(value, str) and "\n" in value and not any(line != line.strip() for line in value.split("\n")):
        lines = [f"{indent}{_INDENT}{line}" if line else "" for line in value.split("\n")]
        return " |-\n" + "\n".join(lines)
    flow = _flow(value)
    if len(indent) + len(flow) <= LINE_CHARS_MAX or not isinstance(value, Mapping | list):
        return f" {flow}"
    return "\n" + _block(value, indent + _INDENT).rstrip("\n")


def _block(value: Any, indent: str) -> str:
    if isinstance(value, Mapping):
        return "".join(f"{indent}{_key(key)}:{_after_key(each, indent)}\n" for key, each in value.items())
    return "".join(f"{indent}- {_flow(each)}\n" for each in value)


def _flow(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(key)}: {_flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, str):
        return _text(value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _text(value: str) -> str:
    """A text as it is, in quotes wherever that might mean something else."""
    dumped = yaml.safe_dump([value], default_flow_style=True, allow_unicode=True, width=1_000_000).strip()[1:-1]
    if dumped == value and "\n" not in value:
        return value
    quoted: str = yaml.safe_dump(value, default_style='"', allow_unicode=True, width=1_000_000).strip()
    return quoted


def _key(name: str) -> str:
    return _text(str(name))
