"""Kinds of municipal service, one module each. The folder is the registry; modules are imported by name when used."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Protocol

from chalicelib.model import Facts, Need, Say, Town

KINDS = (
    "procedures",
    "contacts",
    "report_problem",
    "document_request",
    "question",
    "case_status",
    "assistance",
    "volunteer",
    "operator",
    "message",
    "news",
    "consent",
    "my_data",
)


class Kind(Protocol):
    """What every kind offers."""

    def answer(self, town: Town, service: str, item: str, page: int, facts: Facts) -> tuple[Say, ...] | Need | None:
        """What to say when a choice of the service was taken; None if it no longer exists; Need for a question."""


@cache
def kind(name: str) -> Kind:
    """The module of a kind."""
    if name not in KINDS:
        raise LookupError(name)
    return import_module(f"chalicelib.services.{name}")
