"""A case as a citizen files it in a conversation: what all kinds of service write alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib.cases import routing
from chalicelib.model import Attachment, Case, Conversation, Facts, Follower, Happening, Town, Voice

PERSON = ("name", "phone")


def filed(town: Town, kind: str, subject: str, filer: Conversation, voice: Voice, facts: Facts, **own: Any) -> Case:
    """Received just now from whom the conversation is with; `subject` names the town's text, `own` is the kind's."""
    return _received(
        town,
        kind,
        subject,
        voice,
        facts,
        channel=filer.account.partition(":")[0],
        history=(Happening(int(facts.now), "opened", "received", "citizen", public=True),),
        owner=owner(filer),
        **own,
    )


def owner(filer: Conversation) -> Follower:
    """Who files it, and may follow it."""
    return Follower(filer.account, filer.citizen)


def chat(town: Town, subject: str, office: str, voice: Voice, facts: Facts, **own: Any) -> Case:
    """Somebody who waits for a person: whose it is and how it began is added where the conversation is known."""
    return _received(town, "chat", subject, voice, facts, office=office, **own)


def routed(town: Town, kind: str, category: str, facts: Facts) -> dict[str, Any]:
    """Category, competent office and deadline (None where the town promises none)."""
    route = routing.route(town.core, kind, category)
    return {"category": category, "office": route.office, "due_at": routing.due_at(town.core, route, facts.now)}


def person(answers: Mapping[str, Any]) -> dict[str, str]:
    """Name and telephone, as far as they were given."""
    return {name: str(answers[name]) for name in PERSON if name in answers}


def media(answers: Mapping[str, Any]) -> tuple[Attachment, ...]:
    """Photos, videos and files that were sent; nobody sees them before they are checked."""
    sent = enumerate(answers.get("media", ()), 1)
    return tuple(Attachment(str(number), kind, size, "waiting", url) for number, (kind, url, size) in sent)


def _received(town: Town, kind: str, subject: str, voice: Voice, facts: Facts, **own: Any) -> Case:
    now = int(facts.now)
    return Case(
        tenant=town.slug,
        reference=facts.ids.reference,
        kind=kind,
        status="received",
        subject=str(town.texts[town.native_language][subject]),
        created_at=now,
        updated_at=now,
        voice=voice,
        **own,
    )
