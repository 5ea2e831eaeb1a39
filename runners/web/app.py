"""The page as one ASGI application: its routes, behind one guard."""

from pathlib import Path
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from runners.contracts import StoreError
from runners.web import api, health, pages
from runners.web.access import Guard
from runners.web.events import MOST_READERS, stream
from runners.web.parts import Parts, parts_of
from runners.web.rendering import Renderer
from runners.web.sharing import Aside, Shared

_STATIC: Final = Path(__file__).parent / "static"
_TYPES: Final = {
    "page.css": "text/css; charset=utf-8",
    "page.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}


class _Page(Starlette):
    """The guard stands before everything, also before what answers a bug of ours."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        guard: Guard = self.state.guard
        scope["app"] = self
        await guard(scope, receive, send)


def build_app(parts: Parts) -> Starlette:
    """The page of these parts; opens nothing."""
    app = _Page(
        routes=[
            Route("/", pages.overview),
            Route("/status.json", api.status),
            Route("/paths/{name}", pages.path),
            Route("/canaries", pages.canaries),
            Route("/canaries.json", api.canaries),
            Route("/canaries/{id}", pages.canary),
            Route("/canaries/{id}/evidence/{file}", pages.artifact),
            Route("/incidents", pages.incidents),
            Route("/incidents.json", api.incidents),
            Route("/incidents/{id}", pages.incident),
            Route("/silences", pages.silences),
            Route("/silences.json", pages.silences_json),
            Route("/runbook", pages.runbook),
            Route("/runbook/{reason}", pages.runbook),
            Route("/events", _events),
            Route("/healthz", health.healthz),
            Route("/readyz", health.readyz),
            Route("/metrics", health.metrics),
            Route("/static/{file}", _static),
        ],
        exception_handlers={HTTPException: pages.problem, StoreError: pages.store_problem},
    )
    app.state.parts = parts
    app.state.shared = {
        **{name: Shared[bytes](parts.clock) for name in pages.LAYOUTS},
        # A machine that reads it shows no "as of", and does not ask again.
        "status.json": Shared[bytes](parts.clock, usable_seconds=5.0),
    }
    app.state.aside = Aside()
    app.state.renderer = Renderer(parts.masker)
    app.state.guard = Guard(super(_Page, app).__call__, parts.access, parts.clock)
    return app


def build_metrics_app(parts: Parts) -> Starlette:
    """`/metrics` alone, behind the same guard, for an address of its own; opens nothing."""
    app = _Page(
        routes=[Route("/metrics", health.metrics)],
        exception_handlers={HTTPException: _plainly, StoreError: _plainly},
    )
    app.state.parts = parts
    app.state.guard = Guard(super(_Page, app).__call__, parts.access, parts.clock)
    return app


async def _plainly(request: Request, error: Exception) -> Response:
    """What went wrong, for a machine."""
    if isinstance(error, HTTPException):
        return PlainTextResponse("Here is /metrics alone.\n", status_code=error.status_code)
    masked = parts_of(request).masker.mask(str(error))
    return PlainTextResponse(f"{masked}\n", status_code=503)


async def _events(request: Request) -> Response:
    """One event whenever something changed, until the reader goes."""
    parts = parts_of(request)
    if request.method == "HEAD":
        return Response(media_type="text/event-stream")
    if parts.events.readers >= MOST_READERS:
        said = "So many pages are open already; this one is read anew every minute.\n"
        return PlainTextResponse(said, status_code=503, headers={"Retry-After": "60"})
    return StreamingResponse(
        stream(parts.events, parts.clock),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


async def _static(request: Request) -> Response:
    """One of the page's three files."""
    name = str(request.path_params["file"])
    if name not in _TYPES:
        raise HTTPException(404, "there is no such file\n")
    return Response((_STATIC / name).read_bytes(), media_type=_TYPES[name])
