"""Problems as citizens report them on the running product, so that a browser has something to work on."""

from __future__ import annotations

import re
import urllib.request
from typing import Any

from tests.contract.test_web_chat import Chat
from tests.media import samples
from tests.product import Product

REFERENCE = re.compile(r"\b[A-Z]{2}-[A-Z0-9]{4}-[A-Z0-9]{3}\b")
HERE = (45.7741, 19.1122)


def upload(chat: Chat, data: bytes, media_type: str) -> str:
    """A file put where the widget puts it; its attachment id."""
    asked = chat.product.post(
        f"/chat/{chat.slug}/attachments",
        {"name": "x", "type": media_type, "size": len(data)},
        Authorization=f"Bearer {chat.token}",
    ).json
    form, mark = asked["upload"], "----mark"
    parts = [
        f'--{mark}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in form["fields"].items()
    ]
    parts.append(f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'.encode())
    body = b"".join(parts) + data + f"\r\n--{mark}--\r\n".encode()
    request = urllib.request.Request(form["url"], body, {"Content-Type": f"multipart/form-data; boundary={mark}"})
    urllib.request.urlopen(request, timeout=20).close()
    return str(asked["attachment"])


def report(product: Product, slug: str, **more: Any) -> str:
    """A problem as `reported` tells it; its reference."""
    return reported(product, slug, **more)[1]


def reported(
    product: Product,
    slug: str,
    *,
    text: str = "Velika rupa na putu, jutros je auto stao",
    place: tuple[float, float] | None = HERE,
    media: tuple[tuple[bytes, str], ...] = ((samples.photo(), "image/jpeg"),),
    notices: bool = True,
) -> tuple[Chat, str]:
    """A hole in the road, by web chat, with a pin and photos; the chat and the case's reference."""
    chat = Chat(product, slug)
    answer = chat.post(text=text)
    for _ in range(14):
        message = answer.json["messages"][-1]
        said = " ".join(one["text"] for one in answer.json["messages"])
        found = REFERENCE.search(said)
        if found and "form" not in " ".join(choice["id"] for choice in message.get("choices", ())):
            if notices:
                _agree(chat, answer.json["messages"])
            return chat, found[0]
        answer = _next(chat, message, place, media)
        if message.get("ask") == "photo":
            media = ()
    raise AssertionError(said)


def _next(chat: Chat, message: dict[str, Any], place: Any, media: tuple[tuple[bytes, str], ...]) -> Any:
    ids = [choice["id"] for choice in message.get("choices", ())]
    if message.get("ask") == "photo" and media:
        for data, media_type in media:
            answer = chat.post(type="attachment", attachment=upload(chat, data, media_type))
        return answer
    if message.get("ask") == "location":
        if place:
            return chat.post(type="location", latitude=place[0], longitude=place[1])
        return chat.post(text="Venac Petrovića 12")
    for wanted in ("form.new", "form.confirm", "form.skip"):
        if wanted in ids:
            return chat.post(type="choice", choice=wanted)
    return chat.post(type="choice", choice=ids[0]) if ids else chat.post(text="rupa na putu")


def _agree(chat: Chat, messages: list[dict[str, Any]]) -> None:
    for message in messages:
        for choice in message.get("choices", ()):
            if choice["id"].startswith("case.agree."):
                chat.post(type="choice", choice=choice["id"])
                return
