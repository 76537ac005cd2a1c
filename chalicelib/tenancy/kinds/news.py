"""Topics of the town's news that citizens may subscribe to."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field

from chalicelib.tenancy.complaints import Complaint
from chalicelib.tenancy.kinds.base import Service
from chalicelib.tenancy.schema import HttpsUrl, Id, LocalTitle, Short, Strict
from chalicelib.tenancy.sheets import local

if TYPE_CHECKING:
    from chalicelib.tenancy.load import TownFiles

NEWS_INTENT = "news.events"
TOPICS_MAX = 12


class Topic(Strict):
    """One topic. `words`: what citizens call it when they ask to be told of it."""

    id: Id
    title: LocalTitle
    words: Annotated[list[Short], Field(max_length=30)] = []


class NewsService(Service):
    """Topics, and the page where the town's news stands."""

    kind: Literal["news"]
    topics: Annotated[list[Topic], Field(min_length=1, max_length=TOPICS_MAX)]
    page: HttpsUrl | None = None

    MENU_TEXT: ClassVar[str] = "menu_news"
    ALONE: ClassVar[frozenset[str]] = frozenset((NEWS_INTENT,))

    def complaints(self, files: TownFiles, at: int, intents: Collection[str]) -> Iterator[Complaint]:
        native = files.tenant.languages[0].id
        for position, topic in enumerate(self.topics):
            where = ("services", at, "topics", position)
            if topic.id in [other.id for other in self.topics[:position]]:
                yield files.complaint("services.yaml", where, f'topic "{topic.id}" stands twice', "keep one of them")
            elif native not in topic.title:
                yield files.complaint("services.yaml", where, f'topic "{topic.id}" has no title in {native}', "add it")

    def core(self, files: TownFiles) -> dict[str, Any]:
        return {"topics": [{"id": topic.id, "words": list(topic.words)} for topic in self.topics], "page": self.page}

    def routes(self, files: TownFiles) -> Iterator[tuple[str, str]]:
        yield NEWS_INTENT, self.id

    def texts(self, files: TownFiles, language: str, text: Mapping[str, Any]) -> dict[str, Any]:
        texts: dict[str, Any] = {}
        for topic in self.topics:
            title = local(topic.title, language)
            texts[f"{self.id}.topic.{topic.id}"] = title
            texts[f"{self.id}.on.{topic.id}"] = str(text["btn_news_on"]).replace("{topic}", title)
            texts[f"{self.id}.off.{topic.id}"] = str(text["btn_news_off"]).replace("{topic}", title)
        return texts
