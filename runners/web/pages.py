"""The pages: each reads what it shows, and renders it; asked for JSON, the same address answers with that."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, PlainTextResponse, Response

from canary.flapping import flap_words
from canary.incident import Incident, IncidentKind
from canary.instruments import metrics
from canary.path import PathName
from canary.silence import Silence, with_windows
from canary.slo import WINDOW, window_from
from canary.verdict import Verdict
from runners.answer_shapes import SilencesAnswer
from runners.answers import silence_answer
from runners.asking import ask_status, ask_trace, list_canaries, view_paths, working_beside
from runners.at_risk import risk_words, tickets_at_risk
from runners.cli.incident_words import backlog_words
from runners.contracts import CanaryQuery, Record
from runners.dossier import backlog_of, bisect_of, bisect_verdict, failed_ends
from runners.escalation import bisect_words
from runners.history import Point
from runners.runbook import runbook_text
from runners.web import api, pictures, spread, views
from runners.web.evidence import SCREENSHOT, evidence, evidence_of
from runners.web.parts import Parts, parts_of
from runners.web.rendering import Renderer
from runners.web.runbooks import runbook_markup, runbook_title

LAYOUTS: Final = ("layout.html", "fragment.html")
"""A whole page, and the part of it that an open page swaps in."""
_A_PAGE: Final = 20
_MOST_INCIDENTS: Final = 100
_MOST_POINTS: Final = 10_000
_AROUND: Final = 400
_GROUPED: Final = 200
_AHEAD: Final = timedelta(days=7)
"""Maintenance windows that begin so soon are on the page of silences."""


def render(request: Request, template: str, *, status_code: int = 200, **shown: object) -> Response:
    """A whole page, or the part of it that an open page swaps in."""
    now = parts_of(request).clock.now()
    layout, here = _layout_of(request), request.url.path
    text = _rendered(request.app, template, layout=layout, here=here, now=now, **shown)
    return HTMLResponse(text, status_code=status_code)


def _layout_of(request: Request) -> str:
    return LAYOUTS[1 if request.headers.get("x-fragment") else 0]


def _rendered(app: Starlette, template: str, *, now: datetime, **shown: object) -> str:
    parts: Parts = app.state.parts
    renderer: Renderer = app.state.renderer
    return renderer(template, prober=parts.prober, notices=parts.notices(), now=now, **shown)


async def overview(request: Request) -> Response:
    """All paths at a glance."""
    if api.asks_json(request):
        return await api.status(request)
    layout = _layout_of(request)
    return await api.lend(
        request.app, layout, partial(_overview, request.app, layout), media_type="text/html"
    )


async def _overview(app: Starlette, layout: str) -> bytes:
    """The first page, made anew: read, and then laid out in a thread."""
    parts: Parts = app.state.parts
    read = await views.read(parts)

    def rendered() -> bytes:
        page = views.overview(parts, read)
        text = _rendered(app, "overview.html", layout=layout, here="/", now=read.now, page=page)
        return text.encode()

    return await api.aside(app, rendered)


async def make_ahead(app: Starlette) -> None:
    """Make ready what the first who asks after a start would wait for: templates, statements, and the first page.

    Raises:
        StoreError: the store can't be read; whoever asks hears of it.
    """
    await api.aside(app, app.state.renderer.load)
    for layout in LAYOUTS:
        await api.lend(app, layout, partial(_overview, app, layout), media_type="text/html")


async def path(request: Request) -> Response:
    """One path: its figures, its 90 days, its canaries."""
    if _is_json(request, "name"):
        return await api.path(request)
    parts = parts_of(request)
    wanted, now = api.path_named(parts, request.path_params["name"]), parts.clock.now()
    status = await ask_status(parts.store, [wanted], now=now, places=parts.places, windows=parts.windows)
    past = (await parts.store.pasts([wanted.name], since=window_from(now)))[wanted.name]
    long_ago = now - timedelta(days=pictures.STRIP_DAYS)
    points = await parts.store.points(wanted.name, since=long_ago, limit=views.SPARK_POINTS)
    all_days = await parts.store.days(wanted.name, since=long_ago)
    days = [one for one in all_days if one.day >= window_from(now)]
    records = await parts.store.canaries(
        CanaryQuery(path=wanted.name, limit=_A_PAGE + 1, before=api.before_of(request))
    )
    lasting = status.paths[0].view.incident
    bounds = metrics.CANARY_DURATION.bounds
    deadline = wanted.slo.deadline_seconds
    return render(
        request,
        "path.html",
        seen=status.paths[0],
        whose=views.whose(lasting, parts.paths()) if lasting is not None else "",
        silences=[one for one in status.silences if one.about == wanted.name],
        budget=views.path_budget(wanted, past),
        window_days=WINDOW.days,
        strip=pictures.strip("strip", all_days, today=now, name=wanted.name),
        distribution=spread.distribution(
            "distribution", days, bounds, deadline_seconds=deadline, name=wanted.name
        ),
        axis=spread.axis(days, bounds, deadline_seconds=deadline),
        spark=pictures.sparkline("spark", points, deadline_seconds=deadline, name=wanted.name),
        said={
            "strip": pictures.strip_words(all_days, today=now),
            "spread": spread.spread_words(days, bounds, deadline_seconds=deadline),
            "spark": pictures.spark_words(points),
        },
        canaries=[_row(one) for one in records[:_A_PAGE]],
        older=records[_A_PAGE - 1].canary.id if len(records) > _A_PAGE else None,
        is_newest=api.before_of(request) is None,
    )


def _row(record: Record) -> tuple[Record, str]:
    """A canary in a list, with its small waterfall."""
    hops = record.judgement.hops if record.judgement is not None else ()
    canary = record.canary
    return record, pictures.waterfall(
        f"fall-{canary.id}", hops, canary.launched_at, name=f"Canary {canary.id}"
    )


async def canaries(request: Request) -> Response:
    """The newest canaries of all paths, or those that the query asks for."""
    if api.asks_json(request):
        return await api.canaries(request)
    query, _ = api.query_of(request, _A_PAGE)
    listed = await list_canaries(parts_of(request).store, query)
    return render(
        request,
        "canaries.html",
        canaries=[_row(one) for one in listed.records],
        older=api.older(request, listed.next) if listed.next is not None else None,
        newest=api.older(request, None) if query.before is not None else None,
        query=query,
        paths=list(parts_of(request).paths()),
        verdicts=list(Verdict),
    )


async def canary(request: Request) -> Response:
    """One canary: its hops, what is to blame, what was seen."""
    if _is_json(request, "id"):
        return await api.canary(request)
    parts = parts_of(request)
    word = str(request.path_params["id"])
    found = await ask_trace(parts.store, word, parts.paths(), now=parts.clock.now())
    api.refuse_unless_one(word, [one.canary.id for one in found.records])
    (record,) = found.records
    hops = record.judgement.hops if record.judgement is not None else ()
    files = evidence_of(parts.artifacts, record.canary)
    return render(
        request,
        "canary.html",
        record=record,
        canary=record.canary,
        judgement=record.judgement,
        hops=hops,
        end=pictures.end_of(hops, record.canary.launched_at),
        observations=found.observations,
        runbook=found.runbook,
        files=files,
        trouble=[
            str(one.facts["intake.artifact.trouble"])
            for one in found.observations
            if "intake.artifact.trouble" in one.facts
        ],
    )


async def artifact(request: Request) -> Response:
    """One file of a canary's evidence; all but the screenshot is only to be downloaded."""
    parts = parts_of(request)
    word, name = str(request.path_params["id"]), str(request.path_params["file"])
    records = await parts.store.find(word)
    api.refuse_unless_one(word, [one.canary.id for one in records])
    found = evidence(parts.artifacts, records[0].canary, name)
    if found is None:
        raise api.not_found("there is no such evidence", "It is kept by number, age and size.")
    return FileResponse(
        found.file,
        media_type=found.media_type,
        filename=f"{records[0].canary.id}-{found.name}",
        content_disposition_type="inline" if name == SCREENSHOT else "attachment",
    )


