"""Questions to the town's offices: who answers what, until when."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from chalicelib.tenancy.complaints import Complaint
from chalicelib.tenancy.kinds.base import Service, term_data
from chalicelib.tenancy.schema import (
    LIST_ITEMS_MAX,
    UNCONFIRMED,
    Id,
    LocalText,
    LocalTitle,
    Strict,
    Term,
    Unconfirmed,
)
from chalicelib.tenancy.sheets import local

if TYPE_CHECKING:
    from chalicelib.tenancy.load import TownFiles


class Topic(Strict):
    """What questions may be about, and the office that answers them.

    A question belongs to a topic by the topic's `intents`, and by what the office's own sheets and entry are about.
    """

    id: Id
    title: LocalTitle
    office: Id
    intents: list[str] = []


class QuestionService(Service):
    """A question with a promised answer.

    `term` counts from `starts`: the receipt, or the moment the office finds the question complete. `abroad`: citizens
    are asked once in which time zone they live. `contact`: what the town must know to answer. `note` is said as the
    form begins. `intents`: what citizens say that leads here, beyond a question put as one.
    """

    kind: Literal["question"]
    title: LocalTitle | None = None
    term: Unconfirmed | Term = UNCONFIRMED  # type: ignore[assignment]
    starts: Literal["receipt", "validation"] = "receipt"
    topics: Annotated[list[Topic], Field(min_length=1, max_length=LIST_ITEMS_MAX)]
    abroad: bool = False
    contact: list[Literal["name", "phone"]] = []
    note: LocalText | None = None
    intents: list[str] = []

    MENU_TEXT: ClassVar[str] = "menu_question"

    def complaints(self, files: TownFiles, at: int, intents: Collection[str]) -> Iterator[Complaint]:
        offices = {office.id for office in files.contacts.offices}
        native = files.tenant.languages[0].id
        yield from files.unknown_intents("services.yaml", ("services", at), self.intents, intents)
        for position, topic in enumerate(self.topics):
            where = ("services", at, "topics", position)
            yield from files.unknown_intents("services.yaml", where, topic.intents, intents)
            complaint = None
            if topic.office not in offices:
                complaint = (f'no office "{topic.office}"', "add it to contacts.yaml")
            elif topic.id in [other.id for other in self.topics[:position]]:
                complaint = (f'topic "{topic.id}" stands twice', "keep one of them")
            elif native not in topic.title:
                complaint = (f'topic "{topic.id}" has no title in {native}', "add it")
            if complaint:
                yield files.complaint("services.yaml", where, *complaint)

    def core(self, files: TownFiles) -> dict[str, Any]:
        return {
            "topics": [{"id": topic.id, "intents": self._about(files, topic)} for topic in self.topics],
            "abroad": self.abroad,
            "contact": list(self.contact),
            "note": self.note is not None,
            "intents": list(self.intents),
        }

    def routing(self, files: TownFiles) -> dict[str, dict[str, Any]]:
        term = term_data(self.term)
        if term:
            term |= {"starts": self.starts}
        return {"question": {topic.id: {"office": topic.office, "term": term} for topic in self.topics}}

    def routes(self, files: TownFiles) -> Iterator[tuple[str, str]]:
        return ((intent, self.id) for intent in self.intents)

    def titles(self, files: TownFiles) -> Iterator[tuple[str, Mapping[str, str]]]:
        return iter([(self.id, self.title)] if self.title else [])  # type: ignore[list-item]

    def texts(self, files: TownFiles, language: str, text: Mapping[str, Any]) -> dict[str, Any]:
        texts: dict[str, Any] = {f"{self.id}.topic.{topic.id}": local(topic.title, language) for topic in self.topics}
        if self.title:
            texts[self.id] = local(self.title, language)
        if self.note:
            texts[f"{self.id}.note"] = local(self.note, language)
        return texts

    def _about(self, files: TownFiles, topic: Topic) -> list[str]:
        """The intents and choices that mean this topic; what another topic names itself is left to that one."""
        named = {intent for other in self.topics if other is not topic for intent in other.intents}
        return [*topic.intents, *(each for each in _of_office(files, topic.office) if each not in named)]


def _of_office(files: TownFiles, office: str) -> Iterator[str]:
    """What the sheets and the entry of an office are about."""
    for service in files.services.services:
        if service.kind == "procedures":
            for identifier, procedure in files.procedures.items():
                if procedure.office == office:
                    yield from (f"{service.id}.{identifier}", *procedure.intents)
        elif service.kind == "contacts":
            yield f"{service.id}.{office}"
    entry = next((entry for entry in files.contacts.offices if entry.id == office), None)
    yield from (intent for intent in (entry.intents if entry else ()) if not intent.startswith("contact."))
