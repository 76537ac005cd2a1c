"""Sheets of procedures/*.yaml by topic."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from chalicelib.tenancy.kinds.base import SHEETS, Service
from chalicelib.tenancy.schema import GROUPS, Procedure
from chalicelib.tenancy.sheets import local, procedure_sheet

if TYPE_CHECKING:
    from chalicelib.tenancy.load import TownFiles

# What a sheet is about that serves none of the platform's intents.
GROUP_INTENTS = {"documents": "doc.generic", "building": "info.building", "business": "info.business"}


class ProceduresService(Service):
    """What a town explains; each sheet is a choice, each topic too."""

    kind: Literal["procedures"]

    MENU_TEXT: ClassVar[str] = "menu_procedures"
    RANK: ClassVar[int] = SHEETS

    def routes(self, files: TownFiles) -> Iterator[tuple[str, str]]:
        for identifier, procedure in ordered(files):
            yield from ((intent, f"{self.id}.{identifier}") for intent in procedure.intents)

    def parents(self, files: TownFiles) -> Iterator[tuple[str, str]]:
        for identifier, procedure in files.procedures.items():
            if procedure.group in GROUP_INTENTS:
                yield f"{self.id}.{identifier}", GROUP_INTENTS[procedure.group]

    def titles(self, files: TownFiles) -> Iterator[tuple[str, Mapping[str, str]]]:
        return ((f"{self.id}.{key}", sheet.title) for key, sheet in files.procedures.items())  # type: ignore[misc]

    def texts(self, files: TownFiles, language: str, text: Mapping[str, Any]) -> dict[str, Any]:
        groups = {f"{self.id}.group.{group}": text[f"group_{group}"] for group in GROUPS}
        return groups | {f"{self.id}.{key}": local(sheet.title, language) for key, sheet in files.procedures.items()}

    def sheets(self, files: TownFiles, language: str, texts: Mapping[str, Any]) -> dict[str, Any]:
        offices = {office.id: office for office in files.contacts.offices}
        return {
            f"{self.id}.{identifier}": procedure_sheet(procedure, offices.get(procedure.office or ""), texts, language)
            for identifier, procedure in files.procedures.items()
        }


def ordered(files: TownFiles) -> list[tuple[str, Procedure]]:
    """The sheets by topic, then as their files say."""
    return sorted(files.procedures.items(), key=lambda item: (GROUPS.index(item[1].group), item[1].order, item[0]))
