"""Ids nobody can guess: a case's reference, a receipt's access code, what marks a button that is good once."""

from __future__ import annotations

from functools import cached_property
from secrets import token_bytes, token_urlsafe

from chalicelib.cases import references
from chalicelib.model import Town

ID_BYTES = 16
NONCE_BYTES = 12


def new_reference(town: Town) -> str:
    return references.reference(town.core["prefix"], token_bytes(ID_BYTES))


class DrawnIds:
    """See `model.Ids`. Most turns need none."""

    def __init__(self, town: Town) -> None:
        self._town = town

    @cached_property
    def reference(self) -> str:
        return new_reference(self._town)

    @cached_property
    def code(self) -> str:
        return references.access_code(token_bytes(ID_BYTES))

    @cached_property
    def nonce(self) -> str:
        return token_urlsafe(NONCE_BYTES)
