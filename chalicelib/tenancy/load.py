"""Reads a town's folder into checked models. Raises Rejected with every complaint found.

`load` takes the files as they lie in the folder; `check` takes what they say (`overlay.Source`), which is all that an
applied version keeps of them and all that the console changes: one schema, whoever wrote the content.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from chalicelib.patterns import pattern
from chalicelib.small_classes import dataclass
from chalicelib.tenancy.complaints import Complaint, Rejected
from chalicelib.tenancy.document import Document
from chalicelib.tenancy.kinds import ServicesFile
from chalicelib.tenancy.overlay import Source, file_of, path_in
from chalicelib.tenancy.schema import LANGUAGES, TEXT_CHARS_MAX, ContactsFile, Phrases, Procedure, TenantFile

LIBRARY = Path(__file__).parent / "library"
_FILES = pattern(
    r"tenant\.yaml|services\.yaml|contacts\.yaml|phrases\.yaml|texts\.[a-z]{2,3}\.yaml|procedures/[a-z][a-z0-9_]*\.yaml"
    r"|conversations/[\w-]+\.yaml|README\.md"
)
_REMEDIES = {
    "extra_forbidden": "remove it or mend the spelling",
    "missing": "add it",
    "string_too_long": "shorten it",
    "string_pattern_mismatch": "write it in the form shown in docs/adding-a-town.md",
    "literal_error": "use one of the values listed",
}

# How pydantic names the branch of "a text or texts by language" that did not fit.
_UNION_TAGS = ("constrained-", "dict[", "list[", "function-", "literal[")
_TEXTS_REMEDY = "see docs/adding-a-town.md"

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class TownFiles:
    """A town as its folder says it, checked file by file but not yet as a whole."""

    slug: str
    tenant: TenantFile
    services: ServicesFile
    contacts: ContactsFile
    procedures: dict[str, Procedure]
    phrases: dict[str, Phrases]
    texts: dict[str, dict[str, str]]
    documents: dict[str, Document]
    source: Source

    def complaint(self, file: str, path: tuple[str | int, ...], problem: str, remedy: str, code: str = "") -> Complaint:
        """A complaint that points at `path` inside `file`."""
        document = self.documents.get(file)
        line, named = (document.line(path), path_in(file, document.data, path)) if document else (0, "")
        return Complaint(f"tenants/{self.slug}/{file}", line, problem, remedy, named, code)

    def unknown_intents(
        self, file: str, path: tuple[str | int, ...], used: Collection[str], known: Collection[str]
    ) -> Iterator[Complaint]:
        """A complaint for each intent that the platform does not know."""
        for intent in used:
            if intent not in known:
                remedy = "see understanding/phrases.toml for the names"
                yield self.complaint(file, path, f'"{intent}" is no intent', remedy)


def read_folder(folder: Path) -> dict[str, bytes]:
    """The raw files of a town's folder by relative path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def load(slug: str, files: Mapping[str, bytes]) -> TownFiles:
    """Check every file of a folder by its schema."""
    complaints = [
        Complaint(f"tenants/{slug}/{name}", 0, "is not a file a town has", "remove or rename it")
        for name in files
        if not _FILES.fullmatch(name)
    ]
    documents: dict[str, Document] = {}
    for name, raw in files.items():
        if name.endswith(".yaml") and not name.startswith("conversations/"):
            _collect(
                complaints, lambda name=name, raw=raw: documents.update({name: _read(f"tenants/{slug}/{name}", raw)})
            )
    complaints += [
        Complaint(f"tenants/{slug}/{name}", 0, "is missing", "write it")
        for name in ("tenant.yaml", "services.yaml", "contacts.yaml")
        if name not in files
    ]
    if complaints:
        raise Rejected(complaints)
    said: dict[str, Any] = {}
    for name, document in documents.items():
        _collect(complaints, lambda name=name, document=document: said.update({name: _whole(name, document)}))
    return _checked(slug, said, documents, complaints)


def check(slug: str, source: Source) -> TownFiles:
    """The same for what the files say, without the files."""
    said = {file_of(path): data for path, data in _files_in(source)}
    documents = {name: Document(f"tenants/{slug}/{name}", data, {}) for name, data in said.items()}
    return _checked(slug, said, documents, [])


def _read(name: str, raw: bytes) -> Document:
    from chalicelib.tenancy.yaml_file import read  # not where the console's edits are checked: no YAML is there

    return read(name, raw)


def _files_in(source: Source) -> Iterator[tuple[str, Any]]:
    for name, data in source.items():
        if name in ("procedures", "texts"):
            yield from ((f"{name}/{part}", data[part]) for part in data)
        else:
            yield name, data