async def incidents(request: Request) -> Response:
    """Incidents, newest first."""
    if api.asks_json(request):
        return await api.incidents(request)
    parts = parts_of(request)
    query, _ = api.query_of(request, _MOST_INCIDENTS)
    found = await parts.store.incidents(path=query.path, since=query.since, limit=query.limit)
    paths = parts.paths()
    return render(
        request, "incidents.html", incidents=[(one, views.whose(one, paths)) for one in found], query=query
    )


async def incident(request: Request) -> Response:
    """One incident: what happened when, whose it is, and what else it struck."""
    if api.asks_json(request):
        return await api.incident(request)
    parts = parts_of(request)
    word = str(request.path_params["id"])
    found = await parts.store.incident(word)
    if found is None:
        raise api.not_found(f"there is no incident {word}", "See /incidents.")
    now, paths = parts.clock.now(), parts.paths()
    configured = [one for one in paths.values() if one.is_enabled]
    group = await _group(parts, found.id, found.onset_at)
    seen = await view_paths(parts.store, configured, (), now=now)
    backlog = await backlog_of(parts.store, found, paths.get(found.path), now, most=_MOST_POINTS)
    risks = await tickets_at_risk(parts.store, [found], paths, now)
    times = {
        "from": found.impact_from,
        "onset": found.onset_at,
        "opened": found.opened_at,
        "until": found.impact_until,
        "resolved": found.resolved_at,
    }
    points = await _around(parts, found.path, times, now)
    shown = await failed_ends(parts.store, found)
    bisect = await bisect_of(parts.store, found)
    came_to = bisect_verdict(found, bisect)
    return render(
        request,
        "incident.html",
        incident=found,
        failed=shown,
        more_failed=max(0, found.failures - len(shown)),
        stop=found.sharper or found.stop,
        whose=views.whose(found, paths),
        runbook=paths[found.path].runbook if found.path in paths else None,
        transitions=await parts.store.transitions(found.id),
        group=[one for one in group if one.id != found.id],
        working=working_beside(seen, [one for one in (found, *group) if one.is_open], paths),
        bisected=bisect_words(came_to, found.sharper or found.stop) if came_to is not None else None,
        bisect=found.bisected.canary_id if found.bisected is not None else bisect and bisect.canary.id,
        backlog=backlog_words(backlog, now) if backlog is not None else "",
        risk=risk_words(found, risks.get(found.id)),
        flaps=flap_words(found.relapses, works_from=found.works_from, broke_again=found.broke_again),
        drawn_impact=pictures.impact(
            "impact",
            points,
            times,
            now=now,
            name=found.path,
            is_blind=found.kind is IncidentKind.BLIND,
        ),
    )


