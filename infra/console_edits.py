"""What towns' admins changed in the console, beside the files: laid over them at apply, folded into them by request."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chalicelib.storage.tenants import Pointer
from chalicelib.tenancy import overlay
from chalicelib.tenancy.complaints import Complaint, Rejected
from chalicelib.tenancy.overlay import Clash, Edit
from infra import towns, yaml_edit

READ_SECONDS = 10.0
YAML, CONSOLE = "yaml", "console"
SHOWN_CHARS = 200


@dataclass(frozen=True)
class Laid:
    """A folder's version with the console's edits over it; `clashes`: what both changed and nobody decided; `done`: the
    edits that the files say as well by now, or that were decided for the files; `over`: the version in force."""

    compiled: Mapping[str, Any]
    edits: Mapping[str, Edit]
    clashes: tuple[Clash, ...]
    done: tuple[str, ...]
    over: Pointer | None


def laid(compiled: Mapping[str, Any], take: Mapping[str, str] | None = None) -> Laid:
    """`take`: path → yaml or console. Raises Rejected if the edits do not fit the newer files."""
    from chalicelib.storage import tenants
    from chalicelib.tenancy.compile import compile_edited
    from chalicelib.wire import Deadline

    slug, files = str(compiled["core"]["slug"]), compiled["source"]["files"]
    over = tenants.pointer(slug, Deadline(READ_SECONDS))
    source = tenants.source(slug, over.version, Deadline(READ_SECONDS)) if over else None
    edits = overlay.edits_from(source["edits"]) if source else {}
    _check_named(slug, take or {}, edits)
    kept, clashes = overlay.rebased(edits, files, take)
    if kept and not clashes:
        compiled = compile_edited(slug, files, kept)
    return Laid(compiled, kept, clashes, tuple(path for path in edits if path not in kept), over)


def decided(laid_over: Laid) -> Laid:
    """The same. Raises Rejected while files and console say different things of the same path."""
    if laid_over.clashes:
        slug = laid_over.compiled["core"]["slug"]
        raise Rejected([_complaint(slug, clash, laid_over.edits[clash.path]) for clash in laid_over.clashes])
    return laid_over


def lines(laid_over: Laid) -> list[str]:
    """What became of the edits, for a plan."""
    open_ones = {clash.path for clash in laid_over.clashes}
    kept = [
        f"console: {path} stays {'away' if edit.value is None else 'as it was edited'}"
        for path, edit in laid_over.edits.items()
        if path not in open_ones
    ]
    done = [f"console: {path} is taken from the files" for path in laid_over.done]
    clashes = [f"conflict: {clash.path} was changed in the files and in the console" for clash in laid_over.clashes]
    return [*clashes, *kept, *done]


def fold(slug: str, take: Mapping[str, str] | None = None) -> list[str]:
    """Write the published edits into the town's files; the names of those written. Nothing is written unless all of it
    reads back as it should. Raises Rejected."""
    compiled = towns.compiled(slug)
    over = decided(laid(compiled, take))
    folder = towns.root() / slug
    texts: dict[str, str] = {}
    for path, edit in over.edits.items():
        name = overlay.file_of(path)
        if name not in texts:
            texts[name] = (folder / name).read_text(encoding="utf-8") if (folder / name).exists() else ""
        texts[name] = yaml_edit.put(texts[name], _inside(path), edit.value)
    _check_read_back(slug, folder, texts, overlay.laid(compiled["source"]["files"], over.edits))
    for name, text in texts.items():
        _write(folder / name, text)
    return sorted(texts)


def take_of(pairs: list[list[str]] | None) -> dict[str, str]:
    """`--take yaml PATH` as path → who wins. Raises Rejected."""
    for who, _ in pairs or ():
        if who not in (YAML, CONSOLE):
            raise Rejected(
                [Complaint("--take", 0, f'"{who}" decides nothing', "write --take yaml PATH or console PATH")]
            )
    return {path: who for who, path in pairs or ()}


def add_commands(town: Any, stage: argparse.ArgumentParser, default_stage: Any) -> None:
    """`town fold`, and `--take` for what files and console both changed."""
    command = town.add_parser("fold", parents=[stage], help="write the console's edits into the town's files")
    command.add_argument("slug")
    command.set_defaults(run=lambda parsed: _fold(parsed, default_stage))
    for name in ("apply", "plan", "fold"):
        town.choices[name].add_argument(
            "--take",
            nargs=2,
            action="append",
            metavar=("WHO", "PATH"),
            help="who wins where files and console changed the same: yaml PATH or console PATH",
        )


def _fold(parsed: argparse.Namespace, default_stage: Any) -> int:
    default_stage(parsed)
    names = fold(parsed.slug, take_of(parsed.take))
    for name in names:
        left = (towns.root() / parsed.slug / name).exists()
        print(f"{'written' if left else 'removed'}: tenants/{parsed.slug}/{name}")
    print(f"look at the difference, then: ./salter town apply {parsed.slug}" if names else "nothing to fold")
    return 0


# --- parts ------------------------------------------------------------------------------------------------------


def _inside(path: str) -> list[str]:
    """The steps of a path inside its file."""
    steps = path.split("/")
    return steps[2:] if steps[0] in ("procedures", "texts") else steps[1:]


def _check_named(slug: str, take: Mapping[str, str], edits: Mapping[str, Edit]) -> None:
    strange = [path for path in take if path not in edits]
    if strange:
        remedy = "name a path that the plan lists"
        raise Rejected(
            [Complaint(f"tenants/{slug}", 0, f"{path} is not edited in the console", remedy) for path in strange]
        )


def _complaint(slug: str, clash: Clash, edit: Edit) -> Complaint:
    said = f"files say {_short(clash.yaml)}, console says {_short(clash.console)} ({edit.by})"
    if clash.console is None:
        said = f"the files changed it, the console took it away ({edit.by})"
    remedy = f"--take yaml {clash.path} or --take console {clash.path}"
    return Complaint(f"tenants/{slug}/{overlay.file_of(clash.path)}", 0, f"conflict at {clash.path}: {said}", remedy)


def _short(value: Any) -> str:
    text = "nothing" if value is None else f"“{value}”"
    return text if len(text) <= SHOWN_CHARS else f"{text[:SHOWN_CHARS]}…"


def _check_read_back(slug: str, folder: Path, texts: Mapping[str, str], wanted: Mapping[str, Any]) -> None:
    from chalicelib.tenancy.load import load, read_folder

    files = read_folder(folder) | {name: text.encode() for name, text in texts.items()}
    read = load(slug, {name: raw for name, raw in files.items() if raw.strip() or name not in texts}).source
    if read != wanted:
        rooms = [room for room in wanted if read.get(room) != wanted[room]]
        problem = f"the edits do not read back alike in: {', '.join(rooms)}"
        raise Rejected([Complaint(f"tenants/{slug}", 0, problem, "nothing was written; change these files by hand")])


def _write(file: Path, text: str) -> None:
    if not text.strip():
        file.unlink(missing_ok=True)
        return
    file.parent.mkdir(exist_ok=True)
    file.write_text(text, encoding="utf-8")
