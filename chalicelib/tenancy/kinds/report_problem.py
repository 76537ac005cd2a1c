"""Reports of communal problems: which kinds there are, who takes care of them, what a report must say."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import Field, model_validator

from chalicelib.language import catalogue
from chalicelib.tenancy.complaints import Complaint
from chalicelib.tenancy.kinds.base import Service, term_data
from chalicelib.tenancy.schema import (
    LIST_ITEMS_MAX,
    UNCONFIRMED,
    Id,
    Language,
    LocalText,
    LocalTitle,
    Open311Word,
    Short,
    Strict,
    Term,
    Unconfirmed,
)
from chalicelib.tenancy.sheets import local

if TYPE_CHECKING:
    from chalicelib.tenancy.load import TownFiles

REPORT_INTENT = "report.generic"  # what a report that says no kind is about


class QuestionOption(Strict):
    id: Id
    title: LocalTitle


class ProblemQuestion(Strict):
    """A question of the town's own about one kind of problem."""

    id: Id
    type: Literal["text", "choice", "multi_choice", "quantity", "date"] = "text"
    ask: dict[Language, Short]
    label: LocalTitle
    optional: bool = False
    options: Annotated[list[QuestionOption], Field(max_length=LIST_ITEMS_MAX)] = []

    @model_validator(mode="after")
    def _options_where_there_is_a_choice(self) -> ProblemQuestion:
        if (self.type in ("choice", "multi_choice")) != (len(self.options) > 1):
            raise ValueError("a choice needs at least two `options`; other types have none")
        if len({option.id for option in self.options}) < len(self.options):
            raise ValueError("an option stands twice, so that one of them could not be chosen")
        return self


# Catalogue names of kinds of problems whose intents are called otherwise.
CATEGORY_TEXTS = {"road": "road_damage", "light": "street_light", "sewage": "sewer", "dogs": "animals"}


class SentTo(Strict):
    """Where reports of a kind go by Open311, too: an endpoint of tenant.yaml, how the kind is called there, and under
    which code it takes the answer to which of the town's own questions."""

    endpoint: Id
    code: Open311Word
    attributes: dict[Id, Open311Word] = {}


class Problem(Strict):
    """A kind of communal problem: who takes care of it, until when, and what a report must say.

    `title` defaults to the platform's name for it (`category.<id>`); `hint` is said as soon as the kind is known.
    `public`: whether its reports are shown by Open311 to whoever asks; not those with a name, unless the town says so.
    """

    id: Id
    title: LocalTitle | None = None
    intents: list[str] = []
    office: Id
    term: Unconfirmed | Term = UNCONFIRMED  # type: ignore[assignment]
    photo: Literal["required", "wanted", "no"] = "wanted"
    place: bool = True
    anonymous: bool = True
    public: bool | None = None
    open311: SentTo | None = None
    hint: LocalText | None = None
    questions: Annotated[list[ProblemQuestion], Field(max_length=LIST_ITEMS_MAX)] = []


class ReportService(Service):
    """Reports of communal problems."""

    kind: Literal["report_problem"]
    problems: Annotated[list[Problem], Field(min_length=1, max_length=40)]

    MENU_TEXT: ClassVar[str] = "menu_report"

    def complaints(self, files: TownFiles, at: int, intents: Collection[str]) -> Iterator[Complaint]:
        offices = {office.id for office in files.contacts.offices}
        native = files.tenant.languages[0]
        known = catalogue.load(native.catalogue)["texts"]
        for position, problem in enumerate(self.problems):
            where = ("services", at, "problems", position)
            yield from files.unknown_intents("services.yaml", where, problem.intents, intents)
            complaint = None
            if problem.office not in offices:
                complaint = (f'no office "{problem.office}"', "add it to contacts.yaml")
            elif problem.id in [other.id for other in self.problems[:position]]:
                complaint = (f'problem "{problem.id}" stands twice', "keep one of them")
            elif problem.title is None and _category_text(problem) not in known:
                complaint = (f'problem "{problem.id}" has no title', "give it a title in every language")
            elif problem.title is not None and native.id not in problem.title:
                complaint = (f'problem "{problem.id}" has no title in {native.id}', "add it")
            complaint = complaint or _asked_twice(self.problems[: position + 1]) or _sent_nowhere(files, problem)
            if complaint:
                yield files.complaint("services.yaml", where, *complaint)

    def core(self, files: TownFiles) -> dict[str, Any]:
        return {"problems": [_problem(problem) for problem in self.problems]}

    def routing(self, files: TownFiles) -> dict[str, dict[str, Any]]:
        return {"problem": {problem.id: _route(problem) for problem in self.problems}}

    def routes(self, files: TownFiles) -> Iterator[tuple[str, str]]:
        yield REPORT_INTENT, self.id
        for problem in self.problems:
            for intent in problem.intents:
                if intent != REPORT_INTENT:
                    yield intent, f"{self.id}.category.{problem.id}"

    def titles(self, files: TownFiles) -> Iterator[tuple[str, Mapping[str, str]]]:
        return ((f"{self.id}.category.{problem.id}", _title(files, problem)) for problem in self.problems)

    def texts(self, files: TownFiles, language: str, text: Mapping[str, Any]) -> dict[str, Any]:
        texts: dict[str, Any] = {}
        for problem in self.problems:
            texts |= _problem_texts(self.id, problem, language, text)
        return texts


