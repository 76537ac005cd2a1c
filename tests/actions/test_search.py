"""Staff find a case by whatever they have at hand, however it is typed, and only what is theirs to see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from chalicelib.actions import find_case, paper_case
from chalicelib.actions.paper_case import Paper
from chalicelib.actions.sweep import sweep
from chalicelib.cases import search as finding
from chalicelib.console import permissions
from chalicelib.model import Case, Place, Staff
from chalicelib.storage import dynamo, keys, search
from chalicelib.storage.cases import CaseStore
from chalicelib.wire import Deadline
from tests.world import World

SOON = Deadline(1e6)


@pytest.fixture
def clerk(world: World) -> Iterator[Staff]:
    yield Staff(world.slug, "ana@primer.example", "ana", "clerk")


def filed(world: World, **paper: str) -> Case:
    """A paper case, found by its words from now on."""
    said = {"subject": "Legalizacija kuće", "name": "Đorđe Šćepanović"} | paper
    case, _ = paper_case.file(world.town, Paper(**said), "staff:ana", "counter", world.now, SOON)  # type: ignore[arg-type]
    indexed(world)
    return case


def indexed(world: World) -> None:
    """The minute passes in which what was filed is written down for the search."""
    world.now += 1
    sweep(world.now, 60)


def references(world: World, person: Staff, written: str) -> list[str]:
    found = find_case.find(world.town, person, permissions.sees, written, SOON)
    return [case.reference for case in found.cases]


def entries(world: World, case: Case) -> set[tuple[str, str]]:
    """What stands in the search for a case, as far as it is noted beside it."""
    return search._noted(dynamo.get("cases", keys.case(world.slug, case.reference), keys.WORDS, SOON))[0]


@pytest.mark.parametrize(
    "written",
    [
        "djordje",
        "Đorđe Šćepanović",
        "scepanovic dorde",
        "Ђорђе Шћепановић",
        "LEGALIZACIJA",
        "legaliz",
        "легализација куће",
        "kuce legalizacija",
        "17/14-100/26",
        "17/14–100/26",
        "бр. 17/14-100/26",
        "+381 60 123 4567",
        "060/123-4567",
        "0601234567",
        "4567",
        "123 4567",
    ],
)
def test_a_case_is_found_however_it_is_typed(world: World, clerk: Staff, written: str) -> None:
    case = filed(world, number="17/14-100/26", phone="060 123 4567")
    filed(world, subject="Uknjižba", name="Petar Petrović", number="17/14-101/26", phone="061 765 4321")
    assert references(world, clerk, written) == [case.reference]


@pytest.mark.parametrize("written", ["0537", "00537", "060 120 0537", "+381 60 1200537", "00381601200537"])
def test_a_phones_ending_may_begin_with_a_zero(world: World, clerk: Staff, written: str) -> None:
    case = filed(world, phone="060 120 0537")
    filed(world, phone="060 120 4537")
    assert references(world, clerk, written) == [case.reference]


def test_a_reference_is_found_in_any_punctuation_and_script(world: World, clerk: Staff) -> None:
    case = filed(world)
    plain = case.reference.replace("-", "")
    for written in (case.reference, plain, plain.lower(), f" {case.reference} ", case.reference.replace("-", " ")):
        assert references(world, clerk, written) == [case.reference]


def test_several_words_are_all_to_be_there_and_the_newest_comes_first(world: World, clerk: Staff) -> None:
    old = filed(world, subject="Rušenje bagrema", name="Mira Marić")
    world.now += 1000
    young = filed(world, subject="Bagrem kod škole", name="Mira Jović")
    assert references(world, clerk, "bagrem") == [young.reference, old.reference]
    assert references(world, clerk, "mira marić") == [old.reference]
    assert references(world, clerk, "mira nepostojeća") == []


def test_only_what_the_person_may_see_is_found(world: World) -> None:
    case = filed(world, office="voda", number="5/26", phone="060 111 2222")
    other = Staff(world.slug, "eva@primer.example", "eva", "clerk", offices=("putevi",))
    coordinator = Staff(world.slug, "kole@primer.example", "kole", "coordinator")
    for written in (case.reference, "5/26", "1112222", "legalizacija"):
        assert references(world, other, written) == references(world, coordinator, written) == []


def test_what_is_sealed_is_never_among_the_words(world: World) -> None:
    case = Case(
        world.slug, "PR-2222-222", "document", "received", "", 1, 1, sealed={"personal_number": "0101990710006"}
    )
    assert finding.words_of(case) == ()
    assert not finding.matches(case, ("0101990710006",))


def test_a_citizens_own_words_and_place_are_found(world: World, clerk: Staff) -> None:
    case = replace(
        filed(world),
        fields={"description": "Ogromna jama ispred pekare", "rating": 5},
        place=Place("Venca Čarapića 12", None, None),
    )
    CaseStore(world.slug).save(case, SOON)
    indexed(world)
    assert references(world, clerk, "јама пекаре") == [case.reference]
    assert references(world, clerk, "carapica") == [case.reference]


def test_a_change_of_words_takes_away_what_no_longer_holds_and_writes_only_what_is_new(
    world: World, clerk: Staff
) -> None:
    case = filed(world, subject="Ograda oko dvorišta", phone="060 111 2222")
    before = entries(world, case)
    store = CaseStore(world.slug)
    loaded = store.load(case.reference, SOON)
    assert loaded is not None
    store.save(replace(loaded, subject="Ograda oko bašte"), SOON)
    world.meter.reset()
    indexed(world)
    after = entries(world, case)
    assert {sk.split("#")[0] for _, sk in before - after} == {"dvorista"}
    assert {sk.split("#")[0] for _, sk in after - before} == {"baste"}
    assert world.meter.operations.count("dynamodb.BatchWriteItem") == 1
    assert references(world, clerk, "dvorišta") == []
    assert references(world, clerk, "bašte") == [case.reference]


def test_a_change_that_touches_no_word_owes_the_search_nothing(world: World) -> None:
    case = filed(world)
    loaded = CaseStore(world.slug).load(case.reference, SOON)
    assert loaded is not None
    changed = replace(loaded, office="voda", updated_at=loaded.updated_at + 5)
    assert len(CaseStore(world.slug).items_for_change(changed, SOON)) == 1


def test_killed_between_its_writes_the_next_try_makes_it_whole(world: World, clerk: Staff) -> None:
    case = filed(world, subject="Stara reč")
    wanted = search.Wanted(case.reference, case.created_at, ("nova",))
    writing = search.dynamo.batch_write
    search.dynamo.batch_write = _dying  # type: ignore[assignment]
    try:
        with pytest.raises(RuntimeError):
            search.write(world.slug, wanted, SOON)
    finally:
        search.dynamo.batch_write = writing
    search.write(world.slug, wanted, SOON)
    assert [sk.split("#")[0] for _, sk in entries(world, case)] == ["nova"]
    assert search.of_word(world.slug, "stara", SOON) == []
    assert [found.reference for found in search.of_word(world.slug, "nova", SOON)] == [case.reference]


def _dying(*args: object) -> None:
    raise RuntimeError("killed")


def test_the_entries_of_a_case_cost_at_most_sixteen_write_units(world: World) -> None:
    words = " ".join(f"reč{chr(97 + n)}{n}" for n in range(40))
    case, _ = paper_case.file(
        world.town, Paper(words, "Mira Šćepanović", "1/26", "060 123 4567"), "staff:a", "counter", world.now, SOON
    )
    stored = CaseStore(world.slug).load(case.reference, SOON)
    assert stored is not None
    from chalicelib.actions import index_case

    world.meter.reset()
    search.write(world.slug, index_case.entries(world.town, stored), SOON)
    assert world.meter.writes <= 16


def test_looking_up_a_reference_a_number_or_a_phone_reads_at_most_three_units(world: World, clerk: Staff) -> None:
    case = filed(world, number="88/26", phone="060 999 1234")
    for written in (case.reference, "88/26", "9991234", "060 999 1234"):
        world.meter.reset()
        assert references(world, clerk, written) == [case.reference]
        assert world.meter.reads <= 3, written


def test_more_than_a_page_goes_on_where_it_stopped(world: World, clerk: Staff) -> None:
    for number in range(find_case.SHOWN_MAX + 3):
        case, _ = paper_case.file(world.town, Paper("Jasen", f"Ime {number}"), "staff:a", "counter", world.now, SOON)
        wanted = search.Wanted(case.reference, case.created_at + number, ("jasen",))
        search.write(world.slug, wanted, SOON)
    first = find_case.find(world.town, clerk, permissions.sees, "jasen", SOON)
    second = find_case.find(world.town, clerk, permissions.sees, "jasen", SOON, first.after)
    assert (len(first.cases), len(second.cases), second.after) == (find_case.SHOWN_MAX, 3, 0)
    assert not {case.reference for case in first.cases} & {case.reference for case in second.cases}
