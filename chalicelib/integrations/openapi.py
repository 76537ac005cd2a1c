"""The case API told to programs: OpenAPI 3.1, made from the same models that check the requests."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from chalicelib.integrations.case_api import (
    LIMIT_DEFAULT,
    LIMIT_MAX,
    STATUSES,
    CaseEvent,
    NewAnnouncement,
    NewCase,
    NumberedEvent,
)
from chalicelib.model import KINDS
from chalicelib.version import VERSION

_BODIES = (NewCase, CaseEvent, NumberedEvent, NewAnnouncement)
_REF = "#/components/schemas/"
_TIME = {"type": ["string", "null"], "format": "date-time"}
_WORD = {"type": ["string", "null"]}


def document() -> dict[str, Any]:
    """The whole description."""
    models: list[tuple[type[BaseModel], Any]] = [(model, "validation") for model in _BODIES]
    _, schemas = models_json_schema(models, ref_template=_REF + "{model}")
    return {
        "openapi": "3.1.0",
        "info": {"title": "Šalter: cases of a town", "version": VERSION},
        "security": [{"key": []}],
        "paths": {
            "/api/v1/{tenant}/cases": {
                "parameters": [_path("tenant")],
                "post": _posts("NewCase", "Filed", "File a case; the answer's link is for the slip.", "Filed"),
                "get": {
                    "summary": "Cases, last changed first",
                    "parameters": _list_parameters(),
                    "responses": {"200": _answer("Page", "A page"), **_errors()},
                },
            },
            "/api/v1/{tenant}/cases/events": {
                "parameters": [_path("tenant")],
                "post": _posts("NumberedEvent", "Case", "Change the case under a file number.", "The case after it"),
            },
            "/api/v1/{tenant}/cases/import": {
                "parameters": [_path("tenant")],
                "post": {
                    "summary": "A file of cases: a new number files a case, a known one changes it; may be repeated.",
                    "requestBody": {
                        "required": True,
                        "description": "The first line names the columns; also UTF-16, Windows-1250, commas, tabs.",
                        "content": {"text/csv": {"schema": {"type": "string"}, "example": _IMPORT_EXAMPLE}},
                    },
                    "responses": {"200": _answer("Imported", "What became of the rows"), **_errors(posted=True)},
                },
            },
            "/api/v1/{tenant}/cases/{reference}": {
                "parameters": [_path("tenant"), _path("reference")],
                "get": {
                    "summary": "One case",
                    "parameters": [
                        {
                            "name": "notices",
                            "in": "query",
                            "schema": {**_YES, "description": "1: its history also says what became of each notice"},
                        }
                    ],
                    "responses": {"200": _answer("Case", "The case"), **_errors()},
                },
            },
            "/api/v1/{tenant}/cases/{reference}/events": {
                "parameters": [_path("tenant"), _path("reference")],
                "post": _posts("CaseEvent", "Case", "Change a case.", "The case after it"),
            },
            "/api/v1/{tenant}/announcements": {
                "parameters": [_path("tenant")],
                "post": _posts(
                    "NewAnnouncement", "Announcement", "Write an announcement; its receivers are counted.", "The draft"
                ),
            },
            "/api/v1/{tenant}/announcements/{identifier}": {
                "parameters": [_path("tenant"), _path("identifier")],
                "get": {
                    "summary": "One announcement as it stands",
                    "responses": {"200": _answer("Announcement", "The announcement"), **_errors()},
                },
            },
            "/api/v1/{tenant}/announcements/{identifier}/approve": {
                "parameters": [_path("tenant"), _path("identifier")],
                "post": _posts("", "Announcement", "Approve it, above the town's bound with another key.", "Approved"),
            },
            "/api/v1/{tenant}/announcements/{identifier}/stop": {
                "parameters": [_path("tenant"), _path("identifier")],
                "post": _posts("", "Announcement", "Send no further page of it.", "The announcement after it"),
            },
            "/api/v1/{tenant}/figures": {
                "parameters": [_path("tenant")],
                "get": {
                    "summary": "What the town's work came to; the last thirty days if none are named",
                    "parameters": [
                        {"name": name, "in": "query", "schema": {"type": "string", "format": "date"}}
                        for name in ("from", "to")
                    ],
                    "responses": {"200": _answer("Figures", "The figures, renewed every hour"), **_errors()},
                },
            },
        },
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
            "schemas": schemas["$defs"]
            | {
                "Case": _CASE,
                "Page": _PAGE,
                "Filed": _FILED,
                "Imported": _IMPORTED,
                "Figures": _FIGURES,
                "Announcement": _ANNOUNCEMENT,
                "Error": _ERROR,
            },
        },
    }


_YES = {"type": "string", "enum": ["0", "1"]}


def _path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _list_parameters() -> list[dict[str, Any]]:
    limit = {"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT}
    schemas: dict[str, dict[str, Any]] = {
        "number": {"type": "string"},
        "status": {"type": "string", "enum": list(STATUSES)},
        "kind": {"type": "string", "enum": list(KINDS)},
        "office": {"type": "string", "description": "id or exact title"},
        "updated_after": {"type": "string", "format": "date-time", "description": "at this second or later"},
        "call": {**_YES, "description": "1: whose citizen somebody should call, longest waiting first"},
        "cursor": {"type": "string", "description": "of the page before; a page may be short and still have one"},
        "limit": limit,
    }
    return [{"name": name, "in": "query", "schema": schema} for name, schema in schemas.items()]


def _posts(body: str, answer: str, summary: str, description: str) -> dict[str, Any]:
    key = {
        "name": "Idempotency-Key",
        "in": "header",
        "schema": {"type": "string", "maxLength": 200},
        "description": "the same key within 24 hours: the same answer, nothing done twice; another body: 422",
    }
    asked = {"required": True, "content": {"application/json": {"schema": {"$ref": _REF + body}}}}
    return {
        "summary": summary,
        "parameters": [key],
        **({"requestBody": asked} if body else {}),
        "responses": {"201": _answer(answer, description), **_errors(posted=True)},
    }


def _answer(schema: str, description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": {"$ref": _REF + schema}}}}


def _errors(posted: bool = False) -> dict[str, Any]:
    meanings = {
        "401": "No such key",
        "403": "The key lacks the scope",
        "404": "Not there, or another town's",
        "422": "Understood but refused",
        "429": "Too many requests of this key; try again after the seconds of Retry-After",
        "503": "Nothing was stored; try again",
    }
    if posted:
        meanings |= {"400": "Malformed", "409": "Taken", "413": "Too large", "415": "Not JSON"}
    return {status: _answer("Error", meaning) for status, meaning in sorted(meanings.items())}


def _object(properties: dict[str, Any], optional: tuple[str, ...] = ()) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": [name for name in properties if name not in optional],
    }


_HAPPENING = _object(
    {
        "at": _TIME,
        "event": {"type": "string"},
        "status": {"type": "string", "enum": list(STATUSES)},
        "by": {"type": "string"},
        "note": _WORD,
        "public": {"type": "boolean"},
    }
)
_PLACE = _object({"latitude": {"type": ["number", "null"]}, "longitude": {"type": ["number", "null"]}, "text": _WORD})
_ATTACHMENT = _object(
    {
        "id": {"type": "string"},
        "type": {"type": "string"},
        "size": {"type": "integer"},
        "state": {"type": "string"},
        "url": _WORD,
    }
)
_CASE = _object(
    {
        "reference": {"type": "string"},
        "number": _WORD,
        "kind": {"type": "string", "enum": list(KINDS)},
        "category": _WORD,
        "status": {"type": "string", "enum": list(STATUSES)},
        "subject": {"type": "string"},
        **dict.fromkeys(("office", "official", "awaiting_institution", "forwarded_to"), _WORD),
        **dict.fromkeys(("channel", "language", "script"), _WORD),
        **dict.fromkeys(("created_at", "updated_at", "due_at", "closed_at"), _TIME),
        "fields": {"type": "object"},
        "place": {"oneOf": [_PLACE, {"type": "null"}]},
        "attachments": {"type": "array", "items": _ATTACHMENT},
        "history": {"type": "array", "items": _HAPPENING},
        "consent": {"type": "boolean"},
        "assignee": _object({"kind": {"enum": ["staff", "volunteer"]}, "id": _WORD, "name": _WORD}),
    },
    optional=("assignee",),
)
_PAGE = _object({"cases": {"type": "array", "items": {"$ref": _REF + "Case"}}, "cursor": _WORD})
_LINK = _object(
    {"viber": _WORD, "web": _WORD, "qr_svg": {"type": "string"}, "code": {"type": "string"}, "expires": _TIME}
)
_FILED = _object({"reference": {"type": "string"}, "number": _WORD, "link": _LINK})
_COUNT = {"type": "integer", "minimum": 0}
_NUMBER = {"type": ["number", "null"]}
_FIGURES = _object(
    {
        "from": {"type": "string", "format": "date"},
        "to": {"type": "string", "format": "date"},
        "people": _COUNT,
        "conversations": _COUNT,
        "messages": _object({"in": _COUNT, "out": _COUNT}),
        "cases": {
            "type": "array",
            "items": _object({"kind": {"type": "string"}, "category": _WORD, "opened": _COUNT, "closed": _COUNT}),
        },
        "first_answer_minutes": _object({"median": _NUMBER, "p90": _NUMBER}),
        "deadlines": _object({"kept": _COUNT, "missed": _COUNT}),
        "unanswered": {"type": "number", "description": "share of messages that were not understood"},
        "ratings": _object({"count": _COUNT, "mean": _NUMBER}),
        "cost": _object({"currency": {"type": "string"}, "messages": _NUMBER, "aws": _NUMBER}),
    }
)
_IMPORT_EXAMPLE = "number;subject;name;phone;status;consent\n17/26;Legalizacija;Mira M.;060 123 4567;in_progress;da\n"
_REJECTED = _object({"line": {"type": "integer"}, "field": _WORD, "reason": {"type": "string"}})
_IMPORTED = _object(
    {
        "applied": {"type": "integer"},
        "unchanged": {"type": "integer"},
        "rejected": {"type": "array", "items": _REJECTED},
    }
)
_NAMES = {"type": "array", "items": {"type": "string"}}
_ANNOUNCEMENT = _object(
    {
        "id": {"type": "string"},
        "state": {"type": "string", "enum": ["draft", "approved", "sending", "paused", "stopped", "done"]},
        "reason": _WORD,
        "text": {"type": "object", "additionalProperties": {"type": "string"}},
        "audience": _object(dict.fromkeys(("topics", "settlements", "languages", "channels"), _NAMES)),
        **dict.fromkeys(("at", "created_at", "approved_at", "began_at"), _TIME),
        "counts": _object(
            dict.fromkeys(
                ("audience", "sent", "delivered", "seen", "failed", "left", "uncertain", "skipped", "web"), _COUNT
            )
        ),
        "calls": _COUNT,
        "price": {"oneOf": [_object({"amount": {"type": "number"}, "currency": {"type": "string"}}), {"type": "null"}]},
        "pages": {
            "type": "array",
            "items": _object({"n": _COUNT, "state": {"type": "string"}, "size": _COUNT}),
        },
    }
)
_ERROR = _object(
    {"error": _object({"code": {"type": "string"}, "message": {"type": "string"}, "field": _WORD}, optional=("field",))}
)
