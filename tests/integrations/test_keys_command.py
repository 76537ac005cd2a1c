"""`./salter apikey new`: a key is printed once and works."""

from __future__ import annotations

import pytest

from chalicelib.storage import api_keys
from chalicelib.wire import Deadline
from infra import cli
from tests.world import World


def test_a_key_made_on_the_command_line_works_with_its_scopes(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    asked = ["apikey", "new", world.slug, "--stage", "test", "--scope", "cases:read,cases:write", "--scope", "figures"]
    assert cli.main(asked) == 0
    found = api_keys.find(capsys.readouterr().out.strip(), Deadline(20))
    assert found is not None
    assert (found.town, found.scopes) == (world.slug, {"cases:read", "cases:write", "figures"})


@pytest.mark.parametrize(("slug", "scope"), [("nobody-lives-here", "cases:read"), (None, "everything")])
def test_what_cannot_be_made_is_said_and_not_zero(
    world: World, capsys: pytest.CaptureFixture[str], slug: str | None, scope: str
) -> None:
    assert cli.main(["apikey", "new", slug or world.slug, "--stage", "test", "--scope", scope]) == 1
    captured = capsys.readouterr()
    assert (captured.out, bool(captured.err)) == ("", True)
