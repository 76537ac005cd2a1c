"""How a citizen's own cases stand."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, Literal

from chalicelib.tenancy.kinds.base import Service

if TYPE_CHECKING:
    from chalicelib.tenancy.load import TownFiles

STATUS_INTENT = "case.status"


class StatusService(Service):
    """It has nothing to set. Asking for one's case beats reading about it."""

    kind: Literal["case_status"]

    MENU_TEXT: ClassVar[str] = "menu_status"
    ALONE: ClassVar[frozenset[str]] = frozenset((STATUS_INTENT,))

    def routes(self, files: TownFiles) -> Iterator[tuple[str, str]]:
        yield STATUS_INTENT, self.id
