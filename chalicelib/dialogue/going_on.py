"""Who filed on a web page goes on in Viber: a one-time link, made when it is asked for, binds the case there.

Choice `case.viber.<reference>`, offered on the web where the town has a Viber account. The page keeps the case, as
somebody who follows it; the notices go to where it was opened last.
"""

from __future__ import annotations

from chalicelib.dialogue import chat
from chalicelib.dialogue.forms import Scene
from chalicelib.model import Case, Choice, Effect, Line, Link, LinkCase, Say, Town, case_choice

VERB = "viber"


def offered(scene: Scene, reference: str) -> tuple[Choice, ...]:
    """The button, for whoever chats on a page of a town that is on Viber, too."""
    able = scene.conversation.account.startswith("web:") and account(scene.town)
    return (case_choice(VERB, reference, "btn_go_on_viber"),) if able else ()


def account(town: Town) -> str | None:
    """What Viber's links name the town's bot by; None where there is none."""
    viber = town.core["viber"]
    named: str | None = viber.get("uri") or viber["account"]  # versions published before `uri` have the account alone
    return named


def viber_link(town: Town, context: str) -> str | None:
    """A link that opens the town's bot with a context; None where the town is not on Viber."""
    name = account(town)
    return f"viber://pa?chatURI={name}&context={context}" if name else None


def link(scene: Scene, case: Case) -> tuple[Say, tuple[Effect, ...]] | None:
    """The link, good once; None where it is not offered."""
    context = f"{scene.town.core['number']}.{scene.facts.ids.nonce}"
    url = viber_link(scene.town, context)
    if not (offered(scene, case.reference) and scene.facts.ids.nonce and url):
        return None
    line = Line("case_go_on_viber", {"case_no": case.reference})
    ways = chat.choices("menu")
    say = Say((line,), choices=ways, link=Link(Line("btn_go_on_viber"), url), case=case.reference)
    return say, (LinkCase(case.reference, context),)
