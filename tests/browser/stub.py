"""An invented town that answers the chat's calls as the product does, and does wrong on demand; and a town's own page.

The page stands on another origin under a strict content policy, as a town's web site would.
"""

import gzip
import json
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from chalicelib.console import widget
from chalicelib.entry import COMPRESSED_FROM_BYTES, COMPRESSION_LEVEL
from chalicelib.language import catalogue
from chalicelib.tenancy.look import colours

TOWN = "lipovac"
TOWN_COLOUR = "#2f7d4f"
LANGUAGES = (
    ("sr", "latin", "srpski · latinica"),
    ("sr", "cyrillic", "srpski · ćirilica"),
    ("sq", "latin", "shqip"),
    ("en", "latin", "English"),
)
MENU = (
    ("report", "Prijava komunalnog problema"),
    ("procedures", "Informacije o postupcima"),
    ("documents", "Zahtev za dokument"),
    ("status", "Status predmeta"),
    ("contacts", "Kontakti i telefoni"),
    ("person", "Razgovor sa operaterom"),
    ("news", "Obaveštenja"),
    ("settings", "Podešavanja"),
)
SHEET = {
    "title": "Dečji dodatak",
    "sections": [
        {
            "label": "Ko ima pravo",
            "text": "Roditelj koji neposredno brine o detetu, sa prebivalištem u Srbiji, za prvo četvoro dece.",
        },
        {
            "label": "Šta poneti",
            "items": ["zahtev", "izvode iz matične knjige rođenih za svu decu", "lične karte odraslih članova"],
        },
        {"label": "Taksa", "text": "Bez takse", "half": True},
        {"label": "Rok za odluku", "text": "Mesec dana", "half": True},
        {"label": "Gde se podnosi", "text": "Gradska uprava, društvena briga o deci"},
        {"label": "Radno vreme", "text": "Pitajte na šalteru", "ask": True, "half": True},
        {"label": "Telefon", "text": "Potvrđuje grad", "ask": True, "half": True},
    ],
    "foot": "Podaci provereni: 2. 3. 2026.",
}
TICKET = {
    "title": "Prijava je primljena",
    "sections": [
        {"label": "Vrsta", "text": "Javna rasveta"},
        {"label": "Odgovor do", "text": "četvrtak, 12. marta, 15:30", "strong": True},
        {"label": "Sledeće", "text": "Prosleđujemo je nadležnoj službi. O svakoj promeni stiže poruka."},
    ],
}
HOST_PAGE = """<!doctype html><html lang="en-US"><head><meta charset="utf-8"><title>Grad</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="stylesheet" href="/site.css"></head>
<body><main><h1>Grad Lipovac</h1><p>Ovo je samo zamena za sajt grada. <a href="#kraj">Na kraj</a></p></main>
<script src="{base}/widget.js" data-tenant="{town}" {attributes} async></script></body></html>"""
HOST_STYLE = (
    "html{font-size:62.5%}"
    "body{font:1.6rem/3 sans-serif;color:#a0f;text-align:center;letter-spacing:.3em}"
    "button{border-radius:0;background:red}"
)
EXPIRED = {"error": {"code": "expired", "message": "Open a new session."}}
FAULT_SECONDS_MAX = 5
Reply = dict[str, Any]


@dataclass
class Asked:
    """One call that reached the town."""

    method: str
    path: str
    body: dict[str, Any]
    token: str


