"""The coordinator's page: sign-ups decided, the roster, tasks; volunteers read every decision."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.actions import draw_ids, open_case
from chalicelib.model import Case, Follower
from chalicelib.storage import audit, dynamo
from tests.console.clerk import Clerk, employed, seated, soon
from tests.neighbours import again, asks_for_help, passes, says, told, volunteers
from tests.world import World


def _coordinator(world: World) -> Clerk:
    return seated(employed(world.slug, "coordinator"), world.now)


def _signed_up(world: World, name: str) -> Case:
    """Somebody who filled in the sign-up and waits."""
    says(world, name, "zdravo")
    case = replace(
        Case(world.slug, "", "volunteer", "received", "x", int(world.now), int(world.now)),
        reference=draw_ids.new_reference(world.town),
        owner=Follower(world.account.id, name),
        consent=True,
        channel="viber",
        fields={"called": f"<b>{name}", "areas": ["centre"], "days": ["sun"]},
        applicant={"name": f"{name} Prezime", "phone": "+38163000000"},
    )
    made = open_case.completed(world.town, case, "citizen", world.now)
    dynamo.transact(open_case.items(made, world.now, soon()), soon())
    return made


def test_a_sign_up_is_approved_suspended_and_allowed_again_on_record(town: World) -> None:
    case, desk = _signed_up(town, "ana"), _coordinator(town)
    page = desk.get("/console/volunteers")
    assert "&lt;b&gt;ana" in page.body
    assert "1 prijava čeka." in page.text
    assert "Centar" in page.text
    at = f"/console/volunteers/{case.reference}"
    for verb, key in (("approve", "vol_approved"), ("suspend", "vol_suspended"), ("approve", "vol_approved")):
        desk.post(f"{at}/{verb}")
        assert key in told(town, "ana")[-2:]
    assert desk.post(f"{at}/approve").leads_to.endswith("said=already")
    assert "0 prijava čeka." in desk.get("/console/volunteers").text
    acts, _ = audit.of_day(town.slug, "2026-03-10", soon())
    done = sorted(act.what for act in acts if act.about == case.reference)
    assert done == ["volunteer_approved", "volunteer_approved", "volunteer_suspended"]


def test_a_sign_up_is_declined_with_a_reason_the_citizen_reads(town: World) -> None:
    case, desk = _signed_up(town, "ana"), _coordinator(town)
    at = f"/console/volunteers/{case.reference}/decline"
    assert desk.post(at, {"reason": "Potrebna je punoletnost."}).leads_to.endswith("said=declined")
    assert again(town, case).status == "rejected"
    assert "Potrebna je punoletnost." in town.viber.texts("ana")[-1]
    assert desk.post(at).leads_to.endswith("said=already")


def test_the_roster_shows_pauses_and_tasks_and_one_area_alone(town: World) -> None:
    volunteers(town, "ana")
    volunteers(town, "bane", areas=["upper"])
    says(town, "ana", "pauza do petka")
    case = asks_for_help(town)
    passes(town)
    desk = _coordinator(town)
    page = desk.get("/console/volunteers")
    assert "pauza do: petak" in page.text
    assert case.reference in page.text
    assert "niko nije preuzeo" in page.text
    assert "Glavna 7" not in page.text
    upper = desk.get("/console/volunteers?area=upper").text
    assert "bane" in upper
    assert "pauza do" not in upper


def test_what_is_no_sign_up_cannot_be_decided_on(town: World) -> None:
    volunteers(town, "ana")
    case = asks_for_help(town)
    desk = _coordinator(town)
    for verb in ("approve", "suspend", "decline"):
        assert desk.post(f"/console/volunteers/{case.reference}/{verb}").status == 404
