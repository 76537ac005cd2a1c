"""The case API told to programs: OpenAPI 3.1, made from the models that check what is asked and what is answered.

What stands here and nowhere else: which address does what, in words. `make openapi` writes it to docs/openapi.json.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue

from chalicelib.integrations import answers
from chalicelib.integrations.case_api import (
    IDEMPOTENCY_KEY_CHARS_MAX,
    IDEMPOTENCY_KEY_PATTERN,
    CaseEvent,
    Listing,
    NewAnnouncement,
    NewCase,
    NewImport,
    NumberedEvent,
    OneCase,
    Span,
)
from chalicelib.small_classes import dataclass
from chalicelib.version import VERSION

_REF = "#/components/schemas/"
_READ, _WRITE = "cases:read", "cases:write"
_IMPORT_EXAMPLE = "number;subject;name;phone;status;consent\n17/26;Legalizacija;Mira M.;060 123 4567;in_progress;da\n"
_ERRORS: Mapping[str, tuple[str, str]] = {
    "400": ("Malformed", "What was sent cannot be read"),
    "401": ("NoKey", "No such key"),
    "403": ("NotAllowed", "The key lacks the scope, or this needs somebody else"),
    "404": ("NotThere", "Not there, or another town's"),
    "409": ("InTheWay", "In the way of something that is there already"),
    "413": ("TooLarge", "Too large"),
    "415": ("WrongType", "Not of a type that is taken here"),
    "422": ("NotTaken", "Understood but refused; `field` says which one, where it is one"),
    "429": ("TooMany", "Too many requests of this key; nothing of this one was done"),
    "503": ("NotNow", "Nothing was stored, or not all of it; the same request may be sent again"),
}
_GET_ERRORS = ("401", "403", "404", "422", "429", "503")
_POST_ERRORS = tuple(_ERRORS)
_WAIT = {"Retry-After": {"description": "seconds to wait", "schema": {"type": "integer", "minimum": 1}}}
_PARAMETERS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "tenant": ("the town's short name, as the key's", {"type": "string", "pattern": "^[a-z][a-z0-9-]{1,39}$"}),
    "reference": (
        "of a case; case, spaces, hyphens and script do not matter",
        {"type": "string", "minLength": 1, "maxLength": 60, "examples": ["SO-7KM4-2A9"]},
    ),
    "identifier": ("what was answered when it was made", {"type": "string", "pattern": "^[A-Za-z0-9_-]{1,40}$"}),
}


# What an answer leads on to: the operation, its parameter, and where in the answer that stands.
Link = tuple[str, str, str]
_TO_CASE: tuple[Link, ...] = tuple((name, "reference", "/reference") for name in ("getCase", "changeCase"))
_TO_IMPORT: tuple[Link, ...] = (("getImport", "identifier", "/id"),)
_TO_ANNOUNCEMENT: tuple[Link, ...] = tuple(
    (name, "identifier", "/id") for name in ("getAnnouncement", "approveAnnouncement", "stopAnnouncement")
)


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing to ask for: `path` behind `/api/v1/{tenant}/`, the shapes of what is sent and answered."""

    method: str
    path: str
    name: str
    summary: str
    scope: str
    answer: Any
    told: str
    body: type[BaseModel] | None = None
    query: type[BaseModel] | None = None
    status: str = "200"
    takes_csv: bool = False
    leads_to: tuple[Link, ...] = ()


OPERATIONS = (
    Operation(
        *("post", "cases", "fileCase", "File a case; the answer's link is for the slip", _WRITE),
        *(answers.Filed, "It is filed; link and code are told this once", NewCase),
        status="201",
        leads_to=_TO_CASE,
    ),
    Operation(
        *("get", "cases", "listCases", "Cases, last changed first", _READ, answers.Page, "A page"),
        query=Listing,
    ),
    Operation(
        *("get", "cases/{reference}", "getCase", "One case with its whole history", _READ, answers.Case, "The case"),
        query=OneCase,
    ),
    Operation(
        *("post", "cases/{reference}/events", "changeCase", "Say what happened to a case", _WRITE),
        *(answers.Case, "The case after it", CaseEvent),
        status="201",
    ),
    Operation(
        *("post", "cases/events", "changeCaseByNumber", "Say what happened to the case of a file number", _WRITE),
        *(answers.Case, "The case after it", NumberedEvent),
        status="201",
        leads_to=_TO_CASE,
    ),
    Operation(
        *("post", "cases/import", "importCases", "A file of cases: a new number files, a known one changes", _WRITE),
        *(answers.Imported, "What became of the rows"),
        takes_csv=True,
    ),
    Operation(
        *("post", "imports", "beginImport", "A longer file: where to lay it; it is worked when it is there", _WRITE),
        *(answers.ImportForm, "The form that takes the file", NewImport),
        status="201",
        leads_to=_TO_IMPORT,
    ),
    Operation(
        *("get", "imports/{identifier}", "getImport", "How far an import has come", _WRITE),
        *(answers.Import, "The import"),
    ),
    Operation(
        *("post", "announcements", "writeAnnouncement", "Write an announcement; its receivers are counted"),
        *("announcements", answers.Announcement, "The draft", NewAnnouncement),
        status="201",
        leads_to=_TO_ANNOUNCEMENT,
    ),
    Operation(
        *("get", "announcements/{identifier}", "getAnnouncement", "One announcement as it stands"),
        *("announcements", answers.Announcement, "The announcement"),
    ),
    Operation(
        "post",
        "announcements/{identifier}/approve",
        "approveAnnouncement",
        "Approve it; above the town's bound with another key than it was written with",
        *("announcements", answers.Announcement, "The announcement after it"),
        status="201",
    ),
    Operation(
        *("post", "announcements/{identifier}/stop", "stopAnnouncement", "Send no further page of it"),
        *("announcements", answers.Announcement, "The announcement after it"),
        status="201",
    ),
    Operation(
        *("get", "figures", "getFigures", "What the town's work came to; the last thirty days if none are named"),
        *("figures", answers.Figures, "The figures, renewed every hour"),
        query=Span,
    ),
)


