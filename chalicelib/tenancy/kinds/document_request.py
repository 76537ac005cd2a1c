"""Requests for documents: which ones a town takes here, who issues them, how they reach the citizen."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from chalicelib.tenancy.complaints import Complaint
from chalicelib.tenancy.kinds.base import Service, term_data
from chalicelib.tenancy.schema import (
    LIST_ITEMS_MAX,
    UNCONFIRMED,
    Date,
    Id,
    LocalText,
    LocalTitle,
    Short,
    Strict,
    Term,
    Unconfirmed,
)
from chalicelib.tenancy.sheets import local

if TYPE_CHECKING:
    from chalicelib.tenancy.load import TownFiles

DOCUMENT_INTENT = "doc.generic"  # what a request that names no document is about
NUMBER_KEPT_DAYS = 30  # after the case was closed, unless the town says otherwise

Document = Literal[
    "birth", "marriage", "death", "citizenship", "residence", "family", "single_status", "voter", "entry"
]
# What citizens ask about that leads to a document nobody explains on a sheet.
INTENTS: Mapping[str, tuple[str, ...]] = {
    each: (f"doc.{each}",) for each in ("birth", "marriage", "death", "citizenship", "residence", "family", "voter")
}


class Payment(Strict):
    """Where the fee is paid, confirmed by the town; nothing of it may be guessed."""

    account: Short
    purpose: LocalText
    reference: Short
    amount: Short
    valid_as_of: Date


class RequestedDocument(Strict):
    """One document. `sheets` are the procedures that explain it (default: the one of the same name)."""

    id: Document
    sheets: Annotated[list[Id], Field(max_length=LIST_ITEMS_MAX)] | None = None
    office: Id
    term: Unconfirmed | Term = UNCONFIRMED  # type: ignore[assignment]
    payment: Unconfirmed | Payment = UNCONFIRMED  # type: ignore[assignment]
    personal_number: Literal["required", "wanted", "no"] | None = None


class Consulate(Strict):
    id: Id
    title: LocalTitle


class DocumentService(Service):
    """Requests for documents, for oneself or for others.

    `also_from`: procedures about documents in general, from which a request begins too. `carried_by: volunteers`:
    they hand the request in and collect the document. `proof`: when a photo or scan of a paper is asked for.
    """

    kind: Literal["document_request"]
    documents: Annotated[list[RequestedDocument], Field(min_length=1, max_length=LIST_ITEMS_MAX)]
    delivery: Annotated[list[Literal["counter", "post", "abroad", "volunteer"]], Field(min_length=1)] = ["counter"]
    consulates: Annotated[list[Consulate], Field(max_length=LIST_ITEMS_MAX)] = []
    for_others: bool = True
    personal_number: Literal["required", "wanted", "no"] = "no"
    number_kept_days: Annotated[int, Field(ge=1, le=3660)] = NUMBER_KEPT_DAYS
    proof: Literal["never", "abroad", "others", "always"] = "never"
    carried_by: Literal["volunteers"] | None = None
    also_from: Annotated[list[Id], Field(max_length=LIST_ITEMS_MAX)] = []

    MENU_TEXT: ClassVar[str] = "menu_documents"

    def complaints(self, files: TownFiles, at: int, intents: Collection[str]) -> Iterator[Complaint]:
        offices = {office.id for office in files.contacts.offices}
        native = files.tenant.languages[0].id
        for position, document in enumerate(self.documents):
            where = ("services", at, "documents", position)
            if document.office not in offices:
                yield files.complaint(
                    "services.yaml", where, f'no office "{document.office}"', "add it to contacts.yaml"
                )
            if document.id in [other.id for other in self.documents[:position]]:
                yield files.complaint(
                    "services.yaml", where, f'document "{document.id}" stands twice', "keep one of them"
                )
            for sheet in document.sheets or ():
                if sheet not in files.procedures:
                    yield files.complaint("services.yaml", where, f'no procedure "{sheet}"', "add the sheet")
        for sheet in self.also_from:
            if sheet not in files.procedures:
                yield files.complaint(
                    "services.yaml", ("services", at, "also_from"), f'no procedure "{sheet}"', "add it"
                )
        for position, consulate in enumerate(self.consulates):
            if native not in consulate.title:
                where = ("services", at, "consulates", position)
                yield files.complaint(
                    "services.yaml", where, f'consulate "{consulate.id}" has no title in {native}', "add it"
                )

    def core(self, files: TownFiles) -> dict[str, Any]:
        sheets = _sheets_service(files)
        return {
            "documents": [
                {
                    "id": document.id,
                    "office": document.office,
                    "intents": list(INTENTS.get(document.id, ())),
                    "sheets": [f"{sheets}.{sheet}" for sheet in _sheets_of(document, files)],
                    "payment": _payment(document),
                    "personal_number": document.personal_number or self.personal_number,
                }
                for document in self.documents
            ],
            "delivery": list(self.delivery),
            "consulates": [consulate.id for consulate in self.consulates],
            "for_others": self.for_others,
            "number_kept_days": self.number_kept_days,
            "proof": self.proof,
            "carried_by": self.carried_by,
        }

    def routing(self, files: TownFiles) -> dict[str, dict[str, Any]]:
        categories: dict[str, Any] = {
            document.id: {"office": document.office, "term": term_data(document.term)} for document in self.documents
        }
        return {"document": categories}

    def routes(self, files: TownFiles) -> Iterator[tuple[str, str]]:
        """A document without a sheet; all others are reached from theirs, or by words that order one."""
        for document in self.documents:
            if not _sheets_of(document, files):
                yield from ((intent, f"{self.id}.document.{document.id}") for intent in INTENTS.get(document.id, ()))

    def requests(self, files: TownFiles) -> Iterator[tuple[str, str]]:
        for document in self.documents:
            yield from ((sheet, f"{self.id}.document.{document.id}") for sheet in _sheets_of(document, files))
        yield from ((sheet, self.id) for sheet in self.also_from)

    def texts(self, files: TownFiles, language: str, text: Mapping[str, Any]) -> dict[str, Any]:
        texts: dict[str, Any] = {}
        for document in self.documents:
            title = text[f"document_{document.id}"]
            texts |= {f"{self.id}.document.{document.id}": title, f"document.{document.id}": title}
            if isinstance(document.payment, Payment):
                texts[f"{self.id}.payment.{document.id}"] = local(document.payment.purpose, language)
        texts |= {f"{self.id}.consulate.{each.id}": local(each.title, language) for each in self.consulates}
        return texts


def _sheets_service(files: TownFiles) -> str:
    """The id under which the town explains procedures."""
    return next((service.id for service in files.services.services if service.kind == "procedures"), "procedures")


def _sheets_of(document: RequestedDocument, files: TownFiles) -> list[str]:
    if document.sheets is not None:
        return list(document.sheets)
    own = SHEETS.get(document.id, document.id)
    return [own] if own in files.procedures else []


# The library's name of a sheet, where it differs from the document's.
SHEETS: Mapping[str, str] = {"family": "family_community", "voter": "voter_list"}


def _payment(document: RequestedDocument) -> dict[str, Any] | None:
    if not isinstance(document.payment, Payment):
        return None
    return document.payment.model_dump(exclude={"purpose"})
