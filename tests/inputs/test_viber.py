"""What Viber, or somebody with the account's token, may post: 200 for all of it, nothing kept that means nothing,
an answer with a next step for all that comes from somebody."""

from __future__ import annotations

import gzip
import itertools
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.channels.viber import receive
from chalicelib.model import Account
from chalicelib.storage import views
from tests.inputs.door import Given, ask
from tests.viber import callback, message
from tests.world import World

_people = itertools.count(1)
ACCOUNT = Account("viber", "primer", ("primer",))


def shows(number: str, *values: Any) -> Any:
    """A row of a table, and the number of the catalogue it shows."""
    return pytest.param(*values, marks=pytest.mark.shows(number), id=f"{number}-{next(_people)}")


def somebody() -> str:
    return f"citizen-{next(_people)}"


def posted(town: World, body: bytes, *, flagged: str | None = None) -> Given:
    """A signed callback through the door."""
    signed = callback(town.token, body).headers
    return ask("POST", f"/viber/{town.slug}", body, flagged=flagged, **signed)


def raw(event: Any) -> bytes:
    return json.dumps(event, ensure_ascii=False).encode("utf-8", "surrogatepass")


def answered(town: World, event: dict[str, Any]) -> list[dict[str, Any]]:
    """What went back to whoever sent it: within Viber's bounds, with a next step on the last."""
    before = len(town.viber.sent)
    given = posted(town, json.dumps(event).encode())
    assert (given.status, given.json) == (200, {})
    sent = town.viber.sent[before:]
    assert sent and sent[-1]["keyboard"]["Buttons"]
    assert all(0 < len(each["text"]) <= 7000 and len(raw(each)) < 30_000 for each in sent)
    assert not [row for row in views.owed(town.slug) if row["kind"] == "parked"], "a bug was met"
    return sent


# --- what means nothing --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        shows("B1", b""),
        shows("B2", b"null"),
        shows("B3", b"[]"),
        shows("B4", b'"x"'),
        shows("B5", raw(message("mira", "zdravo"))[:-20]),
        shows("B6", raw(message("mira", "zdravo")) + b"{}"),
        shows("B7", b'{"event":"message","event":"delivered","sender":{"id":"mira"}}'),
        shows("B8", b"NaN"),
        shows("B8", b'{"event":"delivered","timestamp":Infinity,"message_token":-Infinity}'),
        shows("B9", b"[" * 100_000 + b"]" * 100_000),
        shows("B9", b'{"event":' * 20_000),
        shows("B10", b" " * 200_000),
        shows("B11", json.dumps(message("mira", "zdravo")).encode("utf-16")),
        shows("B12", b"\xff\xfe\xfa{" + bytes(range(256))),
        shows("B14", gzip.compress(raw(message("mira", "zdravo")))),
        shows("B16", raw(message("mira", "zdravo") | {"sender": None})),
        shows("B16", raw(message("mira", "zdravo") | {"sender": {"name": "Mira"}})),
        shows("B17", raw(message("", "zdravo"))),
        shows("B17", raw(message("x" * 5000, "zdravo"))),
        shows("B17", raw(message("a#b", "zdravo"))),
        shows("B17", raw(message("A#viber:primer#U#mira", "zdravo"))),
        shows("B17", raw(message("mira\x00", "zdravo"))),
        shows("B38", raw(message("mira", "zdravo") | {"chat_id": "group"})),
    ],
)
@pytest.mark.shows("R5")
def test_what_means_nothing_is_taken_and_leaves_no_trace(town: World, body: bytes) -> None:
    sent = len(town.viber.sent)
    given = posted(town, body)
    assert (given.status, given.json) == (200, {})
    assert (town.meter.writes, len(town.viber.sent)) == (0, sent)


@pytest.mark.shows("B10")
def test_a_megabyte_is_refused_before_its_signature_is_counted(town: World) -> None:
    given = posted(town, b" " * 1_000_000)
    assert (given.status, given.code, town.meter.operations) == (413, "too_large", [])


