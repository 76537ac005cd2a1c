"""A file of cases: uploaded, worked through while one watches or does something else, told row by row."""

from __future__ import annotations

import json

from chalicelib.actions import import_cases, upload_cases
from chalicelib.console import pages
from chalicelib.console.door import Answer, Visit
from chalicelib.console.pages import page
from chalicelib.console.wording import texts
from chalicelib.model import Refused
from chalicelib.storage.imports import Import

OFFSET_MAX = import_cases.ROWS_MAX


def show(visit: Visit) -> Answer:
    """The page from which a file is sent: the one page that may speak to the bucket."""
    identifier, form = upload_cases.upload_form(visit.here)
    drawn = page(
        visit,
        "import",
        upload=identifier,
        form=json.dumps(form, ensure_ascii=False),
        rows_max=import_cases.ROWS_MAX,
        newest=upload_cases.newest(visit.here, visit.now, visit.deadline),
    )
    policy = pages.headers()["Content-Security-Policy"]
    allowed = policy.replace("connect-src 'self'", f"connect-src 'self' {upload_cases.origin()}")
    return Answer(drawn.body, drawn.status, {"Content-Security-Policy": allowed})


def begin(visit: Visit) -> Answer:
    """The file is there: have it worked through."""
    identifier = visit.form.get("upload", "")
    upload_cases.begin(visit.here, identifier, visit.person, visit.now, visit.deadline)
    return visit.go(f"console/counter/import/{identifier}")


def progress(visit: Visit) -> Answer:
    """How far it has come; when it is done, what was rejected and why. Asked every few seconds by the page itself."""
    job = _job(visit)
    after = visit.query.get("after", "")
    at = min(int(after), OFFSET_MAX) if after.isascii() and after.isdecimal() else 0
    rows, more = upload_cases.rejected(job, visit.deadline, at) if job.state == "done" else ([], 0)
    template = "import_state" if visit.is_htmx else "import_progress"
    return page(visit, template, job=job, rejected=rows, more=more, reason=_reason(visit), field=_field(visit))


def rows(visit: Visit) -> Answer:
    """The outcome of every row as CSV that no spreadsheet runs."""
    job = _job(visit)
    headers = {"Content-Disposition": f'attachment; filename="import-{job.id[:8]}.csv"'}
    body = import_cases.result_of(job, visit.deadline)
    return Answer(body, headers=headers, content_type="text/csv; charset=utf-8")


# --- parts ------------------------------------------------------------------------------------------------------


def _job(visit: Visit) -> Import:
    job = upload_cases.found(visit.here, visit.params["job"], visit.now, visit.deadline)
    if job is None:
        raise Refused(404, "unknown_import", "There is no such import.")
    return job


def _reason(visit: Visit) -> object:
    """Words for a reason; one that has none of its own gets those of any other."""
    known = texts(visit.say.name)
    return lambda word: visit.say(f"reason_{word}" if f"reason_{word}" in known else "reason_other")


def _field(visit: Visit) -> object:
    """A column as the page calls it elsewhere."""
    known = texts(visit.say.name)
    names = {"awaiting_institution": "awaiting", "public_note": "public_note", "status": "new_status"}

    def name(field: str) -> str:
        key = names.get(field, f"counter_{field}")
        return str(visit.say(key)) if key in known else field

    return name
