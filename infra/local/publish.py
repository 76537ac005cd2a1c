"""Every town under `tenants/`, published and live at once: what the local stack does at each start. A town that was
suspended, or put into trial, stays so on the data that say it."""

import os
from collections.abc import Mapping
from typing import Any

from chalicelib.tenancy.complaints import Rejected
from infra import towns
from infra.local.accounts import SHARED_ACCOUNT, write_tokens

Versions = Mapping[str, Mapping[str, Any]]

SERVE_SECONDS = 5.0


def compile_every_town() -> Versions:
    """What the folders say, by slug. It needs nothing but the files. Raises Rejected with every complaint."""
    complaints, versions = [], {}
    for slug in towns.slugs():
        try:
            versions[slug] = towns.compiled(slug)
        except Rejected as rejected:
            complaints += rejected.complaints
    complaints += towns.clashes(versions)
    if complaints:
        raise Rejected(complaints)
    return versions


def publish(versions: Versions) -> None:
    """Publish them, each with what the local stack gives every town; what did not change since the last start is not
    written."""
    # Imported in the environment of the stack only: the tables take their names from it.
    from chalicelib.actions import clock
    from chalicelib.actions.publish_tenant import publish_tenant
    from infra import console_edits
    from infra.stage import first_state

    for slug, version in versions.items():
        laid = console_edits.laid(version)
        if laid.clashes:  # somebody decides with `town apply --take`; until then what is in force stays
            print(f"{slug}: files and console changed the same; not published. See: ./salter town plan {slug}")
        else:
            publish_tenant(laid.compiled, clock.now(), first_state(slug), over=laid.over)
        equip(version)


def equip(version: Mapping[str, Any]) -> None:
    """What a town has on the local stack by rule: staff, a key of the API, and its part in the shared account."""
    from chalicelib.actions import clock
    from chalicelib.actions.publish_tenant import serve
    from chalicelib.storage.api_keys import ensure_local_key
    from chalicelib.wire import Deadline
    from infra.local.staff import ensure_local_staff

    slug = version["core"]["slug"]
    ensure_local_staff((slug,))
    ensure_local_key(slug, clock.now(), Deadline(SERVE_SECONDS))
    serve(SHARED_ACCOUNT, version["core"], Deadline(SERVE_SECONDS))


def equip_new(version: Mapping[str, Any]) -> None:
    """The same for a town that is published while the stack runs, and the token of its account."""
    equip(version)
    if version["core"]["viber"]["account"]:
        write_tokens(os.environ["AWS_ENDPOINT_URL"], [version["core"]["viber"]["account"]])
