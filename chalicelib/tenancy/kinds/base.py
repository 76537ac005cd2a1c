"""What every kind of service says of itself when a town is compiled."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from chalicelib.tenancy.complaints import Complaint
from chalicelib.tenancy.schema import Id, Strict, Term

if TYPE_CHECKING:
    from chalicelib.tenancy.load import TownFiles

# Who answers an intent that several services speak of: what can be filed here, sheets, and offices where nobody else.
FILES, SHEETS, OFFICES = range(3)


class Service(Strict):
    """One entry of services.yaml. A kind adds its own settings and overrides what it has to say."""

    id: Id
    kind: str

    MENU_TEXT: ClassVar[str]  # the platform's name of the service, by its key in the catalogues
    RANK: ClassVar[int] = FILES
    ALONE: ClassVar[frozenset[str]] = frozenset()  # intents that nobody of a higher rank answers beside it

    def complaints(self, files: TownFiles, at: int, intents: Collection[str]) -> Iterator[Complaint]:
        """What does not fit together; `at` is the entry's place in services.yaml, `intents` all there are."""
        return iter(())

    def core(self, files: TownFiles) -> dict[str, Any]:
        """What the running service needs to know: `core["services"][id]`, beside its kind."""
        return {}

    def routing(self, files: TownFiles) -> dict[str, dict[str, Any]]:
        """Kind of case → category ("" for any other) → {"office", "term"}."""
        return {}

    def routes(self, files: TownFiles) -> Iterator[tuple[str, str]]:
        """Which intents lead to which choices, as (intent, choice)."""
        return iter(())

    def requests(self, files: TownFiles) -> Iterator[tuple[str, str]]:
        """Which procedures' sheets can be asked for here at once, as (procedure, choice)."""
        return iter(())

    def parents(self, files: TownFiles) -> Iterator[tuple[str, str]]:
        """Choices and what further intents they are a case of, as (choice, intent)."""
        return iter(())

    def titles(self, files: TownFiles) -> Iterator[tuple[str, Mapping[str, str]]]:
        """Choices and their titles by language, which are phrases for them too."""
        return iter(())

    def texts(self, files: TownFiles, language: str, text: Mapping[str, Any]) -> dict[str, Any]:
        """What stands on the buttons of its choices, and its own texts, by key; `text` are the catalogue's."""
        return {}

    def sheets(self, files: TownFiles, language: str, texts: Mapping[str, Any]) -> dict[str, Any]:
        """Its sheets by choice."""
        return {}


def term_data(term: Term | str) -> dict[str, Any] | None:
    """A term as the compiled town has it; None where the town has not confirmed one."""
    return None if isinstance(term, str) else term.model_dump(exclude_none=True)
