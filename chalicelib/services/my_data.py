"""One's own data: what is kept and how long, all of it as a file, and the end of it.

Built in for every town. Choices: `<service>` (what is kept), `.export`, `.delete` (asks), `.delete.yes` (does it, if it
was just asked).
"""

from __future__ import annotations

from collections.abc import Sequence

from chalicelib.dialogue import chat, memory, own_words
from chalicelib.dialogue.acting import Act
from chalicelib.dialogue.forms import Scene
from chalicelib.model import CASES, REMINDERS, Errand, Facts, Line, Need, Say, Standing, Town
from chalicelib.services import news

OWN = "own_references"
EXPORT, ERASE = "export", "erase"
REFERENCES_SHOWN_MAX = 10
_DELETE_STEMS = tuple(
    """obris obriš izbris izbriš brisa briš zabora unist uništ uklon fshi largo harr delet eras remov forget lösch losch
    loesch entfern vergess""".split()  # noqa: SIM905
)
_COPY_STEMS = tuple("kopij izvoz preuz eksport export copy kopie kopje download herunter".split())  # noqa: SIM905


def answer(town: Town, service: str, item: str, page: int, facts: Facts) -> tuple[Say, ...] | None:
    """See `act`."""
    return None


def act(scene: Scene, service: str, item: str) -> Act | Need | None:
    """Show, hand over or delete what is kept of the citizen who asks."""
    if item == "" and scene.inbound.kind in ("text", "link"):
        item = _wished(scene.heard.text)
    match item:
        case "":
            return _shown(scene, service)
        case "export":
            say = Say(lines=(Line("export_soon"),), choices=chat.choices(service, "menu"))
            return Act((say,), (Errand(EXPORT),), counts=("export",))
        case "delete":
            return Act((_asked(service),))
        case "delete.yes":
            return _deleted(scene) if _was_asked(scene, service) else Act((_asked(service),))
    return None


def _wished(text: str) -> str:
    """What the words want beyond being told: "obriši moje podatke", "hoću kopiju"."""
    spoken = own_words.folded(text)
    if "?" not in text and any(word.startswith(_DELETE_STEMS) for word in spoken):
        return "delete"
    return "export" if any(word.startswith(_COPY_STEMS) for word in spoken) else ""


def _shown(scene: Scene, service: str) -> Act | Need:
    if news.STANDING not in scene.facts.found:
        return Need((news.STANDING, OWN))
    known: Standing = scene.facts.found[news.STANDING]
    lines = [Line("my_data_intro"), Line("my_data_conversation"), _cases(scene.facts.found[OWN])]
    lines += [_subscriptions(scene.town, known), _consent(known)]
    lines += [*([Line("my_data_reminders")] if known.consents.get(REMINDERS) else []), Line("my_data_not_kept")]
    ways = (f"{service}.export", f"{service}.delete", "consent.stop", "language", "menu")
    return Act((Say(lines=tuple(lines), choices=chat.choices(*ways)),))


def _cases(references: Sequence[str]) -> Line:
    if not references:
        return Line("my_data_no_cases")
    named = ", ".join(references[:REFERENCES_SHOWN_MAX]) + (" …" if len(references) > REFERENCES_SHOWN_MAX else "")
    return Line("my_data_cases", {"n": len(references), "references": named})


def _subscriptions(town: Town, known: Standing) -> Line:
    offered = news.service_of(town)
    if not known.subscriptions or not offered:
        return Line("my_data_no_news")
    return Line("my_data_news", {"topics": news.titles(offered, tuple(known.subscriptions))})


def _consent(known: Standing) -> Line:
    return Line("my_data_consent" if known.consents.get(CASES) else "my_data_no_consent")


def _asked(service: str) -> Say:
    ways = chat.choices(f"{service}.delete.yes", f"{service}.export", "menu")
    return Say(lines=(Line("delete_ask"), Line("delete_kept")), choices=ways, ask="confirmation")


def _was_asked(scene: Scene, service: str) -> bool:
    """Whether the question stands right above: an old button alone deletes nothing."""
    last = next((entry.say for entry in reversed(scene.conversation.log) if entry.say), None)
    return last is not None and any(choice.id == f"{service}.delete.yes" for choice in last.choices)


def _deleted(scene: Scene) -> Act:
    say = Say(lines=(Line("delete_done"), Line("delete_kept")))
    state = memory.erased(scene.conversation.state, scene.facts.now)
    return Act((say,), (Errand(ERASE),), state, ("erased",))
