"""What a town's own files say to citizens, language by language, and which of the town's languages it lacks. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from chalicelib.tenancy.schema import LANGUAGES

if TYPE_CHECKING:
    from chalicelib.tenancy.load import TownFiles

# They are read by each other's speakers, so one stands in for another.
SISTERS = frozenset(("sr", "bs", "cnr"))

Path = tuple[str | int, ...]


def texts(files: TownFiles) -> Iterator[tuple[str, Path, Mapping[str, Any]]]:
    """(file, place in it, text by language): what the town wrote itself, not what a sheet took from the library."""
    sheets = {f"procedures/{identifier}.yaml": sheet for identifier, sheet in files.procedures.items()}
    models: dict[str, BaseModel] = {"contacts.yaml": files.contacts, "services.yaml": files.services, **sheets}
    for file, model in models.items():
        written = files.documents[file].lines
        yield from ((file, path, text) for path, text in _texts_in(model, ()) if path in written)


def missing(text: Mapping[str, Any], offered: Sequence[str]) -> list[str]:
    """The offered languages that neither the text nor a sister of theirs is written in."""
    return [one for one in offered if one not in text and not (one in SISTERS and SISTERS & set(text))]


def _texts_in(value: Any, path: Path) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    if isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _texts_in(getattr(value, name), (*path, name))
    elif isinstance(value, dict) and value and set(value) <= set(LANGUAGES):
        yield path, value
    elif isinstance(value, (list, tuple)):
        for position, each in enumerate(value):
            yield from _texts_in(each, (*path, position))
