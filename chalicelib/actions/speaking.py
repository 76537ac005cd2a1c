"""In whose name a message goes out: a bot that serves several towns says with every message which of them speaks."""

from __future__ import annotations

from chalicelib.actions import choose_town
from chalicelib.channels import Credentials
from chalicelib.dialogue import words
from chalicelib.model import Account, Conversation, Line, Message, Owed, Say, Town, Voice
from chalicelib.small_classes import dataclass
from chalicelib.wire import Deadline


@dataclass(frozen=True, slots=True)
class Mouth:
    """An account whose token is known."""

    account: Account
    token: str

    def credentials(self, say: Say, town: Town, voice: Voice) -> Credentials:
        """The name above the words, and whose buttons stand below them. The question which town it is is nobody's."""
        if not choose_town.is_shared(self.account):
            return Credentials(self.token, town.core["viber"]["name"])
        asking = say.lines[:1] == (Line(choose_town.QUESTION),)
        spoken = words.spoken(town, voice)
        name = words.line(Line("town_choose_sender"), town, spoken) if asking else str(town.core["viber"]["name"])
        return Credentials(self.token, name, town.slug)


def message(
    owed: Owed, town: Town, account: Account, conversation: Conversation, now: float, deadline: Deadline
) -> Message:
    """The words as they go out; those of a town the citizen is not with (`owed.town`) with the ways to both towns."""
    say = in_clear(owed.say, town.slug, account.id, conversation.citizen, deadline)
    if owed.town:
        say = choose_town.with_ways(say, account, town.slug, conversation.town, owed.voice)
    return words.message(say, town, owed.voice, f"{owed.seq:012d}", now)


def in_clear(say: Say, town: str, account: str, citizen: str, deadline: Deadline) -> Say:
    """Words as their citizen reads them. Raises Unavailable."""
    if not say.is_sealed:
        return say
    from chalicelib.actions import seal  # only private words pay for it

    return seal.opened(say, town, account, citizen, deadline)