@dataclass
class Town:
    """The town's server and what reached it.

    `faults` are taken one by one, each by the next `POST messages`: (status, code) instead of an answer, `cut` before
    anything happened, `lost` after it happened; `no session` by the next `POST sessions`.
    """

    base: str = ""
    page: str = ""
    attributes: str = ""
    asked: list[Asked] = field(default_factory=list)
    faults: list[Any] = field(default_factory=list)
    answered: dict[str, list[Reply]] = field(default_factory=dict)
    log: list[Reply] = field(default_factory=list)
    uploads: dict[str, int] = field(default_factory=dict)
    expired: set[str] = field(default_factory=set)
    sessions: int = 0
    person: bool = False
    wait: threading.Event = field(default_factory=threading.Event)
    bucket_open: threading.Event = field(default_factory=threading.Event)
    attachment_fault: int = 0
    first_language: tuple[str, str] = ("sr", "latin")

    def __post_init__(self) -> None:
        self.wait.set()
        self.bucket_open.set()

    # what a test asks and does

    def said(self, kind: str = "") -> list[dict[str, Any]]:
        """The bodies of `POST messages`, of one type or of all."""
        bodies = [call.body for call in self.asked if (call.method, call.path) == ("POST", "messages")]
        return [body for body in bodies if kind in ("", body["type"])]

    def calls(self, path: str) -> list[Asked]:
        return [call for call in self.asked if call.path == path]

    def speak(self, text: str, **more: Any) -> Reply:
        """Something the citizen did not wait for: an operator's words, a notice."""
        return self._keep({"from": "operator", "text": text, **more})

    # what the server does

    def look(self, language: str = "", script: str = "", part: str = "all") -> dict[str, Any]:
        language, script = (language, script or "latin") if language else self.first_language
        texts = catalogue.load(language)["texts"]
        wanted = {key: self._in_script(value, script) for key, value in texts.items() if key.startswith("w_")}
        look = {
            "tenant": TOWN,
            "name": self._in_script("Grad Lipovac", script),
            "bot": "LIPA",
            "colours": colours(TOWN_COLOUR),
            "language": language,
            "script": script,
            "languages": [{"id": id, "script": letters, "label": label} for id, letters, label in LANGUAGES],
            "texts": wanted,
            "links": {"privacy": f"/t/{TOWN}", "person": None},
        }
        return widget.button_look(look) if part == "button" else look

    def open_session(self, body: dict[str, Any]) -> Reply:
        self.sessions += 1
        greeting = "Dobar dan! Ja sam LIPA, digitalni asistent Grada Lipovca. Kako mogu da pomognem?"
        if body.get("language") == "sq":
            greeting = "Mirëdita! Unë jam asistenti digjital. Si mund t'ju ndihmoj?"
        message = self._keep({"text": greeting, "choices": self._choices(MENU)})
        return {"session": f"s{self.sessions}", "token": f"token-{self.sessions}", "messages": [message]}

    def answer(self, body: dict[str, Any]) -> list[Reply]:
        if body["id"] not in self.answered:
            self.answered[body["id"]] = [self._keep(reply) for reply in self._replies(body)]
        return self.answered[body["id"]]

    def _replies(self, body: dict[str, Any]) -> list[Reply]:
        word = str(body.get("choice") or body.get("text") or body["type"]).lower().split()[0]
        script: dict[str, Callable[[], list[Reply]]] = {
            "dodatak": lambda: [
                {"text": "Dečji dodatak: …", "sheet": SHEET},
                {
                    "text": "Da li je ovaj odgovor koristan?",
                    "choices": self._choices(
                        (
                            ("yes", "Da"),
                            ("no", "Ne"),
                            ("sheet:roditeljski", "Roditeljski dodatak"),
                            ("menu", "Glavni meni"),
                        )
                    ),
                },
            ],
            "report": lambda: [
                {
                    "text": "Gde je problem? Pošaljite lokaciju ili upišite ulicu i broj.",
                    "ask": "location",
                    "choices": self._choices((("form.back", "Nazad"), ("form.cancel", "Odustani"))),
                }
            ],
            "location": lambda: [
                {
                    "text": "Pošaljite fotografiju ili kratak video (do 25 MB) ili izaberite „Preskoči“.",
                    "ask": "photo",
                    "choices": self._choices((("form.skip", "Preskoči"),)),
                }
            ],
            "attachment": lambda: [
                {
                    "text": "Proverite podatke pre slanja:\nRupa na putu\n1 fotografija, mesto na mapi",
                    "choices": self._choices(
                        (
                            ("form.confirm", "Pošalji prijavu"),
                            ("edit.place", "Izmeni mesto"),
                            ("form.back", "Nazad"),
                            ("form.cancel", "Odustani"),
                        )
                    ),
                }
            ],
            "form.confirm": lambda: [
                {
                    "text": "Prijava je primljena. Broj prijave: LI-3JT8-E5K.",
                    "case": "LI-3JT8-E5K",
                    "sheet": TICKET,
                    "choices": self._choices((("menu", "Glavni meni"),)),
                }
            ],
            "telefon": lambda: [
                {
                    "text": "Upišite broj telefona za obaveštenja.",
                    "ask": "phone",
                    "choices": self._choices((("form.cancel", "Odustani"),)),
                }
            ],
            "jmbg": lambda: [{"text": "Upišite JMBG (13 cifara).", "ask": "personal_number"}],
            "operater": lambda: [{"text": "Razgovor preuzima operater", "event": "operator_joined"}],
            "sajt": lambda: [
                {
                    "text": "Više na https://primer.rs/dodatak. Ne pišite <b>ovde</b> javascript:alert(1)",
                    "link": {"label": "Elektronski zahtev", "url": "https://primer.rs/zahtev"},
                }
            ],
            "slika": lambda: [
                {
                    "text": "",
                    "media": {"url": self.base + "/picture.svg", "type": "photo", "name": "rupa.jpg", "size": 90_000},
                }
            ],
            "ćirilica": lambda: [{"text": "Ово је одговор на ћирилици."}],
            "language.sr-cyrillic": lambda: [
                {
                    "text": "У реду, настављамо на овом језику и писму.",
                    "choices": self._choices((("menu", "Главни мени"),)),
                }
            ],
        }
        return script.get(word, lambda: [{"text": "Odgovor na: " + str(body.get("text") or body["type"])}])()

    def _keep(self, message: Reply) -> Reply:
        kept = {
            "id": f"{len(self.log) + 1:06d}",
            "at": datetime.now().astimezone().isoformat(),
            "from": "bot",
            "choices": [],
            **message,
        }
        self.log.append(kept)
        return kept

    def _choices(self, pairs: tuple[tuple[str, str], ...]) -> list[Reply]:
        return [{"id": id, "label": label} for id, label in pairs]

    def _in_script(self, value: Any, script: str) -> Any:
        if script != "cyrillic":
            return value
        return (
            {form: catalogue.cyrillic(text) for form, text in value.items()}
            if isinstance(value, dict)
            else catalogue.cyrillic(value)
        )


