"""A conversation with a running product, by the same web chat that its widget uses."""

from __future__ import annotations

import datetime as dt
import json
import mimetypes
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chalicelib.language.folding import fold
from chalicelib.model import CITIZEN, Message
from chalicelib.tenancy.complaints import Rejected
from infra.chat.transcript import Said
from infra.proofs import VOLUNTEER

REQUEST_SECONDS = 30.0


class Unreached(Exception):
    """The product did not answer, or refused."""


@dataclass
class _Session:
    token: str
    messages: list[Message] = field(default_factory=list)
    seen: str = ""


class Running:
    """Raises Unreached."""

    def __init__(self, url: str, slug: str) -> None:
        self._url, self._slug = url.rstrip("/"), slug
        self._sessions: dict[str, _Session] = {}
        self.said: list[Said] = []
        self.channel, self._begun = "web", self.now

    @property
    def begun(self) -> str:
        return self._begun.isoformat(timespec="seconds")

    @property
    def now(self) -> dt.datetime:
        """The product's clock where it tells it (a local stack does), else this machine's."""
        try:
            return dt.datetime.fromisoformat(self._json("GET", "/local/clock")["now"])
        except Unreached:
            return dt.datetime.now().astimezone()

    def play(self, turn: Mapping[str, Any]) -> list[Message]:
        """What is answered to a turn as conversations write it. Raises ValueError where that cannot be said."""
        messages = self._answered(turn)
        self.said.append(Said(turn, messages, {}))  # the chat tells a citizen's reference, and no more of a case
        return messages

    def _answered(self, turn: Mapping[str, Any]) -> list[Message]:
        if turn.get("wait_minutes"):
            self._wait(float(turn["wait_minutes"]))
        actor = str(turn.get("as", CITIZEN))
        if actor.startswith(VOLUNTEER):
            raise ValueError("A running product's volunteers are approved by its staff, and write on Viber.")
        session = self._sessions.get(actor)
        if session is None:
            session = self._sessions[actor] = self._opened()
            if "opens" in turn:
                return session.messages
        body = self._body(turn, session)
        if body is None:
            return self._news(session)
        said = {"id": uuid.uuid4().hex, **body}
        answer = self._json("POST", f"/chat/{self._slug}/messages", said, session.token)
        session.messages = [_message(one) for one in answer["messages"]]
        session.seen = session.messages[-1].id if session.messages else session.seen
        return session.messages

    def why(self, text: str) -> list[str]:
        """By the town's folder here, if there is one: the product tells nobody what it understood."""
        from infra import towns
        from infra.chat.why import reasons
        from infra.proofs import town_of

        try:
            return [*reasons(town_of(towns.compiled(self._slug)), text, {})[:-1], "(by the folder here)"]
        except Rejected:
            return ["There is no folder of this town here to ask."]

    # --- the chat API --------------------------------------------------------------------------------------------

    def _opened(self) -> _Session:
        opened = self._json("POST", f"/chat/{self._slug}/sessions", {})
        return _Session(opened["token"], [_message(one) for one in opened["messages"]])

    def _news(self, session: _Session) -> list[Message]:
        """The last answer with what came since: a person's words, notices."""
        since = f"?after={session.seen}" if session.seen else ""
        answer = self._json("GET", f"/chat/{self._slug}/messages{since}", token=session.token)
        news = [_message(one) for one in answer["messages"] if one["from"] != CITIZEN]
        session.seen = news[-1].id if news else session.seen
        session.messages = [*session.messages, *news]
        return session.messages

    def _body(self, turn: Mapping[str, Any], session: _Session) -> dict[str, Any] | None:
        if "citizen" in turn:
            return {"type": "text", "text": turn["citizen"]}
        if "choose" in turn:
            return {"type": "choice", "choice": _choice(str(turn["choose"]), session.messages)}
        if "location" in turn:
            latitude, longitude = turn["location"]
            return {"type": "location", "latitude": latitude, "longitude": longitude}
        for kind in ("photo", "video", "file"):
            if kind in turn:
                sent = {"type": "attachment", "attachment": self._upload(Path(str(turn[kind])), session)}
                return sent | ({"text": turn["caption"]} if turn.get("caption") else {})
        return None

    def _upload(self, path: Path, session: _Session) -> str:
        content, kind = path.read_bytes(), mimetypes.guess_type(path.name)[0] or "application/octet-stream"
        asked = self._json(
            "POST",
            f"/chat/{self._slug}/attachments",
            {"name": path.name, "type": kind, "size": len(content)},
            session.token,
        )
        mark, upload = uuid.uuid4().hex, asked["upload"]
        fields = [_field(mark, name, str(value)) for name, value in upload["fields"].items()]
        file = f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="x"\r\nContent-Type: {kind}\r\n\r\n'
        body = b"".join([*fields, file.encode(), content, f"\r\n--{mark}--\r\n".encode()])
        _call(urllib.request.Request(upload["url"], body, {"Content-Type": f"multipart/form-data; boundary={mark}"}))
        return str(asked["attachment"])

    def _wait(self, minutes: float) -> None:
        later = self.now + dt.timedelta(minutes=minutes)
        try:
            self._json("POST", "/local/clock", {"now": later.isoformat(timespec="seconds")})
        except Unreached as problem:
            raise ValueError("Only a local stack's clock can be set.") from problem

    def _json(self, method: str, path: str, body: Any = None, token: str = "") -> Any:
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        raw = json.dumps(body).encode() if body is not None else None
        return json.loads(_call(urllib.request.Request(self._url + path, raw, headers, method=method)) or b"{}")


def _call(request: urllib.request.Request) -> bytes:
    if not request.full_url.startswith(("http://", "https://")):
        raise Unreached(f"{request.full_url} is no address of a product")
    try:
        with urllib.request.urlopen(request, timeout=REQUEST_SECONDS) as answer:
            return bytes(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            told = error.read().decode("utf-8", "replace")[:300]
        raise Unreached(f"{request.get_method()} {request.full_url}: {error.code} {told}") from error
    except OSError as error:
        raise Unreached(f"{request.full_url} does not answer: {error}") from error


def _field(mark: str, name: str, value: str) -> bytes:
    return f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()


def _choice(label: str, messages: list[Message]) -> str:
    for message in reversed(messages):
        for choice, shown in message.choices:
            if fold(shown) == fold(label) or choice == label:
                return choice
    raise ValueError(f"no choice “{label}” in the last answer")


def _message(data: Mapping[str, Any]) -> Message:
    """A message as the chat API gives it."""
    link = data.get("link")
    return Message(
        id=data["id"],
        at=dt.datetime.fromisoformat(data["at"]).timestamp(),
        origin=data["from"],
        text=data["text"],
        choices=tuple((choice["id"], choice["label"]) for choice in data.get("choices", ())),
        ask=data.get("ask"),
        link=(link["label"], link["url"]) if link else None,
        case=data.get("case"),
    )
