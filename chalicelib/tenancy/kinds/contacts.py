"""The directory of contacts.yaml."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from chalicelib.tenancy.kinds.base import OFFICES, Service
from chalicelib.tenancy.sheets import local, office_sheet

if TYPE_CHECKING:
    from chalicelib.tenancy.load import TownFiles

OFFICE_INTENT = "contact.office"


class ContactsService(Service):
    """Offices with hours and phones; each is a choice."""

    kind: Literal["contacts"]

    MENU_TEXT: ClassVar[str] = "menu_contacts"
    RANK: ClassVar[int] = OFFICES

    def routes(self, files: TownFiles) -> Iterator[tuple[str, str]]:
        for office in files.contacts.offices:
            yield from ((intent, f"{self.id}.{office.id}") for intent in office.intents)

    def parents(self, files: TownFiles) -> Iterator[tuple[str, str]]:
        """An office is also what one asks for who wants an office."""
        return ((f"{self.id}.{office.id}", OFFICE_INTENT) for office in files.contacts.offices)

    def titles(self, files: TownFiles) -> Iterator[tuple[str, Mapping[str, str]]]:
        return ((f"{self.id}.{office.id}", office.title) for office in files.contacts.offices)  # type: ignore[misc]

    def texts(self, files: TownFiles, language: str, text: Mapping[str, Any]) -> dict[str, Any]:
        return {f"{self.id}.{office.id}": local(office.title, language) for office in files.contacts.offices}

    def sheets(self, files: TownFiles, language: str, texts: Mapping[str, Any]) -> dict[str, Any]:
        return {f"{self.id}.{office.id}": office_sheet(office, texts, language) for office in files.contacts.offices}