# The least that can be called a chat on somebody's page: a button, and at its press one answer that is shown. What it
# takes is the browser's, the line's and the machine's own.
BARE_CHAT = """(() => {
  const base = document.currentScript.src.split('/bare.js')[0];
  const host = document.createElement('div');
  const root = host.attachShadow({ mode: 'open' });
  const button = document.createElement('button');
  button.textContent = 'Chat';
  button.onclick = async () => {
    const asked = await fetch(base + '/chat/TOWN/sessions', { method: 'POST', body: new Blob(['{}']) });
    const words = document.createElement('p');
    words.textContent = (await asked.json()).messages[0].text;
    root.append(words);
  };
  root.append(button);
  document.body.append(host);
})()""".replace("TOWN", TOWN)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    town: Town

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: a failing test prints what the town was asked."""

    def send(self, status: int, body: Any = b"", content_type: str = "application/json", **headers: str) -> None:
        data = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
        if len(data) >= COMPRESSED_FROM_BYTES and "gzip" in self.headers.get("Accept-Encoding", ""):  # as the product
            data, headers = gzip.compress(data, COMPRESSION_LEVEL), {**headers, "Content_Encoding": "gzip"}
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)


class TownHandler(_Handler):
    """`/widget.js`, `/assets/…`, `/chat/…` and the bucket."""

    def send(self, status: int, body: Any = b"", content_type: str = "application/json", **headers: str) -> None:
        allow = {
            "Access_Control_Allow_Origin": "*",
            "Access_Control_Allow_Headers": "Authorization, Content-Type",
            "Access_Control_Expose_Headers": "Retry-After",
            "Access_Control_Max_Age": "7200",
        }
        super().send(status, body, content_type, **allow, **headers)

    def do_OPTIONS(self) -> None:
        self.send(204)

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {key: values[0] for key, values in parse_qs(url.query).items()}
        parts = url.path.strip("/").split("/")
        if url.path == "/bare.js":
            return self.send(200, BARE_CHAT, "text/javascript; charset=utf-8")
        if url.path == "/widget.js":
            return self.send(200, widget.loader_js(), "text/javascript; charset=utf-8")
        if parts[0] == "assets":
            return self.send(200, *widget.asset(parts[1]))
        if url.path == "/picture.svg":
            return self.send(200, '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', "image/svg+xml")
        if parts[:2] != ["chat", TOWN]:
            return self.send(404, {"error": {"code": "not_found", "message": "No such town."}})
        if len(parts) == 2:
            page = widget.chat_page(
                self.town.look(query.get("language", ""), query.get("script", "")), query.get("context", "")
            )
            policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'"
            return self.send(200, page, "text/html; charset=utf-8", Content_Security_Policy=policy)
        if parts[2] == "look":
            self.remember("GET", "look", query)
            return self.send(
                200, self.town.look(query.get("language", ""), query.get("script", ""), query.get("part", "all"))
            )
        self.remember("GET", parts[2], query)
        if self.token() in self.town.expired:
            return self.send(401, EXPIRED)
        return self.send(200, {"messages": [kept for kept in self.town.log if kept["id"] > query.get("after", "")]})

    def do_POST(self) -> None:
        data = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/bucket":
            self.town.bucket_open.wait(FAULT_SECONDS_MAX)
            self.town.uploads["latest"] = len(data)
            return self.send(204)
        what, body = self.path.split("/")[-1], json.loads(data)
        self.remember("POST", what, body)
        return {"sessions": self.open, "attachments": self.announce, "messages": self.take}[what](body)

    def open(self, body: dict[str, Any]) -> None:
        if "no session" in self.town.faults:
            self.town.faults.remove("no session")
            return self.send(503, {})
        return self.send(201, self.town.open_session(body))

    def announce(self, body: dict[str, Any]) -> None:
        if self.town.attachment_fault:
            return self.send(self.town.attachment_fault, {"error": {"code": "refused", "message": "…"}})
        form = {"url": self.town.base + "/bucket", "fields": {"key": "x"}}
        return self.send(201, {"attachment": "a1", "upload": form})

    def take(self, body: dict[str, Any]) -> None:
        if self.token() in self.town.expired:
            return self.send(401, EXPIRED)
        self.town.wait.wait(FAULT_SECONDS_MAX)
        fault = self.town.faults.pop(0) if self.town.faults else None
        if isinstance(fault, tuple):
            return self.send(fault[0], {"error": {"code": fault[1], "message": "…"}}, Retry_After="1")
        if fault == "cut":
            return self.hang_up()
        replies = self.town.answer(body)
        return self.hang_up() if fault == "lost" else self.send(200, {"messages": replies})

    def hang_up(self) -> None:
        self.close_connection = True
        self.connection.shutdown(socket.SHUT_RDWR)

    def token(self) -> str:
        return (self.headers.get("Authorization") or "").removeprefix("Bearer ")

    def remember(self, method: str, path: str, body: dict[str, Any]) -> None:
        self.town.asked.append(Asked(method, path, body, self.token()))


class PageHandler(_Handler):
    """A page of the town's own site, on another origin and under a policy that allows no inline style or script."""

    def do_GET(self) -> None:
        if self.path == "/site.css":
            return self.send(200, HOST_STYLE, "text/css")
        base = self.town.base
        policy = (
            f"default-src 'none'; style-src 'self'; script-src {base}; connect-src {base}; img-src {base}; "
            "require-trusted-types-for 'script'"
        )
        page = HOST_PAGE.format(base=base, town=TOWN, attributes=self.town.attributes)
        if self.path == "/bare":
            page = page.replace("/widget.js", "/bare.js")
        return self.send(200, page, "text/html; charset=utf-8", Content_Security_Policy=policy)


def serve(town: Town, town_port: int = 0, page_port: int = 0) -> list[ThreadingHTTPServer]:
    """Both servers, running; the town learns its addresses."""
    servers = []
    for handler, port in ((TownHandler, town_port), (PageHandler, page_port)):
        server = ThreadingHTTPServer(("127.0.0.1", port), type(handler.__name__, (handler,), {"town": town}))
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        servers.append(server)
    town.base, town.page = (f"http://127.0.0.1:{server.server_address[1]}" for server in servers)
    return servers