@pytest.mark.shows("B13")
@pytest.mark.parametrize("flagged", ["{not base64}", "абв", "A", "\ud800"])
@pytest.mark.parametrize("path", ["/viber/{0}", "/chat/{0}/sessions", "/api/v1/{0}/cases"])
def test_a_body_that_is_not_the_base64_it_claims_to_be_is_refused_as_any_other(
    town: World, path: str, flagged: str
) -> None:
    given = ask("POST", path.format(town.slug), flagged=flagged)
    assert 400 <= given.status < 500
    assert town.meter.writes == 0


@pytest.mark.shows("B15")
@pytest.mark.parametrize("event", ["client_status", "ново", "x" * 5000, "\ud800", "a\x00b"])
def test_an_unknown_event_is_kept_for_people_and_answers_nobody(town: World, event: str) -> None:
    assert posted(town, json.dumps({"event": event, "message_token": next(_people)}).encode()).status == 200
    assert "odd" in {row["kind"] for row in views.owed(town.slug)}


# --- what comes from somebody --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "content"),
    [
        shows("B17", {"sender": {"id": "a|b;c,d", "name": "Mira"}}, {"text": "zdravo"}),
        *(shows("B18", {"message_token": token}, {"text": "zdravo"}) for token in ("7", -1, 2**63, 2**70, 6.1e18)),
        *(shows("B18", {"message_token": token}, {"text": "zdravo"}) for token in ("\ud800", {}, [], None, 10**400)),
        *(shows("B19", {"timestamp": at}, {"text": "zdravo"}) for at in (0, -1, 4_070_908_800_000, 10**30, "x")),
        *(shows("B20", {}, {"type": kind}) for kind in ("voice", "url", "contact", [], {}, 7, None)),
        *(shows("B21", {}, {"type": "text", "text": text}) for text in ("", "   ", "\u200b", "\u200b\u2060\ufeff")),
        *(shows("B22", {}, {"type": "text", "text": "ж" * letters}) for letters in (7001, 30_000)),
        shows("B23", {}, {"text": "\u202egnitset\u202c \u200drupa\u200d"}),
        shows("B24", {}, {"text": "👩\u200d" * 10 + "👩"}),
        shows("B25", {}, {"text": "a" + "\u0301" * 1000}),
        shows("B26", {}, {"text": "rupa \ud83d na putu"}),
        shows("B27", {}, {"text": "".join(map(chr, range(32))) + "rupa\x00\x7f\x9f"}),
        shows("B30", {}, {"text": "procedures.birth"}),
        shows("B31", {}, {"text": "~1:town.drugi"}),
        shows("B31", {}, {"text": "~1:case.withdraw.DR-7KM4-2A9"}),
        shows("B31", {}, {"text": "~0:old.step"}),
        shows("B31", {}, {"text": "~1:form.send"}),
        shows("B32", {}, {"text": "zdravo", "tracking_data": "x" * 5000}),
        shows("B32", {}, {"text": "zdravo", "tracking_data": {"flow": "admin", "step": "send"}}),
        *(
            shows("B33", {}, {"type": "location", "location": {"lat": lat, "lon": lon}})
            for lat, lon in ((91, 0), (45, "NaN"), (45, float("nan")), (0, 0), (-33.9, 151.2), (10**400, 1), (True, {}))
        ),
        *(
            shows("B34", {}, {"type": "picture", "media": link})
            for link in ("http://169.254.169.254/", "file:///etc/passwd", "data:image/png;base64,AA", "\ud800", "")
        ),
        shows("B35", {}, {"type": "video", "media": "https://m.example/v.mp4", "size": 26 * 2**20}),
        shows("B35", {}, {"type": "video", "media": "https://m.example/v.mp4", "size": 10**400}),
        shows("B36", {}, {"type": "sticker", "sticker_id": 46105}),
        shows("B36", {}, {"type": "file", "media": "https://m.example/x", "file_name": "../../x", "size": -5}),
        shows("B36", {}, {"type": "file", "media": "https://m.example/x", "file_name": "\u202efdp.exe" * 99}),
        shows("B37", {}, {"type": "contact", "contact": {"name": "Pera", "phone_number": "+381641234567"}}),
        shows("B37", {}, {"type": "contact", "contact": {"phone_number": [1]}, "text": "~1:phone"}),
        shows("B38", {"chat_id": ""}, {"text": "zdravo"}),
    ],
)
@pytest.mark.shows("R5")
def test_whatever_comes_from_somebody_is_answered_with_a_next_step(
    town: World, changed: dict[str, Any], content: dict[str, Any]
) -> None:
    event = message(somebody(), **({"type": "text"} | content)) | changed
    answered(town, event)


