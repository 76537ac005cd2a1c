"""The doors: routes, queue, schedule. Each hands over in a line or two; nothing is decided here."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import wraps
from secrets import token_hex
from typing import Any

from chalice.app import Chalice, Rate, Response

from chalicelib import bounds
from chalicelib.actions import clock
from chalicelib.actions.journal import log
from chalicelib.channels import Request, counted_by
from chalicelib.compact_json import as_json
from chalicelib.console.routes import PAGES, Page
from chalicelib.dialogue import flood
from chalicelib.entry import Entry, is_format_2
from chalicelib.model import Refused, SalterError, TooMany, Unavailable
from chalicelib.version import VERSION

# Functions at once, so that a neighbour that has become slow cannot have them all: of those who bring out what waits
# (`make simulate` needs fewer with Viber away for ten minutes in a thousand towns), of those who publish.
DOORBELLS_MAX = 200
PUBLISHERS_MAX = 2  # the least AWS takes


class Doors(Chalice):
    """The product as a function: what an HTTP API or a function URL hands over comes in beside what a REST API does."""

    entry: Entry | None = None

    def __init__(self, app_name: str, *, configure_logs: bool) -> None:
        super().__init__(app_name=app_name, configure_logs=configure_logs)
        self.held_to: dict[tuple[str, str], tuple[str, int]] = {}  # path and method → pace and bytes at most

    def route(
        self, path: str, *, pace: str, most: int, refusal: Callable[[Refused], Response] | None = None, **rest: Any
    ) -> Callable[..., Any]:
        """A door, which says by what its requests are counted (`bounds.PACES`) and how many bytes they bring at most;
        whoever is over either gets no further. `refusal`: in other words than the contract's errors."""
        if pace not in bounds.PACES:
            raise ValueError(f"{path}: no pace {pace!r}")
        register = super().route(path, **rest)

        def made(view: Callable[..., Response]) -> Any:
            @wraps(view)
            def held(**params: str) -> Response:
                try:
                    within(request(), pace, most)
                except Refused as error:
                    return (refusal or refused)(error)
                return view(**params)

            return register(held)

        self.held_to |= {(path, method): (pace, most) for method in rest.get("methods", ("GET",))}
        return made

    def __call__(self, event: Any, context: Any) -> dict[str, Any]:
        if not is_format_2(event):
            return dict(super().__call__(event, context))
        self.entry = self.entry or Entry(self.routes)
        inside = super().__call__
        return self.entry.answer(event, lambda told: dict(inside(told, context)))


app = Doors(app_name="salter", configure_logs=False)

JSON = "application/json; charset=utf-8"


# Stands for a body whose bytes cannot be had: neither JSON nor a form, and nobody signed it.
UNREADABLE = b"\0"

# Routes that must not answer 415: a genuine callback is taken whatever it calls itself.
ANY = ["*/*"]

# What is asked by POST alone, whatever it calls itself.
POSTED: dict[str, Any] = {"methods": ["POST"], "content_types": ANY}
POSTED_FROM_PAGES: dict[str, Any] = {"methods": ["POST", "OPTIONS"], "content_types": ANY}


def request() -> Request:
    """The current request as channels see it, made once."""
    known: dict[str, Any] = app.current_request.__dict__
    if "asked" not in known:
        known["asked"] = _asked()
    asked: Request = known["asked"]
    return asked


def _asked() -> Request:
    current = app.current_request
    try:
        body = current.raw_body or b""
    except ValueError:  # not the base64 that the gateway says it is
        body = UNREADABLE
    return Request(
        body=body,
        headers={name.lower(): value for name, value in (current.headers or {}).items()},
        query=dict(current.query_params or {}),
        source=counted_by(str(((current.context or {}).get("identity") or {}).get("sourceIp") or "")),
    )


