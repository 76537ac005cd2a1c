"""An invented town, published for one test under a name nobody else has, and the people who write to it."""

from __future__ import annotations

import itertools
import json
import os
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import boto3

from chalicelib.actions import account_pace, breaker, hear_receipt, heard, known, take_receipt, web_pace
from chalicelib.actions.publish_tenant import publish_tenant
from chalicelib.actions.viber_callback import take_callback
from chalicelib.channels import Request
from chalicelib.model import Account, Conversation, Town
from chalicelib.storage import audit, dynamo, keys, secrets, tenants
from chalicelib.storage.conversations import ConversationStore
from chalicelib.tenancy.compile import compile_town
from chalicelib.tenancy.load import load, read_folder
from chalicelib.wire import Deadline
from tests.meter import Meter
from tests.viber import FakeViber, callback, message

TOWNS = Path(__file__).parent / "towns"
NOON = 1_773_140_400.0  # 2026-03-10 12:00 in Belgrade, a working Tuesday
STAND_IN = "any-town-of-all"
_holders = itertools.count(1)


def compiled(
    slug: str,
    name: str = "primer",
    account: str | None = None,
    more: str = "",
    terms: str = "",
    rules: str = "",
    called: str = "",
    texts: str = "",
) -> dict[str, Any]:
    """The invented town `name` as the town `slug` on a Viber account of its own (or on `account`), with `more`
    services than its file has, `terms` for its messages on Viber, and `rules`: more lines of its tenant.yaml. `called`:
    another name than the file's, with another number and prefix; `texts`: more lines of its texts.sr.yaml."""
    own = account in (None, slug)
    text = _compiled(STAND_IN, name, STAND_IN if own else str(account), more, terms, rules, called, texts)
    version: dict[str, Any] = json.loads(text.replace(STAND_IN, slug))
    return version


@cache
def _compiled(slug: str, name: str, account: str, more: str, terms: str, rules: str, called: str, texts: str) -> str:
    """As JSON: what takes a third of a second is done once for all towns that differ in their slug alone."""
    files = read_folder(TOWNS / name)
    if called:
        for old, new in (("Primer", called), ("9001", "9002"), ("prefix: PR", "prefix: NO")):
            files["tenant.yaml"] = files["tenant.yaml"].replace(old.encode(), new.encode())
    files["services.yaml"] = files["services.yaml"].replace(b"\nmenu:", f"\n{more}menu:".encode())
    files["tenant.yaml"] = (
        files["tenant.yaml"]
        .replace(f"slug: {name}".encode(), f"slug: {slug}".encode())
        .replace(f"account: {name}".encode(), f"account: {account}{terms and ', ' + terms}".encode())
        + f"{rules}\n".encode()
    )
    if texts:
        files["texts.sr.yaml"] = files.get("texts.sr.yaml", b"") + f"\n{texts}\n".encode()
    return json.dumps(compile_town(load(slug, files)), ensure_ascii=False)


@cache
def _parameters() -> Any:
    return boto3.client("ssm")


class World:
    """One published town with a Viber account, a clock of its own, and a Viber that takes everything."""

    def __init__(self, slug: str, viber: FakeViber, *towns: str, made_of: str = "primer") -> None:
        self.slug = slug
        self.viber = viber
        self.now = NOON
        self.meter = Meter()
        self.token = viber.token = f"token-of-{slug}"
        os.environ["VIBER_API_URL"] = viber.url
        ssm = _parameters()
        name = f"/salter/test/accounts/{slug}/viber-token"
        ssm.put_parameter(Name=name, Type="SecureString", Value=self.token, Overwrite=True)
        ssm.put_parameter(Name="/salter/test/chat-signing-key", Type="SecureString", Value="test-key", Overwrite=True)
        ssm.put_parameter(Name="/salter/test/phone-key", Type="SecureString", Value="phone-key", Overwrite=True)
        ssm.put_parameter(
            Name="/salter/test/public-url", Type="String", Value="https://salter.example/", Overwrite=True
        )
        secrets.forget()
        for town in (slug, *towns):
            publish_tenant(compiled(town, made_of, account=slug), NOON, "live")
        self.account = Account("viber", slug, (slug, *towns))
        self.web = Account("web", slug, (slug,))
        self.warm()

    def offers(self, more: str, texts: str = "") -> None:
        """From here on the town has these services, too, and these texts of its own."""
        publish_tenant(compiled(self.slug, more=more, texts=texts), NOON, "live")
        self.warm()

    def says_of_itself(self, rules: str = "", terms: str = "") -> None:
        """From here on the town's tenant.yaml has these lines more, and its Viber these `terms`."""
        publish_tenant(compiled(self.slug, terms=terms, rules=rules), NOON, "live")
        self.warm()

    def warm(self) -> None:
        """Let this process know the town, the account and the secrets, as a warm function does."""
        known.forget()
        web_pace.forget()
        account_pace.forget()
        hear_receipt.forget()
        breaker._states.clear()
        take_receipt.forget()
        take_receipt.known_lately(self.account.id, self.now, Deadline(5))
        known.account("viber", self.slug, Deadline(5))
        known.town(self.slug, Deadline(5))
        secrets.viber_token(self.slug, Deadline(5))
        secrets.chat_signing_key(Deadline(5))
        secrets.phone_key(Deadline(5))
        secrets.public_url(Deadline(5))
        heard.note(self.account.id, self.now, Deadline(5))

    @property
    def town(self) -> Town:
        town = known.town(self.slug, Deadline(5))
        assert town is not None
        return town

    def calls(self, event: dict[str, Any] | bytes, **headers: str) -> dict[str, Any]:
        """Viber calls back with `event`; the body of the 200."""
        return self.takes(callback(self.token, event, **headers))

    def takes(self, request: Request) -> dict[str, Any]:
        return take_callback(self.slug, request, self.now, f"holder{next(_holders)}")

    def says(self, citizen: str, text: str) -> list[str]:
        """What the bot sends back to `text`."""
        before = len(self.viber.sent)
        self.calls(message(citizen, text))
        return [body["text"] for body in self.viber.sent[before:]]

    def leaves(self) -> None:
        """The minute comes for it no more: its rounds are as long as there are towns, of all tests before."""
        dynamo.delete(tenants.TABLE, keys.TOWNS, self.slug, Deadline(20))

    def acts(self) -> list[audit.Act]:
        """Today's audit trail, all its pages."""
        day, found, before = datetime.fromtimestamp(self.now, UTC).date().isoformat(), list[audit.Act](), ""
        while True:
            acts, cursor = audit.of_day(self.slug, day, Deadline(20), before)
            found += acts
            if cursor is None:
                return found
            before = cursor

    def conversation(self, citizen: str, account: Account | None = None) -> Conversation | None:
        return ConversationStore(account or self.account).load(citizen, self.now, Deadline(5))