def _checked(
    slug: str, said: Mapping[str, Any], documents: Mapping[str, Document], complaints: list[Complaint]
) -> TownFiles:
    """`said` is what each file says, `documents` where it says it."""
    checked: dict[str, Any] = {}
    for name, model in (("tenant.yaml", TenantFile), ("services.yaml", ServicesFile), ("contacts.yaml", ContactsFile)):
        _collect(complaints, lambda name=name, model=model: checked.update({name: _check(model, documents[name])}))
    procedures: dict[str, Procedure] = {}
    for name, data in said.items():
        if name.startswith("procedures/"):
            _collect(
                complaints, lambda data=data, name=name: procedures.update(_procedure(name, documents[name], data))
            )
    phrases: dict[str, Phrases] = {}
    if "phrases.yaml" in documents:
        _collect(complaints, lambda: phrases.update(_phrases(documents["phrases.yaml"])))
    texts = _texts(documents, complaints)
    if complaints:
        raise Rejected(complaints)
    return TownFiles(
        slug=slug,
        tenant=checked["tenant.yaml"],
        services=checked["services.yaml"],
        contacts=checked["contacts.yaml"],
        procedures=procedures,
        phrases=phrases,
        texts=texts,
        documents=dict(documents),
        source=_source(said),
    )


def _source(said: Mapping[str, Any]) -> Source:
    source: dict[str, Any] = {"procedures": {}, "phrases": {}, "texts": {}}
    for name, data in said.items():
        room, _, part = name.removesuffix(".yaml").replace(".", "/").partition("/")
        if part:
            source[room][part] = data
        else:
            source[room] = data
    return source


def _collect(complaints: list[Complaint], check: Any) -> None:
    try:
        check()
    except Rejected as rejected:
        complaints.extend(rejected.complaints)


def _check(model: type[Model], document: Document, data: Any = None) -> Model:
    try:
        return model.model_validate(document.data if data is None else data)
    except ValidationError as error:
        raise Rejected([_complaint(document, entry) for entry in error.errors()]) from error


def _complaint(document: Document, error: Any) -> Complaint:
    path = _written_path(tuple(error["loc"]))
    shown = ".".join(str(step) for step in path if not str(step).startswith(_UNION_TAGS))
    remedy = _REMEDIES.get(error["type"], "mend the value")
    problem = f"{shown}: {error['msg']}".lstrip(": ")
    bound = next((value for value in error.get("ctx", {}).values() if isinstance(value, int)), 0)
    steps = [step for step in path if isinstance(step, int) or not step.startswith(_UNION_TAGS)]
    named = path_in(document.name.split("/", 2)[-1], document.data, steps, document.under)
    return Complaint(document.name, document.line(path), problem, remedy, named, error["type"], bound)


def _written_path(path: tuple[Any, ...]) -> tuple[Any, ...]:
    """The path as the file has it: a service's errors come with its kind between its number and its field."""
    return path[:2] + path[3:] if path[:1] == ("services",) and len(path) > 2 else path


def _whole(name: str, document: Document) -> Any:
    """What a file says, a sheet with the library's under it."""
    if not name.startswith("procedures/"):
        return document.data
    data = dict(document.data) if isinstance(document.data, dict) else {}
    base_name = data.pop("extends", None)
    return (_library(base_name, document) if base_name else {}) | data


def _procedure(name: str, document: Document, data: Any) -> dict[str, Procedure]:
    identifier = name.removeprefix("procedures/").removesuffix(".yaml")
    return {identifier: _check(Procedure, document, {"id": identifier} | data)}


def _library(base_name: Any, document: Document) -> dict[str, Any]:
    path = LIBRARY / f"{base_name}.yaml"
    if not re.fullmatch(r"[A-Z]{2}[A-Z-]*/[a-z][a-z0-9_]{0,60}", str(base_name)) or not path.is_file():
        known = ", ".join(
            sorted(sheet.relative_to(LIBRARY).with_suffix("").as_posix() for sheet in LIBRARY.glob("*/*.yaml"))
        )
        problem = f'extends: there is no sheet "{base_name}" in the library'
        raise Rejected([Complaint(document.name, document.line(("extends",)), problem, f"use one of: {known}")])
    return dict(_read(f"library/{base_name}.yaml", path.read_bytes()).data)


def _phrases(document: Document) -> dict[str, Phrases]:
    if not isinstance(document.data, dict):
        raise Rejected([Complaint(document.name, 1, "must map intents to phrases", "see docs/adding-a-town.md")])
    return {str(intent): _check(Phrases, _at(document, intent), entry) for intent, entry in document.data.items()}


def _at(document: Document, key: str) -> Document:
    lines = {path[1:]: line for path, line in document.lines.items() if path[:1] == (key,)}
    return Document(document.name, document.data[key], lines, (key,))


def _texts(documents: Mapping[str, Document], complaints: list[Complaint]) -> dict[str, dict[str, str]]:
    texts: dict[str, dict[str, str]] = {}
    for name, document in documents.items():
        if not name.startswith("texts."):
            continue
        language = name.split(".")[1]
        if language not in LANGUAGES:
            complaints.append(
                Complaint(document.name, 0, f'"{language}" is not a language', f"use {', '.join(LANGUAGES)}")
            )
        if not isinstance(document.data, dict):
            complaints.append(Complaint(document.name, 1, "must map names of texts to texts", _TEXTS_REMEDY))
            continue
        for key, value in document.data.items():
            if isinstance(value, str) and len(value) <= TEXT_CHARS_MAX:
                texts.setdefault(language, {})[key] = value
            else:
                said = isinstance(value, str)
                problem = f'the text "{key}" is over {TEXT_CHARS_MAX} characters' if said else f'"{key}" is no text'
                remedy = "shorten it" if said else "quote it"
                complaints.append(Complaint(document.name, document.line((key,)), problem, remedy))
    return texts
