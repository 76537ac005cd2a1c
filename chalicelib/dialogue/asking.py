"""What a form asks next, and every question it can stand at: a slot, the summary, what to change, whether to leave."""

from __future__ import annotations

from chalicelib.dialogue import chat
from chalicelib.dialogue.forms import CHANGING, SIMILAR, SUMMARY, Draft, Filled, Form, Scene, first_missing, is_answered
from chalicelib.dialogue.slots import Slot
from chalicelib.model import Choice, Line, Link, Need, Say
from chalicelib.small_classes import replace

TRIES_MAX = 3
RESUME_AFTER_SECONDS = 30 * 60
ANSWERS_SHOWN_MAX = 20


def ask_next(scene: Scene, draft: Draft, *before: Line) -> Filled | Need:
    """Ask for the first missing answer; when nothing is missing, whether it is known already, then the summary."""
    draft = replace(draft, tries=0, picked=(), page=1, changing=False, paused=False)
    form = scene.form(draft)
    if form.hint and draft.hinted != form.hint.key:
        draft, before = replace(draft, hinted=form.hint.key), (*before, form.hint)
    missing = first_missing(form, draft)
    if missing:
        return ask(scene, draft, missing, *before)
    if not draft.similar_seen:
        kind = scene.kind_of(draft.service)
        known = kind.similar(scene.town, draft.service, draft.answers, scene.facts)
        if isinstance(known, Need):
            return known
        if known:
            found = {"reference": known.reference, "key": known.key, "args": dict(known.args)}
            draft = replace(draft, asked=SIMILAR, similar=found)
            # The link to the photo is good for an hour: it goes with the question and is not remembered.
            photo = Link(Line("similar_photo"), known.photo) if known.photo else None
            return Filled((replace(question(scene, draft, *before), link=photo),), draft)
    draft = replace(draft, asked=SUMMARY, similar={}, similar_seen=True)
    return Filled((question(scene, draft, *before),), draft)


def ask(
    scene: Scene,
    draft: Draft,
    slot: Slot,
    *before: Line,
    page: int = 1,
    picked: tuple[str, ...] = (),
    changing: bool = False,
) -> Filled:
    """Ask for one slot; `changing` returns to the summary afterwards, `picked` is what was chosen of several."""
    changing = changing or (draft.changing and draft.asked == slot.key)
    draft = replace(draft, asked=slot.key, tries=0, page=page, picked=picked, changing=changing, paused=False)
    return Filled((question(scene, draft, *before),), draft)


def ask_once_more(scene: Scene, draft: Draft, *before: Line) -> Filled:
    """The open question again, after other lines if any."""
    draft = replace(draft, paused=False)
    return Filled((question(scene, draft, *before),), draft)


def complain(scene: Scene, draft: Draft, reason: Line) -> Filled:
    """The reason and the question again; the third time with the ways out."""
    draft = replace(draft, tries=draft.tries + 1, paused=False)
    if draft.tries < TRIES_MAX:
        return Filled((question(scene, draft, reason),), draft)
    say = question(scene, draft, reason)
    ways = (*say.choices, *chat.choices("person", "menu"))
    return Filled((replace(say, lines=(*say.lines, Line("form_way_out")), choices=ways),), draft)


def land(scene: Scene, draft: Draft) -> tuple[Draft, bool]:
    """A step that a newer version no longer has: on to the first missing answer, nothing given is lost."""
    form = scene.form(draft)
    if form.slot(draft.asked) or draft.asked == CHANGING or (draft.asked == SIMILAR and draft.similar):
        return draft, False
    missing = first_missing(form, draft)
    if draft.asked == SUMMARY and missing is None:
        return draft, False
    return replace(draft, asked=missing.key if missing else SUMMARY, tries=0, picked=(), page=1, changing=False), True


def is_late(scene: Scene, draft: Draft) -> bool:
    return scene.now - draft.at > RESUME_AFTER_SECONDS


