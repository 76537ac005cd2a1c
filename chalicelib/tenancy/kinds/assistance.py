"""Help by volunteers: which kinds of it there are, and the areas that volunteers are called by."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from chalicelib.language import catalogue
from chalicelib.tenancy.complaints import Complaint
from chalicelib.tenancy.kinds.base import Service
from chalicelib.tenancy.schema import Id, LocalTitle, Strict
from chalicelib.tenancy.sheets import local

if TYPE_CHECKING:
    from chalicelib.tenancy.load import TownFiles

HELP_INTENT = "help.food_medicine"
OTHER_KIND = "other"  # own words; every town has it
KINDS_MAX = 8
AREAS_MAX = 20


class HelpKind(Strict):
    """A kind of help. `title` defaults to the platform's name for it (`aid_kind_<id>`)."""

    id: Id
    title: LocalTitle | None = None


class Area(Strict):
    """A settlement or neighbourhood that volunteers know by this name."""

    id: Id
    title: LocalTitle


class AssistanceService(Service):
    """Requests for help, and the call to volunteers. Without `areas` the whole town is one."""

    kind: Literal["assistance"]
    help: Annotated[list[HelpKind], Field(min_length=1, max_length=KINDS_MAX)]
    areas: Annotated[list[Area], Field(max_length=AREAS_MAX)] = []

    MENU_TEXT: ClassVar[str] = "menu_help_home"
    ALONE: ClassVar[frozenset[str]] = frozenset((HELP_INTENT,))

    def complaints(self, files: TownFiles, at: int, intents: Collection[str]) -> Iterator[Complaint]:
        native = files.tenant.languages[0]
        known = catalogue.load(native.catalogue)["texts"]
        lists: tuple[tuple[str, Sequence[HelpKind | Area]], ...] = (("help", self.help), ("areas", self.areas))
        for key, entries in lists:
            for position, entry in enumerate(entries):
                where = ("services", at, key, position)
                if entry.id in [other.id for other in entries[:position]]:
                    yield files.complaint("services.yaml", where, f'"{entry.id}" stands twice', "keep one of them")
                elif entry.title is None and f"aid_kind_{entry.id}" not in known:
                    problem = f'kind of help "{entry.id}" has no title'
                    yield files.complaint("services.yaml", where, problem, "give it a title in every language")
                elif entry.title is not None and native.id not in entry.title:
                    yield files.complaint("services.yaml", where, f"has no title in {native.id}", "add it")

    def core(self, files: TownFiles) -> dict[str, Any]:
        return offered(self)

    def routes(self, files: TownFiles) -> Iterator[tuple[str, str]]:
        yield HELP_INTENT, self.id

    def texts(self, files: TownFiles, language: str, text: Mapping[str, Any]) -> dict[str, Any]:
        kinds = {
            f"aid.kind.{each.id}": local(each.title, language) if each.title else str(text[f"aid_kind_{each.id}"])
            for each in self.help
        }
        other = {f"aid.kind.{OTHER_KIND}": str(text["aid_kind_other"])}
        return other | kinds | {f"aid.area.{area.id}": local(area.title, language) for area in self.areas}


def offered(service: AssistanceService) -> dict[str, Any]:
    """The kinds of help and the areas, by id; own words last."""
    kinds = [each.id for each in service.help if each.id != OTHER_KIND]
    return {"kinds": [*kinds, OTHER_KIND], "areas": [area.id for area in service.areas]}
