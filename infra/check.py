"""What `./salter town check` says beyond what keeps a town from being published: file, line, and what to do about it.

Complaints fail the check. Remarks do not: they are the list of what to mend, or to ask the town.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.tenancy import spoken
from chalicelib.tenancy.compile import OWN_ANSWERS
from chalicelib.tenancy.complaints import Complaint, Rejected
from chalicelib.tenancy.kinds.document_request import DocumentService, Payment
from chalicelib.tenancy.load import TownFiles
from chalicelib.tenancy.schema import LANGUAGES, UNCONFIRMED, Office
from chalicelib.tenancy.spoken import Path
from infra import proofs, reach, towns

# After a year fees, terms and phones are somebody's memory.
CHECKED_DAYS_MAX = 365
SHOWN_EVERYWHERE = ("title", "ask", "label")


def remarks(files: TownFiles, version: Mapping[str, Any], today: dt.date) -> list[Complaint]:
    """Everything worth mending, file by file."""
    found = [
        *_dead_contacts(files),
        *_out_of_date(files, today),
        *_texts_missing(files),
        *_sheets_of_other_languages(files, version),
        *_phrases(files, version),
        *_unreachable(files, version),
    ]
    return sorted(found, key=lambda remark: (remark.file, remark.line))


def complaints(files: TownFiles, version: Mapping[str, Any]) -> list[Complaint]:
    """What must be mended beyond what refuses a town anyway."""
    return [*clashes(files.slug, version["core"]), *_unnamed(files), *proofs.complaints(files.slug)]


def clashes(slug: str, core: Mapping[str, Any]) -> list[Complaint]:
    """What this town and another folder both have and only one may, and contradictions on a bot they share."""
    own = (core["number"], core["prefix"])
    taken = [
        Complaint(f"tenants/{slug}/tenant.yaml", 0, f"{name} {mine} is {other}'s", "choose another")
        for other, theirs in towns.identities().items()
        for name, mine, others in zip(("number", "reference_prefix"), own, theirs, strict=True)
        if other != slug and mine == others
    ]
    sharing = towns.sharing(slug, core["viber"]["account"]) if core["viber"]["account"] else {}
    shared = towns.bot_clashes({slug: {"core": core}, **sharing})
    return taken + [clash for clash in shared if clash.file == f"tenants/{slug}/tenant.yaml"]


def _unnamed(files: TownFiles) -> Iterator[Complaint]:
    """What stands on buttons and what forms ask must be there in every language the town offers."""
    offered = [offer.id for offer in files.tenant.languages]
    for file, path, text in spoken.texts(files):
        missing = spoken.missing(text, offered) if path[-1] in SHOWN_EVERYWHERE else []
        if missing:
            yield files.complaint(file, path, f"{_named(path)} is not there in {', '.join(missing)}", "add it")


# --- contacts -----------------------------------------------------------------------------------------------------


def _dead_contacts(files: TownFiles) -> Iterator[Complaint]:
    for position, office in enumerate(files.contacts.offices):
        if not any(_is_known(value) for value in (office.phones, office.emails, office.address, office.web)):
            problem = f'nobody can reach "{office.id}" yet: it has no phone, e-mail, address or page'
            yield files.complaint("contacts.yaml", ("offices", position), problem, "ask the town for one")


def viber_account(files: TownFiles, version: Mapping[str, Any]) -> str:
    """What Viber says of the town's bot, asked and not changed. Raises Rejected if it says nothing."""
    from chalicelib.channels.viber.account import ADMIN_SECONDS_MAX, ViberAccount
    from chalicelib.model import SendFailed
    from chalicelib.storage import secrets
    from chalicelib.wire import Deadline

    account, shown = version["core"]["viber"]["account"], version["core"]["viber"]["name"]
    where = ("channels", "viber")
    token = secrets.viber_token(account, Deadline(ADMIN_SECONDS_MAX))
    if token is None:
        problem = f"Viber: there is no token of {account}"
        remedy = f"put it into the Parameter Store as {secrets.parameter(f'accounts/{account}/viber-token')}"
        raise Rejected([files.complaint("tenant.yaml", where, problem, remedy)])
    try:
        told = ViberAccount(token, shown).info()
    except SendFailed as failed:
        remedy = "try again" if failed.reason == "no_answer" else "look at the account in Viber's admin panel"
        raise Rejected([files.complaint("tenant.yaml", where, f"Viber: {failed.reason}", remedy)]) from failed
    return (
        f"Viber knows {account} as “{told.get('name')}”, {told.get('subscribers_count', '?')} subscribers; "
        f"webhook {told.get('webhook') or 'not set yet'}."
    )


def _is_known(value: Any) -> bool:
    return bool(value) and value != UNCONFIRMED


# --- dates --------------------------------------------------------------------------------------------------------


def _out_of_date(files: TownFiles, today: dt.date) -> Iterator[Complaint]:
    for file, path, what, said in _dates(files):
        days = (today - dt.date.fromisoformat(said)).days
        if days > CHECKED_DAYS_MAX:
            problem = f"{what} was last checked on {said}, over {CHECKED_DAYS_MAX} days ago"
            yield files.complaint(file, path, problem, "check it with the town, then mend `checked`")
        elif days < 0:
            yield files.complaint(file, path, f"{what} says {said}, which is still to come", "mend the date")


