"""How much one request may bring, and by what it is counted: no route of `app.py` can be made without either."""

from __future__ import annotations

# Bytes of a body.
LITTLE = 1024  # where nothing is asked for; some programs send an empty object all the same
MESSAGE = 64 * 1024  # one message of a chat, one case, one event
CALLBACK = 256 * 1024  # Viber's
FORM = 256 * 1024  # of the staff's pages
FILE = 4 * 1024 * 1024  # rows of cases, a report with its photo: a function takes six, and base64 is a third longer

# By what requests are counted. The first two are looked at before anything else, in this process's memory; the others
# once it is known who asks.
VISITOR = "visitor"  # internet address: chats, sign-in, links (`actions/web_pace.py`)
CROWD = "crowd"  # internet address behind which a town hall or a mobile network is: pages and what belongs to them
PERSON = "person"  # who wrote a message that the channel has signed (`dialogue/flood.py`)
SYSTEM = "system"  # the key of a town's system, or nobody's in that town (`actions/pace.py`)
PACES = (VISITOR, CROWD, PERSON, SYSTEM)
