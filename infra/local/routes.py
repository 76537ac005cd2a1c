"""The `/local/*` conveniences: start page, clock, tick, outbox, mail. They exist in the local stack's app process only.

`register` puts them on the product's `app` there; the package that goes to Lambda does not hold this module.
"""

import datetime as dt
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chalice.app import Chalice, Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from chalicelib import bounds
from chalicelib.actions import clock, minute
from chalicelib.model import Town
from chalicelib.storage import tenants, views
from chalicelib.wire import Deadline
from infra import towns
from infra.local import accounts, expiry, mailbox, stack
from infra.local.stack import ROOT, STAGE

HERE = Path(__file__).parent
SHEETS = ROOT / "chalicelib" / "console" / "static"  # the house's one copy
STATIC_TYPES = {"tokens.css": "text/css; charset=utf-8", "console.css": "text/css; charset=utf-8"}
# curl -d sends a form type; nobody should have to spell out a header to move a clock.
ANY_TYPE = ["*/*"]
CONTENT_POLICY = "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'none'"
TICK_ROUNDS_MAX = 20
START_PAGE_SECONDS = 5.0
A_DAY_SECONDS = 86400  # what is owed later than that (an unclaimed photo's end) is no news to the start page
TICK_COUNTS = ("delivered", "deadlines", "pages", "purged", "failed")


@dataclass(frozen=True)
class TownCard:
    """One town on the start page: its name in its own language, its languages by id and own name, its Viber account."""

    slug: str
    name: str
    languages: tuple[tuple[str, str], ...]
    colour: str
    account: str | None


def register(app: Chalice, *, run: Path, simulator: str | None) -> None:
    """Put the conveniences on the app; refuses outside stage `local`."""
    if os.environ.get("SALTER_STAGE") != STAGE:
        raise RuntimeError(f"/local/* belongs to stage {STAGE} alone: unset SALTER_STAGE, start it by `make run`")
    doors = Doors(app, run, simulator)
    held = {"pace": bounds.CROWD, "most": bounds.LITTLE}
    app.route("/", methods=["GET"], **held)(doors.to_start)
    app.route("/local", methods=["GET"], **held)(doors.start)
    app.route("/local/towns.css", methods=["GET"], **held)(doors.colours)
    app.route("/local/static/{name}", methods=["GET"], **held)(doors.static)
    app.route("/local/clock", methods=["GET"], **held)(doors.clock)
    app.route("/local/clock", methods=["POST"], content_types=ANY_TYPE, **held)(doors.set_clock)
    app.route("/local/tick", methods=["POST"], content_types=ANY_TYPE, **held)(doors.tick)
    app.route("/local/outbox", methods=["GET"], **held)(doors.outbox)
    app.route("/local/mail", methods=["GET"], **held)(doors.mail)


