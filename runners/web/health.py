"""Whether the process is alive and ready, and its metrics: for machines, in plain text."""

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from runners.web.access import may_read
from runners.web.parts import parts_of


async def healthz(request: Request) -> Response:
    """200 while the process is alive; without a token, since it says nothing else."""
    is_alive = parts_of(request).health.alive()
    return PlainTextResponse("alive\n" if is_alive else "stuck\n", status_code=200 if is_alive else 503)


async def readyz(request: Request) -> Response:
    """200 when all runs, else 503 with the reasons; who may not read the page is not told them."""
    parts = parts_of(request)
    problems = parts.health.ready()
    if not problems:
        return PlainTextResponse("ready\n")
    said = [parts.masker.mask(one) for one in problems] if may_read(request) else ["not ready"]
    return PlainTextResponse("\n".join(said) + "\n", status_code=503)


async def metrics(request: Request) -> Response:
    """All metrics, in the format that was asked for."""
    media_type, body = await parts_of(request).metrics(request.headers.get("accept", ""))
    return Response(body, media_type=media_type)
