"""A person of the town whom a conversation is handed over to."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from chalicelib.tenancy.complaints import Complaint
from chalicelib.tenancy.kinds.base import Service
from chalicelib.tenancy.schema import UNCONFIRMED, Hours, Id, Unconfirmed
from chalicelib.tenancy.sheets import week

if TYPE_CHECKING:
    from chalicelib.tenancy.load import TownFiles

MESSAGE = "message"  # the built-in service that takes messages out of hours
QUESTION = "question"
OFFICES_HOURS = "office"
Minutes = Annotated[int, Field(ge=1, le=240)]


class OperatorService(Service):
    """Who answers and when. `hours: office` are the office's; `shows` is what citizens read of whoever answers.

    `silent_minutes`: after how long without an answer the citizen is told so; `minutes_each`: how long one conversation
    takes, from and to, where the town can say, for the wait that is promised.
    """

    kind: Literal["operator"]
    office: Id
    hours: Literal["office"] | Unconfirmed | Hours = OFFICES_HOURS  # type: ignore[assignment]
    shows: Literal["name", "role"] = "role"
    silent_minutes: Minutes = 10
    minutes_each: Annotated[list[Minutes], Field(min_length=2, max_length=2)] | None = None

    MENU_TEXT: ClassVar[str] = "menu_operator"

    def complaints(self, files: TownFiles, at: int, intents: Collection[str]) -> Iterator[Complaint]:
        if self.office not in {office.id for office in files.contacts.offices}:
            yield files.complaint(
                "services.yaml", ("services", at), f'no office "{self.office}"', "add it to contacts.yaml"
            )

    def core(self, files: TownFiles) -> dict[str, Any]:
        return {
            "office": self.office,
            "hours": self._hours(files),
            "shows": self.shows,
            "silent_minutes": self.silent_minutes,
            "minutes_each": list(self.minutes_each) if self.minutes_each else None,
            "message": next((one.id for one in files.services.services if one.kind == QUESTION), MESSAGE),
        }

    def _hours(self, files: TownFiles) -> dict[str, Any] | None:
        hours: Any = self.hours
        if hours == OFFICES_HOURS:
            hours = next((office.hours for office in files.contacts.offices if office.id == self.office), UNCONFIRMED)
        return None if isinstance(hours, str) else week(hours)

    def texts(self, files: TownFiles, language: str, text: Mapping[str, Any]) -> dict[str, Any]:
        return {"operator.end": text["operator_end"]}