def _asked_twice(problems: Sequence[Problem]) -> tuple[str, str] | None:
    """A question of the last one whose name is taken: one of the two would never be asked."""
    names = [f"{problem.id}_{question.id}" for problem in problems for question in problem.questions]
    own = names[len(names) - len(problems[-1].questions) :]
    twice = next((name for name in own if names.count(name) > 1), None)
    if twice is None:
        return None
    return f'question "{twice.removeprefix(problems[-1].id + "_")}" stands twice', "give each its own id"


def _sent_nowhere(files: TownFiles, problem: Problem) -> tuple[str, str] | None:
    """What is wrong with where reports of it go, and the remedy."""
    if problem.open311 is None:
        return None
    if problem.open311.endpoint not in {endpoint.id for endpoint in files.tenant.open311.endpoints}:
        return f'no Open311 endpoint "{problem.open311.endpoint}"', "add it to tenant.yaml, open311: endpoints"
    if strange := set(problem.open311.attributes) - {question.id for question in problem.questions}:
        return f"no question {', '.join(sorted(strange))}", "name questions of this problem"
    return None


def _route(problem: Problem) -> dict[str, Any]:
    route: dict[str, Any] = {"office": problem.office, "term": term_data(problem.term)}
    return route | ({"open311": problem.open311.model_dump()} if problem.open311 else {})


def _category_text(problem: Problem) -> str:
    return f"category.{CATEGORY_TEXTS.get(problem.id, problem.id)}"


def _title(files: TownFiles, problem: Problem) -> Mapping[str, str]:
    """A problem's name in the town's languages."""
    if problem.title:
        return problem.title  # type: ignore[return-value]
    key = _category_text(problem)
    return {offer.id: str(catalogue.load(offer.catalogue)["texts"][key]) for offer in files.tenant.languages}


def _problem(problem: Problem) -> dict[str, Any]:
    return {
        "id": problem.id,
        "intents": list(problem.intents),
        "photo": problem.photo,
        "place": problem.place,
        "anonymous": problem.anonymous,
        "public": problem.anonymous if problem.public is None else problem.public,
        "hint": problem.hint is not None,
        "questions": [
            {
                "id": question.id,
                "type": question.type,
                "optional": question.optional,
                "options": [option.id for option in question.options],
            }
            for question in problem.questions
        ],
    }


def _problem_texts(service: str, problem: Problem, language: str, text: Mapping[str, Any]) -> dict[str, str]:
    """Everything a form says of one kind of problem, by the keys its slots use."""
    title = local(problem.title, language) if problem.title else str(text[_category_text(problem)])
    texts = {f"{service}.category.{problem.id}": title, f"category.{problem.id}": title}
    if problem.hint:
        texts[f"{service}.hint.{problem.id}"] = local(problem.hint, language)
    for question in problem.questions:
        key = f"{problem.id}_{question.id}"
        texts[f"{service}.ask.{key}"] = local(question.ask, language)
        texts[f"{service}.label.{key}"] = local(question.label, language)
        texts |= {f"{service}.{key}.{option.id}": local(option.title, language) for option in question.options}
    return texts