def _dates(files: TownFiles) -> Iterator[tuple[str, Path, str, str]]:
    """(file, place in it, what, day it was checked)"""
    for position, office in enumerate(files.contacts.offices):
        yield "contacts.yaml", ("offices", position, "checked"), f'office "{office.id}"', office.checked
    for identifier, sheet in files.procedures.items():
        yield f"procedures/{identifier}.yaml", ("checked",), f'sheet "{identifier}"', sheet.checked
    for at, service in enumerate(files.services.services):
        for position, document in enumerate(service.documents if isinstance(service, DocumentService) else ()):
            if isinstance(document.payment, Payment):
                path = ("services", at, "documents", position, "payment")
                yield "services.yaml", path, f'the payment of "{document.id}"', document.payment.valid_as_of


# --- languages ----------------------------------------------------------------------------------------------------


def _texts_missing(files: TownFiles) -> Iterator[Complaint]:
    """Texts of the town's own files that a language it offers lacks. Sister languages stand in for each other."""
    offered = [offer.id for offer in files.tenant.languages]
    for file, path, text in spoken.texts(files):
        missing = [] if path[-1] in SHOWN_EVERYWHERE else spoken.missing(text, offered)
        if missing:
            problem = f"{_named(path)} is not there in {', '.join(missing)}"
            yield files.complaint(file, path, problem, f"add it; until then {_shown(text)} is shown")
    replies = {key for texts in files.texts.values() for key in texts if key.startswith(OWN_ANSWERS)}
    for language in offered:
        for key in sorted(replies - set(files.texts.get(language, {}))):
            yield files.complaint(f"texts.{language}.yaml", (), f'the ready reply "{key}" is missing', "add it")


def _named(path: Path) -> str:
    return ".".join(str(step) for step in path)


def _shown(text: Mapping[str, Any]) -> str:
    order = [language for language in ("en", *LANGUAGES) if language in text]
    return f"the text in {order[0]}"


def _sheets_of_other_languages(files: TownFiles, version: Mapping[str, Any]) -> Iterator[Complaint]:
    """Languages the library does not speak: whoever reads one gets sheets in another, and is told so."""
    for position, offer in enumerate(files.tenant.languages):
        foreign = [choice for choice, sheet in version["sheets"][offer.id].items() if sheet["only"]]
        if foreign:
            problem = f"{len(foreign)} sheets have parts that are not written in {offer.id}"
            yield files.complaint("tenant.yaml", ("languages", position), problem, "translate them in procedures/")


# --- what leads where ---------------------------------------------------------------------------------------------


def _phrases(files: TownFiles, version: Mapping[str, Any]) -> Iterator[Complaint]:
    for collision in reach.collisions(version["index"]):
        line = next((name for name in collision.names if name in files.phrases), None)
        problem = f"“{collision.words}” (beginnings of words) stands for {' and for '.join(collision.names)}"
        remedy = "the bot asks which was meant; keep it under one of them"
        yield files.complaint("phrases.yaml", (line,) if line else (), problem, remedy)
    for name, own in files.phrases.items():
        if not own.keywords and not any(own.examples.values()):
            yield files.complaint("phrases.yaml", (name,), f'"{name}" has no phrases', "add some or remove it")
    for choice, title in reach.unreached(version):
        problem = f"“{title}” does not lead to {choice}"
        yield files.complaint("phrases.yaml", (), problem, f"add phrases for {choice}")


def _unreachable(files: TownFiles, version: Mapping[str, Any]) -> Iterator[Complaint]:
    unanswered = reach.unanswered(version)
    if unanswered:
        problem = f"nothing here answers {', '.join(unanswered)}"
        remedy = "give it to a sheet or an office, if it is offered"
        yield files.complaint("services.yaml", ("services",), problem, remedy)
    pressed = reach.by_buttons(version)
    services = [service.id for service in files.services.services]
    for position, service in enumerate(services):
        if not any(choice == service or choice.startswith(f"{service}.") for choice in pressed):
            problem = f'no button leads to "{service}"'
            yield files.complaint("services.yaml", ("services", position), problem, "put it into the menu")
    answers = {choice for choices in version["core"]["routes"].values() for choice in choices}
    for choice in version["sheets"][version["core"]["languages"][0]["id"]]:
        office = _office(choice, files)
        said = office is not None and not office.listed and choice in answers
        if choice not in pressed and not said:
            file, path = _place_of(choice, files)
            yield files.complaint(file, path, f"no button leads to {choice}", "see `menu` in services.yaml")


def _place_of(choice: str, files: TownFiles) -> tuple[str, Path]:
    office = _office(choice, files)
    if office:
        return "contacts.yaml", ("offices", files.contacts.offices.index(office))
    return f"procedures/{choice.partition('.')[2]}.yaml", ()


def _office(choice: str, files: TownFiles) -> Office | None:
    service, _, item = choice.partition(".")
    kind = next((one.kind for one in files.services.services if one.id == service), "")
    return next((one for one in files.contacts.offices if kind == "contacts" and one.id == item), None)
