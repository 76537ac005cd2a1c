"""What a town's admins changed in the console, laid over what its applied files say. Pure.

A path names one value or one unit: `procedures/birth/fee/sr`, `contacts/offices/registry/phones`,
`phrases/doc.birth/examples/sr`, `texts/sr/greeting`, or a whole sheet that only the console has, `procedures/parking`.
An edit keeps what the files said when it was made, so that applying newer files notices whether both changed the same.
"""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chalicelib.small_classes import dataclass, replace
from chalicelib.tenancy.schema import UNCONFIRMED

# What all of a town's files say, sheets with the library's under them: {"tenant", "services", "contacts",
# "procedures": by id, "phrases": by node, "texts": by language}.
Source = Mapping[str, Any]


EDITABLE = ("procedures/", "contacts/offices/", "phrases/", "texts/")
EDITS_MAX = 1000  # in force, over a town's files; fold them into the files before there are more
DRAFTS_MAX = 80  # not published yet: they leave in the one transaction that publishes them
_MAY_BE_EMPTY = ("procedures", "phrases", "texts")
PATH_CHARS_MAX = 160
VALUE_BYTES_MAX = 32_000


@dataclass(frozen=True, slots=True)
class Edit:
    """One value the console gives. `value` None: the console took it away; `base`: what the files said, None nothing;
    `by` whom and `at` when. `v` is the stored version of a draft."""

    path: str
    value: Any
    base: Any = None
    by: str = ""
    at: int = 0
    v: int = 0

    @property
    def data(self) -> dict[str, Any]:
        """As it is kept with a version."""
        return {"value": self.value, "base": self.base, "by": self.by, "at": self.at}


Edits = Mapping[str, Edit]


@dataclass(frozen=True, slots=True)
class Clash:
    """A path that both the files and the console changed since the files were last applied."""

    path: str
    yaml: Any
    console: Any


def edits_from(data: Mapping[str, Mapping[str, Any]]) -> dict[str, Edit]:
    """Edits as a version keeps them."""
    return {path: Edit(path, **one) for path, one in data.items()}


def edits_data(edits: Edits) -> dict[str, dict[str, Any]]:
    """The same the other way round."""
    return {path: edits[path].data for path in sorted(edits)}


def digest(edits: Edits) -> str:
    """A fingerprint of what the edits say, whoever made them."""
    said = [(path, edits[path].value) for path in sorted(edits)]
    return hashlib.sha256(json.dumps(said, ensure_ascii=False, sort_keys=True).encode()).hexdigest()[:16]


# --- where things stand -----------------------------------------------------------------------------------------


def value_at(source: Source, path: str) -> Any:
    """What stands there; None if nothing does. A text said once for every language stands under each of them."""
    node: Any = source
    for step in path.split("/"):
        if isinstance(node, str):
            return node
        node = _child(node, step)
        if node is None:
            return None
    return node


def file_of(path: str) -> str:
    """The file of a town's folder in which a path stands."""
    room, *rest = path.split("/")
    if room == "procedures":
        return f"procedures/{rest[0]}.yaml"
    return f"texts.{rest[0]}.yaml" if room == "texts" else f"{room}.yaml"


def path_in(file: str, data: Any, steps: Sequence[str | int], under: Sequence[str | int] = ()) -> str:
    """The path of a place in a file, which may be counted: `contacts.yaml`, (offices, 3, phones) → the office's.
    `data` is what the file says, or what it says `under` there."""
    named: list[str] = [file.removesuffix(".yaml").replace(".", "/"), *map(str, under)]
    for step in steps:
        child = data[step] if isinstance(step, int) and isinstance(data, list) and step < len(data) else None
        if isinstance(child, Mapping) and "id" in child:
            named.append(str(child["id"]))
        else:
            child = data.get(step) if isinstance(data, Mapping) else child
            named.append(str(step))
        data = child
    return "/".join(named)


def _child(node: Any, step: str) -> Any:
    if isinstance(node, Mapping):
        return node.get(step)
    if isinstance(node, list):
        return next((one for one in node if isinstance(one, Mapping) and one.get("id") == step), None)
    return None


