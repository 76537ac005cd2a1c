"""What every town offers without configuring it: own data, STOP and START, and messages where an operator is.

Their ids are the names of their kinds, and no town may use them for something else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from chalicelib.tenancy.kinds.base import Service
from chalicelib.tenancy.kinds.operator import MESSAGE, OperatorService

if TYPE_CHECKING:
    from chalicelib.tenancy.load import TownFiles

MY_DATA, CONSENT = "my_data", "consent"
TOWN_CHOICES = ("town", "towns")  # of a bot that serves several
# What buttons begin with that belong to the bot itself.
BOT_CHOICES = ("menu", "person", "language", "emergency", "form", "case", "bind", "share", "claim", "aid", "vol")
RESERVED = (MY_DATA, CONSENT, MESSAGE, *TOWN_CHOICES, *BOT_CHOICES)
DATA_INTENT, STOP_INTENT = "settings.delete_data", "settings.stop"


class MyDataService(Service):
    """Show, export, delete."""

    kind: Literal["my_data"]

    MENU_TEXT: ClassVar[str] = "menu_my_data"
    ALONE: ClassVar[frozenset[str]] = frozenset((DATA_INTENT,))

    def routes(self, files: TownFiles) -> Iterator[tuple[str, str]]:
        yield DATA_INTENT, self.id

    def texts(self, files: TownFiles, language: str, text: Mapping[str, Any]) -> dict[str, Any]:
        return _labels(self.id, text, {"export": "btn_export", "delete": "btn_delete", "delete.yes": "btn_delete_yes"})


class ConsentService(Service):
    """STOP and START."""

    kind: Literal["consent"]

    MENU_TEXT: ClassVar[str] = "btn_stop"
    ALONE: ClassVar[frozenset[str]] = frozenset((STOP_INTENT,))

    def routes(self, files: TownFiles) -> Iterator[tuple[str, str]]:
        yield STOP_INTENT, f"{self.id}.stop"

    def texts(self, files: TownFiles, language: str, text: Mapping[str, Any]) -> dict[str, Any]:
        names = ("stop", "start", "keep_cases", "end_cases", "start_cases", "end_reminders")
        return _labels(self.id, text, {name: f"btn_{name}" for name in names})


class MessageService(Service):
    """A message for the operator's office when nobody is there."""

    kind: Literal["message"]
    office: str

    MENU_TEXT: ClassVar[str] = "menu_message"

    def core(self, files: TownFiles) -> dict[str, Any]:
        return {"office": self.office}


def services(files: TownFiles) -> list[Service]:
    """What is added to the town's own services."""
    added: list[Service] = [
        MyDataService(id=MY_DATA, kind="my_data"),
        ConsentService(id=CONSENT, kind="consent"),
    ]
    for service in files.services.services:
        if isinstance(service, OperatorService) and service.core(files)["message"] == MESSAGE:
            added.append(MessageService(id=MESSAGE, kind="message", office=service.office))
            break
    return added


def _labels(service: str, text: Mapping[str, Any], keys: Mapping[str, str]) -> dict[str, Any]:
    return {f"{service}.{item}": text[key] for item, key in keys.items()}
