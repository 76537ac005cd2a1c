"""The sign-up of volunteers: for the areas and kinds of help that the town's assistance has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from chalicelib.tenancy.kinds.assistance import AssistanceService, offered
from chalicelib.tenancy.kinds.base import Service

if TYPE_CHECKING:
    from chalicelib.tenancy.load import TownFiles

VOLUNTEER_INTENT = "help.volunteer"


class VolunteerService(Service):
    """It has nothing to set."""

    kind: Literal["volunteer"]

    MENU_TEXT: ClassVar[str] = "menu_volunteer"
    ALONE: ClassVar[frozenset[str]] = frozenset((VOLUNTEER_INTENT,))

    def core(self, files: TownFiles) -> dict[str, Any]:
        for service in files.services.services:
            if isinstance(service, AssistanceService):
                return offered(service)
        return {"kinds": [], "areas": []}

    def routes(self, files: TownFiles) -> Iterator[tuple[str, str]]:
        yield VOLUNTEER_INTENT, self.id
