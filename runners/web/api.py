"""The JSON at the page's addresses: the objects that the command line prints, masked."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final, TypeVar

from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from canary.path import Path, PathName
from canary.signature import CanaryId, launched_at_of, unsigned
from canary.verdict import Verdict
from probes.masking import Masker
from runners.answers import failure_answer
from runners.asking import (
    SINCE_REMEDY,
    ask_canaries,
    ask_incidents,
    ask_status,
    ask_trace,
    canaries_answer,
    exit_of,
    incidents_answer,
    parse_since,
    status_answer,
    trace_answer,
)
from runners.at_risk import tickets_at_risk
from runners.cli.exits import Exit
from runners.config.errors import did_you_mean
from runners.contracts import CanaryQuery
from runners.dossier import backlog_of
from runners.web.parts import Parts, parts_of
from runners.web.sharing import Aside, Shared

T = TypeVar("T")

MOST: Final = 500
"""So many an answer holds at most; `before` goes on from its last one."""
SHOWN: Final = 20
_BACKLOGS: Final = 20
_BACKLOG_POINTS: Final = 2_000
_LINKS: Final = frozenset({"url", "runbook"})


def asks_json(request: Request) -> bool:
    """Whether the answer is wanted as JSON: by the address's end, or by what is accepted."""
    return request.url.path.endswith(".json") or accepts_json(request)


def accepts_json(request: Request) -> bool:
    """Whether JSON is accepted, and no page."""
    accepted = [one.partition(";")[0].strip().lower() for one in request.headers.get("accept", "").split(",")]
    return "application/json" in accepted and "text/html" not in accepted


def answer_json(answer: Mapping[str, object], masker: Masker, status_code: int = 200) -> Response:
    """One object, as `--json` prints it, without secrets."""
    return Response(_text(answer, masker), status_code=status_code, media_type="application/json")


async def answer_aside(request: Request, build: Callable[[], Mapping[str, object]]) -> Response:
    """The same of what may be long: built and masked in a thread."""
    masker = parts_of(request).masker
    return Response(await aside(request.app, lambda: _text(build(), masker)), media_type="application/json")


async def aside(app: Starlette, work: Callable[[], T]) -> T:
    """What the work gives, done in a thread."""
    turn: Aside = app.state.aside
    return await turn(work)


async def lend(
    app: Starlette, name: str, make: Callable[[], Awaitable[bytes]], *, media_type: str
) -> Response:
    """What all who ask share; a newer one is made once this reader has been answered."""
    parts: Parts = app.state.parts
    shared: Shared[bytes] = app.state.shared[name]
    version, key = parts.events.changes, (parts.events.turns, *parts.notices())
    lent = await shared.get(make, version=version, key=key)
    return Response(
        lent.value,
        media_type=media_type,
        headers={"X-Behind": "1"} if lent.is_behind else None,  # an open page asks again soon
        background=BackgroundTask(shared.renew, make, version=version, key=key) if lent.is_due else None,
    )


def _text(answer: Mapping[str, object], masker: Masker) -> bytes:
    return f"{json.dumps(_masked(answer, masker), ensure_ascii=False, allow_nan=False)}\n".encode()


def _masked(value: Any, masker: Masker, key: str = "") -> Any:  # noqa: ANN401 -- whatever JSON holds
    match value:
        case str():
            return unsigned(masker.mask_known(value) if key in _LINKS else masker.mask(value))
        case dict():
            return {name: _masked(one, masker, name) for name, one in value.items()}
        case list():
            return [_masked(one, masker, key) for one in value]
        case _:
            return value


def problem_json(request: Request, error: HTTPException) -> Response:
    """What went wrong, in the shape that every command has for it."""
    message, _, remedy = error.detail.partition("\n")
    answer = failure_answer(message, remedy, Exit.BLIND if error.status_code >= 500 else Exit.USAGE)  # noqa: PLR2004 -- ours
    return answer_json(answer, parts_of(request).masker, error.status_code)


async def status(request: Request) -> Response:
    """`status --json`."""
    parts = parts_of(request)

    async def made() -> bytes:
        found = await ask_status(
            parts.store,
            list(parts.paths().values()),
            now=parts.clock.now(),
            places=parts.places,
            sinks=parts.sinks,
            windows=parts.windows,
        )
        return await aside(request.app, lambda: _text(status_answer(found), parts.masker))

    return await lend(request.app, "status.json", made, media_type="application/json")


async def path(request: Request) -> Response:
    """`status --json`, of one path and its places alone."""
    parts = parts_of(request)
    wanted = path_named(parts, _without_suffix(request, "name"))
    places = {wanted.mailbox, wanted.ticketing, wanted.domain}
    found = await ask_status(
        parts.store, [wanted], now=parts.clock.now(), places=parts.places, windows=parts.windows
    )
    mine = tuple(one for one in found.gauges if one.place in places)
    return answer_json(status_answer(replace(found, gauges=mine)), parts.masker)