# --- laying -----------------------------------------------------------------------------------------------------


def laid(source: Source, edits: Edits) -> dict[str, Any]:
    """What the files say with the edits over it."""
    tree: dict[str, Any] = copy.deepcopy(dict(source))
    languages = [offer["id"] for offer in source["tenant"]["languages"]]
    for path in sorted(edits):  # a whole sheet comes before what stands in it
        if _is_inside_gone(path, edits):
            continue
        _put(tree, path.split("/"), copy.deepcopy(edits[path].value), languages)
    return {room: {} for room in _MAY_BE_EMPTY} | tree


def _is_inside_gone(path: str, edits: Edits) -> bool:
    return any(edits[outer].value is None for outer in _around(path) if outer in edits)


def _around(path: str) -> Iterable[str]:
    steps = path.split("/")
    return ("/".join(steps[:end]) for end in range(1, len(steps)))


def _put(node: Any, steps: list[str], value: Any, languages: Sequence[str]) -> None:
    step, *rest = steps
    if not rest:
        _set(node, step, value)
        return
    child = _child(node, step)
    if not isinstance(child, dict | list):
        if value is None and child is None:
            return
        child = _by_language(child, rest, languages)
        _set(node, step, child)
    _put(child, rest, value, languages)
    if child == {}:
        _set(node, step, None)


def _by_language(said: Any, rest: Sequence[str], languages: Sequence[str]) -> dict[str, Any]:
    """What was said once for all, language by language, so that one of them can be changed."""
    once = isinstance(said, str) and said != UNCONFIRMED and len(rest) == 1 and rest[0] in languages
    return dict.fromkeys(languages, said) if once else {}


def _set(node: Any, step: str, value: Any) -> None:
    if isinstance(node, list):
        at = next((n for n, one in enumerate(node) if isinstance(one, Mapping) and one.get("id") == step), None)
        entry = None if value is None else {"id": step} | value
        if at is None:
            node += [entry] if entry else []
        else:
            node[at : at + 1] = [entry] if entry else []
    elif value is None:
        node.pop(step, None)
    else:
        node[step] = value


def whole(source: Source, path: str) -> Any:
    """An entry of a list as an edit gives it: without the id, which the path says already."""
    value = value_at(source, path)
    return {key: each for key, each in value.items() if key != "id"} if isinstance(value, Mapping) else value


# --- newer files ------------------------------------------------------------------------------------------------


def rebased(
    edits: Edits, source: Source, take: Mapping[str, str] | None = None
) -> tuple[dict[str, Edit], tuple[Clash, ...]]:
    """The edits that stay on top of newer files, and where both changed the same. `take`: path → yaml or console,
    for what was decided. An edit that the files say as well by now is done with."""
    kept: dict[str, Edit] = {}
    clashes = []
    for path, edit in sorted(edits.items()):
        said, decided = whole(source, path), (take or {}).get(path)
        if said == edit.value or decided == "yaml":
            continue
        if said != edit.base and decided != "console":
            clashes.append(Clash(path, said, edit.value))
        kept[path] = replace(edit, base=said)
    return kept, tuple(clashes)


def merged(published: Edits, drafts: Edits, source: Source) -> dict[str, Edit]:
    """The overlay that publishing the drafts makes; what the files say anyhow needs no edit, nor does what stands in
    something that is taken away."""
    both = {**published, **{path: replace(draft, base=whole(source, path)) for path, draft in drafts.items()}}
    return {
        path: both[path]
        for path in sorted(both)
        if whole(source, path) != both[path].value and not _is_inside_gone(path, both)
    }


def stale(drafts: Edits, source: Source) -> tuple[str, ...]:
    """Drafts written on top of something that newer files say otherwise."""
    return tuple(path for path, draft in drafts.items() if whole(source, path) != draft.base)


def is_editable(paths: Iterable[str]) -> bool:
    """Whether these are paths that the console may change."""
    return all(path.startswith(EDITABLE) and len(path) <= PATH_CHARS_MAX and "#" not in path for path in paths)
