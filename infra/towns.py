"""The folders under `tenants/`: find, check and compile them. Home side only; nothing of it reaches Lambda."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from chalicelib.dialogue.towns import names_of
from chalicelib.tenancy.compile import compile_town
from chalicelib.tenancy.complaints import Complaint, Rejected
from chalicelib.tenancy.load import TownFiles, load, read_folder
from chalicelib.tenancy.yaml_file import read

ROOT_VARIABLE = "SALTER_TENANTS"
OWN_ROOT = Path(__file__).parent.parent / "tenants"


def root() -> Path:
    """Where the towns' folders lie: `tenants/` of this checkout, or the directory that SALTER_TENANTS names."""
    return Path(os.environ.get(ROOT_VARIABLE) or OWN_ROOT)


def slugs(under: Path | None = None) -> list[str]:
    """Every town there is a folder for."""
    folder = under or root()
    folders = folder.iterdir() if folder.is_dir() else ()
    return sorted(path.name for path in folders if path.is_dir() and not path.name.startswith((".", "_")))


def files_of(slug: str) -> TownFiles:
    """A town's files, each checked by its schema. Raises Rejected with every complaint."""
    folder = root() / slug
    if not folder.is_dir():
        raise Rejected([Complaint(f"tenants/{slug}", 0, "there is no such folder", "see `./salter town list`")])
    return load(slug, read_folder(folder))


def compiled(slug: str) -> dict[str, Any]:
    """The version a town's folder makes. Raises Rejected with every complaint."""
    return compile_town(files_of(slug))


def identities(under: Path | None = None) -> dict[str, tuple[Any, Any]]:
    """Slug → number and reference prefix, also of towns that do not check."""
    found: dict[str, tuple[Any, Any]] = {}
    for slug in slugs(under):
        path = (under or root()) / slug / "tenant.yaml"
        try:
            data = read(str(path), path.read_bytes()).data
            found[slug] = (data.get("number"), data.get("reference_prefix"))
        except (Rejected, OSError, AttributeError):
            continue
    return found


def sharing(slug: str, account: str) -> dict[str, dict[str, Any]]:
    """The other towns on the same Viber account, as far as their folders are right."""
    found: dict[str, dict[str, Any]] = {}
    for other in slugs():
        path = root() / other / "tenant.yaml"
        try:
            channels = read(str(path), path.read_bytes()).data.get("channels") or {}
            viber = channels.get("viber")
            if other != slug and viber is not None and (viber.get("account") or other) == account:
                found[other] = compiled(other)
        except (Rejected, OSError, AttributeError):
            continue
    return found


TOWNS_OF_A_BOT_MAX = 20  # so many buttons the bot's question has


def bot_clashes(versions: dict[str, dict[str, Any]]) -> list[Complaint]:
    """Towns that share a Viber account must be told apart by whoever writes to it, and agree on what is the bot's."""
    complaints: list[Complaint] = []
    sharing: dict[str, list[dict[str, Any]]] = {}
    for _, version in sorted(versions.items()):
        if version["core"]["viber"]["account"]:
            sharing.setdefault(version["core"]["viber"]["account"], []).append(version["core"])
    for account, cores in sharing.items():
        for core in cores:
            for problem, remedy in _contradictions(account, core, [other for other in cores if other is not core]):
                complaints.append(Complaint(f"tenants/{core['slug']}/tenant.yaml", 0, problem, remedy))
    return complaints


def _contradictions(account: str, core: dict[str, Any], others: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    """What of one town contradicts others on the same account, and what to do."""
    mine = core["viber"]
    for other in others:
        theirs, whose = other["viber"], f"that of {other['slug']}, which shares the Viber account {account}"
        if mine["name"] == theirs["name"]:
            yield f'viber_name "{mine["name"]}" is also {whose}', "name the town in it, so that one sees who speaks"
        same = sorted(set(names_of(core["slug"], core["called"])) & set(names_of(other["slug"], other["called"])))
        if same:
            yield f'the name "{same[0]}" is also {whose}', "give one of them a longer name"
        for part, meaning in (("uri", "the bot's name in links"), ("price", "what a message costs")):
            if mine.get(part) != theirs.get(part):
                yield f"{part}, {meaning}, is not {whose}", "write the same in both"
    if len(others) >= TOWNS_OF_A_BOT_MAX:
        yield f"the Viber account {account} serves more than {TOWNS_OF_A_BOT_MAX} towns", "use another account"


def clashes(versions: dict[str, dict[str, Any]]) -> list[Complaint]:
    """What is wrong between towns that are right by themselves."""
    return [*number_clashes(versions), *bot_clashes(versions)]


def number_clashes(versions: dict[str, dict[str, Any]]) -> list[Complaint]:
    """Numbers and reference prefixes must be unique among all towns."""
    complaints: list[Complaint] = []
    taken: dict[tuple[str, object], str] = {}
    for slug, version in sorted(versions.items()):
        for key in ("number", "prefix"):
            value = (key, version["core"][key])
            if value in taken:
                problem = f"{key} {value[1]} is taken by {taken[value]}"
                complaints.append(Complaint(f"tenants/{slug}/tenant.yaml", 0, problem, "choose another"))
            taken.setdefault(value, slug)
    return complaints