async def canaries(request: Request) -> Response:
    """`canaries --json`, with its options as the query: path, verdict, since, limit, before."""
    parts = parts_of(request)
    query, paths = query_of(request, SHOWN)
    listed, code = await ask_canaries(parts.store, query, paths, now=parts.clock.now())
    answer = await answer_aside(request, lambda: canaries_answer(listed, code))
    if listed.next is not None:
        answer.headers["Link"] = f'<{older(request, listed.next)}>; rel="next"'  # RFC 8288
    return answer


async def canary(request: Request) -> Response:
    """`trace --json`."""
    parts = parts_of(request)
    word = _without_suffix(request, "id")
    found = await ask_trace(parts.store, word, parts.paths(), now=parts.clock.now())
    refuse_unless_one(word, [one.canary.id for one in found.records])
    return await answer_aside(request, lambda: trace_answer(found))


async def incidents(request: Request) -> Response:
    """`incidents --json`, with its options as the query: path, since, limit."""
    parts = parts_of(request)
    query, paths = query_of(request, SHOWN)
    found, code = await ask_incidents(
        parts.store,
        paths,
        path=query.path,
        since=query.since,
        limit=query.limit,
        now=parts.clock.now(),
        backlogs=_BACKLOGS,
        points=_BACKLOG_POINTS,
    )
    return await answer_aside(request, lambda: incidents_answer(found, code))


async def incident(request: Request) -> Response:
    """`incidents --json`, of one incident."""
    parts = parts_of(request)
    word = _without_suffix(request, "id")
    found = await parts.store.incident(word)
    if found is None:
        raise not_found(f"there is no incident {word}", "See /incidents.")
    paths = [one for one in parts.paths().values() if one.name == found.path]
    seen = (await ask_status(parts.store, paths, now=parts.clock.now())).paths
    path = next(iter(paths), None)
    now = parts.clock.now()
    risks = await tickets_at_risk(parts.store, [found], {one.name: one for one in paths}, now)
    whole = [(found, await backlog_of(parts.store, found, path, now), risks.get(found.id))]
    return answer_json(incidents_answer(whole, exit_of([one.view for one in seen])), parts.masker)


def _without_suffix(request: Request, name: str) -> str:
    """What a part of the address says; a path may itself be called something.json."""
    text = str(request.path_params[name])
    if name == "name" and text in parts_of(request).paths():
        return text
    return text.removesuffix(".json")


def query_of(request: Request, limit: int) -> tuple[CanaryQuery, list[Path]]:
    """What the query asks for, and the paths that it is about.

    Raises:
        HTTPException: a value means nothing (400), or names no path (404).
    """
    parts, given = parts_of(request), request.query_params
    name, verdict, since, most = (given.get(one) for one in ("path", "verdict", "since", "limit"))
    if verdict and verdict not in set(Verdict):
        raise HTTPException(400, f"{verdict} is not a verdict\n{did_you_mean(verdict, list(Verdict))}")
    if most and not (most.isascii() and most.isdigit() and 0 < int(most[:9]) <= MOST and len(most) < 9):  # noqa: PLR2004
        raise HTTPException(400, f"{most} is no number from 1 to {MOST}\nLeave limit out.")
    try:
        begin = parse_since(since, parts.clock.now()) if since else None
    except ValueError as error:
        raise HTTPException(400, f"{error}\n{SINCE_REMEDY}") from None
    wanted = [path_named(parts, name)] if name else list(parts.paths().values())
    query = CanaryQuery(
        path=wanted[0].name if name else None,
        verdict=Verdict(verdict) if verdict else None,
        since=begin,
        limit=int(most) if most else limit,
        before=before_of(request),
    )
    return query, wanted


def before_of(request: Request) -> tuple[datetime, CanaryId] | None:
    """After which canary the list goes on: its launch is in its id. Raises `HTTPException` 400."""
    word = request.query_params.get("before")
    if not word:
        return None
    try:
        return launched_at_of(CanaryId(word)), CanaryId(word)
    except ValueError:
        raise HTTPException(400, f"{word} is no canary's id\nLeave before out.") from None


def older(request: Request, last: CanaryId | None) -> str:
    """The address of the same list from after that canary on; None: from its newest."""
    kept = request.url.remove_query_params("before")
    url = kept.include_query_params(before=last) if last is not None else kept
    return f"{url.path}?{url.query}" if url.query else url.path


def path_named(parts: Parts, name: str) -> Path:
    """The path of that name. Raises `HTTPException` 404."""
    found = parts.paths().get(PathName(name))
    if found is None:
        raise not_found(f"there is no path {name}", did_you_mean(name, [str(one) for one in parts.paths()]))
    return found


def refuse_unless_one(word: str, ids: list[str]) -> None:
    """Raise `HTTPException` 404 where a word names no canary, or several."""
    if not ids:
        raise not_found(
            f"there is no canary {word}",
            "It may be older than 90 days. One is found by its id, the beginning or the last six letters of it or more, its"
            " token or its trace id. See /canaries.",
        )
    if len(ids) > 1:
        some = ", ".join(ids[:5])
        raise not_found(
            f"{word} is the beginning or the end of {len(ids)} canaries: {some}", "Write more of it."
        )


def not_found(message: str, remedy: str) -> HTTPException:
    """A 404 with its cause and its remedy."""
    return HTTPException(404, f"{message}\n{remedy}")