@pytest.mark.shows("B30")
def test_a_buttons_body_typed_by_hand_files_nothing_and_a_choices_name_is_only_words(town: World) -> None:
    citizen = somebody()
    for text in ("form.send", "~1:form.send", "case.withdraw.PR-7KM4-2A9", "~1:case.withdraw.PR-7KM4-2A9"):
        answered(town, message(citizen, text))
    kept = town.conversation(citizen)
    assert kept is not None and not kept.state.get("form")


@pytest.mark.shows("B37")
def test_a_card_of_somebody_else_links_no_case_and_its_number_is_not_kept(town: World) -> None:
    citizen = somebody()
    card = {"name": "Pera", "phone_number": "+381641234567"}
    answered(town, message(citizen, type="contact", contact=card, text="~1:share.forged"))
    assert "641234567" not in repr(town.conversation(citizen))


# --- any shape at all ----------------------------------------------------------------------------------------------

ODD = [10**400, 2**63, 2**70, 1e308, float("nan"), float("inf"), "9" * 5000, "\ud800", "\x00", "~1:menu", True, None]
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.sampled_from(ODD))
ANYTHING = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)),
    max_leaves=6,
)


def shaped(**fields: Any) -> Any:
    """An object with any of these fields, each as it should be or anything else."""
    return st.fixed_dictionaries({}, optional={name: st.one_of(value, ANYTHING) for name, value in fields.items()})


SENDER = shaped(id=st.just("mira"), language=st.text(max_size=3), api_version=st.integers())
CONTENT = shaped(
    type=st.sampled_from(["text", "picture", "video", "file", "location", "contact", "sticker", "url", "voice"]),
    text=st.text(max_size=30),
    media=st.text(max_size=30),
    location=shaped(lat=st.floats(), lon=st.floats()),
    contact=shaped(phone_number=st.text(max_size=30)),
    size=st.integers(),
    file_name=st.text(max_size=20),
)
EVENTS = shaped(
    event=st.sampled_from(["message", "conversation_started", "subscribed", "unsubscribed", "seen", "failed", "x"]),
    sender=SENDER,
    user=SENDER,
    user_id=st.just("mira"),
    message=CONTENT,
    message_token=st.integers(),
    context=st.text(max_size=30),
    subscribed=st.booleans(),
)


def any_event_is_understood_or_dropped(event: Any) -> None:
    received = receive(callback("token", json.dumps(event).encode()), ACCOUNT, "token")
    if received.inbound is None:
        return
    inbound, media = received.inbound, received.inbound.media
    texts = [inbound.citizen, inbound.text, inbound.choice, inbound.context, inbound.phone]
    for text in [*texts, *((media.url, media.name) if media else ())]:
        assert "\x00" not in text
        text.encode()  # can be stored and sent


@pytest.mark.shows("B8", "B16", "B18", "B20", "B26", "B33")
@settings(max_examples=80, deadline=None)
@given(EVENTS)
def test_an_event_of_any_shape_is_understood_or_dropped(event: Any) -> None:
    any_event_is_understood_or_dropped(event)


@pytest.mark.campaign
@pytest.mark.shows("T4")
@settings(max_examples=20_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(EVENTS)
def test_twenty_thousand_events_of_any_shape_are_understood_or_dropped(event: Any) -> None:
    any_event_is_understood_or_dropped(event)
