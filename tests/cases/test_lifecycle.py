"""The graph of statuses, as the public contract tells it, and what every change leaves behind."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.cases import lifecycle
from chalicelib.cases.lifecycle import CLOSED, OPEN, STATUSES, Event, NotAllowed
from chalicelib.model import Case

ROLES = ("system", "citizen", "staff:ana", "api:k1", "company:voda", "volunteer:v1")
# From the contract's table, said the other way round: who may bring a case from a status to another.
OFFICE = {"staff", "api"}
ANYBODY = OFFICE | {"company", "volunteer"}
ALLOWED: dict[tuple[str, str], set[str]] = {
    **{(of, "in_progress"): ANYBODY for of in OPEN if of != "in_progress"},
    **{(of, "forwarded"): OFFICE for of in ("received", "in_progress")},
    **{
        (of, to): OFFICE
        for of in ("received", "in_progress", "forwarded")
        for to in ("awaiting_opinion", "awaiting_citizen", "stayed")
    },
    **{(of, to): OFFICE for of in OPEN for to in ("discontinued", "dismissed", "rejected")},
    **{(of, "resolved"): ANYBODY for of in OPEN},
    **{(of, "withdrawn"): {"citizen", "staff"} for of in OPEN},
}


def a_case(status: str = "received", **more: object) -> Case:
    case = Case("primer", "PR-2222-222", "problem", "received", "Rupa", 1000, 1000, **more)  # type: ignore[arg-type]
    case = lifecycle.opened(case, "citizen")
    if status in CLOSED:
        return lifecycle.change(case, Event(1010, "staff:ana", status))
    return case if status == "received" else lifecycle.change(case, Event(1010, "staff:ana", status))


@pytest.mark.parametrize(("of", "to", "by"), list(itertools.product(STATUSES, STATUSES, ROLES)))
def test_the_graph_allows_exactly_what_the_contract_does(of: str, to: str, by: str) -> None:
    case = a_case(of)
    event = Event(1020, by, to)
    if by.partition(":")[0] in ALLOWED.get((of, to), set()):
        changed = lifecycle.change(case, event)
        assert (changed.status, changed.history[-1].status, changed.history[-1].by) == (to, to, by)
        assert lifecycle.may(event.role, case, to)
        return
    assert not lifecycle.may(event.role, case, to)
    with pytest.raises(NotAllowed) as refused:
        lifecycle.change(case, event)
    assert refused.value.status == 422


@pytest.mark.parametrize("status", ["ready_for_pickup", "awaiting_applicant", "archived", "passed_on", "", "RESOLVED"])
def test_only_the_contracts_statuses_are_statuses(status: str) -> None:
    with pytest.raises(NotAllowed):
        lifecycle.change(a_case(), Event(1020, "staff:ana", status))


@pytest.mark.parametrize("status", CLOSED)
def test_closing_notes_the_time_and_reopening_clears_it(status: str) -> None:
    closed = a_case(status)
    assert (closed.closed_at, lifecycle.is_open(closed)) == (1010, False)
    back = lifecycle.change(closed, Event(2000, "citizen", name="reopened", due_at=9000))
    assert (back.status, back.closed_at, back.due_at, back.history[-1].event) == ("received", 0, 9000, "reopened")


def test_a_citizen_reopens_within_the_towns_days_only_staff_always() -> None:
    closed = a_case("resolved")
    late = closed.closed_at + 10 * 86400 + 1
    with pytest.raises(NotAllowed):
        lifecycle.change(closed, Event(late, "citizen", name="reopened"), reopen_days=10)
    assert lifecycle.change(closed, Event(late - 1, "citizen", name="reopened"), reopen_days=10).status == "received"
    assert lifecycle.change(closed, Event(late, "staff:ana", name="reopened"), reopen_days=10).status == "received"
    with pytest.raises(NotAllowed):
        lifecycle.change(closed, Event(1020, "api:k1", name="reopened"))
    with pytest.raises(NotAllowed):
        lifecycle.change(a_case(), Event(1020, "staff:ana", name="reopened"))


def test_an_institution_is_awaited_while_the_case_waits_and_no_longer() -> None:
    waiting = lifecycle.change(a_case(), Event(1020, "api:k", "awaiting_opinion", awaiting_institution="Zavod"))
    assert waiting.awaiting_institution == "Zavod"
    noted = lifecycle.change(waiting, Event(1030, "api:k", note="zvali smo"))
    assert noted.awaiting_institution == "Zavod"
    assert lifecycle.change(noted, Event(1040, "api:k", "in_progress")).awaiting_institution == ""


def test_the_same_status_again_is_no_move_but_what_comes_with_it_counts() -> None:
    case = a_case("in_progress")
    with pytest.raises(NotAllowed, match="already"):
        lifecycle.change(case, Event(1020, "api:k", "in_progress"))
    named = lifecycle.change(case, Event(1020, "api:k", "in_progress", official="A. Anić"))
    assert (named.official, named.history[-1].event) == ("A. Anić", "changed")


def test_a_note_for_the_office_and_one_for_the_citizen_stay_apart() -> None:
    case = lifecycle.change(a_case(), Event(1020, "api:k", "in_progress", note="interno", public_note="javno"))
    inside, outside = case.history[-2:]
    assert (inside.event, inside.note, inside.public) == ("note", "interno", False)
    assert (outside.event, outside.note, outside.public) == ("status", "javno", True)


def test_only_the_citizen_rates_and_only_what_is_resolved() -> None:
    rated = lifecycle.change(a_case("resolved"), Event(1020, "citizen", name="rated", note="4"))
    assert (rated.fields["rating"], rated.status) == (4, "resolved")
    for case, by, note in (
        (a_case(), "citizen", "4"),
        (a_case("resolved"), "api:k", "4"),
        (a_case("resolved"), "citizen", "6"),
        (a_case("resolved"), "citizen", "dobro"),
    ):
        with pytest.raises(NotAllowed):
            lifecycle.change(case, Event(1020, by, name="rated", note=note))


@given(st.lists(st.tuples(st.sampled_from(STATUSES), st.sampled_from(ROLES)), max_size=25))
def test_whatever_is_tried_history_only_grows_and_open_cases_have_no_closing_time(tries: list[tuple[str, str]]) -> None:
    case = a_case()
    for at, (status, by) in enumerate(tries, 2000):
        try:
            after = lifecycle.change(case, Event(at, by, status))
        except NotAllowed:
            continue
        assert after.history[:-1] == case.history
        assert after.history[-1].at == after.updated_at == at
        assert bool(after.closed_at) == (after.status in CLOSED)
        case = after
