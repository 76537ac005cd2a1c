"""Kinds of municipal service as a town configures them, each beside the module of the same name that runs it."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from chalicelib.tenancy.kinds.assistance import AssistanceService
from chalicelib.tenancy.kinds.base import Service
from chalicelib.tenancy.kinds.case_status import StatusService
from chalicelib.tenancy.kinds.contacts import ContactsService
from chalicelib.tenancy.kinds.document_request import DocumentService
from chalicelib.tenancy.kinds.news import NewsService
from chalicelib.tenancy.kinds.operator import OperatorService
from chalicelib.tenancy.kinds.procedures import ProceduresService
from chalicelib.tenancy.kinds.question import QuestionService
from chalicelib.tenancy.kinds.report_problem import ReportService
from chalicelib.tenancy.kinds.volunteer import VolunteerService
from chalicelib.tenancy.schema import Strict

AnyService = Annotated[
    ProceduresService
    | ContactsService
    | ReportService
    | DocumentService
    | QuestionService
    | StatusService
    | AssistanceService
    | VolunteerService
    | OperatorService
    | NewsService,
    Field(discriminator="kind"),
]

__all__ = ["AnyService", "Service", "ServicesFile"]


class ServicesFile(Strict):
    """services.yaml: what the menu offers, in order: services and single choices (`contacts.bureau`)."""

    services: Annotated[list[AnyService], Field(min_length=1)]
    menu: Annotated[list[str], Field(min_length=1, max_length=12)]