class Doors:
    """The views. What they know of this stack beyond the product: its run directory and its simulator."""

    def __init__(self, app: Chalice, run: Path, simulator: str | None) -> None:
        self._app = app
        self._run = run
        self._simulator = simulator
        self._pages = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=select_autoescape(),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def to_start(self) -> Response:
        """`/` leads to the start page."""
        return Response("", headers={"Location": "/local/"}, status_code=302)

    def start(self) -> Response:
        """Every town with its links, the clock, what is owed."""
        ready = stack.read(self._run)
        page = self._pages.get_template("start.html").render(
            towns=town_cards(),
            simulator=self._simulator,
            shared_account=accounts.SHARED_ACCOUNT,
            console=any(path.startswith("/console") for path in self._app.routes),
            public_page="/t/{tenant}" in self._app.routes,
            clock=dt.datetime.fromtimestamp(clock.now()).astimezone(),
            ready_seconds=ready.ready_seconds if ready else None,
            owed=sum(row["state"] != "sent" and row["due_at"] <= clock.now() + A_DAY_SECONDS for row in _owed(None)),
            sent=len(mailbox.sent(os.environ["AWS_ENDPOINT_URL"])),
            host=self._request.headers.get("host", "localhost"),
        )
        return Response(
            page, headers={"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": CONTENT_POLICY}
        )

    def colours(self) -> Response:
        """Each town's colour, for a page whose policy forbids inline style."""
        rules = [f'[data-town="{town.slug}"] {{ --town: {town.colour}; }}' for town in town_cards()]
        return Response("\n".join(rules) + "\n", headers={"Content-Type": "text/css; charset=utf-8"})

    def static(self, name: str) -> Response:
        """The style sheets."""
        if name not in STATIC_TYPES:
            return _error(404, "not_found", f"there is no {name} here")
        text = (SHEETS / name).read_text(encoding="utf-8")
        return Response(text, headers={"Content-Type": STATIC_TYPES[name]})

    def clock(self) -> Response:
        """What time the product believes it is."""
        return Response({"now": dt.datetime.fromtimestamp(clock.now()).astimezone().isoformat(timespec="seconds")})

    def set_clock(self) -> Response:
        """Set the product's clock for every process of the product; it runs on from there. Null restores it."""
        try:
            to = parse_clock(self._request.raw_body)
        except ValueError as complaint:
            return _error(400, "malformed", str(complaint), field="now")
        clock.set_now(to)
        return self.clock()

    def tick(self) -> Response:
        """Run everything due, again until nothing is."""
        return Response(run_everything_due())

    def outbox(self) -> Response:
        """What is owed to the outside, lanes included."""
        query: Mapping[str, str] = self._request.query_params or {}
        return Response({"rows": _owed(query.get("tenant"))})

    def mail(self) -> Response:
        """The e-mails and SMS the product sent."""
        return Response({"items": mailbox.sent(os.environ["AWS_ENDPOINT_URL"])})

    @property
    def _request(self) -> Request:
        request = self._app.current_request
        assert request is not None, "a view is called with a request"
        return request


def parse_clock(body: str | bytes) -> dt.datetime | None:
    """The time a clock request asks for; None restores the machine's."""
    example = 'send {"now": "2026-03-10T10:15:00+01:00"} or {"now": null}'
    try:
        asked = json.loads(body)["now"]
    except (ValueError, TypeError, KeyError):
        raise ValueError(example) from None
    if asked is None:
        return None
    try:
        to = dt.datetime.fromisoformat(asked)
    except (ValueError, TypeError):
        raise ValueError(f"now is not a time: {example}") from None
    if to.tzinfo is None:
        raise ValueError(f"now lacks its offset: {example}")
    return to


def run_everything_due() -> dict[str, int]:
    """Sweep and remove what expired, round after round until one does nothing; the sums."""
    counts = dict.fromkeys(TICK_COUNTS, 0)
    for _ in range(TICK_ROUNDS_MAX):
        now = clock.now()
        done = minute.minute(now)
        done["purged"] = done.get("purged", 0) + expiry.remove_expired(now)
        for name in TICK_COUNTS:
            counts[name] += done.get(name, 0)
        if not any(done.get(name, 0) for name in TICK_COUNTS):
            break
    return counts


def town_cards() -> list[TownCard]:
    """Every published town as the start page shows it, in the order of their names."""
    deadline = Deadline(START_PAGE_SECONDS)
    published = [pointer for slug in towns.slugs() if (pointer := tenants.pointer(slug, deadline))]
    versions = [tenants.town(pointer.slug, pointer.version, deadline) for pointer in published]
    return sorted((_card(town) for town in versions if town), key=lambda card: card.name)


def _card(town: Town) -> TownCard:
    return TownCard(
        slug=town.slug,
        name=town.core["names"][town.native_language],
        languages=tuple((language["id"], language["name"]) for language in town.core["languages"]),
        colour=town.core["colours"]["light"]["town"],
        account=town.core["viber"]["account"],
    )


def _error(status: int, code: str, message: str, *, field: str | None = None) -> Response:
    error = {"code": code, "message": message} | ({"field": field} if field else {})
    return Response({"error": error}, status_code=status)


def _owed(tenant: str | None) -> list[dict[str, Any]]:
    """What is owed to the outside; of all towns, their dead rows too, which are kept town by town."""
    if tenant:
        return views.owed(tenant)
    dead = [row for slug in towns.slugs() for row in views.owed(slug) if row["state"] not in ("due", "leased")]
    return views.owed(None) + dead
