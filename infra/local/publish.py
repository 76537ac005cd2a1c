"""Every town under `tenants/`, published and live: what the local stack does at each start."""

from collections.abc import Mapping
from typing import Any

from chalicelib.tenancy.complaints import Rejected
from infra import towns
from infra.local.accounts import SHARED_ACCOUNT

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
    complaints += towns.number_clashes(versions)
    if complaints:
        raise Rejected(complaints)
    return versions


def publish(versions: Versions) -> None:
    """Publish them, let the shared account serve them all; what did not change since the last start is not written."""
    # Imported in the environment of the stack only: the tables take their names from it.
    from chalicelib.actions import clock
    from chalicelib.actions.publish_tenant import publish_tenant, serve
    from chalicelib.storage.api_keys import ensure_local_key
    from chalicelib.storage.tenants import LIVE
    from chalicelib.wire import Deadline
    from infra import console_edits
    from infra.local.staff import ensure_local_staff

    ensure_local_staff(tuple(versions))
    for slug, version in versions.items():
        laid = console_edits.laid(version)
        if laid.clashes:  # somebody decides with `town apply --take`; until then what is in force stays
            print(f"{slug}: files and console changed the same; not published. See: ./salter town plan {slug}")
        else:
            publish_tenant(laid.compiled, clock.now(), LIVE, over=laid.over)
        ensure_local_key(slug, clock.now(), Deadline(SERVE_SECONDS))
        serve(
            SHARED_ACCOUNT,
            slug,
            Deadline(SERVE_SECONDS),
            version["core"]["names"][version["core"]["languages"][0]["id"]],
            version["core"]["number"],
        )