def within(asked: Request, pace: str, most: int) -> None:
    """Raises Refused 413 for a body of more than `most` bytes, TooMany."""
    if len(asked.body) > most:
        raise Refused(413, "too_large", f"At most {most // 1024} kB.")
    if pace in (bounds.VISITOR, bounds.CROWD):
        from chalicelib.actions import web_pace

        web_pace.by_address(asked.source, clock.now(), pace)


def answer(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    return Response(as_json(data), status_code=status, headers={"Content-Type": JSON, **(headers or {})})


def refused(error: Refused) -> Response:
    fault = {"code": error.code, "message": error.message} | ({"field": error.field_name} if error.field_name else {})
    if error.status != 429:
        return answer({"error": fault}, error.status)
    wait = error.after_seconds if isinstance(error, TooMany) else flood.wait_seconds()
    return answer({"error": fault}, error.status, {"Retry-After": str(wait)})


def safely(door: Callable[[], Response], cors: dict[str, str] | None = None) -> Response:
    """Run a door; refusals and a silent store become the contract's errors, never a stack trace."""
    try:
        response = door()
    except Refused as error:
        response = refused(error)
    except (Unavailable, SalterError) as error:
        log.error("unavailable", error=type(error).__name__)
        response = answer(
            {"error": {"code": "unavailable", "message": "Try again in a moment."}}, 503, {"Retry-After": "2"}
        )
    response.headers.update(cors or {})
    return response


# --- health -----------------------------------------------------------------------------------------------------


@app.route("/health", pace=bounds.CROWD, most=bounds.LITTLE)
def health() -> Response:
    return answer({"status": "ok", "stage": os.environ.get("SALTER_STAGE", "dev"), "version": VERSION})


# --- Viber ------------------------------------------------------------------------------------------------------


@app.route("/viber/{account}", **POSTED, pace=bounds.PERSON, most=bounds.CALLBACK)
def viber(account: str) -> Response:
    from chalicelib.actions.viber_callback import take_callback

    return safely(lambda: answer(take_callback(account, request(), clock.now(), token_hex(4))))


# --- web chat ---------------------------------------------------------------------------------------------------


def web(tenant: str, door: Callable[[], Response]) -> Response:
    """A web chat route: the town's own sites may call it from a page; OPTIONS is answered here, not by the gateway."""
    from chalicelib.actions import cross_origin

    def checked() -> Response:
        headers = cross_origin.headers(tenant, request().headers)
        if app.current_request.method == "OPTIONS":
            return Response("", status_code=204, headers=headers)
        response = door()
        response.headers.update(headers)
        return response

    return safely(checked)


@app.route("/chat/{tenant}/sessions", **POSTED_FROM_PAGES, pace=bounds.VISITOR, most=bounds.MESSAGE)
def chat_sessions(tenant: str) -> Response:
    from chalicelib.actions import web_chat

    return web(tenant, lambda: answer(web_chat.open_session(tenant, request(), clock.now()), 201))


@app.route(
    "/chat/{tenant}/messages",
    methods=["POST", "GET", "OPTIONS"],
    content_types=ANY,
    pace=bounds.VISITOR,
    most=bounds.MESSAGE,
)
def chat_messages(tenant: str) -> Response:
    from chalicelib.actions import web_chat

    act = web_chat.fetch_messages if app.current_request.method == "GET" else web_chat.post_message
    return web(tenant, lambda: answer(act(tenant, request(), clock.now())))


@app.route("/chat/{tenant}/attachments", **POSTED_FROM_PAGES, pace=bounds.VISITOR, most=bounds.MESSAGE)
def chat_attachments(tenant: str) -> Response:
    from chalicelib.actions import web_chat

    return web(tenant, lambda: answer(web_chat.attach(tenant, request(), clock.now()), 201))


@app.route("/chat/{tenant}/look", methods=["GET", "OPTIONS"], pace=bounds.VISITOR, most=bounds.LITTLE)
def chat_look(tenant: str) -> Response:
    from chalicelib.actions import web_chat
    from chalicelib.console import widget

    cached = {"Cache-Control": "public, max-age=300"}
    return web(
        tenant, lambda: answer(widget.part(web_chat.look(tenant, request().query), request().query), 200, cached)
    )


@app.route("/chat/{tenant}", pace=bounds.CROWD, most=bounds.LITTLE)
def chat_page(tenant: str) -> Response:
    from chalicelib.actions import uploads, web_chat
    from chalicelib.console import policy, widget

    def door() -> Response:
        query = request().query
        page = widget.chat_page(web_chat.look(tenant, query), query.get("context", ""))
        return Response(page, headers=policy.page_headers(uploads.origin()))

    return safely(door)


@app.route("/widget.js", pace=bounds.CROWD, most=bounds.LITTLE)
def widget_loader() -> Response:
    from chalicelib.console import widget

    headers = {
        "Content-Type": "text/javascript; charset=utf-8",
        "Cache-Control": "public, max-age=300",
        "Access-Control-Allow-Origin": "*",
    }
    return Response(widget.loader_js(), headers=headers)


@app.route("/assets/{name}", pace=bounds.CROWD, most=bounds.LITTLE)
def asset(name: str) -> Response:
    from chalicelib.console import widget

    def door() -> Response:
        try:
            body, content_type = widget.asset(name)
        except KeyError as error:
            raise Refused(404, "unknown_asset", "There is no such file.") from error
        headers = {"Cache-Control": "public, max-age=31536000, immutable", "Access-Control-Allow-Origin": "*"}
        return Response(body, headers={"Content-Type": content_type, **headers})

    return safely(door)


@app.route("/t/{tenant}", pace=bounds.CROWD, most=bounds.LITTLE)
def town_page(tenant: str) -> Response:
    from chalicelib.actions import introduce, paper_case
    from chalicelib.console import policy, public

    def door() -> Response:
        asked = request()
        origin = paper_case.origin_of(asked.headers)
        page = public.public_page(introduce.introduce(tenant, asked.query, origin, clock.now()))
        return Response(page, headers=policy.page_headers("'self'"))

    return safely(door)


@app.route("/t/{tenant}/colours.css", pace=bounds.CROWD, most=bounds.LITTLE)
def town_colours(tenant: str) -> Response:
    from chalicelib.actions import web_chat
    from chalicelib.console import public

    headers = {"Content-Type": "text/css; charset=utf-8", "Cache-Control": "public, max-age=300"}
    return safely(lambda: Response(public.colours_css(web_chat.look(tenant, {})), headers=headers))


@app.route("/files/{tenant}/{token}/{name}", pace=bounds.CROWD, most=bounds.LITTLE)
def sent_file(tenant: str, token: str, name: str) -> Response:
    from chalicelib.actions import file_links

    return onward(lambda: file_links.opened(tenant, token, name, clock.now()), "private")


@app.route("/pictures/{tenant}/{identifier}/{name}", pace=bounds.CROWD, most=bounds.LITTLE)
def announced_picture(tenant: str, identifier: str, name: str) -> Response:
    from chalicelib.actions import illustrate

    return onward(lambda: illustrate.opened(tenant, identifier, name, clock.now()), "public")


def onward(find: Callable[[], str], kept: str) -> Response:
    """On to where a file is just now; `kept`: who may remember the way for a minute (public, private)."""

    def door() -> Response:
        headers = {"Location": find(), "Cache-Control": f"{kept}, max-age=60"}
        return Response("", status_code=302, headers=headers)

    return safely(door)


# --- towns' systems ---------------------------------------------------------------------------------------------


@app.route("/api/v1/openapi.json", pace=bounds.CROWD, most=bounds.LITTLE)
def openapi() -> Response:
    from chalicelib.integrations.openapi import document

    return answer(document(), headers={"Cache-Control": "public, max-age=300"})


@app.route("/api/v1/reference", pace=bounds.CROWD, most=bounds.LITTLE)
def api_reference() -> Response:
    from chalicelib.console import policy, reference

    return Response(reference.page(), headers=policy.page_headers("'self'"))


@app.route(
    "/api/v1/{tenant}/cases", methods=["POST", "GET"], content_types=ANY, pace=bounds.SYSTEM, most=bounds.MESSAGE
)
def api_cases(tenant: str) -> Response:
    from chalicelib.actions import case_api

    if app.current_request.method == "GET":
        return safely(lambda: answer(case_api.list_cases(tenant, request(), clock.now())))
    return safely(lambda: answer(case_api.post_case(tenant, request(), clock.now()), 201))


@app.route("/api/v1/{tenant}/cases/events", **POSTED, pace=bounds.SYSTEM, most=bounds.MESSAGE)
def api_events_by_number(tenant: str) -> Response:
    from chalicelib.actions import case_api

    return safely(lambda: answer(case_api.post_event_by_number(tenant, request(), clock.now(), token_hex(4)), 201))


def import_refused(error: Refused) -> Response:
    from chalicelib.actions import case_api

    return refused(case_api.too_long() if error.status == 413 else error)


@app.route("/api/v1/{tenant}/cases/import", **POSTED, pace=bounds.SYSTEM, most=bounds.FILE, refusal=import_refused)
def api_import(tenant: str) -> Response:
    from chalicelib.actions import case_api

    return safely(lambda: answer(case_api.import_rows(tenant, request(), clock.now())))


@app.route("/api/v1/{tenant}/cases/{reference}", methods=["GET"], pace=bounds.SYSTEM, most=bounds.LITTLE)
def api_case(tenant: str, reference: str) -> Response:
    from chalicelib.actions import case_api

    return safely(lambda: answer(case_api.get_case(tenant, reference, request(), clock.now())))


@app.route("/api/v1/{tenant}/cases/{reference}/events", **POSTED, pace=bounds.SYSTEM, most=bounds.MESSAGE)
def api_events(tenant: str, reference: str) -> Response:
    from chalicelib.actions import case_api

    return safely(lambda: answer(case_api.post_event(tenant, reference, request(), clock.now(), token_hex(4)), 201))


@app.route("/api/v1/{tenant}/imports", **POSTED, pace=bounds.SYSTEM, most=bounds.MESSAGE)
def api_imports(tenant: str) -> Response:
    from chalicelib.actions import case_api

    return safely(lambda: answer(case_api.post_import(tenant, request(), clock.now()), 201))


@app.route("/api/v1/{tenant}/imports/{identifier}", methods=["GET"], pace=bounds.SYSTEM, most=bounds.LITTLE)
def api_one_import(tenant: str, identifier: str) -> Response:
    from chalicelib.actions import case_api

    return safely(lambda: answer(case_api.get_import(tenant, identifier, request(), clock.now())))


@app.route("/api/v1/{tenant}/figures", methods=["GET"], pace=bounds.SYSTEM, most=bounds.LITTLE)
def api_figures(tenant: str) -> Response:
    from chalicelib.actions import case_api

    return safely(lambda: answer(case_api.get_figures(tenant, request(), clock.now())))


@app.route("/api/v1/{tenant}/announcements", **POSTED, pace=bounds.SYSTEM, most=bounds.MESSAGE)
def api_announcements(tenant: str) -> Response:
    from chalicelib.actions import case_api

    return safely(lambda: answer(case_api.post_announcement(tenant, request(), clock.now()), 201))


@app.route("/api/v1/{tenant}/announcements/{identifier}", methods=["GET"], pace=bounds.SYSTEM, most=bounds.LITTLE)
def api_announcement(tenant: str, identifier: str) -> Response:
    from chalicelib.actions import case_api

    return safely(lambda: answer(case_api.get_announcement(tenant, identifier, request(), clock.now())))


@app.route("/api/v1/{tenant}/announcements/{identifier}/approve", **POSTED, pace=bounds.SYSTEM, most=bounds.MESSAGE)
def api_approve(tenant: str, identifier: str) -> Response:
    from chalicelib.actions import case_api

    return safely(lambda: answer(case_api.post_approval(tenant, identifier, request(), clock.now()), 201))


@app.route("/api/v1/{tenant}/announcements/{identifier}/stop", **POSTED, pace=bounds.SYSTEM, most=bounds.MESSAGE)
def api_stop(tenant: str, identifier: str) -> Response:
    from chalicelib.actions import case_api

    return safely(lambda: answer(case_api.post_stop(tenant, identifier, request(), clock.now()), 201))


# --- Open311 ----------------------------------------------------------------------------------------------------


# A photo comes as bytes in a form: the gateway must not take it for text.
app.api.binary_types.append("multipart/form-data")


def open311(tenant: str, *path: str) -> Response:
    from chalicelib.actions.answer_open311 import answer as answer_open311

    method = app.current_request.method
    body, status, headers = answer_open311(method, tenant, path, request(), clock.now(), token_hex(4))
    return Response(body, status_code=status, headers=headers)


def open311_refused(error: Refused) -> Response:
    from chalicelib.actions.answer_open311 import refusal

    named = app.current_request.uri_params
    body, status, headers = refusal(named.get("item") or named["resource"], error)
    return Response(body, status_code=status, headers=headers)


@app.route(
    "/open311/{tenant}/v2/{resource}",
    methods=["GET", "POST"],
    content_types=ANY,
    pace=bounds.SYSTEM,
    most=bounds.FILE,
    refusal=open311_refused,
)
def open311_resource(tenant: str, resource: str) -> Response:
    return open311(tenant, resource)


@app.route(
    "/open311/{tenant}/v2/{resource}/{item}",
    methods=["GET"],
    pace=bounds.SYSTEM,
    most=bounds.LITTLE,
    refusal=open311_refused,
)
def open311_item(tenant: str, resource: str, item: str) -> Response:
    return open311(tenant, resource, item)


# --- the staff's console ----------------------------------------------------------------------------------------


def console(page: Page) -> Callable[..., Response]:
    """The door of one staff page; who may come in stands beside its address in the table."""

    def open_page(**params: str) -> Response:
        from chalicelib.console import staff_door

        return staff_door.answer(page, request(), params, clock.now())

    return open_page


def console_refused(page: Page) -> Callable[[Refused], Response]:
    def refusal(error: Refused) -> Response:
        from chalicelib.console import staff_door

        return staff_door.refused(page, request(), error)

    return refusal


for page in PAGES:
    app.route(
        page.path,
        methods=[page.method],
        name=page.name,
        content_types=ANY,
        pace=page.pace,
        most=page.most,
        refusal=console_refused(page),
    )(console(page))


# --- queue and schedule -----------------------------------------------------------------------------------------
# Declared here and not in a blueprint, because Lambda would otherwise never import this module for them.


@app.on_sqs_message(queue="doorbell", batch_size=10, maximum_concurrency=DOORBELLS_MAX)
def ring_doorbell(event: Any) -> dict[str, Any]:
    from chalicelib.actions.answer_doorbell import answer_doorbell

    return answer_doorbell([(record.to_dict()["messageId"], record.body) for record in event], clock.now())


@app.on_sqs_message(queue="publish", batch_size=1, maximum_concurrency=PUBLISHERS_MAX)
def publish_town(event: Any) -> dict[str, Any]:
    from chalicelib.actions import publish_content

    return publish_content.answer([(record.to_dict()["messageId"], record.body) for record in event], clock.now())


@app.schedule(Rate(1, unit=Rate.MINUTES))
def every_minute(event: Any) -> dict[str, int]:
    from chalicelib.actions.minute import minute

    return minute(clock.now())
