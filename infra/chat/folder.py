"""A conversation with a town's folder: the pure core, no server. The same turns always give the same answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from chalicelib.model import Message
from infra import towns
from infra.chat.transcript import Said
from infra.chat.why import reasons
from infra.proofs import CITIZEN, DEFAULT_CLOCK, SAID, VOLUNTEER, Stage, town_of


class Folder:
    """One story on a stage; what was said is kept, for a volunteer is approved from its beginning on.

    Raises Rejected for a folder that is not right, ValueError for a clock that is none.
    """

    def __init__(self, slug: str, channel: str, clock: str) -> None:
        self.clock, self.channel = clock or DEFAULT_CLOCK, channel
        self._town = town_of(towns.compiled(slug))
        self.said: list[Said] = []
        self._stage = Stage(self._town, channel, self.clock)

    @property
    def begun(self) -> str:
        return self.clock

    @property
    def now(self) -> dt.datetime:
        zone = dt.datetime.fromisoformat(self.clock).tzinfo
        return dt.datetime.fromtimestamp(self._stage.now, zone)

    def play(self, turn: Mapping[str, Any]) -> list[Message]:
        """What is answered to a turn as conversations write it. Raises ValueError where that cannot be said."""
        actor = str(turn.get("as", CITIZEN))
        if actor.startswith(VOLUNTEER) and actor not in self._stage.volunteers:
            self._begin_again(actor)
        self.said.append(_played(self._stage, turn))
        return self._stage.messages

    def why(self, text: str) -> list[str]:
        return reasons(self._town, text, self._stage.conversation.state)

    def _begin_again(self, volunteer: str) -> None:
        """The whole story once more, with one volunteer more from its beginning, as a proof has it."""
        stage = Stage(self._town, self.channel, self.clock)
        stage.approve(*self._stage.volunteers, volunteer)
        try:
            said = [_played(stage, one.turn) for one in self.said]
        except ValueError as problem:
            raise ValueError(
                f"With a volunteer it had gone otherwise: say /as {volunteer} first. {problem}"
            ) from problem
        self._stage, self.said = stage, said


def _played(stage: Stage, turn: Mapping[str, Any]) -> Said:
    """Raises ValueError for a button that is not there."""
    problem = stage.play(turn)
    if problem:
        raise ValueError(problem)
    return Said(turn, stage.messages, _promised(stage) if SAID.intersection(turn) else {})


def _promised(stage: Stage) -> dict[str, Any]:
    """What the last turn filed, or did about a request for help."""
    case = stage.case
    if case is None:
        return {}
    if stage.filed is None:
        return {"status": case.status} | ({"assignee": case.assignee[2]} if case.assignee else {})
    return {"kind": case.kind} | ({"category": case.category} if case.category else {})
