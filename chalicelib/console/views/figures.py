"""What a town's work comes to, plotted and as a file."""

from __future__ import annotations

import csv
import datetime as dt
import io

from chalicelib.actions import collect_figures
from chalicelib.cases.case_file import safe_cell
from chalicelib.cases.figures import Figures
from chalicelib.console.door import Answer, Visit
from chalicelib.console.pages import page
from chalicelib.console.plots import bars, curve
from chalicelib.days import day_in

SPANS = {"week": 7, "month": 30, "year": 365}


def show(visit: Visit) -> Answer:
    """The figures of the last week, month or year."""
    span = visit.query.get("span", "month")
    figures = _read(visit, span)
    problems = {category: opened for kind, category, opened, _ in figures.cases if kind == "problem" and opened}
    promised = figures.kept + figures.missed
    return page(
        visit,
        "figures",
        figures=figures,
        span=span,
        spans=SPANS,
        plot=curve(figures.by_day),
        bars=bars(sorted(problems.items(), key=lambda item: -item[1])),
        kept_share=round(100 * figures.kept / promised) if promised else None,
    )


def table(visit: Visit) -> Answer:
    """The same as CSV. Nothing in it can be taken for a formula."""
    figures = _read(visit, visit.query.get("span", "month"))
    out = io.StringIO()
    rows = csv.writer(out, delimiter=";", lineterminator="\r\n")
    rows.writerow(["from", "to", "people", "conversations", "messages_in", "messages_out", "unanswered"])
    rows.writerow(
        [
            figures.first,
            figures.last,
            figures.people,
            figures.conversations,
            figures.counts.get("in", 0),
            figures.counts.get("out", 0),
            figures.unanswered,
        ]
    )
    rows.writerow(["kind", "category", "opened", "closed"])
    for kind, category, opened, closed in figures.cases:
        rows.writerow([safe_cell(kind), safe_cell(category), opened, closed])
    rows.writerow(["day", "conversations"])
    rows.writerows(figures.by_day)
    name = f"{visit.here.slug}-{figures.first}-{figures.last}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Answer("\ufeff" + out.getvalue(), headers=headers, content_type="text/csv; charset=utf-8")


def _read(visit: Visit, span: str) -> Figures:
    today = day_in(visit.here.core["time_zone"], visit.now)
    first = today - dt.timedelta(days=SPANS.get(span, SPANS["month"]) - 1)
    return collect_figures.read(visit.here, first, today, visit.deadline)