async def _group(parts: Parts, incident_id: str, onset_at: datetime) -> Sequence[Incident]:
    """The incidents of one common cause that lasted at that time or later."""
    near = await parts.store.incidents(path=None, since=onset_at, limit=_GROUPED)
    groups = await parts.store.groups([one.id for one in near])
    mine = next((groups.get(one.id) for one in near if one.id == incident_id), None)
    return [one for one in near if mine is not None and groups.get(one.id) == mine]


async def _around(
    parts: Parts, name: PathName, times: dict[str, datetime | None], now: datetime
) -> Sequence[Point]:
    """The newest canaries around an incident, for its picture."""
    begin = times["from"] or times["onset"] or now
    end = times["resolved"] or now
    margin = max(timedelta(minutes=30), (end - begin) * 0.1)
    return await parts.store.points(name, since=begin - margin, until=end + margin, limit=_AROUND)


async def silences(request: Request) -> Response:
    """The silences in force and to come, the maintenance windows of the next days among them."""
    return render(request, "silences.html", silences=await _silences(request))


async def silences_json(request: Request) -> Response:
    """The same in the shape of `silence --json`."""
    known = await _silences(request)
    answer: SilencesAnswer = {"silences": [silence_answer(one) for one in known], "exit": 0}
    return api.answer_json(answer, parts_of(request).masker)


async def _silences(request: Request) -> Sequence[Silence]:
    parts = parts_of(request)
    now = parts.clock.now()
    return with_windows(await parts.store.silences(now), parts.windows, now, ahead=_AHEAD)


async def runbook(request: Request) -> Response:
    """A page of the runbook: what a reason means, what to check first, whom to call. Its Markdown, for no browser."""
    word = str(request.path_params.get("reason", "README"))
    text = runbook_text(word)
    if text is None:
        raise api.not_found(f"the runbook has no page {word}", "See /runbook.")
    if "text/html" not in request.headers.get("accept", ""):
        return PlainTextResponse(text)
    return render(request, "runbook.html", title=runbook_title(text), text=runbook_markup(text))


async def problem(request: Request, error: Exception) -> Response:
    """A wrong name, a wrong value: said with its remedy."""
    assert isinstance(error, HTTPException)  # noqa: S101 -- what it is registered for
    if api.asks_json(request):
        return api.problem_json(request, error)
    message, _, remedy = error.detail.partition("\n")
    return render(
        request,
        "problem.html",
        status_code=error.status_code,
        message=message,
        remedy=remedy,
        is_store=False,
    )


async def store_problem(request: Request, error: Exception) -> Response:
    """The store can't be read: the page can't know how intake is, and says so."""
    if api.asks_json(request):
        return api.problem_json(request, HTTPException(503, str(error)))
    return render(request, "problem.html", status_code=503, message=str(error), remedy="", is_store=True)


def _is_json(request: Request, name: str) -> bool:
    """As `api.asks_json`; a path that is called something.json is still a page."""
    if name == "name" and request.path_params[name] in parts_of(request).paths():
        return api.accepts_json(request)
    return api.asks_json(request)
