"""`./salter town list | rollback | suspend | resume | tester | live`, as a platform admin types them."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from chalicelib.actions import clock, heard, town_states
from chalicelib.actions.publish_tenant import publish_tenant
from chalicelib.model import Unavailable
from chalicelib.storage import audit, outbox, tenants
from chalicelib.wire import Deadline
from infra import cli
from tests.viber import message
from tests.web import Visitor
from tests.world import NOON, World, compiled

HERE = "https://salter.example/api/"
Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """The exit code of a command and all it wrote. It is noon for the commands, too."""
    monkeypatch.setattr(clock, "now", lambda: NOON + 60)

    def typed(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        code = cli.main(["town", *arguments, "--stage", "test"])
        said = capsys.readouterr()
        return code, said.out + said.err

    return typed


@pytest.fixture
def trial(world: World) -> World:
    """A town in trial whose bot calls nowhere yet; an address of ours answers Viber, no other does."""
    publish_tenant(compiled(world.slug), NOON, "trial")
    world.warm()

    def probed(url: str) -> int:
        if url != f"{HERE}viber/{world.slug}":
            return 404
        world.calls({"event": "webhook", "timestamp": 1, "message_token": 1})
        return 200

    world.viber.probe = probed
    return world


def state(world: World) -> str:
    pointer = tenants.pointer(world.slug, Deadline(20))
    assert pointer is not None
    return pointer.state


# --- live -----------------------------------------------------------------------------------------------------


def test_live_sets_the_webhook_sees_vibers_call_and_answers_everybody(trial: World, run: Run) -> None:
    code, said = run("live", trial.slug, "--url", HERE)
    assert (code, state(trial), trial.viber.webhook) == (0, "live", f"{HERE}viber/{trial.slug}")
    assert "its call was seen" in said
    assert run("live", trial.slug, "--url", HERE)[0] == 0  # again: the same
    assert trial.viber.webhook == f"{HERE}viber/{trial.slug}"
    assert [act.what for act in audit.of_day(trial.slug, "2026-03-10", Deadline(20))[0]] == ["town_live"]


@pytest.mark.parametrize("before", ["", "https://old.example/viber"])
def test_an_address_that_does_not_answer_leaves_webhook_and_trial_as_they_were(
    trial: World, run: Run, before: str
) -> None:
    ours = trial.viber.probe
    trial.viber.webhook = before
    trial.viber.probe = lambda url: 200 if url == before else ours(url)
    code, said = run("live", trial.slug, "--url", "https://wrong.example")
    assert (code, state(trial), trial.viber.webhook) == (1, "trial", before)
    assert "Viber does not reach https://wrong.example" in said


def test_an_address_where_somebody_else_answers_is_not_taken_for_ours(trial: World, run: Run) -> None:
    trial.viber.probe = lambda url: 200
    code, said = run("live", trial.slug, "--url", "https://catch-all.example")
    assert (code, state(trial), trial.viber.webhook) == (1, "trial", "")
    assert "not this installation" in said


def test_a_store_that_fails_at_the_last_step_puts_the_webhook_back(
    trial: World, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(town_states.tenants, "change", lambda *_: (_ for _ in ()).throw(Unavailable("dynamodb")))
        assert run("live", trial.slug, "--url", HERE)[0] == 1
    assert (state(trial), trial.viber.webhook) == ("trial", "")
    assert run("live", trial.slug, "--url", HERE)[0] == 0


def test_a_wrong_token_a_suspended_and_an_unknown_town_are_refused_in_words(trial: World, run: Run) -> None:
    trial.viber.token = "another"
    assert "token_refused" in run("live", trial.slug, "--url", HERE)[1]
    trial.viber.token = trial.token
    run("suspend", trial.slug)
    assert run("live", trial.slug, "--url", HERE) == (
        1,
        f"{trial.slug} is suspended; first: ./salter town resume {trial.slug}\n",
    )
    for command in ("suspend", "resume", "live", "tester", "rollback"):
        code, said = run(command, "nobody-lives-here")
        assert code == 1 and "publish it first" in said


# --- testers --------------------------------------------------------------------------------------------------


def test_the_testers_links_open_both_channels(trial: World, run: Run) -> None:
    code, said = run("tester", trial.slug, "--people", "2", "--webhook", "--url", HERE)
    web, on_viber = (said.partition(f"{channel}: ")[2].split()[0] for channel in ("web", "Viber"))
    assert (code, trial.viber.webhook, state(trial)) == (0, f"{HERE}viber/{trial.slug}", "trial")
    assert web.startswith(f"{HERE}chat/{trial.slug}?context=")
    context = parse_qs(urlsplit(web).query)["context"][0]
    assert on_viber == f"viber://pa?chatURI={trial.slug}&context={context}"
    assert "Probni rad" in Visitor(trial, context=context).welcome[0]["text"]
    started = {"event": "conversation_started", "user": {"id": "mira"}, "context": context, "message_token": 2}
    assert "Probni rad" in trial.calls(started)["text"]
    trial.calls(started)
    assert "Uskoro" in trial.calls(started | {"user": {"id": "jovo"}})["text"]  # two are in


@pytest.mark.parametrize("wrong", [("--people", "0"), ("--people", "1000"), ("--days", "0"), ("--days", "400")])
def test_a_link_without_bounds_is_not_made(trial: World, run: Run, wrong: tuple[str, str]) -> None:
    code, said = run("tester", trial.slug, "--url", HERE, *wrong)
    assert code == 1 and "number from 1 to" in said


# --- suspend, resume, list, rollback --------------------------------------------------------------------------


@pytest.mark.campaign
def test_the_list_says_state_version_last_webhook_queue_and_what_is_wrong(world: World, run: Run) -> None:
    line = _line_of(world, run)
    assert "live" in line and "version 1" in line and "queue 0 s" in line and "dead" not in line
    world.viber.otherwise = {"status": 2}
    world.calls(message("mira", "zdravo"))
    outbox.write_dead(world.slug, "r1", "reply", {}, "bad_request", NOON, Deadline(20), account="", citizen="")
    run("suspend", world.slug, "--reason", "ugovor istekao")
    line = _line_of(world, run)
    assert "suspended" in line and "ugovor istekao" in line and "dead letters 1" in line
    assert "queue 60 s" in line  # since it was said, not since it was last put off
    assert "Viber refuses: token_refused" in line
    run("resume", world.slug)
    assert "live" in _line_of(world, run)


def _line_of(world: World, run: Run) -> str:
    code, said = run("list")
    assert code == 0
    return next(line for line in said.splitlines() if line.startswith(world.slug))


def test_going_back_says_first_what_changes_and_can_be_asked_for_that_alone(world: World, run: Run) -> None:
    assert "there are: none" in run("rollback", world.slug)[1]
    publish_tenant(compiled(world.slug, rules="reopen_days: 3"), NOON)
    code, said = run("rollback", world.slug, "--plan")
    assert code == 0 and "version 2 → 1" in said and "~ setting days to reopen a case: 3 → 30" in said
    assert tenants.pointer(world.slug, Deadline(20)).version == 2  # type: ignore[union-attr]
    code, said = run("rollback", world.slug, "1")
    assert code == 0 and "version 2 → 1" in said and "version 1 is in force again" in said
    assert run("rollback", world.slug, "7")[0] == 1
    assert [act.what for act in audit.of_day(world.slug, "2026-03-10", Deadline(20))[0]] == ["town_rolled_back"]


@pytest.mark.campaign
def test_a_genuine_call_is_what_the_list_shows_as_the_last_webhook(world: World, run: Run) -> None:
    heard.forget()
    world.calls(message("mira", "zdravo"))
    assert "last webhook 2026-03-10 11:00" in _line_of(world, run)