def document() -> dict[str, Any]:
    """The whole description."""
    schemas = _schemas()
    paths: dict[str, dict[str, Any]] = {}
    for each in OPERATIONS:
        path = f"/api/v1/{{tenant}}/{each.path}"
        entry = paths.setdefault(path, {"parameters": [_path(name) for name in _names(path)]})
        entry[each.method] = _operation(each)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Šalter: a town's cases",
            "version": VERSION,
            "summary": "For the office systems of towns.",
            "description": "Every request carries the town's key. What is refused changes nothing.",
        },
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "the town's API key"}},
            "responses": {name: _error(status) for status, (name, _) in _ERRORS.items()},
            "schemas": schemas,
        },
    }


class _Plain(GenerateJsonSchema):
    """No titles beside names that say the same; words of a docstring on one line."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def generate_inner(self, schema: Any) -> JsonSchemaValue:
        made = super().generate_inner(schema)
        if isinstance(made.get("description"), str):
            made["description"] = " ".join(made["description"].split())
        return made


def _schemas() -> dict[str, Any]:
    asked = [each.body for each in OPERATIONS if each.body]
    told = dict.fromkeys([*(each.answer for each in OPERATIONS), answers.Error])
    inputs = [(model, "validation", TypeAdapter(model)) for model in asked]
    shapes = [(shape, "serialization", TypeAdapter(shape)) for shape in told]
    _, made = TypeAdapter.json_schemas(
        [*inputs, *shapes],  # type: ignore[list-item]
        ref_template=_REF + "{model}",
        schema_generator=_Plain,
    )
    return dict(sorted(made["$defs"].items()))


def _operation(each: Operation) -> dict[str, Any]:
    posts = each.method == "post"
    parameters = ([_once()] if posts else []) + (_query(each.query) if each.query else [])
    errors = _POST_ERRORS if posts else _GET_ERRORS
    return {
        "operationId": each.name,
        "summary": each.summary,
        "description": f"Scope of the key: {each.scope}.",
        "tags": [each.path.partition("/")[0]],
        **({"parameters": parameters} if parameters else {}),
        **({"requestBody": _body(each)} if each.body or each.takes_csv else {}),
        "responses": {each.status: _answer(each.answer.__name__, each.told) | _links(each)}
        | {status: {"$ref": f"#/components/responses/{_ERRORS[status][0]}"} for status in errors},
    }


def _links(each: Operation) -> dict[str, Any]:
    links = {
        name: {
            "operationId": name,
            "parameters": {"tenant": "$request.path.tenant", parameter: f"$response.body#{pointer}"},
        }
        for name, parameter, pointer in each.leads_to
    }
    return {"links": links} if links else {}


def _body(each: Operation) -> dict[str, Any]:
    if each.body:
        return {"required": True, "content": {"application/json": {"schema": {"$ref": _REF + each.body.__name__}}}}
    return {
        "required": True,
        "description": "The first line names the columns. UTF-8, UTF-16 or Windows-1250; semicolons, commas or tabs.",
        "content": {"text/csv": {"schema": {"type": "string", "minLength": 1}, "example": _IMPORT_EXAMPLE}},
    }


def _names(path: str) -> list[str]:
    return [part[1:-1] for part in path.split("/") if part.startswith("{")]


def _path(name: str) -> dict[str, Any]:
    description, schema = _PARAMETERS[name]
    return {"name": name, "in": "path", "required": True, "description": description, "schema": schema}


def _once() -> dict[str, Any]:
    return {
        "name": "Idempotency-Key",
        "in": "header",
        "description": "The same key within 24 hours: the same answer, nothing done twice; with another body: 422",
        "schema": {
            "type": "string",
            "minLength": 1,
            "maxLength": IDEMPOTENCY_KEY_CHARS_MAX,
            "pattern": IDEMPOTENCY_KEY_PATTERN,
        },
    }


def _query(model: type[BaseModel]) -> list[dict[str, Any]]:
    """A query's fields as parameters: what may be null there may be left out here."""
    fields = model.model_json_schema(by_alias=True, schema_generator=_Plain)["properties"]
    return [_parameter(name, dict(schema)) for name, schema in fields.items()]


def _parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    description = schema.pop("description", None)
    options = [option for option in schema.pop("anyOf", []) if option.get("type") != "null"]
    schema |= options[0] if options else {}
    if schema.get("default") in (None, "", 0):
        schema.pop("default", None)
    said = {"description": description} if description else {}
    return {"name": name, "in": "query", **said, "schema": schema}


def _answer(schema: str, description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": {"$ref": _REF + schema}}}}


def _error(status: str) -> dict[str, Any]:
    return _answer("Error", _ERRORS[status][1]) | ({"headers": _WAIT} if status in ("429", "503") else {})
