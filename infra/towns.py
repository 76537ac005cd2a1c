"""The folders under `tenants/`: find, check and compile them. Home side only; nothing of it reaches Lambda."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

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
