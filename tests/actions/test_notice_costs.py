"""What messages cost a town: billed ones are counted, and what may wait waits where the town says so."""

from __future__ import annotations

import pytest

from chalicelib.actions import change_case, owe, sweep
from chalicelib.cases.lifecycle import Event
from chalicelib.model import OPERATOR, Line, Say
from chalicelib.storage import budget, consents, keys, views
from chalicelib.tenancy.schema import QUIET_MINUTES
from chalicelib.wire import Deadline
from tests.actions.billed import DAY, billed_case, change
from tests.integrations.system import System
from tests.meter import Meter
from tests.world import World

CHARGED = {"status": 0, "status_message": "ok", "billing_status": 5}
FREE = {"status": 0, "status_message": "ok", "billing_status": 2}


def _quiet(world: World) -> None:
    """Nothing happens to any case until what waits for more news goes out."""
    world.now += 60 * QUIET_MINUTES
    sweep.sweep(world.now)


def _notices(world: World, citizen: str = "mira") -> list[str]:
    return [text for text in world.viber.texts(citizen) if "PR-" in text]


def _billed(world: World) -> int:
    return budget.between(world.slug, "2026-01-01", "2026-12-31", Deadline(20))


def test_billed_messages_are_counted_once_and_free_ones_are_not(world: World) -> None:
    world.viber.otherwise = FREE
    case = billed_case(world)
    world.viber.otherwise = CHARGED
    change(world, case, status="in_progress")
    _quiet(world)
    sweep.sweep(world.now + 60)
    world.viber.otherwise = FREE
    change(world, case, status="resolved")
    _quiet(world)
    assert (len(_notices(world)), _billed(world)) == (2, 1)


def test_the_figures_give_the_cost_where_the_price_is_known_and_nothing_where_it_is_not(world: World) -> None:
    world.viber.otherwise = CHARGED
    change(world, billed_case(world), status="in_progress")
    span = {"from": "2026-03-01", "to": "2026-03-31"}
    assert System(world.slug).get("figures", **span).json["cost"]["messages"] is None
    world.says_of_itself(terms="price: {amount: 0.02, currency: BAM}")
    cost = System(world.slug).get("figures", **span).json["cost"]
    assert (cost["messages"], cost["currency"]) == (pytest.approx(_billed(world) * 0.02), "BAM")
    assert cost["messages"] > 0


def test_a_notice_that_would_cost_waits_until_the_citizen_writes_and_goes_out_before_the_answer(
    world: World, meter: Meter
) -> None:
    world.says_of_itself(terms="notices: in_session")
    case = billed_case(world)
    change(world, case, status="in_progress")
    change(world, case, status="resolved")
    for _ in range(3):
        world.now += 3600
        sweep.sweep(world.now)
    assert _notices(world) == []
    assert [row["error"] for row in views.owed(world.slug) if row["error"]] == []  # to wait is not to fail
    said = world.says("mira", "radno vreme")
    assert ["U obradi" in said[0], "Rešeno" in said[1], case.reference in said[2]] == [True, True, False]
    stored = world.conversation("mira")
    assert stored is not None
    assert stored.lane == ()


def test_while_the_citizens_session_is_open_nothing_waits(world: World) -> None:
    world.says_of_itself(terms="notices: in_session, monthly_messages: 0")
    case = billed_case(world)
    world.says("mira", "zdravo")
    change(world, case, status="in_progress")
    assert len(_notices(world)) == 1


def test_once_the_month_is_paid_up_notices_wait_and_a_new_month_lets_them_go_at_once(world: World) -> None:
    world.says_of_itself(terms="monthly_messages: 1")
    first, second = billed_case(world), billed_case(world, "ana")
    world.viber.otherwise = CHARGED
    for case in (first, second):
        change(world, case, status="in_progress")
        _quiet(world)
    assert (len(_notices(world)), len(_notices(world, "ana")), _billed(world)) == (1, 0, 1)
    world.now += 28 * DAY
    change(world, first, status="resolved")
    _quiet(world)
    assert (len(_notices(world)), _billed(world)) == (2, 2)


def test_a_missed_deadline_and_a_persons_own_words_never_wait(world: World) -> None:
    world.says_of_itself(terms="notices: in_session, monthly_messages: 0")
    case = billed_case(world)
    change(world, case, status="in_progress")
    assert _notices(world) == []
    words = Say(lines=(Line("raw", {"text": "Dobar dan, ovde Ana."}),))
    owe.owe(world.account, "mira", words, OPERATOR, world.now, "h", Deadline(20))
    overdue = Event(int(world.now), "system", name="overdue")
    change_case.change_case(world.town, case.reference, overdue, world.now, "h", Deadline(60))
    spoken, late = world.viber.texts("mira")[-2:]
    assert spoken == "Dobar dan, ovde Ana."
    assert _notices(world) == [late]


@pytest.mark.shows("F46")
def test_a_held_notice_is_not_sent_to_whoever_said_stop_meanwhile(world: World) -> None:
    world.says_of_itself(terms="notices: in_session")
    case = billed_case(world)
    change(world, case, status="in_progress")
    person = keys.person(world.account.id, "mira")
    withdrawn = consents.Consent(consents.CASES, False, int(world.now), "viber", "citizen", "stop.1")
    consents.record(world.slug, person, withdrawn, Deadline(20))
    world.says("mira", "radno vreme")
    assert _notices(world) == []


@pytest.mark.shows("F16")
def test_when_viber_says_that_the_money_is_used_up_the_notice_waits_and_is_not_lost(world: World) -> None:
    case = billed_case(world)
    world.viber.otherwise = {"status": 24, "status_message": "noBalance"}
    change(world, case, status="in_progress")
    world.viber.otherwise = None
    assert "U obradi" in world.says("mira", "radno vreme")[0]


def test_of_many_held_notices_the_newest_stay_and_nothing_else_is_held_up(world: World) -> None:
    world.says_of_itself(terms="notices: in_session")
    case = billed_case(world)
    for number in range(12):
        change(world, case, public_note=f"vest {number}")
    assert _notices(world) == []
    said = world.says("mira", "radno vreme")
    assert [f"vest {number}" in said[number - 4] for number in range(4, 12)] == [True] * 8
    assert len(said) == 9