def where_it_was(scene: Scene, draft: Draft) -> tuple[Line, ...]:
    given = _answer_lines(scene.form(draft), draft, skipped=False)
    title = scene.form(draft).title
    where = Line("form_so_far", {"form": title, "answers": given}) if given else Line("form_open", {"form": title})
    return Line("draft_resume"), where


def question(scene: Scene, draft: Draft, *before: Line) -> Say:
    """The open question of a draft, with everything one can press."""
    if draft.other:
        return _leaving_question(scene, draft, before)
    form = scene.form(draft)
    if draft.asked == SUMMARY:
        lines = (Line("ask_summary"), Line("raw", {"text": _answer_lines(form, draft)}))
        ways = chat.choices("form.send", "form.change", "form.back", "form.cancel")
        return Say(lines=(*before, *lines, *form.closing), choices=ways, ask="confirmation")
    if draft.asked == SIMILAR:
        found = Line(str(draft.similar["key"]), dict(draft.similar["args"]))
        ways = chat.choices("form.follow", "form.new", "form.back", "form.cancel")
        return Say(lines=(*before, found), choices=ways, ask="choice")
    if draft.asked == CHANGING:
        labels = tuple(Choice(f"form.change.{slot.key}", slot.label) for slot in form.slots)
        return Say(
            lines=(*before, Line("form_change_what")), choices=(*labels, *chat.choices("form.back", "form.cancel"))
        )
    slot = form.slot(draft.asked)
    assert slot is not None
    old = (_now_line(slot, draft),) if is_answered(slot, draft) and draft.answers.get(slot.key) is not None else ()
    ask = Line("form_more") if draft.picked else slot.ask
    return Say(lines=(*before, *old, ask), choices=_ways(form, draft, slot), ask=slot.ASKS)


def _leaving_question(scene: Scene, draft: Draft, before: tuple[Line, ...]) -> Say:
    other = str(draft.other["service"])
    titles = {
        "form": scene.form(draft).title,
        "other": scene.kind_of(other).form(scene.town, other, {}).title,
    }
    return Say(
        lines=(*before, Line("form_leave_ask", titles)),
        choices=chat.choices("form.resume", "form.leave", "form.cancel"),
        ask="choice",
    )


def _ways(form: Form, draft: Draft, slot: Slot) -> tuple[Choice, ...]:
    own = slot.choices(f"{draft.service}.{slot.key}", draft.page)
    own = tuple(choice for choice in own if choice.id.rpartition(".")[2] not in draft.picked)
    ids = ["form.done"] if draft.picked else []
    if is_answered(slot, draft):
        ids.append("form.keep")
    elif slot.optional:
        ids.append("form.skip")
    if form.slots[0] is not slot or draft.changing:
        ids.append("form.back")
    return (*own, *chat.choices(*ids, "form.cancel"))


def in_brief(scene: Scene, draft: Draft, said: Line) -> Say:
    """One line, with the open question's buttons but not its words."""
    return replace(question(scene, draft), lines=(said,), after=(), sheet=None)


def _answer_lines(form: Form, draft: Draft, *, skipped: bool = True) -> Line | str:
    """The answers one under another."""
    shown: Line | str = ""
    for slot in form.slots[:ANSWERS_SHOWN_MAX]:
        value = draft.answers.get(slot.key)
        if slot.key in draft.answers and (skipped or value is not None) and is_answered(slot, draft):
            entry = answer_line(slot, draft)
            shown = Line("form_lines", {"above": shown, "below": entry}) if shown else entry
    return shown


def answer_line(slot: Slot, draft: Draft) -> Line:
    value = draft.answers.get(slot.key)
    shown = Line("form_skipped") if value is None else slot.said(value)
    return Line("form_answer", {"label": slot.label, "value": shown})


def _now_line(slot: Slot, draft: Draft) -> Line:
    return Line("form_now", {"value": slot.said(draft.answers[slot.key])})
