"""How the tests ask the page: without a socket, as a browser or a program would."""

import asyncio
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from starlette.applications import Starlette

from canary.path import PathName
from canary.verdict import Verdict
from runners.contracts import CanaryQuery
from runners.web.access import Access
from runners.web.app import build_app
from tests.fakes.page_scene import Scene, night

BASE = "http://127.0.0.1:8080"


@dataclass
class Asker:
    """A page on a scene."""

    scene: Scene
    access: Access = field(default_factory=Access)
    artifacts: Path | None = None
    client: tuple[str, int] = ("127.0.0.1", 50000)
    app: Starlette | None = None

    async def get(
        self,
        address: str,
        *,
        method: str = "GET",
        base: str = BASE,
        cookies: dict[str, str] | None = None,
        **headers: str,
    ) -> httpx.Response:
        if self.app is None:
            self.app = build_app(self.scene.parts(access=self.access, artifacts=self.artifacts))
        transport = httpx.ASGITransport(self.app, client=self.client)
        names = {name.replace("_", "-"): value for name, value in headers.items()}
        async with httpx.AsyncClient(transport=transport, base_url=base, cookies=cookies) as browser:
            return await browser.request(method, address, headers=names)

    def ask(self, address: str, **how: object) -> httpx.Response:
        return asyncio.run(self.get(address, **how))  # type: ignore[arg-type]  # the tests' own shorthand

    def newest(self, path: PathName, verdict: Verdict | None = None) -> str:
        """The id of a path's newest canary of that verdict."""
        found = asyncio.run(self.scene.store.canaries(CanaryQuery(path=path, verdict=verdict, limit=1)))
        return found[0].canary.id

    def incident(self, path: PathName) -> str:
        """The id of a path's newest incident."""
        return asyncio.run(self.scene.store.incidents(path=path, since=None, limit=1))[0].id


def asker(**how: object) -> Asker:
    return Asker(asyncio.run(night()), **how)  # type: ignore[arg-type]  # the tests' own shorthand
