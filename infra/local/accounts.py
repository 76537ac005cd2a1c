"""The Viber accounts of the local stack and their tokens, which follow a rule so that nobody has to be told them."""

from collections.abc import Sequence

from infra import towns
from infra.local import aws
from infra.local.simulator.towns import read_bots
from infra.local.stack import STAGE

# One account that serves every town, to try what happens when a citizen chooses between towns.
SHARED_ACCOUNT = "local-shared"


def names() -> list[str]:
    """Every account a town's folder names, and the shared one."""
    return sorted({SHARED_ACCOUNT, *(bot.account for bot in read_bots(towns.root()))})


def write_tokens(endpoint: str, accounts: Sequence[str]) -> None:
    """Put each account's token where production's admin puts it."""
    ssm = aws.client("ssm", endpoint)
    for name in accounts:
        ssm.put_parameter(
            Name=f"/salter/{STAGE}/accounts/{name}/viber-token",
            Type="SecureString",
            Value=f"local-viber-token-{name}",
            Overwrite=True,
        )
